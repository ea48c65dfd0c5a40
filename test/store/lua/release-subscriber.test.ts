/** `release-subscriber.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const held = { token: 't1', until: '1800000000000', 'a:anna': '' };
const release = (token: string, outcome: string) =>
  rig.run(scripts.releaseSubscriber, { move: 'm' }, { token, outcome });

test('forgets a move that is done', async () => {
  await rig.redis.hset('m', held);
  expect(await release('t1', 'done')).toBe('released');
  expect(await rig.redis.exists('m')).toBe(0);
});

test('leaves one that was stopped to anybody, and forgets nothing of it', async () => {
  await rig.redis.hset('m', held);
  expect(await release('t1', 'stopped')).toBe('released');
  expect(await rig.redis.hgetall('m')).toEqual({ ...held, until: '0' });
});

test('lets go of nothing that somebody else holds by now, or nobody', async () => {
  await rig.redis.hset('m', held);
  for (const outcome of ['done', 'stopped']) expect(await release('t2', outcome)).toBe('taken');
  expect(await rig.redis.hgetall('m')).toEqual(held);
  await rig.redis.del('m');
  expect(await release('t1', 'done')).toBe('taken');
});
