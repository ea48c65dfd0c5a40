/** What records say that services were decided on. */
import { describe, expect, test } from 'vitest';
import { stepEvent } from '../../src/charging/event.ts';
import type { Plan } from '../../src/charging/plan.ts';
import {
  type ChargingRecord,
  MAX_RECIPIENTS,
  recordedRecipients,
} from '../../src/charging/record.ts';
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

describe('a record names the recipients of a message', () => {
  const dear = { ...sms, name: 'dear', match: { called: ['4990'] } };
  const plan = planOf([dear, sms]);
  const recordOf = (recipients: (string | undefined)[], asked = {}) => {
    const till = new Till({ plan, openings: { main: 100_000 } });
    const known = { now: till.now, account: till.account(), plan, fresh: true };
    const decision = stepEvent(eventOf('debit', [asks({ asked, recipients })]), {
      ...{ ...known, proof: new Uint8Array() },
    });
    if (decision.kind !== 'change') throw new Error(decision.kind);
    return decision.record.services.map((service) => [service.rule, service.recipients]);
  };

  test('of one-time events, those of each rule with it', () => {
    expect(recordOf(['491', '4990', undefined], { units: 3 })).toEqual([
      ['sms', { count: 2, of: 3, called: ['491'] }],
      ['dear', { count: 1, of: 3, called: ['4990'] }],
    ]);
    expect(recordOf(['491', '492'], { units: 2 })).toEqual([
      ['sms', { count: 2, called: ['491', '492'] }],
    ]);
    expect(recordOf(['491', '4990'])).toEqual([
      ['sms', { count: 1, of: 2, called: ['491'] }],
      ['dear', { count: 1, of: 2, called: ['4990'] }],
    ]);
  });

  test('not all of many, nor all of what is too long for a number', () => {
    const many = Array.from({ length: MAX_RECIPIENTS + 1 }, (_, at) => `49${at}`);
    expect(recordedRecipients(many)).toEqual({
      ...{ count: MAX_RECIPIENTS + 1, called: many.slice(0, MAX_RECIPIENTS) },
    });
    expect(recordedRecipients(['x'.repeat(70)]).called).toEqual(['x'.repeat(64)]);
  });
});
