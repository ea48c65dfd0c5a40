/** From a written plan to the plan that charges. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { drawOrder } from '../../src/charging/account.ts';
import { ruleFor } from '../../src/charging/match.ts';
import { admission, type PeerPolicy, policyProblems } from '../../src/peer/policy.ts';
import { loadProvisioning } from '../../src/provisioning/load.ts';
import { renderProblems } from '../../src/provisioning/problem.ts';
import type { PeerOptions, Provisioning } from '../../src/provisioning/provisioning.ts';
import { tenantOf } from '../../src/provisioning/routing.ts';

function read(text: string): Provisioning {
  const loaded = loadProvisioning(text, 'f.yaml');
  if (!loaded.ok) throw new Error(renderProblems(loaded.problems));
  return loaded.provisioning;
}

const sample = () =>
  read(readFileSync(new URL('../../samples/mvne.yaml', import.meta.url), 'utf8'));

const tenant = (members: string) =>
  read(`tenants: [{ id: t, currency: JPY, digits: 2, ${members} }]`).tenants[0]!;
const rules = (text: string) => tenant(`plans: [{ id: p, rules: [${text}] }]`).plans[0]!.rules;
const account = (members: string) => {
  const plans = 'plans: [{ id: p, rules: [{ name: r, denied: true }] }]';
  const [first] = tenant(`${plans}, accounts: [{ id: a, plan: p, ${members} }]`).accounts;
  return first!;
};

test('the sample plan in the units of the core', () => {
  const [blue, red] = sample().tenants;
  expect(blue?.currency).toEqual({ code: 'EUR', number: 978, digits: 6 });
  expect(red?.currency).toEqual({ code: 'SEK', number: 752, digits: 4 });
  const plan = blue!.plans[0]!;
  expect(plan).toMatchObject({
    id: 'prepaid-data',
    version: 1,
    supervisionSeconds: 86_400,
    validityGraceSeconds: 60,
    timeZone: 'Europe/Berlin',
    lowBalance: 1_000_000,
  });
  expect(plan.rules[0]).toEqual({
    name: 'internet',
    match: { context: ['32251@3gpp.org'], ratingGroup: [1] },
    unit: 'octets',
    price: { amount: 50_000, per: 1_048_576, increment: 1024 },
    quota: { size: 10_485_760, minimum: 65_536, maximum: 104_857_600 },
    validitySeconds: 3600,
    holdingSeconds: 600,
    directives: { threshold: 2_097_152 },
    atEnd: { action: 'terminate' },
    restrictedSeconds: 300,
  });
  const rule = (ratingGroup?: number) =>
    ruleFor(plan, { context: '32251@3gpp.org', ratingGroup, serviceIds: [] }, 0)?.name;
  expect([rule(1), rule(2), rule(99), rule(7), rule()]).toEqual([
    'internet',
    'own-app',
    'peer-to-peer',
    'other-data',
    'other-data',
  ]);
});

test('every sample subscriber is routed to the tenant that has it', () => {
  const { tenants, routing } = sample();
  for (const { id, accounts } of tenants) {
    for (const { definition } of accounts) {
      for (const name of definition.subscribers) {
        const [kind = '', number] = name.split(':');
        const request = { originHost: 'h.example', originRealm: 'example', [kind]: number };
        expect(tenantOf(routing, request)).toBe(id);
      }
    }
  }
});

test('what is not written has the defaults that the schema tells', () => {
  const [priced, free, denied, money] = rules(`
    { name: a, match: { ratingGroup: [1, none] }, unit: octets,
      price: { amount: '0.5', per: 1 kB }, quota: { size: 5 kB } },
    { name: b, match: { serviceIdentifier: [9] }, unit: seconds, free: true, quota: { size: 60 } },
    { name: c, match: { ratingGroup: [3] }, denied: true },
    { name: d, unit: money, quota: { size: '1.5' }, atEnd: deny }`);
  expect(priced).toEqual({
    name: 'a',
    match: { ratingGroup: [1, null] },
    unit: 'octets',
    price: { amount: 50, per: 1000, increment: 1000 },
    quota: { size: 5000, minimum: 1, maximum: 5000 },
    atEnd: { action: 'terminate' },
    restrictedSeconds: 300,
  });
  expect(free).toEqual({
    name: 'b',
    match: { serviceIdentifier: [9] },
    unit: 'seconds',
    quota: { size: 60, minimum: 1, maximum: 60 },
    atEnd: { action: 'terminate' },
    restrictedSeconds: 300,
  });
  expect(denied).toMatchObject({ name: 'c', denied: true });
  expect(denied).not.toHaveProperty('price');
  expect(money).toMatchObject({ unit: 'money', quota: { size: 150 }, atEnd: 'deny', match: {} });
  expect(money).not.toHaveProperty('price');
  expect(account('status: blocked').definition).toMatchObject({
    status: 'blocked',
    maxSessions: 100,
    subscribers: [],
  });
});

test('a main bucket is implied after all others where none is written', () => {
  const { definition, openings } = account(`buckets: [
    { id: promo, unit: money, opening: '3', priority: 2000, expires: '2031-01-01T00:00:00Z' },
    { id: data, unit: octets, opening: 1 kB }]`);
  expect(definition.buckets).toEqual([
    { id: 'data', unit: 'octets', priority: 100, floor: 0 },
    { id: 'promo', unit: 'money', priority: 2000, floor: 0, expiresAt: Date.UTC(2031, 0, 1) },
    { id: 'main', unit: 'money', priority: 2001, floor: 0 },
  ]);
  expect(openings).toEqual({ promo: 300, data: 1000, main: 0 });
  expect(account('maxSessions: 1').definition.buckets).toEqual([
    { id: 'main', unit: 'money', priority: 1000, floor: 0 },
  ]);
});

test('buckets stand in the order in which they are drawn', () => {
  const { definition } = account(`buckets: [
    { id: cash, unit: money, creditLimit: '12.34' },
    { id: b, unit: octets, priority: 5 },
    { id: a, unit: octets, priority: 5 },
    { id: c, unit: octets, priority: 5, expires: '2031-01-01T00:00:00Z', paysFor: [r] }]`);
  expect(definition.buckets.map(({ id }) => id)).toEqual(['c', 'a', 'b', 'cash']);
  expect([...definition.buckets].sort(drawOrder)).toEqual(definition.buckets);
  expect(definition.buckets.at(-1)?.floor).toBe(-1234);
});

test('the accounts of a range are alike but for their numbers, and made while walked', () => {
  const { accounts } = tenant(`plans: [{ id: p, rules: [{ name: r, denied: true }] }], ranges: [
    { prefix: x, count: 1000000, first: { imsi: '001010000000098', e164: '0000098' }, plan: p },
    { prefix: y, count: 2, first: { imsi: '001019' }, plan: p, status: blocked,
      buckets: [{ id: cash, unit: money, opening: '7' }] }]`);
  expect(accounts.count).toBe(1_000_002);
  const walk = accounts[Symbol.iterator]();
  const walked = [walk.next(), walk.next(), walk.next()].map(({ value }) => value?.definition);
  expect(walked.map((definition) => [definition?.account, definition?.subscribers])).toEqual([
    ['x0000098', ['e164:0000098', 'imsi:001010000000098']],
    ['x0000099', ['e164:0000099', 'imsi:001010000000099']],
    ['x0000100', ['e164:0000100', 'imsi:001010000000100']],
  ]);
  const last = [...accounts].slice(-2);
  expect(last.map(({ definition }) => definition.account)).toEqual(['y001019', 'y001020']);
  expect(last[1]).toEqual({
    definition: {
      tenant: 't',
      account: 'y001020',
      plan: 'p',
      status: 'blocked',
      buckets: [{ id: 'cash', unit: 'money', priority: 1000, floor: 0 }],
      subscribers: ['imsi:001020'],
      maxSessions: 100,
    },
    openings: { cash: 700 },
    written: new Set(['status', 'subscribers', 'main']),
  });
  const has = (id: string) => accounts.has(id);
  expect(['x0000098', 'x1000097', 'y001019'].every(has)).toBe(true);
  expect(['x0000097', 'x1000098', 'x98', 'y001021', 'z'].some(has)).toBe(false);
});

test('the peers of a file are a policy of the peer layer', () => {
  const { peers, routing } = read(`tenants:
  - { id: t, currency: EUR, plans: [{ id: p, rules: [{ name: r, denied: true }] }] }
peers:
  known:
    - { host: PGW.example, tenants: [t] }
    - { host: smf.example, strict: true, single: true, numbering: loose, tariffChange: dual,
        finalUnits: rfc8506 }
    - { host: old.example, tariffChange: none, finalUnits: rfc4006 }
  realms: [{ realm: ims.example }]
  anybody: { strict: true }
  servedRealms: [other.example]
  forbiddenRoutes: [bad.example]
`);
  expect(peers).toEqual({
    peers: [
      {
        host: 'PGW.example',
        strict: false,
        single: false,
        options: { numbering: 'strict', tenants: ['t'] },
      },
      {
        host: 'smf.example',
        strict: true,
        single: true,
        options: { numbering: 'loose', tariffChange: 'dual', finalUnits: 'rfc8506' },
      },
      {
        host: 'old.example',
        strict: false,
        single: false,
        options: { numbering: 'strict', finalUnits: 'rfc4006' },
      },
    ],
    realms: [
      { realm: 'ims.example', strict: false, single: false, options: { numbering: 'strict' } },
    ],
    anybody: { anywhere: false, strict: true, single: false, options: { numbering: 'strict' } },
    servedRealms: ['other.example'],
    forbiddenRoutes: ['bad.example'],
  });
  const policy: PeerPolicy<PeerOptions> = peers;
  const admit = admission(policy);
  const options = (originHost: string) => admit({ originHost, originRealm: 'example' })?.options;
  expect(options('pgw.EXAMPLE')?.tenants).toEqual(['t']);
  expect(options('stranger.example')?.tenants).toBeUndefined();
  // With one tenant there is nothing to route.
  expect(routing).toEqual({ rules: [], default: 't' });
});

test('the sample lets anybody in on loopback, and nowhere else', () => {
  const { peers } = sample();
  expect(policyProblems(peers, '127.0.0.1')).toEqual([]);
  expect(policyProblems(peers, '0.0.0.0')).toHaveLength(1);
});
