/**
 * One import of a file: read in order, put into the store in batches, with a checkpoint beside the
 * file from which a run that was killed goes on. The checkpoint is behind the store, never ahead: what
 * is done again after it has no effect twice.
 */
import {
  createReadStream,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { TollkeeperError } from '../errors.ts';
import type { Configuration } from '../provisioning/configuration.ts';
import { CsvReader, type CsvRow } from '../provisioning/csv.ts';
import {
  type AccountRows,
  type ImportCounts,
  type Imported,
  type ImportOptions,
  importBatch,
} from '../provisioning/import.ts';
import { LIMITS } from '../provisioning/limits.ts';
import { type Columns, cellOf, readHeader } from '../provisioning/subscriber-rows.ts';
import { StoreUnavailable } from '../store/store.ts';
import { readable, writable } from './file-errors.ts';
import { ImportReport } from './import-report.ts';

/** Accounts of one batch: what is read ahead of the store. */
const BATCH = 500;
const CHECKPOINT_EVERY_MS = 1_000;
/** How long a store may be away before the run ends; it can be run again. */
const PATIENCE_MS = 30_000;
const CHUNK_BYTES = 262_144;

/** What a checkpoint says: all up to `offset` is in the store and in the report. */
interface Checkpoint {
  /** What it belongs to; of anything else the file is begun anew. */
  of: { tenant: string; size: number; modifiedAt: number; store: number; report: string };
  offset: number;
  line: number;
  counts: ImportCounts;
  reportBytes: number;
}

export interface ImportRunOptions extends Omit<ImportOptions, 'columns' | 'configuration'> {
  /** The configuration as it is now, asked for with each batch: a plan may go meanwhile. */
  configuration(): Promise<Configuration>;
  file: string;
  /** Where refused rows are written, as CSV with line and reason. */
  report: string;
  /** When the store was made: a checkpoint of another store is none. */
  storeMadeAt: number;
  /** Rows a second; 0: as many as the store takes. */
  rate: number;
  onProgress(progress: { counts: ImportCounts; done: number; size: number }): void;
}

const checkpointOf = (file: string): string => `${file}.checkpoint`;
/** Where it is written first. */
const newOf = (checkpoint: string): string => `${checkpoint}.new`;

/** What a report may not be, with what it is told to be. */
function ownFiles(file: string): Map<string, string> {
  const checkpoint = checkpointOf(file);
  const kept = 'where its checkpoint is kept';
  return new Map([
    [file, 'the file to import'],
    [checkpoint, kept],
    [newOf(checkpoint), kept],
  ]);
}

/**
 * Imports a file to its end. Throws FILE_UNREADABLE, IMPORT_INVALID and StoreUnavailable, and
 * COMMAND_LINE_INVALID where the report would take the place of another file.
 */
export async function runImport(options: ImportRunOptions): Promise<ImportCounts> {
  const { file } = options;
  const size = readable(file, () => statSync(file).size);
  const modifiedAt = readable(file, () => statSync(file).mtimeMs);
  const report = resolve(options.report);
  const of = { tenant: options.tenant, size, modifiedAt, store: options.storeMadeAt, report };
  const header = await headerOf(file);
  const start = checkpointFor(file, of) ?? {
    ...{ of, offset: header.end, line: header.nextLine, reportBytes: 0 },
    counts: { rows: 0, created: 0, unchanged: 0, subscribersAdded: 0, refusedRows: 0 },
  };
  const run = new Run({ ...options, columns: header.columns }, start);
  try {
    for await (const batch of batches(file, start, header.columns)) await run.take(batch);
    run.end();
  } finally {
    run.close();
  }
  return run.counts;
}

interface Batch {
  accounts: AccountRows[];
  /** Where the next row begins. */
  offset: number;
  line: number;
}

class Run {
  readonly counts: ImportCounts;
  readonly #options: ImportRunOptions & { columns: Columns };
  readonly #of: Checkpoint['of'];
  readonly #report: ImportReport;
  readonly #startedAt = performance.now();
  readonly #before: number;
  #savedAt = 0;

  constructor(options: ImportRunOptions & { columns: Columns }, start: Checkpoint) {
    this.#options = options;
    this.#of = start.of;
    this.counts = start.counts;
    this.#before = start.counts.rows;
    this.#report = new ImportReport(options.report, {
      bytes: start.reportBytes,
      taken: ownFiles(options.file),
    });
  }

  async take({ accounts, offset, line }: Batch): Promise<void> {
    this.#count(await this.#patiently(accounts));
    const { rate, onProgress } = this.#options;
    const isDue = performance.now() - this.#savedAt >= CHECKPOINT_EVERY_MS;
    if (isDue) {
      this.#save({ offset, line });
      onProgress({ counts: this.counts, done: offset, size: this.#of.size });
    }
    if (rate === 0) return;
    const dueMs = ((this.counts.rows - this.#before) * 1000) / rate;
    const aheadMs = this.#startedAt + dueMs - performance.now();
    if (aheadMs > 0) await pause(aheadMs);
  }

  /** All is done: there is nothing to go on from. */
  end(): void {
    rmSync(checkpointOf(this.#options.file), { force: true });
    const { size } = this.#of;
    this.#options.onProgress({ counts: this.counts, done: size, size });
  }

  close(): void {
    this.#report.close();
  }

  /** Until the store is back, or for as long as that may take; the batch has no effect twice. */
  async #patiently(accounts: readonly AccountRows[]): Promise<Imported> {
    const until = performance.now() + PATIENCE_MS;
    for (let wait = 50; ; wait = Math.min(wait * 2, 1_000)) {
      try {
        const configuration = await this.#options.configuration();
        return await importBatch({ ...this.#options, configuration }, accounts);
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || performance.now() + wait > until) throw error;
      }
      await pause(wait);
    }
  }

  #count(imported: Imported): void {
    const { counts } = this;
    for (const name of ['rows', 'created', 'unchanged', 'subscribersAdded'] as const)
      counts[name] += imported[name];
    counts.refusedRows += imported.refused.length;
    this.#report.add(imported.refused);
  }

  #save({ offset, line }: { offset: number; line: number }): void {
    const { counts } = this;
    const checkpoint: Checkpoint = {
      ...{ of: this.#of, offset, line, counts },
      reportBytes: this.#report.bytes,
    };
    const name = checkpointOf(this.#options.file);
    // Each on disk before what says so: whatever is cut off, the checkpoint is whole and not ahead.
    this.#report.sync();
    writable(name, () => {
      writeFileSync(newOf(name), JSON.stringify(checkpoint), { flush: true });
      renameSync(newOf(name), name);
    });
    this.#savedAt = performance.now();
  }
}

/** Undefined where there is none, or none to go on from: then all is done again, to no effect. */
function checkpointFor(file: string, of: Checkpoint['of']): Checkpoint | undefined {
  let checkpoint: Checkpoint;
  try {
    checkpoint = JSON.parse(readFileSync(checkpointOf(file), 'utf8')) as Checkpoint;
  } catch {
    return undefined;
  }
  if (JSON.stringify(checkpoint?.of) !== JSON.stringify(of)) return undefined;
  // A report that was taken away, or cut, would miss rows that the checkpoint passes over.
  const written = statSync(of.report, { throwIfNoEntry: false })?.size ?? 0;
  return written < checkpoint.reportBytes ? undefined : checkpoint;
}

async function headerOf(
  file: string,
): Promise<{ columns: Columns; end: number; nextLine: number }> {
  for await (const row of rowsFrom(file, { offset: 0, line: 1 })) {
    const header = readHeader(row.cells);
    if ('problem' in header) throw invalid(file, `line 1: ${header.problem}`);
    return { columns: header.columns, end: row.end, nextLine: row.nextLine };
  }
  throw invalid(file, 'it is empty');
}

/** Rows of one account that follow each other, a batch of accounts at a time. */
async function* batches(
  file: string,
  from: { offset: number; line: number },
  columns: Columns,
): AsyncGenerator<Batch> {
  let accounts: CsvRow[][] = [];
  let place = from;
  let id: string | undefined;
  for await (const row of rowsFrom(file, from)) {
    const account = cellOf(row, columns, 'account');
    const last = accounts.at(-1);
    if (last !== undefined && account === id && last.length < LIMITS.subscribers) last.push(row);
    else {
      if (accounts.length >= BATCH) {
        yield { accounts, ...place };
        accounts = [];
      }
      accounts.push([row]);
      id = account;
    }
    place = { offset: row.end, line: row.nextLine };
  }
  if (accounts.length > 0) yield { accounts, ...place };
}

/** Rows with the octet of the file that each ends at; empty lines are none. */
async function* rowsFrom(
  file: string,
  { offset, line }: { offset: number; line: number },
): AsyncGenerator<CsvRow> {
  const reader = new CsvReader({ line });
  const stream = createReadStream(file, { start: offset, highWaterMark: CHUNK_BYTES });
  try {
    for await (const chunk of stream)
      for (const row of reader.push(chunk as Buffer)) if (isRow(row)) yield placed(row, offset);
    for (const row of reader.finish()) if (isRow(row)) yield placed(row, offset);
  } catch (error) {
    if (error instanceof RangeError) throw invalid(file, error.message);
    if ((error as NodeJS.ErrnoException).syscall === undefined) throw error;
    const reason = (error as Error).message;
    throw new TollkeeperError('FILE_UNREADABLE', { file, reason }, { cause: error });
  } finally {
    stream.destroy();
  }
}

const isRow = ({ cells }: CsvRow): boolean => cells.length > 1 || cells[0] !== '';
const placed = (row: CsvRow, offset: number): CsvRow => ({ ...row, end: offset + row.end });

const invalid = (file: string, reason: string) =>
  new TollkeeperError('IMPORT_INVALID', { file, reason });
