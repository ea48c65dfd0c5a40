/** `remove-subscriber.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const LATER = Date.now() + 3_600_000;
const remove = (notAfter = LATER) =>
  rig.run(scripts.removeSubscriber, { account: 'a' }, { field: 's:e164:1', notAfter });

test('raises the version when there was something to remove', async () => {
  await rig.redis.hset('a', { version: '1', 's:e164:1': '', 's:e164:2': '' });
  for (let i = 0; i < 2; i++) expect(await remove()).toBe('free');
  expect(await rig.redis.hgetall('a')).toEqual({ version: '2', 's:e164:2': '' });
});

test('tells where there are limits', async () => {
  const buckets = JSON.stringify([{ id: 'l', limits: ['e164:1'] }]);
  await rig.redis.hset('a', { version: '1', buckets });
  expect(await remove()).toBe('limited');
});

test('is done by nobody whose lease is over', async () => {
  await rig.redis.hset('a', { version: '1', 's:e164:1': '' });
  expect(await remove(Date.now() - 1)).toBe('late');
  expect(await rig.redis.hgetall('a')).toEqual({ version: '1', 's:e164:1': '' });
});

test('makes no account', async () => {
  expect(await remove()).toBe('free');
  expect(await rig.redis.exists('a')).toBe(0);
});
