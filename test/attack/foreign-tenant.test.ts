/**
 * Two operators behind the same workers: a gateway that may serve one of them asks for what is the
 * other's, by subscriber and by session, and the same number is with both.
 */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Asked, Link } from './gateway.ts';
import { E164, Site } from './site.ts';

const [BLUE, RED, BOTH] = [`${E164}10001`, `${E164}20001`, `${E164}30001`] as const;

const tenant = (id: string, price: string, own: string) => ({
  id,
  currency: 'EUR',
  digits: 6,
  plans: [
    {
      id: 'data',
      rules: [
        { name: 'all', unit: 'octets', price: { amount: price, per: 1 }, quota: { size: 9 } },
      ],
    },
  ],
  accounts: [
    {
      id: 'a',
      plan: 'data',
      subscribers: [{ e164: own }, { e164: BOTH }],
      buckets: [{ id: 'main', unit: 'money', opening: '10.00' }],
    },
  ],
});

let site: Site;
let blueOnly: Link;
let everyone: Link;

beforeEach(async () => {
  site = await Site.start({
    provisioning: JSON.stringify({
      tenants: [tenant('blue', '0.000001', BLUE), tenant('red', '0.000003', RED)],
      peers: {
        known: [{ host: 'blue.example', tenants: ['blue'] }],
        realms: [{ realm: 'example' }],
      },
      routing: { rules: [{ match: { e164Prefix: [`${E164}2`] }, tenant: 'red' }], default: 'blue' },
    }),
  });
  blueOnly = await Link.open(site.workers[0]!.port, 'blue.example');
  everyone = await Link.open(site.workers[1]!.port, 'gw.example');
});

afterEach(async () => {
  blueOnly.close();
  everyone.close();
  await site.stop();
  expect(site.defects).toEqual([]);
});

const initial = (session: string, subscriber: string): Asked => ({
  ...{ kind: 'initial', session, number: 0, subscriber },
  reports: [{ rg: 1, ask: 100 }],
});

async function moneyOf(id: string): Promise<[available: number, reserved: number]> {
  const { account } = await site.store.load({ tenant: id, account: 'a' });
  return [account!.counters['a:main']!, account!.counters['r:main']!];
}

test('a foreign subscriber is unknown to a peer that may not serve its tenant, and nothing moves', async () => {
  expect((await blueOnly.ask(initial('s1', RED))).code).toBe(5030);
  expect(await moneyOf('red')).toEqual([10_000_000, 0]);
  // It is the peer, not the number: another one is served.
  expect((await everyone.ask(initial('s2', RED))).code).toBe(2001);
  expect(await moneyOf('red')).not.toEqual([10_000_000, 0]);
});

test('a foreign session is unknown to it as well, whatever it reports', async () => {
  expect((await everyone.ask(initial('theirs', RED))).code).toBe(2001);
  const before = await moneyOf('red');
  for (const kind of ['update', 'terminate'] as const) {
    const reports = [{ rg: 1, used: 9, ...(kind === 'update' ? { ask: 9 } : {}) }];
    const answer = await blueOnly.ask({ kind, session: 'theirs', number: 1, reports });
    expect([kind, answer.code]).toEqual([kind, 5002]);
  }
  expect(await blueOnly.sessionTermination('theirs')).toBe(5002);
  expect(await moneyOf('red')).toEqual(before);
  // Its own peer goes on with it.
  const reports = [{ rg: 1, used: 9 }];
  const end: Asked = { kind: 'terminate', session: 'theirs', number: 1, reports };
  expect((await everyone.ask(end)).code).toBe(2001);
  expect(await moneyOf('red')).toEqual([10_000_000 - 27, 0]);
});

test('a number that both have is charged where the request belongs, and only there', async () => {
  const [account, red] = [await moneyOf('blue'), await moneyOf('red')];
  expect((await blueOnly.ask(initial('s', BOTH))).code).toBe(2001);
  const reports = [{ rg: 1, used: 9 }];
  await blueOnly.ask({ kind: 'terminate', session: 's', number: 1, reports });
  expect(await moneyOf('blue')).toEqual([account[0] - 9, 0]);
  expect(await moneyOf('red')).toEqual(red);
});
