/**
 * Refunds (RFC 8506 6.4). A client that hands in the Refund-Information of a debit gets back exactly
 * that debit, into the buckets that paid for it, once. Without it, the money that is given, or what
 * the units would cost, goes to the account's main money bucket, as far as the plan allows: what is
 * more than `plan.refunds.maximum` in one event is refused and not cut, or a repetition under
 * another Session-Id would bring the rest.
 */
import { type Bucket, hasPeriod, reservedField } from './account.ts';
import type { Answer } from './answer.ts';
import { isOver, turnPeriods } from './buckets.ts';
import { Draft } from './draft.ts';
import type { EventDecision, EventEffect, EventKnown, EventRequest } from './event.ts';
import { LIMIT } from './money.ts';
import { tellBalance } from './notices.ts';
import type { RecordedService } from './record.ts';
import {
  answerAfter,
  eventRecord,
  named,
  plainly,
  priceEvent,
  type ServedEvent,
  servicesOf,
} from './served-event.ts';
import type { Part } from './session.ts';

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
    if (priced.kind === 'refused') return { one, outcome: priced.outcome, cost: 0 };
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

/** Exactly what a debit took goes back where it came from. */
function handBack(request: EventRequest, known: EventKnown): EventDecision {
  const { account, plan, former, fresh, now } = known;
  if (former === undefined || !proves(request.refundInformation, former))
    return fresh
      ? { kind: 'answer', answer: plainly('service-denied', request) }
      : { kind: 'reread' };
  const draft = new Draft(account);
  turnPeriods(draft, now);
  for (const part of former.taken) giveBack(draft, part, now);
  const { services, cost = 0 } = former.answer;
  const answer: Answer = {
    outcome: 'success',
    level: request.level,
    services: services.filter(({ granted }) => granted !== undefined),
    cost,
  };
  tellBalance(answer, { plan, draft, now });
  if (answer.lowBalance && !fresh) return { kind: 'reread' };
  const record = eventRecord(request, { known, answer, served: [], changes: draft.changes() });
  const recorded = answer.services.map((service): RecordedService => {
    const { granted, outcome } = service;
    const { unit, units } = granted ?? {};
    return { ...named(service), outcome, ...(unit && { unit }), ...(units && { granted: units }) };
  });
  if (recorded[0] !== undefined) recorded[0].cost = 0 - cost;
  return {
    kind: 'change',
    answer,
    movements: draft.movements(),
    // It names the debit: Session-Id, CC-Request-Number and CC-Sub-Session-Id.
    record: { ...record, services: recorded, reference: former.by.trimEnd().replaceAll('\n', ' ') },
    taken: [],
  };
}

/** Into a bucket that is over, or has turned to a later period, nothing comes back. */
function giveBack(draft: Draft, { bucket: id, amount, period }: Part, now: number): void {
  const bucket = draft.account.definition.buckets.find((candidate) => candidate.id === id);
  if (bucket === undefined) return;
  const present = hasPeriod(bucket) ? draft.period(id) : undefined;
  if (isOver(bucket, present, now)) return;
  if (period !== undefined && present !== undefined && period < present) return;
  const back = Math.min(amount, roomIn(draft, bucket));
  if (back > 0) draft.book(id, 'refund', { amount: back, floor: -LIMIT });
}

/** Whether the octets are those that the debit's answer had. */
function proves(given: Uint8Array | undefined, { answer }: EventEffect): boolean {
  const issued = answer.refundInformation;
  if (given === undefined || issued === undefined || given.length !== issued.length) return false;
  return given.every((octet, i) => octet === issued[i]);
}

/** The money bucket that is drawn last: what every account has, whatever else it has. */
function mainMoney(draft: Draft, now: number): Bucket | undefined {
  return draft.account.definition.buckets.findLast((bucket) => {
    if (bucket.unit !== 'money' || bucket.limits !== undefined) return false;
    return !isOver(bucket, hasPeriod(bucket) ? draft.period(bucket.id) : undefined, now);
  });
}

/** What still fits into a bucket, with all of its reservations released into it. */
function roomIn(draft: Draft, { id }: Bucket): number {
  const reserved = draft.account.counters[reservedField(id)] ?? 0;
  return Math.max(0, LIMIT - Math.max(0, reserved) - Math.max(0, draft.available(id)));
}
