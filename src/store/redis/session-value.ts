/**
 * A session as it stands in Redis: `<version> <last record> ` and the encoded session. Version and
 * record come first so that a script reads and writes them without knowing what follows.
 */
import { sessionCodec } from '../session-codec.ts';
import type { StoredSession } from '../store.ts';

const SPACE = 32;

export function decodeStored(value: Buffer): StoredSession {
  const first = value.indexOf(SPACE);
  const second = value.indexOf(SPACE, first + 1);
  if (first < 1 || second < 0) throw new Error('a session without its version');
  return {
    version: Number(value.toString('latin1', 0, first)),
    lastRecord: value.toString('latin1', first + 1, second),
    session: sessionCodec.decode(ownBytes(value.subarray(second + 1))),
  };
}

/**
 * A copy that shares its memory with nothing: the decoded session keeps views of it, while `value`
 * is part of a larger read, and small buffers are parts of 8 KiB.
 */
function ownBytes(value: Buffer): Buffer {
  const bytes = Buffer.allocUnsafeSlow(value.length);
  value.copy(bytes);
  return bytes;
}
