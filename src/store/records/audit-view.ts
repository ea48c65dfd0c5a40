/** What an audit reads from a live store, each call of one instant. */
import type { AccountRef, Bucket } from '../../charging/account.ts';
import type { BucketKinds } from '../bucket-kinds.ts';
import type { StoredSession } from '../store.ts';
import type { Sums } from './ledger.ts';
import type { RecordLog } from './log.ts';

export interface ExaminedAccount {
  account: AccountRef;
  /** Undefined: there is no such account. */
  buckets: readonly Bucket[] | undefined;
  /** What ids of its buckets stand for, as far as it keeps that. */
  kinds: BucketKinds;
  counters: Readonly<Record<string, number>>;
  /** Size of the set of its open sessions. */
  listed: number;
  /** Checkpointed sums. */
  sums: Sums;
}

export interface Examination {
  /** The last record of the partition. */
  last: string;
  /** The record that the checkpointed sums reach. */
  position: string;
  /** What the checkpointer found missing, as text, or ''. */
  gap: string;
  accounts: ExaminedAccount[];
}

/** A member of an index or of the timer wheel, and what is known of its session. */
export interface ExaminedMember {
  member: string;
  /** Undefined: there is no such session. `unreadable`: its bytes make no sense. */
  stored: StoredSession | 'unreadable' | undefined;
  /** Whether it stands in the account's set, in the tenant's index and on the wheel. */
  listed: boolean;
  indexed: boolean;
  armed: boolean;
}

export interface MemberPage {
  members: string[];
  /** Absent: this was the last page. */
  next?: string;
}

export interface AuditView {
  readonly log: RecordLog;
  /** All accounts that there are, or that a checkpoint knows, by partition. */
  accounts(): Promise<ReadonlyMap<number, readonly AccountRef[]>>;
  examine(partition: number, accounts: readonly AccountRef[]): Promise<Examination>;
  /** A page of the account's set: whoever is in it all the time is in one of the pages. */
  openSessions(partition: number, account: AccountRef, cursor?: string): Promise<MemberPage>;
  /** A page of the timer wheel. */
  timers(partition: number, cursor?: string): Promise<MemberPage>;
  /** A page of a tenant's index of open sessions. */
  index(partition: number, tenant: string, cursor?: string): Promise<MemberPage>;
  /** `of`: whose set and index are looked at; what is not named is not looked at (false). */
  members(
    partition: number,
    of: { tenant?: string; account?: string },
    members: readonly string[],
  ): Promise<ExaminedMember[]>;
}
