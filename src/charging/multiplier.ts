/**
 * The multiplier of a pooled grant: what one of its units takes from the pool, whose own units are
 * the tenant's smallest unit of money (RFC 8506 5.1.2, 8.30). It is the price of one unit as a
 * decimal: exact where it ends within DIGITS digits, otherwise rounded up there, so that a client
 * counts at least what is charged.
 */
import type { Price } from './plan.ts';

/** So many digits always are an integer below 2^53. */
const DIGITS = 15;

export interface Multiplier {
  /** Value = digits x 10^exponent. */
  digits: number;
  exponent: number;
}

/** Of what costs nothing. */
export const FREE: Multiplier = { digits: 0, exponent: 0 };

/** Of the dearest rate that `units` units after `rated` are charged at. */
export function multiplierOf(
  price: Price,
  { rated, units }: { rated: number; units: number },
): Multiplier {
  let { amount, per } = price;
  for (const band of price.bands ?? []) {
    if (band.from >= rated + units) break;
    const isBegun = band.from <= rated;
    const isDearer = BigInt(band.amount) * BigInt(per) > BigInt(amount) * BigInt(band.per);
    if (isBegun || isDearer) ({ amount, per } = band);
  }
  return decimalOf(BigInt(amount), BigInt(per));
}

/** The multiplier of a grant for both sides of a tariff change: the one that takes more. */
export function greater(a: Multiplier, b: Multiplier): Multiplier {
  const scale = Math.min(a.exponent, b.exponent);
  const scaled = ({ digits, exponent }: Multiplier) =>
    BigInt(digits) * 10n ** BigInt(exponent - scale);
  return scaled(a) >= scaled(b) ? a : b;
}

/** `amount` / `per` with as few digits as say it, `DIGITS` at most. */
function decimalOf(amount: bigint, per: bigint): Multiplier {
  if (amount === 0n) return FREE;
  let digits = amount / per;
  let rest = amount % per;
  let exponent = 0;
  while (rest > 0n && digits < 10n ** BigInt(DIGITS - 1)) {
    digits = digits * 10n + (rest * 10n) / per;
    rest = (rest * 10n) % per;
    exponent -= 1;
  }
  while (digits >= 10n ** BigInt(DIGITS)) {
    if (digits % 10n > 0n) rest = 1n;
    digits /= 10n;
    exponent += 1;
  }
  if (rest > 0n) digits += 1n;
  while (digits % 10n === 0n) {
    digits /= 10n;
    exponent += 1;
  }
  return { digits: Number(digits), exponent };
}
