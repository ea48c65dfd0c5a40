/**
 * The clock that connections are run by. The state machines take points in time as arguments; the
 * code around them reads this one, so a test moves hours of watchdog in a microsecond.
 */

export interface Clock {
  /** Monotonic milliseconds; only differences mean something. */
  now(): number;
  /** Runs `run` once, `delayMs` from now at the earliest. The returned function calls it off. */
  after(delayMs: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, run) {
    const timer = setTimeout(run, delayMs);
    return () => clearTimeout(timer);
  },
};

/**
 * One timer for everything that one owner waits for. It is set anew only for something earlier, so
 * deadlines that move on with every message cost nothing: who is woken too early sets it again.
 */
export class Alarm {
  readonly #clock: Clock;
  readonly #run: () => void;
  #at = Infinity;
  #cancel: () => void = () => {};

  constructor(clock: Clock, run: () => void) {
    this.#clock = clock;
    this.#run = run;
  }

  /** Wakes at `at` or earlier; Infinity changes nothing. */
  by(at: number): void {
    if (at >= this.#at) return;
    this.#cancel();
    this.#at = at;
    this.#cancel = this.#clock.after(Math.max(0, at - this.#clock.now()), () => {
      this.#at = Infinity;
      this.#run();
    });
  }

  clear(): void {
    this.#cancel();
    this.#at = Infinity;
  }
}
