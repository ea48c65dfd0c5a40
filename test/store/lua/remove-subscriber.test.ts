/** `remove-subscriber.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const remove = () => rig.run(scripts.removeSubscriber, { account: 'a' }, { field: 's:e164:1' });

test('raises the version when there was something to remove', async () => {
  await rig.redis.hset('a', { version: '1', 's:e164:1': '', 's:e164:2': '' });
  expect(await remove()).toBe('removed');
  expect(await remove()).toBe('absent');
  expect(await rig.redis.hgetall('a')).toEqual({ version: '2', 's:e164:2': '' });
});

test('makes no account', async () => {
  expect(await remove()).toBe('absent');
  expect(await rig.redis.exists('a')).toBe(0);
});
