/**
 * Records in files: one writer's lines of JSON in `records-<writer>.jsonl`, which is rotated by
 * size and age to `records-<writer>.<number>.jsonl`. A rotated file is complete and never changes
 * again; the last lines of the current one may still be taken back.
 *
 * A block of lines is written and synced, then its records are acknowledged in the store, then it
 * is settled here; the next block is written only after that. So after a crash only the last block
 * is in doubt, and each of its lines stays if and only if the store says that this writer
 * acknowledged it. A record is therefore exactly once in the files of its writer, wherever the
 * process was killed. How far the file has been settled is noted beside it in
 * `records-<writer>.state`; the note may be old or missing, then more lines are asked about.
 */
import * as nodeFiles from 'node:fs/promises';
import { join } from 'node:path';
import { placeOfLine } from './line.ts';
import { compareRecordIds, laterRecordId } from './record-id.ts';

/** What the sink needs of the file system (`node:fs/promises`). */
export type Disk = Pick<typeof nodeFiles, 'mkdir' | 'open' | 'readdir' | 'rename' | 'unlink'>;

export interface FileSinkOptions {
  directory: string;
  /** Names the files; letters, digits, `_` and `-`. Two processes must never share one. */
  writer: string;
  /** A file that has reached this size is rotated; it is exceeded by one block at most. */
  maxBytes: number;
  /** A file with lines in it is rotated when it is that old. */
  maxAgeMs: number;
  /** Rotated files kept; 0 keeps all of them. */
  keep: number;
  /** Wall clock in ms, for the age. */
  now: () => number;
  disk?: Disk;
}

export interface SinkLine {
  partition: number;
  id: string;
  /** Without the line feed. */
  text: string;
}

interface Block {
  start: number;
  lines: readonly SinkLine[];
}

/** A line of the current file that nobody has settled. */
interface DoubtfulLine {
  start: number;
  end: number;
  place: { id: string; partition: number } | undefined;
}

interface Note {
  number: number;
  settledBytes: number;
  openedAt: number;
}

/** The note is overwritten in place: one sector, so it is old or new but never torn. */
const NOTE_BYTES = 128;
const CHUNK_BYTES = 1 << 20;
const LINE_FEED = 0x0a;

/**
 * Opens a writer's files and takes back what was not acknowledged. `acknowledgedBy` gives the last
 * record of a partition that this writer acknowledged. Throws what the disk or the store throws;
 * nothing is lost by trying again.
 */
export async function openFileSink(
  options: FileSinkOptions,
  acknowledgedBy: (partition: number) => Promise<string>,
): Promise<FileSink> {
  const sink = new FileSink(options);
  try {
    await sink.recover(acknowledgedBy);
  } catch (error) {
    await sink.close();
    throw error;
  }
  return sink;
}

export class FileSink {
  readonly #options: FileSinkOptions;
  readonly #disk: Disk;
  readonly #current: string;
  #handle: nodeFiles.FileHandle | undefined;
  #note: nodeFiles.FileHandle | undefined;
  /** The number that the current file gets when it is rotated. */
  #number = 1;
  #openedAt = 0;
  /** Bytes of whole, synced lines; anything behind them is debris of a failed write. */
  #size = 0;
  #torn = false;
  #pending: Block | undefined;
  readonly #known = new Map<number, string>();

  constructor(options: FileSinkOptions) {
    if (!/^[A-Za-z0-9_-]{1,64}$/.test(options.writer))
      throw new Error(`not a name for files: ${JSON.stringify(options.writer)}`);
    this.#options = options;
    this.#disk = options.disk ?? nodeFiles;
    this.#current = this.#path('jsonl');
  }

  /** The last record of a partition in this writer's settled lines, as far as is known. */
  known(partition: number): string | undefined {
    return this.#known.get(partition);
  }

  /** Whether a block waits to be settled. */
  get pending(): boolean {
    return this.#pending !== undefined;
  }

  /**
   * Writes and syncs a block. When it throws, nothing was written as far as anybody will see, and
   * the same block may be tried again. A failed sync may have dropped what it should have written,
   * so a second sync proves nothing: the block is always written anew.
   */
  async append(lines: readonly SinkLine[]): Promise<void> {
    if (this.#pending !== undefined) throw new Error('the block before is not settled');
    if (lines.length === 0) return;
    await this.rotateIfDue();
    const handle = await this.#mended();
    const bytes = Buffer.from(`${lines.map((line) => line.text).join('\n')}\n`);
    if (this.#size === 0) this.#openedAt = this.#options.now();
    this.#torn = true;
    await writeAll(handle, bytes, this.#size);
    await handle.datasync();
    this.#torn = false;
    this.#pending = { start: this.#size, lines };
    this.#size += bytes.length;
  }

  /**
   * Ends a block: the lines of `refused` partitions were not acknowledged and are taken out again,
   * the others stay for good. May be repeated when it throws.
   */
  async settle(refused: ReadonlySet<number>): Promise<void> {
    const block = this.#pending;
    if (block === undefined) return;
    const kept = block.lines.filter((line) => !refused.has(line.partition));
    if (kept.length < block.lines.length) {
      let at = block.start;
      const ranges = [{ start: 0, end: block.start }];
      for (const line of block.lines) {
        const end = at + Buffer.byteLength(line.text) + 1;
        if (!refused.has(line.partition)) ranges.push({ start: at, end });
        at = end;
      }
      await this.#keepOnly(ranges);
    }
    for (const line of kept) this.#learn(line.partition, line.id);
    this.#pending = undefined;
    await this.#writeNote();
  }

  /** Rotates the current file if it is large or old enough and nothing in it is in doubt. */
  async rotateIfDue(): Promise<void> {
    const { maxBytes, maxAgeMs, now } = this.#options;
    if (this.#pending !== undefined || this.#size === 0) return;
    if (this.#size < maxBytes && now() - this.#openedAt < maxAgeMs) return;
    await (await this.#mended()).sync();
    await this.#disk.rename(this.#current, this.#rotated(this.#number));
    const old = this.#handle;
    this.#handle = undefined;
    this.#number += 1;
    this.#size = 0;
    await old?.close();
    await this.#mended();
    await this.#prune();
  }

  async close(): Promise<void> {
    const handles = [this.#handle, this.#note];
    this.#handle = undefined;
    this.#note = undefined;
    await Promise.all(handles.map((handle) => handle?.close()));
  }

  /** Called once, by openFileSink. */
  async recover(acknowledgedBy: (partition: number) => Promise<string>): Promise<void> {
    await this.#disk.mkdir(this.#options.directory, { recursive: true });
    const rotated = await this.#rotatedNumbers();
    const note = await this.#readNote();
    this.#number = Math.max((rotated[rotated.length - 1] ?? 0) + 1, note?.number ?? 1);
    const noted = note?.number === this.#number ? note : undefined;
    this.#openedAt = noted?.openedAt ?? this.#options.now();
    this.#handle = await this.#openCurrent();
    const doubtful = await this.#scan(this.#handle, noted?.settledBytes ?? 0);
    const partitions = new Set(doubtful.flatMap(({ place }) => place?.partition ?? []));
    const acknowledged = new Map(
      await Promise.all([...partitions].map(async (p) => [p, await acknowledgedBy(p)] as const)),
    );
    const ranges = [{ start: 0, end: doubtful[0]?.start ?? this.#size }];
    for (const { start, end, place } of doubtful) {
      if (place === undefined) continue;
      const last = acknowledged.get(place.partition) as string;
      if (compareRecordIds(place.id, last) > 0) continue;
      ranges.push({ start, end });
      this.#learn(place.partition, place.id);
    }
    await this.#keepOnly(ranges);
    await this.#writeNote();
    await this.#prune();
  }

  /** Reads the current file; returns its lines behind `settledBytes`, whole or not. */
  async #scan(handle: nodeFiles.FileHandle, settledBytes: number): Promise<DoubtfulLine[]> {
    const doubtful: DoubtfulLine[] = [];
    let rest = Buffer.alloc(0);
    let at = 0;
    for (;;) {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      const { bytesRead } = await handle.read(chunk, 0, CHUNK_BYTES, at + rest.length);
      if (bytesRead === 0) break;
      const bytes = Buffer.concat([rest, chunk.subarray(0, bytesRead)]);
      let from = 0;
      for (;;) {
        const feed = bytes.indexOf(LINE_FEED, from);
        if (feed < 0) break;
        const place = placeOfLine(bytes.toString('utf8', from, feed));
        const end = at + feed + 1;
        if (end > settledBytes) doubtful.push({ start: at + from, end, place });
        else if (place !== undefined) this.#learn(place.partition, place.id);
        from = feed + 1;
      }
      at += from;
      rest = bytes.subarray(from);
    }
    this.#size = at + rest.length;
    if (rest.length > 0) doubtful.push({ start: at, end: this.#size, place: undefined });
    return doubtful;
  }

  /**
   * Leaves only `ranges` (ascending) of the current file. A tail is cut off; anything else is
   * copied to a new file that then takes the name, so that a crash leaves the old or the new one.
   */
  async #keepOnly(ranges: readonly { start: number; end: number }[]): Promise<void> {
    const handle = await this.#mended();
    const joined: { start: number; end: number }[] = [];
    for (const range of ranges) {
      const before = joined[joined.length - 1];
      if (before !== undefined && before.end === range.start) before.end = range.end;
      else if (range.end > range.start) joined.push({ ...range });
    }
    const size = joined.reduce((sum, { start, end }) => sum + end - start, 0);
    if (size === this.#size) return;
    if (joined.length === 0 || (joined.length === 1 && joined[0]?.start === 0)) {
      await handle.truncate(size);
      await handle.datasync();
    } else {
      await this.#copyTo(this.#path('jsonl.tmp'), handle, joined);
      await this.#disk.rename(this.#path('jsonl.tmp'), this.#current);
      this.#handle = undefined;
      await handle.close();
    }
    this.#size = size;
    await this.#mended();
  }

  async #copyTo(
    path: string,
    from: nodeFiles.FileHandle,
    ranges: readonly { start: number; end: number }[],
  ): Promise<void> {
    const to = await this.#disk.open(path, 'w');
    try {
      const chunk = Buffer.alloc(CHUNK_BYTES);
      let written = 0;
      for (const { start, end } of ranges) {
        for (let at = start; at < end; ) {
          const length = Math.min(CHUNK_BYTES, end - at);
          const { bytesRead } = await from.read(chunk, 0, length, at);
          if (bytesRead === 0) throw new Error(`${this.#current} is shorter than it was`);
          await writeAll(to, chunk.subarray(0, bytesRead), written);
          at += bytesRead;
          written += bytesRead;
        }
      }
      await to.datasync();
    } finally {
      await to.close();
    }
  }

  /** The current file, open and free of debris. */
  async #mended(): Promise<nodeFiles.FileHandle> {
    this.#handle ??= await this.#openCurrent();
    if (this.#torn) {
      await this.#handle.truncate(this.#size);
      this.#torn = false;
    }
    return this.#handle;
  }

  async #openCurrent(): Promise<nodeFiles.FileHandle> {
    const { O_CREAT, O_RDWR } = nodeFiles.constants;
    const handle = await this.#disk.open(this.#current, O_RDWR | O_CREAT, 0o640);
    try {
      const directory = await this.#disk.open(this.#options.directory, 'r');
      await directory.sync().finally(() => directory.close());
    } catch (error) {
      await handle.close();
      throw error;
    }
    return handle;
  }

  #learn(partition: number, id: string): void {
    const before = this.#known.get(partition);
    this.#known.set(partition, before === undefined ? id : laterRecordId(before, id));
  }

  async #readNote(): Promise<Note | undefined> {
    const { O_CREAT, O_RDWR } = nodeFiles.constants;
    this.#note = await this.#disk.open(this.#path('state'), O_RDWR | O_CREAT, 0o640);
    const bytes = Buffer.alloc(NOTE_BYTES);
    const { bytesRead } = await this.#note.read(bytes, 0, NOTE_BYTES, 0);
    const match = /^(\d{1,15}) (\d{1,15}) (\d{1,15}) *\n$/.exec(
      bytes.toString('latin1', 0, bytesRead),
    );
    if (match === null) return undefined;
    const [number, settledBytes, openedAt] = match.slice(1).map(Number) as [number, number, number];
    return { number, settledBytes, openedAt };
  }

  /** An old note is only slower to recover from, so a disk that refuses it stops nothing. */
  async #writeNote(): Promise<void> {
    const settled = this.#pending === undefined ? this.#size : this.#pending.start;
    const text = `${this.#number} ${settled} ${Math.floor(this.#openedAt)}`;
    const bytes = Buffer.from(`${text.padEnd(NOTE_BYTES - 1)}\n`);
    await this.#note?.write(bytes, 0, NOTE_BYTES, 0).catch(() => undefined);
  }

  async #prune(): Promise<void> {
    const { keep } = this.#options;
    if (keep === 0) return;
    const numbers = await this.#rotatedNumbers();
    for (const number of numbers.slice(0, Math.max(0, numbers.length - keep)))
      await this.#disk.unlink(this.#rotated(number));
  }

  /** Ascending. */
  async #rotatedNumbers(): Promise<number[]> {
    const prefix = `records-${this.#options.writer}.`;
    const numbers: number[] = [];
    for (const name of await this.#disk.readdir(this.#options.directory)) {
      const match = name.startsWith(prefix)
        ? /^(\d{8,15})\.jsonl$/.exec(name.slice(prefix.length))
        : null;
      if (match !== null) numbers.push(Number(match[1]));
    }
    return numbers.sort((a, b) => a - b);
  }

  #rotated(number: number): string {
    return this.#path(`${String(number).padStart(8, '0')}.jsonl`);
  }

  #path(ending: string): string {
    return join(this.#options.directory, `records-${this.#options.writer}.${ending}`);
  }
}

async function writeAll(
  handle: nodeFiles.FileHandle,
  bytes: Buffer,
  position: number,
): Promise<void> {
  let done = 0;
  while (done < bytes.length) {
    const rest = bytes.length - done;
    const { bytesWritten } = await handle.write(bytes, done, rest, position + done);
    if (bytesWritten === 0) throw new Error('the disk takes no more bytes');
    done += bytesWritten;
  }
}
