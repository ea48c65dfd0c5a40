/** `load.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
/** Nothing is known of the account. */
const whole = { known: '' };

test('reads account, session and epoch in one step', async () => {
  await rig.redis.hset('a', 'version', '1');
  await rig.redis.hset('m', 'epoch', '17');
  await rig.redis.set('s', '1 17-1 body');
  const keys = { account: 'a', partition: 'm' };
  expect(await rig.run(scripts.load, { ...keys, session: 's' }, whole)).toEqual([
    ...['17', '1 17-1 body', ['version', '1'], []],
  ]);
});

test('a missing part does not cut the reply short', async () => {
  await rig.redis.hset('a', 'version', '1');
  const keys = { account: 'a', partition: 'm' };
  expect(await rig.run(scripts.load, keys, whole)).toEqual([null, null, ['version', '1'], []]);
  expect(await rig.run(scripts.load, { ...keys, session: 's' }, whole)).toEqual([
    ...[null, null, ['version', '1'], []],
  ]);
  expect(await rig.run(scripts.load, { account: 'b', partition: 'm' }, whole)).toEqual([
    null,
    null,
    [],
    [],
  ]);
});

test('a definition that is known is left out, whatever it is called and however large', async () => {
  const buckets = JSON.stringify([
    { id: 'main', unit: 'money', paysFor: ['id'] },
    { id: 'b.1-x', unit: 'octets' },
  ]);
  const counters = { 'n:open': '3', 'a:main': '-5', 'r:main': '9', 'a:b.1-x': '7', 'r:b.1-x': '0' };
  await rig.redis.hset('a', { version: '12', plan: 'p', 's:e164:1': '', buckets, ...counters });
  await rig.redis.hset('m', 'epoch', '17');
  const keys = { account: 'a', partition: 'm' };
  const left = ['version', '12', ...Object.entries(counters).flat()];
  expect(await rig.run(scripts.load, keys, { known: 12 })).toEqual(['17', null, [], left]);
  const [, , all, none] = (await rig.run(scripts.load, keys, { known: 11 })) as unknown[][];
  expect(all).toContain('s:e164:1');
  expect(none).toEqual([]);
});

test('periods are counters of accounts whose buckets have any', async () => {
  const keys = { account: 'a', partition: 'm' };
  const counters = { 'n:open': '3', 'a:b': '1', 'r:b': '2', 'p:b': '77', 'a:main': '5' };
  const buckets = [{ id: 'b', lastsMs: 1 }, { id: 'main' }];
  await rig.redis.hset('a', { version: '12', buckets: JSON.stringify(buckets), ...counters });
  const [, , , known] = (await rig.run(scripts.load, keys, { known: 12 })) as unknown[][];
  expect(known).toEqual(['version', '12', ...Object.entries(counters).flat()]);
  const renewed = JSON.stringify([{ id: 'main' }, { id: 'b', renewal: { every: 'day' } }]);
  await rig.redis.hset('a', { buckets: renewed });
  const [, , , again] = (await rig.run(scripts.load, keys, { known: 12 })) as unknown[][];
  expect(again).toContain('p:b');
});
