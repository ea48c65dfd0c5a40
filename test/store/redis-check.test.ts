/** What a server must be like before anything is stored in it. */
import { afterEach, expect, test } from 'vitest';
import { StoreMisconfigured } from '../../src/store/redis/check.ts';
import { profile } from '../../src/store/redis/connect.ts';
import { openRedisStore, type RedisStoreOptions } from '../../src/store/redis/store.ts';
import { until } from './redis-rig.ts';
import { startRedis, type TestRedis } from './redis-server.ts';

const servers: TestRedis[] = [];
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
});

async function serverWith(settings: Record<string, string>): Promise<TestRedis> {
  const server = await startRedis(settings);
  servers.push(server);
  return server;
}

const durable = { appendonly: 'yes', appendfsync: 'always', 'aof-load-truncated': 'no' };

function open(server: TestRedis, options: Partial<RedisStoreOptions> = {}) {
  const said: object[] = [];
  const log = { warn: (details: object) => said.push(details), info() {} };
  const { socketPath } = server;
  const store = openRedisStore({ socketPath, partitions: 2, durability: 'fsync', log, ...options });
  return { store, said };
}

async function problems(store: Promise<unknown>): Promise<readonly string[]> {
  const error = await store.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreMisconfigured);
  return (error as StoreMisconfigured).problems;
}

test('with fsync all that breaks it is told at once', async () => {
  const server = await serverWith({ 'maxmemory-policy': 'allkeys-lru' });
  expect(await problems(open(server).store)).toEqual([
    'maxmemory-policy is allkeys-lru, must be noeviction: anything else drops accounts',
    'appendonly is no, must be yes: without it nothing survives a crash',
    'appendfsync is everysec, must be always: anything else answers before it is on disk',
    'aof-load-truncated is yes, must be no: with yes a damaged tail is dropped silently',
  ]);
});

test('in a laboratory it is a warning', async () => {
  const server = await serverWith({ 'maxmemory-policy': 'allkeys-lru' });
  const { store, said } = open(server, { lab: true });
  await (await store).close();
  expect(said.filter((details) => 'problem' in details)).toHaveLength(4);
});

test('with memory only what loses data while it runs is refused', async () => {
  const server = await serverWith({});
  await (await open(server, { durability: 'memory' }).store).close();
  server.cli('CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl');
  expect(await problems(open(server, { durability: 'memory' }).store)).toHaveLength(1);
});

test('a server without a limit of memory is warned of, one with it is not', async () => {
  const server = await serverWith(durable);
  const without = open(server);
  await (await without.store).close();
  expect(without.said).toContainEqual({ warning: expect.stringContaining('maxmemory') });
  server.cli('CONFIG', 'SET', 'maxmemory', '100mb');
  const withLimit = open(server);
  await (await withLimit.store).close();
  expect(withLimit.said).toEqual([]);
});

test('a replica is refused', async () => {
  const server = await serverWith(durable);
  server.cli('REPLICAOF', '127.0.0.1', '1');
  expect(await problems(open(server).store)).toContain('role is slave, not master');
});

test('a server that hides its settings is refused', async () => {
  const server = await serverWith(durable);
  server.cli('ACL', 'SETUSER', 'default', '-config');
  expect(await problems(open(server).store)).toEqual([
    'CONFIG GET is not allowed, so the durability cannot be checked',
  ]);
});

test('the number of partitions is fixed by whoever comes first', async () => {
  const server = await serverWith(durable);
  const first = await open(server, { partitions: 3 }).store;
  await first.close();
  await expect(open(server, { partitions: 4 }).store).rejects.toMatchObject({
    name: 'StoreIncompatible',
    message: 'this Redis holds 3 partitions, and not 4 partitions',
  });
  const { partitions: _, ...any } = { partitions: 0, socketPath: server.socketPath };
  const log = { warn() {}, info() {} };
  const second = await openRedisStore({ ...any, durability: 'fsync', log });
  expect(second.partitions).toBe(3);
  await second.close();
  expect(await problems(open(server, { partitions: 0 }).store)).toHaveLength(1);
});

test('a store keeps the time when it was made; one that lost everything is made anew', async () => {
  const server = await serverWith(durable);
  const first = await open(server).store;
  const { madeAt } = first.connection;
  expect(Math.abs(madeAt - Date.now() / 1000)).toBeLessThan(60);
  server.cli('HSET', 'tk:meta', 'madeAt', '7');
  const second = await open(server).store;
  expect(second.connection.madeAt).toBe(7);
  server.cli('FLUSHALL');
  const third = await open(server).store;
  expect(third.connection.madeAt).toBeGreaterThanOrEqual(madeAt);
  await Promise.all([first, second, third].map((store) => store.close()));
});

test('a store of another format is left alone', async () => {
  const server = await serverWith(durable);
  server.cli('HSET', 'tk:meta', 'format', '2', 'partitions', '2');
  await expect(open(server).store).rejects.toMatchObject({
    name: 'StoreIncompatible',
    message: 'this Redis holds format 2, and not format 1',
  });
});

test('a server that is not there is said so, and is not waited for', async () => {
  const log = { warn() {}, info() {} };
  const options = { durability: 'memory', log, timeoutMs: 100 } as const;
  const gone = openRedisStore({ ...options, socketPath: '/nonexistent/redis.sock' });
  await expect(gone).rejects.toMatchObject({ name: 'StoreUnavailable', applied: 'no' });
});

test('the epochs stay while the server does, however many connect', async () => {
  const server = await serverWith(durable);
  const first = await open(server).store;
  const account = { tenant: 'north', account: 'a' };
  const { epoch } = await first.load(account);
  const second = await open(server).store;
  expect((await second.load(account)).epoch).toBe(epoch);
  server.cli('CLIENT', 'KILL', 'TYPE', 'normal');
  await until(async () => (await first.ready()) === undefined);
  expect((await first.load(account)).epoch).toBe(epoch);
  await first.close();
  await second.close();
});

test("the store's clock is the server's", async () => {
  const server = await serverWith(durable);
  const store = await open(server).store;
  const [seconds, microseconds] = server.cli('TIME').split('\n').map(Number) as [number, number];
  const theirs = seconds * 1_000 + microseconds / 1_000;
  expect(store.now() - theirs).toBeGreaterThan(-2);
  expect(store.now() - theirs).toBeLessThan(5_000);
  expect(Math.abs(store.clockAheadMs())).toBeLessThan(5_000);
  expect(Number.isInteger(store.now())).toBe(true);
  await store.close();
});

test('the client never repeats a command by itself', () => {
  const options = profile(400);
  expect(options).toMatchObject({
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    reconnectOnError: null,
    commandTimeout: 400,
    socketTimeout: 800,
  });
  for (let attempt = 1; attempt < 100; attempt++) {
    const delay = options.retryStrategy?.(attempt);
    expect(delay).toBeGreaterThan(0);
    expect(delay).toBeLessThanOrEqual(1_000);
  }
});
