/** Names that may be claimed once only, ranges of numbers among them. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Claims, counted } from '../../src/provisioning/claims.ts';

test('numbers are counted with their leading zeros', () => {
  expect(counted('0098', 3)).toBe('0101');
  expect(counted('999999999999999', 0)).toBe('999999999999999');
});

test('whoever claims a name that is taken learns who has it', () => {
  const claims = new Claims();
  expect(claims.claim('x', ['first'])).toBeUndefined();
  expect(claims.claim('x', ['second'])).toEqual(['first']);
  expect(claims.claimRun({ prefix: 'x', first: '08', count: 4 }, ['run'])).toBeUndefined();
  expect(claims.claim('x11', ['third'])).toEqual(['run']);
  expect(claims.claim('x12', ['third'])).toBeUndefined();
  expect(claims.claim('x9', ['fourth'])).toBeUndefined();
});

test('digits of a prefix belong to the number', () => {
  const claims = new Claims();
  claims.claimRun({ prefix: 'a1', first: '00', count: 10 }, ['run']);
  expect(claims.claimRun({ prefix: 'a', first: '105', count: 1 }, [])).toEqual(['run']);
  expect(claims.claimRun({ prefix: 'a', first: '110', count: 1 }, [])).toBeUndefined();
});

test('claims agree with writing all names out', () => {
  const run = fc
    .record({
      prefix: fc.constantFrom('a', 'a1', 'a10', 'b', 'a-'),
      first: fc.constantFrom('0', '3', '00', '07', '10', '008', '101'),
      count: fc.integer({ min: 1, max: 12 }),
    })
    .filter(({ first, count }) => counted(first, count - 1).length === first.length);
  const single = fc
    .tuple(fc.constantFrom('a', 'a1', 'b', 'a-'), fc.nat(130))
    .map(([prefix, number]) => `${prefix}${number}`);
  fc.assert(
    fc.property(fc.array(fc.oneof(run, single), { maxLength: 12 }), (wanted) => {
      const claims = new Claims();
      const taken = new Set<string>();
      for (const item of wanted) {
        const names =
          typeof item === 'string'
            ? [item]
            : Array.from({ length: item.count }, (_, i) => item.prefix + counted(item.first, i));
        const free = names.every((name) => !taken.has(name));
        const holder =
          typeof item === 'string' ? claims.claim(item, ['x']) : claims.claimRun(item, ['x']);
        expect(holder === undefined).toBe(free);
        if (free) for (const name of names) taken.add(name);
        for (const name of names) expect(claims.holder(name) !== undefined).toBe(taken.has(name));
      }
    }),
  );
});
