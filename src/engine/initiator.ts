/**
 * Sends the requests that sessions have pending to their clients, and decides on what comes back.
 *
 *   the session's timer -> ways to its client?  (connections here, workers that hold its peer)
 *                       -> attempt, committed: nobody else asks at the same time
 *                       -> a connection here: send      another worker: an errand to its inbox
 *   the answer          -> concluded, committed         none in time: the timer comes due again
 *
 * A client behind an agent is asked through the peer that its own requests came through. Whatever
 * gets lost on the way, a message, an answer or a worker, costs a delay: the timer is in the store.
 */
import { type Attempt, attempt, conclude, type Reply } from '../charging/initiate.ts';
import { MAX_ATTEMPTS, type Pending, wayOf } from '../charging/pending.ts';
import type { Session } from '../charging/session.ts';
import type { ASR, RAR } from '../diameter/commands.ts';
import type { Decoded } from '../diameter/decode.ts';
import { type Asker, replyOf, toASR, toRAR } from '../ro/initiated.ts';
import { StoreUnavailable } from '../store/store.ts';
import type { HeldPeers } from './held-peers.ts';
import { type Errand, postErrand, takeErrands } from './inbox.ts';
import {
  commitChange,
  keepClosed,
  type OpenSession,
  readOpen,
  type SessionChangeOptions,
} from './session-change.ts';

/** A connection to a peer, open and not in doubt. */
export interface Way {
  /** Sends once; resolves with the answer, or with why there is none. */
  request(
    command: 'RAR' | 'ASR',
    message: RAR | ASR,
    options: { timeoutMs: number; endToEnd: number; retransmitted: boolean },
  ): Promise<{ answer: Decoded } | { noAnswer: string }>;
}

export interface InitiatorEvents {
  /** A client answered, or did not (`why` instead of a Result-Code). */
  initiated(command: 'RAR' | 'ASR', outcome: number | string, ms: number): void;
  /** A client was asked as often as it is, and never answered. */
  alarm(event: 'client-silent', fields: Record<string, unknown>): void;
  failed(error: unknown): void;
}

export interface InitiatorOptions extends SessionChangeOptions {
  /** The name of this worker's inbox. */
  worker: string;
  asker: Asker;
  held: HeldPeers;
  /** Connections of this worker to a peer, always in the same order. */
  waysTo(host: string): readonly Way[];
  /** A fresh End-to-End Identifier (RFC 6733 3). */
  nextEndToEnd(): number;
  /** How long a client has to answer, in ms. */
  answerMs: number;
  clock(): number;
  events: InitiatorEvents;
}

/** Commits tried for one answer; the client is asked again if none goes through. */
const TRIES = 4;

/** Where an attempt goes: a connection of ours, or another worker's inbox. */
type Direction = { way: Way } | { worker: string };

export class Initiator {
  readonly #options: InitiatorOptions;
  readonly #underWay = new Set<Promise<void>>();

  constructor(options: InitiatorOptions) {
    this.#options = options;
  }

  /** Asks the client of a session whose timer says so; false: the session has moved on. */
  async attempt(open: OpenSession): Promise<boolean> {
    const { nextEndToEnd, answerMs, events } = this.#options;
    const directions = await this.#directions(open.session);
    const endToEnd = directions.length === 0 ? undefined : nextEndToEnd();
    const decided: Attempt | undefined = attempt(open.session, open.known, { endToEnd, answerMs });
    if (decided === undefined) return true;
    if (!(await commitChange(this.#options, open, decided.change))) return false;
    const { pending } = open.session;
    if (decided.gaveUp)
      events.alarm('client-silent', { wanted: pending?.kind, attempts: MAX_ATTEMPTS });
    if (decided.send !== undefined) await this.#go(open, decided.send, directions);
    return true;
  }

  /** Carries out what other workers left for this one; returns how much that was. */
  async passInbox(): Promise<number> {
    const { store, worker, events } = this.#options;
    try {
      return await takeErrands(store, worker, (errand) => this.#carryOut(errand));
    } catch (error) {
      events.failed(error);
      return 0;
    }
  }

  /** Resolves when every request that was sent has been decided on. */
  async settled(): Promise<void> {
    while (this.#underWay.size > 0) await Promise.all(this.#underWay);
  }

  /** The ways to a client, the nearest first: connections here, then workers that hold its peer. */
  async #directions(session: Session): Promise<Direction[]> {
    const here: Direction[] = this.#ways(session).map((way) => ({ way }));
    const workers = new Set<string>();
    for (const host of routesOf(session))
      for (const worker of await this.#options.held.others(host)) workers.add(worker);
    return [...here, ...[...workers].map((worker) => ({ worker }))];
  }

  #ways(session: Session): readonly Way[] {
    return routesOf(session).flatMap((host) => this.#options.waysTo(host));
  }

  async #go(
    open: OpenSession,
    pending: NonNullable<Attempt['send']>,
    directions: readonly Direction[],
  ): Promise<void> {
    const direction = directions[wayOf(pending) % directions.length];
    if (direction === undefined) return;
    if ('way' in direction) {
      this.#send(open, pending, direction.way);
      return;
    }
    const { attempts, endToEnd } = pending;
    const errand = { account: open.ref, session: open.key, attempt: attempts, endToEnd };
    await postErrand(this.#options.store, direction.worker, errand);
  }

  /** Sends for another worker, unless the session has moved on meanwhile. */
  async #carryOut({ account, session: key, attempt, endToEnd }: Errand): Promise<void> {
    const open = await readOpen(this.#options, { ref: account, key });
    const pending = open?.session.pending;
    if (open === undefined || pending === undefined || pending.acknowledged) return;
    if (pending.attempts !== attempt || pending.endToEnd !== endToEnd) return;
    // Late errands are left to the next attempt: two requests must never be under way at once.
    const { askedUntil = 0 } = open.session;
    if (open.known.now + this.#options.answerMs > askedUntil) return;
    const ways = this.#ways(open.session);
    const way = ways[wayOf(pending) % ways.length];
    if (way !== undefined) this.#send(open, { ...pending, endToEnd }, way);
  }

  #send(open: OpenSession, pending: Pending & { endToEnd: number }, way: Way): void {
    const sent = this.#ask(open, pending, way)
      .catch((error: unknown) => this.#options.events.failed(error))
      .finally(() => this.#underWay.delete(sent));
    this.#underWay.add(sent);
  }

  async #ask(open: OpenSession, pending: Pending & { endToEnd: number }, way: Way): Promise<void> {
    const { asker, answerMs, clock, events } = this.#options;
    const { kind, scope, endToEnd, sends } = pending;
    const command = kind === 'abort' ? 'ASR' : 'RAR';
    const message =
      kind === 'abort' ? toASR(open.session, asker) : toRAR(open.session, scope, asker);
    const sentAt = clock();
    const result = await way.request(command, message, {
      ...{ timeoutMs: answerMs, endToEnd },
      retransmitted: sends > 1, // RFC 6733 3
    });
    const ms = clock() - sentAt;
    if ('noAnswer' in result) {
      events.initiated(command, result.noAnswer, ms);
      return;
    }
    const { reply, resultCode } = replyOf(result.answer);
    events.initiated(command, resultCode, ms);
    await this.#conclude(open, endToEnd, reply);
  }

  async #conclude({ ref, key }: OpenSession, endToEnd: number, reply: Reply): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      try {
        const open = await readOpen(this.#options, { ref, key });
        if (open === undefined) return;
        const change = conclude(open.session, open.known, { endToEnd, reply });
        if (change === undefined) return;
        if (!(await commitChange(this.#options, open, change))) continue;
        return await keepClosed(this.#options, open, change);
      } catch (error) {
        if (!(error instanceof StoreUnavailable)) throw error;
        this.#options.events.failed(error);
      }
    }
  }
}

/** The peers that a session's client may be reached through, the likeliest first. */
function routesOf({ via, client }: Session): readonly string[] {
  return via === undefined ? [client.host] : [via, client.host];
}
