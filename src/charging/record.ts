/**
 * What a commit leaves behind: one record per effect, numbered without gaps by the store, with
 * every change of every bucket and its cause. The sum of the records is the ledger.
 */
import type { AccountRef } from './account.ts';
import type { SubscriberId, Unit, Used } from './request.ts';

/**
 * Why a bucket changed. In terms of the conservation law: `opening`, `topup`, `refund`,
 * `renewal` and `adjustment` add to available + reserved; `debit` and `overrun` are charges; `expiry` takes
 * away what expired; `reserve` and `release` only move between available and reserved.
 */
export type Cause =
  | 'opening'
  | 'topup'
  | 'refund'
  | 'adjustment'
  | 'reserve'
  | 'release'
  | 'debit'
  | 'overrun'
  | 'expiry'
  | 'renewal';

export interface BucketChange {
  bucket: string;
  cause: Cause;
  available: number;
  reserved: number;
}

export type RecordKind =
  | 'initial'
  | 'update'
  | 'termination'
  | 'late-usage'
  | 'validity'
  | 'supervision'
  | 'abort'
  | 'opening'
  | 'topup'
  | 'adjustment'
  | 'expiry'
  | 'epoch'
  | 'debit'
  | 'refund'
  | 'renewal'
  | 'reauthorisation'
  | 'abort-request';

export interface RecordedService {
  ratingGroup?: number;
  serviceIds: readonly number[];
  rule?: string;
  /** What rated its use or, where nothing was used, what it was decided on. */
  plan?: string;
  planVersion?: number;
  /** Of a message to several recipients, those whom this is for. */
  recipients?: RecordedRecipients;
  unit?: Unit;
  used?: number;
  /** Units that money had paid for before by the same price, which the cost of `used` is counted from. */
  countedFrom?: number;
  granted?: number;
  /** Money debited for `used`, in the tenant's smallest unit. */
  cost?: number;
  outcome: string;
  /** A reported figure was beyond 0..2^53-1 and was cut to it. */
  excess?: boolean;
  /** What was reported in no unit that the tariff counts, and so was not rated. */
  unrated?: Used;
  reasons?: readonly number[];
  /** After a tariff change: the rule that rated the part of `used` that came after it. */
  after?: {
    rule: string;
    /** Where the rule is not of the plan and version that rated the rest. */
    plan?: string;
    planVersion?: number;
    used: number;
    countedFrom?: number;
    cost: number;
  };
}

export interface RecordedRecipients {
  count: number;
  /** How many the message has, where each rule has an entry of its own. */
  of?: number;
  /** The numbers that are known: of the first `MAX_RECIPIENTS`, the first `MAX_NUMBER` characters. */
  called: readonly string[];
}

/** The most recipients that a record names for one service. */
export const MAX_RECIPIENTS = 100;

/** No number has more digits (ITU-T E.164 6); there is room for what is none. */
const MAX_NUMBER = 64;

/** What a record says of recipients, which are some of a message that has `of`, or else all. */
export function recordedRecipients(
  recipients: readonly (string | undefined)[],
  of?: number,
): RecordedRecipients {
  const count = recipients.length;
  const called: string[] = [];
  for (const number of recipients.slice(0, MAX_RECIPIENTS))
    if (number !== undefined) called.push(number.slice(0, MAX_NUMBER));
  return of === undefined ? { count, called } : { count, of, called };
}

export interface ChargingRecord {
  kind: RecordKind;
  /** Store time in ms. */
  at: number;
  account: AccountRef;
  sessionId?: string;
  subSessionId?: string;
  requestNumber?: number;
  subscriber?: SubscriberId;
  client?: string;
  context?: string;
  outcome: string;
  services: readonly RecordedService[];
  changes: readonly BucketChange[];
  terminationCause?: number;
  /**
   * With a top-up or adjustment: the caller's idempotency key. With a refund that hands back a debit:
   * that debit, as Session-Id, CC-Request-Number and CC-Sub-Session-Id.
   */
  reference?: string;
  /** Service-Information as it was sent; absent where it is as in the session's record before. */
  information?: Uint8Array;
  /** As in `Request`. */
  sentContext?: string;
  equipment?: string;
  correlation?: string;
}
