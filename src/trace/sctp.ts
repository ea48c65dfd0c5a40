// SCTP's DATA chunks (RFC 9260 3.3.1), which carry Diameter as whole messages (RFC 6733 2.1.1):
// repeated chunks are dropped by their transmission sequence number, fragmented messages are put
// together. Ordering between messages is left as captured.

export interface DataChunk {
  readonly sequence: number;
  readonly first: boolean;
  readonly last: boolean;
  readonly streamId: number;
  readonly payload: Buffer;
}

export interface SctpPacket {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly verificationTag: number;
  readonly chunks: readonly DataChunk[];
  /** True if a chunk says that it is longer than the packet. */
  readonly cut: boolean;
}

const dataChunk = 0;
const dataHeaderBytes = 16;

/** Undefined if the bytes are too short for the common header. */
export function parseSctp(bytes: Buffer): SctpPacket | undefined {
  if (bytes.length < 12) return undefined;
  const chunks: DataChunk[] = [];
  let cut = false;
  let at = 12;
  while (bytes.length - at >= 4) {
    const length = bytes.readUInt16BE(at + 2);
    cut ||= length < 4 || length > bytes.length - at;
    if (cut) break;
    if (bytes[at] === dataChunk && length >= dataHeaderBytes) {
      const flags = bytes[at + 1]!;
      chunks.push({
        sequence: bytes.readUInt32BE(at + 4),
        first: (flags & 0x02) !== 0,
        last: (flags & 0x01) !== 0,
        streamId: bytes.readUInt16BE(at + 8),
        payload: bytes.subarray(at + dataHeaderBytes, at + length),
      });
    }
    at += length + ((4 - (length % 4)) % 4);
  }
  return {
    sourcePort: bytes.readUInt16BE(0),
    destinationPort: bytes.readUInt16BE(2),
    verificationTag: bytes.readUInt32BE(4),
    chunks,
    cut,
  };
}

/** One direction of one association. Keeps `remembered` sequence numbers to know copies. */
export class SctpStream {
  readonly #remembered: number;
  readonly #maxPartBytes: number;
  readonly #seen = new Set<number>();
  readonly #parts = new Map<number, DataChunk>();
  #partBytes = 0;

  constructor(limits: { remembered?: number; maxPartBytes?: number } = {}) {
    this.#remembered = limits.remembered ?? 4096;
    this.#maxPartBytes = limits.maxPartBytes ?? 1024 * 1024;
  }

  /** Returns the message that this chunk completes, if it does. */
  push(chunk: DataChunk): Buffer | undefined {
    if (this.#seen.has(chunk.sequence)) return undefined;
    this.#remember(chunk.sequence);
    if (chunk.first && chunk.last) return chunk.payload;
    this.#parts.set(chunk.sequence, { ...chunk, payload: Buffer.from(chunk.payload) });
    this.#partBytes += chunk.payload.length;
    const message = this.#join(chunk.sequence);
    if (this.#partBytes > this.#maxPartBytes) this.#dropParts([...this.#parts.keys()]);
    return message;
  }

  /** Parts of messages that were never completed. */
  get unfinishedBytes(): number {
    return this.#partBytes;
  }

  #remember(sequence: number): void {
    this.#seen.add(sequence);
    if (this.#seen.size <= this.#remembered) return;
    for (const oldest of this.#seen) {
      this.#seen.delete(oldest);
      return;
    }
  }

  /** RFC 9260 6.9: the fragments of a message have consecutive sequence numbers. */
  #join(sequence: number): Buffer | undefined {
    let from = sequence;
    while (!this.#parts.get(from)?.first) {
      from = (from - 1) >>> 0;
      if (!this.#parts.has(from)) return undefined;
    }
    const numbers = [from];
    while (!this.#parts.get(numbers.at(-1)!)?.last) {
      const next = (numbers.at(-1)! + 1) >>> 0;
      if (!this.#parts.has(next)) return undefined;
      numbers.push(next);
    }
    const message = Buffer.concat(numbers.map((number) => this.#parts.get(number)!.payload));
    this.#dropParts(numbers);
    return message;
  }

  #dropParts(numbers: number[]): void {
    for (const number of numbers) {
      this.#partBytes -= this.#parts.get(number)!.payload.length;
      this.#parts.delete(number);
    }
  }
}
