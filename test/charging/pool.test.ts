/** Credit pools: RFC 8506 5.1.2, 8.30, and the example of A.9. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bucket } from '../../src/charging/account.ts';
import type { ServiceAnswer } from '../../src/charging/answer.ts';
import { greater, type Multiplier, multiplierOf } from '../../src/charging/multiplier.ts';
import type { Rule } from '../../src/charging/plan.ts';
import type { AskedService, Request } from '../../src/charging/request.ts';
import { asks, bundle, main, planOf, requestOf, ruleOf, START, Till } from './till.ts';

const SCALE = 40;

/** Units times their multiplier, exactly: in 10^-40 of the pool's unit. */
function inPool(units: number, { digits, exponent }: Multiplier): bigint {
  return BigInt(units) * BigInt(digits) * 10n ** BigInt(SCALE + exponent);
}

const whole = (amount: bigint): number => Number(amount / 10n ** BigInt(SCALE - 6)) / 1e6;

/** What a client counts of a pool: S grows by each quota and shrinks by what is consumed. */
class ClientPool {
  readonly totals = new Map<number, bigint>();
  readonly #multipliers = new Map<string, { id: number } & Multiplier>();

  granted({ ratingGroup, serviceIds, granted, pool }: ServiceAnswer): void {
    if (granted === undefined || pool === undefined) return;
    this.#multipliers.set(`${ratingGroup}/${serviceIds}`, pool);
    this.#add(pool, granted.units);
  }

  used(service: { ratingGroup?: number; serviceIds: readonly number[] }, units: number): void {
    const pool = this.#multipliers.get(`${service.ratingGroup}/${service.serviceIds}`)!;
    this.#add(pool, -units);
  }

  total(id: number): number {
    return whole(this.totals.get(id)!);
  }

  #add(pool: { id: number } & Multiplier, units: number): void {
    this.totals.set(pool.id, (this.totals.get(pool.id) ?? 0n) + inPool(units, pool));
  }
}

/**
 * A client that shares its pool among the rating groups 1 to 3 as it may: what it counts of them
 * together is never more than their quotas. A quota outside of the pool is used for its own group.
 */
class SharingClient {
  readonly #multipliers = new Map<number, { id: number } & Multiplier>();
  readonly #alone = new Map<number, number>();
  #total = 0n;

  learn(services: readonly ServiceAnswer[]): void {
    for (const { ratingGroup = 0, granted, pool } of services) {
      this.#multipliers.delete(ratingGroup);
      if (granted === undefined) continue;
      if (pool === undefined) this.#alone.set(ratingGroup, granted.units);
      else {
        this.#multipliers.set(ratingGroup, pool);
        this.#total += inPool(granted.units, pool);
      }
    }
    if (this.#multipliers.size === 0) this.#total = 0n;
  }

  /** So many percent of what the service may use. */
  use(group: number, percent: number): number {
    const pool = this.#multipliers.get(group);
    if (pool === undefined) return Math.floor(((this.#alone.get(group) ?? 0) * percent) / 100);
    const one = inPool(1, pool);
    const units = Number(((this.#total / one) * BigInt(percent)) / 100n);
    this.#total -= BigInt(units) * one;
    return units;
  }

  /** With its report a service gives up its quota, and is in the pool if it is granted anew there. */
  reported(group: number): void {
    this.#alone.delete(group);
    this.#multipliers.delete(group);
  }
}

describe('the example of RFC 8506 A.9', () => {
  const MB = 1_000_000;
  /**
   * Time is counted in minutes, as the example does, and money so that no octet costs a fraction:
   * with coarser money each service would hold one unit more for its rounding. What the example
   * counts are tenths of a dollar.
   */
  const DIME = 1_000_000;
  const priced = (amount: number) => ({ price: { amount, per: 1, increment: 1 } });
  const rules: Rule[] = [
    ruleOf({
      name: 'access',
      match: { serviceIdentifier: [10] },
      ...priced((10 * DIME) / MB),
      quota: { size: 5 * MB, minimum: 1, maximum: 50 * MB },
      validitySeconds: 600,
      pool: 1,
    }),
    ruleOf({
      name: 'group 1',
      match: { ratingGroup: [1] },
      unit: 'units',
      ...priced(DIME),
      quota: { size: 50, minimum: 1, maximum: 500 },
      pool: 1,
    }),
    ruleOf({
      name: 'service 3',
      match: { ratingGroup: [2] },
      ...priced((2 * DIME) / MB),
      quota: { size: 12.5 * MB, minimum: 1, maximum: 50 * MB },
      atEnd: 'deny',
      pool: 2,
    }),
    ruleOf({
      name: 'service 4',
      match: { ratingGroup: [3] },
      ...priced((5 * DIME) / MB),
      quota: { size: 5 * MB, minimum: 1, maximum: 50 * MB },
      pool: 2,
    }),
  ];
  const buckets: Bucket[] = [
    { ...main, id: 'second', priority: 1, paysFor: ['service 3', 'service 4'] },
    { ...main, paysFor: ['access', 'group 1'] },
  ];
  const access = { serviceIds: [10] };
  const service3 = { ratingGroup: 2, serviceIds: [3] };
  const service4 = { ratingGroup: 3, serviceIds: [4] };

  test('C-162 to the digit: S = 100, 60, 110 and, of pool 2, 50', () => {
    const till = new Till({
      plan: planOf(rules),
      buckets,
      openings: { second: 50 * DIME, main: 200 * DIME },
    });
    const dimes = (amount: bigint) => whole(amount) / DIME;
    const client = new ClientPool();
    let number = 0;
    const ask = (kind: Request['kind'], ...services: AskedService[]) => {
      const answer = till.ask(requestOf(kind, number++, services));
      for (const one of answer.services) client.granted(one);
      return answer.services;
    };

    // (2)-(3): $5 are reserved at $1/MB: 5 MB with a multiplier of 10 for each of them.
    const [first] = ask('initial', { ...access, asked: {} });
    expect(first).toMatchObject({
      granted: { unit: 'octets', units: 5 * MB },
      validitySeconds: 600,
      pool: { id: 1, digits: 1, exponent: 1 },
    });
    expect(dimes(inPool(MB, first!.pool!))).toBe(10);
    expect(till.reserved('main')).toBe(50 * DIME);

    // (5)-(6): $5 more at $0.1/minute: 50 minutes for the whole rating group.
    const [second] = ask('update', { ratingGroup: 1, serviceIds: [], asked: {} });
    expect(second).toMatchObject({
      granted: { units: 50 },
      pool: { id: 1, digits: 1, exponent: 6 },
    });
    expect(till.reserved('main')).toBe(100 * DIME);
    expect(client.total(1)).toBe(100 * DIME);

    // (9)-(10): the other account's $5 at $0.2 and $0.5/MB; service 4 gets the last of them.
    const [third, fourth] = ask('update', { ...service3, asked: {} }, { ...service4, asked: {} });
    expect(third).toMatchObject({ granted: { units: 12.5 * MB }, pool: { id: 2 } });
    expect(dimes(inPool(MB, third!.pool!))).toBe(2);
    expect(fourth).toMatchObject({
      granted: { units: 5 * MB },
      pool: { id: 2 },
      final: { action: 'terminate' },
    });
    expect(dimes(inPool(MB, fourth!.pool!))).toBe(5);
    expect(client.total(2)).toBe(50 * DIME);

    // (11)-(12): 4 MB were used: $4 are deducted; $5 more make a reservation of $11.
    client.used(access, 4 * MB);
    expect(client.total(1)).toBe(60 * DIME);
    ask('update', { ...access, used: { octets: 4 * MB }, asked: {}, reasons: [4] });
    expect(client.total(1)).toBe(110 * DIME);
    expect([till.available('main'), till.reserved('main')]).toEqual([50 * DIME, 110 * DIME]);

    // (13): services 3 and 4 consume all of pool 2, service 3 far more than its own quota.
    const usage = [20 * MB, 2 * MB] as const;
    client.used(service3, usage[0]);
    client.used(service4, usage[1]);
    expect(client.total(2)).toBe(0 * DIME);
    ask(
      'update',
      { ...service3, used: { octets: usage[0] }, reasons: [8] },
      { ...service4, used: { octets: usage[1] }, reasons: [8] },
    );
    expect([till.available('second'), till.reserved('second')]).toEqual([0, 0]);
    expect(till.records.at(-1)!.changes).toEqual([
      { bucket: 'second', cause: 'debit', available: 0, reserved: -50 * DIME },
    ]);

    // (16): the rest of pool 1 is free again.
    ask(
      'termination',
      { ...access, used: { octets: 2 * MB } },
      { ratingGroup: 1, serviceIds: [1], used: { units: 10 } },
      { ratingGroup: 1, serviceIds: [2], used: { units: 5 } },
    );
    expect([till.available('main'), till.reserved('main')]).toEqual([
      (200 - 40 - 20 - 15) * DIME,
      0,
    ]);
  });

  test('with time in seconds a tenth of a dollar a minute never ends: it is rounded up', () => {
    const multiplier = multiplierOf(
      { amount: 1, per: 60, increment: 1 },
      { rated: 0, units: 3000 },
    );
    expect(multiplier).toEqual({ digits: 166_666_666_666_667, exponent: -16 });
    expect(inPool(3000, multiplier)).toBe(50_000_000_000_000_1n * 10n ** BigInt(SCALE - 13));
  });
});

describe('multipliers', () => {
  const price = fc.record({
    amount: fc.oneof(fc.nat(1000), fc.nat({ max: Number.MAX_SAFE_INTEGER })),
    per: fc.oneof(fc.integer({ min: 1, max: 4000 }), fc.integer({ min: 1, max: 2 ** 52 })),
    increment: fc.constant(1),
  });

  test('are the price of a unit, never less, and exact or within 10^-14 of it', () => {
    fc.assert(
      fc.property(price, (one) => {
        const { digits, exponent } = multiplierOf(one, { rated: 0, units: 1 });
        expect(Number.isSafeInteger(digits)).toBe(true);
        const scale = 10n ** BigInt(Math.max(0, -exponent));
        const value = BigInt(digits) * 10n ** BigInt(Math.max(0, exponent)) * BigInt(one.per);
        const exact = BigInt(one.amount) * scale;
        expect(value >= exact).toBe(true);
        expect((value - exact) * 10n ** 14n <= exact).toBe(true);
      }),
    );
  });

  test.each([
    [1, 1, 1, 0],
    [10, 1_000_000, 1, -5],
    [23, 10, 23, -1],
    [5000, 1, 5, 3],
    [1, 3, 333_333_333_333_334, -15],
    [2, 3, 666_666_666_666_667, -15],
    [0, 7, 0, 0],
    [Number.MAX_SAFE_INTEGER, 1, 9_007_199_254_741, 3],
  ])('C-165 %d for %d is %d x 10^%d', (amount, per, digits, exponent) => {
    const units = { rated: 0, units: 1 };
    expect(multiplierOf({ amount, per, increment: 1 }, units)).toEqual({ digits, exponent });
  });

  test('of a price in bands is the dearest that the grant reaches', () => {
    const bands = [
      { from: 10, amount: 5, per: 1, increment: 1 },
      { from: 20, amount: 2, per: 1, increment: 1 },
    ];
    const banded = { amount: 1, per: 1, increment: 1, bands };
    const at = (rated: number, units: number) => multiplierOf(banded, { rated, units }).digits;
    expect([at(0, 10), at(0, 11), at(9, 30), at(10, 1), at(20, 1), at(25, 9)]).toEqual([
      1, 5, 5, 5, 2, 2,
    ]);
  });

  test('of both sides of a tariff change are compared exactly', () => {
    const [less, more] = [
      { digits: 999, exponent: -2 },
      { digits: 1, exponent: 1 },
    ];
    expect([greater(less, more), greater(more, less)]).toEqual([more, more]);
  });
});

describe('a pool', () => {
  const pooled = (part: Partial<Rule>) => ruleOf({ pool: 7, ...part });
  const plan = planOf([
    pooled({ name: 'cheap', match: { ratingGroup: [1] } }),
    pooled({
      name: 'dear',
      match: { ratingGroup: [2] },
      unit: 'seconds',
      price: { amount: 3, per: 1, increment: 1 },
    }),
    ruleOf({ name: 'alone', match: { ratingGroup: [3] } }),
    pooled({ name: 'other', match: { ratingGroup: [4] }, pool: 8 }),
  ]);
  const group = (ratingGroup: number, part: Partial<AskedService> = { asked: {} }) =>
    asks({ ratingGroup, ...part });
  const money = (till: Till) => [till.available('main'), till.reserved('main')];

  function opened(opening = 1000, groups = [1, 2], options = {}) {
    const till = new Till({ plan, openings: { main: opening }, ...options });
    till.ask(
      requestOf(
        'initial',
        0,
        groups.map((one) => group(one)),
      ),
    );
    return till;
  }

  test('C-166 pays for usage beyond one grant with what another holds', () => {
    const till = opened();
    expect(money(till)).toEqual([600, 400]);
    till.ask(requestOf('update', 1, [group(1, { used: { octets: 250 } })]));
    expect(money(till)).toEqual([600, 150]);
    expect(till.records.at(-1)!.changes).toEqual([
      { bucket: 'main', cause: 'debit', available: 0, reserved: -250 },
    ]);
    expect(till.session()!.services[0]).toMatchObject({ cost: 250, used: 250, rated: 250 });
  });

  test('leaves the floor alone while it holds anything', () => {
    const till = opened(400);
    expect(money(till)).toEqual([0, 400]);
    till.ask(requestOf('update', 1, [group(1, { used: { octets: 400 } })]));
    expect(money(till)).toEqual([0, 0]);
    till.ask(requestOf('update', 2, [group(2, { used: { seconds: 5 } })]));
    expect(money(till)).toEqual([-15, 0]);
  });

  test('what lent can use as much as it still holds, the rest is an overrun', () => {
    const till = opened(1000);
    till.ask(requestOf('update', 1, [group(1, { used: { octets: 300 } })]));
    expect(money(till)).toEqual([600, 100]);
    till.ask(requestOf('update', 2, [group(2, { used: { seconds: 50 } })]));
    expect(money(till)).toEqual([550, 0]);
    expect(till.records.at(-1)!.changes).toEqual([
      { bucket: 'main', cause: 'debit', available: 0, reserved: -99 },
      { bucket: 'main', cause: 'release', available: 1, reserved: -1 },
      { bucket: 'main', cause: 'overrun', available: -51, reserved: 0 },
    ]);
  });

  test('C-164 is one of its session, and of its own identifier', () => {
    const till = opened(1000, [1, 4, 3]);
    till.ask(requestOf('update', 1, [group(1, { used: { octets: 150 } })]));
    expect(money(till)).toEqual([650, 200]);
    till.ask(requestOf('update', 2, [group(3, { used: { octets: 150 } })]));
    expect(money(till)).toEqual([600, 100]);
  });

  test('keeps what a service had left when it is granted anew, and when it leaves', () => {
    const till = opened();
    till.ask(requestOf('update', 1, [group(1, { used: { octets: 40 }, asked: {} })]));
    expect(money(till)).toEqual([500, 460]);
    till.ask(requestOf('update', 2, [group(1, { used: { octets: 40 }, reasons: [2] })]));
    expect(money(till)).toEqual([500, 420]);
    till.ask(requestOf('update', 3, [group(2, { used: { seconds: 10 } })]));
    expect(money(till)).toEqual([890, 0]);
  });

  test('is not filled without end by a client that uses little', () => {
    const till = opened(1_000_000, [1]);
    for (let number = 1; number < 40; number++)
      till.ask(requestOf('update', number, [group(1, { used: { octets: 1 }, asked: {} })]));
    expect(till.reserved('main')).toBeLessThanOrEqual(1100);
    expect(till.available('main') + till.reserved('main')).toBe(1_000_000 - 39);
  });

  test('is given back where nobody else counts it: what is left is granted alone, as the last', () => {
    const till = opened(100, [1]);
    const answer = till.ask(
      requestOf('update', 1, [group(1, { used: { octets: 40 }, asked: {} })]),
    );
    expect(answer.services).toMatchObject([
      { granted: { units: 60 }, final: { action: 'terminate' } },
    ]);
    expect(answer.services[0]!.pool).toBeUndefined();
    expect(money(till)).toEqual([0, 60]);
  });

  test('is left to the others where its service gets nothing new', () => {
    const till = opened(400);
    const answer = till.ask(
      requestOf('update', 1, [group(1, { used: { octets: 40 }, asked: {} })]),
    );
    expect(answer.services[0]!.outcome).toBe('credit-limit-reached');
    expect(money(till)).toEqual([0, 360]);
    till.ask(requestOf('termination', 2, [group(2, { used: { seconds: 120 } })]));
    expect(money(till)).toEqual([0, 0]);
  });

  test('a service that moves to another pool, or out of any, leaves what it had to the first', () => {
    const till = opened();
    till.plan = planOf(
      [pooled({ name: 'cheap', match: { ratingGroup: [1] }, pool: 9 }), ...plan.rules.slice(1)],
      { version: 2 },
    );
    till.ask(requestOf('update', 1, [group(1, { used: { octets: 40 }, asked: {} })]));
    expect(money(till)).toEqual([500, 460]);
    till.ask(requestOf('update', 2, [group(2, { used: { seconds: 120 } })]));
    expect(money(till)).toEqual([500, 100]);
  });

  test('a service that is refused leaves what it had to the others', () => {
    const till = opened();
    till.plan = planOf(
      [ruleOf({ match: { ratingGroup: [1] }, denied: true }), ...plan.rules.slice(1)],
      { version: 2 },
    );
    const answer = till.ask(
      requestOf('update', 1, [group(1, { used: { octets: 40 }, asked: {} })]),
    );
    expect(answer.services[0]!.outcome).toBe('service-denied');
    expect(money(till)).toEqual([600, 360]);
  });

  test('ends with its session, or with the last validity in it', () => {
    const till = opened();
    till.ask(requestOf('update', 1, [group(1, { used: { octets: 40 }, reasons: [2] })]));
    till.ask(requestOf('termination', 2, [group(2, { used: { seconds: 10 } })]));
    expect(money(till)).toEqual([930, 0]);
  });

  test('holds no bundle: what a bundle pays for is a quota of its own', () => {
    const both = planOf([
      pooled({ name: 'data', match: { ratingGroup: [1] } }),
      pooled({ name: 'voice', match: { ratingGroup: [2] }, unit: 'seconds' }),
    ]);
    const buckets = [bundle('octets', { paysFor: ['data'] }), main];
    const till = new Till({ plan: both, buckets, openings: { octets: 100, main: 205 } });
    const first = till.ask(requestOf('initial', 0, [group(1), group(2)])).services;
    expect(first.map(({ pool }) => pool?.id)).toEqual([undefined, 7]);
    const next = till.ask(requestOf('update', 1, [group(1, { used: { octets: 100 }, asked: {} })]));
    expect(next.services[0]!.pool).toMatchObject({ id: 7 });
    till.ask(
      requestOf('termination', 2, [
        group(1, { used: { octets: 0 } }),
        group(2, { used: { seconds: 200 } }),
      ]),
    );
    expect([till.available('octets'), till.available('main')]).toEqual([0, 5]);
  });

  test('holds no money that one of its services may not draw, nor what has more than a rate', () => {
    const priced = (part: Partial<Rule['price']>) => ({
      price: { amount: 1, per: 1, increment: 1, ...part },
    });
    const bonus = { ...main, id: 'bonus', priority: 1, paysFor: ['cheap'] };
    const plain = opened(1000, [1, 2], {
      ...{ buckets: [bonus, main], openings: { bonus: 100, main: 1000 } },
    });
    const pools = (till: Till) => till.session()!.services.map(({ grant }) => grant?.pool);
    expect(pools(plain)).toEqual([undefined, 7]);
    const bands = [{ from: 10, amount: 2, per: 1, increment: 1 }];
    for (const part of [{ fee: 5 }, { minimum: 5 }, { bands }, { eachReport: true }]) {
      const alone = planOf([pooled(priced(part))]);
      expect(pools(opened(1000, [1], { plan: alone, openings: { main: 1000 } }))).toEqual([
        undefined,
      ]);
    }
    const units = { ...bundle('cap'), limits: ['e164:49170'] };
    const counted = { buckets: [units, main], openings: { cap: 500, main: 1000 } };
    expect(pools(opened(1000, [1, 2], counted))).toEqual([undefined, undefined]);
  });

  test('holds what increments may add, wherever they begin', () => {
    const at = { price: { amount: 1, per: 1, increment: 10 } };
    const steps = planOf([
      pooled({ name: 'a', match: { ratingGroup: [1] }, ...at }),
      pooled({ name: 'b', match: { ratingGroup: [2] }, ...at }),
    ]);
    const till = new Till({ plan: steps, openings: { main: 118 } });
    const asked = { asked: { octets: 50 } };
    till.ask(requestOf('initial', 0, [group(1, asked), group(2, asked)]));
    expect(money(till)).toEqual([0, 118]);
    till.ask(
      requestOf('termination', 1, [
        group(1, { used: { octets: 41 } }),
        group(2, { used: { octets: 59 } }),
      ]),
    );
    expect(money(till)).toEqual([8, 0]);
  });

  const rate = fc.record({
    amount: fc.integer({ min: 1, max: 9 }),
    per: fc.integer({ min: 1, max: 7 }),
    increment: fc.integer({ min: 1, max: 12 }),
  });

  test('C-162 a client that stays within it never overdraws, however it divides it', () => {
    fc.assert(
      fc.property(
        fc.tuple(rate, rate, rate),
        fc.integer({ min: 1, max: 900 }),
        fc.array(
          fc.record({
            report: fc.subarray([1, 2, 3], { minLength: 1 }),
            asks: fc.boolean(),
            share: fc.tuple(fc.nat(100), fc.nat(100), fc.nat(100)),
          }),
          { minLength: 1, maxLength: 6 },
        ),
        (rates, opening, steps) => {
          const rules = rates.map((price, i) =>
            pooled({ name: `r${i + 1}`, match: { ratingGroup: [i + 1] }, price }),
          );
          const till = new Till({ plan: planOf(rules), openings: { main: opening } });
          const client = new SharingClient();
          const send = (kind: Request['kind'], number: number, services: AskedService[]) =>
            client.learn(till.ask(requestOf(kind, number, services)).services);
          send('initial', 0, [group(1), group(2), group(3)]);
          for (const [number, { report, asks: again, share }] of steps.entries()) {
            const services = report.map((one) =>
              group(one, {
                used: { octets: client.use(one, share[one - 1]!) },
                ...(again ? { asked: {} } : {}),
              }),
            );
            for (const one of report) client.reported(one);
            send('update', number + 1, services);
            expect(till.available('main')).toBeGreaterThanOrEqual(0);
          }
          const last = [1, 2, 3].map((one) =>
            group(one, { used: { octets: client.use(one, 100) } }),
          );
          send('termination', steps.length + 1, last);
          expect(till.available('main')).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 500 },
    );
  });

  test('of very many services is settled in proportion to their number', () => {
    const limits = Array.from({ length: 20 }, (_, i): Bucket => {
      return { ...main, id: `cap${i}`, priority: i, limits: ['e164:49170'] };
    });
    const openings = Object.fromEntries([...limits, main].map(({ id }) => [id, 1e9]));
    let counted = 0;
    /** Counts how often the definition of the account is walked, or a bucket of it looked at. */
    const counting = (bucket: Bucket): Bucket =>
      new Proxy(bucket, {
        get(target, name) {
          counted++;
          return Reflect.get(target, name);
        },
      });
    const work = (services: number): number => {
      const buckets = [...limits, main].map(counting);
      const till = new Till({ plan: planOf([pooled({})]), buckets, openings });
      const all = (used?: number) =>
        Array.from({ length: services }, (_, i) =>
          group(i, { asked: {}, ...(used === undefined ? {} : { used: { octets: used } }) }),
        );
      till.ask(requestOf('initial', 0, all()));
      const update = requestOf('update', 1, all(150));
      counted = 0;
      till.decide(update);
      return counted;
    };
    expect(work(200) / work(50)).toBeLessThan(5);
  });

  test('what is lent counts in the limits of its subscriber', () => {
    const limit: Bucket = { ...main, id: 'cap', priority: 1, limits: ['e164:49170'] };
    const till = new Till({ plan, buckets: [limit, main], openings: { cap: 600, main: 1000 } });
    till.ask(requestOf('initial', 0, [group(1), group(2)]));
    expect([till.available('cap'), till.reserved('cap')]).toEqual([200, 400]);
    till.ask(requestOf('update', 1, [group(1, { used: { octets: 250 } })]));
    expect([till.available('cap'), till.reserved('cap')]).toEqual([200, 150]);
    till.ask(requestOf('termination', 2, [group(2, { used: { seconds: 60 } })]));
    expect([till.available('cap'), till.reserved('cap')]).toEqual([170, 0]);
    expect(money(till)).toEqual([570, 0]);
  });

  test('with a dual quota: each side lends to the other', () => {
    const day = { match: { when: [{ from: 480, until: 1200 }] } };
    const night = planOf([
      pooled({ name: 'day', ...day, price: { amount: 3, per: 1, increment: 1 } }),
      pooled({ name: 'night' }),
    ]);
    const till = new Till({ plan: night, openings: { main: 1000 } });
    till.now = START + 7 * 3_600_000;
    const answer = till.ask(requestOf('initial', 0, [group(1)], { tariffChange: 'dual' }));
    expect(answer.services[0]!.pool).toEqual({
      ...{ id: 7, digits: 1, exponent: 0 },
      after: { digits: 3, exponent: 0 },
    });
    expect(money(till)).toEqual([600, 400]);
    till.now += 2 * 3_600_000;
    till.ask(
      requestOf('update', 1, [group(1, { used: { octets: 280 }, usedAfter: { octets: 40 } })]),
    );
    expect(till.records.at(-1)!.changes).toEqual([
      { bucket: 'main', cause: 'debit', available: 0, reserved: -360 },
      { bucket: 'main', cause: 'release', available: 40, reserved: -40 },
    ]);
  });

  test('a single quota in a pool counts by the dearer of both tariffs', () => {
    const day = { match: { when: [{ from: 480, until: 1200 }] } };
    const night = planOf([
      pooled({ name: 'day', ...day, price: { amount: 3, per: 1, increment: 1 } }),
      pooled({ name: 'night' }),
    ]);
    const till = new Till({ plan: night, openings: { main: 1000 } });
    till.now = START + 7 * 3_600_000;
    const answer = till.ask(requestOf('initial', 0, [group(1)], { tariffChange: 'single' }));
    expect(answer.services[0]!.pool).toEqual({ id: 7, digits: 3, exponent: 0 });
    expect(till.reserved('main')).toBe(300);
  });

  test('what is free is in no pool', () => {
    const { price: _, ...free } = pooled({});
    const till = new Till({ plan: planOf([free]) });
    expect(till.ask(requestOf('initial', 0, [group(1)])).services[0]!.pool).toBeUndefined();
  });
});
