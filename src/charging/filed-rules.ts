/**
 * Finds the rules that may match a service without looking at the others. Each rule is filed under
 * the one of its conditions that the fewest others share (a called prefix rather than a service
 * context), and those that still share a place are filed there again, by their other conditions. So
 * what is found is a handful, however many rules or prefixes a plan has. The index grows with the
 * plan, never with what is asked of it.
 */
import type { ServiceFacts } from './match.ts';
import type { Rule } from './plan.ts';
import { Prefixes } from './prefixes.ts';

export type Condition = Exclude<keyof Rule['match'], 'when'>;
type Value = string | number | null;

/** In the order in which a rule is filed where it makes no difference. */
export const conditions: readonly Condition[] = [
  'context',
  'ratingGroup',
  'serviceIdentifier',
  'apn',
  'rat',
  'visited',
  'called',
  'calling',
  'role',
];

const prefixed: ReadonlySet<Condition> = new Set(['visited', 'called', 'calling']);

/** So few are looked at one after the other. */
const FEW = 4;

/** What a service has for a condition; undefined: nothing, which fulfils none. */
export function valueFor(condition: Condition, service: ServiceFacts): Value | undefined {
  switch (condition) {
    case 'context':
      return service.context;
    case 'ratingGroup':
      return service.ratingGroup ?? null;
    case 'serviceIdentifier':
      // A rule has to know all of them, so it knows the first.
      return service.serviceIds[0];
    case 'apn':
      return service.facts?.apn;
    case 'rat':
      return service.facts?.rat;
    case 'visited':
      return service.facts?.visited;
    case 'called':
      return service.facts?.called;
    case 'calling':
      return service.facts?.calling;
    case 'role':
      return service.facts?.role;
  }
}

/** Rules that share a place: few enough to look at each, or filed again. */
type Place<R extends { rule: Rule }> = readonly R[] | FiledRules<R>;

/** Rules by what they ask of one condition: by the value itself, or by a prefix of it. */
interface Shelves<R extends { rule: Rule }> {
  exact: readonly { condition: Condition; places: Map<Value, Place<R>> }[];
  prefixed: readonly { condition: Condition; places: Prefixes<Place<R>> }[];
}

/** `R` is what stands for a rule. */
export class FiledRules<R extends { rule: Rule }> {
  readonly #others: readonly R[];
  readonly #exact: Shelves<R>['exact'];
  readonly #prefixed: Shelves<R>['prefixed'];

  private constructor(others: readonly R[], { exact, prefixed }: Shelves<R>) {
    this.#others = others;
    this.#exact = exact;
    this.#prefixed = prefixed;
  }

  /** Files rules in short steps: it yields between them. */
  static *filing<R extends { rule: Rule }>(
    rules: readonly R[],
    by: readonly Condition[] = conditions,
  ): Generator<void, FiledRules<R>, void> {
    const filed = yield* sorting(rules, by);
    const made = new Map<string, Place<R>>();
    const numbers = new Map(rules.map((rule, number) => [rule, number]));
    const exact: { condition: Condition; places: Map<Value, Place<R>> }[] = [];
    const prefixes: { condition: Condition; places: Prefixes<Place<R>> }[] = [];
    for (const [condition, shared] of filed.places) {
      const places = new Map<Value, Place<R>>();
      const rest = by.filter((other) => other !== condition);
      for (const [value, here] of shared) {
        yield;
        // Values that the same rules name share what is made of them.
        const name = `${condition} ${here.map((rule) => numbers.get(rule)).join()}`;
        let place = made.get(name);
        if (place === undefined) {
          place = here.length <= FEW ? here : yield* FiledRules.filing(here, rest);
          made.set(name, place);
        }
        places.set(value, place);
      }
      if (prefixed.has(condition))
        prefixes.push({ condition, places: new Prefixes(places as Map<string, Place<R>>) });
      else exact.push({ condition, places });
    }
    return new FiledRules(filed.others, { exact, prefixed: prefixes });
  }

  /** Adds the rules that may match; one may be added twice. */
  collect(service: ServiceFacts, into: R[]): void {
    for (const rule of this.#others) into.push(rule);
    for (const { condition, places } of this.#exact) {
      const value = valueFor(condition, service);
      const place = value === undefined ? undefined : places.get(value);
      if (place !== undefined) collectFrom(place, service, into);
    }
    for (const { condition, places } of this.#prefixed) {
      const value = valueFor(condition, service);
      if (typeof value !== 'string') continue;
      const found: Place<R>[] = [];
      places.collect(value, found);
      for (const place of found) collectFrom(place, service, into);
    }
  }
}

function collectFrom<R extends { rule: Rule }>(
  place: Place<R>,
  service: ServiceFacts,
  into: R[],
): void {
  if (place instanceof FiledRules) place.collect(service, into);
  else for (const rule of place) into.push(rule);
}

interface Filed<R> {
  /** Rules without any of the conditions, or too few to be filed. */
  others: readonly R[];
  places: Map<Condition, Map<Value, R[]>>;
}

function* sorting<R extends { rule: Rule }>(
  rules: readonly R[],
  by: readonly Condition[],
): Generator<void, Filed<R>, void> {
  const places = new Map<Condition, Map<Value, R[]>>();
  if (rules.length <= FEW) return { others: rules, places };
  const shared = new Map<Condition, Map<Value, number>>();
  for (const condition of by) shared.set(condition, yield* counting(rules, condition));
  const others: R[] = [];
  for (const rule of rules) {
    yield;
    const { match } = rule.rule;
    let best: { condition: Condition; crowd: number; size: number } | undefined;
    for (const condition of by) {
      const values: readonly Value[] | undefined = match[condition];
      if (values === undefined) continue;
      const count = shared.get(condition) as Map<Value, number>;
      let crowd = 0;
      for (const value of values) crowd = Math.max(crowd, count.get(value) as number);
      const size = values.length;
      if (best === undefined || crowd < best.crowd || (crowd === best.crowd && size < best.size))
        best = { condition, crowd, size };
    }
    if (best === undefined) {
      others.push(rule);
      continue;
    }
    const at = entry(places, best.condition, () => new Map<Value, R[]>());
    for (const value of distinct(match[best.condition])) entry(at, value, () => []).push(rule);
  }
  return { others, places };
}

/** How many rules name each value of a condition. */
function* counting(
  rules: readonly { rule: Rule }[],
  condition: Condition,
): Generator<void, Map<Value, number>, void> {
  const count = new Map<Value, number>();
  for (const { rule } of rules) {
    const values = rule.match[condition];
    if (values === undefined) continue;
    yield;
    for (const value of distinct(values)) count.set(value, (count.get(value) ?? 0) + 1);
  }
  return count;
}

function distinct(values: readonly Value[] = []): Iterable<Value> {
  return values.length > 1 ? new Set(values) : values;
}

function entry<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
