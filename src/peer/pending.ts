/**
 * Requests of ours that wait for their answer on one connection, RFC 6733 5.5.4: found by
 * Hop-by-Hop Identifier, bounded in number and time, handed back when the connection fails.
 */
import type { Decoded } from '../diameter/decode.ts';

/** Why a request has no answer. Whoever sent it may try another connection, with T set. */
export type NoAnswer =
  /** The watchdog doubts the connection. */
  | 'suspect'
  | 'closed'
  | 'timeout'
  /** Too many requests wait on this connection; nothing was sent. */
  | 'full'
  /** The peer never advertised the application (RFC 6733 5.3); nothing was sent. */
  | 'unsupported';

export interface PendingRequest {
  command: number;
  /** Monotonic milliseconds; undefined where a state machine supervises the answer. */
  deadlineAt: number | undefined;
  answered: (answer: Decoded) => void;
  failed: (why: NoAnswer) => void;
}

export class PendingRequests {
  readonly #waiting = new Map<number, PendingRequest>();
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get size(): number {
    return this.#waiting.size;
  }

  get full(): boolean {
    return this.#waiting.size >= this.#limit;
  }

  has(hopByHop: number): boolean {
    return this.#waiting.has(hopByHop);
  }

  add(hopByHop: number, request: PendingRequest): void {
    this.#waiting.set(hopByHop, request);
  }

  /** Takes out the request that an answer belongs to; undefined: nobody asked. */
  take(hopByHop: number, command: number): PendingRequest | undefined {
    const request = this.#waiting.get(hopByHop);
    if (request?.command !== command) return undefined;
    this.#waiting.delete(hopByHop);
    return request;
  }

  /** The earliest deadline, or Infinity. */
  nextDeadline(): number {
    let earliest = Infinity;
    for (const { deadlineAt } of this.#waiting.values()) {
      if (deadlineAt !== undefined && deadlineAt < earliest) earliest = deadlineAt;
    }
    return earliest;
  }

  expire(now: number): void {
    for (const [hopByHop, request] of this.#waiting) {
      if (request.deadlineAt !== undefined && request.deadlineAt <= now) {
        this.#waiting.delete(hopByHop);
        request.failed('timeout');
      }
    }
  }

  /**
   * Fails over: all requests that somebody else could be asked, which excludes DWR and DPR (RFC
   * 6733 5.5.1, 5.4.1). Those stay, their answers may still come.
   */
  failOver(why: NoAnswer): void {
    for (const [hopByHop, request] of this.#waiting) {
      if (request.deadlineAt === undefined) continue;
      this.#waiting.delete(hopByHop);
      request.failed(why);
    }
  }
}
