/** What a worker remembers: sessions that go on, and no others. */
import { expect, test } from 'vitest';
import { asks, requestOf } from '../charging/till.ts';
import { anna, charge, outcome, Rig } from './rig.ts';

const ask = asks({ asked: {} });

test('a session that ended is forgotten, and its duplicates are answered all the same', async () => {
  const rig = new Rig();
  await rig.anna();
  const worker = rig.worker();
  const initial = requestOf('initial', 0, [ask], { subscriber: anna });
  const end = requestOf('termination', 1, [asks({ used: { octets: 60 } })]);
  const late = requestOf('update', 2, [asks({ used: { octets: 7 } })]);
  const opened = await charge(rig, worker, initial);
  expect(worker.knowledge.session('s')).toBeDefined();
  const ended = await charge(rig, worker, end);
  expect(worker.knowledge.session('s')).toBeUndefined();
  expect(await charge(rig, worker, end)).toEqual(ended);
  expect(await charge(rig, worker, initial)).toEqual(opened);
  for (let i = 0; i < 2; i++) expect(await outcome(rig, worker, late)).toBe('unknown-session');
  expect(worker.knowledge.session('s')).toBeUndefined();
  expect(await rig.balance()).toEqual([933, 0]);
});
