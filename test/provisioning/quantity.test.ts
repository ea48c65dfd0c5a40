/** Quantities with units as text: octets and durations. */
import { expect, test } from 'vitest';
import {
  MAX_DURATION_SECONDS,
  parseDuration,
  parseQuantity,
  parseSigned,
  parseTime,
} from '../../src/provisioning/quantity.ts';

const octets = (written: string | number) => parseQuantity(written, { unit: 'octets', digits: 0 });

test.each<[string | number, number]>([
  [0, 0],
  [1500, 1500],
  ['1500', 1500],
  ['1 B', 1],
  ['1 kB', 1000],
  ['1KB', 1000],
  ['10 MB', 10_000_000],
  ['10 MiB', 10_485_760],
  ['1.5 GiB', 1_610_612_736],
  ['0.5 KiB', 512],
  ['2 TB', 2_000_000_000_000],
  ['9007 TB', 9_007_000_000_000_000],
])('%j is %d octets', (written, value) => {
  expect(octets(written)).toEqual({ value });
});

test.each(['1 mb', '1 Mb', '1 min', 'MB', '', '1  MB', '1.', '-1 MB', '1 MB ', '1 toString'])(
  '%j is no number of octets',
  (written) => {
    expect(octets(written)).toEqual({ expected: expect.stringMatching(/^a size such as/) });
  },
);

test('what would have to be rounded or does not fit is refused', () => {
  expect(octets('0.3 B')).toEqual({ expected: expect.stringContaining('nothing is rounded') });
  expect(octets('0.0001 KiB')).toEqual({ expected: expect.stringContaining('rounded') });
  expect(octets('9008 TB')).toEqual({ expected: 'at most 2^53 - 1' });
});

test('units are whole numbers and money is text', () => {
  expect(parseQuantity(5, { unit: 'units', digits: 4 })).toEqual({ value: 5 });
  expect(parseQuantity('5', { unit: 'units', digits: 4 })).toEqual({ value: 5 });
  expect(parseQuantity('5 kB', { unit: 'units', digits: 4 })).toEqual({
    expected: 'a whole number',
  });
  expect(parseQuantity('5', { unit: 'money', digits: 4 })).toEqual({ value: 50_000 });
  expect(parseQuantity(5, { unit: 'money', digits: 4 })).toEqual({
    expected: expect.stringContaining('in quotes'),
  });
});

test.each<[string | number, number]>([
  [90, 90],
  ['90', 90],
  ['90 s', 90],
  ['15min', 900],
  ['1 h', 3600],
  ['1.5 h', 5400],
  ['366 d', MAX_DURATION_SECONDS],
])('%j is %d seconds', (written, value) => {
  expect(parseDuration(written)).toEqual({ value });
});

test('a duration is a year at most', () => {
  expect(parseDuration(MAX_DURATION_SECONDS + 1)).toEqual({ expected: 'at most 366 d' });
});

test('times have a zone and exist', () => {
  expect(parseTime('2032-02-29T12:00:00+02:00')).toEqual({ value: Date.UTC(2032, 1, 29, 10) });
  expect(parseTime('2031-12-31T23:59Z')).toEqual({ value: Date.UTC(2031, 11, 31, 23, 59) });
  for (const text of ['2031-02-29T00:00:00Z', '2031-13-01T00:00:00Z', '2031-01-01T25:00:00Z']) {
    expect(parseTime(text)).toEqual({ expected: expect.stringContaining('that exists') });
  }
});

test.each([
  ['-5', 'money', { value: -500 }],
  ['5', 'money', { value: 500 }],
  ['-1 kB', 'octets', { value: -1000 }],
  ['--5', 'money', { expected: expect.stringContaining('an amount of money') }],
  ['--5', 'units', { expected: 'a whole number' }],
  ['-', 'money', { expected: expect.stringContaining('an amount of money') }],
] as const)('with a sign, %s of %s', (text, unit, parsed) => {
  expect(parseSigned(text, { unit, digits: 2 })).toEqual(parsed);
});
