/** Money as text and back, exactly. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { currencyCodes, currencyNumber } from '../../src/provisioning/currency.ts';
import { formatMoney, type Parsed, parseMoney } from '../../src/provisioning/money.ts';

const MAX = Number.MAX_SAFE_INTEGER;

test('every amount is read back as it was written, to the unit', () => {
  fc.assert(
    fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 9 }), (amount, digits) => {
      expect(parseMoney(formatMoney(amount, { digits }), { digits })).toEqual({
        value: amount === 0 ? 0 : amount,
      });
    }),
  );
});

test('a text is worth what its digits say', () => {
  fc.assert(
    fc.property(
      fc.nat(9_000_000),
      fc.nat(999_999),
      fc.integer({ min: 6, max: 9 }),
      (whole, millionths, digits) => {
        const text = `${whole}.${String(millionths).padStart(6, '0')}`;
        const value = (whole * 1_000_000 + millionths) * 10 ** (digits - 6);
        expect(parseMoney(text, { digits })).toEqual(
          value <= MAX ? { value } : { expected: expect.stringContaining('at most') },
        );
      },
    ),
  );
});

test.each([
  [0, 4, '0.00'],
  [1, 4, '0.0001'],
  [-1, 4, '-0.0001'],
  [123_400, 4, '12.34'],
  [120_000, 4, '12.00'],
  [-120_000, 4, '-12.00'],
  [5, 1, '0.5'],
  [5, 0, '5'],
  [MAX, 0, '9007199254740991'],
  [-MAX, 6, '-9007199254.740991'],
  [MAX, 9, '9007199.254740991'],
])('%d with %d digits is %s', (amount, digits, text) => {
  expect(formatMoney(amount, { digits })).toBe(text);
  expect(formatMoney(amount, { digits, currency: 'EUR' })).toBe(`${text} EUR`);
});

test.each<[string, Parsed<number>]>([
  ['12', { value: 120_000 }],
  ['0012.5', { value: 125_000 }],
  ['-0.5', { value: -5000 }],
  ['-0', { value: 0 }],
  ['900719925474.0991', { value: MAX }],
  ['900719925474.0992', { expected: 'at most 900719925474.0991' }],
  ['0.12345', { expected: 'at most 4 decimal places' }],
  ['0.10000', { expected: 'at most 4 decimal places' }],
])('%j with 4 digits', (text, parsed) => {
  expect(parseMoney(text, { digits: 4 })).toEqual(parsed);
});

test.each(['', '-', '.5', '5.', '1,5', '1e3', '0x10', ' 1', '1 ', '+1', '1 EUR', '١', 'NaN'])(
  '%j is no money',
  (text) => {
    const expected = "an amount of money such as '0.05'";
    expect(parseMoney(text, { digits: 4 })).toEqual({ expected });
  },
);

test('a currency without decimal places takes none', () => {
  expect(parseMoney('5', { digits: 0 })).toEqual({ value: 5 });
  expect(parseMoney('5.0', { digits: 0 })).toEqual({ expected: 'no decimal places' });
});

test('currencies have the numbers of ISO 4217', () => {
  const some = { EUR: 978, USD: 840, SEK: 752, PLN: 985, GBP: 826, JPY: 392, AUD: 36, ALL: 8 };
  for (const [code, number] of Object.entries(some)) expect(currencyNumber(code)).toBe(number);
  for (const code of ['XXX', 'XAU', 'eur', 'EURO', '', 'constructor']) {
    expect(currencyNumber(code)).toBeUndefined();
  }
  const codes = [...currencyCodes()];
  expect(new Set(codes.map(currencyNumber)).size).toBe(codes.length);
  // Those in use today, as the runtime knows them, but for what is no tender.
  const inUse = ['EUR', 'CHF', 'CZK', 'DKK', 'HUF', 'NOK', 'RON', 'SEK', 'TRY', 'UAH', 'INR'];
  const runtime = new Set(Intl.supportedValuesOf('currency'));
  for (const code of inUse) expect(runtime.has(code) && codes.includes(code)).toBe(true);
});
