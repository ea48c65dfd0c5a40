/**
 * Provisioning that was interrupted between two steps is completed by doing it again, and what is done
 * by several at once leaves a subscriber on one account: the one that its pointer names.
 */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accountName } from '../../src/store/placement.ts';
import { subscriberField } from '../../src/store/redis/account-hash.ts';
import type { Connection } from '../../src/store/redis/connection.ts';
import { pointerKey } from '../../src/store/redis/keys.ts';
import { openRedisStore, RedisStore } from '../../src/store/redis/store.ts';
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
  const other = definitionOf();
  await store.createAccount(other, {});
  await store.moveSubscriber('north', { kind: 'e164', id: taken }, other.account);
  expect(await store.createAccount(definition, {})).toBe('exists');
  expect(await store.accountOf('north', { kind: 'e164', id: mine })).toBe(definition.account);
  expect(await store.accountOf('north', { kind: 'e164', id: taken })).toBe(other.account);
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

/** What is to be before each call of a store, by its number from 0 on. */
type Before = (call: number) => Promise<void>;

/** The same store for another process, whose calls wait for `before`. */
function another(before: Before): RedisStore {
  const { connection } = store;
  let calls = 0;
  const waiting =
    <Args extends unknown[], Reply>(call: (...args: Args) => Promise<Reply>) =>
    async (...args: Args): Promise<Reply> => {
      await before(calls++);
      return call(...args);
    };
  return new RedisStore({
    partitions: connection.partitions,
    clock: connection.clock,
    call: waiting(connection.call.bind(connection)),
    run: waiting(connection.run.bind(connection) as Connection['run']),
  } as Connection);
}

class Killed extends Error {}

/** A process that ends before its call of this number, and does nothing from then on. */
const killedAt = (last: number): RedisStore =>
  another(async (call) => {
    if (call >= last) throw new Killed();
  });

type World = Awaited<ReturnType<typeof threeAccounts>>;

async function threeAccounts() {
  const world = await twoAccounts();
  const third = definitionOf();
  await store.createAccount(third, {});
  return { ...world, third };
}

/** The accounts that have the subscriber, which is one at most, and which its pointer names. */
async function found({ subscriber, from, to, third, having }: World): Promise<string | undefined> {
  const all = [from, to, third];
  const has = await Promise.all(all.map(async (one) => ((await having(one)) ?? []).length > 0));
  const [account, ...others] = all.filter((_, i) => has[i]).map(({ account }) => account);
  expect(others).toEqual([]);
  expect(await store.accountOf('north', subscriber)).toBe(account);
  expect(await store.holderOf('north', subscriber)).toBe(account);
  return account;
}

/** More than any of them makes. */
const CALLS = 14;

const FIRST: Record<string, (by: RedisStore, world: World) => Promise<void>> = {
  move: (by, { subscriber, to }) => by.moveSubscriber('north', subscriber, to.account),
  removal: (by, { subscriber }) => by.removeSubscriber('north', subscriber),
};

const SECOND: Record<string, (by: RedisStore, world: World) => Promise<string | undefined>> = {
  'to the same account': async (by, { subscriber, to }) => {
    await by.moveSubscriber('north', subscriber, to.account);
    return to.account;
  },
  'to a third one': async (by, { subscriber, third }) => {
    await by.moveSubscriber('north', subscriber, third.account);
    return third.account;
  },
  'to where it was': async (by, { subscriber, from }) => {
    await by.moveSubscriber('north', subscriber, from.account);
    return from.account;
  },
  'to nobody': async (by, { subscriber }) => {
    await by.removeSubscriber('north', subscriber);
    return undefined;
  },
};

const both = Object.keys(FIRST).flatMap((first) => Object.keys(SECOND).map((to) => [first, to]));

test.concurrent.each(both)(
  'a %s that was killed anywhere is followed by a move %s',
  async (first, second) => {
    const cases = Array.from({ length: CALLS }, async (_, last) => {
      const world = await threeAccounts();
      await FIRST[first as string]!(killedAt(last), world).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
      const wanted = await SECOND[second as string]!(store, world);
      expect(await found(world), `killed before call ${last}`).toBe(wanted);
    });
    await Promise.all(cases);
  },
);

/** A process that stands still before its call of this number, until it is let go on. */
function standingAt(last: number, { dies }: { dies: boolean }) {
  const { promise: still, resolve: goOn } = Promise.withResolvers<void>();
  const { promise: isThere, resolve: arrive } = Promise.withResolvers<void>();
  const by = another(async (call) => {
    if (call === last) {
      arrive();
      await still;
    }
    if (dies && call > last) throw new Killed();
  });
  return { by, isThere, goOn };
}

describe.each([
  ['goes on', false],
  ['does one more call', true],
])('what stands still anywhere while others move the subscriber, and then %s', (_, dies) => {
  test.concurrent.each(both)('a %s beside a move %s', async (first, second) => {
    const cases = Array.from({ length: CALLS }, async (_, last) => {
      const world = await threeAccounts();
      const { by, isThere, goOn } = standingAt(last, { dies });
      const late = FIRST[first as string]!(by, world).catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
      await Promise.race([isThere, late]);
      await SECOND[second as string]!(store, world);
      goOn();
      await late;
      // A move that ended in the middle is not done: the next one clears it.
      const wanted = dies ? await SECOND[second as string]!(store, world) : await found(world);
      expect(await found(world), `still before call ${last}`).toBe(wanted);
    });
    await Promise.all(cases);
  });
});

test('accounts that are created with one subscriber at once: one has it', async () => {
  for (let round = 0; round < 20; round++) {
    const world = await threeAccounts();
    const id = fresh('999');
    const subscribers = [`e164:${id}`];
    const [one, other] = [definitionOf({ subscribers }), definitionOf({ subscribers })];
    await Promise.all([one, other].map((each) => store.createAccount(each, {})));
    const subscriber = { kind: 'e164', id } as const;
    await found({ ...world, subscriber, from: one, to: other });
  }
});

test('a creation that was killed anywhere is finished by repeating it, or by another account', async () => {
  const cases = Array.from({ length: CALLS }, async (_, last) => {
    const world = await threeAccounts();
    const id = fresh('999');
    const [subscriber, subscribers] = [{ kind: 'e164', id } as const, [`e164:${id}`]];
    const from = definitionOf({ subscribers });
    await killedAt(last)
      .createAccount(from, {})
      .catch((error: unknown) => {
        if (!(error instanceof Killed)) throw error;
      });
    const now = { ...world, subscriber, from };
    if (last % 2 === 0) await store.createAccount(from, {});
    else await store.moveSubscriber('north', subscriber, world.to.account);
    expect(await found(now)).toBe(last % 2 === 0 ? from.account : world.to.account);
  });
  await Promise.all(cases);
});

test('who points to an account that has them not is for any account', async () => {
  const id = fresh('999');
  const [subscriber, subscribers] = [{ kind: 'e164', id } as const, [`e164:${id}`]];
  redis.cli('SET', pointerKey('north', `e164:${id}`), 'gone');
  expect(await store.holderOf('north', subscriber)).toBeUndefined();
  const [one, other] = [definitionOf({ subscribers }), definitionOf({ subscribers })];
  for (const definition of [one, other]) await store.createAccount(definition, {});
  expect(await store.holderOf('north', subscriber)).toBe(one.account);
  await store.changeAccount({ ...one, subscribers: [] }, 1);
  redis.cli('SET', pointerKey('north', `e164:${id}`), one.account);
  expect(await store.changeAccount(other, 1)).toBe('changed');
  expect(await store.holderOf('north', subscriber)).toBe(other.account);
});

test('a move that was killed anywhere is cleared by an account that lets the subscriber go', async () => {
  const cases = Array.from({ length: CALLS }, async (_, last) => {
    const world = await threeAccounts();
    await FIRST.move!(killedAt(last), world).catch((error: unknown) => {
      if (!(error instanceof Killed)) throw error;
    });
    const { definition, version } = (await store.load(world.from)).account!;
    await store.changeAccount({ ...definition, subscribers: [] }, version);
    // Where the pointer was set already it is on the new account, and else on none.
    const account = await found(world);
    expect(account ?? world.to.account, `killed before call ${last}`).toBe(world.to.account);
  });
  await Promise.all(cases);
});
