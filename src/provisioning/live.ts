/**
 * The configuration as a running process has it: read from the store at start, looked for again a
 * few times a second, and swapped as a whole. What cannot be compiled is not taken: the process goes
 * on with the last good one, and says so.
 */
import { TollkeeperError } from '../errors.ts';
import type { ConfigurationStore, StoredConfiguration } from '../store/configuration.ts';
import { Configuration, compileStored } from './configuration.ts';
import type { Provisioning } from './provisioning.ts';

/** How often a process looks for a change, in ms: a change is in effect everywhere within a second. */
export const CONFIGURATION_PASS_MS = 300;

/** A configuration that may change; `current` is always a whole one. */
export interface ConfigurationSource {
  readonly current: Configuration;
  /** `listener` is called after each swap; the returned function ends that. */
  onChange(listener: (current: Configuration) => void): () => void;
}

export interface LiveEvents {
  /** Why this process cannot take one that compiles, one sentence each; absent: it always can. */
  problems?(configuration: Configuration): readonly string[];
  changed(configuration: Configuration): void;
  /** What the store has cannot be taken; told once for each such configuration. */
  refused(problems: readonly string[]): void;
  /** The store could not be asked; told for each pass. */
  failed(error: unknown): void;
}

export class LiveConfiguration implements ConfigurationSource {
  readonly #store: Pick<ConfigurationStore, 'configurationStamp' | 'readConfiguration'>;
  readonly #events: LiveEvents;
  readonly #listeners = new Set<(current: Configuration) => void>();
  #current: Configuration;
  /** The stamp of what was read last, taken or not. */
  #seen: string;

  private constructor(
    store: Pick<ConfigurationStore, 'configurationStamp' | 'readConfiguration'>,
    events: LiveEvents,
    first: Configuration,
  ) {
    this.#store = store;
    this.#events = events;
    this.#current = first;
    this.#seen = first.stamp;
  }

  /** Undefined: the store has none. Throws CONFIGURATION_INVALID where it cannot be compiled. */
  static async open(
    store: Pick<ConfigurationStore, 'configurationStamp' | 'readConfiguration'>,
    events: LiveEvents,
  ): Promise<LiveConfiguration | undefined> {
    const stored = await store.readConfiguration();
    if (stored === undefined) return undefined;
    const first = taken(stored, events);
    if (!first.ok)
      throw new TollkeeperError('CONFIGURATION_INVALID', { problems: first.problems.join('; ') });
    return new LiveConfiguration(store, events, first.configuration);
  }

  get current(): Configuration {
    return this.#current;
  }

  onChange(listener: (current: Configuration) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Looks for a change and takes it; false: the store could not be asked. Never rejects. */
  async pass(): Promise<boolean> {
    try {
      if ((await this.#store.configurationStamp()) === this.#seen) return true;
      const stored = await this.#store.readConfiguration();
      if (stored?.stamp === this.#seen) return true;
      this.#seen = stored?.stamp ?? '';
      const next = taken(stored, this.#events);
      if (next.ok) this.#swap(next.configuration);
      else this.#events.refused(next.problems);
      return true;
    } catch (error) {
      this.#events.failed(error);
      return false;
    }
  }

  #swap(next: Configuration): void {
    this.#current = next;
    this.#events.changed(next);
    for (const listener of this.#listeners) listener(next);
  }
}

/** Compiled, and fit for this process. */
function taken(
  stored: StoredConfiguration | undefined,
  { problems }: LiveEvents,
): ReturnType<typeof compileStored> {
  if (stored === undefined) return { ok: false, problems: ['the store has none any more'] };
  const compiled = compileStored(stored);
  if (!compiled.ok) return compiled;
  const found = problems?.(compiled.configuration) ?? [];
  return found.length === 0 ? compiled : { ok: false, problems: [...found] };
}

/** One that never changes, from what was provisioned elsewhere. */
export function fixedConfiguration(provisioning: Provisioning): ConfigurationSource {
  const names = { tenants: new Set<string>(), plans: [] };
  const written = { tenants: [] };
  const current = new Configuration({ version: 0, stamp: '', written, names, provisioning });
  return { current, onChange: () => () => undefined };
}
