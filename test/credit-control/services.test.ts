/** RFC 8506 5.1.2, 5.2, 8.16-8.19, 9: several services in one request, by clause. */
import { describe, expect, test } from 'vitest';
import type { PeerOptions } from '../../src/engine/received.ts';
import { type Answer, DATA_RULE, Gateway, yamlOf } from './gateway.ts';
import { avpOf, octetsOf, type Read, type Tree } from './octets.ts';

const open = () => Gateway.open(yamlOf(DATA_RULE));
const mscc = (...services: Tree[]): Tree => ({ 'Multiple-Services-Credit-Control': services });
const asks = (ratingGroup: number, octets?: number): Tree => ({
  'Rating-Group': ratingGroup,
  'Requested-Service-Unit': octets === undefined ? {} : { 'CC-Total-Octets': octets },
});
const used = (octets: number): Tree => ({ 'Used-Service-Unit': { 'CC-Total-Octets': octets } });

/** Rating-Group, Result-Code and octets granted of each service. */
const shown = ({ services }: Answer): unknown[] =>
  services.map((service) => [
    ...[service['Rating-Group']?.[0], service['Result-Code']?.[0]],
    (service['Granted-Service-Unit']?.[0] as Read | undefined)?.['CC-Total-Octets']?.[0],
  ]);

test('C-071 an amount of money is reserved as it is', async () => {
  const gateway = await Gateway.open(
    yamlOf('- { name: pay, match: {}, unit: money, quota: { size: "1.00", maximum: "5.00" } }'),
  );
  const price = { 'Value-Digits': 250, Exponent: -2 };
  const money = { 'CC-Money': { 'Unit-Value': price, 'Currency-Code': 978 } };
  const { says } = await gateway.ask('initial', 0, { 'Requested-Service-Unit': money });
  expect(says['Granted-Service-Unit']).toEqual([
    {
      'CC-Money': [
        { 'Unit-Value': [{ 'Value-Digits': [250n], Exponent: [-2] }], 'Currency-Code': [978] },
      ],
    },
  ]);
  expect(await gateway.account()).toContain('main: 7.50 available, 2.50 reserved');
});

test('C-072 C-099 a grant has each type of unit once, in its own form', async () => {
  const gateway = await Gateway.open(
    yamlOf(`
${DATA_RULE}
- { name: voice, match: { ratingGroup: [6] }, unit: seconds, free: true, quota: { size: 90 } }
- { name: texts, match: { ratingGroup: [7] }, unit: units, free: true, quota: { size: 3 } }`),
  );
  const ask = (ratingGroup: number) => ({
    ...{ 'Rating-Group': ratingGroup, 'Requested-Service-Unit': {} },
  });
  const { services } = await gateway.ask('initial', 0, mscc(ask(1), ask(6), ask(7)));
  expect(services.map((service) => service['Granted-Service-Unit'])).toEqual([
    [{ 'CC-Total-Octets': [10_000_000n] }],
    [{ 'CC-Time': [90] }],
    [{ 'CC-Service-Specific-Units': [3n] }],
  ]);
});

describe('C-072 C-094 a service that is named twice is answered once', () => {
  const ask = (units: Tree = {}): Tree => ({ 'Rating-Group': 1, 'Requested-Service-Unit': units });
  const mega = (count: number): Tree => ({ 'CC-Total-Octets': count * 1_000_000 });
  const used = (count: number): Tree => ({ 'Rating-Group': 1, 'Used-Service-Unit': mega(count) });
  const quota = (count: number) => [{ 'CC-Total-Octets': [BigInt(count) * 1_000_000n] }];
  const twoTariffs = `- name: day
  match: { ratingGroup: [1], when: [{ from: "00:00", until: "00:30" }] }
  unit: octets
  price: { amount: "0.20", per: 1 MB }
  quota: { size: 10 MB, maximum: 20 MB }
- name: night
  match: { ratingGroup: [1] }
  unit: octets
  price: { amount: "0.10", per: 1 MB }
  quota: { size: 10 MB, maximum: 20 MB }`;

  test('with the sum of what both were granted, which is what is reserved', async () => {
    const gateway = await open();
    const first = await gateway.ask('initial', 0, mscc(ask(mega(5)), ask(mega(8))));
    expect(first.services).toHaveLength(1);
    expect(first.services[0]).toMatchObject({
      ...{ 'Rating-Group': [1], 'Result-Code': [2001], 'Granted-Service-Unit': quota(13) },
    });
    expect((await gateway.account())[0]).toBe('main: 8.70 available, 1.30 reserved');
    // One reports and the other asks, in either order.
    for (const [number, services] of [
      [used(13), ask()],
      [ask(), used(10)],
    ].entries()) {
      const next = await gateway.ask('update', number + 1, mscc(...services));
      expect(next.services).toHaveLength(1);
      expect(next.services[0]?.['Granted-Service-Unit']).toEqual(quota(10));
    }
    expect((await gateway.account())[0]).toBe('main: 6.70 available, 1.00 reserved');
    // A copy gets the same octets, and another service its own entry.
    const request = gateway.request(
      'update',
      3,
      mscc(ask(), { ...ask(), 'Rating-Group': 2 }, ask()),
    );
    const answer = await gateway.send(request);
    expect(answer.services.map((one) => one['Rating-Group'])).toEqual([[1], [2]]);
    expect(answer.services[0]?.['Granted-Service-Unit']).toEqual(quota(20));
    expect((await gateway.send(request, 1)).bytes).toEqual(answer.bytes);
  });

  test('with what failed, unless something is granted', async () => {
    const gateway = await Gateway.open(
      yamlOf(DATA_RULE, { buckets: '- { id: main, unit: money, opening: "1.00" }' }),
    );
    await gateway.ask('initial', 0, mscc(ask()));
    const wrong = await gateway.ask('update', 1, mscc(ask({ 'CC-Time': 60 }), used(4), ask()));
    expect(wrong.services).toHaveLength(1);
    expect(wrong.services[0]).toMatchObject({
      ...{ 'Result-Code': [2001], 'Granted-Service-Unit': quota(6) },
    });
    expect(wrong.says['Failed-AVP']).toBeUndefined();
    const none = await gateway.ask('update', 2, mscc(used(6), ask()));
    expect(none.services).toHaveLength(1);
    expect(none.services[0]).toMatchObject({ 'Rating-Group': [1], 'Result-Code': [4012] });
    expect((await gateway.account())[0]).toBe('main: 0.00 available, 0.00 reserved');
  });

  test('C-122 with one quota before a tariff change and one after it', async () => {
    const gateway = await Gateway.open(yamlOf(twoTariffs));
    const request = gateway.request('initial', 0, mscc(ask(mega(5)), ask(mega(8))));
    const options = { numbering: 'strict', tariffChange: 'dual' } as const;
    const { services } = await gateway.send(request, 0, { options });
    expect(services.map((one) => one['Tariff-Change-Usage'])).toEqual([[0], [1]]);
    expect(services).toMatchObject([
      { 'Granted-Service-Unit': [{ 'CC-Total-Octets': [13_000_000n] }] },
      { 'Granted-Service-Unit': [{ 'CC-Total-Octets': [13_000_000n] }] },
    ]);
    expect((await gateway.account())[0]).toBe('main: 6.10 available, 3.90 reserved');
  });
});

test.each([0, 1])(
  'C-090 C-091 services are answered as services, Multiple-Services-Indicator %i or not',
  async (indicator) => {
    const gateway = await open();
    const answer = await gateway.ask('initial', 0, {
      ...mscc(asks(1), asks(2)),
      'Multiple-Services-Indicator': indicator,
    });
    expect(shown(answer)).toEqual([
      [1, 2001, 10_000_000n],
      [2, 2001, 10_000_000n],
    ]);
    expect(answer.says['Granted-Service-Unit']).toBeUndefined();
  },
);

test('C-092 C-105 every member that a service may have is read, and every one is answered', async () => {
  const gateway = await Gateway.open(
    yamlOf(
      `- name: day
  match: { when: [{ from: "00:00", until: "01:00" }] }
  unit: octets
  price: { amount: "0.20", per: 1 MB }
  quota: { size: 10 MB, minimum: 1 MB }
  validity: 2 h
  pool: 3
  atEnd: { restrict: true, filterIds: [walled-garden], again: 2 min }
- name: night
  unit: octets
  price: { amount: "0.10", per: 1 MB }
  quota: { size: 10 MB, minimum: 1 MB }
  validity: 2 h
  pool: 3
  atEnd: { restrict: true, filterIds: [walled-garden], again: 2 min }`,
      { buckets: '- { id: main, unit: money, opening: "4.00" }' },
    ),
  );
  const options: PeerOptions = {
    numbering: 'strict',
    tariffChange: 'dual',
    finalUnits: 'rfc8506',
  };
  const ask = (kind: 'initial' | 'update', number: number, service: Tree) =>
    gateway.send(gateway.request(kind, number, mscc(service)), 0, { options });
  const names = { 'Rating-Group': 1, 'Service-Identifier': [7, 8] };
  const first = await ask('initial', 0, { ...names, 'Requested-Service-Unit': {} });
  expect(first.code).toBe(2001);
  const [before, after] = first.services;
  for (const [service, usage] of [
    [before, 0],
    [after, 1],
  ] as const)
    expect(service).toMatchObject({
      'Rating-Group': [1],
      'Service-Identifier': [7, 8],
      'Result-Code': [2001],
      'Tariff-Change-Usage': [usage],
      'Validity-Time': [7200],
      'Granted-Service-Unit': [{ 'Tariff-Time-Change': [gateway.now / 1000 + 3600] }],
      'G-S-U-Pool-Reference': [{ 'G-S-U-Pool-Identifier': [3], 'CC-Unit-Type': [2] }],
    });
  await gateway.wait(3700);
  const usedIn = (change: number, octets: number): Tree => ({
    'Tariff-Change-Usage': change,
    'CC-Total-Octets': octets,
  });
  const report = {
    ...names,
    'Requested-Service-Unit': { 'CC-Total-Octets': 10_000_000 },
    'Used-Service-Unit': [usedIn(0, 1_000_000), usedIn(0, 4_000_000), usedIn(1, 20_000_000)],
  };
  const second = await ask('update', 1, report);
  // 5 MB by day and 20 MB by night cost 3.00; 1.00 is left, and is the end.
  expect(second.services).toMatchObject([
    {
      'Granted-Service-Unit': [{ 'CC-Total-Octets': [expect.any(BigInt)] }],
      'Final-Unit-Indication': [{ 'Final-Unit-Action': [2], 'Filter-Id': ['walled-garden'] }],
      'QoS-Final-Unit-Indication': [{ 'Final-Unit-Action': [2], 'Filter-Id': ['walled-garden'] }],
    },
  ]);
  expect((await gateway.account())[0]).toBe('main: 0.00 available, 1.00 reserved');
});

test.each([
  ['seconds', 'size: 60', 'CC-Time', 0],
  ['money', 'size: "1.00"', 'CC-Money', 1],
  ['octets', 'size: 1 MB', 'CC-Total-Octets', 2],
  ['units', 'size: 5', 'CC-Service-Specific-Units', 5],
])('C-160 C-161 a pool of %s names the type that was granted', async (unit, size, avp, type) => {
  const price = unit === 'money' ? '' : 'price: { amount: "0.01", per: 1 }, ';
  const small = unit === 'octets' ? 'price: { amount: "0.10", per: 1 MB }, ' : price;
  const gateway = await Gateway.open(
    yamlOf(`- { name: r, unit: ${unit}, ${small}quota: { ${size} }, pool: 9 }`),
  );
  const { services } = await gateway.ask(
    ...(['initial', 0] as const),
    mscc({ 'Rating-Group': 1, 'Requested-Service-Unit': {} }),
  );
  expect(Object.keys(services[0]?.['Granted-Service-Unit']?.[0] as Read)).toEqual([avp]);
  expect(services).toMatchObject([
    { 'G-S-U-Pool-Reference': [{ 'G-S-U-Pool-Identifier': [9], 'CC-Unit-Type': [type] }] },
  ]);
});

test('C-164 what a rule keeps out of the pool has no reference to it', async () => {
  const gateway = await Gateway.open(
    yamlOf(`${DATA_RULE.replace('[1, 2, 3, 4, 5]', '[1]')}
  pool: 9
- { name: other, unit: octets, free: true, quota: { size: 1 MB } }`),
  );
  const { services } = await gateway.ask('initial', 0, mscc(asks(1), asks(2)));
  expect(services.map((one) => one['G-S-U-Pool-Reference']?.length)).toEqual([1, undefined]);
});

test('C-092 what nobody knows of a service is let be, unless it must be known', async () => {
  const gateway = await open();
  const strange = (flags: number): Buffer => {
    const unknown = avpOf('User-Name', 'x');
    unknown.writeUInt32BE(0xffffff, 0);
    unknown[4] = flags;
    return Buffer.concat([...octetsOf(asks(1)), unknown]);
  };
  const ask = (session: string, service: Buffer) =>
    gateway.ask('initial', 0, { 'Multiple-Services-Credit-Control': service }, { session });
  expect(shown(await ask('let', strange(0)))).toEqual([[1, 2001, 10_000_000n]]);
  expect((await ask('must', strange(0x40))).code).toBe(5001);
});

test('C-094 G-052 every service that asks has its answer, with its own keys', async () => {
  const gateway = await Gateway.open(
    yamlOf('- { name: all, unit: octets, free: true, quota: { size: 1000 } }'),
  );
  const unit = { 'Requested-Service-Unit': {} };
  const { services } = await gateway.ask(
    ...(['initial', 0] as const),
    mscc(
      { ...unit, 'Rating-Group': 1 },
      { ...unit, 'Rating-Group': 1, 'Service-Identifier': 7 },
      { ...unit, 'Rating-Group': 1, 'Service-Identifier': [8, 9] },
      { ...unit, 'Service-Identifier': 7 },
      unit,
    ),
  );
  const keys = services.map((one) => [one['Rating-Group']?.[0], one['Service-Identifier']]);
  expect(keys).toEqual([
    [1, undefined],
    [1, [7]],
    [1, [8, 9]],
    [undefined, [7]],
    [undefined, undefined],
  ]);
  for (const one of services)
    expect(one['Granted-Service-Unit']).toEqual([{ 'CC-Total-Octets': [1000n] }]);
});

test('C-097 what is asked for is a wish, within what the plan allows', async () => {
  const gateway = await open();
  const answer = await gateway.ask('initial', 0, mscc(asks(1, 3_000_000), asks(2, 50_000_000)));
  expect(shown(answer)).toEqual([
    [1, 2001, 3_000_000n],
    [2, 2001, 20_000_000n],
  ]);
});

test('C-100 G-005 nothing that belongs to a service stands at command level too', async () => {
  const gateway = await Gateway.open(
    yamlOf(`${DATA_RULE}\n  validity: 10 min`, {
      buckets: '- { id: main, unit: money, opening: "0.50" }',
    }),
  );
  const { says, services } = await gateway.ask('initial', 0, mscc(asks(1)));
  expect(services[0]).toMatchObject({
    'Validity-Time': [600],
    'Final-Unit-Indication': [{ 'Final-Unit-Action': [0] }],
  });
  for (const name of ['Validity-Time', 'Final-Unit-Indication', 'Granted-Service-Unit'])
    expect(says[name]).toBeUndefined();
});

test('C-103 the quotas of two services have nothing to do with each other', async () => {
  const gateway = await open();
  await gateway.ask('initial', 0, mscc(asks(1), asks(2)));
  const answer = await gateway.ask('update', 1, mscc({ ...asks(1), ...used(4_000_000) }));
  expect(shown(answer)).toEqual([[1, 2001, 10_000_000n]]);
  // The other one's grant is untouched: what it uses of it costs what it was granted for.
  expect(await gateway.account()).toContain('main: 7.60 available, 2.00 reserved');
  await gateway.ask('update', 2, mscc({ 'Rating-Group': 2, ...used(10_000_000) }));
  expect(await gateway.account()).toContain('main: 7.60 available, 1.00 reserved');
});

test('C-110 usage is debited although nothing more is granted', async () => {
  const gateway = await Gateway.open(
    yamlOf(DATA_RULE, { buckets: '- { id: main, unit: money, opening: "0.30" }' }),
  );
  await gateway.ask('initial', 0, mscc(asks(1)));
  const answer = await gateway.ask('update', 1, mscc({ ...asks(1), ...used(3_000_000) }));
  expect([answer.code, shown(answer)]).toEqual([2001, [[1, 4012, undefined]]]);
  expect(await gateway.account()).toContain('main: 0.00 available, 0.00 reserved');
});

test('C-110 usage of a service that is denied by now is debited', async () => {
  const gateway = await Gateway.open(
    yamlOf(`- { name: early, match: { when: [{ from: "00:00", until: "01:00" }] }, unit: octets, price: { amount: "0.10", per: 1 MB }, quota: { size: 10 MB } }
- { name: late, denied: true }`),
  );
  await gateway.ask('initial', 0, mscc(asks(1)));
  await gateway.wait(3601);
  const answer = await gateway.ask('update', 1, mscc({ ...asks(1), ...used(3_000_000) }));
  expect([answer.code, shown(answer)]).toEqual([2001, [[1, 4010, undefined]]]);
  expect((await gateway.account())[0]).toBe('main: 9.70 available, 0.00 reserved');
});

test('C-114 an account without credit is told so, not granted nothing', async () => {
  const gateway = await Gateway.open(
    yamlOf(DATA_RULE, { buckets: '- { id: main, unit: money, opening: "0.05" }' }),
  );
  const answer = await gateway.ask('initial', 0, mscc(asks(1)));
  expect([answer.code, shown(answer)]).toEqual([2001, [[1, 4012, undefined]]]);
});

test('G-070 one service that is refused refuses neither the others nor the session', async () => {
  const gateway = await Gateway.open(
    yamlOf(`${DATA_RULE}\n- { name: no, match: { ratingGroup: [9] }, denied: true }`),
  );
  const answer = await gateway.ask('initial', 0, mscc(asks(1), asks(9), asks(77)));
  expect([answer.code, shown(answer)]).toEqual([
    2001,
    [
      [1, 2001, 10_000_000n],
      [9, 4010, undefined],
      [77, 5031, undefined],
    ],
  ]);
  // RFC 8506 9.2: 5031 names what could not be rated; TS 32.299 has room for one.
  expect(answer.says['Failed-AVP']).toEqual([{ 'Rating-Group': [77] }]);
  const stranger = { 'Subscription-Id-Type': 0, 'Subscription-Id-Data': '999' };
  const asked = { ...mscc(asks(1)), 'Subscription-Id': stranger };
  const unknown = await gateway.ask('initial', 0, asked, { session: 'x' });
  expect([unknown.code, unknown.services]).toEqual([5030, []]);
});

test('G-006 a Failed-AVP names one, however many fail', async () => {
  const gateway = await open();
  const { says } = await gateway.ask('initial', 0, mscc(asks(77), asks(78)));
  expect(says['Failed-AVP']).toEqual([{ 'Rating-Group': [77] }]);
});

test('G-071 the last grant says that it is the last, rather than a bare 4012 later', async () => {
  const gateway = await Gateway.open(
    yamlOf(DATA_RULE, { buckets: '- { id: main, unit: money, opening: "1.50" }' }),
  );
  await gateway.ask('initial', 0, mscc(asks(1)));
  const { services } = await gateway.ask('update', 1, mscc({ ...asks(1), ...used(10_000_000) }));
  expect(services).toMatchObject([
    {
      'Granted-Service-Unit': [{ 'CC-Total-Octets': [5_000_000n] }],
      'Final-Unit-Indication': [{ 'Final-Unit-Action': [0] }],
    },
  ]);
});

const pay = '- { name: pay, match: {}, unit: money, quota: { size: "1.00", maximum: "5.00" } }';
const euros = (digits: number, exponent: number): Tree => ({
  'CC-Money': {
    'Unit-Value': { 'Value-Digits': digits, Exponent: exponent },
    'Currency-Code': 978,
  },
});

test('usage at command level beside services is charged, or refused as nothing rates it', async () => {
  const gateway = await open();
  await gateway.ask('initial', 0, mscc(asks(1), asks(2)));
  const beside = { ...used(5_000_000), ...mscc({ 'Rating-Group': 1, ...used(1_000_000) }) };
  expect(shown(await gateway.ask('update', 1, beside))).toEqual([[1, 2001, undefined]]);
  expect(await gateway.account()).toContain('main: 8.40 available, 1.00 reserved');
  const services = mscc(
    { 'Rating-Group': 1, ...used(1_000_000) },
    { 'Rating-Group': 2, ...used(1_000_000) },
  );
  const answer = await gateway.ask('termination', 2, { ...used(5_000_000), ...services });
  expect(shown(answer)).toEqual([
    [1, 2001, undefined],
    [2, 2001, undefined],
    [undefined, 5031, undefined],
  ]);
  expect(await gateway.account()).toContain('main: 9.20 available, 0.00 reserved');
});

test('C-105 fractions of the smallest unit are rounded up once for each report', async () => {
  const gateway = await Gateway.open(yamlOf(pay));
  await gateway.ask('initial', 0, mscc({ 'Requested-Service-Unit': {} }));
  const mille = Array.from({ length: 10 }, () => euros(1, -3));
  await gateway.ask('update', 1, mscc({ 'Used-Service-Unit': mille }));
  expect(await gateway.account()).toContain('main: 9.99 available, 0.00 reserved');
  const back = { 'Used-Service-Unit': [euros(50, -2), euros(-30, -2)] };
  await gateway.ask('termination', 2, mscc(back));
  expect(await gateway.account()).toContain('main: 9.79 available, 0.00 reserved');
});

describe('C-111 5031 copies what could not be rated, at either level', () => {
  const RULES = `- name: data
  match: { context: [32251@3gpp.org], ratingGroup: [1, none] }
  unit: octets
  price: { amount: "0.10", per: 1 MB }
  quota: { size: 10 MB }`;
  const minute = { 'CC-Time': 60 };
  const both = { ...minute, 'CC-Service-Specific-Units': 3 };
  const asks = (units: Tree): Tree => ({ 'Requested-Service-Unit': units });
  const uses = (units: Tree): Tree => ({ 'Used-Service-Unit': units });
  const inMSCC = (part: Tree): Tree => mscc({ 'Rating-Group': 1, ...part });
  const failedAt = async (kind: 'initial' | 'event' | 'update', part: Tree, rules = RULES) => {
    const gateway = await Gateway.open(yamlOf(rules));
    if (kind === 'update') await gateway.ask('initial', 0, { ...inMSCC(asks({})) });
    const action = kind === 'event' ? { 'Requested-Action': 0 } : {};
    const { code, services, says } = await gateway.ask(kind, 1, { ...part, ...action });
    const result = code === 2001 ? services.map((one) => one['Result-Code']?.[0]) : [code];
    expect(result).toContain(5031);
    return says['Failed-AVP'];
  };

  test('units that the rule does not count', async () => {
    const { 'CC-Service-Specific-Units': units } = both;
    const copy = [{ 'CC-Time': [60], 'CC-Service-Specific-Units': [BigInt(units)] }];
    for (const kind of ['initial', 'event'] as const) {
      expect(await failedAt(kind, asks(minute))).toEqual([{ 'CC-Time': [60] }]);
      expect(await failedAt(kind, inMSCC(asks(minute)))).toEqual([{ 'CC-Time': [60] }]);
      expect(await failedAt(kind, asks(both))).toEqual(copy);
      expect(await failedAt(kind, inMSCC(asks(both)))).toEqual(copy);
    }
    // Of several services the one that failed, and of it what was used.
    const two = [
      { 'Rating-Group': 1, 'Service-Identifier': 7, ...asks({ 'CC-Total-Octets': 5 }) },
      { 'Rating-Group': 1, ...uses(minute) },
    ];
    const update = { 'Multiple-Services-Credit-Control': two };
    expect(await failedAt('update', update)).toEqual([{ 'CC-Time': [60] }]);
  });

  test('what names a service that no rule matches, or a Rating-Group where nothing does', async () => {
    for (const kind of ['initial', 'event'] as const) {
      const other = mscc({ 'Rating-Group': 9, ...asks(minute) });
      expect(await failedAt(kind, other, DATA_RULE)).toEqual([{ 'Rating-Group': [9] }]);
      const service = mscc({ 'Service-Identifier': 8, ...asks(minute) });
      expect(await failedAt(kind, service, DATA_RULE)).toEqual([{ 'Service-Identifier': [8] }]);
      const command = { 'Service-Identifier': 8, ...asks(minute) };
      expect(await failedAt(kind, command, DATA_RULE)).toEqual([{ 'Service-Identifier': [8] }]);
    }
    expect(await failedAt('update', mscc({ 'Rating-Group': 9, ...uses(minute) }))).toEqual([
      { 'Rating-Group': [9] },
    ]);
  });

  test('its context only where no rule has it', async () => {
    const context = { 'Service-Context-Id': '32260@3gpp.org' };
    for (const kind of ['initial', 'event'] as const) {
      const gateway = await Gateway.open(yamlOf(DATA_RULE));
      const action = kind === 'event' ? { 'Requested-Action': 0 } : {};
      const part = { ...context, ...action, ...asks({}) };
      const unknown = await gateway.ask(kind, 0, part);
      expect(unknown.says['Failed-AVP']).toEqual([{ 'Service-Context-Id': ['32260@3gpp.org'] }]);
      const bare = await gateway.ask(kind, 1, { ...action, ...asks({}) });
      expect([bare.code, bare.says['Failed-AVP']]).toEqual([5031, [{ 'Rating-Group': [0] }]]);
    }
  });
});

test('C-111 money below zero is refused whoever asks, and said to be what failed', async () => {
  const gateway = await Gateway.open(yamlOf(pay));
  const minus = { 'Requested-Service-Unit': euros(-50, -2) };
  const session = await gateway.ask('initial', 0, mscc(minus));
  expect(shown(session)).toEqual([[undefined, 5031, undefined]]);
  const event = { 'Requested-Action': 0, ...minus };
  const debit = await gateway.ask('event', 0, event, { session: 'e' });
  expect(debit.code).toBe(5031);
  for (const { says } of [session, debit])
    expect(says['Failed-AVP']?.[0]).toEqual({
      'CC-Money': [
        { 'Unit-Value': [{ 'Value-Digits': [-50n], Exponent: [-2] }], 'Currency-Code': [978] },
      ],
    });
  expect(await gateway.account()).toContain('main: 10.00 available, 0.00 reserved');
});
