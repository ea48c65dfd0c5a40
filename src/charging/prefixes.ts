/**
 * Prefixes of numbers, each with a value: a tree with a node per digit in one array, so looking a
 * number up takes a step per digit, however many prefixes there are.
 */

export class Prefixes<V> {
  /** For each node a row with the next node per column; 0: there is none. */
  readonly #next: Int32Array;
  /** For each node the value of the prefix that ends there. */
  readonly #values: readonly (V | undefined)[];
  readonly #columns: ReadonlyMap<number, number>;
  /** The same for the characters that numbers are made of. */
  readonly #ascii = new Uint8Array(128);
  readonly #width: number;

  constructor(entries: ReadonlyMap<string, V>) {
    const columns = new Map<number, number>();
    let nodes = 1;
    for (const prefix of entries.keys()) {
      nodes += prefix.length;
      for (let at = 0; at < prefix.length; at++) {
        const code = prefix.charCodeAt(at);
        if (!columns.has(code)) columns.set(code, columns.size + 1);
      }
    }
    this.#columns = columns;
    this.#width = columns.size + 1;
    for (const [code, column] of columns) if (code < 128) this.#ascii[code] = column;
    const next = new Int32Array(nodes * this.#width);
    const values: (V | undefined)[] = [undefined];
    for (const [prefix, value] of entries) {
      let node = 0;
      for (let at = 0; at < prefix.length; at++) {
        const cell = node * this.#width + this.#column(prefix.charCodeAt(at));
        if (next[cell] === 0) next[cell] = values.push(undefined) - 1;
        node = next[cell] as number;
      }
      values[node] = value;
    }
    this.#next = next.slice(0, values.length * this.#width);
    this.#values = values;
  }

  /** Adds the values of all prefixes of `text`, the shortest first. */
  collect(text: string, into: V[]): void {
    let node = 0;
    for (let at = 0; ; at++) {
      const value = this.#values[node];
      if (value !== undefined) into.push(value);
      if (at === text.length) return;
      node = this.#step(node, text.charCodeAt(at));
      if (node === 0) return;
    }
  }

  /** The length of the longest prefix of `text`; -1: there is none. */
  longest(text: string): number {
    let longest = -1;
    let node = 0;
    for (let at = 0; ; at++) {
      if (this.#values[node] !== undefined) longest = at;
      if (at === text.length) return longest;
      node = this.#step(node, text.charCodeAt(at));
      if (node === 0) return longest;
    }
  }

  #step(node: number, code: number): number {
    const column = this.#column(code);
    return column === 0 ? 0 : (this.#next[node * this.#width + column] as number);
  }

  #column(code: number): number {
    return code < 128 ? (this.#ascii[code] as number) : (this.#columns.get(code) ?? 0);
  }
}
