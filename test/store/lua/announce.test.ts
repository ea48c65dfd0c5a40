/** `announce.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const announce = (worker: string, leaseMs: number) =>
  rig.run(scripts.announce, { workers: 'w' }, { worker, leaseMs });

test('gives those whose lease runs, and forgets the others', async () => {
  await rig.redis.zadd('w', 5, 'dead');
  expect(await announce('one', 60_000)).toEqual(['one']);
  expect(await announce('two', 70_000)).toEqual(['one', 'two']);
  expect(await rig.redis.zscore('w', 'dead')).toBeNull();
  expect(await announce('one', 0)).toEqual(['two']);
  expect(await announce('two', 0)).toEqual([]);
  expect(await rig.redis.exists('w')).toBe(0);
});
