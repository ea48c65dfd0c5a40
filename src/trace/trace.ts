// Opens a trace: a capture of either kind or a file of our own format, told apart by its first
// bytes, read again from the start for each repetition.
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { isCapture, readCapture } from './capture.ts';
import { captureEntries } from './capture-entries.ts';
import type { ProblemLog } from './problem.ts';
import { isTrace, readTrace, type TraceEntry } from './trace-file.ts';

export interface Trace {
  readonly kind: 'capture' | 'trace' | 'memory';
  /** For people: the file's name, or what made it. */
  readonly source: string;
  /** From the first entry, each time it is called. What cannot be read goes to `problems`. */
  entries(problems: ProblemLog): AsyncIterable<TraceEntry>;
}

const readBytes = 1024 * 1024;

/** Undefined if the file is of no known kind. Throws what the file system says. */
export async function openTrace(path: string): Promise<Trace | undefined> {
  const start = await firstBytes(path);
  const chunks = () => createReadStream(path, { highWaterMark: readBytes });
  if (isTrace(start)) {
    return { kind: 'trace', source: path, entries: (problems) => readTrace(chunks(), problems) };
  }
  if (!isCapture(start)) return undefined;
  return {
    kind: 'capture',
    source: path,
    entries: (problems) => captureEntries(readCapture(chunks(), problems)),
  };
}

/** A trace that was made rather than read, for example by the generator. */
export function memoryTrace(source: string, entries: readonly TraceEntry[]): Trace {
  return {
    kind: 'memory',
    source,
    async *entries() {
      yield* entries;
    },
  };
}

async function firstBytes(path: string): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(64) });
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
