/**
 * The report of an import: rows that were refused, as CSV with line and reason. It takes the place of
 * an earlier report only; any other file stays as it is.
 */
import {
  closeSync,
  constants,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  realpathSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { TollkeeperError } from '../errors.ts';
import { csvLine } from '../provisioning/csv.ts';
import type { RefusedRow } from '../provisioning/import.ts';
import { writable } from './file-errors.ts';

const HEAD = csvLine(['line', 'reason', 'row']);

export interface ReportOptions {
  /** What an earlier run wrote that this one goes on from, in octets. */
  bytes: number;
  /** Files of the import itself, with what each is. */
  taken: ReadonlyMap<string, string>;
}

export class ImportReport {
  readonly #file: string;
  readonly #descriptor: number;
  #bytes: number;

  /**
   * Opens it, and cuts off what was written after `bytes`. Throws COMMAND_LINE_INVALID where another
   * file would be lost, and FILE_UNWRITABLE.
   */
  constructor(file: string, { bytes, taken }: ReportOptions) {
    this.#file = file;
    this.#bytes = bytes;
    for (const [name, what] of taken)
      if (writable(file, () => isSame(file, name))) throw refusal(`--report ${file} is ${what}`);
    const mode = constants.O_RDWR | constants.O_CREAT;
    this.#descriptor = writable(file, () => openSync(file, mode));
    try {
      if (!writable(file, () => isReport(this.#descriptor)))
        throw refusal(
          `${file} is there, and is no report of an import; name another with --report`,
        );
      writable(file, () => ftruncateSync(this.#descriptor, bytes));
    } catch (error) {
      closeSync(this.#descriptor);
      throw error;
    }
  }

  /** In octets. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Throws FILE_UNWRITABLE. */
  add(refused: readonly RefusedRow[]): void {
    if (refused.length === 0) return;
    const lines = refused.map(({ line, reason, cells }) =>
      csvLine([String(line), reason, csvLine(cells).trimEnd()]),
    );
    const bytes = Buffer.from((this.#bytes === 0 ? HEAD : '') + lines.join(''));
    writable(this.#file, () => writeSync(this.#descriptor, bytes, 0, bytes.length, this.#bytes));
    this.#bytes += bytes.length;
  }

  /** All that was added is on disk then. Throws FILE_UNWRITABLE. */
  sync(): void {
    writable(this.#file, () => fsyncSync(this.#descriptor));
  }

  /** One that says nothing is taken away. */
  close(): void {
    closeSync(this.#descriptor);
    if (this.#bytes === 0) rmSync(this.#file, { force: true });
  }
}

/** Whether two names are of one file, also where it is not there yet. */
function isSame(a: string, b: string): boolean {
  const one = statSync(a, { throwIfNoEntry: false });
  const other = statSync(b, { throwIfNoEntry: false });
  if (one !== undefined && other !== undefined)
    return one.dev === other.dev && one.ino === other.ino;
  return one === other && placeOf(a) === placeOf(b);
}

function placeOf(file: string): string {
  const whole = resolve(file);
  return join(realpathSync(dirname(whole)), basename(whole));
}

/** Whether it begins as reports do; one may be cut off anywhere. */
function isReport(descriptor: number): boolean {
  if (!fstatSync(descriptor).isFile()) return false;
  const bytes = Buffer.alloc(HEAD.length);
  const length = readSync(descriptor, bytes, 0, bytes.length, 0);
  return HEAD.startsWith(bytes.toString('latin1', 0, length));
}

const refusal = (problem: string) =>
  new TollkeeperError('COMMAND_LINE_INVALID', { problem: `tollkeeper import: ${problem}` });
