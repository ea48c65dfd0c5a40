/**
 * The figures of all workers in the text format of Prometheus. Every series has its worker's name
 * as a label instead of being added up here: a worker that starts anew begins at zero, and only a
 * series of its own can show that (a sum that falls reads as a burst of traffic). Sums are a query:
 * `sum without (worker) (rate(tollkeeper_requests_total[1m]))`.
 */
import { AggregatorRegistry } from 'prom-client';
import {
  type HistogramFigures,
  LATENCY_BOUNDS,
  LATENESS_BOUNDS,
  type WorkerMetrics,
} from './figures.ts';

export const METRICS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

/** One series of a metric: its labels beside `worker`, and its value. */
type Series = readonly [labels: Readonly<Record<string, string>>, value: number];

type Metric = { name: string; help: string } & (
  | { type: 'counter' | 'gauge'; read(metrics: WorkerMetrics): readonly Series[] }
  | {
      type: 'histogram';
      bounds: readonly number[];
      /** The label that tells its histograms apart. */
      label: string;
      read(metrics: WorkerMetrics): Readonly<Record<string, HistogramFigures>>;
    }
);

const metrics: readonly Metric[] = [
  {
    name: 'tollkeeper_ready',
    help: 'Whether the worker serves Diameter (1) or not (0).',
    type: 'gauge',
    read: ({ state }) => single(state.ready ? 1 : 0),
  },
  {
    name: 'tollkeeper_requests_total',
    help: 'Requests answered, by kind and Result-Code (0: no answer could be made).',
    type: 'counter',
    read: ({ answers }) =>
      Object.entries(answers).flatMap(([kind, codes]) =>
        Object.entries(codes).map(([result_code, count]): Series => [{ kind, result_code }, count]),
      ),
  },
  {
    name: 'tollkeeper_request_duration_seconds',
    help: 'From the arrival of a request to its answer.',
    type: 'histogram',
    bounds: LATENCY_BOUNDS,
    label: 'kind',
    read: ({ latency }) => latency,
  },
  {
    name: 'tollkeeper_requests_in_flight',
    help: 'Requests being charged now.',
    type: 'gauge',
    read: ({ state }) => single(state.requestsInFlight),
  },
  {
    name: 'tollkeeper_peers_connected',
    help: 'Diameter connections that are open.',
    type: 'gauge',
    read: ({ state }) => single(state.peersConnected),
  },
  {
    name: 'tollkeeper_peer_queue_bytes',
    help: 'Answers that peers have not taken yet.',
    type: 'gauge',
    read: ({ state }) => single(state.queuedBytes),
  },
  {
    name: 'tollkeeper_store_round_trips_total',
    help: 'Round trips to the store, by the kind of request that made them.',
    type: 'counter',
    read: ({ storeTrips }) => labelled('kind', storeTrips),
  },
  {
    name: 'tollkeeper_store_conflicts_total',
    help: 'Commits that met another that came first, and were decided again.',
    type: 'counter',
    read: ({ storeConflicts }) => single(storeConflicts),
  },
  {
    name: 'tollkeeper_alarms_total',
    help: 'Events that an operator must look at.',
    type: 'counter',
    read: ({ alarms }) => labelled('event', alarms),
  },
  {
    name: 'tollkeeper_timer_lateness_seconds',
    help: 'Timers that took effect, by how long after they were due.',
    type: 'histogram',
    bounds: LATENESS_BOUNDS,
    label: 'kind',
    read: ({ timers }) => timers,
  },
  {
    name: 'tollkeeper_timer_failures_total',
    help: 'Passes over a partition of timers that failed; the next pass finds the same timers.',
    type: 'counter',
    read: ({ timerFailures }) => single(timerFailures),
  },
  {
    name: 'tollkeeper_defects_total',
    help: 'Requests answered 5012 because an assertion failed.',
    type: 'counter',
    read: ({ defects }) => single(defects),
  },
  {
    name: 'tollkeeper_clock_offset_seconds',
    help: "The store's clock minus the worker's.",
    type: 'gauge',
    read: ({ state }) => single(state.clockOffsetSeconds),
  },
  {
    name: 'tollkeeper_worker_cpu_seconds_total',
    help: 'Processor time of the worker, user and system.',
    type: 'counter',
    read: ({ cpuSeconds }) => single(cpuSeconds),
  },
  {
    name: 'tollkeeper_worker_resident_memory_bytes',
    help: 'Memory that the worker holds.',
    type: 'gauge',
    read: ({ residentBytes }) => single(residentBytes),
  },
];

/** How far behind this process is with the records that it looks after. */
export interface RecordsState {
  /** Records in the store that are not in files yet. */
  lag: number;
  /** Age of the oldest of them. */
  lagSeconds: number;
}

/** The page for `/metrics`: the figures that each worker, by name, sent last. */
export async function metricsText(
  workers: ReadonlyMap<string, WorkerMetrics>,
  records?: RecordsState,
): Promise<string> {
  const all: object[][] = [...workers].map(([worker, figures]) =>
    metrics.map((metric) => toPrometheus(metric, worker, figures)),
  );
  if (records !== undefined) all.push(recordsMetrics(records));
  return AggregatorRegistry.aggregate(all).metrics();
}

function recordsMetrics({ lag, lagSeconds }: RecordsState): object[] {
  const gauge = (name: string, help: string, value: number) => ({
    name,
    help,
    type: 'gauge',
    aggregator: 'sum',
    values: [{ labels: {}, value }],
  });
  return [
    gauge('tollkeeper_records_lag', 'Records in the store that are not in files yet.', lag),
    gauge(
      'tollkeeper_records_lag_seconds',
      'Age of the oldest record that is not in files yet.',
      lagSeconds,
    ),
  ];
}

/** A metric of one worker in the form in which prom-client takes figures of other processes. */
function toPrometheus(metric: Metric, worker: string, figures: WorkerMetrics): object {
  const { name, help, type } = metric;
  const values =
    metric.type === 'histogram'
      ? Object.entries(metric.read(figures)).flatMap(([value, histogram]) =>
          histogramValues(metric, { worker, [metric.label]: value }, histogram),
        )
      : metric.read(figures).map(([labels, value]) => ({ labels: { worker, ...labels }, value }));
  return { name, help, type, aggregator: 'sum', values };
}

function histogramValues(
  { name, bounds }: { name: string; bounds: readonly number[] },
  labels: Readonly<Record<string, string>>,
  { counts, sum }: HistogramFigures,
): object[] {
  let total = 0;
  const buckets = counts.map((count, i) => {
    total += count;
    const le = bounds[i] ?? '+Inf';
    return { metricName: `${name}_bucket`, labels: { le, ...labels }, value: total };
  });
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: total },
  ];
}

const single = (value: number): Series[] => [[{}, value]];

function labelled(label: string, values: Readonly<Record<string, number>>): Series[] {
  return Object.entries(values).map(([value, count]) => [{ [label]: value }, count]);
}
