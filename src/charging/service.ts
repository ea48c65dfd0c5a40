/**
 * The services of a request: settle what each used, then decide what each may use next. The rules
 * of RFC 8506 8.16-8.19 and 5.6 for a single Multiple-Services-Credit-Control.
 */
import type { ServiceAnswer } from './answer.ts';
import type { Draft } from './draft.ts';
import { type Plan, type Rule, ruleFor } from './plan.ts';
import { priceOf, reserve, settle } from './quota.ts';
import type { RecordedService } from './record.ts';
import { type AskedService, serviceKey } from './request.ts';
import type { Service } from './session.ts';

/** Validity-Time with which a client is sent away when no reservation could be made in time. */
const RETRY_SECONDS = 10;

export interface Serving {
  draft: Draft;
  plan: Plan;
  context: string;
  now: number;
  /** False: debit only. After repeated conflicts usage is committed without a new reservation. */
  reserving: boolean;
  /** The session is ending: usage is settled and nothing is granted. */
  ending: boolean;
}

export interface Served {
  /** All services of the session, those that were not named among them. */
  services: readonly Service[];
  answers: readonly ServiceAnswer[];
  recorded: readonly RecordedService[];
  /** An outcome leans on what the account had: only freshly read data may say so. */
  refuses: boolean;
}

/** Serves every service that a request names: all usage is settled before anything is granted. */
export function serveAll(
  serving: Serving,
  asked: readonly AskedService[],
  before: readonly Service[],
): Served {
  const services = new Map(before.map((service) => [serviceKey(service), service]));
  const settled = asked.map((one) => {
    const { key, service } = serviceFor(services, one);
    const result = settleOne(serving, one, service);
    if (result.service !== undefined) services.set(key, result.service);
    return { one, key, ...result };
  });
  let refuses = false;
  const answers: ServiceAnswer[] = [];
  const recorded: RecordedService[] = [];
  for (const { one, key, rule, used, cost } of settled) {
    const service = services.get(key);
    const next = grant(serving, { asked: one, service, rule });
    if (next.service !== undefined) services.set(key, next.service);
    refuses ||= next.refuses;
    answers.push({ ...named(one), ...next.answer });
    recorded.push({
      ...named(one),
      ...(service === undefined
        ? {}
        : { rule: service.rule, planVersion: service.planVersion, unit: service.unit }),
      ...(used === undefined ? {} : { used }),
      ...(cost === undefined ? {} : { cost }),
      ...(next.answer.granted === undefined ? {} : { granted: next.answer.granted.units }),
      ...(one.excess || serving.draft.excess ? { excess: true } : {}),
      ...(one.reasons === undefined ? {} : { reasons: one.reasons }),
      outcome: next.answer.outcome,
    });
  }
  return { services: [...services.values()], answers, recorded, refuses };
}

interface Settled {
  service: Service | undefined;
  rule: Rule | undefined;
  used?: number;
  cost?: number;
}

/** Debits what was reported; the grant that the service had is gone afterwards (RFC 8506 5.3). */
function settleOne(
  { draft, plan, context, now, reserving }: Serving,
  asked: AskedService,
  current: Service | undefined,
): Settled {
  const rule = ruleFor(plan, { context, ...named(asked) });
  if (asked.used === undefined && current?.grant === undefined) return { service: current, rule };
  const service = current ?? (rule === undefined ? undefined : newService(asked, rule, plan));
  if (service === undefined) return { service, rule };
  const used = asked.used?.[service.unit] ?? 0;
  return { rule, used, ...settle(draft, service, { used, now, lastOnly: !reserving }) };
}

interface Granted {
  service: Service | undefined;
  refuses: boolean;
  answer: Omit<ServiceAnswer, 'ratingGroup' | 'serviceIds'>;
}

function grant(
  { draft, plan, now, reserving, ending }: Serving,
  ask: { asked: AskedService; service: Service | undefined; rule: Rule | undefined },
): Granted {
  const { asked, rule } = ask;
  const plain: Granted = { service: ask.service, refuses: false, answer: { outcome: 'success' } };
  if (ending || asked.asked === undefined) return plain;
  if (rule === undefined) return { ...plain, answer: { outcome: 'rating-failed' } };
  if (rule.denied) return { ...plain, answer: { outcome: 'service-denied' } };
  if (!names(asked, rule)) return { ...plain, answer: { outcome: 'rating-failed' } };
  const service = underRule(ask.service ?? newService(asked, rule, plan), rule, plan);
  if (!reserving)
    return { ...plain, service, answer: { outcome: 'success', validitySeconds: RETRY_SECONDS } };
  const wanted = Math.min(rule.quota.maximum, asked.asked[rule.unit] || rule.quota.size);
  const granted = reserve(draft, service, { rule, wanted, now });
  if (granted === undefined)
    return { service, refuses: true, answer: { outcome: 'credit-limit-reached' } };
  const final = granted.final && rule.atEnd === 'terminate';
  return {
    service: { ...service, grant: { ...granted, final } },
    refuses: granted.final,
    answer: {
      outcome: 'success',
      granted: { unit: rule.unit, units: granted.units },
      ...(rule.validitySeconds === undefined ? {} : { validitySeconds: rule.validitySeconds }),
      ...(rule.holdingSeconds === undefined ? {} : { holdingSeconds: rule.holdingSeconds }),
      ...(final ? { final: 'terminate' } : {}),
    },
  };
}

/** A client that names unit types must be granted one of them (RFC 8506 8.17, 8.18). */
function names({ asked }: AskedService, rule: Rule): boolean {
  if (asked === undefined) return true;
  const units = Object.keys(asked);
  return units.length === 0 || units.includes(rule.unit);
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
