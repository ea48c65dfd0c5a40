/**
 * Which times of use are open when. Between two edges of a plan's windows, and while its zone's
 * clocks run evenly, nothing changes; so what is open is worked out once for each such segment of
 * time, and the segments asked for last are kept.
 */
import { DAY_MS, dateOf, MINUTE_MS, minuteOf, spanAt, weekdayOf } from './calendar.ts';
import type { Plan, Window } from './plan.ts';

/** What windows ask of a local time; days are 1 (Monday) to 7, 8 on a holiday. */
export interface DayTime {
  day: number;
  /** The day before, whose windows may go on beyond midnight. */
  dayBefore: number;
  /** After local midnight, 0..1439. */
  minute: number;
}

const DAY_MINUTES = 1440;

/** A time in which nothing opens or closes; `until` is not in it. */
export interface Segment {
  from: number;
  until: number;
  /** For each list of windows, by its number: whether any of them is open. */
  open: readonly boolean[];
}

const MAX_SEGMENTS = 512;

export class Timeline {
  readonly #timeZone: string;
  readonly #holidays: ReadonlySet<string>;
  readonly #lists: (readonly Window[])[] = [];
  readonly #numbers = new Map<string, number>();
  /** Minutes at which a window begins or ends, from 0 to 1440. */
  #edges: readonly number[] = [0, DAY_MINUTES];
  #segments: Segment[] = [];
  #last: Segment = { from: 0, until: 0, open: [] };

  constructor({ timeZone, holidays }: Pick<Plan, 'timeZone' | 'holidays'>) {
    this.#timeZone = timeZone;
    this.#holidays = new Set(holidays);
  }

  /** The number of a list of windows in `open`; the same for lists that say the same. */
  add(windows: readonly Window[]): number {
    const text = windows.map(({ days, from, until }) => `${days}:${from}-${until}`).join();
    const known = this.#numbers.get(text);
    if (known !== undefined) return known;
    const number = this.#lists.push(windows) - 1;
    this.#numbers.set(text, number);
    const edges = windows.flatMap(({ from, until }) => [
      from,
      until > DAY_MINUTES ? until - DAY_MINUTES : until,
    ]);
    this.#edges = [...new Set([...this.#edges, ...edges])].sort((a, b) => a - b);
    this.#segments = [];
    this.#last = { from: 0, until: 0, open: [] };
    return number;
  }

  /** The segment that `at` (store ms) lies in. */
  at(at: number): Segment {
    const last = this.#last;
    if (last.from <= at && at < last.until) return last;
    const index = this.#indexOf(at);
    const known = this.#segments[index];
    const segment = known !== undefined && at < known.until ? known : this.#segmentAt(at);
    if (segment !== known) {
      this.#segments.splice(index + 1, 0, segment);
      if (this.#segments.length > MAX_SEGMENTS) this.#segments.shift();
    }
    this.#last = segment;
    return segment;
  }

  /** The index of the last segment that begins no later than `at`; -1: there is none. */
  #indexOf(at: number): number {
    let low = 0;
    let high = this.#segments.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#segments[middle] as Segment).from <= at) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  #segmentAt(at: number): Segment {
    const span = spanAt(this.#timeZone, at);
    const local = at + span.offsetMs;
    const midnight = Math.floor(local / DAY_MS) * DAY_MS;
    const time = dayTimeOf(local, this.#holidays);
    const next = this.#edges.findIndex((edge) => edge > time.minute);
    const instant = (edge: number): number => midnight + edge * MINUTE_MS - span.offsetMs;
    return {
      from: Math.max(span.from, instant(this.#edges[next - 1] as number)),
      until: Math.min(span.until, instant(this.#edges[next] as number)),
      open: this.#lists.map((windows) => windows.some((window) => holds(window, time))),
    };
  }
}

/** The day and the minute of a local time (`calendar.ts`), by the holidays' dates. */
export function dayTimeOf(localMs: number, holidays: ReadonlySet<string>): DayTime {
  const dayOf = (ms: number): number => (holidays.has(dateOf(ms)) ? 8 : weekdayOf(ms));
  return { day: dayOf(localMs), dayBefore: dayOf(localMs - DAY_MS), minute: minuteOf(localMs) };
}

/** Whether a window holds: one that began on the day, or on the day before. */
export function holds(window: Window, { day, dayBefore, minute }: DayTime): boolean {
  return (
    holdsFor(window, { day, minute }) ||
    holdsFor(window, { day: dayBefore, minute: minute + DAY_MINUTES })
  );
}

function holdsFor(
  { days, from, until }: Window,
  { day, minute }: { day: number; minute: number },
): boolean {
  return from <= minute && minute < until && (days === undefined || days.includes(day));
}
