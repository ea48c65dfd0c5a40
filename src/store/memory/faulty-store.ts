/**
 * A store whose calls fail as a test or a simulation says: refused before they were applied, or
 * applied with the reply lost. To the caller both look as they would with a real store.
 */
import { type Store, StoreUnavailable } from '../store.ts';

/** `refuse`: not applied, and the caller knows; `lose-*`: the caller cannot know. */
export type Fault = 'none' | 'refuse' | 'lose-request' | 'lose-reply';

/** Calls that reach a store; the others answer from what this process knows. */
const remote = [
  'accountOf',
  'bind',
  'bindingOf',
  'keepBinding',
  'moveBinding',
  'subSessionsOf',
  'load',
  'commit',
  'claimDue',
  'rearm',
  'dropTimer',
  'createAccount',
  'changeAccount',
  'moveSubscriber',
  'removeSubscriber',
  'holderOf',
  'keptOf',
  'listAccounts',
  'listSessions',
  'configurationStamp',
  'readConfiguration',
  'writeConfiguration',
  'planVersions',
  'planText',
  'rememberedFile',
  'rememberFile',
  'rememberedListener',
  'rememberListener',
  'announce',
  'sessionsOf',
  'holdPeer',
  'holdersOf',
  'post',
  'take',
] as const satisfies readonly (keyof Store)[];

export type RemoteCall = (typeof remote)[number];

/** `decide` is asked once per call, before it is made. */
export function withFaults(
  store: Store,
  decide: (call: RemoteCall, args: readonly unknown[]) => Fault,
): Store {
  const faulty = Object.create(store) as Store;
  for (const call of remote) {
    const apply = store[call].bind(store) as (...args: unknown[]) => Promise<unknown>;
    const wrapped = async (...args: unknown[]): Promise<unknown> => {
      const fault = decide(call, args);
      if (fault === 'refuse') throw new StoreUnavailable('no', 'refused by the test');
      if (fault === 'lose-request') throw new StoreUnavailable('unknown', 'request lost');
      const reply = await apply(...args);
      if (fault === 'lose-reply') throw new StoreUnavailable('unknown', 'reply lost');
      return reply;
    };
    Object.assign(faulty, { [call]: wrapped });
  }
  for (const call of ['partitionOf', 'ready', 'close'] as const)
    Object.assign(faulty, { [call]: (store[call] as () => unknown).bind(store) });
  Object.defineProperty(faulty, 'now', { value: () => store.now() });
  Object.defineProperty(faulty, 'partitions', { value: store.partitions });
  return faulty;
}
