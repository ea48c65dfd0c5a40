/**
 * The network's side of the connections: each request goes to some worker; one that is lost with
 * its worker goes out again with the T flag, on another connection (RFC 8506 5.7, RFC 6733 5.5.4).
 * Now and then a copy is sent that nobody asked for: its answer must be the same, octet by octet.
 */
import { setTimeout as after } from 'node:timers/promises';
import { DiameterClient, Disconnected } from '../../src/trace/client.ts';
import type { Chance } from './random.ts';

const TOO_BUSY = 3004;
const T_FLAG = 0x10;
const FLAGS_AT = 4;

export interface Sent {
  answer: Buffer;
  /** Copies that were sent beside it, on purpose or because an answer was lost. */
  copies: number;
}

export class Gateways {
  copies = 0;
  resent = 0;
  /** Answers to copies that were not the answer to the request. */
  readonly contradictions: string[] = [];
  readonly #host: string;
  readonly #ports: () => readonly number[];
  readonly #clients = new Map<number, Promise<DiameterClient>>();
  #turn = 0;

  /** `ports` are those of the workers that are alive. */
  constructor(host: string, ports: () => readonly number[]) {
    this.#host = host;
    this.#ports = ports;
  }

  /** Sends a request until it is answered. Deliberate copies come at the likelihood given. */
  async send(request: Buffer, chance: Chance, copies = 0): Promise<Buffer> {
    const answer = this.#until(request);
    const early = chance.hits(copies) ? this.#until(marked(request)) : undefined;
    const first = await answer;
    if (early !== undefined) this.#compare(request, first, await early);
    if (chance.hits(copies)) this.#compare(request, first, await this.#until(marked(request)));
    return first;
  }

  async #until(request: Buffer): Promise<Buffer> {
    for (let bytes = request, wait = 1; ; bytes = marked(request), wait = Math.min(50, wait * 2)) {
      try {
        const client = await this.#client();
        const answer = Buffer.from(await client.send(Buffer.from(bytes)));
        if (resultCodeOf(answer) !== TOO_BUSY) return answer;
      } catch (error) {
        if (!(error instanceof Disconnected) && !isRefused(error)) throw error;
      }
      this.resent++;
      await after(wait);
    }
  }

  #compare(request: Buffer, first: Buffer, copy: Buffer): void {
    this.copies++;
    if (withoutHopByHop(first).equals(withoutHopByHop(copy))) return;
    this.contradictions.push(
      [request, first, copy].map((bytes) => bytes.toString('hex')).join('\n'),
    );
  }

  async #client(): Promise<DiameterClient> {
    const ports = this.#ports();
    const port = ports[this.#turn++ % ports.length];
    if (port === undefined) throw new Disconnected('no worker is alive');
    const known = this.#clients.get(port);
    if (known !== undefined && (await known).open) return known;
    const client = DiameterClient.connect({
      ...{ host: this.#host, port, originHost: 'gw.example', originRealm: 'example' },
      maxOutstanding: 100_000,
    });
    this.#clients.set(port, client);
    client.catch(() => this.#clients.delete(port));
    return client;
  }

  async close(): Promise<void> {
    for (const client of this.#clients.values()) (await client.catch(() => undefined))?.destroy();
  }
}

function marked(request: Buffer): Buffer {
  const copy = Buffer.from(request);
  copy[FLAGS_AT] = copy[FLAGS_AT]! | T_FLAG;
  return copy;
}

function withoutHopByHop(answer: Buffer): Buffer {
  const copy = Buffer.from(answer);
  copy.fill(0, 12, 16);
  return copy;
}

const isRefused = (error: unknown): boolean =>
  error instanceof Error && error.name === 'ConnectFailed';

/** The Result-Code of an answer, found by walking its AVPs. */
export function resultCodeOf(answer: Buffer): number {
  for (let at = 20; at + 8 <= answer.length; ) {
    const length = answer.readUIntBE(at + 5, 3);
    if (answer.readUInt32BE(at) === 268) return answer.readUInt32BE(at + 8);
    at += (length + 3) & ~3;
  }
  return 0;
}
