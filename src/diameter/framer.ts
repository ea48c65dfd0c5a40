// Cuts a stream of bytes into Diameter messages by their Message Length. RFC 6733 2.1 and 3.
//
// It knows no socket and never throws. Frames that lie whole in one chunk are slices of it; only a
// frame that came in pieces is copied. What it holds is bounded by the largest frame.

import { headerBytes, headerFlags } from './header.ts';

/** Why a stream can no longer be read. Everything after it is ignored. */
export type Violation = {
  readonly kind: 'not-diameter' | 'too-short' | 'too-long' | 'unaligned';
  readonly message: string;
  /**
   * Where the length is not a multiple of 4: the octets that it counts, for an answer with 5015
   * before the connection is closed. What follows them cannot be trusted to be a header.
   */
  readonly frame?: Buffer;
};

export type FramerOptions = {
  /** The longest message that is accepted, in octets; 262,144 by default. */
  readonly maxFrameBytes?: number;
};

/**
 * `push` takes a chunk, calls back with each whole frame in order, and returns undefined where more
 * is needed or the violation that ended the stream. A frame of another version of Diameter is
 * delivered like any other, as long as its header is plausible: decoding it gives 5011.
 */
export class Framer {
  readonly #onFrame: (frame: Buffer) => void;
  readonly #maxFrameBytes: number;
  #held: Buffer = empty;
  #heldBytes = 0;
  #violation: Violation | undefined;
  #stopped = false;

  constructor(onFrame: (frame: Buffer) => void, options: FramerOptions = {}) {
    this.#onFrame = onFrame;
    this.#maxFrameBytes = options.maxFrameBytes ?? 262_144;
  }

  /** Octets of an incomplete frame that are held. */
  get heldBytes(): number {
    return this.#heldBytes;
  }

  /** Ends the stream: no frame is delivered after it, not even from the chunk in hand. */
  stop(): void {
    this.#stopped = true;
    this.#held = empty;
    this.#heldBytes = 0;
  }

  push(chunk: Buffer): Violation | undefined {
    let at = 0;
    while (at < chunk.length && !this.#stopped) {
      if (this.#heldBytes > 0) {
        at = this.#fill(chunk, at);
        continue;
      }
      const length = this.#frameLength(chunk, at, chunk.length);
      if (length === undefined || at + length > chunk.length) {
        if (!this.#stopped) this.#hold(chunk, at, chunk.length);
        break;
      }
      at += length;
      this.#deliver(chunk.subarray(at - length, at), length);
    }
    return this.#violation;
  }

  /** Completes the held frame from a chunk; returns where the chunk goes on. */
  #fill(chunk: Buffer, start: number): number {
    let at = start;
    while (at < chunk.length) {
      const length = this.#frameLength(this.#held, 0, this.#heldBytes);
      if (this.#stopped) return at;
      const wanted = (length ?? Math.min(this.#heldBytes + 1, plausibleBytes)) - this.#heldBytes;
      if (wanted > 0) {
        const end = Math.min(at + wanted, chunk.length);
        this.#hold(chunk, at, end);
        at = end;
      }
      const whole = this.#frameLength(this.#held, 0, this.#heldBytes);
      if (this.#stopped) return at;
      if (whole !== undefined && whole === this.#heldBytes) {
        const frame = this.#held.subarray(0, whole);
        this.#held = empty;
        this.#heldBytes = 0;
        this.#deliver(frame, whole);
        return at;
      }
    }
    return at;
  }

  #hold(chunk: Buffer, start: number, end: number): void {
    const needed = this.#heldBytes + end - start;
    if (needed > this.#held.length) {
      // Doubling, so that a peer which announces much and sends little costs little.
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#held.length, 256));
      this.#held.copy(grown, 0, 0, this.#heldBytes);
      this.#held = grown;
    }
    chunk.copy(this.#held, this.#heldBytes, start, end);
    this.#heldBytes = needed;
  }

  #deliver(frame: Buffer, length: number): void {
    if (length % 4 === 0) {
      this.#onFrame(frame);
      return;
    }
    const message = `message length ${length}`;
    this.#violate({ kind: 'unaligned', message, frame: Buffer.from(frame) });
  }

  /**
   * The length of the frame whose first octets are `bytes[start..end)`, or undefined where they are
   * too few to tell. Whatever can be refused is refused at the first octet that shows it.
   */
  #frameLength(bytes: Buffer, start: number, end: number): number | undefined {
    const version = bytes[start]!;
    if (version > highestPlausibleVersion) {
      return this.#violate({ kind: 'not-diameter', message: `version ${version}` });
    }
    if (end - start < 4) return undefined;
    const length = (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!;
    if (length < headerBytes) {
      return this.#violate({ kind: 'too-short', message: `message length ${length}` });
    }
    if (length > this.#maxFrameBytes) {
      return this.#violate({
        kind: 'too-long',
        message: `message length ${length}, at most ${this.#maxFrameBytes}`,
      });
    }
    if (version !== 1) {
      if (end - start < plausibleBytes) return undefined;
      if ((bytes[start + 4]! & headerFlags.reserved) !== 0 || length % 4 !== 0) {
        return this.#violate({ kind: 'not-diameter', message: `version ${version}` });
      }
    }
    return length;
  }

  #violate(violation: Violation): undefined {
    this.stop();
    this.#violation = violation;
    return undefined;
  }
}

const empty = Buffer.alloc(0);

/** Version, length and flags: enough to tell another version of Diameter from another protocol. */
const plausibleBytes = 5;

/** Above it no future version of Diameter is meant, but text (GET, SSH-) or a TLS record (22). */
const highestPlausibleVersion = 15;
