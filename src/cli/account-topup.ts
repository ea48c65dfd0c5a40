/** `tollkeeper account topup`: adds to a bucket, once per key. */
import { askClientsOf } from '../engine/reauthorise.ts';
import { ASKING_MS, askingOn, askingSettings } from './asking.ts';
import { aboutKeys, bookAmount, bookingFlags, bookingSettings } from './booked.ts';
import { defineCommand } from './command.ts';

export const command = defineCommand({
  name: 'account topup',
  summary: 'Add to a bucket of an account; safe to repeat',
  usage: 'ACCOUNT',
  details:
    `${aboutKeys} Clients of open sessions that have run out of credit are asked to ` +
    're-authorise.',
  examples: [
    'account topup blue-family --tenant mvno-blue --amount 5.00 --key voucher-4711',
    'account topup red-491710000001 --tenant mvno-red --bucket welcome --amount 10 --key g1',
  ],
  flags: bookingFlags,
  settings: [...bookingSettings, ...askingSettings],
  async run(call) {
    await bookAmount(call, { command: 'account topup', kind: 'topup' }, async (store, account) => {
      // Also when it was booked before: whoever did may not have come to it.
      const asking = await askClientsOf(askingOn(store, call.settings), account, {
        reason: 'top-up',
        deadline: performance.now() + ASKING_MS,
      });
      if (asking.kind === 'busy')
        call.note(
          'Not all sessions without credit could be told; repeat it under the key ' +
            `${call.flags.key}.`,
        );
      return { sessionsAsked: asking.asked };
    });
  },
});
