/**
 * Usage that is reported after what was used later: its report was overtaken (RFC 8506 5.1.2), and by
 * now the service is under the tariff that came next. It is rated by the rule of its own time (RFC 6733
 * 8.21), counted on from where that rule had come, as far as the service remembers: its last tariff.
 */
import { BACK_MS, MAX_PARTS, startOf } from './late-use.ts';
import { hasTimes, lastChange, nextChange, ruleFor, type ServiceFacts } from './match.ts';
import { add } from './money.ts';
import type { Plan, Rule } from './plan.ts';
import { basisOf } from './rating.ts';
import type { AskedService } from './request.ts';
import { type Serving, underRule } from './serving.ts';
import type { Earlier, Service } from './session.ts';
import { canBeOver, carriesOn, claimedAfter, isDivided, knownChange } from './tariff-change.ts';

/** Units that were used before the service came under its present rule. */
export interface EarlyPart {
  /** The service under the rule that they were used under. */
  by: Service;
  /** It is the one that the service remembers. */
  isLast: boolean;
  /** Store time in ms of the first of them. */
  at: number;
  used: number;
  /** Units that money had paid for under the rule before. */
  countedFrom: number;
  /** Money. */
  cost: number;
}

/** What of a report was overtaken. */
export interface Overtaken {
  parts: readonly EarlyPart[];
  /** All of it: it says nothing of the present grant. */
  isAll: boolean;
}

interface Reported {
  one: AskedService;
  service: Service;
  /** At the time of the report. */
  rule: Rule | undefined;
  facts: ServiceFacts;
}

/** What of a report was used before the service's present rule held; undefined: nothing. */
export function overtakenOf(serving: Serving, of: Reported): Overtaken | undefined {
  const { one, service } = of;
  const { earlier, unit } = service;
  if (earlier === undefined) return undefined;
  return isDivided(one, unit) ? dividedOf(serving, of, earlier) : undividedOf(serving, of, earlier);
}

/** Seconds by when they passed; of anything else, which nobody can divide, the report's time is all's. */
function undividedOf(
  { plan, at }: Serving,
  { one, service, rule, facts }: Reported,
  earlier: Earlier,
): Overtaken | undefined {
  const { unit } = service;
  const used = one.used?.[unit] ?? 0;
  // Under a plan without times it was something else that changed: the report says what was then.
  const isPassing = unit === 'seconds' && hasTimes(plan);
  const from = isPassing ? startOf(used, at) : at;
  if (from >= earlier.until) return undefined;
  const parts = new Parts(plan, service, earlier);
  if (isPassing)
    for (const passed of passedUntil(earlier.until, { plan, facts, from, at, used }))
      parts.add(passed);
  else parts.add({ used, at, rule });
  const isAll = at < earlier.until && parts.isOther(rule);
  return parts.all.length === 0 && !isAll ? undefined : { parts: parts.all, isAll };
}

/**
 * What the client says was used before a change. It is the one that its service is told of, unless that
 * is still to come: the report then is of the grant before, and of the change before.
 */
function dividedOf(
  { plan, at, now }: Serving,
  { one, service, rule, facts }: Reported,
  earlier: Earlier,
): Overtaken | undefined {
  const { unit } = service;
  const used = one.used?.[unit] ?? 0;
  const later = claimedAfter(plan, { one, unit, used });
  const parts = new Parts(plan, service, earlier);
  // What is still to come here is over for a client whose clock is ahead.
  const isAhead = now < earlier.until;
  if (at < earlier.until && !isAhead) {
    parts.add({ used: used - later, at, rule: lastChange(plan, facts, at, at - BACK_MS)?.before });
    parts.add({ used: later, at, rule });
    return { parts: parts.all, isAll: true };
  }
  const known = knownChange(service);
  const isLast = known === undefined ? rule?.name === service.rule : !canBeOver(known, at);
  if (!isLast && !isAhead) return undefined;
  parts.add({ used: used - later, at, rule: undefined });
  return { parts: parts.all, isAll: isAhead || known !== undefined };
}

/** The service with early units paid for, as `paid` was for them. */
export function withEarly(service: Service, part: EarlyPart, paid: Service): Service {
  const counted: Service = { ...service, used: add(service.used, part.used), cost: paid.cost };
  const { earlier } = service;
  if (!part.isLast || earlier?.rule !== part.by.rule) return counted;
  return { ...counted, earlier: { ...earlier, rated: paid.rated } };
}

/** The service as its early units are rated: counted on from all that were before them. */
export function asEarly(service: Service, { by, isLast }: EarlyPart): Service {
  const { used, cost, earlier } = service;
  const isSame = isLast && earlier !== undefined && earlier.rule === by.rule;
  const rated = isSame ? basisOf(by.price, earlier.rated) : by.rated;
  return { ...by, used, cost, rated };
}

interface Passed {
  used: number;
  at: number;
  /** Undefined: the plan has none, or it is the last that the service remembers. */
  rule: Rule | undefined;
}

/** Early units, by the rules that they were used under. */
class Parts {
  readonly all: EarlyPart[] = [];
  readonly #plan: Plan;
  readonly #service: Service;
  readonly #earlier: Earlier;

  constructor(plan: Plan, service: Service, earlier: Earlier) {
    this.#plan = plan;
    this.#service = service;
    this.#earlier = earlier;
  }

  /** Whether what was used under a rule of the plan is not under the service's present one. */
  isOther(rule: Rule | undefined): boolean {
    return this.#ofPlan(rule)?.name !== this.#service.rule;
  }

  add({ used, at, rule: held }: Passed): void {
    if (used === 0 || !this.isOther(held)) return;
    const rule = this.#ofPlan(held);
    const isLast = rule === undefined || rule.name === this.#earlier.rule;
    const name = rule?.name ?? this.#earlier.rule;
    const known = this.all.find(({ by }) => by.rule === name);
    if (known !== undefined) {
      known.used += used;
      return;
    }
    const by = isLast
      ? underEarlier(this.#service, this.#earlier)
      : underRule(this.#service, rule, this.#plan);
    this.all.push({ by, isLast, at, used, countedFrom: 0, cost: 0 });
  }

  /** Undefined: the last tariff held. Of a plan that is no longer the account's nothing else is known. */
  #ofPlan(rule: Rule | undefined): Rule | undefined {
    const { plan, planVersion } = this.#earlier;
    if (plan !== this.#plan.id || planVersion !== this.#plan.version) return undefined;
    return rule !== undefined && carriesOn(this.#service, rule) ? rule : undefined;
  }
}

function underEarlier(service: Service, earlier: Earlier): Service {
  const { until: _, ...tariff } = earlier;
  const { price: _price, plan: _plan, ...bare } = service;
  return { ...bare, ...tariff, rated: basisOf(tariff.price, tariff.rated) };
}

/** Of seconds that began to pass at `from`, those before `until`, by the rules of the plan. */
function* passedUntil(
  until: number,
  of: { plan: Plan; facts: ServiceFacts; from: number; at: number; used: number },
): Generator<Passed> {
  const { plan, facts, from, at, used } = of;
  const left = (since: number) => Math.max(0, Math.min(used, Math.floor((at - since) / 1000)));
  let rest = used;
  let since: { at: number; rule: Rule | undefined } = {
    at: from,
    rule: ruleFor(plan, facts, from),
  };
  for (let looks = 1; ; looks++) {
    const next = looks < MAX_PARTS ? nextChange(plan, facts, since.at, until) : undefined;
    const after = left(next?.at ?? until);
    yield { ...since, used: rest - after };
    if (next === undefined) return;
    rest = after;
    since = next;
  }
}
