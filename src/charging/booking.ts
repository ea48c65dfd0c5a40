/**
 * A booking: a change of one bucket that no session caused, such as a top-up or the adjustment that
 * an operator makes. Pure: what may be booked, and what is then to be stored.
 */
import { type Account, availableField, reservedField } from './account.ts';
import type { Movement } from './draft.ts';
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

/** Decides on an account that was read for this booking, at store time `now` in ms. */
export function stepBooking(booking: Booking, account: Account, now: number): BookingDecision {
  const { definition, counters } = account;
  const { kind, amount } = booking;
  if (!Number.isSafeInteger(amount) || amount === 0 || (kind === 'topup' && amount < 0))
    return { kind: 'refused', reason: 'amount-invalid' };
  const bucket = definition.buckets.find(({ id }) => id === booking.bucket);
  if (bucket === undefined) return { kind: 'refused', reason: 'bucket-unknown' };
  if (bucket.expiresAt !== undefined && bucket.expiresAt <= now)
    return { kind: 'refused', reason: 'bucket-expired' };

  const field = availableField(bucket.id);
  const available = counters[field] ?? 0;
  const reserved = counters[reservedField(bucket.id)] ?? 0;
  // What is reserved may be released into it any time.
  if (amount > 0 && amount > LIMIT - Math.max(0, reserved) - available)
    return { kind: 'refused', reason: 'beyond-limit' };
  if (amount < 0 && amount < bucket.floor - available)
    return { kind: 'refused', reason: 'below-floor' };
  const guard = amount > 0 ? { max: LIMIT - amount } : { min: bucket.floor };
  return {
    kind: 'change',
    movements: [{ field, delta: amount, ...guard }],
    record: {
      kind,
      at: now,
      account: { tenant: definition.tenant, account: definition.account },
      outcome: 'success',
      services: [],
      changes: [{ bucket: bucket.id, cause: kind, available: amount, reserved: 0 }],
      reference: booking.key,
    },
  };
}
