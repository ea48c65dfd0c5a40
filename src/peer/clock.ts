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
