/** Plans as written: what they say for all of their rules, and which rules nobody reaches. */
import { expect, test } from 'vitest';
import { ruleFor } from '../../src/charging/match.ts';
import { currencyDigits } from '../../src/provisioning/currency.ts';
import { LIMITS } from '../../src/provisioning/limits.ts';
import { loadWritten } from '../../src/provisioning/load.ts';
import { planOf, problems, tenantOf } from './tenant-of.ts';

const FREE = 'unit: octets, free: true, quota: { size: 1 MB }';
const RULES = `rules: [{ name: r, ${FREE} }]`;

test('what is not written has its default', () => {
  expect(planOf(RULES)).toMatchObject({
    version: 1,
    supervisionSeconds: 86_400,
    validityGraceSeconds: 60,
    timeZone: 'UTC',
    holidays: [],
    indeterminate: 'after',
  });
  expect(Object.keys(planOf(RULES)).sort()).toEqual([
    'holidays',
    'id',
    'indeterminate',
    'rules',
    'supervisionSeconds',
    'timeZone',
    'validityGraceSeconds',
    'version',
  ]);
});

test('all that a plan may say', () => {
  expect(
    planOf(`version: 3, timeZone: America/New_York, holidays: ['2026-07-04'], indeterminate: before,
      failureHandling: retry-and-terminate, debitFailureHandling: terminate-or-buffer,
      tells: [balance, cost], lowBalance: '2.50', reauthorise: [expiry], refunds: { maximum: '10' }, ${RULES}`),
  ).toMatchObject({
    version: 3,
    timeZone: 'America/New_York',
    holidays: ['2026-07-04'],
    indeterminate: 'before',
    failureHandling: 'retry-and-terminate',
    debitFailureHandling: 'terminate-or-buffer',
    tellsCost: true,
    tellsBalance: true,
    lowBalance: 250,
    reauthoriseAtExpiry: true,
    refunds: { maximum: 1000 },
  });
  expect(planOf(`tells: [cost], ${RULES}`)).not.toHaveProperty('tellsBalance');
});

test("time zone and holidays are the tenant's where the plan has none of its own", () => {
  const { plans } = tenantOf(`timeZone: Europe/Berlin, holidays: ['2026-12-25', '2026-12-26'],
    plans: [{ id: a, ${RULES} }, { id: b, timeZone: Asia/Tokyo, holidays: [], ${RULES} }]`);
  expect(plans.map(({ timeZone, holidays }) => [timeZone, holidays.length])).toEqual([
    ['Europe/Berlin', 2],
    ['Asia/Tokyo', 0],
  ]);
});

test.each<[what: string, members: string, problem: string]>([
  [
    'an unknown time zone',
    `timeZone: Europe/Berln, ${RULES}`,
    "timeZone: found 'Europe/Berln', expected the name of a time zone: 'Europe/Berlin'?",
  ],
  ['an offset', `timeZone: '+01:00', ${RULES}`, "timeZone: found '+01:00', expected the name of"],
  [
    'a date that does not exist',
    `holidays: ['2026-02-29'], ${RULES}`,
    "holidays[0]: found '2026-02-29', expected a date that exists",
  ],
  [
    'a date twice',
    `holidays: ['2026-02-28', '2026-02-28'], ${RULES}`,
    "holidays[1]: found '2026-02-28', expected a name not given before",
  ],
  ['a date of every year', `holidays: ['12-25'], ${RULES}`, "found '12-25', expected a date such"],
  ['a thing to tell', `tells: [price], ${RULES}`, "tells[0]: found 'price', expected cost or"],
  [
    'a thing to tell twice',
    `tells: [cost, cost], ${RULES}`,
    "tells: found 'cost' twice, expected a list of cost and balance, each once",
  ],
  ['a refund of nothing', `refunds: { maximum: '0' }, ${RULES}`, "found '0', expected more than 0"],
  ['no bound of refunds', `refunds: {}, ${RULES}`, 'refunds.maximum: found nothing, expected an'],
  [
    'a directive that is none',
    `failureHandling: retry, ${RULES}`,
    "failureHandling: found 'retry', expected terminate, continue or retry-and-terminate",
  ],
])('%s', (_, members, problem) => {
  expect(problems.plan(members)).toEqual([expect.stringContaining(problem)]);
});

test('the smallest unit of money is that of the currency, unless the tenant says otherwise', () => {
  const digits = (members: string) => {
    const rest = `plans: [{ id: p, rules: [{ name: r, denied: true }] }]`;
    return tenantOf(`${members}${rest}`).currency.digits;
  };
  expect(digits('')).toBe(2);
  expect(digits('digits: 6, ')).toBe(6);
  expect(['JPY', 'EUR', 'KWD', 'CLF'].map(currencyDigits)).toEqual([0, 2, 3, 4]);
});

/** Whether the second of two rules with these matches is told to be out of reach. */
function shadowed(first: string, second: string): boolean {
  const found = problems.plan(`holidays: ['2026-12-25'], zones: [
      { id: big, numbers: ['49', '33'], networks: ['262', '208'] }],
    rules: [{ name: a, match: { ${first} }, ${FREE} }, { name: b, match: { ${second} }, ${FREE} }]`);
  if (found.length === 0) return false;
  expect(found).toEqual([expect.stringMatching(/^rules\[1\]: found a rule after 'a', which/)]);
  return true;
}

test.each<[first: string, second: string, shadowed: boolean]>([
  ['', 'ratingGroup: [1]', true],
  ['', '', true],
  ['ratingGroup: [1, 2]', 'ratingGroup: [2], apn: [a]', true],
  ['ratingGroup: [1]', 'ratingGroup: [1, 2]', false],
  ['ratingGroup: [none]', 'ratingGroup: [0]', false],
  ['apn: [A]', 'apn: [a]', true],
  ['visited: [big]', "visited: ['26201', '20810']", true],
  ["visited: ['26201']", "visited: ['262']", false],
  // The longest prefix decides before the order does.
  ['', "called: ['49']", false],
  ["called: ['49']", "called: ['4917']", false],
  ['called: [big]', "called: ['33']", true],
  ["called: ['49']", "called: ['49'], calling: ['1']", false],
  ["called: ['49'], calling: ['1']", "called: ['49'], calling: ['1'], rat: [NR]", true],
  ["called: ['49']", 'ratingGroup: [1]', false],
  ['when: [{ from: 08:00 }]', 'when: [{ from: 09:00, until: 10:00 }]', true],
  ['when: [{ from: 08:00 }]', 'when: [{ until: 10:00 }]', false],
  ['when: [{ from: 08:00 }]', '', false],
  ['when: [{ days: [workday] }]', 'when: [{ days: [monday, friday], from: 12:00 }]', true],
  ['when: [{ days: [workday] }]', 'when: [{ days: [monday, holiday] }]', false],
  ['when: [{ days: [workday] }]', 'when: [{ from: 12:00 }]', false],
  ['when: [{ from: 22:00, until: 06:00 }]', 'when: [{ days: [monday], until: 05:00 }]', true],
  ['when: [{ from: 12:00 }, { until: 06:00 }]', 'when: [{ from: 22:00, until: 06:00 }]', true],
  [
    'when: [{ days: [workday], from: 22:00, until: 06:00 }]',
    'when: [{ days: [friday], from: 23:00, until: 05:00 }]',
    true,
  ],
  [
    'when: [{ days: [workday], from: 22:00, until: 06:00 }]',
    'when: [{ days: [friday], until: 05:00 }]',
    false,
  ],
  ['when: [{ days: [workday] }]', 'when: [{ days: [friday], from: 22:00, until: 01:00 }]', false],
])('after { %s }, { %s } is out of reach: %s', (first, second, expected) => {
  expect(shadowed(first, second)).toBe(expected);
});

test('a plan may have ten thousand rules and ten thousand prefixes, and fits into a file', () => {
  const counted = { unit: 'octets', free: true, quota: { size: '1 MB' } };
  const rules: object[] = Array.from({ length: LIMITS.rules }, (_, i) => ({
    name: `r${i}`,
    match: { called: [String(490_000 + i)], ratingGroup: [1] },
    ...counted,
  }));
  rules[0] = { name: 'zone', match: { called: ['far'] }, ...counted };
  const numbers = Array.from({ length: 10_000 }, (_, i) => String(330_000 + i));
  const written = {
    tenants: [
      { id: 't', currency: 'EUR', plans: [{ id: 'p', zones: [{ id: 'far', numbers }], rules }] },
    ],
  };
  expect(JSON.stringify(written).length).toBeLessThan(LIMITS.fileBytes / 2);
  const loaded = loadWritten(written);
  const plan = loaded.ok ? loaded.provisioning.tenants[0]?.plans[0] : undefined;
  if (plan === undefined) throw new Error('it is refused');
  expect(plan.rules).toHaveLength(LIMITS.rules);
  const service = { context: 'c', ratingGroup: 1, serviceIds: [] };
  const called = (number: string) =>
    ruleFor(plan, { ...service, facts: { called: number } }, 0)?.name;
  expect([called('4900017'), called('330017999')]).toEqual(['r1', 'zone']);
});

test('zones that many rules name are not written out without bound', () => {
  const numbers = Array.from({ length: LIMITS.prefixes }, (_, i) => `'${100_000 + i}'`);
  const rules = Array.from(
    { length: 11 },
    (_, i) => `{ name: r${i}, match: { called: [z], ratingGroup: [${i}] }, ${FREE} }`,
  );
  const zones = `zones: [{ id: z, numbers: [${numbers}] }]`;
  expect(problems.plan(`${zones}, rules: [${rules.slice(1)}]`)).toEqual([]);
  expect(problems.plan(`${zones}, rules: [${rules}]`)).toEqual([
    'rules: found rules with 220000 prefixes, expected at most 200000 in all rules of a plan',
  ]);
});
