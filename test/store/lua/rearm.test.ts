/** `rearm.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const rearm = (version: string, at: string) =>
  rig.run(scripts.rearm, { session: 's', timers: 't' }, { version, at, member: 'm' });

test('needs the version that was read, whole', async () => {
  await rig.redis.set('s', '12 1-1 body');
  await rig.redis.zadd('t', 5, 'm');
  expect(await rearm('1', '9')).toBe('moved-on');
  expect(await rearm('13', '9')).toBe('moved-on');
  expect(await rig.redis.zscore('t', 'm')).toBe('5');
  expect(await rearm('12', '1763727887123')).toBe('rearmed');
  expect(await rig.redis.zscore('t', 'm')).toBe('1763727887123');
});

test('makes no member for a session that has none', async () => {
  await rig.redis.set('s', '2 1-1 body');
  await rearm('2', '9');
  expect(await rig.redis.exists('t')).toBe(0);
});

test('does nothing where there is no session', async () => {
  await rig.redis.zadd('t', 5, 'm');
  expect(await rearm('0', '9')).toBe('moved-on');
  expect(await rig.redis.zscore('t', 'm')).toBe('5');
});
