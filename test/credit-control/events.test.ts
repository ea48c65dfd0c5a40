/** RFC 8506 6: one-time events, by clause. */
import { expect, test } from 'vitest';
import { ANNA, Gateway, yamlOf } from './gateway.ts';
import type { Read, Tree } from './octets.ts';

const actions = { debit: 0, refund: 1, balance: 2, price: 3 } as const;
const SMS = '32274@3gpp.org';
const RULES = `
- { name: text, match: { context: ["${SMS}"] }, unit: units, price: { amount: "0.30", per: 1 }, quota: { size: 1, maximum: 5 } }
- { name: gift, match: { ratingGroup: [9] }, unit: units, free: true, quota: { size: 1 } }
- { name: shop, match: { ratingGroup: [5] }, unit: money, quota: { size: "1.00", maximum: "50.00" } }`;

const open = (opening = '10.00', plan = '') =>
  Gateway.open(
    yamlOf(RULES, { plan, buckets: `- { id: main, unit: money, opening: "${opening}" }` }),
  );
const event = (action: keyof typeof actions, avps: Tree): Tree => ({
  ...{ 'Requested-Action': actions[action], 'Service-Context-Id': SMS },
  ...avps,
});
const mscc = (...services: Tree[]): Tree => ({ 'Multiple-Services-Credit-Control': services });
const units = (count: number): Tree => ({
  'Requested-Service-Unit': { 'CC-Service-Specific-Units': count },
});
const money = (digits: number): Tree => ({
  'Requested-Service-Unit': {
    'CC-Money': { 'Unit-Value': { 'Value-Digits': digits, Exponent: -2 }, 'Currency-Code': 978 },
  },
});
const eur = (digits: bigint) => ({
  'Unit-Value': [{ 'Value-Digits': [digits], Exponent: [-2] }],
  'Currency-Code': [978],
});

test('C-016 an event without Requested-Action gets 5005', async () => {
  const gateway = await open();
  const answer = await gateway.ask('event', 0, { 'Service-Context-Id': SMS, ...units(1) });
  expect([answer.code, answer.error]).toEqual([5005, false]);
  expect(Object.keys(answer.says['Failed-AVP']?.[0] as Read)).toEqual(['Requested-Action']);
  expect((await gateway.account())[0]).toContain('10.00 available');
});

test('C-017 a Requested-Action that there is not gets 5004', async () => {
  const gateway = await open();
  const avps = { 'Requested-Action': 7, 'Service-Context-Id': SMS, ...units(1) };
  const answer = await gateway.ask('event', 0, avps);
  expect([answer.code, answer.error]).toEqual([5004, false]);
  expect(answer.says['Failed-AVP']).toEqual([{ 'Requested-Action': [7] }]);
  expect((await gateway.account())[0]).toContain('10.00 available');
});

test('C-022 C-180 an event leaves no session, whether it was carried out or not', async () => {
  const gateway = await open('0.50');
  expect((await gateway.ask('event', 0, event('debit', mscc(units(1))))).code).toBe(2001);
  const refused = await gateway.ask('event', 0, event('debit', units(1)), { session: 'b' });
  expect(refused.code).toBe(4012);
  expect(await gateway.openSessions()).toBe(0);
  expect(await gateway.account()).toContain('sessions: 0');
});

test('C-061 C-187 a copy of an event debits nothing, a day later and elsewhere', async () => {
  const gateway = await open();
  const request = gateway.request('event', 0, event('debit', mscc(units(2))), { endToEnd: 5 });
  const first = await gateway.send(request);
  expect((await gateway.account())[0]).toContain('9.40 available');
  for (const [seconds, worker] of [
    [0, 1],
    [3600, 0],
    [82_000, 1],
  ] as const) {
    await gateway.wait(seconds);
    const copy = Buffer.from(request);
    copy[4] = 0xd0;
    copy.writeUInt32BE(1000 + seconds, 16);
    const again = await gateway.send(copy, worker);
    expect(again.bytes.subarray(20)).toEqual(first.bytes.subarray(20));
    expect((await gateway.account())[0]).toContain('9.40 available');
  }
});

test('C-181 a price enquiry says what it costs, with nothing in the account', async () => {
  const gateway = await open('0.00');
  const answer = await gateway.ask('event', 0, event('price', mscc(units(3))));
  expect(answer.code).toBe(2001);
  expect(answer.says['Cost-Information']).toEqual([eur(90n)]);
  expect((await gateway.account())[0]).toContain('0.00 available, 0.00 reserved');
});

test('C-181 C-111 what cannot be told exactly is refused, and never told', async () => {
  const gateway = await Gateway.open(
    yamlOf(`- name: pay
  match: { context: [pay.example] }
  unit: money
  quota: { size: "1.00" }
- name: dear
  match: { context: [32251@3gpp.org], ratingGroup: [1] }
  unit: octets
  price: { amount: "1000.00", per: 1 B }
  quota: { size: 1 MB }
- name: cheap
  match: { context: [32251@3gpp.org], ratingGroup: [2] }
  unit: units
  price: { amount: "0.01", per: 1000000000000 }
  quota: { size: 1000000000000 }`),
  );
  const pay = (digits: bigint): Tree => ({
    'Service-Context-Id': 'pay.example',
    'Requested-Service-Unit': { 'CC-Money': { 'Unit-Value': { 'Value-Digits': digits } } },
  });
  const service = (ratingGroup: number, units: Tree): Tree => ({
    'Service-Context-Id': '32251@3gpp.org',
    'Multiple-Services-Credit-Control': {
      'Rating-Group': ratingGroup,
      'Requested-Service-Unit': units,
    },
  });
  const most = 2n ** 64n - 1n;
  let number = 0;
  for (const action of ['price', 'debit', 'balance'] as const) {
    const ask = (part: Tree) => gateway.ask('event', number++, event(action, part));
    const money = await ask(pay(2n ** 63n - 1n));
    const dear = await ask(service(1, { 'CC-Total-Octets': 10n ** 12n }));
    const cheap = await ask(service(2, { 'CC-Service-Specific-Units': most }));
    expect([money.code, dear.services[0]?.['Result-Code'], cheap.code]).toEqual([
      ...[5031, [5031], 2001],
    ]);
    expect(cheap.services[0]?.['Result-Code']).toEqual([5031]);
    for (const { says } of [money, dear, cheap]) {
      expect(says['Cost-Information']).toBeUndefined();
      expect(says['Check-Balance-Result']).toBeUndefined();
    }
    expect(money.says['Failed-AVP']).toEqual([
      { 'CC-Money': [{ 'Unit-Value': [{ 'Value-Digits': [2n ** 63n - 1n] }] }] },
    ]);
    expect(dear.says['Failed-AVP']).toEqual([{ 'CC-Total-Octets': [10n ** 12n] }]);
    expect(cheap.says['Failed-AVP']).toEqual([{ 'CC-Service-Specific-Units': [most] }]);
  }
  const exact = await gateway.ask('event', number, event('price', pay(90_071_992_547_409n)));
  expect([exact.code, exact.says['Cost-Information']]).toEqual([
    ...[2001, [eur(9_007_199_254_740_900n)]],
  ]);
  expect(await gateway.account()).toContain('main: 10.00 available, 0.00 reserved');
});

test.each([
  ['1.00', 0],
  ['0.20', 1],
] as const)(
  'C-182 a balance check with %s is 2001 and Check-Balance-Result %i',
  async (has, result) => {
    const gateway = await open(has);
    const answer = await gateway.ask('event', 0, event('balance', units(1)));
    expect([answer.code, answer.says['Check-Balance-Result']]).toEqual([2001, [result]]);
    expect((await gateway.account())[0]).toContain(`${has} available, 0.00 reserved`);
    const nobody = await gateway.ask('event', 0, {
      ...event('balance', units(1)),
      'Subscription-Id': { ...ANNA, 'Subscription-Id-Data': '999' },
    });
    expect(nobody.code).toBe(5030);
  },
);

test('C-183 G-020 a direct debit takes at once what the units cost, or what is named', async () => {
  const gateway = await open();
  const answer = await gateway.ask('event', 0, event('debit', mscc(units(2))));
  expect(answer.services[0]?.['Granted-Service-Unit']).toEqual([
    { 'CC-Service-Specific-Units': [2n] },
  ]);
  expect((await gateway.account())[0]).toContain('9.40 available, 0.00 reserved');
  const paid = await gateway.ask(
    ...(['event', 0] as const),
    event('debit', { ...mscc({ 'Rating-Group': 5, ...money(250) }), 'Service-Context-Id': 'a@b' }),
    { session: 'shop' },
  );
  expect(paid.services[0]?.['Granted-Service-Unit']).toEqual([{ 'CC-Money': [eur(250n)] }]);
  expect((await gateway.account())[0]).toContain('6.90 available, 0.00 reserved');
});

test('C-183 without enough credit nothing is deducted, and it is 4012', async () => {
  const gateway = await open('0.50');
  const answer = await gateway.ask('event', 0, event('debit', mscc(units(2))));
  expect([answer.code, answer.services[0]?.['Result-Code']]).toEqual([2001, [4012]]);
  expect(answer.services[0]?.['Granted-Service-Unit']).toBeUndefined();
  expect((await gateway.account())[0]).toContain('0.50 available, 0.00 reserved');
});

test('C-184 what is free needs no credit control: 4011', async () => {
  const gateway = await open();
  const gift = event('debit', {
    ...mscc({ 'Rating-Group': 9, ...units(1) }),
    'Service-Context-Id': 'a@b',
  });
  const answer = await gateway.ask('event', 0, gift);
  expect([answer.code, answer.services[0]?.['Result-Code']]).toEqual([2001, [4011]]);
});

test('C-185 a refund gives back units at their price, or money, as far as the plan lets it', async () => {
  const gateway = await open('1.00', 'refunds: { maximum: "1.00" }');
  const given = await gateway.ask('event', 0, event('refund', units(2)), { session: 'r1' });
  expect(given.says['Granted-Service-Unit']).toEqual([{ 'CC-Service-Specific-Units': [2n] }]);
  expect((await gateway.account())[0]).toContain('1.60 available');
  const much = await gateway.ask('event', 0, event('refund', units(4)), { session: 'r2' });
  // More than the plan lets a client give back on its word: 4010, and not a part of it.
  expect([much.code, much.error]).toEqual([4010, false]);
  expect(much.says['Granted-Service-Unit']).toBeUndefined();
  expect((await gateway.account())[0]).toContain('1.60 available');
  const paid = event('refund', {
    ...mscc({ 'Rating-Group': 5, ...money(75) }),
    'Service-Context-Id': 'a@b',
  });
  const back = await gateway.ask('event', 0, paid, { session: 'r3' });
  expect(back.services).toMatchObject([
    { 'Result-Code': [2001], 'Granted-Service-Unit': [{ 'CC-Money': [eur(75n)] }] },
  ]);
  expect((await gateway.account())[0]).toContain('2.35 available');
});

test.each(['services', 'command'])(
  'C-186 G-003 an event in the form of %s is answered in it',
  async (form) => {
    const gateway = await open();
    const asked = form === 'services' ? mscc(units(1)) : units(1);
    const { says, services } = await gateway.ask('event', 0, event('debit', asked));
    const granted = [{ 'CC-Service-Specific-Units': [1n] }];
    expect([says['Granted-Service-Unit'], services[0]?.['Granted-Service-Unit']]).toEqual(
      form === 'services' ? [undefined, granted] : [granted, undefined],
    );
  },
);

test('G-026 a message without any unit is one message for each who receives it', async () => {
  const gateway = await open();
  const to = (number: string): Tree => ({
    'Recipient-Address': { 'Address-Type': 1, 'Address-Data': number },
  });
  const information = {
    'Service-Information': {
      'SMS-Information': { 'Recipient-Info': [to('491701'), to('491702')] },
    },
  };
  expect((await gateway.ask('event', 0, event('debit', information))).code).toBe(2001);
  expect((await gateway.account())[0]).toContain('9.40 available');
});

test('G-048 what a debit hands out is handed back once, to the last cent', async () => {
  const gateway = await open();
  const debit = await gateway.ask('event', 0, event('debit', mscc(units(3))));
  const proof =
    debit.services[0]?.['Refund-Information']?.[0] ?? debit.says['Refund-Information']?.[0];
  expect((await gateway.account())[0]).toContain('9.10 available');
  const back = event('refund', mscc({ 'Refund-Information': Buffer.from(String(proof), 'hex') }));
  const refund = gateway.request('event', 0, back, { session: 'back' });
  expect((await gateway.send(refund)).code).toBe(2001);
  expect((await gateway.account())[0]).toContain('10.00 available');
  // The same refund again, and another one of the same debit.
  expect((await gateway.send(refund, 1)).code).toBe(2001);
  const other = await gateway.ask('event', 0, back, { session: 'once-more' });
  expect([other.code, other.error, other.services]).toEqual([4010, false, []]);
  expect((await gateway.account())[0]).toContain('10.00 available');
});

test('G-026 a message to several is charged for each by its own number', async () => {
  const premium = `- { name: premium, match: { context: ["${SMS}"], called: ["4990"] }, unit: units, price: { amount: "2.00", per: 1 }, quota: { size: 1, maximum: 5 } }`;
  const gateway = await Gateway.open(yamlOf(`${premium}${RULES}`));
  const to = (number: string): Tree => ({
    'Recipient-Address': { 'Address-Type': 1, 'Address-Data': number },
  });
  const message: Tree = {
    'Service-Information': {
      'SMS-Information': { 'Recipient-Info': [to('491701'), to('4990123')] },
    },
  };
  expect((await gateway.ask('event', 0, event('debit', message))).code).toBe(2001);
  expect((await gateway.account())[0]).toContain('7.70 available');
  const counted = await gateway.ask('event', 1, event('debit', { ...mscc(units(2)), ...message }));
  expect(counted.services).toHaveLength(1);
  expect(counted.says['Cost-Information']).toEqual([eur(230n)]);
  expect((await gateway.account())[0]).toContain('5.40 available');
});

test('G-048 a refund by its debit’s proof gives back what it asks for, once', async () => {
  const gateway = await open();
  const debit = await gateway.ask('event', 0, event('debit', mscc(units(3))));
  expect((await gateway.account())[0]).toContain('9.10 available');
  const proof = Buffer.from(String(debit.services[0]?.['Refund-Information']?.[0]), 'hex');
  const other = Buffer.from([...proof.subarray(1), 0]);
  const back = (...proofs: Buffer[]) =>
    event('refund', mscc(...proofs.map((one) => ({ 'Refund-Information': one, ...units(1) }))));
  const two = await gateway.ask('event', 1, back(proof, other));
  expect(two.code).toBe(5004);
  expect((await gateway.account())[0]).toContain('9.10 available');
  const refund = await gateway.ask('event', 2, back(proof));
  expect([refund.code, refund.services[0]?.['Result-Code']]).toEqual([2001, [2001]]);
  expect(refund.services[0]?.['Granted-Service-Unit']).toEqual([
    { 'CC-Service-Specific-Units': [1n] },
  ]);
  expect((await gateway.account())[0]).toContain('9.40 available');
  expect((await gateway.ask('event', 3, back(proof))).code).toBe(4010);
  expect((await gateway.account())[0]).toContain('9.40 available');
});
