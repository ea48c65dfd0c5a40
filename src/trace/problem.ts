// What a reader could not make sense of, with the place in the file. Readers of captures and traces
// never throw on their input: they report here and go on with what follows.

export interface Problem {
  /** Bytes from the start of the file to the record that the problem is about. */
  readonly offset: number;
  readonly text: string;
}

/** Keeps the first `limit` problems and counts all of them: a file of garbage costs no memory. */
export class ProblemLog {
  readonly first: Problem[] = [];
  total = 0;
  readonly #limit: number;

  constructor(limit = 100) {
    this.#limit = limit;
  }

  add(offset: number, text: string): void {
    this.total += 1;
    if (this.first.length < this.#limit) this.first.push({ offset, text });
  }
}
