/** `point.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const LATER = Date.now() + 3_600_000;
const point = (from: string, to: string, notAfter = LATER) =>
  rig.run(scripts.point, { pointer: 'p' }, { from, to, notAfter });

test('changes what was read, and nothing else', async () => {
  expect(await point('a', 'b')).toBe('elsewhere');
  expect(await point('', 'a')).toBe('pointed');
  expect(await point('', 'b')).toBe('elsewhere');
  expect(await point('a', 'b')).toBe('pointed');
  expect(await rig.redis.get('p')).toBe('b');
  expect(await point('a', '')).toBe('elsewhere');
  expect(await point('b', '')).toBe('pointed');
  expect(await rig.redis.exists('p')).toBe(0);
});

test('is changed by nobody whose lease is over', async () => {
  await rig.redis.set('p', 'a');
  expect(await point('a', 'b', Date.now() - 1)).toBe('late');
  expect(await rig.redis.get('p')).toBe('a');
});
