/** What a service may use next (RFC 8506 5.2, 5.3, 8.16-8.18), and what its client is told with it. */
import type { ServiceAnswer } from './answer.ts';
import { besideFor, directivesFor, MAX_UNSIGNED32 } from './directives.ts';
import { answerExhausted, answerUnasked, askedWhileRestricted, restored } from './final-units.ts';
import { withoutTariffKnown, withTariffKnown } from './late-use.ts';
import { lastChange, ruleFor, type ServiceFacts } from './match.ts';
import { LIMIT } from './money.ts';
import { FREE, greater, multiplierOf } from './multiplier.ts';
import type { Rule } from './plan.ts';
import { holding, isFull } from './pool.ts';
import { priceOf, release, reserve, retake, type Wanted, withoutGrant } from './quota.ts';
import { type Asked, type AskedService, isPartly } from './request.ts';
import { type Granted, newService, remembering, type Serving, underRule } from './serving.ts';
import type { Grant, Service } from './session.ts';
import { hasEnded, type Settled } from './settle.ts';
import {
  type Change,
  changeWithin,
  ruleToGrant,
  secondsUntil,
  switchOf,
  withSecondQuota,
} from './tariff-change.ts';

type Share = NonNullable<ServiceAnswer['pool']>;

/** Validity-Time with which a client is sent away when no reservation could be made in time. */
const RETRY_SECONDS = 10;

/** Decides what the client may use of a service whose usage is settled. */
export function grant(
  reported: Serving,
  {
    settled,
    service,
    isAlone,
    full,
  }: {
    settled: Settled;
    service: Service | undefined;
    /** No service other than the one settled holds anything in the pool, or has something left there. */
    isAlone(settled: Settled, pool: number): boolean;
    /** The session holds all the quotas that it may. */
    full: boolean;
  },
): Granted {
  const { one, overtaken } = settled;
  // What was overtaken says nothing of what is used from now on, nor since when.
  const isPast = overtaken || reported.newer !== undefined;
  const serving = isPast ? { ...reported, at: reported.now } : reported;
  const { plan, now, reserving, ending, blocked } = serving;
  const plain: Granted = { service, refuses: false, answer: { outcome: 'success' } };
  // Usage that nothing can rate is not taken for paid (RFC 8506 9.2).
  if (settled.unrated) {
    const fault = settled.by === undefined ? {} : ({ fault: 'used' } as const);
    return { ...plain, answer: { outcome: 'rating-failed', ...fault } };
  }
  if (ending) return plain;
  if (hasEnded(one)) return { ...plain, service: service && restored(service) };
  const asked = one.asked ?? askedWhileRestricted(one, service);
  if (asked === undefined) return answerUnasked(one, { rule: settled.rule, plain });
  if (blocked) return { ...plain, answer: { outcome: 'service-denied' } };
  const today = isPast ? ruleFor(plan, settled.facts, now) : settled.rule;
  const rule = ruleToGrant(serving, settled.facts, today);
  if (rule === undefined) return { ...plain, answer: { outcome: 'rating-failed' } };
  if (rule.denied) return { ...plain, answer: { outcome: 'service-denied' } };
  if (rule.uncontrolled) {
    const { facts } = settled;
    const free = service && withoutTariffKnown(goingOn(serving, { service, rule, facts }));
    const answer: Granted['answer'] = { outcome: 'uncontrolled' };
    return { ...plain, service: restored(free ?? newService(one, rule, plan)), answer };
  }
  if (!names(asked, rule))
    return { ...plain, answer: { outcome: 'rating-failed', fault: 'asked' } };
  if (full) return { ...plain, answer: { outcome: 'resources-exceeded' } };
  const present = service ?? newService(one, rule, plan);
  if (!reserving) {
    const answer: Granted['answer'] = { outcome: 'success', validitySeconds: RETRY_SECONDS };
    return { ...plain, service: present, answer };
  }
  const first = service === undefined;
  return (
    allot(serving, { settled, service: present, asked, rule, first, isAlone }) ??
    answerExhausted(serving, { rule, service: present })
  );
}

/** A client that names unit types must be granted one of them (RFC 8506 8.17, 8.18). */
function names(asked: Asked, rule: Rule): boolean {
  const units = Object.keys(asked);
  return units.length === 0 || units.includes(rule.unit);
}

interface Wish {
  settled: Settled;
  service: Service;
  asked: Asked;
  rule: Rule;
  /** The session did not know the service before. */
  first: boolean;
  isAlone(settled: Settled, pool: number): boolean;
}

/** What was reserved. */
interface Got {
  grant: Grant;
  change: Change | undefined;
  /** Nothing useful is left behind it. */
  isLast: boolean;
}

/** Reserves the next grant; undefined: not enough is there. */
function allot(serving: Serving, wish: Wish): Granted | undefined {
  const { draft, now } = serving;
  const { asked, rule } = wish;
  const { grant: told } = wish.service;
  // A service that comes twice in one request has one grant; each answer gives a part of it.
  const isPooled = told?.pool !== undefined;
  if (!isPooled) release(draft, wish.service, now);
  const bare = told === undefined ? wish.service : withoutGrant(wish.service);
  const service = restored(goingOn(serving, { service: bare, rule, facts: wish.settled.facts }));
  const before = isPooled ? { units: 0, after: 0 } : unitsOf(told);
  const wanted = Math.min(
    mostOf(rule, wish.settled.one),
    before.units + (asked[rule.unit] || rule.quota.size),
  );
  const got =
    told !== undefined && isPooled
      ? addToPool(serving, wish, { service, wanted, told })
      : reserveInPool(serving, wish, { service, wanted });
  if (got === undefined && told === undefined) return undefined;
  const units = unitsOf(got?.grant);
  if (got === undefined || units.units < before.units || units.after < before.after) {
    if (got !== undefined) release(draft, { ...service, grant: got.grant }, now);
    if (told !== undefined && !isPooled) retake(draft, told);
    return { service: wish.service, refuses: true, answer: { outcome: 'success' } };
  }
  const { grant, isLast } = got;
  const next = withTariffKnown(serving, { ...service, grant }, { rule, change: got.change });
  if (grant.final) next.exhausted = 'final';
  const answer = answerOf(wish, got, {
    ...{ service, now, units: units.units - before.units, after: units.after - before.after },
  });
  return { service: next, refuses: isLast, answer };
}

/** The service under the rule that it is granted on, and since when. */
function goingOn(
  { plan, at, now }: Serving,
  { service, rule, facts }: { service: Service; rule: Rule; facts: ServiceFacts },
): Service {
  const next = underRule(service, rule, plan);
  if (next.rule === service.rule) return next;
  // By the client's clock, which may be behind: what it reports next is of this grant.
  const since = at === now ? undefined : lastChange(plan, facts, now, at);
  const isLater = since !== undefined && ruleFor(plan, facts, now) === rule;
  return remembering({ service, next, at: isLater ? since.at : at });
}

const unitsOf = (grant: Grant | undefined): { units: number; after: number } => ({
  units: grant?.units ?? 0,
  after: grant?.switch?.after?.units ?? 0,
});

/** CC-Time has 32 bits (RFC 8506 8.21). */
function mostOf({ unit, quota }: Rule, { share }: AskedService): number {
  const most = isPartly(share) ? LIMIT : quota.maximum;
  return unit === 'seconds' ? Math.min(most, MAX_UNSIGNED32) : most;
}

/** The end of a grant that a tariff change cuts short. */
function endOf({ validitySeconds }: Rule, cutAt: number, now: number): number {
  const seconds = secondsUntil(cutAt, now);
  return now + Math.min(seconds, validitySeconds ?? seconds) * 1000;
}

/**
 * Reserves, in the pool if all of its services may draw what the grant holds. What the service had
 * left there stays and is added to the grant (RFC 8506 5.1.2, A.9): the client still counts it.
 *
 * Where that is as much as the rule ever grants at once, or not enough is to be had for the pool,
 * the service gets a quota of its own, and what it had left goes to the others of the pool; if there
 * are none, nobody counts it any more, and it is given back first.
 */
function reserveInPool(
  serving: Serving,
  wish: Wish,
  { service, wanted }: { service: Service; wanted: number },
): Got | undefined {
  const { draft, now } = serving;
  const { settled, rule, isAlone } = wish;
  const { left } = settled;
  if (left === undefined && rule.pool === undefined)
    return attempt(serving, wish, { service, wanted, pooled: false });
  const isSame = left?.pool === rule.pool;
  if (left === undefined || !isSame || !isFull({ ...service, grant: left }, rule)) {
    const got = attempt(serving, wish, { service, wanted, pooled: true });
    if (got !== undefined) {
      if (left === undefined || !isSame) return got;
      settled.left = undefined;
      return { ...got, grant: holding(got.grant, left) };
    }
  }
  if (left?.pool !== undefined && isAlone(settled, left.pool)) {
    release(draft, { ...service, grant: left }, now);
    settled.left = undefined;
    serving.sharing.end(left.pool);
  }
  return attempt(serving, wish, { service, wanted, pooled: false });
}

/** More for a service that was granted something in its pool by this request already. */
function addToPool(
  serving: Serving,
  wish: Wish,
  { service, wanted, told }: { service: Service; wanted: number; told: Grant },
): Got | undefined {
  const got = attempt(serving, wish, { service, wanted, pooled: true });
  return got?.grant.pool === told.pool && got !== undefined
    ? { ...got, grant: holding(got.grant, told) }
    : undefined;
}

/** One way to reserve: for the rule's pool, or for the service alone. */
function attempt(
  serving: Serving,
  { settled, rule }: Wish,
  of: { service: Service; wanted: number; pooled: boolean },
): Got | undefined {
  const { draft, sharing, now } = serving;
  const { service } = of;
  let change = changeWithin(serving, settled.facts, rule);
  const { within } = change ?? {};
  const pool = of.pooled ? sharing.poolOf(rule, within?.rule) : undefined;
  if (of.pooled && pool === undefined) return undefined;
  const wanted: Wanted = {
    rule,
    wanted: of.wanted,
    now,
    until: change?.until === undefined ? undefined : endOf(rule, change.until, now),
    next: within?.told === 'dual' ? undefined : within?.rule,
    shared: pool === undefined ? undefined : (bucket) => sharing.isForAll(pool, bucket),
  };
  let grant = reserve(draft, service, wanted);
  if (grant === undefined) return undefined;
  const isLast = grant.final;
  grant.final &&= rule.atEnd !== 'deny';
  if (within?.told === 'dual') {
    const both = withSecondQuota(draft, grant, {
      ...{ service, wanted, at: within.at, next: within.rule },
    });
    if (both === undefined) {
      change = undefined;
      grant.validUntil = endOf(rule, within.at, now);
    } else grant = both;
  } else if (within !== undefined) grant.switch = switchOf(within);
  if (pool !== undefined) grant.pool = pool;
  return { grant, change, isLast };
}

function answerOf(
  { rule, asked, first }: Wish,
  { grant, change }: Got,
  of: { service: Service; units: number; after: number; now: number },
): Granted['answer'] {
  const { service, units, after, now } = of;
  // What announces final units comes with them (RFC 8506 5.6).
  const final = grant.final && units > 0;
  const answer: Granted['answer'] = { outcome: 'success' };
  if (units > 0) answer.granted = { unit: rule.unit, units };
  if (grant.validUntil !== undefined) answer.validitySeconds = (grant.validUntil - now) / 1000;
  if (rule.holdingSeconds !== undefined) answer.holdingSeconds = rule.holdingSeconds;
  if (final && rule.atEnd !== 'deny') answer.final = rule.atEnd;
  const directives = directivesFor(rule, { units, final, first });
  if (directives !== undefined) answer.directives = directives;
  const beside = besideFor(rule, asked);
  if (beside !== undefined) answer.beside = beside;
  if (change?.within !== undefined && change.within.told !== 'not') {
    const { at } = change.within;
    answer.tariffChange = grant.switch?.after === undefined ? { at } : { at, after };
  }
  if (grant.pool !== undefined) answer.pool = poolOf(grant.pool, service, grant);
  return answer;
}

/** How the units of a grant count in its pool. */
function poolOf(id: number, service: Service, { units, switch: change }: Grant): Share {
  const price = priceOf(service);
  const next = change === undefined ? undefined : priceOf({ unit: service.unit, ...change });
  const before = price === undefined ? FREE : multiplierOf(price, { rated: service.rated, units });
  if (change === undefined) return { id, ...before };
  const after = next === undefined ? FREE : multiplierOf(next, { rated: 0, units });
  return change.after === undefined ? { id, ...greater(before, after) } : { id, ...before, after };
}
