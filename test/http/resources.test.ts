/** Sessions and accounts over HTTP: what is shown, in pages, and how it is asked for. */
import { expect, test } from 'vitest';
import { MemoryStore } from '../../src/store/memory/store.ts';
import {
  definition,
  NUMBER,
  open,
  provisionedStore,
  serve,
  session,
  sessionIdOf,
} from './fixture.ts';

test('a session is shown with its services, grants and what holds them', async () => {
  const { get } = await serve();
  const { status, body } = await get(`/v1/sessions/${encodeURIComponent(sessionIdOf('blue'))}`);
  expect(status).toBe(200);
  expect(body).toEqual({
    sessionId: sessionIdOf('blue'),
    tenant: 'blue',
    account: 'family',
    subscriber: { kind: 'e164', id: NUMBER },
    client: { host: 'pgw1.epc.example', realm: 'epc.example' },
    context: '32251@3gpp.org',
    state: 'open',
    openedAt: '2026-01-02T03:04:05.000Z',
    changedAt: '2026-01-02T03:04:06.000Z',
    supervisedUntil: '2026-01-03T03:04:05.000Z',
    services: [
      {
        ratingGroup: 1,
        serviceIds: [7],
        rule: 'internet',
        planVersion: 3,
        unit: 'octets',
        used: 2048,
        cost: { smallest: 1234567, amount: '1.234567', currency: 'EUR' },
        granted: {
          units: 1500,
          final: true,
          validUntil: '2026-01-02T04:04:05.000Z',
          reserved: [
            { bucket: 'bundle', units: 1000, quantity: { smallest: 1000 } },
            {
              bucket: 'main',
              units: 500,
              quantity: { smallest: 25, amount: '0.000025', currency: 'EUR' },
            },
          ],
        },
      },
      {
        serviceIds: [],
        rule: 'free',
        planVersion: 3,
        unit: 'seconds',
        used: 0,
        cost: { smallest: 0, amount: '0.000000', currency: 'EUR' },
      },
    ],
  });
});

test('the plan of a service is shown, and whom of a message’s recipients it is for', async () => {
  const store = await provisionedStore();
  const [, free] = session('blue').services;
  const named = { ...free!, plan: 'prepaid' };
  const services = [
    { ...named, share: { called: '491701', count: 2, of: 3, units: 2 } },
    { ...named, share: { called: '', count: 1, of: 3, units: 1 } },
  ];
  await open(store, session('blue', { sessionId: 'message;1', services }));
  const { get } = await serve({ store });
  const { body } = await get('/v1/sessions/message%3B1');
  expect(body).toMatchObject({
    services: [
      { plan: 'prepaid', planVersion: 3, recipients: { called: '491701', count: 2, of: 3 } },
      { plan: 'prepaid', planVersion: 3, recipients: { count: 1, of: 3 } },
    ],
  });
  expect((body as { services: object[] }).services[1]).not.toHaveProperty('recipients.called');
});

test('what a grant holds of limits, and after a tariff change, is shown', async () => {
  const store = await provisionedStore();
  const part = { units: 5, amount: 5 };
  const [service] = session('blue').services;
  const { price: _none, ...plain } = service!;
  const grant = {
    ...{ units: 10, final: false, parts: [{ bucket: 'bundle', ...part }] },
    limits: [{ bucket: 'main', units: 10, amount: 40 }],
    switch: { at: 1, rule: 'night', after: { parts: [{ bucket: 'bundle', ...part }], units: 5 } },
  };
  await open(store, session('blue', { sessionId: 'more;1', services: [{ ...plain, grant }] }));
  const { get } = await serve({ store });
  const { body } = await get('/v1/sessions/more%3B1');
  const held = { bucket: 'bundle', units: 5, quantity: { smallest: 5 } };
  expect(body).toMatchObject({
    services: [
      {
        granted: {
          reserved: [held, held],
          limits: [{ bucket: 'main', units: 10, quantity: { smallest: 40, amount: '0.000040' } }],
        },
      },
    ],
  });
});

test('a sub-session is asked for by its own number', async () => {
  const store = await provisionedStore();
  await open(store, session('blue', { subSessionId: '18446744073709551615' }));
  const { get } = await serve({ store });
  const path = `/v1/sessions/${encodeURIComponent(sessionIdOf('blue'))}`;
  const sub = await get(`${path}?subSessionId=18446744073709551615`);
  expect(sub.body).toMatchObject({ subSessionId: '18446744073709551615' });
  expect((await get(path)).body).not.toHaveProperty('subSessionId');
  expect((await get(`${path}?subSessionId=2`)).status).toBe(404);
});

test('a Session-Id that has only sub-sessions names them to whoever may see them', async () => {
  const store = await provisionedStore();
  for (const subSessionId of ['1', '18446744073709551615'])
    await open(store, session('blue', { sessionId: 'gw;subs', subSessionId }));
  const { get } = await serve({ store });
  const found = await get('/v1/sessions/gw%3Bsubs');
  expect(found.status).toBe(409);
  expect(found.body).toMatchObject({ code: 'SUB_SESSION_NOT_NAMED' });
  expect(JSON.stringify(found.body)).toMatch(/: 1, 18446744073709551615"/);
});

test('a session that is only bound, or moved to another account, is not there', async () => {
  const store = await provisionedStore();
  const [from, to] = ['family', 'blue-alone'].map((account) => ({ tenant: 'blue', account }));
  await store.bind('bound;1', from!, 60_000);
  await store.moveBinding('moved;1', from!, to!, 60_000);
  const { get } = await serve({ store });
  for (const id of ['bound;1', 'moved;1', 'never;1'])
    expect((await get(`/v1/sessions/${encodeURIComponent(id)}`)).body).toMatchObject({
      status: 404,
      code: 'SESSION_UNKNOWN',
    });
});

test('an account is shown with its buckets, money as decimals and as integers', async () => {
  const { get } = await serve();
  const { body } = await get('/v1/accounts/family?tenant=blue');
  expect(body).toEqual({
    tenant: 'blue',
    account: 'family',
    plan: 'prepaid',
    status: 'active',
    version: 1,
    subscribers: [{ kind: 'e164', id: NUMBER }],
    openSessions: 1,
    maxSessions: 10,
    buckets: [
      {
        id: 'bundle',
        unit: 'octets',
        priority: 10,
        state: 'active',
        paysFor: ['internet'],
        available: { smallest: 4000 },
        reserved: { smallest: 1000 },
        floor: { smallest: 0 },
      },
      {
        id: 'main',
        unit: 'money',
        priority: 100,
        state: 'active',
        available: { smallest: 19999975, amount: '19.999975', currency: 'EUR' },
        reserved: { smallest: 25, amount: '0.000025', currency: 'EUR' },
        floor: { smallest: -500, amount: '-0.000500', currency: 'EUR' },
      },
    ],
  });
  const yen = await get('/v1/accounts/family?tenant=red');
  expect(yen.body.buckets).toMatchObject([
    {},
    { available: { smallest: 19999975, amount: '19999975', currency: 'JPY' } },
  ]);
});

test('buckets are shown as a decision at this moment would find them', async () => {
  let now = Date.UTC(2026, 0, 30, 12);
  const store = new MemoryStore({ partitions: 4, clock: () => now });
  const bucket = { unit: 'octets', floor: 0 } as const;
  const renewal = {
    every: 'month',
    from: Date.UTC(2025, 11, 31, 23),
    timeZone: 'Europe/Berlin',
    amount: 500,
    rollover: 70,
  } as const;
  const hour = 3_600_000;
  await store.createAccount(
    {
      ...definition('blue', 'timed'),
      buckets: [
        { ...bucket, id: 'cap', priority: 1, limits: ['imsi:262019'], renewal },
        { ...bucket, id: 'pass', priority: 2, lastsMs: hour, expiresAt: now + 2 * hour },
        { ...bucket, id: 'later', priority: 3, startsAt: now + hour },
      ],
    },
    { cap: 200, pass: 7, later: 9 },
  );
  const { get } = await serve({ store });
  const shown = async () => (await get('/v1/accounts/timed?tenant=blue')).body.buckets;
  const zero = { reserved: { smallest: 0 }, floor: { smallest: 0 } };
  const cap = { id: 'cap', unit: 'octets', priority: 1, state: 'active', ...zero };
  const monthly = { every: 'month', timeZone: 'Europe/Berlin' };
  const figures = { amount: { smallest: 500 }, rollover: { smallest: 70 } };
  const limits = [{ kind: 'imsi', id: '262019' }];
  expect(await shown()).toEqual([
    {
      ...{ ...cap, limits, available: { smallest: 200 } },
      renewal: { ...monthly, ...figures, nextAt: '2026-01-31T23:00:00.000Z' },
    },
    {
      ...{ id: 'pass', unit: 'octets', priority: 2, state: 'unused', lastsSeconds: 3600 },
      ...{ expiresAt: '2026-01-30T14:00:00.000Z', available: { smallest: 7 }, ...zero },
    },
    {
      ...{ id: 'later', unit: 'octets', priority: 3, state: 'waiting', ...zero },
      ...{ startsAt: '2026-01-30T13:00:00.000Z', available: { smallest: 9 } },
    },
  ]);
  now = Date.UTC(2026, 0, 31, 23);
  expect(await shown()).toMatchObject([
    { available: { smallest: 570 }, renewal: { nextAt: '2026-02-28T23:00:00.000Z' } },
    { state: 'expired', available: { smallest: 0 } },
    { state: 'active' },
  ]);
  // Shown is not done: nothing was booked.
  expect((await store.load({ tenant: 'blue', account: 'timed' })).account?.counters).toMatchObject({
    'a:cap': 200,
    'a:pass': 7,
  });
});

test('figures at the limit stay exact', async () => {
  const store = await provisionedStore();
  await store.createAccount(definition('blue', 'rich'), { main: Number.MAX_SAFE_INTEGER });
  const { get } = await serve({ store });
  const { text } = await get('/v1/accounts/rich?tenant=blue');
  expect(text).toContain('"smallest":9007199254740991,"amount":"9007199254.740991"');
});

test('lists come in pages that cover everything once, in order', async () => {
  const store = await provisionedStore();
  for (let i = 0; i < 23; i++)
    await open(
      store,
      session('blue', { sessionId: `more;${i}`, openedAt: 1_000 * (i % 5), services: [] }),
    );
  const { get } = await serve({ store });
  const seen: { sessionId: string; openedAt: string }[] = [];
  let path: string | undefined = '/v1/sessions?tenant=blue&limit=5';
  let pages = 0;
  while (path !== undefined) {
    const { body } = await get(path);
    const { sessions, next } = body as { sessions: typeof seen; next?: string };
    expect(sessions.length).toBeLessThanOrEqual(5);
    seen.push(...sessions);
    pages++;
    path = next === undefined ? undefined : `/v1/sessions?tenant=blue&limit=5&cursor=${next}`;
  }
  expect(pages).toBe(5);
  expect(new Set(seen.map(({ sessionId }) => sessionId)).size).toBe(24);
  const times = seen.map(({ openedAt }) => openedAt);
  expect(times).toEqual([...times].sort());
});

test('accounts come in the order of their ids', async () => {
  const { get } = await serve();
  const first = await get('/v1/accounts?tenant=red&limit=1');
  expect(first.body).toMatchObject({ accounts: [{ account: 'family', tenant: 'red' }] });
  const second = await get(`/v1/accounts?tenant=red&limit=1&cursor=${first.body.next}`);
  expect(second.body).toMatchObject({ accounts: [{ account: 'red-alone' }] });
  expect(second.body).not.toHaveProperty('next');
});

test('health, metrics and the version', async () => {
  const { get } = await serve();
  expect((await get('/healthz')).body).toMatchObject({ alive: true, version: '1.2.3' });
  expect((await get('/readyz')).body).toEqual({ ready: true });
  const metrics = await get('/metrics');
  expect(metrics.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
  expect(metrics.text).toBe('# HELP tollkeeper_ready x\n');
});
