/** The file sink: a record is exactly once in its writer's files, wherever the process ended. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  type FileSinkOptions,
  openFileSink,
  type SinkLine,
} from '../../../src/store/records/file-sink.ts';
import { compareRecordIds, START } from '../../../src/store/records/record-id.ts';
import { DiskFault, type Fault, FaultyDisk } from './faulty-disk.ts';
import { sinkFiles, writtenLines } from './sink-files.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tollkeeper-sink-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const line = (partition: number, number: number): SinkLine => ({
  partition,
  id: `5-${number}`,
  text: JSON.stringify({ id: `5-${number}`, partition, kind: 'update', at: number }),
});

const options = (changes: Partial<FileSinkOptions> = {}): FileSinkOptions => ({
  directory,
  writer: 'w1',
  maxBytes: 1 << 20,
  maxAgeMs: 3_600_000,
  keep: 0,
  now: () => 1_000,
  ...changes,
});

const nothing = async (): Promise<string> => START;
const ids = (): string[] =>
  writtenLines(directory, 'w1').map((one) => `${one.partition}/${one.id}`);

describe('a block', () => {
  it('stays when it is settled', async () => {
    const sink = await openFileSink(options(), nothing);
    await sink.append([line(0, 1), line(0, 2), line(3, 1)]);
    await sink.settle(new Set());
    await sink.close();
    expect(ids()).toEqual(['0/5-1', '0/5-2', '3/5-1']);
    expect([sink.known(0), sink.known(3), sink.known(1)]).toEqual(['5-2', '5-1', undefined]);
  });

  it('loses the lines of a partition that was refused, wherever they stand in it', async () => {
    const sink = await openFileSink(options(), nothing);
    await sink.append([line(0, 1), line(1, 1), line(2, 1)]);
    await sink.settle(new Set([1]));
    await sink.append([line(0, 2), line(1, 2), line(2, 2)]);
    await sink.settle(new Set([2]));
    await sink.append([line(0, 3)]);
    await sink.settle(new Set());
    await sink.close();
    expect(ids()).toEqual(['0/5-1', '2/5-1', '0/5-2', '1/5-2', '0/5-3']);
  });

  it('is not followed by another before it is settled', async () => {
    const sink = await openFileSink(options(), nothing);
    await sink.append([line(0, 1)]);
    await expect(sink.append([line(0, 2)])).rejects.toThrow('not settled');
    await sink.close();
  });
});

describe('after a crash', () => {
  it('keeps of the last block exactly what this writer acknowledged', async () => {
    const sink = await openFileSink(options(), nothing);
    await sink.append([line(0, 1), line(1, 1)]);
    await sink.settle(new Set());
    await sink.append([line(0, 2), line(1, 2), line(2, 1), line(2, 2)]);
    await sink.close();
    const acknowledged = ['5-2', '5-1', '5-1'];
    const again = await openFileSink(options(), async (p) => acknowledged[p] as string);
    await again.close();
    expect(ids()).toEqual(['0/5-1', '1/5-1', '0/5-2', '2/5-1']);
    expect([0, 1, 2].map((p) => again.known(p))).toEqual(['5-2', '5-1', '5-1']);
  });

  it('keeps what it has settled even if the store has forgotten it', async () => {
    const sink = await openFileSink(options(), nothing);
    await sink.append([line(0, 1), line(0, 2)]);
    await sink.settle(new Set());
    await sink.close();
    const again = await openFileSink(options(), nothing);
    await again.close();
    expect(ids()).toEqual(['0/5-1', '0/5-2']);
    expect(again.known(0)).toBe('5-2');
  });

  it('cuts off a torn line, and one that is not a record', async () => {
    const whole = `${line(0, 1).text}\n`;
    writeFileSync(join(directory, 'records-w1.jsonl'), `${whole}\0\0\0\n{"id":"5-2","partition":0`);
    const sink = await openFileSink(options(), async () => '5-9');
    await sink.close();
    expect(ids()).toEqual(['0/5-1']);
  });
});

describe('rotation', () => {
  it('starts a new file by size and keeps as many as it is told', async () => {
    const sink = await openFileSink(options({ maxBytes: 100, keep: 2 }), nothing);
    for (let n = 1; n <= 12; n++) {
      await sink.append([line(0, n)]);
      await sink.settle(new Set());
    }
    await sink.close();
    expect(sinkFiles(directory, 'w1')).toEqual([
      'records-w1.00000004.jsonl',
      'records-w1.00000005.jsonl',
      'records-w1.jsonl',
    ]);
    expect(ids()).toEqual(['0/5-7', '0/5-8', '0/5-9', '0/5-10', '0/5-11', '0/5-12']);
  });

  it('starts a new file by age, counted from its first line and across restarts', async () => {
    let now = 0;
    const first = await openFileSink(options({ now: () => now, maxAgeMs: 100 }), nothing);
    now = 1_000;
    await first.append([line(0, 1)]);
    await first.settle(new Set());
    await first.rotateIfDue();
    expect(sinkFiles(directory, 'w1')).toHaveLength(1);
    await first.close();
    now = 1_099;
    const again = await openFileSink(options({ now: () => now, maxAgeMs: 100 }), nothing);
    await again.rotateIfDue();
    expect(sinkFiles(directory, 'w1')).toHaveLength(1);
    now = 1_100;
    await again.rotateIfDue();
    await again.close();
    expect(sinkFiles(directory, 'w1')).toEqual(['records-w1.00000001.jsonl', 'records-w1.jsonl']);
  });

  it('never gives a number twice, even when the rotated files are taken away', async () => {
    const sink = await openFileSink(options({ maxBytes: 1 }), nothing);
    for (const n of [1, 2, 3]) {
      await sink.append([line(0, n)]);
      await sink.settle(new Set());
    }
    await sink.close();
    for (const name of sinkFiles(directory, 'w1').slice(0, 2)) rmSync(join(directory, name));
    const again = await openFileSink(options({ maxBytes: 1 }), nothing);
    await again.append([line(0, 4)]);
    await again.settle(new Set());
    await again.close();
    expect(sinkFiles(directory, 'w1')).toEqual(['records-w1.00000003.jsonl', 'records-w1.jsonl']);
  });
});

describe('a disk that fails', () => {
  it('has nothing of the block, which can be tried again', async () => {
    const disk = new FaultyDisk();
    const sink = await openFileSink(options({ disk }), nothing);
    await sink.append([line(0, 1)]);
    await sink.settle(new Set());
    for (const fault of ['before', 'torn'] as const) {
      Object.assign(disk, { failAt: disk.operations + 1, fault });
      await expect(sink.append([line(0, 2)])).rejects.toThrow(DiskFault);
    }
    // A sync that failed proves nothing about the next one: the bytes are written again.
    Object.assign(disk, { failAt: disk.operations + 3, fault: 'after' });
    await expect(sink.append([line(0, 2)])).rejects.toThrow(DiskFault);
    expect(disk.done.slice(-3)).toEqual(['truncate', 'write', 'datasync']);
    await sink.append([line(0, 2)]);
    expect(disk.done.slice(-3)).toEqual(['truncate', 'write', 'datasync']);
    await sink.settle(new Set());
    await sink.close();
    expect(ids()).toEqual(['0/5-1', '0/5-2']);
  });
});

/**
 * A store with three outboxes that two writers share: what it holds is what a real one holds, and
 * it outlives the crashes.
 */
class Outboxes {
  readonly length = 12;
  readonly position = [0, 0, 0];
  readonly own = [0, 0, 0];
  /** Blocks at whose end partition 1 belongs to another writer, who then takes two records. */
  readonly stolen = new Set([1, 3]);
  blocks = 0;

  page(partition: number): number[] {
    const from = this.position[partition] as number;
    return [1, 2, 3].map((n) => from + n).filter((n) => n <= this.length);
  }

  acknowledge(partition: number, from: number, to: number): boolean {
    if ((this.own[partition] as number) >= to) return true;
    if (partition === 1 && this.stolen.delete(this.blocks)) this.position[1] = from + 2;
    if ((this.position[partition] as number) > from) return false;
    this.position[partition] = to;
    this.own[partition] = to;
    return true;
  }
}

/** A writer from its start until everything is acknowledged, or until it crashes. */
async function live(outboxes: Outboxes, disk: FaultyDisk, mine: Set<string>): Promise<void> {
  const sink = await openFileSink(
    options({ disk, maxBytes: 400 }),
    async (p) => `5-${outboxes.own[p]}`,
  );
  try {
    for (;;) {
      const pages = [0, 1, 2].map((p) => ({ p, numbers: outboxes.page(p) }));
      const lines = pages.flatMap(({ p, numbers }) => numbers.map((n) => line(p, n)));
      if (lines.length === 0) return;
      await sink.append(lines);
      const refused = new Set<number>();
      for (const { p, numbers } of pages) {
        const to = numbers[numbers.length - 1];
        if (to === undefined) continue;
        const taken = await disk.step('acknowledge', async () => {
          const done = outboxes.acknowledge(p, (numbers[0] as number) - 1, to);
          if (done) for (const n of numbers) mine.add(`${p}/5-${n}`);
          return done;
        });
        if (!taken) refused.add(p);
      }
      outboxes.blocks++;
      await sink.settle(refused);
    }
  } finally {
    await sink.close();
  }
}

describe('killed at every point', () => {
  for (const fault of ['before', 'after', 'torn'] as const satisfies readonly Fault[])
    it(`${fault} an operation: each record that the writer acknowledged is there once`, async () => {
      let survived = false;
      let crashes = 0;
      for (let failAt = 1; !survived; failAt++) {
        rmSync(directory, { recursive: true });
        const outboxes = new Outboxes();
        const mine = new Set<string>();
        const disk = new FaultyDisk({ failAt, fault, fatal: true });
        survived = await live(outboxes, disk, mine).then(
          () => !disk.failed,
          (error) => {
            if (error instanceof DiskFault) return false;
            throw error;
          },
        );
        crashes++;
        await live(outboxes, new FaultyDisk(), mine);
        const found = ids();
        expect(new Set(found), `${fault} ${failAt}`).toEqual(mine);
        expect(found, `${fault} ${failAt}`).toHaveLength(mine.size);
        for (const p of [0, 1, 2]) {
          const ofOne = writtenLines(directory, 'w1').filter((one) => one.partition === p);
          const order = ofOne.map((one) => one.id);
          expect(order).toEqual([...order].sort(compareRecordIds));
        }
      }
      expect(crashes).toBeGreaterThan(40);
    });
});
