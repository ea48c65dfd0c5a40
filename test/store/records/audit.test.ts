/** The audit: clean while the store is busy, and every kind of damage found by name. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountRef, Bucket } from '../../../src/charging/account.ts';
import { type AuditReport, audit } from '../../../src/store/records/audit.ts';
import { foldRecords } from '../../../src/store/records/checkpointer.ts';
import {
  CHECKPOINT,
  type LoggedRecord,
  type ReaderLease,
  type RecordLog,
} from '../../../src/store/records/log.ts';
import { START } from '../../../src/store/records/record-id.ts';
import { openDesk, recordOf as recordedOf, serviceOf, sessionOf } from '../samples.ts';
import { type Bench, memoryBench, redisBench } from './stores.ts';
import { provision, TENANT, Workload } from './workload.ts';

const PARTITIONS = 3;
const lease: ReaderLease = { reader: CHECKPOINT, writer: 'w1', holder: 'r1', leaseMs: 60_000 };

/** Folds up to `limit` records of every partition, and trims behind them. */
async function fold(log: RecordLog, limit: number): Promise<void> {
  for (let partition = 0; partition < log.partitions; partition++) {
    const claim = await log.claim(partition, lease);
    if (claim.kind === 'held') throw new Error('another has the lease');
    const records = await log.read(partition, claim.position, limit);
    if (records.length > 0)
      await foldRecords(log, partition, lease, { from: claim.position, records });
    await log.trim(partition, { readers: [CHECKPOINT], limit: 1_000 });
  }
}

for (const [name, open] of [
  ['memory', async () => memoryBench(PARTITIONS)],
  ['redis', () => redisBench(PARTITIONS)],
] as const)
  describe(`the audit of ${name}`, () => {
    let bench: Bench;
    let accounts: AccountRef[];
    let workload: Workload;
    let audits = 0;

    const run = (): Promise<AuditReport> => audit(bench.view, { name: `audit-${++audits}` });
    const account = (i: number): AccountRef => accounts[i] as AccountRef;
    /** The last record of an account that `matches`, and where it is. */
    async function recordOf(
      ref: AccountRef,
      matches: (record: LoggedRecord['record']) => boolean,
    ): Promise<{ partition: number; id: string }> {
      const partition = bench.store.partitionOf(ref);
      const all = await bench.log.read(partition, START, 100_000);
      const found = all.findLast(
        ({ record }) => record.account.account === ref.account && matches(record),
      );
      if (found === undefined) throw new Error('no such record');
      return { partition, id: found.id };
    }

    beforeEach(async () => {
      bench = await open();
      accounts = await provision(bench.store, 6);
      workload = new Workload(bench.store, accounts, 'a', 7);
      for (let i = 0; i < 400; i++) await workload.step();
    });
    afterEach(() => bench.close());

    it('adds up, before and after the records are folded and trimmed', async () => {
      const before = await run();
      expect(before.findings).toEqual([]);
      expect(before).toMatchObject({
        clean: true,
        accounts: 6,
        buckets: 12,
        sessions: workload.ongoing.length,
      });
      await fold(bench.log, 40);
      expect((await run()).findings).toEqual([]);
      await fold(bench.log, 1_000);
      const after = await run();
      expect(after.findings).toEqual([]);
      expect(after.sums).toEqual(before.sums);
      expect(after.records).toBeLessThan(before.records);
      const money = after.sums.find(({ unit }) => unit === 'money');
      expect(money).toMatchObject({ tenant: TENANT, opening: '6000000', expired: '0' });
      const { topups, charges, available, reserved } = money as NonNullable<typeof money>;
      expect(6_000_000n + BigInt(topups) - BigInt(charges)).toBe(
        BigInt(available) + BigInt(reserved),
      );
      expect(BigInt(reserved)).toBeGreaterThan(0n);
    });

    it('counts renewals, and what grants hold of limits and after a tariff change', async () => {
      const bucket = { unit: 'octets', floor: 0 } as const;
      const renewal = { every: 'day', from: 0, timeZone: 'UTC', amount: 5, rollover: 0 } as const;
      const { account: ref, change } = await openDesk(
        bench.store,
        { day: 7, cap: 90 },
        {
          tenant: 'limited',
          buckets: [
            { ...bucket, id: 'day', priority: 1, renewal },
            { ...bucket, id: 'cap', priority: 2, limits: ['e164:1'] },
          ],
        },
      );
      const part = { units: 1, amount: 1 };
      const grant = {
        parts: [{ bucket: 'day', ...part }],
        units: 1,
        final: false,
        limits: [{ bucket: 'cap', units: 3, amount: 3 }],
        switch: { at: 1, rule: 'r', after: { parts: [{ bucket: 'day', ...part }], units: 1 } },
      };
      const { price: _free, ...service } = serviceOf({ grant });
      const value = sessionOf(ref, { sessionId: 's', services: [service] });
      await bench.store.commit(
        change('s', 0, {
          session: { value },
          movements: [
            { field: 'p:day', delta: 1 },
            { field: 'a:day', delta: -4 },
            { field: 'r:day', delta: 2 },
            { field: 'a:cap', delta: -3 },
            { field: 'r:cap', delta: 3 },
            { field: 'n:open', delta: 1 },
          ],
          record: recordedOf(ref, {
            kind: 'initial',
            sessionId: 's',
            changes: [
              { bucket: 'day', cause: 'expiry', available: -7, reserved: 0 },
              { bucket: 'day', cause: 'renewal', available: 5, reserved: 0 },
              { bucket: 'day', cause: 'reserve', available: -2, reserved: 2 },
              { bucket: 'cap', cause: 'reserve', available: -3, reserved: 3 },
            ],
          }),
        }),
      );
      const { findings, sums } = await run();
      expect(findings).toEqual([]);
      expect(sums.filter(({ tenant }) => tenant === 'limited')).toMatchObject([
        { unit: 'octets', limits: false, opening: '7', renewals: '5', expired: '7', reserved: '2' },
        { unit: 'octets', limits: true, opening: '90', renewals: '0', available: '87' },
      ]);
      await bench.spoil.counter(ref, 'r:cap', -1);
      const lost = (await run()).findings.map(({ kind, bucket: found }) => [kind, found]);
      expect(lost).toContainEqual(['grants', 'cap']);
    });

    it('tells how far it is', async () => {
      const seen: number[] = [];
      await audit(bench.view, {
        name: 'audit-p',
        progress: ({ accountsDone, partitionsDone }) => seen.push(accountsDone + partitionsDone),
      });
      expect(seen.at(-1)).toBe(6 + PARTITIONS);
      expect(seen).toEqual([...seen].sort((a, b) => a - b));
    });

    it('ends when it is told to, and leaves no pin', async () => {
      const stop = AbortSignal.abort(new Error('enough'));
      await expect(audit(bench.view, { name: 'audit-s', signal: stop })).rejects.toThrow('enough');
      await fold(bench.log, 1_000);
      expect((await bench.log.read(0, START, 1_000)).length).toBeLessThan(110);
    });

    it('finds a counter that was changed by one', async () => {
      await bench.spoil.counter(account(2), 'a:money', 1);
      const { clean, findings } = await run();
      expect(clean).toBe(false);
      const where = { tenant: TENANT, account: 'acc-2', bucket: 'money' };
      expect(findings.map(({ kind }) => kind)).toEqual(['conservation', 'available']);
      for (const finding of findings) {
        expect(finding).toMatchObject(where);
        expect(BigInt(finding.found as string) - BigInt(finding.expected as string)).toBe(1n);
      }
    });

    it('finds a reserved unit that was lost, or moved to available', async () => {
      await workload.open(account(1));
      await bench.spoil.counter(account(1), 'r:bundle', -1);
      const lost = (await run()).findings;
      expect(lost.map(({ kind }) => kind)).toEqual(['conservation', 'reserved', 'grants']);
      await bench.spoil.counter(account(1), 'a:bundle', 1);
      const moved = (await run()).findings;
      expect(moved.map(({ kind }) => kind)).toEqual(['available', 'reserved', 'grants']);
      for (const finding of [...lost, ...moved])
        expect(finding).toMatchObject({ account: 'acc-1', bucket: 'bundle' });
    });

    for (const folded of [false, true])
      it(`finds a record deleted from the middle, ${folded ? 'after' : 'before'} a fold behind it`, async () => {
        await workload.topUp(account(3));
        const deleted = await recordOf(account(3), ({ kind }) => kind === 'topup');
        await workload.open(account(3));
        await bench.spoil.deleteRecord(deleted.partition, deleted.id);
        if (folded) await fold(bench.log, 1_000);
        const { findings } = await run();
        const number = Number(deleted.id.split('-')[1]);
        const gap = findings.find(({ kind }) => kind === 'numbering');
        expect(gap?.partition).toBe(deleted.partition);
        expect(gap?.detail).toContain(`-${number - 1} `);
        expect(gap?.detail).toContain(`-${number + 1}`);
        expect(findings.filter(({ kind }) => kind !== 'numbering')).toMatchObject([
          { kind: 'conservation', account: 'acc-3', bucket: 'money' },
          { kind: 'available', account: 'acc-3', bucket: 'money' },
        ]);
      });

    for (const folded of [false, true])
      it(`finds an account that is gone, ${folded ? 'after' : 'before'} a fold`, async () => {
        if (folded) await fold(bench.log, 1_000);
        await bench.spoil.dropAccount(account(3));
        const { findings } = await run();
        expect(findings).toContainEqual(
          expect.objectContaining({ kind: 'account-missing', tenant: TENANT, account: 'acc-3' }),
        );
        expect(findings).toContainEqual(
          expect.objectContaining({ kind: 'conservation', account: 'acc-3', bucket: 'money' }),
        );
        expect(findings.filter((one) => one.account !== 'acc-3')).toEqual([]);
      });

    it('finds a limit that became money, and an id that stands for another unit again', async () => {
      const ref = account(2);
      const { definition, version } = (await bench.store.load(ref)).account!;
      const own = definition.buckets;
      const bucket = (id: string, unit: 'money' | 'octets') => ({
        id,
        unit,
        priority: 0,
        floor: 0,
      });
      const limit = { ...bucket('cap', 'money'), limits: ['e164:44790002'], amount: 5 };
      const change = (more: readonly Bucket[], at: number) =>
        bench.store.changeAccount({ ...definition, buckets: [...more, ...own] }, at);
      expect(await change([limit, bucket('old', 'octets')], version)).toBe('changed');
      expect(await change([limit], version + 1)).toBe('changed');
      await fold(bench.log, 1_000);
      expect((await run()).findings).toEqual([]);
      await bench.spoil.define(ref, [bucket('cap', 'money'), bucket('old', 'money'), ...own]);
      const where = {
        ...{ kind: 'bucket-reused', partition: bench.store.partitionOf(ref), found: 'money' },
        ...ref,
      };
      expect((await run()).findings).toEqual([
        { ...where, bucket: 'cap', expected: 'a limit of money' },
        { ...where, bucket: 'old', expected: 'octets' },
      ]);
    });

    it('finds the last record deleted', async () => {
      await workload.topUp(account(3));
      const deleted = await recordOf(account(3), ({ kind }) => kind === 'topup');
      expect(await bench.log.last(deleted.partition)).toBe(deleted.id);
      await bench.spoil.deleteRecord(deleted.partition, deleted.id);
      const { findings } = await run();
      expect(findings).toContainEqual(
        expect.objectContaining({ kind: 'numbering', partition: deleted.partition }),
      );
    });

    it('finds a session that does not exist, and what still points to it', async () => {
      const key = await workload.open(account(4));
      await bench.spoil.dropSession(account(4), key);
      const { findings } = await run();
      expect(findings.map(({ kind }) => kind).sort()).toEqual([
        'grants',
        'index-left',
        'session-missing',
        'timer-left',
      ]);
      expect(findings.find(({ kind }) => kind === 'grants')).toMatchObject({ account: 'acc-4' });
    });

    it('finds entries that a closed session left, and entries that an open one lacks', async () => {
      const closed = await workload.open(account(5));
      await workload.end(workload.ongoing.length - 1);
      for (const where of ['set', 'index', 'timers'] as const)
        await bench.spoil.place(account(5), closed, where, true);
      const opened = await workload.open(account(0));
      for (const where of ['index', 'timers'] as const)
        await bench.spoil.place(account(0), opened, where, false);
      const found = (await run()).findings;
      const of = (session: string) =>
        found.filter((one) => one.session === session).map(({ kind, account }) => [kind, account]);
      expect(of(closed).sort()).toEqual([
        ['index-left', 'acc-5'],
        ['session-closed', 'acc-5'],
        ['timer-left', 'acc-5'],
      ]);
      expect(of(opened).sort()).toEqual([
        ['index-missing', 'acc-0'],
        ['timer-missing', 'acc-0'],
      ]);
      expect(found.filter(({ session }) => session === undefined)).toMatchObject([
        { kind: 'open-sessions', account: 'acc-5' },
      ]);
    });

    it('finds a session that is missing from its set', async () => {
      const key = await workload.open(account(0));
      await bench.spoil.place(account(0), key, 'set', false);
      const { findings } = await run();
      expect(findings.map(({ kind }) => kind)).toEqual(['grants', 'open-sessions']);
    });

    it('stays clean under two writers while records are folded and trimmed', async () => {
      const second = await bench.openAgain();
      const stores = [bench.store, second];
      const busy = stores.map((store, i) => new Workload(store, accounts, `busy-${i}`, 11 + i));
      let done = false;
      const hammer = async (one: Workload): Promise<void> => {
        while (!done) await one.step();
      };
      const hammering = busy.map(hammer);
      const folding = (async () => {
        while (!done) await fold(bench.log, 64);
      })();
      let moved = 0;
      const reports: AuditReport[] = [];
      try {
        for (let i = 0; i < 15; i++) {
          const commits = busy.reduce((sum, one) => sum + one.commits, 0);
          reports.push(await run());
          moved += busy.reduce((sum, one) => sum + one.commits, 0) - commits;
        }
        await bench.spoil.counter(account(2), 'r:money', 1);
        reports.push(await run());
      } finally {
        done = true;
      }
      await Promise.all([...hammering, folding]);
      const { findings } = reports.pop() as AuditReport;
      for (const report of reports) expect(report.findings).toEqual([]);
      expect(findings.map(({ kind }) => kind)).toEqual(['conservation', 'reserved', 'grants']);
      expect(findings[0]).toMatchObject({ account: 'acc-2', bucket: 'money' });
      // The audits did run beside the writers, not between them.
      expect(moved).toBeGreaterThan(100);
      await second.close();
    });
  });
