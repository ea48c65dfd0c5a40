/**
 * What units cost. The price of a service's usage is a function of all units that money has paid
 * for in the session, so it does not depend on how the client splits its reports: the parts
 * always sum up to the price of the whole, rounded up once.
 */
import { clampUnits, LIMIT, mulDivCeil, roundUp } from './money.ts';
import type { Price } from './plan.ts';

/**
 * The price of `units`, counted in whole increments and rounded up to the smallest unit of money;
 * saturated at LIMIT.
 */
export function costOf(price: Price, units: number): number {
  if (units <= LIMIT - price.increment)
    return mulDivCeil(roundUp(units, price.increment), price.amount, price.per);
  return clampUnits(exactCost(price, BigInt(units))).units;
}

/**
 * What `units` more cost after `rated` units have been paid for; saturated at LIMIT. It is the
 * difference that is cut, never its terms: usage goes on costing however much came before it.
 */
export function costOfMore(price: Price, rated: number, units: number): number {
  const whole = costOf(price, Math.min(LIMIT, rated + units));
  if (rated + units <= LIMIT && whole < LIMIT) return whole - costOf(price, rated);
  const all = BigInt(rated) + BigInt(units);
  return clampUnits(exactCost(price, all) - exactCost(price, BigInt(rated))).units;
}

/**
 * The most units, up to `wanted`, that `budget` pays for after `rated` units. Units left over in
 * the increment that has begun are paid for already.
 */
export function affordable(
  price: Price,
  { rated, budget, wanted }: { rated: number; budget: number; wanted: number },
): number {
  const cost = costOfMore(price, rated, wanted);
  if (cost <= budget && cost < LIMIT) return wanted;
  const limit = exactCost(price, BigInt(rated)) + BigInt(Math.max(0, budget));
  const increment = BigInt(price.increment);
  const increments = (limit * BigInt(price.per)) / (BigInt(price.amount) * increment);
  const left = increments * increment - BigInt(rated);
  return left < BigInt(wanted) ? Math.max(0, Number(left)) : wanted;
}

function exactCost({ amount, per, increment }: Price, units: bigint): bigint {
  return ceilDiv(
    ceilDiv(units, BigInt(increment)) * BigInt(increment) * BigInt(amount),
    BigInt(per),
  );
}

function ceilDiv(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
