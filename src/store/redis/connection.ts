/**
 * The one connection of a store: nothing goes out on it before the server behind it is known to be
 * the one that stamped every partition's epoch. That is checked on every new connection, when the
 * server says that it may not write, and now and then, because a server can change its role
 * without a connection closing.
 */
import type { Redis } from 'ioredis';
import { StoreUnavailable } from '../store.ts';
import {
  checkServer,
  type Durability,
  type ServerIdentity,
  type ServerReport,
  StoreMisconfigured,
  serverIdentity,
} from './check.ts';
import { ServerClock } from './clock.ts';
import { type ConnectOptions, createClient } from './connect.ts';
import { raiseEpochs } from './epochs.ts';
import { classify, errorWord, withoutArguments } from './failure.ts';
import { type PartitionKeys, partitionKeys } from './keys.ts';
import { isMadeAt, StoreIncompatible, settleMeta } from './meta.ts';
import type { Script } from './script.ts';
import { type Call, evalSource, evalsha, type Reply } from './script-call.ts';
import { scripts } from './scripts.ts';

/** Where the store says what an operator should know. */
export interface StoreLog {
  warn(details: object, text: string): void;
  info(details: object, text: string): void;
}

export interface ConnectionOptions extends ConnectOptions {
  /** Absent: as the store has it, or the default for a new one. */
  partitions?: number;
  durability: Durability;
  /** A laboratory: what the server's settings break is warned of, not refused. */
  lab?: boolean;
  log: StoreLog;
  /** How often the server's identity and clock are looked at. */
  checkEveryMs?: number;
}

const CHECK_EVERY_MS = 5_000;
const RETRY_CHECK_MS = 200;

export class Connection {
  readonly redis: Redis;
  readonly clock = new ServerClock();
  readonly #log: StoreLog;
  readonly #checkEveryMs: number;
  #partitions: readonly PartitionKeys[] = [];
  #madeAt = 0;
  /** Why nothing may be sent; undefined when all is well. */
  #refusal: string | undefined = 'not connected to Redis';
  #server: ServerIdentity | undefined;
  /** Counts connections and suspicions: a check that was overtaken says nothing. */
  #round = 0;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  /** Connects, checks the server and opens the epochs; throws when any of it cannot be done. */
  static async open(options: ConnectionOptions): Promise<Connection> {
    const connection = new Connection(options);
    try {
      await connection.#open(options);
      return connection;
    } catch (error) {
      await connection.close();
      if (error instanceof StoreMisconfigured || error instanceof StoreIncompatible) throw error;
      throw classify(error);
    }
  }

  private constructor(options: ConnectionOptions) {
    this.#log = options.log;
    this.#checkEveryMs = options.checkEveryMs ?? CHECK_EVERY_MS;
    this.redis = createClient(options, (reason) => {
      if (!this.#closed) this.#log.warn({ reason }, 'connection to Redis');
    });
  }

  async #open(options: ConnectionOptions): Promise<void> {
    try {
      await this.redis.connect();
    } catch (error) {
      const reason = withoutArguments(error instanceof Error ? error.message : '');
      throw new StoreUnavailable('no', `no connection to Redis: ${reason}`);
    }
    report(await checkServer(this.redis, options.durability), options);
    const { partitions, madeAt } = await settleMeta(this.redis, options.partitions);
    this.#madeAt = madeAt;
    this.#partitions = Array.from({ length: partitions }, (_, i) => partitionKeys(i));
    await this.#verify(++this.#round);
    this.redis.on('close', () => this.#suspend('not connected to Redis'));
    this.redis.on('ready', () => this.#check(++this.#round));
    if (this.redis.status !== 'ready') this.#suspend('not connected to Redis');
    this.#schedule(this.#checkEveryMs);
  }

  get partitions(): readonly PartitionKeys[] {
    return this.#partitions;
  }

  /** When the store was made, in seconds since 1970. */
  get madeAt(): number {
    return this.#madeAt;
  }

  /** Why the store cannot be used now, or undefined. */
  get refusal(): string | undefined {
    return this.#refusal;
  }

  /** Runs a script; rejects with StoreUnavailable. */
  async call(script: Script, call: Call): Promise<Reply> {
    this.#admit();
    try {
      return await evalsha(this.redis, script, call);
    } catch (error) {
      if (errorWord(error) !== 'NOSCRIPT') throw this.#failed(error);
    }
    // The server lost its scripts, so nothing ran; it may even be another server by now.
    this.#admit();
    try {
      return await evalSource(this.redis, script, call);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** Runs commands of which each may be repeated; rejects with StoreUnavailable. */
  async run<Result>(commands: (redis: Redis) => Promise<Result>): Promise<Result> {
    this.#admit();
    try {
      return await commands(this.redis);
    } catch (error) {
      throw this.#failed(error);
    }
  }

  /** What was read does not fit a server that was checked: look again before anything else. */
  distrust(reason: string): StoreUnavailable {
    this.#suspend(reason);
    if (this.redis.status === 'ready') this.#check(this.#round);
    return new StoreUnavailable('no', reason);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#suspend('closed');
    clearTimeout(this.#timer);
    if (this.redis.status === 'ready') await this.redis.quit().catch(() => undefined);
    this.redis.disconnect();
  }

  #admit(): void {
    if (this.#refusal !== undefined) throw new StoreUnavailable('no', this.#refusal);
  }

  #failed(error: unknown): StoreUnavailable {
    const word = errorWord(error);
    if (word === 'READONLY' || word === 'LOADING' || word === 'MASTERDOWN')
      this.distrust(`Redis refused: ${word}`);
    return classify(error);
  }

  #suspend(reason: string): void {
    this.#round++;
    this.#refusal = reason;
  }

  /** Verifies the server until it is in order or the connection is another one. */
  #check(round: number): void {
    if (this.#closed || round !== this.#round) return;
    this.#verify(round).catch((error: unknown) => {
      if (round !== this.#round || this.#closed) return;
      this.#refusal = `Redis is not in order: ${classify(error).message}`;
      this.#log.warn({ reason: this.#refusal }, 'checking Redis');
      this.#schedule(RETRY_CHECK_MS);
    });
  }

  async #verify(round: number): Promise<void> {
    const { redis } = this;
    const server = await serverIdentity(redis);
    if (server.role !== 'master')
      throw new StoreUnavailable('no', `its role is ${server.role}, not master`);
    // To go on would be to tell every client that its subscribers are unknown.
    if (!(await isMadeAt(redis, this.#madeAt)))
      throw new StoreUnavailable('no', 'it lost its data, or has another store now');
    await Promise.all(Object.values(scripts).map(({ source }) => redis.script('LOAD', source)));
    await this.clock.measure(redis);
    const raised = await raiseEpochs({
      redis,
      call: (script, call) => evalsha(redis, script, call),
      partitions: this.#partitions,
      server,
      now: this.clock.now(),
    });
    if (raised > 0) this.#log.info({ partitions: raised, runId: server.runId }, 'epochs raised');
    if (round !== this.#round) return;
    this.#server = server;
    this.#refusal = undefined;
  }

  #schedule(afterMs: number): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    this.#timer = setTimeout(() => this.#tick(), afterMs).unref();
  }

  /** Looks whether the server is still the one that was checked, and what time it has. */
  #tick(): void {
    this.#schedule(this.#checkEveryMs);
    if (this.redis.status !== 'ready') return;
    if (this.#refusal !== undefined) {
      this.#check(this.#round);
      return;
    }
    const round = this.#round;
    this.#look().then(
      (same) => {
        if (!same && round === this.#round) this.distrust('Redis is another server by now');
      },
      (error: unknown) => {
        if (this.#closed) return;
        this.#log.warn({ reason: classify(error).message }, 'looking at Redis');
      },
    );
  }

  async #look(): Promise<boolean> {
    await this.clock.measure(this.redis);
    const { role, runId, replicationId } = await serverIdentity(this.redis);
    const known = this.#server;
    return role === 'master' && runId === known?.runId && replicationId === known.replicationId;
  }
}

function report({ problems, warnings }: ServerReport, { lab, log }: ConnectionOptions): void {
  for (const warning of warnings) log.warn({ warning }, 'Redis settings');
  if (problems.length === 0) return;
  if (!lab) throw new StoreMisconfigured(problems);
  for (const problem of problems) log.warn({ problem }, 'Redis settings, allowed in a laboratory');
}
