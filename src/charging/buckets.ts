/**
 * What time does to the buckets of an account: they expire, last from their first use, and are
 * filled again by the period. Nothing happens by itself: every decision on an account first books
 * what is due, in its own record, under conditions that let it happen once.
 *
 * A bucket with a renewal is in a period, from its creation on, with what it was opened with; at
 * the end of each period what is left beyond the roll-over expires and the amount is added. Ends that
 * nobody decided anything between are made up for all at once, as if each had been in time.
 */
import { type Account, type Bucket, hasPeriod } from './account.ts';
import { endsUntil, periodEnd } from './calendar.ts';
import { Draft } from './draft.ts';
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
export function accountAt(account: Account, now: number): Account {
  const draft = new Draft(account);
  turnPeriods(draft, now);
  const movements = draft.movements();
  if (movements.length === 0) return account;
  const counters = { ...account.counters };
  for (const { field, delta } of movements) counters[field] = (counters[field] ?? 0) + delta;
  return { ...account, counters };
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
