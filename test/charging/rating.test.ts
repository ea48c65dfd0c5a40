/**
 * Prices: the parts of a session's usage cost together what the whole costs, to the smallest unit
 * of money. The model below counts unit by unit of money in integers of any size, band after band,
 * and finds what is affordable by trying.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LIMIT } from '../../src/charging/money.ts';
import type { Price, Rate } from '../../src/charging/plan.ts';
import { affordable, basisOf, costOf, costOfMore } from '../../src/charging/rating.ts';

const amount = fc.oneof(
  fc.constant(0),
  fc.integer({ min: 1, max: 5000 }),
  fc.integer({ min: 1, max: LIMIT }),
);
const size = fc.oneof(
  fc.constant(1),
  fc.integer({ min: 1, max: 100 }),
  fc.integer({ min: 1, max: 2_000_000 }),
);
const fee = fc.option(fc.oneof(fc.nat(500), fc.maxSafeNat()), { nil: undefined });
const rate: fc.Arbitrary<Rate> = fc.record({ amount, per: size, increment: size, fee }).map(plain);
const units = fc.oneof(
  fc.nat(3),
  fc.nat(100),
  fc.nat(10_000_000),
  fc.maxSafeNat(),
  fc.nat(100).map((less) => LIMIT - less),
);
const plainPrice: fc.Arbitrary<Price> = fc.record({ amount, per: size, increment: size });
const steps = fc.oneof(
  fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 4 }),
  fc.array(fc.integer({ min: 1, max: 4_000_000 }), { maxLength: 16 }),
  fc.array(fc.integer({ min: 1, max: 2 ** 49 }), { maxLength: 15 }),
);
const banded: fc.Arbitrary<Price> = fc
  .record({
    rate,
    minimum: fc.option(units, { nil: undefined }),
    steps,
    rates: fc.array(rate, { minLength: 16, maxLength: 16 }),
  })
  .map(({ rate, minimum, steps, rates }) => {
    let from = 0;
    const bands = steps.map((step, at) => {
      from += step;
      return { from, ...rates[at]! };
    });
    return plain({ ...rate, minimum, bands: bands.length === 0 ? undefined : bands });
  });
const price = fc.oneof(plainPrice, banded);

/** Without the members that are undefined. */
function plain<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(
    Object.entries(value).filter(([, member]) => member !== undefined),
  ) as never;
}

/** F by its definition. */
function model(price: Price, used: bigint): bigint {
  if (used === 0n) return 0n;
  let unrated = used;
  if (unrated < BigInt(price.minimum ?? 0)) unrated = BigInt(price.minimum ?? 0);
  const bands = [{ ...price, from: 0 }, ...(price.bands ?? [])];
  let cost = 0n;
  for (let at = 0; at < bands.length && unrated > 0n; at++) {
    const band = bands[at]!;
    const next = bands[at + 1];
    let here = unrated;
    if (next !== undefined && here > BigInt(next.from - band.from))
      here = BigInt(next.from - band.from);
    unrated -= here;
    let counted = here;
    while (counted % BigInt(band.increment) !== 0n)
      counted += BigInt(band.increment) - (counted % BigInt(band.increment));
    const product = counted * BigInt(band.amount);
    const quotient = product / BigInt(band.per);
    cost += BigInt(band.fee ?? 0) + quotient;
    if (quotient * BigInt(band.per) < product) cost += 1n;
  }
  return cost;
}

const cut = (value: bigint): number => Number(value > BigInt(LIMIT) ? BigInt(LIMIT) : value);

describe('the cost of a whole', () => {
  test('is as defined, up to 2^53 - 1, for any price', () => {
    fc.assert(
      fc.property(price, units, (at, used) => {
        expect(costOf(at, used)).toBe(cut(model(at, BigInt(used))));
      }),
      { numRuns: 1_000 },
    );
  });

  test('never falls with more units', () => {
    fc.assert(
      fc.property(price, units, units, (at, one, other) => {
        const [less, more] = [Math.min(one, other), Math.max(one, other)];
        expect(costOf(at, less)).toBeLessThanOrEqual(costOf(at, more));
      }),
    );
  });

  test.each<[string, Price, [units: number, cost: number][]]>([
    [
      'a price for each increment begun',
      { amount: 7, per: 100, increment: 30 },
      [
        [0, 0],
        [1, 3],
        [30, 3],
        [31, 5],
      ],
    ],
    [
      'a connection fee with the first unit',
      { amount: 10, per: 60, increment: 1, fee: 15 },
      [
        [0, 0],
        [1, 16],
        [60, 25],
      ],
    ],
    [
      'nothing but a fee',
      { amount: 0, per: 1, increment: 1, fee: 99 },
      [
        [0, 0],
        [1, 99],
        [LIMIT, 99],
      ],
    ],
    [
      'a minimum of a minute, then by the second',
      { amount: 1, per: 1, increment: 1, minimum: 60 },
      [
        [1, 60],
        [60, 60],
        [61, 61],
      ],
    ],
    [
      'free units, then paid ones',
      { amount: 0, per: 1, increment: 1, bands: [{ from: 100, amount: 3, per: 1, increment: 1 }] },
      [
        [100, 0],
        [101, 3],
        [200, 300],
      ],
    ],
    [
      'a minimum that reaches the second band, whose stair it so costs',
      {
        amount: 1,
        per: 1,
        increment: 1,
        minimum: 15,
        bands: [{ from: 10, amount: 2, per: 1, increment: 10, fee: 100 }],
      },
      [
        [1, 10 + 100 + 20],
        [20, 10 + 100 + 20],
        [21, 10 + 100 + 40],
      ],
    ],
    [
      'increments that each band counts for itself',
      {
        amount: 1,
        per: 1,
        increment: 60,
        bands: [{ from: 100, amount: 1, per: 1, increment: 60 }],
      },
      [
        [100, 120],
        [101, 180],
      ],
    ],
    ['nothing, for nothing', { amount: 0, per: 1, increment: 1 }, [[LIMIT, 0]]],
    ['more than can be counted', { amount: LIMIT, per: 1, increment: 1 }, [[2, LIMIT]]],
    [
      'an increment that cannot be filled any more',
      { amount: 1, per: 1, increment: 10, bands: [{ from: 5, amount: 1, per: 8, increment: 64 }] },
      [[LIMIT, 10 + 2 ** 50]],
    ],
  ])('%s', (_, at, examples) => {
    for (const [used, cost] of examples) expect([used, costOf(at, used)]).toEqual([used, cost]);
  });
});

describe('the cost of a part', () => {
  test('however usage is split into reports, the parts sum up to the whole exactly', () => {
    fc.assert(
      fc.property(price, fc.array(fc.nat(3_000_000), { maxLength: 30 }), (at, reports) => {
        const whole = reports.reduce((sum, report) => sum + BigInt(report), 0n);
        fc.pre(model(at, whole) <= BigInt(LIMIT));
        let rated = 0;
        let sum = 0;
        for (const report of reports) {
          sum += costOfMore(at, rated, report);
          rated += report;
        }
        expect(sum).toBe(Number(model(at, whole)));
      }),
    );
  });

  test('what came before makes later usage neither free nor dearer, at any size', () => {
    fc.assert(
      fc.property(price, units, units, (at, rated, more) => {
        const before = model(at, BigInt(rated));
        const after = model(at, BigInt(rated) + BigInt(more));
        expect(costOfMore(at, rated, more)).toBe(cut(after - before));
      }),
      { numRuns: 1_000 },
    );
    expect(costOfMore({ amount: 5, per: 1, increment: 1 }, LIMIT, 10)).toBe(50);
    const stair = { amount: 0, per: 1, increment: 1, fee: LIMIT };
    const bands = [{ from: 1, amount: 1, per: 1, increment: 1, fee: 5 }];
    expect(costOfMore({ ...stair, bands }, 1, 2)).toBe(7);
  });
});

describe('what a budget pays for', () => {
  test('is the most that costs no more than it', () => {
    fc.assert(
      fc.property(price, units, units, units, (at, rated, budget, wanted) => {
        const most = affordable(at, { rated, budget, wanted });
        const cost = (count: number) =>
          model(at, BigInt(rated) + BigInt(count)) - model(at, BigInt(rated));
        expect(most).toBeGreaterThanOrEqual(0);
        expect(most).toBeLessThanOrEqual(wanted);
        expect(cost(most)).toBeLessThanOrEqual(BigInt(budget));
        if (most < wanted) expect(cost(most + 1)).toBeGreaterThan(BigInt(budget));
      }),
      { numRuns: 2_000 },
    );
  });

  test('is the inverse of what units cost: at their very cost, and one less', () => {
    fc.assert(
      fc.property(price, fc.nat(5_000_000), fc.nat(5_000_000), (at, rated, count) => {
        const cost = costOfMore(at, rated, count);
        fc.pre(cost < LIMIT);
        const wanted = 10_000_000;
        const most = affordable(at, { rated, budget: cost, wanted });
        expect(most).toBeGreaterThanOrEqual(count);
        expect(costOfMore(at, rated, most)).toBe(cost);
        if (cost > 0)
          expect(affordable(at, { rated, budget: cost - 1, wanted })).toBeLessThan(count);
      }),
      { numRuns: 1_000 },
    );
  });

  test('the rest of an increment that has begun is paid for: it is affordable with nothing', () => {
    const at = { amount: 10, per: 100, increment: 100 };
    expect(affordable(at, { rated: 30, budget: 0, wanted: 500 })).toBe(70);
    expect(affordable(at, { rated: 30, budget: -40, wanted: 500 })).toBe(70);
    expect(affordable(at, { rated: 30, budget: 9, wanted: 500 })).toBe(70);
    expect(affordable(at, { rated: 30, budget: 10, wanted: 500 })).toBe(170);
  });

  test('so is the rest of a minimum, and before it nothing unless all of it is paid', () => {
    const at = { amount: 1, per: 1, increment: 1, fee: 5, minimum: 60 };
    expect(affordable(at, { rated: 0, budget: 64, wanted: 10 })).toBe(0);
    expect(affordable(at, { rated: 0, budget: 65, wanted: 10 })).toBe(10);
    expect(affordable(at, { rated: 10, budget: 0, wanted: 500 })).toBe(50);
  });

  test('the stair of a band is paid before its first unit', () => {
    const bands = [{ from: 10, amount: 0, per: 1, increment: 1, fee: 100 }];
    const at = { amount: 1, per: 1, increment: 1, bands };
    expect(affordable(at, { rated: 0, budget: 109, wanted: 500 })).toBe(10);
    expect(affordable(at, { rated: 0, budget: 110, wanted: 500 })).toBe(500);
    expect(affordable(at, { rated: 10, budget: 99, wanted: 500 })).toBe(0);
  });
});

describe('a price that begins anew with each report', () => {
  test('has its basis at 0; another where the session has come to', () => {
    const at = { amount: 1, per: 1, increment: 60 };
    expect(basisOf({ ...at, eachReport: true }, 90)).toBe(0);
    expect(basisOf(at, 90)).toBe(90);
    expect(basisOf(undefined, 90)).toBe(90);
  });

  test('k reports cost no less than one, and at most (k - 1) x (F(1) + 1) more', () => {
    const oneBand = fc
      .record({
        amount: fc.nat(5_000),
        per: size,
        increment: size,
        fee: fc.option(fc.nat(500), { nil: undefined }),
        minimum: fc.option(fc.nat(5_000), { nil: undefined }),
        eachReport: fc.constant(true),
      })
      .map(plain);
    const reports = fc.array(fc.integer({ min: 1, max: 30_000 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(oneBand, reports, (at, reports) => {
        let rated = 0;
        let sum = 0;
        for (const report of reports) {
          sum += costOfMore(at, basisOf(at, rated), report);
          rated += report;
        }
        const more = sum - costOf(at, rated);
        expect(more).toBeGreaterThanOrEqual(0);
        expect(more).toBeLessThanOrEqual((reports.length - 1) * (costOf(at, 1) + 1));
      }),
      { numRuns: 1_000 },
    );
  });

  test('the bound is reached', () => {
    const at: Price = { amount: 51, per: 1_000, increment: 10, fee: 4, eachReport: true };
    expect(costOf(at, 11) + costOf(at, 19) - costOf(at, 30)).toBe(costOf(at, 1) + 1);
  });
});
