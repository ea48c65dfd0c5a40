// One connection of a replay: sends what is ready while there is room, connects again when the
// connection is lost and sends what had no answer once more, with the T flag (RFC 6733 5.5.4).
import type { DiameterClient } from './client.ts';
import type { Clock } from './clock.ts';
import { Fifo } from './fifo.ts';
import { markRetransmitted } from './renewal.ts';
import type { TraceEntry } from './trace-file.ts';

/** A request of a replay, on its way. */
export interface Pending {
  readonly entry: TraceEntry;
  readonly repetition: number;
  /** When it should go out: by the pace, or (closed loop) when there was room for it. */
  readonly dueAt: number;
  /** When its session let it go; later than `dueAt` if it had to wait for an answer. */
  readonly readyAt: number;
  /** What was sent. */
  message?: Buffer;
  sentAt?: number;
}

export interface LaneOptions {
  readonly connect: () => Promise<DiameterClient>;
  readonly clock: Clock;
  readonly timeoutMs: number;
  /** Whether one more request may be without an answer now. */
  readonly hasRoom: () => boolean;
  /** The bytes to send to the server that was connected to. */
  readonly prepare: (pending: Pending, server: DiameterClient['server']) => Buffer;
  readonly onSent: (pending: Pending, waitedForRoom: boolean) => void;
  readonly onAnswer: (pending: Pending, answer: Buffer) => void;
  /** Not answered within `timeoutMs` of sending, or not sent within it of being due. */
  readonly onExpired: (pending: Pending) => void;
  readonly onReconnect: () => void;
  readonly onResent: () => void;
}

const firstRetryMs = 50;
const lastRetryMs = 2000;

export class Lane {
  readonly #options: LaneOptions;
  readonly #ready = new Fifo<Pending>();
  readonly #inFlight = new Set<Pending>();
  #client: DiameterClient | undefined;
  #closing = false;
  #callOffRetry: () => void = () => {};

  constructor(options: LaneOptions) {
    this.#options = options;
  }

  get inFlight(): number {
    return this.#inFlight.size;
  }

  /** Throws `ConnectFailed`; only later losses are made good by connecting again. */
  async open(): Promise<void> {
    this.#use(await this.#options.connect());
  }

  offer(pending: Pending): void {
    const waited = this.#ready.length > 0;
    this.#ready.push(pending);
    this.#send(waited);
  }

  /** There is room again. */
  resume(): void {
    this.#send(true);
  }

  /** Gives up what has waited too long. To be called several times within `timeoutMs`. */
  expire(): void {
    const since = this.#options.clock.now() - this.#options.timeoutMs;
    for (const pending of this.#inFlight) {
      if (pending.sentAt! > since) break;
      this.#inFlight.delete(pending);
      this.#client?.abandon(pending.message!);
      this.#options.onExpired(pending);
    }
    for (;;) {
      const pending = this.#ready.peek();
      if (pending === undefined || (pending.sentAt ?? pending.dueAt) > since) break;
      this.#ready.shift();
      this.#options.onExpired(pending);
    }
  }

  async close(): Promise<void> {
    this.#closing = true;
    this.#callOffRetry();
    await this.#client?.disconnect();
  }

  #use(client: DiameterClient): void {
    this.#client = client;
    client.closed.then(() => this.#lost());
    this.#send(true);
  }

  #send(waitedForRoom: boolean): void {
    while (this.#client?.open && this.#ready.length > 0 && this.#options.hasRoom()) {
      this.#transmit(this.#ready.shift()!, this.#client, waitedForRoom);
    }
  }

  #transmit(pending: Pending, client: DiameterClient, waitedForRoom: boolean): void {
    if (pending.message === undefined) {
      pending.message = this.#options.prepare(pending, client.server);
      pending.sentAt = this.#options.clock.now();
      this.#options.onSent(pending, waitedForRoom);
    } else {
      markRetransmitted(pending.message);
      this.#options.onResent();
    }
    this.#inFlight.add(pending);
    client.send(pending.message).then(
      (answer) => {
        if (this.#inFlight.delete(pending)) this.#options.onAnswer(pending, answer);
      },
      // The loss of the connection is seen by #lost, which keeps the order of sending.
      () => undefined,
    );
  }

  #lost(): void {
    this.#client = undefined;
    for (const pending of [...this.#inFlight].reverse()) this.#ready.putBack(pending);
    this.#inFlight.clear();
    if (!this.#closing) this.#reconnect(firstRetryMs);
  }

  async #reconnect(retryMs: number): Promise<void> {
    try {
      const client = await this.#options.connect();
      if (this.#closing) return client.destroy();
      this.#options.onReconnect();
      this.#use(client);
    } catch {
      if (this.#closing) return;
      const next = Math.min(2 * retryMs, lastRetryMs);
      this.#callOffRetry = this.#options.clock.after(retryMs, () => this.#reconnect(next));
    }
  }
}
