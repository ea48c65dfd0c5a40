/** Rows of subscribers into a store and out of it again. */
import { PassThrough } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import type { AccountDefinition, Bucket } from '../../src/charging/account.ts';
import { exportTo } from '../../src/cli/export.ts';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import { changeConfiguration } from '../../src/provisioning/change.ts';
import { type Configuration, compileStored } from '../../src/provisioning/configuration.ts';
import { CsvReader, type CsvRow, csvLine } from '../../src/provisioning/csv.ts';
import { type Imported, importBatch } from '../../src/provisioning/import.ts';
import { LIMITS } from '../../src/provisioning/limits.ts';
import { COLUMNS, readHeader } from '../../src/provisioning/subscriber-rows.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/store.ts';
import { file, load, plan, tenant } from './configurations.ts';

async function configured(store: Store): Promise<Configuration> {
  const first = file([
    tenant('t'),
    tenant('other', { currency: 'JPY', digits: 0, plans: [plan('1')] }),
  ]);
  await changeConfiguration(store, () => first);
  const compiled = compileStored((await store.readConfiguration())!);
  if (!compiled.ok) throw new Error(compiled.problems.join());
  return compiled.configuration;
}

/** Imports a CSV; rows of one account must follow each other. */
async function take(store: Store, csv: string, id = 't'): Promise<Imported> {
  const reader = new CsvReader();
  const [header, ...rows] = [...reader.push(Buffer.from(csv)), ...reader.finish()];
  const read = readHeader(header!.cells);
  if ('problem' in read) throw new Error(read.problem);
  const accounts: CsvRow[][] = [];
  for (const row of rows) {
    if (accounts.at(-1)?.[0]?.cells[0] === row.cells[0]) accounts.at(-1)!.push(row);
    else accounts.push([row]);
  }
  const configuration = await configured(store);
  const { columns } = read;
  return importBatch({ store, configuration, tenant: id, columns, concurrency: 8 }, accounts);
}

async function exported(store: Store, id = 't') {
  const out = new PassThrough();
  const [written, text] = await Promise.all([
    exportTo(out, store, { tenant: id, configuration: await configured(store) }),
    textOf(out),
  ]);
  return { written, text };
}

const account = async (store: Store, id: string, of = 't') =>
  (await store.load({ tenant: of, account: id })).account;
const reasons = ({ refused }: Imported) => refused.map(({ line, reason }) => `${line}: ${reason}`);

test('a row is a subscriber on an account with its openings', async () => {
  const store = new MemoryStore({ partitions: 4 });
  const csv =
    'account,plan,e164,imsi,opening:main,status\na,p,491,262010000000001,5.00,blocked\nb,p,492,,,\n';
  expect(await take(store, csv)).toEqual({
    ...{ rows: 2, created: 2, unchanged: 0, subscribersAdded: 0, refused: [] },
  });
  expect(await account(store, 'a')).toMatchObject({
    definition: { status: 'blocked', subscribers: ['e164:491', 'imsi:262010000000001'] },
    counters: { 'a:main': 5_000_000 },
  });
  expect(await account(store, 'b')).toMatchObject({ counters: { 'a:main': 0 } });
});

test('the same rows again, and again with other openings, have no effect', async () => {
  const store = new MemoryStore({ partitions: 4 });
  const csv = (opening: string) =>
    `account,plan,e164,opening:main\na,p,491,${opening}\nb,p,492,${opening}\n`;
  await take(store, csv('5'));
  const before = [await account(store, 'a'), await account(store, 'b')];
  for (const opening of ['5', '7'])
    expect(await take(store, csv(opening))).toMatchObject({ created: 0, unchanged: 2 });
  expect([await account(store, 'a'), await account(store, 'b')]).toEqual(before);
});

test('several subscribers of one account, in rows that follow each other or come later', async () => {
  const store = new MemoryStore({ partitions: 4 });
  const csv = 'account,plan,e164\na,p,491\na,,492\na,p,493\n';
  expect(await take(store, csv)).toMatchObject({ rows: 3, created: 1, refused: [] });
  expect(await take(store, 'account,plan,e164\na,p,494\n')).toMatchObject({ subscribersAdded: 1 });
  expect((await account(store, 'a'))?.definition.subscribers).toEqual(
    ['491', '492', '493', '494'].map((id) => `e164:${id}`),
  );
});

test('a subscriber whom an account gets comes with its limits', async () => {
  const store = new MemoryStore({ partitions: 4 });
  await take(store, 'account,plan,e164\na,p,491\n');
  const cap = (amount: string) => JSON.stringify([{ id: 'cap', unit: 'money', amount }]);
  const row = (e164: string, limits: string) =>
    `account,plan,e164,limits\n${csvLine(['a', 'p', e164, limits])}`;
  for (const subscribersAdded of [1, 0])
    expect(await take(store, row('492', cap('5')))).toMatchObject({
      subscribersAdded,
      refused: [],
    });
  const { definition, counters } = (await account(store, 'a'))!;
  expect(definition.subscribers).toEqual(['e164:491', 'e164:492']);
  expect(definition.buckets[0]).toMatchObject({ id: 'cap', limits: ['e164:492'] });
  expect(counters['a:cap']).toBe(5_000_000);
  // What its rows cannot change is not passed over.
  const before = await account(store, 'a');
  const refused = [
    [row('492', cap('9')), '2: the account exists, with cap otherwise'],
    [row('493', cap('5')), '2: the account exists, with cap otherwise'],
    [row('491', cap('5').replace('cap', 'own')), '2: the account exists, without limit own'],
  ];
  for (const [csv, reason] of refused) expect(reasons(await take(store, csv!))).toEqual([reason]);
  expect(await account(store, 'a')).toEqual(before);
});

test('a row with a bucket that its account has not, or has otherwise, is refused', async () => {
  const store = new MemoryStore({ partitions: 4 });
  const row = (bucket: object) =>
    `account,plan,buckets\n${csvLine(['a', 'p', JSON.stringify([bucket])])}`;
  const gift = { id: 'gift', unit: 'octets', opening: 5 };
  await take(store, row(gift));
  const before = await account(store, 'a');
  expect(await take(store, row({ ...gift, opening: 7 }))).toMatchObject({ unchanged: 1 });
  const past = { ...gift, id: 'past', expires: '2024-01-01T00:00:00Z' };
  expect(await take(store, row(past))).toMatchObject({ unchanged: 1 });
  expect(reasons(await take(store, row({ ...gift, priority: 3 })))).toEqual([
    '2: the account exists, with gift otherwise',
  ]);
  expect(reasons(await take(store, row({ ...gift, id: 'new' })))).toEqual([
    '2: the account exists, without bucket new',
  ]);
  expect(await account(store, 'a')).toEqual(before);
});

test('rows that do not fit are refused with line and reason, and the others are taken', async () => {
  const store = new MemoryStore({ partitions: 4 });
  await take(store, 'account,plan,e164\nhere,p,499\n');
  const head = 'account,plan,e164,status,opening:main,buckets';
  const rows = [
    'a,q,491,,,',
    'b,p,49x,,,',
    'c,p,493,asleep,,',
    'd,p,494,,--5,',
    'e,p,495,,,{',
    'f,p,496,,,"[{""id"":""x""}]"',
    'g,p,499,,,',
    'h,p,498,,,',
    'i,p,498,,,',
    'here,p,499,blocked,,',
    ',p,500,,,',
    'j,p,501,,,,extra',
    'k,p,502,,,',
    'k,p,503,blocked,,',
  ];
  const imported = await take(store, `${head}\n${rows.join('\n')}\n`);
  expect(imported).toMatchObject({ rows: 14, created: 1 });
  expect(reasons(imported)).toEqual([
    expect.stringMatching(/^2: plan: found 'q', expected the id of a plan/),
    expect.stringMatching(/^3: subscribers\[0\]\.e164: found '49x'/),
    expect.stringMatching(/^4: status: found 'asleep'/),
    expect.stringMatching(/^5: opening of main: found '--5'/),
    expect.stringMatching(/^6: .*JSON/),
    expect.stringMatching(/^7: buckets\[0\]\.unit: found nothing/),
    '8: e164:499 is on account here',
    '10: e164:498 is on account h',
    '11: the account exists, with status active',
    expect.stringMatching(/^12: id: found ''/),
    '13: 7 cells where the header has 6',
    '14: status differs from the row before, of the same account',
    '15: status differs from the row before, of the same account',
  ]);
  expect(await account(store, 'g')).toBeUndefined();
});

test.each([
  ['account,plan,e164,opening:main\na,p,491,5.00\nb,p,49170', '2 cells of 4, b cut off'],
  ['account,plan,opening:main,e164\na,p,5.00,491\nb,p,7.00,49170', 'a number cut off'],
  ['account,plan,e164,buckets\na,p,491,\nb,p,492,"[]\n', 'quotes that are open'],
  ['account,plan,e164,imsi\na,p,491,\nb,p,49170\n', 'a row in the middle'],
  ['account,plan,e164,imsi\na,p,491,\nb,p,492,\nb,p,493\n', 'the second row of an account'],
])('%j has a row that is cut off, of which nothing is taken', async (csv) => {
  const store = new MemoryStore({ partitions: 4 });
  const imported = await take(store, csv);
  expect(imported).toMatchObject({ created: 1 });
  expect(imported.refused.map(({ line }) => line)).toContain(3);
  for (const { reason } of imported.refused)
    expect(reason).toMatch(
      /^(the file ends within this row: it has no line end|3 cells where the header has 4)$/,
    );
  expect(await account(store, 'b')).toBeUndefined();
});

test.each([
  ...['0x10', '1e2', '7.0', ' 7', '+7', '0', '-1', '1_000', '7 sessions', '99999999999999999999'],
])('the most sessions at once are decimal digits, not %j', async (text) => {
  const store = new MemoryStore({ partitions: 4 });
  const imported = await take(store, `account,plan,maxSessions\na,p,${text}\n`);
  expect(reasons(imported)).toEqual([expect.stringContaining(`2: maxSessions: found `)]);
  expect(reasons(imported)[0]).toContain(text.slice(0, 20));
  expect(await account(store, 'a')).toBeUndefined();
});

test('an opening in a list is written as in a provisioning file', async () => {
  const store = new MemoryStore({ partitions: 4 });
  const row = (unit: string, opening: unknown) =>
    `account,plan,buckets\n${csvLine(['a', 'p', JSON.stringify([{ id: 'x', unit, opening }])])}`;
  const wrong = {
    money: [5, ['5'], true],
    octets: [[5], 1.5, 2 ** 53, '0x10', '1e3'],
    units: [null],
  };
  for (const [unit, openings] of Object.entries(wrong))
    for (const opening of openings)
      expect(reasons(await take(store, row(unit, opening)))).toEqual([
        expect.stringMatching(/^2: opening of x: found /),
      ]);
  expect(await account(store, 'a')).toBeUndefined();
  expect(await take(store, row('octets', -7))).toMatchObject({ created: 1 });
});

test('an account of another tenant by the same name, and its subscriber, are never met', async () => {
  const store = new MemoryStore({ partitions: 4 });
  await take(store, 'account,plan,e164,opening:main\na,p,491,5\n');
  const before = await account(store, 'a');
  const csv = 'account,plan,e164,opening:main\na,p,491,70\n';
  expect(await take(store, csv, 'other')).toMatchObject({ created: 1, refused: [] });
  expect(await account(store, 'a')).toEqual(before);
  expect(await account(store, 'a', 'other')).toMatchObject({ counters: { 'a:main': 70 } });
  expect(await store.accountOf('t', { kind: 'e164', id: '491' })).toBe('a');
  await expect(take(store, csv, 'nobody')).rejects.toMatchObject({ code: 'TENANT_UNKNOWN' });
});

test('an account gets no more subscribers than a file could give it', async () => {
  const store = new MemoryStore({ partitions: 1 });
  const csv = (from: number, count: number) => {
    const rows = Array.from({ length: count }, (_, i) => `a,p,${from + i},262${from + i}`);
    return `account,plan,e164,imsi\n${rows.join('\n')}\n`;
  };
  expect(await take(store, csv(10_000, LIMITS.subscribers))).toMatchObject({ created: 1 });
  const before = await account(store, 'a');
  expect(reasons(await take(store, csv(70_000, 1)))).toEqual([
    `2: the account exists, with no room for more than ${LIMITS.subscribers} subscribers`,
  ]);
  // With those that it has already there is nothing to add.
  expect(await take(store, csv(10_000, 5))).toMatchObject({ unchanged: 1, refused: [] });
  // An identity of a kind that a subscriber lacks may be one of its own.
  expect(await take(store, 'account,plan,sip\na,p,sip:a@b\n')).toMatchObject({
    subscribersAdded: 1,
  });
  expect((await account(store, 'a'))?.definition.subscribers).toEqual(
    [...before!.definition.subscribers, 'sip:sip:a@b'].sort(),
  );
});

test('rows of one account that do not follow each other are taken in their order', async () => {
  const store = new MemoryStore({ partitions: 4 });
  const others = Array.from({ length: 30 }, (_, i) => `49${100 + i}`);
  const csv = [
    'account,plan,e164,opening:main',
    // The first takes longest to be looked at.
    ...others.map((e164, i) => `a,${i === 0 ? 'p' : ''},${e164},${i === 0 ? '5' : ''}`),
    'b,p,492,',
    'a,p,493,',
  ];
  const accountOf = store.accountOf.bind(store);
  store.accountOf = async (of, subscriber) => {
    for (let turns = subscriber.id === '49100' ? 50 : 0; turns > 0; turns--) await undefined;
    return accountOf(of, subscriber);
  };
  expect(await take(store, `${csv.join('\n')}\n`)).toMatchObject({ created: 2, refused: [] });
  expect((await account(store, 'a'))?.counters['a:main']).toBe(5_000_000);
});

test('what is exported is imported as it was, byte for byte when exported again', async () => {
  const store = new MemoryStore({ partitions: 4 });
  const buckets = JSON.stringify([
    {
      id: 'day',
      unit: 'octets',
      priority: 3,
      renewal: { every: 'month', on: 5, amount: '1 GB', rollover: 'all' },
      opening: 77,
      paysFor: ['internet'],
    },
    {
      id: 'week',
      unit: 'octets',
      lasts: '7 d',
      opening: 5,
      expires: '2099-01-01T00:00:00Z',
      starts: '2024-01-01T00:00:00Z',
    },
    { id: 'cash', unit: 'money', creditLimit: '10.50', opening: '-3.25' },
  ]);
  const limits = JSON.stringify([
    { id: 'cap', unit: 'money', amount: '5', every: 'day', opening: '1.5' },
  ]);
  const rows = [
    ['a', 'p', 'blocked', '7', '491', '262010000000001', '', '', '', limits, buckets],
    ['a', '', '', '', '492', '', 'sip:x@y,"z"', 'n@ai', 'own', '', ''],
    ['b', 'p', '', '', '', '', '', '', '', '', ''],
  ];
  const first = await take(store, [COLUMNS, ...rows].map((row) => csvLine(row)).join(''));
  expect(reasons(first)).toEqual([]);
  const { written, text } = await exported(store);
  expect(written).toEqual({ accounts: 2, rows: 3, refusable: 0, refusals: [] });
  const copy = new MemoryStore({ partitions: 4 });
  const again = await take(copy, text);
  expect(reasons(again)).toEqual([]);
  for (const id of ['a', 'b']) {
    const { counters, definition } = (await account(store, id))!;
    // A bundle's periods begin where it is imported; everything else is the same.
    const withoutPeriods = (all: Readonly<Record<string, number>>) =>
      Object.fromEntries(Object.entries(all).filter(([field]) => !field.startsWith('p:')));
    const copied = (await account(copy, id))!;
    expect(copied.definition).toEqual(definition);
    expect(withoutPeriods(copied.counters)).toEqual(withoutPeriods(counters));
  }
  expect((await exported(copy)).text).toBe(text);
});

test('what is due in an account is exported as it is shown, though nobody has decided yet', async () => {
  let now = Date.UTC(2026, 0, 15, 12);
  const day = 86_400_000;
  const store = new MemoryStore({ partitions: 1, clock: () => now });
  const buckets = [
    { id: 'bundle', unit: 'octets', renewal: { every: 'month', amount: '10 GB' }, opening: 0 },
    { id: 'gone', unit: 'octets', expires: '2026-01-20T00:00:00Z', opening: 5 },
    { id: 'pass', unit: 'octets', lasts: '1 d', opening: '1 GB' },
  ];
  const limits = [{ id: 'cap', unit: 'money', amount: '5', every: 'day', opening: '0' }];
  const json = [limits, buckets].map((list) => JSON.stringify(list));
  const csv = [
    ['account', 'plan', 'e164', 'limits', 'buckets'],
    ['a', 'p', '491', ...json],
  ];
  expect(reasons(await take(store, csv.map(csvLine).join('')))).toEqual([]);
  // The pass was begun, and a part of it is still reserved.
  const { epoch, account: found } = await store.load({ tenant: 't', account: 'a' });
  const movements = [
    { field: 'p:pass', delta: now + day },
    { field: 'a:pass', delta: -300_000_000 },
    { field: 'r:pass', delta: 100_000_000 },
  ];
  await store.commit({
    ...{ account: { tenant: 't', account: 'a' }, epoch, accountVersion: found!.version, movements },
    idempotency: { key: 'use', outcome: new Uint8Array(), ttlMs: day },
    record: {
      ...{ kind: 'adjustment', at: now, account: { tenant: 't', account: 'a' } },
      ...{ outcome: 'success', services: [], changes: [], reference: 'use' },
    },
  });
  const openings = async () => {
    const [, row] = [...new CsvReader().push(Buffer.from((await exported(store)).text))];
    const written = [...JSON.parse(row!.cells[9]!), ...JSON.parse(row!.cells[10]!)];
    return Object.fromEntries(written.map(({ id, opening }) => [id, opening]));
  };
  expect(await openings()).toEqual({ bundle: 0, cap: '0.00', gone: 5, main: '0.00', pass: 800e6 });
  now += 30 * day;
  expect(await openings()).toEqual({
    ...{ bundle: 10e9, cap: '5.00', main: '0.00' },
    // What is still reserved of these never comes back to them.
    ...{ gone: 0, pass: 0 },
  });
  // What a decision finds there is what it found where it was exported.
  const copy = new MemoryStore({ partitions: 1, clock: () => now });
  await take(copy, (await exported(store)).text);
  expect((await account(copy, 'a'))?.counters).toMatchObject({ 'a:cap': 5_000_000, 'a:pass': 0 });
});

test('accounts whose rows an import refuses are named by the export, with why', async () => {
  const store = new MemoryStore({ partitions: 1 });
  const bucket = (id: string, more: Partial<Bucket> = {}): Bucket => ({
    ...{ id, unit: 'octets', priority: 5, floor: 0 },
    ...more,
  });
  const main = bucket('main', { unit: 'money', priority: 1000 });
  const many = Array.from({ length: 64 }, (_, i) => bucket(`b${i}`));
  const cap = (id: string, ...limits: string[]) => bucket(id, { priority: 0, amount: 5, limits });
  const wide = { paysFor: Array.from({ length: 1000 }, () => 'x'.repeat(64)) };
  const kinds: Record<string, [string, Partial<AccountDefinition>]> = {
    first: ['buckets[0].priority: found 0, expected', { buckets: [bucket('z', { priority: 0 })] }],
    full: [
      'buckets: found a list of 65, expected a list of buckets, at most 64',
      { buckets: many },
    ],
    gone: ["plan: found 'q', expected the id of a plan", { plan: 'q' }],
    name: ["subscribers[0].e164: found '+49', expected", { subscribers: ['e164:+49'] }],
    rule: ["paysFor[0]: found 'voice'", { buckets: [bucket('v', { paysFor: ['voice'] })] }],
    twice: [
      "subscribers[1].e164: found '491', expected none of what",
      {
        subscribers: ['e164:491', 'imsi:262010000000001'],
        buckets: [cap('one', 'e164:491', 'imsi:262010000000001'), cap('two', 'e164:491')],
      },
    ],
    wide: [
      'the row at line 10 is longer than 1048576 octets',
      { buckets: Array.from({ length: 20 }, (_, i) => bucket(`w${i}`, wide)) },
    ],
    zealous: ['maxSessions: found 0, expected a whole number', { maxSessions: 0 }],
  };
  const define = (id: string, more: Partial<AccountDefinition> = {}): AccountDefinition => ({
    ...{ tenant: 't', account: id, plan: 'p', status: 'active', maxSessions: 5, subscribers: [] },
    ...more,
    buckets: [...(more.buckets ?? []), main],
  });
  for (const [id, [, more]] of Object.entries(kinds))
    await store.createAccount(define(id, more), {});
  await store.createAccount(define('fits', { subscribers: ['e164:492'] }), {});
  const { written, text } = await exported(store);
  expect(written).toMatchObject({ accounts: 9, refusable: 8 });
  expect(written.refusals.map(({ account: id }) => id)).toEqual(Object.keys(kinds));
  for (const { account: id, reason } of written.refusals) {
    expect(reason).toContain(kinds[id]![0]);
    expect(reason.length).toBeLessThanOrEqual(300);
  }
  // And that is what an import says of them, where it comes so far.
  await store.changeAccount(define('wide'), 1);
  const all = (await exported(store)).text;
  expect(all).not.toBe(text);
  const copy = new MemoryStore({ partitions: 1 });
  const imported = await take(copy, all);
  expect(imported.created).toBe(2);
  for (const { cells, reason } of imported.refused) expect(reason).toContain(kinds[cells[0]!]![0]);
  expect(new Set(imported.refused.map(({ cells: [id] }) => id)).size).toBe(7);
});

test('periods that are counted in another zone than the plan’s are exported with it', async () => {
  const store = new MemoryStore({ partitions: 4 });
  const monthly = { id: 'm', unit: 'octets', renewal: { every: 'month', amount: 5 } } as const;
  const limits = [{ id: 'cap', unit: 'money', amount: '5', every: 'day' }] as const;
  const accounts = [
    { id: 'a', plan: 'p', subscribers: [{ e164: '491', limits }], buckets: [monthly] },
  ];
  const berlin = tenant('t', { plans: [plan('0.01', { timeZone: 'Europe/Berlin' })], accounts });
  await applyFile(store, load(file([berlin])), { all: true });
  // From now on the plan counts in UTC; the account's periods stay as they began.
  const { text } = await exported(store);
  expect(await take(store, text)).toMatchObject({ unchanged: 1, refused: [] });
  const copy = new MemoryStore({ partitions: 4 });
  expect(await take(copy, text)).toMatchObject({ created: 1, refused: [] });
  const { definition } = (await account(store, 'a'))!;
  expect(definition.buckets[0]?.renewal).toMatchObject({ timeZone: 'Europe/Berlin' });
  expect((await account(copy, 'a'))?.definition).toEqual(definition);
});

test.each([
  ['account,plan,e614', "there is no column 'e614'"],
  ['account,e164', 'column plan is missing'],
  ['account,plan,plan', 'column plan is there twice'],
])('the header %s', (header, problem) => {
  expect(readHeader(header.split(','))).toEqual({ problem: expect.stringContaining(problem) });
});
