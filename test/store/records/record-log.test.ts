/** What a record log promises, on Redis and in memory. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountRef } from '../../../src/charging/account.ts';
import { foldRecords } from '../../../src/store/records/checkpointer.ts';
import {
  CHECKPOINT,
  FILES,
  type LoggedRecord,
  type ReaderLease,
} from '../../../src/store/records/log.ts';
import { START } from '../../../src/store/records/record-id.ts';
import { type Bench, memoryBench, redisBench } from './stores.ts';
import { provision, Workload } from './workload.ts';

const lease = (changes: Partial<ReaderLease> = {}): ReaderLease => ({
  reader: FILES,
  writer: 'w1',
  holder: 'w1-run1',
  leaseMs: 60_000,
  ...changes,
});
const other = lease({ writer: 'w2', holder: 'w2-run1' });

for (const [name, open] of [
  ['memory', async () => memoryBench(1)],
  ['redis', () => redisBench(1)],
] as const)
  describe(`the record log in ${name}`, () => {
    let bench: Bench;
    let accounts: AccountRef[];
    let all: LoggedRecord[];

    beforeEach(async () => {
      bench = await open();
      accounts = await provision(bench.store, 3);
      const workload = new Workload(bench.store, accounts, 'a', 1);
      for (let i = 0; i < 300; i++) await workload.step();
      all = await bench.log.read(0, START, 1_000);
    });
    afterEach(() => bench.close());

    const idOf = (i: number): string => (all[i] as LoggedRecord).id;

    it('reads pages in order and knows the last record', async () => {
      expect(all).toHaveLength(1 + 3 + 300);
      expect(all[0]?.record).toMatchObject({ kind: 'epoch', reference: '0-0' });
      expect(await bench.log.read(0, idOf(9), 5)).toEqual(all.slice(10, 15));
      expect(await bench.log.last(0)).toBe(idOf(303));
      expect(await bench.log.read(0, idOf(303), 5)).toEqual([]);
    });

    it('leases a reader to one writer at a time, and to a new run of the same at once', async () => {
      const { log } = bench;
      expect(await log.claim(0, lease())).toEqual({ kind: 'leased', position: START, own: START });
      expect(await log.claim(0, other)).toMatchObject({ kind: 'held' });
      expect(await log.claim(0, lease({ reader: CHECKPOINT, writer: 'w2' }))).toMatchObject({
        kind: 'leased',
      });
      const again = lease({ holder: 'w1-run2' });
      expect(await log.claim(0, again)).toMatchObject({ kind: 'leased' });
      const move = { from: START, to: idOf(5) };
      expect(await log.acknowledge(0, lease(), move)).toBe('refused');
      expect(await log.acknowledge(0, again, move)).toBe('acknowledged');
      await log.release(0, lease());
      expect(await log.claim(0, other)).toMatchObject({ kind: 'held' });
      await log.release(0, again);
      expect(await log.claim(0, other)).toEqual({
        kind: 'leased',
        position: idOf(5),
        own: START,
      });
    });

    it('lets another take a lease that ran out, and refuses the first from then on', async () => {
      const { log } = bench;
      await log.claim(0, lease({ leaseMs: 0 }));
      expect(await log.claim(0, other)).toMatchObject({ kind: 'leased' });
      expect(await log.acknowledge(0, lease(), { from: START, to: idOf(1) })).toBe('refused');
      expect(await log.acknowledgedBy(0, FILES, 'w1')).toBe(START);
    });

    it('acknowledges a repetition even after another went on, and nothing else', async () => {
      const { log } = bench;
      await log.claim(0, lease({ leaseMs: 0 }));
      const move = { from: START, to: idOf(4) };
      expect(await log.acknowledge(0, lease({ leaseMs: 0 }), move)).toBe('acknowledged');
      await log.claim(0, other);
      expect(await log.acknowledge(0, other, { from: idOf(4), to: idOf(8) })).toBe('acknowledged');
      expect(await log.acknowledge(0, lease(), move)).toBe('acknowledged');
      expect(await log.acknowledge(0, lease(), { from: idOf(4), to: idOf(6) })).toBe('refused');
      expect(await log.acknowledgedBy(0, FILES, 'w1')).toBe(idOf(4));
      expect(await log.claim(0, other)).toMatchObject({ position: idOf(8), own: idOf(8) });
    });

    it('refuses a move from behind the common position', async () => {
      const { log } = bench;
      await log.claim(0, lease());
      await log.acknowledge(0, lease(), { from: START, to: idOf(4) });
      await log.release(0, lease());
      await log.claim(0, other);
      expect(await log.acknowledge(0, other, { from: idOf(3), to: idOf(9) })).toBe('refused');
    });

    it('folds each record once: from the exact position and under the lease only', async () => {
      const { log } = bench;
      const mine = lease({ reader: CHECKPOINT });
      const theirs = { ...other, reader: CHECKPOINT };
      await log.claim(0, mine);
      const first = { from: START, records: all.slice(0, 150) };
      expect(await foldRecords(log, 0, mine, first)).toEqual({
        outcome: 'acknowledged',
        breaks: [],
      });
      const before = await log.checkpoints(0, accounts);
      expect(await foldRecords(log, 0, mine, first)).toMatchObject({ outcome: 'refused' });
      const second = { from: idOf(149), records: all.slice(150) };
      expect(await foldRecords(log, 0, theirs, second)).toMatchObject({ outcome: 'refused' });
      expect(await log.checkpoints(0, accounts)).toEqual(before);
      await foldRecords(log, 0, mine, second);
      const sums = await log.checkpoints(0, accounts);
      for (const [i, account] of accounts.entries()) {
        const changes = all
          .filter(({ record }) => record.account.account === account.account)
          .flatMap(({ record }) => record.changes);
        const debited = changes
          .filter(({ cause, bucket }) => cause === 'debit' && bucket === 'money')
          .reduce((sum, { reserved }) => sum + BigInt(reserved), 0n);
        expect(sums[i]?.get('debit:money')).toEqual({ available: 0n, reserved: debited });
      }
    });

    it('trims behind every reader, and nothing while one is missing or a pin holds', async () => {
      const { log } = bench;
      const readers = [CHECKPOINT, FILES];
      const limit = 10_000;
      const left = async () => (await log.read(0, START, 1_000)).length;
      await log.claim(0, lease());
      await log.acknowledge(0, lease(), { from: START, to: idOf(250) });
      expect(await log.trim(0, { readers, limit })).toBe(0);
      const mine = lease({ reader: CHECKPOINT });
      await log.claim(0, mine);
      await foldRecords(log, 0, mine, { from: START, records: all.slice(0, 121) });
      await log.pin(0, 'audit-1', 60_000);
      expect(await log.trim(0, { readers, limit })).toBe(0);
      await log.unpin(0, 'audit-1');
      await log.pin(0, 'audit-2', 0);
      const removed = await log.trim(0, { readers, limit });
      expect(removed).toBeGreaterThan(0);
      expect(removed).toBeLessThanOrEqual(120);
      expect(await left()).toBe(304 - removed);
      expect((await log.read(0, idOf(119), 1))[0]?.id).toBe(idOf(120));
      // An exporter that was never taken out keeps everything behind it.
      await log.claim(0, lease({ reader: 'export' }));
      await log.acknowledge(0, lease({ reader: 'export' }), { from: START, to: idOf(0) });
      await foldRecords(log, 0, mine, { from: idOf(120), records: all.slice(121) });
      await log.acknowledge(0, lease(), { from: idOf(250), to: idOf(303) });
      expect(await log.trim(0, { readers, limit })).toBe(0);
      await log.forget(0, 'export');
      expect(await log.trim(0, { readers, limit })).toBeGreaterThan(0);
      expect(await log.last(0)).toBe(idOf(303));
      expect(await left()).toBeGreaterThan(0);
    });
  });
