/**
 * The moves of quota: settle what a client used against its grant, release what it did not, and
 * reserve the next grant (RFC 8506 5.2-5.4).
 */
import { type Bucket, paysFor } from './account.ts';
import type { Draft } from './draft.ts';
import { add, LIMIT } from './money.ts';
import type { Price, Rule } from './plan.ts';
import { affordable, costOfMore } from './rating.ts';
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

/** Debits `used` units from the parts of the service's grant, in their order. */
export function consume(draft: Draft, service: Service, used: number): Taken {
  const price = priceOf(service);
  const { buckets } = draft.account.definition;
  let { rated } = service;
  let rest = used;
  let cost = 0;
  const parts: Part[] = [];
  for (const part of service.grant?.parts ?? []) {
    const units = Math.min(rest, part.units);
    rest -= units;
    let charge = units;
    const bucket = buckets.find((candidate) => candidate.id === part.bucket);
    if (bucket?.unit === 'money' && price !== undefined) {
      charge = Math.min(part.amount, costOfMore(price, rated, units));
      rated = add(rated, units);
      cost = add(cost, charge);
    }
    draft.debit(part.bucket, charge);
    parts.push({ bucket: part.bucket, units: part.units - units, amount: part.amount - charge });
  }
  const after: Service = {
    ...service,
    used: add(service.used, used),
    rated,
    cost: add(service.cost, cost),
  };
  if (service.grant !== undefined) after.grant = { ...service.grant, parts };
  return { service: after, rest: price === undefined ? 0 : rest, cost, excess: false };
}

/** Releases what is left of a service's grant. */
export function release(draft: Draft, service: Service, now: number): Service {
  const { grant, ...kept } = service;
  if (grant === undefined) return service;
  for (const { bucket: id, amount } of grant.parts) {
    const bucket = draft.account.definition.buckets.find((candidate) => candidate.id === id);
    draft.release(id, amount, hasExpired(bucket, now));
  }
  return kept;
}

function hasExpired(bucket: Bucket | undefined, now: number): boolean {
  return bucket?.expiresAt !== undefined && bucket.expiresAt <= now;
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
  const last = buckets.at(-1);
  if (over === 0 || price === undefined || last === undefined)
    return { service, rest: 0, cost: 0, excess: false };
  let { rated } = service;
  let rest = over;
  let cost = 0;
  for (const bucket of lastOnly ? [] : buckets.slice(0, -1)) {
    if (rest === 0) break;
    if (!paysFor(bucket, { name: service.rule, unit: service.unit }, now)) continue;
    const budget = Math.max(0, draft.available(bucket.id));
    const wanted = Math.min(useful, rest);
    if (bucket.unit === 'money') {
      const units = affordable(price, { rated, budget, wanted: rest });
      if (leaning && units < rest)
        draft.leanOn(bucket.id, Math.max(1, costOfMore(price, rated, wanted)));
      cost = add(cost, draft.overrun(bucket.id, costOfMore(price, rated, units), 0));
      rated = add(rated, units);
      rest -= units;
    } else {
      const units = Math.min(rest, budget);
      if (leaning && units < rest) draft.leanOn(bucket.id, wanted);
      rest -= draft.overrun(bucket.id, units, 0);
    }
  }
  const charge = costOfMore(price, rated, rest);
  const taken = draft.overrun(last.id, charge);
  return {
    service: {
      ...service,
      rated: add(rated, rest),
      cost: add(service.cost, add(cost, taken)),
    },
    rest: 0,
    cost: add(cost, taken),
    excess: taken < charge || charge === LIMIT,
  };
}

/**
 * Reserves up to `wanted` units from the buckets that pay for `rule`, in order. Undefined: less
 * than the rule's smallest useful grant is there. `final` grants leave no useful rest behind.
 *
 * Every bucket that was too empty, or that cut the grant short, becomes a condition.
 */
export function reserve(
  draft: Draft,
  service: Service,
  { rule, wanted, now }: { rule: Rule; wanted: number; now: number },
): Grant | undefined {
  const price = priceOf(service);
  if (price === undefined) {
    return granted(rule, now, { parts: [], units: wanted, final: false });
  }
  const useful = Math.min(rule.quota.minimum, wanted);
  const parts: Part[] = [];
  const drawn: { bucket: Bucket; amount: number }[] = [];
  let { rated } = service;
  let rest = wanted;
  let left = 0;
  for (const bucket of draft.account.definition.buckets) {
    if (!paysFor(bucket, rule, now)) continue;
    const budget = draft.promisable(bucket);
    let within: number;
    if (bucket.unit === 'money') {
      const reach = affordable(price, { rated, budget, wanted: add(rest, useful) });
      const units = Math.min(rest, reach);
      const amount = costOfMore(price, rated, units);
      if (units > 0) {
        parts.push({ bucket: bucket.id, units, amount });
        drawn.push({ bucket, amount });
      }
      rated = add(rated, units);
      rest -= units;
      within = reach - units;
      // The smallest rise that changes the outcome: what the smallest useful grant costs.
      if (within < useful) draft.leanOn(bucket.id, Math.max(1, costOfMore(price, rated, useful)));
    } else {
      const units = Math.max(0, Math.min(rest, budget));
      if (units > 0) {
        parts.push({ bucket: bucket.id, units, amount: units });
        drawn.push({ bucket, amount: units });
      }
      rest -= units;
      within = Math.max(0, budget - units);
      if (within < useful) draft.leanOn(bucket.id, useful);
    }
    left = add(left, within);
    if (rest === 0 && left >= useful) break;
  }
  const units = wanted - rest;
  if (units < useful || units === 0) return undefined;
  for (const { bucket, amount } of drawn) draft.reserve(bucket, amount);
  return granted(rule, now, { parts, units, final: left < useful });
}

/** A grant with the validity that its rule gives. */
function granted({ validitySeconds }: Rule, now: number, grant: Grant): Grant {
  if (validitySeconds !== undefined) grant.validUntil = now + validitySeconds * 1000;
  return grant;
}
