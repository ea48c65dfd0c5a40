/** Changes of a session that no request of its client makes: they come from outside, or are due. */
import type { AccountRef } from '../charging/account.ts';
import type { Change, Known } from '../charging/decision.ts';
import type { Plan } from '../charging/plan.ts';
import type { Session } from '../charging/session.ts';
import { CounterOutOfRange, type Snapshot, type Store, StoreUnavailable } from '../store/store.ts';
import type { ChargeSettings } from './charge.ts';

export interface SessionChangeOptions {
  store: Store;
  plan(tenant: string, plan: string): Plan;
  settings: ChargeSettings;
}

export type SessionChange = Omit<Change, 'answer'>;

/** A session that is open, and the account that it is on. */
export interface OpenSession {
  key: string;
  ref: AccountRef;
  snapshot: Snapshot;
  session: Session;
  /** What a decision on it is made on. */
  known: Omit<Known, 'session'>;
}

/** Reads a session; undefined: there is none that is open. */
export async function readOpen(
  { store, plan, settings }: SessionChangeOptions,
  { ref, key }: Pick<OpenSession, 'ref' | 'key'>,
): Promise<OpenSession | undefined> {
  const snapshot = await store.load(ref, key);
  const { account, session: stored } = snapshot;
  if (account === undefined || stored?.session.state !== 'open') return undefined;
  const known = {
    now: store.now(),
    account,
    plan: plan(ref.tenant, account.definition.plan),
    ...{ fresh: true, reserving: false, settings },
  };
  return { key, ref, snapshot, session: stored.session, known };
}

/** Commits what was decided on a session; false: something else was committed first. */
export async function commitChange(
  { store }: Pick<SessionChangeOptions, 'store'>,
  { key, ref, snapshot }: Pick<OpenSession, 'key' | 'ref' | 'snapshot'>,
  change: SessionChange,
): Promise<boolean> {
  const { epoch, account, session: stored } = snapshot;
  return applied(store, {
    account: ref,
    epoch,
    accountVersion: account?.version ?? 0,
    session: {
      key,
      expected: stored?.version ?? 0,
      value: change.session,
      index: change.index,
      timer: change.timer,
      ...(typeof change.ttlMs === 'number' ? { ttlMs: change.ttlMs } : {}),
    },
    movements: change.movements,
    record: change.record,
  });
}

/** Lets the binding of a session that ended live as long as its tombstone is to be found. */
export async function keepClosed(
  { store, settings }: Omit<SessionChangeOptions, 'plan'>,
  { key, ref }: Pick<OpenSession, 'key' | 'ref'>,
  change: SessionChange,
): Promise<void> {
  if (change.index !== 'close') return;
  const horizon = Math.max(settings.duplicateHorizonMs, settings.abandonedMs);
  await store.keepBinding(key, ref, horizon);
}

async function applied(store: Store, commit: Parameters<Store['commit']>[0]): Promise<boolean> {
  try {
    return (await store.commit(commit)).kind === 'committed';
  } catch (error) {
    // What was decided fits the counters that were seen, so these have moved.
    if (error instanceof CounterOutOfRange) return false;
    throw error;
  }
}

/** `unknown`: there is no such open session; `busy`: not agreed with the store in time. */
export type ChangeOutcome = 'changed' | 'unchanged' | 'unknown' | 'busy';

/**
 * Decides and commits until the store agrees or the deadline comes; `busy` may have been stored.
 * `unchanged`: there was nothing to decide.
 */
export async function changeSession(
  options: SessionChangeOptions & { clock(): number },
  key: string,
  on: {
    mayServe(tenant: string): boolean;
    deadline: number;
    decide(open: OpenSession): SessionChange | undefined;
  },
): Promise<ChangeOutcome> {
  const { store, clock } = options;
  try {
    const bound = await store.bindingOf(key);
    if (bound === undefined || !on.mayServe(bound.tenant)) return 'unknown';
    const ref = { tenant: bound.tenant, account: bound.account };
    while (clock() < on.deadline) {
      const open = await readOpen(options, { ref, key });
      if (open === undefined) return 'unknown';
      const change = on.decide(open);
      if (change === undefined) return 'unchanged';
      if (!(await commitChange(options, open, change))) continue;
      await keepClosed(options, open, change);
      return 'changed';
    }
    return 'busy';
  } catch (error) {
    if (error instanceof StoreUnavailable) return 'busy';
    throw error;
  }
}
