// Finds Diameter messages (RFC 6733 3) in a byte stream that may begin in the middle of one, miss
// bytes, or not be Diameter at all. A connection's own framer closes on such input; a capture has
// no one to close, so this one looks for the next header that holds together.
import { headerBytes, headerFlags } from '../diameter/header.ts';
import type { Seen, StreamListener } from './tcp.ts';

/** RFC 6733 3: a request never has the E flag. */
const requestWithError = headerFlags.request | headerFlags.error;
const maxMessageBytes = 1024 * 1024;
/** A longer one is not believed where the stream is out of step: it would swallow too much. */
const maxFoundBytes = 64 * 1024;
/** A stream that gave no message in this many bytes is not Diameter. */
const givesUpAfterBytes = 256 * 1024;

const emptyBytes = Buffer.alloc(0);

/** Whether a message could begin here, by its fixed fields alone. Needs 20 bytes. */
export function looksLikeHeader(bytes: Buffer, at = 0): boolean {
  const length = bytes.readUIntBE(at + 1, 3);
  const flags = bytes[at + 4]!;
  return (
    bytes[at] === 1 &&
    length >= headerBytes &&
    length <= maxMessageBytes &&
    length % 4 === 0 &&
    (flags & headerFlags.reserved) === 0 &&
    (flags & requestWithError) !== requestWithError &&
    bytes.readUIntBE(at + 5, 3) !== 0
  );
}

/** Stricter, for use where the stream is out of step: the first AVP must fit as well. Needs 28. */
function looksLikeMessage(bytes: Buffer, at: number): boolean {
  if (!looksLikeHeader(bytes, at)) return false;
  const length = bytes.readUIntBE(at + 1, 3);
  const avpFlags = bytes[at + headerBytes + 4]!;
  const avpLength = bytes.readUIntBE(at + headerBytes + 5, 3);
  const leastAvpBytes = avpFlags & 0x80 ? 12 : 8;
  return (
    length <= maxFoundBytes &&
    bytes.readUInt32BE(at + headerBytes) < 0x01000000 &&
    (avpFlags & 0x1f) === 0 &&
    avpLength >= leastAvpBytes &&
    avpLength <= length - headerBytes
  );
}

export class MessageScanner implements StreamListener {
  readonly #emit: (message: Buffer, seen: Seen) => void;
  readonly #skipped: (bytes: number, seen: Seen) => void;
  #pending: Buffer = emptyBytes;
  #inStep = true;
  #skippedBytes = 0;
  #messages = 0;
  #gaveUp = false;

  /** `skipped` hears of bytes that were passed over, when the stream is in step again. */
  constructor(
    emit: (message: Buffer, seen: Seen) => void,
    skipped: (bytes: number, seen: Seen) => void,
  ) {
    this.#emit = emit;
    this.#skipped = skipped;
  }

  get messages(): number {
    return this.#messages;
  }

  bytes(bytes: Buffer, seen: Seen): void {
    if (this.#gaveUp) return;
    let rest = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    for (;;) {
      if (!this.#inStep) rest = this.#search(rest);
      const length = this.#completeLength(rest);
      if (length === undefined) {
        if (this.#inStep) break;
        if (rest.length < headerBytes + 8) break;
        continue;
      }
      this.#reportSkipped(seen);
      this.#messages += 1;
      this.#emit(Buffer.from(rest.subarray(0, length)), seen);
      rest = rest.subarray(length);
    }
    this.#pending = Buffer.from(rest);
    if (this.#messages === 0 && this.#skippedBytes > givesUpAfterBytes) this.#giveUp();
  }

  gap(_missing: number, seen: Seen): void {
    this.#skippedBytes += this.#pending.length;
    this.#reportSkipped(seen);
    this.#pending = emptyBytes;
    this.#inStep = false;
  }

  /** Reports what the stream ends in the middle of, if it was a stream of Diameter at all. */
  end(seen: Seen): void {
    this.#skippedBytes += this.#pending.length;
    this.#pending = emptyBytes;
    if (this.#messages > 0) this.#reportSkipped(seen);
  }

  /** Length of the message that `bytes` begin with, undefined until it is complete. */
  #completeLength(bytes: Buffer): number | undefined {
    if (!this.#inStep || bytes.length < headerBytes) return undefined;
    if (!looksLikeHeader(bytes)) {
      this.#inStep = false;
      return undefined;
    }
    const length = bytes.readUIntBE(1, 3);
    return bytes.length < length ? undefined : length;
  }

  /** Drops bytes up to the next message, or all but what could be the start of one. */
  #search(bytes: Buffer): Buffer {
    const last = bytes.length - headerBytes - 8;
    for (let at = 0; at <= last; at += 1) {
      if (!looksLikeMessage(bytes, at)) continue;
      this.#inStep = true;
      this.#skippedBytes += at;
      return bytes.subarray(at);
    }
    const kept = Math.min(bytes.length, headerBytes + 7);
    this.#skippedBytes += bytes.length - kept;
    return bytes.subarray(bytes.length - kept);
  }

  #reportSkipped(seen: Seen): void {
    if (this.#skippedBytes > 0) this.#skipped(this.#skippedBytes, seen);
    this.#skippedBytes = 0;
  }

  #giveUp(): void {
    this.#gaveUp = true;
    this.#pending = emptyBytes;
  }
}
