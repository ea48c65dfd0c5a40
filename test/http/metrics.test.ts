/** Figures of workers, counted, sent as JSON and shown in the text format of Prometheus. */
import { expect, test } from 'vitest';
import { LATENCY_BOUNDS, WorkerFigures, type WorkerState } from '../../src/http/figures.ts';
import { metricsText } from '../../src/http/metrics.ts';

const state: WorkerState = {
  ready: true,
  requestsInFlight: 3,
  peersConnected: 2,
  queuedBytes: 77,
  clockOffsetSeconds: -0.01,
};

/** What another process receives. */
const sent = (figures: WorkerFigures) =>
  JSON.parse(JSON.stringify(figures.snapshot(state))) as ReturnType<WorkerFigures['snapshot']>;

/** Values by series, comments left out. */
async function series(workers: Record<string, WorkerFigures>): Promise<Map<string, number>> {
  const snapshots = Object.entries(workers).map(
    ([name, figures]) => [name, sent(figures)] as const,
  );
  const text = await metricsText(new Map(snapshots));
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => {
      const space = line.lastIndexOf(' ');
      return [line.slice(0, space), Number(line.slice(space + 1))];
    }),
  );
}

test('each worker has series of its own', async () => {
  const [zero, one] = [new WorkerFigures(), new WorkerFigures()];
  zero.answered('initial', 2001, 1.2);
  zero.answered('initial', 2001, 1.2);
  zero.answered('update', 4012, 3);
  one.answered('initial', 2001, 1);
  one.trips('initial', 3);
  one.trips('initial', 2);
  one.conflict();
  one.alarm('excess');
  one.defect();
  one.failed();
  const found = await series({ '0': zero, '1': one });
  const requests = 'tollkeeper_requests_total';
  expect(found.get(`${requests}{worker="0",kind="initial",result_code="2001"}`)).toBe(2);
  expect(found.get(`${requests}{worker="0",kind="update",result_code="4012"}`)).toBe(1);
  expect(found.get(`${requests}{worker="1",kind="initial",result_code="2001"}`)).toBe(1);
  expect(found.get('tollkeeper_store_round_trips_total{worker="1",kind="initial"}')).toBe(5);
  expect(found.get('tollkeeper_store_conflicts_total{worker="1"}')).toBe(1);
  expect(found.get('tollkeeper_store_conflicts_total{worker="0"}')).toBe(0);
  expect(found.get('tollkeeper_alarms_total{worker="1",event="excess"}')).toBe(1);
  expect(found.get('tollkeeper_defects_total{worker="1"}')).toBe(1);
  expect(found.get('tollkeeper_timer_failures_total{worker="1"}')).toBe(1);
  expect(found.get('tollkeeper_ready{worker="0"}')).toBe(1);
  expect(found.get('tollkeeper_requests_in_flight{worker="1"}')).toBe(3);
  expect(found.get('tollkeeper_peers_connected{worker="1"}')).toBe(2);
  expect(found.get('tollkeeper_peer_queue_bytes{worker="1"}')).toBe(77);
  expect(found.get('tollkeeper_clock_offset_seconds{worker="1"}')).toBe(-0.01);
  expect(found.get('tollkeeper_worker_cpu_seconds_total{worker="0"}')).toBeGreaterThan(0);
  expect(found.get('tollkeeper_worker_resident_memory_bytes{worker="0"}')).toBeGreaterThan(1e6);
});

test('records are of the process, not of a worker', async () => {
  const text = await metricsText(new Map(), { lag: 4, lagSeconds: 0.5 });
  expect(text).toContain('\ntollkeeper_records_lag 4\n');
  expect(text).toContain('\ntollkeeper_records_lag_seconds 0.5\n');
});

test('histograms are cumulative, a bound belongs to its bucket, and the last has no bound', async () => {
  const figures = new WorkerFigures();
  for (const ms of [0.5, 0.6, 1, 4_000, 60_000]) figures.answered('update', 2001, ms);
  figures.fired('validity', 120);
  const found = await series({ w: figures });
  const bucket = (le: string) =>
    found.get(`tollkeeper_request_duration_seconds_bucket{le="${le}",worker="w",kind="update"}`);
  expect(bucket('0.0005')).toBe(1);
  expect(bucket('0.001')).toBe(3);
  expect(bucket('2')).toBe(3);
  expect(bucket('5')).toBe(4);
  expect(bucket('+Inf')).toBe(5);
  const values = LATENCY_BOUNDS.map((le) => bucket(String(le)));
  expect(values).toEqual([...values].sort((a, b) => a! - b!));
  const name = 'tollkeeper_request_duration_seconds';
  expect(found.get(`${name}_count{worker="w",kind="update"}`)).toBe(5);
  expect(found.get(`${name}_sum{worker="w",kind="update"}`)).toBeCloseTo(64.0021, 9);
  expect(found.get('tollkeeper_timer_lateness_seconds_count{worker="w",kind="validity"}')).toBe(1);
});

test('no flood of kinds, codes or events makes a flood of series', async () => {
  const figures = new WorkerFigures();
  for (let i = 0; i < 1_000; i++) {
    figures.answered(`kind${i}`, 2001, 1);
    figures.answered('initial', i, 1);
    figures.trips(`kind${i}`, 1);
    figures.alarm(`event${i}`);
    figures.fired(`kind${i}`, 1);
  }
  const found = await series({ w: figures });
  const of = (name: string) => [...found].filter(([one]) => one.startsWith(`${name}{`));
  expect(of('tollkeeper_requests_total').length).toBeLessThan(200);
  expect(of('tollkeeper_requests_total').reduce((sum, [, value]) => sum + value, 0)).toBe(2_000);
  expect(of('tollkeeper_alarms_total')).toHaveLength(65);
  expect(found.get('tollkeeper_alarms_total{worker="w",event="other"}')).toBe(936);
  expect(of('tollkeeper_store_round_trips_total')).toHaveLength(65);
  expect(of('tollkeeper_timer_lateness_seconds_count')).toHaveLength(65);
});

test('without workers there is a page all the same', async () => {
  expect(await metricsText(new Map())).toBe('\n');
});

test('a snapshot does not change when the worker counts on', () => {
  const figures = new WorkerFigures();
  figures.answered('initial', 2001, 1);
  const before = figures.snapshot(state);
  figures.answered('initial', 2001, 1);
  expect(before.answers).toEqual({ initial: { 2001: 1 } });
  expect(before.latency.initial!.counts.reduce((a, b) => a + b)).toBe(1);
});
