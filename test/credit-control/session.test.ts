/** RFC 8506 3, 5, 7, 8.2-8.5: what a session is asked and answers, by clause. */
import { expect, test } from 'vitest';
import { message } from '../diameter/bytes.ts';
import { ANNA, DATA_RULE, Gateway, yamlOf } from './gateway.ts';
import { avpOf, octetsOf, type Read, type Tree } from './octets.ts';

const open = () => Gateway.open(yamlOf(DATA_RULE));
const mscc = (service: Tree): Tree => ({ 'Multiple-Services-Credit-Control': service });
const asks = (ratingGroup = 1): Tree => ({
  'Rating-Group': ratingGroup,
  'Requested-Service-Unit': {},
});
const used = (octets: number): Tree => ({ 'Used-Service-Unit': { 'CC-Total-Octets': octets } });
const octets = (count: number): Tree => ({ 'CC-Total-Octets': count });
const granted = (service: Read | undefined): unknown =>
  (service?.['Granted-Service-Unit']?.[0] as Read | undefined)?.['CC-Total-Octets']?.[0];

test('C-001 C-003 an answer has the application, the command and the AVPs that it must', async () => {
  const gateway = await open();
  const request = gateway.request('initial', 7, mscc(asks()));
  const { bytes, says } = await gateway.send(request);
  // Command 272, R clear, P as in the request, application 4.
  expect(bytes.subarray(4, 12).toString('hex')).toBe('4000011000000004');
  expect(Object.keys(says)[0]).toBe('Session-Id');
  expect(says).toMatchObject({
    'Session-Id': ['gw.example;1;s'],
    'Result-Code': [2001],
    'Origin-Host': ['ocs.tollkeeper.example'],
    'Origin-Realm': ['tollkeeper.example'],
    'Auth-Application-Id': [4],
    'CC-Request-Type': [1],
    'CC-Request-Number': [7],
  });
});

test('C-003 a refusal, too, has the AVPs that an answer must', async () => {
  const gateway = await open();
  const empty = await gateway.ask('update', 4, mscc(asks()));
  const stranger = { 'Subscription-Id-Type': 0, 'Subscription-Id-Data': '999' };
  const unknown = await gateway.ask('initial', 5, { 'Subscription-Id': stranger });
  for (const [{ says }, code, type, number] of [
    [empty, 5002, 2, 4],
    [unknown, 5030, 1, 5],
  ] as const) {
    expect(Object.keys(says)[0]).toBe('Session-Id');
    expect(says).toMatchObject({
      'Session-Id': ['gw.example;1;s'],
      'Result-Code': [code],
      'Origin-Host': ['ocs.tollkeeper.example'],
      'Origin-Realm': ['tollkeeper.example'],
      'Auth-Application-Id': [4],
      'CC-Request-Type': [type],
      'CC-Request-Number': [number],
    });
  }
});

test.each([
  ...['Session-Id', 'Origin-Host', 'Origin-Realm', 'Destination-Realm', 'Auth-Application-Id'],
  ...['Service-Context-Id', 'CC-Request-Type', 'CC-Request-Number'],
])('C-002 a CCR without %s gets 5005', async (missing) => {
  const gateway = await open();
  const whole: Tree = {
    'Session-Id': 'gw.example;1;s',
    'Origin-Host': 'gw.example',
    'Origin-Realm': 'example',
    'Destination-Realm': 'tollkeeper.example',
    'Auth-Application-Id': 4,
    'Service-Context-Id': '32251@3gpp.org',
    'CC-Request-Type': 1,
    'CC-Request-Number': 0,
    'Subscription-Id': ANNA,
  };
  const rest = Object.fromEntries(Object.entries(whole).filter(([name]) => name !== missing));
  const answer = await gateway.send(message(octetsOf(rest as Tree)), 0, { strict: true });
  expect(answer.code).toBe(5005);
  expect(Object.keys((answer.says['Failed-AVP']?.[0] ?? {}) as Read)).toEqual([missing]);
  expect(await gateway.openSessions()).toBe(0);
});

const ONCE: Tree = {
  'Destination-Host': 'ocs.tollkeeper.example',
  'User-Name': 'anna@example',
  'CC-Sub-Session-Id': 1,
  'Acct-Multi-Session-Id': 'm',
  'Origin-State-Id': 1,
  'Event-Timestamp': 1_767_225_600,
  'Service-Identifier': 1,
  'Termination-Cause': 1,
  'Requested-Service-Unit': {},
  'Requested-Action': 0,
  'Multiple-Services-Indicator': 0,
  'CC-Correlation-Id': Buffer.from('01', 'hex'),
  'User-Equipment-Info': {
    'User-Equipment-Info-Type': 0,
    'User-Equipment-Info-Value': Buffer.from('35'),
  },
  'User-Equipment-Info-Extension': { 'User-Equipment-Info-IMEISV': Buffer.from('35') },
};

test.each(Object.entries(ONCE))('C-005 %s twice gets 5009', async (name, value) => {
  const gateway = await open();
  const bytes = gateway.request('initial', 0, { [name]: [value, value] });
  const twice = await gateway.send(bytes, 0, { strict: true });
  expect([twice.code, twice.error]).toEqual([5009, false]);
  expect(Object.keys((twice.says['Failed-AVP']?.[0] ?? {}) as Read)).toEqual([name]);
  expect(await gateway.openSessions()).toBe(0);
});

test('C-005 what may be repeated is', async () => {
  const gateway = await open();
  const proxy = (host: string): Tree => ({
    'Proxy-Host': host,
    'Proxy-State': Buffer.from('01', 'hex'),
  });
  const answer = await gateway.ask('initial', 0, {
    'Subscription-Id': [ANNA, { ...ANNA, 'Subscription-Id-Type': 4 }],
    'Subscription-Id-Extension': [
      { 'Subscription-Id-E164': '491700000001' },
      { 'Subscription-Id-NAI': 'anna@example' },
    ],
    'Multiple-Services-Credit-Control': [asks(1), asks(2)],
    'Proxy-Info': [proxy('one.example'), proxy('two.example')],
    'Route-Record': ['one.example', 'two.example'],
  });
  expect([answer.code, answer.services.length]).toEqual([2001, 2]);
  expect(answer.says['Proxy-Info']).toHaveLength(2);
  const command = { 'Used-Service-Unit': [octets(1_000_000), octets(2_000_000)] };
  const plain = { session: 'plain' };
  const rule = { 'Service-Identifier': 1, 'Requested-Service-Unit': {} };
  await gateway.ask('initial', 0, rule, plain);
  expect((await gateway.ask('termination', 1, command, plain)).code).not.toBe(5009);
});

test('C-006 C-007 an answer has nothing that only a request may have', async () => {
  const gateway = await open();
  const { says } = await gateway.ask('initial', 0, {
    ...mscc(asks()),
    'Multiple-Services-Indicator': 1,
    'CC-Correlation-Id': Buffer.from('01', 'hex'),
  });
  const allowed = [
    ...['Session-Id', 'Result-Code', 'Origin-Host', 'Origin-Realm', 'Auth-Application-Id'],
    ...['CC-Request-Type', 'CC-Request-Number', 'CC-Session-Failover'],
    ...['Multiple-Services-Credit-Control', 'Credit-Control-Failure-Handling'],
  ];
  expect(Object.keys(says).filter((name) => !allowed.includes(name))).toEqual([]);
});

test.each([0, 5, 9])('C-010 CC-Request-Type %i is none: 5004', async (type) => {
  const gateway = await open();
  const answer = await gateway.ask('initial', 0, { ...mscc(asks()), 'CC-Request-Type': type });
  expect(answer.code).toBe(5004);
  expect(answer.says['Failed-AVP']).toEqual([{ 'CC-Request-Type': [type] }]);
});

test('C-075 C-076 each report is counted once, and its grant takes the place of the last', async () => {
  const gateway = await open();
  await gateway.ask('initial', 0, mscc(asks()));
  expect(await gateway.account()).toContain('main: 9.00 available, 1.00 reserved');
  await gateway.ask('update', 1, mscc({ ...asks(), ...used(2_000_000) }));
  expect(await gateway.account()).toContain('main: 8.80 available, 1.00 reserved');
  // Usage counts from the last report on: twice two megabytes are four.
  await gateway.ask('update', 2, mscc({ ...asks(), ...used(2_000_000) }));
  expect(await gateway.account()).toContain('main: 8.60 available, 1.00 reserved');
});

test('C-012 numbers may begin anywhere and skip', async () => {
  const gateway = await open();
  expect((await gateway.ask('initial', 1, mscc(asks()))).code).toBe(2001);
  const later = await gateway.ask('update', 5, mscc({ ...asks(), ...used(1_000_000) }));
  expect([later.code, granted(later.services[0])]).toEqual([2001, 10_000_000n]);
  const last = mscc({ 'Rating-Group': 1, ...used(1_000_000) });
  expect((await gateway.ask('termination', 9, last)).code).toBe(2001);
  expect((await gateway.account())[0]).toBe('main: 9.80 available, 0.00 reserved');
});

test('C-011 C-060 C-231 G-141 a copy of any request gets its answer and moves nothing', async () => {
  const gateway = await open();
  const T = 0xd0;
  const requests = [
    gateway.request('initial', 0, mscc(asks()), { endToEnd: 1 }),
    gateway.request('update', 1, mscc({ ...asks(), ...used(3_000_000) }), { endToEnd: 2 }),
    gateway.request('termination', 2, mscc({ 'Rating-Group': 1, ...used(1_000_000) }), {
      endToEnd: 3,
    }),
  ];
  for (const request of requests) {
    const first = await gateway.send(request);
    const books = await gateway.account();
    for (const [flags, endToEnd, worker] of [
      [0xc0, undefined, 0],
      [T, undefined, 1],
      [T, 99, 1],
      [0xc0, 98, 0],
    ] as const) {
      const copy = Buffer.from(request);
      copy[4] = flags;
      if (endToEnd !== undefined) copy.writeUInt32BE(endToEnd, 16);
      const again = await gateway.send(copy, worker);
      expect(again.bytes.subarray(20)).toEqual(first.bytes.subarray(20));
      expect(await gateway.account()).toEqual(books);
    }
  }
  // And each of them once more, long after the end of the session.
  const books = await gateway.account();
  await gateway.wait(300);
  for (const request of requests) await gateway.send(request, 1);
  expect(await gateway.account()).toEqual(books);
});

test('C-014 an update that overtakes the one before it: both are served, each once', async () => {
  const gateway = await open();
  await gateway.ask('initial', 0, mscc(asks()));
  const report = mscc({ ...asks(), ...used(2_000_000) });
  for (const [number, worker] of [
    [3, 0],
    [1, 1],
    [2, 0],
  ] as const) {
    const answer = await gateway.ask('update', number, report, { worker });
    expect([answer.code, granted(answer.services[0])]).toEqual([2001, 10_000_000n]);
  }
  expect((await gateway.account())[0]).toBe('main: 8.40 available, 1.00 reserved');
});

test('C-063 two copies that reach two workers at the same time are decided once', async () => {
  const gateway = await open();
  const requests = [
    gateway.request('initial', 0, mscc(asks())),
    gateway.request('update', 1, mscc({ ...asks(), ...used(3_000_000) })),
    gateway.request('termination', 2, mscc({ 'Rating-Group': 1, ...used(1_000_000) })),
  ];
  const books = [
    'main: 9.00 available, 1.00 reserved',
    'main: 8.70 available, 1.00 reserved',
    'main: 9.60 available, 0.00 reserved',
  ];
  for (const [i, request] of requests.entries()) {
    const [one, other] = await Promise.all([gateway.send(request, 0), gateway.send(request, 1)]);
    expect(one.code).toBe(2001);
    expect(other.bytes).toEqual(one.bytes);
    expect((await gateway.account())[0]).toBe(books[i]);
  }
  expect(gateway.records().map(({ kind }) => kind)).toEqual(['initial', 'update', 'termination']);
});

test('C-013 the first interrogation came from a server of the home network: updates begin at 1', async () => {
  const gateway = await open();
  const server = { 'Origin-Host': 'aaa.example', 'Multiple-Services-Indicator': 1 };
  const first = await gateway.ask('initial', 0, { ...mscc(asks()), ...server });
  expect(first.code).toBe(2001);
  // The access device takes it from there, on another worker, and was never heard of before.
  const other = { worker: 1 } as const;
  const next = await gateway.ask('update', 1, mscc({ ...asks(), ...used(4_000_000) }), other);
  expect([next.code, granted(next.services[0])]).toEqual([2001, 10_000_000n]);
  expect((await gateway.account())[0]).toBe('main: 8.60 available, 1.00 reserved');
  expect((await gateway.ask('termination', 2, {})).code).toBe(2001);
  expect((await gateway.account())[0]).toBe('main: 9.60 available, 0.00 reserved');
});

test('C-004 C-015 sub-sessions of one Session-Id are charged and closed each for itself', async () => {
  const gateway = await open();
  const sub = (id: bigint): Tree => ({ 'CC-Sub-Session-Id': id });
  const LARGEST = 2n ** 64n - 1n;
  const first = await gateway.ask('initial', 0, mscc(asks()));
  expect(first.says['CC-Sub-Session-Id']).toBeUndefined();
  for (const id of [1n, LARGEST]) {
    const opened = await gateway.ask('initial', 0, { ...mscc(asks()), ...sub(id) });
    expect([opened.code, opened.says['CC-Sub-Session-Id']]).toEqual([2001, [id]]);
  }
  expect((await gateway.account())[0]).toBe('main: 7.00 available, 3.00 reserved');
  // Each counts its own requests, and its own usage.
  const update = { ...mscc({ ...asks(), ...used(2_000_000) }), ...sub(LARGEST) };
  expect((await gateway.ask('update', 1, update)).code).toBe(2001);
  expect((await gateway.account())[0]).toBe('main: 6.80 available, 3.00 reserved');
  expect((await gateway.ask('update', 1, { ...mscc(asks()), ...sub(2n) })).code).toBe(5002);
  for (const id of [1n, LARGEST]) {
    const ended = await gateway.ask('termination', 2, sub(id));
    expect([ended.code, ended.says['CC-Sub-Session-Id']]).toEqual([2001, [id]]);
    expect((await gateway.ask('update', 3, { ...mscc(asks()), ...sub(id) })).code).toBe(5002);
  }
  expect((await gateway.account())[0]).toBe('main: 8.80 available, 1.00 reserved');
  expect(await gateway.openSessions()).toBe(1);
  expect((await gateway.ask('termination', 1, {})).code).toBe(2001);
  expect((await gateway.account())[0]).toBe('main: 9.80 available, 0.00 reserved');
});

/** A Session-Termination-Request, which names no sub-session (RFC 6733 8.4.1). */
const terminationOf = (session: string): Buffer =>
  message(
    octetsOf({
      'Session-Id': `gw.example;1;${session}`,
      'Origin-Host': 'gw.example',
      'Origin-Realm': 'example',
      'Destination-Realm': 'tollkeeper.example',
      'Auth-Application-Id': 4,
      'Termination-Cause': 1,
    }),
    { code: 275 },
  );

test('B-173 a STR releases what its session reserved: STA 2001, 5002 where there is none', async () => {
  const gateway = await open();
  expect((await gateway.send(terminationOf('s'))).code).toBe(5002);
  await gateway.ask('initial', 0, mscc(asks()));
  expect((await gateway.account())[0]).toBe('main: 9.00 available, 1.00 reserved');
  const answer = await gateway.send(terminationOf('s'), 1);
  expect([answer.code, answer.error, answer.says['Session-Id']]).toEqual([
    ...[2001, false],
    ['gw.example;1;s'],
  ]);
  expect((await gateway.account())[0]).toBe('main: 10.00 available, 0.00 reserved');
  expect(await gateway.openSessions()).toBe(0);
  expect(gateway.records().map(({ kind }) => kind)).toEqual(['initial', 'abort']);
  // Again it is answered alike, and what was used until then is charged.
  expect((await gateway.send(terminationOf('s'))).code).toBe(2001);
  expect(
    (await gateway.ask('termination', 1, mscc({ 'Rating-Group': 1, ...used(2_000_000) }))).code,
  ).toBe(5002);
  expect((await gateway.account())[0]).toBe('main: 9.80 available, 0.00 reserved');
});

test('B-173 a STR ends all sub-sessions of its Session-Id, and no other', async () => {
  const gateway = await open();
  const sub = (id: bigint): Tree => ({ 'CC-Sub-Session-Id': id });
  for (const id of [1n, 2n, 3n])
    await gateway.ask('initial', 0, { ...mscc(asks()), ...sub(id) }, { worker: id === 2n ? 1 : 0 });
  await gateway.ask('initial', 0, { ...mscc(asks()), ...sub(1n) }, { session: 's1' });
  const spent = mscc({ 'Rating-Group': 1, ...used(1_000_000) });
  await gateway.ask('termination', 1, { ...spent, ...sub(3n) });
  expect((await gateway.account())[0]).toBe('main: 6.90 available, 3.00 reserved');
  const foreign = { options: { numbering: 'strict', tenants: ['another'] } } as const;
  expect((await gateway.send(terminationOf('s'), 0, foreign)).code).toBe(5002);
  expect(await gateway.openSessions()).toBe(3);
  expect((await gateway.send(terminationOf('s'))).code).toBe(2001);
  expect((await gateway.account())[0]).toBe('main: 8.90 available, 1.00 reserved');
  const left = gateway.records().filter(({ kind }) => kind === 'abort');
  expect(left.map(({ subSessionId }) => subSessionId).sort()).toEqual(['1', '2']);
  expect((await gateway.send(terminationOf('s'), 1)).code).toBe(2001);
  expect((await gateway.ask('update', 1, { ...mscc(asks()), ...sub(1n) })).code).toBe(5002);
});

test('C-065 any worker goes on with what another began', async () => {
  const gateway = await open();
  const other = { worker: 1 } as const;
  await gateway.ask('initial', 0, mscc(asks()));
  await gateway.ask('update', 1, mscc({ ...asks(), ...used(2_000_000) }), other);
  expect(await gateway.account()).toContain('main: 8.80 available, 1.00 reserved');
  expect((await gateway.ask('termination', 2, {})).code).toBe(2001);
  expect((await gateway.ask('update', 3, mscc(asks()), other)).code).toBe(5002);
});

test('C-070 the first interrogation reserves what it grants, and spends nothing', async () => {
  const gateway = await open();
  const { services } = await gateway.ask('initial', 0, mscc(asks()));
  expect(granted(services[0])).toBe(10_000_000n);
  expect(await gateway.account()).toContain('main: 9.00 available, 1.00 reserved');
});

test('C-073 the unit of a service stays what it was', async () => {
  const gateway = await open();
  await gateway.ask('initial', 0, mscc(asks()));
  for (const number of [1, 2, 3]) {
    const { services } = await gateway.ask('update', number, mscc({ ...asks(), ...used(1) }));
    const unit = services[0]?.['Granted-Service-Unit']?.[0] as Read;
    expect(Object.keys(unit)).toEqual(['CC-Total-Octets']);
  }
});

test('C-079 C-080 the last interrogation debits, releases the rest and grants nothing', async () => {
  const gateway = await open();
  await gateway.ask('initial', 0, mscc(asks()));
  const { code, services } = await gateway.ask(
    'termination',
    1,
    mscc({ ...asks(), ...used(4_000_000) }),
  );
  expect([code, services[0]?.['Granted-Service-Unit']]).toEqual([2001, undefined]);
  expect(await gateway.account()).toContain('main: 9.60 available, 0.00 reserved');
  expect(await gateway.openSessions()).toBe(0);
});

test('C-081 C-134 an update that says nothing keeps the session alive', async () => {
  const gateway = await Gateway.open(yamlOf(DATA_RULE, { plan: 'supervision: 10 min' }));
  await gateway.ask('initial', 0, mscc(asks()));
  for (const number of [1, 2, 3]) {
    await gateway.wait(400);
    expect((await gateway.ask('update', number)).code).toBe(2001);
  }
  expect(await gateway.openSessions()).toBe(1);
  // No Validity-Time was given; silence still ends it.
  await gateway.wait(601);
  expect(await gateway.openSessions()).toBe(0);
});

test('C-133 after supervision ended a session its usage is charged, and it stays ended', async () => {
  const gateway = await Gateway.open(yamlOf(DATA_RULE, { plan: 'supervision: 10 min' }));
  await gateway.ask('initial', 0, mscc(asks()));
  await gateway.wait(601);
  expect(await gateway.account()).toContain('main: 10.00 available, 0.00 reserved');
  const late = await gateway.ask('update', 1, mscc({ ...asks(), ...used(2_000_000) }));
  expect([late.code, late.services]).toEqual([5002, []]);
  expect(await gateway.account()).toContain('main: 9.80 available, 0.00 reserved');
});

test('C-084 later requests need not say who they are for', async () => {
  const gateway = await open();
  await gateway.ask('initial', 0, mscc(asks()));
  const update = await gateway.ask('update', 1, mscc({ ...asks(), ...used(1_000_000) }));
  expect(update.code).toBe(2001);
  // Not even another subscriber that they name moves them to another account.
  const stranger = { 'Subscription-Id-Type': 0, 'Subscription-Id-Data': '999' };
  const named = await gateway.ask('termination', 2, {
    ...mscc({ 'Rating-Group': 1, ...used(1_000_000) }),
    'Subscription-Id': stranger,
  });
  expect(named.code).toBe(2001);
  expect((await gateway.account())[0]).toBe('main: 9.80 available, 0.00 reserved');
});

test('C-211 any identity of a subscriber finds the account', async () => {
  const gateway = await open();
  const imsi = { 'Subscription-Id-Type': 1, 'Subscription-Id-Data': '262010000000001' };
  const unknown = { 'Subscription-Id-Type': 4, 'Subscription-Id-Data': 'nobody' };
  for (const [i, ids] of [[imsi], [unknown, imsi], [ANNA, unknown]].entries()) {
    const asking = { session: `s${i}` };
    const answer = await gateway.ask(
      'initial',
      0,
      { ...mscc(asks()), 'Subscription-Id': ids },
      asking,
    );
    expect(answer.code).toBe(2001);
  }
  const nobody = await gateway.ask(
    'initial',
    0,
    { ...mscc(asks()), 'Subscription-Id': unknown },
    { session: 'n' },
  );
  expect(nobody.code).toBe(5030);
});

test('C-210 an identity of a type that there is not is refused: 5004, beside a known one too', async () => {
  const gateway = await open();
  const odd = { 'Subscription-Id-Type': 9, 'Subscription-Id-Data': '491700000001' };
  for (const ids of [[odd], [ANNA, odd]]) {
    const answer = await gateway.ask('initial', 0, { ...mscc(asks()), 'Subscription-Id': ids });
    expect([answer.code, answer.error]).toEqual([5004, false]);
    expect(answer.says['Failed-AVP']).toEqual([
      { 'Subscription-Id': [{ 'Subscription-Id-Type': [9] }] },
    ]);
  }
  expect(await gateway.openSessions()).toBe(0);
});

test.each([
  ['E.164', { 'Subscription-Id-E164': '491700000001' }],
  ['IMSI', { 'Subscription-Id-IMSI': '262010000000001' }],
])('C-212 %s in a Subscription-Id-Extension alone finds the account', async (_, extension) => {
  const gateway = await open();
  const only = { 'Subscription-Id': [], 'Subscription-Id-Extension': extension };
  expect((await gateway.ask('initial', 0, { ...mscc(asks()), ...only })).code).toBe(2001);
  expect((await gateway.account())[0]).toBe('main: 9.00 available, 1.00 reserved');
});

test('C-211 identities of two subscribers: the first that is known decides, in the order sent', async () => {
  const yaml = yamlOf(DATA_RULE).replace(
    'peers:',
    `      - id: b
        plan: p
        subscribers: [{ imsi: "262010000000002" }]
        buckets:
          - { id: main, unit: money, opening: "5.00" }
peers:`,
  );
  const gateway = await Gateway.open(yaml);
  const bert = { 'Subscription-Id-Type': 1, 'Subscription-Id-Data': '262010000000002' };
  const ask = (session: string, ids: Tree[]) =>
    gateway.ask('initial', 0, { ...mscc(asks()), 'Subscription-Id': ids }, { session });
  expect((await ask('ab', [ANNA, bert])).code).toBe(2001);
  expect([await gateway.account('a'), await gateway.account('b')].map(([main]) => main)).toEqual([
    'main: 9.00 available, 1.00 reserved',
    'main: 5.00 available, 0.00 reserved',
  ]);
  expect((await ask('ba', [bert, ANNA])).code).toBe(2001);
  expect([await gateway.account('a'), await gateway.account('b')].map(([main]) => main)).toEqual([
    'main: 9.00 available, 1.00 reserved',
    'main: 4.00 available, 1.00 reserved',
  ]);
});

test('C-106 the first interrogation may name no service at all', async () => {
  const gateway = await open();
  const { code, services } = await gateway.ask('initial', 0, { 'Multiple-Services-Indicator': 1 });
  expect([code, services]).toEqual([2001, []]);
  const { services: next } = await gateway.ask('update', 1, mscc(asks()));
  expect(granted(next[0])).toBe(10_000_000n);
});

test('C-112 C-113 a refusal of the whole session leaves none, and has no E flag', async () => {
  const gateway = await open();
  const refused = await gateway.ask('initial', 0, {
    ...mscc(asks()),
    'Service-Context-Id': 'nope@example.com',
  });
  expect([refused.code, refused.error]).toEqual([5031, false]);
  expect(refused.says['Failed-AVP']).toEqual([{ 'Service-Context-Id': ['nope@example.com'] }]);
  expect(await gateway.openSessions()).toBe(0);
  const unknown = await gateway.ask('update', 1, mscc(asks()));
  expect([unknown.code, unknown.error]).toEqual([5002, false]);
});

test('C-219 an unknown AVP is ignored without M, and refused with it', async () => {
  const gateway = await open();
  const unknown = avpOf('User-Name', 'x');
  unknown.writeUInt32BE(0xffffff, 0);
  const with_ = (flags: number): Buffer => {
    const one = Buffer.from(unknown);
    one[4] = flags;
    const request = gateway.request('initial', 0, mscc(asks()), { session: `f${flags}` });
    const longer = Buffer.concat([request, one]);
    longer.writeUIntBE(longer.length, 1, 3);
    return longer;
  };
  expect((await gateway.send(with_(0))).code).toBe(2001);
  expect((await gateway.send(with_(0x40))).code).toBe(5001);
});

test('C-194 a session in which a request fails is ended, its usage charged, its quota given back', async () => {
  const gateway = await open();
  await gateway.ask('initial', 0, mscc(asks()));
  const update = gateway.request('update', 1, mscc({ ...asks(), ...used(3_000_000) }));
  const unknown = avpOf('User-Name', 'x');
  unknown.writeUInt32BE(0xffffff, 0);
  const longer = Buffer.concat([update, unknown]);
  longer.writeUIntBE(longer.length, 1, 3);
  expect((await gateway.send(longer)).code).toBe(5001);
  expect(await gateway.openSessions()).toBe(0);
  expect(await gateway.account()).toContain('main: 9.70 available, 0.00 reserved');
});

test('C-060 C-065 C-211 a copy of an initial request gets its answer, whichever of its names was found', async () => {
  const gateway = await open();
  const nobody = { 'Subscription-Id-Type': 1, 'Subscription-Id-Data': '262019999999999' };
  const names = { 'Subscription-Id': [nobody, ANNA] };
  const request = gateway.request('initial', 0, { ...names, ...mscc(asks()) });
  const first = await gateway.send(request);
  expect(first.code).toBe(2001);
  for (const worker of [0, 1] as const)
    expect((await gateway.send(request, worker)).bytes).toEqual(first.bytes);
  await gateway.ask('update', 1, mscc({ ...asks(), ...used(5) }), { worker: 1 });
  for (const worker of [0, 1] as const)
    expect((await gateway.send(request, worker)).bytes).toEqual(first.bytes);
  expect(await gateway.openSessions()).toBe(1);
});
