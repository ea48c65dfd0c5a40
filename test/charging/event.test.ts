/** One-time events: what they take, give back and tell, and what they refuse (RFC 8506 6). */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bucket } from '../../src/charging/account.ts';
import type { Answer } from '../../src/charging/answer.ts';
import {
  type EventDecision,
  type EventEffect,
  type EventKnown,
  type EventRequest,
  eventDigest,
  eventKey,
  stepEvent,
} from '../../src/charging/event.ts';
import { LIMIT } from '../../src/charging/money.ts';
import { debitKeyOf, refundInformationOf } from '../../src/charging/refund.ts';
import type { AskedService } from '../../src/charging/request.ts';
import { atCommand, eventOf, money, sms, units } from './events.ts';
import { asks, bundle, main, planOf, Till, type TillOptions } from './till.ts';

const nonce = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8);

/** A till that events are booked in. */
class EventTill extends Till {
  constructor(options: TillOptions = {}) {
    super({ openings: { main: 100 }, plan: planOf([sms]), ...options });
  }

  event(request: EventRequest, part: Partial<EventKnown> = {}): EventDecision {
    return stepEvent(request, {
      now: this.now,
      account: this.account(),
      plan: this.plan,
      fresh: true,
      proof: refundInformationOf(eventKey(request), nonce),
      ...part,
    });
  }

  book(request: EventRequest, part: Partial<EventKnown> = {}): Answer {
    const decision = this.event(request, part);
    if (decision.kind === 'reread') throw new Error('a fresh decision asks for another read');
    if (decision.kind === 'change') {
      this.move(decision.movements);
      this.records.push(decision.record);
      this.check();
    }
    return decision.answer;
  }

  /** Books a debit and returns what its key keeps. */
  effect(request: EventRequest): EventEffect {
    const decision = this.event(request);
    if (decision.kind !== 'change') throw new Error(`no debit: ${decision.kind}`);
    this.book(request);
    const { answer, taken } = decision;
    const digest = eventDigest(request);
    return { by: eventKey(request), digest, at: this.now, answer, taken };
  }
}

function refundOf(effect: EventEffect, part: Partial<EventRequest> = {}): EventRequest {
  const { refundInformation } = effect.answer;
  if (refundInformation === undefined) throw new Error('nothing proves the debit');
  return eventOf('refund', [asks({})], { sessionId: 'r', refundInformation, ...part });
}

describe('direct debiting (6.3)', () => {
  // Whoever decided on what another worker has topped up, or handed back, must not burn the money.
  test('takes what is there by now, or nothing of what was seen before', () => {
    const held = fc.record({ a: fc.nat(6), b: fc.nat(6), main: fc.nat(60) });
    fc.assert(
      fc.property(held, held, fc.integer({ min: 1, max: 8 }), (seen, more, wanted) => {
        const paysFor = ['sms'];
        const buckets = [
          bundle('a', { unit: 'units', paysFor }),
          bundle('b', { unit: 'units', paysFor }),
          main,
        ];
        const deltasOf = (openings: Record<string, number>) => {
          const till = new EventTill({ buckets, openings, plan: planOf([sms]) });
          const decision = till.event(eventOf('debit', [units(wanted)]), { fresh: false });
          return decision.kind === 'change' ? decision.movements : undefined;
        };
        const now = {
          a: seen.a + more.a,
          b: seen.b + more.b,
          main: seen.main + more.main,
        };
        const hinted = deltasOf(seen);
        // Nothing is refused on a hint.
        if (hinted === undefined) return;
        const holds = hinted.every(({ field, max }) => {
          const bucket = field.startsWith('a:') ? field.slice(2) : undefined;
          return bucket === undefined || max === undefined || now[bucket as 'a'] <= max;
        });
        if (!holds) return;
        const moved = (movements: typeof hinted) =>
          movements.filter(({ delta }) => delta !== 0).map(({ field, delta }) => [field, delta]);
        expect(moved(hinted)).toEqual(moved(deltasOf(now) ?? []));
      }),
    );
  });

  test('takes what it costs at once and grants the debited units', () => {
    const till = new EventTill();
    expect(till.book(eventOf('debit', [units(3)]))).toMatchObject({
      outcome: 'success',
      services: [{ ratingGroup: 1, outcome: 'success', granted: { unit: 'units', units: 3 } }],
      cost: 30,
    });
    expect([till.available('main'), till.reserved('main')]).toEqual([70, 0]);
    expect(till.records).toMatchObject([
      {
        kind: 'debit',
        sessionId: 'e',
        requestNumber: 0,
        outcome: 'success',
        services: [{ rule: 'sms', unit: 'units', used: 3, granted: 3, cost: 30 }],
      },
    ]);
  });

  test('at command level answers at command level', () => {
    const till = new EventTill();
    const asked: AskedService = { serviceIds: [7], asked: { units: 2 } };
    expect(till.book(eventOf('debit', [asked], atCommand))).toMatchObject({
      outcome: 'success',
      level: 'command',
      services: [{ serviceIds: [7], granted: { unit: 'units', units: 2 } }],
    });
    expect(till.available('main')).toBe(80);
  });

  test('without units is one event', () => {
    const till = new EventTill();
    for (const services of [[], [asks({})], [asks({ asked: {} })]])
      till.book(eventOf('debit', services));
    expect(till.available('main')).toBe(70);
  });

  test('an amount of money is deducted as it is', () => {
    const till = new EventTill();
    expect(till.book(eventOf('debit', [money(33)]))).toMatchObject({
      services: [{ granted: { unit: 'money', units: 33 } }],
      cost: 33,
    });
    expect(till.available('main')).toBe(67);
  });

  test('more than there is gets 4012 and takes nothing', () => {
    const till = new EventTill();
    expect(till.event(eventOf('debit', [units(11)]))).toMatchObject({
      kind: 'answer',
      answer: { outcome: 'success', services: [{ outcome: 'credit-limit-reached' }] },
    });
    expect(till.book(eventOf('debit', [units(11)], atCommand))).toEqual({
      outcome: 'credit-limit-reached',
      level: 'command',
      services: [],
    });
    expect(till.available('main')).toBe(100);
    expect(till.book(eventOf('debit', [units(10)], atCommand)).outcome).toBe('success');
  });

  test('a hint may debit and never refuse', () => {
    const till = new EventTill();
    const hint = { fresh: false };
    expect(till.event(eventOf('debit', [units(10)]), hint).kind).toBe('change');
    for (const refused of [units(11), units(1, { ratingGroup: 2 })]) {
      till.plan = planOf([{ ...sms, match: { ratingGroup: [1] } }]);
      expect(till.event(eventOf('debit', [refused]), hint).kind).toBe('reread');
    }
  });

  test('bundles pay before money, as far as they reach', () => {
    const till = new EventTill({
      buckets: [bundle('b', { unit: 'units' }), main],
      openings: { b: 4, main: 100 },
    });
    expect(till.book(eventOf('debit', [units(6)]))).toMatchObject({
      services: [{ granted: { units: 6 } }],
      cost: 20,
    });
    expect([till.available('b'), till.available('main')]).toEqual([0, 80]);
  });

  test('a credit limit is as low as it goes', () => {
    const till = new EventTill({ buckets: [{ ...main, floor: -50 }] });
    expect(till.book(eventOf('debit', [units(15)], atCommand)).outcome).toBe('success');
    expect(till.available('main')).toBe(-50);
    expect(till.book(eventOf('debit', [units(1)], atCommand)).outcome).toBe('credit-limit-reached');
  });

  test('counts in what limits its subscriber', () => {
    const limit: Bucket = { ...main, id: 'cap', limits: ['e164:49170'] };
    const till = new EventTill({ buckets: [limit, main], openings: { cap: 25, main: 100 } });
    till.book(eventOf('debit', [units(2)]));
    expect([till.available('cap'), till.available('main')]).toEqual([5, 80]);
    expect(till.book(eventOf('debit', [units(1)], atCommand)).outcome).toBe('credit-limit-reached');
    const other = eventOf('debit', [units(1)], { subscriber: { kind: 'e164', id: '1' } });
    expect(till.book(other).services[0]?.outcome).toBe('success');
  });

  test('several services are debited one by one', () => {
    const till = new EventTill();
    const services = [
      units(6, { ratingGroup: 1 }),
      units(5, { ratingGroup: 2 }),
      units(4, { ratingGroup: 3 }),
    ];
    expect(till.book(eventOf('debit', services))).toMatchObject({
      outcome: 'success',
      cost: 100,
      services: [
        { outcome: 'success', granted: { units: 6 } },
        { outcome: 'credit-limit-reached' },
        { outcome: 'success', granted: { units: 4 } },
      ],
    });
    expect(till.available('main')).toBe(0);
  });

  test('what is free, or not controlled, is 4011', () => {
    const { price: _none, ...free } = sms;
    for (const rule of [free, { ...sms, uncontrolled: true }]) {
      const till = new EventTill({ plan: planOf([rule]) });
      expect(till.event(eventOf('debit', [units(1)], atCommand))).toMatchObject({
        kind: 'answer',
        answer: { outcome: 'uncontrolled' },
      });
      expect(till.book(eventOf('debit', [units(1)])).services[0]?.outcome).toBe('uncontrolled');
    }
  });

  test('a denied service, a blocked account, and what nothing rates', () => {
    const outcome = (till: EventTill, request: EventRequest) => till.book(request).outcome;
    const one = eventOf('debit', [units(1)], atCommand);
    expect(outcome(new EventTill({ plan: planOf([{ ...sms, denied: true }]) }), one)).toBe(
      'service-denied',
    );
    expect(outcome(new EventTill({ definition: { status: 'blocked' } }), one)).toBe(
      'service-denied',
    );
    const elsewhere = planOf([{ ...sms, match: { context: ['32251@3gpp.org'] } }]);
    expect(outcome(new EventTill({ plan: elsewhere }), one)).toBe('rating-failed');
    const octets = eventOf('debit', [asks({ asked: { octets: 5 } })], atCommand);
    expect(outcome(new EventTill(), octets)).toBe('rating-failed');
    const foreign = eventOf('debit', [asks({ asked: {}, foreignMoney: true })], atCommand);
    expect(outcome(new EventTill(), foreign)).toBe('rating-failed');
  });

  test('no units at all cost nothing and leave nothing behind', () => {
    const till = new EventTill();
    expect(till.event(eventOf('debit', [units(0)]))).toMatchObject({
      kind: 'answer',
      answer: { services: [{ outcome: 'success', granted: { units: 0 } }] },
    });
  });

  test('is rated by the time of the event, not of the request', () => {
    const night = { ...sms, name: 'night', price: { amount: 1, per: 1, increment: 1 } };
    const plan = planOf([{ ...night, match: { when: [{ from: 0, until: 60 }] } }, sms]);
    const till = new EventTill({ plan });
    till.now += 2 * 3_600_000;
    till.book(eventOf('debit', [units(1)], { occurredAt: till.now - 3_600_001 }));
    till.book(eventOf('debit', [units(1)]));
    expect(till.available('main')).toBe(89);
  });

  test('is not part of a session: minimum, fee and increment count for each', () => {
    const price = { amount: 1, per: 1, increment: 10, fee: 5, minimum: 20 };
    const till = new EventTill({ plan: planOf([{ ...sms, price }]) });
    till.book(eventOf('debit', [units(3)]));
    till.book(eventOf('debit', [units(21)]));
    expect(till.available('main')).toBe(100 - 25 - 35);
  });

  test('takes from an account what it costs or nothing, whatever is asked', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 1, maxLength: 5 }),
        fc.integer({ min: 0, max: 150 }),
        fc.integer({ min: 0, max: 6 }),
        (asked, opening, inBundle) => {
          const till = new EventTill({
            buckets: [bundle('b', { unit: 'units' }), main],
            openings: { b: inBundle, main: opening },
          });
          const services = asked.map((amount, ratingGroup) => units(amount, { ratingGroup }));
          const answer = till.book(eventOf('debit', services));
          const debited = answer.services.reduce((sum, one) => sum + (one.granted?.units ?? 0), 0);
          const bundled = inBundle - till.available('b');
          expect(opening - till.available('main')).toBe(answer.cost ?? 0);
          expect((debited - bundled) * 10).toBe(answer.cost ?? 0);
          expect(till.available('main')).toBeGreaterThanOrEqual(0);
          expect(till.available('b')).toBeGreaterThanOrEqual(0);
        },
      ),
    );
  });
});

describe('what an answer says of the account', () => {
  const plan = planOf([sms], { tellsBalance: true, lowBalance: 50, refunds: { maximum: 100 } });
  const hint = { fresh: false };

  test('is what is left after the event', () => {
    const till = new EventTill({ plan });
    const former = till.effect(eventOf('debit', [units(3)]));
    expect(former.answer).toMatchObject({ remaining: 70, lowBalance: false });
    expect(till.book(eventOf('debit', [units(3)]))).toMatchObject({
      remaining: 40,
      lowBalance: true,
    });
    expect(till.book(refundOf(former), { former })).toMatchObject({ remaining: 70 });
    expect(till.book(eventOf('refund', [money(5)]))).toMatchObject({
      remaining: 75,
      lowBalance: false,
    });
  });

  test('is no news of little money on a hint', () => {
    const till = new EventTill({ plan, openings: { main: 60 } });
    expect(till.event(eventOf('debit', [units(1)]), hint).kind).toBe('change');
    expect(till.event(eventOf('debit', [units(2)]), hint).kind).toBe('reread');
    const former = till.effect(eventOf('debit', [units(5)]));
    till.book(eventOf('debit', [units(1)]));
    till.plan = { ...plan, lowBalance: 90 };
    expect(till.event(refundOf(former), { ...hint, former }).kind).toBe('reread');
  });

  test('is told how to go on where no server is reached', () => {
    const till = new EventTill({ plan: planOf([sms], { debitFailureHandling: 'continue' }) });
    expect(till.book(eventOf('debit', [units(1)]))).toMatchObject({
      debitFailureHandling: 'continue',
    });
  });
});

describe('a message to several recipients', () => {
  const dear = { ...sms, name: 'dear', match: { called: ['4990'] } };
  const plan = planOf([{ ...dear, price: { amount: 200, per: 1, increment: 1 } }, sms]);
  const to = (recipients: (string | undefined)[], count = recipients.length) =>
    units(count, { recipients });
  const facts = { called: '491701' };

  test('costs what each of them costs, by the rule for each', () => {
    const till = new EventTill({ plan, openings: { main: 1000 } });
    const answer = till.book(eventOf('debit', [to(['491701', '49901', undefined])], { facts }));
    expect(answer).toMatchObject({
      services: [{ outcome: 'success', granted: { unit: 'units', units: 3 } }],
      cost: 220,
    });
    expect(answer.services).toHaveLength(1);
    expect(till.available('main')).toBe(780);
    expect(till.records[0]?.services).toMatchObject([
      { rule: 'sms', used: 2, granted: 2, cost: 20 },
      { rule: 'dear', used: 1, granted: 1, cost: 200 },
    ]);
  });

  test('is not priced by the first of them, in whatever order', () => {
    for (const order of [
      ['49901', '491701'],
      ['491701', '49901'],
    ]) {
      const till = new EventTill({ plan, openings: { main: 1000 } });
      till.book(eventOf('debit', [to(order)], { facts: { called: order[0]! } }));
      expect(till.available('main')).toBe(790);
      expect(till.book(eventOf('price-enquiry', [to(order)])).cost).toBe(210);
    }
  });

  test('is paid for all of them or for none', () => {
    const till = new EventTill({ plan, openings: { main: 205 } });
    expect(till.book(eventOf('balance-check', [to(['1', '49901'])])).enough).toBe(false);
    expect(till.book(eventOf('debit', [to(['1', '49901'])], atCommand)).outcome).toBe(
      'credit-limit-reached',
    );
    expect(till.records).toEqual([]);
    const both = [to(['1', '49901']), units(2, { ratingGroup: 2 })];
    expect(till.book(eventOf('debit', both))).toMatchObject({
      services: [{ outcome: 'credit-limit-reached' }, { outcome: 'success' }],
      cost: 20,
    });
    expect(till.available('main')).toBe(185);
  });

  test('several parts to each are divided evenly; what is not is not rated', () => {
    const till = new EventTill({ plan, openings: { main: 1000 } });
    till.book(eventOf('debit', [to(['1', '49901'], 4)]));
    expect(till.available('main')).toBe(580);
    const odd = eventOf('debit', [to(['1', '49901'], 3)], { ...atCommand, sessionId: 'odd' });
    expect(till.book(odd).outcome).toBe('rating-failed');
    till.book(eventOf('debit', [to(['1', '2'], 3)], { sessionId: 'alike' }));
    expect(till.available('main')).toBe(550);
  });

  test('who is free costs nothing beside others, and who is denied denies it', () => {
    const { price: _none, ...free } = { ...sms, name: 'free', match: { called: ['800'] } };
    const denied = { ...sms, name: 'no', match: { called: ['900'] }, denied: true };
    const till = new EventTill({ plan: planOf([free, denied, sms]) });
    expect(till.book(eventOf('debit', [to(['800', '1', '800'])]))).toMatchObject({
      services: [{ granted: { unit: 'units', units: 3 } }],
      cost: 10,
    });
    const all = (numbers: string[]) =>
      till.book(eventOf('debit', [to(numbers)], { ...atCommand, sessionId: numbers.join() }));
    expect(all(['800', '8001']).outcome).toBe('uncontrolled');
    expect(all(['1', '900']).outcome).toBe('service-denied');
    expect(till.available('main')).toBe(90);
  });

  test('in octets costs what its client counts, or the quota size for each', () => {
    const octets = {
      ...sms,
      unit: 'octets' as const,
      price: { amount: 1, per: 10, increment: 10 },
    };
    const till = new EventTill({
      plan: planOf([{ ...octets, quota: { size: 50, minimum: 1, maximum: 50 } }]),
      openings: { main: 1000 },
    });
    const cost = (sessionId: string, part: Partial<AskedService>) =>
      till.book(eventOf('debit', [asks(part)], { sessionId })).cost;
    const three = ['1', '2', '3'];
    expect(cost('one', { asked: {} })).toBe(5);
    expect(cost('three', { asked: {}, recipients: three, messages: 3 })).toBe(15);
    expect(cost('parts', { messages: 2 })).toBe(10);
    expect(cost('named', { asked: { octets: 500 }, recipients: three })).toBe(50);
  });

  test('that names no units is refunded for those whom the refund names', () => {
    const till = new EventTill({ plan, openings: { main: 1000 } });
    const three = asks({ recipients: ['1', '2', '3'], messages: 3 });
    const former = till.effect(eventOf('debit', [three]));
    const { refundInformation } = refundOf(former);
    const two = asks({ recipients: ['1', '2'], messages: 2 });
    till.book(eventOf('refund', [two], { sessionId: 'r', refundInformation: refundInformation! }), {
      former,
    });
    expect(till.available('main')).toBe(990);
  });

  test('is refunded as it was debited', () => {
    const till = new EventTill({ plan, openings: { main: 1000 } });
    const former = till.effect(eventOf('debit', [to(['1', '49901'])]));
    till.book(refundOf(former), { former });
    expect(till.available('main')).toBe(1000);
  });
});

describe('refunds (6.4)', () => {
  const plan = planOf([sms], { refunds: { maximum: 40 } });

  test('give the money that is given, or what the units would cost', () => {
    const till = new EventTill({ plan });
    expect(till.book(eventOf('refund', [money(15)]))).toMatchObject({
      services: [{ granted: { unit: 'money', units: 15 } }],
      cost: 15,
    });
    expect(till.book(eventOf('refund', [units(2)]))).toMatchObject({
      services: [{ granted: { unit: 'units', units: 2 } }],
      cost: 20,
    });
    expect(till.available('main')).toBe(135);
    expect(till.records).toMatchObject([
      { kind: 'refund', changes: [{ bucket: 'main', cause: 'refund', available: 15 }] },
      { kind: 'refund', services: [{ rule: 'sms', granted: 2, cost: -20 }] },
    ]);
  });

  test('go to money, not to the bundles that it was not taken from', () => {
    const till = new EventTill({ plan, buckets: [bundle('b', { unit: 'units' }), main] });
    till.book(eventOf('refund', [units(2)]));
    expect([till.available('b'), till.available('main')]).toEqual([0, 120]);
  });

  test('never exceed what the plan allows in one event', () => {
    const till = new EventTill({ plan });
    expect(till.book(eventOf('refund', [money(41)], atCommand)).outcome).toBe('service-denied');
    expect(till.book(eventOf('refund', [units(3), units(2, { ratingGroup: 2 })]))).toMatchObject({
      services: [{ outcome: 'success' }, { outcome: 'service-denied' }],
    });
    expect(till.available('main')).toBe(130);
    expect(till.book(eventOf('refund', [money(40)], atCommand)).outcome).toBe('success');
  });

  test('a plan without a word on them allows none', () => {
    const till = new EventTill();
    expect(till.book(eventOf('refund', [money(1)], atCommand)).outcome).toBe('service-denied');
    expect(till.records).toEqual([]);
  });

  test('reach a blocked account, and never beyond what a bucket can hold', () => {
    const till = new EventTill({ plan, definition: { status: 'blocked' } });
    expect(till.book(eventOf('refund', [money(1)], atCommand)).outcome).toBe('success');
    const full = new EventTill({ plan, openings: { main: LIMIT - 5 } });
    expect(full.book(eventOf('refund', [money(6)], atCommand)).outcome).toBe('service-denied');
    expect(full.book(eventOf('refund', [money(5)], atCommand)).outcome).toBe('success');
    expect(full.available('main')).toBe(LIMIT);
  });
});

describe('refunds by Refund-Information (TS 32.299 7.2.171)', () => {
  test('give back exactly the debit, into the buckets that paid', () => {
    const limit: Bucket = { ...main, id: 'cap', limits: ['e164:49170'] };
    const till = new EventTill({
      buckets: [bundle('b', { unit: 'units' }), limit, main],
      openings: { b: 4, cap: 90, main: 100 },
    });
    const former = till.effect(eventOf('debit', [units(3), units(3, { ratingGroup: 2 })]));
    expect([till.available('b'), till.available('cap'), till.available('main')]).toEqual([
      0, 70, 80,
    ]);
    expect(till.book(refundOf(former), { former })).toEqual({
      outcome: 'success',
      level: 'services',
      services: [
        {
          ratingGroup: 1,
          serviceIds: [],
          outcome: 'success',
          granted: { unit: 'units', units: 3 },
        },
        {
          ratingGroup: 2,
          serviceIds: [],
          outcome: 'success',
          granted: { unit: 'units', units: 3 },
        },
      ],
      cost: 20,
    });
    expect([till.available('b'), till.available('cap'), till.available('main')]).toEqual([
      4, 90, 100,
    ]);
    expect(till.records[1]).toMatchObject({ kind: 'refund', sessionId: 'r', reference: 'e 0' });
  });

  test('no more than was debited, whatever is asked, and although the price has changed', () => {
    const till = new EventTill();
    const former = till.effect(eventOf('debit', [units(3)]));
    till.plan = planOf([{ ...sms, price: { amount: 99, per: 1, increment: 1 } }]);
    expect(till.book(refundOf(former, { services: [units(50)] }), { former })).toMatchObject({
      services: [{ outcome: 'success', granted: { unit: 'units', units: 3 } }],
      cost: 30,
    });
    expect(till.available('main')).toBe(100);
  });

  test('as many units, or as much money, as is asked', () => {
    for (const [asked, granted, left] of [
      [units(1), { unit: 'units', units: 1 }, 80],
      [units(2, { ratingGroup: 9 }), { unit: 'units', units: 2 }, 90],
      [money(25), { unit: 'money', units: 25 }, 95],
      [money(50), { unit: 'money', units: 30 }, 100],
    ] as const) {
      const till = new EventTill();
      const former = till.effect(eventOf('debit', [units(3)]));
      const answer = till.book(refundOf(former, { services: [asked] }), { former });
      expect(answer).toMatchObject({ services: [{ outcome: 'success', granted }] });
      expect(answer.cost).toBe(left - 70);
      expect(till.available('main')).toBe(left);
      expect(till.records[1]).toMatchObject({
        services: [{ granted: granted.units, cost: 70 - left }],
      });
    }
  });

  test('what was paid last comes back first, a part of it rounded down', () => {
    const cap: Bucket = { ...main, id: 'cap', limits: ['e164:49170'] };
    const till = new EventTill({
      plan: planOf([{ ...sms, price: { amount: 10, per: 3, increment: 1 } }]),
      buckets: [bundle('b', { unit: 'units' }), cap, main],
      openings: { b: 2, cap: 50, main: 100 },
    });
    const former = till.effect(eventOf('debit', [units(5)]));
    const opened = () => [till.available('b'), till.available('cap'), till.available('main')];
    expect(opened()).toEqual([0, 40, 90]);
    till.book(refundOf(former, { services: [units(2)] }), { former });
    expect(opened()).toEqual([0, 46, 96]);
    const again = till.effect(eventOf('debit', [units(5)], { sessionId: 'again' }));
    till.book(refundOf(again, { services: [units(4)] }), { former: again });
    expect(opened()).toEqual([0, 42, 92]);
  });

  test('of several services each that is named, with an answer for each', () => {
    const till = new EventTill();
    const debits = [units(3), units(2, { ratingGroup: 2 }), units(1, { ratingGroup: 3 })];
    const former = till.effect(eventOf('debit', debits));
    const seconds = asks({ ratingGroup: 3, asked: { seconds: 1 } });
    const services = [
      units(1, { ratingGroup: 2 }),
      asks({ ratingGroup: 1 }),
      units(1, { ratingGroup: 7 }),
      seconds,
    ];
    const refund = refundOf(former, { services });
    expect(till.event(refund, { former, fresh: false }).kind).toBe('reread');
    expect(till.book(refund, { former })).toMatchObject({
      services: [
        { ratingGroup: 2, outcome: 'success', granted: { unit: 'units', units: 1 } },
        { ratingGroup: 1, outcome: 'success', granted: { unit: 'units', units: 3 } },
        { ratingGroup: 7, outcome: 'service-denied' },
        { ratingGroup: 3, outcome: 'rating-failed' },
      ],
      cost: 40,
    });
    expect(till.available('main')).toBe(80);
  });

  test('nothing of what was not debited, at the level that was asked', () => {
    const till = new EventTill();
    const former = till.effect(eventOf('debit', [units(3)]));
    for (const [service, outcome] of [
      [asks({ asked: { seconds: 1 } }), 'rating-failed'],
      [asks({ asked: {}, foreignMoney: true }), 'rating-failed'],
    ] as const) {
      const refund = refundOf(former, { services: [service], ...atCommand });
      expect(till.event(refund, { former })).toMatchObject({ kind: 'answer', answer: { outcome } });
    }
    expect(till.event(refundOf(former, { services: [units(0)] }), { former }).kind).toBe('answer');
    expect(till.available('main')).toBe(70);
  });

  test('never more than was taken, in whatever parts it is asked for', () => {
    const count = fc.integer({ min: 0, max: 12 });
    fc.assert(
      fc.property(
        fc.record({ b: fc.integer({ min: 0, max: 8 }), debited: count, back: count }),
        fc.record({ amount: fc.integer({ min: 1, max: 9 }), per: fc.integer({ min: 1, max: 5 }) }),
        ({ b, debited, back }, price) => {
          fc.pre(debited > 0);
          const till = new EventTill({
            plan: planOf([{ ...sms, price: { ...price, increment: 1 } }]),
            buckets: [bundle('b', { unit: 'units' }), main],
            openings: { b, main: 1000 },
          });
          const former = till.effect(eventOf('debit', [units(debited)]));
          const paid = 1000 - till.available('main');
          const money = Math.max(0, debited - b);
          till.book(refundOf(former, { services: [units(back)] }), { former });
          const share = Math.min(back, money);
          expect(till.available('main')).toBe(
            1000 - paid + (money === 0 ? 0 : Math.floor((paid * share) / money)),
          );
          const bundled = Math.min(b, debited);
          expect(till.available('b')).toBe(
            b - bundled + Math.min(bundled, Math.max(0, back - money)),
          );
        },
      ),
    );
  });

  test('although the plan is gone, or the account is blocked', () => {
    const till = new EventTill();
    const former = till.effect(eventOf('debit', [units(3)]));
    till.plan = planOf([]);
    till.definition = { ...till.definition, status: 'blocked' };
    expect(till.book(refundOf(former), { former }).outcome).toBe('success');
    expect(till.available('main')).toBe(100);
  });

  test('prove nothing where the debit is not known or the octets differ', () => {
    const till = new EventTill({ plan: planOf([sms], { refunds: { maximum: 1000 } }) });
    const former = till.effect(eventOf('debit', [units(3)]));
    const honest = refundOf(former);
    const forged = refundInformationOf(former.by, new Uint8Array(8));
    expect(till.book(honest).outcome).toBe('service-denied');
    expect(till.book({ ...honest, refundInformation: forged }, { former }).outcome).toBe(
      'service-denied',
    );
    expect(till.event(honest, { fresh: false }).kind).toBe('reread');
    expect(till.available('main')).toBe(70);
  });

  test('bring nothing back into a bucket that is over', () => {
    const ends = bundle('b', { unit: 'units', expiresAt: new Till().now + 1000 });
    const till = new EventTill({ buckets: [ends, main], openings: { b: 4, main: 100 } });
    const former = till.effect(eventOf('debit', [units(5)]));
    till.now += 1000;
    till.book(refundOf(former), { former });
    expect([till.available('b'), till.available('main')]).toEqual([0, 100]);
  });

  test('name the debit’s key, whatever octets come back', () => {
    const key = eventKey(eventOf('debit', [], { sessionId: 'é;1', subSessionId: '7', number: 3 }));
    expect(debitKeyOf(refundInformationOf(key, nonce))).toBe(key);
    for (const octets of [[], [1, 2, 3], [0, 0, 0, 0, 0, 0, 0, 0, 0xff]])
      expect(debitKeyOf(Uint8Array.from(octets))).toBeUndefined();
  });
});

describe('balance checks (6.2)', () => {
  test('tell whether it could be paid, and take nothing', () => {
    const till = new EventTill();
    const check = (amount: number, part: Partial<EventRequest> = {}) =>
      till.event(eventOf('balance-check', [units(amount)], part));
    expect(check(10)).toMatchObject({
      kind: 'answer',
      answer: { outcome: 'success', enough: true, services: [{ outcome: 'success' }] },
    });
    expect(check(11)).toMatchObject({ answer: { outcome: 'success', enough: false } });
    expect(check(11, atCommand)).toMatchObject({ answer: { outcome: 'success', enough: false } });
  });

  test('of several services together', () => {
    const till = new EventTill();
    const both = [units(6), units(5, { ratingGroup: 2 })];
    expect(till.book(eventOf('balance-check', both)).enough).toBe(false);
    expect(till.book(eventOf('balance-check', [both[0]!])).enough).toBe(true);
  });

  test('without a service tell whether there is any credit', () => {
    const check = eventOf('balance-check', [], atCommand);
    expect(new EventTill().book(check).enough).toBe(true);
    expect(new EventTill({ openings: {} }).book(check).enough).toBe(false);
    const credit = new EventTill({ openings: {}, buckets: [{ ...main, floor: -1 }] });
    expect(credit.book(check).enough).toBe(true);
  });

  test('what is free is always paid for; what is denied is not answered for', () => {
    const { price: _none, ...free } = sms;
    const plan = planOf([
      { ...free, match: { ratingGroup: [1] } },
      { ...sms, match: { ratingGroup: [2] }, denied: true },
    ]);
    const till = new EventTill({ plan, openings: {} });
    const denied = units(1, { ratingGroup: 2 });
    expect(till.book(eventOf('balance-check', [units(1), denied]))).toMatchObject({
      enough: true,
      services: [{ outcome: 'success' }, { outcome: 'service-denied' }],
    });
    expect(till.book(eventOf('balance-check', [denied])).enough).toBeUndefined();
    expect(till.book(eventOf('balance-check', [denied], atCommand)).outcome).toBe('service-denied');
  });
});

describe('price enquiries (6.1)', () => {
  test('tell the price without a look at the balance', () => {
    const till = new EventTill({ openings: {}, buckets: [bundle('b', { unit: 'units' }), main] });
    expect(till.event(eventOf('price-enquiry', [units(3)], atCommand))).toEqual({
      kind: 'answer',
      answer: {
        outcome: 'success',
        level: 'command',
        services: [{ ratingGroup: 1, serviceIds: [], outcome: 'success' }],
        cost: 30,
      },
    });
  });

  test('of several services in sum, what is free at nothing', () => {
    const { price: _none, ...free } = sms;
    const plan = planOf([{ ...free, match: { ratingGroup: [1] } }, sms]);
    const till = new EventTill({ plan });
    const services = [units(3), units(2, { ratingGroup: 2 })];
    expect(till.book(eventOf('price-enquiry', services)).cost).toBe(20);
  });

  test('of an amount of money is that amount', () => {
    expect(new EventTill().book(eventOf('price-enquiry', [money(7)])).cost).toBe(7);
  });
});

describe('an event’s key and digest', () => {
  test('are of the event alone: no session, sub-session or other number has the same', () => {
    const keys = [
      eventOf('debit'),
      eventOf('debit', [], { number: 1 }),
      eventOf('debit', [], { subSessionId: '0' }),
      eventOf('debit', [], { sessionId: 'e2' }),
    ].map(eventKey);
    expect(new Set([...keys, 'e', 'e\n0']).size).toBe(6);
  });

  test('tell what it asks', () => {
    const digests = [
      eventOf('debit', [units(1)]),
      eventOf('refund', [units(1)]),
      eventOf('debit', [units(2)]),
      eventOf('debit', [units(1)], atCommand),
      eventOf('refund', [units(1)], { refundInformation: nonce }),
      eventOf('refund', [units(1)], { refundInformation: nonce.subarray(1) }),
      eventOf('debit', [units(1)], { subscribers: [{ kind: 'e164', id: '49170' }] }),
      eventOf('debit', [units(1)], { subscribers: [{ kind: 'imsi', id: '49170' }] }),
      eventOf('debit', [units(1)], { stampedAt: 5, looseNumbering: true }),
      eventOf('debit', [units(1)], { stampedAt: 6, looseNumbering: true }),
    ].map(eventDigest);
    expect(new Set(digests).size).toBe(10);
    const again = eventOf('debit', [units(1)], { number: 9, stampedAt: 7, occurredAt: 7 });
    expect(eventDigest(again)).toBe(digests[0]);
  });
});
