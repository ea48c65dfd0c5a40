/**
 * The store as the engine sees it, and what it promises. Two stores keep these promises: Redis
 * (`redis/`) and memory (`memory/`); one suite of tests holds for both.
 *
 * Every call ends as applied, not applied or unknown. Applied is a reply; the other two are a
 * thrown StoreUnavailable that says which. Nothing is ever sent twice by the store itself: an
 * unknown commit is resolved by its caller, who sends the same commit again.
 */
import type { Account, AccountDefinition, AccountRef } from '../charging/account.ts';
import type { Movement } from '../charging/draft.ts';
import type { ChargingRecord } from '../charging/record.ts';
import type { SubscriberId } from '../charging/request.ts';
import type { Session } from '../charging/session.ts';
import type { BucketKinds } from './bucket-kinds.ts';
import type { ConfigurationStore } from './configuration.ts';

/**
 * What the store throws when it cannot serve. `unknown`: the call may or may not have been applied.
 */
export class StoreUnavailable extends Error {
  readonly applied: 'no' | 'unknown';
  constructor(applied: 'no' | 'unknown', message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StoreUnavailable';
    this.applied = applied;
  }
}

/**
 * A commit, or a change of an account, that would take a counter out of +-(2^53 - 1): nothing was
 * written, and never will be by it.
 */
export class CounterOutOfRange extends RangeError {
  readonly field: string;
  constructor(field: string) {
    super(`counter ${field} would leave +-(2^53 - 1)`);
    this.name = 'CounterOutOfRange';
    this.field = field;
  }
}

export interface StoredSession {
  /** Raised by every commit of the session; 0 is a session that does not exist. */
  version: number;
  /** The id of the last record that the session wrote: `<epoch>-<n>`. */
  lastRecord: string;
  session: Session;
}

/** An account and, where it was asked for and exists, a session of it, read in one step. */
export interface Snapshot {
  /** The partition's epoch under which this was read. */
  epoch: number;
  account: Account | undefined;
  session: StoredSession | undefined;
}

/**
 * What a decision changes, in one step. It has one subject that makes it safe to send again: a
 * session, an event or an idempotency key. Each counter is moved once, on the net result.
 */
export interface Commit {
  account: AccountRef;
  /** Conditions: what the decision was made on. */
  epoch: number;
  accountVersion: number;
  /** Checked with an initial or an event: the account must still have this subscriber. */
  subscriber?: SubscriberId;
  /** Store time in ms; past it nothing is written. With everything that opens or books. */
  notAfter?: number;

  session?: {
    key: string;
    /** 0: must not exist. */
    expected: number;
    value: Session;
    /** A tombstone's time to live; absent: an open session, kept until a commit ends it. */
    ttlMs?: number;
    /** Late usage on a tombstone: keep the time to live that it has. */
    keepTtl?: boolean;
    /** Index entries are written when a session opens and removed when it closes. */
    index: 'open' | 'close' | 'keep';
    /** New score on the timer wheel in store ms; a close removes the member. */
    timer: number | 'keep' | 'remove';
  };
  /**
   * A one-time event's own key within its account: the answer to give to its duplicates. `spends` is
   * a second key that must not exist, and then holds the same: what may happen once, whoever asks.
   */
  event?: { key: string; answer: Uint8Array; ttlMs: number; spends?: string };
  /** A booking's idempotency key within its account: the outcome to give to its repetition. */
  idempotency?: { key: string; outcome: Uint8Array; ttlMs: number };

  movements: readonly Movement[];
  record: ChargingRecord;
}

/** In the order in which they are decided. */
export type CommitReply =
  | { kind: 'duplicate'; stored: Uint8Array }
  /** Session, account version, a maximum or a missing field: here is what won. */
  | { kind: 'conflict'; snapshot: Snapshot }
  | { kind: 'stale-epoch' }
  | { kind: 'moved' }
  | { kind: 'late' }
  /** The counters as they are. */
  | { kind: 'insufficient'; counters: Readonly<Record<string, number>> }
  | {
      kind: 'committed';
      recordId: string;
      /** The session's new version; 0 when there is no session. */
      version: number;
      /** The new values of the moved fields. */
      counters: Readonly<Record<string, number>>;
    };

/** Which account a Session-Id belongs to, for good. `opened`: its session has been stored. */
export interface Binding extends AccountRef {
  state: 'bound' | 'opened';
}

/**
 * Called with each account that has a subscriber no more, the one that had it the last, before the
 * move is done: where that is stopped, the next move of the subscriber, to whichever account, calls
 * it again. `limited`: the account has limits, of which some may be the subscriber's.
 */
export type Leaving = (from: string, limited: boolean) => Promise<void>;

/** What an account keeps beside its definition, for those who change it. */
export interface Kept {
  /** Of its limits, and of buckets that are gone. */
  kinds: BucketKinds;
  /** Subscribers, as `kind:id`, whose move here is not done, with the account that each comes from. */
  arriving: Readonly<Record<string, string>>;
}

/** A session whose timer came due; `stored` is absent when the session is gone. */
export interface DueSession {
  /** Names the wheel's member to `dropTimer` and `rearm`. */
  member: string;
  stored: StoredSession | undefined;
}

export interface Store extends ConfigurationStore {
  readonly partitions: number;
  partitionOf(account: AccountRef): number;

  /** The store's clock in ms, as last measured plus the time since; no round trip. */
  now(): number;

  /** The account a subscriber points to: a pointer, never an authority (see `moved`). */
  accountOf(tenant: string, subscriber: SubscriberId): Promise<string | undefined>;

  /**
   * Binds a Session-Id to an account unless it is bound; the binding that holds is returned. Here and
   * in `keepBinding`, a sub-session is noted under its Session-Id for as long as its binding lives.
   */
  bind(sessionKey: string, account: AccountRef, ttlMs: number): Promise<Binding>;
  bindingOf(sessionKey: string): Promise<Binding | undefined>;
  /** Marks a binding as opened and sets how long it lives from now. */
  keepBinding(sessionKey: string, account: AccountRef, ttlMs: number): Promise<void>;
  /**
   * After `moved`: leaves a closed marker under the session's key at the old account, so that
   * nothing can be opened there any more, and swaps the binding if it still names the old account.
   * Where a session was opened there first, it stays and so does its binding. A marker that is met
   * as a conflict is an ended session without services whose `account` is the new one.
   */
  moveBinding(
    sessionKey: string,
    from: AccountRef,
    to: AccountRef,
    ttlMs: number,
  ): Promise<Binding>;

  /**
   * CC-Sub-Session-Ids that were bound under a Session-Id, in no order; one may be given twice, and
   * the binding of one may be gone.
   */
  subSessionsOf(
    sessionId: string,
    page: { after?: string; limit: number },
  ): Promise<{ subSessionIds: string[]; next?: string }>;

  load(account: AccountRef, sessionKey?: string): Promise<Snapshot>;
  commit(commit: Commit): Promise<CommitReply>;

  /** Leases up to `limit` due members of a partition until `now + leaseMs`. */
  claimDue(
    partition: number,
    options: { limit: number; leaseMs: number },
  ): Promise<{ now: number; due: DueSession[] }>;
  /** Sets an open session's score unless its version has moved on. */
  rearm(account: AccountRef, member: string, version: number, at: number): Promise<void>;
  /** Removes a member whose session does not exist. */
  dropTimer(partition: number, member: string): Promise<void>;

  /**
   * Creates an account with its buckets' opening amounts, which an `opening` record accounts for;
   * an existing one is left as it is. Subscribers that other accounts have are left out: they are to
   * be moved. Repeating it completes what an interruption left undone.
   */
  createAccount(
    definition: AccountDefinition,
    openings: Readonly<Record<string, number>>,
  ): Promise<'created' | 'exists'>;
  /**
   * Replaces a definition if its version is still `expected`; new buckets start at 0. What is due on
   * the account is booked first. Then a bucket may be left out only when both its counters are 0
   * (otherwise `conflict`). Limits start with their amounts, move by the difference and may be left
   * out at any time. A record accounts for all of it. Subscribers that other accounts have are left
   * out of it: they are to be moved. Throws BucketIdTaken where an id would stand for another bucket
   * than before, and CounterOutOfRange.
   */
  changeAccount(definition: AccountDefinition, expected: number): Promise<'changed' | 'conflict'>;
  /**
   * Moves a subscriber to another account: new field, pointer, old field; repeatable. One that
   * others are moving is waited for, for seconds at most. Throws RangeError where there is no such
   * account.
   */
  moveSubscriber(
    tenant: string,
    subscriber: SubscriberId,
    to: string,
    leaving?: Leaving,
  ): Promise<void>;
  /** Takes a subscriber from whichever account has it, or may have it, in the same way. */
  removeSubscriber(tenant: string, subscriber: SubscriberId, leaving?: Leaving): Promise<void>;
  /** The account that has a subscriber, which `accountOf` alone does not tell. */
  holderOf(tenant: string, subscriber: SubscriberId): Promise<string | undefined>;
  /** Undefined: there is no such account. */
  keptOf(account: AccountRef): Promise<Kept | undefined>;

  /** In the order of their ids; with `partition` only those that live there, which is cheaper. */
  listAccounts(
    tenant: string,
    page: { after?: string; limit: number; partition?: number },
  ): Promise<{ accounts: Account[]; next?: string }>;
  /** Open sessions of a tenant by start time, newest last. */
  listSessions(
    tenant: string,
    page: { after?: string; limit: number },
  ): Promise<{ sessions: StoredSession[]; next?: string }>;

  /**
   * Open sessions of one account, in no order; one that opens or closes meanwhile may be left out,
   * and one may be given twice.
   */
  sessionsOf(
    account: AccountRef,
    page: { after?: string; limit: number },
  ): Promise<{ sessions: StoredSession[]; next?: string }>;

  /**
   * Announces a worker as alive for `ttlMs` and returns all that are, sorted; a `ttlMs` of 0 takes
   * it away.
   */
  announce(worker: string, ttlMs: number): Promise<string[]>;

  /** Leases a peer to a worker that has an open connection to it; 0 ms gives the lease up. */
  holdPeer(host: string, worker: string, ttlMs: number): Promise<void>;
  /** The workers that hold a peer, sorted. */
  holdersOf(host: string): Promise<string[]>;
  /** Leaves a message in a worker's inbox; what is not taken within seconds goes away. */
  post(worker: string, message: string): Promise<'posted' | 'full'>;
  /** Takes the oldest messages out of a worker's inbox: each is given at most once. */
  take(worker: string, limit: number): Promise<string[]>;

  /** Says why the store cannot be used, or undefined when it can. */
  ready(): Promise<string | undefined>;
  close(): Promise<void>;
}
