/** A limit goes with the subscriber that it limits, whichever way that leaves its account. */
import { PassThrough } from 'node:stream';
import { text as textOf } from 'node:stream/consumers';
import { describe, expect, test } from 'vitest';
import { exportTo } from '../../src/cli/export.ts';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import type { Configuration } from '../../src/provisioning/configuration.ts';
import { CsvReader } from '../../src/provisioning/csv.ts';
import { putAccount, putSubscriber } from '../../src/provisioning/edit-account.ts';
import { importBatch } from '../../src/provisioning/import.ts';
import { takeAway } from '../../src/provisioning/leave.ts';
import type { WrittenAccount, WrittenSubscriber } from '../../src/provisioning/schema.ts';
import { readHeader } from '../../src/provisioning/subscriber-rows.ts';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { file, load, tenant } from './configurations.ts';

const KIM: WrittenSubscriber = {
  ...{ e164: '491', imsi: '262011' },
  limits: [{ id: 'kim', unit: 'money', amount: '5' }],
};
const LEE: WrittenSubscriber = {
  ...{ e164: '492', limits: [{ id: 'lee', unit: 'money', amount: '7' }] },
};

const fileOf = (...accounts: Partial<WrittenAccount>[]) =>
  load(file([tenant('t', { accounts: accounts.map((one) => ({ id: '?', plan: 'p', ...one })) })]));
const at = (account: string) => ({ tenant: 't', account });

/** `family` with Kim and Lee, and `own` with nobody. */
async function provisioned() {
  const store: Store = new MemoryStore({ partitions: 4 });
  const first = fileOf({ id: 'family', subscribers: [KIM, LEE] }, { id: 'own' });
  const { configuration } = await applyFile(store, first, { all: false });
  const editing = {
    ...{ store, configuration },
    askClients: async () => ({ kind: 'done', asked: 0 }) as const,
  };
  return { store, editing };
}

/** Subscribers of an account, whom each of its limits is for, and what counters it has of them. */
async function stateOf(store: Store, account: string) {
  const { definition, counters } = (await store.load(at(account))).account!;
  const limits = definition.buckets.filter((bucket) => bucket.limits !== undefined);
  return {
    subscribers: definition.subscribers,
    limits: Object.fromEntries(limits.map(({ id, limits }) => [id, limits])),
    counters: Object.keys(counters).filter((field) => /^[ar]:(kim|lee)/.test(field)),
  };
}

const ofLee = {
  ...{ limits: { lee: ['e164:492'] }, counters: ['a:lee', 'r:lee'] },
};

type Editing = Awaited<ReturnType<typeof provisioned>>['editing'];
const KIMS = [
  { kind: 'e164', id: '491' },
  { kind: 'imsi', id: '262011' },
] as const;

describe.each<[string, (editing: Editing) => Promise<unknown>]>([
  [
    'is moved',
    async ({ store }) => {
      for (const one of KIMS) await putSubscriber(store, at('own'), one);
    },
  ],
  [
    'is taken from it',
    async ({ store }) => {
      for (const one of KIMS) await takeAway(store, 't', one);
    },
  ],
  [
    'is put on another',
    (editing) => putAccount(editing, at('own'), { plan: 'p', subscribers: [KIM] }),
  ],
  [
    'is put on it no more',
    (editing) => putAccount(editing, at('family'), { plan: 'p', subscribers: [LEE] }),
  ],
  [
    'is on another in the file',
    ({ store }) =>
      applyFile(
        store,
        fileOf({ id: 'family', subscribers: [LEE] }, { id: 'own', subscribers: [KIM] }),
        { all: false },
      ),
  ],
  [
    'is on another in a file that has not the account',
    ({ store }) => applyFile(store, fileOf({ id: 'own', subscribers: [KIM] }), { all: true }),
  ],
])('a subscriber that %s', (_, leave) => {
  test('leaves none of its limits, and takes none of the others away', async () => {
    const { store, editing } = await provisioned();
    await leave(editing);
    expect(await stateOf(store, 'family')).toEqual({ subscribers: ['e164:492'], ...ofLee });
    await leave(editing);
    expect(await stateOf(store, 'family')).toEqual({ subscribers: ['e164:492'], ...ofLee });
  });

  test('is imported where an export has it', async () => {
    const { store, editing } = await provisioned();
    await leave(editing);
    const copy = await copied(store, editing.configuration);
    for (const account of ['family', 'own'])
      expect((await copy.load(at(account))).account?.definition).toEqual(
        (await store.load(at(account))).account?.definition,
      );
  });
});

const PUT: [string, (editing: Editing) => Promise<unknown>][] = [
  ['put', ({ store }) => putSubscriber(store, at('own'), KIMS[0])],
  [
    'put with its account',
    (editing) => putAccount(editing, at('own'), { plan: 'p', subscribers: [{ e164: '491' }] }),
  ],
  [
    'in a file',
    ({ store }) =>
      applyFile(store, fileOf({ id: 'own', subscribers: [{ e164: '491' }] }), { all: true }),
  ],
];

/** Runs `change` on stores that fail, from their first call on, then their second, and so on. */
async function stoppedAnywhere(
  change: (editing: Editing) => Promise<unknown>,
  then: (editing: Editing) => Promise<unknown>,
): Promise<void> {
  let stops = 0;
  for (let stopAt = 0; stopAt === stops; stopAt++) {
    const { store, editing } = await provisioned();
    let calls = 0;
    const dying = withFaults(store, () => (calls++ < stopAt ? 'none' : 'refuse'));
    try {
      await change({ ...editing, store: dying });
    } catch (error) {
      expect(error).toBeInstanceOf(StoreUnavailable);
      stops += 1;
    }
    await then(editing);
  }
  expect(stops).toBeGreaterThan(3);
}

describe.each(PUT)('a move that was stopped at any call, %s', (_, move) => {
  const ofKim = ({ store }: Editing) => stateOf(store, 'family');
  const left = { limits: { kim: ['imsi:262011'], lee: ['e164:492'] } };

  test('is finished by moving again', () =>
    stoppedAnywhere(move, async (editing) => {
      await move(editing);
      expect(await ofKim(editing)).toMatchObject(left);
    }));

  test('is finished by moving elsewhere', () =>
    stoppedAnywhere(move, async (editing) => {
      await putAccount(editing, at('other'), { plan: 'p' });
      await putSubscriber(editing.store, at('other'), KIMS[0]);
      expect(await ofKim(editing)).toMatchObject(left);
    }));

  test('is finished by taking the subscriber away', () =>
    stoppedAnywhere(move, async (editing) => {
      await takeAway(editing.store, 't', KIMS[0]);
      expect(await ofKim(editing)).toMatchObject(left);
    }));
});

test('a limit stays with the identity that stays', async () => {
  const { store, editing } = await provisioned();
  await putSubscriber(store, at('own'), KIMS[0]);
  expect(await stateOf(store, 'family')).toMatchObject({
    subscribers: ['e164:492', 'imsi:262011'],
    limits: { kim: ['imsi:262011'], lee: ['e164:492'] },
  });
  const copy = await copied(store, editing.configuration);
  expect(await stateOf(copy, 'family')).toEqual(await stateOf(store, 'family'));
  expect((await stateOf(copy, 'own')).subscribers).toEqual(['e164:491']);
});

test('a limit that was left behind by a move half way is not exported', async () => {
  const { store, editing } = await provisioned();
  for (const one of KIMS) await store.moveSubscriber('t', one, 'own');
  expect((await stateOf(store, 'family')).limits).toHaveProperty('kim');
  const copy = await copied(store, editing.configuration);
  expect(await stateOf(copy, 'family')).toEqual({ subscribers: ['e164:492'], ...ofLee });
  expect((await stateOf(copy, 'own')).subscribers).toEqual(['e164:491', 'imsi:262011']);
});

/** A fresh store with what the other exports; all of it must be taken. */
async function copied(store: Store, configuration: Configuration): Promise<Store> {
  const out = new PassThrough();
  const [, text] = await Promise.all([
    exportTo(out, store, { tenant: 't', configuration }),
    textOf(out),
  ]);
  const reader = new CsvReader();
  const [header, ...rows] = [...reader.push(Buffer.from(text)), ...reader.finish()];
  const read = readHeader(header!.cells);
  if ('problem' in read) throw new Error(read.problem);
  const copy = new MemoryStore({ partitions: 4 });
  const batch = [...Map.groupBy(rows, ({ cells }) => cells[0]).values()];
  const options = { store: copy, configuration, tenant: 't', columns: read.columns };
  const { refused } = await importBatch({ ...options, concurrency: 2 }, batch);
  expect(refused).toEqual([]);
  return copy;
}
