/**
 * Credit pools (RFC 8506 5.1.2): grants of one session that share what they hold. A client may use
 * more of one service than it was granted for it, as long as the pool reaches; so usage beyond a
 * pooled grant is paid by what the others hold before anything else is. And what a service has left
 * when it reports stays in the pool, for the client still counts it: the pool shrinks by what was
 * consumed only.
 */
import type { Bucket } from './account.ts';
import { beginUse, limitsUse, paysFor, type Use } from './buckets.ts';
import type { Draft } from './draft.ts';
import { add } from './money.ts';
import type { Rule } from './plan.ts';
import { joined, priceOf, release, type Taken, withSecond } from './quota.ts';
import { affordable, costOfMore } from './rating.ts';
import type { Grant, Part, Service } from './session.ts';

type Services = Map<string, Service>;

/**
 * Pays for `rest` units of `service`, which has used all of its own grant, with what the grants of
 * its pool hold. The holders are changed in `services`; of `service` only its own counts.
 */
export function borrow(
  draft: Draft,
  services: Services,
  { pool, service, rest, now }: { pool: number; service: Service; rest: number; now: number },
): Taken {
  const use: Use = { rule: { name: service.rule, unit: service.unit }, now };
  const taken: Taken = { service, rest, cost: 0, excess: false };
  for (const [key, holder] of services) {
    const { grant } = holder;
    if (taken.rest === 0) break;
    if (grant?.pool !== pool) continue;
    const before = taken.rest;
    const cost = taken.cost;
    let left: Grant = { ...grant, parts: draw(draft, grant.parts, { taken, use }) };
    if (grant.switch?.after !== undefined)
      left = withSecond(left, draw(draft, grant.switch.after.parts, { taken, use }));
    const counted = { units: before - taken.rest, money: taken.cost - cost };
    const limits = countIn(draft, grant.limits ?? [], { use, counted });
    if (limits.length > 0) left.limits = limits;
    services.set(key, { ...holder, grant: left });
  }
  return taken;
}

/** Debits from parts what they can pay of what is still to be taken; they hold the rest. */
function draw(
  draft: Draft,
  parts: readonly Part[],
  { taken, use }: { taken: Taken; use: Use },
): Part[] {
  const price = priceOf(taken.service);
  return parts.map((part) => {
    const bucket = bucketOf(draft, part);
    if (price === undefined || taken.rest === 0 || part.amount === 0) return part;
    if (bucket === undefined || !paysFor(draft, bucket, use)) return part;
    const { rated } = taken.service;
    let units = Math.min(taken.rest, part.amount);
    let charge = units;
    if (bucket.unit === 'money') {
      units = affordable(price, { rated, budget: part.amount, wanted: taken.rest });
      charge = costOfMore(price, rated, units);
      taken.service = {
        ...taken.service,
        rated: add(rated, units),
        cost: add(taken.service.cost, charge),
      };
      taken.cost = add(taken.cost, charge);
    }
    taken.rest -= units;
    draft.debit(bucket.id, charge);
    const amount = part.amount - charge;
    const kept = bucket.unit === 'money' ? part.units : Math.min(part.units, amount);
    return { ...part, units: kept, amount };
  });
}

/** Counts what was drawn in the limits of its subscriber: first in what the grant holds of them. */
function countIn(
  draft: Draft,
  limits: readonly Part[],
  { use, counted }: { use: Use; counted: { units: number; money: number } },
): Part[] {
  const left = [...limits];
  for (const bucket of draft.account.definition.buckets) {
    if (bucket.limits === undefined || !limitsUse(draft, bucket, use)) continue;
    const amount = bucket.unit === 'money' ? counted.money : counted.units;
    const index = left.findIndex((part) => part.bucket === bucket.id);
    const part = left[index];
    const held = Math.min(part?.amount ?? 0, amount);
    draft.debit(bucket.id, held);
    if (draft.overrun(bucket.id, amount - held) > 0) beginUse(draft, bucket, use.now);
    if (part !== undefined) left[index] = { ...part, amount: part.amount - held };
  }
  return left;
}

function bucketOf(draft: Draft, part: Part): Bucket | undefined {
  return draft.account.definition.buckets.find(({ id }) => id === part.bucket);
}

/**
 * The service without its grant, when it leaves its pool: another grant of the pool takes over what
 * is left of it, or it is given back where there is none.
 */
export function leave(
  draft: Draft,
  services: Services,
  { key, now }: { key: string; now: number },
): void {
  const service = services.get(key);
  if (service?.grant === undefined) return;
  const { grant, ...left } = service;
  for (const [other, holder] of services) {
    if (other === key || holder.grant?.pool !== grant.pool || holder.grant === undefined) continue;
    services.set(other, { ...holder, grant: holding(holder.grant, grant) });
    services.set(key, left);
    return;
  }
  services.set(key, release(draft, service, now));
}

/** `grant` with all that `left` still holds; the units that this could pay for are not its own. */
export function holding(grant: Grant, left: Grant): Grant {
  const parts = [...left.parts, ...(left.switch?.after?.parts ?? [])]
    .filter(({ amount }) => amount > 0)
    .map((part) => ({ ...part, units: 0 }));
  const limits = left.limits?.filter(({ amount }) => amount > 0) ?? [];
  return {
    ...grant,
    parts: joined(grant.parts, parts),
    ...(limits.length === 0 ? {} : { limits: joined(grant.limits ?? [], limits) }),
  };
}

/**
 * Whether a grant holds as much as the rule ever grants at once: then nothing is added to it, so
 * that a pool does not grow with each report of a client that uses little.
 */
export function isFull(draft: Draft, service: Service, rule: Rule): boolean {
  const price = priceOf(service);
  let money = 0;
  let units = 0;
  for (const part of service.grant?.parts ?? []) {
    if (bucketOf(draft, part)?.unit === 'money') money = add(money, part.amount);
    else units = add(units, part.amount);
  }
  const { maximum } = rule.quota;
  return (
    units >= maximum || (price !== undefined && money >= costOfMore(price, service.rated, maximum))
  );
}
