/** How checks go through lists and report what they find. */
import { nearest } from '../nearest.ts';
import { type Finding, type Path, show } from './problem.ts';

export type Report = (finding: Finding) => void;

/** Items with their paths; refused ones are passed over. */
export function* each<T>(list: readonly T[] | undefined, path: Path): Generator<[T, Path]> {
  for (const [index, item] of (list ?? []).entries()) {
    if (item !== undefined) yield [item, [...path, index]];
  }
}

/** Items without those that were refused. */
export function given<T>(list: readonly T[]): readonly T[] {
  return list.includes(undefined as T) ? list.filter((item) => item !== undefined) : list;
}

/** Whether nothing was refused in a part of the file: what is left of others is not what it says. */
export function isWhole(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value !== undefined;
  return Object.values(value).every(isWhole);
}

/** Reports a name that was given before. */
export function once(
  seen: Set<string>,
  name: string,
  { path, report }: { path: Path; report: Report },
): void {
  if (seen.has(name)) report({ path, found: show(name), expected: 'a name not given before' });
  seen.add(name);
}

/** Reports a name that nothing has, with the one that may have been meant; `what` would be right. */
export function known(
  name: string,
  {
    among,
    what,
    path,
    report,
  }: { among: Pick<ReadonlySet<string>, 'has' | 'keys'>; what: string; path: Path; report: Report },
): void {
  // '' stands for a name that was refused: it may have been this one.
  if (among.has(name) || among.has('')) return;
  const meant = nearest(name, among.keys());
  const expected = `${what}${meant === undefined ? '' : `: '${meant}'?`}`;
  report({ path, found: show(name), expected });
}
