/** `post.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const post = (message: string) =>
  rig.run(scripts.post, { inbox: 'i' }, { message, limit: 2, ttl: 5_000 });

test('keeps messages in order up to the limit, for a time', async () => {
  expect(await post('first')).toBe('posted');
  expect(await post('second')).toBe('posted');
  expect(await post('third')).toBe('full');
  expect(await rig.redis.lrange('i', '0', '-1')).toEqual(['first', 'second']);
  const left = await rig.redis.pttl('i');
  expect(left).toBeGreaterThan(0);
  expect(left).toBeLessThanOrEqual(5_000);
});

test('a full inbox does not live longer for what it refuses', async () => {
  await post('first');
  await post('second');
  await rig.redis.pexpire('i', 1_000);
  await post('third');
  expect(await rig.redis.pttl('i')).toBeLessThanOrEqual(1_000);
});
