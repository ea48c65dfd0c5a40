/** `drop-timer.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const drop = () => rig.run(scripts.dropTimer, { session: 's', timers: 't' }, { member: 'm' });

test('takes the member of a session that is gone, and no other', async () => {
  await rig.redis.zadd('t', 5, 'm', 6, 'n');
  await rig.redis.set('s', '1 1-1 body');
  expect(await drop()).toBe('kept');
  await rig.redis.del('s');
  expect(await drop()).toBe('dropped');
  expect(await rig.redis.zrange('t', '0', '-1')).toEqual(['n']);
  expect(await drop()).toBe('dropped');
});
