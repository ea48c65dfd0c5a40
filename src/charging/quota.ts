/**
 * The moves of quota: settle what a client used against its grant, release what it did not, and
 * reserve the next grant (RFC 8506 5.2-5.4).
 */
import { type Bucket, hasPeriod, lastToPay } from './account.ts';
import { beginUse, inTurn, isOver, paysFor } from './buckets.ts';
import type { Draft } from './draft.ts';
import { capsOf, debitLimits, leanOnCaps, overrunLimits, reserveLimits } from './limits.ts';
import { add, LIMIT } from './money.ts';
import type { Price, Rule } from './plan.ts';
import { affordable, type Bound, boundOf, costOfMore, mostOf, surelyAffordable } from './rating.ts';
import type { Grant, Part, Service } from './session.ts';

/** One unit of money is one unit of its bucket: what a request in CC-Money costs (RFC 8506 5.2). */
const AT_PAR: Price = { amount: 1, per: 1, increment: 1 };

/** The price that rates a service's usage; undefined: it is free of charge. */
export function priceOf(service: { unit: string; price?: Price | undefined }): Price | undefined {
  return service.unit === 'money' ? AT_PAR : service.price;
}

/** A service after a part of its usage was taken, and what is still to be taken. */
export interface Taken {
  service: Service;
  /** Units that nothing has paid for yet. */
  rest: number;
  /** Money debited. */
  cost: number;
  /** More was to be taken than a counter can hold: the rest is lost, and must be looked at. */
  excess: boolean;
}

/**
 * Debits `used` units from the parts of the service's grant, in their order; `second`: of its dual
 * quota's second part. A part pays as far as what it still holds reaches.
 */
export function consume(draft: Draft, service: Service, used: number, second = false): Taken {
  const price = priceOf(service);
  const { grant } = service;
  const chargeable = price === undefined ? 0 : used;
  let { rated } = service;
  let rest = chargeable;
  let cost = 0;
  const held = (second ? grant?.switch?.after?.parts : grant?.parts) ?? [];
  const parts = held.slice();
  for (let i = 0; i < held.length; i++) {
    const part = held[i] as Part;
    let units = Math.min(rest, part.units);
    let charge = units;
    const bucket = draft.bucket(part.bucket);
    if (bucket?.unit === 'money' && price !== undefined) {
      charge = costOfMore(price, rated, units);
      if (charge > part.amount) {
        units = affordable(price, { rated, budget: part.amount, wanted: units });
        charge = costOfMore(price, rated, units);
      }
      rated = add(rated, units);
      cost = add(cost, charge);
    }
    rest -= units;
    draft.debit(part.bucket, charge);
    parts[i] = { ...part, units: part.units - units, amount: part.amount - charge };
  }
  const after: Service = {
    ...service,
    used: add(service.used, used),
    rated,
    cost: add(service.cost, cost),
  };
  if (grant !== undefined) {
    const left = second ? withSecond(grant, parts) : { ...grant, parts };
    if (grant.limits !== undefined)
      left.limits = debitLimits(draft, grant.limits, { units: chargeable - rest, money: cost });
    after.grant = left;
  }
  return { service: after, rest, cost, excess: false };
}

/** The grant with what is left of its dual quota's second part. */
export function withSecond(grant: Grant, parts: readonly Part[]): Grant {
  const { switch: change } = grant;
  if (change?.after === undefined) return { ...grant };
  return { ...grant, switch: { ...change, after: { ...change.after, parts } } };
}

/** The parts of two grants as one: what the same bucket holds in the same period is added up. */
export function joined(ours: readonly Part[], theirs: readonly Part[]): Part[] {
  const parts = [...ours];
  for (const part of theirs) {
    const index = parts.findIndex(
      ({ bucket, period }) => bucket === part.bucket && period === part.period,
    );
    const own = parts[index];
    if (own === undefined) parts.push(part);
    else parts[index] = { ...own, units: own.units + part.units, amount: own.amount + part.amount };
  }
  return parts;
}

/** Releases what is left of a service's grant. */
export function release(draft: Draft, service: Service, now: number): Service {
  if (service.grant === undefined) return service;
  const { grant } = service;
  releaseParts(draft, grant.parts, now);
  if (grant.switch?.after !== undefined) releaseParts(draft, grant.switch.after.parts, now);
  if (grant.limits !== undefined) releaseParts(draft, grant.limits, now);
  return withoutGrant(service);
}

/** The member is not left out: that takes several times as long, and every report comes here. */
export function withoutGrant(service: Service): Service {
  return { ...service, grant: undefined };
}

/** Takes again what this decision reserved for a grant and gave back. */
export function retake(draft: Draft, grant: Grant): void {
  for (const parts of [grant.parts, grant.switch?.after?.parts ?? [], grant.limits ?? []])
    for (const { bucket: id, amount } of parts) {
      const bucket = draft.bucket(id);
      if (bucket !== undefined) draft.reserve(bucket, amount);
    }
}

/** Gives parts back, unless their bucket is over or has turned to a later period. */
function releaseParts(draft: Draft, parts: readonly Part[], now: number): void {
  for (const { bucket: id, amount, period } of parts) {
    const bucket = draft.bucket(id);
    const present = bucket !== undefined && hasPeriod(bucket) ? draft.period(id) : undefined;
    const turned = period !== undefined && present !== undefined && period < present;
    draft.release(id, amount, turned || (bucket !== undefined && isOver(bucket, present, now)));
  }
}

/**
 * Debits what was used beyond the grant: the rule's buckets in order, none but the last below
 * zero, so that two devices cannot both run over into the same rest of a bundle; the last takes
 * what is left. While `leaning`, a bucket that could not take all of it becomes a condition: it may
 * not have got `useful` units more meanwhile.
 *
 * `lastOnly` puts all of it on the account's last bucket, which takes any amount.
 */
export function overrun(
  draft: Draft,
  service: Service,
  {
    rest: over,
    useful,
    now,
    leaning,
    lastOnly,
  }: {
    rest: number;
    useful: number;
    now: number;
    leaning: boolean;
    lastOnly: boolean;
  },
): Taken {
  const price = priceOf(service);
  const { buckets } = draft.account.definition;
  const last = lastToPay(buckets);
  const use = { rule: { name: service.rule, unit: service.unit }, now };
  if (over === 0 || price === undefined || last === undefined)
    return { service, rest: 0, cost: 0, excess: false };
  let { rated } = service;
  let rest = over;
  let cost = 0;
  for (const bucket of lastOnly ? [] : inTurn(draft, now)) {
    if (rest === 0) break;
    if (bucket === last || !paysFor(draft, bucket, use)) continue;
    const budget = Math.max(0, draft.available(bucket.id));
    const wanted = Math.min(useful, rest);
    if (bucket.unit === 'money') {
      const units = affordable(price, { rated, budget, wanted: rest });
      if (leaning && units < rest)
        draft.leanOn(bucket.id, Math.max(1, costOfMore(price, rated, wanted)));
      const charge = draft.overrun(bucket.id, costOfMore(price, rated, units), 0);
      if (charge > 0) beginUse(draft, bucket, now);
      cost = add(cost, charge);
      rated = add(rated, units);
      rest -= units;
    } else {
      const units = Math.min(rest, budget);
      if (leaning && units < rest) draft.leanOn(bucket.id, wanted);
      const taken = draft.overrun(bucket.id, units, 0);
      if (taken > 0) beginUse(draft, bucket, now);
      rest -= taken;
    }
  }
  const charge = costOfMore(price, rated, rest);
  const taken = draft.overrun(last.id, charge);
  if (taken > 0) beginUse(draft, last, now);
  cost = add(cost, taken);
  overrunLimits(draft, use, { units: over, money: cost });
  return {
    service: {
      ...service,
      rated: add(rated, rest),
      cost: add(service.cost, cost),
    },
    rest: 0,
    cost,
    excess: taken < charge || charge === LIMIT,
  };
}

/** What a grant is to be. */
export interface Wanted {
  rule: Rule;
  wanted: number;
  now: number;
  /** Store time in ms at which it ends; absent: as the rule's validity says. */
  until?: number | undefined;
  /**
   * The rule from a tariff change within it on: what the units cost at the most is reserved, however
   * they are divided by the change.
   */
  next?: Rule | undefined;
  /**
   * For a pool, which may draw from these buckets only: what the units cost at the most is reserved.
   * Undefined is returned where another bucket is to pay for some.
   */
  shared?: ((bucket: Bucket) => boolean) | undefined;
  /**
   * It is taken at once, so nobody draws again from what a bucket has more than was seen: each unit
   * of that changes what is drawn.
   */
  atOnce?: boolean;
}

/**
 * Reserves up to `wanted` units from the buckets that pay for `rule`, in order, and in those that
 * limit the subscriber. Undefined: less than the rule's smallest useful grant is there. `final`
 * grants leave no useful rest behind.
 *
 * Every bucket that was too empty, or that cut the grant short, becomes a condition.
 */
export function reserve(
  draft: Draft,
  service: Service,
  { rule, wanted, now, until, next, shared, atOnce = false }: Wanted,
): Grant | undefined {
  const tariff: Tariff = { price: priceOf(service), rated: service.rated, bound: undefined };
  const nextPrice = next === undefined ? undefined : priceOf(next);
  if (nextPrice !== undefined || shared !== undefined) {
    const prices = [tariff.price, nextPrice].filter((price) => price !== undefined);
    tariff.bound = boundOf(prices);
  }
  if (tariff.price === undefined && nextPrice === undefined)
    return granted({ parts: [], units: wanted, final: false }, { rule, now, until });
  const useful = Math.min(rule.quota.minimum, wanted);
  /** A bucket with so many units more than it was seen to have decides otherwise. */
  const telling = atOnce ? Math.min(1, wanted) : useful;
  // What is free until the change is paid for by what pays after it.
  const use = { rule: tariff.price === undefined && next !== undefined ? next : rule, now };
  const caps = capsOf(draft, use);
  const drawn: { bucket: Bucket; part: Part }[] = [];
  const most = caps === undefined ? wanted : Math.min(wanted, caps.units);
  let rest = most;
  let left = 0;
  let spent = 0;
  /** What the useful units left would cost, of what the limits leave. */
  let beyond = 0;
  for (const bucket of inTurn(draft, now)) {
    if (!paysFor(draft, bucket, use)) continue;
    const own = draft.promisable(bucket);
    let within: number;
    if (bucket.unit === 'money') {
      const budget = caps === undefined ? own : Math.min(own, caps.money - spent - beyond);
      const reach = reachOf(tariff, budget, add(rest, useful));
      const units = Math.min(rest, reach);
      const amount = dearest(tariff, units);
      if (units > 0) drawn.push({ bucket, part: { bucket: bucket.id, units, amount } });
      tariff.rated = add(tariff.rated, units);
      spent = add(spent, amount);
      rest -= units;
      within = reach - units;
      if (caps !== undefined) beyond = add(beyond, dearest(tariff, within));
      // The smallest rise that changes the outcome: what the smallest useful grant costs.
      if (within < telling && budget === own)
        draft.leanOn(bucket.id, Math.max(1, dearest(tariff, telling)));
    } else {
      const units = Math.max(0, Math.min(rest, own));
      if (units > 0) drawn.push({ bucket, part: { bucket: bucket.id, units, amount: units } });
      rest -= units;
      within = Math.max(0, own - units);
      if (within < telling) draft.leanOn(bucket.id, telling);
    }
    left = add(left, within);
    if (rest === 0 && left >= useful) break;
  }
  const units = most - rest;
  const taken = { units, money: spent };
  if (caps !== undefined) {
    left = Math.min(left, caps.units - units);
    const least = { units: telling, money: Math.max(1, dearest(tariff, telling)) };
    leanOnCaps(draft, caps, { taken, useful: least });
  }
  if (units < useful || units === 0) return undefined;
  if (shared !== undefined && !drawn.every(({ bucket }) => shared(bucket))) return undefined;
  const parts = drawn.map(({ bucket, part }) => {
    draft.reserve(bucket, part.amount);
    const period = beginUse(draft, bucket, now);
    return period === undefined ? part : { ...part, period };
  });
  const grant = granted({ parts, units, final: left < useful }, { rule, now, until });
  const limits = caps === undefined ? [] : reserveLimits(draft, caps, { taken, now });
  if (limits.length > 0) grant.limits = limits;
  return grant;
}

/** What units are reserved at, and how many money has paid for before. */
interface Tariff {
  price: Price | undefined;
  rated: number;
  /** Nobody knows what they will cost: this is the most. */
  bound: Bound | undefined;
}

/** What `units` more cost at the most. */
function dearest({ price, rated, bound }: Tariff, units: number): number {
  if (bound !== undefined) return mostOf(bound, units);
  return price === undefined ? 0 : costOfMore(price, rated, units);
}

/** How many units, up to `wanted`, `budget` pays for at the least. */
function reachOf({ price, rated, bound }: Tariff, budget: number, wanted: number): number {
  if (bound !== undefined) return surelyAffordable(bound, { budget, wanted });
  return price === undefined ? wanted : affordable(price, { rated, budget, wanted });
}

/** A grant with its end. */
function granted(
  grant: Grant,
  { rule, now, until }: { rule: Rule; now: number; until: number | undefined },
): Grant {
  const { validitySeconds } = rule;
  if (until !== undefined) grant.validUntil = until;
  else if (validitySeconds !== undefined) grant.validUntil = now + validitySeconds * 1000;
  return grant;
}
