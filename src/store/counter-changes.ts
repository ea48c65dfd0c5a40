/**
 * What a change of an account's definition does to its counters. What is due by then is booked first,
 * as with every decision, so that nothing depends on whether somebody else has booked it. Then a new
 * limit starts with its amount, one whose amount is edited moves by the difference, and one that is
 * gone has nothing more. Other buckets are filled by bookings only. What open grants reserve in a limit
 * that is gone stays until they give it back; the counters go with a later change.
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
import { dueBy } from '../charging/buckets.ts';
import { LIMIT } from '../charging/money.ts';
import { periodsFor } from '../charging/periods.ts';
import type { BucketChange, ChargingRecord } from '../charging/record.ts';
import { CounterOutOfRange } from './store.ts';

export interface CounterChanges {
  /** What is added to `available`, or taken, for the record. */
  changes: BucketChange[];
  /** The same by counter. */
  added: Record<string, number>;
  /** Counters that must have just this, 0 where they are not there: as they were read, or nothing. */
  hold: Record<string, number>;
  /** The period counters that there are after the change. */
  periods: Record<string, number>;
  /** Counters that go, after the changes. */
  gone: string[];
}

/**
 * Of a change from the account that was read to `next`, at store time `now` in ms. `conflict`: a bucket
 * that is no limit leaves and holds something. Throws CounterOutOfRange.
 */
export function counterChanges(
  before: Account,
  next: AccountDefinition,
  now: number,
): CounterChanges | 'conflict' {
  const due = dueBy(before, now);
  const changes = [...due.changes];
  const hold: Record<string, number> = {};
  const gone: string[] = [];
  const { counters } = due.account;
  const holdAsRead = (field: string): void => {
    hold[field] = before.counters[field] ?? 0;
  };
  for (const { field } of due.movements) holdAsRead(field);
  const had = new Map(before.definition.buckets.map((bucket) => [bucket.id, bucket]));
  const has = new Map(next.buckets.map((bucket) => [bucket.id, bucket]));
  const counted = Object.keys(counters).filter((field) => field.startsWith('a:'));
  const ids = new Set([...has.keys(), ...had.keys(), ...counted.map((field) => field.slice(2))]);
  const add = (bucket: string, available: number): void => {
    if (available !== 0) changes.push({ bucket, cause: 'adjustment', available, reserved: 0 });
  };
  for (const id of ids) {
    const [old, bucket] = [had.get(id), has.get(id)];
    if (old !== undefined && bucket !== undefined) {
      const delta = difference(old, bucket);
      if (delta !== 0 && periodField(id) in counters) holdAsRead(periodField(id));
      add(id, delta);
      continue;
    }
    const [left, reserved] = [availableField(id), reservedField(id)];
    const [available, held] = [counters[left], counters[reserved] ?? 0];
    const opening = bucket?.limits === undefined ? undefined : limitAmount(bucket);
    if (old === undefined && available === undefined) {
      add(id, opening ?? 0);
      continue;
    }
    holdAsRead(left);
    holdAsRead(reserved);
    if (old !== undefined && old.limits === undefined) {
      if ((available ?? 0) !== 0 || held !== 0) return 'conflict';
      gone.push(left, reserved);
      continue;
    }
    // It is gone, or is back.
    add(id, (opening === undefined ? 0 : opening - held) - (available ?? 0));
    if (bucket === undefined && held === 0) gone.push(left, reserved);
  }
  const periods = periodsFor(next.buckets, now, due.account);
  return { changes, added: addedBy(changes, before), hold, periods, gone };
}

function difference(old: Bucket, bucket: Bucket): number {
  if (old.limits === undefined || bucket.limits === undefined) return 0;
  const [from, to] = [limitAmount(old), limitAmount(bucket)];
  return from === undefined || to === undefined ? 0 : to - from;
}

/** The changes by counter. Throws CounterOutOfRange. */
function addedBy(changes: readonly BucketChange[], { counters }: Account): Record<string, number> {
  const added: Record<string, number> = {};
  for (const { bucket, available } of changes) {
    const field = availableField(bucket);
    const sum = (added[field] ?? 0) + available;
    added[field] = sum;
    for (const one of [available, sum, (counters[field] ?? 0) + sum])
      if (Math.abs(one) > LIMIT) throw new CounterOutOfRange(field);
  }
  return added;
}

/** The record that accounts for them. */
export function changeRecord(
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
