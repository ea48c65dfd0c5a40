/** `arrive-subscriber.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const arrive = (from: string) =>
  rig.run(scripts.arriveSubscriber, { account: 'a' }, { field: 's:e164:1', from });

test('forgets where the subscriber comes from', async () => {
  await rig.redis.hset('a', { version: '2', 's:e164:1': 'old' });
  expect(await arrive('other')).toBe('elsewhere');
  expect(await arrive('old')).toBe('arrived');
  expect(await rig.redis.hgetall('a')).toEqual({ version: '2', 's:e164:1': '' });
});

test('brings back nobody who was moved on', async () => {
  await rig.redis.hset('a', { version: '3' });
  expect(await arrive('old')).toBe('elsewhere');
  expect(await rig.redis.hgetall('a')).toEqual({ version: '3' });
});
