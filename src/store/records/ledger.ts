/**
 * The ledger: what the records of an account add up to. Sums are kept per bucket and cause, of any
 * size (a balance may be refilled for ever), and are compared with the account's counters by the
 * conservation law:
 *
 *   opening + topup + refund + renewal + adjustment - charges - expired = available + reserved
 *
 * where charges are the causes `debit` and `overrun`; `reserve` and `release` add up to nothing.
 */
import type { BucketChange, Cause } from '../../charging/record.ts';

/** Signed sums of the changes of a bucket that have one cause. */
export interface Sum {
  available: bigint;
  reserved: bigint;
}

/** Sums by `<cause>:<bucket>`: the names of the checkpoint's fields. */
export type Sums = Map<string, Sum>;

const CAUSES: readonly Cause[] = [
  'opening',
  'topup',
  'refund',
  'adjustment',
  'reserve',
  'release',
  'debit',
  'overrun',
  'expiry',
  'renewal',
];

export const sumField = (cause: Cause, bucket: string): string => `${cause}:${bucket}`;

/** Adds the changes of one record to `sums`. */
export function addChanges(sums: Sums, changes: readonly BucketChange[]): void {
  for (const change of changes) {
    const field = sumField(change.cause, change.bucket);
    const sum = sums.get(field);
    if (sum === undefined)
      sums.set(field, { available: BigInt(change.available), reserved: BigInt(change.reserved) });
    else {
      sum.available += BigInt(change.available);
      sum.reserved += BigInt(change.reserved);
    }
  }
}

/** A sum as it is stored: `<available>,<reserved>` in decimal. */
export const sumText = (sum: Sum): string => `${sum.available},${sum.reserved}`;

/** Reads what sumText wrote; throws on anything else. */
export function parseSum(text: string): Sum {
  const match = /^(-?\d+),(-?\d+)$/.exec(text);
  if (match === null) throw new Error(`not a sum: ${JSON.stringify(text.slice(0, 64))}`);
  return { available: BigInt(match[1] as string), reserved: BigInt(match[2] as string) };
}

/** The two sides of the law for one bucket. */
export interface Balance {
  /** What the records say the bucket's `available` is. */
  available: bigint;
  /** What the records say the bucket's `reserved` is. */
  reserved: bigint;
  /** The left side of the law: everything but reserve and release. */
  net: bigint;
  /** What reserve and release add up to; anything but 0 is an error. */
  moved: bigint;
  /** Signed net effect on available + reserved, by cause. */
  byCause: Record<Cause, bigint>;
}

/** Works out every bucket that has a sum. */
export function balances(sums: Sums): Map<string, Balance> {
  const result = new Map<string, Balance>();
  for (const [field, sum] of sums) {
    const colon = field.indexOf(':');
    const cause = field.slice(0, colon) as Cause;
    const bucket = field.slice(colon + 1);
    let balance = result.get(bucket);
    if (balance === undefined) {
      balance = emptyBalance();
      result.set(bucket, balance);
    }
    const net = sum.available + sum.reserved;
    balance.available += sum.available;
    balance.reserved += sum.reserved;
    balance.byCause[cause] += net;
    if (cause === 'reserve' || cause === 'release') balance.moved += net;
    else balance.net += net;
  }
  return result;
}

/** A bucket without any record. */
export function emptyBalance(): Balance {
  const byCause = Object.fromEntries(CAUSES.map((cause) => [cause, 0n])) as Record<Cause, bigint>;
  return { available: 0n, reserved: 0n, net: 0n, moved: 0n, byCause };
}
