/** What the services of a request are told, and when they are granted nothing (RFC 8506 8.16). */
import { describe, expect, test } from 'vitest';
import type { Plan, Rule } from '../../src/charging/plan.ts';
import type { AskedService, Facts, Request } from '../../src/charging/request.ts';
import { asks, main, planOf, requestOf, ruleOf, START, Till } from './till.ts';

const used = (octets: number, part = {}) => asks({ used: { octets }, ...part });

function opened(plan: Plan | Partial<Rule>, options = {}, part: Partial<Request> = {}) {
  const rules = 'rules' in plan ? plan : planOf([ruleOf(plan)]);
  const till = new Till({ plan: rules, openings: { main: 1000 }, ...options });
  const answer = till.ask(requestOf('initial', 0, [asks({ asked: {} })], part));
  return { till, answer, service: answer.services[0]! };
}

const ask = (till: Till, number: number, ...services: AskedService[]) =>
  till.ask(requestOf('update', number, services)).services;
const balance = (till: Till) => [till.available('main'), till.reserved('main')];

describe('directives', () => {
  test('are told as the rule has them, envelopes once', () => {
    const directives = { threshold: 20, envelopes: 2, triggers: [] };
    const { till, service } = opened({ directives });
    expect(service.directives).toEqual(directives);
    expect(ask(till, 1, used(80, { asked: {} }))[0]!.directives).toEqual({
      ...{ threshold: 20, triggers: [] },
    });
  });

  test.each([
    [20, 100, 20],
    [99, 100, 99],
    [100, 100, 50],
    [5000, 9, 4],
    [5000, 1, undefined],
    [0, 100, undefined],
    [2 ** 40, 2 ** 45, 0xffff_ffff],
    [2 ** 40, 2 ** 33 + 1, 0xffff_ffff],
  ])('G-040 G-041 a threshold of %d of a grant of %d is %s', (threshold, size, told) => {
    const { service } = opened(
      { directives: { threshold }, quota: { size, minimum: 1, maximum: size } },
      { openings: { main: 2 ** 50 } },
    );
    expect(service.directives?.threshold).toBe(told);
  });

  test('final units have no threshold: there is nothing more to be asked for', () => {
    const { service } = opened({ directives: { threshold: 20 } }, { openings: { main: 60 } });
    expect(service).toMatchObject({ granted: { units: 60 }, final: { action: 'terminate' } });
    expect(service.directives).toBeUndefined();
  });

  test('G-045 G-046 of time go with time, one mechanism at a time', () => {
    const timeMechanism = { type: 'discrete' as const, intervalSeconds: 60 };
    for (const [part, told] of [
      [{ unit: 'seconds', directives: { consumptionSeconds: 5 } }, { consumptionSeconds: 5 }],
      [{ unit: 'octets', directives: { consumptionSeconds: 5, timeMechanism } }, undefined],
      [
        { beside: { seconds: 9 }, directives: { consumptionSeconds: 5 } },
        { consumptionSeconds: 5 },
      ],
      [
        { unit: 'seconds', directives: { consumptionSeconds: 5, timeMechanism } },
        { timeMechanism },
      ],
    ] as const)
      expect(opened(part as Partial<Rule>).service.directives).toEqual(told);
  });

  test('C-072 units of other kinds go beside, free of charge', () => {
    const { till, service } = opened({ beside: { seconds: 600, octets: 5 } });
    expect(service).toMatchObject({ granted: { unit: 'octets', units: 100 } });
    expect(service.beside).toEqual({ seconds: 600 });
    expect(balance(till)).toEqual([900, 100]);
    ask(till, 1, asks({ used: { seconds: 600, octets: 30 } }));
    expect(balance(till)).toEqual([970, 0]);
  });

  test('C-098 of units that the client names only those are granted', () => {
    const till = new Till({
      plan: planOf([ruleOf({ beside: { seconds: 600, units: 3 } })]),
      openings: { main: 1000 },
    });
    const [service] = till.ask(
      requestOf('initial', 0, [asks({ asked: { octets: 40, units: 9 } })]),
    ).services;
    expect(service).toMatchObject({ granted: { unit: 'octets', units: 40 }, beside: { units: 3 } });
    expect(ask(till, 1, asks({ asked: { seconds: 60 } }))[0]!.outcome).toBe('rating-failed');
  });

  test('seconds that are granted have 32 bits', () => {
    const quota = { size: 2 ** 40, minimum: 1, maximum: 2 ** 40 };
    const { till, service } = opened({ unit: 'seconds', quota }, { openings: { main: 2 ** 50 } });
    expect(service.granted).toEqual({ unit: 'seconds', units: 2 ** 32 - 1 });
    expect(till.reserved('main')).toBe(2 ** 32 - 1);
  });
});

describe('without control', () => {
  const plan = planOf([
    ruleOf({ name: 'free', match: { ratingGroup: [1] }, uncontrolled: true }),
    ruleOf({ name: 'paid' }),
  ]);

  test('a service is answered 4011, and what it uses costs nothing', () => {
    const { till, answer, service } = opened(plan);
    expect(answer.outcome).toBe('success');
    expect(service).toEqual({ ratingGroup: 1, serviceIds: [], outcome: 'uncontrolled' });
    ask(till, 1, used(5000));
    expect(balance(till)).toEqual([1000, 0]);
  });

  test('a service that loses it goes on for free, once its grant is debited', () => {
    const { till } = opened({});
    till.plan = { ...plan, version: 2 };
    expect(ask(till, 1, used(40, { asked: {} }))).toMatchObject([{ outcome: 'uncontrolled' }]);
    expect(balance(till)).toEqual([960, 0]);
    ask(till, 2, used(40));
    expect(balance(till)).toEqual([960, 0]);
  });

  test('C-074 at command level no session is kept, or it ends', () => {
    const command = { level: 'command' as const };
    const till = new Till({ plan: planOf([ruleOf({ uncontrolled: true })]) });
    const one = { serviceIds: [], asked: {} };
    expect(till.ask(requestOf('initial', 0, [one], command)).outcome).toBe('uncontrolled');
    expect(till.sessions.size).toBe(0);
    till.plan = planOf([ruleOf({ price: { amount: 0, per: 1, increment: 1 } })]);
    till.ask(requestOf('initial', 0, [one], command));
    till.plan = planOf([ruleOf({ uncontrolled: true }), ruleOf({ name: 'x' })], { version: 2 });
    expect(till.ask(requestOf('update', 1, [one], command)).outcome).toBe('uncontrolled');
    expect(till.session()!.state).toBe('ended');
  });

  test('C-074 nor with a plan that controls nothing, whatever is asked', () => {
    const till = new Till({ plan: planOf([ruleOf({ uncontrolled: true })]) });
    const initial = requestOf('initial', 0, [asks({ asked: {} })]);
    expect(till.decide(initial, { fresh: false })).toEqual({ kind: 'reread' });
    expect(till.ask(initial)).toEqual({ outcome: 'uncontrolled', level: 'services', services: [] });
    expect(till.sessions.size).toBe(0);
  });
});

describe('reporting reasons', () => {
  test('G-044 QHT releases at once, and grants only on request', () => {
    const { till } = opened({});
    expect(ask(till, 1, used(10, { reasons: [1] }))).toEqual([
      { ratingGroup: 1, serviceIds: [], outcome: 'success' },
    ]);
    expect(balance(till)).toEqual([990, 0]);
    expect(ask(till, 2, used(0, { reasons: [1], asked: {} }))).toMatchObject([
      { granted: { units: 100 } },
    ]);
  });

  test('FINAL ends the service: nothing is granted, whatever is asked', () => {
    const { till } = opened({});
    expect(ask(till, 1, used(10, { reasons: [2], asked: {} }))).toEqual([
      { ratingGroup: 1, serviceIds: [], outcome: 'success' },
    ]);
    expect(balance(till)).toEqual([990, 0]);
  });

  test('that nobody knows change nothing, and are recorded', () => {
    const { till } = opened({});
    expect(ask(till, 1, used(10, { reasons: [99, 3], asked: {} }))).toMatchObject([
      { granted: { units: 100 } },
    ]);
    expect(till.records.at(-1)!.services[0]!.reasons).toEqual([99, 3]);
  });
});

describe('units that the tariff does not count', () => {
  test('are no usage of nothing: 5031, nothing is granted, and the record tells', () => {
    const { till } = opened({});
    const report = asks({ used: { seconds: 60 }, asked: {} });
    expect(ask(till, 1, report)).toMatchObject([{ outcome: 'rating-failed' }]);
    expect(balance(till)).toEqual([1000, 0]);
    expect(till.records.at(-1)!.services).toMatchObject([
      { outcome: 'rating-failed', used: 0, unrated: { seconds: 60 } },
    ]);
  });

  test('do not matter beside those that it counts, nor where nothing was used, nor if free', () => {
    const { price: _, ...free } = ruleOf();
    for (const [plan, report] of [
      [planOf([ruleOf()]), { used: { seconds: 60, octets: 5 } }],
      [planOf([ruleOf()]), { used: { seconds: 0 } }],
      [planOf([ruleOf()]), { used: {} }],
      [planOf([ruleOf({ beside: { seconds: 60 } })]), { used: { seconds: 60 } }],
      [planOf([free]), { used: { seconds: 60 } }],
    ] as const) {
      const { till } = opened(plan);
      expect(ask(till, 1, asks(report))).toMatchObject([{ outcome: 'success' }]);
      expect(till.records.at(-1)!.services[0]!.unrated).toBeUndefined();
    }
  });

  test('at command level end the session, even at its own end', () => {
    for (const kind of ['update', 'termination'] as const) {
      const till = new Till({ openings: { main: 1000 } });
      const level = { level: 'command' as const };
      till.ask(requestOf('initial', 0, [{ serviceIds: [], asked: {} }], level));
      const report = requestOf(kind, 1, [{ serviceIds: [], used: { seconds: 5 } }], level);
      expect(till.ask(report)).toMatchObject({ outcome: 'rating-failed', services: [] });
      expect(till.session()!.state).not.toBe('open');
      expect(balance(till)).toEqual([1000, 0]);
    }
  });

  test('C-170 money of another currency cannot be rated', () => {
    const { till } = opened({});
    const [service] = ask(till, 1, asks({ used: { octets: 5 }, foreignMoney: true, asked: {} }));
    expect(service!.outcome).toBe('rating-failed');
    expect(balance(till)).toEqual([995, 0]);
  });
});

describe('the same service twice in one request (C-094)', () => {
  test('is settled once and answered twice: each answer gives its part of one grant', () => {
    const { till } = opened({});
    const answers = ask(
      till,
      1,
      used(30, { asked: { octets: 40 } }),
      used(20, { asked: { octets: 70 } }),
    );
    expect(answers.map(({ granted }) => granted)).toEqual([
      { unit: 'octets', units: 40 },
      { unit: 'octets', units: 70 },
    ]);
    expect(balance(till)).toEqual([840, 110]);
    ask(till, 2, used(110));
    expect(balance(till)).toEqual([840, 0]);
  });

  test('together they are granted no more than the rule does at once', () => {
    const { till } = opened({ quota: { size: 100, minimum: 1, maximum: 120 } });
    const answers = ask(till, 1, asks({ asked: {} }), asks({ asked: {} }), asks({ asked: {} }));
    expect(answers.map(({ outcome, granted }) => [outcome, granted?.units])).toEqual([
      ['success', 100],
      ['success', 20],
      ['success', undefined],
    ]);
    expect(balance(till)).toEqual([880, 120]);
  });

  test('with too little for both the first keeps what it got', () => {
    const quota = { size: 60, minimum: 50, maximum: 1000 };
    const { till } = opened({ quota }, { openings: { main: 110 } });
    const answers = ask(till, 1, asks({ asked: { octets: 10 } }), asks({ asked: {} }));
    expect(answers.map(({ granted }) => granted?.units)).toEqual([10, 60]);
    till.definition = { ...till.definition, buckets: [{ ...main, floor: 75 }] };
    const less = ask(till, 2, used(0, { asked: { octets: 10 } }), asks({ asked: {} }));
    expect(less.map(({ granted }) => granted?.units)).toEqual([10, undefined]);
    expect(balance(till)).toEqual([100, 10]);
  });

  test('one reports and the other asks', () => {
    const { till } = opened({});
    expect(ask(till, 1, used(30), asks({ asked: {} }))).toEqual([
      { ratingGroup: 1, serviceIds: [], outcome: 'success' },
      expect.objectContaining({ granted: { unit: 'octets', units: 100 } }),
    ]);
    expect(balance(till)).toEqual([870, 100]);
  });

  test('with dual quotas each answer gives its part of both', () => {
    const when = [{ from: 480, until: 1200 }];
    const plan = planOf([
      ruleOf({ name: 'day', price: { amount: 3, per: 1, increment: 1 }, match: { when } }),
      ruleOf({ name: 'night' }),
    ]);
    for (const opening of [100_000, 1000, 700, 450, 401]) {
      const till = new Till({ plan, openings: { main: opening } });
      till.now = START + 7 * 3_600_000;
      const twice = [asks({ asked: {} }), asks({ asked: {} })];
      const { services } = till.ask(requestOf('initial', 0, twice, { tariffChange: 'dual' }));
      const { grant } = till.session()!.services[0]!;
      const sum = (units: readonly (number | undefined)[]) =>
        units.reduce<number>((all, one = 0) => all + one, 0);
      expect([
        sum(services.map(({ granted }) => granted?.units)),
        sum(services.map(({ tariffChange }) => tariffChange?.after)),
      ]).toEqual([grant?.units, grant?.switch?.after?.units ?? 0]);
    }
  });

  test('in a pool each answer gives what is added', () => {
    const till = new Till({ plan: planOf([ruleOf({ pool: 7 })]), openings: { main: 150 } });
    const twice = [asks({ asked: { octets: 50 } }), asks({ asked: { octets: 40 } })];
    const { services } = till.ask(requestOf('initial', 0, twice));
    expect(services.map(({ granted }) => granted?.units)).toEqual([50, 40]);
    expect([till.available('main'), till.reserved('main')]).toEqual([60, 90]);
  });

  test('final units are announced with units only', () => {
    const till = new Till({ openings: { main: 100 } });
    const { services } = till.ask(
      requestOf('initial', 0, [asks({ asked: {} }), asks({ asked: {} })]),
    );
    expect(services).toMatchObject([
      { granted: { units: 100 }, final: { action: 'terminate' } },
      { outcome: 'success' },
    ]);
    expect(services[1]!.final).toBeUndefined();
    expect(till.session()!.services[0]).toMatchObject({ exhausted: 'final' });
  });
});

describe('a price that begins anew with each report', () => {
  const price = { amount: 1, per: 1, increment: 10, eachReport: true };

  test('rounds each report up by itself', () => {
    const { till } = opened({ price });
    ask(till, 1, used(1, { asked: {} }));
    ask(till, 2, used(1, { asked: {} }));
    expect(balance(till)).toEqual([1000 - 20 - 100, 100]);
  });

  test('counts what several services report for one grant as one report', () => {
    const { till } = opened({ price });
    ask(till, 1, used(4, { serviceIds: [1] }), used(5, { serviceIds: [2] }));
    expect(balance(till)).toEqual([990, 0]);
  });

  test('goes on beyond the grant within one report', () => {
    const { till } = opened({ price });
    ask(till, 1, used(105));
    expect(balance(till)).toEqual([890, 0]);
  });
});

describe('what requests say of the use', () => {
  const plan = planOf([
    ruleOf({
      name: 'roaming',
      match: { visited: ['208'] },
      price: { amount: 9, per: 1, increment: 1 },
    }),
    ruleOf({ name: 'home' }),
  ]);
  const facts = (visited: string): { facts: Facts } => ({
    facts: { visited, apn: 'internet', rat: 6 },
  });

  test('is kept as far as the plan matches on it, each over what came before', () => {
    const { till } = opened(plan, {}, facts('20801'));
    expect(till.session()!.facts).toEqual({ visited: '20801' });
    expect(till.session()!.services[0]!.rule).toBe('roaming');
    ask(till, 1, used(10, { asked: {} }));
    expect(till.session()!.services[0]!.rule).toBe('roaming');
    till.ask(requestOf('update', 2, [used(10, { asked: {} })], facts('26201')));
    expect(till.session()).toMatchObject({ facts: { visited: '26201' } });
    expect(till.session()!.services[0]).toMatchObject({ rule: 'home', cost: 180 });
    ask(till, 3, used(10));
    expect(till.records.at(-1)!.services[0]!.cost).toBe(10);
  });

  test('is nothing where the plan asks for nothing', () => {
    const { till } = opened({}, {}, facts('20801'));
    expect(till.session()!.facts).toBeUndefined();
    till.ask(requestOf('update', 1, [], facts('20801')));
    expect('facts' in till.session()!).toBe(false);
  });

  test('of one service holds for that service alone', () => {
    const { till } = opened(plan, {}, facts('26201'));
    ask(
      till,
      1,
      asks({ ratingGroup: 2, asked: {}, ...facts('20801') }),
      asks({ ratingGroup: 3, asked: {} }),
    );
    expect(till.session()!.services.map(({ rule }) => rule)).toEqual(['home', 'roaming', 'home']);
    expect(till.session()!.facts).toEqual({ visited: '26201' });
  });

  test('rates late usage of a session that is over', () => {
    const { till } = opened(plan, {}, facts('20801'));
    till.ask(requestOf('termination', 1));
    ask(till, 2, asks({ ratingGroup: 2, used: { octets: 10 } }));
    expect(till.available('main')).toBe(910);
  });
});

describe('notices', () => {
  const telling = (part: Partial<Plan>) => planOf([ruleOf()], part);

  test('C-082 tell what the session has cost, nothing reserved', () => {
    const { till, answer } = opened(telling({ tellsCost: true }));
    expect(answer.cost).toBe(0);
    const report = (number: number, kind: 'update' | 'termination') =>
      till.ask(requestOf(kind, number, [used(30, { asked: {} }), used(5, { ratingGroup: 2 })]));
    expect(report(1, 'update').cost).toBe(35);
    expect(report(2, 'termination').cost).toBe(70);
  });

  test('G-123 tell the money left of all buckets that pay, below zero what is owed', () => {
    const buckets = [
      { ...main, id: 'promotion', priority: 1 },
      { ...main, id: 'later', priority: 2, startsAt: START + 1 },
      { ...main, id: 'over', priority: 3, expiresAt: START },
      { ...main, id: 'cap', priority: 4, limits: ['e164:1'] },
      { ...main, floor: -500 },
    ];
    const openings = { promotion: 50, later: 9, over: 0, cap: 7, main: 200 };
    const { till, answer } = opened(telling({ tellsBalance: true }), { buckets, openings });
    expect(answer.remaining).toBe(150);
    expect(till.ask(requestOf('update', 1, [used(600)])).remaining).toBe(-350);
    expect(till.ask(requestOf('termination', 2)).remaining).toBe(-350);
  });

  test('tell at a termination what was released by it', () => {
    const { till } = opened(telling({ tellsBalance: true }));
    expect(till.ask(requestOf('termination', 1, [used(40)])).remaining).toBe(960);
  });

  test('G-123 tell when money is low, on freshly read data only', () => {
    const plan = telling({ lowBalance: 850 });
    const { till, answer } = opened(plan);
    expect(answer.lowBalance).toBe(false);
    const next = requestOf('update', 1, [used(60, { asked: {} })]);
    expect(till.decide(next, { fresh: false })).toEqual({ kind: 'reread' });
    expect(till.ask(next)).toMatchObject({ lowBalance: true });
    expect(till.ask(requestOf('update', 2)).remaining).toBeUndefined();
    const end = requestOf('termination', 3, [used(100)]);
    expect(till.decide(end, { fresh: false })).toEqual({ kind: 'reread' });
  });

  test('C-190 C-193 say how to go on without a server, while there is anything to go on with', () => {
    const { till, answer } = opened(
      telling({ failureHandling: 'continue', debitFailureHandling: 'terminate-or-buffer' }),
    );
    const told = { failureHandling: 'continue', debitFailureHandling: 'terminate-or-buffer' };
    expect(answer).toMatchObject(told);
    expect(till.ask(requestOf('update', 1))).toMatchObject(told);
    expect(till.ask(requestOf('termination', 2))).not.toHaveProperty('failureHandling');
  });

  test('are not told unless the plan says so', () => {
    const { answer } = opened({});
    expect(Object.keys(answer).sort()).toEqual(['level', 'outcome', 'services']);
  });

  test('are repeated to a duplicate as they were', () => {
    const { till } = opened(telling({ tellsCost: true, tellsBalance: true }));
    const report = requestOf('update', 1, [used(30)]);
    const first = till.ask(report);
    till.ask(requestOf('update', 2, [used(30)]));
    expect(till.ask(report)).toEqual(first);
  });
});
