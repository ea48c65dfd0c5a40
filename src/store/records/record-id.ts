/**
 * Record ids, `<epoch>-<number>`: numbered without gaps within an epoch, from 0; a new epoch opens
 * with a record of kind `epoch` that names the last id before it. Whoever reads the records in
 * order can so prove that none is missing, and knows which ones a failover took away.
 */
import type { ChargingRecord } from '../../charging/record.ts';

/** A position before every record. */
export const START = '0-0';

export interface RecordId {
  /** Store time in ms at which the epoch began. */
  epoch: number;
  number: number;
}

/** Throws on anything that is not a record id. */
export function parseRecordId(text: string): RecordId {
  const match = /^(\d{1,16})-(\d{1,16})$/.exec(text);
  if (match === null) throw new Error(`not a record id: ${JSON.stringify(text.slice(0, 64))}`);
  return { epoch: Number(match[1]), number: Number(match[2]) };
}

/** Negative when `a` was written before `b`, 0 when they are the same record. */
export function compareRecordIds(a: string, b: string): number {
  if (a === b) return 0;
  const left = parseRecordId(a);
  const right = parseRecordId(b);
  return left.epoch - right.epoch || left.number - right.number;
}

/** The later of two positions. */
export function laterRecordId(a: string, b: string): string {
  return compareRecordIds(a, b) < 0 ? b : a;
}

/**
 * How a record follows the position that was reached before it. `gap`: records between `after`
 * and `next` are missing. `lost`: the store came back without the records after `after` up to and
 * including `through`, which this reader has seen; `count` is absent when they span epochs.
 */
export type Succession =
  | { kind: 'next' }
  | { kind: 'gap'; after: string; next: string }
  | { kind: 'lost'; after: string; through: string; count?: number };

/** Judges the record `id`, read next after `position` (START: the very first record). */
export function succession(
  position: string,
  id: string,
  record: Pick<ChargingRecord, 'kind' | 'reference'>,
): Succession {
  const before = parseRecordId(position);
  const here = parseRecordId(id);
  if (here.epoch === before.epoch) {
    if (here.number === before.number + 1) return { kind: 'next' };
    return { kind: 'gap', after: position, next: id };
  }
  if (record.kind !== 'epoch' || here.number !== 0)
    return { kind: 'gap', after: position, next: id };
  const previous = record.reference ?? START;
  const order = compareRecordIds(previous, position);
  if (order === 0) return { kind: 'next' };
  if (order > 0) return { kind: 'gap', after: position, next: id };
  const last = parseRecordId(previous);
  const lost = { kind: 'lost', after: previous, through: position } as const;
  if (last.epoch !== before.epoch) return lost;
  return { ...lost, count: before.number - last.number };
}
