/** The server's state machine, RFC 8506 7 table 6, row by row, and what goes with it. */
import { describe, expect, test } from 'vitest';
import type { Request } from '../../src/charging/request.ts';
import { asks, planOf, requestOf, ruleOf, START, settings, Till } from './till.ts';

const used = (octets: number, part = {}) => asks({ used: { octets }, ...part });
const refused = { refusal: { resultCode: 5005 } };
const command: Partial<Request> = { level: 'command' };

/** An account with 1000, a session holding 100 of it. */
function opened(options = {}): Till {
  const till = new Till({ openings: { main: 1000 }, ...options });
  till.ask(requestOf('initial', 0, [asks({ asked: {} })]));
  return till;
}

const balance = (till: Till): [available: number, reserved: number] => [
  till.available('main'),
  till.reserved('main'),
];

describe('Idle', () => {
  test('C-020 an initial request is answered with a reservation, and supervised', () => {
    const till = opened();
    expect(balance(till)).toEqual([900, 100]);
    expect(till.session()).toMatchObject({ state: 'open', superviseAt: START + 3_600_000 });
    expect(till.records.map(({ kind }) => kind)).toEqual(['initial']);
  });

  test('C-021 an initial request that is not served leaves nothing', () => {
    const refusals: [Partial<ConstructorParameters<typeof Till>[0]>, Partial<Request>, string][] = [
      [{ definition: { status: 'blocked' } }, {}, 'service-denied'],
      [{ definition: { maxSessions: 0 } }, {}, 'resources-exceeded'],
      [{ plan: planOf([ruleOf({ match: { context: ['x@y'] } })]) }, {}, 'rating-failed'],
      [{ plan: planOf([ruleOf({ denied: true })]) }, command, 'service-denied'],
      [{ plan: planOf([ruleOf({ match: { ratingGroup: [9] } })]) }, command, 'rating-failed'],
      [{ openings: {} }, command, 'credit-limit-reached'],
      [{}, refused, 'refused'],
    ];
    for (const [options, part, outcome] of refusals) {
      const till = new Till({ openings: { main: 1000 }, ...options });
      const request = requestOf('initial', 0, [asks({ asked: {} })], part);
      expect(till.ask(request)).toMatchObject({ outcome, services: [] });
      expect(till.records).toEqual([]);
      expect(till.sessions.size).toBe(0);
    }
  });

  test('no refusal is decided on a hint (design: a hint may grant, never refuse)', () => {
    for (const [options, part] of [
      [{ definition: { status: 'blocked' as const } }, {}],
      [{ definition: { maxSessions: 0 } }, {}],
      [{ plan: planOf([ruleOf({ match: { context: ['x@y'] } })]) }, {}],
      [{ plan: planOf([ruleOf({ denied: true })]) }, command],
      [{ plan: planOf([ruleOf({ match: { ratingGroup: [9] } })]) }, command],
      [{ openings: {} }, command],
      [{ openings: {} }, {}],
      [{ openings: { main: 50 } }, {}],
    ] as const) {
      const till = new Till({ openings: { main: 1000 }, ...options });
      const request = requestOf('initial', 0, [asks({ asked: {} })], part);
      expect(till.decide(request, { fresh: false })).toEqual({ kind: 'reread' });
    }
  });

  test('C-028 an update or a termination without a session is unknown (5002)', () => {
    const till = new Till({ openings: { main: 1000 } });
    for (const kind of ['update', 'termination'] as const)
      expect(till.decide(requestOf(kind, 1, [used(5)]))).toMatchObject({
        kind: 'answer',
        answer: { outcome: 'unknown-session' },
      });
  });

  test('a session may be opened without a service, and served later (C-106)', () => {
    const till = new Till({ openings: { main: 1000 } });
    expect(till.ask(requestOf('initial', 0))).toEqual({
      outcome: 'success',
      level: 'services',
      services: [],
    });
    till.ask(requestOf('update', 1, [asks({ asked: {} })]));
    expect(balance(till)).toEqual([900, 100]);
  });
});

describe('Open', () => {
  test('C-023 an update is debited, gets a new reservation, and restarts supervision', () => {
    const till = opened();
    till.now += 60_000;
    const answer = till.ask(requestOf('update', 1, [used(30, { asked: { octets: 50 } })]));
    expect(answer.services).toMatchObject([{ outcome: 'success', granted: { units: 50 } }]);
    expect(balance(till)).toEqual([920, 50]);
    expect(till.session()!.superviseAt).toBe(till.now + 3_600_000);
  });

  test('C-024 a refused update is debited all the same, and ends the session', () => {
    const till = opened();
    const answer = till.ask(requestOf('update', 1, [used(30, { asked: {} })], refused));
    expect(answer).toEqual({
      outcome: 'refused',
      resultCode: 5005,
      level: 'services',
      services: [],
    });
    expect(balance(till)).toEqual([970, 0]);
    expect(till.session()!.state).toBe('abandoned');
    expect(till.ask(requestOf('update', 1, [used(30, { asked: {} })], refused))).toEqual(answer);
    expect(balance(till)).toEqual([970, 0]);
  });

  test('C-024 at command level a service that is refused is the session', () => {
    const till = new Till({ openings: { main: 120 } });
    till.ask(requestOf('initial', 0, [{ serviceIds: [], asked: {} }], command));
    const update = requestOf(
      'update',
      1,
      [{ serviceIds: [], used: { octets: 120 }, asked: {} }],
      command,
    );
    expect(till.ask(update)).toMatchObject({ outcome: 'credit-limit-reached', services: [] });
    expect(balance(till)).toEqual([0, 0]);
    expect(till.session()!.state).toBe('abandoned');
  });

  test('C-101 in services a refusal is one service’s, and the session goes on', () => {
    const plan = planOf([
      ruleOf({ name: 'no', match: { ratingGroup: [2] }, denied: true }),
      ruleOf({ match: { ratingGroup: [1] } }),
    ]);
    const till = opened({ plan });
    const answer = till.ask(
      requestOf('update', 1, [
        used(10, { asked: {} }),
        used(7, { ratingGroup: 2, asked: {} }),
        used(7, { ratingGroup: 3, asked: {} }),
      ]),
    );
    expect(answer.outcome).toBe('success');
    expect(answer.services.map(({ outcome }) => outcome)).toEqual([
      'success',
      'service-denied',
      'rating-failed',
    ]);
    expect(till.session()!.state).toBe('open');
  });

  test('C-025 a termination is debited, and everything reserved is free again', () => {
    const till = opened();
    till.ask(requestOf('update', 1, [asks({ ratingGroup: 2, asked: {} })]));
    expect(balance(till)).toEqual([800, 200]);
    till.now += 1000;
    const answer = till.ask(requestOf('termination', 2, [used(40, { asked: {} })]));
    expect(answer.services).toEqual([{ ratingGroup: 1, serviceIds: [], outcome: 'success' }]);
    expect(balance(till)).toEqual([960, 0]);
    expect(till.session()).toMatchObject({ state: 'ended' });
    expect(till.wheel.size).toBe(0);
  });

  test('C-026 a termination that is refused, or that cannot be rated, closes all the same', () => {
    for (const part of [refused, {}]) {
      const till = opened({ plan: planOf([ruleOf({ match: { ratingGroup: [1] } })]) });
      const services = [used(40), used(5, { ratingGroup: 2 })];
      const answer = till.ask(requestOf('termination', 1, services, part));
      expect(balance(till)).toEqual([960, 0]);
      expect(till.session()!.state).not.toBe('open');
      if (answer.outcome === 'success')
        expect(answer.services.map(({ outcome }) => outcome)).toEqual(['success', 'rating-failed']);
    }
  });

  test('C-027 supervision releases what is reserved', () => {
    const till = opened();
    till.now += 3_599_999;
    expect(till.wake()).toBe('rearm');
    till.now += 1;
    expect(till.wake()).toBe('change');
    expect(balance(till)).toEqual([1000, 0]);
    expect(till.session()!.state).toBe('abandoned');
    expect(till.records.at(-1)).toMatchObject({ kind: 'supervision', at: till.now });
  });

  test('C-062 a second initial of an open session contradicts; the same one is a duplicate', () => {
    const till = opened();
    const again = requestOf('initial', 0, [asks({ asked: {} })]);
    expect(till.ask(again).services).toMatchObject([{ granted: { units: 100 } }]);
    expect(till.ask({ ...again, number: 1 }).outcome).toBe('contradiction');
    expect(till.decide(requestOf('initial', 0))).toMatchObject({ alarm: 'number-reused' });
    expect(balance(till)).toEqual([900, 100]);
  });

  test('C-014 updates out of order are all served', () => {
    const till = opened();
    till.ask(requestOf('update', 3, [used(10)]));
    till.ask(requestOf('update', 2, [used(20)]));
    till.ask(requestOf('update', 4_294_967_295, [used(30)]));
    expect(till.available('main') + till.reserved('main')).toBe(940);
  });

  test('C-064 with loose numbering one number stands for every request that differs', () => {
    const till = opened();
    const loose = (octets: number) =>
      requestOf('update', 1, [used(octets)], { looseNumbering: true });
    for (const octets of [10, 20, 20, 10]) expect(till.ask(loose(octets)).outcome).toBe('success');
    expect(till.available('main')).toBe(970);
    expect(till.ask(requestOf('update', 1, [used(5)])).outcome).toBe('contradiction');
    expect(till.available('main')).toBe(970);
  });

  test('an account that is blocked grants nothing more, and is debited what was used', () => {
    const till = opened();
    till.definition = { ...till.definition, status: 'blocked' };
    const answer = till.ask(requestOf('update', 1, [used(10, { asked: {} })]));
    expect(answer.services.map(({ outcome }) => outcome)).toEqual(['service-denied']);
    expect(balance(till)).toEqual([990, 0]);
  });

  test('an abort releases what is reserved', () => {
    const till = opened();
    till.abort();
    expect(balance(till)).toEqual([1000, 0]);
    expect(till.session()!.state).toBe('abandoned');
  });
});

describe('ended', () => {
  function ended(): Till {
    const till = opened();
    till.ask(requestOf('termination', 5, [used(10)]));
    return till;
  }

  test('late usage under a new number is debited, recorded and answered 5002', () => {
    const till = ended();
    expect(till.ask(requestOf('update', 4, [used(15)])).outcome).toBe('unknown-session');
    expect(balance(till)).toEqual([975, 0]);
    expect(till.records.at(-1)).toMatchObject({ kind: 'late-usage', requestNumber: 4 });
  });

  test('late usage is debited once', () => {
    const till = ended();
    const late = requestOf('update', 4, [used(15)]);
    expect(till.ask(late)).toEqual(till.ask(late));
    expect(balance(till)).toEqual([975, 0]);
  });

  test('late usage keeps the tombstone’s time to live and touches no index', () => {
    expect(ended().decide(requestOf('update', 4, [used(15)]))).toMatchObject({
      ttlMs: 'keep',
      index: 'keep',
      timer: 'keep',
    });
  });

  test('a duplicate of the termination is answered as before', () => {
    const till = ended();
    expect(till.ask(requestOf('termination', 5, [used(10)])).outcome).toBe('success');
    expect(balance(till)).toEqual([990, 0]);
  });

  test('nothing is granted, and nothing without usage moves', () => {
    const till = ended();
    const records = till.records.length;
    expect(till.ask(requestOf('update', 6, [asks({ asked: {} })])).outcome).toBe('unknown-session');
    expect(till.ask(requestOf('update', 7, [], refused)).outcome).toBe('refused');
    expect(till.records).toHaveLength(records);
  });

  test('an initial request is refused (5012): a Session-Id is unique for ever', () => {
    expect(ended().ask(requestOf('initial', 9, [asks({ asked: {} })])).outcome).toBe(
      'contradiction',
    );
  });

  test('tombstones live as long as it is told who ended the session', () => {
    const till = opened();
    expect(till.decide(requestOf('termination', 1))).toMatchObject({ ttlMs: settings.endedMs });
    expect(till.decide(requestOf('update', 1, [], refused))).toMatchObject({
      ttlMs: settings.abandonedMs,
    });
  });
});

describe('services', () => {
  test('C-104 usage of single services counts against their rating group’s one grant', () => {
    const till = new Till({ openings: { main: 100 } });
    till.ask(requestOf('initial', 0, [asks({ asked: {} })]));
    till.ask(
      requestOf('update', 1, [used(40, { serviceIds: [1] }), used(50, { serviceIds: [2] })]),
    );
    expect(balance(till)).toEqual([10, 0]);
    expect(till.records.at(-1)!.changes).toEqual([
      { bucket: 'main', cause: 'debit', available: 0, reserved: -90 },
      { bucket: 'main', cause: 'release', available: 10, reserved: -10 },
    ]);
    expect(till.records.at(-1)!.services.map(({ used: units, cost }) => [units, cost])).toEqual([
      [40, 40],
      [50, 50],
    ]);
  });

  test('C-093 a service of a group that asks for itself has a grant of its own', () => {
    const till = opened();
    till.ask(requestOf('update', 1, [asks({ serviceIds: [7], asked: {} })]));
    expect(balance(till)).toEqual([800, 200]);
  });

  test('C-096 usage without a request for units is debited and granted nothing', () => {
    const till = opened();
    expect(till.ask(requestOf('update', 1, [used(10)])).services).toEqual([
      { ratingGroup: 1, serviceIds: [], outcome: 'success' },
    ]);
    expect(balance(till)).toEqual([990, 0]);
  });

  test('C-098 units of another kind than the tariff’s cannot be rated', () => {
    const till = opened();
    const answer = till.ask(requestOf('update', 1, [asks({ asked: { seconds: 60 } })]));
    expect(answer.services).toMatchObject([{ outcome: 'rating-failed' }]);
    const both = till.ask(requestOf('update', 2, [asks({ asked: { seconds: 60, octets: 5 } })]));
    expect(both.services).toMatchObject([{ granted: { unit: 'octets', units: 5 } }]);
  });

  test('usage that no rule rates is answered 5031, usage of nothing is not', () => {
    const till = opened({ plan: planOf([ruleOf({ match: { ratingGroup: [1] } })]) });
    const outcomes = till
      .ask(requestOf('update', 1, [used(5, { ratingGroup: 2 }), used(0, { ratingGroup: 3 })]))
      .services.map(({ outcome }) => outcome);
    expect(outcomes).toEqual(['rating-failed', 'success']);
  });

  test('C-077 usage beyond its grant is debited, below zero if it must be', () => {
    const till = opened();
    till.ask(requestOf('update', 1, [used(1500, { asked: {} })]));
    expect(balance(till)).toEqual([-500, 0]);
  });

  test('a rule that changes keeps the old price for what was granted under it', () => {
    const till = opened();
    till.plan = planOf([ruleOf({ price: { amount: 5, per: 1, increment: 1 } })], { version: 2 });
    till.ask(requestOf('update', 1, [used(100, { asked: { octets: 10 } })]));
    expect(balance(till)).toEqual([850, 50]);
  });
});

describe('services of a session', () => {
  const request = (number: number, groups: readonly number[], part: object) =>
    requestOf(
      number === 0 ? 'initial' : 'update',
      number,
      groups.map((ratingGroup) => asks({ ratingGroup, ...part })),
    );
  const groups = (from: number, count: number) => Array.from({ length: count }, (_, i) => from + i);

  test('that hold quota are bounded: one more is refused, its usage is still debited', () => {
    const till = new Till({ openings: { main: 1_000_000 } });
    till.ask(request(0, groups(1, 1_000), { asked: { octets: 10 } }));
    const answer = till.ask(request(1, [5_000], { asked: {}, used: { octets: 7 } }));
    expect(answer.services).toMatchObject([{ outcome: 'resources-exceeded' }]);
    expect(till.session()!.services).toHaveLength(1_000);
    expect([till.available('main'), till.reserved('main')]).toEqual([989_993, 10_000]);
  });

  test('without quota are forgotten beyond the bound, the oldest first', () => {
    const till = new Till({ openings: { main: 1_000_000 } });
    till.ask(request(0, [1], { asked: {} }));
    till.ask(request(1, groups(2, 600), { used: { octets: 1 } }));
    till.ask(request(2, groups(602, 600), { used: { octets: 1 } }));
    const kept = till.session()!.services.map(({ ratingGroup }) => ratingGroup);
    expect(kept).toHaveLength(1_000);
    expect(kept.slice(0, 2)).toEqual([1, 203]);
    expect(till.available('main')).toBe(1_000_000 - 100 - 1_200);
  });
});
