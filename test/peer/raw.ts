/**
 * A peer made of bytes: a builder, a slow strict parser and a socket, which share nothing with the
 * product's codec. What it sends is written by hand here, what it receives is judged here.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

export const CER = 257;
export const RAR = 258;
export const ACR = 271;
export const CCR = 272;
export const ASR = 274;
export const STR = 275;
export const DWR = 280;
export const DPR = 282;

/** Header flags. */
export const R = 0x80;
export const P = 0x40;
export const E = 0x20;
export const T = 0x10;

const M = 0x40;
const V = 0x80;

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function avp(
  code: number,
  data: Buffer | string | number,
  { flags = M, vendor }: { flags?: number; vendor?: number } = {},
): Buffer {
  const body = typeof data === 'number' ? u32(data) : Buffer.from(data as string);
  const head = vendor === undefined ? 8 : 12;
  const bytes = Buffer.alloc(Math.ceil((head + body.length) / 4) * 4);
  bytes.writeUInt32BE(code, 0);
  bytes.writeUInt32BE(head + body.length, 4);
  bytes[4] = vendor === undefined ? flags : flags | V;
  if (vendor !== undefined) bytes.writeUInt32BE(vendor, 8);
  body.copy(bytes, head);
  return bytes;
}

export function group(code: number, members: readonly Buffer[], vendor?: number): Buffer {
  return avp(code, Buffer.concat(members), vendor === undefined ? {} : { vendor });
}

export interface Head {
  version?: number;
  flags?: number;
  command: number;
  application?: number;
  hopByHop?: number;
  endToEnd?: number;
}

export function message(head: Head, avps: readonly Buffer[]): Buffer {
  const body = Buffer.concat(avps);
  const bytes = Buffer.alloc(20);
  bytes.writeUInt32BE(20 + body.length, 0);
  bytes[0] = head.version ?? 1;
  bytes.writeUInt32BE(head.command, 4);
  bytes[4] = head.flags ?? R;
  bytes.writeUInt32BE(head.application ?? 0, 8);
  bytes.writeUInt32BE(head.hopByHop ?? 0x11, 12);
  bytes.writeUInt32BE(head.endToEnd ?? 0x22, 16);
  return Buffer.concat([bytes, body]);
}

export interface Parsed {
  version: number;
  flags: number;
  command: number;
  application: number;
  hopByHop: number;
  endToEnd: number;
  avps: ParsedAVP[];
  bytes: Buffer;
}

export interface ParsedAVP {
  code: number;
  flags: number;
  vendor: number;
  data: Buffer;
  /** The AVP as it stands, padding excluded. */
  bytes: Buffer;
}

export function parse(frame: Buffer): Parsed {
  assert.ok(frame.length >= 20 && frame.length % 4 === 0, `length ${frame.length}`);
  assert.equal(frame.readUIntBE(1, 3), frame.length, 'Message Length');
  assert.equal(frame[0], 1, 'version');
  assert.equal(frame[4]! & 0x0f, 0, 'reserved header bits');
  return {
    version: frame[0]!,
    flags: frame[4]!,
    command: frame.readUIntBE(5, 3),
    application: frame.readUInt32BE(8),
    hopByHop: frame.readUInt32BE(12),
    endToEnd: frame.readUInt32BE(16),
    avps: parseAVPs(frame.subarray(20)),
    bytes: frame,
  };
}

export function parseAVPs(bytes: Buffer): ParsedAVP[] {
  const avps: ParsedAVP[] = [];
  for (let at = 0; at < bytes.length; ) {
    assert.ok(bytes.length - at >= 8, 'AVP header');
    const flags = bytes[at + 4]!;
    const head = flags & V ? 12 : 8;
    const length = bytes.readUIntBE(at + 5, 3);
    assert.ok(length >= head && at + length <= bytes.length, `AVP Length ${length}`);
    assert.equal(flags & 0x1f, 0, 'reserved AVP bits');
    const vendor = flags & V ? bytes.readUInt32BE(at + 8) : 0;
    if (flags & V) assert.notEqual(vendor, 0, 'V bit with vendor 0');
    const end = at + Math.ceil(length / 4) * 4;
    assert.ok(end <= bytes.length, 'padding');
    for (const octet of bytes.subarray(at + length, end)) assert.equal(octet, 0, 'padding octet');
    avps.push({
      code: bytes.readUInt32BE(at),
      flags,
      vendor,
      data: bytes.subarray(at + head, at + length),
      bytes: bytes.subarray(at, at + length),
    });
    at = end;
  }
  return avps;
}

/** The data of the only AVP of that code; fails when there is none or a second one. */
export function only(from: Parsed | readonly ParsedAVP[], code: number): Buffer {
  const found = all(from, code);
  assert.equal(found.length, 1, `${found.length} AVPs ${code}`);
  return found[0]!;
}

export function all(from: Parsed | readonly ParsedAVP[], code: number): Buffer[] {
  const avps = 'avps' in from ? from.avps : from;
  return avps.filter((avp) => avp.code === code).map((avp) => avp.data);
}

export function resultCode(answer: Parsed): number {
  return only(answer, 268).readUInt32BE();
}

/** A socket that sends bytes and hands out what comes back, frame by frame. */
export class RawPeer {
  readonly socket: Socket;
  /** Resolves when the connection is over; `reset` when it ended with RST. */
  readonly closed: Promise<{ reset: boolean }>;
  #bytes = Buffer.alloc(0);
  #reset = false;
  #ended = false;
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#wake();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#reset = error.code === 'ECONNRESET' || error.code === 'EPIPE';
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#ended = true;
        this.#wake();
        resolve({ reset: this.#reset });
      });
    });
  }

  static async connect(port: number, host = '127.0.0.1'): Promise<RawPeer> {
    const socket = connect({ port, host, noDelay: true });
    await once(socket, 'connect');
    return new RawPeer(socket);
  }

  send(...bytes: Buffer[]): void {
    this.socket.write(bytes.length === 1 ? bytes[0]! : Buffer.concat(bytes));
  }

  /** The next message, or undefined once the connection is over. */
  async next(): Promise<Parsed | undefined> {
    for (;;) {
      if (this.#bytes.length >= 4) {
        const length = this.#bytes.readUIntBE(1, 3);
        if (this.#bytes.length >= length) {
          const frame = this.#bytes.subarray(0, length);
          this.#bytes = this.#bytes.subarray(length);
          return parse(frame);
        }
      }
      if (this.#ended) {
        assert.equal(this.#bytes.length, 0, 'half a message at the end');
        return undefined;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** The next message, which must come. */
  async receive(): Promise<Parsed> {
    const received = await this.next();
    assert.ok(received, 'the connection ended instead of a message');
    return received;
  }

  async exchange(...bytes: Buffer[]): Promise<Parsed> {
    this.send(...bytes);
    return this.receive();
  }

  end(): void {
    this.socket.destroy();
  }
}
