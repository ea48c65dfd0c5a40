/** `note-sub-session.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { useScripts } from './script-rig.ts';

const rig = useScripts();
const note = (subSession: string, ttl: number, lengthen: 'GT' | '' = '') =>
  rig.run(scripts.noteSubSession, { subSessions: 'n' }, { subSession, ttl, lengthen });
const noted = () => rig.redis.zrange('n', '0', '-1');

test('the key lives as long as its longest note, and no longer', async () => {
  expect(await note('1', 60_000)).toBe('noted');
  await note('2', 20_000);
  expect(await noted()).toEqual(['2', '1']);
  expect(await rig.redis.pttl('n')).toBeGreaterThan(50_000);
  expect(await rig.redis.pttl('n')).toBeLessThanOrEqual(60_000);
  await note('1', 10_000);
  expect(await noted()).toEqual(['1', '2']);
  expect(await rig.redis.pttl('n')).toBeLessThanOrEqual(20_000);
});

test('a note that may only be lengthened is not cut short', async () => {
  await note('1', 60_000);
  await note('1', 1_000, 'GT');
  expect(await rig.redis.pttl('n')).toBeGreaterThan(50_000);
  await note('1', 90_000, 'GT');
  expect(await rig.redis.pttl('n')).toBeGreaterThan(80_000);
});

test('each note clears away some that are over, so that no Session-Id gathers them', async () => {
  const over = Array.from({ length: 25 }, (_, i) => [String(i), `old${i}`]).flat();
  await rig.redis.zadd('n', ...over);
  await note('1', 60_000);
  expect(await rig.redis.zcard('n')).toBe(16);
  await note('1', 60_000);
  await note('2', 60_000);
  expect(await noted()).toEqual(['1', '2']);
});
