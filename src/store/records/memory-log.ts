/** The record log of the memory store. Its positions are part of the store's state, as in Redis. */

import type { MemoryStore } from '../memory/store.ts';
import { accountName } from '../placement.ts';
import { decodeRecord } from '../record-codec.ts';
import type { Sums } from './ledger.ts';
import { CHECKPOINT, type ReaderLease, type RecordLog } from './log.ts';
import { compareRecordIds, START } from './record-id.ts';

/** What the readers of one partition have acknowledged. */
export interface Readers {
  rows: Map<string, ReaderRow>;
  /** End of each pin in store ms. */
  pins: Map<string, number>;
  /** The first gap that the checkpointer found. */
  gap: string;
  /** Checkpointed sums by account name. */
  sums: Map<string, Sums>;
}

interface ReaderRow {
  position: string | undefined;
  /** By writer. */
  own: Map<string, string>;
  holder: string;
  writer: string;
  until: number;
}

export function noReaders(): Readers {
  return { rows: new Map(), pins: new Map(), gap: '', sums: new Map() };
}

export function memoryRecordLog(store: MemoryStore): RecordLog {
  const readersOf = (partition: number): Readers => store.partition(partition).readers;

  function rowOf(partition: number, reader: string): ReaderRow {
    const { rows } = readersOf(partition);
    let row = rows.get(reader);
    if (row === undefined) {
      row = { position: undefined, own: new Map(), holder: '', writer: '', until: 0 };
      rows.set(reader, row);
    }
    return row;
  }

  function renew(row: ReaderRow, { leaseMs }: ReaderLease): void {
    row.until = store.now() + leaseMs;
  }

  return {
    partitions: store.partitions,

    async read(partition, after, limit) {
      const { outbox } = store.partition(partition);
      const from = firstAfter(outbox, after);
      return outbox
        .slice(from, from + limit)
        .map(({ id, bytes }) => ({ id, record: decodeRecord(bytes) }));
    },

    async last(partition) {
      const { epoch, next } = store.partition(partition);
      return `${epoch}-${next - 1}`;
    },

    async claim(partition, lease) {
      const row = rowOf(partition, lease.reader);
      const remainingMs = row.until - store.now();
      if (remainingMs > 0 && row.holder !== lease.holder && row.writer !== lease.writer)
        return { kind: 'held', remainingMs };
      row.holder = lease.holder;
      row.writer = lease.writer;
      renew(row, lease);
      const own = row.own.get(lease.writer) ?? START;
      return { kind: 'leased', position: row.position ?? START, own };
    },

    async release(partition, { reader, holder }) {
      const row = rowOf(partition, reader);
      if (row.holder === holder) Object.assign(row, { holder: '', writer: '', until: 0 });
    },

    async acknowledgedBy(partition, reader, writer) {
      return rowOf(partition, reader).own.get(writer) ?? START;
    },

    async acknowledge(partition, lease, { from, to }) {
      const row = rowOf(partition, lease.reader);
      const own = row.own.get(lease.writer);
      if (own !== undefined && compareRecordIds(to, own) <= 0) return 'acknowledged';
      if (row.holder !== lease.holder) return 'refused';
      if (compareRecordIds(row.position ?? START, from) > 0) return 'refused';
      row.position = to;
      row.own.set(lease.writer, to);
      renew(row, lease);
      return 'acknowledged';
    },

    async checkpoints(partition, accounts) {
      const { sums } = readersOf(partition);
      return accounts.map((account) =>
        structuredClone(sums.get(accountName(account)) ?? new Map()),
      );
    },

    async checkpoint(partition, lease, { from, to, gap }, writes) {
      const readers = readersOf(partition);
      const row = rowOf(partition, lease.reader);
      if (row.holder !== lease.holder || (row.position ?? START) !== from) return 'refused';
      for (const { account, sums } of writes) {
        const name = accountName(account);
        const present = readers.sums.get(name) ?? new Map();
        for (const [field, sum] of sums) present.set(field, { ...sum });
        readers.sums.set(name, present);
      }
      if (gap !== undefined && readers.gap === '') readers.gap = gap;
      row.position = to;
      renew(row, lease);
      return 'acknowledged';
    },

    async trim(partition, { readers: required, limit }) {
      const { rows, pins } = readersOf(partition);
      for (const [name, until] of pins) if (until <= store.now()) pins.delete(name);
      if (pins.size > 0) return 0;
      if (required.some((name) => rows.get(name)?.position === undefined)) return 0;
      const positions = [...rows.values()].flatMap(({ position }) => position ?? []);
      const lowest = positions.sort(compareRecordIds)[0];
      if (lowest === undefined) return 0;
      const { outbox } = store.partition(partition);
      const acknowledged = firstAfter(outbox, lowest) - 1;
      return outbox.splice(0, Math.max(0, Math.min(acknowledged, limit))).length;
    },

    async forget(partition, reader) {
      readersOf(partition).rows.delete(reader);
    },

    async pin(partition, name, ttlMs) {
      readersOf(partition).pins.set(name, store.now() + ttlMs);
    },

    async unpin(partition, name) {
      readersOf(partition).pins.delete(name);
    },
  };
}

/** The checkpoint of a partition, for the audit. */
export function memoryCheckpoint(readers: Readers): { position: string; gap: string } {
  return { position: readers.rows.get(CHECKPOINT)?.position ?? START, gap: readers.gap };
}

/** The place of the first record after `after`. */
function firstAfter(outbox: readonly { id: string }[], after: string): number {
  let low = 0;
  let high = outbox.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareRecordIds((outbox[middle] as { id: string }).id, after) <= 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
