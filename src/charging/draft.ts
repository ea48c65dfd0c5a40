/**
 * The moves of one decision on the buckets of one account, gathered until they are committed
 * together: what each bucket would then have, what was promised and must not go below the floor,
 * what was leaned on and must not have changed, and the causes for the record.
 */
import {
  type Account,
  availableField,
  type Bucket,
  OPEN_SESSIONS,
  reservedField,
} from './account.ts';
import { LIMIT } from './money.ts';
import type { BucketChange, Cause } from './record.ts';

/**
 * Adds `delta` to a counter of the account. `min` guards the result, `max` the value before: a
 * result below `min` is `insufficient`, a value above `max` or a missing counter is `conflict`.
 * All figures are integers within +-(2^53 - 1), and so must the result be.
 */
export interface Movement {
  field: string;
  delta: number;
  min?: number;
  max?: number;
}

export class Draft {
  readonly account: Account;
  readonly #movements: Movement[] = [];
  readonly #changes: BucketChange[] = [];

  constructor(account: Account) {
    this.account = account;
  }

  /** What may still be promised from a bucket after the moves so far. */
  available(bucket: string): number {
    return this.#after(availableField(bucket));
  }

  /** What may be promised of a bucket: down to its floor, as far as its counters can hold it. */
  promisable(bucket: Bucket): number {
    return Math.min(
      this.available(bucket.id) - bucket.floor,
      LIMIT - this.#after(reservedField(bucket.id)),
      LIMIT + this.#delta(availableField(bucket.id)),
    );
  }

  /**
   * Promises `amount` of a bucket: guarded by its floor. What an overrun before it must leave is
   * still asked for, less what is promised on top.
   */
  reserve(bucket: Bucket, amount: number): void {
    if (amount === 0) return;
    const available = this.#move(availableField(bucket.id), -amount);
    available.min = Math.max((available.min ?? -LIMIT) - amount, bucket.floor);
    this.#move(reservedField(bucket.id), amount);
    this.#change(bucket.id, 'reserve', -amount, amount);
  }

  /**
   * Gives back what was promised and not used. Into an expired bucket nothing comes back, nor into
   * any more than it can hold: that is booked as expired.
   */
  release(bucket: string, amount: number, expired: boolean): void {
    const field = availableField(bucket);
    const room = Math.min(LIMIT - this.available(bucket), LIMIT - this.#delta(field));
    const back = expired ? 0 : Math.min(amount, room);
    if (back > 0) {
      this.#move(reservedField(bucket), -back);
      this.#move(field, back);
      this.#change(bucket, 'release', back, -back);
    }
    if (amount === back) return;
    this.#move(reservedField(bucket), back - amount);
    this.#change(bucket, 'expiry', 0, back - amount);
  }

  /** Takes `amount` of what was promised: usage within its grant, never refused. */
  debit(bucket: string, amount: number): void {
    if (amount === 0) return;
    this.#move(reservedField(bucket), -amount);
    this.#change(bucket, 'debit', 0, -amount);
  }

  /**
   * Takes usage beyond its grant from what is available, and returns how much: less than `amount`
   * only where a counter cannot hold the rest. Without `min` it is never refused: the part below
   * the floor is the overdraft.
   */
  overrun(bucket: string, amount: number, min?: number): number {
    const field = availableField(bucket);
    const known = this.#changes.find((one) => one.bucket === bucket && one.cause === 'overrun');
    const taken = Math.min(
      amount,
      this.available(bucket) + LIMIT,
      this.#delta(field) + LIMIT,
      (known?.available ?? 0) + LIMIT,
    );
    if (taken === 0) return 0;
    const available = this.#move(field, -taken);
    if (min !== undefined) available.min = Math.max(available.min ?? -LIMIT, min);
    this.#change(bucket, 'overrun', -taken, 0);
    return taken;
  }

  /** Books what an expired bucket still had: all of what was seen, or nothing. */
  expire(bucket: string): void {
    const amount = this.available(bucket);
    if (amount <= 0) return;
    const available = this.#move(availableField(bucket), -amount);
    available.min = 0;
    available.max = this.account.counters[availableField(bucket)] ?? 0;
    this.#change(bucket, 'expiry', -amount, 0);
  }

  /**
   * The decision leaned on a bucket having too little: it holds only while the bucket has less
   * than `useful` more than was seen.
   */
  leanOn(bucket: string, useful: number): void {
    const field = availableField(bucket);
    const movement = this.#move(field, 0);
    const max = (this.account.counters[field] ?? 0) + useful - 1;
    movement.max = Math.min(movement.max ?? LIMIT, max, LIMIT);
  }

  /** Counts a session in, under the account's limit, or out. */
  countSession(delta: 1 | -1): void {
    const movement = this.#move(OPEN_SESSIONS, delta);
    if (delta === 1) movement.max = this.account.definition.maxSessions - 1;
  }

  movements(): readonly Movement[] {
    return this.#movements;
  }

  changes(): readonly BucketChange[] {
    return this.#changes;
  }

  #after(field: string): number {
    return (this.account.counters[field] ?? 0) + this.#delta(field);
  }

  #delta(field: string): number {
    return this.#movements.find((movement) => movement.field === field)?.delta ?? 0;
  }

  #move(field: string, delta: number): Movement {
    let movement = this.#movements.find((candidate) => candidate.field === field);
    if (movement === undefined) {
      movement = { field, delta: 0 };
      this.#movements.push(movement);
    }
    movement.delta += delta;
    return movement;
  }

  #change(bucket: string, cause: Cause, available: number, reserved: number): void {
    const known = this.#changes.find((one) => one.bucket === bucket && one.cause === cause);
    if (known === undefined) this.#changes.push({ bucket, cause, available, reserved });
    else {
      known.available += available;
      known.reserved += reserved;
    }
  }
}
