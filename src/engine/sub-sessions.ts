/**
 * What a Session-Id names: a session, or the sub-sessions that its client opened under it, each of
 * which is a session of its own to the store (RFC 8506 8.5).
 */
import { setTimeout } from 'node:timers/promises';
import type { Account } from '../charging/account.ts';
import { sessionKey } from '../charging/request.ts';
import type { Session } from '../charging/session.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import { Calls } from './calls.ts';
import type { ChangeCalls } from './session-change.ts';

/** Sub-sessions that are looked up, and acted on, at once. */
const PAGE = 100;

/** Without a sub-session: the session of this Session-Id, and all that were opened under it. */
export interface Named {
  sessionId: string;
  subSessionId?: string | undefined;
}

/** Of several sessions, the first of these that became of any is what became of all. */
const PRECEDENCE = ['busy', 'ended', 'asked', 'pending', 'unknown'] as const;

/**
 * Does the same to every session that is named. `unknown`: to none of them; `busy`: to some of them
 * at most before the deadline, in ms of the clock.
 */
export async function onEach<Outcome extends (typeof PRECEDENCE)[number]>(
  options: { store: Pick<Store, 'subSessionsOf'> } & ChangeCalls,
  named: Named,
  { deadline, act }: { deadline: number; act(key: string): Promise<Outcome> },
): Promise<Outcome | 'unknown' | 'busy'> {
  const { store, clock, pause = (ms: number) => setTimeout(ms) } = options;
  const calls = new Calls({ clock, pause }, deadline);
  const outcomes = new Set<Outcome | 'unknown' | 'busy'>(['unknown']);
  const asking: Pick<Store, 'subSessionsOf'> = {
    subSessionsOf: (...of) => calls.one(() => store.subSessionsOf(...of)),
  };
  try {
    for await (const keys of keysOf(asking, named)) {
      for (const outcome of await Promise.all(keys.map(act))) outcomes.add(outcome);
      if (outcomes.has('busy')) return 'busy';
    }
  } catch (error) {
    if (error instanceof StoreUnavailable) return 'busy';
    throw error;
  }
  return PRECEDENCE.find((outcome) => outcomes.has(outcome as Outcome)) as Outcome;
}

/** The keys of the sessions that are named, a page at a time; one may be given twice. */
async function* keysOf(
  store: Pick<Store, 'subSessionsOf'>,
  { sessionId, subSessionId }: Named,
): AsyncGenerator<string[]> {
  const own = [sessionKey({ sessionId, subSessionId })];
  if (subSessionId !== undefined) return yield own;
  let after: string | undefined;
  do {
    const page = await store.subSessionsOf(sessionId, { limit: PAGE, ...(after && { after }) });
    const under = page.subSessionIds.map((id) => sessionKey({ sessionId, subSessionId: id }));
    yield after === undefined ? [...own, ...under] : under;
    after = page.next;
  } while (after !== undefined);
}

/** A session as it is found, open or ended. */
export interface Found {
  key: string;
  session: Session;
  account: Account | undefined;
}

/** Reads the sessions that are named, of tenants that may be seen: each once, its own first. */
export async function* readNamed(
  store: Pick<Store, 'subSessionsOf' | 'bindingOf' | 'load'>,
  named: Named,
  sees: (tenant: string) => boolean = () => true,
): AsyncGenerator<Found> {
  const given = new Set<string>();
  const read = async (key: string): Promise<Found | undefined> => {
    const bound = await store.bindingOf(key);
    if (bound === undefined || !sees(bound.tenant)) return undefined;
    const { account, session: stored } = await store.load(bound, key);
    // What a session that moved leaves behind belongs to its new account.
    if (stored?.session.account.account !== bound.account) return undefined;
    return { key, session: stored.session, account };
  };
  for await (const keys of keysOf(store, named)) {
    const once = keys.filter((key) => !given.has(key));
    for (const key of once) given.add(key);
    for (const found of await Promise.all(once.map(read))) if (found !== undefined) yield found;
  }
}
