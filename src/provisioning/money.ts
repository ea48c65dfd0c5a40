/**
 * Money as text, exactly: decimal digits to an integer in a tenant's smallest unit and back, never
 * through a floating-point number.
 */

const LIMIT = BigInt(Number.MAX_SAFE_INTEGER);

/** A value, or what would have been right instead (completes "expected ..."). */
export type Parsed<T> = { value: T } | { expected: string };

/**
 * `'12.5'` with 4 digits is 125000. A minus sign is allowed; more decimal places than `digits`
 * are refused rather than rounded, and so are amounts beyond 2^53 - 1 of the smallest unit.
 */
export function parseMoney(text: string, { digits }: { digits: number }): Parsed<number> {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  if (match === null) return { expected: "an amount of money such as '0.05'" };
  const [, sign, whole = '', fraction = ''] = match;
  if (fraction.length > digits) {
    return {
      expected: digits === 0 ? 'no decimal places' : `at most ${digits} decimal places`,
    };
  }
  const amount = BigInt(whole + fraction.padEnd(digits, '0'));
  if (amount > LIMIT) return { expected: `at most ${formatMoney(Number(LIMIT), { digits })}` };
  return { value: sign === '-' && amount > 0n ? -Number(amount) : Number(amount) };
}

/**
 * The exact amount, with its currency where one is given: `12.34 EUR`. Two decimal places are
 * always shown (fewer where the unit has fewer), more only where they are not zero.
 */
export function formatMoney(
  amount: number,
  { digits, currency }: { digits: number; currency?: string },
): string {
  const all = String(Math.abs(amount)).padStart(digits + 1, '0');
  const whole = all.slice(0, all.length - digits);
  const fraction = all.slice(all.length - digits).replace(/0+$/, '');
  const shown = fraction.padEnd(Math.min(2, digits), '0');
  const text = `${amount < 0 ? '-' : ''}${whole}${shown === '' ? '' : `.${shown}`}`;
  return currency === undefined ? text : `${text} ${currency}`;
}
