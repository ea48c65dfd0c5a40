/** The moves on buckets: their order, their guards and the conditions that a decision leans on. */
import { describe, expect, test } from 'vitest';
import type { Bucket } from '../../src/charging/account.ts';
import type { Movement } from '../../src/charging/draft.ts';
import { LIMIT } from '../../src/charging/money.ts';
import { asks, bundle, main, planOf, requestOf, ruleOf, START, Till } from './till.ts';

const ask = asks({ asked: {} });

function movementsOf(till: Till, kind: 'initial' | 'update', services = [ask]): Movement[] {
  const decision = till.decide(requestOf(kind, kind === 'initial' ? 0 : 1, services));
  if (decision.kind !== 'change') throw new Error(`no change: ${decision.kind}`);
  return [...decision.movements];
}

const on = (movements: readonly Movement[], field: string): Movement | undefined =>
  movements.find((movement) => movement.field === field);

describe('reserving', () => {
  test('draws bundles first, then money, each down to its floor', () => {
    const buckets = [bundle('b'), { ...main, floor: -20 }];
    const till = new Till({ buckets, openings: { b: 30, main: 40 } });
    const answer = till.ask(requestOf('initial', 0, [asks({ asked: { octets: 1000 } })]));
    expect(answer.services).toMatchObject([
      { granted: { units: 90 }, final: { action: 'terminate' } },
    ]);
    expect([till.available('b'), till.available('main')]).toEqual([0, -20]);
  });

  test('guards what it promises with the floor', () => {
    const till = new Till({ buckets: [{ ...main, floor: -20 }], openings: { main: 500 } });
    expect(on(movementsOf(till, 'initial'), 'a:main')).toEqual({
      field: 'a:main',
      delta: -100,
      min: -20,
    });
  });

  test('names a bucket that it passed over as empty, or that cut the grant short', () => {
    const plan = planOf([ruleOf({ quota: { size: 100, minimum: 10, maximum: 100 } })]);
    const buckets = [bundle('empty'), bundle('short', { priority: 200 }), main];
    const till = new Till({ plan, buckets, openings: { empty: 0, short: 40, main: 500 } });
    const movements = movementsOf(till, 'initial');
    expect(on(movements, 'a:empty')).toEqual({ field: 'a:empty', delta: 0, max: 9 });
    expect(on(movements, 'a:short')).toEqual({ field: 'a:short', delta: -40, min: 0, max: 49 });
    expect(on(movements, 'a:main')?.max).toBeUndefined();
  });

  test('below the smallest useful grant credit has ended', () => {
    const plan = planOf([ruleOf({ quota: { size: 100, minimum: 10, maximum: 100 } })]);
    const till = new Till({ plan, openings: { main: 9 } });
    const answer = till.ask(requestOf('initial', 0, [ask]));
    expect(answer.services).toMatchObject([{ outcome: 'credit-limit-reached' }]);
    expect(till.available('main')).toBe(9);
  });

  test('an expired bucket pays for nothing and is booked as expired', () => {
    const buckets = [bundle('b', { expiresAt: START }), main];
    const till = new Till({ buckets, openings: { b: 70, main: 500 } });
    till.ask(requestOf('initial', 0, [ask]));
    expect([till.available('b'), till.available('main')]).toEqual([0, 400]);
    expect(till.records[0]!.changes[0]).toEqual({
      bucket: 'b',
      cause: 'expiry',
      available: -70,
      reserved: 0,
    });
  });

  test('a bucket pays only for the rules that it names', () => {
    const plan = planOf([
      ruleOf({ name: 'a', match: { ratingGroup: [1] } }),
      ruleOf({ name: 'b', match: { ratingGroup: [2] } }),
    ]);
    const buckets = [bundle('forB', { paysFor: ['b'] }), main];
    const till = new Till({ plan, buckets, openings: { forB: 500, main: 500 } });
    till.ask(requestOf('initial', 0, [ask, asks({ ratingGroup: 2, asked: {} })]));
    expect([till.available('forB'), till.available('main')]).toEqual([400, 400]);
  });

  test('a free service is granted what it asks and moves nothing', () => {
    const { price: _none, ...free } = ruleOf({ quota: { size: 7, minimum: 1, maximum: 50 } });
    const till = new Till({ plan: planOf([free]) });
    const answer = till.ask(requestOf('initial', 0, [asks({ asked: { octets: 900 } })]));
    expect(answer.services).toMatchObject([{ granted: { units: 50 } }]);
    till.ask(requestOf('update', 1, [asks({ used: { octets: 4000 } })]));
    expect(till.records.flatMap(({ changes }) => changes)).toEqual([]);
  });
});

describe('usage beyond its grant', () => {
  const buckets: Bucket[] = [
    bundle('b'),
    { ...main, id: 'promo', priority: 200, floor: -50 },
    main,
  ];

  function overrun(openings: Record<string, number>): { till: Till; movements: Movement[] } {
    const till = new Till({ buckets, openings });
    till.ask(requestOf('initial', 0));
    const services = [asks({ used: { octets: 100 } })];
    const movements = movementsOf(till, 'update', services);
    till.ask(requestOf('update', 1, services));
    return { till, movements };
  }

  test('goes through the buckets in order, none but the last below zero', () => {
    const { till } = overrun({ b: 30, promo: 20, main: 10 });
    expect(buckets.map(({ id }) => till.available(id))).toEqual([0, 0, -40]);
  });

  test('guards all but the last with 0, so that two devices cannot share one rest', () => {
    const { movements } = overrun({ b: 30, promo: 20, main: 10 });
    expect(on(movements, 'a:b')?.min).toBe(0);
    expect(on(movements, 'a:promo')?.min).toBe(0);
    expect(on(movements, 'a:main')).toEqual({ field: 'a:main', delta: -50 });
  });

  test('names the buckets that it found too empty: a stale hint burns no money', () => {
    const { movements } = overrun({ b: 30, promo: 0, main: 10 });
    expect(on(movements, 'a:b')?.max).toBe(30);
    expect(on(movements, 'a:promo')?.max).toBe(0);
    const { movements: enough } = overrun({ b: 100 });
    expect(on(enough, 'a:b')?.max).toBeUndefined();
  });

  test('and a promise on the same credit limit ask for what both can have', () => {
    const till = new Till({ buckets, openings: { b: 0, promo: 20, main: 0 } });
    till.ask(requestOf('initial', 0));
    const answer = till.ask(requestOf('update', 1, [asks({ used: { octets: 20 }, asked: {} })]));
    expect(answer.services).toMatchObject([
      { granted: { units: 50 }, final: { action: 'terminate' } },
    ]);
    expect([till.available('promo'), till.reserved('promo')]).toEqual([-50, 50]);
  });

  test('after repeated conflicts leans on nothing that it saw, and nothing is granted', () => {
    const till = new Till({ buckets, openings: { b: 30, promo: 20, main: 10 } });
    till.ask(requestOf('initial', 0));
    const request = requestOf('update', 1, [asks({ used: { octets: 100 }, asked: {} })]);
    const decision = till.decide(request, { reserving: false });
    if (decision.kind !== 'change') throw new Error(`no change: ${decision.kind}`);
    expect(decision.movements.filter(({ max }) => max !== undefined)).toEqual([]);
    const answer = till.ask(request, { reserving: false });
    expect(answer.services).toMatchObject([{ outcome: 'success', validitySeconds: 10 }]);
    expect(answer.services[0]!.granted).toBeUndefined();
    expect(buckets.map(({ id }) => till.available(id))).toEqual([0, 0, -40]);
  });

  test('after repeated shortages is put on the last bucket alone', () => {
    const till = new Till({ buckets, openings: { b: 30, promo: 20, main: 10 } });
    till.ask(requestOf('initial', 0));
    const request = requestOf('update', 1, [asks({ used: { octets: 100 }, asked: {} })]);
    till.ask(request, { reserving: false, lastOnly: true });
    expect(buckets.map(({ id }) => till.available(id))).toEqual([30, 20, -90]);
  });

  test('finds what other services of the same request gave back', () => {
    const till = new Till({ buckets: [bundle('b'), main], openings: { b: 200, main: 500 } });
    till.ask(requestOf('initial', 0, [ask, asks({ ratingGroup: 2, asked: {} })]));
    till.ask(
      requestOf('update', 1, [
        asks({ used: { octets: 150 } }),
        asks({ ratingGroup: 2, used: { octets: 10 } }),
      ]),
    );
    expect([till.available('b'), till.available('main')]).toEqual([40, 500]);
  });
});

describe('a bundle that expires with open reservations', () => {
  test('still pays what was promised; what is given back is booked as expired', () => {
    const buckets = [bundle('b', { expiresAt: START + 1000 }), main];
    const till = new Till({ buckets, openings: { b: 100, main: 500 } });
    till.ask(requestOf('initial', 0, [ask]));
    till.now += 1000;
    till.ask(requestOf('termination', 1, [asks({ used: { octets: 60 } })]));
    expect([till.available('b'), till.reserved('b'), till.available('main')]).toEqual([0, 0, 500]);
    expect(till.records.at(-1)!.changes).toEqual([
      { bucket: 'b', cause: 'debit', available: 0, reserved: -60 },
      { bucket: 'b', cause: 'expiry', available: 0, reserved: -40 },
    ]);
  });
});

describe('at the limit of numbers', () => {
  const dear = planOf([ruleOf({ price: { amount: LIMIT, per: 1, increment: 1 } })]);

  test('a price beyond 2^53 - 1 is cut, recorded as cut, and usage after it still costs', () => {
    const till = new Till({ plan: dear, openings: { main: 500 } });
    till.ask(requestOf('initial', 0));
    till.ask(requestOf('update', 1, [asks({ used: { octets: 2 } })]));
    expect(till.available('main')).toBe(500 - LIMIT);
    expect(till.records.at(-1)!.services[0]).toMatchObject({ used: 2, cost: LIMIT, excess: true });
    till.ask(requestOf('update', 2, [asks({ used: { octets: 1 } })]));
    expect(till.available('main')).toBe(-LIMIT);
    expect(till.records.at(-1)!.services[0]).toMatchObject({ cost: 500, excess: true });
    till.ask(requestOf('update', 3, [asks({ used: { octets: 1 } })]));
    expect(till.available('main')).toBe(-LIMIT);
  });

  test('several prices beyond it in one request move no counter further than it can go', () => {
    const till = new Till({ plan: dear, openings: { main: LIMIT } });
    till.ask(requestOf('initial', 0));
    const services = [1, 2, 3].map((ratingGroup) => asks({ ratingGroup, used: { octets: 1 } }));
    till.ask(requestOf('update', 1, services));
    expect(till.available('main')).toBe(0);
    expect(till.records.at(-1)!.services.map(({ excess }) => excess ?? false)).toEqual([
      true,
      true,
      true,
    ]);
    till.ask(requestOf('update', 2, services));
    expect(till.available('main')).toBe(-LIMIT);
  });

  test('usage of 2^53 - 1 again and again is never free', () => {
    const till = new Till({ openings: { main: LIMIT } });
    till.ask(requestOf('initial', 0));
    for (const [number, left] of [
      [1, 0],
      [2, -LIMIT],
    ] as const) {
      till.ask(requestOf('update', number, [asks({ used: { octets: LIMIT } })]));
      expect(till.available('main')).toBe(left);
    }
  });

  test('all of 2^53 - 1 and the same again on credit is promised as far as counters go', () => {
    const plan = planOf([ruleOf({ quota: { size: LIMIT, minimum: 1, maximum: LIMIT } })]);
    const till = new Till({
      plan,
      buckets: [{ ...main, floor: -LIMIT }],
      openings: { main: LIMIT },
    });
    const services = [1, 2, 3].map((ratingGroup) => asks({ ratingGroup, asked: {} }));
    till.ask(requestOf('initial', 0, services));
    expect([till.available('main'), till.reserved('main')]).toEqual([0, LIMIT]);
    till.ask(requestOf('termination', 1));
    expect([till.available('main'), till.reserved('main')]).toEqual([LIMIT, 0]);
  });

  test('what a full bucket cannot take back is booked as expired', () => {
    const till = new Till({ openings: { main: 100 } });
    till.ask(requestOf('initial', 0, [ask]));
    // As a store would be left by top-ups that met each other.
    till.counters['a:main'] = LIMIT - 30;
    till.records.push({
      ...till.records[0]!,
      kind: 'topup',
      changes: [{ bucket: 'main', cause: 'topup', available: LIMIT - 30, reserved: 0 }],
    });
    till.ask(requestOf('termination', 1));
    expect([till.available('main'), till.reserved('main')]).toEqual([LIMIT, 0]);
    expect(till.records.at(-1)!.changes).toEqual([
      { bucket: 'main', cause: 'release', available: 30, reserved: -30 },
      { bucket: 'main', cause: 'expiry', available: 0, reserved: -70 },
    ]);
  });
});
