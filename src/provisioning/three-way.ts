/**
 * One value as it was in the file that was applied last, as this file has it and as it is now: what the
 * file says as before stays as it is now, by other means or not, and what it says otherwise is taken.
 * Objects are merged member by member. Files that were begun since and stopped may be in effect in
 * part: what is said otherwise than in any of them is new.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Path } from './problem.ts';

/** Undefined: it is not there. */
export interface Versions<T = unknown> {
  /** One at least: of the file applied last, and of those begun since. */
  bases: readonly T[];
  file: T;
  now: T;
}

export type Members = Readonly<Record<string, unknown>>;

/** What becomes of a value. `overruled` is told of what was changed otherwise by other means. */
export type Merger = (versions: Versions, path: Path, overruled: (path: Path) => void) => unknown;

/** What does not depend on the kind of value; undefined: both sides have changed it. */
export function decided({ bases, file, now }: Versions): { value: unknown } | undefined {
  if (isAsBefore({ bases, file })) return { value: now };
  if ([file, ...bases].some((one) => isDeepStrictEqual(one, now))) return { value: file };
  return undefined;
}

/** Whether the file says what was said before. */
export const isAsBefore = ({ bases, file }: Pick<Versions, 'bases' | 'file'>): boolean =>
  bases.every((base) => isDeepStrictEqual(base, file));

/** Merges any value: objects by member, lists of the same named things by item, others as a whole. */
export const anyValue: Merger = (versions, path, overruled) => {
  const clear = decided(versions);
  if (clear !== undefined) return clear.value;
  const { bases, file, now } = versions;
  if (isObject(file) && isObject(now)) {
    const of = { bases: bases.map((base) => (isObject(base) ? base : {})), file, now };
    return mergedMembers(of, path, { merger: () => anyValue, overruled });
  }
  const names = namesOf(file);
  const others = [...bases, now];
  if (names !== undefined && others.every((list) => isDeepStrictEqual(namesOf(list), names))) {
    const item = (list: unknown, at: number) => (list as unknown[])[at];
    return names.map((name, at) => {
      const was = bases.map((base) => item(base, at));
      const of = { bases: was, file: item(file, at), now: item(now, at) };
      return anyValue(of, [...path, name], overruled);
    });
  }
  overruled(path);
  return file;
};

/** Objects merged member by member, each by its own merger. */
export function mergedMembers(
  { bases, file, now }: Versions<Members>,
  path: Path,
  { merger, overruled }: { merger: (member: string) => Merger; overruled: (path: Path) => void },
): Members {
  const merged: Record<string, unknown> = {};
  for (const member of new Set([...Object.keys(file), ...Object.keys(now)])) {
    const was = bases.map((base) => base[member]);
    const versions = { bases: was, file: file[member], now: now[member] };
    const value = merger(member)(versions, [...path, member], overruled);
    if (value !== undefined) merged[member] = value;
  }
  return merged;
}

const isObject = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The names of a list of things that all have one; they may not be in another order. */
function namesOf(value: unknown): string[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const names = value.map((one: unknown) => (isObject(one) ? one.name : undefined));
  return names.every((name) => typeof name === 'string') ? names : undefined;
}
