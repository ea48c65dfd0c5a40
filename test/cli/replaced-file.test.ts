/** Files that are written whole or not at all. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { replaceFile } from '../../src/cli/replaced-file.ts';

let folder: string;
const inFolder = (name: string) => join(folder, name);

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tk-replaced-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

async function say(out: Writable, text: string): Promise<number> {
  out.end(text);
  await finished(out);
  return text.length;
}

test('has what it had until all of it is there', async () => {
  const file = inFolder('out.csv');
  writeFileSync(file, 'before');
  chmodSync(file, 0o600);
  const length = await replaceFile(file, async (out) => {
    await new Promise((written) => out.write('half of ', written));
    expect(readFileSync(file, 'utf8')).toBe('before');
    return say(out, 'it');
  });
  expect(length).toBe(2);
  expect(readFileSync(file, 'utf8')).toBe('half of it');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(['out.csv']);
});

test.each([
  ['a file', ['out.csv']],
  ['nothing', []],
])('where writing fails there is what there was: %s', async (_, before) => {
  for (const name of before) writeFileSync(inFolder(name), 'before');
  const failed = replaceFile(inFolder('out.csv'), async (out) => {
    await new Promise((written) => out.write('half', written));
    throw new Error('the store is away');
  });
  await expect(failed).rejects.toThrow('the store is away');
  const atOnce = replaceFile(inFolder('out.csv'), async () => {
    throw new Error('nothing to write');
  });
  await expect(atOnce).rejects.toThrow('nothing to write');
  expect(readdirSync(folder)).toEqual(before);
  for (const name of before) expect(readFileSync(inFolder(name), 'utf8')).toBe('before');
});

test('a name that stands for a file stays one', async () => {
  writeFileSync(inFolder('real.csv'), 'before');
  symlinkSync('real.csv', inFolder('name.csv'));
  await replaceFile(inFolder('name.csv'), (out) => say(out, 'after'));
  expect(lstatSync(inFolder('name.csv')).isSymbolicLink()).toBe(true);
  expect(readFileSync(inFolder('real.csv'), 'utf8')).toBe('after');
  expect(readdirSync(folder)).toEqual(['name.csv', 'real.csv']);
});

test('what is no file, such as a pipe, is written as it stands', async () => {
  const pipe = inFolder('pipe');
  execFileSync('mkfifo', [pipe]);
  const [read] = await Promise.all([
    readFile(pipe, 'utf8'),
    replaceFile(pipe, (out) => say(out, 'through it')),
  ]);
  expect(read).toBe('through it');
  expect(statSync(pipe).isFIFO()).toBe(true);
});

test('what cannot be written is told with its name', async () => {
  mkdirSync(inFolder('folder'));
  for (const name of ['folder', 'none/out.csv'])
    await expect(replaceFile(inFolder(name), (out) => say(out, 'x'))).rejects.toMatchObject({
      code: 'FILE_UNWRITABLE',
      message: expect.stringContaining(`${inFolder(name)} cannot be written: `),
    });
  expect(readdirSync(folder)).toEqual(['folder']);
});
