/** A provisioning file that meets a store which was also changed by other means. */
import { expect, test } from 'vitest';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import { changeConfiguration } from '../../src/provisioning/change.ts';
import type { WrittenFile, WrittenTenant } from '../../src/provisioning/schema.ts';
import { type Fault, withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { type Store, StoreUnavailable } from '../../src/store/store.ts';
import { file, load, plan, tenant } from './configurations.ts';

const start = (store: Store, written: WrittenFile) =>
  applyFile(store, load(written), { all: false });
const apply = (store: Store, written: WrittenFile) =>
  applyFile(store, load(written), { all: true });

/** As one who changes a plan by HTTP. */
const reprice = (store: Store, id: string, amount: string) =>
  changeConfiguration(store, (current) => ({
    ...current!.written,
    tenants: current!.written.tenants.map((one) =>
      one.id === 't'
        ? { ...one, plans: one.plans.map((p) => (p.id === id ? plan(amount, { id }) : p)) }
        : one,
    ),
  }));

async function setStatus(store: Store, account: string, status: 'active' | 'blocked') {
  const { account: found } = await store.load({ tenant: 't', account });
  await store.changeAccount({ ...found!.definition, status }, found!.version);
}

/** The prices and versions of a tenant's plans, as stored. */
async function prices(store: Store): Promise<Record<string, string>> {
  const { tenants } = JSON.parse((await store.readConfiguration())!.document) as WrittenFile;
  const plans = tenants.find(({ id }) => id === 't')?.plans ?? [];
  return Object.fromEntries(
    plans.map(({ id, version, rules }) => [id, `${rules[0]!.price!.amount} v${version}`]),
  );
}

const plans = (p: string, q: string): Pick<WrittenTenant, 'plans'> => ({
  plans: [plan(p), plan(q, { id: 'q' })],
});
const accounts = (...ids: string[]): Pick<WrittenTenant, 'accounts'> => ({
  accounts: ids.map((id) => ({ id, plan: 'p' })),
});
const FIRST = file([tenant('t', { ...plans('0.01', '0.5'), ...accounts('a', 'b') })]);

test('a fresh store gets all of it', async () => {
  const store = new MemoryStore();
  const report = await start(store, FIRST);
  expect(report).toMatchObject({ changed: true, accounts: { created: 2 } });
  expect(await prices(store)).toEqual({ p: '0.01 v1', q: '0.5 v1' });
  const { document } = (await store.readConfiguration())!;
  expect(document).not.toContain('accounts');
});

test('the same file again leaves what was changed since', async () => {
  const store = new MemoryStore();
  await start(store, FIRST);
  await reprice(store, 'p', '0.09');
  await setStatus(store, 'a', 'blocked');
  const again = await start(store, FIRST);
  expect(again).toMatchObject({
    changed: false,
    accounts: { created: 0, changed: 0, unchanged: 0 },
  });
  expect(await prices(store)).toEqual({ p: '0.09 v2', q: '0.5 v1' });
  expect((await store.load({ tenant: 't', account: 'a' })).account?.definition.status).toBe(
    'blocked',
  );
});

test('an edited file changes what was edited, and no more', async () => {
  const store = new MemoryStore();
  await start(store, FIRST);
  await reprice(store, 'p', '0.09');
  await setStatus(store, 'a', 'blocked');
  const edited = file([tenant('t', { ...plans('0.01', '0.6'), ...accounts('a', 'b', 'c') })]);
  expect(await start(store, edited)).toMatchObject({ changed: true, accounts: { created: 1 } });
  expect(await prices(store)).toEqual({ p: '0.09 v2', q: '0.6 v2' });
  expect((await store.load({ tenant: 't', account: 'a' })).account?.definition.status).toBe(
    'blocked',
  );
});

test('an older file brings back what it says otherwise, as new versions', async () => {
  const store = new MemoryStore();
  await start(store, FIRST);
  await start(store, file([tenant('t', plans('0.01', '0.6'))]));
  await reprice(store, 'p', '0.09');
  await start(store, FIRST);
  expect(await prices(store)).toEqual({ p: '0.09 v2', q: '0.5 v3' });
});

test('applied by command, everything that it says is put in place, and nothing else', async () => {
  const store = new MemoryStore();
  await start(store, FIRST);
  await reprice(store, 'p', '0.09');
  await setStatus(store, 'a', 'blocked');
  const status = async () =>
    (await store.load({ tenant: 't', account: 'a' })).account?.definition.status;
  expect(await apply(store, FIRST)).toMatchObject({ accounts: { changed: 0, unchanged: 2 } });
  expect(await prices(store)).toEqual({ p: '0.01 v3', q: '0.5 v1' });
  expect(await status()).toBe('blocked');
  const [first] = FIRST.tenants;
  const [a, b] = first!.accounts!;
  const active = file([{ ...first!, accounts: [{ ...a!, status: 'active' }, b!] }]);
  expect(await apply(store, active)).toMatchObject({ accounts: { changed: 1, unchanged: 1 } });
  expect(await status()).toBe('active');
});

test('what leaves the file is taken out; what was never in it stays', async () => {
  const store = new MemoryStore();
  await start(store, { ...file([tenant('t', plans('1', '2'))]), peers: { anybody: {} } });
  await changeConfiguration(store, (current) => ({
    ...current!.written,
    tenants: [...current!.written.tenants, tenant('made-by-http')],
  }));
  const { peers: _, ...without } = file([tenant('t', { plans: [plan('1')] })]);
  const { configuration, overruled } = await start(store, without);
  expect(overruled).toEqual([]);
  expect(configuration.provisioning.tenants.map(({ id }) => id)).toEqual(['t', 'made-by-http']);
  expect(await prices(store)).toEqual({ p: '1 v1' });
  expect(configuration.provisioning.peers).toEqual(expect.not.objectContaining({ anybody: {} }));
});

test('of a plan that leaves the file it is told where others have changed it', async () => {
  const store = new MemoryStore();
  await start(store, file([tenant('t', plans('1', '2'))]));
  await reprice(store, 'q', '3');
  const { overruled } = await start(store, file([tenant('t', { plans: [plan('1')] })]));
  expect(overruled).toEqual(['tenants.t.plans.q']);
});

test('of a plan that is taken out, or has another name, where there are accounts it is told', async () => {
  const store = new MemoryStore();
  const renamed = { plans: [plan('1'), plan('2', { id: 'r' })] };
  const without = file([tenant('t', plans('1', '2')), tenant('u', plans('1', '2'))]);
  expect(await start(store, without)).toMatchObject({ plansGone: [] });
  const first = file([tenant('t', { ...plans('1', '2'), ...accounts('a') }), tenant('u')]);
  expect(await start(store, first)).toMatchObject({ plansGone: [] });
  const second = file([tenant('t', { ...renamed, ...accounts('a') }), tenant('u')]);
  expect(await start(store, second)).toMatchObject({ plansGone: [{ tenant: 't', plan: 'q' }] });
  expect(await start(store, second)).toMatchObject({ plansGone: [] });
});

test('workers are waited for before accounts are changed, and clients asked after', async () => {
  const store = new MemoryStore();
  await start(store, FIRST);
  const order: string[] = [];
  const watched = withFaults(store, (call) => {
    if (['writeConfiguration', 'announce', 'changeAccount'].includes(call)) order.push(call);
    return 'none';
  });
  const moved = [
    { id: 'a', plan: 'q' },
    { id: 'b', plan: 'p' },
  ];
  const next = load(file([tenant('t', { ...plans('0.02', '0.5'), accounts: moved })]));
  const { accounts: report } = await applyFile(watched, next, {
    all: true,
    waitMs: 0,
    async askClients({ account }) {
      order.push(`ask ${account}`);
      return { kind: 'busy', asked: 3 };
    },
  });
  expect(order).toEqual(['writeConfiguration', 'announce', 'changeAccount', 'ask a']);
  expect(report).toMatchObject({
    ...{ changed: 1, unchanged: 1, sessionsAsked: 3 },
    notes: [{ account: 'a', text: expect.stringContaining('not all clients could be asked') }],
  });
});

test('a tenant that leaves the file stays while it has accounts', async () => {
  const store = new MemoryStore();
  const both = file([tenant('t'), tenant('u', accounts('a')), tenant('empty')]);
  await start(store, both);
  const { configuration } = await start(store, file([tenant('t')]));
  expect(configuration.provisioning.tenants.map(({ id }) => id)).toEqual(['t', 'u']);
});

test('a file that does not fit what is there is refused, and nothing of it is applied', async () => {
  const store = new MemoryStore();
  await start(store, FIRST);
  await changeConfiguration(store, (current) => ({
    ...current!.written,
    tenants: [...current!.written.tenants, tenant('made-by-http')],
  }));
  const before = await store.readConfiguration();
  const { routing: _, ...without } = file([
    tenant('t', { ...plans('7', '8'), ...accounts('new') }),
  ]);
  await expect(start(store, without)).rejects.toMatchObject({ code: 'CHANGE_REFUSED' });
  expect(await store.readConfiguration()).toEqual(before);
  expect((await store.load({ tenant: 't', account: 'new' })).account).toBeUndefined();
});

test.each<Fault>(['refuse', 'lose-request', 'lose-reply'])(
  'stopped at any call (%s) and started again, the end is the same',
  async (fault) => {
    const edited = file([tenant('t', { ...plans('0.02', '0.6'), ...accounts('a', 'c') })]);
    let stops = 0;
    for (let stopAt = 0; stopAt === stops; stopAt++) {
      const store = new MemoryStore();
      await start(store, FIRST);
      let calls = 0;
      const dying = withFaults(store, () => {
        calls += 1;
        return calls === stopAt + 1 ? fault : calls > stopAt ? 'refuse' : 'none';
      });
      try {
        await start(dying, edited);
      } catch (error) {
        expect(error).toBeInstanceOf(StoreUnavailable);
        stops += 1;
      }
      await start(store, edited);
      expect(await prices(store)).toEqual({ p: '0.02 v2', q: '0.6 v2' });
      expect((await store.load({ tenant: 't', account: 'c' })).account).toBeDefined();
      expect(await start(store, edited)).toMatchObject({ changed: false });
    }
    expect(stops).toBeGreaterThan(5);
  },
  30_000,
);
