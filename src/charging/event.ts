/**
 * One-time events (RFC 8506 6): what a network element asks once and no session remembers. A direct
 * debit takes from the account at once, a refund gives back, a balance check and a price enquiry
 * only look. Pure, as `step` is: time is an argument, and the same input gives the same decision.
 *
 * Several services in one event are decided one by one, in their order, each as a whole or not at
 * all: what one cannot pay does not keep the others from being debited, and every service has its
 * own Result-Code (RFC 8506 8.16). At command level there is one service, and its outcome is the
 * command's.
 */
import type { Account } from './account.ts';
import { type Answer, faultOf, type Refusal, refused } from './answer.ts';
import { turnPeriods } from './buckets.ts';
import { Draft, type Movement } from './draft.ts';
import { knowsContext } from './match.ts';
import { add } from './money.ts';
import type { Plan } from './plan.ts';
import { consume, release, reserve } from './quota.ts';
import type { ChargingRecord } from './record.ts';
import { stepRefund } from './refund.ts';
import { type AskedService, digestOf, type Request } from './request.ts';
import {
  answerAfter,
  answerOf,
  eventRecord,
  named,
  type Priced,
  plainly,
  priceEvent,
  servicesOf,
} from './served-event.ts';
import type { Grant, Part, Service } from './session.ts';

/** Requested-Action (RFC 8506 8.41): what an event is to do. */
export type EventAction = 'debit' | 'refund' | 'balance-check' | 'price-enquiry';

/**
 * A one-time event in the core's own words. A service that names no units stands for one event:
 * one unit where the rule counts units, the rule's own quota size where it counts octets or seconds.
 */
export interface EventRequest
  extends Omit<Request, 'kind' | 'refusal' | 'terminationCause' | 'tariffChange'> {
  action: EventAction;
  /** Refund-Information: the debit that a refund is to hand back. */
  refundInformation?: Uint8Array;
}

/** What an event did, as its key keeps it for as long as copies of it may come. */
export interface EventEffect {
  /** The key of the event that did it. */
  by: string;
  /** Of what it asked (`eventDigest`). */
  digest: number;
  /** Store time in ms. */
  at: number;
  /** What every copy of it is answered. */
  answer: Answer;
  /** What a debit took from buckets, and counted in limits. */
  taken: readonly Taken[];
}

/** A part of what a debit took. */
export interface Taken extends Part {
  /** Which of the answer's services it paid for. */
  service: number;
}

/** What an event is decided on. */
export interface EventKnown {
  now: number;
  account: Account;
  plan: Plan;
  /** The account was read for this decision; a hint may debit but never refuse. */
  fresh: boolean;
  /** The Refund-Information that a debit's client is given. */
  proof: Uint8Array;
  /** With Refund-Information: the debit that it names; absent: the account has none such. */
  former?: EventEffect;
}

export type EventDecision =
  /** Nothing to store. */
  | { kind: 'answer'; answer: Answer }
  /** The decision would refuse on a hint: read the account and step again. */
  | { kind: 'reread' }
  | EventChange;

/** What is to be stored before the answer goes out. */
export interface EventChange {
  kind: 'change';
  answer: Answer;
  movements: readonly Movement[];
  record: ChargingRecord;
  taken: readonly Taken[];
}

/** Decides a one-time event. */
export function stepEvent(request: EventRequest, known: EventKnown): EventDecision {
  const refusal = refuse(request, known);
  if (refusal !== undefined)
    return known.fresh
      ? { kind: 'answer', answer: plainly(refusal, request, faultOf(refusal)) }
      : { kind: 'reread' };
  switch (request.action) {
    case 'debit':
      return debit(request, known);
    case 'refund':
      return stepRefund(request, known);
    case 'balance-check':
      return { kind: 'answer', answer: checkBalance(request, known) };
    case 'price-enquiry':
      return { kind: 'answer', answer: enquirePrice(request, known) };
  }
}

/** The event's key within its account and among bindings: no session has the same (RFC 8506 8.5). */
export function eventKey({ sessionId, subSessionId = '', number }: EventRequest): string {
  return `${sessionId}\n${number}\n${subSessionId}`;
}

/** A digest of what an event asks, and for whom: two events with the same key and digest are duplicates. */
export function eventDigest(request: EventRequest): number {
  const { action, refundInformation } = request;
  const proof = refundInformation === undefined ? '' : ` ${textOf(refundInformation)}`;
  return digestOf({ ...request, kind: `${action}${proof}` });
}

/** Why the whole event is refused, if it is. */
function refuse(
  { action, context, refundInformation }: EventRequest,
  { account, plan }: EventKnown,
): 'service-denied' | 'rating-failed' | undefined {
  // What was debited is handed back under whatever plan there is by now.
  if (action === 'refund' && refundInformation !== undefined) return undefined;
  const blocked = account.definition.status !== 'active';
  if (blocked && (action === 'debit' || action === 'balance-check')) return 'service-denied';
  return knowsContext(plan, context) ? undefined : 'rating-failed'; // RFC 8506 4.1.3
}

/** RFC 8506 6.3: what the event costs is taken at once, from the buckets in their order. */
function debit(request: EventRequest, known: EventKnown): EventDecision {
  const { account, now, proof } = known;
  const draft = new Draft(account, request.subscriber);
  turnPeriods(draft, now);
  const taken: Taken[] = [];
  const served = servicesOf(request).map((one, service) => {
    const priced = priceEvent(request, one, known);
    if (priced.kind === 'refused') return { one, ...refused(priced), cost: 0 };
    const paid = pay(draft, { one, priced, known });
    if (paid === undefined)
      return { one, outcome: 'credit-limit-reached' as const, cost: 0, priced }; // 4012
    const { parts, cost, costs } = paid;
    for (const part of parts) taken.push({ ...part, service });
    return { one, outcome: 'success' as const, cost, priced, costs };
  });
  const answer = answerAfter(request, { served, known, draft });
  if (answer === undefined) return { kind: 'reread' };
  if (taken.length === 0) return { kind: 'answer', answer };
  answer.refundInformation = proof;
  return {
    kind: 'change',
    answer,
    movements: draft.movements(),
    record: eventRecord(request, { known, answer, served, changes: draft.changes() }),
    taken,
  };
}

/** Takes all that a service costs, or nothing: undefined. */
function pay(
  draft: Draft,
  { one, priced, known }: { one: AskedService; priced: Priced; known: EventKnown },
): { parts: readonly Part[]; cost: number; costs: readonly number[] } | undefined {
  const { now, plan } = known;
  const held: Service[] = [];
  const { begun } = draft;
  for (const { rule, units } of priced.lines) {
    const service: Service = {
      ...named(one),
      rule: rule.name,
      planVersion: plan.version,
      unit: rule.unit,
      ...(rule.price === undefined ? {} : { price: rule.price }),
      used: 0,
      rated: 0,
      cost: 0,
    };
    const wanted = { rule, wanted: units, now, atOnce: true };
    const grant = units === 0 ? NOTHING : reserve(draft, service, wanted);
    if (grant === undefined) {
      for (const other of held) release(draft, other, now);
      draft.unbegin(begun);
      return undefined;
    }
    held.push({ ...service, grant });
  }
  const parts: Part[] = [];
  const costs = held.map((service) => {
    const { grant = NOTHING } = service;
    parts.push(...grant.parts, ...(grant.limits ?? []));
    const used = consume(draft, service, grant.units);
    release(draft, used.service, now);
    return used.cost;
  });
  return { parts, cost: costs.reduce(add, 0), costs };
}

const NOTHING: Grant = { parts: [], units: 0, final: false };

const SERVED: Refusal = { outcome: 'success' };

/** RFC 8506 6.2: whether all of it could be paid now. Nothing is promised by saying so. */
function checkBalance(request: EventRequest, known: EventKnown): Answer {
  const { account, now, plan } = known;
  const draft = new Draft(account, request.subscriber);
  turnPeriods(draft, now);
  if (request.services.length === 0) {
    const { buckets } = account.definition;
    const credit = buckets.some((one) => one.limits === undefined && draft.promisable(one) > 0);
    return { ...plainly('success', request), enough: credit };
  }
  let enough = true;
  const served = request.services.map((one) => {
    const priced = priceEvent(request, one, known);
    if (priced.kind === 'priced') enough &&= pay(draft, { one, priced, known }) !== undefined;
    const free = priced.kind === 'priced' || priced.outcome === 'uncontrolled';
    return { one, ...(free ? SERVED : refused(priced)), cost: 0 };
  });
  const { cost: _none, ...answer } = answerOf(request, served, plan);
  const payable = served.some(({ outcome }) => outcome === 'success');
  return payable ? { ...answer, enough } : answer;
}

/** RFC 8506 6.1: the price alone, whoever could pay it. */
function enquirePrice(request: EventRequest, known: EventKnown): Answer {
  const served = servicesOf(request).map((one) => {
    const priced = priceEvent(request, one, known);
    if (priced.kind === 'priced') return { one, outcome: 'success' as const, cost: priced.cost };
    const free = priced.outcome === 'uncontrolled';
    return { one, ...(free ? SERVED : refused(priced)), cost: 0 };
  });
  return answerOf(request, served, known.plan);
}

/** Bytes as text, one character each. */
function textOf(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}
