/** A store that is closed by its owner has nothing to complain of. */
import { expect, test, vi } from 'vitest';
import { startTemporary } from '../../src/embedded/redis.ts';
import { openRedisStore } from '../../src/store/redis/store.ts';

test('closing it while it looks after its server is no trouble worth a log line', async () => {
  const redis = await startTemporary({ durability: 'memory' });
  const lines: unknown[] = [];
  const log = { info() {}, warn: (...line: unknown[]) => void lines.push(line) };
  const options = { url: redis.url, partitions: 1, durability: 'memory', log } as const;
  try {
    const store = await openRedisStore({ ...options, lab: true, checkEveryMs: 1 });
    const looking = Promise.withResolvers<void>();
    const measure = vi.spyOn(store.connection.clock, 'measure');
    measure.mockReturnValue(looking.promise);
    await vi.waitUntil(() => measure.mock.calls.length > 0);
    lines.length = 0;
    await store.close();
    looking.reject(new Error('Connection is closed.'));
    await looking.promise.catch(() => undefined);
    await new Promise(setImmediate);
    expect(lines).toEqual([]);
  } finally {
    await redis.stop();
  }
});
