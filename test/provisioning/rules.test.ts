/** Rules as written: what they match, what they grant and tell, and what happens at the end. */
import { expect, test } from 'vitest';
import { planOf, problems, ruleOf, tenantOf } from './tenant-of.ts';

const FREE = 'unit: octets, free: true, quota: { size: 10 MB }';
const CALL = 'unit: seconds, free: true, quota: { size: 60 s }';
const matchOf = (members: string) => ruleOf(`match: { ${members} }, ${FREE}`).match;
const matchProblems = (members: string) => problems.rule(`match: { ${members} }, ${FREE}`);
const atEndProblems = (text: string) => problems.rule(`${FREE}, atEnd: ${text}`);

test('access points, radio access and sides of a call', () => {
  expect(matchOf('apn: [Internet, ims.Example]')).toEqual({ apn: ['internet', 'ims.example'] });
  expect(matchOf('rat: [EUTRAN, NR, UTRAN, GERAN, WLAN, 51, EUTRAN-NB-IoT]')).toEqual({
    rat: [6, 10, 1, 2, 3, 51, 8],
  });
  expect(matchOf('role: [originating, forwarding]')).toEqual({
    role: ['originating', 'forwarding'],
  });
  expect(matchProblems('rat: [LTE]')).toEqual([
    expect.stringContaining("match.rat[0]: found 'LTE', expected one of UTRAN, GERAN"),
  ]);
  expect(matchProblems('rat: [1004]')).toEqual([expect.stringContaining('from 0 to 255')]);
  expect(matchProblems('role: [caller]')).toEqual([
    "match.role[0]: found 'caller', expected originating, terminating or forwarding",
  ]);
});

test('networks and numbers, by digits or by zone', () => {
  const plan = planOf(`zones: [
      { id: eu, networks: ['208', '22210'] },
      { id: premium, numbers: ['4990', '900'] },
      { id: home, networks: ['26201'], numbers: ['49'] }],
    rules: [
      { name: a, match: { visited: [eu, '310'], called: [home, '1', premium] }, ${FREE} },
      { name: b, match: { visited: [home], calling: ['49'] }, ${FREE} }]`);
  expect(plan.rules.map(({ match }) => match)).toEqual([
    { visited: ['208', '22210', '310'], called: ['49', '4990', '900', '1'] },
    { visited: ['26201'], calling: ['49'] },
  ]);
});

test("a plan's zone goes before the tenant's, and leaves it to other plans", () => {
  const zones = (numbers: string) => `zones: [{ id: free, numbers: ['${numbers}'] }]`;
  const rules = `rules: [{ name: r, match: { called: [free] }, ${FREE} }]`;
  const { plans } = tenantOf(
    `${zones('800')}, plans: [{ id: p, ${zones('0800')}, ${rules} }, { id: q, ${rules} }]`,
  );
  expect(plans.map((plan) => plan.rules[0]?.match.called)).toEqual([['0800'], ['800']]);
});

test.each<[what: string, members: string, problems: string[]]>([
  [
    'an unknown zone',
    `zones: [{ id: premium, numbers: ['1'] }],
     rules: [{ name: r, match: { called: [premum] }, ${FREE} }]`,
    ["rules[0].match.called[0]: found 'premum', expected the id of a zone: 'premium'?"],
  ],
  [
    'a zone of something else',
    `zones: [{ id: z, numbers: ['1'] }], rules: [{ name: r, match: { visited: [z] }, ${FREE} }]`,
    [
      "rules[0].match.visited[0]: found zone 'z', which has no networks" +
        ', expected a zone with networks',
    ],
  ],
  [
    'an empty zone',
    `zones: [{ id: z }], rules: [{ name: r, ${FREE} }]`,
    ['zones[0]: found neither networks nor numbers, expected one of them or both'],
  ],
  [
    'a zone twice',
    `zones: [{ id: z, numbers: ['1'] }, { id: z, numbers: ['2'] }], rules: [{ name: r, ${FREE} }]`,
    ["zones[1].id: found 'z', expected a name not given before"],
  ],
  [
    'a zone that was refused is not unknown as well',
    `zones: [{ id: z, numbers: [1] }], rules: [{ name: r, match: { called: [z] }, ${FREE} }]`,
    ["zones[0].numbers[0]: found 1, expected digits in quotes, such as '4917'"],
  ],
  [
    'a network of four digits',
    `rules: [{ name: r, match: { visited: ['2620'] }, ${FREE} }]`,
    [
      "rules[0].match.visited[0]: found '2620'" +
        ", expected an MCC such as '262', an MCC and MNC such as '26201', or the id of a zone",
    ],
  ],
])('%s', (_, members, expected) => {
  expect(problems.plan(members)).toEqual(expected);
});

test('windows by day and by clock', () => {
  const when = (windows: string, holidays = "'2026-12-25'") =>
    planOf(`holidays: [${holidays}], rules: [{ name: r, match: { when: ${windows} }, ${FREE} }]`)
      .rules[0]?.match.when;
  expect(when('[{ from: 18:00, until: 22:30 }]')).toEqual([{ from: 1080, until: 1350 }]);
  expect(when('[{ days: [workday, holiday] }]')).toEqual([
    { days: [1, 2, 3, 4, 5, 8], from: 0, until: 1440 },
  ]);
  expect(when('[{ days: [sunday, weekend], from: 08:00 }, { until: 06:00 }]')).toEqual([
    { days: [6, 7], from: 480, until: 1440 },
    { from: 0, until: 360 },
  ]);
  expect(when('[{ days: [friday, sunday], from: 22:00, until: 06:00 }]')).toEqual([
    { days: [5, 7], from: 1320, until: 1800 },
  ]);
  expect(when('[{ days: [holiday], from: 20:00, until: 04:00 }]')).toEqual([
    { days: [8], from: 1200, until: 1680 },
  ]);
  expect(when('[{ from: 22:00, until: 00:00 }]')).toEqual([{ from: 1320, until: 1440 }]);
});

test.each<[what: string, window: string, problem: string]>([
  [
    'a window of no time',
    '{ from: 10:00, until: 10:00 }',
    "until: found '10:00', expected another",
  ],
  ['an hour that is none', '{ from: 24:00 }', "from: found '24:00', expected a time of day"],
  ['a time without minutes', '{ until: 9 }', 'until: found 9, expected a time of day'],
  ['a day that is none', '{ days: [mon] }', "days[0]: found 'mon', expected monday to sunday"],
  [
    'a holiday of a plan without any',
    '{ days: [monday, holiday] }',
    "days[1]: found 'holiday' in a plan without holidays, expected holidays in the plan",
  ],
  ['an empty window', '{}', 'when[0]: found {}, expected a window of time'],
])('%s', (_, window, problem) => {
  expect(matchProblems(`when: [${window}]`)).toEqual([expect.stringContaining(problem)]);
});

test('thresholds as units and as a part of the size', () => {
  const threshold = (text: string) =>
    ruleOf(`unit: octets, free: true, quota: { size: 1000, threshold: ${text} }`).directives;
  expect(threshold('100 B')).toEqual({ threshold: 100 });
  expect(threshold('20 %')).toEqual({ threshold: 200 });
  expect(threshold("'12.55%'")).toEqual({ threshold: 125 });
});

test.each<[what: string, quota: string, problem: string]>([
  [
    'a threshold of the size',
    '{ size: 1 MB, threshold: 1 MB }',
    "expected less than the size, '1 MB'",
  ],
  ['all of the size', '{ size: 1 MB, threshold: 100 % }', "'100 %', expected less than the size"],
  ['none of the size', '{ size: 10, threshold: 1 % }', "'1 %', expected at least one unit"],
  ['a threshold of nothing', '{ size: 10, threshold: 0 }', 'expected more than 0'],
  ['a threshold in seconds', '{ size: 10, threshold: 5 min }', "found '5 min', expected a size"],
])('%s', (_, quota, problem) => {
  const found = problems.rule(`unit: octets, free: true, quota: ${quota}`);
  expect(found).toEqual([expect.stringContaining(problem)]);
  expect(found[0]).toContain('quota.threshold: ');
});

test('money has no threshold', () => {
  expect(problems.rule("unit: money, quota: { size: '5', threshold: '1' }")).toEqual([
    "quota.threshold: found '1', expected no threshold: money has none (TS 32.299 7.1.9)",
  ]);
});

test('what a grant tells its client beside the units', () => {
  expect(ruleOf(`${CALL}, consumptionTime: 10 s`).directives).toEqual({ consumptionSeconds: 10 });
  expect(ruleOf(`${CALL}, timeMechanism: { type: continuous, interval: 30 s }`).directives).toEqual(
    { timeMechanism: { type: 'continuous', intervalSeconds: 30 } },
  );
  const envelopes = ['none', 'plain', 'volume', 'events', 'volume-and-events'].map(
    (name) => ruleOf(`${FREE}, envelopes: ${name}`).directives?.envelopes,
  );
  expect(envelopes).toEqual([0, 1, 2, 3, 4]);
  expect(ruleOf(`${FREE}, triggers: [CHANGE_IN_RAT, CHANGEINLOCATION_MCC, 62]`).directives).toEqual(
    { triggers: [4, 30, 62] },
  );
  expect(ruleOf(`${FREE}, triggers: []`).directives).toEqual({ triggers: [] });
  expect(ruleOf(FREE)).not.toHaveProperty('directives');
});

test('units granted beside, and pools', () => {
  expect(ruleOf(`${FREE}, beside: { seconds: 1 h, units: 5 }, pool: 7`)).toMatchObject({
    beside: { seconds: 3600, units: 5 },
    pool: 7,
  });
});

test.each<[what: string, members: string, problem: string]>([
  [
    'a consumption time of octets',
    `${FREE}, consumptionTime: 10 s`,
    'consumptionTime: found consumptionTime of octets, expected a rule that counts seconds',
  ],
  [
    'a time mechanism of octets',
    `${FREE}, timeMechanism: { type: discrete, interval: 5 s }`,
    'timeMechanism: found timeMechanism of octets, expected a rule that counts seconds',
  ],
  [
    'two ways to count time',
    `${CALL}, consumptionTime: 10 s, timeMechanism: { type: discrete, interval: 5 s }`,
    'timeMechanism: found timeMechanism beside consumptionTime, expected one of them only',
  ],
  [
    'an interval of nothing',
    `${CALL}, timeMechanism: { type: discrete, interval: 0 }`,
    'timeMechanism.interval: found 0, expected more than 0',
  ],
  ['an unknown trigger', `${FREE}, triggers: [CHANGE_IN_RATE]`, 'expected a Trigger-Type such as'],
  [
    'its own unit beside',
    `${FREE}, beside: { octets: 1 MB }`,
    'beside.octets: found octets, expected units of another kind: the quota is of octets',
  ],
  ['nothing beside', `${FREE}, beside: {}`, 'beside: found {}, expected sizes by unit'],
  ['money beside', `${FREE}, beside: { money: '1' }`, "beside.money: found unknown member 'money'"],
  [
    'two ways to cost nothing',
    'unit: octets, free: true, uncontrolled: true, quota: { size: 1 }',
    'uncontrolled: found uncontrolled beside free, expected one of them only',
  ],
])('%s', (_, members, problem) => {
  expect(problems.rule(members)).toEqual([expect.stringContaining(problem)]);
});

test('a rule that does not control its service needs neither unit nor quota', () => {
  expect(ruleOf('uncontrolled: true')).toMatchObject({ uncontrolled: true });
});

test('what happens at the end of credit', () => {
  const atEnd = (text: string) => {
    const { atEnd, restrictedSeconds } = ruleOf(`${FREE}, atEnd: ${text}`);
    return { atEnd, restrictedSeconds };
  };
  const restrictedSeconds = 300;
  expect(atEnd('terminate')).toEqual({ atEnd: { action: 'terminate' }, restrictedSeconds });
  expect(atEnd('deny')).toEqual({ atEnd: 'deny', restrictedSeconds });
  const redirects: [string, 0 | 1 | 2 | 3][] = [
    ['192.0.2.1', 0],
    ['2001:db8::1', 1],
    ['https://topup.example/', 2],
    ['sip:topup@example', 3],
  ];
  for (const [address, type] of redirects)
    expect(atEnd(`{ redirect: '${address}' }`).atEnd).toEqual({
      action: 'redirect',
      redirect: { type, address },
    });
  const filter = 'permit out ip from 192.0.2.1 to assigned';
  expect(
    atEnd(`{ redirect: 'http://t.example', filters: ['${filter}'], filterIds: [dns], again: 1 h }`),
  ).toEqual({
    atEnd: {
      action: 'redirect',
      redirect: { type: 2, address: 'http://t.example' },
      filters: [filter],
      filterIds: ['dns'],
    },
    restrictedSeconds: 3600,
  });
  const stays = (otherwise: string) =>
    ruleOf(`${FREE}, atEnd: { restrict: true, otherwise: ${otherwise} }`).staysRestricted;
  expect([stays('refuse'), stays('stay')]).toEqual([undefined, true]);
  expect(atEnd('{ restrict: true, filterIds: [throttle-64k] }').atEnd).toEqual({
    action: 'restrict',
    filterIds: ['throttle-64k'],
  });
});

test.each<[what: string, atEnd: string, problem: string]>([
  ['another word', 'stop', "atEnd: found 'stop', expected terminate, deny, or members"],
  ['no members', '{}', 'atEnd: found members without redirect or restrict, expected one of them'],
  ['an unknown member', '{ redirekt: 1 }', "redirekt: found unknown member 'redirekt'"],
  ['only an interval', '{ again: 5 min }', 'atEnd: found members without redirect or restrict'],
  [
    'both at once',
    "{ redirect: 'http://a.example', restrict: true }",
    'atEnd.restrict: found restrict beside redirect, expected one of them only',
  ],
  ['no address', '{ redirect: topup }', "redirect: found 'topup', expected an IP address, a URL"],
  ['no filter', '{ restrict: true, filters: [any] }', 'expected an IPFilterRule, such as'],
  ['at once again', '{ restrict: true, again: 0 }', 'again: found 0, expected more than 0'],
])('at the end: %s', (_, atEnd, problem) => {
  expect(atEndProblems(atEnd)).toEqual([expect.stringContaining(problem)]);
});
