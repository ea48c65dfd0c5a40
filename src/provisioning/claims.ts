/**
 * Names that may be given once only: single ones and ranges of counted ones, found to overlap
 * without being written out.
 */
import type { Path } from './problem.ts';

interface Run {
  /** What all names start with; does not end in a digit. */
  stem: string;
  /** First and last number, with equally many digits. */
  first: string;
  last: string;
  path: Path;
}

export class Claims {
  readonly #names = new Map<string, Path>();
  readonly #runs: Run[] = [];

  /** Claims a name; the path that has it already is returned instead. */
  claim(name: string, path: Path): Path | undefined {
    const holder = this.holder(name);
    if (holder === undefined) this.#names.set(name, path);
    return holder;
  }

  /** Claims `prefix` + number for `count` numbers from `first` on, all with as many digits. */
  claimRun(
    { prefix, first, count }: { prefix: string; first: string; count: number },
    path: Path,
  ): Path | undefined {
    // Digits at the end of the prefix belong to the number: 'a1' + '00' is 'a' + '100'.
    const stem = prefix.replace(/\d+$/, '');
    const lead = prefix.slice(stem.length);
    const run: Run = { stem, first: lead + first, last: lead + counted(first, count - 1), path };
    for (const other of this.#runs) {
      if (other.stem !== stem || other.first.length !== run.first.length) continue;
      if (other.first <= run.last && run.first <= other.last) return other.path;
    }
    for (const [name, holder] of this.#names) if (within(name, run)) return holder;
    this.#runs.push(run);
    return undefined;
  }

  /** Who has claimed this name. */
  holder(name: string): Path | undefined {
    return this.#names.get(name) ?? this.#runs.find((run) => within(name, run))?.path;
  }
}

/** The number `offset` after `first`, with leading zeros as `first` has them. */
export function counted(first: string, offset: number): string {
  return String(Number(first) + offset).padStart(first.length, '0');
}

function within(name: string, { stem, first, last }: Run): boolean {
  if (!name.startsWith(stem)) return false;
  const number = name.slice(stem.length);
  // Equally long digits compare as text as they do as numbers.
  return number.length === first.length && first <= number && number <= last && isDigits(number);
}

function isDigits(text: string): boolean {
  return /^\d+$/.test(text);
}
