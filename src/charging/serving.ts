/** What the services of one request are decided on, and how the session's own are found and kept. */
import type { ServiceAnswer } from './answer.ts';
import type { Draft } from './draft.ts';
import type { ServiceFacts } from './match.ts';
import type { Plan, Price, Rule } from './plan.ts';
import { priceOf } from './quota.ts';
import { type AskedService, type Facts, type Request, serviceKey } from './request.ts';
import type { Service } from './session.ts';

export interface Serving {
  draft: Draft;
  plan: Plan;
  kind: Request['kind'];
  context: string;
  /** What the session and the request say of the use, as far as the plan matches on it. */
  facts: Facts | undefined;
  now: number;
  /** Store time in ms of the use that is reported or asked for; never after `now`. */
  at: number;
  /** How the client may be told of a tariff change; undefined: not at all. */
  tariffChange: Request['tariffChange'];
  /** False: debit only. After repeated conflicts usage is committed without a new reservation. */
  reserving: boolean;
  /** Usage beyond its grant goes to the last bucket, which takes any amount. */
  lastOnly: boolean;
  /** The session is ending: usage is settled and nothing is granted. */
  ending: boolean;
  /** The account is blocked: usage is settled and every service that asks is denied. */
  blocked: boolean;
}

/** What was decided for a service. */
export interface Granted {
  service: Service | undefined;
  /** The outcome leans on what the account had: only freshly read data may say so. */
  refuses: boolean;
  answer: Omit<ServiceAnswer, 'ratingGroup' | 'serviceIds'>;
}

/** What the rule of a service is chosen by. */
export function factsFor(
  { context, facts }: Serving,
  { ratingGroup, serviceIds, facts: own }: AskedService,
): ServiceFacts {
  const said = own === undefined ? facts : { ...facts, ...own };
  return { context, ratingGroup, serviceIds, facts: said };
}

/**
 * The service of a session that usage is counted against: the one with the same key or, where
 * usage of single service identifiers is reported for a quota that was granted to the whole rating
 * group, the group's (RFC 8506 5.1.2).
 */
export function serviceFor(
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

export function newService(asked: AskedService, rule: Rule, plan: Plan): Service {
  const { ratingGroup, serviceIds } = asked;
  const price = tariffOf(rule);
  return {
    ...(ratingGroup === undefined ? { serviceIds } : { ratingGroup, serviceIds }),
    rule: rule.name,
    planVersion: plan.version,
    unit: rule.unit,
    ...(price === undefined ? {} : { price }),
    used: 0,
    rated: 0,
    cost: 0,
  };
}

/** The service under today's rule: under another rule or price its units are counted anew. */
export function underRule(service: Service, rule: Rule, plan: Plan): Service {
  const same =
    service.rule === rule.name &&
    service.unit === rule.unit &&
    samePrice(priceOf(service), rule.unit === 'money' ? priceOf(rule) : tariffOf(rule));
  if (same && service.planVersion === plan.version) return service;
  const { price: _old, ...rest } = service;
  const price = tariffOf(rule);
  return {
    ...rest,
    rule: rule.name,
    planVersion: plan.version,
    unit: rule.unit,
    ...(price === undefined ? {} : { price }),
    ...(same ? {} : { rated: 0 }),
  };
}

/** What is not controlled costs nothing, whatever its rule says. */
function tariffOf({ price, uncontrolled }: Rule): Price | undefined {
  return uncontrolled === true ? undefined : price;
}

function samePrice(a: Price | undefined, b: Price | undefined): boolean {
  if (a === b) return true;
  if (a === undefined || b === undefined) return false;
  if (a.minimum !== b.minimum || (a.eachReport ?? false) !== (b.eachReport ?? false)) return false;
  const [ours = [], theirs = []] = [a.bands, b.bands];
  return (
    sameRate(a, b) &&
    ours.length === theirs.length &&
    ours.every((band, i) => {
      const other = theirs[i];
      return other !== undefined && band.from === other.from && sameRate(band, other);
    })
  );
}

type Rated = Pick<Price, 'amount' | 'per' | 'increment' | 'fee'>;

function sameRate(a: Rated, b: Rated): boolean {
  return (
    a.amount === b.amount &&
    a.per === b.per &&
    a.increment === b.increment &&
    (a.fee ?? 0) === (b.fee ?? 0)
  );
}
