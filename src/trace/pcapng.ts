// The capture file of Wireshark (draft-ietf-opsawg-pcapng): sections of blocks, each section in its
// own byte order, each interface with its own link type and time resolution. Blocks that are not
// packets are stepped over. A synchronous parser: it takes chunks of any size and knows no file.
import { maxRecordBytes, type Packet, type PacketParser } from './pcap.ts';
import type { ProblemLog } from './problem.ts';

const sectionHeader = 0x0a0d0d0a;
const interfaceDescription = 1;
const obsoletePacket = 2;
const simplePacket = 3;
const enhancedPacket = 6;

const ifTsresol = 9;
const ifTsoffset = 14;

const blockHeaderBytes = 8;
const blockOverheadBytes = 12;

interface CaptureInterface {
  readonly linkType: number;
  readonly snapLength: number;
  readonly ticksPerSecond: bigint;
  readonly offsetSeconds: bigint;
}

interface Block {
  readonly type: number;
  readonly body: Buffer;
  readonly offset: number;
}

/** Whether the first four bytes of a file are those of a pcapng section. */
export function isPcapng(start: Buffer): boolean {
  return start.length >= 4 && start.readUInt32BE(0) === sectionHeader;
}

export class PcapngParser implements PacketParser {
  readonly #problems: ProblemLog;
  #littleEndian = true;
  #interfaces: CaptureInterface[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #offset = 0;
  #skip = 0;
  #stopped = false;
  #lastAtUs = 0;

  constructor(problems: ProblemLog) {
    this.#problems = problems;
  }

  push(chunk: Buffer, emit: (packet: Packet) => void): void {
    if (this.#stopped) return;
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (!this.#stopped) {
      const skipped = Math.min(this.#skip, bytes.length - at);
      this.#skip -= skipped;
      at += skipped;
      if (this.#skip > 0) break;
      const next = this.#readBlock(bytes, at, emit);
      if (next === at && this.#skip === 0) break;
      at = next;
    }
    this.#offset += at;
    this.#rest = Buffer.from(bytes.subarray(at));
  }

  end(): void {
    if (!this.#stopped && (this.#rest.length > 0 || this.#skip > 0)) {
      this.#problems.add(this.#offset, 'the file ends inside a block');
    }
  }

  /** Returns where the next block starts; the same place if this one is not complete yet. */
  #readBlock(bytes: Buffer, at: number, emit: (packet: Packet) => void): number {
    if (bytes.length - at < blockOverheadBytes) return at;
    const offset = this.#offset + at;
    // The type of a section header reads the same in both byte orders; its magic tells which it is.
    if (bytes.readUInt32BE(at) === sectionHeader && !this.#startSection(bytes, at)) {
      this.#stop(offset, 'a section header without a byte-order magic');
      return at;
    }
    const type = this.#u32(bytes, at);
    const length = this.#u32(bytes, at + 4);
    if (length < blockOverheadBytes || length % 4 !== 0) {
      this.#stop(offset, `a block of ${length} bytes`);
      return at;
    }
    if (length > maxRecordBytes) {
      this.#problems.add(offset, `a block of ${length} bytes was skipped`);
      this.#skip = length;
      return at;
    }
    if (bytes.length - at < length) return at;
    if (this.#u32(bytes, at + length - 4) !== length) {
      this.#problems.add(offset, 'the lengths at the two ends of a block differ');
    }
    const body = bytes.subarray(at + blockHeaderBytes, at + length - 4);
    this.#useBlock({ type, body, offset }, emit);
    return at + length;
  }

  #startSection(bytes: Buffer, at: number): boolean {
    const magic = bytes.readUInt32BE(at + 8);
    if (magic !== 0x1a2b3c4d && magic !== 0x4d3c2b1a) return false;
    this.#littleEndian = magic === 0x4d3c2b1a;
    this.#interfaces = [];
    return true;
  }

  #stop(offset: number, text: string): void {
    this.#problems.add(offset, `${text}; the rest of the file is not read`);
    this.#stopped = true;
  }

  #useBlock(block: Block, emit: (packet: Packet) => void): void {
    switch (block.type) {
      case interfaceDescription:
        this.#addInterface(block);
        break;
      case enhancedPacket:
        this.#emitPacket(block, { headerBytes: 20, interfaceIndexBits: 32 }, emit);
        break;
      case obsoletePacket:
        this.#emitPacket(block, { headerBytes: 20, interfaceIndexBits: 16 }, emit);
        break;
      case simplePacket:
        this.#emitSimplePacket(block, emit);
        break;
    }
  }

  #addInterface(block: Block): void {
    if (block.body.length < 8) {
      this.#problems.add(block.offset, 'an interface cut short');
      return;
    }
    const resolution = this.#option(block.body.subarray(8), ifTsresol)?.[0] ?? 6;
    const exponent = BigInt(resolution & 0x7f);
    const offset = this.#option(block.body.subarray(8), ifTsoffset);
    this.#interfaces.push({
      linkType: this.#u16(block.body, 0),
      snapLength: this.#u32(block.body, 4),
      ticksPerSecond: resolution & 0x80 ? 2n ** exponent : 10n ** exponent,
      offsetSeconds: offset?.length === 8 ? this.#i64(offset) : 0n,
    });
  }

  #option(options: Buffer, wanted: number): Buffer | undefined {
    let at = 0;
    while (options.length - at >= 4) {
      const code = this.#u16(options, at);
      const length = this.#u16(options, at + 2);
      if (code === 0) return undefined;
      if (code === wanted && options.length - at - 4 >= length) {
        return options.subarray(at + 4, at + 4 + length);
      }
      at += 4 + length + ((4 - (length % 4)) % 4);
    }
    return undefined;
  }

  #emitPacket(
    block: Block,
    layout: { headerBytes: number; interfaceIndexBits: 16 | 32 },
    emit: (packet: Packet) => void,
  ): void {
    const { body, offset } = block;
    if (body.length < layout.headerBytes) {
      this.#problems.add(offset, 'a packet block cut short');
      return;
    }
    const index = layout.interfaceIndexBits === 32 ? this.#u32(body, 0) : this.#u16(body, 0);
    const from = this.#interfaces[index];
    if (from === undefined) {
      this.#problems.add(offset, `a packet of interface ${index}, which is not described`);
      return;
    }
    const captured = this.#u32(body, 12);
    const available = body.length - layout.headerBytes;
    if (captured > available) this.#problems.add(offset, 'a packet longer than its block');
    const ticks = (BigInt(this.#u32(body, 4)) << 32n) | BigInt(this.#u32(body, 8));
    const sinceOffset = (ticks * 1_000_000n) / from.ticksPerSecond;
    this.#lastAtUs = Number(sinceOffset + from.offsetSeconds * 1_000_000n);
    emit({
      offset,
      atUs: this.#lastAtUs,
      linkType: from.linkType,
      bytes: body.subarray(layout.headerBytes, layout.headerBytes + Math.min(captured, available)),
      originalLength: this.#u32(body, 16),
    });
  }

  /** A simple packet has no time of its own: it gets that of the packet before it. */
  #emitSimplePacket(block: Block, emit: (packet: Packet) => void): void {
    const from = this.#interfaces[0];
    if (from === undefined || block.body.length < 4) {
      this.#problems.add(block.offset, 'a simple packet without an interface or a length');
      return;
    }
    const originalLength = this.#u32(block.body, 0);
    const snapLength = from.snapLength === 0 ? originalLength : from.snapLength;
    emit({
      offset: block.offset,
      atUs: this.#lastAtUs,
      linkType: from.linkType,
      bytes: block.body.subarray(4, 4 + Math.min(originalLength, snapLength)),
      originalLength,
    });
  }

  #u16(bytes: Buffer, at: number): number {
    return this.#littleEndian ? bytes.readUInt16LE(at) : bytes.readUInt16BE(at);
  }

  #u32(bytes: Buffer, at: number): number {
    return this.#littleEndian ? bytes.readUInt32LE(at) : bytes.readUInt32BE(at);
  }

  #i64(bytes: Buffer): bigint {
    return this.#littleEndian ? bytes.readBigInt64LE(0) : bytes.readBigInt64BE(0);
  }
}
