/**
 * Exact integer arithmetic for amounts and units. Every counter, price, product and sum of the
 * charging core is an integer within +-LIMIT; a product that could leave that range is computed
 * with BigInt, so no figure is ever rounded by a double.
 */

/** The largest magnitude of any amount or number of units: 2^53 - 1. */
export const LIMIT = Number.MAX_SAFE_INTEGER;

/** Clamps an integer of any size into 0..LIMIT; what was cut off is returned beside it. */
export function clampUnits(value: bigint): { units: number; excess: bigint } {
  if (value <= BigInt(LIMIT)) return { units: Number(value < 0n ? 0n : value), excess: 0n };
  return { units: LIMIT, excess: value - BigInt(LIMIT) };
}

/** The sum of two amounts, saturated at +-LIMIT. */
export function add(a: number, b: number): number {
  const sum = a + b;
  return Math.max(-LIMIT, Math.min(LIMIT, sum));
}

/** ceil(a * b / divisor) for non-negative a, b and a positive divisor, saturated at LIMIT. */
export function mulDivCeil(a: number, b: number, divisor: number): number {
  const product = a * b;
  if (product <= LIMIT) return Math.floor(product / divisor) + (product % divisor === 0 ? 0 : 1);
  const exact = (BigInt(a) * BigInt(b) + BigInt(divisor) - 1n) / BigInt(divisor);
  return exact > BigInt(LIMIT) ? LIMIT : Number(exact);
}

/** The smallest multiple of `increment` that is not below `units`, saturated at LIMIT. */
export function roundUp(units: number, increment: number): number {
  const rest = units % increment;
  return rest === 0 ? units : add(units, increment - rest);
}
