/**
 * The store for a command that looks at it, or changes it, beside the workers: the Redis of the
 * settings, or the private one that a running Tollkeeper has in the data folder.
 */
import { resolve } from 'node:path';
import type { Settings } from '../config.ts';
import { claimedSocket } from '../embedded/claim.ts';
import { TollkeeperError } from '../errors.ts';
import { createLog } from '../log.ts';
import { StoreMisconfigured } from '../store/redis/check.ts';
import { StoreIncompatible } from '../store/redis/meta.ts';
import { openRedisStore, type RedisStore } from '../store/redis/store.ts';
import { StoreUnavailable } from '../store/store.ts';

/** The settings that `withStore` reads. */
export const storeSettings = ['redisUrl', 'dataDir', 'durability', 'lab', 'logLevel'] as const;

/** How long a command waits for one reply; people are more patient than gateways. */
const TIMEOUT_MS = 5_000;

/**
 * Opens the store, uses it and closes it. Throws STORE_UNAVAILABLE where it cannot be reached, then
 * or in between, STORE_NOT_DURABLE where its server breaks what the settings promise, and
 * STORE_INCOMPATIBLE where it holds what another version made.
 */
export async function withStore<Result>(
  settings: Settings,
  use: (store: RedisStore) => Promise<Result>,
): Promise<Result> {
  const url = settings.redisUrl ?? privateRedis(settings.dataDir);
  try {
    const store = await openRedisStore({
      url,
      durability: settings.durability,
      lab: settings.lab,
      timeoutMs: TIMEOUT_MS,
      // What goes wrong with the store is the command's own error, and says so once.
      log: createLog({ level: settings.logLevel === 'warn' ? 'error' : settings.logLevel }),
    });
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  } catch (error) {
    throw codedStoreError(error);
  }
}

function privateRedis(dataDir: string): string {
  const socket = claimedSocket(resolve(dataDir, 'redis'));
  if (socket !== undefined) return socket;
  throw new TollkeeperError('STORE_UNAVAILABLE', {
    reason:
      `no Tollkeeper runs in ${dataDir}; start it, name its folder with --data-dir, ` +
      'or name a Redis with --redis-url',
  });
}

/** What the store throws, as the error that a person is told; anything else as it is. */
export function codedStoreError(error: unknown): unknown {
  if (error instanceof StoreUnavailable)
    return new TollkeeperError('STORE_UNAVAILABLE', { reason: error.message }, { cause: error });
  if (error instanceof StoreMisconfigured) {
    const problems = error.problems.map((problem) => `  ${problem}`).join('\n');
    return new TollkeeperError('STORE_NOT_DURABLE', { problems }, { cause: error });
  }
  if (error instanceof StoreIncompatible) {
    const { found, wanted } = error;
    return new TollkeeperError('STORE_INCOMPATIBLE', { found, wanted }, { cause: error });
  }
  return error;
}
