/** A worker process as in production, `serve` on a Redis, which counts what it does. */
import { readProvisioning } from '../src/cli/provisioned.ts';
import { type Serving, serve } from '../src/cli/serve.ts';
import { parseSettings } from '../src/config.ts';
import { createLog } from '../src/log.ts';
import { applyFile } from '../src/provisioning/apply-file.ts';
import { fixedConfiguration } from '../src/provisioning/live.ts';
import { openRedisStore } from '../src/store/redis/store.ts';
import { answerParent, cpuUs } from './child.ts';

export type WorkerQuestion =
  | {
      ask: 'serve';
      redis: string;
      durability: 'memory' | 'fsync';
      worker: number;
      /** The provisioning file. */
      provisioning: string;
    }
  | { ask: 'figures' };

/** Sums since the process started; `port` since it serves. */
export interface WorkerReply {
  port: number;
  cpuUs: number;
  answers: number;
  /** Requests and their round trips to the store, by kind. */
  requests: Record<string, number>;
  trips: Record<string, number>;
}

const figures = {
  answers: 0,
  requests: {} as Record<string, number>,
  trips: {} as Record<string, number>,
};
let serving: Serving | undefined;

async function start(question: WorkerQuestion & { ask: 'serve' }): Promise<Serving> {
  const { redis, durability, worker } = question;
  const { settings, problems } = parseSettings({ env: {}, flags: ['--diameter-port=0'] });
  if (settings === undefined) throw new Error(JSON.stringify(problems));
  const log = createLog({ level: 'warn' });
  const file = readProvisioning(question.provisioning);
  const store = await openRedisStore({
    url: redis,
    partitions: settings.partitions,
    durability,
    lab: false,
    log,
  });
  await applyFile(store, file, { all: false });
  return await serve({
    settings,
    worker,
    workerName: `bench-${worker}`,
    store,
    configuration: fixedConfiguration(file.provisioning),
    events: {
      answered() {
        figures.answers += 1;
      },
      trips(kind, count) {
        figures.requests[kind] = (figures.requests[kind] ?? 0) + 1;
        figures.trips[kind] = (figures.trips[kind] ?? 0) + count;
      },
      conflict() {},
      defect: (error) => log.error({ error }, 'defect'),
      alarm: (event, fields) => log.warn(fields, event),
      timerFired() {},
      timerFailed: (error) => log.warn({ error }, 'timers not reached'),
      log: (level, event, fields) => log[level](fields, event),
    },
  });
}

answerParent(async (question: WorkerQuestion): Promise<WorkerReply> => {
  if (question.ask === 'serve') serving = await start(question);
  return { port: serving?.address.port ?? 0, cpuUs: cpuUs(), ...figures };
});
