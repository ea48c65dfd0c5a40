/**
 * Which processes of a kind are alive, and so which partitions this one looks after (rendezvous
 * hashing). It keeps them from all asking for everything; leases and commits, not this, decide who
 * may do what.
 */
import type { Store } from '../store/store.ts';

/** `timers` are looked after by workers, `records` by whoever writes record files. */
export type Duty = 'timers' | 'records';

export class Membership {
  readonly #store: Store;
  readonly #duty: Duty;
  readonly #name: string;
  readonly #ttlMs: number;
  #live: readonly string[] = [];
  #owners: readonly (string | undefined)[] = [];

  /** `name` is unique among those that share the store and the duty. */
  constructor(store: Store, { duty, name, ttlMs }: { duty: Duty; name: string; ttlMs: number }) {
    this.#store = store;
    this.#duty = duty;
    this.#name = `${duty}/${name}`;
    this.#ttlMs = ttlMs;
  }

  /** Whether this process looks after `partition`; nobody does before the first announcement. */
  mine(partition: number): boolean {
    return this.#owners[partition] === this.#name;
  }

  /** To be repeated well within the time to live. */
  async announce(): Promise<void> {
    const all = await this.#store.announce(this.#name, this.#ttlMs);
    const live = all.filter((name) => name.startsWith(`${this.#duty}/`));
    if (live.join() === this.#live.join()) return;
    this.#live = live;
    this.#owners = Array.from({ length: this.#store.partitions }, (_, one) => ownerOf(one, live));
  }

  async leave(): Promise<void> {
    await this.#store.announce(this.#name, 0);
  }
}

/** Which of `members` looks after `partition`: the one with the highest hash. */
export function ownerOf(partition: number, members: readonly string[]): string | undefined {
  let owner: string | undefined;
  let highest = -1;
  for (const member of members) {
    const weight = weigh(`${member}/${partition}`);
    if (weight > highest) {
      highest = weight;
      owner = member;
    }
  }
  return owner;
}

function weigh(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
