/** Zones: names for lists of prefixes, written out where rules match on them. */
import { each, given, known, once } from './findings.ts';
import { LIMITS } from './limits.ts';
import { type Path, show } from './problem.ts';
import type { WrittenZone } from './schema.ts';
import type { Place } from './written.ts';

type Kind = 'networks' | 'numbers';
type Zone = Partial<Record<Kind, readonly string[]>>;

/** Zones by their id. A zone that was refused before stands as `''`: it may have been any. */
export type Zones = ReadonlyMap<string, Zone>;

/** How many prefixes the rules of a plan may still be given. */
export interface Budget {
  prefixes: number;
}

export function compileZones(
  written: readonly WrittenZone[] | undefined,
  { path, report, outer }: Place & { outer?: Zones },
): Zones {
  const seen = new Set<string>();
  const zones = new Map<string, Zone>(outer ?? []);
  if (written !== undefined && given(written).length < written.length) zones.set('', {});
  for (const [zone, at] of each(written, path)) {
    once(seen, zone.id, { path: [...at, 'id'], report });
    if (zone.networks === undefined && zone.numbers === undefined)
      report({ path: at, found: 'neither networks nor numbers', expected: 'one of them or both' });
    zones.set(zone.id, zone);
  }
  return zones;
}

/** Prefixes as a rule matches on them: digits as they are, zones as what they hold. */
export function prefixesOf(
  written: readonly string[] | undefined,
  { kind, zones, budget, path, report }: Place & { kind: Kind; zones: Zones; budget: Budget },
): readonly string[] | undefined {
  if (written === undefined) return undefined;
  const lists: (readonly string[])[] = [];
  const digits: string[] = [];
  for (const [entry, at] of each(written, path)) {
    if (/^\d/.test(entry)) digits.push(entry);
    else lists.push(prefixesOfZone(entry, { kind, zones, path: at, report }));
  }
  if (digits.length > 0) lists.push(digits);
  for (const list of lists) budget.prefixes -= list.length;
  // Beyond the budget nothing is written out; what the rules have in all is reported once.
  if (budget.prefixes < 0) return [];
  // Many rules may match on one large zone: they share its list.
  return lists.length === 1 ? lists[0] : [...new Set(lists.flat())];
}

function prefixesOfZone(
  id: string,
  { kind, zones, path, report }: Place & { kind: Kind; zones: Zones },
): readonly string[] {
  const zone = zones.get(id);
  const prefixes = zone?.[kind];
  if (zone !== undefined && prefixes === undefined) {
    const found = `zone ${show(id)}, which has no ${kind}`;
    report({ path, found, expected: `a zone with ${kind}` });
  } else known(id, { among: zones, what: 'the id of a zone', path, report });
  return given(prefixes ?? []);
}

/** A plan's budget, and the report where its rules were given more. */
export function prefixBudget(): Budget {
  return { prefixes: LIMITS.prefixesOfPlan };
}

export function reportBudget({ prefixes }: Budget, { path, report }: Place & { path: Path }): void {
  if (prefixes >= 0) return;
  const found = `rules with ${LIMITS.prefixesOfPlan - prefixes} prefixes`;
  report({ path, found, expected: `at most ${LIMITS.prefixesOfPlan} in all rules of a plan` });
}
