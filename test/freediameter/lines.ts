/** What a process prints, line by line, and how a test waits for a line instead of for time. */
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';

const PATIENCE_MS = 30_000;

export class Lines {
  readonly #name: string;
  readonly #lines: string[] = [];
  readonly #watches = new Set<() => void>();

  constructor(name: string, ...streams: Readable[]) {
    this.#name = name;
    for (const input of streams)
      createInterface({ input }).on('line', (line) => {
        this.#lines.push(line);
        for (const look of this.#watches) look();
      });
  }

  /** How many lines there are: a place to search from later. */
  get length(): number {
    return this.#lines.length;
  }

  matching(pattern: RegExp, from = 0): string[] {
    return this.#lines.slice(from).filter((line) => pattern.test(line));
  }

  /** Tells of every line, those that are there included. */
  each(listener: (line: string) => void): void {
    let at = 0;
    const look = () => {
      while (at < this.#lines.length) listener(this.#lines[at++]!);
    };
    this.#watches.add(look);
    look();
  }

  indexOf(line: string, from: number): number {
    return this.#lines.indexOf(line, from);
  }

  last(count: number): string {
    return this.#lines.slice(-count).join('\n');
  }

  /** The first line from line `from` on that matches, once it is there. */
  until(
    pattern: RegExp,
    { from = 0, withinMs = PATIENCE_MS }: { from?: number; withinMs?: number } = {},
  ): Promise<string> {
    return new Promise((resolve, reject) => {
      let at = from;
      const look = () => {
        for (; at < this.#lines.length; at++) {
          const line = this.#lines[at]!;
          if (!pattern.test(line)) continue;
          this.#watches.delete(look);
          clearTimeout(late);
          resolve(line);
          return;
        }
      };
      const late = setTimeout(() => {
        this.#watches.delete(look);
        reject(new Error(`${this.#name} printed no ${pattern}; its last lines:\n${this.last(30)}`));
      }, withinMs);
      this.#watches.add(look);
      look();
    });
  }
}
