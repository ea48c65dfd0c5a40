/**
 * What units cost. The price of a service's usage is a function of all units that money has paid
 * for in the session, so it does not depend on how the client splits its reports: the parts
 * always sum up to the price of the whole, rounded up once.
 */
import { add, LIMIT, mulDivCeil, roundUp } from './money.ts';
import type { Price } from './plan.ts';

/** The price of `units`, counted in whole increments and rounded up to the smallest unit of money. */
export function costOf(price: Price, units: number): number {
  return mulDivCeil(roundUp(units, price.increment), price.amount, price.per);
}

/** What `units` more cost after `rated` units have been paid for. */
export function costOfMore(price: Price, rated: number, units: number): number {
  return costOf(price, add(rated, units)) - costOf(price, rated);
}

/**
 * The most units, up to `wanted`, that `budget` pays for after `rated` units. Units left over in
 * the increment that has begun are paid for already.
 */
export function affordable(
  price: Price,
  { rated, budget, wanted }: { rated: number; budget: number; wanted: number },
): number {
  if (price.amount === 0) return wanted;
  const limit = BigInt(add(costOf(price, rated), Math.max(0, budget)));
  const step = BigInt(price.amount) * BigInt(price.increment);
  const increments = (limit * BigInt(price.per)) / step;
  const units = increments * BigInt(price.increment);
  const paidFor = units > BigInt(LIMIT) ? LIMIT : Number(units);
  return Math.max(0, Math.min(wanted, paidFor - rated));
}
