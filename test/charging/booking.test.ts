/** Bookings on buckets that time changes: what is due comes first, in the same record. */
import { describe, expect, test } from 'vitest';
import type { Bucket, Renewal } from '../../src/charging/account.ts';
import { type Booking, stepBooking } from '../../src/charging/booking.ts';
import { LIMIT } from '../../src/charging/money.ts';
import { bundle, main, START, Till } from './till.ts';

const DAY = 86_400_000;
const daily: Renewal = { every: 'day', from: START, timeZone: 'UTC', amount: 100, rollover: 0 };

function book(buckets: readonly Bucket[], days: number, part: Partial<Booking>) {
  const till = new Till({ buckets: [...buckets, main], openings: { b: 70 } });
  const booking: Booking = { kind: 'topup', bucket: 'b', amount: 5, key: 'k', ...part };
  const decision = stepBooking(booking, till.account(), START + days * DAY);
  if (decision.kind === 'change') {
    till.move(decision.movements);
    till.records.push(decision.record);
    till.check();
  }
  return { till, decision };
}

describe('a top-up', () => {
  test('after the end of a period belongs to the next', () => {
    const { till, decision } = book([bundle('b', { renewal: daily })], 1, {});
    expect(till.available('b')).toBe(105);
    expect(decision).toMatchObject({
      record: {
        changes: [
          { bucket: 'b', cause: 'expiry', available: -70 },
          { bucket: 'b', cause: 'renewal', available: 100 },
          { bucket: 'b', cause: 'topup', available: 5 },
        ],
      },
    });
  });

  test('within a period holds only in that period', () => {
    const { decision } = book([bundle('b', { renewal: daily })], 0, {});
    expect(decision).toMatchObject({
      movements: [
        { field: 'p:b', delta: 0, max: START + DAY },
        { field: 'a:b', delta: 5, max: LIMIT - 5 },
      ],
    });
  });

  test('does not begin a bucket that lasts from its first use, and is refused once that is over', () => {
    const pass = bundle('b', { lastsMs: DAY });
    expect(book([pass], 40, {}).till.counters['p:b']).toBe(0);
    const till = new Till({ buckets: [pass, main], openings: { b: 70 } });
    till.counters['p:b'] = START + DAY;
    const booking: Booking = { kind: 'topup', bucket: 'b', amount: 5, key: 'k' };
    expect(stepBooking(booking, till.account(), START + DAY)).toEqual({
      kind: 'refused',
      reason: 'bucket-expired',
    });
  });

  test('raises what a subscriber may use', () => {
    const { till } = book([bundle('b', { limits: ['imsi:1'] })], 0, {});
    expect(till.available('b')).toBe(75);
  });

  test('expires with its record what other buckets had', () => {
    const { till } = book([bundle('b', { expiresAt: START + 1 })], 1, { bucket: 'main' });
    expect([till.available('b'), till.available('main')]).toEqual([0, 5]);
  });
});

describe('an adjustment', () => {
  test('takes from what the new period brought, and no more', () => {
    const buckets = [bundle('b', { renewal: daily })];
    const { till, decision } = book(buckets, 1, { kind: 'adjustment', amount: -100 });
    expect(till.available('b')).toBe(0);
    expect(decision).toMatchObject({
      movements: [{ field: 'p:b' }, { field: 'a:b', delta: -70, max: 70, min: 0 }],
    });
    expect(book(buckets, 1, { kind: 'adjustment', amount: -101 }).decision).toEqual({
      kind: 'refused',
      reason: 'below-floor',
    });
  });
});
