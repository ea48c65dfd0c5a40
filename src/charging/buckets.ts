/**
 * What time does to the buckets of an account: they expire, last from their first use, and are
 * filled again by the period. Nothing happens by itself: every decision on an account first books
 * what is due, in its own record, under conditions that let it happen once.
 *
 * A bucket with a renewal is in a period, from its creation on, with what it was opened with; at
 * the end of each period what is left beyond the roll-over expires and the amount is added. Ends that
 * nobody decided anything between are made up for all at once, as if each had been in time.
 */
import { type Account, type Bucket, hasPeriod, lastToPay } from './account.ts';
import { endsUntil, periodEnd } from './calendar.ts';
import { Draft, type Movement } from './draft.ts';
import type { BucketChange } from './record.ts';
import type { Unit } from './request.ts';

/** What a bucket is to pay for, or to count. */
export interface Use {
  rule: { name: string; unit: Unit };
  /** Store time in ms. */
  now: number;
}

/** Books what is due by `now` in all buckets of the draft's account. */
export function turnPeriods(draft: Draft, now: number): void {
  for (const bucket of draft.account.definition.buckets) {
    const period = hasPeriod(bucket) ? draft.period(bucket.id) : undefined;
    if (isOver(bucket, period, now)) draft.expire(bucket.id);
    else if (isDue(bucket, period, now)) {
      const { renewal } = bucket;
      const times = endsUntil(renewal, { first: draft.period(bucket.id) ?? now, now });
      draft.renew(bucket.id, { ...renewal, times, end: periodEnd(renewal, now) });
    }
  }
}

/** The account as a decision at `now` would find it: with what is due by then booked. */
export const accountAt = (account: Account, now: number): Account => dueBy(account, now).account;

/** What is due on an account by `now`, and the account with that booked. */
export function dueBy(
  account: Account,
  now: number,
): { account: Account; movements: readonly Movement[]; changes: readonly BucketChange[] } {
  const draft = new Draft(account);
  turnPeriods(draft, now);
  const movements = draft.movements();
  if (movements.length === 0) return { account, movements, changes: [] };
  const counters = { ...account.counters };
  for (const { field, delta } of movements) counters[field] = (counters[field] ?? 0) + delta;
  return { account: { ...account, counters }, movements, changes: draft.changes() };
}

/**
 * Whether nothing will ever be drawn from a bucket again. `period` is its counter; undefined: it
 * has none.
 */
export function isOver(bucket: Bucket, period: number | undefined, now: number): boolean {
  const { expiresAt, lastsMs, renewal } = bucket;
  if (expiresAt !== undefined && expiresAt <= now) return true;
  if (lastsMs === undefined || renewal !== undefined || period === undefined) return false;
  return period !== 0 && period <= now;
}

function isDue(
  bucket: Bucket,
  period: number | undefined,
  now: number,
): bucket is Bucket & Required<Pick<Bucket, 'renewal'>> {
  if (bucket.renewal === undefined || period === undefined) return false;
  return period <= now && (bucket.startsAt === undefined || bucket.startsAt <= now);
}

/**
 * The account's buckets in the order in which they are drawn at `now`: of those with one priority the
 * first to end, be it by a period that is not over until then, or would begin now. The last to pay
 * stays behind them. Where periods decide it, they are conditions of what is decided.
 */
export function inTurn(draft: Draft, now: number): readonly Bucket[] {
  const { buckets } = draft.account.definition;
  if (!isByPeriod(buckets)) return buckets;
  const last = lastToPay(buckets);
  const endsAt = new Map(buckets.map((bucket) => [bucket, endOf(draft, bucket, now)]));
  const end = (bucket: Bucket): number => endsAt.get(bucket) ?? 0;
  return buckets.toSorted(
    (a, b) =>
      a.priority - b.priority ||
      Number(a === last) - Number(b === last) ||
      compare(end(a), end(b)) ||
      compare(a.id, b.id),
  );
}

/** Whether buckets of one priority end by their periods, so that no order of them holds for good. */
function isByPeriod(buckets: readonly Bucket[]): boolean {
  let before: Bucket | undefined;
  for (const bucket of buckets) {
    if (bucket.limits !== undefined) continue;
    if (before?.priority === bucket.priority && (hasPeriod(before) || hasPeriod(bucket)))
      return true;
    before = bucket;
  }
  return false;
}

/** Store time in ms at which what is in a bucket ends, if it is drawn now. */
function endOf(draft: Draft, bucket: Bucket, now: number): number {
  const { expiresAt = Number.POSITIVE_INFINITY, lastsMs = 0 } = bucket;
  if (!hasPeriod(bucket)) return expiresAt;
  draft.keepPeriod(bucket.id);
  return Math.min(expiresAt, draft.period(bucket.id) || now + lastsMs);
}

const compare = <Of extends number | string>(a: Of, b: Of): number => (a < b ? -1 : a > b ? 1 : 0);

/** Whether `bucket` may pay for the use. */
export function paysFor(draft: Draft, bucket: Bucket, use: Use): boolean {
  return bucket.limits === undefined && serves(draft, bucket, use);
}

/** Whether `bucket` limits the use, because it limits the subscriber of the draft. */
export function limitsUse(draft: Draft, bucket: Bucket, use: Use): boolean {
  return draft.isLimitedBy(bucket) && serves(draft, bucket, use);
}

function serves(draft: Draft, bucket: Bucket, { rule, now }: Use): boolean {
  if (bucket.startsAt !== undefined && bucket.startsAt > now) return false;
  if (isOver(bucket, hasPeriod(bucket) ? draft.period(bucket.id) : undefined, now)) return false;
  if (bucket.unit !== rule.unit && bucket.unit !== 'money') return false;
  return bucket.paysFor === undefined || bucket.paysFor.includes(rule.name);
}

/**
 * The end of the period that a bucket is being drawn in, which its first use begins where it lasts
 * from there; undefined: it has none.
 */
export function beginUse(draft: Draft, bucket: Bucket, now: number): number | undefined {
  if (!hasPeriod(bucket)) return undefined;
  const { lastsMs, renewal } = bucket;
  if (lastsMs !== undefined && renewal === undefined) draft.begin(bucket.id, now + lastsMs);
  return draft.period(bucket.id);
}
