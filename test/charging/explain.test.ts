/** Explanations: what is said is what is done, and why. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explain, explainCost } from '../../src/charging/explain.ts';
import { ruleFor, type ServiceFacts } from '../../src/charging/match.ts';
import { LIMIT } from '../../src/charging/money.ts';
import type { Plan, Price, Rule } from '../../src/charging/plan.ts';
import { costOfMore } from '../../src/charging/rating.ts';

function rule(name: string, match: Rule['match'] = {}): Rule {
  return {
    name,
    match,
    unit: 'seconds',
    quota: { size: 1, minimum: 1, maximum: 1 },
    atEnd: 'deny',
    restrictedSeconds: 60,
  };
}

function planOf(rules: readonly Rule[]): Plan {
  return {
    id: 'plan',
    version: 1,
    rules,
    supervisionSeconds: 60,
    validityGraceSeconds: 60,
    timeZone: 'Europe/Berlin',
    holidays: ['2026-05-14'],
    indeterminate: 'after',
  };
}

const CONTEXT = '32260@3gpp.org';
const call: ServiceFacts = {
  context: CONTEXT,
  ratingGroup: 7,
  serviceIds: [5],
  facts: { called: '4917012', calling: '4930', visited: '26201' },
};
const NOON = Date.parse('2026-06-10T10:00Z');
const HOLIDAY = Date.parse('2026-05-13T22:00Z');

describe('the choice of a rule', () => {
  test('says of each rule that it matches, or what kept it from it', () => {
    const night = [{ from: 0, until: 360 }];
    const plan = planOf([
      rule('data', { context: ['32251@3gpp.org'] }),
      rule('other group', { ratingGroup: [1, null] }),
      rule('other service', { serviceIdentifier: [1] }),
      rule('apn', { apn: ['internet'] }),
      rule('lte', { rat: [6] }),
      rule('abroad', { visited: ['310'] }),
      rule('us', { called: ['1'] }),
      rule('caller', { calling: ['44', '1'] }),
      rule('incoming', { role: ['terminating'] }),
      rule('night', { when: night }),
      rule('all'),
      rule('germany', { called: ['49', '4'] }),
      rule('mobile', { called: ['4917'] }),
    ]);
    expect(explain(plan, call, NOON)).toEqual({
      at: NOON,
      local: { date: '2026-06-10', day: 3, dayBefore: 2, minute: 720 },
      chosen: { rule: 'mobile', by: 'called', over: 'germany' },
      rules: [
        { rule: 'mobile', called: '4917' },
        { rule: 'germany', called: '49' },
        { rule: 'all' },
        ...[
          ['data', 'context', ['32251@3gpp.org'], CONTEXT] as const,
          ['other group', 'ratingGroup', [1, null], 7] as const,
          ['other service', 'serviceIdentifier', [1], [5]] as const,
          ['apn', 'apn', ['internet'], null] as const,
          ['lte', 'rat', [6], null] as const,
          ['abroad', 'visited', ['310'], '26201'] as const,
          ['us', 'called', ['1'], '4917012'] as const,
          ['caller', 'calling', ['44', '1'], '4930'] as const,
          ['incoming', 'role', ['terminating'], null] as const,
          ['night', 'when', night, { day: 3, dayBefore: 2, minute: 720 }] as const,
        ].map(([rule, condition, wanted, found]) => ({
          rule,
          failed: { condition, wanted, found },
        })),
      ],
    });
  });

  test.each<[string, Rule[], unknown]>([
    ['the only one', [rule('a')], { rule: 'a', by: 'only' }],
    ['the first of equals', [rule('a'), rule('b')], { rule: 'a', by: 'order', over: 'b' }],
    [
      'a longer calling prefix',
      [rule('a', { calling: ['4'] }), rule('b', { calling: ['49'] })],
      { rule: 'b', by: 'calling', over: 'a' },
    ],
    [
      'any prefix rather than none',
      [rule('a'), rule('b', { called: [''] })],
      { rule: 'b', by: 'called', over: 'a' },
    ],
    ['none', [rule('a', { rat: [1] })], undefined],
  ])('%s', (_, rules, chosen) => {
    expect(explain(planOf(rules), call, NOON).chosen).toEqual(chosen);
  });

  test('a holiday is day 8', () => {
    expect(explain(planOf([]), call, HOLIDAY + 1_800_000).local).toEqual({
      date: '2026-05-14',
      day: 8,
      dayBefore: 3,
      minute: 30,
    });
    const after = Date.parse('2026-05-14T22:30Z');
    expect(explain(planOf([]), call, after).local).toMatchObject({ day: 5, dayBefore: 8 });
  });

  test('is the one by which services are rated', () => {
    const numbers = fc.uniqueArray(fc.constantFrom('4', '49', '4917', '493', '1'), {
      minLength: 1,
      maxLength: 3,
    });
    const days = fc.subarray([1, 2, 3, 4, 5, 6, 7, 8], { minLength: 1 });
    // Around the holiday, a Thursday.
    const time = fc.integer({ min: -36, max: 60 }).map((hours) => HOLIDAY + hours * 3_600_000 - 1);
    const match: fc.Arbitrary<Rule['match']> = fc.oneof(
      fc.record({ called: numbers }),
      fc.record({ calling: numbers }),
      fc.record({ called: numbers, calling: numbers }),
      fc.record({ ratingGroup: fc.constantFrom([7], [null], [1]) }),
      fc.constant({ when: [{ from: 0, until: 720 }] }),
      fc
        .record({
          days,
          from: fc.constantFrom(0, 720, 1320),
          length: fc.constantFrom(1, 480, 1440),
        })
        .map(({ days, from, length }) => ({ when: [{ days, from, until: from + length }] })),
      fc.constant({}),
    );
    fc.assert(
      fc.property(fc.array(match), time, (matches, at) => {
        const plan = planOf(matches.map((match, order) => rule(`r${order}`, match)));
        expect(explain(plan, call, at).chosen?.rule).toBe(ruleFor(plan, call, at)?.name);
      }),
    );
  });
});

describe('the cost of units', () => {
  test('band by band: fee, units, increments, rounding', () => {
    const price: Price = {
      amount: 10,
      per: 60,
      increment: 30,
      fee: 15,
      bands: [{ from: 90, amount: 7, per: 60, increment: 1, fee: 2 }],
    };
    const band = { amount: 10n, per: 60n, increment: 30n };
    const next = { from: 90n, amount: 7n, per: 60n, increment: 1n };
    expect(explainCost(price, 0, 31)).toEqual({
      before: { units: 0n, counted: 0n },
      after: { units: 31n, counted: 31n },
      bands: [
        {
          from: 0n,
          until: 90n,
          ...band,
          fee: 15n,
          before: { units: 0n, increments: 0n, amount: 0n, roundedUp: 0n },
          after: { units: 31n, increments: 2n, amount: 10n, roundedUp: 0n },
          charged: 10n,
        },
      ],
      cost: 25n,
    });
    expect(explainCost(price, 31, 69)).toEqual({
      before: { units: 31n, counted: 31n },
      after: { units: 100n, counted: 100n },
      bands: [
        {
          from: 0n,
          until: 90n,
          ...band,
          fee: 0n,
          before: { units: 31n, increments: 2n, amount: 10n, roundedUp: 0n },
          after: { units: 90n, increments: 3n, amount: 15n, roundedUp: 0n },
          charged: 5n,
        },
        {
          ...next,
          fee: 2n,
          before: { units: 0n, increments: 0n, amount: 0n, roundedUp: 0n },
          after: { units: 10n, increments: 10n, amount: 2n, roundedUp: 50n },
          charged: 2n,
        },
      ],
      cost: 9n,
    });
  });

  test('a minimum counts from the first unit', () => {
    const price: Price = { amount: 1, per: 1, increment: 1, minimum: 60 };
    const { before, after, cost } = explainCost(price, 10, 20);
    expect({ before, after, cost }).toEqual({
      before: { units: 10n, counted: 60n },
      after: { units: 30n, counted: 60n },
      cost: 0n,
    });
    expect(explainCost(price, 0, 0)).toMatchObject({ bands: [], cost: 0n });
  });

  test('is what they are charged, as far as that can be counted', () => {
    const rate = fc.record({
      amount: fc.nat(LIMIT),
      per: fc.integer({ min: 1, max: 1_000 }),
      increment: fc.integer({ min: 1, max: 1_000 }),
      fee: fc.nat(),
    });
    const units = fc.oneof(fc.nat(1_000), fc.maxSafeNat());
    fc.assert(
      fc.property(rate, rate, units, units, units, (first, second, minimum, rated, more) => {
        const price = { ...first, minimum, bands: [{ ...second, from: 500 }] };
        const { cost, bands } = explainCost(price, rated, more);
        const cut = cost > BigInt(LIMIT) ? LIMIT : Number(cost);
        expect(costOfMore(price, rated, more)).toBe(cut);
        for (const { after, per } of bands) {
          expect(after.roundedUp).toBeGreaterThanOrEqual(0n);
          expect(after.roundedUp).toBeLessThan(per);
        }
      }),
    );
  });
});
