/** What records say that services were decided on. */
import { describe, expect, test } from 'vitest';
import { stepEvent } from '../../src/charging/event.ts';
import type { Plan } from '../../src/charging/plan.ts';
import type { ChargingRecord } from '../../src/charging/record.ts';
import { eventOf, sms, units } from './events.ts';
import { asks, planOf, requestOf, ruleOf, Till } from './till.ts';

const gold = planOf([ruleOf()], { id: 'gold', version: 4 });
const silver = planOf([ruleOf()], { id: 'silver', version: 4 });
const used = (octets: number) => asks({ used: { octets }, asked: {} });
const opened = (plan: Plan) => {
  const till = new Till({ plan, openings: { main: 1000 } });
  till.ask(requestOf('initial', 0, [asks({ asked: {} })]));
  return till;
};
const by = ({ services }: ChargingRecord) =>
  services.map(({ plan, planVersion, rule }) => [plan, planVersion, rule]);

describe('a record names the plan', () => {
  test('that rated what was used, although the account has another by now', () => {
    const till = opened(gold);
    till.plan = silver;
    till.ask(requestOf('update', 1, [used(10)]));
    till.ask(requestOf('termination', 2, [used(10)]));
    expect(till.records.map(by)).toEqual([
      [['gold', 4, undefined]],
      [['gold', 4, 'data']],
      [['silver', 4, 'data']],
    ]);
  });

  test('that a grant was decided on which is taken back', () => {
    const short = planOf([ruleOf({ validitySeconds: 60 })], { id: 'gold' });
    const till = opened({ ...short, validityGraceSeconds: 10 });
    till.now += 80_000;
    till.plan = { ...till.plan, id: 'silver' };
    expect(till.wake()).toBe('change');
    expect(till.records.at(-1)).toMatchObject({ kind: 'validity', services: [{ plan: 'gold' }] });
  });

  test('not where the session was stored without it: that may have been any', () => {
    const till = opened(gold);
    const session = till.session()!;
    const services = session.services.map(({ plan: _, ...service }) => service);
    till.sessions.set('s', { ...session, services });
    till.plan = silver;
    till.ask(requestOf('update', 1, [used(10)]));
    expect(till.records.map(by)).toEqual([[['gold', 4, undefined]], [[undefined, 4, 'data']]]);
    till.ask(requestOf('termination', 2, [used(10)]));
    expect(till.records.map(by).at(-1)).toEqual([['silver', 4, 'data']]);
  });

  test('of a one-time event, for what it refused too', () => {
    const plan = planOf([sms], { id: 'gold', version: 4 });
    const till = new Till({ plan, openings: { main: 1000 } });
    const account = till.account();
    const known = { now: till.now, account, plan, fresh: true, proof: new Uint8Array() };
    const services = [units(1), asks({ asked: { octets: 5 } })];
    const decision = stepEvent(eventOf('debit', services), known);
    if (decision.kind !== 'change') throw new Error(decision.kind);
    expect(by(decision.record)).toEqual([
      ['gold', 4, 'sms'],
      ['gold', 4, undefined],
    ]);
  });
});
