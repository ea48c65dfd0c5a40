/** Prices: the parts of a session's usage cost together what the whole costs, rounded up once. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMIT } from '../../src/charging/money.ts';
import type { Price } from '../../src/charging/plan.ts';
import { affordable, costOf, costOfMore } from '../../src/charging/rating.ts';

const price: fc.Arbitrary<Price> = fc.record({
  amount: fc.oneof(fc.integer({ min: 1, max: 5000 }), fc.integer({ min: 1, max: LIMIT })),
  per: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 2_000_000 })),
  increment: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 2_000_000 })),
});
const units = fc.oneof(fc.nat(100), fc.nat(10_000_000), fc.maxSafeNat());

/** The price by its definition: whole increments, rounded up to the smallest unit of money. */
function priceOf({ amount, per, increment }: Price, used: bigint): bigint {
  let counted = used;
  if (counted % BigInt(increment) !== 0n)
    counted += BigInt(increment) - (counted % BigInt(increment));
  const product = counted * BigInt(amount);
  return product / BigInt(per) + (product % BigInt(per) === 0n ? 0n : 1n);
}

const cut = (value: bigint): number => Number(value > BigInt(LIMIT) ? BigInt(LIMIT) : value);

describe('rating', () => {
  test('the price of a whole, up to 2^53 - 1', () => {
    fc.assert(
      fc.property(price, units, (at, used) => {
        expect(costOf(at, used)).toBe(cut(priceOf(at, BigInt(used))));
      }),
    );
  });

  test('however usage is split into reports, the parts sum up to the price of the whole', () => {
    fc.assert(
      fc.property(price, fc.array(fc.nat(3_000_000), { maxLength: 30 }), (at, reports) => {
        const whole = reports.reduce((sum, report) => sum + BigInt(report), 0n);
        fc.pre(priceOf(at, whole) <= BigInt(LIMIT));
        let rated = 0;
        let sum = 0;
        for (const report of reports) {
          sum += costOfMore(at, rated, report);
          rated += report;
        }
        expect(sum).toBe(Number(priceOf(at, whole)));
      }),
    );
  });

  test('what came before makes later usage neither free nor dearer, at any size', () => {
    fc.assert(
      fc.property(price, units, units, (at, rated, more) => {
        const before = priceOf(at, BigInt(rated));
        const after = priceOf(at, BigInt(rated) + BigInt(more));
        expect(costOfMore(at, rated, more)).toBe(cut(after - before));
      }),
    );
    expect(costOfMore({ amount: 5, per: 1, increment: 1 }, LIMIT, 10)).toBe(50);
  });

  test('affordable is the most that a budget pays for', () => {
    fc.assert(
      fc.property(price, units, units, units, (at, rated, budget, wanted) => {
        const most = affordable(at, { rated, budget, wanted });
        const cost = (count: number) =>
          priceOf(at, BigInt(rated) + BigInt(count)) - priceOf(at, BigInt(rated));
        expect(most).toBeGreaterThanOrEqual(0);
        expect(most).toBeLessThanOrEqual(wanted);
        expect(cost(most)).toBeLessThanOrEqual(BigInt(budget));
        if (most < wanted) expect(cost(most + 1)).toBeGreaterThan(BigInt(budget));
      }),
    );
  });

  test('the rest of an increment that has begun is paid for: it is affordable with nothing', () => {
    const at = { amount: 10, per: 100, increment: 100 };
    expect(affordable(at, { rated: 30, budget: 0, wanted: 500 })).toBe(70);
    expect(affordable(at, { rated: 30, budget: -40, wanted: 500 })).toBe(70);
    expect(affordable(at, { rated: 30, budget: 9, wanted: 500 })).toBe(70);
    expect(affordable(at, { rated: 30, budget: 10, wanted: 500 })).toBe(170);
  });
});
