/**
 * Who paid for the use that a record tells of: its changes say what each bucket was charged, and how
 * many units of a service money paid for follows from that where it can follow. Not a command itself.
 */
import type { Bucket } from '../charging/account.ts';
import type { Price } from '../charging/plan.ts';
import { affordable, costOfMore } from '../charging/rating.ts';
import type { BucketChange } from '../charging/record.ts';
import type { Unit } from '../charging/request.ts';

/** What a bucket was charged with. */
export interface Payment {
  bucket: string;
  /** In the bucket's own unit. */
  amount: number;
  /** Absent: the account has no such bucket any more, and nobody knows what it counted. */
  unit?: Unit;
  /** It only counts what a subscriber uses; others paid. */
  isLimit?: true;
}

/** Units under one rule that a record tells the cost of. */
export interface Use {
  unit: Unit;
  units: number;
  /** Money. */
  cost: number;
  /** `none`: free of charge; undefined: not known. */
  price: Price | 'none' | undefined;
  /** The units that its cost is counted from; undefined: not known. */
  basis: number | undefined;
  /** More was to be charged than a counter holds. */
  excess: boolean;
}

/** What the buckets were charged with, in the order of the record; `buckets`: the account's. */
export function paymentsOf(
  changes: readonly BucketChange[],
  buckets: readonly Bucket[],
): readonly Payment[] {
  const payments = new Map<string, Payment>();
  for (const { bucket: id, cause, available, reserved } of changes) {
    if (cause !== 'debit' && cause !== 'overrun') continue;
    const bucket = buckets.find((one) => one.id === id);
    const { amount = 0 } = payments.get(id) ?? {};
    payments.set(id, {
      ...{ bucket: id, amount: amount - available - reserved },
      ...(bucket === undefined ? {} : { unit: bucket.unit }),
      ...(bucket?.limits === undefined ? {} : { isLimit: true }),
    });
  }
  return [...payments.values()];
}

/**
 * How many units of each use money paid for, free units of a price among them; undefined: it does
 * not follow from the record.
 */
export function paidByMoney(
  uses: readonly Use[],
  payments: readonly Payment[],
): readonly (number | undefined)[] {
  const paid: (number | undefined)[] = uses.map(() => undefined);
  for (const unit of new Set(uses.map((use) => use.unit))) {
    const charged = chargedTo(unit, payments);
    const alike = [...uses.entries()].filter(([, use]) => use.unit === unit);
    const found = divided(
      alike.map(([, use]) => use),
      unit === 'money' ? 0 : charged,
    );
    for (const [at, [index]] of alike.entries()) paid[index] = found[at];
  }
  return paid;
}

/** Units that buckets of this unit paid for; undefined: some bucket's unit is not known. */
function chargedTo(unit: Unit, payments: readonly Payment[]): number | undefined {
  let sum = 0;
  for (const { unit: own, amount, isLimit } of payments) {
    if (isLimit || amount === 0) continue;
    if (own === undefined) return undefined;
    if (own === unit) sum += amount;
  }
  return sum;
}

/** Divides what buckets paid for among uses of one unit, where there is but one way to. */
function divided(
  uses: readonly Use[],
  charged: number | undefined,
): readonly (number | undefined)[] {
  const known = uses.every(({ price }) => price !== undefined);
  const all = uses.reduce((sum, { units, price }) => sum + (price === 'none' ? 0 : units), 0);
  const isSingle = uses.length === 1;
  // Of one alone the record says it, whatever the plan has for it.
  const ranges = uses.map((use) => (isSingle && known ? anyOf(use) : rangeOf(use)));
  if (charged === undefined || !known)
    return uses.map((use) => {
      const { least, most } = charged === 0 && use.price !== undefined ? allOf(use) : rangeOf(use);
      return least === most ? least : undefined;
    });
  const rest = all - charged;
  const least = ranges.reduce((sum, range) => sum + range.least, 0);
  const most = ranges.reduce((sum, range) => sum + range.most, 0);
  return ranges.map((range) => {
    const low = Math.max(range.least, rest - (most - range.most));
    const high = Math.min(range.most, rest - (least - range.least));
    return low === high ? low : undefined;
  });
}

interface Range {
  least: number;
  most: number;
}

const anyOf = ({ price, units }: Use): Range => ({ least: 0, most: price === 'none' ? 0 : units });

function allOf({ price, units }: Use): Range {
  const all = price === 'none' ? 0 : units;
  return { least: all, most: all };
}

/** How many units money can have paid for, as the cost says. */
function rangeOf(use: Use): Range {
  const { price, basis, units, cost, excess } = use;
  if (price === 'none' || price === undefined || basis === undefined || excess) return anyOf(use);
  const most = affordable(price, { rated: basis, budget: cost, wanted: units });
  // The plan has no such amount: nothing follows from it.
  if (costOfMore(price, basis, most) !== cost) return anyOf(use);
  if (cost === 0) return { least: 0, most };
  return { least: affordable(price, { rated: basis, budget: cost - 1, wanted: units }) + 1, most };
}
