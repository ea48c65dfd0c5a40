/** `tollkeeper account adjust`: adds to a bucket or takes from it, once per key. */
import { aboutKeys, bookAmount, bookingFlags, bookingSettings } from './booked.ts';
import { defineCommand } from './command.ts';

export const command = defineCommand({
  name: 'account adjust',
  summary: 'Add to a bucket of an account, or take from it; safe to repeat',
  usage: 'ACCOUNT',
  details:
    'An amount with a minus sign is taken, as far as the bucket has it or its credit limit goes; ' +
    `what open sessions have reserved stays theirs. ${aboutKeys} It is booked as an adjustment, ` +
    'not as a top-up, and asks no clients.',
  examples: [
    'account adjust blue-family --tenant mvno-blue --amount=-1.20 --key complaint-17',
    "account adjust blue-family --tenant mvno-blue --bucket data --amount '1 GB' --key g3",
  ],
  flags: bookingFlags,
  settings: bookingSettings,
  async run(call) {
    await bookAmount(call, { command: 'account adjust', kind: 'adjustment' }, async () => ({}));
  },
});
