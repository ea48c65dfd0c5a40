/** TS 32.299: what gateways send and expect on Gy and Ro, by row. */
import { expect, test } from 'vitest';
import { ANNA, DATA_RULE, Gateway, yamlOf } from './gateway.ts';
import { avpOf, type Read, type Tree } from './octets.ts';

const eur = (digits: bigint) => ({
  'Unit-Value': [{ 'Value-Digits': [digits], Exponent: [-2] }],
  'Currency-Code': [978],
});
const mscc = (...services: Tree[]): Tree => ({ 'Multiple-Services-Credit-Control': services });
const IPV4 = '00010a000001';
const IPV6 = '000220010db8000000000000000000000001';
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
  ['G-023 the server chooses units and price', {}, { 'CC-Total-Octets': [10_000_000n] }, '9.00'],
  [
    'G-023 the client names units',
    { 'CC-Total-Octets': 2_000_000 },
    { 'CC-Total-Octets': [2_000_000n] },
    '9.80',
  ],
  [
    'G-023 the client names the price',
    { 'CC-Money': { 'Unit-Value': { 'Value-Digits': 25, Exponent: -1 }, 'Currency-Code': 978 } },
    { 'CC-Money': [eur(250n)] },
    '7.50',
  ],
] as const)('%s', async (_, rsu, gsu, left) => {
  const shop = '- { name: shop, unit: money, quota: { size: "1.00", maximum: "5.00" } }';
  const gateway = await Gateway.open(yamlOf('CC-Money' in rsu ? shop : ANY_DATA));
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
        'PDP-Address': [Buffer.from(IPV4, 'hex'), Buffer.from(IPV6, 'hex')],
        'SGSN-Address': Buffer.from(IPV4, 'hex'),
        'GGSN-Address': [Buffer.from(IPV4, 'hex'), Buffer.from(IPV6, 'hex')],
        'Called-Station-Id': 'internet',
        '3GPP-Selection-Mode': '0',
        '3GPP-Charging-Characteristics': '0800',
        '3GPP-SGSN-MCC-MNC': '26201',
        '3GPP-NSAPI': '5',
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
  // Once it was answered it names the host that did.
  const known = { ...every, 'Destination-Host': 'ocs.tollkeeper.example' };
  const update = await gateway.ask('update', 1, { ...known, ...mscc({ ...requested, ...report }) });
  expect(update.code).toBe(2001);
  expect(await gateway.account()).toContain('main: 9.80 available, 0.10 reserved');
  const last = await gateway.ask('termination', 2, {
    ...{ ...known, 'Termination-Cause': 1 },
    ...mscc({ 'Used-Service-Unit': { ...counted, 'Reporting-Reason': 2 } }),
  });
  expect((last.services[0] as Read)['Granted-Service-Unit']).toBeUndefined();
  expect(await gateway.account()).toContain('main: 9.80 available, 0.00 reserved');
});

test('G-053 a refusal of the session is in the command, one of its service in the service', async () => {
  const gateway = await Gateway.open(
    yamlOf(ANY_DATA, { buckets: '- { id: main, unit: money, opening: "0.00" }' }),
  );
  const asked = mscc({ 'Requested-Service-Unit': { 'CC-Total-Octets': 1_000_000 } });
  const empty = await gateway.ask('initial', 0, asked);
  expect([empty.code, empty.services[0]?.['Result-Code']]).toEqual([2001, [4012]]);
  // It ends such a session by itself.
  expect((await gateway.ask('termination', 1, { 'Termination-Cause': 1 })).code).toBe(2001);
  expect(await gateway.openSessions()).toBe(0);
  const stranger = { ...ANNA, 'Subscription-Id-Data': '999' };
  const refused = { ...asked, 'Subscription-Id': stranger };
  const unknown = await gateway.ask('initial', 0, refused, { session: 'x' });
  expect([unknown.code, unknown.services]).toEqual([5030, []]);
});

test('G-009 AVPs that belong into Service-Information are accepted at command level', async () => {
  const gateway = await Gateway.open(yamlOf(ANY_DATA));
  const answer = await gateway.ask('initial', 0, {
    ...mscc({ 'Rating-Group': 1, 'Requested-Service-Unit': {} }),
    '3GPP-Charging-Id': Buffer.from('00000001', 'hex'),
    '3GPP-RAT-Type': Buffer.from('06', 'hex'),
    'Called-Station-Id': 'internet',
    'Framed-IP-Address': Buffer.from('0a000001', 'hex'),
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
    'OC-Supported-Features': {},
    'Route-Record': 'gw.example',
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

test.each([10, 77])('C-111 C-214 a service context that no rule has is 5031', async (n) => {
  const gateway = await Gateway.open(yamlOf(DATA_RULE));
  const asks = mscc({ 'Rating-Group': 1, 'Requested-Service-Unit': {} });
  const known = await gateway.ask('initial', 0, asks, { session: `k${n}` });
  expect(known.code).toBe(2001);
  const context = `322${n}@3gpp.org`;
  const answer = await gateway.ask('initial', 0, { ...asks, 'Service-Context-Id': context });
  expect(answer.code).toBe(5031);
  expect(answer.says['Failed-AVP']).toEqual([{ 'Service-Context-Id': [context] }]);
});

test('G-081 each service has the number of its specification', async () => {
  const numbers = [251, 253, 254, 260, 270, 271, 272, 273, 274, 275, 276, 277, 278, 280];
  const rules = numbers.map(
    (number, i) =>
      `- { name: s${number}, match: { context: [32${number}@3gpp.org] }, unit: units, free: true, quota: { size: ${i + 1} } }`,
  );
  const gateway = await Gateway.open(yamlOf(rules.join('\n')));
  for (const [i, number] of numbers.entries())
    for (const context of [`32${number}@3gpp.org`, `8.32${number}@3gpp.org`]) {
      const asked = { ...mscc({ 'Requested-Service-Unit': {} }), 'Service-Context-Id': context };
      const { services } = await gateway.ask('initial', 0, asked, { session: context });
      expect([context, services[0]?.['Granted-Service-Unit']]).toEqual([
        ...[context, [{ 'CC-Service-Specific-Units': [BigInt(i + 1)] }]],
      ]);
    }
});

test('G-061 G-144 what a plan does not give is not told: no 0 that would switch it off', async () => {
  const gateway = await Gateway.open(yamlOf(DATA_RULE));
  const { services } = await gateway.ask(
    ...(['initial', 0] as const),
    mscc({ 'Rating-Group': 1, 'Requested-Service-Unit': {} }),
  );
  for (const name of ['Validity-Time', 'Quota-Holding-Time', 'Trigger', 'Envelope-Reporting'])
    expect(services[0]?.[name]).toBeUndefined();
});

test('G-101 values of gateways that are odd are no reason to refuse', async () => {
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

const described: [string, Tree][] = [
  [
    'G-101 addresses of nodes: four octets as of RADIUS, a family before them as of Diameter',
    {
      '3GPP-Charging-Id': Buffer.from('0a0b0c0d', 'hex'),
      '3GPP-SGSN-Address': Buffer.from('0a000002', 'hex'),
      'SGSN-Address': Buffer.from('00010a000002', 'hex'),
      'GGSN-Address': [Buffer.from('00010a000003', 'hex'), Buffer.from(IPV6, 'hex')],
    },
  ],
  [
    'G-105 a time zone west of Greenwich in summer',
    { '3GPP-MS-TimeZone': Buffer.from('0a01', 'hex') },
  ],
  [
    'G-106 characteristics, selection mode, NSAPI and QoS profile of a PDP context',
    {
      '3GPP-GPRS-Negotiated-QoS-Profile': '99-0b921f739697fe74821040d00000000000',
      '3GPP-NSAPI': '5',
      '3GPP-Selection-Mode': '0',
      '3GPP-Charging-Characteristics': '0800',
    },
  ],
  [
    'G-107 an address of each family, with the length of its prefix, of a primary context',
    {
      'PDP-Address': [Buffer.from(IPV4, 'hex'), Buffer.from(IPV6, 'hex')],
      'PDP-Address-Prefix-Length': 56,
      'Dynamic-Address-Flag': 1,
      'PDP-Context-Type': 0,
    },
  ],
  [
    'G-107 a static address of IPv6, its prefix of the usual length',
    { 'PDP-Address': Buffer.from(IPV6, 'hex'), 'PDP-Context-Type': 1 },
  ],
  [
    'G-108 a quality of service, to the highest bit rate that 32 bits can say',
    {
      'QoS-Information': {
        'QoS-Class-Identifier': 9,
        'Max-Requested-Bandwidth-UL': 4_294_967_295,
        'Max-Requested-Bandwidth-DL': 4_294_967_295,
        'Extended-Max-Requested-BW-DL': 5_000_000,
        'Guaranteed-Bitrate-UL': 1,
        'Guaranteed-Bitrate-DL': 0,
        'Allocation-Retention-Priority': {
          'Priority-Level': 8,
          'Pre-emption-Capability': 1,
          'Pre-emption-Vulnerability': 0,
        },
        'APN-Aggregate-Max-Bitrate-UL': 50_000_000,
        'APN-Aggregate-Max-Bitrate-DL': 100_000_000,
      },
    },
  ],
];

test.each(described)('%s: charged all the same, and kept as it was sent', async (_, said) => {
  const gateway = await Gateway.open(yamlOf(ANY_DATA));
  const asks = { 'Rating-Group': 1, 'Requested-Service-Unit': {} };
  const information = { 'Service-Information': { 'PS-Information': said } };
  const first = await gateway.ask('initial', 0, { ...mscc(asks), ...information });
  expect([first.code, first.services[0]?.['Result-Code']]).toEqual([2001, [2001]]);
  const used = { 'Used-Service-Unit': { 'CC-Total-Octets': 5_000_000 } };
  // A context does not say later what kind it is, and a session need not say anything.
  expect((await gateway.ask('update', 1, mscc({ ...asks, ...used }))).code).toBe(2001);
  expect((await gateway.account())[0]).toBe('main: 8.50 available, 1.00 reserved');
  const [opened, updated] = gateway.records();
  const whole = avpOf('Service-Information', { 'PS-Information': said });
  expect(Buffer.from(opened?.information ?? [])).toEqual(whole.subarray(12));
  expect(updated?.information).toBeUndefined();
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

test.each([
  ['the validity ends first', { 'Reporting-Reason': 4 }, {}, 120],
  ['the quota is used up first', {}, { 'Reporting-Reason': 3 }, 300],
])(
  'G-143 a time quota with a validity: %s, the report says so and is charged',
  async (_, reason, reasonOfUnits, seconds) => {
    const gateway = await Gateway.open(
      yamlOf(`- name: call
  unit: seconds
  price: { amount: "0.60", per: 60 s }
  quota: { size: 300 s }
  validity: 2 min`),
    );
    const asks = { 'Rating-Group': 1, 'Requested-Service-Unit': {} };
    const first = await gateway.ask('initial', 0, mscc(asks));
    expect(first.services).toMatchObject([
      { 'Granted-Service-Unit': [{ 'CC-Time': [300] }], 'Validity-Time': [120] },
    ]);
    const used = { 'Used-Service-Unit': { 'CC-Time': seconds, ...reasonOfUnits } };
    const next = await gateway.ask('update', 1, mscc({ ...asks, ...used, ...reason }));
    expect(next.services).toMatchObject([
      { 'Granted-Service-Unit': [{ 'CC-Time': [300] }], 'Validity-Time': [120] },
    ]);
    const left = (10 - 3 - seconds / 100).toFixed(2);
    expect((await gateway.account())[0]).toBe(`main: ${left} available, 3.00 reserved`);
    expect(gateway.records().at(-1)?.services[0]?.reasons).toEqual([
      Object.values({ ...reason, ...reasonOfUnits })[0],
    ]);
  },
);

test('G-143 time that is reported of a volume quota: beside octets it costs nothing', async () => {
  const gateway = await Gateway.open(yamlOf(`${DATA_RULE}\n  validity: 10 min`));
  const asks = { 'Rating-Group': 1, 'Requested-Service-Unit': {} };
  await gateway.ask('initial', 0, mscc(asks));
  const used = { 'CC-Time': 600, 'CC-Input-Octets': 1_000_000, 'CC-Output-Octets': 1_000_000 };
  const report = { 'Used-Service-Unit': used, 'Reporting-Reason': 4 };
  const { services } = await gateway.ask('update', 1, mscc({ ...asks, ...report }));
  expect(services).toMatchObject([
    { 'Result-Code': [2001], 'Granted-Service-Unit': [{ 'CC-Total-Octets': [10_000_000n] }] },
  ]);
  expect((await gateway.account())[0]).toBe('main: 8.80 available, 1.00 reserved');
});

test('G-143 time alone of a volume quota cannot be rated: 5031, and the record keeps it', async () => {
  const gateway = await Gateway.open(yamlOf(DATA_RULE));
  const asks = { 'Rating-Group': 1, 'Requested-Service-Unit': {} };
  await gateway.ask('initial', 0, mscc(asks));
  const report = { 'Used-Service-Unit': { 'CC-Time': 600 }, 'Reporting-Reason': 4 };
  const { code, services } = await gateway.ask('update', 1, mscc({ ...asks, ...report }));
  expect([code, services[0]?.['Result-Code']]).toEqual([2001, [5031]]);
  expect(services[0]?.['Granted-Service-Unit']).toBeUndefined();
  expect(gateway.records().at(-1)?.services[0]?.unrated).toEqual({ seconds: 600 });
  // Nothing was used of it and nothing is spent: the service asks again, and is granted.
  const none = { 'Used-Service-Unit': { 'CC-Total-Octets': 0 } };
  const again = await gateway.ask('update', 2, mscc({ ...asks, ...none }));
  expect(again.services).toMatchObject([{ 'Result-Code': [2001] }]);
  expect((await gateway.account())[0]).toBe('main: 9.00 available, 1.00 reserved');
});

test('G-047 envelopes say how the use was spread, and are not counted beside it', async () => {
  const gateway = await Gateway.open(yamlOf(DATA_RULE));
  const asks = { 'Rating-Group': 1, 'Requested-Service-Unit': {} };
  await gateway.ask('initial', 0, mscc(asks));
  const from = Math.floor(gateway.now / 1000);
  const volume = { 'CC-Total-Octets': 1_000_000 };
  const report = {
    'Used-Service-Unit': { 'CC-Total-Octets': 2_000_000 },
    Envelope: [
      { 'Envelope-Start-Time': from, 'Envelope-End-Time': from + 20, ...volume },
      { 'Envelope-Start-Time': from + 60, ...volume },
    ],
  };
  const { code, services } = await gateway.ask('update', 1, mscc({ ...asks, ...report }));
  expect([code, services[0]?.['Result-Code']]).toEqual([2001, [2001]]);
  expect((await gateway.account())[0]).toBe('main: 8.80 available, 1.00 reserved');
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
