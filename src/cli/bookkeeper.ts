/**
 * Keeps the records of a service: writes them to files, folds them into the audit's checkpoints and
 * trims them from the store. It has a connection of its own, away from the path of requests.
 */
import { randomUUID } from 'node:crypto';
import type { Settings } from '../config.ts';
import { readableGroup } from '../diameter/readable.ts';
import { Membership } from '../engine/membership.ts';
import type { Log } from '../log.ts';
import { systemClock } from '../peer/clock.ts';
import { type RecordLag, startRecordKeeper } from '../store/records/keeper.ts';
import { redisRecordLog } from '../store/records/redis-log.ts';
import { createClient } from '../store/redis/connect.ts';
import type { Store } from '../store/store.ts';
import { repeat } from './repeat.ts';

export interface Bookkeeper {
  lag(): Promise<RecordLag>;
  /** Finishes what it is at and gives its leases back. */
  stop(): Promise<void>;
}

export async function keepBooks(options: {
  settings: Settings;
  store: Store;
  /** Where the store is: a URL or the path of a socket. */
  redis: string;
  /** Stable across restarts: it names the files. */
  name: string;
  log: Log;
}): Promise<Bookkeeper> {
  const { settings, store, name, log } = options;
  const redis = createClient({ url: options.redis }, (error) =>
    log.warn({ error }, 'the connection for records failed'),
  );
  await redis.connect();
  const membership = new Membership(store, { duty: 'records', name, ttlMs: settings.leaseMs });
  const announce = () =>
    membership.announce().catch((error) => log.warn({ error }, 'not announced for records'));
  await announce();
  const stopAnnouncing = repeat(settings.leaseMs / 3, announce);
  const keeper = startRecordKeeper({
    log: redisRecordLog({ redis, partitions: store.partitions }),
    mine: (partition) => membership.mine(partition),
    worker: name,
    holder: randomUUID(),
    files: {
      directory: settings.recordDir,
      maxBytes: settings.recordFileBytes,
      maxAgeMs: settings.recordFileSeconds * 1000,
      keep: settings.recordFilesKept,
      now: Date.now,
    },
    readInformation: (octets) => readableGroup('Service-Information', octets),
    clock: systemClock,
    problem: (problem) => log.warn({ ...problem }, `records: ${problem.kind}`),
  });
  return {
    lag: () => keeper.lag(),
    async stop() {
      await stopAnnouncing();
      await keeper.stop();
      await membership.leave().catch(() => undefined);
      redis.disconnect();
    },
  };
}
