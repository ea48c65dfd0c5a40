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
  periodField,
  reservedField,
} from './account.ts';
import { LIMIT } from './money.ts';
import type { BucketChange, Cause } from './record.ts';
import type { SubscriberId } from './request.ts';

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

/** A counter of the account: as it was seen, and its movement once there is one. */
interface Counter {
  readonly field: string;
  readonly seen: number;
  movement: Movement | undefined;
}

/** The counters of a bucket. */
interface Pool {
  readonly bucket: string;
  readonly available: Counter;
  readonly reserved: Counter;
  /** Undefined: it has none, or nobody asked for it (`period`) before it was moved. */
  period: Counter | undefined;
  /** What the record says of it, one for each cause. */
  readonly changes: BucketChange[];
}

/** From so many entries on a map finds one sooner than a walk. */
const MANY = 8;

export class Draft {
  readonly account: Account;
  /** As `kind:id`. */
  readonly #subscriber: string | undefined;
  readonly #pools: Pool[] = [];
  #poolsById: Map<string, Pool> | undefined;
  #bucketsById: Map<string, Bucket> | undefined;
  readonly #movements: Movement[] = [];
  readonly #changes: BucketChange[] = [];
  /** Counters of which all was taken that was seen: they must have exactly that. */
  #exact: Counter[] | undefined;
  /** Periods that a first use began. */
  #begun: Counter[] | undefined;

  /** `subscriber`: whose use is charged, for the buckets that limit it. */
  constructor(account: Account, subscriber?: SubscriberId) {
    this.account = account;
    if (subscriber !== undefined) this.#subscriber = `${subscriber.kind}:${subscriber.id}`;
  }

  /** The account's bucket of this id; undefined: it is gone. */
  bucket(id: string): Bucket | undefined {
    const { buckets } = this.account.definition;
    if (buckets.length < MANY) return buckets.find((bucket) => bucket.id === id);
    this.#bucketsById ??= new Map(buckets.map((bucket) => [bucket.id, bucket]));
    return this.#bucketsById.get(id);
  }

  /** Whether `bucket` limits what the subscriber may use of the account. */
  isLimitedBy({ limits }: Bucket): boolean {
    return this.#subscriber !== undefined && limits?.includes(this.#subscriber) === true;
  }

  /** What may still be promised from a bucket after the moves so far. */
  available(bucket: string): number {
    return after(this.#pool(bucket).available);
  }

  /** What may be promised of a bucket: down to its floor, as far as its counters can hold it. */
  promisable(bucket: Bucket): number {
    const { available, reserved } = this.#pool(bucket.id);
    return Math.min(
      after(available) - bucket.floor,
      LIMIT - after(reserved),
      LIMIT + deltaOf(available),
    );
  }

  /**
   * The end of the bucket's period after the moves so far, in store ms: 0, it has not begun;
   * undefined, it has none. Once this was asked, what is taken out of the bucket or given back to it
   * is so only in the period that was seen: a conflict if it has turned meanwhile.
   */
  period(bucket: string): number | undefined {
    const pool = this.#pool(bucket);
    if (pool.period === undefined) {
      const field = periodField(bucket);
      if (this.account.counters[field] === undefined) return undefined;
      pool.period = this.#counter(field);
    }
    return after(pool.period);
  }

  /** Makes the bucket's period a condition although nothing may be drawn from it. */
  keepPeriod(bucket: string): void {
    if (this.period(bucket) !== undefined) this.#inPeriod(this.#pool(bucket));
  }

  /** Begins the period of a bucket that lasts from its first use: it ends at `end`. */
  begin(bucket: string, end: number): void {
    const { period } = this.#pool(bucket);
    if (period === undefined || after(period) !== 0) return;
    this.#move(period, end).max = 0;
    this.#begun ??= [];
    this.#begun.push(period);
  }

  /** How many periods a first use began so far. */
  get begun(): number {
    return this.#begun?.length ?? 0;
  }

  /** Takes it back of those that began after the first `begun`: nothing was used in them. */
  unbegin(begun: number): void {
    for (const period of this.#begun?.splice(begun) ?? []) this.#move(period, -after(period));
  }

  /**
   * Ends the period that was seen, and those after it that nobody was there for, `times` in all, and
   * begins the one that lasts until `end`. At each end more than `rollover` of what is left expires,
   * and `amount` is added, as far as the bucket can hold it. An overdraft stays.
   */
  renew(
    bucket: string,
    { end, times, rollover, amount }: Refill & { end: number; times: number },
  ): void {
    const pool = this.#pool(bucket);
    const { available, period } = pool;
    if (period === undefined) return;
    const turned = this.#move(period, end - after(period));
    turned.max = period.seen;
    turned.min = end;
    const { expired, added } = refilled(after(available), { times, rollover, amount });
    const movement = this.#move(available, added - expired);
    if (expired > 0) this.#change(pool, 'expiry', -expired, 0);
    if (added > 0) this.#change(pool, 'renewal', added, 0);
    if (times > 1 || expired > 0 || added < amount) this.#exactly(available);
    else movement.max = Math.min(rollover, LIMIT);
  }

  /**
   * Adds to a bucket, or takes from it, what no session caused. What is added must fit whatever the
   * counter is by then; what is taken is guarded by `floor`.
   */
  book(
    bucket: string,
    cause: 'topup' | 'adjustment' | 'refund',
    { amount, floor }: { amount: number; floor: number },
  ): void {
    const pool = this.#pool(bucket);
    this.#inPeriod(pool);
    const before = pool.available.movement?.min;
    const movement = this.#move(pool.available, amount);
    if (amount > 0) movement.max = Math.min(movement.max ?? LIMIT, LIMIT - movement.delta);
    else movement.min = Math.max((before ?? -LIMIT) + amount, floor);
    this.#change(pool, cause, amount, 0);
  }

  /**
   * Promises `amount` of a bucket: guarded by its floor. What an overrun before it must leave is
   * still asked for, less what is promised on top.
   */
  reserve(bucket: Bucket, amount: number): void {
    if (amount === 0) return;
    const pool = this.#pool(bucket.id);
    const { available, reserved } = pool;
    this.#inPeriod(pool);
    const movement = this.#move(available, -amount);
    movement.min = Math.max((movement.min ?? -LIMIT) - amount, bucket.floor);
    this.#move(reserved, amount);
    this.#change(pool, 'reserve', -amount, amount);
  }

  /**
   * Gives back what was promised and not used. Into an expired bucket nothing comes back, nor into
   * any more than it can hold: that is booked as expired.
   */
  release(bucket: string, amount: number, expired: boolean): void {
    const pool = this.#pool(bucket);
    const { available, reserved } = pool;
    const room = Math.min(LIMIT - after(available), LIMIT - deltaOf(available));
    const back = expired ? 0 : Math.min(amount, room);
    if (back > 0) {
      this.#inPeriod(pool);
      this.#move(reserved, -back);
      this.#move(available, back);
      this.#change(pool, 'release', back, -back);
    }
    if (amount === back) return;
    this.#move(reserved, back - amount);
    this.#change(pool, 'expiry', 0, back - amount);
  }

  /** Takes `amount` of what was promised: usage within its grant, never refused. */
  debit(bucket: string, amount: number): void {
    if (amount === 0) return;
    const pool = this.#pool(bucket);
    this.#move(pool.reserved, -amount);
    this.#change(pool, 'debit', 0, -amount);
  }

  /**
   * Takes usage beyond its grant from what is available, and returns how much: less than `amount`
   * only where a counter cannot hold the rest. Without `min` it is never refused: the part below
   * the floor is the overdraft.
   */
  overrun(bucket: string, amount: number, min?: number): number {
    const pool = this.#pool(bucket);
    const { available } = pool;
    const known = pool.changes.find(({ cause }) => cause === 'overrun');
    const taken = Math.min(
      amount,
      after(available) + LIMIT,
      deltaOf(available) + LIMIT,
      (known?.available ?? 0) + LIMIT,
    );
    if (taken === 0) return 0;
    this.#inPeriod(pool);
    const movement = this.#move(available, -taken);
    if (min !== undefined) movement.min = Math.max(movement.min ?? -LIMIT, min);
    this.#change(pool, 'overrun', -taken, 0);
    return taken;
  }

  /** Books what an expired bucket still had: all of what was seen, or nothing. */
  expire(bucket: string): void {
    const pool = this.#pool(bucket);
    const { available } = pool;
    const amount = after(available);
    if (amount <= 0) return;
    this.#move(available, -amount);
    this.#exactly(available);
    this.#change(pool, 'expiry', -amount, 0);
  }

  /**
   * The decision leaned on a bucket having too little: it holds only while the bucket has less
   * than `useful` more than was seen.
   */
  leanOn(bucket: string, useful: number): void {
    const { available } = this.#pool(bucket);
    const movement = this.#move(available, 0);
    movement.max = Math.min(movement.max ?? LIMIT, available.seen + useful - 1, LIMIT);
  }

  /** Counts a session in, under the account's limit, or out. */
  countSession(delta: 1 | -1): void {
    const movement: Movement = { field: OPEN_SESSIONS, delta };
    if (delta === 1) movement.max = this.account.definition.maxSessions - 1;
    this.#movements.push(movement);
  }

  movements(): readonly Movement[] {
    if (this.#exact !== undefined)
      for (const { seen, movement } of this.#exact)
        if (movement !== undefined)
          movement.min = Math.max(movement.min ?? -LIMIT, seen + movement.delta);
    return this.#movements;
  }

  changes(): readonly BucketChange[] {
    return this.#changes;
  }

  #pool(bucket: string): Pool {
    const known =
      this.#poolsById === undefined
        ? this.#pools.find((pool) => pool.bucket === bucket)
        : this.#poolsById.get(bucket);
    if (known !== undefined) return known;
    const pool: Pool = {
      bucket,
      available: this.#counter(availableField(bucket)),
      reserved: this.#counter(reservedField(bucket)),
      period: undefined,
      changes: [],
    };
    this.#pools.push(pool);
    if (this.#poolsById !== undefined) this.#poolsById.set(bucket, pool);
    else if (this.#pools.length === MANY)
      this.#poolsById = new Map(this.#pools.map((one) => [one.bucket, one]));
    return pool;
  }

  #counter(field: string): Counter {
    return { field, seen: this.account.counters[field] ?? 0, movement: undefined };
  }

  /** The counter, which is moved, must have what was seen, or nothing is committed. */
  #exactly(counter: Counter): void {
    this.#exact ??= [];
    this.#exact.push(counter);
    if (counter.movement !== undefined) counter.movement.max = counter.seen;
  }

  /** A period ends later than the one before it, so it is the one that was seen if it is no later. */
  #inPeriod({ period }: Pool): void {
    if (period === undefined || period.movement !== undefined) return;
    this.#move(period, 0).max = period.seen;
  }

  #move(counter: Counter, delta: number): Movement {
    if (counter.movement === undefined) {
      counter.movement = { field: counter.field, delta: 0 };
      this.#movements.push(counter.movement);
    }
    counter.movement.delta += delta;
    return counter.movement;
  }

  #change(pool: Pool, cause: Cause, available: number, reserved: number): void {
    for (const known of pool.changes) {
      if (known.cause !== cause) continue;
      known.available += available;
      known.reserved += reserved;
      return;
    }
    const change = { bucket: pool.bucket, cause, available, reserved };
    pool.changes.push(change);
    this.#changes.push(change);
  }
}

const deltaOf = ({ movement }: Counter): number => movement?.delta ?? 0;
const after = (counter: Counter): number => counter.seen + deltaOf(counter);

interface Refill {
  rollover: number;
  amount: number;
}

/** What expires of a bucket, and what is added to it, when `times` periods end in which it rests. */
function refilled(
  available: number,
  { times, rollover, amount }: Refill & { times: number },
): { expired: number; added: number } {
  let left = available;
  let expired = 0;
  let added = 0;
  for (let i = 0; i < times; i++) {
    const lost = Math.max(0, left - rollover);
    const room = Math.min(amount, LIMIT - (left - lost));
    if (lost === room) {
      // From here on what comes is what goes: all of it at once, as far as a record can hold it.
      const fit = Math.floor((LIMIT - Math.max(added, expired)) / Math.max(1, lost));
      const count = Math.min(times - i, fit);
      expired += count * lost;
      added += count * lost;
      break;
    }
    const got = Math.min(room, LIMIT - added);
    expired += lost;
    added += got;
    left += got - lost;
  }
  return { expired, added };
}
