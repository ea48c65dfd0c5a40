/** Waiting for workers to serve by a change. */
import { expect, test } from 'vitest';
import { changeConfiguration } from '../../src/provisioning/change.ts';
import { TakenConfiguration, whenInEffect } from '../../src/provisioning/in-effect.ts';
import { LiveConfiguration } from '../../src/provisioning/live.ts';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import type { Store } from '../../src/store/store.ts';
import { file, plan, tenant } from './configurations.ts';

const change = (store: Store, amount: string) =>
  changeConfiguration(store, () => file([tenant('t', { plans: [plan(amount)] })]));

/** A store with a configuration, on a clock that goes on while somebody waits. */
async function site() {
  const on = { now: Date.UTC(2030, 0, 1), waits: 0, whileWaiting: async () => {} };
  const store = new MemoryStore({ partitions: 4, clock: () => on.now });
  await change(store, '0.01');
  const worker = async (name: string, problems: string[] = []) => {
    const events = { changed() {}, refused() {}, failed() {}, problems: () => problems };
    const source = (await LiveConfiguration.open(store, events))!;
    const taken = new TakenConfiguration(store, { worker: name, ttlMs: 10_000, source });
    await taken.announce();
    source.onChange(() => void taken.announce());
    return { source, taken };
  };
  const wait = (from: Store = store) =>
    whenInEffect(from, {
      clock: () => on.now,
      pause: async (ms) => {
        on.now += ms;
        on.waits += 1;
        await on.whileWaiting();
      },
    });
  return { on, store, worker, wait };
}

test('nobody is waited for where nobody serves', async () => {
  const { on, wait } = await site();
  expect(await wait()).toEqual({ workers: 0, without: [] });
  expect(on.waits).toBe(0);
});

test('a change is waited for until the last worker has taken it', async () => {
  const { on, store, worker, wait } = await site();
  const [one, two] = [await worker('one'), await worker('two')];
  expect(await wait()).toEqual({ workers: 2, without: [] });
  await change(store, '0.02');
  await one.source.pass();
  on.whileWaiting = async () => {
    if (on.waits === 3) await two.source.pass();
  };
  expect(await wait()).toEqual({ workers: 2, without: [] });
  expect(on.waits).toBeGreaterThanOrEqual(3);
  expect(on.waits).toBeLessThan(6);
});

test('who does not take it in time is named', async () => {
  const { on, store, worker, wait } = await site();
  const one = await worker('host-0');
  await worker('host-1');
  await change(store, '0.02');
  await one.source.pass();
  const from = on.now;
  expect(await wait()).toEqual({ workers: 2, without: ['host-1'] });
  expect(on.now - from).toBeLessThanOrEqual(2_000);
  expect(on.now - from).toBeGreaterThan(1_900);
});

test('a worker that died counts until its lease is over, one that left does not', async () => {
  const { on, store, worker, wait } = await site();
  const [, leaving] = [await worker('dead'), await worker('leaving')];
  await leaving.taken.leave();
  await change(store, '0.02');
  expect(await wait()).toEqual({ workers: 1, without: ['dead'] });
  on.now += 10_000;
  expect(await wait()).toEqual({ workers: 0, without: [] });
});

test('a worker that cannot serve its peers does not have it as a whole', async () => {
  const { store, worker, wait } = await site();
  const problems: string[] = [];
  const { source } = await worker('w', problems);
  problems.push('nobody may connect');
  await change(store, '0.02');
  await source.pass();
  expect(source.current.version).toBe(2);
  expect(await wait()).toEqual({ workers: 1, without: ['w'] });
  problems.pop();
  await change(store, '0.03');
  await source.pass();
  expect(await wait()).toEqual({ workers: 1, without: [] });
});

test('what could not be said once is said the next time, and then only that', async () => {
  const { store, wait } = await site();
  const events = { changed() {}, refused() {}, failed() {} };
  const source = (await LiveConfiguration.open(store, events))!;
  let failing = false;
  const faulty = withFaults(store, () => (failing ? 'refuse' : 'none'));
  const taken = new TakenConfiguration(faulty, { worker: 'w', ttlMs: 10_000, source });
  await taken.announce();
  await change(store, '0.02');
  await source.pass();
  failing = true;
  await expect(taken.announce()).rejects.toThrow('refused by the test');
  expect(await wait()).toEqual({ workers: 1, without: ['w'] });
  failing = false;
  await taken.announce();
  expect(await wait()).toEqual({ workers: 1, without: [] });
  await change(store, '0.03');
  expect(await wait()).toEqual({ workers: 1, without: ['w'] });
});

test('of a store that cannot be asked nothing is said', async () => {
  const { store, wait } = await site();
  expect(await wait(withFaults(store, () => 'refuse'))).toBeUndefined();
});
