// The classic capture file (draft-ietf-opsawg-pcap): a 24-byte header, then records, in the byte
// order and with the time resolution (microseconds or nanoseconds) that the magic number names.
// A synchronous parser: it takes chunks of any size and knows no file.
import type { ProblemLog } from './problem.ts';

export interface Packet {
  /** Bytes from the start of the file to the record of this packet. */
  readonly offset: number;
  /** Microseconds since 1970. */
  readonly atUs: number;
  /** The LINKTYPE_ number that says what the bytes begin with. */
  readonly linkType: number;
  /** A view on the chunk: copy what is kept after the callback returns. */
  readonly bytes: Buffer;
  /** Length on the wire; more than `bytes` holds if the capture cut the packet. */
  readonly originalLength: number;
}

export interface PacketParser {
  push(chunk: Buffer, emit: (packet: Packet) => void): void;
  /** Reports what an end of the file at this point leaves incomplete. */
  end(): void;
}

/** A record longer than this is taken for garbage; the largest snap length in use is 256 KiB. */
export const maxRecordBytes = 16 * 1024 * 1024;

const fileHeaderBytes = 24;
const recordHeaderBytes = 16;

interface FileHeader {
  readonly littleEndian: boolean;
  readonly nanoseconds: boolean;
  readonly linkType: number;
}

/** Whether the first four bytes of a file are those of a classic capture. */
export function isPcap(start: Buffer): boolean {
  return start.length >= 4 && magic(start) !== undefined;
}

function magic(start: Buffer): Pick<FileHeader, 'littleEndian' | 'nanoseconds'> | undefined {
  switch (start.readUInt32BE(0)) {
    case 0xa1b2c3d4:
      return { littleEndian: false, nanoseconds: false };
    case 0xa1b23c4d:
      return { littleEndian: false, nanoseconds: true };
    case 0xd4c3b2a1:
      return { littleEndian: true, nanoseconds: false };
    case 0x4d3cb2a1:
      return { littleEndian: true, nanoseconds: true };
    default:
      return undefined;
  }
}

export class PcapParser implements PacketParser {
  readonly #problems: ProblemLog;
  #header: FileHeader | undefined;
  #rest: Buffer = Buffer.alloc(0);
  #offset = 0;
  #stopped = false;

  constructor(problems: ProblemLog) {
    this.#problems = problems;
  }

  push(chunk: Buffer, emit: (packet: Packet) => void): void {
    if (this.#stopped) return;
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = this.#readFileHeader(bytes);
    const header = this.#header;
    while (header !== undefined && !this.#stopped) {
      const next = this.#readRecord({ bytes, at, header }, emit);
      if (next === at) break;
      at = next;
    }
    this.#offset += at;
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  end(): void {
    if (!this.#stopped && (this.#rest.length > 0 || this.#header === undefined)) {
      this.#problems.add(this.#offset, `the file ends inside a record`);
    }
  }

  #readFileHeader(bytes: Buffer): number {
    if (this.#header !== undefined || bytes.length < fileHeaderBytes) return 0;
    const kind = magic(bytes);
    if (kind === undefined) {
      this.#problems.add(0, 'not a capture file');
      this.#stopped = true;
      return 0;
    }
    // The upper bits of the link type tell of frame check sequences, which nothing here needs.
    const linkType = (kind.littleEndian ? bytes.readUInt32LE(20) : bytes.readUInt32BE(20)) & 0xffff;
    this.#header = { ...kind, linkType };
    return fileHeaderBytes;
  }

  /** Returns where the next record starts; the same place if this one is not complete yet. */
  #readRecord(
    from: { bytes: Buffer; at: number; header: FileHeader },
    emit: (packet: Packet) => void,
  ): number {
    const { bytes, at, header } = from;
    if (bytes.length - at < recordHeaderBytes) return at;
    const word = (index: number) =>
      header.littleEndian ? bytes.readUInt32LE(at + 4 * index) : bytes.readUInt32BE(at + 4 * index);
    const captured = word(2);
    const offset = this.#offset + at;
    if (captured > maxRecordBytes) {
      // Records carry no marker to find the next one by, so nothing after this can be trusted.
      this.#problems.add(offset, `a packet of ${captured} bytes; the rest of the file is not read`);
      this.#stopped = true;
      return at;
    }
    const end = at + recordHeaderBytes + captured;
    if (bytes.length < end) return at;
    const fraction = header.nanoseconds ? Math.floor(word(1) / 1000) : word(1);
    emit({
      offset,
      atUs: word(0) * 1_000_000 + fraction,
      linkType: header.linkType,
      bytes: bytes.subarray(at + recordHeaderBytes, end),
      originalLength: word(3),
    });
    return end;
  }
}
