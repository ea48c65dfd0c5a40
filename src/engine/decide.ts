/**
 * What is done where a session lives: step on what is known of it, commit what that decides, and
 * step again on what won wherever another commit came first.
 */
import type { Account, AccountRef } from '../charging/account.ts';
import type { Answer } from '../charging/answer.ts';
import type { Change, Decision } from '../charging/decision.ts';
import type { Request, SubscriberId } from '../charging/request.ts';
import type { Session } from '../charging/session.ts';
import { step } from '../charging/step.ts';
import { LONGEST_SLEEP_MS } from '../charging/timer.ts';
import {
  type Commit,
  type CommitReply,
  CounterOutOfRange,
  type Snapshot,
  type StoredSession,
  StoreUnavailable,
} from '../store/store.ts';
import type { Calls } from './calls.ts';
import type { Charged, ChargeOptions, Incoming } from './charge.ts';
import { isOn } from './subscribers.ts';

/** Termination-Cause of a client that could make nothing of our answer (RFC 6733 8.15). */
const BAD_ANSWER = 3;
/** After this many conflicts in a row usage is committed without a new reservation. */
const MAX_CONFLICTS = 3;
/** The same for commits that found too little in a bucket. */
const MAX_INSUFFICIENT = 2;
/** How much longer than its session's supervision a binding lives, beside the duplicate horizon. */
const BINDING_MARGIN_MS = 2 * LONGEST_SLEEP_MS;

export type Decided =
  | Charged
  /** The subscriber is no longer on the account that the Session-Id is bound to. */
  | { kind: 'moved' }
  /** The Session-Id was bound to another account meanwhile. */
  | { kind: 'elsewhere'; account: AccountRef };

/** One request while it is being decided; its conflicts count wherever the session is found. */
export class SessionDecision {
  /** Which of the request's subscribers its account was found by. */
  subscriber: SubscriberId | undefined;
  readonly #options: ChargeOptions;
  readonly #incoming: Incoming;
  readonly #calls: Calls;
  readonly #key: string;
  #conflicts = 0;
  #insufficient = 0;

  constructor(options: ChargeOptions, of: { incoming: Incoming; calls: Calls; key: string }) {
    this.#options = options;
    this.#incoming = of.incoming;
    this.#calls = of.calls;
    this.#key = of.key;
  }

  /** Steps on what is known until something is stored, or nothing needs to be. */
  async make(
    ref: AccountRef,
    known: { hint?: Snapshot | undefined; fresh?: boolean; closedIfGone?: boolean },
  ): Promise<Decided> {
    const { store, knowledge, settings } = this.#options;
    const request = this.#incoming.translate(ref.tenant, store.now());
    if (this.subscriber !== undefined) request.subscriber = this.subscriber;
    const { closedIfGone = false } = known;
    let { hint: snapshot, fresh = false } = known;
    while (this.#calls.left > 0) {
      if (snapshot === undefined) {
        snapshot = await this.#read(ref);
        fresh = true;
      }
      const { account, session } = snapshot;
      if (account === undefined) return plainly('user-unknown', ref.tenant);
      if (session === undefined && closedIfGone) return plainly('contradiction', ref.tenant);
      if (session !== undefined && session.session.account.account !== ref.account) {
        knowledge.forgetSession(this.#key);
        return { kind: 'elsewhere', account: session.session.account };
      }
      const plan = this.#incoming.plans.planOf(ref.tenant, account.definition.plan);
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
        if (fresh) return this.#answered(decision, { ref, request, account, session });
        // No commit makes a stale hint harmless here.
        snapshot = undefined;
        continue;
      }
      const reply = await this.#commit(this.#commitOf(ref, { snapshot, decision, request }));
      const next = this.#after(reply, { ref, decision, fresh });
      if (next.kind !== 'again') return next;
      snapshot = next.theirs;
      fresh = true;
    }
    return { kind: 'busy' };
  }

  /** There is nothing to store. */
  #answered(
    { answer, alarm }: Decision & { kind: 'answer' },
    on: {
      ref: AccountRef;
      request: Request;
      account: Account;
      session: StoredSession | undefined;
    },
  ): Decided {
    const { ref, request, account, session } = on;
    // What an account says to a subscriber who left it is no answer.
    if (session === undefined && !this.#isOn(account, request)) return { kind: 'moved' };
    // Whoever opened it may not have lived to keep the binding, or to know that it was opened.
    if (session !== undefined && request.kind === 'initial')
      void this.#keepBinding(ref, this.#bindingMs(session.session));
    if (alarm !== undefined)
      this.#options.events.alarm(alarm, { tenant: ref.tenant, number: request.number });
    return { kind: 'answered', answer, tenant: ref.tenant };
  }

  /** What a commit's reply leads to: an answer, or another decision on what is there now. */
  #after(
    reply: CommitReply | { kind: 'out-of-range' },
    { ref, decision, fresh }: { ref: AccountRef; decision: Change; fresh: boolean },
  ): Decided | { kind: 'again'; theirs: Snapshot | undefined } {
    const { knowledge, events } = this.#options;
    switch (reply.kind) {
      case 'committed':
        this.#remember(ref, decision, reply);
        for (const { excess, unrated } of decision.record.services) {
          const alarm = excess ? 'excess' : unrated && 'unrated';
          if (alarm) events.alarm(alarm, { tenant: ref.tenant, record: reply.recordId });
        }
        if (decision.record.terminationCause === BAD_ANSWER)
          events.alarm('bad-answer', { tenant: ref.tenant, record: reply.recordId });
        return { kind: 'answered', answer: decision.answer, tenant: ref.tenant };
      case 'conflict':
        // A stale hint is no crowd: only what beat a fresh decision counts.
        if (fresh) this.#conflicts++;
        events.conflict();
        knowledge.learn(ref, this.#key, reply.snapshot);
        return { kind: 'again', theirs: reply.snapshot };
      case 'insufficient':
        this.#insufficient++;
        return { kind: 'again', theirs: undefined };
      case 'out-of-range':
        return { kind: 'again', theirs: undefined };
      case 'stale-epoch':
        knowledge.forgetSession(this.#key);
        knowledge.forgetAccount(ref);
        return { kind: 'again', theirs: undefined };
      case 'moved':
        return { kind: 'moved' };
      case 'late':
        return { kind: 'busy' };
      case 'duplicate':
        throw new Error('a session commit carries no event or idempotency key');
    }
  }

  async #read(ref: AccountRef): Promise<Snapshot> {
    const { store, knowledge } = this.#options;
    const snapshot = await this.#calls.one(() => store.load(ref, this.#key));
    knowledge.learn(ref, this.#key, snapshot);
    const { account } = snapshot;
    if (account !== undefined)
      for (const subscriber of this.#incoming.subscribers)
        if (isOn(account, subscriber)) knowledge.learnPointer(ref.tenant, subscriber, ref.account);
    return snapshot;
  }

  #commitOf(
    account: AccountRef,
    on: { snapshot: Snapshot; decision: Change; request: Request },
  ): Commit {
    const { snapshot, decision, request } = on;
    const { session, index, timer, ttlMs } = decision;
    const under: NonNullable<Commit['session']> = {
      key: this.#key,
      expected: snapshot.session?.version ?? 0,
      value: session,
      index,
      timer,
    };
    if (ttlMs === 'keep') under.keepTtl = true;
    else if (ttlMs !== undefined) under.ttlMs = ttlMs;
    const commit: Commit = {
      account,
      epoch: snapshot.epoch,
      accountVersion: snapshot.account?.version ?? 0,
      session: under,
      movements: decision.movements,
      record: decision.record,
    };
    if (index === 'open') {
      if (request.subscriber !== undefined) commit.subscriber = request.subscriber;
      commit.notAfter = decision.record.at + Math.ceil(this.#calls.left);
    }
    return commit;
  }

  /**
   * Sends a commit; where its outcome is unknown, sends the same one again: if it had been applied
   * the conflict brings back the session, and `step` finds the answer there.
   */
  async #commit(commit: Commit): Promise<CommitReply | { kind: 'out-of-range' }> {
    try {
      return await this.#calls.one(() => this.#options.store.commit(commit));
    } catch (error) {
      // What was decided fits the counters that were seen, so these have moved.
      if (error instanceof CounterOutOfRange) return { kind: 'out-of-range' };
      throw error;
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
    const { store, pause } = this.#options;
    for (let wait = 5; this.#calls.left > 0; wait *= 2) {
      try {
        return await store.keepBinding(this.#key, ref, ttlMs);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) return;
      }
      await pause(wait);
    }
  }

  /** Whether the account has the subscriber that an initial request would open a session for. */
  #isOn(account: Account, { kind, subscriber }: Request): boolean {
    return kind !== 'initial' || subscriber === undefined || isOn(account, subscriber);
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

/** An answer that says no more than its outcome. */
export function plainly(outcome: Answer['outcome'], tenant?: string): Charged {
  const answer: Answer = { outcome, level: 'command', services: [] };
  return { kind: 'answered', answer, ...(tenant === undefined ? {} : { tenant }) };
}
