/**
 * Why a service is rated by a rule, and how an amount came about: what `match.ts` and `rating.ts`
 * decide, as data that people and tools can follow. Each rule is held against the request by the
 * plan as it is written, without an index, so this is also what the fast way is tested against.
 */
import { dateOf, localMsAt } from './calendar.ts';
import type { ServiceFacts } from './match.ts';
import type { Plan, Price, Rule, Window } from './plan.ts';
import { exactBands } from './rating.ts';
import { type DayTime, dayTimeOf, holds } from './windows.ts';

export interface Explanation {
  /** Store ms. */
  at: number;
  /** The same in the plan's time zone. */
  local: DayTime & { date: string };
  /** Those that match, the one that is chosen first; then the others in the plan's order. */
  rules: readonly Verdict[];
  /** Absent: no rule matches, and the service cannot be rated. */
  chosen?: Choice;
}

export interface Choice {
  rule: string;
  /**
   * Why this one: it is the `only` one that matches, its prefix of the `called` or the `calling`
   * number is longer than that of the next one, or (`order`) it comes before that in the plan.
   */
  by: 'only' | 'called' | 'calling' | 'order';
  /** The rule that it was preferred to. */
  over?: string;
}

export interface Verdict {
  rule: string;
  /** The first condition that does not hold; absent: the rule matches. */
  failed?: Failed;
  /** With a rule that matches: its longest prefixes of the numbers. */
  called?: string;
  calling?: string;
}

/** A condition that does not hold: what the rule wants, and what was there; null: nothing was. */
export type Failed =
  | {
      condition: Exclude<keyof Rule['match'], 'when'>;
      wanted: readonly (string | number | null)[];
      found: string | number | readonly number[] | null;
    }
  | { condition: 'when'; wanted: readonly Window[]; found: DayTime };

/** Holds every rule of the plan against a service used at `at` (store ms). */
export function explain(plan: Plan, service: ServiceFacts, at: number): Explanation {
  const localMs = localMsAt(plan.timeZone, at);
  const time = dayTimeOf(localMs, new Set(plan.holidays));
  const local = { date: dateOf(localMs), ...time };
  const verdicts = plan.rules.map((rule) => verdictOn(rule, service, time));
  const matching = verdicts.filter(({ failed }) => failed === undefined).sort(byPrecedence);
  const others = verdicts.filter(({ failed }) => failed !== undefined);
  const explanation: Explanation = { at, local, rules: [...matching, ...others] };
  const [first, second] = matching;
  if (first !== undefined) explanation.chosen = choice(first, second);
  return explanation;
}

function verdictOn({ name, match }: Rule, service: ServiceFacts, time: DayTime): Verdict {
  const { context, ratingGroup, serviceIds, facts = {} } = service;
  const isOneOf = (
    condition: 'context' | 'ratingGroup' | 'apn' | 'rat' | 'role',
    found: string | number | null,
  ): Failed | undefined => {
    const wanted: readonly (string | number | null)[] | undefined = match[condition];
    if (wanted === undefined || wanted.includes(found)) return undefined;
    return { condition, wanted, found };
  };
  const begins = (
    condition: 'visited' | 'called' | 'calling',
    found: string | null,
  ): Failed | undefined => {
    const wanted = match[condition];
    if (wanted === undefined || longestOf(wanted, found) !== undefined) return undefined;
    return { condition, wanted, found };
  };
  const knowsAll = (): Failed | undefined => {
    const wanted = match.serviceIdentifier;
    if (wanted === undefined) return undefined;
    if (serviceIds.length > 0 && serviceIds.every((id) => wanted.includes(id))) return undefined;
    return { condition: 'serviceIdentifier', wanted, found: serviceIds };
  };
  const isOpen = (): Failed | undefined => {
    const wanted = match.when;
    if (wanted === undefined || wanted.some((window) => holds(window, time))) return undefined;
    return { condition: 'when', wanted, found: time };
  };
  const { called = null, calling = null } = facts;
  const failed =
    isOneOf('context', context) ??
    isOneOf('ratingGroup', ratingGroup ?? null) ??
    knowsAll() ??
    isOneOf('apn', facts.apn ?? null) ??
    isOneOf('rat', facts.rat ?? null) ??
    begins('visited', facts.visited ?? null) ??
    begins('called', called) ??
    begins('calling', calling) ??
    isOneOf('role', facts.role ?? null) ??
    isOpen();
  if (failed !== undefined) return { rule: name, failed };
  const verdict: Verdict = { rule: name };
  const longestCalled = longestOf(match.called, called);
  const longestCalling = longestOf(match.calling, calling);
  if (longestCalled !== undefined) verdict.called = longestCalled;
  if (longestCalling !== undefined) verdict.calling = longestCalling;
  return verdict;
}

function longestOf(prefixes: readonly string[] = [], number: string | null): string | undefined {
  return prefixes
    .filter((prefix) => number?.startsWith(prefix))
    .reduce<string | undefined>(
      (longest, prefix) => (prefix.length > (longest?.length ?? -1) ? prefix : longest),
      undefined,
    );
}

function byPrecedence(a: Verdict, b: Verdict): number {
  return lengthOf(b.called) - lengthOf(a.called) || lengthOf(b.calling) - lengthOf(a.calling);
}

/** No prefix is less than an empty one. */
function lengthOf(prefix: string | undefined): number {
  return prefix?.length ?? -1;
}

function choice(first: Verdict, second: Verdict | undefined): Choice {
  const rule = first.rule;
  if (second === undefined) return { rule, by: 'only' };
  const over = second.rule;
  if (lengthOf(first.called) > lengthOf(second.called)) return { rule, by: 'called', over };
  if (lengthOf(first.calling) > lengthOf(second.calling)) return { rule, by: 'calling', over };
  return { rule, by: 'order', over };
}

/** How the cost of units came about. Figures may be of any size. */
export interface CostExplanation {
  /** Units that were paid for before, and those that count as used then: the minimum at least. */
  before: { units: bigint; counted: bigint };
  after: { units: bigint; counted: bigint };
  /** The bands that `after` reaches. */
  bands: readonly BandCost[];
  /** The sum of the bands' fees and amounts: what the units cost. */
  cost: bigint;
}

/** What the units cost in one band: always the whole band's price less what was paid before. */
export interface BandCost {
  /** Units from `from` on, up to `until`; absent: without end. */
  from: bigint;
  until?: bigint;
  /** The rate: `amount` for each `per` units, in steps of `increment` units. */
  amount: bigint;
  per: bigint;
  increment: bigint;
  /** The fee that is charged now; 0: there is none, or it was charged before. */
  fee: bigint;
  before: BandUse;
  after: BandUse;
  /** `after.amount - before.amount`. */
  charged: bigint;
}

/** How far a band is used. */
export interface BandUse {
  units: bigint;
  increments: bigint;
  /** What these cost, rounded up to the smallest unit of money. */
  amount: bigint;
  /** By how much it was rounded up, in parts of which `per` make up one unit of money. */
  roundedUp: bigint;
}

/** How `units` more after `rated` came to cost what `costOfMore` says. */
export function explainCost(price: Price, rated: number, units: number): CostExplanation {
  const before = countedOf(price, BigInt(rated));
  const after = countedOf(price, BigInt(rated) + BigInt(units));
  const bands = exactBands(price)
    .filter(({ from }) => after.counted > from)
    .map((band): BandCost => {
      const then = useOf(band, before.counted);
      const now = useOf(band, after.counted);
      const { from, until, amount, per, increment } = band;
      return {
        from,
        ...(until === undefined ? {} : { until }),
        amount,
        per,
        increment,
        fee: then.units === 0n ? band.fee : 0n,
        before: then,
        after: now,
        charged: now.amount - then.amount,
      };
    });
  const cost = bands.reduce((sum, { fee, charged }) => sum + fee + charged, 0n);
  return { before, after, bands, cost };
}

function countedOf({ minimum = 0 }: Price, units: bigint): { units: bigint; counted: bigint } {
  const least = units === 0n ? 0n : BigInt(minimum);
  return { units, counted: units > least ? units : least };
}

function useOf(
  band: Pick<BandCost, 'from' | 'until' | 'amount' | 'per' | 'increment'>,
  counted: bigint,
): BandUse {
  const { from, until, amount, per, increment } = band;
  const reached = until === undefined || counted < until ? counted : until;
  const units = reached > from ? reached - from : 0n;
  const increments = (units + increment - 1n) / increment;
  const product = increments * increment * amount;
  const rounded = (product + per - 1n) / per;
  return { units, increments, amount: rounded, roundedUp: rounded * per - product };
}
