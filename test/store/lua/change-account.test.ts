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
  { epoch = 5, record = '', add = {} }: Booked = {},
) => {
  const [held, pairs, added] = [hold, set, add].map((one) => Object.entries(one).flat());
  const counts = {
    pairs_to_hold: held!.length / 2,
    pairs_to_set: pairs!.length / 2,
    pairs_to_add: added!.length / 2,
  };
  return rig.run(
    scripts.changeAccount,
    { account: 'a', outbox: 'o' },
    { expected, epoch, record, ...counts },
    [...held!, ...pairs!, ...added!, ...gone],
  );
};
interface Booked {
  epoch?: number;
  record?: string;
  add?: Record<string, string>;
}

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

test('adds to counters with a record, unless another epoch has begun', async () => {
  const before = { version: '9', 'a:cap': '9007199254740990' };
  await rig.redis.hset('a', before);
  const add = { 'a:cap': '-9007199254740989', 'a:new': '7' };
  const more = { record: 'what it was', add };
  await rig.redis.xadd('o', '6-0', 'r', 'an epoch');
  expect(await change(9, { 'a:new': '0' }, {}, [], more)).toBe('stale-epoch');
  expect(await rig.redis.hgetall('a')).toEqual(before);
  expect(await change(9, { 'a:new': '0' }, {}, [], { ...more, epoch: 6 })).toBe('changed');
  expect(await rig.redis.hgetall('a')).toEqual({ version: '10', 'a:cap': '1', 'a:new': '7' });
  expect(await rig.redis.xrange('o', '-', '+')).toEqual([
    ['6-0', ['r', 'an epoch']],
    ['6-1', ['r', 'what it was']],
  ]);
});

test.each([
  ['9007199254740990', '2', '1'],
  ['-9007199254740990', '-2', '-1'],
  ['9007199254740990', '9007199254740990', '1'],
])(
  'leaves all as it is where %s and %s more are beyond what a counter holds',
  async (held, add, fits) => {
    const before = { version: '9', plan: 'x', 'a:cap': held, 'a:old': '0' };
    await rig.redis.hset('a', before);
    const change9 = (more: string) =>
      change(9, { plan: 'y' }, { 'a:old': '0' }, ['a:old'], {
        record: 'what it was',
        add: { 'a:new': '1', 'a:cap': more },
      });
    expect(await change9(add)).toBe('out-of-range');
    expect(await rig.redis.hgetall('a')).toEqual(before);
    expect(await rig.redis.exists('o')).toBe(0);
    expect(await change9(fits)).toBe('changed');
  },
);
