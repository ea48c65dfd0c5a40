/** What the services of one request are decided on, and how the session's own are found and kept. */
import type { ServiceAnswer } from './answer.ts';
import type { Draft } from './draft.ts';
import type { ServiceFacts } from './match.ts';
import type { Plan, Price, Rule } from './plan.ts';
import type { Sharing } from './pool.ts';
import { priceOf } from './quota.ts';
import { type AskedService, type Facts, type Request, serviceKey } from './request.ts';
import type { Earlier, Service } from './session.ts';

export interface Serving {
  draft: Draft;
  sharing: Sharing;
  level: Request['level'];
  plan: Plan;
  kind: Request['kind'];
  context: string;
  /** What the session and the request say of the use, as far as the plan matches on it. */
  facts: Facts | undefined;
  /** What later requests said of the use, where it is otherwise: by that more is granted. */
  newer: Facts | undefined;
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

/** The services of a session as a request finds them, and which of them it reports for. */
export class Quotas {
  readonly #services: ReadonlyMap<string, Service>;
  /** Of a request without services: it is for the session's only one. */
  readonly #only: string | undefined;
  /** Keys of quotas for several identifiers, by rating group and each identifier. */
  #wholes: Map<string, string[]> | undefined;

  constructor(services: ReadonlyMap<string, Service>, level: Request['level']) {
    this.#services = services;
    if (level !== 'command' || services.size !== 1) return;
    const [key = '', service] = services.entries().next().value ?? [];
    // RFC 8506 8.28: the identifier of a service need not come again.
    if (service?.ratingGroup === undefined) this.#only = key;
  }

  /**
   * The key of the service that usage is counted against. It is the one that is named if it has a
   * quota; else one that was granted to identifiers of which these are some, or to the whole rating
   * group (RFC 8506 5.1.2).
   */
  keyOfUsed(asked: AskedService): string {
    const key = serviceKey(asked);
    if (asked.share !== undefined) return key;
    if (this.#only !== undefined) return this.#only;
    const { ratingGroup, serviceIds } = asked;
    if (serviceIds.length === 0) return key;
    const own = this.#services.get(key);
    const isReport = asked.used !== undefined || asked.asked === undefined;
    if (own?.grant !== undefined || !isReport) return key;
    const whole = this.#wholeOf(asked);
    if (whole !== undefined) return whole;
    const groupKey = serviceKey({ ratingGroup, serviceIds: [] });
    const group = this.#services.get(groupKey);
    if (group?.grant !== undefined) return groupKey;
    return own === undefined && group !== undefined && asked.asked === undefined ? groupKey : key;
  }

  /** The key of the service that more is granted to: the one that is named asks for itself. */
  keyToGrant(asked: AskedService): string {
    if (this.#only !== undefined && asked.share === undefined) return this.#only;
    return asked.asked === undefined ? this.keyOfUsed(asked) : serviceKey(asked);
  }

  /** What the rule of a service is chosen by, where it was named before. */
  named(asked: AskedService): AskedService {
    const only = this.#only === undefined ? undefined : this.#services.get(this.#only);
    return only === undefined || asked.serviceIds.length > 0
      ? asked
      : { ...asked, serviceIds: only.serviceIds };
  }

  #wholeOf({ ratingGroup, serviceIds }: AskedService): string | undefined {
    this.#wholes ??= wholesOf(this.#services);
    const keys = this.#wholes.get(wholeKey(ratingGroup, serviceIds[0]));
    return keys?.find((key) => {
      const ids = this.#services.get(key)?.serviceIds ?? [];
      return serviceIds.every((id) => ids.includes(id));
    });
  }
}

function wholesOf(services: ReadonlyMap<string, Service>): Map<string, string[]> {
  const wholes = new Map<string, string[]>();
  for (const [key, { ratingGroup, serviceIds, grant }] of services) {
    if (grant === undefined || serviceIds.length < 2) continue;
    for (const id of serviceIds) {
      const known = wholes.get(wholeKey(ratingGroup, id));
      if (known === undefined) wholes.set(wholeKey(ratingGroup, id), [key]);
      else known.push(key);
    }
  }
  return wholes;
}

const wholeKey = (ratingGroup: number | undefined, id: number | undefined): string =>
  `${ratingGroup ?? ''}/${id}`;

export function newService(asked: AskedService, rule: Rule, plan: Plan): Service {
  const { ratingGroup, serviceIds, share } = asked;
  const price = tariffOf(rule);
  return {
    ...(ratingGroup === undefined ? { serviceIds } : { ratingGroup, serviceIds }),
    rule: rule.name,
    plan: plan.id,
    planVersion: plan.version,
    unit: rule.unit,
    ...(price === undefined ? {} : { price }),
    used: 0,
    rated: 0,
    cost: 0,
    ...(share === undefined ? {} : { share: { ...share, units: 0 } }),
  };
}

/** The service under today's rule: under another rule or price its units are counted anew. */
export function underRule(service: Service, rule: Rule, plan: Plan): Service {
  const same =
    service.rule === rule.name &&
    service.unit === rule.unit &&
    samePrice(priceOf(service), rule.unit === 'money' ? priceOf(rule) : tariffOf(rule));
  const { plan: id, planVersion } = service;
  if (same && planVersion === plan.version && id === plan.id) return service;
  const { price: _old, ...rest } = service;
  const price = tariffOf(rule);
  return {
    ...rest,
    rule: rule.name,
    plan: plan.id,
    planVersion: plan.version,
    unit: rule.unit,
    ...(price === undefined ? {} : { price }),
    ...(same ? {} : { rated: 0 }),
  };
}

/**
 * The service as `next` says, which is under its rule from `at` (store ms) on: it remembers the tariff
 * before.
 */
export function remembering({
  service,
  next,
  at,
}: {
  service: Service;
  next: Service;
  at: number;
}): Service {
  if (next.rule === service.rule) return next;
  const { earlier: _older, ...bare } = next;
  if (next.unit !== service.unit) return bare;
  const { rule, plan: id, planVersion, price, rated } = service;
  const earlier: Earlier = { until: at, rule, planVersion, rated };
  if (id !== undefined) earlier.plan = id;
  if (price !== undefined) earlier.price = price;
  return { ...bare, earlier };
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
