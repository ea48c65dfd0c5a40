/** A command for the tests: every kind of flag, an operand that may be left out, a setting. */
import { defineCommand } from '../../../src/cli/command.ts';
import { TollkeeperError } from '../../../src/errors.ts';
import { diameterIdentity, integer, oneOf, onOff } from '../../../src/values.ts';

export const command = defineCommand({
  name: 'greet',
  summary: 'Says a greeting.',
  usage: 'NAME [TITLE]',
  examples: ['greet Ada', 'greet Ada Countess --times=2'],
  settings: ['workers', 'redisUrl'],
  flags: {
    times: { kind: integer({ min: 1, max: 9 }), default: 1, description: 'How often.' },
    loudly: { kind: onOff(), default: false, description: 'In capitals.' },
    originHost: { kind: diameterIdentity({ worker: false }), description: 'Who greets.' },
    fail: { kind: oneOf('known', 'defect'), description: 'Fails in the way named.' },
  },
  run({ operands, flags, settings, result, note }) {
    if (flags.fail === 'known') throw new TollkeeperError('ACCOUNT_UNKNOWN', { account: 'a-1' });
    if (flags.fail === 'defect') throw new TypeError('not a function');
    note(`greeting with ${settings.workers} workers`);
    if (flags.originHost !== undefined) note(`from ${flags.originHost}`);
    const greeting = `hello ${operands.join(' ')}`;
    for (let n = 0; n < flags.times; n++) {
      result({ greeting, n }, (row) => (flags.loudly ? row.greeting.toUpperCase() : row.greeting));
    }
  },
});
