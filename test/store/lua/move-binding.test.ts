/** `move-binding.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const move = () =>
  rig.run(scripts.moveBinding, { binding: 'b' }, { from: 'north/a', to: 'north/b', ttl: 60_000 });

test.each(['bnorth/a', 'onorth/a', undefined])('from %s it names the new account', async (held) => {
  if (held !== undefined) await rig.redis.set('b', held, 'PX', 1_000);
  expect(await move()).toBe('bnorth/b');
  expect(await rig.redis.get('b')).toBe('bnorth/b');
  expect(await rig.redis.pttl('b')).toBeGreaterThan(50_000);
});

test('one that has moved on stays, and is returned', async () => {
  await rig.redis.set('b', 'onorth/c', 'PX', 1_000);
  expect(await move()).toBe('onorth/c');
  expect(await rig.redis.get('b')).toBe('onorth/c');
});
