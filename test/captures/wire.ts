/**
 * What goes over the wire between a gateway and a worker, kept: a tap that passes octets on, and a
 * capture file of them (the pcap format of libpcap, link type 101: raw IP) for others to judge.
 */
import { writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** `opened`: its connection begins here, and has no octets yet. */
interface Passed {
  connection: number;
  way: 'opened' | 'asked' | 'answered';
  atUs: number;
  octets: Buffer;
}

export class Tap {
  readonly #passed: Passed[];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  /** Listens for connections and passes them on to `port`. */
  static async open(port: number, passed: Passed[]): Promise<Tap> {
    const tap = new Tap(port, passed);
    await new Promise<void>((resolve) => tap.#server.listen(0, '127.0.0.1', resolve));
    return tap;
  }

  private constructor(port: number, passed: Passed[]) {
    this.#passed = passed;
    this.#server = createServer((gateway) => {
      const worker = connect({ host: '127.0.0.1', port, noDelay: true });
      gateway.setNoDelay(true);
      const connection = this.#passed.length;
      const keep = (way: Passed['way'], octets: Buffer) =>
        this.#passed.push({ connection, way, atUs: Date.now() * 1000, octets });
      keep('opened', Buffer.alloc(0));
      for (const [from, to, way] of [
        [gateway, worker, 'asked'],
        [worker, gateway, 'answered'],
      ] as const) {
        this.#sockets.add(from);
        from.on('data', (octets) => {
          keep(way, octets);
          to.write(octets);
        });
        from.on('end', () => to.end());
        from.on('error', () => to.destroy());
        from.on('close', () => this.#sockets.delete(from));
      }
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** The side that answers, in the capture. */
export const WORKER = '10.0.0.2';
const addresses = { asked: [10, 0, 0, 1], answered: [10, 0, 0, 2] };
const DIAMETER_PORT = 3868;
const SYN = 0x02;
const PUSH = 0x08;
const ACK = 0x10;
/** An IP packet's length is a number of 16 bits; a segment stays well below. */
const SEGMENT = 32_000;

export function writePcap(file: string, passed: readonly Passed[]): void {
  const head = Buffer.alloc(24);
  head.writeUInt32LE(0xa1b2c3d4, 0);
  head.writeUInt16LE(2, 4);
  head.writeUInt16LE(4, 6);
  head.writeUInt32LE(0x40000, 16);
  head.writeUInt32LE(101, 20);
  const ports = new Map<number, number>();
  const sent = new Map<string, number>();
  const packets: Buffer[] = [head];
  for (const { connection, way, atUs, octets } of passed) {
    if (way === 'opened') ports.set(connection, 20_000 + ports.size);
    const gatewayPort = ports.get(connection) ?? 0;
    const packet = (from: 'asked' | 'answered', flags: number, data: Buffer) => {
      const [mine, theirs] = [`${connection} asked`, `${connection} answered`];
      const [own, other] = from === 'asked' ? [mine, theirs] : [theirs, mine];
      const sequence = sent.get(own) ?? 0;
      sent.set(own, sequence + data.length + ((flags & SYN) === 0 ? 0 : 1));
      const tcp = Buffer.alloc(20);
      tcp.writeUInt16BE(from === 'asked' ? gatewayPort : DIAMETER_PORT, 0);
      tcp.writeUInt16BE(from === 'asked' ? DIAMETER_PORT : gatewayPort, 2);
      tcp.writeUInt32BE(sequence, 4);
      tcp.writeUInt32BE((flags & ACK) === 0 ? 0 : (sent.get(other) ?? 0), 8);
      tcp.writeUInt16BE((5 << 12) | flags, 12);
      tcp.writeUInt16BE(0xffff, 14);
      packets.push(...record(atUs, from, Buffer.concat([tcp, data])));
    };
    if (way === 'opened') {
      packet('asked', SYN, octets);
      packet('answered', SYN | ACK, octets);
      packet('asked', ACK, octets);
    } else
      for (let at = 0; at < octets.length; at += SEGMENT)
        packet(way, PUSH | ACK, octets.subarray(at, at + SEGMENT));
  }
  writeFileSync(file, Buffer.concat(packets));
}

function record(atUs: number, from: 'asked' | 'answered', tcp: Buffer): Buffer[] {
  const ip = Buffer.alloc(20);
  ip[0] = 0x45;
  ip.writeUInt16BE(20 + tcp.length, 2);
  ip[8] = 64;
  ip[9] = 6;
  Buffer.from(addresses[from]).copy(ip, 12);
  Buffer.from(addresses[from === 'asked' ? 'answered' : 'asked']).copy(ip, 16);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(Math.floor(atUs / 1_000_000), 0);
  head.writeUInt32LE(atUs % 1_000_000, 4);
  head.writeUInt32LE(ip.length + tcp.length, 8);
  head.writeUInt32LE(ip.length + tcp.length, 12);
  return [head, ip, tcp];
}

export type { Passed };
