/** One-time events on several workers: booked once, whatever copies of them come when and where. */
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/charging/answer.ts';
import type { EventRequest } from '../../src/charging/event.ts';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import type { Store } from '../../src/store/store.ts';
import { atCommand, eventOf, money, sms, units } from '../charging/events.ts';
import { asks, main, planOf, requestOf, ruleOf } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import { anna, ask, charge, outcome, Rig, type Worker } from './rig.ts';

const HOUR = 3_600_000;
const plan = planOf([sms], { refunds: { maximum: 40 } });
const debit = (amount = 3, part: Partial<EventRequest> = {}) =>
  eventOf('debit', [units(amount)], part);

async function rigged(openings: Readonly<Record<string, number>> = { main: 100 }): Promise<Rig> {
  const rig = new Rig(plan);
  await rig.anna(openings);
  return rig;
}

async function said(...of: Parameters<typeof ask>): Promise<Answer> {
  const answer = await ask(...of);
  if (answer === 'busy') throw new Error('busy');
  return answer;
}

/** The refund that hands back a debit by what its answer says of it. */
function refundOf(answer: Answer, part: Partial<EventRequest> = {}): EventRequest {
  const { refundInformation } = answer;
  if (refundInformation === undefined) throw new Error('nothing proves the debit');
  return eventOf('refund', [asks({})], { sessionId: 'r', refundInformation, ...part });
}

/** The store with `before` done ahead of the first call of one kind. */
function disturbed(store: Store, call: 'commit' | 'bind', before: () => Promise<void>): Store {
  let done = false;
  const changed = withFaults(store, () => 'none');
  const apply = changed[call].bind(changed) as (...args: unknown[]) => Promise<unknown>;
  const first = async (...args: unknown[]) => {
    if (!done) {
      done = true;
      await before();
    }
    return apply(...args);
  };
  return Object.assign(changed, { [call]: first });
}

describe('a debit', () => {
  test('takes three round trips where nothing is known, two where its account is', async () => {
    const rig = await rigged();
    const worker = rig.worker();
    await ask(rig, worker, debit(1));
    expect(worker.trips).toBe(3);
    await ask(rig, worker, debit(1, { sessionId: 'e2' }));
    expect(worker.trips).toBe(2);
    expect(await rig.balance()).toEqual([80, 0]);
  });

  test('is never refused on a hint', async () => {
    const rig = await rigged();
    const [one, other] = [rig.worker(), rig.worker()];
    await ask(rig, one, debit(10));
    await ask(rig, other, eventOf('refund', [units(4)], { sessionId: 'r' }));
    expect(await said(rig, one, debit(4, { sessionId: 'e2', ...atCommand }))).toMatchObject({
      outcome: 'success',
    });
    expect(await rig.balance()).toEqual([0, 0]);
  });

  test('of what another worker took meanwhile is refused, and leaves nothing', async () => {
    const rig = await rigged();
    const slow = rig.worker(
      disturbed(rig.store, 'commit', async () => {
        await ask(rig, rig.worker(), debit(8, { sessionId: 'fast' }));
      }),
    );
    expect(await said(rig, slow, debit(3, atCommand))).toMatchObject({
      outcome: 'credit-limit-reached',
    });
    expect(await rig.balance()).toEqual([20, 0]);
    expect(rig.kinds()).toEqual(['debit']);
  });

  test('that was refused is decided anew when it comes again', async () => {
    const rig = await rigged({ main: 10 });
    const worker = rig.worker();
    expect(await said(rig, worker, debit(3, atCommand))).toMatchObject({
      outcome: 'credit-limit-reached',
    });
    await ask(rig, worker, eventOf('refund', [units(2)], { sessionId: 'r' }));
    expect(await said(rig, worker, debit(3, atCommand))).toMatchObject({ outcome: 'success' });
  });

  test('is of its subscriber’s tenant, and of one that the peer may serve', async () => {
    const rig = await rigged();
    const worker = rig.worker();
    for (const part of [{ tenant: undefined }, { tenant: 'red' }, { tenants: ['red'] }])
      expect(await said(rig, worker, debit(), part)).toMatchObject({ outcome: 'user-unknown' });
    await ask(rig, worker, debit());
    const red = { tenant: 'red', subscribers: ['e164:49170'] };
    await rig.account('rosa', { main: 100 }, red);
    expect(await said(rig, worker, debit(), { tenant: 'red' })).toMatchObject({
      outcome: 'contradiction',
    });
    expect(await rig.balance('rosa', 'red')).toEqual([100, 0]);
  });

  test('past its deadline is busy, and books nothing', async () => {
    const rig = await rigged();
    const slow = rig.worker(
      disturbed(rig.store, 'commit', async () => {
        rig.now += 5_001;
      }),
    );
    expect(await ask(rig, slow, debit())).toBe('busy');
    expect(await rig.balance()).toEqual([100, 0]);
  });
});

describe('a copy', () => {
  test('a day later, on another worker, gets the stored answer and debits nothing', async () => {
    const rig = await rigged();
    const first = await ask(rig, rig.worker(), debit());
    for (const hours of [1, 10, 12]) {
      rig.now += hours * HOUR;
      expect(await ask(rig, rig.worker(), debit())).toEqual(first);
    }
    expect(await rig.balance()).toEqual([70, 0]);
    expect(rig.kinds()).toEqual(['debit']);
  });

  test('gets it although the account is empty by now, blocked, or has another plan', async () => {
    const rig = await rigged();
    const first = await ask(rig, rig.worker(), debit());
    await ask(rig, rig.worker(), debit(7, { sessionId: 'e2' }));
    expect(await ask(rig, rig.worker(), debit())).toEqual(first);
    const { account } = await rig.store.load({ tenant: 'blue', account: 'anna' });
    await rig.store.changeAccount(
      { ...account!.definition, status: 'blocked', plan: 'none' },
      account!.version,
    );
    expect(await ask(rig, rig.worker(), debit())).toEqual(first);
    expect(rig.kinds()).toEqual(['debit', 'debit']);
  });

  test('follows the account that was charged, wherever its subscriber is by now', async () => {
    const rig = await rigged();
    await rig.account('bert', { main: 500 });
    const [one, other] = [rig.worker(), rig.worker()];
    const first = await ask(rig, one, debit());
    await rig.store.moveSubscriber('blue', anna, 'bert');
    rig.now += 23 * HOUR;
    for (const worker of [one, other]) expect(await ask(rig, worker, debit())).toEqual(first);
    const { account } = await rig.store.load({ tenant: 'blue', account: 'bert' });
    await rig.store.changeAccount({ ...account!.definition, subscribers: [] }, account!.version);
    expect(await ask(rig, rig.worker(), debit())).toEqual(first);
    expect([await rig.balance(), await rig.balance('bert')]).toEqual([
      [70, 0],
      [500, 0],
    ]);
  });

  test('finds it although the worker died as soon as it was stored', async () => {
    const rig = await rigged();
    await rig.account('bert', { main: 500 });
    let lost = true;
    const dying = rig.worker(
      withFaults(rig.store, (call) => (lost && call === 'commit' ? 'lose-reply' : 'none')),
    );
    expect(await ask(rig, dying, debit())).toBe('busy');
    lost = false;
    await rig.store.moveSubscriber('blue', anna, 'bert');
    rig.now += 23 * HOUR;
    expect(await said(rig, rig.worker(), debit())).toMatchObject({ outcome: 'success', cost: 30 });
    expect([await rig.balance(), await rig.balance('bert')]).toEqual([
      [70, 0],
      [500, 0],
    ]);
  });

  test('by two workers at the same time is one debit with one answer', async () => {
    for (let round = 0; round < 20; round++) {
      const rig = await rigged();
      const workers = [rig.worker(), rig.worker(), rig.worker()];
      const answers = await Promise.all(workers.map((worker) => ask(rig, worker, debit())));
      expect(answers).toEqual([answers[0], answers[0], answers[0]]);
      expect(await rig.balance()).toEqual([70, 0]);
    }
  });

  test('that asks something else is a contradiction, and moves nothing', async () => {
    const rig = await rigged();
    const worker = rig.worker();
    await ask(rig, worker, debit(3));
    for (const other of [debit(4), debit(50), eventOf('refund', [units(3)])])
      expect(await said(rig, worker, other)).toMatchObject({ outcome: 'contradiction' });
    expect(rig.alarms).toEqual(['number-reused', 'number-reused', 'number-reused']);
    expect(await rig.balance()).toEqual([70, 0]);
  });

  test('of a client that reuses its numbers is told by what it asks', async () => {
    const rig = await rigged();
    const worker = rig.worker();
    const loose = { looseNumbering: true };
    const first = await ask(rig, worker, debit(3, loose));
    expect(await said(rig, worker, debit(4, loose))).toMatchObject({ outcome: 'success' });
    expect(await ask(rig, rig.worker(), debit(3, loose))).toEqual(first);
    expect(await rig.balance()).toEqual([30, 0]);
    expect(rig.alarms).toEqual([]);
  });

  test('to somebody else is another message, of a client that reuses its numbers', async () => {
    const rig = await rigged();
    const to = (called: string, part = {}) =>
      debit(1, { looseNumbering: true, facts: { called }, ...part });
    const both = ['491', '332'];
    const each = { services: [units(2, { recipients: both })] };
    for (const event of [to('491'), to('332'), to('491'), to('491', each), to('491', each)])
      expect(await said(rig, rig.worker(), event)).toMatchObject({ outcome: 'success' });
    expect(await rig.balance()).toEqual([60, 0]);
    expect(rig.alarms).toEqual([]);
  });

  test('to somebody else contradicts it, of any other client', async () => {
    const rig = await rigged();
    const to = (called: string, recipients: string[]) =>
      debit(1, { facts: { called }, services: [units(2, { recipients })] });
    await ask(rig, rig.worker(), to('491', ['491', '332']));
    for (const other of [to('493', ['491', '332']), to('491', ['491', '333'])])
      expect(await said(rig, rig.worker(), other)).toMatchObject({ outcome: 'contradiction' });
    expect(await rig.balance()).toEqual([80, 0]);
  });

  test('of another subscriber’s is none, and moves nothing', async () => {
    const rig = await rigged();
    await rig.account('bert', { main: 500 }, { subscribers: ['e164:49171'] });
    const bert = { kind: 'e164' as const, id: '49171' };
    await ask(rig, rig.worker(), debit(1));
    expect(await said(rig, rig.worker(), debit(1, { subscriber: bert }))).toMatchObject({
      outcome: 'contradiction',
    });
    expect([await rig.balance(), await rig.balance('bert')]).toEqual([
      [90, 0],
      [500, 0],
    ]);
    expect(rig.alarms).toEqual(['number-reused']);
  });

  test('of a client that reuses its numbers is told by whose it is and by its time', async () => {
    const rig = await rigged();
    await rig.account('bert', { main: 500 }, { subscribers: ['e164:49171'] });
    const loose = (id: string, occurredAt: number) =>
      debit(1, { looseNumbering: true, subscriber: { kind: 'e164', id }, occurredAt });
    for (const event of [
      ...[loose('49170', 1000), loose('49171', 1000), loose('49170', 2000)],
      ...[loose('49170', 1000), loose('49171', 1000)],
    ])
      expect(await said(rig, rig.worker(), event)).toMatchObject({ outcome: 'success' });
    expect([await rig.balance(), await rig.balance('bert')]).toEqual([
      [80, 0],
      [490, 0],
    ]);
  });

  test('past the horizon is another event', async () => {
    const rig = await rigged();
    await ask(rig, rig.worker(), debit());
    rig.now += 24 * HOUR + 1;
    await ask(rig, rig.worker(), debit());
    expect(await rig.balance()).toEqual([40, 0]);
  });
});

describe('a subscriber who moves', () => {
  async function moving(): Promise<Rig> {
    const rig = await rigged();
    await rig.account('bert', { main: 500 });
    return rig;
  }

  test('before the commit is charged where he is', async () => {
    for (const call of ['bind', 'commit'] as const) {
      const rig = await moving();
      const worker = rig.worker(
        disturbed(rig.store, call, () => rig.store.moveSubscriber('blue', anna, 'bert')),
      );
      expect(await said(rig, worker, debit())).toMatchObject({ outcome: 'success' });
      expect(await rig.balance()).toEqual([100, 0]);
      expect(await rig.balance('bert')).toEqual([470, 0]);
    }
  });

  test('is charged once although a copy met the move first', async () => {
    const rig = await moving();
    let copy: unknown;
    const slow = rig.worker(
      disturbed(rig.store, 'commit', async () => {
        await rig.store.moveSubscriber('blue', anna, 'bert');
        copy = await ask(rig, rig.worker(), debit());
        await rig.store.moveSubscriber('blue', anna, 'anna');
      }),
    );
    expect(await ask(rig, slow, debit())).toEqual(copy);
    expect(await rig.balance()).toEqual([100, 0]);
    expect(await rig.balance('bert')).toEqual([470, 0]);
  });

  test('to a poorer account, or to none, is not asked the old one', async () => {
    const rig = await moving();
    await rig.account('carl', { main: 0 });
    const worker = rig.worker();
    await ask(rig, worker, debit(1, { sessionId: 'x' }));
    await rig.store.moveSubscriber('blue', anna, 'carl');
    expect(await said(rig, worker, debit(1, atCommand))).toMatchObject({
      outcome: 'credit-limit-reached',
    });
    const { account } = await rig.store.load({ tenant: 'blue', account: 'carl' });
    await rig.store.changeAccount({ ...account!.definition, subscribers: [] }, account!.version);
    for (const action of ['debit', 'balance-check'] as const)
      expect(await said(rig, worker, eventOf(action, [units(1)], { number: 2 }))).toMatchObject({
        outcome: 'user-unknown',
      });
  });
});

describe('a refund', () => {
  test('that proves its debit happens once, whoever asks', async () => {
    const rig = await rigged();
    const first = await said(rig, rig.worker(), debit());
    const refund = refundOf(first);
    const given = await said(rig, rig.worker(), refund);
    expect(given).toMatchObject({ outcome: 'success', cost: 30 });
    expect(await rig.balance()).toEqual([100, 0]);
    rig.now += HOUR;
    expect(await ask(rig, rig.worker(), refund)).toEqual(given);
    expect(await said(rig, rig.worker(), refundOf(first, { sessionId: 'r2' }))).toMatchObject({
      outcome: 'service-denied',
    });
    expect(await ask(rig, rig.worker(), debit())).toEqual(first);
    expect(await rig.balance()).toEqual([100, 0]);
    expect(rig.kinds()).toEqual(['debit', 'refund']);
  });

  test('by two clients at the same time is given to one of them', async () => {
    const rig = await rigged();
    const first = await said(rig, rig.worker(), debit());
    const answers = await Promise.all(
      ['r1', 'r2', 'r3'].map((sessionId) =>
        said(rig, rig.worker(), refundOf(first, { sessionId })),
      ),
    );
    expect(answers.map((answer) => answer.outcome).sort()).toEqual([
      'service-denied',
      'service-denied',
      'success',
    ]);
    expect(await rig.balance()).toEqual([100, 0]);
  });

  test('goes to the account that paid, and needs no subscriber', async () => {
    const rig = await rigged();
    await rig.account('bert', { main: 500 });
    const first = await said(rig, rig.worker(), debit());
    await rig.store.moveSubscriber('blue', anna, 'bert');
    const { subscriber: _nobody, ...anonymous } = refundOf(first);
    expect(await said(rig, rig.worker(), anonymous)).toMatchObject({ outcome: 'success' });
    expect([await rig.balance(), await rig.balance('bert')]).toEqual([
      [100, 0],
      [500, 0],
    ]);
    rig.now += 24 * HOUR - 1;
    expect(await said(rig, rig.worker(), anonymous)).toMatchObject({ outcome: 'success' });
  });

  test('proves nothing in another tenant, after the horizon, or by octets of its own', async () => {
    const rig = await rigged();
    const first = await said(rig, rig.worker(), debit());
    const refund = refundOf(first);
    const denied = { outcome: 'service-denied' };
    expect(await said(rig, rig.worker(), refund, { tenant: 'red' })).toMatchObject(denied);
    const forged = refund.refundInformation!.slice();
    forged[0]! ^= 1;
    for (const refundInformation of [forged, Uint8Array.of(1), new Uint8Array(40)])
      expect(await said(rig, rig.worker(), { ...refund, refundInformation })).toMatchObject(denied);
    rig.now += 24 * HOUR + 1;
    expect(await said(rig, rig.worker(), refund)).toMatchObject(denied);
    expect(await rig.balance()).toEqual([70, 0]);
  });

  test('under the number of another is a contradiction', async () => {
    const rig = await rigged();
    const worker = rig.worker();
    const one = await said(rig, worker, debit());
    const two = await said(rig, worker, debit(2, { sessionId: 'e2' }));
    await ask(rig, worker, refundOf(one));
    for (const other of [refundOf(two), eventOf('refund', [money(5)], { sessionId: 'r' })])
      expect(await said(rig, worker, other)).toMatchObject({ outcome: 'contradiction' });
    expect(await rig.balance()).toEqual([80, 0]);
  });

  test('of what the plan allows comes once for all its copies', async () => {
    const rig = await rigged();
    const refund = eventOf('refund', [money(25)]);
    const given = await said(rig, rig.worker(), refund);
    expect(given).toMatchObject({ outcome: 'success', cost: 25 });
    rig.now += 20 * HOUR;
    expect(await ask(rig, rig.worker(), refund)).toEqual(given);
    expect(await rig.balance()).toEqual([125, 0]);
  });
});

describe('enquiries', () => {
  test('write nothing at all: no binding, no record, no counter', async () => {
    const rig = await rigged();
    const writes: string[] = [];
    const store = withFaults(rig.store, (call) => {
      if (!['load', 'accountOf', 'bindingOf'].includes(call)) writes.push(call);
      return 'none';
    });
    const worker = rig.worker(store);
    expect(await said(rig, worker, eventOf('balance-check', [units(11)]))).toMatchObject({
      outcome: 'success',
      enough: false,
    });
    expect(await said(rig, worker, eventOf('price-enquiry', [units(11)]))).toMatchObject({
      outcome: 'success',
      cost: 110,
    });
    expect(writes).toEqual([]);
    expect(rig.kinds()).toEqual([]);
  });

  test('are of what is there now, not of a hint', async () => {
    const rig = await rigged();
    const [one, other] = [rig.worker(), rig.worker()];
    const check = eventOf('balance-check', [units(10)]);
    expect(await said(rig, one, check)).toMatchObject({ enough: true });
    await ask(rig, other, debit(1));
    expect(await said(rig, one, check)).toMatchObject({ enough: false });
  });
});

describe('an event in the Session-Id of a session', () => {
  const data = ruleOf({ match: { context: ['32251@3gpp.org'] } });
  const octets = (used: number) => [asks({ asked: {}, used: { octets: used } })];

  async function both(): Promise<{ rig: Rig; worker: Worker }> {
    const rig = new Rig(planOf([data, sms]));
    await rig.account('anna', { main: 1000 }, { buckets: [main], subscribers: ['e164:49170'] });
    return { rig, worker: rig.worker() };
  }

  test('leaves the session as it is, before, during and after it', async () => {
    const { rig, worker } = await both();
    const event = (number: number) => eventOf('debit', [units(1)], { sessionId: 's', number });
    expect(await said(rig, worker, event(100))).toMatchObject({ outcome: 'success' });
    const open = requestOf('initial', 0, [asks({ asked: {} })], { subscriber: anna });
    const opened = await charge(rig, worker, open);
    expect(opened).toMatchObject({ outcome: 'success', services: [{ granted: { units: 100 } }] });
    expect(await said(rig, rig.worker(), event(101))).toMatchObject({ outcome: 'success' });
    expect(await charge(rig, rig.worker(), open)).toEqual(opened);
    expect(await outcome(rig, rig.worker(), requestOf('update', 1, octets(40)))).toBe('success');
    expect(await said(rig, worker, event(101))).toMatchObject({ outcome: 'success' });
    rig.now += 12 * HOUR;
    await worker.timers.pass();
    checkBooks(rig);
    expect(rig.fired).toEqual(['supervision']);
    expect(await said(rig, worker, event(102))).toMatchObject({ outcome: 'success' });
    expect(await rig.balance()).toEqual([1000 - 30 - 40, 0]);
  });
});
