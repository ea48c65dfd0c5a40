/** Tariff changes within a grant: RFC 8506 5.1.1, 5.1.2, 8.20, 8.27. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plan, Rule } from '../../src/charging/plan.ts';
import type { AskedService, Request } from '../../src/charging/request.ts';
import { asks, bundle, main, planOf, requestOf, ruleOf, START, Till } from './till.ts';

const HOUR = 3_600_000;
const MORNING = START + 8 * HOUR;
const EVENING = START + 20 * HOUR;

const at = (amount: number, per = 1, increment = 1) => ({ price: { amount, per, increment } });
const dayOnly = { match: { when: [{ from: 480, until: 1200 }] } };

/** By day 3 a unit, else 1; the day lasts from 8 to 20. */
const rated = (part: Partial<Rule> = {}, plan: Partial<Plan> = {}): Plan =>
  planOf(
    [
      ruleOf({ name: 'day', ...at(3), ...part, ...dayOnly }),
      ruleOf({ name: 'night', ...at(1), ...part }),
    ],
    plan,
  );

interface Options {
  plan?: Plan;
  now?: number;
  money?: number;
  part?: Partial<Request>;
  asked?: AskedService['asked'];
}

function opened({ plan = rated(), now = MORNING - HOUR, money = 1000, part, asked = {} }: Options) {
  const till = new Till({ plan, openings: { main: money } });
  till.now = now;
  const answer = till.ask(requestOf('initial', 0, [asks({ asked })], part));
  return { till, answer, service: answer.services[0]! };
}

const report = (till: Till, used: Partial<AskedService>, part: Partial<Request> = {}) => {
  const number = Math.max(...till.session()!.seen.map(([, last]) => last)) + 1;
  return till.ask(requestOf('update', number, [asks(used)], part)).services[0]!;
};

const money = (till: Till) => [till.available('main'), till.reserved('main')];

describe('a client that knows single quotas', () => {
  const part = { tariffChange: 'single' as const };

  test('C-121 is granted what the dearer tariff can pay, and told when it changes', () => {
    const { till, service } = opened({ part });
    expect(service).toMatchObject({
      granted: { unit: 'octets', units: 100 },
      tariffChange: { at: MORNING },
    });
    // One change is all that a grant may hold: it ends with the next, at 20:00.
    expect(service.validitySeconds).toBe(13 * 3600);
    expect(money(till)).toEqual([700, 300]);
  });

  test('C-121 with too little for all of it gets what the dearer tariff pays for', () => {
    const { till, service } = opened({ part, money: 100 });
    expect(service).toMatchObject({ granted: { units: 33 }, final: { action: 'terminate' } });
    expect(money(till)).toEqual([1, 99]);
  });

  test('C-121 the dearer tariff may be the present one', () => {
    const { till, service } = opened({ part, now: EVENING - HOUR });
    expect(service.tariffChange).toEqual({ at: EVENING });
    expect(money(till)).toEqual([700, 300]);
  });

  test('C-123 reports before, after and straddling, each rated by its time', () => {
    for (const [indeterminate, cost] of [
      ['after', 40 + 3 * 35],
      ['before', 50 + 3 * 25],
    ] as const) {
      const { till } = opened({ part, plan: rated({}, { indeterminate }) });
      till.now = MORNING + HOUR;
      const service = report(till, {
        used: { octets: 75 },
        usedAfter: { octets: 25 },
        usedIndeterminate: { octets: 10 },
      });
      expect(service.outcome).toBe('success');
      expect(money(till)).toEqual([1000 - cost, 0]);
      const after = indeterminate === 'after' ? 35 : 25;
      expect(till.records.at(-1)!.services).toMatchObject([
        { rule: 'night', used: 75, cost, after: { rule: 'day', used: after, cost: 3 * after } },
      ]);
    }
  });

  test('C-123 without a word of a change all of it came before', () => {
    const { till } = opened({ part });
    till.now = MORNING + HOUR;
    report(till, { used: { octets: 75 } });
    expect(money(till)).toEqual([925, 0]);
    expect(till.records.at(-1)!.services[0]!.after).toBeUndefined();
  });

  test('goes on under the new tariff, counted anew there', () => {
    const { till } = opened({ part });
    till.now = MORNING + HOUR;
    const used = { used: { octets: 30 }, usedAfter: { octets: 20 }, asked: {} };
    const service = report(till, used, part);
    expect(service).toMatchObject({ granted: { units: 100 }, tariffChange: { at: EVENING } });
    expect(till.session()!.services[0]).toMatchObject({ rule: 'day', rated: 20, used: 30 });
    expect(money(till)).toEqual([1000 - 10 - 60 - 300, 300]);
  });

  test('usage beyond a grant that a change divides is rated by its time', () => {
    const { till } = opened({ part });
    till.now = MORNING + HOUR;
    report(till, { used: { octets: 150 }, usedAfter: { octets: 30 } });
    expect(money(till)).toEqual([1000 - 120 - 90, 0]);
    expect(till.records.at(-1)!.services[0]).toMatchObject({ cost: 210, after: { cost: 90 } });
  });

  test('several services that report for one grant: what came before is rated before', () => {
    const { till } = opened({ part });
    till.now = MORNING + HOUR;
    till.ask(
      requestOf('update', 1, [
        asks({ serviceIds: [1], used: { octets: 20 }, usedAfter: { octets: 10 } }),
        asks({ serviceIds: [2], used: { octets: 50 }, usedAfter: { octets: 20 } }),
      ]),
    );
    expect(money(till)).toEqual([1000 - 40 - 90, 0]);
    expect(till.records.at(-1)!.services.map(({ cost }) => cost)).toEqual([40, 90]);
  });

  test('a bundle pays before and after where it pays for both', () => {
    const till = new Till({
      plan: rated(),
      buckets: [bundle('b'), main],
      openings: { b: 50, main: 1000 },
    });
    till.now = MORNING - HOUR;
    till.ask(requestOf('initial', 0, [asks({ asked: {} })], part));
    expect(till.reserved('main')).toBe(150);
    till.now = MORNING + HOUR;
    report(till, { used: { octets: 80 }, usedAfter: { octets: 60 } });
    expect([till.available('b'), till.available('main')]).toEqual([0, 1000 - 90]);
  });

  test('where other buckets pay after the change, validity ends with it', () => {
    const till = new Till({
      plan: rated(),
      buckets: [bundle('b', { paysFor: ['night'] }), main],
      openings: { b: 500, main: 1000 },
    });
    till.now = MORNING - HOUR;
    const [service] = till.ask(requestOf('initial', 0, [asks({ asked: {} })], part)).services;
    expect(service).toMatchObject({ granted: { units: 100 }, validitySeconds: 3600 });
    expect(service!.tariffChange).toBeUndefined();
  });

  test('a free tariff before a priced one: only what comes after costs', () => {
    const plan = planOf([
      ruleOf({ name: 'day', ...at(3), ...dayOnly }),
      (({ price: _, ...rule }) => rule)(ruleOf({ name: 'night' })),
    ]);
    const { till, service } = opened({ part, plan });
    expect(service.tariffChange).toEqual({ at: MORNING });
    expect(money(till)).toEqual([700, 300]);
    till.now = MORNING + HOUR;
    report(till, { used: { octets: 90 }, usedAfter: { octets: 20 } });
    expect(money(till)).toEqual([940, 0]);
  });

  test('a priced tariff before a free one: only what came before costs', () => {
    const plan = planOf([
      (({ price: _, ...rule }) => rule)(ruleOf({ name: 'day', ...dayOnly })),
      ruleOf({ name: 'night', ...at(3) }),
    ]);
    const { till } = opened({ part, plan });
    expect(money(till)).toEqual([700, 300]);
    till.now = MORNING + HOUR;
    report(till, { used: { octets: 190 }, usedAfter: { octets: 20 } });
    expect(money(till)).toEqual([1000 - 510, 0]);
  });

  test('what a mixture costs beyond the dearer tariff is reserved with it', () => {
    const { till } = opened({ part, plan: rated(at(10, 100, 100)), money: 50 });
    expect(money(till)).toEqual([20, 30]);
    till.now = MORNING + HOUR;
    report(till, { used: { octets: 100 }, usedAfter: { octets: 50 } });
    expect(money(till)).toEqual([30, 0]);
  });

  const price = fc.record({
    amount: fc.integer({ min: 0, max: 9 }),
    per: fc.integer({ min: 1, max: 7 }),
    increment: fc.integer({ min: 1, max: 12 }),
    fee: fc.integer({ min: 0, max: 20 }),
    minimum: fc.integer({ min: 0, max: 20 }),
    bands: fc.constantFrom(
      [],
      [{ from: 15, amount: 5, per: 3, increment: 4, fee: 7 }],
      [
        { from: 10, amount: 1, per: 9, increment: 1 },
        { from: 30, amount: 8, per: 1, increment: 5 },
      ],
    ),
  });

  test('within its quota a client never overdraws, however the change divides what it used', () => {
    fc.assert(
      fc.property(
        fc.record({
          prices: fc.tuple(price, price),
          openings: fc.tuple(fc.nat(300), fc.nat(300)),
          parts: fc.tuple(fc.nat(100), fc.nat(100)),
        }),
        ({ prices: [early, late], openings: [bonus, money], parts: [percent, divide] }) => {
          const plan = planOf([
            ruleOf({ name: 'night', price: early, match: { when: [{ from: 0, until: 480 }] } }),
            ruleOf({ name: 'day', price: late }),
          ]);
          const buckets = [{ ...main, id: 'bonus', priority: 1 }, main];
          const till = new Till({ plan, buckets, openings: { bonus, main: money } });
          till.now = MORNING - HOUR;
          const answer = till.ask(requestOf('initial', 0, [asks({ asked: {} })], part));
          const units = answer.services[0]!.granted?.units ?? 0;
          const used = Math.floor((units * percent) / 100);
          const usedAfter = Math.floor((used * divide) / 100);
          till.now = MORNING + HOUR;
          const report = asks({ used: { octets: used }, usedAfter: { octets: usedAfter } });
          till.ask(requestOf('termination', 1, [report], part));
          expect(Math.min(till.available('bonus'), till.available('main'))).toBeGreaterThanOrEqual(
            0,
          );
          expect(till.records.at(-1)!.changes.map(({ cause }) => cause)).not.toContain('overrun');
        },
      ),
    );
  });

  test('the plan may change together with the tariff: what was granted keeps both its prices', () => {
    const { till } = opened({ part });
    till.plan = { ...rated(at(7)), version: 2 };
    till.now = MORNING + HOUR;
    report(till, { used: { octets: 50 }, usedAfter: { octets: 20 }, asked: { octets: 10 } });
    expect(money(till)).toEqual([1000 - 30 - 60 - 70, 70]);
    expect(till.session()!.services[0]).toMatchObject({ planVersion: 2, rated: 0 });
  });

  test('a client that tells of a change that the grant does not know is rated by today’s rule', () => {
    const { till } = opened({ part, plan: planOf([ruleOf()]) });
    till.plan = planOf([ruleOf({ name: 'other', ...at(9) })], { version: 2 });
    report(till, { used: { octets: 10 }, usedAfter: { octets: 4 } });
    expect(till.records.at(-1)!.services[0]).toMatchObject({
      ...{ rule: 'data', planVersion: 1, cost: 6 + 36 },
      after: { rule: 'other', plan: 'p', planVersion: 2, used: 4, cost: 36 },
    });
    expect(till.session()!.services[0]).toMatchObject({ rule: 'other', planVersion: 2 });
  });
});

describe('a client that knows dual quotas', () => {
  const part = { tariffChange: 'dual' as const };

  test('C-122 is granted one quota for each side of the change', () => {
    const { till, service } = opened({ part });
    expect(service).toMatchObject({
      granted: { units: 100 },
      tariffChange: { at: MORNING, after: 100 },
    });
    expect(money(till)).toEqual([600, 400]);
  });

  test('C-123 each side is debited from its own, and overruns by its own price', () => {
    const { till } = opened({ part });
    till.now = MORNING + HOUR;
    report(till, { used: { octets: 170 }, usedAfter: { octets: 60 } });
    expect(money(till)).toEqual([1000 - 110 - 180, 0]);
    expect(till.records.at(-1)!.changes).toEqual([
      { bucket: 'main', cause: 'debit', available: 0, reserved: -280 },
      { bucket: 'main', cause: 'release', available: 120, reserved: -120 },
      { bucket: 'main', cause: 'overrun', available: -10, reserved: 0 },
    ]);
  });

  test('each side is paid by the buckets that pay for it', () => {
    const till = new Till({
      plan: rated(),
      buckets: [bundle('b', { paysFor: ['night'] }), main],
      openings: { b: 500, main: 1000 },
    });
    till.now = MORNING - HOUR;
    till.ask(requestOf('initial', 0, [asks({ asked: {} })], part));
    expect([till.reserved('b'), till.reserved('main')]).toEqual([100, 300]);
    till.now = MORNING + HOUR;
    report(till, { used: { octets: 60 }, usedAfter: { octets: 20 } });
    expect([till.available('b'), till.available('main')]).toEqual([460, 940]);
  });

  test('where nothing is left for the second, validity ends with the change', () => {
    const { till, service } = opened({ part, money: 100 });
    expect(service).toMatchObject({ granted: { units: 100 }, validitySeconds: 3600 });
    expect(service.tariffChange).toBeUndefined();
    expect(money(till)).toEqual([0, 100]);
  });

  test('at command level is told of it as one quota: nothing there tells two apart', () => {
    const till = new Till({ plan: rated(), openings: { main: 1000 } });
    till.now = MORNING - HOUR;
    const answer = till.ask(
      requestOf('initial', 0, [{ serviceIds: [], asked: {} }], { ...part, level: 'command' }),
    );
    expect(answer.services[0]!.tariffChange).toEqual({ at: MORNING });
  });

  test('closing gives both quotas back', () => {
    const { till } = opened({ part });
    till.abort();
    expect(money(till)).toEqual([1000, 0]);
  });

  test('validity that runs out gives both back', () => {
    const { till } = opened({ part, plan: rated({ validitySeconds: 7200 }) });
    expect(money(till)).toEqual([600, 400]);
    till.now += 7_200_000 + 60_000;
    while (till.wake() === 'rearm');
    expect(money(till)).toEqual([1000, 0]);
  });
});

describe('a client that knows of no tariff changes', () => {
  test('C-120 reports in time: its validity ends with the change', () => {
    const { till, service } = opened({ plan: rated({ validitySeconds: 7200 }) });
    expect(service).toMatchObject({ granted: { units: 100 }, validitySeconds: 3600 });
    expect(service.tariffChange).toBeUndefined();
    expect(till.session()!.services[0]!.grant!.validUntil).toBe(MORNING);
    till.now = MORNING;
    const next = report(till, { used: { octets: 60 }, asked: {} });
    expect(next.validitySeconds).toBe(7200);
    expect(money(till)).toEqual([1000 - 60 - 300, 300]);
  });

  test('validity does not end before the change, nor is it ever 0', () => {
    const { till, service } = opened({ now: MORNING - 1400 });
    expect(service.validitySeconds).toBe(2);
    till.now = MORNING - 1;
    expect(report(till, { used: { octets: 1 }, asked: {} }).validitySeconds).toBe(1);
  });

  test('a change beyond the validity is none', () => {
    const { service } = opened({ plan: rated({ validitySeconds: 3599 }) });
    expect(service.validitySeconds).toBe(3599);
  });

  test('what is not reported is given back when the validity that was cut ends', () => {
    const { till } = opened({});
    expect(till.wheel.get('s')).toBeLessThanOrEqual(MORNING + 60_000);
    till.now = MORNING + 60_000;
    while (till.wake() === 'rearm');
    expect(money(till)).toEqual([1000, 0]);
    expect(till.records.at(-1)!.kind).toBe('validity');
  });
});

describe('whoever may be told, validity ends with a change', () => {
  const part = { tariffChange: 'single' as const };

  test.each([
    ['to a rule that refuses', ruleOf({ name: 'day', denied: true })],
    ['to a rule without control', ruleOf({ name: 'day', uncontrolled: true })],
    ['to another unit', ruleOf({ name: 'day', unit: 'seconds' })],
  ])('%s', (_, day) => {
    const plan = planOf([{ ...day, ...dayOnly }, ruleOf({ name: 'night' })]);
    const { service } = opened({ plan, part });
    expect(service).toMatchObject({ granted: { units: 100 }, validitySeconds: 3600 });
    expect(service.tariffChange).toBeUndefined();
  });

  test('to no rule at all', () => {
    const plan = planOf([
      ruleOf({ name: 'night', match: { when: [{ from: 0, until: 480 }] } }),
      ruleOf({ name: 'other', match: { ratingGroup: [9] } }),
    ]);
    expect(opened({ plan, part }).service.validitySeconds).toBe(3600);
  });

  test('and a grant that would straddle two ends with the second', () => {
    const plan = planOf([
      ruleOf({ name: 'early', ...at(5), match: { when: [{ from: 480, until: 600 }] } }),
      ruleOf({ name: 'day', ...at(3), match: { when: [{ from: 600, until: 1200 }] } }),
      ruleOf({ name: 'night', ...at(1) }),
    ]);
    const { till, service } = opened({ plan, part });
    expect(service).toMatchObject({ tariffChange: { at: MORNING }, validitySeconds: 3 * 3600 });
    expect(money(till)).toEqual([500, 500]);
  });
});

describe('seconds', () => {
  const part = { tariffChange: 'single' as const };
  const plan = rated({ unit: 'seconds', quota: { size: 600, minimum: 1, maximum: 9000 } });

  test('C-125 are split by the server: the client is told nothing', () => {
    const { till, service } = opened({ plan, part, now: MORNING - 100_000, money: 9000 });
    expect(service.granted).toEqual({ unit: 'seconds', units: 600 });
    expect(service.tariffChange).toBeUndefined();
    expect(service.validitySeconds).toBe(12 * 3600 + 100);
    expect(money(till)).toEqual([7200, 1800]);
    till.now = MORNING + 200_000;
    report(till, { used: { seconds: 300 } });
    expect(money(till)).toEqual([9000 - 100 - 600, 0]);
    expect(till.records.at(-1)!.services[0]).toMatchObject({
      rule: 'night',
      used: 300,
      cost: 700,
      after: { rule: 'day', used: 200, cost: 600 },
    });
  });

  test('a second that had begun belongs to the old tariff', () => {
    const { till } = opened({ plan, now: MORNING - 10_000 });
    till.now = MORNING + 2_999;
    report(till, { used: { seconds: 5 } });
    expect(till.records.at(-1)!.services[0]).toMatchObject({
      ...{ used: 5, countedFrom: 0, after: { rule: 'day', used: 2, countedFrom: 0, cost: 6 } },
    });
  });

  test('C-083 count up to when the report was made, however late it comes', () => {
    const { till } = opened({ plan, now: MORNING - 100_000, money: 9000 });
    till.now = MORNING + 500_000;
    report(till, { used: { seconds: 100 } }, { occurredAt: MORNING + 10_000 });
    expect(till.records.at(-1)!.services[0]).toMatchObject({ cost: 90 + 30 });
  });

  test('began when the client says, although it asks after the change', () => {
    const { till } = opened({
      plan,
      now: MORNING + 2_000,
      part: { occurredAt: MORNING - 3_000 },
      money: 9000,
    });
    till.now = MORNING + 57_000;
    report(till, { used: { seconds: 60 } });
    expect(till.records.at(-1)!.services[0]).toMatchObject({ cost: 3 + 171 });
  });

  test('that a client divides by itself are rated as it says', () => {
    const { till } = opened({ plan, now: MORNING - 100_000, money: 9000 });
    till.now = MORNING + 200_000;
    report(till, { used: { seconds: 300 }, usedAfter: { seconds: 10 } });
    expect(till.records.at(-1)!.services[0]).toMatchObject({ cost: 290 + 30 });
  });
});

describe('C-083 the time of use', () => {
  test('rates events that are asked for late', () => {
    const plan = rated({ unit: 'units', quota: { size: 1, minimum: 1, maximum: 9 } });
    const { till, service } = opened({
      plan,
      now: MORNING + 60_000,
      part: { occurredAt: MORNING - 60_000 },
    });
    expect(money(till)).toEqual([999, 1]);
    expect(service.validitySeconds).toBeUndefined();
    report(till, { used: { units: 1 } });
    expect(money(till)).toEqual([999, 0]);
  });

  test('rates usage that nothing was granted for', () => {
    const { till } = opened({ now: MORNING - HOUR });
    till.now = MORNING + HOUR;
    report(till, { ratingGroup: 2, used: { octets: 10 } }, { occurredAt: MORNING - 1 });
    report(till, { ratingGroup: 3, used: { octets: 10 } });
    expect(till.records.slice(-2).map(({ services }) => services[0]!.cost)).toEqual([10, 30]);
  });

  test('is now for octets that are still to flow, and for what claims to come from the future', () => {
    for (const occurredAt of [MORNING - 60_000, MORNING + 24 * HOUR]) {
      const { till } = opened({ now: MORNING + 60_000, part: { occurredAt } });
      expect(money(till)).toEqual([700, 300]);
    }
  });
});

test('money is not rated: a change of tariff says nothing to it', () => {
  const plan = rated({ unit: 'money' });
  const { till, service } = opened({ plan, part: { tariffChange: 'single' } });
  expect(service).toEqual({
    ratingGroup: 1,
    serviceIds: [],
    outcome: 'success',
    granted: { unit: 'money', units: 100 },
    validitySeconds: 13 * 3600,
  });
  till.now = MORNING + HOUR;
  report(till, { used: { money: 40 } });
  expect(money(till)).toEqual([960, 0]);
});
