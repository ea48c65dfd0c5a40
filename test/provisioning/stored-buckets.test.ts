/** Rules that stored buckets name: no change of a plan, by whichever way, takes them away. */
import { PassThrough } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { AccountDefinition } from '../../src/charging/account.ts';
import { exportTo } from '../../src/cli/export.ts';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import { type Changed, changeConfiguration } from '../../src/provisioning/change.ts';
import { putBucket, removeBucket } from '../../src/provisioning/edit-account.ts';
import { putPart } from '../../src/provisioning/edit-configuration.ts';
import type { WrittenPlan, WrittenTenant } from '../../src/provisioning/schema.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/store.ts';
import { file, load, plan, tenant } from './configurations.ts';

/** A plan with a rule for each name, which count octets if nothing else is said. */
const planWith = (
  rules: Readonly<Record<string, 'octets' | 'seconds'>>,
  id = 'p',
): WrittenPlan => ({
  id,
  rules: Object.entries(rules).map(([name, unit], i) => ({
    ...{ name, unit, free: true, quota: { size: 10 } },
    match: { ratingGroup: [i] },
  })),
});
const BEFORE = planWith({ internet: 'octets', video: 'octets' });

const account = (id: string, paysFor: string[], plan = 'p') => ({
  ...{ id, plan },
  buckets: [{ id: 'pass', unit: 'octets' as const, opening: 5, paysFor }],
});
const written = (plans: readonly WrittenPlan[], accounts: WrittenTenant['accounts'] = []) =>
  file([tenant('t', { plans, accounts })]);

async function storeWith(...accounts: NonNullable<WrittenTenant['accounts']>): Promise<Store> {
  const store = new MemoryStore({ partitions: 4 });
  await applyFile(store, load(written([BEFORE], accounts)), { all: false });
  return store;
}

const put = (store: Store, plans: readonly WrittenPlan[]) =>
  changeConfiguration(store, () => file([tenant('t', { plans })]));
const findings = (changed: Changed) => (changed.kind === 'refused' ? changed.findings : []);
const stored = async (store: Store, id: string): Promise<AccountDefinition> =>
  (await store.load({ tenant: 't', account: id })).account!.definition;

test('a rule that is renamed, taken out or counts otherwise is refused with the accounts', async () => {
  const store = await storeWith(account('a', ['internet']), account('b', ['video']));
  const stamp = await store.configurationStamp();
  const found = (detail: string) => `account 'a', its buckets.pass[0]: ${detail}`;
  for (const [rules, detail, expected] of [
    [{ internett: 'octets', video: 'octets' }, "'internet'", "a rule of plan 'p': 'internett'?"],
    [{ video: 'octets' }, "'internet'", "a rule of plan 'p'"],
    [
      { internet: 'seconds', video: 'octets' },
      "'internet', which counts seconds",
      'a rule that counts octets',
    ],
  ] as const)
    expect(findings(await put(store, [planWith(rules)]))).toEqual([
      { path: ['tenants', 0, 'plans', 0, 'rules'], found: found(detail), expected },
    ]);
  expect(await store.configurationStamp()).toBe(stamp);
  const more = planWith({ internet: 'octets', video: 'octets', voice: 'seconds' });
  expect(await put(store, [more])).toMatchObject({ kind: 'changed' });
});

test('a rule that nobody names, or only accounts of another plan, is nobody’s loss', async () => {
  const other = planWith({ internet: 'octets' }, 'q');
  const store = new MemoryStore({ partitions: 4 });
  const accounts = [account('a', ['video']), account('b', ['internet'], 'q')];
  await applyFile(store, load(written([BEFORE, other], accounts)), { all: false });
  const without = planWith({ video: 'octets' });
  expect(await put(store, [without, other])).toMatchObject({ kind: 'changed' });
});

test('limits name rules, too', async () => {
  const limits = [{ id: 'cap', unit: 'octets' as const, amount: 5, rules: ['video'] }];
  const store = await storeWith({ id: 'a', plan: 'p', subscribers: [{ e164: '1', limits }] });
  expect(findings(await put(store, [planWith({ internet: 'octets' })]))).toMatchObject([
    { found: "account 'a', its buckets.cap[0]: 'video'" },
  ]);
});

test('of many accounts the first are named', async () => {
  const ids = Array.from({ length: 700 }, (_, i) => `a${i}`);
  const store = await storeWith(...ids.map((id) => account(id, ['internet'])));
  const all = findings(await put(store, [planWith({ video: 'octets' })]));
  expect(all).toHaveLength(21);
  expect(all.at(-1)).toMatchObject({ found: 'more accounts than these 20' });
});

test('a plan that was taken out comes back with the rules that buckets name, or not at all', async () => {
  const store = await storeWith(account('a', ['internet']));
  await put(store, [plan('1', { id: 'q' })]);
  const without = [plan('1', { id: 'q' }), planWith({ video: 'octets' })];
  expect(findings(await put(store, without))).toMatchObject([
    { path: ['tenants', 0, 'plans', 1, 'rules'], found: expect.stringContaining("'internet'") },
  ]);
  expect(await put(store, [plan('1', { id: 'q' }), BEFORE])).toMatchObject({ kind: 'changed' });
});

test('a single plan that is put is held against them as well', async () => {
  const store = await storeWith(account('a', ['video']));
  const { rules } = planWith({ internet: 'octets' });
  await expect(
    putPart(store, { part: 'plan', tenant: 't', plan: 'p' }, { rules }),
  ).rejects.toMatchObject({ code: 'CHANGE_REFUSED', message: expect.stringContaining("'a'") });
});

test('a file that renames a rule together with the buckets that name it is applied', async () => {
  const store = await storeWith(account('a', ['internet', 'video']));
  const renamed = planWith({ web: 'octets', video: 'octets' });
  const next = (...accounts: NonNullable<WrittenTenant['accounts']>) =>
    applyFile(store, load(written([renamed], accounts)), { all: false });
  // Without its accounts the file would leave the bucket behind.
  await expect(next()).rejects.toMatchObject({ code: 'CHANGE_REFUSED' });
  expect(await next(account('a', ['web', 'video']))).toMatchObject({ accounts: { changed: 1 } });
  expect((await stored(store, 'a')).buckets[0]).toMatchObject({ paysFor: ['web', 'video'] });
});

test('a file that renames a rule together with a range is applied to the numbers of the range', async () => {
  const range = (rule: string, count: number) => ({
    ...{ prefix: 'r-', plan: 'p', count, first: { e164: '490' } },
    buckets: [{ id: 'pass', unit: 'octets' as const, paysFor: [rule] }],
  });
  const fileOf = (rule: string, count: number) =>
    load(
      file([
        tenant('t', { plans: [planWith({ [rule]: 'octets' })], ranges: [range(rule, count)] }),
      ]),
    );
  const store = new MemoryStore({ partitions: 4 });
  await applyFile(store, fileOf('internet', 3), { all: false });
  await expect(applyFile(store, fileOf('web', 2), { all: false })).rejects.toMatchObject({
    message: expect.stringContaining("account 'r-492'"),
  });
  expect(await applyFile(store, fileOf('web', 3), { all: false })).toMatchObject({
    accounts: { changed: 3 },
  });
});

test('an account of the file that would be left as it is counts as it is', async () => {
  const store = await storeWith(account('a', ['internet']));
  const renamed = planWith({ web: 'seconds' });
  const buckets = [{ id: 'pass', unit: 'seconds' as const, paysFor: ['web'] }];
  const next = load(written([renamed], [{ id: 'a', plan: 'p', buckets }]));
  await expect(applyFile(store, next, { all: false })).rejects.toMatchObject({
    message: expect.stringContaining("account 'a', its buckets.pass[0]: 'internet'"),
  });
});

test('an account of the file that would use an id again counts as it is', async () => {
  const store = await storeWith(account('a', ['internet']));
  const { configuration } = await applyFile(store, load(written([BEFORE])), { all: true });
  const [at, bucket] = [
    { tenant: 't', account: 'a' },
    { bucket: 'old', written: { unit: 'units' } },
  ];
  await putBucket({ store, configuration }, at, bucket);
  await removeBucket({ store }, at, 'old');
  const before = await store.readConfiguration();
  const fileWith = (unit: 'units' | 'seconds') => {
    const web = account('a', ['web']);
    const accounts = [{ ...web, buckets: [...web.buckets, { id: 'old', unit }] }];
    return load(written([planWith({ web: 'octets' })], accounts));
  };
  await expect(applyFile(store, fileWith('seconds'), { all: false })).rejects.toMatchObject({
    message: expect.stringContaining("account 'a', its buckets.pass[0]: 'internet'"),
  });
  expect(await store.readConfiguration()).toEqual(before);
  expect(await applyFile(store, fileWith('units'), { all: false })).toMatchObject({
    accounts: { changed: 1, refused: 0 },
  });
});

test('an account keeps its plan where its stored buckets name rules that the new one has not', async () => {
  const other = planWith({ voice: 'seconds' }, 'q');
  const store = await storeWith(account('a', ['internet']), account('b', ['video']));
  const subscribers = [{ e164: '491' }];
  const accounts = [{ id: 'a', plan: 'q', subscribers }, account('b', ['video'])];
  const report = await applyFile(store, load(written([BEFORE, other], accounts)), { all: true });
  expect(report.accounts).toMatchObject({
    ...{ changed: 0, unchanged: 1, refused: 1 },
    notes: [
      {
        account: 'a',
        text: expect.stringMatching(/^left as it is: buckets\.pass\[0\]: found 'internet'/),
      },
    ],
  });
  // Nothing of it is changed: no subscriber has arrived.
  expect(await stored(store, 'a')).toMatchObject({ plan: 'p', subscribers: [] });
  expect(await store.accountOf('t', { kind: 'e164', id: '491' })).toBeUndefined();
});

test('an export tells of accounts whose rows would be refused', async () => {
  const store = await storeWith(account('a', ['internet']), account('b', ['video']));
  const { configuration } = await applyFile(store, load(written([BEFORE])), { all: true });
  const exported = async (of: typeof configuration) => {
    const out = new PassThrough();
    const [done] = await Promise.all([
      exportTo(out, store, { tenant: 't', configuration: of }),
      textOf(out),
    ]);
    return done.refusals.map(({ account: id }) => id);
  };
  expect(await exported(configuration)).toEqual([]);
  await store.moveSubscriber('t', { kind: 'e164', id: '+491' }, 'a');
  expect(await exported(configuration)).toEqual(['a']);
  const gone = await put(store, [plan('1', { id: 'q' })]);
  if (gone.kind === 'refused') throw new Error('it was refused');
  expect((await exported(gone.configuration)).sort()).toEqual(['a', 'b']);
});
