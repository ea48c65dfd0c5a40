/**
 * Credit pools (RFC 8506 5.1.2): grants of one session that share what they hold. A client may use
 * more of one service than it was granted for it, as long as the pool reaches; so usage beyond a
 * pooled grant is paid by what the others hold before anything else is. And what a service has left
 * when it reports stays in the pool, for the client still counts it: the pool shrinks by what was
 * consumed only.
 *
 * What the client counts in a pool must be there, however it is divided among the services. So a
 * grant is pooled only if it holds money that every service of the pool may draw (`canShare`), and
 * holds what its units cost at the most, wherever increments begin and fractions are rounded.
 */
import type { Bucket } from './account.ts';
import { beginUse, inTurn, limitsUse, paysFor, type Use } from './buckets.ts';
import type { Draft } from './draft.ts';
import { add } from './money.ts';
import type { Plan, Rule } from './plan.ts';
import { joined, priceOf, release, type Taken, withoutGrant, withSecond } from './quota.ts';
import { affordable, costOfMore, isPlain } from './rating.ts';
import type { Grant, Part, Service } from './session.ts';

type Services = Map<string, Service>;

/** A part of some grant of a pool; what is drawn from it is kept until `putBack`. */
interface Held {
  key: string;
  kind: 'parts' | 'second' | 'limits';
  index: number;
  amount: number;
}

/** What all grants of a pool hold of one bucket. */
interface Pile {
  bucket: Bucket;
  held: Held[];
  /** The first of `held` that may have something left. */
  next: number;
  total: number;
}

/** What the pools of a session hold while a request is settled, summed up once. */
export class Purses {
  readonly #draft: Draft;
  readonly #services: Services;
  readonly #piles = new Map<number, { money: Map<string, Pile>; limits: Map<string, Pile> }>();

  constructor(draft: Draft, services: Services) {
    this.#draft = draft;
    this.#services = services;
    for (const [key, { grant }] of services) {
      if (grant?.pool === undefined) continue;
      let piles = this.#piles.get(grant.pool);
      if (piles === undefined) {
        piles = { money: new Map(), limits: new Map() };
        this.#piles.set(grant.pool, piles);
      }
      this.#heap(piles.money, grant.parts, { key, kind: 'parts' });
      this.#heap(piles.money, grant.switch?.after?.parts ?? [], { key, kind: 'second' });
      this.#heap(piles.limits, grant.limits ?? [], { key, kind: 'limits' });
    }
  }

  /**
   * Pays for `rest` units of `service`, which has used all of its own grant, with the money that
   * its pool holds, in the order of the buckets. Of `service` only its own counters change.
   */
  borrow(of: { pool: number; service: Service; rest: number; now: number }): Taken {
    const { pool, service, rest, now } = of;
    const taken: Taken = { service, rest, cost: 0, excess: false };
    const price = priceOf(service);
    const piles = this.#piles.get(pool);
    if (piles === undefined || price === undefined) return taken;
    for (const { id } of inTurn(this.#draft, now)) {
      const pile = piles.money.get(id);
      if (pile === undefined || pile.total === 0 || taken.rest === 0) continue;
      const { rated } = taken.service;
      const units = affordable(price, { rated, budget: pile.total, wanted: taken.rest });
      const charge = costOfMore(price, rated, units);
      this.#draw(pile, charge);
      taken.rest -= units;
      taken.cost = add(taken.cost, charge);
      taken.service = {
        ...taken.service,
        rated: add(rated, units),
        cost: add(taken.service.cost, charge),
      };
    }
    const counted = { units: rest - taken.rest, money: taken.cost };
    if (counted.units > 0) {
      const use: Use = { rule: { name: service.rule, unit: service.unit }, now };
      this.#count(piles.limits, use, counted);
    }
    return taken;
  }

  /** Leaves the grants of the services with what was not drawn from them. */
  putBack(): void {
    const left = new Map<string, Grant>();
    for (const { money, limits } of this.#piles.values())
      for (const piles of [money, limits])
        for (const { held } of piles.values())
          for (const one of held) {
            const grant = left.get(one.key) ?? this.#services.get(one.key)?.grant;
            if (grant !== undefined) left.set(one.key, withHeld(grant, one));
          }
    for (const [key, grant] of left) {
      const service = this.#services.get(key);
      if (service !== undefined) this.#services.set(key, { ...service, grant });
    }
  }

  #heap(
    piles: Map<string, Pile>,
    parts: readonly Part[],
    of: { key: string; kind: Held['kind'] },
  ): void {
    for (const [index, { bucket: id, amount }] of parts.entries()) {
      const bucket = this.#draft.bucket(id);
      if (amount === 0 || bucket === undefined) continue;
      if (of.kind !== 'limits' && bucket.unit !== 'money') continue;
      let pile = piles.get(id);
      if (pile === undefined) {
        pile = { bucket, held: [], next: 0, total: 0 };
        piles.set(id, pile);
      }
      pile.held.push({ ...of, index, amount });
      pile.total = add(pile.total, amount);
    }
  }

  /** Debits `amount` from a pile, which has it. */
  #draw(pile: Pile, amount: number): void {
    this.#draft.debit(pile.bucket.id, amount);
    pile.total -= amount;
    let rest = amount;
    while (rest > 0) {
      const held = pile.held[pile.next];
      if (held === undefined) return;
      const some = Math.min(rest, held.amount);
      held.amount -= some;
      rest -= some;
      if (held.amount === 0) pile.next++;
    }
  }

  /** Counts what was drawn in the limits of its subscriber: first in what the pool holds of them. */
  #count(piles: Map<string, Pile>, use: Use, counted: { units: number; money: number }): void {
    const draft = this.#draft;
    for (const bucket of draft.account.definition.buckets) {
      if (bucket.limits === undefined || !limitsUse(draft, bucket, use)) continue;
      const amount = bucket.unit === 'money' ? counted.money : counted.units;
      const pile = piles.get(bucket.id);
      const held = Math.min(pile?.total ?? 0, amount);
      if (pile !== undefined) this.#draw(pile, held);
      if (draft.overrun(bucket.id, amount - held) > 0) beginUse(draft, bucket, use.now);
    }
  }
}

/** The grant with what one of its parts has left. */
function withHeld(grant: Grant, { kind, index, amount }: Held): Grant {
  const set = (parts: readonly Part[]): readonly Part[] =>
    parts[index]?.amount === amount
      ? parts
      : parts.map((part, i) => (i === index ? { ...part, amount } : part));
  if (kind === 'parts') return { ...grant, parts: set(grant.parts) };
  if (kind === 'second') return withSecond(grant, set(grant.switch?.after?.parts ?? []));
  return { ...grant, limits: set(grant.limits ?? []) };
}

/**
 * What services may share in the pools of a plan, found out once for each pool of a request. A
 * quota is in its pool only as far as all services of the pool may draw what it holds.
 */
export class Sharing {
  readonly #draft: Draft;
  readonly #plan: Plan;
  readonly #now: number;
  // Most requests know no pool: nothing is set up for one before it is named.
  #ended: Set<number> | undefined;
  #known: Map<number, { uses: Use[]; limits: boolean; buckets: Map<string, boolean> }> | undefined;

  constructor(draft: Draft, plan: Plan, now: number) {
    this.#draft = draft;
    this.#plan = plan;
    this.#now = now;
  }

  /**
   * The pool that a quota under `rule` may be in: what it costs is known from its rate alone, and
   * all that limits the subscriber counts money, of every service. `next`: the rule from a tariff
   * change within the quota on.
   */
  poolOf(rule: Rule, next: Rule | undefined): number | undefined {
    if (rule.pool === undefined || !isShareable(rule)) return undefined;
    if (next !== undefined && !isShareable(next)) return undefined;
    if (this.#ended?.has(rule.pool)) return undefined;
    return this.#of(rule.pool).limits ? rule.pool : undefined;
  }

  /**
   * What was left in a pool was given back, as nobody held anything there any more. Its client may
   * learn that after what it is granted by the same answer, so this is nothing for the pool.
   */
  end(pool: number): void {
    this.#ended ??= new Set();
    this.#ended.add(pool);
  }

  /** Whether all services of the pool may draw from `bucket`: it holds money, for all of them. */
  isForAll(pool: number, bucket: Bucket): boolean {
    const { uses, buckets } = this.#of(pool);
    let isForAll = buckets.get(bucket.id);
    if (isForAll === undefined) {
      isForAll = bucket.unit === 'money' && uses.every((use) => paysFor(this.#draft, bucket, use));
      buckets.set(bucket.id, isForAll);
    }
    return isForAll;
  }

  #of(pool: number) {
    this.#known ??= new Map();
    let known = this.#known.get(pool);
    if (known === undefined) {
      const uses = this.#plan.rules
        .filter((rule) => rule.pool === pool && rule.denied !== true && isShareable(rule))
        .map((rule) => ({ rule, now: this.#now }));
      known = { uses, limits: this.#areLimitsShared(uses), buckets: new Map() };
      this.#known.set(pool, known);
    }
    return known;
  }

  #areLimitsShared(uses: readonly Use[]): boolean {
    const draft = this.#draft;
    return draft.account.definition.buckets.every((bucket) => {
      if (!draft.isLimitedBy(bucket)) return true;
      const counted = uses.filter((use) => limitsUse(draft, bucket, use)).length;
      return counted === 0 || (bucket.unit === 'money' && counted === uses.length);
    });
  }
}

/** What is counted by its rate alone, over all reports of a session. */
function isShareable(rule: Rule): boolean {
  const price = priceOf(rule);
  return price !== undefined && isPlain(price) && price.eachReport !== true;
}

/**
 * The service without its grant, when it leaves its pool: another grant of the pool takes over what
 * is left of it, or it is given back where there is none.
 */
export function leave(
  draft: Draft,
  services: Services,
  { key, now, sharing }: { key: string; now: number; sharing: Sharing },
): void {
  const service = services.get(key);
  if (service?.grant === undefined) return;
  const { grant } = service;
  for (const [other, holder] of services) {
    if (other === key || holder.grant?.pool !== grant.pool || holder.grant === undefined) continue;
    services.set(other, { ...holder, grant: holding(holder.grant, grant) });
    services.set(key, withoutGrant(service));
    return;
  }
  services.set(key, release(draft, service, now));
  if (grant.pool !== undefined) sharing.end(grant.pool);
}

/** Whether another service than `key` holds a grant of the pool. */
export function holdsAny(
  services: ReadonlyMap<string, Service>,
  key: string,
  pool: number,
): boolean {
  for (const [other, { grant }] of services) if (other !== key && grant?.pool === pool) return true;
  return false;
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
export function isFull(service: Service, rule: Rule): boolean {
  const price = priceOf(service);
  let money = 0;
  for (const part of service.grant?.parts ?? []) money = add(money, part.amount);
  return price !== undefined && money >= costOfMore(price, service.rated, rule.quota.maximum);
}
