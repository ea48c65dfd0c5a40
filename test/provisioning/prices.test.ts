/** Prices as written: every form of them, and what contradicts itself. */
import { expect, test } from 'vitest';
import type { Price } from '../../src/charging/plan.ts';
import { problems, ruleOf } from './tenant-of.ts';

const rule = (price: string, unit = 'octets', size = '100 MB') =>
  `unit: ${unit}, price: ${price}, quota: { size: ${size} }`;
const priceOf = (price: string, unit?: string, size?: string): Price | undefined =>
  ruleOf(rule(price, unit, size)).price;
const problemsOf = (price: string, unit?: string, size?: string) =>
  problems.rule(rule(price, unit, size));

test('amount, per and increment', () => {
  expect(priceOf("{ amount: '0.05', per: 1 MB }")).toEqual({
    amount: 5,
    per: 1_000_000,
    increment: 1_000_000,
  });
  expect(priceOf("{ amount: '0.05', per: 1 MB, increment: 10 kB }")).toEqual({
    amount: 5,
    per: 1_000_000,
    increment: 10_000,
  });
});

test('a connection fee, a minimum, and increments that begin anew with each report', () => {
  const text = "{ amount: '0.09', per: 1 min, increment: 1 s, fee: '0.15', minimum: 60 s }";
  expect(priceOf(text, 'seconds', '5 min')).toEqual({
    amount: 9,
    per: 60,
    increment: 1,
    fee: 15,
    minimum: 60,
  });
  expect(priceOf("{ amount: '1', per: 1, increments: report }", 'units', '5')).toEqual({
    amount: 100,
    per: 1,
    increment: 1,
    eachReport: true,
  });
  expect(priceOf("{ amount: '1', per: 1, increments: session }", 'units', '5')).not.toHaveProperty(
    'eachReport',
  );
});

test('a fee alone: one amount however much is used, or up to a tier', () => {
  const tiers = "tiers: [{ from: 5 MB, amount: '0.01', per: 1 MB }]";
  expect(priceOf(`{ fee: '0.20', ${tiers} }`)?.bands).toEqual([
    { from: 5e6, amount: 1, per: 1e6, increment: 1e6 },
  ]);
  expect(priceOf("{ fee: '0.20' }")).toEqual({ amount: 0, per: 1, increment: 1, fee: 20 });
});

test('free units are a first band that costs nothing', () => {
  const free = { amount: 0, per: 1, increment: 1 };
  expect(priceOf("{ amount: '0.05', per: 1 MB, free: 20 MB }")).toEqual({
    ...free,
    bands: [{ from: 20_000_000, amount: 5, per: 1_000_000, increment: 1_000_000 }],
  });
  const text = "{ amount: '0.05', per: 1 MB, free: 20 MB, minimum: 30 MB }";
  expect(priceOf(text)).toMatchObject({ ...free, minimum: 30_000_000 });
});

test('tiers: what they do not say is what the price says', () => {
  const text = `{ amount: '0.05', per: 1 MB, increment: 10 kB, tiers: [
    { from: 10 MB, amount: '0.03' },
    { from: 20 MB, amount: '1', per: 100 MB, fee: '0.50' },
    { from: 30 MB, amount: '0', increment: 1 MB }] }`;
  expect(priceOf(text)).toEqual({
    amount: 5,
    per: 1_000_000,
    increment: 10_000,
    bands: [
      { from: 10_000_000, amount: 3, per: 1_000_000, increment: 10_000 },
      { from: 20_000_000, amount: 100, per: 100_000_000, increment: 100_000_000, fee: 50 },
      { from: 30_000_000, amount: 0, per: 1_000_000, increment: 1_000_000 },
    ],
  });
});

test('tiers may begin with nothing, and follow free units', () => {
  const tiers = "tiers: [{ from: 10 MB, amount: '0.03' }]";
  expect(priceOf(`{ amount: '0', per: 1 MB, ${tiers} }`)).toMatchObject({ amount: 0 });
  const price = priceOf(`{ amount: '0.05', per: 1 MB, free: 5 MB, ${tiers} }`);
  expect(price?.bands?.map(({ from, amount }) => [from, amount])).toEqual([
    [5_000_000, 5],
    [10_000_000, 3],
  ]);
});

test('steps: each costs what it is more than the one before', () => {
  const flat = { amount: 0, per: 1, increment: 1 };
  const text = "{ steps: [{ amount: '1.99' }, { from: 50 MB, amount: '2.99' }] }";
  expect(priceOf(text)).toEqual({ ...flat, fee: 199, bands: [{ ...flat, from: 5e7, fee: 100 }] });
  const free = "{ steps: [{ from: 0, amount: '0' }, { from: 1 MB, amount: '1' }] }";
  expect(priceOf(free)).toEqual({ ...flat, bands: [{ ...flat, from: 1e6, fee: 100 }] });
  expect(priceOf("{ steps: [{ amount: '3' }] }")).toEqual({ ...flat, fee: 300 });
});

test.each<[what: string, price: string, problems: string[]]>([
  ['nothing', '{}', ['price: found {}, expected a price']],
  ['an amount for nothing', "{ amount: '1' }", ['per: found nothing']],
  ['units for nothing', '{ per: 1 MB }', ['amount: found nothing']],
  ['a price of nothing', "{ amount: '0', per: 1 MB }", ["amount: found '0', expected more than 0"]],
  ['a fee of nothing', "{ fee: '0' }", ["fee: found '0', expected more than 0"]],
  [
    'tiers of nothing',
    "{ amount: '0', per: 1 MB, tiers: [{ from: 1 MB, amount: '0' }] }",
    ["price: found a price of nothing, expected 'free: true' in place of the price"],
  ],
  [
    'a fee with free units',
    "{ amount: '1', per: 1 MB, fee: '1', free: 1 MB }",
    ['fee: found fee beside free, expected no fee with free units: a tier may have one'],
  ],
  [
    'a minimum among free units',
    "{ amount: '1', per: 1 MB, minimum: 1 MB, free: 1 MB }",
    ["minimum: found '1 MB', expected more than the free units, '1 MB'"],
  ],
  [
    'a fee alone with a minimum',
    "{ fee: '1', minimum: 1 MB }",
    ['minimum: found minimum beside fee, expected one of them only'],
  ],
  [
    'a tier after a fee alone, for no units',
    "{ fee: '1', tiers: [{ from: 1 MB, amount: '1' }] }",
    ['tiers[0].per: found nothing, expected the units that `amount` is for'],
  ],
  [
    'a first step that was refused',
    "{ steps: [{ amount: 1 }, { from: 1 MB, amount: '1' }] }",
    ["steps[0].amount: found 1, expected an amount of money in quotes, such as '0.05'"],
  ],
  [
    'tiers that do not rise',
    "{ amount: '1', per: 1 MB, tiers: [{ from: 2 MB, amount: '1' }, { from: 2 MB, amount: '2' }] }",
    ["tiers[1].from: found '2 MB', expected more than '2 MB'"],
  ],
  [
    'a tier among free units',
    "{ amount: '1', per: 1 MB, free: 3 MB, tiers: [{ from: 2 MB, amount: '1' }] }",
    ["tiers[0].from: found '2 MB', expected more than '3 MB'"],
  ],
  [
    'a tier from the beginning',
    "{ amount: '1', per: 1 MB, tiers: [{ from: 0, amount: '1' }] }",
    ['tiers[0].from: found 0, expected more than 0'],
  ],
  [
    'a tier in larger steps than a grant',
    "{ amount: '1', per: 1 MB, tiers: [{ from: 1 MB, amount: '1', per: 1 GB }] }",
    ["tiers[0].per: found steps of '1 GB', expected at most the quota's size, '100 MB'"],
  ],
  [
    'steps with tiers and an amount',
    "{ amount: '1', per: 1 MB, tiers: [{ from: 1, amount: '1' }], steps: [{ amount: '1' }] }",
    [
      'amount: found amount beside steps, expected one of them only',
      'per: found per beside steps, expected one of them only',
      'tiers: found tiers beside steps, expected one of them only',
    ],
  ],
  [
    'a first step that begins late',
    "{ steps: [{ from: 1 MB, amount: '1' }] }",
    ["steps[0].from: found '1 MB', expected 0 in the first step"],
  ],
  [
    'steps that do not rise',
    "{ steps: [{ amount: '2' }, { from: 1 MB, amount: '2' }, { amount: '3' }] }",
    [
      "steps[1].amount: found '2', expected more than the step before it costs",
      "steps[2].from: found nothing, expected more than '1 MB'",
    ],
  ],
  [
    'steps of nothing',
    "{ steps: [{ amount: '0' }] }",
    ["price: found a price of nothing, expected 'free: true' in place of the price"],
  ],
  [
    'more tiers than there are bands',
    `{ amount: '1', per: 1, free: 1, tiers: [${Array.from(
      { length: 16 },
      (_, i) => `{ from: ${i + 2}, amount: '1' }`,
    ).join()}] }`,
    ['tiers: found 17 tiers beyond the first, free units included, expected at most 16'],
  ],
  [
    'another word for increments',
    "{ amount: '1', per: 1, increments: day }",
    ["increments: found 'day', expected session or report"],
  ],
])('%s', (_, price, expected) => {
  const got = problemsOf(price).map((problem) => problem.replace(/^price\./, ''));
  expect(got).toHaveLength(expected.length);
  for (const [i, problem] of expected.entries()) expect(got[i]).toContain(problem);
});
