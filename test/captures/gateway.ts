/** The gateway of a capture, connected to two workers at once, and what it was answered. */
import { DiameterClient } from '../../src/trace/client.ts';
import { systemClock } from '../../src/trace/clock.ts';
import { markRetransmitted, Renewal } from '../../src/trace/renewal.ts';
import type { TraceEntry } from '../../src/trace/trace-file.ts';
import type { Stall } from './market.ts';
import { type Asked, readAsked } from './reading.ts';
import { type Passed, Tap } from './wire.ts';

/** A request and its copies, as they were sent, each with its answer. */
export interface Exchange {
  asked: Asked;
  requests: Buffer[];
  answers: Buffer[];
  /** Points in the order of all that happened: the first was sent, the first was answered. */
  sentAt: number;
  answeredAt: number;
}

let happened = 0;

export class Gateway {
  readonly stall: Stall;
  /** In the order of sending. */
  readonly exchanges: Exchange[] = [];
  readonly #taps: Tap[];
  readonly #clients: DiameterClient[];
  readonly #renewal: Renewal;

  static async open(
    stall: Stall,
    to: { ports: readonly number[]; passed: Passed[]; origin: NonNullable<Stall['origin']> },
  ): Promise<Gateway> {
    const taps = await Promise.all(to.ports.map((port) => Tap.open(port, to.passed)));
    const origin = stall.origin ?? to.origin;
    const clients = await Promise.all(
      taps.map(({ port }) => DiameterClient.connect({ host: '127.0.0.1', port, ...origin })),
    );
    return new Gateway(stall, taps, clients);
  }

  private constructor(stall: Stall, taps: Tap[], clients: DiameterClient[]) {
    this.stall = stall;
    this.#taps = taps;
    this.#clients = clients;
    this.#renewal = new Renewal({
      run: stall.tenant,
      renumber: false,
      clock: systemClock,
      ...(stall.origin ?? {}),
    });
  }

  /**
   * Sends a request to a worker and resolves when it is answered. With `copy`, the same octets go
   * to the other worker with the T flag: at once, or after the answer.
   */
  async ask(entry: TraceEntry, worker: number, copy?: 'at once' | 'after'): Promise<Exchange> {
    const client = this.#clients[worker % 2]!;
    const request = this.#renewal.renew(entry, 0, client.server);
    const exchange: Exchange = {
      asked: readAsked(request, this.stall.digits),
      ...{ requests: [], answers: [], sentAt: happened++, answeredAt: Number.POSITIVE_INFINITY },
    };
    this.exchanges.push(exchange);
    const first = this.#send(exchange, request, client);
    if (copy === 'after') await first;
    if (copy !== undefined) {
      const again = Buffer.from(request);
      markRetransmitted(again);
      await this.#send(exchange, again, this.#clients[(worker + 1) % 2]!);
    }
    await first;
    return exchange;
  }

  async #send(exchange: Exchange, request: Buffer, client: DiameterClient): Promise<void> {
    const index = exchange.requests.push(request) - 1;
    exchange.answers[index] = Buffer.from(await client.send(request));
    exchange.answeredAt = Math.min(exchange.answeredAt, happened++);
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.disconnect()));
    await Promise.all(this.#taps.map((tap) => tap.close()));
  }
}
