/**
 * One value as it was in the file that was applied last, as this file has it and as it is now: what the
 * file says as before stays as it is now, by other means or not, and what it says otherwise is taken.
 * Objects are merged member by member.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Path } from './problem.ts';

/** Undefined: it is not there. */
export interface Versions<T = unknown> {
  base: T;
  file: T;
  now: T;
}

export type Members = Readonly<Record<string, unknown>>;

/** What becomes of a value. `overruled` is told of what was changed otherwise by other means. */
export type Merger = (versions: Versions, path: Path, overruled: (path: Path) => void) => unknown;

/** What does not depend on the kind of value; undefined: both sides have changed it. */
export function decided({ base, file, now }: Versions): { value: unknown } | undefined {
  if (isDeepStrictEqual(file, base)) return { value: now };
  if (isDeepStrictEqual(file, now) || isDeepStrictEqual(now, base)) return { value: file };
  return undefined;
}

/** Merges any value: objects by member, lists of the same named things by item, others as a whole. */
export const anyValue: Merger = (versions, path, overruled) => {
  const clear = decided(versions);
  if (clear !== undefined) return clear.value;
  const { base, file, now } = versions;
  if (isObject(file) && isObject(now))
    return mergedMembers({ base: isObject(base) ? base : {}, file, now }, path, {
      merger: () => anyValue,
      overruled,
    });
  const names = namesOf(file);
  if (names !== undefined && [base, now].every((list) => isDeepStrictEqual(namesOf(list), names))) {
    const item = (list: unknown, at: number) => (list as unknown[])[at];
    return names.map((name, at) =>
      anyValue(
        { base: item(base, at), file: item(file, at), now: item(now, at) },
        [...path, name],
        overruled,
      ),
    );
  }
  overruled(path);
  return file;
};

/** Objects merged member by member, each by its own merger. */
export function mergedMembers(
  { base, file, now }: Versions<Members>,
  path: Path,
  { merger, overruled }: { merger: (member: string) => Merger; overruled: (path: Path) => void },
): Members {
  const merged: Record<string, unknown> = {};
  for (const member of new Set([...Object.keys(file), ...Object.keys(now)])) {
    const versions = { base: base[member], file: file[member], now: now[member] };
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
