/** A plan that is provisioned no more while accounts and open sessions still name it. */
import { expect, test } from 'vitest';
import { asks, requestOf } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import { anna, charge, outcome, Rig } from './rig.ts';

const HOUR = 3_600_000;
const ask = asks({ asked: {} });

async function opened(): Promise<Rig> {
  const rig = new Rig();
  await rig.anna();
  await charge(rig, rig.worker(), requestOf('initial', 0, [ask], { subscriber: anna }));
  expect(await rig.balance()).toEqual([900, 100]);
  rig.plans.clear();
  return rig;
}

test('what was granted under it is settled as granted, and nothing more is rated', async () => {
  const rig = await opened();
  const update = requestOf('update', 1, [asks({ used: { octets: 130 }, asked: {} })]);
  expect(await charge(rig, rig.worker(), update)).toMatchObject({
    outcome: 'success',
    services: [{ outcome: 'rating-failed' }],
  });
  expect(await rig.balance()).toEqual([870, 0]);
  const initial = requestOf('initial', 0, [ask], { subscriber: anna, sessionId: 's2' });
  expect(await outcome(rig, rig.worker(), initial)).toBe('rating-failed');
  const end = requestOf('termination', 2, [asks({ used: { octets: 5 } })]);
  expect(await outcome(rig, rig.worker(), end)).toBe('success');
  expect(await rig.balance()).toEqual([865, 0]);
  checkBooks(rig);
});

test('a client that vanished is still supervised', async () => {
  const rig = await opened();
  rig.now += HOUR;
  await rig.worker().timers.pass();
  expect(rig.fired).toEqual(['supervision']);
  expect(await rig.balance()).toEqual([1000, 0]);
  checkBooks(rig);
});
