/**
 * Work that may be long: a generator that yields wherever it can be left for a while. A command does
 * it at once; a process that has requests to answer does it in slices and looks after them in between.
 */
import { setImmediate as turn } from 'node:timers/promises';

export type Work<T> = Generator<void, T, void>;

/** How long a slice is, in ms; longer by what lies between two yields. */
export const SLICE_MS = 5;

export function atOnce<T>(work: Work<T>): T {
  for (;;) {
    const { done, value } = work.next();
    if (done) return value;
  }
}

/** Rejects with what the work throws. */
export async function inSlices<T>(work: Work<T>): Promise<T> {
  for (;;) {
    const until = performance.now() + SLICE_MS;
    do {
      const { done, value } = work.next();
      if (done) return value;
    } while (performance.now() < until);
    await turn();
  }
}
