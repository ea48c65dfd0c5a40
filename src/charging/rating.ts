/**
 * What units cost. The cost of a service is a function F of all units that money has paid for in
 * its session, and a report costs F(after) - F(before). So the parts always sum up to the whole,
 * to the smallest unit of money, however a client splits its reports.
 *
 * F(0) is 0. With the first unit, at least `minimum` count as used. They fill the price's bands
 * from the bottom, and each band that they reach costs its fee and its units' rate.
 *
 * Rounding: in each band the units are counted up to whole increments, and what they cost is
 * rounded up, once, to the smallest unit of money. Nothing else is ever rounded.
 *
 * With `eachReport` every report is rated from 0 (`basisOf`). Where there is but one band, k
 * reports then cost at least what they would as one, and at most (k - 1) x (F(1) + 1) more: fee,
 * minimum, increment and the rounding up of each report after the first.
 */
import { add, clampUnits, LIMIT, mulDivCeil, roundUp } from './money.ts';
import type { Price, Rate } from './plan.ts';

/** The units that the cost of the next report, or grant, is counted from. */
export function basisOf(price: Price | undefined, rated: number): number {
  return price?.eachReport === true ? 0 : rated;
}

/** F(units): what `units` cost in the smallest unit of money; saturated at LIMIT. */
export function costOf(price: Price, units: number): number {
  if (!isPlain(price)) return bandedCost(price, units);
  if (units <= LIMIT - price.increment) return rateCost(price, units);
  return clampUnits(exactCost(price, BigInt(units))).units;
}

function bandedCost(price: Price, units: number): number {
  if (units === 0) return 0;
  const { minimum = 0, bands = [] } = price;
  const counted = Math.max(units, minimum);
  let cost = 0;
  let band: Rate = price;
  let from = 0;
  for (let next = 0; ; next++) {
    const until = bands[next]?.from ?? LIMIT;
    const inBand = Math.min(counted, until) - from;
    if (inBand > LIMIT - band.increment) return clampUnits(exactCost(price, BigInt(units))).units;
    cost = add(cost, add(band.fee ?? 0, rateCost(band, inBand)));
    if (counted <= until) return cost;
    band = bands[next] as Rate;
    from = until;
  }
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
 * The most units, up to `wanted`, that `budget` pays for after `rated` units: the inverse of
 * `costOfMore`. Units left over in what has begun, an increment or the minimum, are paid for
 * already, so they are affordable with nothing.
 */
export function affordable(
  price: Price,
  { rated, budget, wanted }: { rated: number; budget: number; wanted: number },
): number {
  const cost = costOfMore(price, rated, wanted);
  if (cost <= budget && cost < LIMIT) return wanted;
  const limit = exactCost(price, BigInt(rated)) + BigInt(Math.max(0, budget));
  const most = exactReach(price, limit, BigInt(rated) + BigInt(wanted));
  return Math.max(0, Number(most - BigInt(rated)));
}

/**
 * What units cost at the most, wherever they begin and however they are divided among prices: the
 * dearest rate of all of them, and beside it, once, all that is not proportional.
 */
export interface Bound {
  amount: number;
  per: number;
  /** Fees, minima, and of each band one unit less than an increment and what rounding adds. */
  beside: number;
}

/** The bound of units, each of which is rated by one of `prices`. */
export function boundOf(prices: readonly Price[]): Bound {
  let dearest = { amount: 0n, per: 1n };
  for (const price of prices)
    for (const { amount, per } of exactBands(price))
      if (amount * dearest.per > dearest.amount * per) dearest = { amount, per };
  let beside = 0n;
  for (const price of prices) {
    beside += ceilDiv(BigInt(price.minimum ?? 0) * dearest.amount, dearest.per);
    for (const { fee, amount, per, increment } of exactBands(price)) {
      const rounding = (increment * amount) % per === 0n ? 0n : per - 1n;
      beside += fee + ceilDiv((increment - 1n) * amount + rounding, per);
    }
  }
  const { amount, per } = dearest;
  return { amount: Number(amount), per: Number(per), beside: clampUnits(beside).units };
}

/** What `units` cost at the most; saturated at LIMIT. */
export function mostOf({ amount, per, beside }: Bound, units: number): number {
  return units === 0 ? 0 : add(mulDivCeil(units, amount, per), beside);
}

/** The most units, up to `wanted`, that cost no more than `budget` whatever comes. */
export function surelyAffordable(
  { amount, per, beside }: Bound,
  { budget, wanted }: { budget: number; wanted: number },
): number {
  const left = Math.max(0, budget) - beside;
  if (left < 0) return 0;
  if (amount === 0) return wanted;
  const most = (BigInt(left) * BigInt(per)) / BigInt(amount);
  return most < BigInt(wanted) ? Number(most) : wanted;
}

/** One band, no fee and no minimum: what most prices are. */
export function isPlain({ fee, minimum, bands }: Price): boolean {
  return fee === undefined && minimum === undefined && bands === undefined;
}

/** What `units`, at most LIMIT - increment, cost in one band without its fee. */
function rateCost({ amount, per, increment }: Rate, units: number): number {
  return mulDivCeil(roundUp(units, increment), amount, per);
}

/** A band in figures of any size: `until` is the first unit of the next one. */
export interface ExactBand {
  from: bigint;
  until?: bigint;
  fee: bigint;
  amount: bigint;
  per: bigint;
  increment: bigint;
}

/** The bands of a price, from 0 on. */
export function exactBands(price: Price): ExactBand[] {
  const all: readonly (Rate & { from: number })[] = [{ ...price, from: 0 }, ...(price.bands ?? [])];
  return all.map(({ from, fee, amount, per, increment }, index) => {
    const next = all[index + 1];
    return {
      from: BigInt(from),
      ...(next === undefined ? {} : { until: BigInt(next.from) }),
      fee: BigInt(fee ?? 0),
      amount: BigInt(amount),
      per: BigInt(per),
      increment: BigInt(increment),
    };
  });
}

function exactCost(price: Price, units: bigint): bigint {
  if (units === 0n) return 0n;
  const minimum = BigInt(price.minimum ?? 0);
  const counted = units > minimum ? units : minimum;
  let cost = 0n;
  for (const band of exactBands(price)) {
    if (counted <= band.from) break;
    const { from, until, fee } = band;
    const inBand = (until === undefined || counted < until ? counted : until) - from;
    cost += fee + exactRateCost(band, inBand);
  }
  return cost;
}

function exactRateCost({ amount, per, increment }: ExactBand, units: bigint): bigint {
  return ceilDiv(ceilDiv(units, increment) * increment * amount, per);
}

/** The most units, up to `wanted`, that F prices at `limit` or less. */
function exactReach(price: Price, limit: bigint, wanted: bigint): bigint {
  const minimum = BigInt(price.minimum ?? 0);
  const goal = wanted > minimum ? wanted : minimum;
  let reach = 0n;
  let left = limit;
  for (const band of exactBands(price)) {
    const { from, until, amount, per, increment } = band;
    left -= band.fee;
    if (goal <= from || left < 0n) break;
    const size = (until === undefined || goal < until ? goal : until) - from;
    const most = amount === 0n ? size : ((left * per) / (amount * increment)) * increment;
    reach = from + (most < size ? most : size);
    if (most < size) break;
    left -= exactRateCost(band, size);
  }
  if (reach < minimum) return 0n;
  return reach < wanted ? reach : wanted;
}

function ceilDiv(dividend: bigint, divisor: bigint): bigint {
  return (dividend + divisor - 1n) / divisor;
}
