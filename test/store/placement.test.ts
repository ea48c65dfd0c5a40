/** Which partition an account is in, and which keys lie there. */
import { expect, test } from 'vitest';
import {
  accountName,
  accountOfName,
  digest,
  partitionOfName,
  sessionMember,
} from '../../src/store/placement.ts';
import { bindingKey, partitionKeys, pointerKey } from '../../src/store/redis/keys.ts';

test.each([
  ['north', 'a', 'north/a'],
  ['no/rth', 'a/b', 'no%2Frth/a/b'],
  ['50%', '{x}', '50%25/{x}'],
])('tenant %s and account %s are one name, and back', (tenant, account, name) => {
  expect(accountName({ tenant, account })).toBe(name);
  expect(accountOfName(name)).toEqual({ tenant, account });
});

test('partitions never change: these were computed when the first store was made', () => {
  const placed = ['north/a', 'north/b', 'south/a', 'ä/😀'].map((name) =>
    partitionOfName(name, 256),
  );
  expect(placed).toEqual([100, 84, 241, 141]);
});

test('partitions are filled evenly', () => {
  const filled = new Array<number>(64).fill(0);
  for (let i = 0; i < 64_000; i++) filled[partitionOfName(`north/account-${i}`, 64)]!++;
  expect(Math.min(...filled)).toBeGreaterThan(850);
  expect(Math.max(...filled)).toBeLessThan(1_150);
});

test('digests are the first 132 bits of SHA-256, as base64url, whatever the text', () => {
  expect(digest('')).toBe('47DEQpj8HBSa-_TImW-5JC');
  expect(digest('x'.repeat(9_999))).toHaveLength(22);
  expect(sessionMember('north/a', 's')).not.toBe(sessionMember('north/b', 's'));
});

test('all keys of a partition share its hash tag, and none other does', () => {
  const keys = partitionKeys(17);
  const named = [keys.outbox, keys.timers, keys.partition, keys.account('{1}'), keys.index('{2}')];
  const more = [
    keys.sessionsOf('x'),
    keys.session('m'),
    keys.event('x', 'k'),
    keys.booking('x', 'k'),
  ];
  for (const key of [...named, ...more, keys.accounts('x')])
    expect(/\{(.*?)\}/.exec(key)?.[1]).toBe('017');
  expect(new Set([...named, ...more]).size).toBe(9);
  expect(partitionKeys(16_383).outbox).toBe('tk:{16383}:o');
});

test('bindings and pointers lie outside the partitions', () => {
  expect(bindingKey('sid')).toMatch(/^tk:sid:[\w-]{22}$/);
  expect(pointerKey('north', 'e164:1')).toBe('tk:sub:north/e164:1');
});
