/** `write-configuration.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const write = (expected: number, document: string, set: string[] = [], remove: string[] = []) =>
  rig.run(
    scripts.writeConfiguration,
    { configuration: 'c' },
    { expected, document, pairs_to_set: set.length / 2 },
    [...set, ...remove],
  );

test('writes the first where there is none, and each next one over the one before it', async () => {
  expect(await write(0, 'one', ['plan:t/p/1', 'p1'])).toBe('written');
  const { stamp: first, ...one } = await rig.redis.hgetall('c');
  expect(one).toEqual({ version: '1', document: 'one', 'plan:t/p/1': 'p1' });
  expect(await write(1, 'two', ['plan:t/p/2', 'p2'], ['plan:t/p/1'])).toBe('written');
  const { stamp: second, ...two } = await rig.redis.hgetall('c');
  expect(two).toEqual({ version: '2', document: 'two', 'plan:t/p/2': 'p2' });
  expect(first).toMatch(/^1@/);
  expect(second).toMatch(/^2@/);
});

test('made from another version it writes nothing at all', async () => {
  await write(0, 'one');
  const before = await rig.redis.hgetall('c');
  for (const expected of [0, 2])
    expect(await write(expected, 'x', ['plan:t/p/9', 'p'], ['document'])).toBe('conflict');
  expect(await rig.redis.hgetall('c')).toEqual(before);
});
