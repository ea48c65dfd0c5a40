/** `tollkeeper session reauthorise`: has a session's client ask for credit again (RFC 8506 5.5). */
import type { Scope } from '../charging/pending.ts';
import { askClient } from '../engine/reauthorise.ts';
import { onEach } from '../engine/sub-sessions.ts';
import { TollkeeperError } from '../errors.ts';
import { integer } from '../values.ts';
import { ASKING_MS, askingOn, askingSettings, sessionFailure, subSessionFlag } from './asking.ts';
import { defineCommand } from './command.ts';
import { storeSettings, withStore } from './open-store.ts';

const unsigned32 = integer({ min: 0, max: 4_294_967_295 });

export const command = defineCommand({
  name: 'session reauthorise',
  summary: 'Have a client report what was used and ask for credit again (RAR)',
  usage: 'SESSION-ID',
  details:
    'The wish is stored with the session, and a worker sends it within a second: to the whole ' +
    'session, or to the one service, rating group or pool that is named. A client that does not ' +
    'answer is asked again up to four times, on another connection or by another worker where there is one.',
  examples: [
    "session reauthorise 'pgw1.epc.example;1876543210;523;1'",
    "session reauthorise 'pgw1.epc.example;1876543210;523;1' --rating-group 10",
  ],
  flags: {
    subSession: subSessionFlag,
    ratingGroup: { kind: unsigned32, description: 'Only the services of this rating group.' },
    service: { kind: unsigned32, description: 'Only this Service-Identifier.' },
    pool: { kind: unsigned32, description: 'Only this credit pool (G-S-U-Pool-Identifier).' },
  },
  settings: [...storeSettings, ...askingSettings],
  async run(call) {
    const { subSession: subSessionId, ratingGroup, service, pool } = call.flags;
    if (pool !== undefined && (ratingGroup !== undefined || service !== undefined))
      throw new TollkeeperError('COMMAND_LINE_INVALID', {
        problem: 'tollkeeper session reauthorise: --pool names its services itself',
      });
    const sessionId = call.operands[0]!;
    const scope: Scope = {
      ...(ratingGroup === undefined ? {} : { ratingGroup }),
      ...(service === undefined ? {} : { serviceId: service }),
      ...(pool === undefined ? {} : { pool }),
    };
    const wanted = { kind: 'reauthorise', scope, reason: 'operator' } as const;
    const deadline = performance.now() + ASKING_MS;
    const outcome = await withStore(call.settings, (store) => {
      const options = askingOn(store, call.settings);
      const on = { wanted, mayServe: () => true, deadline };
      const act = (key: string) => askClient(options, key, on);
      return onEach(options, { sessionId, subSessionId }, { deadline, act });
    });
    if (outcome !== 'asked' && outcome !== 'pending') throw sessionFailure(outcome, sessionId);
    call.result({ sessionId, outcome }, () =>
      outcome === 'asked'
        ? 'The client will be asked to re-authorise.'
        : 'The client is being asked already; nothing was changed.',
    );
  },
});
