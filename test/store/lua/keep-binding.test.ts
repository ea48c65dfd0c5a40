/** `keep-binding.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const keep = (account: string) =>
  rig.run(scripts.keepBinding, { binding: 'b' }, { account, ttl: 60_000 });

test('marks the binding as opened and renews it, or makes it again', async () => {
  await rig.redis.set('b', 'bnorth/a', 'PX', 1_000);
  for (let i = 0; i < 2; i++) expect(await keep('north/a')).toBe('kept');
  expect(await rig.redis.get('b')).toBe('onorth/a');
  expect(await rig.redis.pttl('b')).toBeGreaterThan(50_000);
  await rig.redis.del('b');
  expect(await keep('north/a')).toBe('kept');
  expect(await rig.redis.get('b')).toBe('onorth/a');
});

test('leaves one alone that names another account, even one that begins alike', async () => {
  await rig.redis.set('b', 'bnorth/a2', 'PX', 1_000);
  expect(await keep('north/a')).toBe('elsewhere');
  expect(await rig.redis.get('b')).toBe('bnorth/a2');
  expect(await rig.redis.pttl('b')).toBeLessThan(1_001);
});
