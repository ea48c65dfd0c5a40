/**
 * Calls to the store for one request, each repeated until it is answered or the request's deadline
 * comes. Only calls that may be repeated go through here: a commit that was applied finds what it
 * did when it is sent again.
 */
import { StoreUnavailable } from '../store/store.ts';

/** The pause before the first repetition and the longest one, in ms. */
const FIRST_WAIT_MS = 5;
const LONGEST_WAIT_MS = 100;

export interface CallOptions {
  /** Monotonic milliseconds, the clock of deadlines. */
  clock(): number;
  /** Resolves after `ms`: the pause between attempts to reach a store that is away. */
  pause(ms: number): Promise<void>;
}

export class Calls {
  /** Round trips so far. */
  trips = 0;
  readonly #options: CallOptions;
  readonly #deadline: number;

  /** `deadline` is in ms of the clock in `options`. */
  constructor(options: CallOptions, deadline: number) {
    this.#options = options;
    this.#deadline = deadline;
  }

  /** Milliseconds until the deadline; 0 or less: it is over. */
  get left(): number {
    return this.#deadline - this.#options.clock();
  }

  /** Calls until there is a reply; past the deadline throws the StoreUnavailable of the last try. */
  async one<Reply>(send: () => Promise<Reply>): Promise<Reply> {
    let wait = FIRST_WAIT_MS;
    for (;;) {
      this.trips++;
      try {
        return await send();
      } catch (error) {
        if (!(error instanceof StoreUnavailable) || this.left <= wait) throw error;
      }
      await this.#options.pause(wait);
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }

  /** Two calls in one round trip; the second may be left out. */
  async both<First, Second>(
    first: () => Promise<First>,
    second: (() => Promise<Second>) | undefined,
  ): Promise<[First, Second | undefined]> {
    if (second === undefined) return [await this.one(first), undefined];
    const ahead = this.one(second);
    this.trips--;
    return Promise.all([this.one(first), ahead]);
  }
}
