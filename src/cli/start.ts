/**
 * Everything in one go: a Redis if there is none, the workers, the HTTP API, what the
 * provisioning file says; and on a fresh installation a sample to look at.
 */
import { type AddressInfo, createServer } from 'node:net';
import { hostname } from 'node:os';
import { originHosts, type Settings } from '../config.ts';
import { type EmbeddedRedis, startEmbedded } from '../embedded/redis.ts';
import { TollkeeperError } from '../errors.ts';
import type { WorkerMetrics } from '../http/figures.ts';
import { createLog, type Log } from '../log.ts';
import { overruledText } from '../provisioning/apply.ts';
import { applyFile, planGoneText } from '../provisioning/apply-file.ts';
import type { ConfigurationSource } from '../provisioning/live.ts';
import type { LoadedFile } from '../provisioning/load.ts';
import type { Provisioning } from '../provisioning/provisioning.ts';
import { isRemembered } from '../provisioning/remembered.ts';
import type { WrittenFile } from '../provisioning/schema.ts';
import type { ConfigurationStore } from '../store/configuration.ts';
import { openRedisStore, type RedisStore } from '../store/redis/store.ts';
import { serveHttp } from './api.ts';
import { askingForPlan } from './asking.ts';
import { type Bookkeeper, keepBooks } from './bookkeeper.ts';
import { type Call, defineCommand } from './command.ts';
import { Fleet } from './fleet.ts';
import { type FollowedConfiguration, followConfiguration } from './follow.ts';
import { codedStoreError } from './open-store.ts';
import { readProvisioning, sampleProvisioning } from './provisioned.ts';
import { Screen } from './screen.ts';
import { unservable } from './serve.ts';
import { showSample } from './showcase.ts';

export const command = defineCommand({
  name: 'start',
  summary: 'Run Tollkeeper: a Redis if needed, the workers, the HTTP API',
  usage: '',
  details:
    'Without --redis-url a private Redis is run, its data in --data-dir. Of a provisioning file ' +
    'that was applied before, only what it says otherwise than the last time is applied: what was ' +
    'changed by HTTP or by command since stays. Without one, a store that has no configuration ' +
    'yet gets a sample of two MVNOs, and a sample trace is replayed to it. Ends in order at Ctrl-C ' +
    'or SIGTERM.',
  examples: ['start', 'start --provisioning-file mvne.yaml --redis-url redis://10.0.0.5:6379'],
  flags: {},
  settings: 'all',
  async run(call) {
    const stop = stopSignal();
    const service = new Service(call, stop);
    try {
      await service.up();
      await Promise.race([stopped(stop), service.failed]);
    } catch (error) {
      if (error !== stop.reason) throw codedStoreError(error);
    } finally {
      await service.down();
    }
    return 0;
  },
});

/** Without the problems themselves, which name what only the log may show. */
const NOT_TAKEN = 'the newest configuration is not in effect as a whole; the log says why';

/** A terminal, a shell and npm may each pass on one Ctrl-C; what comes within this is one. */
const ONE_SIGNAL_MS = 1_000;

/** Aborted at the first Ctrl-C or SIGTERM; another one later ends the process at once. */
function stopSignal(): AbortSignal {
  const stop = new AbortController();
  let askedAt: number | undefined;
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => {
      if (askedAt !== undefined && performance.now() - askedAt > ONE_SIGNAL_MS) process.exit(1);
      askedAt ??= performance.now();
      stop.abort();
    });
  }
  return stop.signal;
}

function stopped(stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (stop.aborted) resolve();
    else stop.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** The parts that run, in the order in which they were started. */
class Service {
  readonly failed: Promise<never>;
  readonly #call: Call;
  readonly #stop: AbortSignal;
  readonly #settings: Settings;
  readonly #log: Log;
  readonly #screen: Screen;
  readonly #metrics = new Map<number, WorkerMetrics>();
  readonly #stops: (() => Promise<void>)[] = [];
  #isUp = false;
  #fail: (error: Error) => void = () => undefined;

  constructor(call: Call, stop: AbortSignal) {
    this.#call = call;
    this.#stop = stop;
    this.#settings = call.settings;
    this.#log = createLog({ level: call.settings.logLevel });
    this.#screen = new Screen(call);
    this.failed = new Promise((_, reject) => {
      this.#fail = reject;
    });
    // Nobody may be waiting yet when the first part fails.
    this.failed.catch(() => undefined);
  }

  /** Throws the reason of the stop when that is asked for before all is up. */
  async up(): Promise<void> {
    const { provisioningFile } = this.#settings;
    const named = readProvisioning(provisioningFile ?? sampleProvisioning);
    this.#screen.title();
    const redis = await this.#unlessStopped(this.#redis());
    const store = await this.#unlessStopped(this.#store(redis));
    const isSample =
      provisioningFile === undefined &&
      (await this.#unlessStopped(isFreshOrSample(store, named.written)));
    const isApplied = provisioningFile !== undefined || isSample;
    if (isApplied) await this.#unlessStopped(this.#provision(store, named));
    const configuration = await this.#unlessStopped(this.#configuration(store));
    const { provisioning } = configuration.current;
    this.#tenants(provisioning, isApplied ? named.provisioning : undefined);
    await this.#unlessStopped(store.rememberListener(this.#settings.diameterHost));
    const settings = await withFreePorts(this.#settings);
    const books = await this.#unlessStopped(this.#books(store, redis));
    const addresses = await this.#unlessStopped(this.#workers(settings, { redis, configuration }));
    await this.#unlessStopped(this.#http(store, { configuration, books }));
    if (isSample) {
      const { host, port } = addresses[0] ?? { host: settings.diameterHost, port: 0 };
      const to = { screen: this.#screen, store, provisioning: named.provisioning, host, port };
      await this.#unlessStopped(showSample({ ...to, signal: this.#stop }));
    }
    this.#screen.next(settings, addresses, provisioning.tenants[0]?.id ?? '');
    this.#isUp = true;
  }

  /** A part is begun only after the one before it, and then waited for: so each can be ended. */
  async #unlessStopped<Part>(part: Promise<Part>): Promise<Part> {
    const begun = await part;
    this.#stop.throwIfAborted();
    return begun;
  }

  /** Ends what was started, the last first. */
  async down(): Promise<void> {
    // What fails to come up says why by its error, and has no peers to be told.
    const isAsked = this.#isUp || this.#stop.aborted;
    if (isAsked) this.#screen.stopping();
    for (const stop of this.#stops.reverse()) await stop();
    if (isAsked) this.#screen.stopped();
  }

  async #redis(): Promise<string> {
    const { redisUrl, dataDir, durability, redisServer, redisMemoryMegabytes } = this.#settings;
    if (redisUrl !== undefined) {
      this.#screen.fact('Redis', 'the one of --redis-url');
      return redisUrl;
    }
    const log = this.#log;
    const embedded: EmbeddedRedis = await startEmbedded({
      dataDir,
      durability,
      server: redisServer,
      memoryMegabytes: redisMemoryMegabytes,
      log: {
        debug: (text) => log.debug(text),
        info: (text) => log.debug(text),
        warn: (text) => log.warn(text),
      },
    });
    this.#stops.push(() => embedded.stop());
    embedded.onExit((reason) => {
      this.#fail(new TollkeeperError('REDIS_START_FAILED', { reason }));
    });
    const safe = durability === 'fsync' ? 'on disk before any answer leaves' : 'in memory only';
    this.#screen.fact('Redis', `private, ${embedded.version}, ${safe}`);
    this.#screen.fact('Data', dataDir);
    return embedded.url;
  }

  async #store(url: string): Promise<RedisStore> {
    const { partitions, durability, lab } = this.#settings;
    const store = await openRedisStore({ url, partitions, durability, lab, log: this.#log });
    this.#stops.push(() => store.close());
    return store;
  }

  /** Brings the store to what is new in the file since it was applied last. */
  async #provision(store: RedisStore, file: LoadedFile): Promise<void> {
    const progress = this.#screen.progress('Provisioning');
    const { accounts, overruled, plansGone } = await applyFile(store, file, {
      all: false,
      problems: ({ peers }) => unservable(this.#settings, peers),
      askClients: askingForPlan(store, this.#settings),
      onProgress: ({ done, total }) => {
        this.#stop.throwIfAborted();
        progress.at(done, total);
      },
    });
    progress.done();
    for (const what of overruled) this.#call.note(overruledText(what));
    for (const gone of plansGone) this.#call.note(planGoneText(gone));
    for (const { tenant, account, text } of accounts.notes)
      this.#call.note(`${tenant} ${account}: ${text}`);
  }

  /** All that are served; of those in the file it is known how many accounts it gives them. */
  #tenants({ tenants }: Provisioning, file: Provisioning | undefined): void {
    for (const { id, name } of tenants) {
      const inFile = file?.tenants.find((tenant) => tenant.id === id);
      const count = inFile === undefined ? '' : `, ${inFile.accounts.count} accounts`;
      this.#screen.fact('Tenant', `${id} (${name})${count}`);
    }
  }

  async #configuration(store: RedisStore): Promise<FollowedConfiguration> {
    const configuration = await followConfiguration(store, {
      log: this.#log,
      alarm: (event, fields) => this.#log.warn({ event, ...fields }, 'alarm'),
      problems: (peers) => unservable(this.#settings, peers),
    });
    this.#stops.push(() => configuration.stop());
    return configuration;
  }

  async #books(store: RedisStore, redis: string): Promise<Bookkeeper> {
    const settings = this.#settings;
    const books = await keepBooks({ settings, store, redis, name: hostName(), log: this.#log });
    this.#stops.push(() => books.stop());
    this.#screen.fact('Records', settings.recordDir);
    return books;
  }

  async #workers(
    settings: Settings,
    { redis, configuration }: { redis: string; configuration: ConfigurationSource },
  ) {
    const fleet = new Fleet<WorkerMetrics>({
      workers: settings.workers,
      assignment: (worker) => ({
        type: 'serve',
        settings,
        worker,
        name: `${hostName()}-${worker}`,
        redis,
        peers: configuration.current.provisioning.peers,
      }),
      onMetrics: (worker, metrics) => this.#metrics.set(worker, metrics),
      onLost: (worker, reason) => {
        this.#metrics.delete(worker);
        this.#log.error({ worker, reason }, 'a worker ended and is started again');
      },
      drainMs: settings.drainMs,
    });
    const addresses = await fleet.start();
    this.#stops.push(() => fleet.stop());
    const names = originHosts(settings).join(', ');
    const places = [...new Set(addresses.map(({ host, port }) => `${host}:${port}`))].join(', ');
    this.#screen.fact('Diameter', `${places}, ${settings.workers} workers, ${names}`);
    return addresses;
  }

  async #http(
    store: RedisStore,
    { configuration, books }: { configuration: FollowedConfiguration; books: Bookkeeper },
  ): Promise<void> {
    const { workers } = this.#settings;
    const api = await serveHttp({
      settings: this.#settings,
      store,
      configuration,
      log: this.#log,
      metrics: this.#metrics,
      async records() {
        const lag = await books.lag().catch(() => undefined);
        if (lag === undefined) return undefined;
        const { records, oldestAt = store.now() } = lag;
        return { lag: records, lagSeconds: Math.max(0, (store.now() - oldestAt) / 1000) };
      },
      readiness: async () => {
        const states = [...this.#metrics.values()].map(({ state }) => state.ready);
        const reasons: string[] = [];
        const refusal = await store.ready();
        if (refusal !== undefined) reasons.push(refusal);
        if (!states.includes(true)) reasons.push(`none of ${workers} workers is ready`);
        const notes = configuration.untaken.length === 0 ? [] : [NOT_TAKEN];
        return { ready: reasons.length === 0, reasons, notes };
      },
    });
    this.#stops.push(() => api.close());
    this.#screen.fact('HTTP', api.url);
  }
}

/**
 * Whether the sample is what is, or should be, provisioned: a store that somebody configured is left
 * as it is.
 */
async function isFreshOrSample(store: ConfigurationStore, sample: WrittenFile): Promise<boolean> {
  if ((await store.configurationStamp()) === '') return true;
  return isRemembered(await store.rememberedFile(), sample);
}

/** This machine's name, fit for the names of files and members. */
function hostName(): string {
  return hostname()
    .replaceAll(/[^A-Za-z0-9_-]/g, '-')
    .slice(0, 48);
}

/**
 * The settings with the Diameter port that is used: 0 becomes a free one, because workers that share
 * a port must know it. Throws PORT_UNAVAILABLE. Workers alone would not see that: a shared port can
 * be shared with another installation, which then gets half of the connections.
 */
async function withFreePorts(settings: Settings): Promise<Settings> {
  const { diameterHost: host, diameterPort: first, diameterPorts, workers } = settings;
  const isEach = diameterPorts === 'each' && first !== 0;
  const ports = Array.from({ length: isEach ? workers : 1 }, (_, worker) => first + worker);
  const [diameterPort = first] = await Promise.all(ports.map((port) => freePort({ host, port })));
  return { ...settings, diameterPort };
}

/** Resolves with the port, or a free one for 0, if nobody listens there. */
function freePort({ host, port }: { host: string; port: number }): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', ({ message: reason }) =>
      reject(new TollkeeperError('PORT_UNAVAILABLE', { what: 'Diameter', host, port, reason })),
    );
    probe.listen({ host, port }, () => {
      const address = probe.address() as AddressInfo;
      probe.close(() => resolve(address.port));
    });
  });
}
