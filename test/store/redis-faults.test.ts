/** Three-valued outcomes: what a lost reply, a dead server or a lost script leaves behind. */
import { inspect } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openRedisStore, type RedisStore } from '../../src/store/redis/store.ts';
import { type Commit, StoreUnavailable } from '../../src/store/store.ts';
import { type FaultProxy, startProxy } from './proxy.ts';
import { silent, until } from './redis-rig.ts';
import { startRedis, type TestRedis } from './redis-server.ts';
import { type Desk, openDesk, sessionOf } from './samples.ts';

const durable = { appendonly: 'yes', appendfsync: 'always', 'aof-load-truncated': 'no' };
const TIMEOUT_MS = 300;

let redis: TestRedis;
let proxy: FaultProxy;
let store: RedisStore;
let desk: Desk;

beforeEach(async () => {
  redis = await startRedis(durable);
  proxy = await startProxy(redis.socketPath);
  store = await openRedisStore({
    url: proxy.url,
    partitions: 4,
    durability: 'fsync',
    timeoutMs: TIMEOUT_MS,
    log: silent,
  });
  desk = await openDesk(store, { main: 100 }, { subscribers: ['e164:999700000123'] });
});

afterEach(async () => {
  await store.close();
  await proxy.close();
  await redis.stop();
});

const debit = [{ field: 'a:main', delta: -10, min: 0 }];
const recovered = () => until(async () => (await store.ready()) === undefined);
const balance = async () => (await store.load(desk.account)).account?.counters['a:main'];

async function outcome(work: Promise<unknown>): Promise<StoreUnavailable> {
  const error = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(StoreUnavailable);
  return error as StoreUnavailable;
}

describe('a reply that is lost with its connection', () => {
  test('leaves a session unknown; the same commit again finds it applied', async () => {
    const commit = desk.change('s', 0, { movements: debit });
    proxy.weather = 'lose-reply';
    expect((await outcome(store.commit(commit))).applied).toBe('unknown');
    await recovered();
    const again = await store.commit(commit);
    expect(again).toMatchObject({
      kind: 'conflict',
      snapshot: {
        session: { version: 1, session: sessionOf(desk.account, { sessionId: 's' }) },
        account: { counters: { 'a:main': 90 } },
      },
    });
    expect(await balance()).toBe(90);
  });

  test('leaves a booking unknown; the same again brings the stored outcome', async () => {
    const commit = desk.book('k', { movements: debit });
    proxy.weather = 'lose-reply';
    expect((await outcome(store.commit(commit))).applied).toBe('unknown');
    await recovered();
    expect(await store.commit(commit)).toEqual({
      kind: 'duplicate',
      stored: commit.idempotency?.outcome,
    });
    expect(await balance()).toBe(90);
  });

  test('leaves each of many commits unknown, and each applied at most once', async () => {
    const commits = Array.from({ length: 50 }, (_, i) =>
      desk.book(`k${i}`, { movements: [{ field: 'a:main', delta: -1 }] }),
    );
    const first = Promise.allSettled(commits.map((commit) => store.commit(commit)));
    proxy.weather = 'lose-reply';
    for (const result of await first)
      if (result.status === 'rejected') expect(result.reason).toMatchObject({ applied: 'unknown' });
    await recovered();
    const again = await Promise.all(commits.map((commit) => store.commit(commit)));
    expect(again.every(({ kind }) => kind === 'duplicate' || kind === 'committed')).toBe(true);
    expect(await balance()).toBe(50);
  });
});

test('a half-open connection is given up, and another one is made', async () => {
  const commit = desk.change('s', 0, { movements: debit });
  const before = proxy.connections;
  proxy.weather = 'freeze';
  expect((await outcome(store.commit(commit))).applied).toBe('unknown');
  await until(async () => proxy.connections > before);
  proxy.weather = 'pass';
  await recovered();
  expect((await store.commit(commit)).kind).toBe('committed');
  expect(await balance()).toBe(90);
});

test('a reply that comes too late is unknown, and is not taken for another', async () => {
  proxy.weather = 'hold';
  const late = await outcome(store.commit(desk.book('k', { movements: debit })));
  expect(late.applied).toBe('unknown');
  proxy.weather = 'pass';
  await recovered();
  const reply = await store.commit(desk.change('s', 0, { movements: debit }));
  expect(reply).toMatchObject({ kind: 'committed', counters: { 'a:main': 80 } });
});

test('scripts that the server has forgotten are sent again: nothing had run', async () => {
  for (let i = 0; i < 20; i++) {
    redis.cli('SCRIPT', 'FLUSH');
    const replies = await Promise.all(
      Array.from({ length: 4 }, (_, n) =>
        store.commit(desk.book(`${i}-${n}`, { movements: [{ field: 'a:main', delta: -1 }] })),
      ),
    );
    expect(replies.map(({ kind }) => kind)).toEqual(Array(4).fill('committed'));
  }
  expect(await balance()).toBe(20);
});

test('while the server is down nothing is applied, and afterwards a new epoch holds', async () => {
  await store.commit(desk.change('s', 0, { movements: debit }));
  await redis.kill();
  await until(async () => store.connection.refusal !== undefined);
  expect((await outcome(store.commit(desk.change('t', 0)))).applied).toBe('no');
  expect(await store.ready()).toMatch(/Redis/);
  await redis.start();
  await recovered();
  expect(await store.commit(desk.change('t', 0))).toEqual({ kind: 'stale-epoch' });
  const { epoch, account, session } = await store.load(desk.account, 's');
  expect(epoch).toBeGreaterThan(desk.epoch);
  expect(account?.counters['a:main']).toBe(90);
  expect(session?.version).toBe(1);
  expect((await store.commit(desk.change('t', 0, { epoch }))).kind).toBe('committed');
});

test('a server that became a replica applies nothing; promoted again it has a new epoch', async () => {
  redis.cli('REPLICAOF', '127.0.0.1', '1');
  const refused = await outcome(store.commit(desk.change('s', 0)));
  expect(refused.applied).toBe('no');
  expect(await store.ready()).toBeDefined();
  redis.cli('REPLICAOF', 'NO', 'ONE');
  await recovered();
  expect((await store.load(desk.account)).epoch).toBeGreaterThan(desk.epoch);
  expect(await store.commit(desk.change('s', 0))).toEqual({ kind: 'stale-epoch' });
});

test('a change of role that no command met is noticed by looking', async () => {
  const { socketPath } = redis;
  const options = { socketPath, durability: 'fsync', log: silent } as const;
  const looking = await openRedisStore({ ...options, checkEveryMs: 20 });
  try {
    redis.cli('REPLICAOF', '127.0.0.1', '1');
    redis.cli('REPLICAOF', 'NO', 'ONE');
    await until(async () => {
      const snapshot = await looking.load(desk.account).catch(() => undefined);
      return snapshot !== undefined && snapshot.epoch > desk.epoch;
    });
  } finally {
    await looking.close();
  }
});

test('a server without memory refuses before anything is written', async () => {
  redis.cli('CONFIG', 'SET', 'maxmemory', '1mb');
  const commit = desk.change('s', 0, { movements: debit });
  const refused = await outcome(store.commit(commit));
  expect(refused.applied).toBe('no');
  redis.cli('CONFIG', 'SET', 'maxmemory', '0');
  expect((await store.commit(commit)).kind).toBe('committed');
});

test('a partition that lost its epoch is not worked with before it has one again', async () => {
  const { partition } = store.keysOf(store.partitionOf(desk.account));
  redis.cli('DEL', partition);
  expect((await outcome(store.load(desk.account))).applied).toBe('no');
  await recovered();
  const { account, epoch } = await store.load(desk.account);
  expect(account?.counters['a:main']).toBe(100);
  expect(epoch).toBeGreaterThan(desk.epoch);
});

test('a server that lost everything is not taken for one that knows nobody', async () => {
  redis.cli('FLUSHALL');
  const lost = /lost its data/;
  await until(async () => lost.test((await outcome(store.load(desk.account))).message));
  expect(await store.ready()).toMatch(lost);
  expect(redis.cli('DBSIZE')).toMatch(/^0/);
  // Nor is what somebody else made of it meanwhile.
  const other = await openRedisStore({
    ...{ socketPath: redis.socketPath, durability: 'fsync', log: silent },
  });
  await other.close();
  redis.cli('HSET', 'tk:meta', 'madeAt', '7');
  redis.cli('CLIENT', 'KILL', 'TYPE', 'normal');
  await until(async () => lost.test((await outcome(store.load(desk.account))).message));
});

test('no error carries what a command was about', async () => {
  const failures: StoreUnavailable[] = [];
  const note = async (work: () => Promise<unknown>): Promise<void> => {
    failures.push(await outcome(work()));
  };
  const subscriber = { kind: 'e164', id: '999700000123' } as const;
  const commit: Commit = desk.change('999700000123', 0, { subscriber });
  proxy.weather = 'lose-reply';
  await note(() => store.commit(commit));
  await recovered();
  proxy.weather = 'lose-reply';
  await note(() => store.accountOf('north', subscriber));
  await recovered();
  proxy.weather = 'lose-reply';
  await note(() => store.bind('999700000123', desk.account, 1_000));
  await redis.kill();
  await until(async () => store.connection.refusal !== undefined);
  await note(() => store.commit(commit));
  for (const failure of failures) {
    const shown = inspect(failure, { depth: 9, showHidden: true });
    expect(shown).not.toContain('999700000123');
    expect(shown).not.toContain(desk.account.account);
  }
});

test('of one event committed by two clients at once exactly one is, 1,000 times', async () => {
  const other = await openRedisStore({
    socketPath: redis.socketPath,
    durability: 'fsync',
    timeoutMs: 10_000,
    log: silent,
  });
  try {
    const { idempotency: _, ...bare } = desk.book('');
    const movements = [{ field: 'r:main', delta: 1 }];
    for (let i = 0; i < 1_000; i += 20)
      await Promise.all(
        Array.from({ length: 20 }, async (__, n) => {
          const key = `event/${i + n}`;
          const event = (by: number) => ({ key, answer: Uint8Array.of(by), ttlMs: 60_000 });
          const replies = await Promise.all([
            store.commit({ ...bare, movements, event: event(1) }),
            other.commit({ ...bare, movements, event: event(2) }),
          ]);
          const winner = replies.findIndex(({ kind }) => kind === 'committed');
          expect(replies[winner]).toBeDefined();
          expect(replies[1 - winner]).toEqual({
            kind: 'duplicate',
            stored: Uint8Array.of(winner + 1),
          });
        }),
      );
    expect((await store.load(desk.account)).account?.counters['r:main']).toBe(1_000);
  } finally {
    await other.close();
  }
});
