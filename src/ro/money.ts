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

/**
 * The amount in smallest units, clamped to 0..2^53-1; a fraction of the smallest unit counts as a
 * whole one, so that no usage is given away. `exact` is false where that or the clamp changed it.
 */
export function amountOf(value: UnitValue, currency: Currency): { amount: number; exact: boolean } {
  const digits = value['Value-Digits'] ?? 0n;
  if (digits <= 0n) return { amount: 0, exact: digits === 0n };
  const shift = (value.Exponent ?? 0) + currency.digits;
  if (shift >= 0) {
    const { units, excess } = clampUnits(digits * 10n ** BigInt(Math.min(shift, MAX_SHIFT)));
    return { amount: units, exact: excess === 0n };
  }
  const divisor = 10n ** BigInt(Math.min(-shift, MAX_SHIFT));
  const { units, excess } = clampUnits((digits + divisor - 1n) / divisor);
  return { amount: units, exact: excess === 0n && digits % divisor === 0n };
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
