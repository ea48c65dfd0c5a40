/** `tollkeeper session abort`: ends a session, by its client (RFC 6733 8.5) or at once. */
import { askClient, endSession } from '../engine/reauthorise.ts';
import { type Named, onEach } from '../engine/sub-sessions.ts';
import type { Store } from '../store/store.ts';
import { onOff } from '../values.ts';
import { ASKING_MS, askingOn, askingSettings, sessionFailure, subSessionFlag } from './asking.ts';
import { type Call, defineCommand } from './command.ts';
import { storeSettings, withStore } from './open-store.ts';

const TEXTS = {
  asked: 'The client will be asked to end the session; what it used is charged when it does.',
  pending: 'The client is being asked already; nothing was changed.',
  ended: 'The session is ended; what it held is free again.',
} as const;

export const command = defineCommand({
  name: 'session abort',
  summary: 'Have a client end a session (ASR), or end it at once',
  usage: 'SESSION-ID',
  details:
    'The client is asked to stop the service and to report what was used. If it does not answer, ' +
    'does not know the session or will not, the session is ended without it: what it held is ' +
    'released, and usage that it reports within --abandoned-tombstone-seconds is still charged.',
  examples: [
    "session abort 'pgw1.epc.example;1876543210;523;1'",
    "session abort 'pgw1.epc.example;1876543210;523;1' --now",
  ],
  flags: {
    subSession: subSessionFlag,
    now: { kind: onOff(), default: false, description: 'End it here, without asking the client.' },
  },
  settings: [...storeSettings, ...askingSettings],
  async run(call) {
    const sessionId = call.operands[0]!;
    const named = { sessionId, subSessionId: call.flags.subSession };
    const outcome = await withStore(call.settings, (store) =>
      abort(store, named, { now: call.flags.now, settings: call.settings }),
    );
    if (outcome === 'unknown' || outcome === 'busy') throw sessionFailure(outcome, sessionId);
    call.result({ sessionId, outcome }, () => TEXTS[outcome]);
  },
});

function abort(
  store: Store,
  named: Named,
  { now, settings }: { now: boolean; settings: Call['settings'] },
) {
  const options = askingOn(store, settings);
  const on = { mayServe: () => true, deadline: performance.now() + ASKING_MS };
  const wanted = { kind: 'abort', scope: {}, reason: 'operator' } as const;
  return onEach<'ended' | 'asked' | 'pending' | 'unknown' | 'busy'>(options, named, {
    deadline: on.deadline,
    act: (key) => (now ? endSession(options, key, on) : askClient(options, key, { ...on, wanted })),
  });
}
