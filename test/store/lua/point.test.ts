/** `point.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const point = (from: string, to: string) => rig.run(scripts.point, { pointer: 'p' }, { from, to });

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
