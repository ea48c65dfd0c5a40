/**
 * The period counters that buckets are given when an account is created or changed. They are turned
 * only where what is due is booked (`buckets.ts`).
 */
import { type Account, type Bucket, hasPeriod, periodField, type Renewal } from './account.ts';
import { periodEnd } from './calendar.ts';

/** The period counters of an account's buckets by field; `before` is the account they are given to. */
export function periodsFor(
  buckets: readonly Bucket[],
  now: number,
  before?: Account,
): Record<string, number> {
  const periods: Record<string, number> = {};
  for (const bucket of buckets) {
    const field = periodField(bucket.id);
    const old = before?.definition.buckets.find(({ id }) => id === bucket.id);
    const had = old && { bucket: old, period: before?.counters[field] };
    const period = periodFor(bucket, now, had);
    if (period !== undefined) periods[field] = period;
  }
  return periods;
}

/**
 * The period counter that a bucket is given at store time `now`; undefined: it has none.
 * `before` is what it was until then: a renewal that is changed takes hold when the present period
 * ends, or earlier where its own would end earlier; a use that has begun goes on.
 */
export function periodFor(
  bucket: Bucket,
  now: number,
  before?: { bucket: Bucket; period: number | undefined },
): number | undefined {
  if (!hasPeriod(bucket)) return undefined;
  const { renewal, startsAt = now } = bucket;
  const had = before?.period;
  const old = before?.bucket.renewal;
  if (renewal === undefined) return had !== undefined && old === undefined ? had : 0;
  // Nothing but a change may shorten a period: by another worker's clock it may have turned already.
  if (had !== undefined && old !== undefined && isSameTime(renewal, old)) return had;
  const end = periodEnd(renewal, Math.max(now, startsAt));
  return had === undefined || old === undefined ? end : Math.min(had, end);
}

const isSameTime = (a: Renewal, b: Renewal): boolean =>
  a.every === b.every && a.from === b.from && a.timeZone === b.timeZone;
