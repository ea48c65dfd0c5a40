/**
 * The definitions of the accounts that were read last. An account may have thousands of subscribers;
 * whoever decides on it needs its counters every time, and its definition once a version. So the
 * scripts leave out a definition that their caller knows, and it is put back here.
 */
import type { Account, AccountDefinition } from '../../charging/account.ts';
import { accountFromHash, countersFromHash } from './account-hash.ts';
import type { Reply } from './script-call.ts';

/** Definitions kept: as many as a worker keeps accounts. */
const CAPACITY = 50_000;

interface Known {
  /** A version says which definition it is only within its epoch: a failover may lose some. */
  epoch: number;
  version: number;
  definition: AccountDefinition;
}

export class Definitions {
  readonly #known = new Map<string, Known>();

  /** The version of an account that is known, for a script to leave out its definition, or ''. */
  versionOf(name: string): number | '' {
    return this.#known.get(name)?.version ?? '';
  }

  /**
   * What a script replied of an account as of `epoch`: all of its hash, or its version and counters,
   * or neither when there is no such account. `unknown`: the definition that was left out is not
   * known here.
   */
  read(
    name: string,
    epoch: number,
    { whole, counters }: { whole: readonly Reply[]; counters: readonly Reply[] },
  ): Account | undefined | 'unknown' {
    if (counters.length === 0) return this.#learn(name, epoch, accountFromHash(whole));
    const found = countersFromHash(counters);
    const known = this.#known.get(name);
    if (known?.epoch === epoch && known.version === found.version)
      return { definition: known.definition, ...found };
    this.#known.delete(name);
    return 'unknown';
  }

  #learn(name: string, epoch: number, account: Account | undefined): Account | undefined {
    this.#known.delete(name);
    if (account === undefined) return undefined;
    const [oldest] = this.#known.keys();
    if (this.#known.size >= CAPACITY && oldest !== undefined) this.#known.delete(oldest);
    const { version, definition } = account;
    this.#known.set(name, { epoch, version, definition });
    return account;
  }
}
