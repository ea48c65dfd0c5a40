/**
 * Local time where clocks leap: what they show, when they show it, and when periods end. What the
 * clocks show is compared with the runtime's own formatting of every field.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Renewal } from '../../src/charging/account.ts';
import {
  DAY_MS,
  dateOf,
  HOUR_MS,
  instantOf,
  isTimeZone,
  localMsAt,
  minuteOf,
  periodEnd,
  spanAt,
  weekdayOf,
} from '../../src/charging/calendar.ts';

const zones = [
  'UTC',
  'Europe/Berlin',
  'America/New_York',
  'Asia/Kolkata',
  'Australia/Lord_Howe',
  'Pacific/Apia',
  'Africa/Casablanca',
  'Africa/Monrovia',
];
const zone = fc.constantFrom(...zones);
const instant = fc.integer({ min: 0, max: Date.UTC(2100, 0, 1) });

/** `2026-03-29 01:59` of any zone is local; with a Z it is an instant. */
const local = (text: string): number => Date.parse(`${text.replace(' ', 'T')}Z`);
const at = local;
const shown = (ms: number): string => new Date(ms).toISOString().replace(/:00\.000Z$/, 'Z');

/** The local time by the runtime's fields. */
function model(timeZone: string, at: number): number {
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  const fields = Object.fromEntries(
    format.formatToParts(at).map(({ type, value }) => [type, Number(value)]),
  );
  const { year = 0, month = 0, day, hour, minute, second } = fields;
  return Date.UTC(year, month - 1, day, hour, minute, second) + (at % 1000);
}

describe('what the clocks show', () => {
  test('is what the runtime says that they show', () => {
    fc.assert(
      fc.property(zone, instant, (timeZone, at) => {
        expect(localMsAt(timeZone, at)).toBe(model(timeZone, at));
      }),
      { numRuns: 300 },
    );
  });

  test.each([
    ['Europe/Berlin', '2026-03-29 00:59', '2026-03-29 01:59'],
    ['Europe/Berlin', '2026-03-29 01:00', '2026-03-29 03:00'],
    ['Europe/Berlin', '2026-10-25 00:59', '2026-10-25 02:59'],
    ['Europe/Berlin', '2026-10-25 01:00', '2026-10-25 02:00'],
    ['America/New_York', '2026-03-08 06:59', '2026-03-08 01:59'],
    ['America/New_York', '2026-03-08 07:00', '2026-03-08 03:00'],
    ['America/New_York', '2026-11-01 06:00', '2026-11-01 01:00'],
    ['Asia/Kolkata', '2026-01-01 18:30', '2026-01-02 00:00'],
    ['Australia/Lord_Howe', '2026-10-03 15:29', '2026-10-04 01:59'],
    ['Australia/Lord_Howe', '2026-10-03 15:30', '2026-10-04 02:30'],
    ['Australia/Lord_Howe', '2026-04-04 15:00', '2026-04-05 01:30'],
    ['Pacific/Apia', '2011-12-30 09:59', '2011-12-29 23:59'],
    ['Pacific/Apia', '2011-12-30 10:00', '2011-12-31 00:00'],
    ['UTC', '2026-02-28 23:59', '2026-02-28 23:59'],
  ])('%s: at %sZ it is %s', (timeZone, utc, expected) => {
    expect(shown(localMsAt(timeZone, at(utc)))).toBe(shown(local(expected)));
  });

  test('to the millisecond of the leap', () => {
    const leap = at('2026-03-29 01:00');
    expect(localMsAt('Europe/Berlin', leap - 1)).toBe(local('2026-03-29 02:00') - 1);
    expect(localMsAt('Europe/Berlin', leap)).toBe(local('2026-03-29 03:00'));
  });

  test('dates, weekdays and minutes', () => {
    const sunday = localMsAt('Pacific/Apia', at('2026-05-02 23:15'));
    expect([dateOf(sunday), weekdayOf(sunday), minuteOf(sunday)]).toEqual([
      '2026-05-03',
      7,
      12 * 60 + 15,
    ]);
    expect(weekdayOf(sunday + DAY_MS)).toBe(1);
    expect([dateOf(-1), weekdayOf(-1), minuteOf(-1)]).toEqual(['1969-12-31', 3, 1439]);
  });

  test('a span is even, and holds the instant that was asked for', () => {
    fc.assert(
      fc.property(zone, instant, (timeZone, at) => {
        const { from, until, offsetMs } = spanAt(timeZone, at);
        expect(from <= at && at < until).toBe(true);
        expect(localMsAt(timeZone, from) - from).toBe(offsetMs);
        expect(localMsAt(timeZone, until - 1) - (until - 1)).toBe(offsetMs);
      }),
      { numRuns: 300 },
    );
  });
});

describe('when the clocks show it', () => {
  test('the first instant at which they show a time, or a later one', () => {
    fc.assert(
      fc.property(zone, instant, fc.nat(40), (timeZone, base, leaps) => {
        // Half of the times are looked for beside a leap, where there is one in reach.
        let around = base;
        for (let step = 0; step < leaps * 10; step++) {
          const { until, offsetMs } = spanAt(timeZone, around);
          if (spanAt(timeZone, until).offsetMs !== offsetMs) break;
          around = until;
        }
        const wanted = localMsAt(timeZone, around) + (base % (4 * HOUR_MS));
        const found = instantOf(timeZone, wanted);
        expect(localMsAt(timeZone, found)).toBeGreaterThanOrEqual(wanted);
        for (let before = 1; before < 30 * HOUR_MS; before += 15 * 60_000)
          expect(localMsAt(timeZone, found - before)).toBeLessThan(wanted);
      }),
      { numRuns: 100 },
    );
  });

  test.each([
    ['skipped', 'Europe/Berlin', '2026-03-29 02:30', '2026-03-29T01:00Z'],
    ['after the leap', 'Europe/Berlin', '2026-03-29 03:30', '2026-03-29T01:30Z'],
    ['that comes twice', 'Europe/Berlin', '2026-10-25 02:30', '2026-10-25T00:30Z'],
    ['after both', 'Europe/Berlin', '2026-10-25 03:00', '2026-10-25T02:00Z'],
    ['skipped', 'America/New_York', '2026-03-08 02:00', '2026-03-08T07:00Z'],
    ['that comes twice', 'America/New_York', '2026-11-01 01:59', '2026-11-01T05:59Z'],
    ['of half an hour skipped', 'Australia/Lord_Howe', '2026-10-04 02:10', '2026-10-03T15:30Z'],
    ['of half an hour twice', 'Australia/Lord_Howe', '2026-04-05 01:45', '2026-04-04T14:45Z'],
    ['of a day skipped', 'Pacific/Apia', '2011-12-30 12:00', '2011-12-30T10:00Z'],
    ['plain', 'Asia/Kolkata', '2026-06-01 00:00', '2026-05-31T18:30Z'],
    ['plain', 'UTC', '2026-06-01 00:00', '2026-06-01T00:00Z'],
  ])('a time %s: %s %s', (_, timeZone, wanted, expected) => {
    expect(shown(instantOf(timeZone, local(wanted)))).toBe(expected);
  });
});

describe('time zones', () => {
  test('are those of the runtime, by name', () => {
    for (const name of zones) expect(isTimeZone(name), name).toBe(true);
    for (const name of ['Europe/Nowhere', '', '+01:00', '-0330', 'Europe/Berlin ', '../etc'])
      expect(isTimeZone(name), name).toBe(false);
    expect(() => localMsAt('Europe/Nowhere', 0)).toThrow(RangeError);
  });

  test('more of them than are kept, and more days, do no harm', () => {
    const all = Intl.supportedValuesOf('timeZone').slice(0, 100);
    const offsets = all.map((name) => localMsAt(name, at('2026-07-01 00:00')));
    expect(all.map((name) => localMsAt(name, at('2026-07-01 00:00')))).toEqual(offsets);
    for (let day = 0; day < 200; day++) localMsAt('Europe/Berlin', day * DAY_MS);
    expect(localMsAt('Europe/Berlin', 0)).toBe(HOUR_MS);
  });
});

describe('the end of a period', () => {
  const ends = (
    every: Renewal['every'],
    { from, timeZone, count }: { from: string; timeZone: string; count: number },
  ): string[] => {
    const renewal = { every, from: at(from), timeZone, amount: 1, rollover: 0 };
    const found: number[] = [];
    for (let now = at(from); found.length < count; now = found.at(-1)!)
      found.push(periodEnd(renewal, now));
    return found.map(shown);
  };

  test('of a month: on its day, or the last of a month that has no such day', () => {
    expect(ends('month', { from: '2027-12-31 00:00', timeZone: 'UTC', count: 5 })).toEqual([
      '2028-01-31T00:00Z',
      '2028-02-29T00:00Z',
      '2028-03-31T00:00Z',
      '2028-04-30T00:00Z',
      '2028-05-31T00:00Z',
    ]);
    // The 31st in Berlin is still the 30th by UTC.
    const berlin = { from: '2026-01-30 23:00', timeZone: 'Europe/Berlin', count: 3 };
    expect(ends('month', berlin)).toEqual([
      '2026-02-27T23:00Z',
      '2026-03-30T22:00Z',
      '2026-04-29T22:00Z',
    ]);
  });

  test('of a day: at the same local time, be the day of 23, 24 or 25 hours', () => {
    const spring = { from: '2026-03-27 23:00', timeZone: 'Europe/Berlin', count: 3 };
    expect(ends('day', spring)).toEqual([
      '2026-03-28T23:00Z',
      '2026-03-29T22:00Z',
      '2026-03-30T22:00Z',
    ]);
    const autumn = { from: '2026-10-23 22:00', timeZone: 'Europe/Berlin', count: 3 };
    expect(ends('day', autumn)).toEqual([
      '2026-10-24T22:00Z',
      '2026-10-25T23:00Z',
      '2026-10-26T23:00Z',
    ]);
    const skipped = { from: '2026-03-28 01:30', timeZone: 'Europe/Berlin', count: 2 };
    expect(ends('day', skipped)).toEqual(['2026-03-29T01:00Z', '2026-03-30T00:30Z']);
  });

  test('of a day that never was: it has none', () => {
    const apia = { from: '2011-12-28 10:00', timeZone: 'Pacific/Apia', count: 3 };
    expect(ends('day', apia)).toEqual([
      '2011-12-29T10:00Z',
      '2011-12-30T10:00Z',
      '2011-12-31T10:00Z',
    ]);
  });

  test('of a week and of an hour', () => {
    const week = { from: '2026-03-25 23:00', timeZone: 'Europe/Berlin', count: 2 };
    expect(ends('week', week)).toEqual(['2026-04-01T22:00Z', '2026-04-08T22:00Z']);
    const hour = { from: '2026-10-25 00:10', timeZone: 'Europe/Berlin', count: 2 };
    expect(ends('hour', hour)).toEqual(['2026-10-25T01:10Z', '2026-10-25T02:10Z']);
  });

  test('lies after any instant of the period, whose instants all have the same', () => {
    const renewal: fc.Arbitrary<Renewal> = fc.record({
      every: fc.constantFrom('hour', 'day', 'week', 'month'),
      from: instant,
      timeZone: zone,
      amount: fc.constant(1),
      rollover: fc.constant(0),
    });
    const longestMs = { hour: HOUR_MS, day: 49 * HOUR_MS, week: 9 * DAY_MS, month: 33 * DAY_MS };
    fc.assert(
      fc.property(renewal, instant, fc.nat(1000), (renewal, at, share) => {
        const end = periodEnd(renewal, at);
        expect(end).toBeGreaterThan(at);
        expect(end - at).toBeLessThanOrEqual(longestMs[renewal.every]);
        const between = at + Math.floor(((end - 1 - at) * share) / 1000);
        expect(periodEnd(renewal, between)).toBe(end);
        expect(periodEnd(renewal, end - 1)).toBe(end);
        expect(periodEnd(renewal, end)).toBeGreaterThan(end);
      }),
      { numRuns: 300 },
    );
  });

  test('the period that begins at `from` begins there, to the millisecond', () => {
    // The second half past two: the renewal that begins there has none at the first.
    const from = at('2026-10-25 01:30') + 7;
    const renewal: Renewal = {
      every: 'day',
      from,
      timeZone: 'Europe/Berlin',
      amount: 1,
      rollover: 0,
    };
    expect(periodEnd(renewal, from - 1)).toBe(from);
    expect(periodEnd(renewal, from)).toBe(at('2026-10-26 01:30') + 7);
  });
});
