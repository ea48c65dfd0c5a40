/**
 * What the ids of an account's buckets stand for. Grants, debits that may be refunded and records name
 * a bucket by its id, so an id never becomes another unit, nor a limit money that can be spent. An
 * account keeps the kinds of its limits, and of buckets that are gone: the newest MAX_GONE of them.
 */
import type { AccountDefinition, Bucket } from '../charging/account.ts';

/** By bucket id; of those that are gone, the longest gone first. */
export type BucketKinds = ReadonlyMap<string, string>;

/** Kinds of buckets that are gone which an account keeps. */
export const MAX_GONE = 256;

/** A change that would make another bucket of an id: nothing was written, and never will be by it. */
export class BucketIdTaken extends RangeError {
  readonly bucket: string;
  /** What the id stands for. */
  readonly kind: string;
  constructor(bucket: string, kind: string) {
    super(`bucket ${bucket} is, or was, ${kind}, and an id is never used again for another bucket`);
    this.name = 'BucketIdTaken';
    this.bucket = bucket;
    this.kind = kind;
  }
}

export const kindOf = ({ unit, limits }: Pick<Bucket, 'unit' | 'limits'>): string =>
  limits === undefined ? unit : `a limit of ${unit}`;

/**
 * The kinds that an account keeps after a change from `before`, of which it kept `kinds`. Throws
 * BucketIdTaken. `before` absent: the account is new.
 */
export function kindsAfter(
  next: AccountDefinition,
  { before, kinds }: { before?: AccountDefinition; kinds: BucketKinds },
): BucketKinds {
  const had = new Map(before?.buckets.map((bucket) => [bucket.id, kindOf(bucket)]));
  const has = new Map(next.buckets.map((bucket) => [bucket.id, bucket]));
  for (const [id, bucket] of has) {
    const kind = had.get(id) ?? kinds.get(id);
    if (kind !== undefined && kind !== kindOf(bucket)) throw new BucketIdTaken(id, kind);
  }
  const gone = [...kinds].filter(([id]) => !has.has(id) && !had.has(id));
  for (const [id, kind] of had) if (!has.has(id)) gone.push([id, kind]);
  const limits = next.buckets.filter((bucket) => bucket.limits !== undefined);
  return new Map([
    ...gone.slice(-MAX_GONE),
    ...limits.map((bucket): [string, string] => [bucket.id, kindOf(bucket)]),
  ]);
}

export const kindsText = (kinds: BucketKinds): string => JSON.stringify([...kinds]);
/** Reads what kindsText wrote; absent: none are kept. */
export const parseKinds = (text: string | undefined): BucketKinds =>
  new Map(text === undefined ? [] : (JSON.parse(text) as [string, string][]));
