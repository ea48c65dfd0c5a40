/** `add-subscriber.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const LATER = Date.now() + 3_600_000;
const add = (from: string, notAfter = LATER) =>
  rig.run(scripts.addSubscriber, { account: 'a' }, { field: 's:e164:1', from, notAfter });

test('raises the version once, and remembers where the subscriber comes from', async () => {
  await rig.redis.hset('a', 'version', '1');
  expect(await add('old')).toBe('added');
  expect(await add('old')).toBe('present');
  expect(await rig.redis.hgetall('a')).toEqual({ version: '2', 's:e164:1': 'old' });
  expect(await add('')).toBe('present');
  expect(await rig.redis.hgetall('a')).toEqual({ version: '2', 's:e164:1': '' });
});

test('makes no account', async () => {
  expect(await add('old')).toBe('absent');
  expect(await rig.redis.exists('a')).toBe(0);
});

test('is done by nobody whose lease is over', async () => {
  await rig.redis.hset('a', 'version', '1');
  expect(await add('old', Date.now() - 1)).toBe('late');
  expect(await rig.redis.hgetall('a')).toEqual({ version: '1' });
});
