/** `hold-subscriber.lua` on a real Redis. */
import { expect, test } from 'vitest';
import { scripts } from '../../../src/store/redis/scripts.ts';
import { type Text, useScripts } from './script-rig.ts';

const rig = useScripts();
const hold = async (token: string, accounts: string[], leaseMs = 60_000): Promise<Text[]> =>
  (await rig.run(scripts.holdSubscriber, { move: 'm' }, { token, leaseMs }, accounts)) as Text[];

test('is held by one, who is told of all accounts that were named', async () => {
  const before = Date.now();
  const [word, until, ...accounts] = await hold('t1', ['a', 'b']);
  expect([word, accounts.sort()]).toEqual(['held', ['a', 'b']]);
  expect(Number(until)).toBeGreaterThanOrEqual(before + 60_000);
  expect(await hold('t2', ['c'])).toEqual(['taken', until]);
  const [, , ...more] = await hold('t1', ['c']);
  expect(more.sort()).toEqual(['a', 'b', 'c']);
});

test('is held by the next one once the lease is over, who is told of the same', async () => {
  await hold('t1', ['a'], -1);
  const [word, , ...accounts] = await hold('t2', ['b']);
  expect([word, accounts.sort()]).toEqual(['held', ['a', 'b']]);
  expect((await hold('t3', []))[0]).toBe('taken');
});
