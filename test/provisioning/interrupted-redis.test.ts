/**
 * A file whose application was stopped between two steps that a real Redis takes for one change: of a
 * subscriber who was to leave, the pointer stays without the account's field. It is found as nobody's.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import type { Connection } from '../../src/store/redis/connection.ts';
import { openRedisStore, RedisStore } from '../../src/store/redis/store.ts';
import { silent } from '../store/redis-rig.ts';
import { startRedis, type TestRedis } from '../store/redis-server.ts';
import { file, load, tenant } from './configurations.ts';

let redis: TestRedis;
let store: RedisStore;

beforeAll(async () => {
  redis = await startRedis();
  const { socketPath } = redis;
  store = await openRedisStore({ socketPath, durability: 'memory', partitions: 4, log: silent });
});

afterAll(async () => {
  await store.close();
  await redis.stop();
});

class Killed extends Error {}

/** The same store for a process that ends before its call of this number. */
function killedAt(last: number): RedisStore {
  const { connection } = store;
  let calls = 0;
  const dying =
    <Args extends unknown[], Reply>(call: (...args: Args) => Promise<Reply>) =>
    async (...args: Args): Promise<Reply> => {
      if (calls++ >= last) throw new Killed();
      return call(...args);
    };
  return new RedisStore({
    ...{ partitions: connection.partitions, clock: connection.clock },
    call: dying(connection.call.bind(connection)),
    run: dying(connection.run.bind(connection) as Connection['run']),
  } as Connection);
}

/** A file with each account and whether it has the subscriber; other ids for each run. */
const said = (run: string, accounts: Record<string, boolean>) =>
  load(
    file([
      tenant('t', {
        accounts: Object.entries(accounts).map(([id, has]) => ({
          ...{ id: `${id}${run}`, plan: 'p', subscribers: has ? [{ e164: `49${run}` }] : [] },
        })),
      }),
    ]),
  );

test.each([
  ['gives it to the account that had it', 'a', { a: true, b: false }],
  ['gives it to another account', 'b', { a: false, b: true }],
  ['gives it to a new account', 'c', { a: false, b: false, c: true }],
  ['is the same, and the next gives it to a new account', 'd', { a: false, b: false, d: true }],
])(
  'whose removal was stopped anywhere: the next file %s',
  async (_, to, next) => {
    let stops = 0;
    for (let last = 0; last === stops; last++) {
      const run = `${100 + last}${to.charCodeAt(0)}`;
      await applyFile(store, said(run, { a: true, b: false }), { all: false });
      try {
        const leaving = said(run, { a: false, b: false });
        await applyFile(killedAt(last), leaving, { all: false, concurrency: 1 });
      } catch (error) {
        expect(error).toBeInstanceOf(Killed);
        stops += 1;
      }
      if (to === 'd') await applyFile(store, said(run, { a: false, b: false }), { all: false });
      const { accounts } = await applyFile(store, said(run, next), { all: false });
      expect(accounts.notes, `killed before call ${last}`).toEqual([]);
      const holder = await store.holderOf('t', { kind: 'e164', id: `49${run}` });
      expect(holder, `killed before call ${last}`).toBe(`${to}${run}`);
    }
    expect(stops).toBeGreaterThan(10);
  },
  60_000,
);
