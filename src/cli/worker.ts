/** A worker process: the parent says what to serve, and is told how it goes. See `fleet.ts`. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Settings } from '../config.ts';
import { WorkerFigures, type WorkerMetrics } from '../http/figures.ts';
import { createLog, type Log } from '../log.ts';
import { TakenConfiguration } from '../provisioning/in-effect.ts';
import { openRedisStore, type RedisStore } from '../store/redis/store.ts';
import { defineCommand } from './command.ts';
import type { FromWorker, ToWorker } from './fleet.ts';
import { type FollowedConfiguration, followConfiguration } from './follow.ts';
import { repeat } from './repeat.ts';
import { preparing, type ServeEvents, type Serving, serve, unservable } from './serve.ts';

const METRICS_EVERY_MS = 2_000;
/** Less is no hanging Redis but a busy disk; more would be felt by every client. */
const MIN_STORE_TIMEOUT_MS = 250;
const MAX_STORE_TIMEOUT_MS = 1_000;

export const command = defineCommand({
  name: 'worker',
  summary: 'Serves Diameter as one of the processes of `start`.',
  usage: '',
  examples: ['start --workers 2'],
  internal: true,
  flags: {},
  async run() {
    if (process.send === undefined) return 2;
    const assignment = await new Promise<ToWorker>((resolve) => process.once('message', resolve));
    if (assignment.type !== 'serve') return 0;
    const log = createLog({
      level: assignment.settings.logLevel,
      fields: { worker: assignment.worker },
    });
    try {
      await work(assignment, log);
      return 0;
    } catch (error) {
      tell({ type: 'failed', reason: error instanceof Error ? error.message : String(error) });
      return 1;
    } finally {
      if (process.connected) process.disconnect();
    }
  },
});

async function work(assignment: ToWorker & { type: 'serve' }, log: Log): Promise<void> {
  const { settings, worker, name } = assignment;
  // A Ctrl-C reaches every process of the terminal; when to stop is the parent's to say.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => undefined);
  const stopped = new Promise<void>((resolve) => {
    process.on('message', (message: ToWorker) => {
      if (message.type === 'drain') resolve();
    });
    process.on('disconnect', resolve);
  });
  const store = await openRedisStore({
    url: assignment.redis,
    partitions: settings.partitions,
    durability: settings.durability,
    lab: settings.lab,
    timeoutMs: storeTimeoutMs(settings),
    log,
  });
  const figures = new WorkerFigures();
  try {
    const events = eventsOf(figures, log);
    const configuration = await followConfiguration(store, {
      log,
      alarm: events.alarm,
      problems: (peers) => unservable(settings, peers),
      preparing,
      lastPeers: assignment.peers,
    });
    const serving = await serve({
      settings,
      worker,
      workerName: name,
      store,
      // RFC 6733 8.16: it grows when sessions were lost, and not when a worker starts again.
      originStateId: store.connection.madeAt,
      configuration,
      events,
    });
    const stopSaying = await sayWhatIsTaken(store, { settings, name, configuration, log });
    tell({ type: 'ready', host: serving.address.address, port: serving.address.port });
    const stopMetrics = report(() => snapshot(figures, { serving, store }));
    await stopped;
    stopMetrics();
    await configuration.stop();
    await stopSaying();
    await serving.drain();
  } finally {
    await store.close();
  }
}

/** Says which configuration this worker serves by, until the returned function is called. */
async function sayWhatIsTaken(
  store: RedisStore,
  of: { settings: Settings; name: string; configuration: FollowedConfiguration; log: Log },
): Promise<() => Promise<void>> {
  const { settings, name, configuration, log } = of;
  const ttlMs = settings.leaseMs;
  const taken = new TakenConfiguration(store, { worker: name, ttlMs, source: configuration });
  const say = () =>
    taken.announce().catch((error) => log.warn({ error }, 'what is taken is not announced'));
  await say();
  const stopListening = configuration.onChange(() => void say());
  const stopRepeating = repeat(ttlMs / 3, say);
  return async () => {
    stopListening();
    await stopRepeating();
    await taken.leave().catch(() => undefined);
  };
}

function eventsOf(figures: WorkerFigures, log: Log): ServeEvents {
  return {
    answered: (kind, resultCode, ms) => figures.answered(kind, resultCode, ms),
    trips: (kind, count) => figures.trips(kind, count),
    conflict: () => figures.conflict(),
    alarm(event, fields) {
      figures.alarm(event);
      log.warn({ event, ...fields }, 'alarm');
    },
    defect(error) {
      figures.defect();
      log.error({ error }, 'a request failed');
    },
    timerFired: (kind, lateMs) => figures.fired(kind, lateMs),
    timerFailed(error) {
      figures.failed();
      log.warn({ error }, 'timers not reached');
    },
    log: (level, event, fields) => log[level](fields, event),
  };
}

async function snapshot(
  figures: WorkerFigures,
  { serving, store }: { serving: Serving; store: RedisStore },
): Promise<WorkerMetrics> {
  const { inFlight, queuedBytes, states } = serving.statistics();
  const refusal = await store.ready();
  return figures.snapshot({
    ready: refusal === undefined,
    requestsInFlight: inFlight,
    peersConnected: states.open ?? 0,
    queuedBytes,
    clockOffsetSeconds: store.clockAheadMs() / 1000,
  });
}

/** Sends the figures every second until the returned function is called. */
function report(read: () => Promise<WorkerMetrics>): () => void {
  const stop = new AbortController();
  void (async () => {
    while (!stop.signal.aborted) {
      tell({ type: 'metrics', metrics: await read() });
      await pause(METRICS_EVERY_MS, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  })();
  return () => stop.abort();
}

function tell(message: FromWorker<WorkerMetrics>): void {
  // A parent that is gone is noticed by its disconnect, not here.
  if (process.connected) process.send?.(message, () => undefined);
}

/** A call that hangs must not outlive the request that made it by much. */
function storeTimeoutMs({ deadlineMs }: Settings): number {
  return Math.max(MIN_STORE_TIMEOUT_MS, Math.min(MAX_STORE_TIMEOUT_MS, deadlineMs / 2));
}
