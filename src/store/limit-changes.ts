/**
 * What a change of an account's definition does to its limits: a new one starts with its amount, one
 * whose amount is edited moves by the difference, and one that is gone has nothing more. Other
 * buckets are filled by bookings only. What open grants reserve in a limit that is gone stays until
 * they give it back; the counters go with a later change.
 */
import {
  type Account,
  type AccountDefinition,
  availableField,
  type Bucket,
  limitAmount,
  periodField,
  reservedField,
} from '../charging/account.ts';
import type { BucketChange, ChargingRecord } from '../charging/record.ts';

export interface LimitChanges {
  /** What is added to `available`, or taken, for the record. */
  changes: BucketChange[];
  /** Counters that must have just this, 0 where they are not there: as they were read, or nothing. */
  hold: Record<string, number>;
  /** Counters that go, after the changes. */
  gone: string[];
}

/**
 * Of a change from the account that was read to `next`, at store time `now` in ms. A bucket that is no
 * limit and leaves must hold nothing.
 */
export function limitChanges(before: Account, next: AccountDefinition, now: number): LimitChanges {
  const found: LimitChanges = { changes: [], hold: {}, gone: [] };
  const had = new Map(before.definition.buckets.map((bucket) => [bucket.id, bucket]));
  const has = new Map(next.buckets.map((bucket) => [bucket.id, bucket]));
  const counted = Object.keys(before.counters).filter((field) => field.startsWith('a:'));
  const ids = new Set([...has.keys(), ...had.keys(), ...counted.map((field) => field.slice(2))]);
  const add = (bucket: string, available: number): void => {
    if (available !== 0)
      found.changes.push({ bucket, cause: 'adjustment', available, reserved: 0 });
  };
  for (const id of ids) {
    const [old, bucket] = [had.get(id), has.get(id)];
    if (old !== undefined && bucket !== undefined) {
      const delta = difference(old, bucket);
      if (delta === 0) continue;
      const period = before.counters[periodField(id)];
      if (period !== undefined) found.hold[periodField(id)] = period;
      // A period that is over is followed by one that begins with the new amount.
      if (period === undefined || period > now) add(id, delta);
      continue;
    }
    const [left, reserved] = [availableField(id), reservedField(id)];
    if (old !== undefined && old.limits === undefined) {
      found.hold[left] = 0;
      found.hold[reserved] = 0;
      found.gone.push(left, reserved);
      continue;
    }
    const opening = bucket?.limits === undefined ? undefined : limitAmount(bucket);
    const available = before.counters[left];
    if (available === undefined) {
      add(id, opening ?? 0);
      continue;
    }
    // It is gone, or is back.
    const held = before.counters[reserved] ?? 0;
    found.hold[left] = available;
    found.hold[reserved] = held;
    add(id, opening === undefined ? -available : opening - held - available);
    if (bucket === undefined && held === 0) found.gone.push(left, reserved);
  }
  return found;
}

function difference(old: Bucket, bucket: Bucket): number {
  if (old.limits === undefined || bucket.limits === undefined) return 0;
  const [from, to] = [limitAmount(old), limitAmount(bucket)];
  return from === undefined || to === undefined ? 0 : to - from;
}

/** The record that accounts for them. */
export function limitRecord(
  { tenant, account }: AccountDefinition,
  changes: readonly BucketChange[],
  at: number,
): ChargingRecord {
  return {
    ...{ kind: 'adjustment', at, account: { tenant, account }, outcome: 'success' },
    services: [],
    changes,
  };
}
