/** Messages to several recipients in a session: each is charged by the rule for its own number. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stepEvent } from '../../src/charging/event.ts';
import type { AskedService, Request } from '../../src/charging/request.ts';
import { eventOf, sms } from './events.ts';
import {
  asks,
  bundle,
  main,
  planOf,
  requestOf,
  ruleOf,
  START,
  Till,
  type TillOptions,
} from './till.ts';

const rated = (name: string, amount: number, part = {}) => ({
  ...{ ...sms, name, ...part },
  price: { amount, per: 1, increment: 1 },
});
const dear = rated('dear', 200, { match: { called: ['4990'] } });
const plan = planOf([dear, sms]);
const CHEAP = '491701';
const DEAR = '49901';

type Recipients = (string | undefined)[];
const to = (recipients: Recipients, units = recipients.length, part: Partial<AskedService> = {}) =>
  asks({ asked: { units }, recipients, ...part });
const sent = (units: number, part: Partial<AskedService> = {}) =>
  asks({ used: { units }, ...part });
/** What the request says is the first of them who is known. */
const firstOf = (recipients: Recipients): Partial<Request> => {
  const called = recipients[0];
  return called === undefined ? {} : { facts: { called } };
};

function opened(recipients: Recipients, options: TillOptions = {}, units = recipients.length) {
  const till = new Till({ plan, openings: { main: 1000 }, ...options });
  const part = firstOf(recipients);
  const answer = till.ask(requestOf('initial', 0, [to(recipients, units)], part));
  return { till, answer };
}
const end = (till: Till, ...services: AskedService[]) =>
  till.ask(requestOf('termination', 9, services));
const balance = (till: Till) => [till.available('main'), till.reserved('main')];

describe('a message to several recipients in a session', () => {
  test('is granted in one answer, and costs what each of them costs', () => {
    const { till, answer } = opened([CHEAP, DEAR, undefined]);
    expect(answer.services).toEqual([
      { ratingGroup: 1, serviceIds: [], outcome: 'success', granted: { unit: 'units', units: 3 } },
    ]);
    expect(balance(till)).toEqual([780, 220]);
    expect(end(till, sent(3)).services).toEqual([
      { ratingGroup: 1, serviceIds: [], outcome: 'success' },
    ]);
    expect(balance(till)).toEqual([780, 0]);
  });

  test('is recorded for all of them, by the rule for each', () => {
    const { till } = opened([CHEAP, DEAR, undefined]);
    end(till, sent(3));
    expect(till.records.map(({ services }) => services)).toMatchObject([
      [
        { granted: 2, recipients: { count: 2, of: 3, called: [CHEAP] } },
        { granted: 1, recipients: { count: 1, of: 3, called: [DEAR] } },
      ],
      [
        { rule: 'sms', used: 2, cost: 20, recipients: { count: 2, of: 3, called: [CHEAP] } },
        { rule: 'dear', used: 1, cost: 200, recipients: { count: 1, of: 3, called: [DEAR] } },
      ],
    ]);
  });

  test('is one service where all of them come under one rule', () => {
    const { till } = opened([CHEAP, '491702']);
    expect(till.session()!.services).toHaveLength(1);
    expect(till.records[0]!.services).toMatchObject([
      { granted: 2, recipients: { count: 2, called: [CHEAP, '491702'] } },
    ]);
    end(till, sent(2));
    expect(balance(till)).toEqual([980, 0]);
  });

  test('costs the same sum as a one-time event does, whoever stands first', () => {
    const prices = [10, 200, 35];
    const rules = prices.map((amount, at) =>
      rated(`r${at}`, amount, {
        match: { called: [`49${at}`] },
        price: { amount, per: 1, increment: 1, fee: at },
      }),
    );
    const buckets = [main, bundle('some', { unit: 'units', paysFor: ['r1', 'r2'] })];
    const options = { plan: planOf(rules), buckets, openings: { main: 100_000, some: 3 } };
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 2, maxLength: 6 }),
        fc.integer({ min: 1, max: 3 }),
        (groups, parts) => {
          const recipients = groups.map((group, at) => `49${group}${at}`);
          const units = recipients.length * parts;
          const { till } = opened(recipients, options, units);
          end(till, sent(units));
          const other = new Till(options);
          const decision = stepEvent(
            eventOf('debit', [to(recipients, units)], firstOf(recipients)),
            {
              ...{ now: START, account: other.account(), plan: other.plan, fresh: true },
              proof: new Uint8Array(),
            },
          );
          if (decision.kind !== 'change') throw new Error(decision.kind);
          other.move(decision.movements);
          expect([balance(till), till.available('some')]).toEqual([
            balance(other),
            other.available('some'),
          ]);
        },
      ),
    );
  });

  test('costs that in octets and seconds too, whoever counts', () => {
    const price = { amount: 3, per: 2, increment: 2 };
    for (const unit of ['octets', 'seconds'] as const) {
      const quota = { size: 40, minimum: 1, maximum: 100_000 };
      const rules = [0, 1, 2].map((at) =>
        rated(`r${at}`, at, {
          ...{ unit, quota, match: { called: [`49${at}`] }, price: { ...price, fee: at } },
        }),
      );
      const options = { plan: planOf(rules), openings: { main: 100_000 } };
      fc.assert(
        fc.property(
          fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 2, maxLength: 6 }),
          fc.option(fc.integer({ min: 6, max: 500 })),
          (groups, named) => {
            const recipients = groups.map((group, at) => `49${group}${at}`);
            const one = asks({
              ...{ asked: named === null ? {} : { [unit]: named }, recipients },
              ...(named === null ? { messages: recipients.length } : {}),
            });
            const till = new Till(options);
            const { services } = till.ask(requestOf('initial', 0, [one], firstOf(recipients)));
            const total = named ?? 40 * recipients.length;
            expect(services).toMatchObject([{ granted: { unit, units: total } }]);
            end(till, asks({ used: { [unit]: total } }));
            const other = new Till(options);
            const decision = stepEvent(eventOf('debit', [one], firstOf(recipients)), {
              ...{ now: START, account: other.account(), plan: other.plan, fresh: true },
              proof: new Uint8Array(),
            });
            if (decision.kind !== 'change') throw new Error(decision.kind);
            expect(decision.answer.services).toMatchObject([{ granted: { unit, units: total } }]);
            other.move(decision.movements);
            expect(balance(till)).toEqual(balance(other));
          },
        ),
      );
    }
  });

  test('is paid for all of them or for none', () => {
    const { till, answer } = opened([CHEAP, DEAR], { openings: { main: 205 } });
    expect(answer.services).toEqual([
      { ratingGroup: 1, serviceIds: [], outcome: 'credit-limit-reached' },
    ]);
    expect(balance(till)).toEqual([205, 0]);
    expect(till.session()!.services).toEqual([]);
    const [first, second] = till.records[0]!.services;
    for (const one of [first, second]) {
      expect(one).toMatchObject({ outcome: 'credit-limit-reached' });
      expect(one).not.toHaveProperty('granted');
    }
    const hint = requestOf('initial', 0, [to([CHEAP, DEAR])], { sessionId: 'hint' });
    expect(till.decide(hint, { fresh: false }).kind).toBe('reread');
  });

  test('is paid for all of them or for none under one rule, too', () => {
    const { till, answer } = opened([CHEAP, '491702', '491703'], { openings: { main: 25 } });
    expect(answer.services).toEqual([
      { ratingGroup: 1, serviceIds: [], outcome: 'credit-limit-reached' },
    ]);
    expect(balance(till)).toEqual([25, 0]);
    expect(till.session()!.services).toEqual([]);
    expect(till.records[0]!.services[0]).not.toHaveProperty('granted');
    expect(opened([CHEAP, '491702'], { openings: { main: 25 } }).answer.services).toMatchObject([
      { outcome: 'success', granted: { units: 2 } },
    ]);
  });

  test('is told of a tariff change under one rule, and may be more than is granted at once', () => {
    const day = { ...sms, name: 'day', match: { when: [{ from: 60, until: 1440 }] } };
    const few = { ...sms, quota: { size: 1, minimum: 1, maximum: 2 } };
    const till = new Till({ plan: planOf([day, few]), openings: { main: 1000 } });
    const request = requestOf('initial', 0, [to([CHEAP, '491702', '491703'])]);
    const { services } = till.ask({ ...request, tariffChange: 'single' });
    expect(services).toMatchObject([
      { granted: { units: 2 }, tariffChange: { at: START + 3_600_000 } },
    ]);
  });

  test('is refused where one of them is, and where the units are not to be divided', () => {
    const denied = { ...sms, name: 'no', match: { called: ['900'] }, denied: true };
    const others = planOf([denied, dear, { ...sms, match: { called: ['49'] } }]);
    const of = (recipients: Recipients, units?: number) => {
      const { till, answer } = opened(recipients, { plan: others }, units);
      expect(balance(till)).toEqual([1000, 0]);
      return answer.services.map(({ outcome }) => outcome);
    };
    expect(of([CHEAP, '900'])).toEqual(['service-denied']);
    expect(of([CHEAP, '33'])).toEqual(['rating-failed']);
    expect(of([CHEAP, DEAR], 3)).toEqual(['rating-failed']);
  });
});

describe('a message that is not granted', () => {
  const pass = bundle('pass', { unit: 'units', paysFor: ['sms'], lastsMs: 86_400_000 });
  const buckets = [pass, main];

  test('begins no period that lasts from the first use', () => {
    const { till } = opened([CHEAP, DEAR], { buckets, openings: { main: 100, pass: 50 } });
    expect(till.counters['p:pass']).toBe(0);
    const one = opened([CHEAP, '491702'], { buckets, openings: { main: 0, pass: 1 } });
    expect(one.till.counters['p:pass']).toBe(0);
    const paid = opened([CHEAP, DEAR], { buckets, openings: { main: 200, pass: 50 } });
    expect(paid.till.counters['p:pass']).toBe(START + 86_400_000);
  });

  test('leaves alone the period that another message of its request began', () => {
    const till = new Till({ plan, buckets, openings: { main: 100, pass: 50 } });
    const services = [to([CHEAP, '491702']), to([CHEAP, DEAR], 2, { ratingGroup: 2 })];
    till.ask(requestOf('initial', 0, services));
    expect(till.counters['p:pass']).toBe(START + 86_400_000);
    expect([till.available('pass'), ...balance(till)]).toEqual([48, 100, 0]);
  });

  test('begins none in a one-time event either, whatever else the event is for', () => {
    const till = new Till({ plan, buckets, openings: { main: 205, pass: 50 } });
    const services = [to([CHEAP, DEAR, '49902'], 3), to([DEAR], 1, { ratingGroup: 2 })];
    const decision = stepEvent(eventOf('debit', services), {
      ...{ now: START, account: till.account(), plan, fresh: true, proof: new Uint8Array() },
    });
    if (decision.kind !== 'change') throw new Error(decision.kind);
    expect(decision.answer.services.map(({ outcome }) => outcome)).toEqual([
      'credit-limit-reached',
      'success',
    ]);
    till.move(decision.movements);
    expect([till.counters['p:pass'], ...balance(till)]).toEqual([0, 5, 0]);
  });
});

describe('a message under several rules', () => {
  test('is granted in the unit of its rules, whatever else is asked', () => {
    for (const others of [{ octets: 500 }, { seconds: 10 }]) {
      const asked = { ...others, units: 2 };
      for (const recipients of [
        [CHEAP, DEAR],
        [CHEAP, '491702'],
      ]) {
        const { answer } = openedBy({ asked, recipients });
        expect(answer.services).toMatchObject([{ granted: { unit: 'units', units: 2 } }]);
      }
    }
  });

  test('is granted whole, whatever its rules grant at once, and costs what an event costs', () => {
    const quota = { size: 1, minimum: 1, maximum: 1 };
    const few = planOf(plan.rules.map((rule) => ({ ...rule, quota })));
    const { till, answer } = opened([CHEAP, '491702', DEAR], { plan: few });
    expect(answer.services).toMatchObject([{ granted: { units: 3 } }]);
    end(till, sent(3));
    expect(balance(till)).toEqual([780, 0]);
  });

  function openedBy(part: Partial<AskedService>) {
    const till = new Till({ plan, openings: { main: 1000 } });
    return { answer: till.ask(requestOf('initial', 0, [asks(part)])) };
  }
});

describe('a message that is counted in what it consists of', () => {
  const octets = (name: string, amount: number, part = {}) => ({
    ...rated(name, amount),
    unit: 'octets' as const,
    quota: { size: 100, minimum: 1, maximum: 10_000 },
    ...part,
  });
  const near = octets('near', 1);
  const far = octets('far', 20, { match: { called: ['4990'] } });
  const both = planOf([far, near]);
  const of = (recipients: Recipients, asked: AskedService['asked'] = {}) =>
    asks({ asked, recipients, ...(asked?.octets ? {} : { messages: recipients.length }) });
  const openedBy = (one: AskedService, plan = both, openings = 100_000) => {
    const till = new Till({ plan, openings: { main: openings } });
    return {
      till,
      answer: till.ask(requestOf('initial', 0, [one], firstOf(one.recipients as []))),
    };
  };

  test('costs what its client counts for all of them, by the rule for each', () => {
    const costs = [[CHEAP], [CHEAP, '491702'], [CHEAP, DEAR], [DEAR, CHEAP, '491702']].map((to) => {
      const { till, answer } = openedBy(of(to, { octets: 500 }));
      expect(answer.services).toMatchObject([{ granted: { unit: 'octets', units: 500 } }]);
      end(till, asks({ used: { octets: 500 } }));
      return 100_000 - till.available('main');
    });
    expect(costs).toEqual([500, 500, 250 + 250 * 20, 333 + 167 * 20]);
  });

  test('is granted the quota size for each, where the server counts', () => {
    const { answer } = openedBy(of([CHEAP, '491702', '491703']));
    expect(answer.services).toMatchObject([{ granted: { unit: 'octets', units: 300 } }]);
    const { till, answer: divided } = openedBy(of([CHEAP, DEAR]));
    expect(divided.services).toMatchObject([{ granted: { unit: 'octets', units: 200 } }]);
    end(till, asks({ used: { octets: 150 } }));
    expect(till.available('main')).toBe(100_000 - 100 - 50 * 20);
  });

  test('reports of less are for those whom they name, else for the first ones', () => {
    const left = (part: Partial<AskedService>) => {
      const { till } = openedBy(of([CHEAP, DEAR], { octets: 500 }));
      end(till, asks({ used: { octets: 101 }, ...part }));
      return 100_000 - till.available('main');
    };
    expect(left({})).toBe(101);
    expect(left({ recipients: [DEAR] })).toBe(101 * 20);
    expect(left({ recipients: [DEAR, CHEAP] })).toBe(50 + 51 * 20);
  });

  test('in money has been rated for all of them, and is for the rule of the first', () => {
    const shop = { ...near, name: 'shop', unit: 'money' as const, match: { called: ['4917'] } };
    const { till } = openedBy(asks({ asked: { money: 7 }, recipients: [CHEAP, DEAR] }), {
      ...both,
      rules: [shop, far],
    });
    expect(balance(till)).toEqual([99_993, 7]);
  });

  test('is not rated where one rule counts messages and another what they consist of', () => {
    const mixed = planOf([far, sms]);
    const { till, answer } = openedBy(of([CHEAP, DEAR]), mixed);
    expect(answer.services).toMatchObject([{ outcome: 'rating-failed' }]);
    expect(balance(till)).toEqual([100_000, 0]);
  });

  test('is not divided among more than it has octets', () => {
    const { answer } = openedBy(of([CHEAP, DEAR], { octets: 1 }));
    expect(answer.services).toMatchObject([{ outcome: 'rating-failed' }]);
  });

  test('is asked for again where no reservation can be made in time', () => {
    const till = new Till({ plan: both, openings: { main: 1000 } });
    const request = requestOf('initial', 0, [of([CHEAP, DEAR])]);
    const { services } = till.ask(request, { reserving: false });
    expect(services).toMatchObject([{ outcome: 'success', validitySeconds: 10 }]);
    expect(services[0]).not.toHaveProperty('granted');
  });
});

describe('two messages of one service in a request', () => {
  test('keep what the one was granted where the other is refused', () => {
    const of = (...messages: Recipients[]) => {
      const till = new Till({ plan, openings: { main: 450 } });
      const services = messages.map((recipients) => to(recipients));
      const { services: answers } = till.ask(requestOf('initial', 0, services, firstOf([CHEAP])));
      return { till, granted: answers.map(({ outcome, granted }) => granted?.units ?? outcome) };
    };
    const two = [CHEAP, DEAR];
    const four = [CHEAP, '491702', DEAR, '49902'];
    const { till, granted } = of(two, four);
    expect(granted).toEqual([2, 'credit-limit-reached']);
    expect(balance(till)).toEqual([240, 210]);
    end(till, sent(2));
    expect(balance(till)).toEqual([240, 0]);
    const later = of(four, two);
    expect(later.granted).toEqual([4, 'credit-limit-reached']);
    expect(balance(later.till)).toEqual([30, 420]);
    const three = of(two, four, two);
    expect(three.granted).toEqual([2, 'credit-limit-reached', 2]);
    expect(balance(three.till)).toEqual([30, 420]);
    end(three.till, sent(4));
    expect(balance(three.till)).toEqual([30, 0]);
    expect(three.till.records.at(-1)!.services).toMatchObject([{ used: 2 }, { used: 2 }]);
  });
});

test('what is granted is what the answers say, whichever messages come in one request', () => {
  const message = fc.array(fc.constantFrom(CHEAP, '491702', DEAR, '49902'), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 2 }), message), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 0, max: 900 }),
      (messages, opening) => {
        const till = new Till({ plan, openings: { main: opening } });
        const services = messages.map(([ratingGroup, recipients]) =>
          to(recipients, recipients.length, { ratingGroup }),
        );
        const { services: answers } = till.ask(requestOf('initial', 0, services));
        const held = till.session()!.services;
        const sum = (figures: (number | undefined)[]) =>
          figures.reduce<number>((sum, figure = 0) => sum + figure, 0);
        expect(sum(held.map(({ grant }) => grant?.units))).toBe(
          sum(answers.map(({ granted }) => granted?.units)),
        );
        for (const { share, grant } of held)
          if (share !== undefined) expect(share.units).toBe(grant?.units ?? 0);
        for (const [at, { granted }] of answers.entries())
          if (granted !== undefined) expect(granted.units).toBe(messages[at]![1].length);
      },
    ),
  );
});

describe('of a message of which not all was sent', () => {
  const three = [CHEAP, DEAR, undefined];
  const left = (...services: AskedService[]) => {
    const { till } = opened(three);
    end(till, ...services);
    return till.available('main');
  };

  test('those pay whom the last report names', () => {
    expect(left(sent(1, { recipients: [DEAR] }))).toBe(800);
    expect(left(sent(2, { recipients: [undefined, CHEAP] }))).toBe(980);
  });

  test('else the first ones do, and what is beyond is the last one’s', () => {
    expect(left(sent(2))).toBe(980);
    expect(left(sent(2, { recipients: three }))).toBe(980);
    expect(left(sent(4))).toBe(580);
  });

  test('nobody pays for what was not sent', () => {
    expect(left(sent(0))).toBe(1000);
    expect(left()).toBe(1000);
    expect(left(asks({}))).toBe(1000);
  });
});

describe('a session of messages', () => {
  const report = (number: number, part: Partial<AskedService>, recipients: Recipients = []) =>
    requestOf('update', number, [asks(part)], firstOf(recipients));

  test('goes on with others, each by the rule for its own number', () => {
    const { till } = opened([CHEAP, DEAR]);
    const next = { asked: { units: 3 }, recipients: [DEAR, '491703', '491704'] };
    const { services } = till.ask(report(1, { used: { units: 2 }, ...next }, [DEAR]));
    expect(services).toMatchObject([{ outcome: 'success', granted: { units: 3 } }]);
    expect(balance(till)).toEqual([790 - 220, 220]);
    till.ask(report(2, { used: { units: 3 }, asked: { units: 1 } }, [CHEAP]));
    expect(balance(till)).toEqual([570 - 10, 10]);
    expect(till.records.at(-1)!.services.at(-1)!.recipients).toMatchObject({ count: 1, of: 1 });
    end(till, sent(1));
    expect(balance(till)).toEqual([560, 0]);
  });

  test('may begin with one of one recipient', () => {
    const { till } = opened([CHEAP]);
    const next = { asked: { units: 2 }, recipients: [CHEAP, DEAR] };
    till.ask(report(1, { used: { units: 1 }, ...next }));
    expect(balance(till)).toEqual([990 - 210, 210]);
    till.ask(report(2, next));
    expect(balance(till)).toEqual([780, 210]);
    end(till, sent(2));
    expect(balance(till)).toEqual([780, 0]);
  });

  test('refuses the next where its money is at an end, and keeps nothing reserved', () => {
    const { till } = opened([CHEAP, DEAR], { openings: { main: 250 } });
    const next = { asked: { units: 2 }, recipients: [CHEAP, DEAR] };
    const { services } = till.ask(report(1, { used: { units: 2 }, ...next }));
    expect(services).toEqual([{ ratingGroup: 1, serviceIds: [], outcome: 'credit-limit-reached' }]);
    expect(balance(till)).toEqual([40, 0]);
    end(till);
    expect(balance(till)).toEqual([40, 0]);
  });

  test('grants what there is of units to one recipient, as any session does', () => {
    const { till } = opened([CHEAP, DEAR], { openings: { main: 225 } });
    const { services } = till.ask(report(1, { used: { units: 2 }, asked: { units: 3 } }, [CHEAP]));
    expect(services).toMatchObject([{ outcome: 'success', granted: { units: 1 } }]);
    end(till, sent(1));
    expect(balance(till)).toEqual([5, 0]);
  });

  test('leaves nothing to pay to the recipients of a message that is settled', () => {
    const pass = bundle('pass', { unit: 'units', paysFor: ['sms'] });
    const openings = { main: 1000, pass: 3 };
    const { till } = opened([DEAR, CHEAP], { buckets: [pass, main], openings });
    till.ask(report(1, { used: { units: 2 } }));
    till.ask(report(2, { asked: { units: 1 } }, [CHEAP]));
    expect([till.reserved('pass'), till.reserved('main')]).toEqual([1, 0]);
    end(till, sent(1));
    expect([till.available('pass'), ...balance(till)]).toEqual([1, 800, 0]);
  });

  test('charges those who are left, where it is reported bit by bit', () => {
    const four = [CHEAP, '491702', DEAR, '49902'];
    const { till } = opened(four);
    till.ask(report(1, { used: { units: 2 } }));
    expect(balance(till)).toEqual([980, 0]);
    end(till, sent(2));
    expect(balance(till)).toEqual([580, 0]);
  });

  test('charges whom a report names, where nobody is left', () => {
    for (const [recipients, cost] of [
      [[CHEAP], 10],
      [[DEAR], 200],
      [['49551'], 50],
      [[DEAR, CHEAP], 210],
    ] as const) {
      const rules = [rated('mid', 50, { match: { called: ['4955'] } }), ...plan.rules];
      const { till } = opened([CHEAP, DEAR], { plan: planOf(rules) });
      till.ask(report(1, { used: { units: 2 } }));
      const used = { units: recipients.length };
      till.ask(report(2, { used, recipients }, [...recipients]));
      expect(balance(till)).toEqual([790 - cost, 0]);
    }
  });

  test('charges nobody more for a message that is given back', () => {
    for (const part of [{ reasons: [9] }, { reasons: [1] }, { reasons: [2] }]) {
      const { till } = opened([DEAR, CHEAP]);
      till.ask(report(1, { used: { units: 0 }, ...part }));
      till.ask(report(2, { asked: { units: 1 } }, [CHEAP]));
      end(till, sent(1));
      expect(balance(till)).toEqual([990, 0]);
    }
  });

  test('charges those next who come first in the next message', () => {
    const { till } = opened([CHEAP, DEAR]);
    till.ask(report(1, { used: { units: 2 }, asked: { units: 2 }, recipients: [DEAR, CHEAP] }));
    end(till, sent(1));
    expect(balance(till)).toEqual([590, 0]);
  });

  test('costs the same in one service of a request as in several', () => {
    const four = [CHEAP, '491702', DEAR, '49902'];
    const cost = (...services: AskedService[]) => {
      const { till } = opened(four);
      end(till, ...services);
      expect(till.reserved('main')).toBe(0);
      return 1000 - till.available('main');
    };
    expect(cost(sent(4))).toBe(420);
    expect(cost(sent(2), sent(2))).toBe(420);
    expect(cost(sent(1), sent(0), sent(3))).toBe(420);
    expect(cost(sent(1), sent(2))).toBe(220);
  });

  test('charges nobody for a message that could not be reserved in time', () => {
    const { till } = opened([CHEAP, DEAR]);
    const next = { used: { units: 2 }, asked: { units: 2 }, recipients: [DEAR, CHEAP] };
    till.ask(report(1, next), { reserving: false });
    expect(till.session()!.services.map(({ share }) => share?.units)).toEqual([0, 0]);
  });

  test('reports units of whom the server controls, beside others', () => {
    const open = ruleOf({ name: 'open', match: { called: ['800'] }, uncontrolled: true });
    const { till } = opened(['800', CHEAP], { plan: planOf([open, sms]) });
    end(till, sent(2));
    expect(balance(till)).toEqual([990, 0]);
  });

  test('at command level need not say its identifier again', () => {
    for (const again of [[], [7]]) {
      const till = new Till({ plan, openings: { main: 1000 } });
      const part = { level: 'command' } as const;
      const message = { serviceIds: [7], asked: { units: 2 }, recipients: [CHEAP, DEAR] };
      till.ask(requestOf('initial', 0, [message], part));
      const used = { serviceIds: again, used: { units: 2 } };
      const { services } = till.ask(requestOf('termination', 1, [used], part));
      expect(services).toHaveLength(1);
      expect(balance(till)).toEqual([790, 0]);
    }
  });

  test('gives back what its client does not report, and takes late usage', () => {
    const short = { ...plan, rules: plan.rules.map((rule) => ({ ...rule, validitySeconds: 60 })) };
    const { till, answer } = opened([CHEAP, DEAR], { plan: { ...short, validityGraceSeconds: 0 } });
    expect(answer.services[0]!.validitySeconds).toBe(60);
    till.now += 61_000;
    expect(till.wake()).toBe('change');
    expect(till.records.at(-1)!.services).toMatchObject([
      { rule: 'sms', recipients: { count: 1, of: 2, called: [CHEAP] } },
      { rule: 'dear', recipients: { count: 1, of: 2, called: [DEAR] } },
    ]);
    expect(balance(till)).toEqual([1000, 0]);
    end(till, sent(2));
    expect(balance(till)).toEqual([790, 0]);
    till.ask(requestOf('update', 10, [sent(1)]));
    expect(till.available('main')).toBe(590);
  });

  test('lets through who is not controlled, beside others', () => {
    const open = { ...sms, name: 'open', match: { called: ['800'] }, uncontrolled: true };
    const free = planOf([open, sms]);
    const { till, answer } = opened([CHEAP, '800'], { plan: free });
    expect(answer.services).toMatchObject([{ outcome: 'success', granted: { units: 2 } }]);
    end(till, sent(2));
    expect(balance(till)).toEqual([990, 0]);
    const { answer: all } = opened(['800', '8001'], { plan: free });
    expect(all.services).toMatchObject([{ outcome: 'uncontrolled' }]);
  });

  test('in a pool has the price of the first', () => {
    const pooled = planOf(plan.rules.map((rule) => ({ ...rule, pool: 1 })));
    const { till } = opened([DEAR, CHEAP], { plan: pooled });
    expect(balance(till)).toEqual([600, 400]);
  });

  test('ends its grants with a tariff change', () => {
    const hour = START + 3_600_000;
    const day = { ...sms, name: 'day', match: { when: [{ from: 60, until: 1440 }] } };
    const { till } = opened([CHEAP, DEAR], { plan: planOf([dear, day, sms]) });
    expect(till.session()!.services.map(({ grant }) => grant?.validUntil)).toEqual([
      hour,
      undefined,
    ]);
  });
});
