/** `change-account.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const change = (
  expected: number,
  set: Record<string, string>,
  hold: Record<string, string>,
  gone: string[],
) => {
  const pairs = Object.entries(set);
  const held = Object.entries(hold);
  return rig.run(
    scripts.changeAccount,
    { account: 'a' },
    { expected, pairs_to_hold: held.length, pairs_to_set: pairs.length },
    [...held.flat(), ...pairs.flat(), ...gone],
  );
};

test('sets, removes and raises the version in one step', async () => {
  await rig.redis.hset('a', { version: '9', plan: 'x', 'a:old': '0', 's:e164:1': '' });
  const set = { plan: 'y', 'a:new': '0' };
  const gone = ['a:old', 'r:old', 's:e164:1'];
  expect(await change(9, set, { 'a:old': '0', 'r:old': '0' }, gone)).toBe('changed');
  expect(await rig.redis.hgetall('a')).toEqual({ version: '10', plan: 'y', 'a:new': '0' });
});

test('changes nothing at another version, or where a field holds no more', async () => {
  await rig.redis.hset('a', { version: '9', plan: 'x', 'a:old': '0', 'r:old': '1', 'p:b': '7' });
  const before = await rig.redis.hgetall('a');
  expect(await change(8, { plan: 'y' }, {}, [])).toBe('conflict');
  const drained = { 'a:old': '0', 'r:old': '0' };
  expect(await change(9, { plan: 'y' }, drained, Object.keys(drained))).toBe('conflict');
  expect(await change(9, { 'p:b': '5' }, { 'p:b': '6' }, [])).toBe('conflict');
  expect(await rig.redis.hgetall('a')).toEqual(before);
});

test('makes no account', async () => {
  expect(await change(0, { plan: 'y' }, {}, [])).toBe('conflict');
  expect(await rig.redis.exists('a')).toBe(0);
});
