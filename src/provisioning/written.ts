/** Single values as written: parsed, or reported with their place. */
import type { Unit } from '../charging/request.ts';
import type { Report } from './findings.ts';
import type { Parsed } from './money.ts';
import { type Path, show } from './problem.ts';
import { parseDuration, parseQuantity } from './quantity.ts';
import type { WrittenQuantity } from './schema.ts';

/** Where something stands, and who is told what is wrong with it. */
export interface Place {
  path: Path;
  report: Report;
}

/** What every part of a tenant needs to be read: its decimal places. */
export interface Context extends Place {
  digits: number;
}

/** The place of a member of what stands at `place`. */
export function within<P extends Place>(place: P, ...steps: Path): P {
  return { ...place, path: [...place.path, ...steps] };
}

/** A quantity of at least `least` (default 1), or undefined: not written, or reported. */
export function quantityAt(
  written: WrittenQuantity | undefined,
  { unit, digits, path, report, least = 1 }: Context & { unit: Unit; least?: 0 | 1 },
): number | undefined {
  if (written === undefined) return undefined;
  return accepted(parseQuantity(written, { unit, digits }), { written, least, path, report });
}

/** An amount of money of at least `least` (default 1) of its smallest unit, likewise. */
export function moneyAt(
  written: string | undefined,
  context: Context & { least?: 0 | 1 },
): number | undefined {
  return quantityAt(written, { ...context, unit: 'money' });
}

/** Whole seconds, likewise. */
export function durationAt(
  written: string | number | undefined,
  { path, report, least = 1 }: Place & { least?: 0 | 1 },
): number | undefined {
  if (written === undefined) return undefined;
  return accepted(parseDuration(written), { written, least, path, report });
}

/** A parsed value, or undefined: reported. */
export function parsedAt<T>(
  parsed: Parsed<T>,
  { written, path, report }: Place & { written: unknown },
): T | undefined {
  if ('value' in parsed) return parsed.value;
  report({ path, found: show(written), expected: parsed.expected });
  return undefined;
}

function accepted(
  parsed: Parsed<number>,
  { written, least, path, report }: Place & { written: unknown; least: number },
): number | undefined {
  const value = parsedAt(parsed, { written, path, report });
  if (value === undefined || value >= least) return value;
  report({ path, found: show(written), expected: 'more than 0' });
  return undefined;
}

/** A member only where it has a value: optional members are absent, never undefined. */
export function optional<Name extends string, T>(
  name: Name,
  value: T | undefined,
): { [N in Name]?: T } {
  return value === undefined ? {} : ({ [name]: value } as { [N in Name]?: T });
}

/** Reports members that contradict `because`, each at its name. */
export function excluded(
  written: object,
  names: readonly string[],
  { because, path, report }: Place & { because: string },
): void {
  for (const name of names) {
    if (!Object.hasOwn(written, name)) continue;
    report({
      path: [...path, name],
      at: 'key',
      found: `${name} beside ${because}`,
      expected: 'one of them only',
    });
  }
}
