/** Definitions that a reply leaves out are put back only where they are certain to be the same. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Definitions } from '../../src/store/redis/definitions.ts';
import { openRedisStore, type RedisStore } from '../../src/store/redis/store.ts';
import { silent } from './redis-rig.ts';
import { startRedis, type TestRedis } from './redis-server.ts';
import { openDesk } from './samples.ts';

let redis: TestRedis;
let store: RedisStore;
let other: RedisStore;

beforeEach(async () => {
  redis = await startRedis();
  const open = () =>
    openRedisStore({
      ...{ url: redis.socketPath, partitions: 1, durability: 'memory', log: silent },
      lab: true,
    });
  store = await open();
  other = await open();
});

afterEach(async () => {
  await store.close();
  await other.close();
  await redis.stop();
});

const flat = (fields: Record<string, string>): Buffer[] =>
  Object.entries(fields).flatMap((pair) => pair.map((text) => Buffer.from(text)));

const whole = flat({ version: '3', plan: 'p', buckets: '[]', 'a:main': '1', 's:e164:1': '' });
const counters = flat({ version: '3', 'a:main': '7' });

test('what is known is put back, with the counters as they are now', () => {
  const definitions = new Definitions();
  expect(definitions.versionOf('t/a')).toBe('');
  const first = definitions.read('t/a', 5, { whole, counters: [] });
  expect(definitions.versionOf('t/a')).toBe(3);
  const next = definitions.read('t/a', 5, { whole: [], counters });
  expect(first).toMatchObject({ counters: { 'a:main': 1 }, definition: { plan: 'p' } });
  expect(next).toEqual({ ...(first as object), counters: { 'a:main': 7 } });
});

test('another epoch, another version or another account: it is not known, and is read again', () => {
  const definitions = new Definitions();
  for (const [name, epoch, version] of [
    ['t/a', 6, '3'],
    ['t/a', 5, '4'],
    ['t/b', 5, '3'],
  ] as const) {
    definitions.read('t/a', 5, { whole, counters: [] });
    const found = definitions.read(name, epoch, { whole: [], counters: flat({ version }) });
    expect(found).toBe('unknown');
    expect(definitions.versionOf(name)).toBe('');
  }
});

test('an account that is gone is forgotten', () => {
  const definitions = new Definitions();
  definitions.read('t/a', 5, { whole, counters: [] });
  expect(definitions.read('t/a', 5, { whole: [], counters: [] })).toBeUndefined();
  expect(definitions.versionOf('t/a')).toBe('');
});

test('two stores see what the other changed, in what they read and in what conflicts', async () => {
  const desk = await openDesk(store, { main: 100 });
  const { account: before } = await store.load(desk.account);
  expect(await other.load(desk.account)).toEqual(await store.load(desk.account));
  const { definition, version } = before!;
  await other.changeAccount({ ...definition, plan: 'another' }, version);
  const { account: after } = await store.load(desk.account);
  expect(after).toMatchObject({ version: version + 1, definition: { plan: 'another' } });
  const movements = [{ field: 'a:main', delta: -1, min: 0 }];
  // Decided on the old version by one, and on another version of the session by the other.
  const conflicts = [
    await store.commit(desk.change('s', 0, { movements })),
    await other.commit({ ...desk.change('s', 3, { movements }), accountVersion: version + 1 }),
  ];
  for (const reply of conflicts)
    expect(reply).toMatchObject({ kind: 'conflict', snapshot: { account: after } });
});

test('a conflict whose definition nobody here has read is read whole', async () => {
  const desk = await openDesk(store, { main: 100 });
  const reply = await other.commit(desk.change('s', 4, { movements: [] }));
  const { account } = await store.load(desk.account);
  expect(reply).toMatchObject({ kind: 'conflict', snapshot: { account, session: undefined } });
});
