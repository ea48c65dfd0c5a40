/** Accounts of an edited provisioning file against what was changed by other means since. */
import { expect, test } from 'vitest';
import {
  type ApplyOptions,
  cameFromText,
  overruledText,
  unsaidText,
} from '../../src/provisioning/apply.ts';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import { changeConfiguration } from '../../src/provisioning/change.ts';
import { putAccount, putBucket, putSubscriber } from '../../src/provisioning/edit-account.ts';
import type { WrittenAccount, WrittenRange } from '../../src/provisioning/schema.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { file, load, plan, tenant } from './configurations.ts';

interface Said {
  accounts?: readonly WrittenAccount[];
  ranges?: readonly WrittenRange[];
}

const RANGE: WrittenRange = { prefix: 'c', count: 2, first: { e164: '4917000' }, plan: 'p' };
const [C0, C1] = ['c4917000', 'c4917001'];
const plans = [plan('0.01'), plan('0.5', { id: 'q' })];

const start = (store: MemoryStore, said: Said, options: ApplyOptions = {}) =>
  applyFile(store, load(file([tenant('t', { plans, ...said })])), { all: false, ...options });

/** A store that the first file was applied to, and how to change it by other means. */
async function provisioned(said: Said) {
  const store = new MemoryStore();
  const { configuration } = await start(store, said);
  const at = (account: string) => ({ tenant: 't', account });
  const on = {
    store,
    configuration,
    askClients: async () => ({ kind: 'done', asked: 0 }) as const,
  };
  return {
    store,
    put: (account: string, written: object) => putAccount(on, at(account), written),
    putBucket: (account: string, bucket: string, written: object) =>
      putBucket(on, at(account), { bucket, written }),
    move: (e164: string, account: string) =>
      putSubscriber(store, at(account), { kind: 'e164', id: e164 }),
    definition: async (account: string) => (await store.load(at(account))).account!.definition,
    holder: (e164: string) => store.accountOf('t', { kind: 'e164', id: e164 }),
  };
}

test('a range is edited: plans and numbers that others have changed stay', async () => {
  const on = await provisioned({ ranges: [RANGE], accounts: [{ id: 'own', plan: 'p' }] });
  for (const account of [C0, C1]) await on.put(account, { plan: 'q' });
  await on.move('4917000', 'own');
  const asked: string[] = [];
  const { accounts: report } = await start(
    on.store,
    { ranges: [{ ...RANGE, maxSessions: 7 }], accounts: [{ id: 'own', plan: 'p' }] },
    {
      async askClients({ account }) {
        asked.push(account);
        return { kind: 'done', asked: 1 };
      },
    },
  );
  expect(report).toMatchObject({ changed: 2, movedSubscribers: 0, notes: [] });
  expect(await on.definition(C0)).toMatchObject({ plan: 'q', maxSessions: 7, subscribers: [] });
  expect(await on.definition(C1)).toMatchObject({ plan: 'q', maxSessions: 7 });
  expect(await on.holder('4917000')).toBe('own');
  expect(await on.holder('4917001')).toBe(C1);
  expect(asked).toEqual([]);
});

test('what both have changed is as the file says, which is told', async () => {
  const anna = (more: Partial<WrittenAccount>): Said => ({
    accounts: [
      { id: 'a', plan: 'p', subscribers: [{ e164: '491' }], ...more },
      { id: 'b', plan: 'p' },
    ],
  });
  const on = await provisioned(anna({ maxSessions: 3 }));
  await on.put('a', { plan: 'q', maxSessions: 5, status: 'blocked' });
  await on.put('other', { plan: 'p', subscribers: [{ e164: '492' }] });
  const { accounts: report } = await start(
    on.store,
    anna({
      ...{ maxSessions: 4, status: 'active' },
      subscribers: [{ e164: '491' }, { e164: '492' }],
    }),
  );
  expect(await on.definition('a')).toMatchObject({
    ...{ plan: 'q', maxSessions: 4, status: 'active', subscribers: ['e164:491', 'e164:492'] },
  });
  expect(report.notes.map(({ account, text }) => [account, text])).toEqual([
    ['a', overruledText('maxSessions')],
    ['a', unsaidText('status')],
    ['a', cameFromText({ name: 'e164:492', holder: 'other' })],
  ]);
});

test('subscribers of either side stay, and those that either has taken out are gone', async () => {
  const fleet = (...numbers: string[]): Said => ({
    accounts: [{ id: 'a', plan: 'p', subscribers: numbers.map((e164) => ({ e164 })) }],
  });
  const on = await provisioned(fleet('491', '492', '493'));
  await on.put('b', { plan: 'p' });
  await on.move('492', 'b');
  await on.move('494', 'a');
  const { accounts: report } = await start(on.store, fleet('491', '492', '495'));
  expect((await on.definition('a')).subscribers).toEqual(['e164:491', 'e164:494', 'e164:495']);
  expect(await on.holder('492')).toBe('b');
  expect(await on.holder('493')).toBeUndefined();
  expect(report).toMatchObject({ changed: 1, addedSubscribers: 1, notes: [] });
});

test('a subscriber that the file moves goes there from where others have moved it', async () => {
  const said = (a: string[], b: string[]): Said => ({
    accounts: Object.entries({ a, b, c: [] }).map(([id, numbers]) => ({
      ...{ id, plan: 'p', subscribers: numbers.map((e164) => ({ e164 })) },
    })),
  });
  const on = await provisioned(said(['491', '492'], []));
  await on.move('491', 'c');
  const { accounts: report } = await start(on.store, said([], ['491', '492']));
  expect(await on.holder('491')).toBe('b');
  expect(await on.holder('492')).toBe('b');
  expect(report.notes.map(({ text }) => text)).toEqual([overruledText('e164:491, on account c')]);
});

test('buckets and limits that others have changed stay while the file says nothing new of them', async () => {
  const said = (main: object, cap: string): Said => ({
    accounts: [
      {
        ...{ id: 'a', plan: 'p' },
        buckets: [
          { id: 'data', unit: 'octets', priority: 5 },
          { id: 'main', unit: 'money', ...main },
        ],
        subscribers: [
          { e164: '491', limits: [{ id: 'cap', unit: 'money', amount: cap }] },
          { e164: '492', limits: [{ id: 'gone', unit: 'money', amount: '1' }] },
        ],
      },
    ],
  });
  const on = await provisioned(said({}, '5'));
  await on.put('b', { plan: 'p' });
  await on.putBucket('a', 'data', { unit: 'octets', priority: 3 });
  await on.putBucket('a', 'put', { unit: 'units', priority: 2 });
  await on.move('492', 'b');
  await start(on.store, said({ creditLimit: '2' }, '6'));
  const { buckets } = await on.definition('a');
  const shown = (of: string) => buckets.find(({ id }) => id === of);
  expect(shown('data')).toMatchObject({ priority: 3 });
  expect(shown('put')).toMatchObject({ priority: 2 });
  expect(shown('main')).toMatchObject({ floor: -2_000_000 });
  expect(shown('cap')).toMatchObject({ amount: 6_000_000, limits: ['e164:491'] });
  expect(shown('gone')).toBeUndefined();
});

test('an account that was left as it is, is new as a whole until it fits', async () => {
  const said = (unit: 'octets' | 'seconds'): Said => ({
    accounts: [{ id: 'a', plan: 'q', buckets: [{ id: 'data', unit }] }],
  });
  const on = await provisioned({ accounts: [{ id: 'a', plan: 'p' }] });
  await on.putBucket('a', 'data', { unit: 'octets' });
  for (let i = 0; i < 2; i++)
    expect(await start(on.store, said('seconds'))).toMatchObject({ accounts: { refused: 1 } });
  expect(await start(on.store, said('octets'))).toMatchObject({ accounts: { changed: 1 } });
  expect(await on.definition('a')).toMatchObject({ plan: 'q' });
});

test('nobody is put on a plan, or in a tenant, that was taken out by other means', async () => {
  const said = (...more: WrittenAccount[]) => {
    const own = [{ id: 'a', plan: 'p' }, ...more.slice(0, 1)];
    const all = [tenant('t', { plans, accounts: own }), tenant('u', { accounts: more.slice(1) })];
    return load(file(all));
  };
  const store = new MemoryStore();
  await applyFile(store, said(), { all: false });
  await changeConfiguration(store, () => file([tenant('t', { plans: [plan('0.01')] })]));
  const opening = [{ id: 'main', unit: 'money', opening: '7' } as const];
  const next = said(
    { id: 'b', plan: 'q', buckets: opening, subscribers: [{ e164: '491' }] },
    { id: 'c', plan: 'p', buckets: opening, subscribers: [{ e164: '492' }] },
  );
  for (let i = 0; i < 2; i++) {
    const { accounts: report } = await applyFile(store, next, { all: false });
    expect(report).toMatchObject({
      ...{ created: 0, refused: 2 },
      notes: [
        { tenant: 't', account: 'b', text: "not created: tenant 't' has no plan 'q'" },
        { tenant: 'u', account: 'c', text: "not created: there is no tenant 'u'" },
      ],
    });
  }
  expect((await store.listAccounts('u', { limit: 1 })).accounts).toEqual([]);
  expect((await store.load({ tenant: 't', account: 'b' })).account).toBeUndefined();
  expect(await store.accountOf('t', { kind: 'e164', id: '491' })).toBeUndefined();
});

test('a subscriber stays, with its limits, until the account that the file has it on is there', async () => {
  const kim = { e164: '491', limits: [{ id: 'cap', unit: 'money' as const, amount: '5' }] };
  const said = (...accounts: WrittenAccount[]) =>
    load(file([tenant('t', { plans, accounts: [{ id: 'own', plan: 'p' }, ...accounts] })]));
  const store = new MemoryStore();
  const a = { id: 'a', plan: 'p', subscribers: [kim, { e164: '492' }] };
  await applyFile(store, said(a), { all: false });
  await changeConfiguration(store, () => file([tenant('t', { plans: [plan('0.01')] })]));
  const next = said({ ...a, subscribers: [] }, { id: 'b', plan: 'q', subscribers: [kim] });
  const { accounts: report } = await applyFile(store, next, { all: false });
  expect(report).toMatchObject({ created: 0, refused: 1 });
  const definition = async () =>
    (await store.load({ tenant: 't', account: 'a' })).account!.definition;
  expect((await definition()).subscribers).toEqual(['e164:491']);
  expect((await definition()).buckets).toContainEqual(expect.objectContaining({ id: 'cap' }));
  expect(report.notes.map(({ account, text }) => [account, text])).toContainEqual([
    'a',
    'e164:491 stays on it: the account that the file has it on cannot take it',
  ]);
  await changeConfiguration(store, () => file([tenant('t', { plans })]));
  expect(await applyFile(store, next, { all: false })).toMatchObject({ accounts: { created: 1 } });
  expect(await store.accountOf('t', { kind: 'e164', id: '491' })).toBe('b');
  expect(await definition()).toMatchObject({ subscribers: [], buckets: [{ id: 'main' }] });
});

test('an account is not moved to a plan that was taken out, nor given what names its rules', async () => {
  const said = (of: Partial<WrittenAccount>): Said => ({
    accounts: [{ id: 'a', plan: 'p', ...of }],
  });
  const on = await provisioned(said({}));
  const other = { ...plan('0.01'), rules: [{ ...plan('0.01').rules[0]!, name: 'web' }] };
  await changeConfiguration(on.store, () => file([tenant('t', { plans: [other] })]));
  const bucket = { id: 'data', unit: 'octets', paysFor: ['internet'] } as const;
  for (const [of, why] of [
    [{ plan: 'q' }, "tenant 't' has no plan 'q'"],
    [{ buckets: [bucket] }, "found 'internet'"],
  ] as const) {
    const { accounts: report } = await start(on.store, said(of));
    expect(report).toMatchObject({
      ...{ changed: 0, refused: 1 },
      notes: [{ account: 'a', text: expect.stringMatching(/^left as it is: /) }],
    });
    expect(report.notes[0]?.text).toContain(why);
    const { plan, buckets } = await on.definition('a');
    expect([plan, buckets.map(({ id }) => id)]).toEqual(['p', ['main']]);
  }
  const { accounts: report } = await start(on.store, said({ maxSessions: 3 }));
  expect(report).toMatchObject({ changed: 1, refused: 0 });
});

test('of a range, what others have changed stays though one account cannot become what is written', async () => {
  const on = await provisioned({ ranges: [RANGE] });
  await on.putBucket(C0, 'extra', { unit: 'octets' });
  const next = { ranges: [{ ...RANGE, buckets: [{ id: 'extra', unit: 'seconds' as const }] }] };
  expect(await start(on.store, next)).toMatchObject({ accounts: { refused: 1, changed: 1 } });
  await on.put(C1, { plan: 'q', maxSessions: 7, status: 'blocked' });
  await on.putBucket(C1, 'extra', { unit: 'seconds', priority: 3 });
  await on.put('own', { plan: 'p', subscribers: [{ e164: '4917001' }] });
  const changed = await on.definition(C1);
  for (let i = 0; i < 2; i++) {
    const { accounts: report } = await start(on.store, next);
    expect(report).toMatchObject({ refused: 1, changed: 0, unchanged: 1, movedSubscribers: 0 });
    expect(report.notes).toMatchObject([{ account: C0 }]);
  }
  expect(await on.definition(C1)).toEqual(changed);
  expect(await on.holder('4917001')).toBe('own');
});

test('an account that was left as it is, is held against what was said of it before', async () => {
  const said = (unit: 'octets' | 'seconds', maxSessions = 3): Said => ({
    accounts: [{ id: 'a', plan: 'p', maxSessions, buckets: [{ id: 'data', unit }] }],
  });
  const on = await provisioned({ accounts: [{ id: 'a', plan: 'p', maxSessions: 3 }] });
  await on.putBucket('a', 'data', { unit: 'octets' });
  for (const next of [said('seconds'), said('seconds', 4), said('seconds')]) {
    expect(await start(on.store, next)).toMatchObject({ accounts: { refused: 1 } });
    await on.put('a', { plan: 'q', maxSessions: 9 });
  }
  expect(await start(on.store, said('octets'))).toMatchObject({ accounts: { refused: 0 } });
  expect(await on.definition('a')).toMatchObject({ plan: 'q', maxSessions: 9 });
});

test('of a limit whose subscriber others have moved away nothing is said', async () => {
  const said = (amount: string): Said => ({
    accounts: [
      {
        ...{ id: 'a', plan: 'p' },
        subscribers: [
          { e164: '491', limits: [{ id: 'cap-1', unit: 'money', amount }] },
          { e164: '492', imsi: '262011', limits: [{ id: 'cap-2', unit: 'money', amount }] },
        ],
      },
      { id: 'b', plan: 'p' },
    ],
  });
  const on = await provisioned(said('5'));
  for (const number of ['491', '492']) await on.move(number, 'b');
  expect(await start(on.store, said('8'))).toMatchObject({ accounts: { changed: 1, notes: [] } });
  expect((await on.definition('a')).buckets.filter(({ limits }) => limits)).toMatchObject([
    { id: 'cap-2', amount: 8_000_000, limits: ['imsi:262011'] },
  ]);
});

test('subscribers that are written again, as none, are taken away', async () => {
  const said = (of: Partial<WrittenAccount>): Said => ({
    accounts: [{ id: 'a', plan: 'p', ...of }],
  });
  const kim = { e164: '491', limits: [{ id: 'cap', unit: 'money' as const, amount: '5' }] };
  const on = await provisioned(said({ subscribers: [kim] }));
  await start(on.store, said({}));
  expect(await on.definition('a')).toMatchObject({ subscribers: ['e164:491'] });
  const { accounts: report } = await start(on.store, said({ subscribers: [] }));
  expect(report).toMatchObject({ changed: 1, notes: [{ text: unsaidText('subscribers') }] });
  expect(await on.definition('a')).toMatchObject({ subscribers: [], buckets: [{ id: 'main' }] });
  expect(await on.holder('491')).toBeUndefined();
});

test('what only files have changed is not told as changed by other means', async () => {
  const said = (a: Partial<WrittenAccount>, b: string[] = []): Said => ({
    accounts: [
      { id: 'a', plan: 'p', ...a },
      { id: 'b', plan: 'p', subscribers: b.map((e164) => ({ e164 })) },
    ],
  });
  const data = (priority: number) => ({ id: 'data', unit: 'octets' as const, priority });
  const on = await provisioned(
    said({ maxSessions: 5, subscribers: [{ e164: '491' }], buckets: [data(1)] }),
  );
  const { accounts: without } = await start(on.store, said({}));
  expect(without.notes).toEqual([]);
  const { accounts: again } = await start(
    on.store,
    said({ maxSessions: 7, buckets: [data(2), { id: 'main', unit: 'money' }] }, ['491']),
  );
  expect(again.notes.map(({ account, text }) => [account, text])).toEqual([
    ['a', unsaidText('maxSessions')],
    ['a', unsaidText('bucket data')],
    ['b', cameFromText({ name: 'e164:491', holder: 'a' })],
  ]);
  expect(await on.definition('a')).toMatchObject({ maxSessions: 7, subscribers: [] });
});

test('what is written no more stays as others have made it, and no other is said', async () => {
  const said = (of: Partial<WrittenAccount>): Said => ({
    accounts: [{ id: 'a', plan: 'p', ...of }],
  });
  const on = await provisioned(said({ maxSessions: 3 }));
  await on.put('a', { plan: 'p', maxSessions: 5 });
  expect(await start(on.store, said({}))).toMatchObject({ accounts: { notes: [] } });
  expect(await on.definition('a')).toMatchObject({ maxSessions: 5 });
});
