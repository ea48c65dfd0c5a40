/**
 * Which workers serve by the configuration that the store has. Each says which one it took, by its
 * stamp, beside its leases in the store; whoever changed something waits until all that live have
 * it. Nothing depends on it: a worker that cannot say so serves by the configuration all the same.
 */
import { setTimeout as realPause } from 'node:timers/promises';
import { type Store, StoreUnavailable } from '../store/store.ts';
import type { ConfigurationSource } from './live.ts';

/** What a worker announces: this, its name, a slash and the stamp, which has none. */
const PREFIX = 'configuration/';

/** How often whoever waits looks, in ms; workers look for changes less often. */
const LOOK_MS = 50;

/** How long a change is waited for by default, in ms: twice of what workers need at most. */
export const IN_EFFECT_MS = 2_000;

export interface InEffect {
  /** How many workers live; one that died counts until its lease is over. */
  workers: number;
  /** The names of those that do not serve by it as a whole. */
  without: string[];
}

/** Says what one worker serves by: at first, with each change, and again well within the lease. */
export class TakenConfiguration {
  readonly #store: Pick<Store, 'announce'>;
  readonly #worker: string;
  readonly #ttlMs: number;
  readonly #source: ConfigurationSource & { readonly untaken: readonly string[] };
  #announced: string | undefined;
  #last: Promise<void> = Promise.resolve();

  constructor(
    store: Pick<Store, 'announce'>,
    of: {
      worker: string;
      ttlMs: number;
      source: ConfigurationSource & { readonly untaken: readonly string[] };
    },
  ) {
    this.#store = store;
    this.#worker = of.worker;
    this.#ttlMs = of.ttlMs;
    this.#source = of.source;
  }

  /** Throws StoreUnavailable. */
  announce(): Promise<void> {
    return this.#afterwards(async () => {
      const { current, untaken } = this.#source;
      const stamp = untaken.length === 0 ? current.stamp : '';
      const name = `${PREFIX}${this.#worker}/${stamp}`;
      const before = this.#announced;
      // The new one first: a worker that lives is always found.
      await this.#store.announce(name, this.#ttlMs);
      if (before !== undefined && before !== name) await this.#store.announce(before, 0);
      this.#announced = name;
    });
  }

  /** Throws StoreUnavailable. */
  leave(): Promise<void> {
    return this.#afterwards(async () => {
      if (this.#announced !== undefined) await this.#store.announce(this.#announced, 0);
    });
  }

  /** One after the other: the last word is the newest. */
  #afterwards(task: () => Promise<void>): Promise<void> {
    const done = this.#last.then(task);
    this.#last = done.catch(() => undefined);
    return done;
  }
}

/**
 * Waits until all workers serve by what the store has, for `waitMs` at most; says how it is then.
 * Undefined: the store could not be asked.
 */
export async function whenInEffect(
  store: Pick<Store, 'announce' | 'configurationStamp'>,
  {
    waitMs = IN_EFFECT_MS,
    clock = () => performance.now(),
    pause = (ms) => realPause(ms),
  }: { waitMs?: number; clock?: () => number; pause?: (ms: number) => Promise<unknown> } = {},
): Promise<InEffect | undefined> {
  const until = clock() + waitMs;
  try {
    for (;;) {
      const now = await inEffect(store);
      if (now.without.length === 0 || clock() + LOOK_MS > until) return now;
      await pause(LOOK_MS);
    }
  } catch (error) {
    if (error instanceof StoreUnavailable) return undefined;
    throw error;
  }
}

async function inEffect(store: Pick<Store, 'announce' | 'configurationStamp'>): Promise<InEffect> {
  const stamp = await store.configurationStamp();
  // To take away what nobody announced is to ask for all that was.
  const all = await store.announce(PREFIX, 0);
  const has = new Map<string, boolean>();
  for (const name of all) {
    if (!name.startsWith(PREFIX)) continue;
    const slash = name.lastIndexOf('/');
    const worker = name.slice(PREFIX.length, slash);
    has.set(worker, has.get(worker) === true || name.slice(slash + 1) === stamp);
  }
  const without = [...has].filter(([, isTaken]) => !isTaken).map(([worker]) => worker);
  return { workers: has.size, without };
}
