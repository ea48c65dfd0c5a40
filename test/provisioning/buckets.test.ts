/** Buckets, limits and subscribers as written. */
import { expect, test } from 'vitest';
import { periodEnd } from '../../src/charging/calendar.ts';
import { accountOf, problems } from './tenant-of.ts';

const bucketOf = (members: string) => {
  const { definition, openings } = accountOf(`buckets: [{ id: b, ${members} }]`);
  return { bucket: definition.buckets.find(({ id }) => id === 'b'), opening: openings.b };
};
const bucketProblems = (members: string) => problems.account(`buckets: [{ id: b, ${members} }]`);
/** The end of the period that `at` lies in, as ISO 8601. */
const ends = (members: string, at: string) => {
  const renewal = bucketOf(members).bucket?.renewal;
  return renewal && new Date(periodEnd(renewal, Date.parse(at))).toISOString();
};

test('from when to when', () => {
  const text = "unit: octets, starts: '2026-01-01T00:00:00Z', expires: '2027-01-01T00:00:00+01:00'";
  expect(bucketOf(text).bucket).toMatchObject({
    startsAt: Date.UTC(2026, 0, 1),
    expiresAt: Date.UTC(2026, 11, 31, 23),
  });
  expect(bucketOf('unit: octets, lasts: 24 h').bucket).toMatchObject({ lastsMs: 86_400_000 });
});

test('a renewal adds its amount, or the opening', () => {
  expect(bucketOf('unit: octets, opening: 1 GB, renewal: { every: month }')).toMatchObject({
    bucket: { renewal: { every: 'month', timeZone: 'Europe/Berlin', amount: 1e9, rollover: 0 } },
    opening: 1e9,
  });
  const text = 'unit: octets, renewal: { every: day, amount: 1 GB, rollover: 500 MB }';
  expect(bucketOf(text)).toMatchObject({
    bucket: { renewal: { amount: 1e9, rollover: 5e8 } },
    opening: 1e9,
  });
  const empty = "unit: money, opening: '0', renewal: { every: week, amount: '5', rollover: all }";
  expect(bucketOf(empty)).toMatchObject({
    bucket: { renewal: { amount: 500, rollover: Number.MAX_SAFE_INTEGER } },
    opening: 0,
  });
});

test('periods begin at local midnight, on the day that is written, or at a time', () => {
  const renewal = (members: string) => `unit: octets, opening: 1 GB, renewal: { ${members} }`;
  const at = '2026-02-10T12:00:00Z';
  expect(ends(renewal('every: month'), at)).toBe('2026-02-28T23:00:00.000Z');
  expect(ends(renewal('every: month, on: 31'), at)).toBe('2026-02-27T23:00:00.000Z');
  expect(ends(renewal('every: month, on: 15'), '2026-06-20T00:00:00Z')).toBe(
    '2026-07-14T22:00:00.000Z',
  );
  // 2026-02-10 is a Tuesday.
  expect(ends(renewal('every: week'), at)).toBe('2026-02-15T23:00:00.000Z');
  expect(ends(renewal('every: week, on: wednesday'), at)).toBe('2026-02-10T23:00:00.000Z');
  expect(ends(renewal('every: day'), at)).toBe('2026-02-10T23:00:00.000Z');
  expect(ends(renewal('every: hour'), '2026-02-10T12:34:00Z')).toBe('2026-02-10T13:00:00.000Z');
  expect(ends(renewal("every: day, from: '2026-01-01T06:30:00Z'"), at)).toBe(
    '2026-02-11T06:30:00.000Z',
  );
  expect(ends(renewal('every: day, timeZone: America/New_York'), at)).toBe(
    '2026-02-11T05:00:00.000Z',
  );
});

test.each<[what: string, members: string, problem: string]>([
  [
    'an end before its beginning',
    "unit: octets, starts: '2026-01-02T00:00:00Z', expires: '2026-01-01T00:00:00Z'",
    "expires: found '2026-01-01T00:00:00Z', expected a time after it starts",
  ],
  [
    'two clocks',
    'unit: octets, opening: 1 GB, lasts: 1 d, renewal: { every: day }',
    'renewal: found renewal beside lasts, expected one of them only',
  ],
  ['no time at all', 'unit: octets, lasts: 0', 'lasts: found 0, expected more than 0'],
  [
    'a renewal of nothing',
    'unit: octets, renewal: { every: day }',
    'renewal.amount: found nothing, expected the amount of each period',
  ],
  [
    'a period that is none',
    'unit: octets, opening: 1 GB, renewal: { every: year }',
    "renewal.every: found 'year', expected hour, day, week or month",
  ],
  [
    'a day of the week of a month',
    'unit: octets, opening: 1 GB, renewal: { every: month, on: monday }',
    "renewal.on: found 'monday', expected a day of the month from 1 to 31",
  ],
  [
    'a day of the month of a week',
    'unit: octets, opening: 1 GB, renewal: { every: week, on: 3 }',
    'renewal.on: found 3, expected a day of the week',
  ],
  [
    'a day of a day',
    'unit: octets, opening: 1 GB, renewal: { every: day, on: 3 }',
    'renewal.on: found on with every: day, expected a day with month or week only',
  ],
  [
    'two beginnings',
    "unit: octets, opening: 1, renewal: { every: month, on: 3, from: '2026-01-01T00:00:00Z' }",
    'renewal.on: found on beside from, expected one of them only',
  ],
  [
    'a zone that is none',
    'unit: octets, opening: 1 GB, renewal: { every: day, timeZone: Europe/Berlim }',
    "renewal.timeZone: found 'Europe/Berlim', expected the name of a time zone: 'Europe/Berlin'?",
  ],
  [
    'a roll-over in another unit',
    'unit: octets, opening: 1 GB, renewal: { every: day, rollover: 5 min }',
    "renewal.rollover: found '5 min', expected a size such as",
  ],
])('%s', (_, members, problem) => {
  expect(bucketProblems(members)).toEqual([expect.stringContaining(problem)]);
});

test.each(["starts: '2026-01-01T00:00:00Z'", 'lasts: 1 d'])(
  'money that has %s is not the last bucket',
  (life) => {
    const { definition } = accountOf(`buckets: [{ id: promo, unit: money, ${life} }]`);
    expect(definition.buckets.map(({ id }) => id)).toEqual(['promo', 'main']);
  },
);

const KIM = `subscribers: [{ e164: '491', imsi: '262010', limits: [LIMIT] }, { e164: '492' }]`;
const limited = (limit: string) => accountOf(KIM.replace('LIMIT', limit));

test('limits are buckets that pay for nothing, of all identities of their subscriber', () => {
  const { definition, openings } = limited(
    "{ id: kim, unit: money, amount: '5', every: month }, { id: kim-data, unit: octets, amount: 1 GB, rules: [data] }",
  );
  expect(definition.subscribers).toEqual(['e164:491', 'imsi:262010', 'e164:492']);
  expect(definition.buckets).toEqual([
    {
      id: 'kim',
      unit: 'money',
      priority: 0,
      floor: 0,
      limits: ['e164:491', 'imsi:262010'],
      renewal: {
        every: 'month',
        from: Date.UTC(2023, 11, 31, 23),
        timeZone: 'Europe/Berlin',
        amount: 500,
        rollover: 0,
      },
    },
    {
      id: 'kim-data',
      unit: 'octets',
      priority: 0,
      floor: 0,
      limits: ['e164:491', 'imsi:262010'],
      amount: 1e9,
      paysFor: ['data'],
    },
    { id: 'main', unit: 'money', priority: 1000, floor: 0 },
  ]);
  expect(openings).toEqual({ kim: 500, 'kim-data': 1e9, main: 0 });
});

test.each<[what: string, limit: string, problem: string]>([
  [
    'a limit twice',
    "{ id: l, unit: money, amount: '5' }, { id: l, unit: money, amount: '6' }",
    "limits[1].id: found 'l', expected a name not given before",
  ],
  [
    'a day without a period',
    "{ id: l, unit: money, amount: '5', on: 3 }",
    'limits[0].on: found on without every, expected a period: hour, day, week or month',
  ],
  [
    'a zone without a period',
    "{ id: l, unit: money, amount: '5', timeZone: UTC }",
    'limits[0].timeZone: found timeZone without every, expected a period: hour, day, week or month',
  ],
  [
    'a rule that is none',
    "{ id: l, unit: money, amount: '5', rules: [dta] }",
    "limits[0].rules[0]: found 'dta', expected a rule of plan 'p': 'data'?",
  ],
  [
    'a rule of another unit',
    '{ id: l, unit: octets, amount: 1 GB, rules: [calls] }',
    "limits[0].rules[0]: found 'calls', which counts seconds, expected a rule that counts octets",
  ],
  ['a limit without amount', '{ id: l, unit: octets }', 'limits[0].amount: found nothing'],
])('%s', (_, limit, problem) => {
  const found = problems.account(KIM.replace('LIMIT', limit));
  expect(found).toEqual([expect.stringContaining(`subscribers[0].${problem}`)]);
});

test('a subscriber has an identity', () => {
  const text = "subscribers: [{ limits: [{ id: l, unit: money, amount: '5' }] }]";
  expect(problems.account(text)).toEqual([
    'subscribers[0]: found no identity, expected at least one of e164, imsi, sip, nai, private',
  ]);
});

test('limits count among the buckets', () => {
  const buckets = Array.from({ length: 60 }, (_, i) => `{ id: b${i}, unit: octets }`);
  const limits = Array.from({ length: 4 }, (_, i) => `{ id: l${i}, unit: octets, amount: 1 }`);
  const text = `buckets: [${buckets}], subscribers: [{ e164: '1', limits: [${limits}] }]`;
  expect(problems.account(text)).toEqual([
    'tenants[0].accounts[0]: found 65 buckets and limits, expected at most 64 in all',
  ]);
});

test('of a list that is too long it is said how long it is', () => {
  const buckets = Array.from({ length: 65 }, (_, i) => `{ id: b${i}, unit: octets }`);
  expect(problems.account(`buckets: [${buckets}]`)).toEqual([
    'buckets: found a list of 65, expected a list of buckets, at most 64',
  ]);
});

test('thousands of subscribers share an account by a range', () => {
  const { definition } = accountOf(`subscribers: [{ e164: '1' }], subscriberRanges: [
    { count: 3, first: { imsi: '001010000000008', e164: '0098' } },
    { count: 9996, first: { imsi: '001020000000000' } }]`);
  expect(definition.subscribers.slice(0, 8)).toEqual([
    'e164:1',
    'e164:0098',
    'imsi:001010000000008',
    'e164:0099',
    'imsi:001010000000009',
    'e164:0100',
    'imsi:001010000000010',
    'imsi:001020000000000',
  ]);
  expect(definition.subscribers).toHaveLength(1 + 6 + 9996);
});

test.each<[what: string, ranges: string, problem: string]>([
  [
    'more subscribers than an account may have',
    "{ count: 10000, first: { imsi: '001010000000000' } }",
    'count: found 10001 subscribers with this range, expected at most 10000',
  ],
  [
    'a range beyond its digits',
    "{ count: 11, first: { e164: '990' } }",
    "first.e164: found '990', counted up by 11, expected numbers of 3 digits",
  ],
  [
    'a subscriber twice',
    "{ count: 2, first: { e164: '490' } }",
    "first.e164: found 2 numbers from '490', expected none of what",
  ],
])('%s', (_, range, problem) => {
  const text = `subscribers: [{ e164: '491' }], subscriberRanges: [${range}]`;
  expect(problems.account(text)).toEqual([
    expect.stringContaining(`subscriberRanges[0].${problem}`),
  ]);
});
