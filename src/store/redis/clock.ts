/**
 * The server's clock without a round trip: this process's monotonic clock plus an offset that is
 * measured now and then.
 */
import type { Redis } from 'ioredis';

export class ServerClock {
  #offsetMs = Date.now() - performance.now();
  #uncertaintyMs = Infinity;

  /** The server's time in whole ms, as far as is known. */
  now(): number {
    return Math.floor(performance.now() + this.#offsetMs);
  }

  /** By how much the server is ahead of this machine's clock, in ms. */
  aheadMs(): number {
    return performance.now() + this.#offsetMs - Date.now();
  }

  /** By how much `now` may be wrong, as of the last measurement, in ms. */
  get uncertaintyMs(): number {
    return this.#uncertaintyMs;
  }

  async measure(redis: Redis): Promise<void> {
    const sent = performance.now();
    const [seconds, microseconds] = await redis.time();
    const received = performance.now();
    const server = Number(seconds) * 1_000 + Number(microseconds) / 1_000;
    this.#offsetMs = server - (sent + received) / 2;
    this.#uncertaintyMs = (received - sent) / 2;
  }
}
