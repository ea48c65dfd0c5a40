/** Percentiles of latencies. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Histogram } from '../../src/trace/histogram.ts';

const values = fc.array(
  fc.oneof(fc.nat(3000), fc.nat(2 ** 31 - 1), fc.bigInt(0n, 2n ** 40n - 1n).map(Number)),
  { minLength: 1, maxLength: 300 },
);

function filled(list: number[]): Histogram {
  const histogram = new Histogram();
  for (const value of list) histogram.record(value);
  return histogram;
}

test('a percentile is the exact one or up to 0.1 % more, never less', () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 100, noNaN: true }), (list, percent) => {
      const sorted = [...list].sort((a, b) => a - b);
      const exact = sorted[Math.max(1, Math.ceil((percent / 100) * list.length)) - 1]!;
      const found = filled(list).percentile(percent);
      expect(found).toBeGreaterThanOrEqual(exact);
      expect(found).toBeLessThanOrEqual(exact * 1.001);
    }),
  );
});

test('count, mean and largest value are exact', () => {
  fc.assert(
    fc.property(values, (list) => {
      const histogram = filled(list);
      expect(histogram.count).toBe(list.length);
      expect(histogram.max).toBe(Math.max(...list));
      expect(histogram.percentile(100)).toBe(histogram.max);
      expect(histogram.mean).toBe(list.reduce((sum, each) => sum + each, 0) / list.length);
    }),
  );
});

test('two histograms added are the histogram of both', () => {
  fc.assert(
    fc.property(values, values, (left, right) => {
      const sum = filled(left);
      sum.add(filled(right));
      expect(sum).toEqual(filled([...left, ...right]));
    }),
  );
});

test('nothing recorded, and what does not fit', () => {
  expect([new Histogram().percentile(99), new Histogram().max, new Histogram().mean]).toEqual([
    0, 0, 0,
  ]);
  const histogram = filled([-5, 1.4, 2 ** 50]);
  expect(histogram.percentile(1)).toBe(0);
  expect(histogram.percentile(50)).toBe(1);
  expect(histogram.max).toBe(2 ** 40 - 1);
});
