/**
 * One service of a one-time event: what it comes to under the rule that matches, and how what became
 * of it is answered and recorded.
 */

import type { Answer, Outcome, ServiceAnswer } from './answer.ts';
import { describedIn } from './description.ts';
import type { Draft } from './draft.ts';
import type { EventAction, EventKnown, EventRequest } from './event.ts';
import { ruleFor } from './match.ts';
import { add } from './money.ts';
import { tellBalance } from './notices.ts';
import type { Plan, Rule } from './plan.ts';
import { priceOf } from './quota.ts';
import { costOf } from './rating.ts';
import type { ChargingRecord, RecordedService } from './record.ts';
import type { AskedService, Unit } from './request.ts';

/** One service of an event under the rule that prices it. */
export interface Priced {
  kind: 'priced';
  /** As it holds for this event alone: in the unit that was asked, for all of it or nothing. */
  rule: Rule;
  units: number;
  /** Money that the units cost where no bundle pays for them. */
  cost: number;
}

/** What one service of an event comes to, or why it cannot be told. */
export function priceEvent(
  { context, facts, occurredAt }: EventRequest,
  { ratingGroup, serviceIds, asked = {}, facts: own, foreignMoney }: AskedService,
  { plan, now }: { plan: Plan; now: number },
): Priced | { kind: 'refused'; outcome: Outcome } {
  const service = { context, ratingGroup, serviceIds, facts: { ...facts, ...own } };
  const rule = ruleFor(plan, service, occurredAt ?? now);
  if (rule === undefined || foreignMoney) return { kind: 'refused', outcome: 'rating-failed' };
  if (rule.denied) return { kind: 'refused', outcome: 'service-denied' };
  if (rule.uncontrolled) return { kind: 'refused', outcome: 'uncontrolled' };
  const unit = unitOf(asked, rule);
  if (unit === undefined) return { kind: 'refused', outcome: 'rating-failed' };
  const price = priceOf({ unit, price: rule.price });
  // RFC 8506 6.3: free of charge is no matter of credit control.
  if (price === undefined) return { kind: 'refused', outcome: 'uncontrolled' };
  const units = asked[unit] ?? (unit === 'units' ? 1 : rule.quota.size);
  const quota = { ...rule.quota, minimum: units };
  const { price: _price, ...unpriced } = rule;
  // An amount of money is what the client knows it to cost: it is not rated (RFC 8506 6.3).
  const held = unit === rule.unit ? { ...rule, quota } : { ...unpriced, unit, quota };
  return { kind: 'priced', rule: held, units, cost: costOf(price, units) };
}

/** The unit that an event is counted in; undefined: the rule cannot count what was asked. */
function unitOf(asked: NonNullable<AskedService['asked']>, rule: Rule): Unit | undefined {
  if (asked[rule.unit] !== undefined) return rule.unit;
  if (asked.money !== undefined) return 'money';
  return Object.keys(asked).length === 0 && rule.unit !== 'money' ? rule.unit : undefined;
}

/** A service of an event and what became of it. */
export interface ServedEvent {
  one: AskedService;
  outcome: Outcome;
  cost: number;
  /** What was debited, or refunded where it succeeded. */
  priced?: Priced;
}

/** An event without any service is for the one that its context stands for. */
export function servicesOf({ services }: EventRequest): readonly AskedService[] {
  return services.length === 0 ? [{ serviceIds: [] }] : services;
}

/** The answer to all services, at the level that was asked. */
export function answerOf(
  request: EventRequest,
  served: readonly ServedEvent[],
  { debitFailureHandling }: Plan,
): Answer {
  const { level } = request;
  const [only] = served;
  if (level === 'command' && only !== undefined && only.outcome !== 'success')
    return plainly(only.outcome, request);
  const services = served.map(({ one, outcome, priced }): ServiceAnswer => {
    const answer: ServiceAnswer = { ...named(one), outcome };
    if (outcome === 'success' && priced !== undefined)
      answer.granted = { unit: priced.rule.unit, units: priced.units };
    return answer;
  });
  const answer: Answer = { outcome: 'success', level, services };
  if (served.some(({ outcome }) => outcome === 'success'))
    answer.cost = served.reduce((sum, { cost }) => add(sum, cost), 0);
  if (debitFailureHandling !== undefined) answer.debitFailureHandling = debitFailureHandling;
  return answer;
}

/**
 * The answer to an event that has moved what `draft` holds. Undefined: it would refuse a service, or
 * say that money is low, on a hint.
 */
export function answerAfter(
  request: EventRequest,
  of: { served: readonly ServedEvent[]; known: EventKnown; draft: Draft },
): Answer | undefined {
  const { served, known, draft } = of;
  const { plan, now, fresh } = known;
  const answer = answerOf(request, served, plan);
  if (answer.outcome === 'success') tellBalance(answer, { plan, draft, now });
  const refuses = served.some(({ outcome }) => outcome !== 'success');
  return !fresh && (refuses || answer.lowBalance) ? undefined : answer;
}

/** The record of what an event did. */
export function eventRecord(
  request: EventRequest,
  of: {
    known: EventKnown;
    answer: Answer;
    served: readonly ServedEvent[];
    changes: ChargingRecord['changes'];
  },
): ChargingRecord {
  const { known, answer, served, changes } = of;
  const { subSessionId, subscriber } = request;
  const { tenant, account } = known.account.definition;
  return {
    kind: request.action === 'refund' ? 'refund' : 'debit',
    at: known.now,
    account: { tenant, account },
    sessionId: request.sessionId,
    ...(subSessionId === undefined ? {} : { subSessionId }),
    requestNumber: request.number,
    ...(subscriber === undefined ? {} : { subscriber }),
    client: request.client.host,
    context: request.context,
    outcome: answer.outcome,
    services: served.map((one) => recordedService(one, request.action, known.plan)),
    changes,
    ...describedIn(request, undefined),
  };
}

function recordedService(
  { one, outcome, cost, priced }: ServedEvent,
  action: EventAction,
  plan: Plan,
): RecordedService {
  const recorded: RecordedService = { ...named(one), outcome };
  if (priced === undefined) return recorded;
  const { rule, units } = priced;
  recorded.rule = rule.name;
  recorded.planVersion = plan.version;
  recorded.unit = rule.unit;
  if (outcome !== 'success') return recorded;
  recorded.granted = units;
  if (action === 'debit') recorded.used = units;
  recorded.cost = action === 'debit' ? cost : 0 - cost;
  return recorded;
}

/** An answer at command level only. */
export function plainly(outcome: Outcome, { level }: EventRequest): Answer {
  return { outcome, level, services: [] };
}

export function named({ ratingGroup, serviceIds }: AskedService) {
  return ratingGroup === undefined ? { serviceIds } : { ratingGroup, serviceIds };
}
