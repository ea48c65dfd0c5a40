/** Changes of the configuration: compiled before they are written, by one of several at once. */
import { expect, test } from 'vitest';
import { type Changed, changeConfiguration } from '../../src/provisioning/change.ts';
import { compilePlanAlone } from '../../src/provisioning/configuration.ts';
import type { WrittenFile } from '../../src/provisioning/schema.ts';
import { KEPT_PLAN_VERSIONS } from '../../src/store/configuration.ts';
import { type Fault, withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/store.ts';
import { file, plan, tenant } from './configurations.ts';

const put = (store: Store, written: WrittenFile) => changeConfiguration(store, () => written);
const problems = (changed: Changed) => (changed.kind === 'refused' ? changed.findings : []);

function configurationOf(changed: Changed) {
  if (changed.kind === 'refused') throw new Error(JSON.stringify(changed.findings));
  return changed.configuration;
}

async function versions(store: Store, ...amounts: string[]): Promise<(number | undefined)[]> {
  const found: (number | undefined)[] = [];
  for (const amount of amounts) {
    const changed = await put(store, file([tenant('t', { plans: [plan(amount)] })]));
    found.push(configurationOf(changed).plan('t', 'p')?.version);
  }
  return found;
}

test('the first is version 1; the same again changes nothing', async () => {
  const store = new MemoryStore();
  const first = await put(store, file([tenant('t')]));
  expect(first).toMatchObject({ kind: 'changed', configuration: { version: 1 } });
  const stamp = await store.configurationStamp();
  expect(await put(store, file([tenant('t')]))).toMatchObject({ kind: 'unchanged' });
  expect(await store.configurationStamp()).toBe(stamp);
});

test('a plan that rates otherwise gets the next version, whatever is written', async () => {
  const store = new MemoryStore();
  expect(await versions(store, '0.01', '0.01', '0.02', '0.02', '0.01')).toEqual([1, 1, 2, 2, 3]);
  for (const [version, amount] of [
    [1, 10_000],
    [2, 20_000],
    [3, 10_000],
  ] as const) {
    const kept = compilePlanAlone((await store.planText('t', 'p', version))!);
    expect(kept).toMatchObject({ version, rules: [{ price: { amount } }] });
  }
});

test('a version that is written higher is taken, a lower one is not', async () => {
  const store = new MemoryStore();
  const at = async (written: number, amount: string) => {
    const plans = [plan(amount, { version: written })];
    return configurationOf(await put(store, file([tenant('t', { plans })]))).plan('t', 'p')
      ?.version;
  };
  expect(await at(5, '0.01')).toBe(5);
  expect(await at(5, '0.02')).toBe(6);
  expect(await at(1, '0.02')).toBe(6);
  expect(await at(9, '0.02')).toBe(9);
  expect(await at(20, '0.03')).toBe(20);
});

test('a plan written in other words, or with another name of its tenant, is the same', async () => {
  const store = new MemoryStore();
  await put(store, file([tenant('t')]));
  const [rule] = plan('0.01').rules;
  const plans = [plan('', { rules: [{ ...rule!, price: { amount: '0.010', per: '1 B' } }] })];
  const changed = configurationOf(await put(store, file([tenant('t', { name: 'Tee', plans })])));
  expect(changed.plan('t', 'p')?.version).toBe(1);
  expect(changed.tenant('t')?.name).toBe('Tee');
});

test('a plan that was taken out goes on with its versions when it comes back', async () => {
  const store = new MemoryStore();
  const other = plan('0.5', { id: 'q' });
  const both = (amount: string) => file([tenant('t', { plans: [plan(amount), other] })]);
  await put(store, both('0.01'));
  await put(store, both('0.02'));
  await put(store, file([tenant('t', { plans: [other] })]));
  const again = configurationOf(await put(store, both('0.02')));
  expect(again.plan('t', 'p')?.version).toBe(2);
  await put(store, file([tenant('t', { plans: [other] })]));
  expect(configurationOf(await put(store, both('0.07'))).plan('t', 'p')?.version).toBe(3);
});

test('the versions that are kept have a bound', async () => {
  const store = new MemoryStore();
  const amounts = Array.from({ length: KEPT_PLAN_VERSIONS + 3 }, (_, i) => `0.0${i + 1}`);
  await versions(store, ...amounts);
  const kept = await store.planVersions('t', 'p');
  expect(kept).toHaveLength(KEPT_PLAN_VERSIONS);
  expect(kept.at(-1)).toBe(amounts.length);
});

test('what does not compile is refused, and nothing of it is written', async () => {
  const store = new MemoryStore();
  await put(store, file([tenant('t')]));
  const before = await store.readConfiguration();
  const good = tenant('t', { plans: [plan('0.99')] });
  const refused = await put(store, { ...file([good]), routing: { default: 'nobody' } });
  expect(problems(refused)).toEqual([
    { path: ['routing', 'default'], found: "'nobody'", expected: 'the id of a tenant' },
  ]);
  const bad = { ...good, plans: [{ id: 'p', rules: [] }] };
  expect(problems(await put(store, file([bad])))).toHaveLength(1);
  expect(await store.readConfiguration()).toEqual(before);
  expect(await store.planVersions('t', 'p')).toEqual([1]);
});

test('currency and digits stay once there are accounts', async () => {
  const store = new MemoryStore();
  await put(store, file([tenant('t')]));
  const other = file([tenant('t', { currency: 'SEK', digits: 4 })]);
  expect(await put(store, other)).toMatchObject({ kind: 'changed' });
  await put(store, file([tenant('t')]));
  const account = { tenant: 't', account: 'a', plan: 'p', status: 'active' } as const;
  const definition = { ...account, buckets: [], subscribers: [], maxSessions: 1 };
  await store.createAccount(definition, {});
  expect(problems(await put(store, other)).map(({ path }) => path)).toEqual([
    ['tenants', 0, 'currency'],
    ['tenants', 0, 'digits'],
  ]);
  expect(await put(store, file([tenant('t')]))).toMatchObject({ kind: 'unchanged' });
});

test('many who change different tenants at once: every change is made, none is lost', async () => {
  const store = new MemoryStore();
  const ids = Array.from({ length: 12 }, (_, i) => `t${i}`);
  await put(store, file(ids.map((id) => tenant(id))));
  const rename = (id: string) =>
    changeConfiguration(store, (current) => ({
      ...current!.written,
      tenants: current!.written.tenants.map((one) =>
        one.id === id ? { ...one, name: `New ${id}` } : one,
      ),
    }));
  await Promise.all(ids.map(rename));
  const { tenants } = JSON.parse((await store.readConfiguration())!.document) as WrittenFile;
  expect(tenants.map(({ name }) => name)).toEqual(ids.map((id) => `New ${id}`));
});

test.each<Fault>(['refuse', 'lose-request', 'lose-reply'])(
  'a store that fails at any call (%s): the change is made once all the same',
  async (fault) => {
    for (let failAt = 1; ; failAt++) {
      const store = new MemoryStore();
      await put(store, file([tenant('t')]));
      let calls = 0;
      const faulty = withFaults(store, () => {
        calls += 1;
        return calls === failAt ? fault : 'none';
      });
      let edits = 0;
      const changed = await changeConfiguration(faulty, (current) => {
        edits += 1;
        // As an If-Match that this very change makes stale.
        if (current?.version !== 1) throw new Error('it is asked again after it was written');
        return file([tenant('t', { plans: [plan('0.02')] })]);
      });
      expect(configurationOf(changed).plan('t', 'p')?.version).toBe(2);
      expect((await store.readConfiguration())?.version).toBe(2);
      if (calls < failAt) {
        expect(edits).toBe(1);
        expect(failAt).toBeGreaterThan(3);
        return;
      }
    }
  },
);
