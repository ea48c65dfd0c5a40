/** Sessions that are open for days: whatever they do, any worker finds them by their binding. */
import { expect, test } from 'vitest';
import { asks, planOf, requestOf, ruleOf } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import { anna, charge, outcome, Rig } from './rig.ts';

const HOUR = 3_600_000;
const ask = asks({ asked: {} });

test('one that is silent for days, again and again, is found by a worker that never saw it', async () => {
  const rig = new Rig(planOf([ruleOf()], { supervisionSeconds: (72 * HOUR) / 1000 }));
  await rig.anna();
  const timers = rig.worker().timers;
  await charge(rig, rig.worker(), requestOf('initial', 0, [ask], { subscriber: anna }));
  for (let number = 1; number <= 5; number++) {
    for (let hour = 0; hour < 71; hour++) {
      rig.now += HOUR;
      await timers.pass();
    }
    const update = requestOf('update', number, [asks({ used: { octets: 1 }, asked: {} })]);
    expect([number, await outcome(rig, rig.worker(), update)]).toEqual([number, 'success']);
  }
  expect(rig.fired).toEqual([]);
  checkBooks(rig);
});
