/** The configuration of a running process: swapped as a whole, and only for one that compiles. */
import { expect, test } from 'vitest';
import { changeConfiguration } from '../../src/provisioning/change.ts';
import type { Configuration } from '../../src/provisioning/configuration.ts';
import { LiveConfiguration } from '../../src/provisioning/live.ts';
import type { Peers } from '../../src/provisioning/provisioning.ts';
import type { WrittenFile } from '../../src/provisioning/schema.ts';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/store.ts';
import { file, plan, tenant } from './configurations.ts';

const put = (store: Store, written: WrittenFile) => changeConfiguration(store, () => written);
const priced = (amount: string) =>
  file(['one', 'two'].map((id) => tenant(id, { plans: [plan(amount)] })));
const amountOf = (configuration: Configuration, id: string) =>
  configuration.plan(id, 'p')?.rules[0]?.price?.amount;

async function open(store: Store) {
  const told: unknown[] = [];
  const live = await LiveConfiguration.open(store, {
    changed: ({ version }) => told.push(version),
    refused: (problems) => told.push(problems),
    failed: (error) => told.push(error),
  });
  return { live: live!, told };
}

test('a store without one has nothing to open', async () => {
  const store = new MemoryStore();
  const events = { changed() {}, refused() {}, failed() {} };
  expect(await LiveConfiguration.open(store, events)).toBeUndefined();
});

test('a change is taken at the next pass, whole, and listeners are told after it', async () => {
  const store = new MemoryStore();
  await put(store, priced('0.01'));
  const { live, told } = await open(store);
  const seen: unknown[] = [];
  const end = live.onChange((current) => {
    seen.push(live.current === current, amountOf(current, 'one'));
  });
  await live.pass();
  expect(told).toEqual([]);
  const before = live.current;
  await put(store, priced('0.02'));
  await live.pass();
  await live.pass();
  expect(told).toEqual([2]);
  expect(seen).toEqual([true, 20_000]);
  // Who holds the old one still has all of it.
  expect(['one', 'two'].map((id) => amountOf(before, id))).toEqual([10_000, 10_000]);
  expect(['one', 'two'].map((id) => amountOf(live.current, id))).toEqual([20_000, 20_000]);
  end();
  await put(store, priced('0.03'));
  await live.pass();
  expect(seen).toHaveLength(2);
});

test('one that does not compile is not taken, is told once, and the next good one is taken', async () => {
  const store = new MemoryStore();
  await put(store, priced('0.01'));
  const { live, told } = await open(store);
  await store.writeConfiguration({ expected: 1, document: '{"tenants":[]}', plans: [] });
  await live.pass();
  await live.pass();
  expect(told).toEqual([['tenants: found an empty list, expected a list of tenants']]);
  await store.writeConfiguration({ expected: 2, document: 'no JSON', plans: [] });
  await live.pass();
  expect(told).toHaveLength(2);
  expect(live.current.version).toBe(1);
  const document = JSON.stringify(priced('0.05'));
  await store.writeConfiguration({ expected: 3, document, plans: [] });
  await live.pass();
  expect(amountOf(live.current, 'two')).toBe(50_000);
  await expect(
    (async () => {
      await store.writeConfiguration({ expected: 4, document: '{}', plans: [] });
      await open(store);
    })(),
  ).rejects.toMatchObject({ code: 'CONFIGURATION_INVALID' });
});

const KNOWN = { known: [{ host: 'gateway.example' }] };
/** As on a listener that is reachable from outside. */
const outside = {
  problems: ({ anybody }: Peers) => (anybody === undefined ? [] : ['anybody may connect']),
  changed() {},
  failed() {},
};

test('of one with peers that cannot be served, all else is taken, and it is told', async () => {
  const store = new MemoryStore();
  await put(store, { ...priced('0.01'), peers: KNOWN });
  const told: unknown[] = [];
  const refused = (problems: readonly string[]) => told.push(problems);
  const live = (await LiveConfiguration.open(store, { ...outside, refused }))!;
  const { peers } = live.current.provisioning;
  await put(store, { ...priced('0.02'), peers: { anybody: {} } });
  await live.pass();
  expect(told).toEqual([['anybody may connect']]);
  expect(live.untaken).toEqual(['anybody may connect']);
  expect(live.current.version).toBe(2);
  expect(amountOf(live.current, 'one')).toBe(20_000);
  expect(live.current.provisioning.peers).toEqual(peers);
  // A process that starts meanwhile has no peers to go on with, unless it is given them.
  await expect(LiveConfiguration.open(store, { ...outside, refused })).rejects.toMatchObject({
    code: 'PEERS_UNFIT',
  });
  const another = await LiveConfiguration.open(store, { ...outside, refused }, peers);
  expect(another?.current.provisioning.peers).toEqual(peers);
  expect(amountOf(another!.current, 'one')).toBe(20_000);
  await put(store, { ...priced('0.03'), peers: KNOWN });
  await live.pass();
  expect(live.untaken).toEqual([]);
  expect(amountOf(live.current, 'one')).toBe(30_000);
});

test('a store that is away changes nothing, and the change is taken when it is back', async () => {
  const store = new MemoryStore();
  await put(store, priced('0.01'));
  let away = false;
  const { live, told } = await open(withFaults(store, () => (away ? 'refuse' : 'none')));
  await put(store, priced('0.02'));
  away = true;
  await live.pass();
  expect(told).toHaveLength(1);
  expect(amountOf(live.current, 'one')).toBe(10_000);
  away = false;
  await live.pass();
  expect(amountOf(live.current, 'one')).toBe(20_000);
});

test('a plan that accounts have and the configuration has not is told of once', async () => {
  const store = new MemoryStore();
  await put(store, priced('0.01'));
  const { live } = await open(store);
  const missing: string[] = [];
  for (let i = 0; i < 3; i++)
    expect(live.current.planOf('one', 'gone', (of, id) => missing.push(`${of} ${id}`))).toEqual(
      expect.objectContaining({ id: 'gone', rules: [] }),
    );
  expect(missing).toEqual(['one gone']);
});
