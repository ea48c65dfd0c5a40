/**
 * One service of a one-time event: what it comes to under the rule that matches, and how what became
 * of it is answered and recorded.
 */

import type { Answer, Fault, Outcome, Refusal, ServiceAnswer } from './answer.ts';
import { describe } from './description.ts';
import { countedBy, oncePerNumber, type Recipients, type RuleShare, sharesOf } from './division.ts';
import type { Draft } from './draft.ts';
import type { EventAction, EventKnown, EventRequest } from './event.ts';
import { ruleFor } from './match.ts';
import { add, LIMIT } from './money.ts';
import { tellBalance } from './notices.ts';
import type { Plan, Rule } from './plan.ts';
import { priceOf } from './quota.ts';
import { costOf } from './rating.ts';
import { type ChargingRecord, type RecordedService, recordedRecipients } from './record.ts';
import type { Asked, AskedService, Facts, Unit } from './request.ts';

/** Units of an event under the rule that prices them. */
export interface Line {
  /** As it holds for this event alone: in the unit that was asked, for all of it or nothing. */
  rule: Rule;
  units: number;
  /** Money that the units cost where no bundle pays for them. */
  cost: number;
  /** Whom the units are for, of several recipients. */
  recipients?: Recipients;
}

/** One service of an event: a line for each rule that its recipients come under, else one. */
export interface Priced {
  kind: 'priced';
  lines: readonly [Line, ...Line[]];
  unit: Unit;
  units: number;
  cost: number;
}

type Refused = { kind: 'refused' } & Refusal;

/** What one service of an event comes to, or why it cannot be told. */
export function priceEvent(
  request: EventRequest,
  one: AskedService,
  known: { plan: Plan; now: number },
): Priced | Refused {
  if (one.foreignMoney) return { kind: 'refused', outcome: 'rating-failed' };
  const lines: Line[] = [];
  const free: Line[] = [];
  for (const { rule, asked, recipients } of linesOf(request, one, known)) {
    if (rule === undefined) return { kind: 'refused', outcome: 'rating-failed' };
    if (asked === undefined) return ODD;
    if (rule.denied) return { kind: 'refused', outcome: 'service-denied' };
    const line = lineOf(rule, asked);
    if (line === undefined) return ODD;
    lines.push(recipients === undefined ? line : { ...line, recipients });
    if (line.rule.price === undefined && line.rule.unit !== 'money') free.push(line);
  }
  const [first, ...others] = lines;
  // RFC 8506 6.3: free of charge is no matter of credit control.
  if (first === undefined || free.length === lines.length)
    return { kind: 'refused', outcome: 'uncontrolled' };
  const units = lines.reduce((sum, { units }) => add(sum, units), 0);
  const cost = lines.reduce((sum, { cost }) => add(sum, cost), 0);
  // What is cut to the last number that there is has no price that could be told or taken.
  if (Math.max(units, cost) >= LIMIT) return ODD;
  return { kind: 'priced', lines: [first, ...others], unit: first.rule.unit, units, cost };
}

/** Units that the rule does not count, or that nothing can count. */
const ODD: Refused = { kind: 'refused', outcome: 'rating-failed', fault: 'asked' };

/** What is asked, under the rule for it or for each of its recipients. */
function linesOf(
  { context, facts, occurredAt }: EventRequest,
  one: AskedService,
  { plan, now }: { plan: Plan; now: number },
): readonly (Omit<RuleShare, 'recipients'> & { recipients?: Recipients | undefined })[] {
  const { ratingGroup, serviceIds, facts: own, recipients } = one;
  const said = { ...facts, ...own };
  const ruleOf = (about: Facts) =>
    ruleFor(plan, { context, ratingGroup, serviceIds, facts: about }, occurredAt ?? now);
  if (recipients === undefined) {
    const rule = ruleOf(said);
    return [{ rule, asked: countedBy(rule, one) }];
  }
  const { called: _first, ...others } = said;
  return sharesOf(
    { ...one, recipients },
    oncePerNumber((called) => ruleOf(called === undefined ? others : { ...others, called })),
  );
}

/** Undefined: the rule cannot count what is asked. */
function lineOf(rule: Rule, asked: Asked): Line | undefined {
  const unit = rule.uncontrolled ? anyOf(asked, rule) : unitOf(asked, rule);
  if (unit === undefined) return undefined;
  const units = asked[unit] ?? (unit === 'units' ? 1 : rule.quota.size);
  const { price: rated, ...unpriced } = rule;
  const quota = { ...rule.quota, minimum: units };
  // An amount of money is what the client knows it to cost: it is not rated (RFC 8506 6.3).
  const isRated = unit === rule.unit && !rule.uncontrolled && rated !== undefined;
  const held: Rule = { ...unpriced, unit, quota, ...(isRated ? { price: rated } : {}) };
  const price = rule.uncontrolled ? undefined : priceOf(held);
  return { rule: held, units, cost: price === undefined ? 0 : costOf(price, units) };
}

/** The unit that an event is counted in; undefined: the rule cannot count what was asked. */
function unitOf(asked: NonNullable<AskedService['asked']>, rule: Rule): Unit | undefined {
  if (asked[rule.unit] !== undefined) return rule.unit;
  if (asked.money !== undefined) return 'money';
  return Object.keys(asked).length === 0 && rule.unit !== 'money' ? rule.unit : undefined;
}

/** What is not controlled is counted beside what is. */
function anyOf(asked: Asked, { unit }: Rule): Unit {
  const [named = unit] = Object.keys(asked) as Unit[];
  return asked[unit] === undefined ? named : unit;
}

/** A service of an event and what became of it. */
export interface ServedEvent extends Refusal {
  one: AskedService;
  cost: number;
  /** What was debited, or refunded where it succeeded. */
  priced?: Priced;
  /** Money that a debit took for each line. */
  costs?: readonly number[];
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
    return plainly(only.outcome, request, only.fault);
  const services = served.map(({ one, outcome, fault, priced }): ServiceAnswer => {
    const answer: ServiceAnswer = { ...named(one), outcome };
    if (fault !== undefined) answer.fault = fault;
    if (outcome === 'success' && priced !== undefined)
      answer.granted = { unit: priced.unit, units: priced.units };
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
  const record: ChargingRecord = {
    kind: request.action === 'refund' ? 'refund' : 'debit',
    at: known.now,
    account: { tenant, account },
    sessionId: request.sessionId,
    requestNumber: request.number,
    client: request.client.host,
    context: request.context,
    outcome: answer.outcome,
    services: served.flatMap((one) => recordedServices(one, request.action, known.plan)),
    changes,
  };
  if (subSessionId !== undefined) record.subSessionId = subSessionId;
  if (subscriber !== undefined) record.subscriber = subscriber;
  describe(record, request, { before: undefined, described: undefined });
  return record;
}

/** An entry for each rule that priced the service. */
function recordedServices(
  { one, outcome, priced, costs }: ServedEvent,
  action: EventAction,
  plan: Plan,
): readonly RecordedService[] {
  const name = named(one);
  const decided = { plan: plan.id, planVersion: plan.version };
  const all = one.recipients;
  const of = priced !== undefined && priced.lines.length > 1 ? all?.length : undefined;
  if (priced === undefined)
    return [{ ...name, outcome, ...decided, ...(all && { recipients: recordedRecipients(all) }) }];
  return priced.lines.map(({ rule, units, cost, recipients }, at): RecordedService => {
    const by = {
      ...{ rule: rule.name, ...decided, unit: rule.unit },
      ...(recipients && { recipients: recordedRecipients(recipients, of) }),
    };
    if (outcome !== 'success') return { ...name, outcome, ...by };
    if (action !== 'debit') return { ...name, outcome, ...by, granted: units, cost: 0 - cost };
    return { ...name, outcome, ...by, granted: units, used: units, cost: costs?.[at] ?? cost };
  });
}

/** An answer at command level only. */
export function plainly(outcome: Outcome, { level }: EventRequest, fault?: Fault): Answer {
  return { outcome, ...(fault === undefined ? {} : { fault }), level, services: [] };
}

export function named({ ratingGroup, serviceIds }: AskedService) {
  return ratingGroup === undefined ? { serviceIds } : { ratingGroup, serviceIds };
}
