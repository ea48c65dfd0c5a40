/**
 * Wishes that clients be asked: to re-authorise (RFC 8506 5.5, 5.6.4) or to end a session (RFC 6733
 * 8.5). A wish is a commit on its session and wakes it at once; whichever worker wakes it asks (see
 * `initiator.ts`). So a wish may be made anywhere, also in a process that serves no peer.
 */
import type { AccountRef } from '../charging/account.ts';
import { ask } from '../charging/initiate.ts';
import { type Reason, type Wanted, wantedFor } from '../charging/pending.ts';
import { planWithoutRules } from '../charging/plan.ts';
import { sessionKey } from '../charging/request.ts';
import type { Session } from '../charging/session.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import { abortSession } from './abort.ts';
import type { ChargeSettings } from './charge.ts';
import { type ChangeCalls, changeSession, type SessionChangeOptions } from './session-change.ts';

export interface AskOptions extends ChangeCalls {
  store: Store;
  settings: ChargeSettings;
}

/** Open sessions of one account that are read at once. */
const PAGE = 100;

/**
 * Wants the client of one session asked. `pending`: it is to be asked for that, or more, already.
 * `busy`: not agreed with the store before the deadline; repeating it does no harm.
 */
export async function askClient(
  options: AskOptions,
  key: string,
  on: { wanted: Wanted; mayServe(tenant: string): boolean; deadline: number },
): Promise<'asked' | 'pending' | 'unknown' | 'busy'> {
  const { wanted, mayServe, deadline } = on;
  const outcome = await changeSession(withoutPlans(options), key, {
    ...{ mayServe, deadline },
    decide: ({ session, known }) => ask(session, wanted, known.now),
  });
  if (outcome === 'changed') return 'asked';
  if (outcome === 'unchanged') return 'pending';
  return outcome === 'closed' ? 'unknown' : outcome;
}

/**
 * Wants the clients of an account's open sessions asked to re-authorise: after a top-up those of
 * which a service has run out of credit (RFC 8506 5.6.4), otherwise all. `busy`: the store agreed
 * to some of it at most before the deadline. Repeating it does no harm.
 */
export async function askClientsOf(
  options: AskOptions,
  account: AccountRef,
  { reason, deadline }: { reason: Exclude<Reason, 'expiry'>; deadline: number },
): Promise<{ kind: 'done' | 'busy'; asked: number }> {
  const { store, clock } = options;
  let asked = 0;
  let after: string | undefined;
  try {
    do {
      const page = await store.sessionsOf(account, { limit: PAGE, ...(after && { after }) });
      // A page at once: an account may have ten thousand sessions.
      const outcomes = await Promise.all(
        page.sessions.map(({ session }) => {
          const wanted = wantedOf(session, reason);
          const on = { mayServe: () => true, deadline };
          return wanted && askClient(options, sessionKey(session), { ...on, wanted });
        }),
      );
      asked += outcomes.filter((outcome) => outcome === 'asked').length;
      if (outcomes.includes('busy')) return { kind: 'busy', asked };
      after = page.next;
    } while (after !== undefined && clock() < deadline);
  } catch (error) {
    if (error instanceof StoreUnavailable) return { kind: 'busy', asked };
    throw error;
  }
  return { kind: after === undefined ? 'done' : 'busy', asked };
}

function wantedOf({ services }: Session, reason: Reason): Wanted | undefined {
  if (reason !== 'top-up') return { kind: 'reauthorise', scope: {}, reason };
  const exhausted = services.filter((service) => service.exhausted !== undefined);
  if (exhausted.length === 0) return undefined;
  return wantedFor(exhausted, reason);
}

/** Ends a session without asking its client, see `abortSession`. */
export async function endSession(
  options: AskOptions,
  key: string,
  on: { mayServe(tenant: string): boolean; deadline: number },
): Promise<'ended' | 'unknown' | 'busy'> {
  return abortSession(withoutPlans(options), key, on);
}

/** A wish is decided without looking at any plan. */
function withoutPlans(options: AskOptions): SessionChangeOptions & ChangeCalls {
  return { ...options, plan: (_tenant, plan) => planWithoutRules(plan) };
}
