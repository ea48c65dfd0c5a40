/** What an account may not become in several steps, each of which says no more than a file may. */
import { expect, test } from 'vitest';
import type { AccountDefinition, Bucket } from '../../src/charging/account.ts';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import {
  changeAccount,
  putAccount,
  putBucket,
  putSubscriber,
  removeBucket,
} from '../../src/provisioning/edit-account.ts';
import type { WrittenAccount, WrittenSubscriber } from '../../src/provisioning/schema.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/store.ts';
import { file, load, tenant } from './configurations.ts';

type Account = Partial<WrittenAccount>;
const at = (account: string) => ({ tenant: 't', account });
const fileOf = (...accounts: Account[]) =>
  load(file([tenant('t', { accounts: accounts.map((one) => ({ id: 'a', plan: 'p', ...one })) })]));

async function provisioned(first: Account = {}) {
  const store: Store = new MemoryStore({ partitions: 4 });
  const { configuration } = await applyFile(store, fileOf(first), { all: false });
  const askClients = async () => ({ kind: 'done', asked: 0 }) as const;
  const editing = { store, configuration, askClients };
  const stored = async () => (await store.load(at('a'))).account!.definition;
  return {
    ...{ store, editing, stored },
    put: (account: Account) => putAccount(editing, at('a'), { plan: 'p', ...account }),
    order: async () => (await stored()).buckets.map(({ id, priority }) => `${id} ${priority}`),
    /** Applies a file that is refused, with this reason; the account stays. */
    async refuses(account: Account, reason: RegExp | string, all = false): Promise<void> {
      const before = await stored();
      const { accounts } = await applyFile(store, fileOf(account), { all });
      expect(accounts).toMatchObject({
        ...{ refused: 1, changed: 0 },
        notes: [{ account: 'a', text: expect.stringMatching(reason) }],
      });
      expect(await stored()).toEqual(before);
    },
  };
}

/** A change that is refused, with this reason. */
const refused = (change: Promise<unknown>, reason: RegExp) =>
  expect(change).rejects.toMatchObject({
    code: 'CHANGE_REFUSED',
    message: expect.stringMatching(reason),
  });

const numbered = (prefix: string, count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `${prefix}${i}`, unit: 'octets' }) as const);
const TOO_MANY = /found 124 buckets and limits, expected at most 64/;

test('no account gets more buckets by being put several times', async () => {
  const { put, stored } = await provisioned();
  await put({ buckets: numbered('x', 63) });
  const before = await stored();
  await refused(put({ buckets: numbered('y', 60) }), TOO_MANY);
  const limits = numbered('z', 1).map((one) => ({ ...one, amount: 5 }));
  await refused(put({ subscribers: [{ e164: '491', limits }] }), /found 65 buckets and limits/);
  expect(await stored()).toEqual(before);
});

test.each([false, true])('no account gets more buckets by files (whole: %s)', async (all) => {
  const { refuses } = await provisioned({ buckets: numbered('x', 63) });
  await refuses({ buckets: numbered('y', 60) }, TOO_MANY, all);
});

test('no account gets more buckets one by one', async () => {
  const { editing, stored } = await provisioned({ buckets: numbered('x', 63) });
  const add = (bucket: string) =>
    putBucket(editing, at('a'), { bucket, written: { unit: 'octets' } });
  await refused(add('y'), /found 65 buckets and limits/);
  await removeBucket(editing, at('a'), 'x0');
  await add('y');
  expect((await stored()).buckets).toHaveLength(64);
});

test('no account gets more subscribers by a file than by a PUT', async () => {
  const first = (prefix: string, count: number): Account => ({
    subscriberRanges: [{ first: { e164: `${prefix}00000` }, count }],
  });
  const { store, refuses } = await provisioned(first('49', 9_999));
  await putSubscriber(store, at('a'), { kind: 'e164', id: '1' });
  await refuses(first('49', 10_000), /found 10001 subscribers, expected at most 10000/);
});

const bucket = (id: string, priority: number) => ({ id, priority, unit: 'octets' }) as const;
const main = (priority: number) => ({ id: 'main', priority, unit: 'money' }) as const;

test('buckets that stay are drawn in their order, and before the one that is drawn last', async () => {
  const { put, order } = await provisioned({
    buckets: [bucket('b', 20), bucket('a', 30), bucket('d', 30), bucket('c', 40), main(50)],
  });
  await put({ buckets: [main(45)] });
  expect(await order()).toEqual(['b 20', 'a 30', 'd 30', 'c 40', 'main 45']);
  await put({ buckets: [main(21)] });
  expect(await order()).toEqual(['b 18', 'a 19', 'd 19', 'c 20', 'main 21']);
  await put({ buckets: [main(21)] });
  expect(await order()).toEqual(['b 18', 'a 19', 'd 19', 'c 20', 'main 21']);
  await put({ buckets: [main(4)] });
  expect(await order()).toEqual(['b 1', 'a 2', 'd 2', 'c 3', 'main 4']);
});

test('a bucket that leaves the others no priority to be drawn by is refused', async () => {
  const { put, order, refuses } = await provisioned({
    buckets: [bucket('b', 20), bucket('a', 30), main(50)],
  });
  const reason = /buckets\.b\.priority: found 0, to stay in order, expected 1 to 1000000/;
  await refused(put({ buckets: [main(2)] }), reason);
  await refuses({ buckets: [main(2)] }, reason, true);
  expect(await order()).toEqual(['b 20', 'a 30', 'main 50']);
  await put({ buckets: [main(3)] });
  expect(await order()).toEqual(['b 1', 'a 2', 'main 3']);
});

test('the implied last bucket needs a priority, too', async () => {
  const last = bucket('b', 1_000_000);
  expect(() => fileOf({ buckets: [last] })).toThrow(
    /buckets\[0\]\.priority: found 1000000 .*expected less than 1000000: 'main' is drawn last/,
  );
  const { put, order } = await provisioned({ buckets: [main(7)] });
  await refused(put({ buckets: [last] }), /priority: found 1000000 .*expected less than 1000000/);
  expect(await order()).toEqual(['main 7']);
});

test('none is put to be drawn last in two steps', async () => {
  const first = [bucket('b', 20), main(50)];
  const { editing, order, refuses } = await provisioned({ buckets: first });
  const written = { unit: 'octets', priority: 40 };
  await putBucket(editing, at('a'), { bucket: 'b', written });
  await refuses(
    { buckets: [bucket('b', 20), main(30)] },
    /buckets\.b\.priority: found 40, expected less than 30: 'main' is drawn last/,
  );
  expect(await order()).toEqual(['b 40', 'main 50']);
});

test('identities that share a limit share them all, also where some are from others', async () => {
  const limited = (...ids: string[]) =>
    ids.map((id) => ({ id, unit: 'money' as const, amount: '5' }));
  const whole = (...ids: string[]): WrittenSubscriber => ({
    ...{ e164: '491', imsi: '262010', limits: limited(...ids) },
  });
  const { put, refuses, stored } = await provisioned({ subscribers: [whole('x')] });
  await put({ subscribers: [whole('x', 'y')] });
  await refuses(
    { subscribers: [{ e164: '491', limits: limited('x') }, { imsi: '262010' }] },
    /buckets\.y: found 'e164:491' and 'imsi:262010' with other limits, expected one subscriber/,
  );
  await put({ subscribers: [{ e164: '491', limits: limited('x') }, { imsi: '262010' }] });
  const limits = (await stored()).buckets.map((bucket) => [bucket.id, bucket.limits]);
  expect(limits).toEqual([
    ['x', ['e164:491']],
    ['main', undefined],
  ]);
});

test('an account that is beyond a bound may still be changed, and brought back', async () => {
  const { store, editing, stored, put } = await provisioned();
  const before = await stored();
  const { version } = (await store.load(at('a'))).account!;
  const many = numbered('x', 70).map((one, i): Bucket => ({ ...one, priority: i - 1, floor: 0 }));
  const caps = [['e164:1', 'imsi:1'], ['e164:1']].map(
    (limits, i): Bucket => ({ ...many[0]!, id: `cap${i}`, priority: 0, limits, amount: 5 }),
  );
  const beyond: AccountDefinition = { ...before, buckets: [...many, ...caps, ...before.buckets] };
  expect(await store.changeAccount(beyond, version)).toBe('changed');
  await changeAccount(editing, at('a'), { status: 'blocked' });
  await put({ maxSessions: 7 });
  await refused(put({ buckets: numbered('y', 1) }), /found 74 buckets and limits/);
  for (const { id } of many.slice(0, 10)) await removeBucket(editing, at('a'), id);
  await put({ buckets: numbered('y', 1) });
  expect((await stored()).buckets).toHaveLength(64);
});
