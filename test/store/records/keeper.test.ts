/** The keeper: what it reads, writes and trims; what it does when something goes wrong. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountRef } from '../../../src/charging/account.ts';
import { audit } from '../../../src/store/records/audit.ts';
import {
  KEEPER_DEFAULTS,
  type KeeperProblem,
  type RecordKeeper,
  type RecordKeeperOptions,
  startRecordKeeper,
} from '../../../src/store/records/keeper.ts';
import { CHECKPOINT, FILES, type RecordLog } from '../../../src/store/records/log.ts';
import { START } from '../../../src/store/records/record-id.ts';
import { type Store, StoreUnavailable } from '../../../src/store/store.ts';
import { FakeClock } from '../../peer/fake-clock.ts';
import { FaultyDisk } from './faulty-disk.ts';
import { writtenLines } from './sink-files.ts';
import { type Bench, memoryBench, redisBench } from './stores.ts';
import { provision, Workload } from './workload.ts';

const PARTITIONS = 4;

let directory: string;
let clock: FakeClock;
let problems: KeeperProblem[];
let keepers: RecordKeeper[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tollkeeper-keeper-'));
  clock = new FakeClock();
  problems = [];
  keepers = [];
});
afterEach(async () => {
  await Promise.all(keepers.map((keeper) => keeper.stop()));
  rmSync(directory, { recursive: true });
});

function keep(
  log: RecordLog,
  changes: Partial<RecordKeeperOptions> = {},
  sink: 'files' | 'no files' = 'files',
): RecordKeeper {
  const worker = changes.worker ?? 'w1';
  const files = { directory, maxBytes: 1 << 20, maxAgeMs: 3_600_000, keep: 0, now: () => 0 };
  const keeper = startRecordKeeper({
    log,
    mine: () => true,
    worker,
    holder: `${worker}-run`,
    ...(sink === 'files' ? { files } : {}),
    clock,
    problem: (problem) => problems.push(problem),
    ...changes,
  });
  keepers.push(keeper);
  return keeper;
}

/** Every record of the store as `partition/id`, sorted. */
async function allRecords(log: RecordLog): Promise<string[]> {
  const pages = await Promise.all(
    Array.from({ length: log.partitions }, async (_, p) =>
      (await log.read(p, START, 100_000)).map(({ id }) => `${p}/${id}`),
    ),
  );
  return pages.flat().sort();
}

const written = (...writers: string[]): string[] =>
  writers
    .flatMap((writer) => writtenLines(directory, writer))
    .map(({ partition, id }) => `${partition}/${id}`)
    .sort();

async function busyStore(store: Store, steps: number): Promise<Workload> {
  const accounts: AccountRef[] = await provision(store, 8);
  const workload = new Workload(store, accounts, 'a', 3);
  for (let i = 0; i < steps; i++) await workload.step();
  return workload;
}

for (const [name, open] of [
  ['memory', async () => memoryBench(PARTITIONS)],
  ['redis', () => redisBench(PARTITIONS)],
] as const)
  describe(`a keeper on ${name}`, () => {
    let bench: Bench;
    beforeEach(async () => {
      bench = await open();
    });
    afterEach(async () => {
      await Promise.all(keepers.splice(0).map((keeper) => keeper.stop()));
      await bench.close();
    });

    it('writes every record once, folds them, and leaves a bounded rest in the store', async () => {
      const workload = await busyStore(bench.store, 300);
      const all = new Set(await allRecords(bench.log));
      const keeper = keep(bench.log);
      await keeper.drain();
      for (let round = 0; round < 10; round++) {
        for (let i = 0; i < 200; i++) await workload.step();
        for (const id of await allRecords(bench.log)) all.add(id);
        await keeper.drain();
      }
      expect(problems).toEqual([]);
      expect(written('w1')).toEqual([...all].sort());
      expect((await allRecords(bench.log)).length).toBeLessThan(PARTITIONS * 250);
      const { findings } = await audit(bench.view, { name: 'audit-1' });
      expect(findings).toEqual([]);
      expect(await keeper.lag()).toEqual({ records: 0 });
    });

    it('hands partitions to another worker, and each record is in one file of the two', async () => {
      const workload = await busyStore(bench.store, 200);
      const all = new Set(await allRecords(bench.log));
      let border = 4;
      const first = keep(bench.log, { mine: (p) => p < border });
      const second = keep(bench.log, { worker: 'w2', mine: (p) => p >= border });
      for (const next of [2, 0, 3, 1, 4]) {
        await first.drain();
        await second.drain();
        border = next;
        for (let i = 0; i < 100; i++) await workload.step();
        for (const id of await allRecords(bench.log)) all.add(id);
        // Whoever gives a partition up does so in its next round; then the other may claim it.
        await first.drain();
        await second.drain();
        clock.advance(KEEPER_DEFAULTS.leaseMs / 3);
        await first.drain();
        await second.drain();
      }
      expect(problems).toEqual([]);
      expect(written('w1', 'w2')).toEqual([...all].sort());
      expect(written('w2').length).toBeGreaterThan(0);
    });

    it('takes back the lines of a partition that another acknowledged meanwhile', async () => {
      await busyStore(bench.store, 100);
      const all = await allRecords(bench.log);
      const thief = { reader: FILES, writer: 'w2', holder: 'w2-run', leaseMs: 60_000 };
      const partition = Number(all[0]?.split('/')[0]);
      const [stolen] = await bench.log.read(partition, START, 1);
      let armed = true;
      const log: RecordLog = {
        ...bench.log,
        async acknowledge(p, lease, move) {
          if (armed && p === partition) {
            armed = false;
            await bench.log.release(p, lease);
            await bench.log.claim(p, thief);
            const to = stolen?.id as string;
            await bench.log.acknowledge(p, thief, { from: START, to });
            await bench.log.release(p, thief);
          }
          return bench.log.acknowledge(p, lease, move);
        },
      };
      await keep(log).drain();
      expect(armed).toBe(false);
      expect(written('w1')).toEqual(all.filter((one) => one !== `${partition}/${stolen?.id}`));
    });
  });

describe('trouble', () => {
  const bench = (): ReturnType<typeof memoryBench> => memoryBench(PARTITIONS);

  it('with the disk is reported and tried again; checkpoints go on, nothing is acknowledged', async () => {
    const { store, log, view } = bench();
    await busyStore(store, 200);
    const all = await allRecords(log);
    const disk = new FaultyDisk();
    const files = { directory, maxBytes: 1e6, maxAgeMs: 1e9, keep: 0, now: () => 0, disk };
    const keeper = keep(log, { files });
    await keeper.drain();
    const workload = new Workload(
      store,
      [all].map(() => ({ tenant: 'north', account: 'acc-0' })),
      'b',
      9,
    );
    for (let i = 0; i < 150; i++) await workload.step();
    const more = (await allRecords(log)).filter((one) => !all.includes(one));
    for (const fault of ['torn', 'before'] as const) {
      Object.assign(disk, { failAt: disk.operations + 1, fault });
      await expect(keeper.drain()).rejects.toThrow('could not all be read');
    }
    expect(problems.map(({ kind }) => kind)).toEqual(['files', 'files']);
    const partition = store.partitionOf({ tenant: 'north', account: 'acc-0' });
    const last = await log.last(partition);
    expect((await view.examine(partition, [])).position).toBe(last);
    expect(await log.acknowledgedBy(partition, FILES, 'w1')).not.toBe(last);
    expect(await keeper.lag()).toMatchObject({ records: more.length });
    expect((await keeper.lag()).oldestAt).toBeGreaterThan(0);
    await keeper.drain();
    expect(await keeper.lag()).toEqual({ records: 0 });
    expect(written('w1')).toEqual([...all, ...more].sort());
  });

  it('with the store is reported; a reply that was lost is asked for again, not written again', async () => {
    const { store, log, view } = bench();
    await busyStore(store, 100);
    const lose = new Set(['acknowledge', 'checkpoint', 'claim', 'read', 'acknowledgedBy']);
    const lossy = new Proxy(log, {
      get(target, property) {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          const result: unknown = await value.apply(target, args);
          if (!lose.delete(String(property))) return result;
          throw new StoreUnavailable('unknown', 'the reply was lost');
        };
      },
    });
    const keeper = keep(lossy);
    for (let tries = 0; tries < 10 && lose.size > 0; tries++)
      await keeper.drain().catch(() => undefined);
    lose.clear();
    await keeper.drain();
    expect(problems.every(({ kind }) => kind === 'store')).toBe(true);
    expect(problems.length).toBeGreaterThan(2);
    expect(written('w1')).toEqual(await allRecords(log));
    expect((await audit(view, { name: 'audit-1' })).findings).toEqual([]);
  });

  it('of a failover: reports exactly the records that the store lost', async () => {
    const { store, log, view } = bench();
    const workload = await busyStore(store, 60);
    const keeper = keep(log);
    await keeper.drain();
    const copy = store.copy();
    const before = await Promise.all([0, 1, 2, 3].map((p) => log.last(p)));
    for (let i = 0; i < 40; i++) await workload.step();
    await keeper.drain();
    const seen = await Promise.all([0, 1, 2, 3].map((p) => log.last(p)));
    expect(seen).not.toEqual(before);
    store.failOver(copy);
    clock.advance(KEEPER_DEFAULTS.leaseMs);
    await keeper.drain();
    const lost = problems.filter((one) => one.kind === 'lost');
    expect(lost.length).toBe(problems.length);
    const numberOf = (id: string | undefined): number => Number(id?.split('-')[1]);
    expect(lost.sort((a, b) => a.partition - b.partition)).toEqual(
      [0, 1, 2, 3].flatMap((partition) => {
        const [after, through] = [before[partition], seen[partition]];
        const count = numberOf(through) - numberOf(after);
        return count === 0
          ? []
          : [{ kind: 'lost', reader: FILES, partition, after, through, count }];
      }),
    );
    // What the store still has was not written a second time, and it adds up.
    expect(new Set(written('w1')).size).toBe(written('w1').length);
    expect((await audit(view, { name: 'audit-1' })).findings).toEqual([]);
  });

  it('with a missing record is reported and kept for the audit', async () => {
    const { store, log, view, spoil } = bench();
    await busyStore(store, 100);
    const third = (await log.read(0, START, 3))[2]?.id as string;
    await spoil.deleteRecord(0, third);
    await keep(log).drain();
    const readers = problems.map((one) => (one.kind === 'gap' ? one.reader : one.kind));
    expect(readers.sort()).toEqual([CHECKPOINT, FILES]);
    const { gap } = await view.examine(0, []);
    expect(gap).toMatch(/-1 to \d+-3$/);
  });

  it('with a record that makes no sense stays with its partition', async () => {
    const { store, log } = bench();
    await busyStore(store, 50);
    const all = await allRecords(log);
    store.partition(2).outbox[1] = {
      id: `${store.partition(2).epoch}-1`,
      bytes: Buffer.from([8, 99]),
    };
    await keep(log).drain();
    expect(problems.length).toBeGreaterThan(0);
    for (const one of problems) expect(one).toMatchObject({ kind: 'unreadable', partition: 2 });
    expect(written('w1')).toEqual(all.filter((one) => !one.startsWith('2/')));
  });

  it('nothing is used before the barrier lets it', async () => {
    const { store, log, view } = bench();
    await busyStore(store, 50);
    let durable = false;
    const keeper = keep(log, { barrier: async () => durable });
    await keeper.drain();
    expect(written('w1')).toEqual([]);
    expect((await view.examine(0, [])).position).toBe(START);
    durable = true;
    await keeper.drain();
    expect(written('w1')).toEqual(await allRecords(log));
  });
});

describe('waiting', () => {
  /** Lets the rounds that are due run to their end. */
  const settle = async (): Promise<void> => {
    for (let i = 0; i < 20; i++) await new Promise(setImmediate);
  };

  it('asks an idle partition less and less often, and a hint brings it forward', async () => {
    const { store, log } = memoryBench(PARTITIONS);
    const workload = await busyStore(store, 20);
    let reads = 0;
    const counted: RecordLog = {
      ...log,
      read: (...args) => {
        reads++;
        return log.read(...args);
      },
    };
    // Without files all that it does is done within a few turns of the event loop.
    const keeper = keep(counted, {}, 'no files');
    await keeper.drain();
    const { idleMs, busyMs } = KEEPER_DEFAULTS;
    const during = async (ms: number): Promise<number> => {
      const from = reads;
      for (let passed = 0; passed < ms; passed += 50) {
        clock.advance(50);
        await settle();
      }
      return reads - from;
    };
    await during(10 * idleMs);
    expect(await during(10 * idleMs)).toBeLessThanOrEqual(PARTITIONS * 14);
    await workload.topUp({ tenant: 'north', account: 'acc-1' });
    const partition = store.partitionOf({ tenant: 'north', account: 'acc-1' });
    keeper.hint(partition);
    await during(2 * busyMs);
    expect(await keeper.lag()).toEqual({ records: 0 });
  });

  it('ends when it is stopped, and gives its leases back', async () => {
    const { store, log } = memoryBench(PARTITIONS);
    await busyStore(store, 20);
    const keeper = keep(log);
    await keeper.drain();
    await keeper.stop();
    const other = { writer: 'w2', holder: 'w2-run', leaseMs: 1_000 };
    for (const reader of [CHECKPOINT, FILES])
      for (let p = 0; p < PARTITIONS; p++)
        expect((await log.claim(p, { ...other, reader })).kind).toBe('leased');
  });
});
