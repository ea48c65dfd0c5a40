/**
 * What is used after the time that its tariff was settled for: a client let the validity of its
 * grant run out (RFC 8506 8.33), or was granted nothing. It is rated by the time of use all the same,
 * as the plan says now: seconds under each rule that they passed in, for they pass at the pace of
 * time up to the report (5.1.1); anything else, which nobody can divide, under one.
 */
import { hasTimes, nextChange, ruleFor, type ServiceFacts } from './match.ts';
import type { Rule } from './plan.ts';
import type { AskedService } from './request.ts';
import { newService, type Serving, underRule } from './serving.ts';
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

/** What was used under a rule after the time that was settled. */
export interface LatePart {
  rule: Rule;
  /** Store time in ms at which it began to hold, or the use to begin. */
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

/** What is reported of a service, and when. */
interface Reported {
  one: AskedService;
  /** Undefined: the session does not know it. */
  current: Service | undefined;
  /** At the time of the report. */
  rule: Rule | undefined;
  facts: ServiceFacts;
}

/**
 * The service that usage is counted for; undefined: no rule counts it. Where all of it came after the
 * time that was settled, and nothing is granted, it is as under the rule of that time, which `opening`
 * tells: the session's own comes under that in the order of use, when all is known that is reported.
 */
export function serviceInUse(
  serving: Serving,
  of: Reported,
): { service: Service; opening?: LatePart } | undefined {
  const { plan, at } = serving;
  const { one, current, rule, facts } = of;
  if (current === undefined) {
    if (rule === undefined) return undefined;
    if (rule.unit !== 'seconds' || isDivided(one, rule.unit) || !hasTimes(plan))
      return { service: newService(one, rule, plan) };
    const from = startOf(one.used?.seconds ?? 0, at);
    const first = ruleFor(plan, facts, from);
    const begun = first !== undefined && carriesOn(rule, first) ? first : rule;
    const service = { ...newService(one, begun, plan), ratedUntil: from };
    return { service, opening: latePart(begun, from, 0) };
  }
  const opening = openingOf(serving, { ...of, current });
  if (opening === undefined) return { service: current };
  const { switch: _passed, ...bare } = current;
  return { service: underRule(bare, opening.rule, plan), opening };
}

/** Undefined: what is reported goes on from what was settled. */
function openingOf(
  { plan, at }: Serving,
  { one, current, facts }: Reported & { current: Service },
): LatePart | undefined {
  const { grant, ratedUntil, unit } = current;
  if (grant !== undefined || ratedUntil === undefined || at <= ratedUntil) return undefined;
  if (one.used?.[unit] === undefined || isDivided(one, unit)) return undefined;
  let from = at;
  if (unit === 'seconds') from = startOf(one.used.seconds ?? 0, at);
  else if (unit === 'octets' && plan.indeterminate === 'before') from = ratedUntil;
  if (from < ratedUntil) return undefined;
  const rule = ruleFor(plan, facts, from);
  if (rule === undefined || rule.name === lastRule(current)) return undefined;
  return carriesOn(current, rule) ? latePart(rule, from, 0) : undefined;
}

const latePart = (rule: Rule, at: number, used: number): LatePart => ({
  ...{ rule, at, used, countedFrom: 0, cost: 0 },
});

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
      parts.push(latePart(rule, since, passed));
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
