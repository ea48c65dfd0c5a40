/** `hold-peer.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const hold = (worker: string, leaseMs: number) =>
  rig.run(scripts.holdPeer, { peer: 'p' }, { worker, leaseMs });

test('adds a holder, forgets those whose lease is over, and gives up', async () => {
  await rig.redis.zadd('p', 5, 'dead');
  expect(await hold('one', 60_000)).toBe('held');
  expect(await hold('two', 60_000)).toBe('held');
  expect(await rig.redis.zrange('p', '0', '-1')).toEqual(['one', 'two']);
  expect(await hold('one', 0)).toBe('given-up');
  expect(await hold('two', 0)).toBe('given-up');
  expect(await rig.redis.exists('p')).toBe(0);
});

test('the key ends with its last lease, whichever was written last', async () => {
  await hold('one', 60_000);
  await hold('two', 10_000);
  const left = await rig.redis.pttl('p');
  expect(left).toBeGreaterThan(50_000);
  expect(left).toBeLessThanOrEqual(60_000);
});
