/**
 * Ends a session from outside its client: an operator's word, or an STR. What it held is released
 * and recorded; usage that its client reports later is still debited (design of tombstones).
 */
import type { Change } from '../charging/decision.ts';
import type { Plan } from '../charging/plan.ts';
import { abandon } from '../charging/timer.ts';
import { type Commit, CounterOutOfRange, type Store, StoreUnavailable } from '../store/store.ts';
import type { ChargeSettings } from './charge.ts';

export interface AbortOptions {
  store: Store;
  plan(tenant: string, plan: string): Plan;
  settings: ChargeSettings;
  clock(): number;
}

/** `busy`: not agreed with the store before the deadline; the session may or may not have ended. */
export async function abortSession(
  { store, plan, settings, clock }: AbortOptions,
  sessionKey: string,
  { mayServe, deadline }: { mayServe(tenant: string): boolean; deadline: number },
): Promise<'ended' | 'unknown' | 'busy'> {
  try {
    const ref = await store.bindingOf(sessionKey);
    if (ref === undefined || !mayServe(ref.tenant)) return 'unknown';
    while (clock() < deadline) {
      const { account, session, epoch } = await store.load(ref, sessionKey);
      if (account === undefined || session?.session.state !== 'open') return 'unknown';
      const known = {
        now: store.now(),
        account,
        plan: plan(ref.tenant, account.definition.plan),
        fresh: true,
        reserving: false,
      };
      const change: Omit<Change, 'answer'> = abandon(
        session.session,
        { ...known, settings },
        'abort',
      );
      const commit: Commit = {
        account: ref,
        epoch,
        accountVersion: account.version,
        session: {
          key: sessionKey,
          expected: session.version,
          value: change.session,
          index: 'close',
          timer: 'remove',
          ttlMs: settings.abandonedMs,
        },
        movements: change.movements,
        record: change.record,
      };
      if (!(await applied(store, commit))) continue;
      const horizon = Math.max(settings.duplicateHorizonMs, settings.abandonedMs);
      await store.keepBinding(sessionKey, ref, horizon);
      return 'ended';
    }
    return 'busy';
  } catch (error) {
    if (error instanceof StoreUnavailable) return 'busy';
    throw error;
  }
}

async function applied(store: Store, commit: Commit): Promise<boolean> {
  try {
    return (await store.commit(commit)).kind === 'committed';
  } catch (error) {
    // What was decided fits the counters that were seen, so these have moved.
    if (error instanceof CounterOutOfRange) return false;
    throw error;
  }
}
