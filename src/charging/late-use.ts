/**
 * What is used after the time that its tariff was settled for: a client let the validity of its
 * grant run out (RFC 8506 8.33), or was granted nothing. It is rated by the time of use all the same,
 * as the plan says now: seconds under each rule that they passed in, for they pass at the pace of
 * time up to the report (5.1.1); anything else, which nobody can divide, under one.
 */
import { hasTimes, nextChange, ruleFor, type ServiceFacts } from './match.ts';
import type { Rule } from './plan.ts';
import type { AskedService } from './request.ts';
import { newService, remembering, type Serving, underRule } from './serving.ts';
import type { Service } from './session.ts';
import {
  AHEAD_MS,
  type Change,
  carriesOn,
  isDivided,
  knownChange,
  settledUntil,
} from './tariff-change.ts';

/** How far back seconds are divided, and into how many parts: each costs a look at the plan. */
export const BACK_MS = 7 * 86_400_000;
export const MAX_PARTS = 100;

/** Seconds that passed under a rule after the time that was settled. */
export interface LatePart {
  rule: Rule;
  /** Store time in ms at which it began to hold. */
  at: number;
  used: number;
  /** Units that money had paid for under the rule before. */
  countedFrom: number;
  /** Money. */
  cost: number;
}

/** The service with its new grant: how long it is known what its seconds cost. */
export function withTariffKnown(
  { plan, now }: Serving,
  service: Service,
  { rule, change }: { rule: Rule; change: Change | undefined },
): Service {
  const isTimed = rule.unit === 'seconds' && hasTimes(plan);
  const granted = withoutTariffKnown(service);
  if (!isTimed) return granted;
  const { validitySeconds } = rule;
  const end = now + (validitySeconds === undefined ? AHEAD_MS : validitySeconds * 1000);
  return { ...granted, ratedUntil: change?.until ?? end };
}

/** The service that is not controlled from now on: nothing that its last grant settled is left. */
export function withoutTariffKnown(service: Service): Service {
  if (service.switch === undefined && service.ratedUntil === undefined) return service;
  const { switch: _lapsed, ratedUntil: _before, ...free } = service;
  return free;
}

/** The service once its usage is settled: what is used next without a grant was used after that. */
export function withUsageKnown({ plan, at, ending }: Serving, service: Service): Service {
  const isTimed = service.ratedUntil !== undefined || (!ending && hasTimes(plan));
  if (!isTimed && service.switch === undefined) return service;
  const { switch: _divided, ...settled } = service;
  // What was used before the present rule held is another one's, however late it is reported.
  const until = Math.max(at, service.earlier?.until ?? at);
  return isTimed ? { ...settled, ratedUntil: until } : settled;
}

/**
 * The service that usage is counted for. Where all of it came after the time that was settled, and
 * nothing is granted, it is under the rule of that time; undefined: there is none.
 */
export function serviceInUse(
  serving: Serving,
  of: {
    one: AskedService;
    current: Service | undefined;
    /** At the time of the report. */
    rule: Rule | undefined;
    facts: ServiceFacts;
  },
): Service | undefined {
  const { plan, at } = serving;
  const { one, current, rule, facts } = of;
  if (current === undefined) {
    if (rule === undefined) return undefined;
    const isTimed = rule.unit === 'seconds' && !isDivided(one, rule.unit);
    const from = isTimed ? startOf(one.used?.seconds ?? 0, at) : at;
    if (from === at || !hasTimes(plan)) return newService(one, rule, plan);
    const first = ruleFor(plan, facts, from);
    const begun = first !== undefined && carriesOn(rule, first) ? first : rule;
    return { ...newService(one, begun, plan), ratedUntil: from };
  }
  const { grant, ratedUntil, unit } = current;
  if (grant !== undefined || ratedUntil === undefined || at <= ratedUntil) return current;
  if (one.used?.[unit] === undefined || isDivided(one, unit)) return current;
  let from = at;
  if (unit === 'seconds') from = startOf(one.used.seconds ?? 0, at);
  else if (unit === 'octets' && plan.indeterminate === 'before') from = ratedUntil;
  if (from < ratedUntil) return current;
  const present = ruleFor(plan, facts, from);
  if (present === undefined || present.name === lastRule(current)) return current;
  if (!carriesOn(current, present)) return current;
  const { switch: _passed, ...bare } = current;
  const next = underRule(bare, present, plan);
  return remembering({ service: current, next, at: from });
}

/** Of `used` seconds, those that passed under other rules after the time that was settled, in order. */
export function usedLate(
  { plan, at }: Serving,
  {
    one,
    service,
    facts,
    used,
  }: { one: AskedService; service: Service; facts: ServiceFacts; used: number },
): LatePart[] | undefined {
  const { unit } = service;
  const until = settledUntil(service);
  if (until === undefined || at <= until || used === 0) return undefined;
  if (unit !== 'seconds' || isDivided(one, unit)) return undefined;
  const from = Math.max(until, startOf(used, at));
  const parts: LatePart[] = [];
  let name = lastRule(service);
  let next: ReturnType<typeof nextChange> = { at: from, rule: ruleFor(plan, facts, from) };
  for (let looks = 0; next !== undefined && looks < MAX_PARTS; looks++) {
    const { rule, at: since } = next;
    const passed = Math.min(used, Math.floor((at - since) / 1000));
    if (passed === 0) break;
    if (rule !== undefined && rule.name !== name && carriesOn(service, rule)) {
      const before = parts.at(-1);
      if (before !== undefined) before.used -= passed;
      parts.push({ rule, at: since, used: passed, countedFrom: 0, cost: 0 });
      name = rule.name;
    }
    next = nextChange(plan, facts, since, at);
  }
  return parts.length === 0 ? undefined : parts;
}

/** Store time in ms at which seconds that are reported at `at` began to pass. */
export function startOf(seconds: number, at: number): number {
  return Math.max(at - seconds * 1000, at - BACK_MS);
}

/** The rule that holds at the end of the time that was settled. */
function lastRule(service: Service): string {
  return knownChange(service)?.rule ?? service.rule;
}
