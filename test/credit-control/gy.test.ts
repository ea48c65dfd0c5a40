/** TS 32.299: what gateways send and expect on Gy and Ro, by row. */
import { expect, test } from 'vitest';
import { ANNA, DATA_RULE, Gateway, yamlOf } from './gateway.ts';
import type { Read, Tree } from './octets.ts';

const eur = (digits: bigint) => ({
  'Unit-Value': [{ 'Value-Digits': [digits], Exponent: [-2] }],
  'Currency-Code': [978],
});
const mscc = (...services: Tree[]): Tree => ({ 'Multiple-Services-Credit-Control': services });
const ANY_DATA =
  '- { name: data, unit: octets, price: { amount: "0.10", per: 1 MB }, quota: { size: 10 MB } }';

test('G-021 an event with reservation is debited when it is delivered, and not otherwise', async () => {
  const gateway = await Gateway.open(
    yamlOf(
      '- { name: mms, match: { context: [32270@3gpp.org] }, unit: units, price: { amount: "0.30", per: 1 }, quota: { size: 1 } }',
    ),
  );
  const context = { 'Service-Context-Id': '32270@3gpp.org' };
  const ask = { ...context, ...mscc({ 'Requested-Service-Unit': {} }) };
  const result = (units: number) => ({
    ...{ ...context, 'Termination-Cause': 1 },
    ...mscc({ 'Used-Service-Unit': { 'CC-Service-Specific-Units': units } }),
  });
  await gateway.ask('initial', 0, ask, { session: 'failed' });
  expect(await gateway.account()).toContain('main: 9.70 available, 0.30 reserved');
  await gateway.ask('termination', 1, result(0), { session: 'failed' });
  expect(await gateway.account()).toContain('main: 10.00 available, 0.00 reserved');
  await gateway.ask('initial', 0, ask, { session: 'delivered' });
  await gateway.ask('termination', 1, result(1), { session: 'delivered' });
  expect(await gateway.account()).toContain('main: 9.70 available, 0.00 reserved');
});

test('G-022 G-025 a session with reservation: each report takes the place of the last grant', async () => {
  const gateway = await Gateway.open(yamlOf(DATA_RULE));
  const asks = { 'Rating-Group': 1, 'Requested-Service-Unit': {} };
  const used = { 'Used-Service-Unit': { 'CC-Total-Octets': 5_000_000 } };
  await gateway.ask('initial', 0, mscc(asks));
  await gateway.ask('update', 1, mscc({ ...asks, ...used }));
  expect(await gateway.account()).toContain('main: 8.50 available, 1.00 reserved');
  // Returned without a new request: nothing of it stays reserved.
  const back = await gateway.ask(
    'update',
    2,
    mscc({ 'Rating-Group': 1, ...used, 'Reporting-Reason': 1 }),
  );
  expect(back.code).toBe(2001);
  expect(await gateway.account()).toContain('main: 9.00 available, 0.00 reserved');
  await gateway.ask('termination', 3, {});
  expect(await gateway.account()).toContain('main: 9.00 available, 0.00 reserved');
});

test.each([
  ['the server chooses units and price', {}, { 'CC-Total-Octets': [10_000_000n] }, '9.00'],
  [
    'the client names units',
    { 'CC-Total-Octets': 2_000_000 },
    { 'CC-Total-Octets': [2_000_000n] },
    '9.80',
  ],
] as const)('G-023 %s', async (_, rsu, gsu, left) => {
  const gateway = await Gateway.open(yamlOf(ANY_DATA));
  const { services } = await gateway.ask('initial', 0, mscc({ 'Requested-Service-Unit': rsu }));
  expect(services[0]?.['Granted-Service-Unit']).toEqual([gsu]);
  expect((await gateway.account())[0]).toContain(`main: ${left} available`);
});

test('G-053 G-100 G-110 open5gs: a session as its SMF sends it', async () => {
  const gateway = await Gateway.open(
    yamlOf(ANY_DATA.replace('size: 10 MB', 'size: 10 MB, maximum: 50 MB')),
  );
  const every: Tree = {
    'Requested-Action': 0,
    'AoC-Request-Type': 1,
    'Event-Timestamp': Math.floor(gateway.now / 1000),
    'Subscription-Id': [
      { 'Subscription-Id-Type': 1, 'Subscription-Id-Data': '262010000000001' },
      ANNA,
    ],
    'Service-Information': {
      'PS-Information': {
        '3GPP-Charging-Id': Buffer.from('00000001', 'hex'),
        'Called-Station-Id': 'internet',
        '3GPP-SGSN-MCC-MNC': '26201',
        '3GPP-MS-TimeZone': Buffer.from('4001', 'hex'),
        '3GPP-RAT-Type': Buffer.from('06', 'hex'),
        '3GPP-User-Location-Info': Buffer.from('8262f210000162f21000000001', 'hex'),
        'User-Equipment-Info': {
          'User-Equipment-Info-Type': 0,
          'User-Equipment-Info-Value': Buffer.from('3517560000000101'),
        },
      },
    },
  };
  const requested = { 'Requested-Service-Unit': { 'CC-Total-Octets': 1_000_000 } };
  const first = await gateway.ask('initial', 0, {
    ...{ ...every, 'Multiple-Services-Indicator': 0 },
    ...mscc(requested),
  });
  expect([first.code, first.services.length]).toEqual([2001, 1]);
  expect(first.services[0]).toMatchObject({
    'Result-Code': [2001],
    'Granted-Service-Unit': [{ 'CC-Total-Octets': [1_000_000n] }],
  });
  // It counts time and both directions, and never the total.
  const counted = { 'CC-Time': 60, 'CC-Input-Octets': 300_000, 'CC-Output-Octets': 700_000 };
  const report = { 'Used-Service-Unit': { ...counted, 'Reporting-Reason': 3 } };
  const update = await gateway.ask('update', 1, { ...every, ...mscc({ ...requested, ...report }) });
  expect(update.code).toBe(2001);
  expect(await gateway.account()).toContain('main: 9.80 available, 0.10 reserved');
  const last = await gateway.ask('termination', 2, {
    ...{ ...every, 'Termination-Cause': 1 },
    ...mscc({ 'Used-Service-Unit': { ...counted, 'Reporting-Reason': 2 } }),
  });
  expect((last.services[0] as Read)['Granted-Service-Unit']).toBeUndefined();
  expect(await gateway.account()).toContain('main: 9.80 available, 0.00 reserved');
});

test('G-009 AVPs that belong into Service-Information are accepted at command level', async () => {
  const gateway = await Gateway.open(yamlOf(ANY_DATA));
  const answer = await gateway.ask('initial', 0, {
    ...mscc({ 'Rating-Group': 1, 'Requested-Service-Unit': {} }),
    '3GPP-Charging-Id': Buffer.from('00000001', 'hex'),
    '3GPP-RAT-Type': Buffer.from('06', 'hex'),
    'Called-Station-Id': 'internet',
  });
  expect([answer.code, answer.services.length]).toEqual([2001, 1]);
});

test('G-120 G-121 a wish for advice of charge is no reason to refuse anything', async () => {
  const gateway = await Gateway.open(yamlOf(ANY_DATA));
  for (const type of [0, 1, 2, 3]) {
    const answer = await gateway.ask(
      ...(['initial', 0] as const),
      { ...mscc({ 'Rating-Group': 1, 'Requested-Service-Unit': {} }), 'AoC-Request-Type': type },
      { session: `aoc${type}` },
    );
    expect([answer.code, answer.services[0]?.['Result-Code']]).toEqual([2001, [2001]]);
    expect(answer.says['Service-Information']).toBeUndefined();
  }
});

test('G-002 G-008 a request as TS 32.299 has it, with everything that may stand in it', async () => {
  const gateway = await Gateway.open(yamlOf(ANY_DATA));
  const answer = await gateway.ask('initial', 0, {
    'Destination-Host': 'ocs.tollkeeper.example',
    'User-Name': 'anna@example',
    'Origin-State-Id': 7,
    'Event-Timestamp': Math.floor(gateway.now / 1000),
    'Termination-Cause': 1,
    'Requested-Action': 0,
    'AoC-Request-Type': 0,
    'Multiple-Services-Indicator': 1,
    ...mscc({ 'Rating-Group': 1, 'Requested-Service-Unit': {} }),
    'CC-Correlation-Id': Buffer.from('c0ffee', 'hex'),
    'User-Equipment-Info': {
      'User-Equipment-Info-Type': 0,
      'User-Equipment-Info-Value': Buffer.from('3517560000000101'),
    },
    'Proxy-Info': { 'Proxy-Host': 'dra.example', 'Proxy-State': Buffer.from('01', 'hex') },
    'Service-Information': { 'PS-Information': { 'Called-Station-Id': 'internet' } },
  });
  expect([answer.code, answer.services.length]).toEqual([2001, 1]);
  expect(answer.says['Proxy-Info']).toEqual([
    { 'Proxy-Host': ['dra.example'], 'Proxy-State': ['01'] },
  ]);
});

test('G-004 G-123 G-140 C-082 C-171 an answer says cost, balance and what to do in failure', async () => {
  const gateway = await Gateway.open(
    yamlOf(DATA_RULE, {
      plan: `tells: [cost, balance]
lowBalance: "9.00"
failureHandling: continue
debitFailureHandling: continue`,
    }),
  );
  const asks = { 'Rating-Group': 1, 'Requested-Service-Unit': {} };
  const first = await gateway.ask('initial', 0, mscc(asks));
  expect(first.says).toMatchObject({
    'CC-Session-Failover': [1],
    'Credit-Control-Failure-Handling': [1],
    'Direct-Debiting-Failure-Handling': [1],
    'Low-Balance-Indication': [0],
  });
  const used = { 'Used-Service-Unit': { 'CC-Total-Octets': 10_000_000 } };
  const second = await gateway.ask('update', 1, mscc({ ...asks, ...used }));
  // What is reserved is no cost yet (RFC 8506 5.3), but nothing else may have it.
  expect(second.says['Cost-Information']).toEqual([eur(100n)]);
  expect(second.says['Low-Balance-Indication']).toEqual([1]);
  const last = await gateway.ask('termination', 2, mscc({ 'Rating-Group': 1, ...used }));
  expect(last.says['Cost-Information']).toEqual([eur(200n)]);
  expect(last.says['Remaining-Balance']).toEqual([eur(800n)]);
});

test('G-024 what makes a gateway report is told with the quota', async () => {
  const gateway = await Gateway.open(
    yamlOf(`- name: data
  unit: octets
  free: true
  quota: { size: 10 MB, threshold: 10 % }
  holdingTime: 90 s
  triggers: [CHANGE_IN_RAT, CHANGE_IN_LOCATION]`),
  );
  const { services } = await gateway.ask('initial', 0, mscc({ 'Requested-Service-Unit': {} }));
  expect(services).toMatchObject([
    {
      'Quota-Holding-Time': [90],
      'Volume-Quota-Threshold': [1_000_000],
      Trigger: [{ 'Trigger-Type': [4, 3] }],
    },
  ]);
});

test('G-042 a threshold is always less than what it is told with', async () => {
  const gateway = await Gateway.open(
    yamlOf('- { name: d, unit: octets, free: true, quota: { size: 10 MB, threshold: 2 MB } }'),
  );
  const { services } = await gateway.ask(
    ...(['initial', 0] as const),
    mscc({ 'Requested-Service-Unit': { 'CC-Total-Octets': 1_000_000 } }),
  );
  const threshold = Number(services[0]?.['Volume-Quota-Threshold']?.[0] ?? 0);
  expect(threshold).toBeLessThan(1_000_000);
});

test.each([
  ['G-044 idle', 1],
  ['G-050 without use for long', 9],
  ['G-025 over', 2],
])('%s: what is handed back without a wish for more is free at once', async (_, reason) => {
  const gateway = await Gateway.open(yamlOf(DATA_RULE));
  const group = { 'Rating-Group': 1 };
  const report = {
    ...{ ...group, 'Reporting-Reason': reason },
    'Used-Service-Unit': { 'CC-Total-Octets': 1_000_000 },
  };
  await gateway.ask('initial', 0, mscc({ ...group, 'Requested-Service-Unit': {} }));
  const back = await gateway.ask('update', 1, mscc(report));
  expect(back.services[0]?.['Granted-Service-Unit']).toBeUndefined();
  expect((await gateway.account())[0]).toBe('main: 9.90 available, 0.00 reserved');
});

test('G-044 idle, but asking for more: it is granted as always', async () => {
  const gateway = await Gateway.open(yamlOf(DATA_RULE));
  const asks = { 'Rating-Group': 1, 'Requested-Service-Unit': {} };
  await gateway.ask('initial', 0, mscc(asks));
  const report = { 'Reporting-Reason': 1, 'Used-Service-Unit': { 'CC-Total-Octets': 1_000_000 } };
  await gateway.ask('update', 1, mscc({ ...asks, ...report }));
  expect((await gateway.account())[0]).toBe('main: 8.90 available, 1.00 reserved');
});

test.each([10, 77])(
  'C-214 G-081 an unknown service context is 5031, a known one is rated',
  async (n) => {
    const gateway = await Gateway.open(yamlOf(DATA_RULE));
    const asks = mscc({ 'Rating-Group': 1, 'Requested-Service-Unit': {} });
    const known = await gateway.ask('initial', 0, asks, { session: `k${n}` });
    expect(known.code).toBe(2001);
    const context = `322${n}@3gpp.org`;
    const answer = await gateway.ask('initial', 0, { ...asks, 'Service-Context-Id': context });
    expect(answer.code).toBe(5031);
    expect(answer.says['Failed-AVP']).toEqual([{ 'Service-Context-Id': [context] }]);
  },
);

test('G-061 G-144 a validity that a plan does not give is not told as 0', async () => {
  const gateway = await Gateway.open(yamlOf(DATA_RULE));
  const { services } = await gateway.ask(
    ...(['initial', 0] as const),
    mscc({ 'Rating-Group': 1, 'Requested-Service-Unit': {} }),
  );
  for (const name of ['Validity-Time', 'Quota-Holding-Time', 'Trigger', 'Envelope-Reporting'])
    expect(services[0]?.[name]).toBeUndefined();
});

test('G-101 G-105 G-106 G-107 G-108 values of gateways are octets or text, and never a reason to refuse', async () => {
  const gateway = await Gateway.open(yamlOf(ANY_DATA));
  const odd: Tree = {
    '3GPP-Charging-Id': Buffer.from('0000000001', 'hex'),
    '3GPP-SGSN-MCC-MNC': '310410',
    '3GPP-RAT-Type': Buffer.alloc(0),
    '3GPP-User-Location-Info': Buffer.from('ff', 'hex'),
    '3GPP-MS-TimeZone': Buffer.from('8002ff', 'hex'),
  };
  for (const [i, [name, value]] of Object.entries(odd).entries()) {
    const asked = {
      ...mscc({ 'Requested-Service-Unit': {} }),
      'Service-Information': { 'PS-Information': { [name]: value } },
    } as Tree;
    const answer = await gateway.ask('initial', 0, asked, { session: `odd${i}` });
    expect([name, answer.code, answer.services[0]?.['Result-Code']]).toEqual([name, 2001, [2001]]);
  }
});

test('G-145 a tariff change is told only to a gateway that is known to bear it', async () => {
  const windows = '[{ from: "00:05", until: "12:00" }]';
  const gateway = await Gateway.open(
    yamlOf(`- { name: day, match: { when: ${windows} }, unit: octets, price: { amount: "0.20", per: 1 MB }, quota: { size: 10 MB } }
- { name: night, unit: octets, price: { amount: "0.10", per: 1 MB }, quota: { size: 10 MB } }`),
  );
  const request = gateway.request('initial', 0, mscc({ 'Requested-Service-Unit': {} }));
  const { services } = await gateway.send(request);
  // It is midnight: the tariff changes in five minutes, and so the quota ends then.
  expect(services).toMatchObject([{ 'Validity-Time': [300] }]);
  const units = services[0]?.['Granted-Service-Unit']?.[0] as Read;
  expect(units['Tariff-Time-Change']).toBeUndefined();
  expect(services[0]?.['Tariff-Change-Usage']).toBeUndefined();
});

test('G-142 a gateway that went on without us, and away without a word, is closed by supervision', async () => {
  const gateway = await Gateway.open(
    yamlOf(DATA_RULE, { plan: 'supervision: 10 min\nfailureHandling: continue' }),
  );
  await gateway.ask('initial', 0, mscc({ 'Rating-Group': 1, 'Requested-Service-Unit': {} }));
  await gateway.wait(601);
  expect(await gateway.openSessions()).toBe(0);
  expect((await gateway.account())[0]).toBe('main: 10.00 available, 0.00 reserved');
});

test('G-062 G-063 triggers have the numbers of TS 32.299 7.2.236, and no particular beside its general one', async () => {
  const names: readonly (readonly [string, number])[] = [
    ['CHANGE_IN_SGSN_IP_ADDRESS', 1],
    ['CHANGE_IN_QOS', 2],
    ['CHANGE_IN_LOCATION', 3],
    ['CHANGE_IN_RAT', 4],
    ['CHANGE_IN_UE_TIMEZONE', 5],
    ['CHANGEINQOS_TRAFFIC_CLASS', 10],
    ['CHANGEINLOCATION_MCC', 30],
  ];
  const told = async (triggers: readonly string[]): Promise<readonly number[]> => {
    const gateway = await Gateway.open(
      yamlOf(
        `- { name: d, unit: octets, free: true, quota: { size: 1 MB }, triggers: [${triggers.join(', ')}] }`,
      ),
    );
    const { services } = await gateway.ask(
      ...(['initial', 0] as const),
      mscc({ 'Requested-Service-Unit': {} }),
    );
    const trigger = services[0]?.Trigger?.[0] as Read;
    return (trigger['Trigger-Type'] ?? []) as readonly number[];
  };
  for (const [name, number] of names) expect([name, await told([name])]).toEqual([name, [number]]);
  const both = await told(['CHANGE_IN_QOS', 'CHANGEINQOS_TRAFFIC_CLASS', 'CHANGEINLOCATION_MCC']);
  expect(both).toEqual([2, 30]);
});
