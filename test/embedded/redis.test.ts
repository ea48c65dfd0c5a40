/** The private Redis: durable, alone in its folder, and gone when its owner is gone, however it went. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { identify } from '../../src/embedded/process-id.ts';
import {
  type EmbeddedOptions,
  type EmbeddedRedis,
  startEmbedded,
  startTemporary,
} from '../../src/embedded/redis.ts';

const ownerScript = new URL('./owner.ts', import.meta.url).pathname;

let dataDir: string;
let cleanups: (() => unknown)[];

beforeEach(() => {
  const folder = mkdtempSync(join(tmpdir(), 'tk-test-'));
  dataDir = folder;
  cleanups = [() => rmSync(folder, { recursive: true, force: true })];
});
afterEach(async () => {
  for (const cleanup of cleanups.reverse()) await cleanup();
});

async function start(options: Partial<EmbeddedOptions> = {}): Promise<EmbeddedRedis> {
  const redis = await startEmbedded({ dataDir, durability: 'fsync', ...options });
  cleanups.push(() => redis.stop());
  return redis;
}

function client(redis: { socketPath: string }): Redis {
  const connected = new Redis(redis.socketPath, { retryStrategy: () => 20 });
  connected.on('error', () => {});
  cleanups.push(() => connected.disconnect());
  return connected;
}

/** Another Tollkeeper on the same folder. */
async function startOwner(): Promise<{ process: ChildProcess; redis: number; socketPath: string }> {
  const process_ = spawn(process.execPath, [ownerScript, dataDir], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  cleanups.push(() => process_.kill('SIGKILL'));
  const [line] = (await once(createInterface({ input: process_.stdout }), 'line')) as [string];
  return { process: process_, ...(JSON.parse(line) as { redis: number; socketPath: string }) };
}

const isGone = (pid: number) =>
  vi.waitFor(() => expect(identify(pid)).toBeUndefined(), { timeout: 10_000, interval: 20 });

describe('what it promises', () => {
  test('the configuration keeps what durability fsync means, and no port is open', async () => {
    const redis = client(await start({ memoryMegabytes: 128 }));
    const expected = {
      appendonly: 'yes',
      appendfsync: 'always',
      'aof-load-truncated': 'no',
      'maxmemory-policy': 'noeviction',
      maxmemory: String(128 * 1_048_576),
      port: '0',
    };
    for (const [name, value] of Object.entries(expected)) {
      expect(await redis.config('GET', name)).toEqual([name, value]);
    }
  });

  test('only this user can reach the socket', async () => {
    const redis = await start();
    expect(statSync(redis.socketPath).mode & 0o777).toBe(0o700);
    expect(statSync(join(dataDir, 'redis')).mode & 0o777).toBe(0o700);
  });

  test('without a limit given, it takes a share of the memory and not all of it', async () => {
    const redis = client(await start());
    const [, bytes] = (await redis.config('GET', 'maxmemory')) as [string, string];
    expect(Number(bytes)).toBeGreaterThanOrEqual(64 * 1_048_576);
    expect(Number(bytes)).toBeLessThan(process.constrainedMemory() || 2 ** 53);
  });

  test('data is there after a stop and a start', async () => {
    const first = await start();
    await client(first).set('key', 'value');
    await first.stop();
    const second = await start();
    expect(await client(second).get('key')).toBe('value');
  });

  test('every acknowledged write is there after a kill', async () => {
    const redis = await start();
    const writer = client(redis);
    let acknowledged = 0;
    void (async () => {
      for (;;) acknowledged = await writer.incr('counter');
    })().catch(() => {});
    await vi.waitFor(() => expect(acknowledged).toBeGreaterThan(50));
    await redis.kill();
    expect(redis.pid).toBeUndefined();
    writer.disconnect();

    await redis.restart();
    const found = Number(await client(redis).get('counter'));
    // The last one may have been stored without its reply having been read.
    expect(found - acknowledged).toBeGreaterThanOrEqual(0);
    expect(found - acknowledged).toBeLessThanOrEqual(1);
  });

  test('with durability memory nothing is written, and a durable folder is not passed over', async () => {
    const lab = await start({ durability: 'memory' });
    await client(lab).set('key', 'value');
    await lab.stop();
    expect(existsSync(join(dataDir, 'redis', 'appendonlydir'))).toBe(false);

    await (await start()).stop();
    await expect(start({ durability: 'memory' })).rejects.toMatchObject({
      code: 'DATA_FOLDER_DURABLE',
    });
  });

  test('a folder too deep for a socket path has its socket elsewhere, which is tidied', async () => {
    dataDir = join(dataDir, 'deep'.repeat(20), 'deep "er" \\ still');
    const redis = await start();
    expect(Buffer.byteLength(redis.socketPath)).toBeLessThanOrEqual(103);
    await client(redis).set('key', 'value');
    await redis.stop();
    expect(existsSync(join(redis.socketPath, '..'))).toBe(false);
    expect(readdirSync(join(dataDir, 'redis')).sort()).toEqual(['appendonlydir', 'redis.conf']);
    expect(await client(await start()).get('key')).toBe('value');
  });

  test('a temporary one leaves nothing', async () => {
    const redis = await startTemporary();
    const folder = join(redis.socketPath, '..', '..');
    expect(existsSync(folder)).toBe(true);
    const { pid } = redis;
    await redis.stop();
    expect(existsSync(folder)).toBe(false);
    expect(identify(pid!)).toBeUndefined();
  });
});

describe('one owner a folder', () => {
  test('a second start is refused while the first runs, and allowed when it has stopped', async () => {
    const first = await start();
    await expect(start()).rejects.toMatchObject({
      code: 'DATA_FOLDER_IN_USE',
      details: { pid: process.pid },
    });
    expect(await client(first).ping()).toBe('PONG');
    await first.stop();
    await start();
  });

  test('of many that start at once exactly one gets the folder', async () => {
    const tried = await Promise.allSettled(Array.from({ length: 8 }, () => start()));
    expect(tried.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of tried) {
      if (result.status === 'rejected') expect(result.reason.code).toBe('DATA_FOLDER_IN_USE');
    }
  });

  test('another process that lives is named', async () => {
    const owner = await startOwner();
    await expect(start()).rejects.toMatchObject({
      code: 'DATA_FOLDER_IN_USE',
      details: { pid: owner.process.pid },
    });
  });
});

describe('its end', () => {
  test.each(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGKILL'] as const)(
    'when its owner is ended by %s it ends too, and the next start has the data',
    async (signal) => {
      const owner = await startOwner();
      await client(owner).set('key', signal);
      owner.process.kill(signal);
      await isGone(owner.redis);
      expect(await client(await start()).get('key')).toBe(signal);
    },
  );

  test('one that was left behind is ended by the next start, which keeps its data', async () => {
    const folder = join(dataDir, 'redis');
    await (await start()).stop();
    const leftover = spawn('redis-server', [join(folder, 'redis.conf')], { stdio: 'ignore' });
    cleanups.push(() => leftover.kill('SIGKILL'));
    const old = client({ socketPath: join(folder, 'redis.sock') });
    await old.set('key', 'value');
    const dead = { pid: process.pid, started: 'before the last boot' };
    writeOwner({ owner: dead, redis: identify(leftover.pid!)! });

    const redis = await start();
    expect(leftover.exitCode ?? leftover.signalCode).not.toBeNull();
    expect(await client(redis).get('key')).toBe('value');
  });

  test('a stranger who got the process id of a Redis long gone is left alone', async () => {
    const stranger = spawn('sleep', ['60'], { stdio: 'ignore' });
    cleanups.push(() => stranger.kill('SIGKILL'));
    const dead = { pid: process.pid, started: 'before the last boot' };
    writeOwner({ owner: dead, redis: { pid: stranger.pid!, started: 'before the last boot' } });
    await start();
    expect(identify(stranger.pid!)).toBeDefined();
  });

  test('killed by somebody else, it is started again on the same socket and data', async () => {
    const warnings: string[] = [];
    const log = { debug() {}, info() {}, warn: (text: string) => void warnings.push(text) };
    const redis = await start({ log });
    const connected = client(redis);
    await connected.set('key', 'value');
    const before = redis.pid!;
    process.kill(before, 'SIGKILL');
    await isGone(before);
    expect(await connected.get('key')).toBe('value');
    expect(redis.pid).not.toBe(before);
    expect(warnings).toEqual(['the private Redis ended by SIGKILL and is started again']);
  });

  test('when it cannot be brought back, the owner is told why', async () => {
    const redis = await start();
    const told = new Promise<string>((done) => redis.onExit(done));
    rmSync(join(dataDir, 'redis'), { recursive: true });
    process.kill(redis.pid!, 'SIGKILL');
    expect(await told).toContain('ENOENT');
    expect(redis.pid).toBeUndefined();
  });

  function writeOwner(claimed: object): void {
    mkdirSync(join(dataDir, 'redis'), { recursive: true });
    writeFileSync(join(dataDir, 'redis', 'owner.json'), JSON.stringify(claimed));
  }
});

describe('what can be wrong', () => {
  test('a file cut off in the middle of a write is not read as if nothing were missing', async () => {
    const redis = await start();
    await client(redis).set('key', 'value'.repeat(100));
    await redis.stop();
    const files = join(dataDir, 'redis', 'appendonlydir');
    const file = join(files, readdirSync(files).find((name) => name.endsWith('.incr.aof'))!);
    truncateSync(file, statSync(file).size - 7);
    await expect(start()).rejects.toMatchObject({ code: 'REDIS_DATA_DAMAGED' });
    expect(existsSync(join(dataDir, 'redis', 'owner.json'))).toBe(false);
  });

  test('there is no server, or only one that is too old', async () => {
    const old = join(dataDir, 'redis-server');
    writeFileSync(old, '#!/bin/sh\necho "Redis server v=6.2.14 sha=00000000:0 bits=64"\n');
    chmodSync(old, 0o755);
    await expect(start({ server: old })).rejects.toMatchObject({
      code: 'REDIS_SERVER_MISSING',
      message: `No redis-server or valkey-server of version 7 or newer: ${old} is 6.2.14`,
    });
    await expect(start({ server: join(dataDir, 'none') })).rejects.toMatchObject({
      code: 'REDIS_SERVER_MISSING',
    });
  });

  test('a server that ends at once: its last words are in the error', async () => {
    const broken = join(dataDir, 'redis-server');
    const script = `#!/bin/sh\n[ "$1" = --version ] && echo v=7.2.0 && exit\necho 'no space'; exit 3\n`;
    writeFileSync(broken, script);
    chmodSync(broken, 0o755);
    const failed = start({ server: broken });
    await expect(failed).rejects.toMatchObject({ code: 'REDIS_START_FAILED' });
    await expect(failed).rejects.toThrow(/ended with 3\nno space$/);
  });

  test('a data folder that is a file', async () => {
    const file = join(dataDir, 'file');
    writeFileSync(file, '');
    await expect(start({ dataDir: file })).rejects.toMatchObject({ code: 'FILE_UNWRITABLE' });
    expect(readFileSync(file, 'utf8')).toBe('');
  });
});

test('the system tells processes apart', () => {
  const own = identify(process.pid)!;
  expect(own).toEqual(identify(process.pid));
  const child = spawn('sleep', ['60'], { stdio: 'ignore' });
  cleanups.push(() => child.kill('SIGKILL'));
  expect(identify(child.pid!)!.started).not.toBe('');
  expect(
    identify(Number(execFileSync('sh', ['-c', 'echo $$'], { encoding: 'utf8' }))),
  ).toBeUndefined();
});
