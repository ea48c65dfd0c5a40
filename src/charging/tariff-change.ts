/**
 * Tariff changes within a grant (RFC 8506 5.1.1, 5.1.2, 8.20, 8.27). A grant holds one at most: it
 * ends with the next. A client that can be told of it reports what it used before and after; of
 * seconds, which pass at a known pace, the server knows it; in every other case the grant's
 * validity ends with the change. What is used after that is rated in `late-use.ts`.
 */
import { limitsUse, paysFor } from './buckets.ts';
import type { Draft } from './draft.ts';
import { hasTimes, nextChange, ruleFor, type ServiceFacts } from './match.ts';
import type { Plan, Rule } from './plan.ts';
import { joined, priceOf, release, reserve, type Wanted } from './quota.ts';
import type { AskedService, Unit } from './request.ts';
import type { Serving } from './serving.ts';
import type { Grant, Service, Switch } from './session.ts';

/** How far ahead, in ms, a grant without a validity is looked at. */
export const AHEAD_MS = 86_400_000;

/** How far a client's clock may be ahead, in ms, when it says that a change is over. */
const CLOCK_AHEAD_MS = 60_000;

/** What tariff changes make of a grant. */
export interface Change {
  /** Store time in ms at which it must end; undefined: as its rule says. */
  until?: number | undefined;
  /** The change that lies within it. */
  within?: { at: number; rule: Rule; told: 'single' | 'dual' | 'not' };
}

/**
 * The rule that a grant is decided on. Events are rated at their own time, however late they are
 * asked for (RFC 8506 5.2), and seconds from when they began to pass: if their tariff changed since, and
 * one reservation cannot stand for both, the grant is over at once. Everything else is used from now on.
 */
export function ruleToGrant(
  serving: Serving,
  service: ServiceFacts,
  rule: Rule | undefined,
): Rule | undefined {
  const { plan, at, now } = serving;
  if (at === now || rule?.unit === 'units' || !hasTimes(plan)) return rule;
  const present = ruleFor(plan, service, now);
  return mayPass(rule) && present !== undefined && carriesOn(rule, present) ? rule : present;
}

/** Seconds that the rule counts have passed, if the request is late. */
function mayPass(rule: Rule | undefined): rule is Rule {
  return rule?.unit === 'seconds' && rule.denied !== true && rule.uncontrolled !== true;
}

/** The tariff changes that matter to a grant under `rule`; undefined: none. */
export function changeWithin(
  serving: Serving,
  service: ServiceFacts,
  rule: Rule,
): Change | undefined {
  const { plan, at, now } = serving;
  const end = now + (rule.validitySeconds ?? AHEAD_MS / 1000) * 1000;
  const isPassing = at < now && mayPass(rule) && ruleFor(plan, service, at) === rule;
  const next = nextChange(plan, service, isPassing ? at : now, end);
  if (next === undefined) return undefined;
  if (rule.unit === 'units' && at < now && ruleFor(plan, service, now) !== rule) return undefined;
  const told = next.rule === undefined ? undefined : howTold(serving, rule, next.rule);
  if (next.rule === undefined || told === undefined) return { until: next.at };
  const until = nextChange(plan, service, next.at, end)?.at;
  return { until, within: { at: next.at, rule: next.rule, told } };
}

/** Undefined: a grant cannot go beyond the change. */
function howTold(serving: Serving, rule: Rule, next: Rule): 'single' | 'dual' | 'not' | undefined {
  if (!carriesOn(rule, next)) return undefined;
  const splits = canSplit(serving, rule, next);
  // RFC 8506 8.20: not for what the server can split; money is not rated at all.
  if (rule.unit === 'seconds' || rule.unit === 'money') return splits ? 'not' : undefined;
  if (serving.tariffChange !== 'dual') return splits ? serving.tariffChange : undefined;
  return isAlike(serving, rule, next, limitsUse) ? 'dual' : undefined;
}

/** Whether what one rule counts in `unit` can go on under `next`. */
export function carriesOn(rule: Pick<Rule, 'unit'>, next: Rule): boolean {
  return next.unit === rule.unit && next.denied !== true && next.uncontrolled !== true;
}

/** One reservation stands for both sides of the change only if the same buckets are for both. */
function canSplit(serving: Serving, rule: Rule, next: Rule): boolean {
  const isOne = isAlike(serving, rule, next, paysFor) && isAlike(serving, rule, next, limitsUse);
  return isOne && carriesOn(rule, next);
}

/** Whether `serves` says the same of every bucket for both rules; what is free needs none. */
function isAlike({ draft, now }: Serving, rule: Rule, next: Rule, serves: typeof paysFor): boolean {
  if (priceOf(rule) === undefined || priceOf(next) === undefined) return true;
  return draft.account.definition.buckets.every(
    (bucket) => serves(draft, bucket, { rule, now }) === serves(draft, bucket, { rule: next, now }),
  );
}

/** The validity in seconds of a grant that ends at `until`: it does not end before. */
export function secondsUntil(until: number, now: number): number {
  return Math.max(1, Math.ceil((until - now) / 1000));
}

/** What holds from the change on, as the grant keeps it. */
export function switchOf({ at, rule }: { at: number; rule: Rule }): Switch {
  return { at, rule: rule.name, ...(rule.price === undefined ? {} : { price: rule.price }) };
}

/**
 * The second part of a dual quota, reserved beside the first: `grant` with both, or undefined where
 * nothing useful is left for it.
 */
export function withSecondQuota(
  draft: Draft,
  grant: Grant,
  of: { service: Service; wanted: Wanted; at: number; next: Rule },
): Grant | undefined {
  const { at, next } = of;
  const change = switchOf({ at, rule: next });
  const second = reserve(draft, switchedOver(of.service, change), { ...of.wanted, rule: next });
  if (second === undefined) return undefined;
  const { parts, units, limits } = second;
  return {
    ...grant,
    ...(limits === undefined ? {} : { limits: joined(grant.limits ?? [], limits) }),
    switch: { ...change, after: { parts, units } },
  };
}

/** The change that divides what is reported: the grant's, or one that the client alone tells of. */
export function changeOf(
  { at, plan }: Serving,
  { one, service, rule }: { one: AskedService; service: Service; rule: Rule | undefined },
): Switch | undefined {
  const known = knownChange(service);
  if (known !== undefined) return known;
  if (one.usedAfter === undefined || rule === undefined) return undefined;
  if (rule.name === service.rule || rule.unit !== service.unit) return undefined;
  if (rule.denied === true || rule.uncontrolled === true) return undefined;
  const change = switchOf({ at, rule });
  const isSame = service.plan === plan.id && service.planVersion === plan.version;
  return isSame ? change : { ...change, of: { plan: plan.id, planVersion: plan.version } };
}

/** The client itself says what came after a tariff change. */
export function isDivided({ usedAfter, usedIndeterminate }: AskedService, unit: Unit): boolean {
  return usedAfter?.[unit] !== undefined || usedIndeterminate?.[unit] !== undefined;
}

/** Of `used` units, in the service's unit, those that came after `change`. */
export function usedAfter(
  { plan, at }: Serving,
  {
    one,
    service,
    change,
    used,
  }: {
    one: AskedService;
    service: Service;
    change: Switch;
    used: number;
  },
): number {
  const { unit } = service;
  // RFC 8506 5.1.1: seconds pass at the pace of time, up to the report.
  if (unit === 'seconds' && !isDivided(one, unit))
    return Math.min(used, Math.max(0, Math.floor((at - change.at) / 1000)));
  return claimedAfter(plan, { one, unit, used });
}

/** Whether the seconds that are used next come after `change`, even if none of these did. */
export function isOver(
  { at }: Serving,
  { one, service, change }: { one: AskedService; service: Service; change: Switch },
): boolean {
  const { unit } = service;
  return unit === 'seconds' && one.used !== undefined && !isDivided(one, unit) && change.at <= at;
}

/** Of `used` units, those that came after a tariff change by what the client says. */
export function claimedAfter(
  { indeterminate }: Plan,
  { one, unit, used }: { one: AskedService; unit: Unit; used: number },
): number {
  const straddling = indeterminate === 'after' ? (one.usedIndeterminate?.[unit] ?? 0) : 0;
  return Math.min(used, (one.usedAfter?.[unit] ?? 0) + straddling);
}

/** The service under the tariff that holds from the change on, with no unit counted yet. */
export function switchedOver({ price: _old, ...service }: Service, change: Switch): Service {
  const { rule, price, of } = change;
  return { ...service, rule, ...of, rated: 0, ...(price === undefined ? {} : { price }) };
}

/** The tariff change that a service's usage is divided by: of its grant, or of the one it had. */
export function knownChange({ grant, switch: lapsed }: Service): Switch | undefined {
  return grant === undefined ? lapsed : grant.switch;
}

/** Whether a client that reports at `at` (store ms) can say what it used after a change. */
export function canBeOver(change: Switch, at: number): boolean {
  return change.at <= at + CLOCK_AHEAD_MS;
}

/**
 * Store time in ms up to which a grant settled what seconds cost, also where the plan had no times
 * when it was given: it has some by now, maybe. Undefined: however late they are used.
 */
export function settledUntil({ ratedUntil, unit, grant }: Service): number | undefined {
  return ratedUntil ?? (unit === 'seconds' ? grant?.validUntil : undefined);
}

/** The service with what its grant settled kept, for when it is reported without the grant. */
export function keepingChange(service: Service): Service {
  const change = service.grant?.switch;
  const until = settledUntil(service);
  if (change === undefined && until === service.ratedUntil) return service;
  const kept = { ...service };
  if (until !== undefined) kept.ratedUntil = until;
  if (change === undefined) return kept;
  const { after: _given, ...bare } = change;
  return { ...kept, switch: bare };
}

/**
 * Takes a grant back before its client reports: what comes late is still divided by its change.
 * `isOver`: the client is done with the service, and used nothing of it after `now`.
 */
export function lapse(
  draft: Draft,
  service: Service,
  { now, isOver = false }: { now: number; isOver?: boolean },
): Service {
  const kept = release(draft, keepingChange(service), now);
  if (!isOver || (kept.switch === undefined && kept.ratedUntil === undefined)) return kept;
  const { ratedUntil: _, switch: change, ...over } = kept;
  return change === undefined || now <= change.at ? over : { ...over, switch: change };
}
