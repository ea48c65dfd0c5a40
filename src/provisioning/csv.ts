/**
 * CSV as RFC 4180 has it, from chunks of bytes: cells in quotes may hold commas, quotes (doubled) and
 * line ends. Each row knows the line that it begins on and the octet after it, so that reading can go
 * on there. A row is bounded: a quote that is never closed does not take the rest of the file.
 */

export interface CsvRow {
  /** From 1. */
  line: number;
  /** The line that the next one begins on. */
  nextLine: number;
  cells: string[];
  /** Octets from where reading began to the end of this row. */
  end: number;
  /** The file ends within it: no line end follows, or not outside quotes. */
  isCut?: true;
}

/** The longest row, in octets. */
export const MAX_ROW_BYTES = 1_048_576;

const QUOTE = 0x22;
const LINE_FEED = 0x0a;

export class CsvReader {
  #line: number;
  #end = 0;
  #rest: Buffer = Buffer.alloc(0);

  /** `line` is the line that the first chunk begins on. */
  constructor({ line = 1 }: { line?: number } = {}) {
    this.#line = line;
  }

  /** The rows that are complete with this chunk. Throws RangeError for one that is too long. */
  *push(chunk: Buffer): Generator<CsvRow> {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let start = 0;
    let isQuoted = false;
    let lines = 0;
    for (let at = 0; at < bytes.length; at++) {
      const byte = bytes[at];
      if (byte === QUOTE) isQuoted = !isQuoted;
      else if (byte === LINE_FEED) {
        lines += 1;
        if (isQuoted) continue;
        yield this.#row(bytes.subarray(start, at + 1), lines);
        start = at + 1;
        lines = 0;
      }
    }
    this.#rest = bytes.subarray(start);
    this.#bound(this.#rest);
  }

  /** The last row, where no line end follows it. */
  *finish(): Generator<CsvRow> {
    if (this.#rest.length > 0) yield { ...this.#row(this.#rest, 1), isCut: true };
    this.#rest = Buffer.alloc(0);
  }

  #bound(bytes: Buffer): void {
    if (bytes.length > MAX_ROW_BYTES)
      throw new RangeError(`the row at line ${this.#line} is longer than ${MAX_ROW_BYTES} octets`);
  }

  #row(bytes: Buffer, lines: number): CsvRow {
    this.#bound(bytes);
    const line = this.#line;
    this.#line += lines;
    this.#end += bytes.length;
    const text = bytes.toString('utf8').replace(/\r?\n$/, '');
    return { line, nextLine: this.#line, cells: cellsOf(text), end: this.#end };
  }
}

function cellsOf(text: string): string[] {
  if (!text.includes('"')) return text.split(',');
  const cells: string[] = [];
  let cell = '';
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === '"') {
      // A doubled quote within quotes is one; where quotes end and begin again, nothing is between.
      if (isQuoted && text[at + 1] === '"') {
        cell += '"';
        at += 1;
      } else isQuoted = !isQuoted;
    } else if (character === ',' && !isQuoted) {
      cells.push(cell);
      cell = '';
    } else cell += character;
  }
  cells.push(cell);
  return cells;
}

/** A row as text, with its line end. */
export function csvLine(cells: readonly string[]): string {
  const quoted = cells.map((cell) =>
    /[",\r\n]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell,
  );
  return `${quoted.join(',')}\n`;
}
