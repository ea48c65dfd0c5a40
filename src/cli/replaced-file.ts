/**
 * A file that is written whole or not at all: under another name beside it, which then takes its
 * place. Whatever stops the writer, the file has what it had before.
 */
import { randomUUID } from 'node:crypto';
import { createWriteStream, realpathSync, renameSync, rmSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Writable } from 'node:stream';
import { unwritable } from './file-errors.ts';

/**
 * Has `write` write a file, which it ends and waits for. What is no file, such as a pipe or
 * /dev/stdout, is written as it stands. Throws FILE_UNWRITABLE, and what `write` throws.
 */
export async function replaceFile<Result>(
  file: string,
  write: (out: Writable) => Promise<Result>,
): Promise<Result> {
  try {
    const place = placeOf(file);
    if (place === undefined) return await written(createWriteStream(file), write);
    const { name, ...mode } = place;
    const beside = `${name}.${randomUUID().slice(0, 8)}.new`;
    try {
      const out = createWriteStream(beside, { flags: 'wx', flush: true, ...mode });
      const result = await written(out, write);
      renameSync(beside, name);
      return result;
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
  } catch (error) {
    throw (error as NodeJS.ErrnoException).syscall === undefined ? error : unwritable(file, error);
  }
}

/** The file that a name stands for, with the mode that it has; undefined: it is none. */
function placeOf(file: string): { name: string; mode?: number } | undefined {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) return { name: file };
  // A name of an open descriptor, which may be a file's, is to be written through it.
  if (!found.isFile() || /^\/(dev|proc)\//.test(resolve(file))) return undefined;
  return { name: realpathSync(file), mode: found.mode & 0o777 };
}

/** Settles when the stream is closed, so that nothing is written after it. */
async function written<Result>(
  out: Writable,
  write: (out: Writable) => Promise<Result>,
): Promise<Result> {
  const closed = new Promise((resolve) => out.once('close', resolve));
  let failure: Error | undefined;
  out.once('error', (error) => {
    failure = error;
  });
  try {
    return await write(out);
  } catch (error) {
    throw failure ?? error;
  } finally {
    out.destroy();
    await closed;
  }
}
