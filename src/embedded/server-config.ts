/**
 * The private Redis' configuration: nothing listens on the network, nothing is evicted, and with
 * durability `fsync` no reply leaves before its write is on disk and no damaged file is read silently.
 */
import { totalmem } from 'node:os';

export interface ServerConfig {
  readonly folder: string;
  readonly socketPath: string;
  readonly durability: 'fsync' | 'memory';
  readonly memoryMegabytes?: number | undefined;
}

/** The text of a `redis.conf`; the same for Redis 7 and later and for Valkey. */
export function serverConfig(config: ServerConfig): string {
  const durable = config.durability === 'fsync';
  const lines = [
    'port 0',
    `unixsocket ${quote(config.socketPath)}`,
    'unixsocketperm 700',
    `dir ${quote(config.folder)}`,
    'daemonize no',
    'logfile ""',
    'loglevel notice',
    'always-show-logo no',
    'databases 1',
    'maxclients 1024',
    `maxmemory ${config.memoryMegabytes ?? defaultMemoryMegabytes()}mb`,
    'maxmemory-policy noeviction',
    'busy-reply-threshold 1000',
    `appendonly ${durable ? 'yes' : 'no'}`,
    'appendfsync always',
    'no-appendfsync-on-rewrite no',
    'aof-load-truncated no',
    'aof-use-rdb-preamble yes',
    'save ""',
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * Two fifths of what this process may use: a rewrite of the append-only file can for a while need
 * nearly as much again, and the workers live here too.
 */
export function defaultMemoryMegabytes(): number {
  const limit = process.constrainedMemory();
  const bytes = limit > 0 ? Math.min(limit, totalmem()) : totalmem();
  return Math.max(64, Math.floor((bytes * 0.4) / 1_048_576));
}

/** As redis.conf quotes: backslash escapes in double quotes, bytes beyond ASCII as they are. */
function quote(text: string): string {
  const escaped = text.replace(/[\\"]/g, '\\$&').replaceAll('\n', '\\n').replaceAll('\r', '\\r');
  return `"${escaped}"`;
}
