/**
 * Files that follow one which had to leave an account as it is: what that file moved off the account, and
 * whom the account could not let go because of another, is held against what came of it.
 */
import { expect, test } from 'vitest';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import type { WrittenAccount, WrittenSubscriber } from '../../src/provisioning/schema.ts';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/store.ts';
import { file, load, tenant } from './configurations.ts';

const apply = (store: Store, ...accounts: WrittenAccount[]) =>
  applyFile(store, load(file([tenant('t', { accounts })])), { all: false });

/** Its bucket holds octets; as `unfit`, it cannot become what is written. */
const account = (
  id: string,
  subscribers: readonly WrittenSubscriber[],
  { unfit = false, ...more }: Partial<WrittenAccount> & { unfit?: boolean } = {},
): WrittenAccount => ({
  ...{ id, plan: 'p', subscribers },
  buckets: [{ id: 'data', unit: unfit ? 'seconds' : 'octets' }],
  ...more,
});

const limited = (amount: string): WrittenSubscriber => ({
  ...{ e164: '491', limits: [{ id: 'cap', unit: 'money', amount }] },
});
const KIM = { e164: '491' };

async function stored(store: Store, id: string) {
  const { definition, version } = (await store.load({ tenant: 't', account: id })).account!;
  const limits = definition.buckets.filter((bucket) => bucket.limits !== undefined);
  return { subscribers: definition.subscribers, limits, definition, version };
}

test('whom a file moved off an account that it left as it is comes back, limits and all', async () => {
  const store = new MemoryStore();
  await apply(store, account('a', [limited('5')]), account('b', []));
  const away = [account('a', [], { unfit: true }), account('b', [KIM])];
  for (let i = 0; i < 2; i++)
    expect(await apply(store, ...away)).toMatchObject({ accounts: { refused: 1 } });
  expect(await stored(store, 'b')).toMatchObject({ subscribers: ['e164:491'] });
  const { accounts } = await apply(store, account('a', [limited('5')]), account('b', []));
  expect(accounts).toMatchObject({ movedSubscribers: 1, notes: [] });
  expect(await stored(store, 'b')).toMatchObject({ subscribers: [], limits: [] });
  expect(await stored(store, 'a')).toMatchObject({
    ...{ subscribers: ['e164:491'], limits: [{ id: 'cap', limits: ['e164:491'] }] },
  });
});

test('the same, where a file in between has it nowhere', async () => {
  const store = new MemoryStore();
  const unfit = account('a', [], { unfit: true });
  await apply(store, account('a', [KIM]), account('b', []));
  await apply(store, unfit, account('b', [KIM]));
  await apply(store, unfit, account('b', []));
  await apply(store, account('a', [KIM]), account('b', []));
  expect(await stored(store, 'a')).toMatchObject({ subscribers: ['e164:491'] });
});

test('whom others moved off an account that was left as it is stays away', async () => {
  const store = new MemoryStore();
  const [fits, unfit] = [false, true].map((is) => account('a', [KIM], { unfit: is }));
  await apply(store, fits!, account('b', []));
  await store.moveSubscriber('t', { kind: 'e164', id: '491' }, 'b', async () => undefined);
  await apply(store, unfit!, account('b', []));
  await apply(store, fits!, account('b', []));
  expect(await store.accountOf('t', { kind: 'e164', id: '491' })).toBe('b');
});

test('who stayed because its new account could not take it is let go by a later file', async () => {
  const store = new MemoryStore();
  await apply(store, account('a', [limited('5')]), account('b', []));
  const away = [account('a', [], { maxSessions: 7 }), account('b', [KIM], { unfit: true })];
  for (let i = 0; i < 2; i++) {
    const { accounts } = await apply(store, ...away);
    expect(accounts.notes).toContainEqual(
      expect.objectContaining({ account: 'a', text: expect.stringContaining('stays on it') }),
    );
    expect(await stored(store, 'a')).toMatchObject({ subscribers: ['e164:491'] });
    const { definition, version } = await stored(store, 'a');
    await store.changeAccount({ ...definition, maxSessions: 9 }, version);
  }
  expect(
    await apply(store, ...[account('a', [], { maxSessions: 7 }), account('b', [])]),
  ).toMatchObject({ accounts: { changed: 1, notes: [] } });
  const { definition, limits } = await stored(store, 'a');
  expect([definition.subscribers, limits, definition.maxSessions]).toEqual([[], [], 9]);
  expect(await store.accountOf('t', { kind: 'e164', id: '491' })).toBeUndefined();
});

test('who stayed is let go also where the account was left as it is in between', async () => {
  const store = new MemoryStore();
  await apply(store, account('a', [limited('5')]), account('b', []));
  await apply(store, account('a', []), account('b', [KIM], { unfit: true }));
  const between = await apply(store, account('a', [], { unfit: true }), account('b', []));
  expect(between).toMatchObject({ accounts: { refused: 1 } });
  await apply(store, account('a', []), account('b', []));
  expect(await stored(store, 'a')).toMatchObject({ subscribers: [], limits: [] });
});

test.each([
  [limited('8'), [{ id: 'cap', amount: 8_000_000 }]],
  [KIM, []],
])(
  'who stayed and is written there again has the limits that are written: %j',
  async (kim, limits) => {
    const store = new MemoryStore();
    await apply(store, account('a', [limited('5')]), account('b', []));
    await apply(store, account('a', []), account('b', [limited('5')], { unfit: true }));
    const { accounts } = await apply(store, account('a', [kim]), account('b', []));
    expect(accounts.notes).toEqual([]);
    expect(await stored(store, 'a')).toMatchObject({ subscribers: ['e164:491'], limits });
  },
);

test('an account that others keep from letting go of a subscriber does so at the next start', async () => {
  const store = new MemoryStore();
  await apply(store, account('a', [KIM]));
  let changes = 0;
  const contended = withFaults(store, (call, [definition, version]) => {
    // The account has become what is written, and is to lose its subscriber.
    if (call !== 'changeAccount' || changes++ === 0) return 'none';
    const theirs = { ...(definition as object), subscribers: ['e164:491'], status: 'blocked' };
    void store.changeAccount(theirs as never, version as number);
    return 'none';
  });
  const next = account('a', [], { maxSessions: 7 });
  expect(await apply(contended, next)).toMatchObject({ accounts: { refused: 1 } });
  expect(await apply(store, next)).toMatchObject({ accounts: { changed: 1 } });
  expect((await stored(store, 'a')).definition).toMatchObject({
    ...{ subscribers: [], maxSessions: 7, status: 'blocked' },
  });
});

test('of a subscriber that a stopped file was to move to the account, no limit stays', async () => {
  const store = new MemoryStore();
  const [before, fits] = [account('b', [KIM]), account('b', [])];
  await apply(store, account('a', []), before);
  const dying = withFaults(store, (call) => (call === 'moveSubscriber' ? 'refuse' : 'none'));
  await expect(apply(dying, account('a', [limited('5')]), fits)).rejects.toThrow();
  expect(await stored(store, 'a')).toMatchObject({ limits: [{ id: 'cap' }], subscribers: [] });
  await apply(store, account('a', [], { unfit: true }), before);
  await apply(store, account('a', []), before);
  expect(await stored(store, 'a')).toMatchObject({ limits: [], subscribers: [] });
});
