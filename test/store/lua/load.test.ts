import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();

test('reads account, session and epoch in one step', async () => {
  await rig.redis.hset('a', 'version', '1');
  await rig.redis.hset('m', 'epoch', '17');
  await rig.redis.set('s', '1 17-1 body');
  const keys = { account: 'a', partition: 'm' };
  expect(await rig.run(scripts.load, { ...keys, session: 's' }, {})).toEqual([
    ...['17', '1 17-1 body', ['version', '1']],
  ]);
});

test('a missing part does not cut the reply short', async () => {
  await rig.redis.hset('a', 'version', '1');
  const keys = { account: 'a', partition: 'm' };
  expect(await rig.run(scripts.load, keys, {})).toEqual([null, null, ['version', '1']]);
  expect(await rig.run(scripts.load, { ...keys, session: 's' }, {})).toEqual([
    ...[null, null, ['version', '1']],
  ]);
  expect(await rig.run(scripts.load, { account: 'b', partition: 'm' }, {})).toEqual([
    null,
    null,
    [],
  ]);
});
