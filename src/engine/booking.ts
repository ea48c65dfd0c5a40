/**
 * Books top-ups and adjustments, exactly once: load, decide, commit under the caller's idempotency
 * key.
 *
 *   load -> decide -> refused
 *                  -> commit -> committed:             booked
 *                            -> duplicate:             the stored outcome, if it was the same booking
 *                            -> conflict, stale epoch: decide again on what is there now
 *                            -> late:                  nothing was stored, and never will be
 *                            -> unknown:               the same commit again
 *
 * Past the deadline nothing more is sent, and the store itself refuses what is still on its way.
 */
import { randomUUID } from 'node:crypto';
import { type AccountRef, availableField, reservedField } from '../charging/account.ts';
import { type Booking, type BookingRefusal, stepBooking } from '../charging/booking.ts';
import {
  type Commit,
  type CommitReply,
  type Snapshot,
  type Store,
  StoreUnavailable,
} from '../store/store.ts';
import { type CallOptions, Calls } from './calls.ts';

export interface BookingOptions extends CallOptions {
  store: Store;
  /** How long the key keeps its outcome, in ms; repeated after that, it books again. */
  keyTtlMs: number;
}

/** What a key stands for once it is booked. */
interface Outcome {
  kind: Booking['kind'];
  bucket: string;
  amount: number;
  /** Store time in ms. */
  at: number;
  /** Unique to the call that booked it: tells our own lost reply from an earlier booking. */
  call: string;
}

export type Booked =
  | {
      kind: 'booked';
      /** The key had been booked before this call, which changed nothing. */
      repeated: boolean;
      /** Store time in ms of the booking. */
      at: number;
      /** The bucket's counters; of a repetition, as they are now. */
      available: number;
      reserved: number;
    }
  | { kind: 'refused'; reason: BookingRefusal }
  | { kind: 'account-unknown' }
  /** The key stands for another booking of this account. */
  | { kind: 'key-reused' }
  /** The deadline came first; nothing was stored, and nothing will be. */
  | { kind: 'late' }
  /** The store could not be reached; `unknown`: it may have been booked, repeat it to find out. */
  | { kind: 'unavailable'; applied: 'no' | 'unknown'; reason: string };

/** Books before `deadline`, in ms of the injected clock. Never throws for the store. */
export async function book(
  options: BookingOptions,
  account: AccountRef,
  { booking, deadline }: { booking: Booking; deadline: number },
): Promise<Booked> {
  const attempt = new BookingAttempt(options, { account, booking, deadline });
  try {
    return await attempt.run();
  } catch (error) {
    if (!(error instanceof StoreUnavailable)) throw error;
    const applied = attempt.uncertain ? 'unknown' : 'no';
    return { kind: 'unavailable', applied, reason: error.message };
  }
}

/** One booking while it is being made. */
class BookingAttempt {
  /** A commit was sent whose fate is not known. */
  uncertain = false;
  readonly #options: BookingOptions;
  readonly #account: AccountRef;
  readonly #booking: Booking;
  readonly #calls: Calls;
  readonly #token = randomUUID();

  constructor(
    options: BookingOptions,
    of: { account: AccountRef; booking: Booking; deadline: number },
  ) {
    this.#options = options;
    this.#account = of.account;
    this.#booking = of.booking;
    this.#calls = new Calls(options, of.deadline);
  }

  async run(): Promise<Booked> {
    const { store } = this.#options;
    let snapshot: Snapshot | undefined;
    while (this.#calls.left > 0) {
      snapshot ??= await this.#calls.one(() => store.load(this.#account));
      const { account } = snapshot;
      if (account === undefined) return { kind: 'account-unknown' };
      const now = store.now();
      const decision = stepBooking(this.#booking, account, now);
      if (decision.kind === 'refused') return this.#refused(decision.reason, snapshot);

      const commit: Commit = {
        ...this.#under(snapshot, now),
        notAfter: now + Math.ceil(this.#calls.left),
        movements: decision.movements,
        record: decision.record,
      };
      const reply = await this.#commit(commit);
      switch (reply.kind) {
        case 'committed': {
          const { bucket } = this.#booking;
          const available = reply.counters[availableField(bucket)]!;
          const reserved = account.counters[reservedField(bucket)] ?? 0;
          return { kind: 'booked', repeated: false, at: now, available, reserved };
        }
        case 'duplicate':
          return this.#repetition(reply.stored);
        case 'conflict':
          snapshot = reply.snapshot;
          break;
        case 'insufficient':
        case 'stale-epoch':
          snapshot = undefined;
          break;
        case 'late':
          return { kind: 'late' };
        case 'moved':
          throw new Error('a booking names no subscriber');
      }
    }
    if (!this.uncertain) return { kind: 'late' };
    return { kind: 'unavailable', applied: 'unknown', reason: 'the time ran out' };
  }

  /**
   * A refusal stands only if the key was never booked: a repetition gets its outcome although its
   * bucket has expired, or is full, since. A commit whose time is over long ago says which.
   */
  async #refused(reason: BookingRefusal, snapshot: Snapshot): Promise<Booked> {
    const now = this.#options.store.now();
    const { key, kind } = this.#booking;
    const reply = await this.#commit({
      ...this.#under(snapshot, now),
      notAfter: 0,
      movements: [],
      record: {
        kind,
        at: now,
        account: this.#account,
        outcome: reason,
        services: [],
        changes: [],
        reference: key,
      },
    });
    return reply.kind === 'duplicate'
      ? this.#repetition(reply.stored)
      : { kind: 'refused', reason };
  }

  /** What the commits of one booking have in common. */
  #under(
    { epoch, account }: Snapshot,
    at: number,
  ): Pick<Commit, 'account' | 'epoch' | 'accountVersion' | 'idempotency'> {
    const { kind, bucket, amount, key } = this.#booking;
    return {
      account: this.#account,
      epoch,
      accountVersion: account?.version ?? 0,
      idempotency: {
        key,
        outcome: encodeOutcome({ kind, bucket, amount, at, call: this.#token }),
        ttlMs: this.#options.keyTtlMs,
      },
    };
  }

  /** The key is booked: by this very call, if it was our own reply that got lost. */
  async #repetition(stored: Uint8Array): Promise<Booked> {
    const { kind, bucket, amount } = this.#booking;
    const outcome = decodeOutcome(stored);
    if (outcome.kind !== kind || outcome.bucket !== bucket || outcome.amount !== amount)
      return { kind: 'key-reused' };
    const { account } = await this.#calls.one(() => this.#options.store.load(this.#account));
    return {
      kind: 'booked',
      repeated: outcome.call !== this.#token,
      at: outcome.at,
      available: account?.counters[availableField(bucket)] ?? 0,
      reserved: account?.counters[reservedField(bucket)] ?? 0,
    };
  }

  #commit(commit: Commit): Promise<CommitReply> {
    return this.#calls.one(async () => {
      try {
        return await this.#options.store.commit(commit);
      } catch (error) {
        if (error instanceof StoreUnavailable && error.applied === 'unknown') this.uncertain = true;
        throw error;
      }
    });
  }
}

/** JSON: an older version passes over members that a newer one adds. */
function encodeOutcome(outcome: Outcome): Uint8Array {
  return Buffer.from(JSON.stringify(outcome));
}

function decodeOutcome(bytes: Uint8Array): Outcome {
  return JSON.parse(Buffer.from(bytes).toString()) as Outcome;
}
