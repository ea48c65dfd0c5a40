/**
 * A booking: a change of one bucket that no session caused, such as a top-up or the adjustment that
 * an operator makes. Pure: what may be booked, and what is then to be stored.
 */
import { type Account, availableField, hasPeriod, reservedField } from './account.ts';
import { isOver, turnPeriods } from './buckets.ts';
import { Draft, type Movement } from './draft.ts';
import { LIMIT } from './money.ts';
import type { ChargingRecord } from './record.ts';

export interface Booking {
  /** A top-up only adds; an adjustment may also take, but not below the bucket's floor. */
  kind: 'topup' | 'adjustment';
  bucket: string;
  /** In the bucket's own unit: an integer within +-(2^53 - 1), not 0; a top-up's is positive. */
  amount: number;
  /** The caller's idempotency key, which names the booking in its record. */
  key: string;
}

export type BookingRefusal =
  | 'bucket-unknown'
  /** Nothing would ever be drawn from it. */
  | 'bucket-expired'
  | 'amount-invalid'
  /** The bucket would hold more than 2^53 - 1. */
  | 'beyond-limit'
  /** An adjustment would take more than there is. */
  | 'below-floor';

export type BookingDecision =
  | { kind: 'refused'; reason: BookingRefusal }
  | { kind: 'change'; movements: readonly Movement[]; record: ChargingRecord };

/**
 * Decides on an account that was read for this booking, at store time `now` in ms. What is due in
 * the account's buckets by then is booked with it, and before it: what is topped up after a period
 * ended belongs to the next.
 */
export function stepBooking(booking: Booking, account: Account, now: number): BookingDecision {
  const { definition } = account;
  const { kind, amount } = booking;
  if (!Number.isSafeInteger(amount) || amount === 0 || (kind === 'topup' && amount < 0))
    return { kind: 'refused', reason: 'amount-invalid' };
  const bucket = definition.buckets.find(({ id }) => id === booking.bucket);
  if (bucket === undefined) return { kind: 'refused', reason: 'bucket-unknown' };
  const draft = new Draft(account);
  turnPeriods(draft, now);
  const { id, floor } = bucket;
  if (isOver(bucket, hasPeriod(bucket) ? draft.period(id) : undefined, now))
    return { kind: 'refused', reason: 'bucket-expired' };

  const available = draft.available(id);
  // What the commit can move at once, beside what is due.
  const most = LIMIT - Math.abs(available - (account.counters[availableField(id)] ?? 0));
  const reserved = account.counters[reservedField(id)] ?? 0;
  // What is reserved may be released into it any time.
  if (amount > 0 && amount > Math.min(LIMIT - Math.max(0, reserved) - available, most))
    return { kind: 'refused', reason: 'beyond-limit' };
  if (amount < 0 && amount < Math.max(floor - available, -most))
    return { kind: 'refused', reason: 'below-floor' };
  draft.book(id, kind, { amount, floor });
  return {
    kind: 'change',
    movements: draft.movements(),
    record: {
      kind,
      at: now,
      account: { tenant: definition.tenant, account: definition.account },
      outcome: 'success',
      services: [],
      changes: draft.changes(),
      reference: booking.key,
    },
  };
}
