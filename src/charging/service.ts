/**
 * The services of a request: settle what each used, then decide what each may use next. The rules
 * of RFC 8506 8.16-8.19 and 5.6 for a single Multiple-Services-Credit-Control.
 */
import type { ServiceAnswer } from './answer.ts';
import type { Draft } from './draft.ts';
import { ruleFor } from './match.ts';
import type { Plan, Rule } from './plan.ts';
import { consume, overrun, priceOf, release, reserve } from './quota.ts';
import type { RecordedService } from './record.ts';
import { type AskedService, serviceKey } from './request.ts';
import { MAX_SERVICES, type Service } from './session.ts';

/** Validity-Time with which a client is sent away when no reservation could be made in time. */
const RETRY_SECONDS = 10;

export interface Serving {
  draft: Draft;
  plan: Plan;
  context: string;
  now: number;
  /** False: debit only. After repeated conflicts usage is committed without a new reservation. */
  reserving: boolean;
  /** Usage beyond its grant goes to the last bucket, which takes any amount. */
  lastOnly: boolean;
  /** The session is ending: usage is settled and nothing is granted. */
  ending: boolean;
  /** The account is blocked: usage is settled and every service that asks is denied. */
  blocked: boolean;
}

export interface Served {
  /** All services of the session, those that were not named among them. */
  services: readonly Service[];
  answers: readonly ServiceAnswer[];
  recorded: readonly RecordedService[];
  /** An outcome leans on what the account had: only freshly read data may say so. */
  refuses: boolean;
}

/**
 * Serves every service that a request names: first the usage of all within their grants, then the
 * rest of these grants is given back, then usage beyond them, and only then is anything granted.
 * So neither the order of the services nor how many of them report for one grant matters.
 */
export function serveAll(
  serving: Serving,
  asked: readonly AskedService[],
  before: readonly Service[],
): Served {
  const { draft, now, reserving: leaning, lastOnly } = serving;
  const services = new Map(before.map((service) => [serviceKey(service), service]));
  const settled = asked.map((one) => settleGranted(serving, one, services));
  for (const { key } of settled) {
    const service = services.get(key);
    if (service !== undefined) services.set(key, release(draft, service, now));
  }
  for (const one of settled) {
    const service = services.get(one.key);
    if (service === undefined || one.rest === 0) continue;
    const useful = Math.min(one.rest, one.rule?.quota.minimum ?? 1);
    const over = overrun(draft, service, { rest: one.rest, useful, now, leaning, lastOnly });
    services.set(one.key, over.service);
    one.cost += over.cost;
    one.excess ||= over.excess;
  }
  let refuses = false;
  const answers: ServiceAnswer[] = [];
  const recorded: RecordedService[] = [];
  for (const { one, key, rule, used, cost, excess } of settled) {
    const service = services.get(key);
    const full = services.size >= MAX_SERVICES && holding(services) >= MAX_SERVICES;
    const next = grant(serving, { asked: one, service, rule, full });
    if (next.service !== undefined) services.set(key, next.service);
    refuses ||= next.refuses;
    const { ratingGroup, serviceIds, reasons } = one;
    const { outcome, granted } = next.answer;
    const answer: ServiceAnswer = { serviceIds, ...next.answer };
    const record: RecordedService = { serviceIds, outcome };
    if (ratingGroup !== undefined) {
      answer.ratingGroup = ratingGroup;
      record.ratingGroup = ratingGroup;
    }
    if (service !== undefined) {
      record.rule = service.rule;
      record.planVersion = service.planVersion;
      record.unit = service.unit;
    }
    if (used !== undefined) {
      record.used = used;
      record.cost = cost;
    }
    if (granted !== undefined) record.granted = granted.units;
    if (excess) record.excess = true;
    if (reasons !== undefined) record.reasons = reasons;
    answers.push(answer);
    recorded.push(record);
  }
  return { services: bounded([...services.values()]), answers, recorded, refuses };
}

interface Settled {
  one: AskedService;
  /** Of the service that the usage is counted against. */
  key: string;
  rule: Rule | undefined;
  /** In the service's unit; absent: nothing was to be settled. */
  used?: number;
  /** Units beyond the grant. */
  rest: number;
  cost: number;
  excess: boolean;
}

/** Debits what was reported, as far as the service's grant goes (RFC 8506 5.3). */
function settleGranted(
  { draft, plan, context, now }: Serving,
  one: AskedService,
  services: Map<string, Service>,
): Settled {
  const { ratingGroup, serviceIds } = one;
  const rule = ruleFor(plan, { context, ratingGroup, serviceIds }, now);
  const { key, service: current } = serviceFor(services, one);
  const settled: Settled = { one, key, rule, rest: 0, cost: 0, excess: one.excess ?? false };
  if (one.used === undefined && current?.grant === undefined) return settled;
  const service = current ?? (rule === undefined ? undefined : newService(one, rule, plan));
  if (service === undefined) return settled;
  settled.used = one.used?.[service.unit] ?? 0;
  const taken = consume(draft, service, settled.used);
  settled.rest = taken.rest;
  settled.cost = taken.cost;
  services.set(key, taken.service);
  return settled;
}

function holding(services: ReadonlyMap<string, Service>): number {
  let count = 0;
  for (const { grant } of services.values()) if (grant !== undefined) count++;
  return count;
}

/** Beyond the limit the services without quota are forgotten, the oldest first. */
function bounded(services: readonly Service[]): readonly Service[] {
  let surplus = services.length - MAX_SERVICES;
  return surplus <= 0
    ? services
    : services.filter(({ grant }) => grant !== undefined || surplus-- <= 0);
}

interface Granted {
  service: Service | undefined;
  refuses: boolean;
  answer: Omit<ServiceAnswer, 'ratingGroup' | 'serviceIds'>;
}

function grant(
  { draft, plan, now, reserving, ending, blocked }: Serving,
  ask: {
    asked: AskedService;
    service: Service | undefined;
    rule: Rule | undefined;
    /** The session holds all the quotas that it may. */
    full: boolean;
  },
): Granted {
  const { asked, rule } = ask;
  const plain: Granted = { service: ask.service, refuses: false, answer: { outcome: 'success' } };
  // Usage that nothing can rate is not taken for paid (RFC 8506 9.2).
  if (ask.service === undefined && rule === undefined && isUsed(asked))
    return { ...plain, answer: { outcome: 'rating-failed' } };
  if (ending || asked.asked === undefined) return plain;
  if (blocked) return { ...plain, answer: { outcome: 'service-denied' } };
  if (rule === undefined) return { ...plain, answer: { outcome: 'rating-failed' } };
  if (rule.denied) return { ...plain, answer: { outcome: 'service-denied' } };
  if (!names(asked, rule)) return { ...plain, answer: { outcome: 'rating-failed' } };
  if (ask.full) return { ...plain, answer: { outcome: 'resources-exceeded' } };
  const service = underRule(ask.service ?? newService(asked, rule, plan), rule, plan);
  if (!reserving)
    return { ...plain, service, answer: { outcome: 'success', validitySeconds: RETRY_SECONDS } };
  const wanted = Math.min(rule.quota.maximum, asked.asked[rule.unit] || rule.quota.size);
  const granted = reserve(draft, service, { rule, wanted, now });
  if (granted === undefined)
    return { service, refuses: true, answer: { outcome: 'credit-limit-reached' } };
  const final = granted.final && rule.atEnd !== 'deny';
  const answer: Granted['answer'] = {
    outcome: 'success',
    granted: { unit: rule.unit, units: granted.units },
  };
  if (rule.validitySeconds !== undefined) answer.validitySeconds = rule.validitySeconds;
  if (rule.holdingSeconds !== undefined) answer.holdingSeconds = rule.holdingSeconds;
  if (final && rule.atEnd !== 'deny') answer.final = rule.atEnd;
  return {
    service: { ...service, grant: { ...granted, final } },
    refuses: granted.final,
    answer,
  };
}

/** A client that names unit types must be granted one of them (RFC 8506 8.17, 8.18). */
function names({ asked }: AskedService, rule: Rule): boolean {
  if (asked === undefined) return true;
  const units = Object.keys(asked);
  return units.length === 0 || units.includes(rule.unit);
}

function isUsed({ used }: AskedService): boolean {
  return used !== undefined && Object.values(used).some((units) => units > 0);
}

function named(service: AskedService): Pick<AskedService, 'ratingGroup' | 'serviceIds'> {
  const { ratingGroup, serviceIds } = service;
  return ratingGroup === undefined ? { serviceIds } : { ratingGroup, serviceIds };
}

function newService(asked: AskedService, rule: Rule, plan: Plan): Service {
  return {
    ...named(asked),
    rule: rule.name,
    planVersion: plan.version,
    unit: rule.unit,
    ...(rule.price === undefined ? {} : { price: rule.price }),
    used: 0,
    rated: 0,
    cost: 0,
  };
}

/** The service under today's rule: another price starts its increments anew. */
function underRule(service: Service, rule: Rule, plan: Plan): Service {
  const before = priceOf(service);
  const after = priceOf(rule);
  const same =
    service.rule === rule.name &&
    service.unit === rule.unit &&
    before?.amount === after?.amount &&
    before?.per === after?.per &&
    before?.increment === after?.increment;
  if (same && service.planVersion === plan.version) return service;
  const { price: _old, ...rest } = service;
  return {
    ...rest,
    rule: rule.name,
    planVersion: plan.version,
    unit: rule.unit,
    ...(rule.price === undefined ? {} : { price: rule.price }),
    ...(same ? {} : { rated: 0 }),
  };
}

/**
 * The service of a session that usage is counted against: the one with the same key or, where
 * usage of single service identifiers is reported for a quota that was granted to the whole rating
 * group, the group's (RFC 8506 5.1.2).
 */
function serviceFor(
  services: ReadonlyMap<string, Service>,
  asked: AskedService,
): { key: string; service: Service | undefined } {
  const key = serviceKey(asked);
  const service = services.get(key);
  if (service !== undefined || asked.serviceIds.length === 0 || asked.asked !== undefined)
    return { key, service };
  const groupKey = serviceKey({ ratingGroup: asked.ratingGroup, serviceIds: [] });
  const group = services.get(groupKey);
  return group === undefined ? { key, service } : { key: groupKey, service: group };
}
