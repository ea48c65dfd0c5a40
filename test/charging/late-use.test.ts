/**
 * Usage that comes after the time that its tariff was settled for: the grant was taken back, or there
 * was none. RFC 8506 5.1.1, 8.27, 8.33; C-083, C-125.
 */
import { describe, expect, test } from 'vitest';
import type { Plan, Rule } from '../../src/charging/plan.ts';
import type { AskedService, Request } from '../../src/charging/request.ts';
import { asks, bundle, main, planOf, requestOf, ruleOf, START, Till } from './till.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;
const EIGHT = START + 8 * HOUR;

const at = (amount: number) => ({ price: { amount, per: 1, increment: 1 } });
const during = (from: number, until: number) => ({
  match: { when: [{ from: from * 60, until: until * 60 }] },
});

/** By night 1 a unit, from 8 to 10 5, from 10 to 20 3. */
const rated = (part: Partial<Rule> = {}, plan: Partial<Plan> = {}): Plan =>
  planOf(
    [
      ruleOf({ name: 'early', ...at(5), ...part, ...during(8, 10) }),
      ruleOf({ name: 'day', ...at(3), ...part, ...during(10, 20) }),
      ruleOf({ name: 'night', ...at(1), ...part }),
    ],
    { supervisionSeconds: 3 * 86_400, ...plan },
  );

const seconds = (part: Partial<Rule> = {}): Partial<Rule> => ({
  unit: 'seconds',
  quota: { size: 600, minimum: 1, maximum: 9000 },
  ...part,
});

const MONEY = 100_000;

function opened(
  plan: Plan,
  { now, asked = {}, ...part }: Partial<Request> & { now: number; asked?: AskedService['asked'] },
) {
  const till = new Till({ plan, openings: { main: MONEY } });
  till.now = now;
  till.ask(requestOf('initial', 0, [asks({ asked })], part));
  return till;
}

/** Lets time come to `now`, and every timer with it. */
function waitUntil(till: Till, now: number): void {
  for (;;) {
    const next = till.wheel.get('s') ?? now;
    if (next >= now) break;
    till.now = next;
    till.wake();
  }
  till.now = now;
}

let number = 0;
const report = (till: Till, used: Partial<AskedService>, part: Partial<Request> = {}) =>
  till.ask(requestOf('update', ++number, [asks(used)], part)).services[0];

const spent = (till: Till) => MONEY - till.available('main') - till.reserved('main');
const lines = (till: Till) => till.records.at(-1)!.services;

describe('volume whose grant was taken back', () => {
  const part = { tariffChange: 'single' as const };
  const plan = rated({ validitySeconds: 5400 });
  const divided = {
    used: { octets: 75 },
    usedAfter: { octets: 25 },
    usedIndeterminate: { octets: 10 },
  };

  test('C-123 is rated before, after and straddling the change that the grant had', () => {
    for (const [indeterminate, cost] of [
      ['after', 40 + 5 * 35],
      ['before', 50 + 5 * 25],
    ] as const) {
      const till = opened({ ...plan, indeterminate }, { now: EIGHT - HOUR, ...part });
      waitUntil(till, EIGHT + 1.5 * HOUR);
      expect(till.records.at(-1)!.kind).toBe('validity');
      report(till, divided);
      expect(spent(till)).toBe(cost);
      expect(lines(till)).toMatchObject([{ rule: 'night', used: 75, after: { rule: 'early' } }]);
    }
  });

  test('C-122 also where it was a dual quota', () => {
    const till = opened(plan, { now: EIGHT - HOUR, tariffChange: 'dual' });
    waitUntil(till, EIGHT + 1.5 * HOUR);
    report(till, divided);
    expect(spent(till)).toBe(40 + 5 * 35);
  });

  test('C-123 is all of before, where nothing is said of a change', () => {
    const till = opened(plan, { now: EIGHT - HOUR, ...part });
    waitUntil(till, EIGHT + 1.5 * HOUR);
    report(till, { used: { octets: 75 } });
    expect(spent(till)).toBe(75);
  });

  test('is divided by the price that the grant had, whatever the plan says by now', () => {
    const till = opened(plan, { now: EIGHT - HOUR, ...part });
    waitUntil(till, EIGHT + HOUR);
    till.plan = { ...rated(at(7)), version: 2 };
    report(till, divided);
    expect(spent(till)).toBe(40 + 5 * 35);
  });

  test('is divided once: what is reported next was used after that', () => {
    const till = opened(plan, { now: EIGHT - HOUR, ...part });
    waitUntil(till, EIGHT + HOUR);
    report(till, divided);
    expect(till.session()!.services[0]).not.toHaveProperty('switch');
    till.now = EIGHT + 2.5 * HOUR;
    report(till, { used: { octets: 10 } });
    expect(spent(till)).toBe(40 + 5 * 35 + 3 * 10);
  });

  test('is divided by the last change there was, where its client was told of none since', () => {
    const till = opened(plan, { now: EIGHT - HOUR, ...part });
    waitUntil(till, EIGHT + 1.5 * HOUR);
    report(till, { asked: {} });
    expect(till.session()!.services[0]).not.toHaveProperty('switch');
    report(till, { used: { octets: 10 }, usedAfter: { octets: 5 } });
    expect(spent(till)).toBe(5 + 5 * 5);
  });

  test.each(['supervision', 'an abort', 'the end of the session'])('by %s', (how) => {
    const till = opened(plan, { now: EIGHT - HOUR, ...part });
    till.now = EIGHT + MINUTE;
    if (how === 'supervision') waitUntil(till, EIGHT + 80 * HOUR);
    else if (how === 'an abort') till.abort();
    else till.ask(requestOf('termination', ++number));
    expect(till.session()!.state).not.toBe('open');
    till.now = Math.max(till.now, EIGHT + 3 * HOUR);
    report(till, divided);
    expect(spent(till)).toBe(40 + 5 * 35);
  });
});

describe('seconds whose grant was taken back', () => {
  const plan = rated(seconds({ validitySeconds: 1800 }));

  test('C-125 are split at the change that the grant had', () => {
    const till = opened(plan, { now: EIGHT - 10 * MINUTE });
    waitUntil(till, EIGHT + 40 * MINUTE);
    expect(till.records.at(-1)!.kind).toBe('validity');
    report(till, { used: { seconds: 3000 } });
    expect(spent(till)).toBe(600 + 5 * 2400);
    expect(lines(till)).toMatchObject([
      { rule: 'night', used: 3000, cost: 600 + 5 * 2400, after: { rule: 'early', used: 2400 } },
    ]);
  });

  test('and at every change since, each part by its tariff', () => {
    const till = opened(plan, { now: EIGHT - 10 * MINUTE });
    waitUntil(till, EIGHT + 12 * HOUR + 5 * MINUTE);
    report(till, { used: { seconds: 600 + 12 * 3600 + 300 } });
    expect(spent(till)).toBe(600 + 5 * 7200 + 3 * 36_000 + 300);
    expect(lines(till)).toMatchObject([
      { rule: 'night', used: 7800, cost: 36_600, after: { rule: 'early', used: 7200 } },
      { rule: 'day', used: 36_000, cost: 108_000 },
      { rule: 'night', used: 300, cost: 300 },
    ]);
    expect(till.session()!.services[0]).toMatchObject({ rule: 'night', used: 44_100, rated: 300 });
  });

  test('that began after all that was known are rated by when they passed', () => {
    const till = opened(plan, { now: EIGHT - 10 * MINUTE });
    waitUntil(till, EIGHT + 2 * HOUR + 5 * MINUTE);
    report(till, { used: { seconds: 200 } });
    expect(lines(till)).toMatchObject([{ rule: 'day', used: 200, cost: 600 }]);
    expect(lines(till)).toHaveLength(1);
  });

  test('C-083 up to when the report was made, not to when it comes', () => {
    const till = opened(plan, { now: EIGHT - 10 * MINUTE });
    waitUntil(till, EIGHT + 5 * HOUR);
    report(till, { used: { seconds: 700 } }, { occurredAt: EIGHT + 100_000 });
    expect(spent(till)).toBe(600 + 500);
  });

  test('that the client divides by itself are rated as it says', () => {
    const till = opened(plan, { now: EIGHT - 10 * MINUTE });
    waitUntil(till, EIGHT + 12 * HOUR);
    report(till, { used: { seconds: 300 }, usedAfter: { seconds: 10 } });
    expect(spent(till)).toBe(290 + 50);
  });

  test('are under the old tariff where the new one counts nothing of them', () => {
    const till = opened(
      planOf([
        ruleOf({ name: 'early', ...during(8, 10), denied: true }),
        ruleOf({ name: 'day', ...seconds(), ...at(3), ...during(10, 20) }),
        ruleOf({ name: 'night', ...seconds(), ...at(1) }),
      ]),
      { now: EIGHT - 10 * MINUTE },
    );
    till.now = EIGHT + 2 * HOUR + 1000;
    till.abort();
    report(till, { used: { seconds: 600 + 7200 + 1 } });
    expect(spent(till)).toBe(600 + 7200 + 3);
  });

  test('are paid after the change by the buckets that pay for it', () => {
    const till = new Till({
      plan,
      buckets: [bundle('b', { unit: 'seconds', paysFor: ['early'] }), main],
      openings: { b: 1000, main: MONEY },
    });
    till.now = EIGHT - 10 * MINUTE;
    till.ask(requestOf('initial', 0, [asks({ asked: {} })]));
    waitUntil(till, EIGHT + HOUR);
    report(till, { used: { seconds: 1200 } }, { occurredAt: EIGHT + 10 * MINUTE });
    expect([till.available('b'), spent(till)]).toEqual([400, 600]);
  });

  test('several services that report for one of them are each rated by the time', () => {
    const till = opened(plan, { now: EIGHT - 10 * MINUTE });
    till.now = EIGHT + 2 * HOUR + 10_000;
    till.ask(
      requestOf('update', ++number, [
        asks({ serviceIds: [1], used: { seconds: 7220 } }),
        asks({ serviceIds: [2], used: { seconds: 20 } }),
      ]),
    );
    expect(spent(till)).toBe(10 + 5 * 7200 + 30 + 50 + 30);
  });
});

describe('seconds of a grant that is still held', () => {
  test('past a second change are rated by it: the grant ended there', () => {
    const till = opened(rated(seconds()), { now: EIGHT - 10 * MINUTE });
    expect(till.session()!.services[0]!.grant!.validUntil).toBe(EIGHT + 2 * HOUR);
    till.now = EIGHT + 2 * HOUR + 20_000;
    report(till, { used: { seconds: 620 + 7200 }, asked: {} });
    expect(spent(till)).toBe(600 + 5 * 7200 + 60);
    expect(till.session()!.services[0]).toMatchObject({ rule: 'day', rated: 20 });
  });

  test('past the day that a grant without a validity is looked ahead for', () => {
    const plan = planOf(
      [
        ruleOf({
          name: 'later',
          ...seconds(),
          ...at(3),
          match: { when: [{ days: [6, 7], from: 0, until: 1440 }] },
        }),
        ruleOf({ name: 'night', ...seconds(), ...at(1) }),
      ],
      { supervisionSeconds: 10 * 86_400 },
    );
    // START is a Thursday.
    const till = opened(plan, { now: START });
    expect(till.session()!.services[0]!.grant!.validUntil).toBeUndefined();
    till.now = START + 48 * HOUR + 30_000;
    report(till, { used: { seconds: 48 * 3600 + 30 } });
    expect(lines(till)).toMatchObject([
      { rule: 'night', used: 48 * 3600 },
      { rule: 'later', used: 30, cost: 90 },
    ]);
  });

  test('are the grant’s to its end, however the plan changes meanwhile', () => {
    const till = opened(rated(seconds({ validitySeconds: 3600 }), {}), {
      now: EIGHT - HOUR - 1000,
    });
    till.plan = planOf(
      [
        ruleOf({ name: 'new', ...seconds(), ...at(9), ...during(7, 20) }),
        ruleOf({ name: 'night', ...seconds() }),
      ],
      { version: 2 },
    );
    till.now = EIGHT - 1000;
    report(till, { used: { seconds: 3600 } });
    expect(spent(till)).toBe(3600);
    till.now = EIGHT;
    report(till, { used: { seconds: 1 } });
    expect(spent(till)).toBe(3600 + 9);
  });
});

describe('what nothing was granted for', () => {
  test('seconds of a service that was not known are rated by when they passed', () => {
    const till = opened(rated(seconds()), { now: EIGHT - HOUR });
    till.now = EIGHT + 2 * HOUR + 30_000;
    report(till, { ratingGroup: 2, used: { seconds: 10 + 7200 + 30 } });
    expect(lines(till)).toMatchObject([
      { rule: 'night', used: 10, cost: 10 },
      { rule: 'early', used: 7200, cost: 36_000 },
      { rule: 'day', used: 30, cost: 90 },
    ]);
  });

  test('seconds that are more than time has are rated by as much of it as is looked back on', () => {
    const till = opened(rated(seconds()), { now: EIGHT - HOUR });
    till.now = EIGHT + 2 * HOUR;
    report(till, { ratingGroup: 2, used: { seconds: 40 * 86_400 } });
    expect(lines(till).reduce((sum, { used = 0 }) => sum + used, 0)).toBe(40 * 86_400);
  });

  test.each([
    ['after', 3],
    ['before', 5],
  ] as const)('volume is rated as what straddles: %s', (indeterminate, amount) => {
    const till = opened(rated({}, { indeterminate }), { now: EIGHT - HOUR });
    till.now = EIGHT + HOUR;
    report(till, { used: { octets: 1 } });
    till.now = EIGHT + 3 * HOUR;
    report(till, { used: { octets: 10 } });
    expect(spent(till)).toBe(1 + 10 * amount);
  });

  test('volume that its client used before the session’s end is not rated by what came later', () => {
    const till = opened(rated(), { now: EIGHT - HOUR });
    till.ask(requestOf('termination', ++number, [asks({ used: { octets: 1 } })]));
    till.now = EIGHT + HOUR;
    report(till, { used: { octets: 10 } });
    expect(spent(till)).toBe(11);
  });
});

describe('a request that comes late', () => {
  test('C-083 reports by its own time, and is granted what may be used from now on', () => {
    const till = opened(rated({ validitySeconds: 7200 }), {
      now: EIGHT - HOUR,
      tariffChange: 'single',
    });
    till.now = EIGHT + HOUR;
    const used = { used: { octets: 10 }, usedAfter: { octets: 4 }, asked: {} };
    const service = report(till, used, { occurredAt: EIGHT + MINUTE, tariffChange: 'single' });
    expect(service).toMatchObject({ tariffChange: { at: EIGHT + 2 * HOUR } });
    expect(spent(till)).toBe(6 + 20);
    expect(till.reserved('main')).toBe(500);
  });

  test('seconds that other buckets pay for by now are granted for no longer than they are asked', () => {
    const plan = rated(seconds());
    const till = new Till({
      plan,
      buckets: [bundle('b', { unit: 'seconds', paysFor: ['early'] }), main],
      openings: { b: 1000, main: MONEY },
    });
    till.now = EIGHT + 50_000;
    const late = { occurredAt: EIGHT - 30_000 };
    const answer = till.ask(requestOf('initial', 0, [asks({ asked: {} })], late));
    expect(answer.services[0]).toMatchObject({ granted: { units: 600 }, validitySeconds: 1 });
    till.now = EIGHT + 60_000;
    report(till, { used: { seconds: 90 }, asked: {} });
    expect([spent(till), lines(till)]).toMatchObject([
      30,
      [
        { rule: 'night', used: 30, cost: 30 },
        { rule: 'early', used: 60, cost: 0 },
      ],
    ]);
    expect(till.session()!.services[0]!.grant!.validUntil).toBe(EIGHT + 2 * HOUR);
  });

  test('seconds are rated by their tariffs, however many have been since they began', () => {
    const till = opened(rated(seconds()), { now: EIGHT + 3 * HOUR, occurredAt: EIGHT - 60_000 });
    till.now += 60_000;
    report(till, { used: { seconds: 60 + 7200 + 3600 + 60 } });
    expect(lines(till)).toMatchObject([
      { rule: 'night', used: 7260, cost: 60 + 36_000, after: { rule: 'early', used: 7200 } },
      { rule: 'day', used: 3660, cost: 3 * 3660 },
    ]);
  });
});

describe('a report that another one overtook', () => {
  /** Session opened 10 minutes before 8; the second report arrives first, 10 minutes after 8. */
  const crossed = (plan: Plan, [first, second]: [Partial<AskedService>, Partial<AskedService>]) => {
    const till = opened(plan, { now: EIGHT - 10 * MINUTE });
    till.now = EIGHT + 10 * MINUTE;
    report(till, second, { occurredAt: till.now });
    till.now += 1000;
    report(till, first, { occurredAt: EIGHT - MINUTE });
    return till;
  };

  test.each([undefined, 1800])('C-083 seconds are rated by when they passed: %s', (validity) => {
    const part = validity === undefined ? {} : { validitySeconds: validity };
    const till = crossed(rated(seconds(part)), [
      { used: { seconds: 540 }, asked: {} },
      { used: { seconds: 660 }, asked: {} },
    ]);
    expect(spent(till)).toBe(540 + 60 + 5 * 600);
    expect(lines(till)).toMatchObject([
      { rule: 'early', used: 0, cost: 0 },
      { rule: 'night', used: 540, cost: 540 },
    ]);
    expect(till.session()!.services[0]).toMatchObject({ rule: 'early', used: 1200, rated: 600 });
  });

  test('is counted on from where its rule had come', () => {
    const plan = planOf([
      ruleOf({ name: 'early', ...seconds(), ...at(5), ...during(8, 10) }),
      ruleOf({
        name: 'night',
        ...seconds(),
        price: { amount: 100, per: 100, increment: 100, fee: 7 },
      }),
    ]);
    const till = crossed(plan, [
      { used: { seconds: 540 }, asked: {} },
      { used: { seconds: 660 }, asked: {} },
    ]);
    expect(spent(till)).toBe(600 + 7 + 5 * 600);
    till.now += 1000;
    report(till, { used: { seconds: 1 } }, { occurredAt: EIGHT - 9 * MINUTE });
    expect(spent(till)).toBe(700 + 7 + 5 * 600);
  });

  test('seconds of it are divided at the changes that they passed through', () => {
    const till = opened(rated(seconds()), { now: EIGHT + HOUR });
    till.now = EIGHT + 2 * HOUR + 5 * MINUTE;
    report(till, { used: { seconds: 300 }, asked: {} });
    till.now += 1000;
    report(till, { used: { seconds: 3700 } }, { occurredAt: EIGHT + 2 * HOUR + 40_000 });
    expect(spent(till)).toBe(3 * 300 + 5 * 3660 + 3 * 40);
    expect(lines(till)).toMatchObject([
      { rule: 'day', used: 40, cost: 120 },
      { rule: 'early', used: 3660, cost: 5 * 3660 },
    ]);
  });

  test('of a time before the last change but one is rated by that time, counted from 0', () => {
    const till = opened(rated(seconds()), { now: EIGHT - 10 * MINUTE });
    till.now = EIGHT + 2 * HOUR + 10_000;
    report(till, { used: { seconds: 7210 }, asked: {} });
    till.now += 1000;
    report(till, { used: { seconds: 600 } }, { occurredAt: EIGHT });
    expect(spent(till)).toBe(5 * 7200 + 30 + 600);
  });

  test('volume is rated by the time of its report', () => {
    const till = crossed(rated({ validitySeconds: 600 }), [
      { used: { octets: 7 }, asked: {} },
      { used: { octets: 1 }, asked: {} },
    ]);
    report(till, { used: { octets: 1 } });
    expect(spent(till)).toBe(1 + 7 + 5);
  });

  test('volume that its client divides is rated by the tariff before and that of the report', () => {
    const till = opened(rated(), { now: EIGHT - HOUR, tariffChange: 'single' });
    till.now = EIGHT + 20 * MINUTE;
    report(till, { used: { octets: 1 }, asked: {} }, { tariffChange: 'single' });
    const divided = { used: { octets: 75 }, usedAfter: { octets: 25 } };
    report(till, divided, { occurredAt: EIGHT + 10 * MINUTE });
    expect(spent(till)).toBe(1 + 50 + 5 * 25);
  });

  test('says nothing of the grant that it finds: what is reported of that is divided all the same', () => {
    const till = opened(rated({ validitySeconds: 7200 }), {
      now: EIGHT - HOUR,
      tariffChange: 'single',
    });
    till.now = EIGHT + MINUTE;
    report(till, { used: { octets: 1 }, asked: {} }, { tariffChange: 'single' });
    expect(till.session()!.services[0]!.grant!.switch!.at).toBe(EIGHT + 2 * HOUR);
    report(till, { used: { octets: 10 } }, { occurredAt: EIGHT - MINUTE });
    expect(spent(till)).toBe(11);
    till.now = EIGHT + 2 * HOUR + MINUTE;
    report(till, { used: { octets: 6 }, usedAfter: { octets: 2 } });
    expect(spent(till)).toBe(11 + 5 * 4 + 3 * 2);
  });

  test('is rated by the tariff that was, whatever the plan says by now', () => {
    const till = opened(rated(seconds()), { now: EIGHT - 10 * MINUTE });
    till.now = EIGHT + 10 * MINUTE;
    report(till, { used: { seconds: 660 }, asked: {} });
    till.plan = { ...rated(seconds(at(9))), version: 2 };
    report(till, { used: { seconds: 540 } }, { occurredAt: EIGHT - MINUTE });
    expect(spent(till)).toBe(540 + 60 + 5 * 600);
  });

  test('is paid by the buckets that pay for its time', () => {
    const till = new Till({
      plan: rated(seconds()),
      buckets: [bundle('b', { unit: 'seconds', paysFor: ['night'] }), main],
      openings: { b: 100, main: MONEY },
    });
    till.now = EIGHT - 10 * MINUTE;
    till.ask(requestOf('initial', 0, [asks({ asked: {} })]));
    till.now = EIGHT + 10 * MINUTE;
    report(till, { used: { seconds: 600 }, asked: {} });
    report(till, { used: { seconds: 150 } }, { occurredAt: EIGHT - MINUTE });
    expect([till.available('b'), spent(till)]).toEqual([0, 5 * 600 + 50]);
  });

  test('is rated by the rule before where the plan has no times, and another one by now', () => {
    const till = opened(planOf([ruleOf({ name: 'day', ...seconds() })]), { now: EIGHT });
    till.plan = planOf([ruleOf({ name: 'new', ...seconds(), ...at(9) })], { version: 2 });
    till.now += 2 * MINUTE;
    report(till, { used: { seconds: 60 }, asked: {} });
    report(till, { used: { seconds: 60 } }, { occurredAt: EIGHT + MINUTE });
    report(till, { used: { seconds: 1 } });
    expect(spent(till)).toBe(60 + 60 + 9);
  });
});

describe('a report from another place that another one overtook', () => {
  const home = { facts: { visited: '26201' } };
  const abroad = { facts: { visited: '20801' } };
  const roaming = (...more: Rule[]): Plan =>
    planOf([
      ruleOf({ name: 'roaming', ...at(50), match: { visited: ['208'] } }),
      ...more,
      ruleOf({ name: 'home', ...at(1) }),
    ]);
  const windowed = ruleOf({ match: { ratingGroup: [9], when: [{ from: 0, until: 5 }] } });

  test.each([
    ['without times', roaming()],
    ['with times', roaming(windowed)],
  ])(
    'is rated by its own place, and granted where the session is by now: a plan %s',
    (_of, plan) => {
      const till = opened(plan, { now: EIGHT - 10 * MINUTE, ...home });
      till.now = EIGHT + 5 * MINUTE;
      const asked = { asked: {} };
      report(till, { used: { octets: 50 }, ...asked }, { occurredAt: till.now, ...abroad });
      report(till, { used: { octets: 100 }, ...asked }, { occurredAt: EIGHT, ...home });
      expect(spent(till)).toBe(50 + 100);
      expect(till.reserved('main')).toBe(100 * 50);
      expect(till.session()).toMatchObject({ ...abroad, factsAt: till.now });
      till.now += MINUTE;
      till.ask(requestOf('termination', ++number, [asks({ used: { octets: 200 } })]));
      expect(spent(till)).toBe(50 + 100 + 50 * 200);
    },
  );

  test('takes no other service of the session back there', () => {
    const till = opened(roaming(), { now: EIGHT - 10 * MINUTE, ...home });
    till.now = EIGHT + 5 * MINUTE;
    report(till, { ratingGroup: 2, asked: {} }, { occurredAt: till.now, ...abroad });
    const late = { occurredAt: EIGHT, ...home };
    report(till, { used: { octets: 100 }, asked: {} }, late);
    expect(spent(till)).toBe(100);
    expect(
      till
        .session()!
        .services.map(({ rule }) => rule)
        .sort(),
    ).toEqual(['roaming', 'roaming']);
  });

  test('tells what later ones did not', () => {
    const till = opened(
      planOf([
        ruleOf({ name: 'fast', ...at(7), match: { rat: [6] } }),
        ruleOf({ name: 'home', match: { visited: ['262'] } }),
        ruleOf({ name: 'away', ...at(9) }),
      ]),
      { now: EIGHT - 10 * MINUTE },
    );
    till.now = EIGHT + 5 * MINUTE;
    report(till, { asked: {} }, { occurredAt: till.now, ...home });
    report(till, { asked: {} }, { occurredAt: EIGHT, facts: { visited: '20801', rat: 6 } });
    expect(till.session()!.facts).toEqual({ visited: '26201', rat: 6 });
    expect(till.session()!.services[0]).toMatchObject({ rule: 'fast' });
  });

  test('by a clock that is ahead is no later than now', () => {
    const till = opened(roaming(), { now: EIGHT, occurredAt: EIGHT + 50_000, ...abroad });
    till.now += 10_000;
    report(till, { asked: {} }, { occurredAt: till.now, ...home });
    expect(till.session()).toMatchObject({ ...home, factsAt: till.now });
  });

  test('leaves nothing behind where no rule asks for a place', () => {
    const till = opened(rated(), { now: EIGHT, ...home });
    report(till, { asked: {} }, home);
    expect(till.session()).not.toHaveProperty('factsAt');
  });
});

describe('several services of a request that report for one without quota', () => {
  /** What each order costs. */
  const both = (
    till: Till,
    [first, second]: readonly [Partial<AskedService>, Partial<AskedService>],
  ) => {
    const sums = [];
    for (const services of [
      [first, second],
      [second, first],
    ]) {
      const one = new Till({ plan: till.plan, openings: { main: MONEY } });
      Object.assign(one.counters, till.counters);
      one.records.push(...till.records);
      one.sessions.set('s', till.session()!);
      for (const [key, due] of till.wheel) one.wheel.set(key, due);
      one.now = till.now;
      one.ask(
        requestOf(
          'update',
          ++number,
          services.map((service) => asks(service)),
        ),
      );
      sums.push(spent(one) - spent(till));
      expect(lines(one).reduce((sum, { cost = 0 }) => sum + cost, 0)).toBe(sums.at(-1));
    }
    return sums;
  };
  const reported = (plan: Plan, used: NonNullable<AskedService['used']>) => {
    const till = opened(plan, { now: EIGHT - 10 * MINUTE });
    till.now = EIGHT - 5 * MINUTE;
    report(till, { used });
    till.now = EIGHT + 10 * MINUTE;
    return till;
  };

  test.each([
    ['by the rating group', {}, {}],
    ['by identifiers', { serviceIds: [1] }, { serviceIds: [2] }],
  ])('C-125 seconds are rated by when they passed, in whatever order: %s', (_how, one, other) => {
    const till = reported(rated(seconds()), { seconds: 300 });
    const long = { ...one, used: { seconds: 900 } };
    const short = { ...other, used: { seconds: 60 } };
    expect(both(till, [long, short])).toEqual([3600, 3600]);
  });

  test('also seconds that the session knew nothing of', () => {
    const till = opened(rated(seconds()), { now: EIGHT - HOUR });
    till.now = EIGHT + 10 * MINUTE;
    for (const short of [60, 0]) {
      const long = { ratingGroup: 2, used: { seconds: 900 } };
      const cost = 300 + 5 * 600 + 5 * short;
      const other = { ratingGroup: 2, used: { seconds: short } };
      expect(both(till, [long, other])).toEqual([cost, cost]);
    }
  });

  test('also where a fee makes it matter what came first', () => {
    const price = { amount: 5, per: 1, increment: 1, fee: 100 };
    const early = ruleOf({ name: 'early', ...seconds(), price, ...during(8, 10) });
    const plan = planOf([
      early,
      ruleOf({ name: 'night', ...seconds(), price: { ...price, fee: 7 } }),
    ]);
    const till = reported(plan, { seconds: 300 });
    const cost = 5 * 300 + 100 + 5 * 660;
    const all = [{ used: { seconds: 900 } }, { used: { seconds: 60 } }] as const;
    expect(both(till, all)).toEqual([cost, cost]);
  });

  test('after the session has ended', () => {
    const till = opened(rated(seconds({ validitySeconds: 600 })), { now: EIGHT - 25 * MINUTE });
    till.now = EIGHT - 5 * MINUTE;
    till.abort();
    till.now = EIGHT + 10 * MINUTE;
    const all = [{ used: { seconds: 900 } }, { used: { seconds: 60 } }] as const;
    expect(both(till, all)).toEqual([3600, 3600]);
  });

  test('volume that its client divides beside such as it does not', () => {
    const till = reported(rated(), { octets: 1 });
    const divided = { serviceIds: [1], used: { octets: 100 }, usedAfter: { octets: 40 } };
    const other = { serviceIds: [2], used: { octets: 10 } };
    expect(both(till, [divided, other])).toEqual([310, 310]);
  });
});

describe('a report of nothing', () => {
  test.each([
    ['is held', false],
    ['was taken back', true],
  ])('leaves seconds after the change under the next tariff: the quota %s', (_how, isTaken) => {
    const till = opened(rated(seconds({ validitySeconds: 1200 })), { now: EIGHT - 10 * MINUTE });
    if (isTaken) waitUntil(till, EIGHT + 12 * MINUTE);
    till.now = EIGHT + 20 * MINUTE;
    report(till, { used: { seconds: 0 } });
    expect(lines(till)[0]).not.toHaveProperty('after');
    till.now += 5 * MINUTE;
    report(till, { used: { seconds: 900 } });
    expect(spent(till)).toBe(5 * 900);
    report(till, { used: { seconds: 60 } }, { occurredAt: EIGHT - MINUTE });
    expect(spent(till)).toBe(5 * 900 + 60);
  });
});

describe('use that is not controlled', () => {
  const free = ruleOf({ name: 'free', ...seconds(), uncontrolled: true, ...during(9, 10) });
  const early = ruleOf({ name: 'early', ...seconds(), ...at(5), ...during(8, 9) });
  const night = ruleOf({ name: 'night', ...seconds(), ...at(1) });
  const plan = planOf([early, free, night], { supervisionSeconds: 86_400 });

  test.each([
    ['lay', -10],
    ['did not lie', 10],
  ])('costs nothing, where a change %s within the quota before', (_how, minutes) => {
    const till = opened(plan, { now: EIGHT + minutes * MINUTE });
    till.now = EIGHT + HOUR + MINUTE;
    expect(report(till, { asked: {} })).toMatchObject({ outcome: 'uncontrolled' });
    expect(till.session()!.services[0]).not.toHaveProperty('switch');
    till.plan = { ...plan, version: 2 };
    till.now += 30 * MINUTE;
    till.ask(requestOf('termination', ++number, [asks({ used: { seconds: 1800 } })]));
    expect(spent(till)).toBe(0);
    expect(lines(till)).toMatchObject([{ rule: 'free', planVersion: 1, used: 1800, cost: 0 }]);
  });

  test.each(['octets', 'seconds'] as const)('is none of what it overtook: %s', (unit) => {
    const rules = [free, { ...early, match: {} }].map((rule) => ({ ...rule, unit }));
    const till = opened(planOf(rules), { now: EIGHT + 50 * MINUTE });
    till.now = EIGHT + HOUR + 5000;
    const nine = { occurredAt: EIGHT + HOUR };
    expect(report(till, { used: { [unit]: 20 }, asked: {} }, nine)).toMatchObject({
      outcome: 'uncontrolled',
    });
    report(till, { used: { [unit]: 480 } }, { occurredAt: EIGHT + 58 * MINUTE });
    expect(spent(till)).toBe(5 * 500);
  });
});

describe('volume whose reports an outage held up until its tariff had changed twice', () => {
  const plan = rated();
  /** Of a session opened 10 minutes before 8: what was used by when, and of that after 8. */
  type Sent = { minute: number; octets: number; after?: number };
  const held = (
    sent: readonly Sent[],
    { order, told, asked }: { order: number[]; told: 'single' | 'dual'; asked?: object },
  ) => {
    const part = { tariffChange: told };
    const till = opened(plan, { now: EIGHT - 10 * MINUTE, ...part });
    till.now = EIGHT + 30 * MINUTE;
    for (const at of order) {
      const { minute, octets, after } = sent[at]!;
      const usedAfter = after === undefined ? {} : { usedAfter: { octets: after } };
      const asking = asked === undefined ? {} : { asked };
      const one = { used: { octets }, ...usedAfter, ...asking };
      report(till, one, { ...part, occurredAt: EIGHT + minute * MINUTE });
    }
    return till;
  };

  test.each([
    ['single', 'asks'],
    ['single', 'reports'],
    ['dual', 'asks'],
    ['dual', 'reports'],
  ] as const)(
    'C-083 is divided by the change that each is of, in whatever order: %s, %s',
    (told, how) => {
      const sent = [
        { minute: -2, octets: 50 },
        { minute: 5, octets: 30, after: 10 },
        { minute: 10, octets: 40, after: 40 },
      ];
      const asked = how === 'asks' ? { asked: {} } : {};
      for (const order of [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
        [1, 2, 0],
        [2, 0, 1],
        [2, 1, 0],
      ]) {
        const till = held(sent, { order, told, ...asked });
        expect([order, spent(till)]).toEqual([order, 50 + 20 + 5 * 50]);
        expect(till.session()!.services[0]).toMatchObject({ rule: 'early' });
      }
    },
  );

  test('is not counted anew: its rule is the same all the time', () => {
    const price = { amount: 5, per: 1, increment: 1, fee: 100 };
    const priced = planOf([
      ruleOf({ name: 'early', price, ...during(8, 10) }),
      ruleOf({ name: 'night', ...at(1) }),
    ]);
    const till = opened(priced, { now: EIGHT - 10 * MINUTE, tariffChange: 'single' });
    till.now = EIGHT + 30 * MINUTE;
    for (const minute of [1, 2, 3]) {
      const one = { used: { octets: 10 }, usedAfter: { octets: 10 }, asked: {} };
      const occurredAt = EIGHT + minute * MINUTE;
      report(till, one, { occurredAt, tariffChange: 'single' });
    }
    expect(spent(till)).toBe(100 + 5 * 30);
  });

  test('is rated by what was before its own time, if that is long over', () => {
    const till = opened(plan, { now: EIGHT - 10 * MINUTE, tariffChange: 'single' });
    for (const hours of [0, 2]) {
      till.now = EIGHT + hours * HOUR + 10 * MINUTE;
      const one = { used: { octets: 1 }, usedAfter: { octets: 1 }, asked: {} };
      report(till, one, { tariffChange: 'single' });
    }
    const divided = { used: { octets: 30 }, usedAfter: { octets: 10 } };
    report(till, divided, { occurredAt: EIGHT + 5 * MINUTE });
    expect(spent(till)).toBe(5 + 3 + 20 + 5 * 10);
    expect(lines(till)).toMatchObject([
      { rule: 'day', used: 0 },
      { rule: 'night', used: 20, cost: 20 },
      { rule: 'early', used: 10, cost: 50, countedFrom: 1 },
    ]);
  });

  test('is after the change for a client whose clock is ahead, before it has come here', () => {
    const till = opened(plan, { now: EIGHT - 10 * MINUTE, tariffChange: 'single' });
    till.now = EIGHT - 20_000;
    for (const after of [40, 10]) {
      const one = { used: { octets: 40 }, usedAfter: { octets: after } };
      report(till, one, { tariffChange: 'single' });
    }
    expect(spent(till)).toBe(5 * 40 + 30 + 5 * 10);
  });
});

describe('seconds of a plan that got times after they were granted', () => {
  const flat = ruleOf({ name: 'flat', ...seconds({ validitySeconds: 600 }), ...at(5) });
  const happy = ruleOf({ name: 'happy', ...seconds(), ...at(1), ...during(8, 9) });
  const timed = planOf([happy, flat], { version: 2, supervisionSeconds: 86_400 });
  const grantedBefore = () => {
    const till = opened(planOf([flat], { supervisionSeconds: 86_400 }), { now: EIGHT - HOUR / 2 });
    till.now += MINUTE;
    till.plan = timed;
    return till;
  };
  const cost = 5 * 1800 + 3600 + 5 * 600;

  test('C-125 are split after the grant’s end, taken back or not', () => {
    for (const isTaken of [false, true]) {
      const till = grantedBefore();
      till.now = EIGHT + 70 * MINUTE;
      if (isTaken) till.wake();
      expect(till.session()!.services[0]!.grant === undefined).toBe(isTaken);
      report(till, { used: { seconds: 6000 } });
      expect(spent(till)).toBe(cost);
    }
  });

  test('are split also where the plan changed after the grant was taken back', () => {
    const till = grantedBefore();
    till.plan = { ...planOf([flat]), supervisionSeconds: 86_400 };
    till.now = EIGHT - 10 * MINUTE;
    till.wake();
    till.plan = timed;
    till.now = EIGHT + 70 * MINUTE;
    report(till, { used: { seconds: 6000 } });
    expect(spent(till)).toBe(cost);
  });

  test('are the grant’s to its end', () => {
    const till = opened(planOf([{ ...flat, validitySeconds: 3600 }]), { now: EIGHT - HOUR / 2 });
    till.plan = timed;
    till.now = EIGHT + HOUR / 2;
    report(till, { used: { seconds: 3600 } });
    expect(spent(till)).toBe(5 * 3600);
    till.now += 10_000;
    report(till, { used: { seconds: 10 } });
    expect(spent(till)).toBe(5 * 3600 + 10);
  });

  test('a grant that is reported in time leaves no trace of its end', () => {
    const till = opened(planOf([flat]), { now: EIGHT });
    till.now += MINUTE;
    report(till, { used: { seconds: 60 } });
    expect(till.session()!.services[0]).not.toHaveProperty('ratedUntil');
  });
});
