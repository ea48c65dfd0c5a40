/** The configuration of the store in a running process, followed a few times a second. */
import { TollkeeperError } from '../errors.ts';
import type { Log } from '../log.ts';
import {
  CONFIGURATION_PASS_MS,
  type ConfigurationSource,
  LiveConfiguration,
  type LiveEvents,
} from '../provisioning/live.ts';
import type { Peers } from '../provisioning/provisioning.ts';
import type { ConfigurationStore } from '../store/configuration.ts';
import { repeat } from './repeat.ts';

export interface FollowedConfiguration extends ConfigurationSource {
  /** Looks for a change now; false: the store could not be asked. */
  pass(): Promise<boolean>;
  /** Why the newest configuration, or its peers, are not taken, one sentence each; empty: all is. */
  readonly untaken: readonly string[];
  stop(): Promise<void>;
}

/**
 * `lastPeers` are gone on with where those of the store cannot be served. Throws
 * CONFIGURATION_MISSING, CONFIGURATION_INVALID and PEERS_UNFIT.
 */
export async function followConfiguration(
  store: ConfigurationStore,
  {
    log,
    alarm,
    problems,
    preparing,
    lastPeers,
  }: {
    log: Log;
    alarm(event: 'configuration-refused', fields: Record<string, unknown>): void;
    problems: NonNullable<LiveEvents['problems']>;
    preparing?: NonNullable<LiveEvents['preparing']>;
    lastPeers?: Peers | undefined;
  },
): Promise<FollowedConfiguration> {
  let isAway = false;
  const events: LiveEvents = {
    problems,
    ...(preparing === undefined ? {} : { preparing }),
    changed({ version }) {
      log.info({ version }, 'the configuration changed');
    },
    refused(found) {
      alarm('configuration-refused', { problems: found });
    },
    failed(error) {
      // Every request says the same meanwhile.
      if (!isAway) log.warn({ error }, 'the configuration cannot be looked for');
      isAway = true;
    },
  };
  const live = await LiveConfiguration.open(store, events, lastPeers);
  if (live === undefined) throw new TollkeeperError('CONFIGURATION_MISSING');
  const stop = repeat(CONFIGURATION_PASS_MS, async () => {
    if (await live.pass()) isAway = false;
  });
  return {
    get current() {
      return live.current;
    },
    get untaken() {
      return live.untaken;
    },
    onChange: (listener) => live.onChange(listener),
    pass: () => live.pass(),
    stop,
  };
}
