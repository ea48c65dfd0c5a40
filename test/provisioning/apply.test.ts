/** Bringing a store to what the provisioning says: repeatable, and balances are left alone. */
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import type { Account } from '../../src/charging/account.ts';
import { type ApplyReport, applyProvisioning } from '../../src/provisioning/apply.ts';
import { loadProvisioning } from '../../src/provisioning/load.ts';
import { renderProblems } from '../../src/provisioning/problem.ts';
import type { Provisioning } from '../../src/provisioning/provisioning.ts';
import { type Fault, type RemoteCall, withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';

const NOW = Date.UTC(2030, 0, 1);
const TENANT = 'blue';

function read(text: string): Provisioning {
  const loaded = loadProvisioning(text, 'f.yaml');
  if (!loaded.ok) throw new Error(renderProblems(loaded.problems));
  return loaded.provisioning;
}

/** A file with one tenant and these accounts. */
const file = (accounts: string): Provisioning =>
  read(`tenants:
  - id: ${TENANT}
    currency: EUR
    digits: 2
    plans: [{ id: p, rules: [{ name: r, unit: octets, free: true, quota: { size: 1 } }] }]
    ${accounts}
`);

const newStore = () => new MemoryStore({ partitions: 4, clock: () => NOW });

const NONE: ApplyReport = {
  created: 0,
  changed: 0,
  unchanged: 0,
  refused: 0,
  movedSubscribers: 0,
  addedSubscribers: 0,
  bucketsNotInFile: 0,
  unfundedBuckets: 0,
  sessionsAsked: 0,
  notes: [],
};

async function accountsOf(store: Store): Promise<Map<string, Account>> {
  const { accounts } = await store.listAccounts(TENANT, { limit: 1000 });
  return new Map(accounts.map((account) => [account.definition.account, account]));
}

/** Adds to a bucket as a top-up does. */
async function topUp(store: Store, id: string, amount: number, bucket = 'main'): Promise<void> {
  const account = { tenant: TENANT, account: id };
  const { epoch, account: loaded } = await store.load(account);
  const reply = await store.commit({
    account,
    epoch,
    accountVersion: loaded?.version ?? 0,
    idempotency: { key: 'a-top-up', outcome: new Uint8Array([1]), ttlMs: 1000 },
    movements: [{ field: `a:${bucket}`, delta: amount }],
    record: {
      kind: 'topup',
      at: NOW,
      account,
      outcome: 'success',
      services: [],
      changes: [{ bucket, cause: 'topup', available: amount, reserved: 0 }],
    },
  });
  expect(reply.kind).toBe('committed');
}

test('the sample is created once and then left alone', async () => {
  const sample = read(readFileSync(new URL('../../samples/mvne.yaml', import.meta.url), 'utf8'));
  const store = newStore();
  const progress: number[] = [];
  const first = await applyProvisioning(store, sample, {
    onProgress: ({ done, total }) => progress.push(done / total),
  });
  expect(first).toEqual({ ...NONE, created: 19 });
  expect(progress).toHaveLength(19);
  expect(progress.at(-1)).toBe(1);
  for (let i = 1; i <= 10; i++) {
    for (const [tenant, prefix] of [
      ['mvno-blue', '49170'],
      ['mvno-red', '49171'],
    ] as const) {
      const id = `${prefix}${String(i).padStart(7, '0')}`;
      expect(await store.accountOf(tenant, { kind: 'e164', id })).toBeDefined();
    }
  }
  const records = () =>
    Array.from({ length: 4 }, (_, i) => store.partition(i).outbox.length).reduce((a, b) => a + b);
  const before = { records: records(), accounts: await accountsOf(store) };
  expect(await applyProvisioning(store, sample)).toEqual({ ...NONE, unchanged: 19 });
  expect({ records: records(), accounts: await accountsOf(store) }).toEqual(before);
});

test('openings are for new accounts, balances are never touched', async () => {
  const store = newStore();
  const buckets = (opening: string) =>
    `accounts: [{ id: a, plan: p, buckets: [{ id: main, unit: money, opening: '${opening}' }] }]`;
  await applyProvisioning(store, file(buckets('5')));
  await topUp(store, 'a', 250);
  expect(await applyProvisioning(store, file(buckets('90')))).toEqual({ ...NONE, unchanged: 1 });
  expect((await accountsOf(store)).get('a')?.counters['a:main']).toBe(750);
});

test('what differs is changed, and nothing else', async () => {
  const store = newStore();
  const accounts = (a: string) => file(`accounts: [{ id: a, plan: p${a} }, { id: b, plan: p }]`);
  await applyProvisioning(store, accounts(''));
  await topUp(store, 'a', 100);
  const before = await accountsOf(store);
  for (const change of [
    ', status: blocked',
    ', maxSessions: 3',
    ", buckets: [{ id: main, unit: money, creditLimit: '10' }]",
    ', buckets: [{ id: main, unit: money, priority: 7 }]',
    ", subscribers: [{ e164: '1', imsi: '262011' }]",
    ', status: active, maxSessions: 100, buckets: [{ id: main, unit: money }], subscribers: []',
  ]) {
    const report = await applyProvisioning(store, accounts(change));
    const addedSubscribers = change.includes('e164') ? 2 : 0;
    const changed = addedSubscribers > 0 ? 0 : 1;
    expect(report).toEqual({ ...NONE, changed, unchanged: 2 - changed, addedSubscribers });
    expect(await applyProvisioning(store, accounts(''))).toEqual({ ...NONE, unchanged: 2 });
    const after = await accountsOf(store);
    expect(after.get('b')).toEqual(before.get('b'));
    expect(after.get('a')?.counters).toEqual(before.get('a')?.counters);
  }
  const { version: _, ...last } = (await accountsOf(store)).get('a')!;
  const { version: __, ...first } = before.get('a')!;
  expect(last).toEqual(first);
  expect(await store.accountOf(TENANT, { kind: 'e164', id: '1' })).toBeUndefined();
});

test('what is not written of an account is left as it is, of a range too', async () => {
  const store = newStore();
  const kim = "{ e164: '1', limits: [{ id: kim, unit: money, amount: '5' }] }";
  const purse = "{ id: purse, unit: money, creditLimit: '10', priority: 50 }";
  const range = (more: string) =>
    `ranges: [{ prefix: r, count: 1, first: { e164: '500' }, plan: p${more} }]`;
  const full = `, status: blocked, maxSessions: 3, subscribers: [${kim}], buckets: [${purse}]`;
  await applyProvisioning(
    store,
    file(`accounts: [{ id: a, plan: p${full} }]
    ${range(', status: blocked, maxSessions: 3')}`),
  );
  const before = await accountsOf(store);
  const bare = file(`accounts: [{ id: a, plan: p }]
    ${range('')}`);
  expect(await applyProvisioning(store, bare)).toMatchObject({ changed: 0, unchanged: 2 });
  expect(await accountsOf(store)).toEqual(before);
  // A bucket that is to be drawn before the last makes room for itself.
  const pass = '{ id: pass, unit: octets, priority: 60 }';
  await applyProvisioning(store, file(`accounts: [{ id: a, plan: p, buckets: [${pass}] }]`));
  const { buckets } = (await accountsOf(store)).get('a')!.definition;
  expect(buckets.map(({ id, priority, floor }) => [id, priority, floor])).toEqual([
    ['kim', 0, 0],
    ['pass', 60, 0],
    ['purse', 61, -1000],
  ]);
});

test('a new limit starts with its amount, moves as it is edited, and goes', async () => {
  const store = newStore();
  const limited = (...limits: string[]) =>
    file(`accounts:
      - { id: a, plan: p, subscribers: [{ e164: '1'${limits.map((one) => `, limits: [${one}]`)} }] }`);
  const left = async () => {
    const { definition, counters } = (await accountsOf(store)).get('a')!;
    return definition.buckets.map(({ id }) => [id, counters[`a:${id}`]]);
  };
  const kim = (amount: number, every = '') =>
    `{ id: kim, unit: money, amount: '${amount}'${every} }`;
  const main = ['main', 0];
  await applyProvisioning(store, limited());
  expect(await applyProvisioning(store, limited(kim(5)))).toEqual({ ...NONE, changed: 1 });
  expect(await left()).toEqual([['kim', 500], main]);
  await applyProvisioning(store, limited(kim(9)));
  expect(await left()).toEqual([['kim', 900], main]);
  await applyProvisioning(store, limited(kim(2, ', every: day')));
  expect(await left()).toEqual([['kim', 200], main]);
  expect(await applyProvisioning(store, limited())).toEqual({ ...NONE, changed: 1 });
  expect(await left()).toEqual([main]);
  expect((await accountsOf(store)).get('a')?.counters).toEqual({
    ...{ 'a:main': 0, 'r:main': 0, 'n:open': 0 },
  });
});

test('the amount of a limit that is edited after its period counts from the next', async () => {
  let now = NOW;
  const store = new MemoryStore({ partitions: 4, clock: () => now });
  const daily = (amount: number) =>
    file(`accounts:
      - id: a
        plan: p
        subscribers: [{ e164: '1', limits: [{ id: kim, unit: octets, amount: ${amount}, every: day }] }]`);
  await applyProvisioning(store, daily(50));
  now += 2 * 86_400_000;
  await applyProvisioning(store, daily(20));
  const { definition, counters } = (await accountsOf(store)).get('a')!;
  expect(definition.buckets[0]).toMatchObject({ id: 'kim', renewal: { amount: 20 } });
  expect(counters['a:kim']).toBe(20);
});

test('an amount that takes a limit beyond what can be counted is refused, and told', async () => {
  const store = newStore();
  const limited = (amount: number) =>
    file(`accounts:
      - id: a
        plan: p
        subscribers: [{ e164: '1', limits: [{ id: kim, unit: octets, amount: ${amount} }] }]
      - { id: b, plan: p${amount === 1 ? '' : ', maxSessions: 7'} }`);
  await applyProvisioning(store, limited(1));
  await topUp(store, 'a', Number.MAX_SAFE_INTEGER - 1, 'kim');
  const before = (await accountsOf(store)).get('a');
  expect(await applyProvisioning(store, limited(Number.MAX_SAFE_INTEGER))).toMatchObject({
    ...{ refused: 1, changed: 1 },
    notes: [{ account: 'a', text: expect.stringContaining('counter a:kim would leave') }],
  });
  expect((await accountsOf(store)).get('a')).toEqual(before);
});

test('a bucket never becomes a limit, nor a limit a bucket', async () => {
  const store = newStore();
  const bucket = '{ id: a, plan: p, buckets: [{ id: x, unit: octets }] }';
  const limit =
    "{ id: a, plan: p, subscribers: [{ e164: '1', limits: [{ id: x, unit: octets, amount: 5 }] }] }";
  await applyProvisioning(store, file(`accounts: [${bucket}]`));
  const before = await accountsOf(store);
  expect(await applyProvisioning(store, file(`accounts: [${limit}]`))).toMatchObject({
    refused: 1,
    notes: [{ text: expect.stringContaining('its bucket x is no limit') }],
  });
  expect(await accountsOf(store)).toEqual(before);
});

test('accounts and buckets that only the store has are kept, the main bucket stays last', async () => {
  const store = newStore();
  await applyProvisioning(
    store,
    file(`accounts:
      - { id: gone, plan: p }
      - id: a
        plan: p
        buckets: [{ id: old, unit: octets, opening: 7, priority: 900 }, { id: main, unit: money }]`),
  );
  const next = file(
    'accounts: [{ id: a, plan: p, buckets: [{ id: cash, unit: money, priority: 50 }] }]',
  );
  const report = { ...NONE, bucketsNotInFile: 2 };
  expect(await applyProvisioning(store, next)).toEqual({ ...report, changed: 1 });
  const { definition, counters } = (await accountsOf(store)).get('a')!;
  expect(definition.buckets.map(({ id, priority }) => [id, priority])).toEqual([
    ['old', 48],
    ['main', 49],
    ['cash', 50],
  ]);
  expect(counters).toMatchObject({ 'a:old': 7, 'a:main': 0, 'a:cash': 0 });
  expect(await applyProvisioning(store, next)).toEqual({ ...report, unchanged: 1 });
});

test('a new bucket of an account that exists starts at 0, and that is said', async () => {
  const store = newStore();
  const buckets = (more: string) =>
    file(`accounts: [{ id: a, plan: p, buckets: [{ id: main, unit: money }${more}] }]`);
  await applyProvisioning(store, buckets(''));
  expect(
    await applyProvisioning(store, buckets(', { id: gift, unit: octets, opening: 5 MB }')),
  ).toEqual({
    ...NONE,
    changed: 1,
    unfundedBuckets: 1,
    notes: [
      {
        tenant: TENANT,
        account: 'a',
        text: 'its new bucket gift starts at 0: openings are for new accounts only',
      },
    ],
  });
  expect((await accountsOf(store)).get('a')?.counters['a:gift']).toBe(0);
});

test('a bucket that has expired and was removed does not come back', async () => {
  const store = newStore();
  await applyProvisioning(store, file('accounts: [{ id: a, plan: p }]'));
  const expired = "{ id: gift, unit: octets, opening: 5, expires: '2029-12-31T00:00:00Z' }";
  expect(
    await applyProvisioning(store, file(`accounts: [{ id: a, plan: p, buckets: [${expired}] }]`)),
  ).toEqual({ ...NONE, unchanged: 1 });
});

test('a bucket id is never used for another unit, and such an account is left as it is', async () => {
  const store = newStore();
  const unit = (name: string, holder: string, other: string) =>
    file(`accounts:
      - { id: a, plan: p, buckets: [{ id: x, unit: ${name} }], subscribers: [${holder}] }
      - { id: b, plan: p, subscribers: [${other}] }`);
  await applyProvisioning(store, unit('octets', '', "{ e164: '1' }"));
  const before = await accountsOf(store);
  expect(await applyProvisioning(store, unit('seconds', "{ e164: '1' }", ''))).toMatchObject({
    refused: 1,
    movedSubscribers: 0,
    notes: [
      { account: 'a', text: expect.stringContaining('its bucket x holds octets') },
      { account: 'b', text: expect.stringContaining('e164:1 stays on it') },
    ],
  });
  expect(await accountsOf(store)).toEqual(before);
});

const BEFORE = file(`accounts:
      - { id: a, plan: p, subscribers: [{ e164: '1' }, { e164: '2' }, { e164: '9' }] }
      - { id: b, plan: p, subscribers: [{ e164: '3' }, { e164: '4' }] }
      - { id: c, plan: p }
    ranges: [{ prefix: r, count: 3, first: { e164: '500' }, plan: p }]`);
/** 1 and 3 swap, 2 goes to a new account, 4 is gone, 5 is new, 501 leaves its range. */
const AFTER = file(`accounts:
      - { id: a, plan: p, status: blocked, subscribers: [{ e164: '3' }, { e164: '9' }] }
      - { id: b, plan: p, subscribers: [{ e164: '1' }, { e164: '501' }] }
      - { id: c, plan: p, maxSessions: 9, subscribers: [{ e164: '5' }] }
      - { id: d, plan: p, subscribers: [{ e164: '2' }, { e164: '6' }] }
    ranges: [{ prefix: r, count: 1, first: { e164: '500' }, plan: p }]`);
const HOLDERS = {
  1: 'b',
  2: 'd',
  3: 'a',
  5: 'c',
  6: 'd',
  9: 'a',
  500: 'r500',
  501: 'b',
  502: 'r502',
};

/** Everything that counts in the end; versions tell only how often something was written. */
async function endState(store: Store) {
  const accounts = [...(await accountsOf(store)).values()].map(({ definition, counters }) => ({
    definition,
    counters,
  }));
  const holders: Record<string, string> = {};
  for (const id of ['1', '2', '3', '4', '5', '6', '9', '500', '501', '502']) {
    const holder = await store.accountOf(TENANT, { kind: 'e164', id });
    if (holder !== undefined) holders[id] = holder;
  }
  return { accounts, holders };
}

test('subscribers move to where the file has them and are found at every moment', async () => {
  const store = newStore();
  await applyProvisioning(store, BEFORE);
  const lookUps: Promise<boolean[]>[] = [];
  const created: unknown[] = [];
  const watched = withFaults(store, (call, [definition]) => {
    if (call === 'createAccount') created.push(definition);
    // The memory store answers as of the moment of the call, so all of this is of one instant.
    const moving = ['1', '2', '3', '501'].map((id) => ({
      name: `e164:${id}`,
      holder: store.accountOf(TENANT, { kind: 'e164', id }),
    }));
    const accounts = ['a', 'b', 'c', 'd', 'r501'].map((account) =>
      store.load({ tenant: TENANT, account }),
    );
    const lookUp = async ({ name, holder }: (typeof moving)[number]): Promise<boolean> => {
      const account = await holder;
      const stored = (await Promise.all(accounts)).flatMap((snapshot) => snapshot.account ?? []);
      const found = stored.find(({ definition }) => definition.account === account);
      return found?.definition.subscribers.includes(name) ?? false;
    };
    lookUps.push(Promise.all(moving.map(lookUp)));
    return 'none';
  });
  expect(await applyProvisioning(watched, AFTER, { concurrency: 1 })).toEqual({
    ...NONE,
    created: 1,
    changed: 3,
    unchanged: 1,
    movedSubscribers: 4,
    addedSubscribers: 1,
  });
  // What another account has is moved, not taken at the creation.
  expect(created).toMatchObject([{ account: 'd', subscribers: ['e164:6'] }]);
  expect(lookUps.length).toBeGreaterThan(20);
  for (const found of await Promise.all(lookUps)) expect(found).not.toContain(false);
  const { accounts, holders } = await endState(store);
  expect(holders).toEqual(HOLDERS);
  for (const { definition } of accounts) {
    const own = Object.entries(HOLDERS).filter(([, holder]) => holder === definition.account);
    const listed = definition.account === 'r501' ? [] : own.map(([id]) => `e164:${id}`);
    expect(definition.subscribers).toEqual(listed.sort());
  }
});

test.each<Fault>(['refuse', 'lose-request', 'lose-reply'])(
  'stopped at any call (%s) and run again, the end is the same',
  async (fault) => {
    const undisturbed = newStore();
    await applyProvisioning(undisturbed, BEFORE);
    await applyProvisioning(undisturbed, AFTER);
    const end = await endState(undisturbed);
    let stops = 0;
    for (let stopAt = 0; stopAt === stops; stopAt++) {
      const store = newStore();
      await applyProvisioning(store, BEFORE);
      let calls = 0;
      // The call that fails, and the process with it: none of its later calls arrives.
      const dying = withFaults(store, () => {
        calls += 1;
        return calls === stopAt + 1 ? fault : calls > stopAt ? 'refuse' : 'none';
      });
      try {
        await applyProvisioning(dying, AFTER, { concurrency: 3 });
      } catch (error) {
        expect(error).toBeInstanceOf(StoreUnavailable);
        stops += 1;
      }
      await applyProvisioning(store, AFTER, { concurrency: 3 });
      expect(await endState(store)).toEqual(end);
      const again = await applyProvisioning(store, AFTER);
      expect(again).toEqual({ ...NONE, unchanged: 5 });
    }
    expect(stops).toBeGreaterThan(25);
  },
);

test('several processes at once come to the same end', async () => {
  const alone = newStore();
  await applyProvisioning(alone, BEFORE);
  await applyProvisioning(alone, AFTER);
  const store = newStore();
  const created = await Promise.all([1, 2, 3].map(() => applyProvisioning(store, BEFORE)));
  expect(created.reduce((sum, report) => sum + report.created, 0)).toBe(6);
  await Promise.all(
    [1, 2, 3].map((concurrency) => applyProvisioning(store, AFTER, { concurrency })),
  );
  expect(await endState(store)).toEqual(await endState(alone));
});

/** Somebody else changes the account right before each of the first `times` changes. */
function contended(store: MemoryStore, times: number): Store {
  let left = times;
  return withFaults(store, (call: RemoteCall, [definition, version]) => {
    if (call === 'changeAccount' && left-- > 0) {
      void store.changeAccount(
        { ...(definition as Account['definition']), maxSessions: 1000 + left, status: 'active' },
        version as number,
      );
    }
    return 'none';
  });
}

test('a change that loses a race is made again on what won', async () => {
  const store = newStore();
  await applyProvisioning(store, file('accounts: [{ id: a, plan: p }]'));
  const blocked = file('accounts: [{ id: a, plan: p, status: blocked }]');
  expect(await applyProvisioning(contended(store, 3), blocked)).toEqual({ ...NONE, changed: 1 });
  expect((await accountsOf(store)).get('a')?.definition).toMatchObject({
    status: 'blocked',
    maxSessions: 1000,
  });
});

test('an account that never stops changing is given up, and that is said', async () => {
  const store = newStore();
  await applyProvisioning(store, file('accounts: [{ id: a, plan: p }]'));
  const blocked = file('accounts: [{ id: a, plan: p, status: blocked }]');
  expect(await applyProvisioning(contended(store, 1000), blocked)).toEqual({
    ...NONE,
    refused: 1,
    notes: [{ tenant: TENANT, account: 'a', text: expect.stringContaining('by others') }],
  });
});

test('no more accounts than said are worked on at once', async () => {
  const store = newStore();
  let open = 0;
  let most = 0;
  const counting: Store = Object.assign(Object.create(store), {
    now: () => NOW,
    async load(...args: Parameters<Store['load']>) {
      most = Math.max(most, ++open);
      await new Promise(setImmediate);
      open -= 1;
      return store.load(...args);
    },
    accountOf: store.accountOf.bind(store),
    createAccount: store.createAccount.bind(store),
    listAccounts: store.listAccounts.bind(store),
  });
  const range = file("ranges: [{ prefix: r, count: 50, first: { e164: '500' }, plan: p }]");
  expect(await applyProvisioning(counting, range, { concurrency: 7 })).toEqual({
    ...NONE,
    created: 50,
  });
  expect(most).toBe(7);
});
