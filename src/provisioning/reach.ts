/**
 * Rules that no request can reach, because an earlier one matches all that they match. Found by
 * comparing what is written, so not every such rule is found: two earlier rules that only together
 * match all of a third are not.
 */
import type { Rule, Window } from '../charging/plan.ts';
import type { Work } from './work.ts';

/** The most earlier rules that one is compared with. */
const MAX_COMPARED = 100;
const MATCHED = [
  'context',
  'ratingGroup',
  'serviceIdentifier',
  'apn',
  'rat',
  'visited',
  'called',
  'calling',
  'role',
  'when',
] as const;

type Match = Rule['match'];

/** For each rule that cannot be reached, by its index, the rule that takes all it matches. */
export function* unreachable(rules: readonly (Rule | undefined)[]): Work<Map<number, Rule>> {
  const found = new Map<number, Rule>();
  const earlier = new Map<string, Rule[]>();
  for (const [index, rule] of rules.entries()) {
    yield;
    if (rule === undefined) continue;
    const taker = candidates(rule.match, earlier).find((other) => takes(other.match, rule.match));
    if (taker !== undefined) found.set(index, taker);
    for (const key of placesOf(rule.match, earlier)) {
      const place = earlier.get(key);
      if (place === undefined) earlier.set(key, [rule]);
      else if (place.length < MAX_COMPARED) place.push(rule);
    }
  }
  return found;
}

/**
 * Where a rule is kept to be found: under each value of that of its members that fewest earlier
 * rules share. Whoever is taken by it has that value too.
 */
function placesOf(match: Match, earlier: ReadonlyMap<string, readonly Rule[]>): string[] {
  let best: { places: string[]; crowd: number } | undefined;
  for (const member of MATCHED) {
    const values = match[member];
    if (values === undefined) continue;
    const places = member === 'when' ? ['when'] : values.map((value) => `${member}:${value}`);
    let crowd = 0;
    for (const place of places) crowd = Math.max(crowd, earlier.get(place)?.length ?? 0);
    if (best === undefined || crowd < best.crowd) best = { places, crowd };
  }
  return best?.places ?? ['any'];
}

function candidates(match: Match, earlier: ReadonlyMap<string, readonly Rule[]>): Rule[] {
  const places = ['any'];
  for (const member of MATCHED) {
    const first = match[member]?.[0];
    if (first === undefined) continue;
    if (member === 'when') places.push('when');
    else if (member === 'visited' && typeof first === 'string')
      for (const length of [3, 5, 6]) places.push(`visited:${first.slice(0, length)}`);
    else places.push(`${member}:${first}`);
  }
  return [...new Set(places)].flatMap((place) => earlier.get(place) ?? []);
}

/** Whether a rule decides about everything that a later one matches. */
function takes(earlier: Match, later: Match): boolean {
  return (
    holds(earlier.context, later.context) &&
    holds<number | null>(earlier.ratingGroup, later.ratingGroup) &&
    holds(earlier.serviceIdentifier, later.serviceIdentifier) &&
    holds(earlier.apn, later.apn) &&
    holds(earlier.rat, later.rat) &&
    holds(earlier.role, later.role) &&
    isVisitedIn(earlier.visited, later.visited) &&
    // The longest prefix decides before the order does: only the same prefixes are taken.
    holds(earlier.called, later.called) &&
    holds(earlier.calling, later.calling) &&
    (later.called === undefined || earlier.called !== undefined) &&
    (later.calling === undefined || earlier.calling !== undefined) &&
    isOpenWhen(earlier.when, later.when)
  );
}

/** Whether every value that `later` accepts is one that `earlier` does. */
function holds<T>(earlier: readonly T[] | undefined, later: readonly T[] | undefined): boolean {
  if (earlier === undefined || earlier === later) return true;
  if (later === undefined) return false;
  const accepted = new Set(earlier);
  return later.every((value) => accepted.has(value));
}

function isVisitedIn(
  earlier: readonly string[] | undefined,
  later: readonly string[] | undefined,
): boolean {
  if (earlier === undefined || earlier === later) return true;
  if (later === undefined) return false;
  const networks = new Set(earlier);
  return later.every((network) =>
    [3, 5, 6].some((length) => networks.has(network.slice(0, length))),
  );
}

function isOpenWhen(
  earlier: readonly Window[] | undefined,
  later: readonly Window[] | undefined,
): boolean {
  if (earlier === undefined) return true;
  if (later === undefined) return false;
  const parts = earlier.flatMap(byDay);
  return later.flatMap(byDay).every((inner) => parts.some((outer) => isWithin(inner, outer)));
}

/** A window before and after midnight; `begun`: its days are those before. */
type Part = Window & { begun: boolean };

function byDay({ from, until, ...days }: Window): Part[] {
  if (until <= 1440) return [{ ...days, from, until, begun: false }];
  return [
    { ...days, from, until: 1440, begun: false },
    { ...days, from: 0, until: until - 1440, begun: true },
  ];
}

function isWithin(inner: Part, outer: Part): boolean {
  if (outer.from > inner.from || inner.until > outer.until) return false;
  if (outer.days === undefined) return true;
  if (inner.begun !== outer.begun) return false;
  return inner.days?.every((day) => outer.days?.includes(day)) ?? false;
}
