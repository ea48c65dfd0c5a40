/**
 * Refunds (RFC 8506 6.4). A client that hands in the Refund-Information of a debit gets back what it
 * asks for of that debit (`hand-back.ts`). Without it, the money that is given, or what the units
 * would cost, goes to the account's main money bucket, as far as the plan allows: what is more than
 * `plan.refunds.maximum` in one event is refused and not cut, or a repetition under another Session-Id
 * would bring the rest.
 */
import { type Bucket, hasPeriod } from './account.ts';
import { refused } from './answer.ts';
import { isOver, turnPeriods } from './buckets.ts';
import { Draft } from './draft.ts';
import type { EventDecision, EventKnown, EventRequest } from './event.ts';
import { handBack, roomIn } from './hand-back.ts';
import { LIMIT } from './money.ts';
import {
  answerAfter,
  eventRecord,
  priceEvent,
  type ServedEvent,
  servicesOf,
} from './served-event.ts';

/** Random octets that a Refund-Information begins with. */
export const NONCE_BYTES = 8;

/** Decides a refund. */
export function stepRefund(request: EventRequest, known: EventKnown): EventDecision {
  if (request.refundInformation !== undefined) return handBack(request, known);
  return grantRefund(request, known);
}

/** The Refund-Information of a debit: octets that nobody guesses, and the debit's key. */
export function refundInformationOf(key: string, nonce: Uint8Array): Uint8Array {
  const name = new TextEncoder().encode(key);
  const bytes = new Uint8Array(NONCE_BYTES + name.length);
  bytes.set(nonce.subarray(0, NONCE_BYTES));
  bytes.set(name, NONCE_BYTES);
  return bytes;
}

/** The key of the debit that a Refund-Information names; undefined: it is none of ours. */
export function debitKeyOf(refundInformation: Uint8Array): string | undefined {
  if (refundInformation.length <= NONCE_BYTES) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      refundInformation.subarray(NONCE_BYTES),
    );
  } catch {
    return undefined;
  }
}

/** What the plan lets clients give back on their word. */
function grantRefund(request: EventRequest, known: EventKnown): EventDecision {
  const { account, plan, now } = known;
  const draft = new Draft(account, request.subscriber);
  turnPeriods(draft, now);
  const main = mainMoney(draft, now);
  let allowed = main === undefined ? 0 : Math.min(plan.refunds?.maximum ?? 0, roomIn(draft, main));
  const served = servicesOf(request).map((one): ServedEvent => {
    const priced = priceEvent(request, one, known);
    if (priced.kind === 'refused') return { one, ...refused(priced), cost: 0 };
    const { cost } = priced;
    if (main === undefined || plan.refunds === undefined || cost > allowed)
      return { one, outcome: 'service-denied', cost: 0, priced };
    allowed -= cost;
    if (cost > 0) draft.book(main.id, 'refund', { amount: cost, floor: -LIMIT });
    return { one, outcome: 'success', cost, priced };
  });
  const answer = answerAfter(request, { served, known, draft });
  if (answer === undefined) return { kind: 'reread' };
  const changes = draft.changes().some(({ cause }) => cause === 'refund');
  if (!changes) return { kind: 'answer', answer };
  return {
    kind: 'change',
    answer,
    movements: draft.movements(),
    record: eventRecord(request, { known, answer, served, changes: draft.changes() }),
    taken: [],
  };
}

/** The money bucket that is drawn last: what every account has, whatever else it has. */
function mainMoney(draft: Draft, now: number): Bucket | undefined {
  return draft.account.definition.buckets.findLast((bucket) => {
    if (bucket.unit !== 'money' || bucket.limits !== undefined) return false;
    return !isOver(bucket, hasPeriod(bucket) ? draft.period(bucket.id) : undefined, now);
  });
}
