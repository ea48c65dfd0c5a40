/** `claim.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const claim = (leaseMs: number, limit: number) =>
  rig.run(scripts.claim, { timers: 't' }, { leaseMs, limit }) as Promise<string[]>;

test('an empty wheel gives the time and nothing else', async () => {
  const [now, ...members] = await claim(1_000, 10);
  expect(now).toMatch(/^\d{13}$/);
  expect(members).toEqual([]);
  expect(await rig.redis.exists('t')).toBe(0);
});

test('moves what it gives behind the lease, in whole ms, and nothing else', async () => {
  await rig.redis.zadd('t', 5, 'b', 5, 'a', 7, 'c', 9_000_000_000_000, 'later');
  const [now, ...members] = await claim(1_500, 2);
  expect(members).toEqual(['a', 'b']);
  const lease = String(Number(now) + 1_500);
  expect(await rig.redis.zrange('t', '0', '-1', 'WITHSCORES')).toEqual([
    ...['c', '7', 'a', lease, 'b', lease, 'later', '9000000000000'],
  ]);
});

test('takes a thousand at once', async () => {
  const entries = Array.from({ length: 1_200 }, (_, i) => [i, `m${i}`]).flat();
  await rig.redis.zadd('t', ...entries);
  expect(await claim(60_000, 1_000)).toHaveLength(1_001);
  expect(await claim(60_000, 1_000)).toHaveLength(201);
});
