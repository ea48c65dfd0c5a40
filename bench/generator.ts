/**
 * The generator process: a closed loop of many sessions at once over one or several connections,
 * each with one request outstanding. It makes no objects per request, so that it takes a fraction
 * of the CPU time that a worker takes, and tells how much that was: at a whole core it would be
 * what is measured.
 */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { encode } from '../src/diameter/encode.ts';
import { Framer } from '../src/diameter/framer.ts';
import { answerParent, cpuUs } from './child.ts';
import { GATEWAY, type RequestType, Traffic } from './traffic.ts';

export type GeneratorQuestion =
  | { ask: 'connect'; ports: readonly number[]; run: number; accounts: number }
  /** Runs until the time is over; sessions go on where the last run left them. */
  | { ask: 'run'; ms: number; outstanding: number; shape: Shape };

export interface Shape {
  /** Requests of a session, the initial and the termination among them. */
  length: number;
  /** `spread`: a session's requests go to all connections in turn; `sticky`: to one. */
  workers: 'sticky' | 'spread';
  /** Ends the run after this many sessions, counted over all runs, instead of by time. */
  sessions?: number;
  /** Sends no terminations. */
  leaveOpen?: boolean;
}

export interface GeneratorReply {
  answers: number;
  /** Of these, answers other than 2001; their sessions are given up. */
  refused: number;
  seconds: number;
  cpuUs: number;
  p50: number;
  p99: number;
}

const SUCCESS = 2001;
const RESULT_CODE = 268;
const CHUNK_BYTES = 262_144;
const MAX_LATENCIES = 4_000_000;

/** A session under way. */
interface Lane {
  session: number;
  number: number;
  sentAt: number;
}

class Generator {
  readonly #sockets: Socket[] = [];
  readonly #traffic: Traffic;
  readonly #lanes: Lane[] = [];
  readonly #latencies = new Float64Array(MAX_LATENCIES);
  #chunks: Buffer[] = [];
  #used: number[] = [];
  #sessions = 0;
  #answers = 0;
  #refused = 0;
  #endToEnd = 0;
  #outstanding = 0;
  #until = 0;
  #shape: Shape = { length: 10, workers: 'sticky' };
  #finished: (error?: Error) => void = () => undefined;

  constructor(run: { run: number; accounts: number }) {
    this.#traffic = new Traffic(run);
  }

  async connect(ports: readonly number[]): Promise<void> {
    for (const port of ports) {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      await once(socket, 'connect');
      const framer = new Framer((frame) => this.#receive(frame));
      const opened = new Promise<void>((resolve) => {
        this.#finished = () => resolve();
      });
      socket.on('data', (chunk) => {
        framer.push(chunk);
        this.#flush();
      });
      socket.on('close', () => this.#finished(new Error('the worker closed the connection')));
      this.#sockets.push(socket);
      this.#chunks.push(Buffer.allocUnsafe(CHUNK_BYTES));
      this.#used.push(0);
      socket.write(capabilities());
      await opened;
    }
  }

  async run(ms: number, outstanding: number, shape: Shape): Promise<GeneratorReply> {
    this.#shape = shape;
    this.#answers = 0;
    this.#refused = 0;
    const cpu = cpuUs();
    const startedAt = performance.now();
    this.#until = startedAt + ms;
    await new Promise<void>((resolve, reject) => {
      this.#finished = (error) => (error === undefined ? resolve() : reject(error));
      for (let lane = 0; lane < outstanding; lane += 1) {
        this.#lanes[lane] ??= { session: this.#sessions++, number: 0, sentAt: 0 };
        this.#send(lane);
      }
      this.#flush();
    });
    const seconds = (performance.now() - startedAt) / 1000;
    const latencies = this.#latencies.subarray(0, Math.min(this.#answers, MAX_LATENCIES)).sort();
    return {
      answers: this.#answers,
      refused: this.#refused,
      seconds,
      cpuUs: cpuUs() - cpu,
      p50: latencies[latencies.length >> 1] ?? 0,
      p99: latencies[Math.floor(latencies.length * 0.99)] ?? 0,
    };
  }

  #send(index: number): void {
    const lane = this.#lanes[index]!;
    const { number, session } = lane;
    const to = (this.#shape.workers === 'spread' ? index + number : index) % this.#sockets.length;
    if (CHUNK_BYTES - this.#used[to]! < 4_096) this.#flush();
    this.#used[to] = this.#traffic.write(
      this.#chunks[to]!,
      this.#used[to]!,
      { session, number, type: this.#typeOf(number) },
      { hopByHop: index, endToEnd: ++this.#endToEnd },
    );
    lane.sentAt = performance.now();
    this.#outstanding += 1;
  }

  #typeOf(number: number): RequestType {
    if (number === 0) return 'initial';
    return number === this.#shape.length - 1 ? 'termination' : 'update';
  }

  #receive(frame: Buffer): void {
    if ((frame[4]! & 0x80) !== 0) return;
    if (frame.readUIntBE(5, 3) === CAPABILITIES) {
      this.#finished();
      return;
    }
    const index = frame.readUInt32BE(12);
    const lane = this.#lanes[index]!;
    const now = performance.now();
    if (this.#answers < MAX_LATENCIES) this.#latencies[this.#answers] = now - lane.sentAt;
    this.#answers += 1;
    this.#outstanding -= 1;
    const success = resultCodeOf(frame) === SUCCESS;
    if (!success) this.#refused += 1;
    lane.number += 1;
    const { leaveOpen, length, sessions } = this.#shape;
    const over = !success || lane.number === (leaveOpen ? length - 1 : length);
    if (over) {
      lane.session = this.#sessions++;
      lane.number = 0;
    }
    const go = sessions === undefined ? now < this.#until : lane.session < sessions;
    if (go) this.#send(index);
    else if (this.#outstanding === 0) this.#finished();
  }

  #flush(): void {
    for (let to = 0; to < this.#sockets.length; to += 1) {
      if (this.#used[to] === 0) continue;
      this.#sockets[to]!.write(this.#chunks[to]!.subarray(0, this.#used[to]));
      // The socket may still read what it was given.
      this.#chunks[to] = Buffer.allocUnsafe(CHUNK_BYTES);
      this.#used[to] = 0;
    }
  }
}

const CAPABILITIES = 257;

function capabilities(): Buffer {
  return encode(
    'CER',
    { applicationId: 0, hopByHop: 0, endToEnd: 0 },
    {
      'Origin-Host': GATEWAY.host,
      'Origin-Realm': GATEWAY.realm,
      'Host-IP-Address': [{ family: 1, address: '127.0.0.1' }],
      'Vendor-Id': 0,
      'Product-Name': 'benchmark',
      'Auth-Application-Id': [4],
    },
  );
}

/** The first Result-Code at the top of an answer; 0: there is none. */
function resultCodeOf(frame: Buffer): number {
  for (let at = 20; at + 12 <= frame.length; ) {
    if (frame.readUInt32BE(at) === RESULT_CODE) return frame.readUInt32BE(at + 8);
    at += (frame.readUIntBE(at + 5, 3) + 3) & ~3;
  }
  return 0;
}

let generator: Generator | undefined;
answerParent(async (question: GeneratorQuestion): Promise<GeneratorReply | undefined> => {
  if (question.ask === 'connect') {
    generator = new Generator(question);
    await generator.connect(question.ports);
    return undefined;
  }
  return await generator!.run(question.ms, question.outstanding, question.shape);
});
