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
import { writeProvisioning } from './accounts.ts';
import type { Figure } from './figure.ts';
import { Rig, type Slice, startPrivateRedis } from './rig.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
const SHAPE = { length: 10, workers: 'sticky' } as const;
const OUTSTANDING = 20;
const LOOK_MS = 100;

/** Imports `rows` subscribers alone, and a tenth of them while a worker charges. */
export async function* imported({
  rows,
  accounts,
  sliceMs,
}: {
  rows: number;
  accounts: number;
  sliceMs: number;
}): AsyncGenerator<Figure> {
  yield* alone({ rows, accounts });
  yield* meanwhile({ rows: Math.ceil(rows / 10), accounts, sliceMs });
}

const figure = (name: string, value: number, unit: string, conditions: Figure['with']): Figure => ({
  bench: 'import',
  name,
  value,
  unit,
  with: { ...conditions },
});

async function* alone({
  rows,
  accounts,
}: {
  rows: number;
  accounts: number;
}): AsyncGenerator<Figure> {
  const redis = await startPrivateRedis('fsync');
  try {
    const { client, dataDir, server } = redis;
    const provisioning = writeProvisioning(join(dataDir, 'provisioning.yaml'), accounts);
    await run(['provisioning', 'apply', provisioning], server.url);
    const file = join(dataDir, 'subscribers.csv');
    await writeRows(file, rows);
    const before = await used(client);
    const { seconds, peakBytes } = await run(['import', file, '--tenant', 'blue'], server.url);
    yield figure('subscribers', rows / seconds, 'per second', { rows });
    yield figure('all of them', seconds, 's', { rows });
    yield figure('memory of the importer, at most', peakBytes / 1e6, 'MB', { rows });
    yield figure('Redis per subscriber', ((await used(client)) - before) / rows, 'bytes', { rows });
  } finally {
    await redis.stop();
  }
}

async function* meanwhile({
  rows,
  accounts,
  sliceMs,
}: {
  rows: number;
  accounts: number;
  sliceMs: number;
}): AsyncGenerator<Figure> {
  const rig = await Rig.start({ durability: 'fsync', workers: 1, accounts });
  try {
    const { dataDir, server } = rig.redis;
    const file = join(dataDir, 'subscribers.csv');
    await writeRows(file, rows);
    const slice = () => rig.run(sliceMs, OUTSTANDING, SHAPE);
    await slice();
    const quiet = await slice();
    const importing = run(['import', file, '--tenant', 'blue'], server.url);
    let isOver = false;
    const over = importing.then(() => {
      isOver = true;
    });
    const slices: Slice[] = [];
    do slices.push(await slice());
    while (!isOver);
    await over;
    const busy = slices.toSorted((a, b) => a.p99 - b.p99)[slices.length >> 1]!;
    for (const [beside, seen] of [
      ['nothing', quiet],
      ['the import', busy],
    ] as const) {
      const conditions = { outstanding: OUTSTANDING, meanwhile: beside };
      yield figure('latency of a CCR, half of them', seen.p50, 'ms', conditions);
      yield figure('latency of a CCR, 99 of 100', seen.p99, 'ms', conditions);
      yield figure('CCRs answered', seen.answersPerSecond, 'per second', conditions);
    }
    const { seconds } = await importing;
    yield figure('subscribers', rows / seconds, 'per second', { rows, meanwhile: 'charging' });
  } finally {
    await rig.stop();
  }
}

/** Two identities each, prepaid. */
async function writeRows(file: string, rows: number): Promise<void> {
  function* lines() {
    yield 'account,plan,e164,imsi,opening:main\n';
    for (let row = 0; row < rows; row++) {
      const number = String(row).padStart(9, '0');
      yield `import-${number},data,99${number},99999${number.padStart(10, '0')},20.00\n`;
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(file));
}

/** Runs a command to its end. */
async function run(
  words: readonly string[],
  url: string,
): Promise<{ seconds: number; peakBytes: number }> {
  const startedAt = performance.now();
  const flags = ['--redis-url', url, '--log-level', 'error', '--json'];
  const child = spawn(process.execPath, [main, ...words, ...flags], {
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
  if (code !== 0) throw new Error(`${words[0]} ended with ${code}: ${said}`);
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
