/** The loop around `step`: hints, round trips, conflicts, moves, tenants, deadlines. */
import { describe, expect, test } from 'vitest';
import { LIMIT } from '../../src/charging/money.ts';
import type { Request } from '../../src/charging/request.ts';
import type { Store } from '../../src/store/store.ts';
import { asks, bundle, main, planOf, requestOf, ruleOf } from '../charging/till.ts';
import { anna, charge, outcome, Rig } from './rig.ts';

const ask = asks({ asked: {} });
const initial = (part: Partial<Request> = {}) =>
  requestOf('initial', 0, [ask], { subscriber: anna, ...part });
const update = (number: number, octets = 10, part: Partial<Request> = {}) =>
  requestOf('update', number, [asks({ used: { octets }, asked: {} })], part);
const termination = (number: number) => requestOf('termination', number, []);

/** The store with one call replaced. */
function replacing<Call extends keyof Store>(store: Store, call: Call, by: Store[Call]): Store {
  const replaced = Object.create(store) as Store;
  for (const name of ['partitionOf', 'accountOf', 'bind', 'bindingOf', 'keepBinding'] as const)
    Object.assign(replaced, { [name]: store[name].bind(store) });
  for (const name of ['moveBinding', 'load', 'commit', 'claimDue', 'rearm', 'dropTimer'] as const)
    Object.assign(replaced, { [name]: store[name].bind(store) });
  Object.defineProperty(replaced, 'partitions', { value: store.partitions });
  Object.defineProperty(replaced, 'now', { value: () => store.now() });
  return Object.assign(replaced, { [call]: by });
}

describe('round trips', () => {
  test('an initial request takes three, two where its account was seen', async () => {
    const rig = new Rig();
    await rig.anna();
    const worker = rig.worker();
    await charge(rig, worker, initial());
    expect(worker.trips).toBe(3);
    await charge(rig, worker, initial({ sessionId: 's2' }));
    expect(worker.trips).toBe(2);
  });

  test('what is refused on what was just read is not read again', async () => {
    const rig = new Rig();
    await rig.anna({ main: 0 });
    const worker = rig.worker();
    expect(await charge(rig, worker, initial())).toMatchObject({
      services: [{ outcome: 'credit-limit-reached' }],
    });
    expect(worker.trips).toBe(3);
  });

  test('a later one takes one where the session was seen last', async () => {
    const rig = new Rig();
    await rig.anna();
    const worker = rig.worker();
    await charge(rig, worker, initial());
    await charge(rig, worker, update(1));
    expect(worker.trips).toBe(1);
    await charge(rig, worker, termination(2));
    expect(worker.trips).toBe(1);
  });

  test('two where another worker saw it last, three where nothing is known', async () => {
    const rig = new Rig();
    await rig.anna();
    const [one, other, third] = [rig.worker(), rig.worker(), rig.worker()];
    await charge(rig, one, initial());
    await charge(rig, other, update(1));
    expect(other.trips).toBe(3);
    await charge(rig, one, update(2));
    expect(one.trips).toBe(2);
    await charge(rig, third, termination(3));
    expect(third.trips).toBe(3);
  });

  test('two where the session is not known and its subscriber is', async () => {
    const rig = new Rig();
    await rig.anna();
    const [one, other] = [rig.worker(), rig.worker()];
    await charge(rig, other, initial());
    await charge(rig, one, initial({ sessionId: 's2' }));
    expect(
      await charge(rig, other, update(1, 10, { sessionId: 's2', subscriber: anna })),
    ).toMatchObject({
      outcome: 'success',
    });
    expect(other.trips).toBe(2);
  });
});

describe('hints', () => {
  test('a refusal is never decided on one: credit topped up elsewhere is found', async () => {
    const rig = new Rig();
    await rig.anna({ main: 100 });
    const [one, other] = [rig.worker(), rig.worker()];
    await charge(rig, one, initial());
    await charge(rig, other, initial({ sessionId: 's2' }));
    await charge(rig, other, requestOf('termination', 1, [], { sessionId: 's2' }));
    await charge(rig, one, termination(1));
    expect(await charge(rig, other, initial({ sessionId: 's3' }))).toMatchObject({
      services: [{ outcome: 'success', granted: { units: 100 } }],
    });
  });

  test('a denial at command level is read afresh before it is given', async () => {
    const rig = new Rig(planOf([ruleOf({ denied: true })]));
    rig.plans.set('other', planOf([ruleOf()], { id: 'other' }));
    await rig.anna();
    const worker = rig.worker();
    const command = (sessionId: string) => initial({ sessionId, level: 'command' });
    expect(await outcome(rig, worker, command('s1'))).toBe('service-denied');
    const { account } = await rig.store.load({ tenant: 'blue', account: 'anna' });
    await rig.store.changeAccount({ ...account!.definition, plan: 'other' }, account!.version);
    expect(await outcome(rig, worker, command('s2'))).toBe('success');
  });

  test('usage burns no money while a bundle has more than the hint says', async () => {
    const rig = new Rig();
    await rig.account(
      'anna',
      { b: 100, main: 1000 },
      {
        buckets: [bundle('b'), main],
        subscribers: ['e164:49170'],
      },
    );
    const [one, other] = [rig.worker(), rig.worker()];
    const open = (sessionId: string) =>
      requestOf('initial', 0, [ask], { sessionId, subscriber: anna });
    // This worker sees the bundle empty; another worker frees it again.
    await charge(rig, one, open('holds'));
    await charge(rig, one, requestOf('initial', 0, [], { sessionId: 'runs', subscriber: anna }));
    await charge(rig, other, requestOf('termination', 1, [], { sessionId: 'holds' }));
    await charge(
      rig,
      one,
      requestOf('update', 1, [asks({ used: { octets: 60 } })], { sessionId: 'runs' }),
    );
    const counters = await rig.counters();
    expect([counters['a:b'], counters['a:main']]).toEqual([40, 1000]);
  });

  test('a duplicate is answered by what is stored, not by what was: hints change no answer', async () => {
    const rig = new Rig();
    await rig.anna();
    const [one, other] = [rig.worker(), rig.worker()];
    await charge(rig, one, initial());
    await charge(rig, one, termination(1));
    rig.now += 601_000;
    for (const worker of [one, other]) {
      expect(await outcome(rig, worker, initial())).toBe('contradiction');
      expect(await outcome(rig, worker, termination(1))).toBe('unknown-session');
    }
  });

  test('a session that was seen is never opened a second time', async () => {
    const rig = new Rig();
    await rig.anna();
    const worker = rig.worker();
    await charge(rig, worker, initial());
    await charge(rig, worker, termination(1));
    rig.now += 601_000;
    worker.knowledge.forgetAccount({ tenant: 'blue', account: 'anna' });
    expect(await outcome(rig, worker, initial())).toBe('contradiction');
    worker.knowledge.clear();
    expect(await outcome(rig, worker, initial())).toBe('contradiction');
    expect(await rig.balance()).toEqual([1000, 0]);
  });

  test('after an epoch was raised it is decided again on what is there', async () => {
    const rig = new Rig();
    await rig.anna();
    const worker = rig.worker();
    await charge(rig, worker, initial());
    const copy = rig.store.copy();
    await charge(rig, worker, update(1));
    rig.store.failOver(copy);
    expect(await rig.balance()).toEqual([900, 100]);
    expect(await outcome(rig, worker, update(2, 30))).toBe('success');
    expect(await rig.balance()).toEqual([870, 100]);
  });
});

describe('contention', () => {
  /** Something else happens to the account before each commit, `times` over. */
  function disturbed(rig: Rig, times: number, by: () => Promise<void>): Store {
    let left = times;
    return replacing(rig.store, 'commit', async (commit) => {
      if (left-- > 0) await by();
      return rig.store.commit(commit);
    });
  }

  async function touch(rig: Rig): Promise<void> {
    const { account } = await rig.store.load({ tenant: 'blue', account: 'anna' });
    await rig.store.changeAccount(account!.definition, account!.version);
  }

  test('after three conflicts usage is committed without a new reservation', async () => {
    for (const [times, granted] of [
      [2, 100],
      [3, undefined],
    ] as const) {
      const rig = new Rig();
      await rig.anna();
      await charge(rig, rig.worker(), initial());
      const answer = await charge(
        rig,
        rig.worker(disturbed(rig, times, () => touch(rig))),
        update(1),
      );
      if (answer === 'busy') throw new Error('busy');
      expect(answer.services[0]?.granted?.units).toBe(granted);
      if (granted === undefined) expect(answer.services[0]).toMatchObject({ validitySeconds: 10 });
      expect(await rig.balance()).toEqual([990 - (granted ?? 0), granted ?? 0]);
      expect(rig.conflicts).toBe(times);
    }
  });

  test('after two commits that found too little the same', async () => {
    const rig = new Rig();
    await rig.anna();
    await charge(rig, rig.worker(), initial());
    let left = 2;
    const store = replacing(rig.store, 'commit', async (commit) =>
      left-- > 0 ? { kind: 'insufficient', counters: {} } : rig.store.commit(commit),
    );
    const answer = await charge(rig, rig.worker(store), update(1, 20));
    expect(answer).toMatchObject({ services: [{ outcome: 'success', validitySeconds: 10 }] });
    expect(await rig.balance()).toEqual([980, 0]);
  });

  test('endless conflicts end with the deadline, not before usage had its chance', async () => {
    const rig = new Rig();
    await rig.anna();
    await charge(rig, rig.worker(), initial());
    const store = disturbed(rig, Number.POSITIVE_INFINITY, async () => {
      rig.now += 100;
      await touch(rig);
    });
    expect(await outcome(rig, rig.worker(store), update(1))).toBe('busy');
    expect(await rig.balance()).toEqual([900, 100]);
  });

  test('a counter that another drew to its limit meanwhile is read again', async () => {
    const rig = new Rig();
    await rig.anna({ main: 0 });
    const worker = rig.worker();
    await charge(rig, worker, requestOf('initial', 0, [], { subscriber: anna }));
    const other = rig.worker();
    await charge(rig, other, requestOf('initial', 0, [], { sessionId: 's2', subscriber: anna }));
    const much = (sessionId: string) =>
      requestOf('update', 1, [asks({ used: { octets: LIMIT - 5 } })], { sessionId });
    await charge(rig, other, much('s2'));
    expect(await outcome(rig, worker, much('s'))).toBe('success');
    expect(await rig.balance()).toEqual([-LIMIT, 0]);
    expect(rig.alarms).toEqual(['excess']);
  });
});

describe('a subscriber who moves', () => {
  async function moving(): Promise<Rig> {
    const rig = new Rig();
    await rig.anna();
    await rig.account('bert', { main: 500 });
    return rig;
  }

  test('in mid-session: the session stays where it was opened', async () => {
    const rig = await moving();
    const [one, other] = [rig.worker(), rig.worker()];
    await charge(rig, one, initial());
    await rig.store.moveSubscriber('blue', anna, 'bert');
    await charge(rig, other, update(1, 40, { subscriber: anna }));
    await charge(rig, one, termination(2));
    expect(await rig.balance()).toEqual([960, 0]);
    expect(await rig.balance('bert')).toEqual([500, 0]);
  });

  test('between an initial and its retransmission: it is opened once', async () => {
    const rig = await moving();
    const [one, other] = [rig.worker(), rig.worker()];
    const first = await charge(rig, one, initial());
    await rig.store.moveSubscriber('blue', anna, 'bert');
    expect(await charge(rig, other, initial())).toEqual(first);
    expect(await charge(rig, one, initial())).toEqual(first);
    expect(await rig.balance()).toEqual([900, 100]);
    expect(await rig.balance('bert')).toEqual([500, 0]);
  });

  test('a stale pointer is found out by the commit, and by a refusal', async () => {
    for (const part of [{}, { level: 'command' as const }]) {
      const rig = await moving();
      await rig.account('carl', { main: 0 }, { maxSessions: 0 });
      const worker = rig.worker();
      await rig.store.moveSubscriber('blue', anna, 'carl');
      expect(await outcome(rig, worker, initial({ sessionId: 'x', ...part }))).toBe(
        'resources-exceeded',
      );
      await rig.store.moveSubscriber('blue', anna, 'bert');
      expect(await outcome(rig, worker, initial(part))).toBe('success');
      expect(await rig.balance('bert')).toEqual([400, 100]);
    }
  });

  test('two copies of an initial, one bound before the move: one session, one answer', async () => {
    const rig = await moving();
    const [fast, check] = [rig.worker(), rig.worker()];
    let copy: unknown;
    const slow = rig.worker(
      replacing(rig.store, 'commit', async (commit) => {
        if (copy === undefined) {
          await rig.store.moveSubscriber('blue', anna, 'bert');
          copy = await charge(rig, fast, initial());
        }
        return rig.store.commit(commit);
      }),
    );
    expect(await charge(rig, slow, initial())).toEqual(copy);
    expect(copy).toMatchObject({ outcome: 'success', services: [{ granted: { units: 100 } }] });
    expect(await rig.balance()).toEqual([1000, 0]);
    expect(await rig.balance('bert')).toEqual([400, 100]);
    for (const [number, worker] of [slow, fast, check].entries())
      expect(await outcome(rig, worker, update(number + 1))).toBe('success');
    expect(await rig.balance('bert')).toEqual([370, 100]);
  });

  test('one who is nobody’s any more is unknown, without asking for ever', async () => {
    const rig = await moving();
    let calls = 0;
    const store = replacing(rig.store, 'accountOf', async () => {
      calls++;
      return 'anna';
    });
    const { account } = await rig.store.load({ tenant: 'blue', account: 'anna' });
    await rig.store.changeAccount({ ...account!.definition, subscribers: [] }, account!.version);
    expect(await outcome(rig, rig.worker(store), initial())).toBe('user-unknown');
    expect(calls).toBeLessThan(4);
    expect(await rig.balance()).toEqual([1000, 0]);
  });
});

describe('tenants', () => {
  async function two(): Promise<Rig> {
    const rig = new Rig();
    await rig.anna();
    await rig.account('anna', { main: 700 }, { tenant: 'red', subscribers: ['e164:49170'] });
    return rig;
  }

  test('one number in two of them is two subscribers', async () => {
    const rig = await two();
    const worker = rig.worker();
    await charge(rig, worker, initial());
    await charge(rig, worker, initial({ sessionId: 's2' }), { tenant: 'red' });
    expect(await rig.balance('anna', 'blue')).toEqual([900, 100]);
    expect(await rig.balance('anna', 'red')).toEqual([600, 100]);
  });

  test('a session is found by its Session-Id alone, whatever an update would be routed to', async () => {
    const rig = await two();
    const [one, other] = [rig.worker(), rig.worker()];
    await charge(rig, one, initial());
    for (const [number, tenant] of [undefined, 'red'].entries())
      for (const worker of [one, other])
        expect(
          await outcome(rig, worker, update(number * 2 + (worker === one ? 1 : 2)), { tenant }),
        ).toBe('success');
    expect(await rig.balance('anna', 'blue')).toEqual([860, 100]);
  });

  test('a peer that may not serve the session’s tenant does not find it (5002)', async () => {
    const rig = await two();
    const [one, other] = [rig.worker(), rig.worker()];
    await charge(rig, one, initial());
    for (const worker of [one, other])
      for (const request of [update(1), termination(2)])
        expect(await outcome(rig, worker, request, { tenants: ['red'] })).toBe('unknown-session');
    expect(await rig.balance()).toEqual([900, 100]);
  });

  test('nor opens one there, nor with a Session-Id that is another tenant’s', async () => {
    const rig = await two();
    const [one, other] = [rig.worker(), rig.worker()];
    expect(await outcome(rig, one, initial(), { tenants: ['red'] })).toBe('user-unknown');
    await charge(rig, one, initial());
    for (const worker of [one, other])
      expect(await outcome(rig, worker, initial(), { tenant: 'red' })).toBe('contradiction');
    expect(await rig.balance('anna', 'red')).toEqual([700, 0]);
  });

  test('a request of no tenant opens nothing', async () => {
    const rig = await two();
    expect(await outcome(rig, rig.worker(), initial(), { tenant: undefined })).toBe('user-unknown');
  });
});

describe('deadlines', () => {
  test('a request whose time is over is busy, and nothing of it is stored', async () => {
    const rig = new Rig();
    await rig.anna();
    const worker = rig.worker();
    const store = replacing(rig.store, 'bind', async (...of) => {
      rig.now += 6_000;
      return rig.store.bind(...of);
    });
    expect(await outcome(rig, rig.worker(store), initial())).toBe('busy');
    expect(await rig.balance()).toEqual([1000, 0]);
    expect(await outcome(rig, worker, initial())).toBe('success');
  });

  test('a commit that arrives late opens nothing', async () => {
    const rig = new Rig();
    await rig.anna();
    const store = replacing(rig.store, 'commit', async (commit) => {
      rig.now += 5_001;
      return rig.store.commit(commit);
    });
    expect(await outcome(rig, rig.worker(store), initial())).toBe('busy');
    expect(await rig.balance()).toEqual([1000, 0]);
  });
});

describe('refusals that others may still charge', () => {
  test('alarms name a client that gives one number to two requests', async () => {
    const rig = new Rig();
    await rig.anna();
    const worker = rig.worker();
    await charge(rig, worker, initial());
    await charge(rig, worker, update(1, 10));
    expect(await outcome(rig, worker, update(1, 11))).toBe('contradiction');
    expect(rig.alarms).toEqual(['number-reused']);
    expect(await rig.balance()).toEqual([890, 100]);
  });

  test.each([
    [1, []],
    [3, ['bad-answer']],
  ])(
    'C-218 a Termination-Cause of %i is recorded, and one that blames us is told',
    async (cause, alarms) => {
      const rig = new Rig();
      await rig.anna();
      const worker = rig.worker();
      await charge(rig, worker, initial());
      await charge(rig, worker, requestOf('termination', 1, [], { terminationCause: cause }));
      expect(rig.records().at(-1)).toMatchObject({ kind: 'termination', terminationCause: cause });
      expect(rig.alarms).toEqual(alarms);
    },
  );
});
