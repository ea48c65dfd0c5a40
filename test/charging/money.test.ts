/** Exact integers: no figure is rounded by a double, and none leaves +-(2^53 - 1). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { add, clampUnits, LIMIT, mulDivCeil, roundUp } from '../../src/charging/money.ts';

const amount = fc.oneof(fc.maxSafeNat(), fc.nat(1000), fc.integer({ min: LIMIT - 9, max: LIMIT }));
const positive = amount.filter((value) => value > 0);
const saturated = (value: bigint): number => Number(value > BigInt(LIMIT) ? BigInt(LIMIT) : value);

describe('exact arithmetic', () => {
  test('clampUnits keeps what fits and says what was cut off', () => {
    expect(clampUnits(2n ** 64n - 1n)).toEqual({
      units: LIMIT,
      excess: 2n ** 64n - 1n - BigInt(LIMIT),
    });
    expect(clampUnits(BigInt(LIMIT))).toEqual({ units: LIMIT, excess: 0n });
    expect(clampUnits(-1n)).toEqual({ units: 0, excess: 0n });
  });

  test('products and quotients are those of whole numbers of any size', () => {
    fc.assert(
      fc.property(amount, amount, positive, (a, b, divisor) => {
        const product = BigInt(a) * BigInt(b);
        const by = BigInt(divisor);
        expect(mulDivCeil(a, b, divisor)).toBe(saturated((product + by - 1n) / by));
      }),
    );
  });

  test('a sum stops at either end of the range', () => {
    expect(add(LIMIT, 1)).toBe(LIMIT);
    expect(add(-LIMIT, -1)).toBe(-LIMIT);
    expect(add(LIMIT, -LIMIT)).toBe(0);
  });

  test('rounding up gives the next multiple, or the end of the range', () => {
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.integer({ min: 1, max: 1000 }), (units, increment) => {
        const rounded = roundUp(units, increment);
        expect(rounded % increment).toBe(0);
        expect(rounded - units).toBeGreaterThanOrEqual(0);
        expect(rounded - units).toBeLessThan(increment);
      }),
    );
    expect(roundUp(LIMIT - 1, 1000)).toBe(LIMIT);
  });
});
