/**
 * An account: the subscribers who share it and the buckets that pay for them. Its definition
 * changes by provisioning only (and then its version does); its counters change by movements.
 */
import type { Unit } from './request.ts';

/** Where an account lives: the unit of placement in the store. */
export interface AccountRef {
  tenant: string;
  account: string;
}

export interface Bucket {
  /** Never used again for another bucket of the same account. */
  id: string;
  /** What it holds; a bucket of units pays for rules of that unit, money for every priced rule. */
  unit: Unit;
  /** Lower is drawn first. */
  priority: number;
  /** Store time in ms before which nothing is drawn; absent: from the start. */
  startsAt?: number;
  /** Store time in ms after which nothing is drawn; absent: never. */
  expiresAt?: number;
  /** Filled again by the period; absent: never. */
  renewal?: Renewal;
  /**
   * It lasts this long from its first use, in ms; absent: not counted from there. Not together with
   * a renewal.
   */
  lastsMs?: number;
  /**
   * Subscribers as `kind:id`: the bucket pays for nothing, it limits what these may use of the
   * account. In money it counts what they cost, in another unit what they use.
   */
  limits?: readonly string[];
  /** With `limits` and without a renewal: what it began with. Absent: not known. */
  amount?: number;
  /** The lowest `available` that a promise may reach: 0, or minus the credit limit. */
  floor: number;
  /** Names of the rules that it pays for; absent: every rule of its unit. */
  paysFor?: readonly string[];
}

/** How a bucket is filled again. What is left is booked as expired, except what rolls over. */
export interface Renewal {
  every: 'hour' | 'day' | 'week' | 'month';
  /** Store time in ms that a period begins at; the others follow in `timeZone`, a month's on its day. */
  from: number;
  timeZone: string;
  /** Added with each period, in the bucket's unit. */
  amount: number;
  /** The most that is kept of what was left. */
  rollover: number;
}

export interface AccountDefinition extends AccountRef {
  plan: string;
  status: 'active' | 'blocked';
  /** By priority, then expiry, then id; see `drawOrder`. */
  buckets: readonly Bucket[];
  /** Subscribers as `kind:id`. */
  subscribers: readonly string[];
  /** The most sessions that may be open at once on this account. */
  maxSessions: number;
}

/** An account as the store has it. */
export interface Account {
  definition: AccountDefinition;
  /** Raised by every change of the definition, never by a charge. */
  version: number;
  /** Counters by field name: `a:<bucket>`, `r:<bucket>`, `p:<bucket>`, `n:open`. */
  counters: Readonly<Record<string, number>>;
}

/** The field of a bucket's amount that may still be promised. May be negative: overdraft. */
export const availableField = (bucket: string): string => `a:${bucket}`;
/** The field of a bucket's amount that open grants hold. */
export const reservedField = (bucket: string): string => `r:${bucket}`;
/**
 * The field of the bucket's period: the store time in ms at which it ends; 0: it has not begun.
 * Buckets with a renewal, or that last from their first use, have it.
 */
export const periodField = (bucket: string): string => `p:${bucket}`;
/** The field that counts the account's open sessions. */
export const OPEN_SESSIONS = 'n:open';

/** Whether the account holds a period for `bucket`. */
export const hasPeriod = ({ renewal, lastsMs }: Bucket): boolean =>
  renewal !== undefined || lastsMs !== undefined;

/** What a limit lets its subscribers use, in each period where it has periods. */
export const limitAmount = ({ renewal, amount }: Bucket): number | undefined =>
  renewal?.amount ?? amount;

/** The bucket that takes what no other does: the last that pays for anything. */
export function lastToPay(buckets: readonly Bucket[]): Bucket | undefined {
  for (let i = buckets.length - 1; i >= 0; i--)
    if (buckets[i]?.limits === undefined) return buckets[i];
  return undefined;
}

/**
 * The order in which buckets are drawn, as far as it holds for good: where periods end, it turns with
 * them (`inTurn`).
 */
export function drawOrder(a: Bucket, b: Bucket): number {
  return (
    a.priority - b.priority ||
    (a.expiresAt ?? Number.MAX_SAFE_INTEGER) - (b.expiresAt ?? Number.MAX_SAFE_INTEGER) ||
    (a.id < b.id ? -1 : a.id > b.id ? 1 : 0)
  );
}
