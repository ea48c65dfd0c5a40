/** The Redis store keeps the contract of every store. */
import { openRedisStore } from '../../src/store/redis/store.ts';
import { describeStore } from './contract.ts';
import { recordsOf, silent, until } from './redis-rig.ts';
import { startRedis } from './redis-server.ts';

describeStore('Redis', async () => {
  const redis = await startRedis({
    appendonly: 'yes',
    appendfsync: 'always',
    'aof-load-truncated': 'no',
  });
  const { socketPath } = redis;
  const options = { socketPath, partitions: 4, durability: 'fsync', log: silent } as const;
  const store = await openRedisStore({ ...options, timeoutMs: 5_000 });
  return {
    store,
    records: async (account) => recordsOf(store, account),
    async replaceServer() {
      await redis.kill();
      await until(async () => store.connection.refusal !== undefined);
      await redis.start();
      await until(async () => (await store.ready()) === undefined);
    },
    pass: (at) => until(async () => store.now() > at),
    async close() {
      await store.close();
      await redis.stop();
    },
  };
});
