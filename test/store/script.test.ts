/** A script and its declaration: a difference is refused. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { loadScript } from '../../src/store/redis/script.ts';
import { scripts } from '../../src/store/redis/scripts.ts';

const folder = mkdtempSync(join(tmpdir(), 'tk-lua-'));
afterAll(() => rmSync(folder, { recursive: true }));

const declared = {
  keys: ['a', 'b'],
  optional: ['c'],
  args: ['x', 'y'],
  rest: ['z'],
  reply: ['done {n}', 'not'],
} as const;
const good = [
  '#!lua',
  '-- What it does.',
  '-- KEYS a b [c]',
  '-- ARGV x y {z}',
  '-- REPLY done {n} | not',
  'local a, b, c = unpack(KEYS)',
  'local x, y = unpack(ARGV, 1, 2)',
  "return 'not'",
].join('\n');

function load(source: string) {
  const file = join(folder, 'some-script.lua');
  writeFileSync(file, source);
  return loadScript(pathToFileURL(file), declared);
}

test('a script that keeps to its declaration is loaded under its digest', () => {
  expect(load(good)).toMatchObject({ name: 'some-script', source: good, keys: ['a', 'b'] });
  expect(load(good).sha).toMatch(/^[0-9a-f]{40}$/);
});

test.each([
  ['the shebang', '#!lua', '-- lua'],
  ['its keys', '-- KEYS a b [c]', '-- KEYS b a [c]'],
  ['its optional keys', '-- KEYS a b [c]', '-- KEYS a b c'],
  ['its arguments', '-- ARGV x y {z}', '-- ARGV x {z}'],
  ['what is repeated', '-- ARGV x y {z}', '-- ARGV x y'],
  ['its replies', '-- REPLY done {n} | not', '-- REPLY done | not'],
  ['a part of the header', '-- REPLY done {n} | not\n', ''],
  ['the names of its keys', 'local a, b, c', 'local b, a, c'],
  ['the names of its arguments', 'local x, y', 'local y, x'],
])('one that differs in %s stops the start', (_, from, to) => {
  expect(good).toContain(from);
  expect(() => load(good.replace(from, to))).toThrow(/^some-script.lua: /);
});

test('every script of the folder is declared, and tested in a file of its own', () => {
  const lua = readdirSync(new URL('../../src/store/redis/lua', import.meta.url));
  const names = Object.values(scripts).map(({ name }) => name);
  expect(lua.map((file) => file.replace('.lua', '')).sort()).toEqual(names.sort());
  const tests = readdirSync(new URL('lua', import.meta.url));
  expect(tests.filter((file) => file.endsWith('.test.ts'))).toEqual(
    names.map((name) => `${name}.test.ts`).sort(),
  );
});
