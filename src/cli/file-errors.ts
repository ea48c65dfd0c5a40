/** What goes wrong with a file that a command was given, as its caller is told. */
import { TollkeeperError } from '../errors.ts';

/** Throws FILE_UNREADABLE for whatever `read` throws. */
export function readable<Result>(file: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    const reason = (error as Error).message;
    throw new TollkeeperError('FILE_UNREADABLE', { file, reason }, { cause: error });
  }
}

/** Throws FILE_UNWRITABLE for whatever `write` throws. */
export function writable<Result>(file: string, write: () => Result): Result {
  try {
    return write();
  } catch (error) {
    throw unwritable(file, error);
  }
}

export function unwritable(file: string, error: unknown): TollkeeperError {
  const reason = (error as Error).message;
  return new TollkeeperError('FILE_UNWRITABLE', { file, reason }, { cause: error });
}
