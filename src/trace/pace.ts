// When the requests of a replay are due, as milliseconds on the replay's clock.
import type { TraceEntry } from './trace-file.ts';

export type Pace =
  /** As recorded; `speed` 2 is twice as fast. */
  | { readonly kind: 'original'; readonly speed: number }
  /** So many a second, evenly, whatever the answers do. */
  | { readonly kind: 'rate'; readonly perSecond: number }
  /** Closed loop: as soon as fewer than `outstanding` are without an answer. */
  | { readonly kind: 'max'; readonly outstanding: number };

/** Answers when each entry is due; entries come in order, repetitions one after the other. */
export class Schedule {
  readonly #pace: Pace;
  readonly #startAt: number;
  #count = 0;
  #repetition = 0;
  #repetitionAt: number;
  #firstUs: number | undefined;
  #inRepetition = 0;
  #lastDueAt: number;

  constructor(pace: Pace, startAt: number) {
    this.#pace = pace;
    this.#startAt = startAt;
    this.#repetitionAt = startAt;
    this.#lastDueAt = startAt;
  }

  /** Undefined in a closed loop: the entry is due when there is room. */
  dueAt(entry: TraceEntry, repetition: number): number | undefined {
    if (this.#pace.kind === 'max') return undefined;
    this.#lastDueAt = Math.max(this.#lastDueAt, this.#next(entry, repetition, this.#pace));
    this.#count += 1;
    return this.#lastDueAt;
  }

  #next(entry: TraceEntry, repetition: number, pace: Exclude<Pace, { kind: 'max' }>): number {
    if (pace.kind === 'rate') return this.#startAt + (this.#count * 1000) / pace.perSecond;
    if (repetition !== this.#repetition) {
      // The next repetition follows at the mean distance between the requests of the last one.
      const span = this.#lastDueAt - this.#repetitionAt;
      this.#repetitionAt = this.#lastDueAt + span / Math.max(1, this.#inRepetition - 1);
      this.#repetition = repetition;
      this.#inRepetition = 0;
    }
    this.#inRepetition += 1;
    this.#firstUs ??= entry.atUs;
    return this.#repetitionAt + (entry.atUs - this.#firstUs) / 1000 / pace.speed;
  }
}
