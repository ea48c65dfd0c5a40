/**
 * The records as their readers see them: a partition's outbox is an ordered log, and each reader
 * (the checkpointer, the file sink, an exporter) has a position in it and a lease, so that it is
 * read by one worker at a time. What every required reader has acknowledged may be trimmed.
 *
 * Two logs keep these promises: on Redis streams and in memory; one suite of tests holds for both.
 * A call that does not end as applied throws StoreUnavailable. Every call may be repeated.
 */
import type { AccountRef } from '../../charging/account.ts';
import type { ChargingRecord } from '../../charging/record.ts';
import type { Sums } from './ledger.ts';

/** A record and where it stands. */
export interface LoggedRecord {
  /** `<epoch>-<number>`; ascending within a partition. */
  id: string;
  record: ChargingRecord;
}

/** Who reads: `holder` names the running instance, `writer` what outlives it (its files). */
export interface ReaderLease {
  /** The reader's name: letters, digits and `-`. */
  reader: string;
  /** Stable across restarts of the same worker; letters, digits, `_` and `-`. */
  writer: string;
  /** Unique to this run of the worker, same letters: an older run of it loses its lease. */
  holder: string;
  leaseMs: number;
}

export type Claim =
  /** Somebody else's for that long yet. */
  | { kind: 'held'; remainingMs: number }
  /** `position`: the last record acknowledged by anybody; `own`: by this writer. */
  | { kind: 'leased'; position: string; own: string };

/** What a fold changes: the new sums of each account touched, complete per field. */
export interface CheckpointWrite {
  account: AccountRef;
  sums: Sums;
}

export interface RecordLog {
  readonly partitions: number;

  /** Up to `limit` records after `after`, in order. */
  read(partition: number, after: string, limit: number): Promise<LoggedRecord[]>;
  /** The id of the last record ever written, trimmed or not; START when there is none. */
  last(partition: number): Promise<string>;

  /**
   * Takes or renews a reader's lease. A lease is free when it ran out, was released, or belongs to
   * the same writer: a restarted worker goes on at once.
   */
  claim(partition: number, lease: ReaderLease): Promise<Claim>;
  /** Gives the lease up if `holder` has it. */
  release(partition: number, lease: ReaderLease): Promise<void>;
  /** The last record that `writer` itself acknowledged; START when there is none. */
  acknowledgedBy(partition: number, reader: string, writer: string): Promise<string>;
  /**
   * Moves the reader from `from` to `to` and renews the lease. `refused`: another holder has the
   * lease, or somebody is already beyond `from`; nothing was moved, and never will be by this call.
   */
  acknowledge(
    partition: number,
    lease: ReaderLease,
    move: { from: string; to: string },
  ): Promise<'acknowledged' | 'refused'>;

  /** The checkpointed sums of accounts, in the order asked; an unknown account has none. */
  checkpoints(partition: number, accounts: readonly AccountRef[]): Promise<Sums[]>;
  /**
   * Writes sums and moves the checkpoint in one step. Refused unless `holder` has the lease and
   * the position is still exactly `from`. A `gap` is kept beside the position for the audit.
   */
  checkpoint(
    partition: number,
    lease: ReaderLease,
    move: { from: string; to: string; gap?: string },
    writes: readonly CheckpointWrite[],
  ): Promise<'acknowledged' | 'refused'>;

  /**
   * Removes about `limit` records at most that every reader has acknowledged; those of `readers`
   * must have a position for anything to go. The last record acknowledged by all stays. Returns
   * how many went.
   */
  trim(partition: number, options: { readers: readonly string[]; limit: number }): Promise<number>;
  /** Takes a reader out for good: it no longer keeps records from being trimmed. */
  forget(partition: number, reader: string): Promise<void>;
  /** Nothing is trimmed for `ttlMs`, or until `unpin`. `name`: letters, digits and `-`. */
  pin(partition: number, name: string, ttlMs: number): Promise<void>;
  unpin(partition: number, name: string): Promise<void>;
}

/** The name of the checkpointer among the readers. */
export const CHECKPOINT = 'checkpoint';
/** The name of the file sink among the readers. */
export const FILES = 'files';
