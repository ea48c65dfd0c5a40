/** The HTTP API of a service: its parts, put together from the settings. */
import type { Settings } from '../config.ts';
import { openAccess, readTokens } from '../http/access.ts';
import type { WorkerMetrics } from '../http/figures.ts';
import { metricsText, type RecordsState } from '../http/metrics.ts';
import type { Readiness } from '../http/resources.ts';
import { createHttpServer } from '../http/server.ts';
import type { Tenants } from '../http/tenant.ts';
import type { Writing } from '../http/writing.ts';
import type { Log } from '../log.ts';
import type { ConfigurationSource } from '../provisioning/live.ts';
import type { Store } from '../store/store.ts';
import { askingOn } from './asking.ts';
import type { FollowedConfiguration } from './follow.ts';
import { version } from './run.ts';
import { unservable } from './serve.ts';

export interface ApiOptions {
  settings: Settings;
  store: Store;
  configuration: FollowedConfiguration;
  log: Log;
  /** The figures that the workers sent last, by worker. */
  metrics: ReadonlyMap<number, WorkerMetrics>;
  /** How far behind the records are; undefined while that cannot be told. */
  records(): Promise<RecordsState | undefined>;
  readiness(): Promise<Readiness>;
}

export interface Api {
  url: string;
  close(): Promise<void>;
}

/** Starts to listen. Throws HTTP_TOKENS_INVALID, PORT_UNAVAILABLE and what `listen` says. */
export async function serveHttp(options: ApiOptions): Promise<Api> {
  const { settings, store, configuration, log, metrics, records, readiness } = options;
  const { httpTokensFile, httpHost: host, httpPort: port } = settings;
  const tenants = tenantsOf(configuration);
  const server = createHttpServer({
    store,
    tenants,
    writing: writingOf(options),
    access:
      httpTokensFile === undefined
        ? openAccess
        : readTokens(httpTokensFile, {
            tenants: [...tenants.keys()],
            warn: (problem) => log.warn({ problem }, 'a token is for a tenant that is not there'),
          }),
    log,
    metrics: async () =>
      metricsText(new Map([...metrics].map(([one, of]) => [String(one), of])), await records()),
    readiness,
    version: version(),
  });
  const { url } = await server.listen({ host, port });
  return { url, close: () => server.close() };
}

/** The tenants of the present configuration, at each look. */
function tenantsOf(configuration: ConfigurationSource): Tenants {
  return {
    get(id) {
      const currency = configuration.current.currencyOf(id);
      return currency && { currency: currency.code, digits: currency.digits };
    },
    keys: () => configuration.current.provisioning.tenants.map(({ id }) => id).values(),
  };
}

/** What changes need: they are made in the store, and followed by all from there. */
function writingOf({ settings, store, configuration }: ApiOptions): Writing {
  return {
    store,
    configuration: () => configuration.current,
    refresh: () => configuration.pass(),
    problems: ({ peers }) => unservable(settings, peers),
    keyTtlMs: settings.eventHorizonSeconds * 1000,
    asking: askingOn(store, settings),
  };
}
