/** The same over a real Redis: what is read is what is there now, and a Redis that goes is said. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type EmbeddedRedis, startTemporary } from '../../src/embedded/redis.ts';
import { book } from '../../src/engine/booking.ts';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import { openRedisStore, type RedisStore } from '../../src/store/redis/store.ts';
import { open, provision, serve, session, sessionIdOf, tokenAccess } from './fixture.ts';

let redis: EmbeddedRedis;
let store: RedisStore;

beforeAll(async () => {
  redis = await startTemporary({ durability: 'fsync' });
  const log = { warn() {}, info() {} };
  store = await openRedisStore({ url: redis.url, partitions: 16, durability: 'fsync', log });
  await provision(store);
});
afterAll(async () => {
  await store?.close();
  await redis?.stop();
});

const blue = { tenant: 'blue', account: 'family' };

test('sessions and accounts of the caller, and of nobody else', async () => {
  const { get } = await serve({ store, access: tokenAccess() });
  const id = encodeURIComponent(sessionIdOf('blue'));
  expect((await get(`/v1/sessions/${id}`, 'blue-token')).body).toMatchObject({ tenant: 'blue' });
  expect((await get(`/v1/sessions/${id}`, 'red-token')).status).toBe(404);
  const sessions = await get('/v1/sessions', 'red-token');
  expect(sessions.body.sessions).toMatchObject([{ sessionId: sessionIdOf('red') }]);
  const accounts = await get('/v1/accounts', 'red-token');
  expect(accounts.body.accounts).toMatchObject([{ account: 'family' }, { account: 'red-alone' }]);
});

test('pages cover everything once', async () => {
  for (let i = 0; i < 12; i++)
    await open(store, session('red', { sessionId: `page;${i}`, openedAt: 1_000 * (i % 3) }));
  const { get } = await serve({ store, access: tokenAccess() });
  const seen: string[] = [];
  let path: string | undefined = '/v1/sessions?limit=5';
  while (path !== undefined) {
    const { body } = await get(path, 'red-token');
    seen.push(...(body.sessions as { sessionId: string }[]).map(({ sessionId }) => sessionId));
    path = body.next === undefined ? undefined : `/v1/sessions?limit=5&cursor=${body.next}`;
  }
  expect(seen).toHaveLength(13);
  expect(new Set(seen).size).toBe(13);
});

test('a top-up whose replies are lost is booked once, and is there to be seen at once', async () => {
  let lost = 0;
  const faulty = withFaults(store, (call) => {
    if (call !== 'commit' || lost === 3) return 'none';
    return ['lose-reply', 'lose-request', 'lose-reply'][lost++] as 'lose-reply';
  });
  const booking = { kind: 'topup', bucket: 'main', amount: 1_000_000, key: 'lossy' } as const;
  const options = {
    keyTtlMs: 60_000,
    clock: () => performance.now(),
    pause: () => Promise.resolve(),
  };
  const call = (through: Parameters<typeof book>[0]['store']) =>
    book({ ...options, store: through }, blue, { booking, deadline: performance.now() + 5_000 });
  expect(await call(faulty)).toMatchObject({ repeated: false, available: 20_999_975 });
  expect(lost).toBe(3);
  expect(await call(store)).toMatchObject({ repeated: true, available: 20_999_975 });
  const { get } = await serve({ store });
  expect((await get('/v1/accounts/family?tenant=blue')).body.buckets).toMatchObject([
    {},
    { available: { amount: '20.999975' } },
  ]);
});

test('a key for something else is an error, and a hundred callers with ten keys book ten times', async () => {
  const options = { store, keyTtlMs: 60_000, clock: () => 0, pause: () => Promise.resolve() };
  const call = (key: string, amount: number) =>
    book(options, blue, {
      booking: { kind: 'topup', bucket: 'main', amount, key },
      deadline: 9_999,
    });
  const before = (await store.load(blue)).account!.counters['a:main']!;
  const all = await Promise.all(Array.from({ length: 100 }, (_, i) => call(`many-${i % 10}`, 1)));
  expect(all.filter((one) => one.kind === 'booked' && !one.repeated)).toHaveLength(10);
  expect((await store.load(blue)).account!.counters['a:main']).toBe(before + 10);
  expect(await call('many-1', 2)).toEqual({ kind: 'key-reused' });
  expect(await call('many-1', Number.MAX_SAFE_INTEGER)).toEqual({ kind: 'key-reused' });
});

test('without Redis: 503, and 200 again when it is back', async () => {
  const { get } = await serve({
    store,
    readiness: async () => {
      const reason = await store.ready();
      return { ready: reason === undefined, reasons: reason === undefined ? [] : [reason] };
    },
  });
  await redis.kill();
  expect((await get('/v1/accounts?tenant=blue')).body).toMatchObject({
    status: 503,
    code: 'STORE_UNAVAILABLE',
  });
  expect((await get('/readyz')).body).toMatchObject({ status: 503, code: 'NOT_READY' });
  expect((await get('/healthz')).status).toBe(200);
  await redis.restart();
  await expect.poll(() => store.ready(), { timeout: 10_000 }).toBeUndefined();
  expect((await get('/readyz')).status).toBe(200);
  expect((await get('/v1/accounts?tenant=blue')).status).toBe(200);
});
