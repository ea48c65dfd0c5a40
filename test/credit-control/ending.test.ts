/** RFC 8506 5.6, 8.33-8.38, 8.64, 8.68: how credit ends, by clause. */
import { expect, test } from 'vitest';
import { Gateway, yamlOf } from './gateway.ts';
import type { Tree } from './octets.ts';

const rule = (more: string) => `- name: data
  unit: octets
  price: { amount: "0.10", per: 1 MB }
  quota: { size: 10 MB, minimum: 1 MB }
${more}`;
const REDIRECT = '  atEnd: { redirect: "http://pay.example/top-up", again: 2 min }';
const RESTRICT = '  atEnd: { restrict: true, filterIds: [walled-garden], again: 2 min }';
const open = (more: string, opening: string) =>
  Gateway.open(
    yamlOf(rule(more), { buckets: `- { id: main, unit: money, opening: "${opening}" }` }),
  );
const mscc = (service: Tree): Tree => ({
  'Multiple-Services-Credit-Control': { 'Rating-Group': 1, ...service },
});
const asks = { 'Requested-Service-Unit': {} };
const used = (octets: number): Tree => ({ 'Used-Service-Unit': { 'CC-Total-Octets': octets } });

test.each([
  ['C-140 C-141 C-142 TERMINATE', '  atEnd: terminate', { 'Final-Unit-Action': [0] }],
  [
    'C-141 C-143 C-150 REDIRECT',
    REDIRECT,
    {
      'Final-Unit-Action': [1],
      'Redirect-Server': [
        {
          'Redirect-Address-Type': [2],
          'Redirect-Server-Address': ['http://pay.example/top-up'],
        },
      ],
    },
  ],
  [
    'C-141 C-146 RESTRICT_ACCESS',
    RESTRICT,
    { 'Final-Unit-Action': [2], 'Filter-Id': ['walled-garden'] },
  ],
])('%s: the last units say what comes after them', async (_, atEnd, expected) => {
  const gateway = await open(atEnd, '0.50');
  const { services } = await gateway.ask('initial', 0, mscc(asks));
  expect(services).toMatchObject([
    {
      'Granted-Service-Unit': [{ 'CC-Total-Octets': [5_000_000n] }],
      'Final-Unit-Indication': [expected],
    },
  ]);
  expect(services[0]?.['Final-Unit-Indication']).toEqual([expected]);
});

test('C-131 C-144 C-145 from the last units to the restriction and, after a top-up, out of it', async () => {
  const gateway = await open(REDIRECT, '0.50');
  await gateway.ask('initial', 0, mscc(asks));
  // The final units are used up: no new quota is asked for, the client redirects.
  const started = await gateway.ask('update', 1, mscc(used(5_000_000)));
  expect(started.services).toMatchObject([{ 'Result-Code': [2001], 'Validity-Time': [120] }]);
  expect(started.services[0]?.['Granted-Service-Unit']).toBeUndefined();
  expect((await gateway.account())[0]).toBe('main: 0.00 available, 0.00 reserved');
  // Somebody tops up; two minutes later the client asks, without a word of units.
  await gateway.world.run({
    ...{ before: [], line: 0, command: '', expected: [], details: [] },
    words: ['topup', 'a', 'main', '200', 'voucher-1'],
  });
  await gateway.wait(118);
  const lifted = await gateway.ask('update', 2, mscc({}));
  expect(lifted.services).toMatchObject([
    { 'Result-Code': [2001], 'Granted-Service-Unit': [{ 'CC-Total-Octets': [10_000_000n] }] },
  ]);
  expect((await gateway.account())[0]).toBe('main: 1.00 available, 1.00 reserved');
});

test('C-145 a restricted client that asks while there is still no credit is told so', async () => {
  const gateway = await open(REDIRECT, '0.50');
  await gateway.ask('initial', 0, mscc(asks));
  await gateway.ask('update', 1, mscc(used(5_000_000)));
  await gateway.wait(120);
  const { services } = await gateway.ask('update', 2, mscc({}));
  expect(services).toMatchObject([{ 'Result-Code': [4012] }]);
  expect((await gateway.account())[0]).toBe('main: 0.00 available, 0.00 reserved');
});

test.each([
  ['redirect', REDIRECT, 1],
  ['restrict', RESTRICT, 2],
])('C-147 an empty account starts to %s at once', async (_, atEnd, action) => {
  const gateway = await open(atEnd, '0.00');
  const { code, services } = await gateway.ask('initial', 0, mscc(asks));
  expect(code).toBe(2001);
  expect(services).toMatchObject([
    { 'Validity-Time': [120], 'Final-Unit-Indication': [{ 'Final-Unit-Action': [action] }] },
  ]);
  expect(services[0]?.['Granted-Service-Unit']).toBeUndefined();
});

test('C-130 a grant says how long it is valid, and is reported although it was not used', async () => {
  const gateway = await open('  validity: 10 min', '5.00');
  const first = await gateway.ask('initial', 0, mscc(asks));
  expect(first.services[0]?.['Validity-Time']).toEqual([600]);
  await gateway.wait(600);
  const unused = { ...asks, ...used(0), 'Reporting-Reason': 4 };
  const again = await gateway.ask('update', 1, mscc(unused));
  expect(again.services[0]?.['Validity-Time']).toEqual([600]);
  expect((await gateway.account())[0]).toBe('main: 4.00 available, 1.00 reserved');
});

test('C-153 final units of several kinds: whichever runs out first, it is the end', async () => {
  const gateway = await open(`  atEnd: terminate\n  beside: { seconds: 5 min }`, '0.50');
  const { services } = await gateway.ask('initial', 0, mscc(asks));
  expect(services).toMatchObject([
    {
      'Granted-Service-Unit': [{ 'CC-Time': [300], 'CC-Total-Octets': [5_000_000n] }],
      'Final-Unit-Indication': [{ 'Final-Unit-Action': [0] }],
    },
  ]);
  // The time ran out: what is left of the octets is given back, although it was final.
  const report = { 'CC-Time': 300, 'CC-Total-Octets': 2_000_000, 'Reporting-Reason': 3 };
  const last = mscc({ 'Used-Service-Unit': report, 'Reporting-Reason': 2 });
  const { services: ended } = await gateway.ask('update', 1, last);
  expect(ended).toMatchObject([{ 'Result-Code': [2001] }]);
  expect(ended[0]?.['Granted-Service-Unit']).toBeUndefined();
  expect((await gateway.account())[0]).toBe('main: 0.30 available, 0.00 reserved');
});

test('C-078 several kinds of units are granted side by side, and all of them reported', async () => {
  const gateway = await open('  beside: { seconds: 5 min }', '5.00');
  const { services } = await gateway.ask('initial', 0, mscc(asks));
  expect(services[0]?.['Granted-Service-Unit']).toEqual([
    { 'CC-Time': [300], 'CC-Total-Octets': [10_000_000n] },
  ]);
  const report = { 'CC-Time': 300, 'CC-Total-Octets': 2_000_000, 'Reporting-Reason': 3 };
  await gateway.ask('update', 1, mscc({ ...asks, 'Used-Service-Unit': report }));
  expect((await gateway.account())[0]).toBe('main: 3.80 available, 1.00 reserved');
});
