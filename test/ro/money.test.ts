/** Unit-Value is a decimal, exactly: RFC 8506 8.8-8.10. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMIT } from '../../src/charging/money.ts';
import { amountOf, fractionsOf, rounded, unitValueOf } from '../../src/ro/money.ts';

const euro = { code: 978, digits: 2 };
const of = (digits: bigint, exponent?: number) =>
  amountOf(
    { 'Value-Digits': digits, ...(exponent === undefined ? {} : { Exponent: exponent }) },
    euro,
  );

describe('CC-Money', () => {
  test('C-165 digits and exponent, either sign', () => {
    expect(of(23n, -1)).toEqual({ amount: 230, exact: true });
    expect(of(5n, -2)).toEqual({ amount: 5, exact: true });
    expect(of(5n, 3)).toEqual({ amount: 500_000, exact: true });
    expect(of(7n)).toEqual({ amount: 700, exact: true });
    expect(of(0n, -2_147_483_648)).toEqual({ amount: 0, exact: true });
  });

  test('C-172 equal decimals are equal amounts', () => {
    expect(of(100n, -2)).toEqual(of(1n, 0));
  });

  test('a fraction of the smallest unit counts as a whole one', () => {
    expect(of(1n, -3)).toEqual({ amount: 1, exact: false });
    expect(of(1n, -2_147_483_648)).toEqual({ amount: 1, exact: false });
    expect(of(1001n, -3)).toEqual({ amount: 101, exact: false });
  });

  test('beyond 2^53 - 1 it is cut, whatever the exponent', () => {
    expect(of(2n ** 63n - 1n)).toEqual({ amount: LIMIT, exact: false });
    expect(of(1n, 2_147_483_647)).toEqual({ amount: LIMIT, exact: false });
    expect(of(BigInt(LIMIT), -2)).toEqual({ amount: LIMIT, exact: true });
  });

  test('money that is owed to the client is none', () => {
    expect(of(-1n)).toEqual({ amount: 0, exact: false });
    expect(of(-(2n ** 63n), 40)).toEqual({ amount: 0, exact: false });
  });

  test('fractions of either sign add up', () => {
    const sum = (...values: [bigint, number][]) =>
      rounded(
        values
          .map(([digits, exponent]) =>
            fractionsOf({ 'Value-Digits': digits, Exponent: exponent }, euro),
          )
          .reduce((all, one) => all + one, 0n),
      );
    expect(sum([5n, -3], [5n, -3])).toEqual({ amount: 1, exact: true });
    expect(sum([5n, -3], [-5n, -3])).toEqual({ amount: 0, exact: true });
    expect(sum([1n, 0], [-1n, -3])).toEqual({ amount: 100, exact: false });
    expect(sum([1n, 0], [-2n, 0])).toEqual({ amount: 0, exact: false });
  });

  test('every amount comes back as it was written', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), fc.integer({ min: 0, max: 4 }), (amount, digits) => {
        const currency = { code: 978, digits };
        expect(amountOf(unitValueOf(amount, currency), currency)).toEqual({ amount, exact: true });
      }),
    );
  });
});
