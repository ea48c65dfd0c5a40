/** A private Redis, workers on it and a generator before them, all processes of their own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { WORKER_FLAGS } from '../src/cli/fleet.ts';
import { type EmbeddedRedis, startEmbedded } from '../src/embedded/redis.ts';
import { writeProvisioning } from './accounts.ts';
import { Child } from './child.ts';
import type { GeneratorQuestion, GeneratorReply, Shape } from './generator.ts';
import type { WorkerQuestion, WorkerReply } from './worker.ts';

export interface RigOptions {
  durability: 'memory' | 'fsync';
  workers: number;
  accounts: number;
}

/** What happened between two looks. */
export interface Slice {
  answersPerSecond: number;
  p50: number;
  p99: number;
  /** CPU time per answer, user and system. */
  workerUs: number;
  redisUs: number;
  /** Answers other than 2001. */
  refused: number;
  /** CPU time of the generator in cores. */
  generatorCores: number;
}

export interface PrivateRedis {
  /** Gone when it stops. */
  dataDir: string;
  server: EmbeddedRedis;
  client: Redis;
  /** CPU time of the server so far, user and system of all its threads. */
  cpuUs(): Promise<number>;
  stop(): Promise<void>;
}

export async function startPrivateRedis(durability: 'memory' | 'fsync'): Promise<PrivateRedis> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tk-bench-'));
  const server = await startEmbedded({ dataDir, durability });
  const client = new Redis(server.socketPath, { replyMapping: 'legacy' });
  return {
    dataDir,
    server,
    client,
    async cpuUs() {
      const info = await client.info('cpu');
      const seconds = (name: string) => Number(info.match(`${name}:([0-9.]+)`)?.[1]);
      return (seconds('used_cpu_sys') + seconds('used_cpu_user')) * 1e6;
    },
    async stop() {
      client.disconnect();
      await server.stop();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export class Rig {
  readonly redis: PrivateRedis;
  readonly #workers: readonly Child<WorkerQuestion, WorkerReply>[];
  readonly #generator: Child<GeneratorQuestion, GeneratorReply>;

  static async start({ durability, workers: count, accounts }: RigOptions): Promise<Rig> {
    const redis = await startPrivateRedis(durability);
    const workers: Child<WorkerQuestion, WorkerReply>[] = [];
    const generator = new Child<GeneratorQuestion, GeneratorReply>('generator.ts');
    const rig = new Rig(redis, workers, generator);
    try {
      const ports: number[] = [];
      const file = join(redis.dataDir, 'provisioning.yaml');
      const provisioning = writeProvisioning(file, accounts);
      for (let worker = 0; worker < count; worker += 1) {
        const child = new Child<WorkerQuestion, WorkerReply>('worker.ts', [
          ...WORKER_FLAGS,
          ...moreFlags(),
        ]);
        workers.push(child);
        const serve = { redis: redis.server.url, durability, worker, provisioning };
        ports.push((await child.ask({ ask: 'serve', ...serve })).port);
      }
      await generator.ask({ ask: 'connect', ports, run: Date.now(), accounts });
      return rig;
    } catch (error) {
      await rig.stop();
      throw error;
    }
  }

  private constructor(
    redis: PrivateRedis,
    workers: readonly Child<WorkerQuestion, WorkerReply>[],
    generator: Child<GeneratorQuestion, GeneratorReply>,
  ) {
    this.redis = redis;
    this.#workers = workers;
    this.#generator = generator;
  }

  /** Generates requests for `ms`, or until `shape` says so, and looks at what they took. */
  async run(ms: number, outstanding: number, shape: Shape): Promise<Slice> {
    const before = await this.#cpu();
    const reply = await this.#generator.ask({ ask: 'run', ms, outstanding, shape });
    const after = await this.#cpu();
    const { answers, refused, seconds, p50, p99 } = reply;
    return {
      answersPerSecond: answers / seconds,
      refused,
      p50,
      p99,
      workerUs: (after.workers - before.workers) / answers,
      redisUs: (after.redis - before.redis) / answers,
      generatorCores: reply.cpuUs / 1e6 / seconds,
    };
  }

  /** Round trips per request so far, by kind of request. */
  async trips(): Promise<Record<string, { requests: number; trips: number }>> {
    const sums: Record<string, { requests: number; trips: number }> = {};
    for (const { requests, trips } of await this.#figures()) {
      for (const [kind, count] of Object.entries(requests)) {
        sums[kind] ??= { requests: 0, trips: 0 };
        sums[kind].requests += count;
        sums[kind].trips += trips[kind] ?? 0;
      }
    }
    return sums;
  }

  async stop(): Promise<void> {
    await this.#generator.stop();
    for (const worker of this.#workers) await worker.stop();
    await this.redis.stop();
  }

  async #cpu(): Promise<{ workers: number; redis: number }> {
    const [figures, redis] = await Promise.all([this.#figures(), this.redis.cpuUs()]);
    return { workers: figures.reduce((sum, { cpuUs }) => sum + cpuUs, 0), redis };
  }

  #figures(): Promise<WorkerReply[]> {
    return Promise.all(this.#workers.map((worker) => worker.ask({ ask: 'figures' })));
  }
}

/** Extra flags of Node for the workers, such as `--cpu-prof`. */
const moreFlags = (): readonly string[] =>
  (process.env.WORKER_FLAGS ?? '').split(' ').filter(Boolean);
