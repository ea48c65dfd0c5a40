/**
 * The moves of quota: settle what a client used against its grant, release what it did not, and
 * reserve the next grant (RFC 8506 5.2-5.4).
 */
import { type Bucket, paysFor } from './account.ts';
import type { Draft } from './draft.ts';
import { add } from './money.ts';
import type { Price, Rule } from './plan.ts';
import { affordable, costOfMore } from './rating.ts';
import type { Grant, Part, Service } from './session.ts';

/** One unit of money is one unit of its bucket: what a request in CC-Money costs (RFC 8506 5.2). */
const AT_PAR: Price = { amount: 1, per: 1, increment: 1 };

/** The price that rates a service's usage; undefined: it is free of charge. */
export function priceOf(service: { unit: string; price?: Price | undefined }): Price | undefined {
  return service.unit === 'money' ? AT_PAR : service.price;
}

/**
 * Debits `used` units: first the parts of the grant, in their order, then, for what is beyond it,
 * the buckets that pay for the rule. What the grant held beyond the usage is released. Returns
 * the service without a grant and the money that the usage cost.
 *
 * `lastOnly` puts all of the overrun on the account's last bucket, which takes any amount.
 */
export function settle(
  draft: Draft,
  service: Service,
  { used, now, lastOnly }: { used: number; now: number; lastOnly: boolean },
): { service: Service; cost: number } {
  const price = priceOf(service);
  const { buckets } = draft.account.definition;
  let { rated } = service;
  let rest = used;
  let cost = 0;
  for (const part of service.grant?.parts ?? []) {
    const bucket = buckets.find((candidate) => candidate.id === part.bucket);
    const units = Math.min(rest, part.units);
    rest -= units;
    let charge = units;
    if (bucket?.unit === 'money' && price !== undefined) {
      charge = costOfMore(price, rated, units);
      rated = add(rated, units);
      cost = add(cost, charge);
    }
    const debited = Math.min(charge, part.amount);
    draft.debit(part.bucket, debited);
    draft.release(part.bucket, part.amount - debited, hasExpired(bucket, now));
    draft.overrun(part.bucket, charge - debited);
  }
  if (price === undefined) rest = 0;
  if (rest > 0 && price !== undefined) {
    const over = overrun(draft, service, { price, rated, rest, now, lastOnly });
    rated = over.rated;
    cost = add(cost, over.cost);
  }
  const { grant: _settled, ...kept } = service;
  return {
    service: { ...kept, used: add(service.used, used), rated, cost: add(service.cost, cost) },
    cost,
  };
}

function hasExpired(bucket: Bucket | undefined, now: number): boolean {
  return bucket?.expiresAt !== undefined && bucket.expiresAt <= now;
}

/**
 * Usage beyond its grant: the rule's buckets in order, none but the last below zero, so that two
 * devices cannot both run over into the same rest of a bundle; the last takes what is left.
 */
function overrun(
  draft: Draft,
  service: Service,
  {
    price,
    now,
    lastOnly,
    ...start
  }: { price: Price; rated: number; rest: number; now: number; lastOnly: boolean },
): { rated: number; cost: number } {
  let { rated, rest } = start;
  let cost = 0;
  const { buckets } = draft.account.definition;
  const last = buckets.at(-1);
  if (last === undefined) return { rated, cost };
  for (const bucket of buckets) {
    if (bucket === last || lastOnly || rest === 0) break;
    if (!paysFor(bucket, { name: service.rule, unit: service.unit }, now)) continue;
    const budget = Math.max(0, draft.available(bucket.id));
    if (bucket.unit === 'money') {
      const units = affordable(price, { rated, budget, wanted: rest });
      const charge = costOfMore(price, rated, units);
      draft.overrun(bucket.id, charge, 0);
      cost = add(cost, charge);
      rated = add(rated, units);
      rest -= units;
    } else {
      const units = Math.min(rest, budget);
      draft.overrun(bucket.id, units, 0);
      rest -= units;
    }
  }
  const charge = costOfMore(price, rated, rest);
  draft.overrun(last.id, charge);
  return { rated: add(rated, rest), cost: add(cost, charge) };
}

/** Releases all of a service's grant. */
export function release(draft: Draft, service: Service, now: number): Service {
  return service.grant === undefined
    ? service
    : settle(draft, service, { used: 0, now, lastOnly: false }).service;
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
    return { parts: [], units: wanted, final: false, ...validity(rule, now) };
  }
  const useful = Math.min(rule.quota.minimum, wanted);
  const parts: Part[] = [];
  const drawn: { bucket: Bucket; amount: number }[] = [];
  let { rated } = service;
  let rest = wanted;
  let left = 0;
  for (const bucket of draft.account.definition.buckets) {
    if (!paysFor(bucket, rule, now)) continue;
    const budget = draft.available(bucket.id) - bucket.floor;
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
  return { parts, units, final: left < useful, ...validity(rule, now) };
}

function validity(rule: Rule, now: number): { validUntil?: number } {
  return rule.validitySeconds === undefined
    ? {}
    : { validUntil: now + rule.validitySeconds * 1000 };
}
