/** An internal command: it runs, but is not for people. */
import { defineCommand } from '../../../src/cli/command.ts';

export const command = defineCommand({
  name: 'probe',
  summary: 'Is not listed.',
  usage: '',
  examples: ['probe'],
  flags: {},
  internal: true,
  run: ({ result }) => result('probed', (text) => text),
});
