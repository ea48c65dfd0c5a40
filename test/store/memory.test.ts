/** The memory store keeps the contract of every store. */
import { expect, test } from 'vitest';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { decodeRecord } from '../../src/store/record-codec.ts';
import { describeStore } from './contract.ts';
import { openDesk } from './samples.ts';

describeStore('memory', async () => {
  let now = 1_763_727_887_000;
  const store = new MemoryStore({ partitions: 4, clock: () => now });
  return {
    store,
    records: async (account) =>
      store
        .partition(store.partitionOf(account))
        .outbox.map(({ id, bytes }) => ({ id, record: decodeRecord(bytes) })),
    replaceServer: async () => store.failOver(store.copy()),
    pass: async (at) => {
      now = Math.max(now, at);
    },
    close: () => store.close(),
  };
});

test('a failover loses what came after the copy, and nothing of the old epoch is taken', async () => {
  const store = new MemoryStore({ partitions: 1 });
  const { account, change } = await openDesk(store);
  await store.commit(change('kept', 0));
  const copy = store.copy();
  await store.commit(change('lost', 0));
  store.failOver(copy);
  expect((await store.load(account, 'kept')).session?.version).toBe(1);
  expect((await store.load(account, 'lost')).session).toBeUndefined();
  expect(await store.commit(change('lost', 0))).toEqual({ kind: 'stale-epoch' });
});

test('faults refuse a call, lose it, or lose its reply', async () => {
  const memory = new MemoryStore({ partitions: 1 });
  const { account, change } = await openDesk(memory);
  const faults = ['refuse', 'lose-request', 'lose-reply', 'none'] as const;
  let next = 0;
  const store = withFaults(memory, (call) => (call === 'commit' ? faults[next++]! : 'none'));
  await expect(store.commit(change('s', 0))).rejects.toMatchObject({ applied: 'no' });
  await expect(store.commit(change('s', 0))).rejects.toMatchObject({ applied: 'unknown' });
  expect((await store.load(account, 's')).session).toBeUndefined();
  await expect(store.commit(change('s', 0))).rejects.toMatchObject({ applied: 'unknown' });
  expect((await store.load(account, 's')).session?.version).toBe(1);
  expect((await store.commit(change('s', 0))).kind).toBe('conflict');
});
