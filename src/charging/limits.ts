/**
 * Buckets that limit what a subscriber may use of a shared account. They pay for nothing: whatever
 * the subscriber is granted is reserved there too, in money what it costs, in another unit what it
 * counts; usage is debited there as it is from the buckets that pay, and beyond a grant it is
 * counted without a limit. What is free of charge counts for nothing.
 */
import type { Bucket } from './account.ts';
import { beginUse, limitsUse, type Use } from './buckets.ts';
import type { Draft } from './draft.ts';
import { LIMIT } from './money.ts';
import type { Part } from './session.ts';

/** How much a grant may count and cost, by the limits of its subscriber. */
export interface Caps {
  buckets: readonly Bucket[];
  units: number;
  money: number;
}

/** What the limits leave of a use; undefined: nothing limits it. */
export function capsOf(draft: Draft, use: Use): Caps | undefined {
  let limits: Bucket[] | undefined;
  for (const bucket of draft.account.definition.buckets) {
    if (bucket.limits === undefined || !limitsUse(draft, bucket, use)) continue;
    limits ??= [];
    limits.push(bucket);
  }
  if (limits === undefined) return undefined;
  const caps = { buckets: limits, units: LIMIT, money: LIMIT };
  for (const bucket of limits) {
    const counted = countedIn(bucket);
    caps[counted] = Math.min(caps[counted], Math.max(0, draft.promisable(bucket)));
  }
  return caps;
}

/**
 * Makes a condition of every limit that leaves less than `useful` once `taken` is granted: it must
 * not have got so much more meanwhile.
 */
export function leanOnCaps(
  draft: Draft,
  { buckets }: Caps,
  { taken, useful }: { taken: Counted; useful: Counted },
): void {
  for (const bucket of buckets) {
    const counted = countedIn(bucket);
    if (draft.promisable(bucket) - taken[counted] < useful[counted])
      draft.leanOn(bucket.id, useful[counted]);
  }
}

/** Reserves a grant in the limits of its subscriber. */
export function reserveLimits(
  draft: Draft,
  { buckets }: Caps,
  { taken, now }: { taken: Counted; now: number },
): Part[] {
  const parts: Part[] = [];
  for (const bucket of buckets) {
    const amount = taken[countedIn(bucket)];
    if (amount === 0) continue;
    draft.reserve(bucket, amount);
    const period = beginUse(draft, bucket, now);
    const part = { bucket: bucket.id, units: taken.units, amount };
    parts.push(period === undefined ? part : { ...part, period });
  }
  return parts;
}

/**
 * Debits usage within its grant from what this holds of limits. What it lent to its pool, it counts
 * beyond.
 */
export function debitLimits(draft: Draft, limits: readonly Part[], used: Counted): Part[] {
  return limits.map((part) => {
    const bucket = draft.bucket(part.bucket);
    const counted = bucket === undefined ? 0 : used[countedIn(bucket)];
    const amount = Math.min(part.amount, counted);
    draft.debit(part.bucket, amount);
    if (counted > amount) draft.overrun(part.bucket, counted - amount);
    const units = Math.max(0, part.units - used.units);
    return { ...part, units, amount: part.amount - amount };
  });
}

/** Counts usage beyond its grant in the limits of its subscriber: it is never refused. */
export function overrunLimits(draft: Draft, use: Use, used: Counted): void {
  for (const bucket of draft.account.definition.buckets) {
    if (bucket.limits === undefined || !limitsUse(draft, bucket, use)) continue;
    if (draft.overrun(bucket.id, used[countedIn(bucket)]) > 0) beginUse(draft, bucket, use.now);
  }
}

interface Counted {
  units: number;
  money: number;
}

const countedIn = ({ unit }: Bucket): keyof Counted => (unit === 'money' ? 'money' : 'units');
