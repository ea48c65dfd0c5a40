/**
 * Which worker has an open connection to which peer, as leases that end by themselves when a worker
 * dies. A stale one costs a request of ours a delay, nothing else.
 */
import type { Store } from '../store/store.ts';

export class HeldPeers {
  readonly #store: Store;
  readonly #worker: string;
  readonly #ttlMs: number;
  /** Open connections by peer. */
  readonly #held = new Map<string, number>();
  readonly #failed: (error: unknown) => void;

  /** `failed` is told of a lease that could not be written; `renew` makes good for it. */
  constructor(
    store: Store,
    { worker, ttlMs, failed }: { worker: string; ttlMs: number; failed: (error: unknown) => void },
  ) {
    this.#store = store;
    this.#worker = worker;
    this.#ttlMs = ttlMs;
    this.#failed = failed;
  }

  /** A connection to this peer is open now. */
  async opened(host: string): Promise<void> {
    const name = peerName(host);
    this.#held.set(name, (this.#held.get(name) ?? 0) + 1);
    await this.#lease(name, this.#ttlMs);
  }

  /** A connection to this peer is no more. */
  async closed(host: string): Promise<void> {
    const name = peerName(host);
    const left = (this.#held.get(name) ?? 0) - 1;
    if (left > 0) {
      this.#held.set(name, left);
      return;
    }
    if (this.#held.delete(name)) await this.#lease(name, 0);
  }

  /** To be repeated well within the time to live. */
  async renew(): Promise<void> {
    for (const name of this.#held.keys()) await this.#lease(name, this.#ttlMs);
  }

  /** Gives all leases up: nobody is to send anything this way any more. */
  async leave(): Promise<void> {
    const names = [...this.#held.keys()];
    this.#held.clear();
    for (const name of names) await this.#lease(name, 0);
  }

  /** The other workers that hold a peer. */
  async others(host: string): Promise<string[]> {
    const holders = await this.#store.holdersOf(peerName(host));
    return holders.filter((worker) => worker !== this.#worker);
  }

  async #lease(name: string, ttlMs: number): Promise<void> {
    try {
      await this.#store.holdPeer(name, this.#worker, ttlMs);
    } catch (error) {
      this.#failed(error);
    }
  }
}

/** A DiameterIdentity in the one spelling that leases use (RFC 6733 4.3.1: case is ignored). */
const peerName = (host: string): string => host.toLowerCase();
