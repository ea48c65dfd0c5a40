/**
 * The loop around `step`: load, step, commit, answer.
 *
 *   request -> where does its session live?  (hint, binding, or subscriber and a new binding)
 *           -> step on what is known         -> nothing to store:      answer, if freshly read
 *                                            -> would refuse a hint:   read, step again
 *                                            -> a change: commit -> committed:    answer
 *                                                                -> conflict:     step on theirs
 *                                                                -> insufficient: read, step again
 *                                                                -> moved:        rebind, again
 *                                                                -> out of range: read, step again
 *                                                                -> unknown:      the same commit again
 *
 * No answer leaves before its effect is stored. The loop is bounded by the request's deadline;
 * past it the request is answered as too busy, and its duplicate finds whatever was stored.
 */
import type { Account, AccountRef } from '../charging/account.ts';
import type { Answer } from '../charging/answer.ts';
import type { Change, StepSettings } from '../charging/decision.ts';
import type { Plan } from '../charging/plan.ts';
import { type Request, type SubscriberId, sessionKey } from '../charging/request.ts';
import type { Session } from '../charging/session.ts';
import { step } from '../charging/step.ts';
import { LONGEST_SLEEP_MS } from '../charging/timer.ts';
import {
  type Binding,
  type Commit,
  type CommitReply,
  CounterOutOfRange,
  type Snapshot,
  type Store,
  StoreUnavailable,
} from '../store/store.ts';
import type { Knowledge } from './knowledge.ts';

/** After this many conflicts in a row usage is committed without a new reservation. */
const MAX_CONFLICTS = 3;
/** The same for commits that found too little in a bucket. */
const MAX_INSUFFICIENT = 2;
/** How long a binding lives that no session was opened under: it must be less than a tombstone. */
const UNOPENED_BINDING_MS = 600_000;
/** How much longer than its session's supervision a binding lives, beside the duplicate horizon. */
const BINDING_MARGIN_MS = 2 * LONGEST_SLEEP_MS;

/** The request as it is known before its tenant is: enough to find its session. */
export interface Incoming {
  kind: Request['kind'];
  sessionId: string;
  subSessionId?: string;
  /** Who it says it is for, in the order in which accounts are looked up. */
  subscribers: readonly SubscriberId[];
  /** The tenant that the routing rules give; undefined where only a session can tell. */
  tenant: string | undefined;
  /** Whether the peer may serve a tenant. */
  mayServe(tenant: string): boolean;
  /** The request in the words of the core, once its tenant is known. */
  translate(tenant: string): Request;
}

export type Charged =
  | { kind: 'answered'; answer: Answer; tenant?: string }
  /** The store could not be reached, or agreed with, before the deadline. */
  | { kind: 'busy' };

type Decided =
  | Charged
  /** The subscriber is no longer on the account that the Session-Id is bound to. */
  | { kind: 'moved' }
  /** The Session-Id was bound to another account meanwhile. */
  | { kind: 'elsewhere'; account: AccountRef };

export interface ChargeEvents {
  /** Something an operator must look at: a client that reuses numbers, figures cut to 2^53 - 1. */
  alarm(event: 'number-reused' | 'excess', fields: Record<string, unknown>): void;
  /** A commit met another that came first. */
  conflict(): void;
  /** Round trips to the store that one request took. */
  trips(kind: Request['kind'], count: number): void;
}

export interface ChargeSettings extends StepSettings {
  duplicateHorizonMs: number;
}

export interface ChargeOptions {
  store: Store;
  knowledge: Knowledge;
  plan(tenant: string, plan: string): Plan;
  settings: ChargeSettings;
  events: ChargeEvents;
  /** Monotonic milliseconds, the clock of deadlines. */
  clock(): number;
  /** Resolves after `ms`: the pause between attempts to reach a store that is away. */
  pause(ms: number): Promise<void>;
}

export class Charging {
  readonly #options: ChargeOptions;

  constructor(options: ChargeOptions) {
    this.#options = options;
  }

  /** Charges one request before `deadline`, in ms of the injected clock. Never throws for the store. */
  async charge(incoming: Incoming, deadline: number): Promise<Charged> {
    const attempt = new Attempt(this.#options, incoming, deadline);
    try {
      return await attempt.run();
    } catch (error) {
      if (error instanceof StoreUnavailable) return { kind: 'busy' };
      throw error;
    } finally {
      this.#options.events.trips(incoming.kind, attempt.trips);
    }
  }
}

/** Everything about one request while it is being charged. */
class Attempt {
  trips = 0;
  readonly #options: ChargeOptions;
  readonly #incoming: Incoming;
  readonly #deadline: number;
  readonly #key: string;
  #conflicts = 0;
  #insufficient = 0;
  #subscriber: SubscriberId | undefined;

  constructor(options: ChargeOptions, incoming: Incoming, deadline: number) {
    this.#options = options;
    this.#incoming = incoming;
    this.#deadline = deadline;
    this.#key = sessionKey(incoming);
  }

  async run(): Promise<Charged> {
    const { store, knowledge } = this.#options;
    const opens = this.#incoming.kind === 'initial';
    const known = knowledge.session(this.#key);
    if (known !== undefined && this.#maySee(known.account.tenant)) {
      const account = knowledge.account(known.account);
      const hint =
        account === undefined
          ? undefined
          : { epoch: account.epoch, account: account.account, session: known.stored };
      // Where a session was seen, none is opened a second time.
      return this.#follow(known.account, { hint, closedIfGone: opens });
    }
    if (opens) return this.#start();
    const guess = this.#guess();
    const [binding, ahead] = await this.#callBoth(
      () => store.bindingOf(this.#key),
      // A subscriber's session is most likely on the subscriber's account: one round trip less.
      guess === undefined ? undefined : () => store.load(guess, this.#key),
    );
    if (binding === undefined || !this.#maySee(binding.tenant)) return this.#unknownSession();
    const ref = { tenant: binding.tenant, account: binding.account };
    const right = ref.tenant === guess?.tenant && ref.account === guess.account;
    if (!right || ahead?.session === undefined) return this.#follow(ref, {});
    knowledge.learn(ref, this.#key, ahead);
    return this.#follow(ref, { hint: ahead, fresh: true });
  }

  /** The account of the request's subscriber, as far as this worker knows it without asking. */
  #guess(): AccountRef | undefined {
    const { tenant, subscribers } = this.#incoming;
    if (tenant === undefined) return undefined;
    for (const subscriber of subscribers) {
      const account = this.#options.knowledge.pointer(tenant, subscriber);
      if (account !== undefined) return { tenant, account };
    }
    return undefined;
  }

  /** Decides where the session lives, wherever it is found to live. */
  async #follow(
    start: AccountRef,
    first: { hint?: Snapshot | undefined; fresh?: boolean; closedIfGone?: boolean },
  ): Promise<Charged> {
    let ref = start;
    let with_ = first;
    while (this.#options.clock() < this.#deadline) {
      const decided = await this.#decide(ref, with_);
      // Only an initial request meets a subscriber who moved; its copy finds the new account.
      if (decided.kind === 'moved') return { kind: 'busy' };
      if (decided.kind !== 'elsewhere') return decided;
      ref = decided.account;
      with_ = {};
    }
    return { kind: 'busy' };
  }

  /** Finds the account of an initial request and binds the Session-Id to it. */
  async #start(): Promise<Charged> {
    const { store, knowledge, clock } = this.#options;
    const { tenant } = this.#incoming;
    if (tenant === undefined || !this.#incoming.mayServe(tenant)) return this.#userUnknown(tenant);
    while (clock() < this.#deadline) {
      const account = await this.#accountOf(tenant);
      if (account === undefined) return this.#userUnknown(tenant);
      const to: AccountRef = { tenant, account };
      const bind = (): Promise<Binding> => store.bind(this.#key, to, UNOPENED_BINDING_MS);
      const load = (): Promise<Snapshot> => store.load(to, this.#key);
      // What is not known of the account is read in the same round trip.
      const isKnown = knowledge.account(to) !== undefined;
      const [bound, ahead] = await this.#callBoth(bind, isKnown ? undefined : load);
      if (ahead !== undefined) knowledge.learn(to, this.#key, ahead);
      if (bound.tenant !== tenant) return this.#contradiction(tenant);
      const ref = { tenant, account: bound.account };
      if (bound.state === 'opened') return this.#follow(ref, { closedIfGone: true });
      const here = bound.account === account ? ahead : undefined;
      const seen = knowledge.account(ref);
      const decided = await this.#decide(ref, {
        hint: here ?? (seen && { epoch: seen.epoch, account: seen.account, session: undefined }),
        fresh: here !== undefined,
      });
      if (decided.kind === 'elsewhere') {
        const { account: moved } = decided;
        // Whoever bound it to the new account may not have come to the end of it.
        await this.#call(() => store.moveBinding(this.#key, ref, moved, UNOPENED_BINDING_MS));
        continue;
      }
      if (decided.kind !== 'moved') return decided;
      if (!(await this.#rebind(ref))) return this.#userUnknown(tenant);
    }
    return { kind: 'busy' };
  }

  /** The account that one of the request's subscribers points to; remembers which of them. */
  async #accountOf(tenant: string): Promise<string | undefined> {
    const { store, knowledge } = this.#options;
    for (const subscriber of this.#incoming.subscribers) {
      const known = knowledge.pointer(tenant, subscriber);
      const account = known ?? (await this.#call(() => store.accountOf(tenant, subscriber)));
      if (account === undefined) continue;
      if (known === undefined) knowledge.learnPointer(tenant, subscriber, account);
      this.#subscriber = subscriber;
      return account;
    }
    return undefined;
  }

  /**
   * The subscriber left the account that the Session-Id is bound to: binds it to the new one. False:
   * the subscriber still points to where it no longer is, so it is nobody's.
   */
  async #rebind(from: AccountRef): Promise<boolean> {
    const { store, knowledge } = this.#options;
    const { tenant } = from;
    for (const subscriber of this.#incoming.subscribers)
      knowledge.forgetPointer(tenant, subscriber);
    knowledge.forgetAccount(from);
    const account = await this.#accountOf(tenant);
    if (account === undefined || account === from.account) return false;
    const to = { tenant, account };
    await this.#call(() => store.moveBinding(this.#key, from, to, UNOPENED_BINDING_MS));
    return true;
  }

  /** Steps on what is known until something is stored, or nothing needs to be. */
  async #decide(
    ref: AccountRef,
    known: { hint?: Snapshot | undefined; fresh?: boolean; closedIfGone?: boolean },
  ): Promise<Decided> {
    const { store, knowledge, settings, events } = this.#options;
    const request = this.#incoming.translate(ref.tenant);
    if (this.#subscriber !== undefined) request.subscriber = this.#subscriber;
    const { closedIfGone = false } = known;
    let { hint: snapshot, fresh = false } = known;
    while (this.#options.clock() < this.#deadline) {
      if (snapshot === undefined) {
        snapshot = await this.#read(ref);
        fresh = true;
      }
      const { account, session } = snapshot;
      if (account === undefined) return this.#userUnknown(ref.tenant);
      if (session === undefined && closedIfGone) return this.#contradiction(ref.tenant);
      if (session !== undefined && session.session.account.account !== ref.account) {
        knowledge.forgetSession(this.#key);
        return { kind: 'elsewhere', account: session.session.account };
      }
      const plan = this.#options.plan(ref.tenant, account.definition.plan);
      const short = this.#insufficient >= MAX_INSUFFICIENT;
      const decision = step(request, {
        now: store.now(),
        session: session?.session,
        account,
        plan,
        fresh,
        reserving: this.#conflicts < MAX_CONFLICTS && !short,
        lastOnly: short,
        settings,
      });
      if (decision.kind === 'reread') {
        snapshot = undefined;
        continue;
      }
      if (decision.kind === 'answer') {
        // No commit makes a stale hint harmless here.
        if (!fresh) {
          snapshot = undefined;
          continue;
        }
        // What an account says to a subscriber who left it is no answer.
        if (session === undefined && !this.#isOn(account, request)) return { kind: 'moved' };
        // Whoever opened it may not have lived to keep the binding, or to know that it was opened.
        if (session !== undefined && request.kind === 'initial')
          void this.#keepBinding(ref, this.#bindingMs(session.session));
        if (decision.alarm !== undefined)
          events.alarm(decision.alarm, { tenant: ref.tenant, number: request.number });
        return { kind: 'answered', answer: decision.answer, tenant: ref.tenant };
      }
      const commit = this.#commitOf(ref, { snapshot, decision, request });
      const reply = await this.#commit(commit);
      switch (reply.kind) {
        case 'committed':
          this.#remember(ref, decision, reply);
          if (decision.record.services.some((service) => service.excess))
            events.alarm('excess', { tenant: ref.tenant, record: reply.recordId });
          return { kind: 'answered', answer: decision.answer, tenant: ref.tenant };
        case 'conflict':
          // A stale hint is no crowd: only what beat a fresh decision counts.
          if (fresh) this.#conflicts++;
          events.conflict();
          snapshot = reply.snapshot;
          fresh = true;
          knowledge.learn(ref, this.#key, snapshot);
          break;
        case 'insufficient':
          this.#insufficient++;
          snapshot = undefined;
          break;
        case 'out-of-range':
          snapshot = undefined;
          break;
        case 'stale-epoch':
          knowledge.forgetSession(this.#key);
          knowledge.forgetAccount(ref);
          snapshot = undefined;
          break;
        case 'moved':
          return { kind: 'moved' };
        case 'late':
          return { kind: 'busy' };
        case 'duplicate':
          throw new Error('a session commit carries no event or idempotency key');
      }
    }
    return { kind: 'busy' };
  }

  async #read(ref: AccountRef): Promise<Snapshot> {
    const { store, knowledge } = this.#options;
    const snapshot = await this.#call(() => store.load(ref, this.#key));
    knowledge.learn(ref, this.#key, snapshot);
    const listed = snapshot.account?.definition.subscribers;
    for (const subscriber of this.#incoming.subscribers) {
      if (listed?.includes(`${subscriber.kind}:${subscriber.id}`))
        knowledge.learnPointer(ref.tenant, subscriber, ref.account);
    }
    return snapshot;
  }

  #commitOf(
    account: AccountRef,
    on: { snapshot: Snapshot; decision: Change; request: Request },
  ): Commit {
    const { snapshot, decision, request } = on;
    const now = decision.record.at;
    const opens = decision.index === 'open';
    return {
      account,
      epoch: snapshot.epoch,
      accountVersion: snapshot.account?.version ?? 0,
      ...(opens && request.subscriber !== undefined ? { subscriber: request.subscriber } : {}),
      ...(opens ? { notAfter: now + Math.ceil(this.#deadline - this.#options.clock()) } : {}),
      session: {
        key: this.#key,
        expected: snapshot.session?.version ?? 0,
        value: decision.session,
        index: decision.index,
        timer: decision.timer,
        ...(decision.ttlMs === 'keep' ? { keepTtl: true } : {}),
        ...(typeof decision.ttlMs === 'number' ? { ttlMs: decision.ttlMs } : {}),
      },
      movements: decision.movements,
      record: decision.record,
    };
  }

  /**
   * Sends a commit; where its outcome is unknown, sends the same one again: if it had been applied
   * the conflict brings back the session, and `step` finds the answer there.
   */
  async #commit(commit: Commit): Promise<CommitReply | { kind: 'out-of-range' }> {
    try {
      return await this.#call(() => this.#options.store.commit(commit));
    } catch (error) {
      // What was decided fits the counters that were seen, so these have moved.
      if (error instanceof CounterOutOfRange) return { kind: 'out-of-range' };
      throw error;
    }
  }

  /** Two calls in one round trip; the second may be left out. */
  async #callBoth<First, Second>(
    first: () => Promise<First>,
    second: (() => Promise<Second>) | undefined,
  ): Promise<[First, Second | undefined]> {
    if (second === undefined) return [await this.#call(first), undefined];
    const ahead = this.#call(second);
    this.trips--;
    return Promise.all([this.#call(first), ahead]);
  }

  /** Calls the store until it replies or the deadline comes; every call here may be repeated. */
  async #call<Reply>(send: () => Promise<Reply>): Promise<Reply> {
    const { clock, pause } = this.#options;
    let wait = 5;
    for (;;) {
      this.trips++;
      try {
        return await send();
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || clock() + wait >= this.#deadline) throw error;
      }
      await pause(wait);
      wait = Math.min(wait * 2, 100);
    }
  }

  #remember(ref: AccountRef, decision: Change, reply: CommitReply & { kind: 'committed' }): void {
    const { knowledge, settings } = this.#options;
    knowledge.learnCommitted(ref, this.#key, {
      stored: { version: reply.version, lastRecord: reply.recordId, session: decision.session },
      counters: reply.counters,
    });
    if (decision.index === 'keep') return;
    const ttlMs =
      decision.index === 'open'
        ? this.#bindingMs(decision.session)
        : Math.max(settings.duplicateHorizonMs, Number(decision.ttlMs));
    void this.#keepBinding(ref, ttlMs);
  }

  #bindingMs(session: Session): number {
    const { store, settings } = this.#options;
    return bindingMs(session, store.now(), settings.duplicateHorizonMs);
  }

  /**
   * Nobody waits for it, so it is no round trip. Lost for good, as when the worker dies, it is made
   * good by the session's first wake-up.
   */
  async #keepBinding(ref: AccountRef, ttlMs: number): Promise<void> {
    const { store, clock, pause } = this.#options;
    for (let wait = 5; clock() < this.#deadline; wait *= 2) {
      try {
        return await store.keepBinding(this.#key, ref, ttlMs);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) return;
      }
      await pause(wait);
    }
  }

  /**
   * Whether a session of `tenant` is the request's to see. Where it belongs was decided when it was
   * opened: later requests need not say again what routed it (RFC 8506 5.3).
   */
  #maySee(tenant: string): boolean {
    const { kind, tenant: routed } = this.#incoming;
    if (!this.#incoming.mayServe(tenant)) return false;
    return kind !== 'initial' || routed === tenant;
  }

  /** Whether the account has the subscriber that an initial request would open a session for. */
  #isOn({ definition }: Account, { kind, subscriber }: Request): boolean {
    if (kind !== 'initial' || subscriber === undefined) return true;
    return definition.subscribers.includes(`${subscriber.kind}:${subscriber.id}`);
  }

  #unknownSession(): Charged {
    return this.#plainly('unknown-session');
  }

  #userUnknown(tenant: string | undefined): Charged {
    return this.#plainly('user-unknown', tenant);
  }

  #contradiction(tenant: string): Charged {
    return this.#plainly('contradiction', tenant);
  }

  #plainly(outcome: Answer['outcome'], tenant?: string): Charged {
    const answer: Answer = { outcome, level: 'command', services: [] };
    return { kind: 'answered', answer, ...(tenant === undefined ? {} : { tenant }) };
  }
}

/** How long the binding of an open session must live from `now` if no wake-up ever renews it. */
export function bindingMs(
  session: { superviseAt: number },
  now: number,
  duplicateHorizonMs: number,
): number {
  return Math.max(0, session.superviseAt - now) + duplicateHorizonMs + BINDING_MARGIN_MS;
}
