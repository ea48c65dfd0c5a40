/** Changes of a session that no request of its client makes: they come from outside, or are due. */
import { setTimeout } from 'node:timers/promises';
import type { AccountRef } from '../charging/account.ts';
import type { Change, Known } from '../charging/decision.ts';
import type { Plan } from '../charging/plan.ts';
import type { Session } from '../charging/session.ts';
import { CounterOutOfRange, type Snapshot, type Store, StoreUnavailable } from '../store/store.ts';
import { type CallOptions, Calls } from './calls.ts';
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
  options: SessionChangeOptions,
  of: Pick<OpenSession, 'ref' | 'key'>,
): Promise<OpenSession | undefined> {
  return openOf(options, { ...of, snapshot: await options.store.load(of.ref, of.key) });
}

function openOf(
  { store, plan, settings }: SessionChangeOptions,
  { ref, key, snapshot }: Pick<OpenSession, 'ref' | 'key' | 'snapshot'>,
): OpenSession | undefined {
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

/** The clock of deadlines, and the pause before a call is repeated: the system's own if absent. */
export type ChangeCalls = Pick<CallOptions, 'clock'> & Partial<Pick<CallOptions, 'pause'>>;

/**
 * `unknown`: there is no such session; `closed`: it has ended, and only its tombstone is left;
 * `busy`: not agreed with the store in time.
 */
export type ChangeOutcome = 'changed' | 'unchanged' | 'closed' | 'unknown' | 'busy';

/**
 * Decides and commits until the store agrees or the deadline comes; `busy` may have been stored.
 * `unchanged`: there was nothing to decide. Where the reply to a commit was lost, what it would have
 * led to is taken for its work.
 */
export async function changeSession(
  options: SessionChangeOptions & ChangeCalls,
  key: string,
  on: {
    mayServe(tenant: string): boolean;
    deadline: number;
    decide(open: OpenSession): SessionChange | undefined;
  },
): Promise<ChangeOutcome> {
  const { store, clock, pause = (ms: number) => setTimeout(ms) } = options;
  const calls = new Calls({ clock, pause }, on.deadline);
  /** What may have been committed: its reply was lost. */
  let lost: SessionChange | undefined;
  try {
    const bound = await calls.one(() => store.bindingOf(key));
    if (bound === undefined || !on.mayServe(bound.tenant)) return 'unknown';
    const ref = { tenant: bound.tenant, account: bound.account };
    const keep = (change: SessionChange) =>
      calls.one(() => keepClosed(options, { key, ref }, change));
    while (calls.left > 0) {
      const snapshot = await calls.one(() => store.load(ref, key));
      const open = openOf(options, { ref, key, snapshot });
      if (open === undefined) {
        if (lost?.index !== 'close') return isTombstone(snapshot, ref) ? 'closed' : 'unknown';
        await keep(lost);
        return 'changed';
      }
      const change = on.decide(open);
      if (change === undefined) return lost === undefined ? 'unchanged' : 'changed';
      const committed = await calls.one(() =>
        commitChange(options, open, change).catch((error: unknown) => {
          lost = change;
          throw error;
        }),
      );
      if (!committed) continue;
      await keep(change);
      return 'changed';
    }
    return 'busy';
  } catch (error) {
    if (error instanceof StoreUnavailable) return 'busy';
    throw error;
  }
}

/** What a session left that ended here; a marker of one that moved away is none. */
function isTombstone({ session: stored }: Snapshot, ref: AccountRef): boolean {
  return stored !== undefined && stored.session.account.account === ref.account;
}
