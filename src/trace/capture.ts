// From a capture file to the Diameter messages in it, in the order in which they became complete,
// with time, direction and connection. Reads a stream once, in bounded memory, and never throws on
// what it reads: see `problems`.
import { unwrap } from './datagram.ts';
import { looksLikeHeader, MessageScanner } from './message-scanner.ts';
import { isPcap, type Packet, type PacketParser, PcapParser } from './pcap.ts';
import { isPcapng, PcapngParser } from './pcapng.ts';
import type { ProblemLog } from './problem.ts';
import { parseSctp, SctpStream } from './sctp.ts';
import { parseSegment, type Seen, TcpStream } from './tcp.ts';

export interface CapturedMessage {
  /** Microseconds since 1970, of the packet that completed the message. */
  readonly atUs: number;
  /** Bytes from the start of the file to that packet's record. */
  readonly offset: number;
  /** Counts the connections of this capture from 0; both directions of one share the number. */
  readonly connection: number;
  readonly transport: 'tcp' | 'sctp';
  /** `address:port` */
  readonly source: string;
  readonly destination: string;
  readonly bytes: Buffer;
}

/** More connections than this at once: the one that was silent longest is closed. */
const maxConnections = 4096;

interface Direction {
  readonly tcp: TcpStream;
  readonly scanner: MessageScanner;
  /** One a verification tag would be one an association; a new tag is a new association. */
  sctp: SctpStream;
  verificationTag: number | undefined;
}

interface Connection {
  readonly number: number;
  readonly directions: Map<string, Direction>;
}

interface Endpoints {
  readonly transport: 'tcp' | 'sctp';
  readonly source: string;
  readonly destination: string;
}

/** Whether a file that starts like this is a capture of either format. */
export function isCapture(start: Buffer): boolean {
  return isPcap(start) || isPcapng(start);
}

export class DiameterExtractor {
  readonly #emit: (message: CapturedMessage) => void;
  readonly #problems: ProblemLog;
  readonly #connections = new Map<string, Connection>();
  #connectionCount = 0;
  #last: Seen = { offset: 0, atUs: 0 };

  constructor(emit: (message: CapturedMessage) => void, problems: ProblemLog) {
    this.#emit = emit;
    this.#problems = problems;
  }

  packet(packet: Packet): void {
    this.#last = { offset: packet.offset, atUs: packet.atUs };
    const datagram = unwrap(packet);
    if (datagram.kind === 'other') return;
    if (datagram.kind === 'bad') {
      this.#problems.add(packet.offset, datagram.text);
      return;
    }
    const from = { source: datagram.source, destination: datagram.destination };
    if (datagram.protocol === 'sctp') {
      this.#sctp(from, datagram);
      return;
    }
    this.#tcp(from, datagram);
  }

  /** Delivers what still waits for missing bytes. */
  end(): void {
    for (const connection of this.#connections.values()) this.#close(connection);
    this.#connections.clear();
  }

  #tcp(hosts: { source: string; destination: string }, from: { payload: Buffer; cut: boolean }) {
    const segment = parseSegment(from.payload);
    if (segment === undefined) {
      this.#problems.add(this.#last.offset, 'a TCP header cut short');
      return;
    }
    const ends: Endpoints = {
      transport: 'tcp',
      source: endpoint(hosts.source, segment.sourcePort),
      destination: endpoint(hosts.destination, segment.destinationPort),
    };
    const connection = this.#connection(ends);
    this.#direction(connection, ends).tcp.push(segment, this.#last);
    if (segment.acknowledged !== undefined) {
      connection.directions.get(ends.destination)?.tcp.acknowledge(segment.acknowledged);
    }
    if (from.cut && segment.payload.length > 0) {
      this.#problems.add(this.#last.offset, 'a TCP segment cut short by the capture');
    }
    if (segment.reset) this.#forget(ends);
  }

  #sctp(hosts: { source: string; destination: string }, from: { payload: Buffer }) {
    const packet = parseSctp(from.payload);
    if (packet === undefined || packet.cut) {
      this.#problems.add(this.#last.offset, 'an SCTP packet cut short');
    }
    if (packet === undefined || packet.chunks.length === 0) return;
    const ends: Endpoints = {
      transport: 'sctp',
      source: endpoint(hosts.source, packet.sourcePort),
      destination: endpoint(hosts.destination, packet.destinationPort),
    };
    const connection = this.#connection(ends);
    const direction = this.#direction(connection, ends);
    if (direction.verificationTag !== packet.verificationTag) {
      direction.sctp = new SctpStream();
      direction.verificationTag = packet.verificationTag;
    }
    for (const chunk of packet.chunks) {
      const message = direction.sctp.push(chunk);
      if (message !== undefined) this.#sctpMessage({ message, connection, ends });
    }
  }

  #sctpMessage(from: { message: Buffer; connection: Connection; ends: Endpoints }): void {
    const { message, connection, ends } = from;
    // The payload protocol of Diameter is 46, but many stacks send 0: the header decides.
    if (message.length < 20 || !looksLikeHeader(message)) return;
    if (message.readUIntBE(1, 3) > message.length) {
      this.#problems.add(this.#last.offset, 'a Diameter message cut short');
      return;
    }
    const bytes = Buffer.from(message.subarray(0, message.readUIntBE(1, 3)));
    this.#emit({ ...this.#last, ...ends, connection: connection.number, bytes });
  }

  #connection(ends: Endpoints): Connection {
    const key = connectionKey(ends);
    const known = this.#connections.get(key);
    if (known !== undefined) {
      this.#connections.delete(key);
      this.#connections.set(key, known);
      return known;
    }
    const made: Connection = { number: this.#connectionCount, directions: new Map() };
    this.#connectionCount += 1;
    this.#connections.set(key, made);
    if (this.#connections.size > maxConnections) this.#closeOldest();
    return made;
  }

  #closeOldest(): void {
    for (const [key, connection] of this.#connections) {
      this.#close(connection);
      this.#connections.delete(key);
      return;
    }
  }

  #forget(ends: Endpoints): void {
    const key = connectionKey(ends);
    const connection = this.#connections.get(key);
    if (connection !== undefined) this.#close(connection);
    this.#connections.delete(key);
  }

  #close(connection: Connection): void {
    for (const direction of connection.directions.values()) {
      direction.tcp.flush();
      direction.scanner.end(this.#last);
      if (direction.sctp.unfinishedBytes > 0) {
        this.#problems.add(this.#last.offset, 'an SCTP message without all of its chunks');
      }
    }
  }

  #direction(connection: Connection, ends: Endpoints): Direction {
    const known = connection.directions.get(ends.source);
    if (known !== undefined) return known;
    const { number } = connection;
    const name = `${ends.source} to ${ends.destination}`;
    const scanner = new MessageScanner(
      (bytes, seen) => this.#emit({ ...seen, ...ends, connection: number, bytes }),
      (skipped, seen) =>
        this.#problems.add(seen.offset, `${name}: ${skipped} bytes not understood`),
    );
    const tcp = new TcpStream({
      bytes: (bytes, seen) => scanner.bytes(bytes, seen),
      gap: (missing, seen) => {
        if (scanner.messages > 0 && missing > 0) {
          this.#problems.add(seen.offset, `${name}: ${missing} bytes are not in the capture`);
        }
        scanner.gap(missing, seen);
      },
    });
    const made: Direction = {
      tcp,
      scanner,
      sctp: new SctpStream(),
      verificationTag: undefined,
    };
    connection.directions.set(ends.source, made);
    return made;
  }
}

function endpoint(address: string, port: number): string {
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
}

function connectionKey(ends: Endpoints): string {
  const [low, high] = [ends.source, ends.destination].sort();
  return `${ends.transport} ${low} ${high}`;
}

/** Reads the chunks of a capture file of either format. Problems go to `problems`. */
export async function* readCapture(
  chunks: AsyncIterable<Buffer>,
  problems: ProblemLog,
): AsyncGenerator<CapturedMessage> {
  let found: CapturedMessage[] = [];
  const extractor = new DiameterExtractor((message) => found.push(message), problems);
  let parser: PacketParser | undefined;
  let start: Buffer = Buffer.alloc(0);
  for await (const chunk of chunks) {
    start = parser === undefined ? Buffer.concat([start, chunk]) : chunk;
    if (parser === undefined && start.length < 4) continue;
    parser ??= isPcapng(start) ? new PcapngParser(problems) : new PcapParser(problems);
    parser.push(start, (packet) => extractor.packet(packet));
    yield* found;
    found = [];
  }
  if (parser === undefined) problems.add(0, 'not a capture file');
  parser?.end();
  extractor.end();
  yield* found;
}
