/**
 * What a worker counts while it serves: plain numbers, cheap enough for every message, and a
 * snapshot of them that travels to the process that serves `/metrics` (see `metrics.ts`).
 */

/** Upper bounds of the latency histograms, in seconds. */
export const LATENCY_BOUNDS: readonly number[] = [
  0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02, 0.03, 0.05, 0.1, 0.25, 0.5, 1, 2, 5,
];
/** The same for timers, which are looked for in passes of a second or so. */
export const LATENESS_BOUNDS: readonly number[] = [0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 30, 60, 300];

/** Values of one label that are told apart; whatever comes beyond them counts as `other`. */
const MAX_LABEL_VALUES = 64;

/** Observations by bucket, not cumulated; the last bucket has no upper bound. */
export interface HistogramFigures {
  counts: number[];
  /** In seconds. */
  sum: number;
}

/** What can be seen at a moment rather than counted; the worker reads it when it is asked. */
export interface WorkerState {
  ready: boolean;
  requestsInFlight: number;
  peersConnected: number;
  /** Answers that peers have not taken yet. */
  queuedBytes: number;
  /** The store's clock minus this worker's. */
  clockOffsetSeconds: number;
}

/** A worker's figures since it started: JSON, so that they may travel between processes. */
export interface WorkerMetrics {
  state: WorkerState;
  /** Answers by kind of request and Result-Code. */
  answers: Record<string, Record<string, number>>;
  latency: Record<string, HistogramFigures>;
  /** By kind of request. */
  storeTrips: Record<string, number>;
  storeConflicts: number;
  alarms: Record<string, number>;
  /** Timers that took effect, by kind, and how late they were. */
  timers: Record<string, HistogramFigures>;
  timerFailures: number;
  defects: number;
  cpuSeconds: number;
  residentBytes: number;
}

/** Its methods fit the events of the gateway, the charging loop and the timers. */
export class WorkerFigures {
  readonly #answers = new Map<string, Map<number, number>>();
  readonly #latency = new Map<string, HistogramFigures>();
  readonly #trips = new Map<string, number>();
  readonly #alarms = new Map<string, number>();
  readonly #timers = new Map<string, HistogramFigures>();
  #conflicts = 0;
  #timerFailures = 0;
  #defects = 0;

  /** An answer left after `ms`. */
  answered(kind: string, resultCode: number, ms: number): void {
    const name = bounded(this.#answers, kind);
    let codes = this.#answers.get(name);
    if (codes === undefined) {
      codes = new Map();
      this.#answers.set(name, codes);
    }
    // 0 stands for the Result-Codes beyond the bound, and for an answer that could not be made.
    const code = codes.has(resultCode) || codes.size < MAX_LABEL_VALUES ? resultCode : 0;
    codes.set(code, (codes.get(code) ?? 0) + 1);
    observe(histogram(this.#latency, kind, LATENCY_BOUNDS), LATENCY_BOUNDS, ms / 1000);
  }

  /** Round trips to the store that one request took. */
  trips(kind: string, count: number): void {
    increase(this.#trips, kind, count);
  }

  /** A commit met another that came first. */
  conflict(): void {
    this.#conflicts++;
  }

  alarm(event: string): void {
    increase(this.#alarms, event, 1);
  }

  /** A timer took effect `lateMs` after it was due. */
  fired(kind: string, lateMs: number): void {
    observe(histogram(this.#timers, kind, LATENESS_BOUNDS), LATENESS_BOUNDS, lateMs / 1000);
  }

  /** A partition's timers could not be looked after. */
  failed(): void {
    this.#timerFailures++;
  }

  defect(): void {
    this.#defects++;
  }

  snapshot(state: WorkerState): WorkerMetrics {
    const { user, system } = process.cpuUsage();
    return {
      state,
      answers: Object.fromEntries(
        [...this.#answers].map(([kind, codes]) => [kind, Object.fromEntries(codes)]),
      ),
      latency: copied(this.#latency),
      storeTrips: Object.fromEntries(this.#trips),
      storeConflicts: this.#conflicts,
      alarms: Object.fromEntries(this.#alarms),
      timers: copied(this.#timers),
      timerFailures: this.#timerFailures,
      defects: this.#defects,
      cpuSeconds: (user + system) / 1e6,
      residentBytes: process.memoryUsage.rss(),
    };
  }
}

/** The label's value, or `other` when there are too many already. */
function bounded(known: ReadonlyMap<string, unknown>, value: string): string {
  return known.has(value) || known.size < MAX_LABEL_VALUES ? value : 'other';
}

function increase(counts: Map<string, number>, value: string, by: number): void {
  const name = bounded(counts, value);
  counts.set(name, (counts.get(name) ?? 0) + by);
}

function histogram(
  all: Map<string, HistogramFigures>,
  value: string,
  bounds: readonly number[],
): HistogramFigures {
  const name = bounded(all, value);
  let figures = all.get(name);
  if (figures === undefined) {
    figures = { counts: new Array<number>(bounds.length + 1).fill(0), sum: 0 };
    all.set(name, figures);
  }
  return figures;
}

function observe(figures: HistogramFigures, bounds: readonly number[], seconds: number): void {
  let at = 0;
  while (at < bounds.length && seconds > bounds[at]!) at++;
  figures.counts[at]!++;
  figures.sum += seconds;
}

function copied(all: Map<string, HistogramFigures>): Record<string, HistogramFigures> {
  return Object.fromEntries(
    [...all].map(([name, { counts, sum }]) => [name, { counts: [...counts], sum }]),
  );
}
