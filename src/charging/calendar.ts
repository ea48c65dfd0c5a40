/**
 * Local time: what the clocks of an IANA time zone show at an instant, the instant at which they
 * show a time, and the periods of a renewal. Pure: the rules of the zones are the runtime's
 * (Intl), no clock is read.
 *
 * A local time is a number, `localMs`: the milliseconds from 1970-01-01 00:00 to it as if every day
 * had 24 hours. Where clocks are put forward some local times do not exist, and where they are put
 * back some exist twice. The instant of a local time is in every case the first one at which the
 * clocks show it or a later one: of a time that is skipped, the moment of the leap; of a time that
 * comes twice, the first.
 */
import type { Renewal } from './account.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** A time in which a zone's clocks run evenly: `until` is not in it. */
export interface Span {
  from: number;
  until: number;
  /** What is added to an instant to get its local time, in ms. */
  offsetMs: number;
}

/** No zone has put its clocks forward or back twice within this time. */
const CELL_MS = 12 * HOUR_MS;
/** Local time is never further than this from UTC, in no zone and at no time. */
const FURTHEST_MS = 16 * HOUR_MS;
const MAX_ZONES = 64;
const MAX_CELLS = 128;

/** Whether the runtime knows a time zone of this name. A mere offset such as `+01:00` is none. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}

/** The local time at an instant. Throws RangeError where there is no such zone. */
export function localMsAt(timeZone: string, at: number): number {
  return at + spanAt(timeZone, at).offsetMs;
}

/** The first instant at which the clocks show `localMs` or later. */
export function instantOf(timeZone: string, localMs: number): number {
  let span = spanAt(timeZone, localMs - FURTHEST_MS);
  while (span.until + span.offsetMs <= localMs) span = spanAt(timeZone, span.until);
  return Math.max(span.from, localMs - span.offsetMs);
}

/** The date of a local time, `YYYY-MM-DD`. */
export function dateOf(localMs: number): string {
  return new Date(localMs).toISOString().slice(0, 10);
}

/** The weekday of a local time: 1 is Monday, 7 Sunday. */
export function weekdayOf(localMs: number): number {
  return new Date(localMs).getUTCDay() || 7;
}

/** The minute of the day of a local time, 0..1439. */
export function minuteOf(localMs: number): number {
  return Math.floor(modulo(localMs, DAY_MS) / MINUTE_MS);
}

/**
 * The end of the renewal's period that `at` lies in, which the next period begins with. Periods
 * reach into the past likewise. Hours have 60 minutes however the clocks run; days and weeks begin
 * at the local time of `from`; months on its day, or on the last of a month that has no such day.
 */
export function periodEnd(renewal: Renewal, at: number): number {
  return nextPeriod(renewal, at).startsAt;
}

/** How many periods have ended by `now`, the first of them at `first`, which is not after it. */
export function endsUntil(
  renewal: Renewal,
  { first, now }: { first: number; now: number },
): number {
  return 1 + nextPeriod(renewal, now).index - nextPeriod(renewal, first).index;
}

/** The first period that begins after `at`: its place, counted from `from`, and when it begins. */
function nextPeriod(renewal: Renewal, at: number): { index: number; startsAt: number } {
  const { every, from, timeZone } = renewal;
  if (every === 'hour') {
    const index = Math.floor((at - from) / HOUR_MS) + 1;
    return { index, startsAt: from + index * HOUR_MS };
  }
  const anchor = localMsAt(timeZone, from);
  const startOf = (index: number): number =>
    index === 0 ? from : instantOf(timeZone, periodStart(every, anchor, index));
  let index = periodsBetween(every, anchor, localMsAt(timeZone, at));
  while (startOf(index) > at) index--;
  while (startOf(index) <= at) index++;
  return { index, startsAt: startOf(index) };
}

/** The local time at which the period begins that is `index` periods after the one at `anchor`. */
function periodStart(every: 'day' | 'week' | 'month', anchor: number, index: number): number {
  if (every !== 'month') return anchor + index * (every === 'day' ? 1 : 7) * DAY_MS;
  const first = new Date(anchor);
  const months = first.getUTCFullYear() * 12 + first.getUTCMonth() + index;
  const lastDay = new Date(Date.UTC(Math.floor(months / 12), modulo(months, 12) + 1, 0));
  const day = Math.min(first.getUTCDate(), lastDay.getUTCDate());
  return lastDay.getTime() + (day - lastDay.getUTCDate()) * DAY_MS + modulo(anchor, DAY_MS);
}

/** About how many periods lie between two local times; at most one off. */
function periodsBetween(every: 'day' | 'week' | 'month', anchor: number, local: number): number {
  if (every !== 'month') return Math.floor((local - anchor) / (DAY_MS * (every === 'day' ? 1 : 7)));
  const from = new Date(anchor);
  const to = new Date(local);
  const years = to.getUTCFullYear() - from.getUTCFullYear();
  return years * 12 + to.getUTCMonth() - from.getUTCMonth();
}

/** Half a day by UTC, in which the clocks leap once at most. */
interface Cell {
  from: number;
  leapsAt: number;
  before: number;
  after: number;
}

interface Zone {
  format: Intl.DateTimeFormat;
  cells: Map<number, Cell>;
}

const zones = new Map<string, Zone>();

/** A time around `at`, of half a day at most, in which the clocks run evenly. */
export function spanAt(timeZone: string, at: number): Span {
  const zone = zoneOf(timeZone);
  const index = Math.floor(at / CELL_MS);
  let cell = zone.cells.get(index);
  if (cell === undefined) {
    cell = cellOf(zone, index * CELL_MS);
    bounded(zone.cells, MAX_CELLS).set(index, cell);
  }
  const { from, leapsAt, before, after } = cell;
  return at < leapsAt
    ? { from, until: leapsAt, offsetMs: before }
    : { from: leapsAt, until: from + CELL_MS, offsetMs: after };
}

function zoneOf(timeZone: string): Zone {
  let zone = zones.get(timeZone);
  if (zone === undefined) {
    const format = new Intl.DateTimeFormat('en', { timeZone, timeZoneName: 'longOffset' });
    zone = { format, cells: new Map() };
    bounded(zones, MAX_ZONES).set(timeZone, zone);
  }
  return zone;
}

function cellOf({ format }: Zone, from: number): Cell {
  const until = from + CELL_MS;
  const before = offsetMs(format, from);
  const after = offsetMs(format, until);
  if (before === after) return { from, leapsAt: until, before, after };
  let low = from;
  let high = until;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (offsetMs(format, middle) === before) low = middle;
    else high = middle;
  }
  return { from, leapsAt: high, before, after };
}

/** From a text such as `1/31/2026, GMT+05:30`. */
function offsetMs(format: Intl.DateTimeFormat, at: number): number {
  const found = /GMT(?:([+-])(\d+):(\d+)(?::(\d+))?)?$/.exec(format.format(at));
  if (found === null) throw new RangeError(`no offset at ${at}`);
  const [, sign, hours = 0, minutes = 0, seconds = 0] = found;
  const ms = ((Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)) * 1000;
  return sign === '-' ? -ms : ms;
}

/** Makes room for one more by dropping the entry that was made first. */
function bounded<K, V>(map: Map<K, V>, size: number): Map<K, V> {
  if (map.size >= size) map.delete(map.keys().next().value as K);
  return map;
}

function modulo(value: number, divisor: number): number {
  return ((value % divisor) + divisor) % divisor;
}
