/**
 * The worker processes of one service: started together, started again when one ends by itself,
 * and stopped in order. Workers share nothing but the store; the parent stands in nobody's way.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { Settings } from '../config.ts';
import { TollkeeperError } from '../errors.ts';
import type { Peers } from '../provisioning/provisioning.ts';

/** What the parent tells a worker. */
export type ToWorker =
  | {
      type: 'serve';
      settings: Settings;
      worker: number;
      /** Unique among all workers on the store, and the same after a restart. */
      name: string;
      /** Where the store is: a URL or the path of a socket. */
      redis: string;
      /** What it goes on with where the peers of the store cannot be served. */
      peers?: Peers;
    }
  | { type: 'drain' };

/** What a worker tells the parent. */
export type FromWorker<Metrics> =
  | { type: 'ready'; host: string; port: number }
  | { type: 'failed'; reason: string }
  | { type: 'metrics'; metrics: Metrics };

export interface FleetOptions<Metrics> {
  workers: number;
  /** The first message to worker `worker`. */
  assignment(worker: number): ToWorker;
  onMetrics(worker: number, metrics: Metrics): void;
  /** A worker ended by itself; it is started again after a pause. */
  onLost(worker: number, reason: string): void;
  /** Time that a worker gets to drain before it is killed. */
  drainMs: number;
}

/**
 * A worker's garbage is young: what a request needs is gone with its answer, but several hundred
 * requests are under way. With V8's usual 16 MiB much of that is copied, and then kept, for nothing.
 * Large pages for Node's own code spare the processor look-ups: a request passes through much of it;
 * where the system does not say whether it has them (a container without /sys), Node would complain.
 */
export const WORKER_FLAGS: readonly string[] = [
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
  ...(existsSync('/sys/kernel/mm/transparent_hugepage/enabled') ? ['--use-largepages=silent'] : []),
];

const FIRST_PAUSE_MS = 100;
const LONGEST_PAUSE_MS = 10_000;
/** A worker that served this long has earned a quick restart. */
const HEALTHY_MS = 60_000;

export class Fleet<Metrics> {
  readonly #options: FleetOptions<Metrics>;
  readonly #processes = new Map<number, ChildProcess>();
  readonly #pauses = new Map<number, NodeJS.Timeout>();
  #stopping = false;

  constructor(options: FleetOptions<Metrics>) {
    this.#options = options;
  }

  /** Starts all workers; rejects with what the first that cannot serve says. */
  async start(): Promise<{ host: string; port: number }[]> {
    const starts = Array.from({ length: this.#options.workers }, (_, one) => this.#spawn(one));
    try {
      return await Promise.all(starts);
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Process ids of the workers that run, by worker. */
  pids(): ReadonlyMap<number, number> {
    const pids = new Map<number, number>();
    for (const [worker, { pid }] of this.#processes) if (pid !== undefined) pids.set(worker, pid);
    return pids;
  }

  /** Lets every worker take leave of its peers, then ends it. Safe to call twice. */
  async stop(): Promise<void> {
    this.#stopping = true;
    for (const pause of this.#pauses.values()) clearTimeout(pause);
    await Promise.all([...this.#processes.values()].map((process) => this.#end(process)));
  }

  async #end(process: ChildProcess): Promise<void> {
    if (process.exitCode !== null || process.signalCode !== null) return;
    const exited = new Promise((resolve) => process.once('exit', resolve));
    if (process.connected) process.send({ type: 'drain' } satisfies ToWorker);
    // Beyond its own time limits: then it hangs.
    const kill = setTimeout(() => process.kill('SIGKILL'), 2 * this.#options.drainMs + 5_000);
    await exited;
    clearTimeout(kill);
  }

  #spawn(worker: number, pauseMs = FIRST_PAUSE_MS): Promise<{ host: string; port: number }> {
    const startedAt = performance.now();
    const child = fork(new URL('../main.ts', import.meta.url), ['worker'], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [...process.execArgv, ...WORKER_FLAGS],
    });
    this.#processes.set(worker, child);
    child.send(this.#options.assignment(worker));
    return new Promise((resolve, reject) => {
      let served = false;
      let reason = '';
      child.on('message', (message: FromWorker<Metrics>) => {
        if (message.type === 'metrics') this.#options.onMetrics(worker, message.metrics);
        else if (message.type === 'failed') reason = message.reason;
        else {
          served = true;
          resolve({ host: message.host, port: message.port });
        }
      });
      child.on('error', (error) => {
        reason = error.message;
      });
      child.on('exit', (code, signal) => {
        this.#processes.delete(worker);
        reason ||= signal === null ? `exit code ${code}` : `signal ${signal}`;
        if (!served) reject(new TollkeeperError('WORKER_FAILED', { worker, reason }));
        if (this.#stopping || !served) return;
        this.#options.onLost(worker, reason);
        this.#again(worker, performance.now() - startedAt > HEALTHY_MS ? FIRST_PAUSE_MS : pauseMs);
      });
    });
  }

  #again(worker: number, pauseMs: number): void {
    const next = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    const pause = setTimeout(() => {
      this.#pauses.delete(worker);
      this.#spawn(worker, next).catch((error: Error) => {
        if (this.#stopping) return;
        this.#options.onLost(worker, error.message);
        this.#again(worker, next);
      });
    }, pauseMs);
    this.#pauses.set(worker, pause);
  }
}
