/**
 * The loop around `stepEvent`: a one-time event is decided and committed under its own key, so that
 * whichever worker gets a copy of it, however late, gives the stored answer again and moves nothing
 * (RFC 8506 6.5).
 *
 *   enquiry -> read -> step -> answer
 *   debit, refund -> bind -> step -> nothing to store: was it booked before? its answer, or ours
 *                                 -> a change: commit -> committed: answer
 *                                                     -> duplicate: the stored answer, if it is the
 *                                                        same event
 *                                                     -> conflict, insufficient: bind, step again
 *                                                     -> moved:     bind to the new account, again
 *                                                     -> unknown:   the same commit again
 *
 * An event is bound to its account as a session is, under a key that no session has: one that uses a
 * session's Session-Id leaves that session alone. The binding lives as long as the answer, from the
 * last copy on. It is prolonged together with the commit, not after it: what was charged must be found
 * although the worker dies and the subscriber moves.
 */
import { randomBytes } from 'node:crypto';
import type { AccountRef } from '../charging/account.ts';
import {
  type EventChange,
  type EventDecision,
  type EventEffect,
  type EventRequest,
  eventDigest,
  eventKey,
  stepEvent,
} from '../charging/event.ts';
import { debitKeyOf, NONCE_BYTES, refundInformationOf } from '../charging/refund.ts';
import { decodeEffect, encodeEffect } from '../store/event-codec.ts';
import { type Commit, type CommitReply, CounterOutOfRange, type Snapshot } from '../store/store.ts';
import type { Calls } from './calls.ts';
import type { Charged, ChargeOptions, IncomingEvent } from './charge.ts';
import { plainly } from './decide.ts';
import { UNOPENED_BINDING_MS } from './search.ts';
import { accountOf, type Found, isOn } from './subscribers.ts';

/** How much longer than its answer an event's binding lives: no commit takes that long. */
const BINDING_MARGIN_MS = 600_000;

type Tried =
  | Charged
  /** Something else came first: decide on what is there now. */
  | { kind: 'again' }
  /** The subscriber is no longer on the account that the event is bound to. */
  | { kind: 'moved' };

/** One event of a tenant while it is being decided. */
export class EventAttempt {
  readonly #options: ChargeOptions;
  readonly #incoming: IncomingEvent;
  readonly #calls: Calls;
  readonly #tenant: string;
  readonly #request: EventRequest;
  readonly #key: string;
  readonly #digest: number;
  /** With a refund that proves its debit: that debit's key. */
  readonly #debitKey: string | undefined;

  constructor(
    options: ChargeOptions,
    of: { incoming: IncomingEvent; calls: Calls; tenant: string },
  ) {
    this.#options = options;
    this.#incoming = of.incoming;
    this.#calls = of.calls;
    this.#tenant = of.tenant;
    this.#request = of.incoming.translate(of.tenant, options.store.now());
    this.#digest = eventDigest(this.#request);
    const key = eventKey(this.#request);
    // A client that reuses its numbers means another event by other contents.
    this.#key = this.#request.looseNumbering ? `${key}\n${this.#digest}` : key;
    const { action, refundInformation } = this.#request;
    if (action === 'refund' && refundInformation !== undefined)
      this.#debitKey = debitKeyOf(refundInformation);
  }

  /** Decides, stores and answers. */
  charge(): Promise<Charged> {
    const { action } = this.#request;
    return action === 'debit' || action === 'refund' ? this.#book() : this.#enquire();
  }

  /** Looks at the account of the subscriber and leaves nothing behind. */
  async #enquire(): Promise<Charged> {
    for (let tries = 0; tries < 2; tries++) {
      const found = await this.#find();
      if (found === undefined) break;
      const ref = { tenant: this.#tenant, account: found.account };
      const decision = this.#step(ref, await this.#read(ref), { fresh: true });
      if (decision !== undefined) {
        if (decision.kind !== 'answer') throw new Error('an enquiry wants to change something');
        return { kind: 'answered', answer: decision.answer, tenant: this.#tenant };
      }
      // The pointer was an old one: once more, with the one that the store has.
      this.#forget(ref);
    }
    return plainly('user-unknown', this.#tenant);
  }

  /** Binds the event to an account and books it there. */
  async #book(): Promise<Charged> {
    const { store } = this.#options;
    while (this.#calls.left > 0) {
      const home = await this.#home();
      const bound = await this.#bind(home);
      if (bound === undefined) break;
      if (bound.ref.tenant !== this.#tenant) return plainly('contradiction', this.#tenant);
      const tried = await this.#try(bound.ref, bound.ahead);
      if (tried.kind === 'again') continue;
      if (tried.kind !== 'moved') return tried;
      this.#forget(bound.ref);
      const found = await this.#find();
      if (found === undefined || found.account === bound.ref.account) break;
      const to = { tenant: this.#tenant, account: found.account };
      await this.#calls.one(() => store.moveBinding(this.#key, bound.ref, to, UNOPENED_BINDING_MS));
    }
    if (this.#calls.left <= 0) return { kind: 'busy' };
    // Nobody's subscriber, or a debit that nobody knows.
    return plainly(this.#proves ? 'service-denied' : 'user-unknown', this.#tenant);
  }

  get #proves(): boolean {
    return this.#request.refundInformation !== undefined && this.#request.action === 'refund';
  }

  /** The account that the event belongs to, unless it is bound: its subscriber's or its debit's. */
  async #home(): Promise<AccountRef | undefined> {
    if (!this.#proves) {
      const found = await this.#find();
      return found && { tenant: this.#tenant, account: found.account };
    }
    const debit = this.#debitKey;
    if (debit === undefined) return undefined;
    const binding = await this.#calls.one(() => this.#options.store.bindingOf(debit));
    return binding?.tenant === this.#tenant ? binding : undefined;
  }

  /** Where the event is bound to by now; what is not known of its home is read with the binding. */
  async #bind(
    home: AccountRef | undefined,
  ): Promise<{ ref: AccountRef; ahead: Snapshot | undefined } | undefined> {
    const { store, knowledge } = this.#options;
    if (home === undefined) {
      const held = await this.#calls.one(() => store.bindingOf(this.#key));
      return held && { ref: { tenant: held.tenant, account: held.account }, ahead: undefined };
    }
    const isKnown = knowledge.account(home) !== undefined;
    const [{ tenant, account }, ahead] = await this.#calls.both(
      () => store.bind(this.#key, home, UNOPENED_BINDING_MS),
      isKnown ? undefined : () => this.#load(home),
    );
    return { ref: { tenant, account }, ahead: account === home.account ? ahead : undefined };
  }

  /** Decides on the account once, and commits what is decided. */
  async #try(ref: AccountRef, ahead: Snapshot | undefined): Promise<Tried> {
    const hint = ahead === undefined ? this.#options.knowledge.account(ref) : undefined;
    let known: Known = hint ?? ahead ?? (await this.#read(ref));
    const former = await this.#former(ref, known);
    let decision = this.#step(ref, known, { fresh: hint === undefined, former });
    if (hint !== undefined && decision?.kind !== 'change') {
      known = await this.#read(ref);
      decision = this.#step(ref, known, { fresh: true, former });
    }
    if (decision?.kind === 'change') return this.#commit(ref, { known, decision });
    // It may have been booked when there was more, or under another plan.
    const stored = await this.#stored(ref, { known, key: this.#key });
    if (stored !== undefined) return this.#repeated(ref, stored);
    if (decision === undefined) return { kind: 'moved' };
    if (decision.kind === 'reread') throw new Error('a fresh decision asks for another read');
    return { kind: 'answered', answer: decision.answer, tenant: this.#tenant };
  }

  /** Undefined: the account is none of the subscriber's, and has no say. */
  #step(
    ref: AccountRef,
    { account }: Known,
    { fresh, former }: { fresh: boolean; former?: EventEffect | undefined },
  ): EventDecision | undefined {
    const { store, nonce = () => randomBytes(NONCE_BYTES) } = this.#options;
    const { subscriber } = this.#request;
    if (account === undefined) return undefined;
    if (!this.#proves && (subscriber === undefined || !isOn(account, subscriber))) return undefined;
    return stepEvent(this.#request, {
      now: store.now(),
      account,
      plan: this.#incoming.plans.planOf(ref.tenant, account.definition.plan),
      fresh,
      proof: refundInformationOf(this.#key, nonce()),
      ...(former === undefined ? {} : { former }),
    });
  }

  async #commit(
    account: AccountRef,
    { known, decision }: { known: Known; decision: EventChange },
  ): Promise<Tried> {
    const { knowledge, settings, events } = this.#options;
    const { answer, movements, record, taken } = decision;
    const { subscriber } = this.#request;
    const effect = { by: this.#key, digest: this.#digest, at: record.at, answer, taken };
    const commit: Commit = {
      ...conditions(account, known),
      ...(subscriber === undefined || this.#proves ? {} : { subscriber }),
      notAfter: record.at + Math.ceil(this.#calls.left),
      event: {
        key: this.#key,
        answer: encodeEffect(effect),
        ttlMs: settings.eventHorizonMs,
        ...(this.#debitKey === undefined ? {} : { spends: spentKey(this.#debitKey) }),
      },
      movements,
      record,
    };
    const [reply] = await this.#calls.both(
      () => this.#send(commit),
      () => this.#keep(account),
    );
    switch (reply.kind) {
      case 'committed':
        knowledge.learnCounters(account, reply.counters);
        return { kind: 'answered', answer, tenant: this.#tenant };
      case 'duplicate':
        return this.#repeated(account, decodeEffect(reply.stored));
      case 'conflict':
        events.conflict();
        knowledge.learn(account, undefined, reply.snapshot);
        return { kind: 'again' };
      case 'insufficient':
      case 'out-of-range':
      case 'stale-epoch':
        knowledge.forgetAccount(account);
        return { kind: 'again' };
      case 'moved':
        return { kind: 'moved' };
      case 'late':
        return { kind: 'busy' };
    }
  }

  /** The event, or the debit that it would hand back, was booked before. */
  async #repeated(ref: AccountRef, { by, digest, answer }: EventEffect): Promise<Charged> {
    const { events } = this.#options;
    // Somebody else was given the debit back.
    if (by !== this.#key) return plainly('service-denied', this.#tenant);
    if (digest !== this.#digest) {
      events.alarm('number-reused', { tenant: this.#tenant, number: this.#request.number });
      return plainly('contradiction', this.#tenant);
    }
    await this.#calls.one(() => this.#keep(ref));
    return { kind: 'answered', answer, tenant: this.#tenant };
  }

  /** The debit that a refund is to hand back, as its key keeps it. */
  async #former(ref: AccountRef, known: Known): Promise<EventEffect | undefined> {
    if (this.#debitKey === undefined) return undefined;
    return this.#stored(ref, { known, key: this.#debitKey });
  }

  /**
   * What an event's key keeps. A commit whose time was over long ago says so and does nothing else:
   * a key that exists is its first reply.
   */
  async #stored(
    account: AccountRef,
    { known, key }: { known: Known; key: string },
  ): Promise<EventEffect | undefined> {
    const at = this.#options.store.now();
    const reply = await this.#calls.one(() =>
      this.#send({
        ...conditions(account, known),
        notAfter: 0,
        event: { key, answer: new Uint8Array(), ttlMs: 1 },
        movements: [],
        record: { kind: 'debit', at, account, outcome: '', services: [], changes: [] },
      }),
    );
    return reply.kind === 'duplicate' ? decodeEffect(reply.stored) : undefined;
  }

  async #send(commit: Commit): Promise<CommitReply | { kind: 'out-of-range' }> {
    try {
      return await this.#options.store.commit(commit);
    } catch (error) {
      // What was decided fits the counters that were seen, so these have moved.
      if (error instanceof CounterOutOfRange) return { kind: 'out-of-range' };
      throw error;
    }
  }

  #keep(ref: AccountRef): Promise<void> {
    const { store, settings } = this.#options;
    return store.keepBinding(this.#key, ref, settings.eventHorizonMs + BINDING_MARGIN_MS);
  }

  async #find(): Promise<Found | undefined> {
    const { subscribers } = this.#incoming;
    const found = await accountOf(this.#options, this.#calls, {
      tenant: this.#tenant,
      subscribers,
    });
    if (found !== undefined) this.#request.subscriber = found.subscriber;
    return found;
  }

  #read(ref: AccountRef): Promise<Snapshot> {
    return this.#calls.one(() => this.#load(ref));
  }

  async #load(ref: AccountRef): Promise<Snapshot> {
    const snapshot = await this.#options.store.load(ref);
    this.#options.knowledge.learn(ref, undefined, snapshot);
    return snapshot;
  }

  /** What led here was wrong. */
  #forget(ref: AccountRef): void {
    const { knowledge } = this.#options;
    for (const subscriber of this.#incoming.subscribers)
      knowledge.forgetPointer(ref.tenant, subscriber);
    knowledge.forgetAccount(ref);
  }
}

/** What a decision was made on. */
type Known = Pick<Snapshot, 'epoch' | 'account'>;

function conditions(account: AccountRef, known: Known) {
  return { account, epoch: known.epoch, accountVersion: known.account?.version ?? 0 };
}

/** What a debit that was handed back is known by, whoever asked for it. */
function spentKey(debitKey: string): string {
  return `${debitKey}\nrefund`;
}
