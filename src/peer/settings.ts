/** What a listener for peers is set to, its defaults, and what cannot be. */
import type { Clock } from './clock.ts';
import type { Identity } from './identity.ts';
import type { PeerTimeouts } from './machine.ts';
import type { OutboxLimits } from './outbox.ts';
import { type PeerPolicy, policyProblems } from './policy.ts';
import { DEFAULT_TWINIT_MS, MIN_TWINIT_MS } from './watchdog.ts';

export interface PeerLimits extends OutboxLimits {
  /** Connections at once; more are closed as they come. */
  connections: number;
  /** The longest message taken, in octets (RFC 6733 has no bound below 2^24). */
  frameBytes: number;
  /** Requests of one connection that the application may be busy with; more get 3004. */
  inFlight: number;
  /** Requests of ours that may be unanswered on one connection. */
  pending: number;
}

export interface PeerSettings<Options> {
  /** Address to listen on. */
  host: string;
  /** 0 takes a free port. */
  port: number;
  /** Share the port with other processes that set this as well. */
  reusePort: boolean;
  identity: Identity;
  policy: PeerPolicy<Options>;
  /** Auth-Application-Ids served; Vendor-Specific-Application-Id repeats them for 3GPP. */
  applications: readonly number[];
  /** Hosts, or realms with all their hosts, that no request may have passed (RFC 6733 2.9). */
  forbiddenRoutes: readonly string[];
  timeouts: PeerTimeouts;
  /** Twinit of RFC 3539 in milliseconds. */
  twinitMs: number;
  limits: PeerLimits;
  /** Which of how many workers with this Origin-Host we are, for End-to-End Identifiers. */
  worker: number;
  workers: number;
  clock: Clock;
  /** Milliseconds since 1970. */
  wallClock: () => number;
  /** Uniform in [0, 1). */
  random: () => number;
}

export const defaults = {
  reusePort: false,
  applications: [4],
  forbiddenRoutes: [],
  timeouts: { cerMs: 10_000, dpaMs: 5_000, answeringMs: 5_000, disconnectMs: 5_000 },
  twinitMs: DEFAULT_TWINIT_MS,
  limits: {
    connections: 1_000,
    frameBytes: 256 * 1024,
    inFlight: 2_048,
    pending: 1_000,
    pauseBytes: 256 * 1024,
    limitBytes: 8 * 1024 * 1024,
    stallMs: 10_000,
  },
  worker: 0,
  workers: 1,
} as const;

/** What is wrong with the settings, one sentence each; empty: a listener can be made of them. */
export function problemsOf<Options>(settings: PeerSettings<Options>): string[] {
  const { identity, limits, timeouts } = settings;
  const problems = policyProblems(settings.policy, settings.host);
  const check = (good: boolean, problem: string): void => {
    if (!good) problems.push(problem);
  };
  check(identity.originHost !== '', 'origin host: it is empty');
  check(identity.originRealm !== '', 'origin realm: it is empty');
  check(settings.applications.length > 0, 'applications: none is served');
  check(
    settings.twinitMs >= MIN_TWINIT_MS,
    `watchdog: ${settings.twinitMs} ms is below the 6 s that RFC 3539 3.4.1 allows`,
  );
  for (const [name, value] of Object.entries({ ...limits, ...timeouts })) {
    check(Number.isFinite(value) && value > 0, `${name}: ${value} is not a positive number`);
  }
  check(
    limits.limitBytes > limits.pauseBytes,
    'limitBytes: it must be above pauseBytes, or a slow peer is closed before it is slowed down',
  );
  check(limits.frameBytes < 2 ** 24, 'frameBytes: Message Length has 24 bits');
  check(
    settings.workers >= 1 && settings.workers <= 1024,
    `workers: ${settings.workers} cannot share an Origin-Host; 1 to 1024 can`,
  );
  check(
    settings.worker >= 0 && settings.worker < settings.workers,
    `worker: ${settings.worker} is not one of ${settings.workers}, counted from 0`,
  );
  return problems;
}
