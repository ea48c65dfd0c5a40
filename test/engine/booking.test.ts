/** Top-ups and adjustments: booked once per key, whatever is lost, and by nobody past the limits. */
import { describe, expect, test } from 'vitest';
import type { AccountDefinition } from '../../src/charging/account.ts';
import type { Booking } from '../../src/charging/booking.ts';
import { LIMIT } from '../../src/charging/money.ts';
import { type Booked, book } from '../../src/engine/booking.ts';
import { type Fault, withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { decodeRecord } from '../../src/store/record-codec.ts';
import type { Store } from '../../src/store/store.ts';

const account = { tenant: 'blue', account: 'family' };
const definition: AccountDefinition = {
  ...account,
  plan: 'prepaid',
  status: 'active',
  maxSessions: 10,
  subscribers: [],
  buckets: [
    { id: 'bonus', unit: 'money', priority: 10, floor: 0, expiresAt: 2_000_000 },
    {
      ...{ id: 'hourly', unit: 'octets', priority: 20, floor: 0 },
      renewal: { every: 'hour', from: 0, timeZone: 'UTC', amount: 100, rollover: 0 },
    },
    { id: 'main', unit: 'money', priority: 100, floor: -500 },
  ],
};

/** A store, a monotonic clock that pauses move on, and what was booked according to its records. */
async function laboratory(decide: (call: string) => Fault = () => 'none') {
  const time = { store: 1_000_000, monotonic: 0 };
  const memory = new MemoryStore({ partitions: 4, clock: () => time.store });
  await memory.createAccount(definition, { main: 1_000 });
  const store: Store = withFaults(memory, (call) => decide(call));
  const call = (booking: Partial<Booking>, deadline = time.monotonic + 2_000): Promise<Booked> =>
    book(
      {
        store,
        keyTtlMs: 86_400_000,
        clock: () => time.monotonic,
        pause: async (ms) => {
          time.monotonic += ms;
          time.store += ms;
        },
      },
      account,
      { booking: { kind: 'topup', bucket: 'main', amount: 500, key: 'k1', ...booking }, deadline },
    );
  const records = () =>
    memory
      .partition(memory.partitionOf(account))
      .outbox.map(({ bytes }) => decodeRecord(bytes))
      .filter(({ kind }) => kind === 'topup' || kind === 'adjustment');
  const balance = async () => (await memory.load(account)).account!.counters['a:main'];
  return { memory, time, call, records, balance };
}

test('a top-up adds, and leaves one record with its cause and key', async () => {
  const { call, records, balance } = await laboratory();
  expect(await call({})).toEqual({
    kind: 'booked',
    repeated: false,
    at: 1_000_000,
    available: 1_500,
    reserved: 0,
  });
  expect(await balance()).toBe(1_500);
  expect(records()).toEqual([
    {
      kind: 'topup',
      at: 1_000_000,
      account,
      outcome: 'success',
      services: [],
      changes: [{ bucket: 'main', cause: 'topup', available: 500, reserved: 0 }],
      reference: 'k1',
    },
  ]);
});

test('the same key again changes nothing and says when it was booked', async () => {
  const { call, records, balance, time } = await laboratory();
  await call({});
  await call({ key: 'k2', amount: 1 });
  time.store += 5_000;
  expect(await call({})).toEqual({
    kind: 'booked',
    repeated: true,
    at: 1_000_000,
    available: 1_501,
    reserved: 0,
  });
  expect(await balance()).toBe(1_501);
  expect(records()).toHaveLength(2);
});

test('the same key for anything else is an error that changes nothing', async () => {
  const { call, balance } = await laboratory();
  await call({});
  for (const other of [
    { amount: 501 },
    { bucket: 'bonus' },
    { kind: 'adjustment' },
    { kind: 'adjustment', amount: -10_000 },
    { bucket: 'gone' },
  ] as const)
    expect(await call(other), JSON.stringify(other)).toEqual({ kind: 'key-reused' });
  expect(await balance()).toBe(1_500);
});

test('a key is kept for as long as it is said, and no longer', async () => {
  const { call, balance, time } = await laboratory();
  await call({});
  time.store += 86_399_999;
  expect(await call({})).toMatchObject({ repeated: true });
  time.store += 1;
  expect(await call({})).toMatchObject({ repeated: false });
  expect(await balance()).toBe(2_000);
});

describe('an adjustment', () => {
  test('may take, down to the floor and not below it', async () => {
    const { call, balance, records } = await laboratory();
    expect(await call({ kind: 'adjustment', amount: -1_501 })).toEqual({
      kind: 'refused',
      reason: 'below-floor',
    });
    expect(await call({ kind: 'adjustment', amount: -1_500 })).toMatchObject({ available: -500 });
    expect(await balance()).toBe(-500);
    expect(records()[0]!.changes[0]).toMatchObject({ cause: 'adjustment', available: -1_500 });
  });

  test('that was refused may be booked under the same key later', async () => {
    const { call } = await laboratory();
    expect(await call({ kind: 'adjustment', amount: -2_000 })).toMatchObject({ kind: 'refused' });
    await call({ key: 'other', amount: 5_000 });
    expect(await call({ kind: 'adjustment', amount: -2_000 })).toMatchObject({ available: 4_000 });
  });
});

describe('refused', () => {
  test.each([0, -1, 1.5, Number.NaN, 2 ** 53, Number.POSITIVE_INFINITY])(
    'the amount %d of a top-up',
    async (amount) => {
      const { call, balance } = await laboratory();
      expect(await call({ amount })).toEqual({ kind: 'refused', reason: 'amount-invalid' });
      expect(await balance()).toBe(1_000);
    },
  );

  test('a bucket that there is not, or that has expired', async () => {
    const { call, time, records } = await laboratory();
    expect(await call({ bucket: 'x' })).toEqual({ kind: 'refused', reason: 'bucket-unknown' });
    expect(await call({ bucket: 'bonus' })).toMatchObject({ kind: 'booked' });
    time.store = 2_000_000;
    expect(await call({ bucket: 'bonus', key: 'k2' })).toEqual({
      kind: 'refused',
      reason: 'bucket-expired',
    });
    expect(await call({ bucket: 'bonus' })).toMatchObject({ kind: 'booked', repeated: true });
    expect(records()).toHaveLength(1);
  });

  test('a balance beyond 2^53 - 1, what is reserved counted in', async () => {
    const { call, memory } = await laboratory();
    const { epoch, account: found } = await memory.load(account);
    await memory.commit({
      account,
      epoch,
      accountVersion: found!.version,
      idempotency: { key: 'reserve', outcome: new Uint8Array(), ttlMs: 1 },
      movements: [
        { field: 'a:main', delta: -300 },
        { field: 'r:main', delta: 300 },
      ],
      record: { kind: 'initial', at: 0, account, outcome: '', services: [], changes: [] },
    });
    expect(await call({ amount: LIMIT - 1_000 + 1 })).toEqual({
      kind: 'refused',
      reason: 'beyond-limit',
    });
    expect(await call({ amount: LIMIT - 1_000 })).toMatchObject({ available: LIMIT - 300 });
  });

  test('an account that there is not', async () => {
    const { memory } = await laboratory();
    const booked = await book(
      { store: memory, keyTtlMs: 1, clock: () => 0, pause: async () => {} },
      { tenant: 'red', account: 'family' },
      { booking: { kind: 'topup', bucket: 'main', amount: 1, key: 'k' }, deadline: 1 },
    );
    expect(booked).toEqual({ kind: 'account-unknown' });
  });
});

describe('when the store fails', () => {
  test.each<Fault>(['refuse', 'lose-request', 'lose-reply'])(
    'each call %s once: booked once, and known as booked by this call',
    async (fault) => {
      const failed = new Set<string>();
      const { call, records, balance } = await laboratory((name) => {
        if (failed.has(name) || name === 'createAccount') return 'none';
        failed.add(name);
        return fault;
      });
      expect(await call({})).toMatchObject({ kind: 'booked', repeated: false, available: 1_500 });
      expect(failed).toEqual(new Set(['load', 'commit']));
      expect(records()).toHaveLength(1);
      expect(await balance()).toBe(1_500);
    },
  );

  test('replies lost until the deadline: unknown, and the repetition finds it booked', async () => {
    let broken = true;
    const { call, records, time } = await laboratory((name) =>
      broken && name === 'commit' ? 'lose-reply' : 'none',
    );
    expect(await call({})).toMatchObject({ kind: 'unavailable', applied: 'unknown' });
    expect(time.monotonic).toBeLessThanOrEqual(2_000);
    broken = false;
    expect(await call({})).toMatchObject({ kind: 'booked', repeated: true, available: 1_500 });
    expect(records()).toHaveLength(1);
  });

  test('never reached: nothing was booked, and it is said so', async () => {
    const { call, records } = await laboratory((name) => (name === 'commit' ? 'refuse' : 'none'));
    expect(await call({})).toMatchObject({ kind: 'unavailable', applied: 'no' });
    expect(records()).toHaveLength(0);
  });

  test('past the deadline nothing is sent, and what is late is not stored', async () => {
    const { call, records, time } = await laboratory((name) => {
      if (name === 'commit') time.store += 2_001;
      return 'none';
    });
    expect(await call({})).toEqual({ kind: 'late' });
    expect(await call({}, time.monotonic)).toEqual({ kind: 'late' });
    expect(records()).toHaveLength(0);
  });

  test('provisioning and a failover in between are met by deciding again', async () => {
    let disturbances = 2;
    const { call, memory, balance } = await laboratory((name) => {
      if (name !== 'commit' || disturbances === 0) return 'none';
      disturbances--;
      if (disturbances === 1) memory.failOver(memory.copy());
      else void memory.changeAccount({ ...definition, maxSessions: 5 }, 1);
      return 'none';
    });
    expect(await call({})).toMatchObject({ kind: 'booked', repeated: false });
    expect(disturbances).toBe(0);
    expect(await balance()).toBe(1_500);
  });
});

test('a hundred callers with ten keys book ten times', async () => {
  const { call, records, balance } = await laboratory();
  const all = await Promise.all(
    Array.from({ length: 100 }, (_, i) => call({ key: `k${i % 10}`, amount: 1 })),
  );
  expect(all.filter((one) => one.kind === 'booked' && !one.repeated)).toHaveLength(10);
  expect(records()).toHaveLength(10);
  expect(await balance()).toBe(1_010);
});

test('a hundred callers after the end of a period renew its bucket once', async () => {
  const { call, records, memory, time } = await laboratory();
  await call({ bucket: 'hourly', amount: 70 });
  time.store = 3_600_000;
  const all = await Promise.all(
    Array.from({ length: 100 }, (_, i) => call({ key: `n${i}`, bucket: 'hourly', amount: 1 })),
  );
  expect(all.filter((one) => one.kind === 'booked')).toHaveLength(100);
  expect((await memory.load(account)).account?.counters).toMatchObject({
    'a:hourly': 200,
    'p:hourly': 7_200_000,
  });
  const causes = records().flatMap(({ changes }) => changes.map(({ cause }) => cause));
  expect(causes.filter((cause) => cause === 'renewal')).toHaveLength(1);
  expect(causes.filter((cause) => cause === 'expiry')).toHaveLength(1);
});
