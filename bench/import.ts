/**
 * Subscribers imported from CSV by the command that people use, in a process of its own: how fast, in
 * how much memory, what each then takes in Redis, and what requests feel of it meanwhile.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Redis } from 'ioredis';
import type { Figure } from './figure.ts';
import { Rig } from './rig.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const SHAPE = { length: 10, workers: 'sticky' } as const;
const OUTSTANDING = 20;
const LOOK_MS = 100;

/** Imports `rows` subscribers alone, and as many again while a worker charges. */
export async function* imported({
  rows,
  accounts,
  sliceMs,
}: {
  rows: number;
  accounts: number;
  sliceMs: number;
}): AsyncGenerator<Figure> {
  const rig = await Rig.start({ durability: 'fsync', workers: 1, accounts });
  const figure = (name: string, value: number, unit: string, more?: Figure['with']): Figure => ({
    ...{ bench: 'import', name, value, unit, with: { rows, ...more } },
  });
  try {
    const { client, dataDir, server } = rig.redis;
    const files = ['first.csv', 'second.csv'].map((name) => join(dataDir, name));
    for (const [at, file] of files.entries()) await writeRows(file, { rows, from: at * rows });
    const before = await used(client);
    const alone = await runImport(files[0]!, server.url);
    yield figure('subscribers', rows / alone.seconds, 'per second');
    yield figure('all of them', alone.seconds, 's');
    yield figure('memory of the importer, at most', alone.peakBytes / 1e6, 'MB');
    yield figure('Redis per subscriber', ((await used(client)) - before) / rows, 'bytes');

    const quiet = await rig.run(sliceMs, OUTSTANDING, SHAPE);
    const importing = runImport(files[1]!, server.url);
    const slices: Awaited<ReturnType<typeof rig.run>>[] = [];
    let isOver = false;
    const over = importing.then(() => {
      isOver = true;
    });
    do slices.push(await rig.run(sliceMs, OUTSTANDING, SHAPE));
    while (!isOver);
    await over;
    const busy = slices.toSorted((a, b) => a.p99 - b.p99)[slices.length >> 1]!;
    for (const [meanwhile, slice] of [
      ['nothing', quiet],
      ['the import', busy],
    ] as const) {
      const more = { meanwhile, outstanding: OUTSTANDING };
      yield figure('latency of a CCR, half of them', slice.p50, 'ms', more);
      yield figure('latency of a CCR, 99 of 100', slice.p99, 'ms', more);
      yield figure('CCRs answered', slice.answersPerSecond, 'per second', more);
    }
    const beside = await importing;
    yield figure('subscribers', rows / beside.seconds, 'per second', { meanwhile: 'charging' });
  } finally {
    await rig.stop();
  }
}

/** Two identities each, prepaid. */
async function writeRows(
  file: string,
  { rows, from }: { rows: number; from: number },
): Promise<void> {
  function* lines() {
    yield 'account,plan,e164,imsi,opening:main\n';
    for (let row = from; row < from + rows; row++) {
      const number = String(row).padStart(9, '0');
      yield `import-${number},data,99${number},99999${number.padStart(10, '0')},20.00\n`;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(file));
}

async function runImport(
  file: string,
  url: string,
): Promise<{ seconds: number; peakBytes: number }> {
  const startedAt = performance.now();
  const flags = ['--tenant', 'blue', '--redis-url', url, '--log-level', 'error', '--json'];
  const child = spawn(process.execPath, [main, 'import', file, ...flags], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said = `${said}${text}`.slice(-2_000);
  });
  const closed = once(child, 'close') as Promise<[number]>;
  let peakBytes = 0;
  let isOver = false;
  void closed.then(() => {
    isOver = true;
  });
  while (!isOver) {
    peakBytes = Math.max(peakBytes, peakOf(child.pid));
    await Promise.race([closed, pause(LOOK_MS)]);
  }
  const [code] = await closed;
  if (code !== 0) throw new Error(`the import ended with ${code}: ${said}`);
  return { seconds: (performance.now() - startedAt) / 1000, peakBytes };
}

/** The most resident memory that a process has had so far; 0 once it is gone. */
function peakOf(pid: number | undefined): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

/** Memory in use, less records: these are trimmed away by their keeper. */
async function used(client: Redis): Promise<number> {
  const { partitions } = await client.hgetall('tk:meta');
  for (let partition = 0; partition < Number(partitions); partition++)
    await client.xtrim(`tk:{${String(partition).padStart(3, '0')}}:o`, 'MAXLEN', 0);
  return Number((await client.info('memory')).match(/used_memory:(\d+)/)?.[1]);
}
