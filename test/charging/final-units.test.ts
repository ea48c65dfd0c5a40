/** What happens when credit ends, and when it is restored: RFC 8506 5.6, 8.34. */
import { describe, expect, test } from 'vitest';
import type { Final, Plan, Rule } from '../../src/charging/plan.ts';
import type { AskedService, Request } from '../../src/charging/request.ts';
import { asks, planOf, requestOf, ruleOf, START, Till } from './till.ts';

const redirect: Final = { action: 'redirect', redirect: { type: 2, address: 'http://portal' } };
const restrict: Final = { action: 'restrict', filterIds: ['portal-only'] };
const rule = (part: Partial<Rule> = {}): Plan =>
  planOf([ruleOf({ atEnd: redirect, quota: { size: 100, minimum: 10, maximum: 1000 }, ...part })]);

function opened(money: number, part: Partial<Rule> = {}, request: Partial<Request> = {}) {
  const till = new Till({ plan: rule(part), openings: { main: money } });
  const answer = till.ask(requestOf('initial', 0, [asks({ asked: {} })], request));
  return { till, answer, service: answer.services[0] };
}

let numbers = 0;
const report = (till: Till, part: Partial<AskedService>) =>
  till.ask(requestOf('update', ++numbers, [asks(part)])).services[0]!;

const money = (till: Till) => [till.available('main'), till.reserved('main')];
const state = (till: Till) => till.session()!.services[0]!.exhausted;

/** As a store would after a top-up. */
function topUp(till: Till, amount: number): void {
  till.commit('s', {
    ...{ kind: 'change', session: till.session()!, index: 'keep', timer: 'keep' },
    movements: [{ field: 'a:main', delta: amount }],
    record: {
      ...{ kind: 'topup', at: till.now, account: { tenant: 'blue', account: 'anna' } },
      ...{ outcome: 'success', services: [] },
      changes: [{ bucket: 'main', cause: 'topup', available: amount, reserved: 0 }],
    },
  });
}

describe('final units', () => {
  test.each([redirect, restrict, { action: 'terminate' } as const])(
    'C-140 C-141 announce %j',
    (atEnd) => {
      const { till, service } = opened(150, { atEnd });
      expect(service!.final).toBeUndefined();
      const last = report(till, { used: { octets: 100 }, asked: {} });
      expect(last).toMatchObject({ granted: { units: 50 }, final: atEnd });
      expect(state(till)).toBe('final');
      expect(money(till)).toEqual([0, 50]);
    },
  );

  test('are not announced where more is just refused', () => {
    const { till, service } = opened(50, { atEnd: 'deny' });
    expect(service).toMatchObject({ granted: { units: 50 } });
    expect(service!.final).toBeUndefined();
    expect(state(till)).toBeUndefined();
    expect(report(till, { used: { octets: 50 }, asked: {} }).outcome).toBe('credit-limit-reached');
    expect(state(till)).toBe('refused');
  });

  test('may be asked for again before they are used up: they are still the last', () => {
    const { till } = opened(50);
    expect(report(till, { used: { octets: 20 }, asked: {} })).toMatchObject({
      granted: { units: 30 },
      final: redirect,
    });
    expect(state(till)).toBe('final');
  });

  test('after which the account was filled are followed by others', () => {
    const { till } = opened(50);
    topUp(till, 500);
    const next = report(till, { used: { octets: 50 }, asked: {} });
    expect(next.final).toBeUndefined();
    expect(state(till)).toBeUndefined();
  });
});

describe('the action', () => {
  test.each([redirect, restrict])(
    'C-144 that begins is answered with its validity only: %j',
    (atEnd) => {
      const { till } = opened(50, { atEnd });
      expect(report(till, { used: { octets: 50 } })).toEqual({
        ratingGroup: 1,
        serviceIds: [],
        outcome: 'success',
        validitySeconds: 300,
      });
      expect(money(till)).toEqual([0, 0]);
      expect(state(till)).toBe('restricted');
    },
  );

  test('C-131 keeps the session supervised for as long as its client may be silent', () => {
    const { till } = opened(50, { restrictedSeconds: 5000 });
    report(till, { used: { octets: 50 } });
    expect(till.session()!.superviseAt).toBe(START + 10_000_000);
  });

  test('is none with terminate, nor where more is just refused', () => {
    for (const atEnd of [{ action: 'terminate' } as const, 'deny' as const]) {
      const { till } = opened(50, { atEnd });
      expect(report(till, { used: { octets: 50 } }).validitySeconds).toBeUndefined();
    }
  });

  test('has not begun where the client returns its quota, or ends the service', () => {
    for (const reason of [1, 2, 9]) {
      const { till } = opened(50);
      const answer = report(till, { used: { octets: 10 }, reasons: [reason] });
      expect(answer.validitySeconds).toBeUndefined();
      expect(state(till)).toBeUndefined();
      expect(money(till)).toEqual([40, 0]);
    }
  });
});

describe('a client that is restricted', () => {
  function restricted(): Till {
    const { till } = opened(50);
    report(till, { used: { octets: 50 } });
    till.now += 300_000;
    return till;
  }

  test('C-145 asks without a word of units, and is refused while nothing is there', () => {
    const till = restricted();
    expect(report(till, {})).toMatchObject({ outcome: 'credit-limit-reached' });
    expect(state(till)).toBe('refused');
  });

  test('C-145 is granted units once the account was filled: that lifts the restriction', () => {
    const till = restricted();
    topUp(till, 500);
    expect(report(till, {})).toMatchObject({ outcome: 'success', granted: { units: 100 } });
    expect(state(till)).toBeUndefined();
    expect(money(till)).toEqual([400, 100]);
  });

  test('C-149 may as well ask for units in so many words', () => {
    const till = restricted();
    topUp(till, 500);
    expect(report(till, { asked: {} })).toMatchObject({ granted: { units: 100 } });
  });

  test('that only reports usage is granted nothing (C-096)', () => {
    const till = restricted();
    topUp(till, 500);
    expect(report(till, { used: { octets: 0 } })).toMatchObject({ validitySeconds: 300 });
    expect(money(till)).toEqual([500, 0]);
  });

  test('is told its rule’s word: only freshly read data refuses', () => {
    const till = restricted();
    expect(till.decide(requestOf('update', ++numbers, [asks({})]), { fresh: false })).toEqual({
      kind: 'reread',
    });
  });
});

describe('nothing left', () => {
  test.each([redirect, restrict])('C-147 at first: the action begins at once, %j', (atEnd) => {
    const { till, service } = opened(5, { atEnd });
    expect(service).toEqual({
      ratingGroup: 1,
      serviceIds: [],
      outcome: 'success',
      validitySeconds: 300,
      final: atEnd,
    });
    expect(state(till)).toBe('restricted');
    expect(money(till)).toEqual([5, 0]);
    topUp(till, 100);
    expect(report(till, {})).toMatchObject({ granted: { units: 100 } });
  });

  test('C-147 at command level likewise: the session is open', () => {
    const till = new Till({ plan: rule(), openings: {} });
    const answer = till.ask(
      requestOf('initial', 0, [{ serviceIds: [], asked: {} }], { level: 'command' }),
    );
    expect(answer).toMatchObject({ outcome: 'success', services: [{ final: redirect }] });
    expect(till.session()!.state).toBe('open');
  });

  test('C-148 later: final units of none, after which no report is due', () => {
    const { till } = opened(100, { atEnd: redirect }, {});
    topUp(till, 20);
    report(till, { used: { octets: 0 }, asked: {} });
    const answer = report(till, { used: { octets: 120 }, asked: {} });
    expect(answer).toEqual({
      ratingGroup: 1,
      serviceIds: [],
      outcome: 'success',
      granted: { unit: 'octets', units: 0 },
      validitySeconds: 300,
      final: redirect,
    });
    expect(state(till)).toBe('restricted');
  });

  test.each(['deny', { action: 'terminate' }] as const)('C-114 with %j: 4012', (atEnd) => {
    const { till, service } = opened(5, { atEnd });
    expect(service).toMatchObject({ outcome: 'credit-limit-reached' });
    expect(state(till)).toBe('refused');
    topUp(till, 500);
    expect(report(till, { asked: {} })).toMatchObject({ granted: { units: 100 } });
    expect(state(till)).toBeUndefined();
  });

  test('a service that is refused keeps what it was under', () => {
    const { till } = opened(100);
    report(till, { used: { octets: 40 }, asked: {} });
    till.plan = planOf([ruleOf({ name: 'new', price: { amount: 500, per: 1, increment: 1 } })], {
      version: 2,
    });
    expect(report(till, { used: { octets: 20 }, asked: {} }).outcome).toBe('credit-limit-reached');
    expect(till.session()!.services[0]).toMatchObject({
      ...{ rule: 'data', planVersion: 1, rated: 60, cost: 60, used: 60, exhausted: 'refused' },
    });
    expect(report(till, { used: { octets: 10 } }).outcome).toBe('success');
    expect(money(till)).toEqual([30, 0]);
  });
});

describe('at command level', () => {
  const level = { level: 'command' as const };
  const redirect = { action: 'redirect' as const, redirect: { type: 2 as const, address: 'a' } };

  function restrictedAtCommandLevel(): Till {
    const plan = planOf([ruleOf({ atEnd: redirect, staysRestricted: true })]);
    const till = new Till({ plan, openings: { main: 50 } });
    till.ask(requestOf('initial', 0, [{ serviceIds: [5], asked: {} }], level));
    till.ask(requestOf('update', 1, [{ serviceIds: [5], used: { octets: 50 } }], level));
    expect(till.session()!.services).toMatchObject([{ exhausted: 'restricted' }]);
    return till;
  }

  test('C-145 C-149 an update that names nothing asks again while the client is restricted', () => {
    const till = restrictedAtCommandLevel();
    expect(till.ask(requestOf('update', 2))).toMatchObject({
      level: 'command',
      services: [{ validitySeconds: 300 }],
    });
    topUp(till, 500);
    const again = requestOf('update', 3);
    const answer = till.ask(again);
    expect(answer).toMatchObject({
      level: 'command',
      services: [{ serviceIds: [5], granted: { unit: 'octets', units: 100 } }],
    });
    expect(till.session()!.services[0]!.exhausted).toBeUndefined();
    expect(till.ask(again)).toEqual(answer);
    expect(till.reserved('main')).toBe(100);
    expect(till.ask(requestOf('update', 4))).toMatchObject({ level: 'services', services: [] });
  });

  test('the same of a client that speaks of services names none, and is told of none', () => {
    const plan = planOf([ruleOf({ atEnd: redirect })]);
    const till = new Till({ plan, openings: { main: 50 } });
    till.ask(requestOf('initial', 0, [{ serviceIds: [], asked: {} }]));
    till.ask(requestOf('update', 1, [{ serviceIds: [], used: { octets: 50 } }]));
    expect(till.ask(requestOf('update', 2))).toMatchObject({ level: 'services', services: [] });
    expect(till.session()!.services).toMatchObject([{ exhausted: 'restricted' }]);
  });
});
