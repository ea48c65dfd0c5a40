/**
 * The worker's background reader of records: it holds the leases of the partitions that the worker
 * looks after, folds their records into checkpoints, writes them to files and trims what both are
 * done with. One round at a time; a partition without news is asked less and less often.
 *
 *   claim -> read -> barrier -> fold into the checkpoint, and: write, sync, acknowledge, settle
 *         -> trim -> wait
 *
 * Nothing here throws to the worker: trouble is reported, and tried again later. While the disk
 * takes no lines they stay in the store, unacknowledged and untrimmed, and are never held in
 * memory beyond one round.
 */

import { StoreUnavailable } from '../store.ts';
import { findBreaks, foldRecords } from './checkpointer.ts';
import { type FileSink, type FileSinkOptions, openFileSink, type SinkLine } from './file-sink.ts';
import { type InformationReader, recordLine } from './line.ts';
import { CHECKPOINT, FILES, type LoggedRecord, type ReaderLease, type RecordLog } from './log.ts';
import { compareRecordIds, laterRecordId, parseRecordId, START } from './record-id.ts';

/** Monotonic time and timers of the keeper; `after` returns what calls the timer off. */
export interface KeeperClock {
  now(): number;
  after(delayMs: number, run: () => void): () => void;
}

export interface KeeperSettings {
  /** How long a lease outlives its last renewal; it is renewed at a third of this. */
  leaseMs: number;
  /** How long records of a busy partition are gathered before they are read. */
  busyMs: number;
  /** The longest wait between two looks at an idle partition. */
  idleMs: number;
  /** Records read in one round, over all partitions. */
  roundRecords: number;
  /** Records trimmed from a partition in one call, about. */
  trimRecords: number;
  /** The longest wait after trouble; the first is a sixteenth of it. */
  retryMs: number;
}

export const KEEPER_DEFAULTS: Readonly<KeeperSettings> = {
  leaseMs: 30_000,
  busyMs: 250,
  idleMs: 4_000,
  roundRecords: 8_192,
  trimRecords: 2_000,
  retryMs: 16_000,
};

/** What an operator should know. `lost`: the store came back without records that were written. */
export type KeeperProblem =
  | { kind: 'gap'; reader: string; partition: number; after: string; next: string }
  | {
      kind: 'lost';
      reader: string;
      partition: number;
      after: string;
      through: string;
      count?: number;
    }
  /** The disk took no lines: nothing was acknowledged, they are tried again. */
  | { kind: 'files'; error: unknown }
  /** A record makes no sense to this version; its partition is tried again later. */
  | { kind: 'unreadable'; partition: number; error: unknown }
  /** The store did not answer as it should; the round is tried again. */
  | { kind: 'store'; error: unknown };

export interface RecordKeeperOptions {
  log: RecordLog;
  /** Whether this worker looks after a partition. */
  mine(partition: number): boolean;
  /** Stable across restarts; letters, digits, `_` and `-`. */
  worker: string;
  /** Unique to this run. */
  holder: string;
  /** Absent: no files are written, and the checkpoint alone allows trimming. */
  files?: Omit<FileSinkOptions, 'writer'>;
  /** How Service-Information stands in the files. */
  readInformation?: InformationReader;
  clock: KeeperClock;
  /** Resolves to true when all that was read is as durable as configured; absent: it always is. */
  barrier?(): Promise<boolean>;
  problem(problem: KeeperProblem): void;
  settings?: Partial<KeeperSettings>;
}

export interface RecordLag {
  /** Records that are not in files yet (without files: not in the checkpoint). */
  records: number;
  /** Store time in ms of the oldest of them; absent when there is none. */
  oldestAt?: number;
}

export interface RecordKeeper {
  /** News in a partition: it is looked at within `busyMs`. */
  hint(partition: number): void;
  /** What waits in the partitions that this worker reads; asks the store. */
  lag(): Promise<RecordLag>;
  /** Reads on without waiting until nothing is left; rejects when there is trouble instead. */
  drain(): Promise<void>;
  /** Finishes the round, gives the leases back and closes the file. */
  stop(): Promise<void>;
}

/** One reader's place in one partition; without a position it has no lease. */
interface Place {
  position: string | undefined;
  /** When the lease is renewed, or when it is asked for again. */
  claimAt: number;
}

interface PartitionState {
  partition: number;
  nextAt: number;
  delayMs: number;
  checkpoint: Place;
  files: Place;
  /** Records passed since the last trim. */
  untrimmed: number;
}

interface Page {
  state: PartitionState;
  from: string;
  records: LoggedRecord[];
}

/** Trimming takes whole blocks of a stream away, so it is not worth a call for less. */
const TRIM_AFTER = 100;

/**
 * The most records read from a partition at a time. Each may be another account's, and the sums of all
 * these accounts are read and written by one script, which Redis does nothing beside.
 */
const MAX_PAGE = 1_000;

export function startRecordKeeper(options: RecordKeeperOptions): RecordKeeper {
  const keeper = new Keeper(options);
  keeper.wake();
  return keeper;
}

class Keeper implements RecordKeeper {
  readonly #options: RecordKeeperOptions;
  readonly #settings: KeeperSettings;
  readonly #states: PartitionState[];
  readonly #checkpointLease: ReaderLease;
  readonly #filesLease: ReaderLease;
  #sink: FileSink | undefined;
  /** The block that is written but not settled yet: what each partition acknowledges. */
  #unsettled: Page[] = [];
  #filesRetry = { at: 0, delayMs: 0 };
  #storeRetry = { at: 0, delayMs: 0 };
  #cancel: (() => void) | undefined;
  #running: Promise<unknown> | undefined;
  #troubles = 0;
  #lastTrouble: unknown;
  #stopped = false;

  constructor(options: RecordKeeperOptions) {
    const { log, worker, holder } = options;
    this.#options = options;
    this.#settings = { ...KEEPER_DEFAULTS, ...options.settings };
    const lease = { writer: worker, holder, leaseMs: this.#settings.leaseMs };
    this.#checkpointLease = { ...lease, reader: CHECKPOINT };
    this.#filesLease = { ...lease, reader: FILES };
    this.#states = Array.from({ length: log.partitions }, (_, partition) => ({
      partition,
      nextAt: 0,
      delayMs: this.#settings.busyMs,
      checkpoint: { position: undefined, claimAt: 0 },
      files: { position: undefined, claimAt: 0 },
      untrimmed: 0,
    }));
  }

  hint(partition: number): void {
    const state = this.#states[partition];
    if (state === undefined || this.#stopped) return;
    const at = this.#options.clock.now() + this.#settings.busyMs;
    if (state.nextAt <= at) return;
    state.nextAt = at;
    state.delayMs = this.#settings.busyMs;
    if (this.#running === undefined) this.wake();
  }

  async lag(): Promise<RecordLag> {
    const { log, files } = this.#options;
    const lag: RecordLag = { records: 0 };
    await Promise.all(
      this.#states.map(async (state) => {
        const position = files === undefined ? state.checkpoint.position : state.files.position;
        if (position === undefined) return;
        const last = await log.last(state.partition);
        if (compareRecordIds(last, position) <= 0) return;
        const [oldest] = await log.read(state.partition, position, 1);
        if (oldest === undefined) return;
        const end = parseRecordId(last);
        const first = parseRecordId(oldest.id);
        // Across epochs only the newest one's records can be counted from their numbers.
        lag.records += end.number + 1 - (end.epoch === first.epoch ? first.number : 0);
        lag.oldestAt = Math.min(lag.oldestAt ?? oldest.record.at, oldest.record.at);
      }),
    );
    return lag;
  }

  async drain(): Promise<void> {
    for (;;) {
      await this.#running;
      if (this.#stopped) return;
      for (const state of this.#states) state.nextAt = 0;
      const troubles = this.#troubles;
      this.#filesRetry.at = 0;
      this.#storeRetry.at = 0;
      const passed = await this.#start();
      if (this.#troubles > troubles)
        throw new Error('the records could not all be read', { cause: this.#lastTrouble });
      if (passed === 0) return;
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel?.();
    await this.#running;
    await this.#settle().catch((error) => this.#trouble('store', error));
    await this.#giveBack(() => true).catch((error) => this.#trouble('store', error));
    await this.#sink?.close().catch((error) => this.#trouble('files', error));
  }

  /** Arms the timer for the first partition that is due; a quarter of its wait may be shared. */
  wake(): void {
    this.#cancel?.();
    if (this.#stopped) return;
    const { clock } = this.#options;
    const next = this.#states.reduce((least, { nextAt }) => Math.min(least, nextAt), Infinity);
    const at = Math.max(next, this.#storeRetry.at);
    this.#cancel = clock.after(Math.max(0, at - clock.now()), () => void this.#start());
  }

  #start(): Promise<number> {
    this.#cancel?.();
    const round = this.#round()
      .catch((error) => {
        this.#trouble('store', error);
        return 0;
      })
      .finally(() => {
        this.#running = undefined;
        this.wake();
      });
    this.#running = round;
    return round;
  }

  /** Returns how many records were passed by either reader. */
  async #round(): Promise<number> {
    const { clock, mine } = this.#options;
    const now = clock.now();
    const due = this.#states.filter(({ nextAt, delayMs }) => nextAt <= now + delayMs / 4);
    for (const state of due) {
      state.delayMs = Math.min(state.delayMs * 2, this.#settings.idleMs);
      state.nextAt = now + state.delayMs;
    }
    await this.#openSink(now);
    await this.#settle();
    await this.#giveBack((partition) => !mine(partition));
    await this.#claim(
      due.filter(({ partition }) => mine(partition)),
      now,
    );
    const pages = await this.#read(due, now);
    const all = [...pages.checkpoint, ...pages.files];
    if (all.length > 0 && !((await this.#options.barrier?.()) ?? true)) {
      for (const { state } of all) state.nextAt = now + this.#settings.busyMs;
      return 0;
    }
    await Promise.all([this.#fold(pages.checkpoint), this.#write(pages.files)]);
    await this.#trim(due);
    this.#storeRetry = { at: 0, delayMs: 0 };
    return all.reduce((sum, { records }) => sum + records.length, 0);
  }

  /** A sink that cannot be opened leaves its reader without leases, so that others may read. */
  async #openSink(now: number): Promise<void> {
    const { files, log, worker } = this.#options;
    if (files === undefined || now < this.#filesRetry.at) return;
    try {
      this.#sink ??= await openFileSink({ ...files, writer: worker }, (partition) =>
        log.acknowledgedBy(partition, FILES, worker),
      );
      await this.#sink.rotateIfDue();
    } catch (error) {
      this.#trouble('files', error);
    }
  }

  async #claim(states: readonly PartitionState[], now: number): Promise<void> {
    const { log } = this.#options;
    const claim = async (state: PartitionState, place: Place, lease: ReaderLease) => {
      if (now < place.claimAt) return;
      const reply = await log.claim(state.partition, lease);
      if (reply.kind === 'held') {
        place.position = undefined;
        place.claimAt = now + Math.min(reply.remainingMs, this.#settings.leaseMs / 3);
        return;
      }
      place.claimAt = now + this.#settings.leaseMs / 3;
      // A store that came back without its last records has also forgotten that these are in
      // files: the files know better.
      const known = lease.reader === FILES ? this.#sink?.known(state.partition) : undefined;
      place.position = known === undefined ? reply.position : laterRecordId(known, reply.position);
    };
    await Promise.all(
      states.map(async (state) => {
        await claim(state, state.checkpoint, this.#checkpointLease);
        if (this.#sink !== undefined) await claim(state, state.files, this.#filesLease);
      }),
    );
  }

  /** Gives up the leases of partitions; a block in doubt has been settled before. */
  async #giveBack(which: (partition: number) => boolean): Promise<void> {
    const { log } = this.#options;
    const unsettled = new Set(this.#unsettled.map(({ state }) => state));
    await Promise.all(
      this.#states.map(async (state) => {
        if (!which(state.partition)) return;
        for (const [place, lease] of [
          [state.checkpoint, this.#checkpointLease],
          [state.files, this.#filesLease],
        ] as const) {
          if (place.position === undefined) continue;
          if (place === state.files && unsettled.has(state)) continue;
          Object.assign(place, { position: undefined, claimAt: 0 });
          await log.release(state.partition, lease);
        }
      }),
    );
  }

  /** The next records of each reader; where both stand at the same place they are read once. */
  async #read(
    states: readonly PartitionState[],
    now: number,
  ): Promise<{ checkpoint: Page[]; files: Page[] }> {
    const { log } = this.#options;
    const writing = this.#sink !== undefined && !this.#sink.pending && now >= this.#filesRetry.at;
    const leased = states.filter(
      ({ checkpoint, files }) => (checkpoint.position ?? files.position) !== undefined,
    );
    const share = Math.floor(this.#settings.roundRecords / leased.length);
    const limit = Math.min(MAX_PAGE, Math.max(16, share));
    const pages = { checkpoint: [] as Page[], files: [] as Page[] };
    const next = async (state: PartitionState): Promise<void> => {
      const from = state.checkpoint.position;
      const filesFrom = writing ? state.files.position : undefined;
      const read = (after: string) => log.read(state.partition, after, limit);
      const records = from === undefined ? [] : await read(from);
      const same = filesFrom === from;
      const lines = filesFrom === undefined ? [] : same ? records : await read(filesFrom);
      if (records.length > 0) pages.checkpoint.push({ state, from: from as string, records });
      if (lines.length > 0) pages.files.push({ state, from: filesFrom as string, records: lines });
      if (records.length + lines.length === 0) return;
      const full = records.length === limit || lines.length === limit;
      state.delayMs = this.#settings.busyMs;
      state.nextAt = full ? now : now + state.delayMs;
    };
    await Promise.all(
      leased.map((state) =>
        next(state).catch((error) => {
          if (error instanceof StoreUnavailable) throw error;
          const { partition } = state;
          this.#options.problem({ kind: 'unreadable', partition, error });
          state.nextAt = now + this.#settings.retryMs;
        }),
      ),
    );
    return pages;
  }

  async #fold(pages: readonly Page[]): Promise<void> {
    await Promise.all(
      pages.map(async ({ state, from, records }) => {
        const place = state.checkpoint;
        // Until it is known how the fold ended, the store alone knows the position.
        Object.assign(place, { position: undefined, claimAt: 0 });
        const fold = await foldRecords(this.#options.log, state.partition, this.#checkpointLease, {
          from,
          records,
        });
        if (fold.outcome === 'refused') return;
        this.#report(CHECKPOINT, state.partition, fold.breaks);
        place.position = (records[records.length - 1] as LoggedRecord).id;
        place.claimAt = this.#options.clock.now() + this.#settings.leaseMs / 3;
        state.untrimmed += records.length;
      }),
    );
  }

  async #write(pages: Page[]): Promise<void> {
    if (pages.length === 0 || this.#sink === undefined) return;
    const lines = pages.flatMap(({ state: { partition }, records }) =>
      records.map(
        ({ id, record }): SinkLine => ({
          ...{ partition, id },
          text: recordLine(partition, id, record, this.#options.readInformation),
        }),
      ),
    );
    try {
      await this.#sink.append(lines);
    } catch (error) {
      this.#trouble('files', error);
      return;
    }
    this.#unsettled = pages;
    await this.#settle();
  }

  /** Acknowledges the block that was written; a refused partition's lines are taken out again. */
  async #settle(): Promise<void> {
    const sink = this.#sink;
    if (sink === undefined || !sink.pending) return;
    const { log, clock } = this.#options;
    const refused = new Set<number>();
    await Promise.all(
      this.#unsettled.map(async ({ state, from, records }) => {
        const to = (records[records.length - 1] as LoggedRecord).id;
        const reply = await log.acknowledge(state.partition, this.#filesLease, { from, to });
        if (reply === 'refused') refused.add(state.partition);
      }),
    );
    try {
      await sink.settle(refused);
    } catch (error) {
      this.#trouble('files', error);
      return;
    }
    for (const { state, from, records } of this.#unsettled) {
      const place = state.files;
      if (refused.has(state.partition)) {
        Object.assign(place, { position: undefined, claimAt: 0 });
        continue;
      }
      // A reader that joins an old outbox begins wherever that begins now.
      const start = from === START ? (records[0] as LoggedRecord).id : from;
      const following = from === START ? records.slice(1) : records;
      this.#report(FILES, state.partition, findBreaks(start, following));
      if (place.position !== undefined) {
        place.position = (records[records.length - 1] as LoggedRecord).id;
        place.claimAt = clock.now() + this.#settings.leaseMs / 3;
      }
      state.untrimmed += records.length;
    }
    this.#unsettled = [];
    this.#filesRetry = { at: 0, delayMs: 0 };
  }

  async #trim(states: readonly PartitionState[]): Promise<void> {
    const { log, files } = this.#options;
    const readers = files === undefined ? [CHECKPOINT] : [CHECKPOINT, FILES];
    await Promise.all(
      states.map(async (state) => {
        if (state.untrimmed < TRIM_AFTER) return;
        state.untrimmed = 0;
        const limit = this.#settings.trimRecords;
        const removed = await log.trim(state.partition, { readers, limit });
        // As long as there is as much as one call may take, there may be more.
        if (removed > 0) state.untrimmed = removed >= limit / 2 ? TRIM_AFTER : 0;
      }),
    );
  }

  #report(reader: string, partition: number, breaks: ReturnType<typeof findBreaks>): void {
    for (const found of breaks) this.#options.problem({ ...found, reader, partition });
  }

  #trouble(kind: 'files' | 'store', error: unknown): void {
    const retry = kind === 'files' ? this.#filesRetry : this.#storeRetry;
    const { retryMs } = this.#settings;
    retry.delayMs = Math.min(retryMs, Math.max(retryMs / 16, retry.delayMs * 2));
    retry.at = this.#options.clock.now() + retry.delayMs;
    this.#troubles += 1;
    this.#lastTrouble = error;
    this.#options.problem({ kind, error });
  }
}
