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
 *
 * `search.ts` finds where the session lives, `decide.ts` decides and commits there; `event.ts` does
 * both for one-time events.
 */
import type { Answer } from '../charging/answer.ts';
import type { StepSettings } from '../charging/decision.ts';
import type { EventRequest } from '../charging/event.ts';
import type { Plan } from '../charging/plan.ts';
import type { Request, SubscriberId } from '../charging/request.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import { type CallOptions, Calls } from './calls.ts';
import { plainly } from './decide.ts';
import { EventAttempt } from './event.ts';
import type { Knowledge } from './knowledge.ts';
import { SessionSearch } from './search.ts';

/**
 * Plans of one configuration, which never changes: a request that holds it is decided by nothing
 * newer and nothing older, from start to end.
 */
export interface Plans {
  planOf(tenant: string, plan: string): Plan;
}

/** The request as it is known before its tenant is: enough to find its session. */
export interface Incoming {
  kind: Request['kind'];
  sessionId: string;
  subSessionId?: string | undefined;
  /** Who it says it is for, in the order in which accounts are looked up. */
  subscribers: readonly SubscriberId[];
  /** The tenant that the routing rules give; undefined where only a session can tell. */
  tenant: string | undefined;
  /** Whether the peer may serve a tenant. */
  mayServe(tenant: string): boolean;
  /** Of the configuration that gave the request its tenant. */
  plans: Plans;
  /** The request in the words of the core, once its tenant is known; `now` is in store ms. */
  translate(tenant: string, now: number): Request;
}

/** A one-time event as it is known before it is translated. */
export interface IncomingEvent extends Omit<Incoming, 'kind' | 'translate'> {
  kind: 'event';
  translate(tenant: string, now: number): EventRequest;
}

export type Charged =
  | { kind: 'answered'; answer: Answer; tenant?: string }
  /** The store could not be reached, or agreed with, before the deadline. */
  | { kind: 'busy' };

export interface ChargeEvents {
  /** Something an operator must look at: a client that reuses numbers, figures that were cut. */
  alarm(
    event: 'number-reused' | 'excess' | 'unrated' | 'bad-answer',
    fields: Record<string, unknown>,
  ): void;
  /** A commit met another that came first. */
  conflict(): void;
  /** Round trips to the store that one request took. */
  trips(kind: Request['kind'] | 'event', count: number): void;
}

export interface ChargeSettings extends StepSettings {
  duplicateHorizonMs: number;
  /** How long a one-time event is recognised again, and may be refunded by its proof. */
  eventHorizonMs: number;
}

export interface ChargeOptions extends CallOptions {
  store: Store;
  knowledge: Knowledge;
  settings: ChargeSettings;
  events: ChargeEvents;
  /** Octets that nobody guesses, for Refund-Information; the system's own if absent. */
  nonce?(): Uint8Array;
}

export class Charging {
  readonly #options: ChargeOptions;

  constructor(options: ChargeOptions) {
    this.#options = options;
  }

  /** Charges one request before `deadline`, in ms of the injected clock. Never throws for the store. */
  async charge(incoming: Incoming | IncomingEvent, deadline: number): Promise<Charged> {
    const calls = new Calls(this.#options, deadline);
    try {
      return await this.#charge(incoming, calls);
    } catch (error) {
      if (error instanceof StoreUnavailable) return { kind: 'busy' };
      throw error;
    } finally {
      this.#options.events.trips(incoming.kind, calls.trips);
    }
  }

  #charge(incoming: Incoming | IncomingEvent, calls: Calls): Promise<Charged> {
    if (incoming.kind !== 'event')
      return new SessionSearch(this.#options, incoming, calls).charge();
    const { tenant } = incoming;
    if (tenant === undefined || !incoming.mayServe(tenant))
      return Promise.resolve(plainly('user-unknown', tenant));
    return new EventAttempt(this.#options, { incoming, calls, tenant }).charge();
  }
}
