/**
 * Where a session lives: on the account that its Session-Id was bound to when it was opened, and
 * never anywhere else, whoever its subscriber is by now. An initial request is bound to the account
 * that its subscriber points to.
 */
import type { AccountRef } from '../charging/account.ts';
import { sessionKey } from '../charging/request.ts';
import type { Binding, Snapshot } from '../store/store.ts';
import type { Calls } from './calls.ts';
import type { Charged, ChargeOptions, Incoming } from './charge.ts';
import { plainly, SessionDecision } from './decide.ts';
import { accountOf } from './subscribers.ts';

/** How long a binding lives that nothing was stored under: it must be less than a tombstone. */
export const UNOPENED_BINDING_MS = 600_000;

/** Finds the session of one request, and has the request decided there. */
export class SessionSearch {
  readonly #options: ChargeOptions;
  readonly #incoming: Incoming;
  readonly #calls: Calls;
  readonly #key: string;
  readonly #decision: SessionDecision;

  constructor(options: ChargeOptions, incoming: Incoming, calls: Calls) {
    this.#options = options;
    this.#incoming = incoming;
    this.#calls = calls;
    this.#key = sessionKey(incoming);
    this.#decision = new SessionDecision(options, { incoming, calls, key: this.#key });
  }

  /** Finds the session, and charges the request where it lives. */
  charge(): Promise<Charged> {
    const { knowledge } = this.#options;
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
    return opens ? this.#start() : this.#seek();
  }

  /** Finds a session that this worker has not seen. */
  async #seek(): Promise<Charged> {
    const { store, knowledge } = this.#options;
    const guess = this.#guess();
    const [binding, ahead] = await this.#calls.both(
      () => store.bindingOf(this.#key),
      // A subscriber's session is most likely on the subscriber's account: one round trip less.
      guess === undefined ? undefined : () => store.load(guess, this.#key),
    );
    if (binding === undefined || !this.#maySee(binding.tenant)) return plainly('unknown-session');
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
    while (this.#calls.left > 0) {
      const decided = await this.#decision.make(ref, with_);
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
    const { store, knowledge } = this.#options;
    const { tenant } = this.#incoming;
    if (tenant === undefined || !this.#incoming.mayServe(tenant))
      return plainly('user-unknown', tenant);
    while (this.#calls.left > 0) {
      const account = await this.#accountOf(tenant);
      if (account === undefined) return plainly('user-unknown', tenant);
      const to: AccountRef = { tenant, account };
      const bind = (): Promise<Binding> => store.bind(this.#key, to, UNOPENED_BINDING_MS);
      const load = (): Promise<Snapshot> => store.load(to, this.#key);
      // What is not known of the account is read in the same round trip.
      const isKnown = knowledge.account(to) !== undefined;
      const [bound, ahead] = await this.#calls.both(bind, isKnown ? undefined : load);
      if (ahead !== undefined) knowledge.learn(to, this.#key, ahead);
      if (bound.tenant !== tenant) return plainly('contradiction', tenant);
      const ref = { tenant, account: bound.account };
      if (bound.state === 'opened') return this.#follow(ref, { closedIfGone: true });
      const here = bound.account === account ? ahead : undefined;
      const seen = knowledge.account(ref);
      const decided = await this.#decision.make(ref, {
        hint: here ?? (seen && { epoch: seen.epoch, account: seen.account, session: undefined }),
        fresh: here !== undefined,
      });
      if (decided.kind === 'elsewhere') {
        const { account: moved } = decided;
        // Whoever bound it to the new account may not have come to the end of it.
        await this.#calls.one(() => store.moveBinding(this.#key, ref, moved, UNOPENED_BINDING_MS));
        continue;
      }
      if (decided.kind !== 'moved') return decided;
      if (!(await this.#rebind(ref))) return plainly('user-unknown', tenant);
    }
    return { kind: 'busy' };
  }

  /** The account of the request's subscriber; remembers which of them it is. */
  async #accountOf(tenant: string): Promise<string | undefined> {
    const { subscribers } = this.#incoming;
    const found = await accountOf(this.#options, this.#calls, { tenant, subscribers });
    if (found !== undefined) this.#decision.subscriber = found.subscriber;
    return found?.account;
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
    await this.#calls.one(() => store.moveBinding(this.#key, from, to, UNOPENED_BINDING_MS));
    return true;
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
}
