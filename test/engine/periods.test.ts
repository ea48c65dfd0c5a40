/** Buckets that time changes, met by several workers at once: what is due happens once. */
import { describe, expect, test } from 'vitest';
import type { Bucket, Renewal } from '../../src/charging/account.ts';
import type { Answer } from '../../src/charging/answer.ts';
import type { Store } from '../../src/store/store.ts';
import { asks, bundle, main, planOf, requestOf, ruleOf, START } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import { charge, Rig } from './rig.ts';

const HOUR = 3_600_000;
const hourly: Renewal = { every: 'hour', from: START, timeZone: 'UTC', amount: 2000, rollover: 0 };
const DEVICES = Array.from({ length: 20 }, (_, i) => String(i));

/** A rig with an account that all devices share, and a session of each. */
async function crowd(buckets: readonly Bucket[], openings: Readonly<Record<string, number>>) {
  const rule = ruleOf({ quota: { size: 50, minimum: 10, maximum: 100 } });
  const rig = new Rig(planOf([rule], { supervisionSeconds: 1_000_000 }));
  const subscribers = DEVICES.map((id) => `e164:${id}`);
  await rig.account('shared', openings, { buckets: [...buckets, main], subscribers });
  const workers = [rig.worker(), rig.worker()];
  const open = (id: string, number: number) =>
    charge(
      rig,
      workers[number % 2]!,
      requestOf('initial', 0, [], { sessionId: id, subscriber: { kind: 'e164', id } }),
    );
  for (const [i, id] of DEVICES.entries()) await open(id, i);
  const ask = (id: string, { number = 1, used = 0 } = {}): Promise<Answer | 'busy'> =>
    charge(
      rig,
      workers[Number(id) % 2]!,
      requestOf('update', number, [asks({ asked: {}, used: { octets: used } })], { sessionId: id }),
    );
  const changes = (bucket: string, cause: string): number[] =>
    rig
      .records()
      .flatMap((record) => record.changes)
      .filter((change) => change.bucket === bucket && change.cause === cause)
      .map(({ available }) => available);
  return { rig, workers, ask, changes };
}

const granted = (answer: Answer | 'busy'): number =>
  answer === 'busy' ? Number.NaN : (answer.services[0]?.granted?.units ?? 0);

/** A store as a worker sees it whose clock is another. */
function withClock(store: Store, now: () => number): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'now') return now;
      const member: unknown = Reflect.get(target, name, target);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
}

describe('a renewal', () => {
  test('happens once, though every worker finds it due at the same time', async () => {
    const { rig, ask, changes } = await crowd([bundle('b', { renewal: hourly })], { b: 70 });
    rig.now = START + HOUR;
    const answers = await Promise.all(DEVICES.map((id) => ask(id)));
    expect(answers.map(granted)).toEqual(DEVICES.map(() => 50));
    expect([changes('b', 'renewal'), changes('b', 'expiry')]).toEqual([[2000], [-70]]);
    expect(await rig.counters('shared')).toMatchObject({
      'a:b': 1000,
      'r:b': 1000,
      'p:b': START + 2 * HOUR,
    });
    checkBooks(rig);
  });

  test('is not undone by a worker whose clock is behind', async () => {
    const { rig, changes } = await crowd([bundle('b', { renewal: hourly })], { b: 70 });
    const late = withClock(rig.store, () => rig.now - 5000);
    const [behind, right] = [rig.worker(late), rig.worker()];
    const update = (id: string, number: number, worker = right) =>
      charge(rig, worker, requestOf('update', number, [asks({ asked: {} })], { sessionId: id }));
    rig.now = START + HOUR - 60_000;
    expect(granted(await update('1', 1, behind))).toBe(50);
    rig.now = START + HOUR + 1000;
    expect(granted(await update('2', 1))).toBe(50);
    // It remembers the account as it was, in a period that lasts on by its own clock.
    expect(granted(await update('1', 2, behind))).toBe(50);
    expect([changes('b', 'renewal'), changes('b', 'expiry')]).toEqual([[2000], [-20, 0]]);
    expect(await rig.counters('shared')).toMatchObject({
      'a:b': 1900,
      'r:b': 100,
      'p:b': START + 2 * HOUR,
    });
    checkBooks(rig);
  });

  test('refuses nobody for what the account had before it', async () => {
    const { rig, ask } = await crowd([bundle('b', { renewal: hourly })], { b: 0 });
    expect(await ask('1')).toMatchObject({ services: [{ outcome: 'credit-limit-reached' }] });
    rig.now = START + HOUR;
    expect(granted(await ask('1', { number: 2 }))).toBe(50);
  });
});

test('a first use by many begins one period', async () => {
  const { rig, ask } = await crowd([bundle('b', { lastsMs: HOUR })], { b: 2000 });
  rig.now = START + 3 * HOUR;
  const answers = await Promise.all(DEVICES.map((id) => ask(id)));
  expect(answers.map(granted)).toEqual(DEVICES.map(() => 50));
  expect(await rig.counters('shared')).toMatchObject({ 'a:b': 1000, 'p:b': START + 4 * HOUR });
  rig.now = START + 4 * HOUR;
  await ask('1', { number: 2, used: 10 });
  expect(await rig.counters('shared')).toMatchObject({ 'a:b': 0, 'r:b': 950 });
  checkBooks(rig);
});

describe('a limit', () => {
  test('is never granted twice, however many sessions its subscribers have', async () => {
    const cap = bundle('cap', { priority: 1, limits: DEVICES.map((id) => `e164:${id}`) });
    const { rig, ask } = await crowd([cap, bundle('b')], { cap: 330, b: 5000 });
    const answers = await Promise.all(DEVICES.map((id) => ask(id)));
    expect(answers.reduce((sum, answer) => sum + granted(answer), 0)).toBe(330);
    expect(await rig.counters('shared')).toMatchObject({ 'a:cap': 0, 'r:cap': 330, 'r:b': 330 });
    checkBooks(rig);
  });

  test('that was raised meanwhile refuses nobody', async () => {
    const cap = bundle('cap', { priority: 1, limits: ['e164:1'] });
    const { rig, ask } = await crowd([cap, bundle('b')], { cap: 5, b: 5000 });
    expect(await ask('1')).toMatchObject({ services: [{ outcome: 'credit-limit-reached' }] });
    const { account, epoch } = await rig.store.load({ tenant: 'blue', account: 'shared' });
    await rig.store.commit({
      account: { tenant: 'blue', account: 'shared' },
      epoch,
      accountVersion: account!.version,
      idempotency: { key: 'k', outcome: Uint8Array.of(), ttlMs: 1000 },
      movements: [{ field: 'a:cap', delta: 45 }],
      record: {
        ...{ kind: 'topup', at: rig.now, outcome: 'success', services: [] },
        account: { tenant: 'blue', account: 'shared' },
        changes: [{ bucket: 'cap', cause: 'topup', available: 45, reserved: 0 }],
      },
    });
    // This worker's hint says 5 still.
    expect(granted(await ask('1', { number: 2 }))).toBe(50);
    checkBooks(rig);
  });
});
