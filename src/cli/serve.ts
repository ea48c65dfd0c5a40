/**
 * One worker: a Diameter listener, the engine behind it, and its share of the timers and records.
 * It keeps nothing that another worker could not do without.
 */
import type { AddressInfo } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { compilingAhead } from '../charging/compiled-plan.ts';
import { originHostOf, originHosts, type Settings } from '../config.ts';
import { abortAll } from '../engine/abort.ts';
import { type ChargeSettings, Charging } from '../engine/charge.ts';
import { Gateway } from '../engine/gateway.ts';
import { HeldPeers } from '../engine/held-peers.ts';
import { Initiator } from '../engine/initiator.ts';
import { Knowledge } from '../engine/knowledge.ts';
import { Membership } from '../engine/membership.ts';
import type { RequestConfiguration } from '../engine/received.ts';
import { Timers } from '../engine/timers.ts';
import type { PeerStatistics } from '../peer/counters.ts';
import { PeerListener, peerSettings } from '../peer/listener.ts';
import { policyProblems } from '../peer/policy.ts';
import type { Configuration } from '../provisioning/configuration.ts';
import type { ConfigurationSource } from '../provisioning/live.ts';
import type { PeerOptions, Peers } from '../provisioning/provisioning.ts';
import type { Work } from '../provisioning/work.ts';
import type { Store } from '../store/store.ts';
import { repeat } from './repeat.ts';

/** How often a worker looks for timers that came due: the bound of how late one is noticed. */
const TIMER_PASS_MS = 500;
/** How often it looks into its inbox: what a request of ours may lose by taking another worker. */
const INBOX_PASS_MS = 100;

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';

/** What a worker tells whoever counts. All of it is called on the path of requests: keep it short. */
export interface ServeEvents {
  answered(kind: string, resultCode: number, ms: number): void;
  trips(kind: string, count: number): void;
  conflict(): void;
  defect(error: unknown): void;
  alarm(event: string, fields: Record<string, unknown>): void;
  timerFired(kind: string, lateMs: number): void;
  timerFailed(error: unknown): void;
  log(level: LogLevel, event: string, fields: Record<string, unknown>): void;
}

export interface ServeOptions {
  settings: Settings;
  /** Which of the service's workers this is, counted from 0. */
  worker: number;
  /** Unique among all workers that share the store, and the same after a restart. */
  workerName: string;
  store: Store;
  /** Our Origin-State-Id; absent: none is sent. */
  originStateId?: number;
  /** What it serves by: each look at it is a look at the one that holds now. */
  configuration: ConfigurationSource;
  events: ServeEvents;
}

export interface Serving {
  readonly address: AddressInfo;
  statistics(): PeerStatistics & { charging: number };
  /** One pass over this worker's timers, now. */
  passTimers(): Promise<number>;
  /** Takes leave of the peers, answers what is in flight, lets go of its partitions. */
  drain(): Promise<void>;
}

/** Starts a worker on an open store. Rejects when its address is not to be had. */
export async function serve(options: ServeOptions): Promise<Serving> {
  const { settings, store, configuration, events, worker } = options;
  const clock = () => performance.now();
  const chargeSettings = chargeSettingsOf(settings);
  const missing = (tenant: string, plan: string) =>
    events.log('error', 'accounts have a plan that is not provisioned', { tenant, plan });
  // What is decided here looks at nothing but its plan.
  const planOf = (tenant: string, plan: string) =>
    configuration.current.planOf(tenant, plan, missing);
  let inEffect = requestConfiguration(configuration.current, missing);
  const charging = new Charging({
    store,
    knowledge: new Knowledge({
      sessions: settings.sessionCacheSize,
      accounts: settings.accountCacheSize,
    }),
    settings: chargeSettings,
    events,
    clock,
    pause: (ms) => pause(ms),
  });
  const originHost = originHostOf(settings, worker);
  const gateway = new Gateway({
    charging,
    origin: { host: originHost, realm: settings.originRealm },
    configuration: () => inEffect,
    abort: (sessionId, on) =>
      abortAll({ store, plan: planOf, settings: chargeSettings, clock }, sessionId, on),
    maxInFlight: settings.maxInFlightPerWorker,
    deadlineMs: settings.deadlineMs,
    clock,
    events,
  });
  const held = new HeldPeers(store, {
    ...{ worker: options.workerName, ttlMs: settings.leaseMs },
    failed: events.timerFailed,
  });
  const listener = listen(options, originHost, { gateway, held });
  const stopFollowing = configuration.onChange((current) => {
    const { peers } = current.provisioning;
    inEffect = requestConfiguration(current, missing);
    listener.reconfigure({ ...peers, policy: policyOf(peers) });
  });
  const { originStateId } = options;
  const initiator = new Initiator({
    ...{ store, plan: planOf, settings: chargeSettings, worker: options.workerName, held, clock },
    asker: {
      ...{ host: originHost, realm: settings.originRealm },
      ...(originStateId === undefined ? {} : { stateId: originStateId }),
    },
    waysTo: (host) => listener.usable(host),
    nextEndToEnd: () => listener.nextEndToEnd(),
    answerMs: settings.clientAnswerMs,
    events: {
      initiated: (command, outcome, ms) =>
        events.log('debug', 'client asked', { command, outcome, ms: Math.round(ms) }),
      alarm: events.alarm,
      failed: events.timerFailed,
    },
  });
  const timers = new Timers({
    store,
    plan: planOf,
    settings: chargeSettings,
    leaseMs: settings.leaseMs,
    mine: (partition) => membership.mine(partition),
    initiate: (open) => initiator.attempt(open),
    events: {
      fired: events.timerFired,
      failed: events.timerFailed,
    },
  });
  const membership = new Membership(store, {
    duty: 'timers',
    name: options.workerName,
    ttlMs: settings.leaseMs,
  });
  await membership.announce();
  const address = await listener.listen();
  const stopTimers = repeat(TIMER_PASS_MS, () => timers.pass());
  const stopInbox = repeat(INBOX_PASS_MS, () => initiator.passInbox());
  const stopAnnouncing = repeat(settings.leaseMs / 3, async () => {
    await membership.announce().catch((error) => {
      events.log('warn', 'worker not announced', { error: String(error) });
    });
    await held.renew();
  });
  return {
    address,
    statistics: () => ({ ...listener.statistics(), charging: gateway.inFlight }),
    passTimers: () => timers.pass(),
    async drain() {
      stopFollowing();
      await held.leave();
      await listener.drain('rebooting');
      await Promise.all([stopTimers(), stopInbox(), stopAnnouncing()]);
      await initiator.settled();
      await membership.leave().catch(() => undefined);
    },
  };
}

function listen(
  { settings, configuration, worker, originStateId, events }: ServeOptions,
  originHost: string,
  { gateway, held }: { gateway: Gateway; held: HeldPeers },
): PeerListener<PeerOptions> {
  const { peers } = configuration.current.provisioning;
  const port = settings.diameterPort;
  return new PeerListener(
    peerSettings<PeerOptions>({
      host: settings.diameterHost,
      port: settings.diameterPorts === 'each' && port !== 0 ? port + worker : port,
      reusePort: settings.diameterPorts === 'shared' && port !== 0,
      identity: {
        originHost,
        originRealm: settings.originRealm,
        acceptedHosts: originHosts(settings),
        servedRealms: peers.servedRealms,
        ...(originStateId === undefined ? {} : { originStateId }),
        ...(settings.hostIpAddresses === undefined
          ? {}
          : { hostIpAddresses: settings.hostIpAddresses }),
      },
      policy: policyOf(peers),
      forbiddenRoutes: peers.forbiddenRoutes,
      twinitMs: settings.watchdogSeconds * 1000,
      timeouts: { cerMs: settings.capabilitiesTimeoutMs, answeringMs: settings.drainMs },
      limits: {
        frameBytes: settings.maxFrameBytes,
        inFlight: settings.maxInFlightPerConnection,
      },
      worker,
      workers: settings.workers,
    }),
    {
      onRequest: (request) => gateway.handle(request),
      onPeerOpen: ({ peer }) => void held.opened(peer?.originHost ?? ''),
      onPeerClose: ({ peer }) => void held.closed(peer?.originHost ?? ''),
      log: events.log,
      onViolation: (violation) => events.log('warn', 'not Diameter', { ...violation }),
    },
  );
}

/** The settings of the charging core, in its own units. */
export function chargeSettingsOf(settings: Settings): ChargeSettings {
  return {
    answerWindow: settings.answerWindow,
    endedMs: settings.tombstoneSeconds * 1000,
    abandonedMs: settings.abandonedTombstoneSeconds * 1000,
    duplicateHorizonMs: settings.duplicateHorizonSeconds * 1000,
    eventHorizonMs: settings.eventHorizonSeconds * 1000,
  };
}

/** Works out of a configuration's plans what requests would have to wait for. */
export function* preparing({ provisioning }: Configuration): Work<void> {
  for (const { plans } of provisioning.tenants)
    for (const plan of plans) yield* compilingAhead(plan);
}

/** What requests ask of a configuration. */
function requestConfiguration(
  configuration: Configuration,
  missing: (tenant: string, plan: string) => void,
): RequestConfiguration {
  return {
    tenantOf: (facts) => configuration.tenantOf(facts),
    planOf: (tenant, plan) => configuration.planOf(tenant, plan, missing),
    // As AVPs carry it.
    currencyOf(tenant) {
      const currency = configuration.currencyOf(tenant);
      return currency && { code: currency.number, digits: currency.digits };
    },
  };
}

function policyOf({ peers, realms, anybody }: Peers) {
  return { peers, realms, ...(anybody === undefined ? {} : { anybody }) };
}

/** Why workers with these settings cannot take a configuration, one sentence each. */
export function unservable(
  { diameterHost }: Pick<Settings, 'diameterHost'>,
  peers: Peers,
): readonly string[] {
  return policyProblems(policyOf(peers), diameterHost);
}
