/** What a service may use next (RFC 8506 5.2, 5.3, 8.16-8.18), and what its client is told with it. */
import type { ServiceAnswer } from './answer.ts';
import { besideFor, directivesFor, MAX_UNSIGNED32 } from './directives.ts';
import { answerExhausted, answerUnasked, askedWhileRestricted, restored } from './final-units.ts';
import { FREE, greater, multiplierOf } from './multiplier.ts';
import type { Rule } from './plan.ts';
import { holding, isFull } from './pool.ts';
import { priceOf, release, reserve, type Wanted } from './quota.ts';
import type { Asked } from './request.ts';
import { type Granted, newService, type Serving, underRule } from './serving.ts';
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
  serving: Serving,
  {
    settled,
    service,
    full,
  }: {
    settled: Settled;
    service: Service | undefined;
    /** The session holds all the quotas that it may. */
    full: boolean;
  },
): Granted {
  const { plan, reserving, ending, blocked } = serving;
  const { one } = settled;
  const plain: Granted = { service, refuses: false, answer: { outcome: 'success' } };
  // Usage that nothing can rate is not taken for paid (RFC 8506 9.2).
  if (settled.unrated) return { ...plain, answer: { outcome: 'rating-failed' } };
  if (ending) return plain;
  if (hasEnded(one)) return { ...plain, service: service && restored(service) };
  const asked = one.asked ?? askedWhileRestricted(one, service);
  if (asked === undefined) return answerUnasked(one, { rule: settled.rule, plain });
  if (blocked) return { ...plain, answer: { outcome: 'service-denied' } };
  const rule = ruleToGrant(serving, settled.facts, settled.rule);
  if (rule === undefined) return { ...plain, answer: { outcome: 'rating-failed' } };
  if (rule.denied) return { ...plain, answer: { outcome: 'service-denied' } };
  if (rule.uncontrolled) {
    const free = restored(underRule(service ?? newService(one, rule, plan), rule, plan));
    return { ...plain, service: free, answer: { outcome: 'uncontrolled' } };
  }
  if (!names(asked, rule)) return { ...plain, answer: { outcome: 'rating-failed' } };
  if (full) return { ...plain, answer: { outcome: 'resources-exceeded' } };
  const present = service ?? newService(one, rule, plan);
  if (!reserving) {
    const answer: Granted['answer'] = { outcome: 'success', validitySeconds: RETRY_SECONDS };
    return { ...plain, service: present, answer };
  }
  const first = service === undefined;
  return (
    allot(serving, { settled, service: present, asked, rule, first }) ??
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
}

/** Reserves the next grant; undefined: not enough is there. */
function allot(serving: Serving, wish: Wish): Granted | undefined {
  const { draft, plan, now } = serving;
  const { settled, asked, rule } = wish;
  // A service that comes twice in one request has one grant; each answer gives a part of it.
  const before = wish.service.grant?.units ?? 0;
  const service = restored(underRule(release(draft, wish.service, now), rule, plan));
  let change = changeWithin(serving, settled.facts, rule);
  const wanted: Wanted = {
    rule,
    wanted: Math.min(mostOf(rule), before + (asked[rule.unit] || rule.quota.size)),
    now,
    until: change?.until === undefined ? undefined : endOf(rule, change.until, now),
    next: change?.within?.told === 'dual' ? undefined : change?.within?.rule,
  };
  let got = reserveInPool(serving, { settled, service, wanted });
  if (got === undefined && before > 0)
    got = reserveInPool(serving, { settled, service, wanted: { ...wanted, wanted: before } });
  if (got === undefined) return undefined;
  const refuses = got.final;
  got.final &&= rule.atEnd !== 'deny';
  const within = change?.within;
  if (within?.told === 'dual') {
    const { at, rule: next } = within;
    const both = withSecondQuota(draft, got, { service, wanted, at, next });
    if (both === undefined) {
      change = undefined;
      got.validUntil = endOf(rule, at, now);
    } else got = both;
  } else if (within !== undefined) got.switch = switchOf(within);
  const next: Service = { ...service, grant: got };
  if (got.final) next.exhausted = 'final';
  const answer = answerOf(wish, got, { service, units: got.units - before, change, now });
  return { service: next, refuses, answer };
}

/** CC-Time has 32 bits (RFC 8506 8.21). */
function mostOf({ unit, quota }: Rule): number {
  return unit === 'seconds' ? Math.min(quota.maximum, MAX_UNSIGNED32) : quota.maximum;
}

/** The end of a grant that a tariff change cuts short. */
function endOf({ validitySeconds }: Rule, cutAt: number, now: number): number {
  const seconds = secondsUntil(cutAt, now);
  return now + Math.min(seconds, validitySeconds ?? seconds) * 1000;
}

/**
 * Reserves, and adds to the grant what the service had left in its pool (RFC 8506 5.1.2, A.9): the
 * client still counts it there. Where no more is to be had than that, it is given back first.
 */
function reserveInPool(
  { draft, now }: Serving,
  { settled, service, wanted }: { settled: Settled; service: Service; wanted: Wanted },
): Grant | undefined {
  const { rule } = wanted;
  const pool = priceOf(service) === undefined ? undefined : rule.pool;
  const { left } = settled;
  const giveLeft = () => {
    if (settled.left !== undefined) release(draft, { ...service, grant: settled.left }, now);
    settled.left = undefined;
  };
  if (left !== undefined && isFull(draft, { ...service, grant: left }, rule)) giveLeft();
  let got = reserve(draft, service, wanted);
  if (got === undefined && settled.left !== undefined) {
    giveLeft();
    got = reserve(draft, service, wanted);
  }
  if (got === undefined || pool === undefined) return got;
  got.pool = pool;
  if (settled.left?.pool === pool) {
    got = holding(got, settled.left);
    settled.left = undefined;
  }
  return got;
}

function answerOf(
  { rule, asked, first }: Wish,
  got: Grant,
  of: { service: Service; units: number; change: Change | undefined; now: number },
): Granted['answer'] {
  const { service, units, change, now } = of;
  const answer: Granted['answer'] = { outcome: 'success' };
  if (units > 0) answer.granted = { unit: rule.unit, units };
  if (got.validUntil !== undefined) answer.validitySeconds = (got.validUntil - now) / 1000;
  if (rule.holdingSeconds !== undefined) answer.holdingSeconds = rule.holdingSeconds;
  if (got.final && rule.atEnd !== 'deny') answer.final = rule.atEnd;
  const directives = directivesFor(rule, { units, final: got.final, first });
  if (directives !== undefined) answer.directives = directives;
  const beside = besideFor(rule, asked);
  if (beside !== undefined) answer.beside = beside;
  if (change?.within !== undefined && change.within.told !== 'not') {
    const { at } = change.within;
    const after = got.switch?.after?.units;
    answer.tariffChange = after === undefined ? { at } : { at, after };
  }
  if (got.pool !== undefined) answer.pool = poolOf(got.pool, service, got);
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
