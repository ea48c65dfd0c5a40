/**
 * CC-Money on the wire (a decimal: Value-Digits x 10^Exponent, RFC 8506 8.8-8.10, 8.22) against
 * money in the core (an integer of the tenant's smallest unit).
 */
import { clampUnits } from '../charging/money.ts';

/** The money of one tenant. */
export interface Currency {
  /** ISO 4217 numeric code, as Currency-Code carries it. */
  code: number;
  /** Decimal places of the smallest unit: 2 makes it a cent. */
  digits: number;
}

/** Unit-Value as decoded. */
export interface UnitValue {
  'Value-Digits'?: bigint;
  Exponent?: number;
}

/** More decimal places than any amount within +-2^53 can have or need; bounds the powers of ten. */
const MAX_SHIFT = 40;
/** What a smallest unit is divided into, so that sums of fractions are exact. */
const FRACTIONS = 10n ** BigInt(MAX_SHIFT);

/** The value, of either sign, in fractions of the smallest unit, to be summed and then `rounded`. */
export function fractionsOf(value: UnitValue, { digits: places }: Currency): bigint {
  const digits = value['Value-Digits'] ?? 0n;
  const shift = Math.max(-MAX_SHIFT, Math.min((value.Exponent ?? 0) + places, MAX_SHIFT));
  return digits * 10n ** BigInt(MAX_SHIFT + shift);
}

/**
 * Fractions in smallest units, clamped to 0..2^53-1; a fraction of the smallest unit counts as a
 * whole one, so that no usage is given away. `exact` is false where that or the clamp changed it.
 */
export function rounded(fractions: bigint): { amount: number; exact: boolean } {
  if (fractions <= 0n) return { amount: 0, exact: fractions === 0n };
  const { units, excess } = clampUnits((fractions + FRACTIONS - 1n) / FRACTIONS);
  return { amount: units, exact: excess === 0n && fractions % FRACTIONS === 0n };
}

/** The amount of one value, `rounded`. */
export function amountOf(value: UnitValue, currency: Currency): { amount: number; exact: boolean } {
  return rounded(fractionsOf(value, currency));
}

/** The Unit-Value of an amount in smallest units. */
export function unitValueOf(
  amount: number,
  currency: Currency,
): { 'Value-Digits': bigint; Exponent?: number } {
  return {
    'Value-Digits': BigInt(amount),
    ...(currency.digits === 0 ? {} : { Exponent: -currency.digits }),
  };
}
