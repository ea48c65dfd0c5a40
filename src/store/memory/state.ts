/** What the memory store holds: the same things as in Redis, as plain values that can be copied. */
import type { AccountDefinition, AccountRef } from '../../charging/account.ts';
import type { BucketKinds } from '../bucket-kinds.ts';
import type { StoredConfiguration } from '../configuration.ts';
import { epochRecord } from '../opening.ts';
import { encodeRecord } from '../record-codec.ts';
import { noReaders, type Readers } from '../records/memory-log.ts';

/** A value that goes away at `expiresAt` (store ms); Infinity: it stays. */
export interface Kept<Value> {
  value: Value;
  expiresAt: number;
}

export interface KeptSession {
  version: number;
  lastRecord: string;
  bytes: Uint8Array;
}

export interface KeptAccount {
  version: number;
  definition: Omit<AccountDefinition, 'subscribers'>;
  counters: Record<string, number>;
  /** `kind:id` to the account that it is being moved from; empty once it has arrived. */
  subscribers: Map<string, string>;
  openSessions: Set<string>;
  /** What ids of buckets stand for. */
  kinds: BucketKinds;
}

export interface Partition {
  epoch: number;
  /** The number of the next record of this epoch. */
  next: number;
  outbox: { id: string; bytes: Uint8Array }[];
  /** By account name. */
  accounts: Map<string, KeptAccount>;
  /** By member. */
  sessions: Map<string, Kept<KeptSession>>;
  /** Answers of events and outcomes of bookings. */
  answers: Map<string, Kept<Uint8Array>>;
  /** Scores of the timer wheel by member. */
  timers: Map<string, number>;
  /** Open sessions of each tenant: start time by member. */
  index: Map<string, Map<string, number>>;
  /** What the readers of the outbox have acknowledged and summed up. */
  readers: Readers;
}

export interface MemoryState {
  partitions: Partition[];
  bindings: Map<string, Kept<{ account: AccountRef; opened: boolean }>>;
  /** Account by `tenant`, `kind` and `id` of a subscriber. */
  pointers: Map<string, string>;
  /** Lease end by worker. */
  workers: Map<string, number>;
  /** Lease ends by worker of each peer. */
  peers: Map<string, Map<string, number>>;
  /** Messages to workers, oldest first. */
  inboxes: Map<string, Kept<string[]>>;
  configuration: KeptConfiguration;
}

export interface KeptConfiguration {
  stored?: StoredConfiguration;
  /** By their fields. */
  plans: Map<string, string>;
  file?: string;
  listener?: string;
}

export function emptyState(partitions: number, now: number): MemoryState {
  return {
    partitions: Array.from({ length: partitions }, () => {
      const partition: Partition = {
        epoch: 0,
        next: 0,
        outbox: [],
        accounts: new Map(),
        sessions: new Map(),
        answers: new Map(),
        timers: new Map(),
        index: new Map(),
        readers: noReaders(),
      };
      raiseEpoch(partition, now);
      return partition;
    }),
    bindings: new Map(),
    pointers: new Map(),
    workers: new Map(),
    peers: new Map(),
    inboxes: new Map(),
    configuration: { plans: new Map() },
  };
}

/** Opens a new epoch with a record that names the last one before it. */
export function raiseEpoch(partition: Partition, now: number): void {
  const last = partition.outbox.at(-1)?.id ?? '0-0';
  partition.epoch = Math.max(Math.floor(now), partition.epoch + 1);
  partition.next = 0;
  append(partition, encodeRecord(epochRecord(now, last)));
}

/** Adds a record and returns its id. */
export function append(partition: Partition, bytes: Uint8Array): string {
  const id = `${partition.epoch}-${partition.next++}`;
  partition.outbox.push({ id, bytes });
  return id;
}

/** The value under `key` unless it is gone by `now`. */
export function current<Value>(
  map: Map<string, Kept<Value>>,
  key: string,
  now: number,
): Value | undefined {
  const kept = map.get(key);
  if (kept === undefined) return undefined;
  if (kept.expiresAt > now) return kept.value;
  map.delete(key);
  return undefined;
}
