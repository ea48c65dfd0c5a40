/**
 * The TCP server that peers connect to, and what its connections share. Several connections of one
 * peer are normal: the sessions live in the store, so any of them may carry any message.
 */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { originOf } from './capabilities.ts';
import { systemClock } from './clock.ts';
import { Connection } from './connection.ts';
import { type Counters, type PeerStatistics, zero } from './counters.ts';
import { localOf } from './dispatch.ts';
import { endToEndIds } from './identifiers.ts';
import { canonical } from './identity.ts';
import type { DisconnectCause } from './outgoing.ts';
import { admission, type PeerPolicy, policyProblems } from './policy.ts';
import { defaults, type PeerSettings, problemsOf } from './settings.ts';
import type { PeerHooks, Site } from './site.ts';

/** Whatever is not given has the value of `defaults`. */
export type ListenerOptions<Options> = Pick<
  PeerSettings<Options>,
  'host' | 'port' | 'identity' | 'policy'
> &
  Partial<Omit<PeerSettings<Options>, 'limits' | 'timeouts'>> & {
    limits?: Partial<PeerSettings<Options>['limits']>;
    timeouts?: Partial<PeerSettings<Options>['timeouts']>;
  };

/** Completes options with the defaults. `problemsOf` says what is wrong with the result. */
export function peerSettings<Options>(options: ListenerOptions<Options>): PeerSettings<Options> {
  return {
    ...defaults,
    clock: systemClock,
    wallClock: Date.now,
    random: Math.random,
    ...options,
    limits: { ...defaults.limits, ...options.limits },
    timeouts: { ...defaults.timeouts, ...options.timeouts },
  };
}

export class PeerListener<Options> {
  readonly #settings: PeerSettings<Options>;
  readonly #site: Site<Options>;
  readonly #counters: Counters = zero();
  readonly #connections = new Set<Connection<Options>>();
  readonly #server: Server;
  /** Who waits for the last connection to be closed. */
  readonly #waiting: (() => void)[] = [];
  #nextId = 1;

  /** Throws when `problemsOf(settings)` names any: whoever starts us shows them all first. */
  constructor(settings: PeerSettings<Options>, hooks: PeerHooks<Options>) {
    const problems = problemsOf(settings);
    if (problems.length > 0) throw new Error(problems.join('\n'));
    this.#settings = settings;
    this.#site = {
      settings,
      hooks,
      counters: this.#counters,
      local: localOf(settings),
      origin: originOf(settings.identity),
      admit: admission(settings.policy),
      nextEndToEnd: endToEndIds(settings),
      openOf: (originHost) => this.#openOf(originHost),
    };
    // A peer that closes its side first still gets what is queued for it.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#accept(socket));
    // Without a listener a failing accept, as when file descriptors run out, would end the process.
    this.#server.on('error', (error: NodeJS.ErrnoException) => {
      hooks.log?.('error', 'listener failed', { code: error.code });
    });
    this.#server.maxConnections = settings.limits.connections;
    this.#server.on('drop', () => {
      this.#counters.connectionsDropped += 1;
    });
  }

  /** Starts listening; rejects when the address is not to be had. */
  async listen(): Promise<AddressInfo> {
    const { host, port, reusePort } = this.#settings;
    this.#server.listen({ host, port, reusePort });
    await once(this.#server, 'listening');
    return this.#server.address() as AddressInfo;
  }

  get connections(): ReadonlySet<Connection<Options>> {
    return this.#connections;
  }

  /** The connections on which this peer may be sent a request, the oldest first. */
  usable(originHost: string): Connection<Options>[] {
    return this.#openOf(originHost).filter((connection) => connection.usable);
  }

  /** A fresh End-to-End Identifier for a request of ours, whichever connection it takes. */
  nextEndToEnd(): number {
    return this.#site.nextEndToEnd();
  }

  /**
   * Changes who may connect and which realms are served, from the next message on. Peers that are
   * open stay where the new policy admits them, and are told to leave where it does not. Throws when
   * `policyProblems` names any: whoever changes it asks first.
   */
  reconfigure(to: {
    policy: PeerPolicy<Options>;
    servedRealms: readonly string[];
    forbiddenRoutes: readonly string[];
  }): void {
    const { identity, applications, host } = this.#settings;
    const { policy, servedRealms, forbiddenRoutes } = to;
    const problems = policyProblems(policy, host);
    if (problems.length > 0) throw new Error(problems.join('\n'));
    this.#site.admit = admission(policy);
    this.#site.local = localOf({
      identity: { ...identity, servedRealms },
      applications,
      forbiddenRoutes,
    });
    for (const connection of this.#connections) connection.readmit();
  }

  statistics(): PeerStatistics {
    const states: PeerStatistics['states'] = {};
    let inFlight = 0;
    let queuedBytes = 0;
    for (const connection of this.#connections) {
      states[connection.state] = (states[connection.state] ?? 0) + 1;
      inFlight += connection.inFlight;
      queuedBytes += connection.queuedBytes;
    }
    const counters = { ...this.#counters, refused: { ...this.#counters.refused } };
    return { ...counters, states, inFlight, queuedBytes };
  }

  /**
   * Ends in order, RFC 6733 5.4: nobody new is accepted, every open peer gets a DPR, requests in
   * flight are answered, the DPAs awaited. Resolves when all connections are closed, which the
   * timeouts of the settings bound.
   */
  drain(cause: DisconnectCause): Promise<void> {
    return this.#end((connection) => connection.leave(cause));
  }

  /** Ends at once. */
  close(): Promise<void> {
    return this.#end((connection) => connection.destroy());
  }

  async #end(end: (connection: Connection<Options>) => void): Promise<void> {
    if (this.#server.listening) this.#server.close();
    for (const connection of this.#connections) end(connection);
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  #accept(socket: Socket): void {
    this.#counters.connectionsAccepted += 1;
    const connection = new Connection(this.#nextId, socket, this.#site);
    this.#nextId += 1;
    this.#connections.add(connection);
    socket.once('close', () => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) for (const resolve of this.#waiting.splice(0)) resolve();
    });
  }

  #openOf(originHost: string): Connection<Options>[] {
    const name = canonical(originHost);
    return [...this.#connections].filter(
      ({ state, peer }) => state === 'open' && peer && canonical(peer.originHost) === name,
    );
  }
}
