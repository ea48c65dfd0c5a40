/**
 * A connection to one Redis server that never sends a command twice and never keeps one for later:
 * by default the client would send a commit again after a lost connection, and charge twice.
 * What a rejected command means is in `failure.ts`.
 */
import { Redis, type RedisOptions } from 'ioredis';

export interface ConnectOptions {
  /** `redis://`, `rediss://` or the path of a Unix socket. */
  url?: string;
  socketPath?: string;
  /** How long a reply is waited for before its command counts as unknown, in ms. */
  timeoutMs?: number;
}

const DEFAULT_URL = 'redis://127.0.0.1:6379';
const FIRST_RECONNECT_MS = 20;
const LAST_RECONNECT_MS = 1_000;

/** The client's options; `timeoutMs` bounds how long a commit may hang. */
export function profile(timeoutMs: number): RedisOptions & { replyMapping: 'legacy' } {
  return {
    lazyConnect: true,
    replyMapping: 'legacy',
    // Never again by itself: the caller knows whether a command may be repeated.
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    enableOfflineQueue: false,
    enableAutoPipelining: false,
    reconnectOnError: null,
    autoResubscribe: false,
    // Without it the promise of an unfulfilled command may never settle.
    commandTimeout: timeoutMs,
    socketTimeout: 2 * timeoutMs,
    connectTimeout: Math.max(1_000, timeoutMs),
    keepAlive: 5_000,
    noDelay: true,
    disableClientInfo: true,
    connectionName: 'tollkeeper',
    retryStrategy: (attempt) => {
      const delay = Math.min(FIRST_RECONNECT_MS * 2 ** Math.min(attempt, 10), LAST_RECONNECT_MS);
      return Math.round(delay * (0.5 + Math.random() / 2));
    },
  };
}

export const DEFAULT_TIMEOUT_MS = 1_000;

/** A client that is not connected yet. Its `error` events are told to `onError`, as text. */
export function createClient(
  { url, socketPath, timeoutMs = DEFAULT_TIMEOUT_MS }: ConnectOptions,
  onError: (text: string) => void,
): Redis {
  const options = profile(timeoutMs);
  const path = socketPath ?? (url?.startsWith('unix:') ? url.replace(/^unix:(\/\/)?/, '') : url);
  const redis = new Redis(path ?? DEFAULT_URL, options);
  redis.on('error', (error: Error) => onError(error.message));
  return redis;
}
