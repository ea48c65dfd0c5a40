/**
 * Which rule of a plan decides how a service is counted and priced. A rule matches when all that
 * its `match` says holds. Of several, the one whose prefix of the called number is the longest
 * decides, then the one whose prefix of the calling number is, then the first in the plan's order.
 */
import { dateOf, localMsAt, minuteOf, weekdayOf } from './calendar.ts';
import type { Plan, Rule, Window } from './plan.ts';
import type { Facts } from './request.ts';

/** What a rule is chosen for. */
export interface ServiceFacts {
  /** Service-Context-Id. */
  context: string;
  ratingGroup?: number | undefined;
  serviceIds: readonly number[];
  facts?: Facts | undefined;
}

/** The rule that holds for a service used at `at` (store ms), or undefined: it cannot be rated. */
export function ruleFor(plan: Plan, service: ServiceFacts, at: number): Rule | undefined {
  let best: { rule: Rule; called: number; calling: number } | undefined;
  for (const rule of plan.rules) {
    if (!matches(plan, rule, service, at)) continue;
    const called = longest(rule.match.called, service.facts?.called);
    const calling = longest(rule.match.calling, service.facts?.calling);
    if (best === undefined || called > best.called) best = { rule, called, calling };
    else if (called === best.called && calling > best.calling) best = { rule, called, calling };
  }
  return best?.rule;
}

/**
 * The first instant after `from` and before `until` at which another rule holds than at `from`,
 * and that rule; undefined: there is none.
 */
export function nextChange(
  plan: Plan,
  service: ServiceFacts,
  from: number,
  until: number,
): { at: number; rule: Rule | undefined } | undefined {
  if (!plan.rules.some(({ match }) => match.when !== undefined)) return undefined;
  const present = ruleFor(plan, service, from);
  for (let at = (Math.floor(from / 60_000) + 1) * 60_000; at < until; at += 60_000) {
    const rule = ruleFor(plan, service, at);
    if (rule !== present) return { at, rule };
  }
  return undefined;
}

/** Whether any rule of the plan knows this Service-Context-Id (RFC 8506 4.1.3). */
export function knowsContext(plan: Plan, context: string): boolean {
  return plan.rules.some((rule) => rule.match.context?.includes(context) ?? true);
}

function matches(plan: Plan, { match }: Rule, service: ServiceFacts, at: number): boolean {
  const { context, ratingGroup, serviceIds, facts = {} } = service;
  if (match.context?.includes(context) === false) return false;
  if (match.ratingGroup?.includes(ratingGroup ?? null) === false) return false;
  const wanted = match.serviceIdentifier;
  if (wanted !== undefined)
    if (serviceIds.length === 0 || !serviceIds.every((id) => wanted.includes(id))) return false;
  if (match.apn !== undefined && !holds(match.apn, facts.apn)) return false;
  if (match.rat !== undefined && !holds(match.rat, facts.rat)) return false;
  if (match.role !== undefined && !holds(match.role, facts.role)) return false;
  if (match.visited !== undefined && longest(match.visited, facts.visited) < 0) return false;
  if (match.called !== undefined && longest(match.called, facts.called) < 0) return false;
  if (match.calling !== undefined && longest(match.calling, facts.calling) < 0) return false;
  return match.when === undefined || isOpen(plan, match.when, at);
}

function holds<T>(wanted: readonly T[], value: T | undefined): boolean {
  return value !== undefined && wanted.includes(value);
}

/** The length of the longest prefix that fits; -1: none does. */
function longest(prefixes: readonly string[] | undefined, number: string | undefined): number {
  let length = -1;
  for (const prefix of prefixes ?? [])
    if (number?.startsWith(prefix) && prefix.length > length) length = prefix.length;
  return length;
}

function isOpen(plan: Plan, windows: readonly Window[], at: number): boolean {
  const local = localMsAt(plan.timeZone, at);
  const day = plan.holidays.includes(dateOf(local)) ? 8 : weekdayOf(local);
  const minute = minuteOf(local);
  return windows.some(
    ({ days, from, until }) =>
      (days === undefined || days.includes(day)) && from <= minute && minute < until,
  );
}
