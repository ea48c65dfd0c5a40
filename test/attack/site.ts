/**
 * Where the attacks take place: a private Redis, whole workers on it (in this process, or each in
 * one of its own that can be killed), and everything that they log.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { expect } from 'vitest';
import type { FromWorker, ToWorker } from '../../src/cli/fleet.ts';
import { type Serving, serve } from '../../src/cli/serve.ts';
import { parseSettings, type Settings } from '../../src/config.ts';
import { type EmbeddedRedis, startTemporary } from '../../src/embedded/redis.ts';
import type { WorkerMetrics } from '../../src/http/figures.ts';
import { createLog, type Log } from '../../src/log.ts';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import { fixedConfiguration } from '../../src/provisioning/live.ts';
import { loadProvisioning } from '../../src/provisioning/load.ts';
import type { Provisioning } from '../../src/provisioning/provisioning.ts';
import { redisRecordLog } from '../../src/store/records/redis-log.ts';
import { openRedisStore, type RedisStore } from '../../src/store/redis/store.ts';
import { type FaultProxy, startProxy } from './proxy.ts';

export interface SiteOptions {
  /** YAML. */
  provisioning: string;
  workers?: number;
  /** Each worker a process of its own. */
  processes?: boolean;
  /** Each worker reaches Redis through a proxy of its own. */
  proxied?: boolean;
  durability?: 'fsync' | 'memory';
  /** Of the workers; default: everything. */
  logLevel?: 'warn';
  /** Flags of the settings, as `--name=value`. */
  settings?: readonly string[];
  /** How long workers in this process wait for a reply of Redis. */
  timeoutMs?: number;
}

export interface Worker {
  readonly port: number;
  /** With `proxied`. */
  readonly proxy: FaultProxy;
  /** Of a worker in this process. */
  readonly serving: Serving;
  readonly store: RedisStore;
  /** Of a worker that is a process. */
  readonly pid: number;
  /** What the process said last of itself. */
  readonly metrics: WorkerMetrics | undefined;
  /** Ends the process as the kernel does when memory is short. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** The subscribers' numbers and places of all attacks begin with these, so that none can hide. */
export const E164 = '9997000';
export const IMSI = '99999000';
export const LOCATION = Buffer.from('8299f9100123459f', 'hex');
/** And what accounts open with begins with this. */
export const OPENING = 765_432_100_000;
const PINNED_MS = 600_000;

/** Waits until a condition holds; the test's own time limit ends it. */
export async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await after(2);
}

export class Site {
  readonly redis: EmbeddedRedis;
  /** The observer's own way to Redis: no fault touches it. */
  readonly store: RedisStore;
  readonly provisioning: Provisioning;
  readonly settings: Settings;
  readonly workers: Worker[] = [];
  /** All that was logged. */
  readonly lines: string[] = [];
  /** What workers in this process told of themselves. */
  readonly alarms: string[] = [];
  readonly defects: unknown[] = [];
  readonly fired: string[] = [];
  readonly #options: SiteOptions;
  readonly #folder: string;
  readonly #log: Log;
  #started = 0;

  static async start(options: SiteOptions): Promise<Site> {
    const folder = mkdtempSync(join(tmpdir(), 'tk-attack-'));
    const redis = await startTemporary({ durability: options.durability ?? 'memory' });
    const parsed = parseSettings({
      env: {},
      folder,
      flags: [
        ...['--diameter-port=0', '--partitions=4', '--workers=8'],
        `--log-level=${options.logLevel ?? 'trace'}`,
        ...[`--durability=${options.durability ?? 'memory'}`, '--lab'],
        ...(options.settings ?? []),
      ],
    });
    if (parsed.settings === undefined) throw new Error(JSON.stringify(parsed.problems));
    const lines: string[] = [];
    const log = createLog({
      level: 'trace',
      readable: false,
      write: (line) => void lines.push(line),
    });
    const loaded = loadProvisioning(options.provisioning, 'attack.yaml');
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const store = await openRedisStore({
      url: redis.url,
      partitions: parsed.settings.partitions,
      durability: parsed.settings.durability,
      lab: true,
      log,
    });
    await applyFile(store, loaded, { all: true });
    const site = new Site(options, {
      ...{ folder, redis, store, log, lines, settings: parsed.settings },
      provisioning: loaded.provisioning,
    });
    await site.#keepRecords();
    await Promise.all(Array.from({ length: options.workers ?? 2 }, () => site.startWorker()));
    return site;
  }

  private constructor(
    options: SiteOptions,
    parts: Pick<Site, 'redis' | 'store' | 'provisioning' | 'settings' | 'lines'> & {
      folder: string;
      log: Log;
    },
  ) {
    this.#options = options;
    this.#folder = parts.folder;
    this.#log = parts.log;
    this.redis = parts.redis;
    this.store = parts.store;
    this.provisioning = parts.provisioning;
    this.settings = parts.settings;
    this.lines = parts.lines;
  }

  /** Starts a worker: one more, or the one of that number again. */
  async startWorker(index = this.#started++): Promise<Worker> {
    const proxy = this.#options.proxied ? await startProxy(this.redis.socketPath) : undefined;
    const url = proxy?.url ?? this.redis.url;
    const worker = this.#options.processes
      ? await this.#startProcess(index, url, proxy)
      : await this.#startInside(index, url, proxy);
    this.workers[index] = worker;
    return worker;
  }

  async #startInside(index: number, url: string, proxy: FaultProxy | undefined): Promise<Worker> {
    const { settings, provisioning } = this;
    const { durability, partitions } = settings;
    const log = this.#log.child({ worker: index });
    const store = await openRedisStore({
      ...{ url, partitions, durability, log },
      lab: true,
      ...(this.#options.timeoutMs === undefined ? {} : { timeoutMs: this.#options.timeoutMs }),
    });
    const serving = await serve({
      configuration: fixedConfiguration(provisioning),
      ...{ settings, store, worker: index, workerName: `worker-${index}` },
      events: {
        answered: (kind, resultCode, ms) =>
          log.trace({ kind, resultCode, ms: Math.round(ms) }, 'answered'),
        trips: (kind, count) => log.trace({ kind, count }, 'trips'),
        conflict: () => log.trace('conflict'),
        alarm: (event, fields) => {
          this.alarms.push(event);
          log.warn({ event, ...fields }, 'alarm');
        },
        defect: (error) => {
          this.defects.push(error);
          log.error({ error }, 'a request failed');
        },
        timerFired: (kind, lateMs) => {
          this.fired.push(kind);
          log.debug({ kind, lateMs }, 'timer');
        },
        timerFailed: (error) => log.warn({ error }, 'timers not reached'),
        log: (level, event, fields) => log[level](fields, event),
      },
    });
    const notAProcess = () => {
      throw new Error('a worker of this process');
    };
    return {
      ...{ port: serving.address.port, serving, store, metrics: undefined },
      proxy: proxy as FaultProxy,
      get pid() {
        return notAProcess();
      },
      kill: notAProcess,
      async stop() {
        await serving.drain();
        await store.close();
        await proxy?.close();
      },
    };
  }

  async #startProcess(index: number, url: string, proxy: FaultProxy | undefined): Promise<Worker> {
    const child = fork(new URL('../../src/main.ts', import.meta.url), ['worker'], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      execArgv: [],
    });
    for (const stream of [child.stdout, child.stderr])
      stream?.on('data', (data) => void this.lines.push(String(data)));
    child.send({
      type: 'serve',
      settings: { ...this.settings, diameterPorts: 'shared' },
      worker: index,
      name: `worker-${index}`,
      redis: url,
    } satisfies ToWorker);
    let metrics: WorkerMetrics | undefined;
    const port = await new Promise<number>((resolve, reject) => {
      child.on('message', (message: FromWorker<WorkerMetrics>) => {
        if (message.type === 'ready') resolve(message.port);
        else if (message.type === 'failed') reject(new Error(message.reason));
        else metrics = message.metrics;
      });
      child.once('exit', () => reject(new Error(this.lines.join(''))));
    });
    return {
      port,
      proxy: proxy as FaultProxy,
      get serving(): Serving {
        throw new Error('a worker of another process');
      },
      get store(): RedisStore {
        throw new Error('a worker of another process');
      },
      get metrics() {
        return metrics;
      },
      pid: child.pid as number,
      kill: () => end(child, () => child.kill('SIGKILL')),
      async stop() {
        proxy?.release();
        await end(child, () => child.send({ type: 'drain' } satisfies ToWorker));
        await proxy?.close();
      },
    };
  }

  /** Nothing may trim the outboxes: the books are the sum of all records. */
  async #keepRecords(): Promise<void> {
    const { redis } = this.store.connection;
    const { partitions } = this.store;
    const log = redisRecordLog({ redis, partitions });
    for (let partition = 0; partition < partitions; partition++)
      await log.pin(partition, 'books', PINNED_MS);
  }

  async stop(): Promise<void> {
    try {
      await Promise.all(this.workers.map((worker) => worker.stop()));
      await this.store.close();
    } finally {
      await this.redis.stop();
      rmSync(this.#folder, { recursive: true, force: true });
    }
    this.expectDiscreetLog();
  }

  /** No whole subscriber number, no location and no balance is in anything that was logged. */
  expectDiscreetLog(): void {
    expect(this.lines.length).toBeGreaterThan(0);
    const secrets = [
      ...[E164, IMSI, String(OPENING).slice(0, 7)],
      ...[LOCATION.toString('hex'), LOCATION.toString('base64'), LOCATION.toString('latin1')],
      JSON.stringify([...LOCATION]).slice(1, -1),
    ];
    const telling = this.lines.filter((line) => secrets.some((secret) => line.includes(secret)));
    expect(telling).toEqual([]);
  }
}

async function end(child: ChildProcess, how: () => void): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  how();
  await exited;
}
