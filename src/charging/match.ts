/**
 * Which rule of a plan decides how a service is counted and priced. A rule matches when all that
 * its `match` says holds. Of several, the one whose prefix of the called number is the longest
 * decides, then the one whose prefix of the calling number is, then the first in the plan's order.
 *
 * Nothing is kept of what is asked. `explain.ts` says the same rule by rule.
 */
import { type Candidate, compiled, type Numbers } from './compiled-plan.ts';
import type { Plan, Rule } from './plan.ts';
import { Prefixes } from './prefixes.ts';
import type { Facts } from './request.ts';

/** What a rule is chosen for. */
export interface ServiceFacts {
  /** Service-Context-Id. */
  context: string;
  ratingGroup?: number | undefined;
  serviceIds: readonly number[];
  /** Absent: nothing is known that other conditions could hold for. */
  facts?: Facts | undefined;
}

/** The rule that holds for a service used at `at` (store ms), or undefined: it cannot be rated. */
export function ruleFor(plan: Plan, service: ServiceFacts, at: number): Rule | undefined {
  const { index, timeline } = compiled(plan);
  const found: Candidate[] = [];
  index.collect(service, found);
  let best: Match | undefined;
  for (const candidate of found) {
    const match = matched(candidate, service);
    if (match === undefined || (best !== undefined && precedence(match, best) >= 0)) continue;
    const { when } = candidate;
    if (when < 0 || timeline.at(at).open[when] === true) best = match;
  }
  return best?.candidate.rule;
}

/**
 * The first instant after `from` and before `until` (store ms) at which another rule holds than at
 * `from`, and that rule; undefined: there is none. It looks at each time in between at which a
 * window of the plan opens or closes.
 */
export function nextChange(
  plan: Plan,
  service: ServiceFacts,
  from: number,
  until: number,
): { at: number; rule: Rule | undefined } | undefined {
  const { timeline, hasWindows } = compiled(plan);
  const ruleIn = hasWindows ? rulesInTurn(plan, service) : undefined;
  if (ruleIn === undefined) return undefined;
  let segment = timeline.at(from);
  const present = ruleIn(segment.open);
  while (segment.until < until) {
    const at = segment.until;
    segment = timeline.at(at);
    const rule = ruleIn(segment.open);
    if (rule !== present) return { at, rule };
  }
  return undefined;
}

/**
 * Since when (store ms) the rule at `at` has held, and the one that held before; undefined: for as long
 * as from `since` on.
 */
export function lastChange(
  plan: Plan,
  service: ServiceFacts,
  at: number,
  since: number,
): { at: number; before: Rule | undefined } | undefined {
  const { timeline, hasWindows } = compiled(plan);
  const ruleIn = hasWindows ? rulesInTurn(plan, service) : undefined;
  if (ruleIn === undefined) return undefined;
  let segment = timeline.at(at);
  const present = ruleIn(segment.open);
  while (segment.from > since) {
    const { from } = segment;
    segment = timeline.at(from - 1);
    const before = ruleIn(segment.open);
    if (before !== present) return { at: from, before };
  }
  return undefined;
}

/** Which rule holds while what windows are open; undefined: the same whenever it is. */
function rulesInTurn(
  plan: Plan,
  service: ServiceFacts,
): ((open: readonly boolean[]) => Rule | undefined) | undefined {
  const found: Candidate[] = [];
  compiled(plan).index.collect(service, found);
  if (!found.some(({ when }) => when >= 0)) return undefined;
  const ranked = found
    .flatMap((candidate) => matched(candidate, service) ?? [])
    .sort(precedence)
    .map(({ candidate }) => candidate);
  if (ranked.length === 0 || (ranked[0] as Candidate).when < 0) return undefined;
  return (open) => ranked.find(({ when }) => when < 0 || open[when] === true)?.rule;
}

/** Whether any rule of the plan holds at some times only. */
export function hasTimes(plan: Plan): boolean {
  return compiled(plan).hasWindows;
}

/** Whether any rule of the plan knows this Service-Context-Id (RFC 8506 4.1.3). */
export function knowsContext(plan: Plan, context: string): boolean {
  const { contexts } = compiled(plan);
  return contexts === 'any' || contexts.has(context);
}

/** How many rules are looked at to find the one for a service. */
export function examined(plan: Plan, service: ServiceFacts): number {
  const found: Candidate[] = [];
  compiled(plan).index.collect(service, found);
  return found.length;
}

/** A rule whose conditions hold, times of use apart, and how long its prefixes are. */
interface Match {
  candidate: Candidate;
  called: number;
  calling: number;
}

function matched(candidate: Candidate, service: ServiceFacts): Match | undefined {
  const { context, ratingGroup, serviceIdentifier, apn, rat, role } = candidate;
  const { serviceIds, facts = NO_FACTS } = service;
  if (context !== undefined && !context.has(service.context)) return undefined;
  if (ratingGroup !== undefined && !ratingGroup.has(service.ratingGroup ?? null)) return undefined;
  if (serviceIdentifier !== undefined) {
    if (serviceIds.length === 0) return undefined;
    for (const id of serviceIds) if (!serviceIdentifier.has(id)) return undefined;
  }
  if (apn !== undefined && !has(apn, facts.apn)) return undefined;
  if (rat !== undefined && !has(rat, facts.rat)) return undefined;
  if (role !== undefined && !has(role, facts.role)) return undefined;
  if (candidate.visited !== undefined && longest(candidate.visited, facts.visited) < 0)
    return undefined;
  const called = longest(candidate.called, facts.called);
  if (candidate.called !== undefined && called < 0) return undefined;
  const calling = longest(candidate.calling, facts.calling);
  if (candidate.calling !== undefined && calling < 0) return undefined;
  return { candidate, called, calling };
}

const NO_FACTS: Facts = {};

function has<T>(wanted: ReadonlySet<T>, value: T | undefined): boolean {
  return value !== undefined && wanted.has(value);
}

/** The length of the longest prefix of a number; -1: it has none of them. */
function longest(prefixes: Numbers | undefined, number: string | undefined): number {
  if (prefixes === undefined || number === undefined) return -1;
  if (prefixes instanceof Prefixes) return prefixes.longest(number);
  let length = -1;
  for (const prefix of prefixes)
    if (prefix.length > length && number.startsWith(prefix)) length = prefix.length;
  return length;
}

function precedence(a: Match, b: Match): number {
  return b.called - a.called || b.calling - a.calling || a.candidate.order - b.candidate.order;
}
