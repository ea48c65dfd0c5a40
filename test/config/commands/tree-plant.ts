/** A command of two words, for the tests; it needs no settings and may fail without an error. */
import { defineCommand } from '../../../src/cli/command.ts';
import { integer } from '../../../src/values.ts';

export const command = defineCommand({
  name: 'tree plant',
  summary: 'Plants trees.',
  usage: 'FOREST...',
  examples: ['tree plant north'],
  flags: { exit: { kind: integer({ min: 0, max: 2 }), default: 0, description: 'Exit code.' } },
  run: ({ operands, flags, result }) => {
    result(operands, (forests) => `planted in ${forests.join(' and ')}`);
    return flags.exit;
  },
});
