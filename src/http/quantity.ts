/** An amount of money or units as replies show it: exact for programs, and readable. */
import type { Unit } from '../charging/request.ts';
import type { TenantCurrency } from './tenant.ts';

export interface Quantity {
  smallest: number;
  amount?: string;
  currency?: string;
}

export const quantitySchema = {
  $id: 'Quantity',
  description: 'So much of a unit; of money, also as a decimal with its currency.',
  type: 'object',
  required: ['smallest'],
  additionalProperties: false,
  properties: {
    smallest: {
      type: 'integer',
      minimum: -Number.MAX_SAFE_INTEGER,
      maximum: Number.MAX_SAFE_INTEGER,
      description: "In the smallest unit: octets, seconds, units, or the currency's smallest.",
    },
    amount: {
      type: 'string',
      pattern: '^-?[0-9]+(\\.[0-9]+)?$',
      description: 'Of money only: the same in the currency, with all its decimal places.',
    },
    currency: { type: 'string', pattern: '^[A-Z]{3}$', description: 'ISO 4217.' },
  },
} as const;

export const unitSchema = {
  type: 'string',
  enum: ['octets', 'seconds', 'units', 'money'] satisfies Unit[],
  description: 'What is counted.',
} as const;

/** Without a currency (it is not known, or the unit is not money) only the integer is shown. */
export function quantity(
  smallest: number,
  unit: Unit | undefined,
  money: TenantCurrency | undefined,
): Quantity {
  if (unit !== 'money' || money === undefined) return { smallest };
  return { smallest, amount: decimal(smallest, money.digits), currency: money.currency };
}

/** -1234 with 2 digits is `-12.34`; exact for every integer. */
export function decimal(smallest: number | bigint, digits: number): string {
  const sign = smallest < 0 ? '-' : '';
  const all = String(smallest)
    .slice(sign.length)
    .padStart(digits + 1, '0');
  if (digits === 0) return sign + all;
  return `${sign}${all.slice(0, -digits)}.${all.slice(-digits)}`;
}
