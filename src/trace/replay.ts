// Sends a trace to a server as its gateway would: over real connections, at a pace, each session's
// requests in order. Latencies are measured from when a request should have gone out, so that a slow
// server cannot hide behind the requests that it held up; and the replay watches itself.
import { DiameterClient } from './client.ts';
import { type Clock, systemClock } from './clock.ts';
import { Fifo } from './fifo.ts';
import { IdentityMap, type Subscribers } from './identities.ts';
import { Lane, type Pending } from './lane.ts';
import { type Pace, Schedule } from './pace.ts';
import { ProblemLog } from './problem.ts';
import { avpKey, keyOf, messageAvps, text } from './raw-avp.ts';
import { Renewal } from './renewal.ts';
import { judgeGenerator, percentilesMs, type Report, Tally } from './report.ts';
import type { Trace } from './trace.ts';
import type { TraceEntry } from './trace-file.ts';

export interface ReplayOptions {
  readonly host: string;
  readonly port: number;
  /** `original` at speed 1 by default. */
  readonly pace?: Pace;
  /** How many times the trace is sent; 1 by default. */
  readonly repeat?: number;
  /** For each connection of the trace; 1 by default. */
  readonly connections?: number;
  /** What goes round these connections: whole sessions (default), or each request. */
  readonly spread?: 'session' | 'request';
  /** Wait for the answer before where the trace says that the gateway did; true by default. */
  readonly wait?: boolean;
  /** For an answer, and for the sending of what is due; 10,000 by default. */
  readonly timeoutMs?: number;
  /** Requests without an answer at once, unless the pace says; 10,000 by default. */
  readonly maxOutstanding?: number;
  /** Replace the trace's own, in the requests and the capabilities exchange. */
  readonly originHost?: string;
  readonly originRealm?: string;
  /** Whom the trace's subscribers are put onto. */
  readonly subscribers?: Subscribers;
  /** Number each session's requests from 0 instead of as recorded. */
  readonly renumber?: boolean;
  /** Makes the Session-Ids of this replay unique; made from time and chance by default. */
  readonly run?: string;
  readonly onExchange?: (exchange: Exchange) => void;
  readonly onProgress?: (progress: Progress) => void;
  /** Ends the replay early: nothing more is read, what is under way is waited for. */
  readonly signal?: AbortSignal;
  readonly clock?: Clock;
}

/** What became of one request. */
export interface Exchange {
  readonly entry: TraceEntry;
  readonly repetition: number;
  readonly outcome: 'answered' | 'unanswered' | 'dropped';
  /** As it was sent; undefined if it was dropped. */
  readonly request: Buffer | undefined;
  /** A view on what was received: copy what is kept. */
  readonly answer: Buffer | undefined;
  /** From the intended time of sending. */
  readonly latencyMs: number;
}

export interface Progress {
  readonly requests: number;
  readonly answered: number;
  readonly inFlight: number;
  readonly seconds: number;
}

interface Queued {
  readonly entry: TraceEntry;
  readonly repetition: number;
  readonly dueAt: number | undefined;
}

/** The connections that stand for one connection of the trace. */
interface Group {
  readonly lanes: readonly Lane[];
  next: number;
}

interface Session {
  readonly key: string;
  readonly group: Group;
  readonly lane: Lane;
  readonly queue: Fifo<Queued>;
  underWay: number;
}

/** Requests read ahead while their sessions wait for answers. */
const maxHeld = 100_000;
/** Connections of a trace beyond these share those of the others. */
const maxGroups = 64;
const mostSweepMs = 100;
/** Reading yields to the sockets at least so often. */
const yieldMs = 2;

/** Resolves when every request is answered or given up. Throws `ConnectFailed` at the start only. */
export function replay(trace: Trace, options: ReplayOptions): Promise<Report> {
  return new Replay(trace, options).run();
}

class Replay {
  readonly #trace: Trace;
  readonly #options: ReplayOptions;
  readonly #clock: Clock;
  readonly #pace: Pace;
  readonly #problems = new ProblemLog();
  readonly #tally = new Tally();
  readonly #sessions = new Map<string, Session>();
  readonly #sessionOf = new Map<Pending, Session>();
  readonly #limit: number;
  readonly #timeoutMs: number;
  readonly #identities: IdentityMap | undefined;
  readonly #groups = new Map<number, Group>();
  readonly #renewal: Renewal;
  #lanes: Lane[] = [];
  #held = 0;
  #startedAt = 0;
  #wake: () => void = () => {};
  #yieldedAt = 0;

  constructor(trace: Trace, options: ReplayOptions) {
    this.#trace = trace;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#pace = options.pace ?? { kind: 'original', speed: 1 };
    this.#limit =
      this.#pace.kind === 'max' ? this.#pace.outstanding : (options.maxOutstanding ?? 10_000);
    this.#timeoutMs = options.timeoutMs ?? 10_000;
    const { subscribers } = options;
    this.#identities = subscribers === undefined ? undefined : new IdentityMap(subscribers);
    const { originHost, originRealm, renumber, run } = options;
    this.#renewal = new Renewal({
      run: run ?? freshRun(),
      renumber: renumber ?? false,
      clock: this.#clock,
      ...(originHost === undefined ? {} : { originHost }),
      ...(originRealm === undefined ? {} : { originRealm }),
      ...(this.#identities === undefined ? {} : { identities: this.#identities }),
    });
  }

  async run(): Promise<Report> {
    const entries = this.#entries();
    const wakeUp = () => this.#wake();
    this.#options.signal?.addEventListener('abort', wakeUp);
    let stopSweeping = () => {};
    try {
      const first = await entries.next();
      if (!first.done) await this.#open(first.value.entry);
      const load = startLoad();
      this.#startedAt = this.#clock.now();
      stopSweeping = this.#sweep();
      const schedule = new Schedule(this.#pace, this.#startedAt);
      for (let next = first; !next.done; next = await entries.next()) {
        const { entry, repetition } = next.value;
        const dueAt = schedule.dueAt(entry, repetition);
        await this.#turn(dueAt);
        if (this.#options.signal?.aborted) break;
        await this.#open(entry);
        this.#accept({ entry, repetition, dueAt });
      }
      while (this.#held + this.#sessionOf.size > 0) await this.#change();
      return this.#report(load());
    } finally {
      stopSweeping();
      this.#options.signal?.removeEventListener('abort', wakeUp);
      await entries.return(undefined);
      await Promise.all(this.#lanes.map((lane) => lane.close()));
    }
  }

  async *#entries(): AsyncGenerator<{ entry: TraceEntry; repetition: number }, undefined> {
    for (let repetition = 0; repetition < (this.#options.repeat ?? 1); repetition += 1) {
      // The same problems again say nothing new.
      const problems = repetition === 0 ? this.#problems : new ProblemLog(0);
      for await (const entry of this.#trace.entries(problems)) yield { entry, repetition };
    }
    return undefined;
  }

  /** Opens what stands for this entry's connection, at its first request. */
  async #open(entry: TraceEntry): Promise<void> {
    const number = entry.connection % maxGroups;
    if (this.#groups.has(number)) return;
    const origin = {
      originHost: this.#options.originHost ?? topText(entry.request, keyOf.originHost),
      originRealm: this.#options.originRealm ?? topText(entry.request, keyOf.originRealm),
    };
    const make = () => this.#lane(origin);
    const lanes = Array.from({ length: this.#options.connections ?? 1 }, make);
    this.#groups.set(number, { lanes, next: 0 });
    this.#lanes = [...this.#lanes, ...lanes];
    const opened = await Promise.allSettled(lanes.map((lane) => lane.open()));
    const failed = opened.find((each) => each.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
  }

  #lane(origin: { originHost: string; originRealm: string }): Lane {
    const { host, port } = this.#options;
    const connection = { ...origin, host, port, maxOutstanding: this.#limit, clock: this.#clock };
    return new Lane({
      connect: () => DiameterClient.connect(connection),
      clock: this.#clock,
      timeoutMs: this.#timeoutMs,
      hasRoom: () => this.#inFlight() < this.#limit,
      prepare: ({ entry, repetition }, server) => this.#renewal.renew(entry, repetition, server),
      onSent: (pending, waitedForRoom) => {
        if (waitedForRoom) return;
        const late = pending.sentAt! - Math.max(pending.dueAt, pending.readyAt);
        this.#tally.lagUs.record(late * 1000);
      },
      onAnswer: (pending, answer) => {
        const latencyMs = this.#clock.now() - pending.dueAt;
        this.#tally.answer(answer, latencyMs);
        this.#settle(pending, { outcome: 'answered', answer, latencyMs });
      },
      onExpired: (pending) => {
        const outcome = pending.sentAt === undefined ? 'dropped' : 'unanswered';
        this.#tally[outcome] += 1;
        const latencyMs = this.#clock.now() - pending.dueAt;
        this.#settle(pending, { outcome, answer: undefined, latencyMs });
      },
      onReconnect: () => {
        this.#tally.reconnects += 1;
      },
      onResent: () => {
        this.#tally.resent += 1;
      },
    });
  }

  #inFlight(): number {
    return this.#lanes.reduce((sum, lane) => sum + lane.inFlight, 0);
  }

  /** Waits until the next request may be taken up. */
  async #turn(dueAt: number | undefined): Promise<void> {
    const stopped = () => this.#options.signal?.aborted ?? false;
    while (!stopped() && this.#held >= maxHeld) await this.#change();
    if (dueAt === undefined) {
      while (!stopped() && this.#sessionOf.size >= this.#limit) await this.#change();
    } else {
      for (let now = this.#clock.now(); now < dueAt && !stopped(); now = this.#clock.now()) {
        await this.#sleep(dueAt - now);
      }
    }
    if (this.#clock.now() - this.#yieldedAt < yieldMs) return;
    await new Promise((resolve) => setImmediate(resolve));
    this.#yieldedAt = this.#clock.now();
  }

  /** Answers wake as well, and are many: only the end of the replay cuts a sleep short. */
  async #sleep(delayMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const callOff = this.#clock.after(delayMs, resolve);
    const { signal } = this.#options;
    const stop = () => resolve();
    signal?.addEventListener('abort', stop);
    await promise;
    signal?.removeEventListener('abort', stop);
    callOff();
  }

  /** Resolves when a request is settled or the replay is stopped. */
  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #accept(queued: Queued): void {
    const key = `${queued.repetition}/${queued.entry.session}`;
    let session = this.#sessions.get(key);
    if (session === undefined) {
      const group = this.#groups.get(queued.entry.connection % maxGroups)!;
      session = { key, group, lane: laneOf(group), queue: new Fifo(), underWay: 0 };
      this.#sessions.set(key, session);
    }
    this.#tally.requests += 1;
    this.#held += 1;
    session.queue.push(queued);
    this.#advance(session, queued.dueAt);
  }

  /**
   * Lets a session's next requests go, in order, up to one that waits for an answer. They could go
   * from `readyAt` on: now, unless it was only the pace that held them.
   */
  #advance(session: Session, readyAt = this.#clock.now()): void {
    for (;;) {
      const next = session.queue.peek();
      if (next === undefined) break;
      const waits = (this.#options.wait ?? true) && next.entry.afterAnswer;
      if (waits && session.underWay > 0) return;
      session.queue.shift();
      this.#held -= 1;
      session.underWay += 1;
      const { entry, repetition, dueAt = readyAt } = next;
      const pending: Pending = { entry, repetition, dueAt, readyAt };
      this.#sessionOf.set(pending, session);
      const lane = this.#options.spread === 'request' ? laneOf(session.group) : session.lane;
      lane.offer(pending);
    }
    if (session.underWay === 0) this.#sessions.delete(session.key);
  }

  #settle(pending: Pending, end: Pick<Exchange, 'outcome' | 'answer' | 'latencyMs'>): void {
    const { entry, repetition, message: request } = pending;
    const session = this.#sessionOf.get(pending)!;
    this.#sessionOf.delete(pending);
    session.underWay -= 1;
    this.#options.onExchange?.({ entry, repetition, request, ...end });
    this.#advance(session);
    for (const lane of this.#lanes) lane.resume();
    this.#wake();
  }

  /** Gives up what waited too long, and tells of the progress. Returns what ends it. */
  #sweep(): () => void {
    const everyMs = Math.max(1, Math.min(mostSweepMs, this.#timeoutMs / 4));
    const run = () => {
      for (const lane of this.#lanes) lane.expire();
      this.#options.onProgress?.({
        requests: this.#tally.requests,
        answered: this.#tally.answered,
        inFlight: this.#inFlight(),
        seconds: (this.#clock.now() - this.#startedAt) / 1000,
      });
      callOff = this.#clock.after(everyMs, run);
    };
    let callOff = this.#clock.after(everyMs, run);
    return () => callOff();
  }

  #report(load: { cpuPercent: number; eventLoopUtilization: number }): Report {
    const seconds = (this.#clock.now() - this.#startedAt) / 1000;
    const { requests, answered, unanswered, dropped, resent, reconnects } = this.#tally;
    const { resultCodes, serviceResultCodes } = this.#tally;
    const identities = this.#identities;
    return {
      success: this.#tally.success && requests > 0,
      ...{ requests, answered, unanswered, dropped, resent, reconnects },
      connections: this.#lanes.length,
      seconds,
      answersPerSecond: seconds > 0 ? answered / seconds : 0,
      latencyMs: percentilesMs(this.#tally.latencyUs),
      closedLoop: this.#pace.kind === 'max',
      ...{ resultCodes, serviceResultCodes },
      generator: judgeGenerator(this.#tally.lagUs, load),
      subscribers:
        identities === undefined
          ? undefined
          : { seen: identities.count, targets: identities.targets },
      problems: { total: this.#problems.total, first: this.#problems.first },
    };
  }
}

function laneOf(group: Group): Lane {
  group.next += 1;
  return group.lanes[group.next % group.lanes.length]!;
}

/** Returns what measures this process from now on. */
function startLoad(): () => { cpuPercent: number; eventLoopUtilization: number } {
  const cpu = process.cpuUsage();
  const startedAt = performance.now();
  const loop = performance.eventLoopUtilization();
  return () => {
    const { user, system } = process.cpuUsage(cpu);
    return {
      cpuPercent: (user + system) / 10 / Math.max(1, performance.now() - startedAt),
      eventLoopUtilization: performance.eventLoopUtilization(loop).utilization,
    };
  };
}

function freshRun(): string {
  const chance = Math.floor(Math.random() * 36 ** 3);
  return `${Date.now().toString(36)}${chance.toString(36).padStart(3, '0')}`;
}

function topText(message: Buffer, key: number): string {
  const avp = messageAvps(message)?.find((each) => avpKey(each) === key);
  return avp === undefined ? 'gateway.invalid' : text(message, avp);
}
