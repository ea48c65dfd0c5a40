/** Buckets that limit what one subscriber may use of a shared account. */
import { describe, expect, test } from 'vitest';
import type { Bucket } from '../../src/charging/account.ts';
import type { Movement } from '../../src/charging/draft.ts';
import type { SubscriberId } from '../../src/charging/request.ts';
import { asks, bundle, main, planOf, requestOf, ruleOf, START, Till } from './till.ts';

const anna: SubscriberId = { kind: 'e164', id: '49170' };
const ben: SubscriberId = { kind: 'imsi', id: '262019' };

const capped = (part: Partial<Bucket> = {}): Bucket =>
  bundle('cap', { limits: ['imsi:262019'], priority: 5, ...part });

const initial = (subscriber: SubscriberId, octets: number) =>
  requestOf('initial', 0, [asks({ asked: { octets } })], { subscriber, sessionId: subscriber.id });
const update = (subscriber: SubscriberId, number: number, used: number, octets?: number) =>
  requestOf(
    'update',
    number,
    [asks({ used: { octets: used }, ...(octets === undefined ? {} : { asked: { octets } }) })],
    { sessionId: subscriber.id },
  );
const both = (till: Till, bucket: string) => [till.available(bucket), till.reserved(bucket)];
const on = (movements: readonly Movement[], field: string): Movement | undefined =>
  movements.find((movement) => movement.field === field);

const plan = planOf([
  ruleOf({
    price: { amount: 2, per: 1, increment: 1 },
    quota: { size: 100, minimum: 10, maximum: 1000 },
  }),
]);

describe('a limit in units', () => {
  const till = () =>
    new Till({ plan, buckets: [capped(), bundle('b'), main], openings: { cap: 60, b: 300 } });

  test('holds what its subscriber is granted, beside the bucket that pays', () => {
    const one = till();
    const { services } = one.ask(initial(ben, 40));
    expect(services).toMatchObject([{ outcome: 'success', granted: { units: 40 } }]);
    expect([both(one, 'cap'), both(one, 'b')]).toEqual([
      [20, 40],
      [260, 40],
    ]);
    expect(one.session(ben.id)!.services[0]!.grant).toMatchObject({
      parts: [{ bucket: 'b', units: 40, amount: 40 }],
      limits: [{ bucket: 'cap', units: 40, amount: 40 }],
    });
  });

  test('counts usage and gives back what was not used', () => {
    const one = till();
    one.ask(initial(ben, 40));
    one.ask(update(ben, 1, 25));
    expect([both(one, 'cap'), both(one, 'b')]).toEqual([
      [35, 0],
      [275, 0],
    ]);
  });

  test('cuts a grant short, which is then the last, and refuses the next', () => {
    const one = till();
    expect(one.ask(initial(ben, 100)).services).toMatchObject([
      { granted: { units: 60 }, final: { action: 'terminate' } },
    ]);
    expect(one.ask(update(ben, 1, 55, 100)).services).toMatchObject([
      { outcome: 'credit-limit-reached' },
    ]);
    expect([both(one, 'cap'), both(one, 'b')]).toEqual([
      [5, 0],
      [245, 0],
    ]);
  });

  test('does not touch the others who share the account', () => {
    const one = till();
    expect(one.ask(initial(anna, 200)).services).toMatchObject([{ granted: { units: 200 } }]);
    expect(both(one, 'cap')).toEqual([60, 0]);
  });

  test('counts usage beyond the grant without a limit', () => {
    const one = till();
    one.ask(initial(ben, 40));
    one.ask(update(ben, 1, 90));
    expect([both(one, 'cap'), both(one, 'b')]).toEqual([
      [-30, 0],
      [210, 0],
    ]);
  });

  test('counts usage without any grant, and late usage', () => {
    const one = till();
    one.ask(initial(ben, 40));
    one.ask(requestOf('termination', 1, [asks({ used: { octets: 10 } })], { sessionId: ben.id }));
    expect(both(one, 'cap')).toEqual([50, 0]);
    one.ask(update(ben, 2, 15));
    expect([both(one, 'cap'), both(one, 'b')]).toEqual([
      [35, 0],
      [275, 0],
    ]);
  });

  test('gets back what a vanished client, an expired grant or an abort leaves', () => {
    const timed = { ...plan, rules: [{ ...plan.rules[0]!, validitySeconds: 60 }] };
    for (const end of [
      (one: Till) => one.abort(ben.id),
      (one: Till) => {
        one.now += 120_000;
        expect(one.wake(ben.id)).toBe('change');
      },
      (one: Till) => {
        one.now += 3_600_000;
        expect(one.wake(ben.id)).toBe('change');
      },
    ]) {
      const one = till();
      one.plan = timed;
      one.ask(initial(ben, 40));
      expect(both(one, 'cap')).toEqual([20, 40]);
      end(one);
      expect([both(one, 'cap'), both(one, 'b')]).toEqual([
        [60, 0],
        [300, 0],
      ]);
    }
  });

  test('counts only the rules that it names, and none that is free', () => {
    const rules = [
      ruleOf({ name: 'a', match: { ratingGroup: [1] } }),
      ruleOf({ name: 'b', match: { ratingGroup: [2] } }),
    ];
    const { price: _paid, ...free } = ruleOf({ name: 'c', match: { ratingGroup: [3] } });
    const one = new Till({
      plan: planOf([...rules, free]),
      buckets: [capped({ paysFor: ['a', 'c'] }), main],
      openings: { cap: 500, main: 500 },
    });
    const services = [1, 2, 3].map((ratingGroup) => asks({ ratingGroup, asked: { octets: 10 } }));
    one.ask(requestOf('initial', 0, services, { subscriber: ben }));
    expect(both(one, 'cap')).toEqual([490, 10]);
  });

  test('is filled again by the period, like any bucket', () => {
    const renewal = {
      every: 'day',
      from: START,
      timeZone: 'UTC',
      amount: 60,
      rollover: 0,
    } as const;
    const one = new Till({
      plan: { ...plan, supervisionSeconds: 1_000_000 },
      buckets: [capped({ renewal }), bundle('b'), main],
      openings: { cap: 60, b: 300 },
    });
    one.ask(initial(ben, 60));
    one.now += 86_400_000;
    expect(one.ask(update(ben, 1, 50, 60)).services).toMatchObject([{ granted: { units: 60 } }]);
    expect([both(one, 'cap'), both(one, 'b')]).toEqual([
      [0, 60],
      [190, 60],
    ]);
    expect(one.records.at(-1)!.changes).toContainEqual({
      bucket: 'cap',
      cause: 'renewal',
      available: 60,
      reserved: 0,
    });
  });

  test('that has not started, or is over, limits nothing', () => {
    for (const when of [{ startsAt: START + 1 }, { expiresAt: START }]) {
      const one = new Till({
        plan,
        buckets: [capped(when), bundle('b'), main],
        openings: { cap: 60, b: 300 },
      });
      expect(one.ask(initial(ben, 200)).services).toMatchObject([{ granted: { units: 200 } }]);
    }
  });

  test('never takes what no bucket pays for, although it is drawn last', () => {
    const one = new Till({
      plan,
      buckets: [main, capped({ priority: 5000 })],
      openings: { cap: 60, main: 20 },
    });
    one.ask(initial(ben, 10));
    one.ask(update(ben, 1, 30));
    expect([both(one, 'cap'), both(one, 'main')]).toEqual([
      [30, 0],
      [-40, 0],
    ]);
  });
});

describe('a limit in money', () => {
  const till = (openings = { cap: 60, b: 15, main: 500 }) =>
    new Till({
      plan,
      buckets: [capped({ unit: 'money' }), bundle('b'), main],
      openings,
    });

  test('counts what the use costs, not what a bundle pays', () => {
    const one = till();
    one.ask(initial(ben, 30));
    expect([both(one, 'cap'), both(one, 'b'), both(one, 'main')]).toEqual([
      [30, 30],
      [0, 15],
      [470, 30],
    ]);
    one.ask(update(ben, 1, 20));
    expect([both(one, 'cap'), both(one, 'b'), both(one, 'main')]).toEqual([
      [50, 0],
      [0, 0],
      [490, 0],
    ]);
  });

  test('cuts a grant to what it affords', () => {
    const one = till();
    expect(one.ask(initial(ben, 100)).services).toMatchObject([
      { granted: { units: 45 }, final: { action: 'terminate' } },
    ]);
    expect([both(one, 'cap'), both(one, 'main')]).toEqual([
      [0, 60],
      [440, 60],
    ]);
  });

  test('leaves what it leaves but once, however many buckets could pay for it', () => {
    const first = { ...main, id: 'first', priority: 50 };
    const rule = ruleOf({ quota: { size: 20, minimum: 20, maximum: 20 } });
    const one = new Till({
      plan: planOf([rule]),
      buckets: [capped({ unit: 'money' }), first, main],
      openings: { cap: 30, first: 100, main: 100 },
    });
    expect(one.ask(initial(ben, 20)).services).toMatchObject([
      { granted: { units: 20 }, final: { action: 'terminate' } },
    ]);
  });

  test('counts the cost of usage beyond the grant', () => {
    const one = till();
    one.ask(initial(ben, 30));
    one.ask(update(ben, 1, 70));
    expect([both(one, 'cap'), both(one, 'main')]).toEqual([
      [-50, 0],
      [390, 0],
    ]);
  });
});

describe('conditions', () => {
  const movements = (request: ReturnType<typeof initial>, openings: Record<string, number>) => {
    const one = new Till({ plan, buckets: [capped(), bundle('b'), main], openings });
    const decision = one.decide(request);
    if (decision.kind !== 'change') throw new Error(`no change: ${decision.kind}`);
    return decision.movements;
  };

  test('a limit is guarded by its floor', () => {
    expect(on(movements(initial(ben, 40), { cap: 60, b: 300 }), 'a:cap')).toEqual({
      field: 'a:cap',
      delta: -40,
      min: 0,
    });
  });

  test('a limit that cut the grant, or was too low for any, may not have got more meanwhile', () => {
    expect(on(movements(initial(ben, 100), { cap: 60, b: 300 }), 'a:cap')).toEqual({
      field: 'a:cap',
      delta: -60,
      min: 0,
      max: 69,
    });
    expect(on(movements(initial(ben, 100), { cap: 6, b: 300 }), 'a:cap')).toEqual({
      field: 'a:cap',
      delta: 0,
      max: 15,
    });
  });

  test('a limit refuses on fresh data only', () => {
    const one = new Till({ plan, buckets: [capped(), bundle('b'), main], openings: { cap: 6 } });
    expect(one.decide(initial(ben, 40), { fresh: false }).kind).toBe('reread');
  });

  test('the bucket that pays is no condition where only the limit cut the grant', () => {
    const one = new Till({
      plan,
      buckets: [capped({ unit: 'money' }), main],
      openings: { cap: 60, main: 500 },
    });
    const decision = one.decide(initial(ben, 100));
    if (decision.kind !== 'change') throw new Error(`no change: ${decision.kind}`);
    expect(on(decision.movements, 'a:cap')?.max).toBe(60 + 20 - 1);
    expect(on(decision.movements, 'a:main')?.max).toBeUndefined();
  });
});
