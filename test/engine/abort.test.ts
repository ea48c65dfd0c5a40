/** Sessions that are ended from outside: once, and said so, whatever the store does to a call. */
import { describe, expect, test } from 'vitest';
import { planWithoutRules } from '../../src/charging/plan.ts';
import { abortAll } from '../../src/engine/abort.ts';
import { type Fault, withFaults } from '../../src/store/memory/faulty-store.ts';
import type { Store } from '../../src/store/store.ts';
import { asks, requestOf } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import { anna, charge, outcome, Rig, settings } from './rig.ts';

async function opened(): Promise<Rig> {
  const rig = new Rig();
  await rig.anna();
  const ask = asks({ asked: {} });
  await charge(rig, rig.worker(), requestOf('initial', 0, [ask], { subscriber: anna }));
  expect(await rig.balance()).toEqual([900, 100]);
  return rig;
}

function abort(rig: Rig, store: Store = rig.store, tenants = ['blue']): Promise<string> {
  return abortAll(
    {
      store,
      plan: (_tenant, plan) => planWithoutRules(plan),
      settings,
      clock: () => rig.now,
      pause: rig.pause,
    },
    's',
    { mayServe: (tenant) => tenants.includes(tenant), deadline: rig.now + 5_000 },
  );
}

test('what it held is released, and its late usage is charged', async () => {
  const rig = await opened();
  expect(await abort(rig)).toBe('ended');
  expect(await rig.balance()).toEqual([1000, 0]);
  const late = requestOf('update', 1, [asks({ used: { octets: 40 } })]);
  expect(await outcome(rig, rig.worker(), late)).toBe('unknown-session');
  expect(await rig.balance()).toEqual([960, 0]);
});

describe('again', () => {
  test('is answered as before while the tombstone stands, and unknown after it', async () => {
    const rig = await opened();
    for (let i = 0; i < 3; i++) expect(await abort(rig)).toBe('ended');
    expect(rig.kinds()).toEqual(['initial', 'abort']);
    rig.now += settings.abandonedMs + 1;
    expect(await abort(rig)).toBe('unknown');
  });

  test('of a session that its client ended is answered so, too', async () => {
    const rig = await opened();
    await charge(rig, rig.worker(), requestOf('termination', 1, []));
    expect(await abort(rig)).toBe('ended');
    expect(rig.kinds()).toEqual(['initial', 'termination']);
  });
});

test('a session of another tenant is unknown, and left alone', async () => {
  const rig = await opened();
  expect(await abort(rig, rig.store, ['red'])).toBe('unknown');
  expect(await rig.balance()).toEqual([900, 100]);
});

test('a fault at any call changes nothing, not even its answer', async () => {
  for (const fault of ['refuse', 'lose-request', 'lose-reply'] as const satisfies Fault[])
    for (let at = 0; at < 5; at++) {
      const rig = await opened();
      let calls = 0;
      const store = withFaults(rig.store, () => (calls++ === at ? fault : 'none'));
      expect([fault, at, await abort(rig, store)]).toEqual([fault, at, 'ended']);
      expect(calls).toBeGreaterThan(5);
      checkBooks(rig);
      expect(rig.kinds()).toEqual(['initial', 'abort']);
    }
});

test('a store that stays away is busy', async () => {
  const rig = await opened();
  expect(
    await abort(
      rig,
      withFaults(rig.store, () => 'refuse'),
    ),
  ).toBe('busy');
  expect(await rig.balance()).toEqual([900, 100]);
});

describe('sub-sessions', () => {
  const withSubSessions = async (count: number): Promise<Rig> => {
    const rig = new Rig();
    const part = { subscribers: ['e164:49170'], maxSessions: 1_000 };
    await rig.account('anna', { main: 100_000 }, part);
    const worker = rig.worker();
    for (let id = 0; id < count; id++) {
      const under = { subscriber: anna, subSessionId: String(id) };
      await charge(rig, worker, requestOf('initial', 0, [asks({ asked: {} })], under));
    }
    return rig;
  };

  test('all of them end with their Session-Id, more than are read at once', async () => {
    const rig = await withSubSessions(250);
    await charge(
      ...([rig, rig.worker()] as const),
      requestOf('initial', 0, [asks({ asked: {} })], { subscriber: anna }),
    );
    expect(await rig.balance()).toEqual([74_900, 25_100]);
    expect(await abort(rig)).toBe('ended');
    expect(await rig.balance()).toEqual([100_000, 0]);
    expect(rig.kinds().filter((kind) => kind === 'abort')).toHaveLength(251);
    checkBooks(rig);
  });

  test('a fault at any call leaves none of them open', async () => {
    for (const fault of ['refuse', 'lose-request', 'lose-reply'] as const satisfies Fault[])
      for (let at = 0; at < 10; at++) {
        const rig = await withSubSessions(2);
        let calls = 0;
        const store = withFaults(rig.store, () => (calls++ === at ? fault : 'none'));
        expect([fault, at, await abort(rig, store)]).toEqual([fault, at, 'ended']);
        expect(await rig.balance()).toEqual([100_000, 0]);
        checkBooks(rig);
      }
  });
});
