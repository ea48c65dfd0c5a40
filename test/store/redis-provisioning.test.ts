/** Provisioning that was interrupted between two steps is completed by doing it again. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { accountName } from '../../src/store/placement.ts';
import { subscriberField } from '../../src/store/redis/account-hash.ts';
import { pointerKey } from '../../src/store/redis/keys.ts';
import { openRedisStore, type RedisStore } from '../../src/store/redis/store.ts';
import { silent } from './redis-rig.ts';
import { startRedis, type TestRedis } from './redis-server.ts';
import { definitionOf, fresh } from './samples.ts';

let redis: TestRedis;
let store: RedisStore;

beforeAll(async () => {
  redis = await startRedis();
  const { socketPath } = redis;
  store = await openRedisStore({ socketPath, durability: 'memory', partitions: 8, log: silent });
});

afterAll(async () => {
  await store.close();
  await redis.stop();
});

async function twoAccounts() {
  const id = fresh('999');
  const subscriber = { kind: 'e164', id } as const;
  const from = definitionOf({ subscribers: [`e164:${id}`] });
  const to = definitionOf();
  await store.createAccount(from, {});
  await store.createAccount(to, {});
  const key = (account: typeof from): string =>
    store.keysOf(store.partitionOf(account)).account(accountName(account));
  const having = async (account: typeof from) =>
    (await store.load(account)).account?.definition.subscribers;
  const field = subscriberField(`e164:${id}`);
  return { id, subscriber, from, to, key, having, field };
}

test('an account without its pointers gets them, and they stay where they are otherwise', async () => {
  const [mine, taken] = [fresh('999'), fresh('999')];
  const definition = definitionOf({ subscribers: [`e164:${mine}`, `e164:${taken}`] });
  await store.createAccount(definition, {});
  redis.cli('DEL', pointerKey('north', `e164:${mine}`));
  redis.cli('SET', pointerKey('north', `e164:${taken}`), 'other');
  expect(await store.createAccount(definition, {})).toBe('exists');
  expect(await store.accountOf('north', { kind: 'e164', id: mine })).toBe(definition.account);
  expect(await store.accountOf('north', { kind: 'e164', id: taken })).toBe('other');
});

test('a repeated creation points nobody whom the account has lost', async () => {
  const { id, subscriber, from, to } = await twoAccounts();
  await store.moveSubscriber('north', subscriber, to.account);
  redis.cli('DEL', pointerKey('north', `e164:${id}`));
  await store.createAccount(from, {});
  expect(await store.accountOf('north', subscriber)).toBeUndefined();
});

test.each([
  ['the new field', ['field']],
  ['the pointer', ['field', 'pointer']],
  ['the old field', ['field', 'pointer', 'old']],
])('a move that ended after %s is completed by moving again', async (_, done) => {
  const { id, subscriber, from, to, key, having, field } = await twoAccounts();
  redis.cli('HSET', key(to), field, from.account, 'version', '2');
  if (done.includes('pointer')) redis.cli('SET', pointerKey('north', `e164:${id}`), to.account);
  if (done.includes('old')) redis.cli('HDEL', key(from), field);
  await store.moveSubscriber('north', subscriber, to.account);
  expect(await store.accountOf('north', subscriber)).toBe(to.account);
  expect(await having(from)).toEqual([]);
  expect(await having(to)).toEqual([`e164:${id}`]);
  expect(redis.cli('HGET', key(to), field).trim()).toBe('');
  expect((await store.load(to)).account?.version).toBe(2);
});

test('moves of one subscriber to several accounts at once leave it in one', async () => {
  for (let round = 0; round < 20; round++) {
    const { id, subscriber, from, to, having } = await twoAccounts();
    const third = definitionOf();
    await store.createAccount(third, {});
    await Promise.all(
      [to, third].map(({ account }) => store.moveSubscriber('north', subscriber, account)),
    );
    const at = await store.accountOf('north', subscriber);
    const all = [from, to, third];
    const holders = await Promise.all(all.map(async (one) => ((await having(one)) ?? []).length));
    const names = all.filter((_, i) => holders[i] === 1).map(({ account }) => account);
    expect(names, id).toEqual([at]);
  }
});
