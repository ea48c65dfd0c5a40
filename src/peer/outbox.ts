/**
 * What waits to be written to one peer. All messages of one turn of the event loop leave in one
 * write, and only one write is under way at a time, so a busy connection batches by itself.
 *
 * Deviation: RFC 3539 3.2 wants the Nagle algorithm. It would hold an answer back for a round trip;
 * TCP_NODELAY with this batching saves the same packets without the wait.
 */
import type { Socket } from 'node:net';
import type { Clock } from './clock.ts';

/** The most bytes handed to the socket at once, so that a peer's reading is seen as progress. */
const WRITE_BYTES = 256 * 1024;

export interface OutboxLimits {
  /** Above this many queued bytes nothing more is read from the peer. */
  pauseBytes: number;
  /** Above this many the connection is given up. */
  limitBytes: number;
  /** A write that the peer does not take within this many milliseconds ends the connection. */
  stallMs: number;
}

export class Outbox {
  readonly #socket: Socket;
  readonly #clock: Clock;
  readonly #changed: () => void;
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #writingBytes = 0;
  #writingSince = 0;
  #scheduled = false;
  #ending = false;

  /** `changed` is called after each completed write. */
  constructor(socket: Socket, clock: Clock, changed: () => void) {
    this.#socket = socket;
    this.#clock = clock;
    this.#changed = changed;
  }

  /** Bytes that the peer's kernel has not taken yet, as far as Node knows. */
  get queuedBytes(): number {
    return this.#waitingBytes + this.#writingBytes;
  }

  /** When the write that is under way began, or undefined. */
  get writingSince(): number | undefined {
    return this.#writingBytes > 0 ? this.#writingSince : undefined;
  }

  push(bytes: Buffer): void {
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    this.#schedule();
  }

  /** Closes our side after everything that was pushed. */
  end(): void {
    this.#ending = true;
    this.#schedule();
  }

  /** Forgets what waits; the socket is gone. */
  discard(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#writingBytes = 0;
    this.#ending = false;
  }

  // The check phase comes after all of a turn's reads, whichever socket they came from.
  #schedule(): void {
    if (this.#scheduled || this.#writingBytes > 0) return;
    this.#scheduled = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#scheduled = false;
    if (this.#socket.destroyed || this.#writingBytes > 0) return;
    if (this.#waitingBytes === 0) {
      if (this.#ending) this.#socket.end();
      return;
    }
    const bytes = this.#take();
    this.#writingBytes = bytes.length;
    this.#writingSince = this.#clock.now();
    this.#socket.write(bytes, this.#written);
  };

  readonly #written = (): void => {
    this.#writingBytes = 0;
    if (this.#socket.destroyed) return;
    if (this.#waitingBytes > 0 || this.#ending) this.#flush();
    this.#changed();
  };

  #take(): Buffer {
    let count = 0;
    let length = 0;
    for (const { length: next } of this.#waiting) {
      if (count > 0 && length + next > WRITE_BYTES) break;
      count += 1;
      length += next;
    }
    const taken = count === this.#waiting.length ? this.#waiting : this.#waiting.splice(0, count);
    if (taken === this.#waiting) this.#waiting = [];
    this.#waitingBytes -= length;
    return taken.length === 1 ? taken[0]! : Buffer.concat(taken, length);
  }
}
