/** RFC 6733 3: identifiers of the requests that the server starts. */
import { expect, test } from 'vitest';
import { endToEndIds, hopByHopIds } from '../../src/peer/identifiers.ts';

test('B-016 Hop-by-Hop Identifiers skip those outstanding and wrap at 32 bits', () => {
  const next = hopByHopIds(() => 0.999_999_999_9);
  const outstanding = new Set([0, 1]);
  expect(next((id) => outstanding.has(id))).toBe(2);
  expect(next((id) => outstanding.has(id))).toBe(3);
});

const atSecond = (second: number) => () => second * 1000;

test('B-017 End-to-End Identifiers carry the low 12 bits of the time above 20 others', () => {
  const next = endToEndIds({
    worker: 0,
    workers: 1,
    wallClock: atSecond(0x65432abc),
    random: () => 0,
  });
  expect(next() >>> 20).toBe(0xabc);
});

test('B-017 workers that share an Origin-Host never make the same identifier', () => {
  const seen = new Set<number>();
  for (let worker = 0; worker < 3; worker += 1) {
    const next = endToEndIds({ worker, workers: 3, wallClock: atSecond(7), random: () => 0.3 });
    for (let count = 0; count < 2 ** 18; count += 1) seen.add(next());
  }
  expect(seen.size).toBe(3 * 2 ** 18);
});

test('B-017 more identifiers in a second than there is room for borrow from the next', () => {
  const next = endToEndIds({ worker: 0, workers: 1024, wallClock: atSecond(9), random: () => 0 });
  const seen = new Set<number>();
  for (let count = 0; count < 3 * 1024; count += 1) seen.add(next());
  expect(seen.size).toBe(3 * 1024);
});

test('B-017 a restart a second later, and a clock set back, repeat nothing', () => {
  const before = endToEndIds({ worker: 1, workers: 4, wallClock: atSecond(9), random: () => 0.5 });
  const after = endToEndIds({ worker: 1, workers: 4, wallClock: atSecond(10), random: () => 0.5 });
  let second = 12;
  const running = endToEndIds({
    worker: 1,
    workers: 4,
    wallClock: () => second * 1000,
    random: () => 0,
  });
  const seen = new Set([before(), after(), running()]);
  second = 11;
  seen.add(running());
  expect(seen.size).toBe(4);
});
