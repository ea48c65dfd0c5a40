/** What time does to buckets: renewal with roll-over, first use, start and expiry, exactly once. */
import { describe, expect, test } from 'vitest';
import {
  type Account,
  type Bucket,
  drawOrder,
  periodField,
  type Renewal,
} from '../../src/charging/account.ts';
import { accountAt, turnPeriods } from '../../src/charging/buckets.ts';
import { Draft, type Movement } from '../../src/charging/draft.ts';
import { LIMIT } from '../../src/charging/money.ts';
import { periodFor } from '../../src/charging/periods.ts';
import type { BucketChange } from '../../src/charging/record.ts';
import { asks, bundle, main, planOf, requestOf, ruleOf, START, Till } from './till.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

const daily = (part: Partial<Renewal> = {}): Renewal => ({
  every: 'day',
  from: START,
  timeZone: 'UTC',
  amount: 100,
  rollover: 0,
  ...part,
});

const ask = asks({ asked: { octets: 40 } });
const reports = (octets: number, asked = 40) =>
  asks({ used: { octets }, ...(asked === 0 ? {} : { asked: { octets: asked } }) });

const plan = planOf([ruleOf()], { supervisionSeconds: 30 * 86_400 });

function tillOf(buckets: readonly Bucket[], openings: Record<string, number>): Till {
  return new Till({ buckets, openings, plan });
}

const changesOf = (till: Till, bucket: string): BucketChange[] =>
  till.records.at(-1)!.changes.filter((change) => change.bucket === bucket);

const on = (movements: readonly Movement[], field: string): Movement | undefined =>
  movements.find((movement) => movement.field === field);

describe('a renewal', () => {
  test('leaves the first period with what the bucket was opened with', () => {
    const till = tillOf([bundle('b', { renewal: daily() }), main], { b: 70 });
    expect(till.counters['p:b']).toBe(START + DAY);
    till.now += DAY - 1;
    till.ask(requestOf('initial', 0, [ask]));
    expect([till.available('b'), till.reserved('b')]).toEqual([30, 40]);
    expect(changesOf(till, 'b')).toEqual([
      { bucket: 'b', cause: 'reserve', available: -40, reserved: 40 },
    ]);
  });

  test('comes with the first decision after the end of the period: the rest expires', () => {
    const till = tillOf([bundle('b', { renewal: daily() }), main], { b: 70 });
    till.now += DAY;
    till.ask(requestOf('initial', 0, [ask]));
    expect([till.available('b'), till.reserved('b')]).toEqual([60, 40]);
    expect(till.counters['p:b']).toBe(START + 2 * DAY);
    expect(changesOf(till, 'b')).toEqual([
      { bucket: 'b', cause: 'expiry', available: -70, reserved: 0 },
      { bucket: 'b', cause: 'renewal', available: 100, reserved: 0 },
      { bucket: 'b', cause: 'reserve', available: -40, reserved: 40 },
    ]);
  });

  test('keeps what rolls over, and only that', () => {
    const till = tillOf([bundle('b', { renewal: daily({ rollover: 25 }) }), main], { b: 70 });
    till.now += DAY;
    till.ask(requestOf('initial', 0));
    expect(till.available('b')).toBe(125);
    till.now += DAY;
    till.ask(requestOf('update', 1));
    expect(till.available('b')).toBe(125);
    expect(changesOf(till, 'b')).toEqual([
      { bucket: 'b', cause: 'expiry', available: -100, reserved: 0 },
      { bucket: 'b', cause: 'renewal', available: 100, reserved: 0 },
    ]);
  });

  test.each([
    // opening, roll-over, missed days, what is there then
    [70, 30, 5, 130],
    [70, 250, 1, 170],
    [70, 250, 2, 270],
    [70, 250, 3, 350],
    [70, 250, 9, 350],
    [0, 0, 4, 100],
  ])(
    'makes up for missed periods as if it had been there: %d, %d, %d',
    (b, rollover, days, has) => {
      const till = tillOf([bundle('b', { renewal: daily({ rollover }) }), main], { b });
      till.now += days * DAY + HOUR;
      till.ask(requestOf('initial', 0));
      expect([till.available('b'), till.counters['p:b']]).toEqual([has, START + (days + 1) * DAY]);
    },
  );

  test('pays off an overdraft by every period that was missed', () => {
    const credit = { ...main, floor: -250, renewal: daily() };
    const till = tillOf([credit], { main: 0 });
    till.ask(requestOf('initial', 0, [asks({ asked: { octets: 250 } })]));
    till.ask(requestOf('update', 1, [reports(250, 0)]));
    expect(till.available('main')).toBe(-250);
    till.now += 2 * DAY;
    till.ask(requestOf('update', 2));
    expect(till.available('main')).toBe(-50);
  });

  test('pays an overdraft off before anything is there to be used', () => {
    const monthly = { ...main, floor: -50, renewal: daily({ every: 'month' }) };
    const till = tillOf([monthly], { main: 0 });
    till.ask(requestOf('initial', 0, [asks({ asked: { octets: 50 } })]));
    till.ask(requestOf('update', 1, [reports(70, 0)]));
    expect(till.available('main')).toBe(-70);
    till.now += 31 * DAY;
    till.ask(requestOf('update', 2));
    expect(till.available('main')).toBe(30);
  });

  test('is over with its bucket', () => {
    const limited = bundle('b', { renewal: daily(), expiresAt: START + 36 * HOUR });
    const till = tillOf([limited, main], { b: 70 });
    till.now += 2 * DAY;
    till.ask(requestOf('initial', 0));
    expect(till.available('b')).toBe(0);
    expect(changesOf(till, 'b')).toEqual([
      { bucket: 'b', cause: 'expiry', available: -70, reserved: 0 },
    ]);
  });

  test('does not come before its bucket starts', () => {
    const later = bundle('b', { renewal: daily(), startsAt: START + 60 * HOUR });
    const till = tillOf([later, main], { b: 70, main: 100 });
    expect(till.counters['p:b']).toBe(START + 3 * DAY);
    till.now += 2 * DAY;
    till.ask(requestOf('initial', 0, [ask]));
    expect([till.available('b'), till.available('main')]).toEqual([70, 60]);
    till.now = START + 60 * HOUR;
    till.ask(requestOf('update', 1, [reports(40)]));
    expect([till.available('b'), till.available('main')]).toEqual([30, 60]);
    till.now = START + 3 * DAY;
    till.ask(requestOf('update', 2, [reports(0, 0)]));
    expect(till.available('b')).toBe(100);
  });

  test('never takes a bucket beyond what its counter can hold', () => {
    const full = bundle('b', { renewal: daily({ amount: LIMIT, rollover: LIMIT }) });
    const till = tillOf([full, main], { b: 70 });
    till.now += DAY;
    till.ask(requestOf('initial', 0));
    expect(till.available('b')).toBe(LIMIT);
    till.now += DAY;
    till.ask(requestOf('update', 1));
    expect(till.available('b')).toBe(LIMIT);
  });
});

test('a renewal that was missed often is recorded within what a record can hold', () => {
  const amount = 6_000_000_000_000_000;
  const b = bundle('b', { renewal: daily({ amount }) });
  const till = tillOf([b, main], { b: 0, main: 1000 });
  till.now = START + 4 * DAY;
  till.ask(requestOf('initial', 0, [ask]));
  expect([till.available('b'), till.reserved('b')]).toEqual([amount - 40, 40]);
  expect(changesOf(till, 'b').filter(({ cause }) => cause !== 'reserve')).toEqual([
    { bucket: 'b', cause: 'renewal', available: amount, reserved: 0 },
  ]);
});

describe('a grant across the end of a period', () => {
  test('pays for its usage, and what it leaves expires', () => {
    const till = tillOf([bundle('b', { renewal: daily({ rollover: 1000 }) }), main], { b: 70 });
    till.ask(requestOf('initial', 0, [ask]));
    till.now += DAY;
    till.ask(requestOf('update', 1, [reports(15, 0)]));
    expect([till.available('b'), till.reserved('b')]).toEqual([130, 0]);
    expect(changesOf(till, 'b')).toEqual([
      { bucket: 'b', cause: 'renewal', available: 100, reserved: 0 },
      { bucket: 'b', cause: 'debit', available: 0, reserved: -15 },
      { bucket: 'b', cause: 'expiry', available: 0, reserved: -25 },
    ]);
  });

  test('runs over into the new period', () => {
    const till = tillOf([bundle('b', { renewal: daily() }), main], { b: 40 });
    till.ask(requestOf('initial', 0, [ask]));
    till.now += DAY;
    till.ask(requestOf('update', 1, [reports(55, 0)]));
    expect([till.available('b'), till.reserved('b')]).toEqual([85, 0]);
  });

  test('within the period gives back what it leaves', () => {
    const till = tillOf([bundle('b', { renewal: daily() }), main], { b: 70 });
    till.ask(requestOf('initial', 0, [ask]));
    till.now += DAY - 1;
    till.ask(requestOf('update', 1, [reports(15, 0)]));
    expect([till.available('b'), till.reserved('b')]).toEqual([55, 0]);
  });

  test('supervision, an abort and late usage find the new period too', () => {
    const till = tillOf([bundle('b', { renewal: daily() }), main], { b: 70 });
    till.ask(requestOf('initial', 0, [ask]));
    till.now += DAY;
    till.abort();
    expect([till.available('b'), till.reserved('b')]).toEqual([100, 0]);
    expect(changesOf(till, 'b').map(({ cause }) => cause)).toEqual(['expiry', 'renewal']);
    till.now += DAY / 2;
    till.ask(requestOf('update', 1, [reports(30, 0)]));
    expect(till.available('b')).toBe(70);
    till.now += DAY / 2;
    till.ask(requestOf('update', 2, [reports(30, 0)]));
    expect(till.available('b')).toBe(70);
  });
});

describe('a bucket that lasts from its first use', () => {
  const pass = (part: Partial<Bucket> = {}): Bucket => bundle('pass', { lastsMs: DAY, ...part });

  test('has not begun until something is reserved from it', () => {
    const till = tillOf([pass(), main], { pass: 70 });
    till.now += 10 * DAY;
    till.ask(requestOf('initial', 0));
    expect(till.counters['p:pass']).toBe(0);
    till.ask(requestOf('update', 1, [ask]));
    expect(till.counters['p:pass']).toBe(START + 11 * DAY);
    till.now += DAY - 1;
    till.ask(requestOf('update', 2, [reports(10)]));
    expect([till.available('pass'), till.reserved('pass')]).toEqual([20, 40]);
    till.now += 1;
    till.ask(requestOf('update', 3, [reports(10, 0)]));
    expect([till.available('pass'), till.reserved('pass')]).toEqual([0, 0]);
    expect(changesOf(till, 'pass')).toEqual([
      { bucket: 'pass', cause: 'expiry', available: -20, reserved: -30 },
      { bucket: 'pass', cause: 'debit', available: 0, reserved: -10 },
    ]);
  });

  test('begins with usage beyond a grant too', () => {
    const till = tillOf([pass(), main], { pass: 70, main: 0 });
    till.ask(requestOf('initial', 0));
    till.ask(requestOf('update', 1, [reports(30, 0)]));
    expect([till.available('pass'), till.counters['p:pass']]).toEqual([40, START + DAY]);
  });

  test('pays for nothing once it is over, however low its floor', () => {
    const till = tillOf([pass({ floor: -100 }), main], { pass: 40, main: 100 });
    till.ask(requestOf('initial', 0, [ask]));
    till.now += DAY;
    till.ask(requestOf('update', 1, [reports(40)]));
    expect([till.available('pass'), till.available('main')]).toEqual([0, 60]);
  });
});

describe('once', () => {
  const account = (counters: Record<string, number>, renewal = daily()): Account => ({
    definition: {
      tenant: 'blue',
      account: 'anna',
      plan: 'p',
      status: 'active',
      buckets: [bundle('b', { renewal }), main],
      subscribers: [],
      maxSessions: 1,
    },
    version: 1,
    counters: { 'n:open': 0, 'a:main': 0, 'r:main': 0, 'r:b': 0, ...counters },
  });
  const turned = (counters: Record<string, number>, renewal = daily()): readonly Movement[] => {
    const draft = new Draft(account(counters, renewal));
    turnPeriods(draft, START + DAY);
    return draft.movements();
  };

  test('a renewal holds only for the period that was seen', () => {
    expect(on(turned({ 'a:b': 0, 'p:b': START + DAY }), 'p:b')).toEqual({
      field: 'p:b',
      delta: DAY,
      max: START + DAY,
      min: START + 2 * DAY,
    });
  });

  test('what expires with it is exactly what was there', () => {
    const movements = turned({ 'a:b': 70, 'p:b': START + DAY }, daily({ rollover: 30 }));
    expect(on(movements, 'a:b')).toEqual({ field: 'a:b', delta: 60, max: 70, min: 130 });
  });

  test('where nothing expires the bucket may have less, and not more than rolls over', () => {
    const movements = turned({ 'a:b': 20, 'p:b': START + DAY }, daily({ rollover: 30 }));
    expect(on(movements, 'a:b')).toEqual({ field: 'a:b', delta: 100, max: 30 });
  });

  test('what is reserved, released or overrun after it keeps it exact', () => {
    const draft = new Draft(account({ 'a:b': 70, 'r:b': 9, 'p:b': START + DAY }));
    turnPeriods(draft, START + DAY);
    draft.reserve(bundle('b'), 40);
    draft.release('b', 5, false);
    draft.overrun('b', 2, 0);
    expect(on(draft.movements(), 'a:b')).toEqual({
      field: 'a:b',
      delta: -7,
      max: 70,
      min: 63,
    });
  });

  test('reserving, releasing and overrunning hold only in the period that was seen', () => {
    for (const move of [
      (draft: Draft) => draft.reserve(bundle('b'), 4),
      (draft: Draft) => draft.release('b', 4, false),
      (draft: Draft) => void draft.overrun('b', 4),
    ]) {
      const draft = new Draft(account({ 'a:b': 70, 'r:b': 9, 'p:b': START + 2 * DAY }));
      turnPeriods(draft, START + DAY);
      expect(draft.movements()).toEqual([]);
      move(draft);
      expect(on(draft.movements(), 'p:b')).toEqual({
        field: 'p:b',
        delta: 0,
        max: START + 2 * DAY,
      });
    }
  });

  test('debiting a grant does not: it belongs to the period that it was made in', () => {
    const draft = new Draft(account({ 'a:b': 70, 'r:b': 9, 'p:b': START + 2 * DAY }));
    turnPeriods(draft, START + DAY);
    draft.debit('b', 4);
    expect(draft.movements()).toEqual([{ field: 'r:b', delta: -4 }]);
  });

  test('an account shows what a decision would find', () => {
    const before = account({ 'a:b': 70, 'p:b': START + DAY }, daily({ rollover: 30 }));
    expect(accountAt(before, START + DAY - 1)).toBe(before);
    expect(accountAt(before, START + DAY).counters).toMatchObject({
      'a:b': 130,
      'p:b': START + 2 * DAY,
    });
    expect(before.counters['a:b']).toBe(70);
  });
});

describe('the period counter of a bucket', () => {
  const now = START + 5 * HOUR;
  const renewed = bundle('b', { renewal: daily() });
  const pass = bundle('b', { lastsMs: DAY });

  test('is there for a renewal and for a first use', () => {
    expect(periodFor(bundle('b'), now)).toBeUndefined();
    expect(periodFor(pass, now)).toBe(0);
    expect(periodFor(renewed, now)).toBe(START + DAY);
    expect(periodFor({ ...renewed, startsAt: START + 3 * DAY }, now)).toBe(START + 4 * DAY);
  });

  test('outlasts a change of the bucket, unless the new periods end sooner', () => {
    const before = { bucket: renewed, period: START + DAY };
    expect(periodFor({ ...renewed, priority: 5 }, now, before)).toBe(START + DAY);
    expect(periodFor(bundle('b', { renewal: daily({ every: 'month' }) }), now, before)).toBe(
      START + DAY,
    );
    expect(periodFor(bundle('b', { renewal: daily({ every: 'hour' }) }), now, before)).toBe(
      START + 6 * HOUR,
    );
    expect(periodFor(pass, now, { bucket: pass, period: START + 77 })).toBe(START + 77);
  });

  test('comes and goes with what needs it', () => {
    expect(periodFor(renewed, now, { bucket: bundle('b'), period: undefined })).toBe(START + DAY);
    expect(periodFor(renewed, now, { bucket: pass, period: 0 })).toBe(START + DAY);
    expect(periodFor(pass, now, { bucket: renewed, period: START + DAY })).toBe(0);
    expect(periodFor(bundle('b'), now, { bucket: pass, period: 7 })).toBeUndefined();
  });
});

describe('buckets of one priority are drawn by what ends first', () => {
  const lasts = (id: string, ms: number): Bucket => bundle(id, { lastsMs: ms });
  const until = (id: string, ms: number): Bucket => bundle(id, { expiresAt: START + ms });
  const renewed = (id: string, part: Partial<Bucket> = {}): Bucket =>
    bundle(id, { renewal: daily(), ...part });
  const endless = bundle('a');

  /** What pays for ever more units, in the order in which it does. */
  const drawnFrom = (buckets: readonly Bucket[], now = START): string[] => {
    const openings = Object.fromEntries(buckets.map(({ id }) => [id, 40]));
    const till = tillOf([...buckets, main].sort(drawOrder), { ...openings, main: 1_000 });
    till.now = now;
    const services = [asks({ asked: { octets: 40 * buckets.length } })];
    till.ask(requestOf('initial', 0, services));
    return till.session()!.services[0]!.grant!.parts.map(({ bucket }) => bucket);
  };

  test.each<[string, Bucket[], string[]]>([
    [
      'the end of a period, before an expiry after it',
      [until('b', 2 * DAY), renewed('c')],
      ['c', 'b'],
    ],
    ['an expiry before the end of a period', [renewed('b'), until('c', DAY - 1)], ['c', 'b']],
    [
      'an expiry within the period of the same bucket',
      [renewed('b'), renewed('c', { expiresAt: START + HOUR })],
      ['c', 'b'],
    ],
    ['so long from now as it would last', [until('b', 2 * HOUR), lasts('c', HOUR)], ['c', 'b']],
    ['none at all comes last', [endless, lasts('b', 400 * DAY), renewed('c')], ['c', 'b', 'a']],
    ['alike: by id', [renewed('c'), lasts('b', DAY), until('d', DAY)], ['b', 'c', 'd']],
    [
      'a lower priority comes first, whatever ends',
      [renewed('c'), bundle('d', { priority: 1 })],
      ['d', 'c'],
    ],
  ])('%s', (_, buckets, order) => {
    expect(drawnFrom(buckets)).toEqual(order);
    expect(drawnFrom(buckets.toReversed())).toEqual(order);
  });

  test('a use that has begun ends before one that would begin now', () => {
    const till = tillOf([lasts('b', 3 * HOUR), lasts('c', 2 * HOUR), main], { b: 90, c: 40 });
    till.ask(requestOf('initial', 0, [ask]));
    const first = till.session()!.services[0]!.grant!.parts;
    expect(first.map(({ bucket }) => bucket)).toEqual(['c']);
    till.ask(requestOf('update', 1, [reports(40)]));
    expect(till.session()!.services[0]!.grant!.parts.map(({ bucket }) => bucket)).toEqual(['b']);
    expect([till.counters['p:b'], till.counters['p:c']]).toEqual([
      ...[START + 3 * HOUR, START + 2 * HOUR],
    ]);
  });

  test('money that is renewed too, but never after the last to pay', () => {
    const extra: Bucket = { ...main, id: 'k', paysFor: ['data'] };
    const rest: Bucket = { ...main, renewal: daily() };
    expect(drawnFrom([extra, { ...main, id: 'l', paysFor: ['data'], renewal: daily() }])).toEqual([
      ...['l', 'k'],
    ]);
    const till = tillOf([{ ...extra, id: 'a' }, rest], { a: 4, main: 100 });
    till.ask(requestOf('initial', 0, [ask]));
    expect(till.session()!.services[0]!.grant!.parts[0]!.bucket).toBe('a');
  });

  test('usage beyond a grant is taken in that order, too', () => {
    const till = tillOf([until('b', 2 * DAY), renewed('c'), main], { b: 20, c: 45 });
    till.ask(requestOf('initial', 0, [ask]));
    till.ask(requestOf('termination', 1, [reports(50, 0)]));
    expect([till.available('b'), till.available('c')]).toEqual([15, 0]);
  });

  test('a period that decided it is a condition, though nothing is drawn there', () => {
    const buckets = [until('b', 2 * HOUR), lasts('c', 3 * HOUR), main];
    const till = tillOf(buckets, { b: 40, c: 40 });
    const decision = till.decide(requestOf('initial', 0, [ask]));
    if (decision.kind !== 'change') throw new Error(decision.kind);
    expect(on(decision.movements, periodField('c'))).toMatchObject({ delta: 0, max: 0 });
    const others = tillOf([buckets[0]!, lasts('c', HOUR), main], { b: 40, c: 40 });
    others.ask(requestOf('initial', 0, [ask]));
    expect(others.reserved('c')).toBe(40);
  });
});
