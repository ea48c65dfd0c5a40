/**
 * Sizes, durations and numbers as people write them, to whole octets, seconds and units. Decimal
 * prefixes are powers of 1000, binary ones powers of 1024; nothing is rounded.
 */
import type { Unit } from '../charging/request.ts';
import { type Parsed, parseMoney } from './money.ts';
import type { WrittenQuantity } from './schema.ts';

/** A year: the longest duration that may be written. */
export const MAX_DURATION_SECONDS = 366 * 86_400;

const OCTETS: Readonly<Record<string, bigint>> = {
  B: 1n,
  kB: 1000n,
  KB: 1000n,
  MB: 1000n ** 2n,
  GB: 1000n ** 3n,
  TB: 1000n ** 4n,
  KiB: 1024n,
  MiB: 1024n ** 2n,
  GiB: 1024n ** 3n,
  TiB: 1024n ** 4n,
};
const SECONDS: Readonly<Record<string, bigint>> = { s: 1n, min: 60n, h: 3600n, d: 86_400n };

const EXPECTED: Readonly<Record<Unit, string>> = {
  octets: "a size such as '10 MB', '10 MiB' or a whole number of octets",
  seconds: "a duration such as '90 s', '15 min', '1 h' or a whole number of seconds",
  units: 'a whole number',
  money: "an amount of money in quotes, such as '0.05'",
};

/** What `written` is in octets, seconds, units, or the smallest unit of money. */
export function parseQuantity(
  written: WrittenQuantity,
  { unit, digits }: { unit: Unit; digits: number },
): Parsed<number> {
  if (unit === 'money') {
    return typeof written === 'string'
      ? parseMoney(written, { digits })
      : { expected: EXPECTED.money };
  }
  if (typeof written === 'number') return { value: written };
  const scales = unit === 'octets' ? OCTETS : unit === 'seconds' ? SECONDS : {};
  return parseScaled(written, { scales, expected: EXPECTED[unit] });
}

/** The same with one minus sign before it, or none. */
export function parseSigned(text: string, of: { unit: Unit; digits: number }): Parsed<number> {
  if (!text.startsWith('-')) return parseQuantity(text, of);
  // Money may have a sign of its own.
  if (text.startsWith('--')) return { expected: EXPECTED[of.unit] };
  const parsed = parseQuantity(text.slice(1), of);
  return 'value' in parsed ? { value: 0 - parsed.value } : parsed;
}

/** A duration in whole seconds, up to a year. */
export function parseDuration(written: number | string): Parsed<number> {
  const parsed = parseQuantity(written, { unit: 'seconds', digits: 0 });
  if ('value' in parsed && parsed.value > MAX_DURATION_SECONDS)
    return { expected: 'at most 366 d' };
  return parsed;
}

/** A point in time of ISO 8601 with a zone, in ms since 1970. Days that do not exist are refused. */
export function parseTime(written: string): Parsed<number> {
  const value = Date.parse(written);
  return Number.isNaN(value) || !isDate(written.slice(0, 10))
    ? { expected: "a time that exists, such as '2031-12-31T23:59:59Z'" }
    : { value };
}

/** A date of ISO 8601, as it is. */
export function parseDate(written: string): Parsed<string> {
  return isDate(written)
    ? { value: written }
    : { expected: "a date that exists, such as '2031-12-25'" };
}

function isDate(text: string): boolean {
  const [year = 0, month = 0, day = 0] = text.split('-').map(Number);
  const daysOfMonth = new Date(Date.UTC(year, month, 0)).getUTCDate();
  return month >= 1 && month <= 12 && day >= 1 && day <= daysOfMonth;
}

function parseScaled(
  text: string,
  { scales, expected }: { scales: Readonly<Record<string, bigint>>; expected: string },
): Parsed<number> {
  const [, whole = '', fraction = '', name = ''] =
    /^(\d+)(?:\.(\d+))? ?([A-Za-z]*)$/.exec(text) ?? [];
  const scale = name === '' ? 1n : Object.hasOwn(scales, name) ? scales[name] : undefined;
  if (whole === '' || scale === undefined) return { expected };
  const scaled = BigInt(whole + fraction) * scale;
  const divisor = 10n ** BigInt(fraction.length);
  if (scaled % divisor !== 0n) return { expected: `${expected}: nothing is rounded` };
  const value = scaled / divisor;
  return value > BigInt(Number.MAX_SAFE_INTEGER)
    ? { expected: 'at most 2^53 - 1' }
    : { value: Number(value) };
}
