/**
 * The configuration as a running process has it: read from the store at start, looked for again a
 * few times a second, and swapped as a whole. What cannot be compiled is not taken: the process goes
 * on with the last good one, and says so. Peers that it cannot serve are not taken either: it takes
 * all else with the peers that it had, and says so.
 *
 * A change is read and compiled in slices: the process answers its requests meanwhile, by the one
 * that it has.
 */
import { TollkeeperError } from '../errors.ts';
import type { ConfigurationStore, StoredConfiguration } from '../store/configuration.ts';
import { type CompiledStored, Compiler, Configuration } from './configuration.ts';
import type { Peers, Provisioning } from './provisioning.ts';
import { inSlices, type Work } from './work.ts';

/** How often a process looks for a change, in ms: a change is in effect everywhere within a second. */
export const CONFIGURATION_PASS_MS = 300;

/** Changes that one pass takes: the second came while the first was compiled. */
const ROUNDS = 2;

/** A configuration that may change; `current` is always a whole one. */
export interface ConfigurationSource {
  readonly current: Configuration;
  /** `listener` is called after each swap; the returned function ends that. */
  onChange(listener: (current: Configuration) => void): () => void;
}

export interface LiveEvents {
  /** Why this process cannot serve these peers, one sentence each; absent: it always can. */
  problems?(peers: Peers): readonly string[];
  /** What is to be worked out of one before it is in effect. */
  preparing?(configuration: Configuration): Work<void>;
  changed(configuration: Configuration): void;
  /** What the store has cannot be taken, or its peers; told once for each such configuration. */
  refused(problems: readonly string[]): void;
  /** The store could not be asked; told for each pass. */
  failed(error: unknown): void;
}

type ReadableStore = Pick<ConfigurationStore, 'configurationStamp' | 'readConfiguration'>;

export class LiveConfiguration implements ConfigurationSource {
  readonly #store: ReadableStore;
  readonly #events: LiveEvents;
  readonly #compiler: Compiler;
  readonly #listeners = new Set<(current: Configuration) => void>();
  #current: Configuration;
  #untaken: readonly string[];
  /** The stamp of what was read last, taken or not. */
  #seen: string;
  /** The pass that is under way or was the last. */
  #passing: Promise<boolean> = Promise.resolve(true);
  /** The one after it, for all who wait for it. */
  #next: Promise<boolean> | undefined;

  private constructor(
    store: ReadableStore,
    events: LiveEvents,
    first: { compiler: Compiler; configuration: Configuration; untaken: readonly string[] },
  ) {
    this.#store = store;
    this.#events = events;
    this.#compiler = first.compiler;
    this.#current = first.configuration;
    this.#untaken = first.untaken;
    this.#seen = first.configuration.stamp;
    if (first.untaken.length > 0) events.refused(first.untaken);
  }

  /**
   * Undefined: the store has none. Throws CONFIGURATION_INVALID where it cannot be compiled, and
   * PEERS_UNFIT where its peers cannot be served and there are no `lastPeers` to go on with.
   */
  static async open(
    store: ReadableStore,
    events: LiveEvents,
    lastPeers?: Peers,
  ): Promise<LiveConfiguration | undefined> {
    const stored = await store.readConfiguration();
    if (stored === undefined) return undefined;
    const compiler = new Compiler();
    const compiled = await inSlices(compiling(stored, { compiler, events }));
    if (!compiled.ok)
      throw new TollkeeperError('CONFIGURATION_INVALID', {
        problems: compiled.problems.join('; '),
      });
    const { configuration } = compiled;
    const untaken = unfitPeers(configuration, events);
    if (untaken.length === 0)
      return new LiveConfiguration(store, events, { compiler, configuration, untaken });
    if (lastPeers === undefined)
      throw new TollkeeperError('PEERS_UNFIT', { problems: untaken.join('; ') });
    const first = { compiler, configuration: configuration.withPeers(lastPeers), untaken };
    return new LiveConfiguration(store, events, first);
  }

  get current(): Configuration {
    return this.#current;
  }

  /** Why the newest configuration, or its peers, are not taken, one sentence each; empty: all is. */
  get untaken(): readonly string[] {
    return this.#untaken;
  }

  onChange(listener: (current: Configuration) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Looks for a change and takes it; false: the store could not be asked. Never rejects. One that is
   * called while another is under way looks after it: what was written before the call is found.
   */
  pass(): Promise<boolean> {
    this.#next ??= this.#passing.then(() => {
      this.#next = undefined;
      this.#passing = this.#look();
      return this.#passing;
    });
    return this.#next;
  }

  async #look(): Promise<boolean> {
    try {
      for (let round = 0; round < ROUNDS; round++) {
        if ((await this.#store.configurationStamp()) === this.#seen) return true;
        const stored = await this.#store.readConfiguration();
        if (stored?.stamp === this.#seen) return true;
        this.#seen = stored?.stamp ?? '';
        await this.#take(stored);
      }
      return true;
    } catch (error) {
      this.#events.failed(error);
      return false;
    }
  }

  async #take(stored: StoredConfiguration | undefined): Promise<void> {
    const compiled: CompiledStored =
      stored === undefined
        ? { ok: false, problems: ['the store has none any more'] }
        : await inSlices(compiling(stored, { compiler: this.#compiler, events: this.#events }));
    this.#untaken = compiled.ok
      ? unfitPeers(compiled.configuration, this.#events)
      : compiled.problems;
    const isWhole = this.#untaken.length === 0;
    if (!isWhole) this.#events.refused(this.#untaken);
    if (!compiled.ok) return;
    const { configuration } = compiled;
    const { peers } = this.#current.provisioning;
    this.#swap(isWhole ? configuration : configuration.withPeers(peers));
  }

  #swap(next: Configuration): void {
    this.#current = next;
    this.#events.changed(next);
    for (const listener of this.#listeners) listener(next);
  }
}

/** A defect in the compiler is no reason to look away from the next configuration. */
function* compiling(
  stored: StoredConfiguration,
  { compiler, events }: { compiler: Compiler; events: LiveEvents },
): Work<CompiledStored> {
  try {
    const compiled = yield* compiler.compiling(stored);
    if (compiled.ok && events.preparing !== undefined)
      yield* events.preparing(compiled.configuration);
    return compiled;
  } catch (error) {
    return { ok: false, problems: [`it cannot be compiled: ${String(error)}`] };
  }
}

const unfitPeers = ({ provisioning }: Configuration, { problems }: LiveEvents): readonly string[] =>
  problems?.(provisioning.peers) ?? [];

/** One that never changes, from what was provisioned elsewhere. */
export function fixedConfiguration(provisioning: Provisioning): ConfigurationSource {
  const names = { tenants: new Set<string>(), plans: [] };
  const written = { tenants: [] };
  const current = new Configuration({ version: 0, stamp: '', written, names, provisioning });
  return { current, onChange: () => () => undefined };
}
