// Our own trace format, as proto/trace.proto describes it: written and read one record at a time.
import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import protobuf from 'protobufjs';
import type { ProblemLog } from './problem.ts';

export interface TraceEntry {
  /** Microseconds since 1970 at which the request was sent. */
  readonly atUs: number;
  /** Which of the gateway's connections carried it, counted from 0. */
  readonly connection: number;
  /** The Session-Id. */
  readonly session: string;
  /** The gateway had the answer to the session's previous request when it sent this one. */
  readonly afterAnswer: boolean;
  /** The whole Diameter message. */
  readonly request: Buffer;
}

export const traceFormat = 'tollkeeper-trace';
export const traceVersion = 1;

/** A record longer than this is garbage: no Diameter message comes near it. */
const maxRecordBytes = 16 * 1024 * 1024 + 64 * 1024;

const schema = protobuf.loadSync(
  fileURLToPath(new URL('../../proto/trace.proto', import.meta.url)),
);
const headerType = schema.lookupType('tollkeeper.trace.Header');
const entryType = schema.lookupType('tollkeeper.trace.Entry');
const plainNumbers = { longs: Number, defaults: true } as const;

interface Header {
  readonly format: string;
  readonly version: number;
  readonly source: string;
  readonly startedAtUs: number;
}

/** Whether a file that starts like this is a trace. Needs its first 32 bytes. */
export function isTrace(start: Buffer): boolean {
  return start.subarray(0, 32).includes(traceFormat);
}

export function encodeHeader(header: { source: string; startedAtUs: number }): Buffer {
  const message = { format: traceFormat, version: traceVersion, ...header };
  return Buffer.from(headerType.encodeDelimited(message).finish());
}

export function encodeEntry(entry: TraceEntry, startedAtUs: number): Buffer {
  const { atUs, ...rest } = entry;
  const offsetUs = Math.max(0, Math.round(atUs - startedAtUs));
  return Buffer.from(entryType.encodeDelimited({ ...rest, offsetUs }).finish());
}

/**
 * Writes a trace; the first entry's time is the start. Returns how many entries were written.
 * Throws what the file system says.
 */
export async function writeTrace(
  path: string,
  source: string,
  entries: AsyncIterable<TraceEntry> | Iterable<TraceEntry>,
): Promise<number> {
  let count = 0;
  async function* records() {
    let startedAtUs = 0;
    for await (const entry of entries) {
      if (count === 0) {
        startedAtUs = entry.atUs;
        yield encodeHeader({ source, startedAtUs });
      }
      yield encodeEntry(entry, startedAtUs);
      count += 1;
    }
    if (count === 0) yield encodeHeader({ source, startedAtUs });
  }
  await pipeline(records, createWriteStream(path));
  return count;
}

/** Reads a trace from the chunks of its file. Problems go to `problems`, nothing is thrown. */
export async function* readTrace(
  chunks: AsyncIterable<Buffer>,
  problems: ProblemLog,
): AsyncGenerator<TraceEntry> {
  let header: Header | undefined;
  for await (const { offset, bytes } of readRecords(chunks, problems)) {
    if (header === undefined) {
      header = decodeHeader(bytes, problems);
      if (header === undefined) return;
      continue;
    }
    const entry = decodeEntry(bytes, header.startedAtUs);
    if (entry === undefined) problems.add(offset, 'a record that is not an entry');
    else yield entry;
  }
  if (header === undefined && problems.total === 0) problems.add(0, 'not a trace file');
}

function decodeHeader(bytes: Buffer, problems: ProblemLog): Header | undefined {
  let header: Header | undefined;
  try {
    header = headerType.toObject(headerType.decode(bytes), plainNumbers) as Header;
  } catch {
    // What protobufjs cannot read is not a header: reported below like any other.
  }
  if (header?.format !== traceFormat) {
    problems.add(0, 'not a trace file');
    return undefined;
  }
  if (header.version !== traceVersion) {
    const reads = `this version of the program reads ${traceVersion}`;
    problems.add(0, `a trace of format version ${header.version}; ${reads}`);
    return undefined;
  }
  return header;
}

function decodeEntry(bytes: Buffer, startedAtUs: number): TraceEntry | undefined {
  try {
    const entry = entryType.toObject(entryType.decode(bytes), plainNumbers) as {
      offsetUs: number;
      connection: number;
      session: string;
      afterAnswer: boolean;
      request: Uint8Array;
    };
    const { offsetUs, request, ...rest } = entry;
    return { ...rest, atUs: startedAtUs + offsetUs, request: Buffer.from(request) };
  } catch {
    return undefined;
  }
}

async function* readRecords(
  chunks: AsyncIterable<Buffer>,
  problems: ProblemLog,
): AsyncGenerator<{ offset: number; bytes: Buffer }> {
  let rest: Buffer = Buffer.alloc(0);
  let offset = 0;
  for await (const chunk of chunks) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let at = 0;
    for (;;) {
      const prefix = readVarint(rest, at);
      if (prefix === undefined) break;
      if (prefix.value > maxRecordBytes) {
        problems.add(offset + at, 'a record too long to be one; the rest of the file is not read');
        return;
      }
      const end = prefix.end + prefix.value;
      if (rest.length < end) break;
      yield { offset: offset + at, bytes: rest.subarray(prefix.end, end) };
      at = end;
    }
    offset += at;
    rest = rest.subarray(at);
  }
  if (rest.length > 0) problems.add(offset, 'the file ends inside a record');
}

/** Undefined until the number is complete. One of more than five bytes counts as too long. */
function readVarint(bytes: Buffer, from: number): { value: number; end: number } | undefined {
  let value = 0;
  for (let index = 0; index < 5; index += 1) {
    const byte = bytes[from + index];
    if (byte === undefined) return undefined;
    value += (byte & 0x7f) * 2 ** (7 * index);
    if (byte < 0x80) return { value, end: from + index + 1 };
  }
  return { value: Number.POSITIVE_INFINITY, end: from };
}
