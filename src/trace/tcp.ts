// TCP stream reassembly (RFC 9293 3.4) for one direction of a captured connection: segments in any
// order, repeated or overlapping, become the byte stream that the receiver saw. What the capture
// missed is reported as a gap, never guessed.

export interface Segment {
  readonly sourcePort: number;
  readonly destinationPort: number;
  readonly sequence: number;
  /** Undefined without the ACK flag. */
  readonly acknowledged: number | undefined;
  readonly syn: boolean;
  readonly fin: boolean;
  readonly reset: boolean;
  readonly payload: Buffer;
}

/** Where and when bytes were captured. */
export interface Seen {
  readonly offset: number;
  readonly atUs: number;
}

export interface StreamListener {
  bytes(bytes: Buffer, seen: Seen): void;
  /** `missing` bytes of the stream are not in the capture; 0: a new connection begins here. */
  gap(missing: number, seen: Seen): void;
}

/** Undefined if the bytes are too short for the header that they claim. */
export function parseSegment(bytes: Buffer): Segment | undefined {
  if (bytes.length < 20) return undefined;
  const headerBytes = (bytes[12]! >> 4) * 4;
  if (headerBytes < 20 || headerBytes > bytes.length) return undefined;
  const flags = bytes[13]!;
  return {
    sourcePort: bytes.readUInt16BE(0),
    destinationPort: bytes.readUInt16BE(2),
    sequence: bytes.readUInt32BE(4),
    acknowledged: flags & 0x10 ? bytes.readUInt32BE(8) : undefined,
    syn: (flags & 0x02) !== 0,
    fin: (flags & 0x01) !== 0,
    reset: (flags & 0x04) !== 0,
    payload: bytes.subarray(headerBytes),
  };
}

interface Waiting {
  readonly sequence: number;
  readonly bytes: Buffer;
  readonly seen: Seen;
}

/** How far `sequence` lies after `from`, in the 32-bit circle of sequence numbers. */
function distance(from: number, sequence: number): number {
  return (sequence - from) | 0;
}

export class TcpStream {
  readonly #listener: StreamListener;
  readonly #maxWaitingBytes: number;
  #next: number | undefined;
  #waiting: Waiting[] = [];
  #waitingBytes = 0;

  /** Holds at most `maxWaitingBytes` behind a hole before it calls the hole a gap. */
  constructor(listener: StreamListener, maxWaitingBytes = 1024 * 1024) {
    this.#listener = listener;
    this.#maxWaitingBytes = maxWaitingBytes;
  }

  push(segment: Segment, seen: Seen): void {
    if (segment.syn) this.#next = this.#start(segment, seen);
    // A capture that began in mid-connection: the first segment seen is the start.
    this.#next ??= segment.sequence;
    if (segment.payload.length === 0) return;
    const sequence = segment.syn ? (segment.sequence + 1) >>> 0 : segment.sequence;
    const ahead = distance(this.#next, sequence);
    if (ahead <= 0) {
      this.#deliver({ sequence, bytes: segment.payload, seen });
    } else {
      this.#wait({ sequence, bytes: Buffer.from(segment.payload), seen });
    }
    this.#drain();
    while (this.#waitingBytes > this.#maxWaitingBytes) this.#skipHole();
  }

  /** The receiver confirmed bytes that the capture does not have: they will not come any more. */
  acknowledge(sequence: number): void {
    while (this.#next !== undefined && this.#waiting.length > 0) {
      if (distance(this.#waiting[0]!.sequence, sequence) <= 0) return;
      this.#skipHole();
    }
  }

  /** Delivers what still waits behind holes: at the end of the capture or of the connection. */
  flush(): void {
    while (this.#waiting.length > 0) this.#skipHole();
  }

  /** A repeated SYN starts nothing; one with another number is a new connection on the same ports. */
  #start(segment: Segment, seen: Seen): number {
    const first = (segment.sequence + 1) >>> 0;
    if (this.#next === undefined) return first;
    const behind = distance(first, this.#next);
    if (behind >= 0 && behind < this.#maxWaitingBytes) return this.#next;
    this.flush();
    this.#listener.gap(0, seen);
    return first;
  }

  #wait(segment: Waiting): void {
    let at = this.#waiting.length;
    while (at > 0 && distance(this.#waiting[at - 1]!.sequence, segment.sequence) < 0) at -= 1;
    this.#waiting.splice(at, 0, segment);
    this.#waitingBytes += segment.bytes.length;
  }

  #drain(): void {
    while (this.#waiting.length > 0) {
      if (distance(this.#next!, this.#waiting[0]!.sequence) > 0) return;
      this.#deliver(this.#take());
    }
  }

  #take(): Waiting {
    const first = this.#waiting.shift()!;
    this.#waitingBytes -= first.bytes.length;
    return first;
  }

  #skipHole(): void {
    const first = this.#waiting[0]!;
    this.#listener.gap(distance(this.#next!, first.sequence), first.seen);
    this.#next = first.sequence;
    this.#drain();
  }

  /** What was delivered first stands: an overlap brings only its new bytes. */
  #deliver(segment: Waiting): void {
    const known = distance(segment.sequence, this.#next!);
    if (known >= segment.bytes.length) return;
    const fresh = segment.bytes.subarray(known);
    this.#next = (this.#next! + fresh.length) >>> 0;
    this.#listener.bytes(fresh, segment.seen);
  }
}
