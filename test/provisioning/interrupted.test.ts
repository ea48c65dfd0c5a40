/**
 * A file whose application was stopped, and what is applied next: the same file, the one before it, or
 * another. Until one is applied to its end, what any of them says otherwise is new.
 */
import { describe, expect, test } from 'vitest';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import { isRemembered } from '../../src/provisioning/remembered.ts';
import type { WrittenAccount, WrittenFile } from '../../src/provisioning/schema.ts';
import { type Fault, withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { open, session } from '../http/fixture.ts';
import { file, load, plan, tenant } from './configurations.ts';

const start = (store: Store, written: WrittenFile) =>
  applyFile(store, load(written), { all: false, concurrency: 1 });

const account = (id: string, numbers: string[], more: Partial<WrittenAccount> = {}) => ({
  ...{ id, plan: 'p', status: 'active' as const, subscribers: numbers.map((e164) => ({ e164 })) },
  ...more,
});

const FIRST = file([
  tenant('t', {
    plans: [plan('0.01'), plan('0.5', { id: 'q' })],
    accounts: [account('a', ['1', '2']), account('b', ['3']), account('c', [])],
  }),
]);
/** Another price, one plan less and one more, another status, plan and session limit, 2 and 3 moved. */
const SECOND = file([
  tenant('t', {
    plans: [plan('0.99'), plan('0.7', { id: 'r' })],
    accounts: [
      account('a', ['1'], { status: 'blocked' }),
      account('b', ['2'], { plan: 'r', maxSessions: 2 }),
      account('c', []),
      account('d', ['3']),
    ],
  }),
]);

/** A store that FIRST was applied to, then SECOND up to a call; false: that came to its end. */
async function stoppedIn(
  stopAt: number,
  fault: Fault,
): Promise<{ store: Store; isStopped: boolean }> {
  const store = new MemoryStore();
  await start(store, FIRST);
  let calls = 0;
  const dying = withFaults(store, () => {
    calls += 1;
    return calls === stopAt + 1 ? fault : calls > stopAt ? 'refuse' : 'none';
  });
  try {
    await start(dying, SECOND);
    return { store, isStopped: false };
  } catch (error) {
    expect(error).toBeInstanceOf(StoreUnavailable);
    return { store, isStopped: true };
  }
}

/** What is in effect of what the files say. */
async function stateOf(store: Store) {
  const { tenants } = JSON.parse((await store.readConfiguration())!.document) as WrittenFile;
  const prices = tenants[0]!.plans.map(({ id, rules }) => [id, rules[0]!.price!.amount]);
  const accounts: Record<string, unknown> = {};
  for (const id of ['a', 'b', 'c', 'd']) {
    const { account: found } = await store.load({ tenant: 't', account: id });
    if (found === undefined) continue;
    const { plan, status, subscribers } = found.definition;
    accounts[id] = { plan, status, subscribers };
  }
  const numbers = ['1', '2', '3'].map((id) => store.accountOf('t', { kind: 'e164', id }));
  return { prices: Object.fromEntries(prices), accounts, holders: await Promise.all(numbers) };
}

test.each<Fault>(['refuse', 'lose-request', 'lose-reply'])(
  'stopped at any call (%s), then the file before: all of it is in effect again',
  async (fault) => {
    let stops = 0;
    for (let stopAt = 0; stopAt === stops; stopAt++) {
      const { store, isStopped } = await stoppedIn(stopAt, fault);
      if (isStopped) stops += 1;
      const { overruled, accounts } = await start(store, FIRST);
      const { accounts: all, ...state } = await stateOf(store);
      // Where it was created it stays, and nobody is on it.
      const { d, ...rest } = all as Record<'d', { subscribers: string[] } | undefined>;
      expect({ ...state, rest, stopAt }).toEqual({
        ...{ stopAt, prices: { p: '0.01', q: '0.5' }, holders: ['a', 'a', 'b'] },
        rest: {
          a: { plan: 'p', status: 'active', subscribers: ['e164:1', 'e164:2'] },
          b: { plan: 'p', status: 'active', subscribers: ['e164:3'] },
          c: { plan: 'p', status: 'active', subscribers: [] },
        },
      });
      if (isStopped) expect([overruled, accounts.notes]).toEqual([[], []]);
      const again = await start(store, FIRST);
      expect(again).toMatchObject({ changed: false, accounts: { changed: 0, unchanged: 0 } });
    }
    expect(stops).toBeGreaterThan(20);
  },
  30_000,
);

test('stopped at any call, then stopped in the file before: the next start is the same', async () => {
  let stops = 0;
  for (let stopAt = 0; stopAt === stops; stopAt++) {
    const { store, isStopped } = await stoppedIn(stopAt, 'refuse');
    if (isStopped) stops += 1;
    let calls = 0;
    const dying = withFaults(store, () => (calls++ < stopAt ? 'none' : 'refuse'));
    await start(dying, FIRST).catch((error) => expect(error).toBeInstanceOf(StoreUnavailable));
    await start(store, SECOND);
    const { prices, holders, accounts } = await stateOf(store);
    expect({ stopAt, prices, holders, accounts }).toMatchObject({
      ...{ stopAt, prices: { p: '0.99', r: '0.7' }, holders: ['a', 'b', 'd'] },
      accounts: { a: { status: 'blocked' }, b: { plan: 'r' }, d: { plan: 'p' } },
    });
  }
  expect(stops).toBeGreaterThan(20);
}, 30_000);

test('what neither file says otherwise stays as others have made it', async () => {
  const { store, isStopped } = await stoppedIn(20, 'refuse');
  expect(isStopped).toBe(true);
  const { account: found } = await store.load({ tenant: 't', account: 'c' });
  await store.changeAccount({ ...found!.definition, status: 'blocked' }, found!.version);
  await start(store, FIRST);
  expect((await stateOf(store)).accounts).toMatchObject({ c: { status: 'blocked' } });
});

test('a file that is refused leaves no trace: the one before it changes nothing', async () => {
  const store = new MemoryStore();
  await start(store, FIRST);
  const remembered = await store.rememberedFile();
  const [first] = SECOND.tenants;
  const refused = file([{ ...first!, currency: 'USD' }]);
  await expect(start(store, refused)).rejects.toMatchObject({ code: 'CHANGE_REFUSED' });
  expect(await store.rememberedFile()).toBe(remembered);
});

/** Of an account: an open session that holds what was decided under this plan. */
function serve(store: Store, sessionId: string, under: string, id = sessionId): Promise<void> {
  const [first] = session('t').services;
  const services = [{ ...first!, plan: under }];
  return open(store, session('t', { sessionId, account: { tenant: 't', account: id }, services }));
}

describe('stopped before clients of an account with another plan were asked', () => {
  const of = (id: string, more: Partial<WrittenAccount> = {}) =>
    account(id, [], {
      buckets: [
        { id: 'bundle', unit: 'octets', opening: 500_000 },
        { id: 'main', unit: 'money', opening: '20' },
      ],
      ...more,
    });
  const said = (...accounts: WrittenAccount[]) =>
    file([tenant('t', { plans: [plan('0.01'), plan('0.5', { id: 'q' })], accounts })]);
  const before = said(of('a'), of('b'));
  const moved = said(of('a', { plan: 'q' }), of('b'));

  /** Starts or applies a file; with `stops`, no client can be asked. Returns who was asked. */
  async function put(store: Store, written: WrittenFile, { all = false, stops = false } = {}) {
    const asked: string[] = [];
    await applyFile(store, load(written), {
      all,
      async askClients({ account: id }) {
        if (stops) throw new StoreUnavailable('no', 'stopped');
        asked.push(id);
        return { kind: 'done', asked: 1 };
      },
    });
    return asked;
  }

  async function serving() {
    const store: Store = new MemoryStore();
    await start(store, before);
    for (const id of ['a', 'b']) await serve(store, id, 'p');
    return store;
  }

  test.each([
    ['again', false, moved],
    ['again, by command', true, moved],
    ['by a file that says more', false, said(of('a', { plan: 'q', maxSessions: 5 }), of('b'))],
    ['by the file before', false, before],
  ])('they are asked when it is applied %s', async (_, all, next) => {
    const store = await serving();
    await expect(put(store, moved, { all, stops: true })).rejects.toThrow('stopped');
    expect(await put(store, next, { all })).toEqual(['a']);
    expect(await put(store, next, { all })).toEqual([]);
  });

  test('they are asked when a command is repeated that took back what others had changed', async () => {
    const store = await serving();
    const { account: found } = await store.load({ tenant: 't', account: 'b' });
    await store.changeAccount({ ...found!.definition, plan: 'q' }, found!.version);
    await serve(store, 'b-of-q', 'q', 'b');
    await expect(put(store, before, { all: true, stops: true })).rejects.toThrow('stopped');
    expect(await put(store, before, { all: true })).toEqual(['b']);
    expect(await put(store, before, { all: true })).toEqual([]);
  });

  test('nobody is asked whose sessions go on under the plan already', async () => {
    const store: Store = new MemoryStore();
    await start(store, before);
    await expect(put(store, moved, { stops: true })).rejects.toThrow('stopped');
    await serve(store, 'a', 'q');
    expect(await put(store, moved)).toEqual([]);
  });
});

/** Stopped as soon as its configuration is written. */
async function stopAfterConfiguration(store: Store, written: WrittenFile): Promise<void> {
  let isWritten = false;
  const dying = withFaults(store, (call) => {
    if (isWritten) return 'refuse';
    isWritten = call === 'writeConfiguration';
    return 'none';
  });
  await expect(start(dying, written)).rejects.toThrow(StoreUnavailable);
}

const priced = (amount: string, ...more: string[]) =>
  file([tenant('t', { plans: [plan(amount), ...more.map((id) => plan('1', { id }))] })]);

test('the first file of all, stopped: what it began goes when another follows', async () => {
  const store = new MemoryStore();
  await stopAfterConfiguration(store, priced('0.01', 'mine'));
  expect((await stateOf(store)).prices).toEqual({ p: '0.01', mine: '1' });
  await start(store, priced('0.02'));
  expect((await stateOf(store)).prices).toEqual({ p: '0.02' });
});

test('several files that were stopped, one after the other: all are taken back', async () => {
  const store = new MemoryStore();
  await start(store, priced('0.01'));
  for (const id of ['q', 'r', 's']) await stopAfterConfiguration(store, priced('0.01', id));
  expect((await stateOf(store)).prices).toEqual({ p: '0.01', s: '1' });
  expect(await start(store, priced('0.01'))).toMatchObject({ changed: true, overruled: [] });
  expect((await stateOf(store)).prices).toEqual({ p: '0.01' });
});

test('of files that were stopped, no more than four are remembered', async () => {
  const store = new MemoryStore();
  await start(store, priced('1'));
  const lengths: number[] = [];
  for (const price of ['2', '3', '4', '5', '6', '7']) {
    await stopAfterConfiguration(store, priced(price));
    lengths.push((await store.rememberedFile())!.length);
  }
  expect(new Set(lengths.slice(3)).size).toBe(1);
  await start(store, priced('1'));
  expect((await stateOf(store)).prices).toEqual({ p: '1' });
});

test('a file is known again, whether it was stopped or applied, until another is begun', async () => {
  const store = new MemoryStore();
  const isKnown = async () => isRemembered(await store.rememberedFile(), FIRST);
  expect(await isKnown()).toBe(false);
  await stopAfterConfiguration(store, FIRST);
  expect(await isKnown()).toBe(true);
  await start(store, FIRST);
  expect(await isKnown()).toBe(true);
  await stopAfterConfiguration(store, SECOND);
  expect(await isKnown()).toBe(false);
});
