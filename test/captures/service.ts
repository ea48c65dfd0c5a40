/** Two whole workers on one private Redis, and what they have stored. */
import type { ChargingRecord } from '../../src/charging/record.ts';
import { type Serving, serve } from '../../src/cli/serve.ts';
import { parseSettings } from '../../src/config.ts';
import { type EmbeddedRedis, startTemporary } from '../../src/embedded/redis.ts';
import { createLog } from '../../src/log.ts';
import { applyProvisioning } from '../../src/provisioning/apply.ts';
import { fixedConfiguration } from '../../src/provisioning/live.ts';
import { loadProvisioning } from '../../src/provisioning/load.ts';
import { type AuditReport, audit } from '../../src/store/records/audit.ts';
import { redisAuditView } from '../../src/store/records/redis-audit.ts';
import { redisRecordLog } from '../../src/store/records/redis-log.ts';
import { openRedisStore, type RedisStore } from '../../src/store/redis/store.ts';
import { recordsOfPartition } from '../attack/records.ts';

const KEPT_MS = 600_000;
const PATIENCE_MS = 30_000;

export class Service {
  readonly ports: number[] = [];
  /** Whatever a worker complained of. */
  readonly complaints: string[] = [];
  /** All that was logged. */
  readonly logged: string[] = [];
  readonly #redis: EmbeddedRedis;
  readonly #store: RedisStore;
  readonly #stops: (() => Promise<void>)[] = [];

  static async start(yaml: string): Promise<Service> {
    const { settings, problems } = parseSettings({
      env: {},
      folder: '.',
      flags: [
        ...['--diameter-port=0', '--partitions=8', '--durability=memory', '--lab'],
        // A machine that is busy with other things is no reason to answer 3004.
        ...[`--deadline-ms=${PATIENCE_MS}`, `--lease-ms=${2 * PATIENCE_MS}`],
      ],
    });
    if (settings === undefined) throw new Error(JSON.stringify(problems));
    const loaded = loadProvisioning(yaml, 'capture.yaml');
    if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
    const { provisioning } = loaded;
    const redis = await startTemporary({ durability: settings.durability });
    const { partitions, durability } = settings;
    const logged: string[] = [];
    const log = createLog({ level: 'debug', readable: false, write: (line) => logged.push(line) });
    const open = () =>
      openRedisStore({
        url: redis.url,
        partitions,
        durability,
        lab: true,
        log,
        timeoutMs: PATIENCE_MS,
      });
    const service = new Service(redis, await open(), logged);
    await applyProvisioning(service.#store, provisioning);
    // Nothing may trim what is compared with the answers.
    const records = redisRecordLog({ redis: service.#store.connection.redis, partitions });
    for (let one = 0; one < partitions; one++) await records.pin(one, 'capture', KEPT_MS);
    for (const worker of [0, 1]) {
      const store = await open();
      const complain = (what: string) => (error: unknown) =>
        void service.complaints.push(`${what}: ${String(error)}`);
      const serving: Serving = await serve({
        configuration: fixedConfiguration(provisioning),
        ...{ settings, store, worker, workerName: `worker-${worker}` },
        events: {
          answered: () => undefined,
          trips: () => undefined,
          conflict: () => undefined,
          timerFired: () => undefined,
          timerFailed: complain('timers'),
          defect: complain('defect'),
          alarm: complain('alarm'),
          log: (level, event, fields) => log[level](fields, event),
        },
      });
      service.ports.push(serving.address.port);
      service.#stops.push(
        () => serving.drain(),
        () => store.close(),
      );
    }
    return service;
  }

  private constructor(redis: EmbeddedRedis, store: RedisStore, logged: string[]) {
    this.#redis = redis;
    this.#store = store;
    this.logged = logged;
  }

  /** The counters of an account: `a:` and `r:` with a bucket's name, and `n:open`. */
  async counters(tenant: string, account: string): Promise<Record<string, number>> {
    return (await this.#store.load({ tenant, account })).account?.counters ?? {};
  }

  /** Every effect, those of one account in the order in which they were stored. */
  async records(): Promise<ChargingRecord[]> {
    const { partitions } = this.#store;
    const all = Array.from({ length: partitions }, (_, one) =>
      recordsOfPartition(this.#store, one),
    );
    return (await Promise.all(all)).flat();
  }

  async timers(): Promise<number> {
    const { redis } = this.#store.connection;
    const each = Array.from({ length: this.#store.partitions }, (_, one) =>
      redis.zcard(this.#store.keysOf(one).timers),
    );
    return (await Promise.all(each)).reduce((sum, one) => sum + one, 0);
  }

  audit(): Promise<AuditReport> {
    const { redis } = this.#store.connection;
    const { partitions } = this.#store;
    return audit(redisAuditView({ redis, partitions }), { name: 'captures' });
  }

  async stop(): Promise<void> {
    try {
      for (const stop of this.#stops) await stop();
      await this.#store.close();
    } finally {
      await this.#redis.stop();
    }
  }
}
