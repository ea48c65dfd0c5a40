/** A process that keeps records, killed (SIGKILL) between any two steps, loses and doubles nothing. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { audit } from '../../../src/store/records/audit.ts';
import { START } from '../../../src/store/records/record-id.ts';
import type { Fault } from './faulty-disk.ts';
import { sinkFiles, writtenLines } from './sink-files.ts';
import { type RedisBench, redisBench } from './stores.ts';
import { provision, Workload } from './workload.ts';

const PARTITIONS = 3;
const program = fileURLToPath(new URL('./keeper-process.ts', import.meta.url));

let bench: RedisBench;
let directory: string;

beforeEach(async () => {
  bench = await redisBench(PARTITIONS);
  directory = mkdtempSync(join(tmpdir(), 'tollkeeper-kill-'));
});
afterEach(async () => {
  await bench.close();
  rmSync(directory, { recursive: true });
});

/** Runs the process; resolves to how it ended. */
async function live(failAt: number, fault: Fault): Promise<number | NodeJS.Signals> {
  const args = [program, bench.server.socketPath, directory, String(PARTITIONS), String(failAt)];
  const child = spawn(process.execPath, [...args, fault], { stdio: ['ignore', 'ignore', 'pipe'] });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text;
  });
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code !== 0 && signal === null) throw new Error(errors);
  return signal ?? code ?? 1;
}

it('keeps every record once in its files, however often it is killed', async () => {
  const accounts = await provision(bench.store, 5);
  const workload = new Workload(bench.store, accounts, 'a', 5);
  const all = new Set<string>();
  // From the first operation to beyond rotations, in steps that meet every kind of operation.
  const points: [number, Fault][] = [];
  for (let i = 0; i < 18; i++)
    points.push([1 + i * 2 + (i % 2), (['after', 'torn', 'before'] as const)[i % 3] as Fault]);
  for (const [failAt, fault] of points) {
    for (let i = 0; i < 100; i++) await workload.step();
    for (let partition = 0; partition < PARTITIONS; partition++)
      for (const { id } of await bench.log.read(partition, START, 100_000))
        all.add(`${partition}/${id}`);
    expect(await live(failAt, fault), `${fault} ${failAt}`).toBe('SIGKILL');
  }
  expect(await live(Number.MAX_SAFE_INTEGER, 'before')).toBe(0);
  const written = writtenLines(directory, 'w1').map(({ partition, id }) => `${partition}/${id}`);
  expect(written.length).toBe(all.size);
  expect(new Set(written)).toEqual(all);
  expect(sinkFiles(directory, 'w1').length).toBeGreaterThan(3);
  expect((await audit(bench.view, { name: 'audit-1' })).findings).toEqual([]);
}, 60_000);
