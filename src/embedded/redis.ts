/**
 * Runs a private Redis for people who have none: found on this machine, reached by a Unix socket that
 * only this user can open, its files in the data folder. It lives as long as its owner. A stop ends it
 * in order; if the owner is killed, a shell that holds the other end of a pipe sees the pipe close and
 * ends it; and what even that leaves behind is ended by the next start, from the claim in the folder.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as after } from 'node:timers/promises';
import { TollkeeperError } from '../errors.ts';
import { claimFolder } from './claim.ts';
import { findServer, OLDEST_MAJOR } from './find-server.mjs';
import { identify } from './process-id.ts';
import { serverConfig } from './server-config.ts';
import {
  type EmbeddedLog,
  type Exit,
  runServer,
  type ServerProcess,
  untilReady,
} from './server-process.ts';
import { placeSocket } from './socket.ts';

export interface EmbeddedOptions {
  /** Where the files go; made if it does not exist. */
  readonly dataDir: string;
  /** `memory` keeps nothing on disk: everything is gone with the process. */
  readonly durability: 'fsync' | 'memory';
  /** The server to run; otherwise the first on the PATH that is new enough. */
  readonly server?: string | undefined;
  readonly memoryMegabytes?: number | undefined;
  readonly log?: EmbeddedLog;
}

export interface EmbeddedRedis {
  readonly socketPath: string;
  /** What a client is given to connect: the path of the socket. */
  readonly url: string;
  /** "7.0.15" */
  readonly version: string;
  /** Of the server that runs now: another one after a restart, none while it is down. */
  readonly pid: number | undefined;
  /** Ends the server in order and gives the folder back; safe to call twice. */
  stop(): Promise<void>;
  /** Ends the server as a power cut would (SIGKILL); it stays down until `restart`. */
  kill(): Promise<void>;
  /** Starts a server on the same data and the same socket; kills one that still runs. */
  restart(): Promise<void>;
  /** Told once, with the reason, when the server ended by itself and could not be brought back. */
  onExit(listener: (reason: string) => void): void;
}

/** A server that is asked to end writes out what it has; it gets this long. */
const STOP_GRACE_MS = 10_000;
/** One that ended by itself is started again so many times, unless it lived for long between. */
const RESTARTS = 5;
const FIRST_RESTART_AFTER_MS = 100;
const LIVED_FOR_LONG_MS = 60_000;

const silent: EmbeddedLog = { debug() {}, info() {}, warn() {} };

/**
 * Starts a private Redis and waits until it answers, however long it reads its data.
 * Throws REDIS_SERVER_MISSING, DATA_FOLDER_IN_USE, DATA_FOLDER_DURABLE, FILE_UNWRITABLE,
 * REDIS_DATA_DAMAGED and REDIS_START_FAILED.
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedRedis> {
  const { server, reason } = await findServer({ named: options.server });
  if (server === undefined) {
    throw new TollkeeperError('REDIS_SERVER_MISSING', { version: OLDEST_MAJOR, reason });
  }
  const folder = privateFolder(resolve(options.dataDir, 'redis'));
  if (options.durability === 'memory' && existsSync(join(folder, 'appendonlydir'))) {
    throw new TollkeeperError('DATA_FOLDER_DURABLE', { folder });
  }

  const log = options.log ?? silent;
  const claim = await claimFolder(folder);
  const socket = placeSocket(folder);
  const configFile = join(folder, 'redis.conf');
  const listeners: ((reason: string) => void)[] = [];
  let running: ServerProcess | undefined;
  /** Counts what was asked of us; a restart that was begun before it changed is not wanted any more. */
  let turn = 0;
  let restarts = 0;
  let stopping: Promise<void> | undefined;

  async function up(): Promise<void> {
    const mine = turn;
    const { durability, memoryMegabytes } = options;
    const config = serverConfig({ folder, socketPath: socket.path, durability, memoryMegabytes });
    writeFileSync(configFile, config, { mode: 0o600 });

    const process = runServer({ file: server!.file, configFile, log });
    running = process;
    const redis = identify(process.pid);
    claim.note({
      ...(redis === undefined ? {} : { redis }),
      ...(socket.folder === undefined ? {} : { socketFolder: socket.folder }),
    });
    const startedAt = performance.now();
    const found = await untilReady(process, { socketPath: socket.path, log });
    if (found !== 'ready') {
      running = undefined;
      throw startError(folder, found);
    }

    void process.exited.then((exit) => {
      if (turn !== mine) return;
      running = undefined;
      if (performance.now() - startedAt > LIVED_FOR_LONG_MS) restarts = 0;
      return bringBack(exit);
    });
  }

  async function bringBack(exit: Exit): Promise<void> {
    const mine = turn;
    let reason = `${exit.how}: ${exit.lastLines.join('\n')}`;
    while (restarts < RESTARTS) {
      log.warn(`the private Redis ${exit.how} and is started again`);
      await after(FIRST_RESTART_AFTER_MS * 2 ** restarts, undefined, { ref: false });
      if (turn !== mine) return;
      restarts++;
      try {
        return await up();
      } catch (error) {
        reason = (error as Error).message;
      }
      if (turn !== mine) return;
    }
    for (const listener of listeners) listener(reason);
  }

  async function down(how: (process: ServerProcess) => Promise<void>): Promise<void> {
    turn++;
    if (running !== undefined) await how(running);
    running = undefined;
  }

  async function stop(): Promise<void> {
    await down((process) => process.end({ graceMs: STOP_GRACE_MS }));
    rmSync(socket.folder ?? socket.path, { recursive: true, force: true });
    claim.release();
  }

  const redis: EmbeddedRedis = {
    socketPath: socket.path,
    url: socket.path,
    version: server.version,
    get pid() {
      return running?.pid;
    },
    stop: () => (stopping ??= stop()),
    kill: () => down((process) => process.kill()),
    async restart() {
      await down((process) => process.kill());
      restarts = 0;
      await up();
    },
    onExit: (listener) => {
      listeners.push(listener);
    },
  };
  try {
    await up();
    return redis;
  } catch (error) {
    await redis.stop();
    throw error;
  }
}

/** One for a test or a trial, in a new temporary folder that is removed at the stop. */
export async function startTemporary(
  options: Partial<Omit<EmbeddedOptions, 'dataDir'>> = {},
): Promise<EmbeddedRedis> {
  const dataDir = mkdtempSync(join(tmpdir(), 'tk-'));
  const remove = () => rmSync(dataDir, { recursive: true, force: true });
  try {
    const redis = await startEmbedded({ durability: 'memory', ...options, dataDir });
    const { stop } = redis;
    redis.stop = () => stop().then(remove);
    return redis;
  } catch (error) {
    remove();
    throw error;
  }
}

function privateFolder(folder: string): string {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    return folder;
  } catch (error) {
    const reason = (error as Error).message;
    throw new TollkeeperError('FILE_UNWRITABLE', { file: folder, reason }, { cause: error });
  }
}

function startError(folder: string, exit: Exit): TollkeeperError {
  const reason = [exit.how, ...exit.lastLines].join('\n');
  const damaged =
    /Bad file format|Unexpected end of file|Unrecoverable error|AOF file .*(missing|truncated)/i;
  return damaged.test(reason)
    ? new TollkeeperError('REDIS_DATA_DAMAGED', { folder, reason })
    : new TollkeeperError('REDIS_START_FAILED', { reason });
}
