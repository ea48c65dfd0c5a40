// What a replay changes in recorded requests so that they are new: a fresh Session-Id for each
// session and repetition, unused identifiers, times moved to now. The same recorded session always
// gets the same changes, so copies of a request stay copies of each other.
import { headerFlags, readHeader } from '../diameter/header.ts';
import type { Clock } from './clock.ts';
import type { IdentityMap } from './identities.ts';
import { avpKey, keyOf, messageAvps, unsigned32 } from './raw-avp.ts';
import { rewrite } from './rewrite.ts';
import type { TraceEntry } from './trace-file.ts';

export interface RenewalOptions {
  /** Goes into every Session-Id; must differ between any two replays against one server. */
  readonly run: string;
  readonly originHost?: string;
  readonly originRealm?: string;
  readonly identities?: IdentityMap;
  /** Number the requests of each session from 0, in the order of the trace. */
  readonly renumber: boolean;
  readonly clock: Clock;
}

/** Sessions whose changes are remembered; beyond it those not seen for longest are forgotten. */
const maxSessions = 200_000;
/** Requests of one session whose identifiers are remembered, for copies of them. */
const maxRequests = 64;

interface Changes {
  readonly shiftSeconds: number;
  readonly endToEnd: Map<number, number>;
  readonly numbers: Map<number, number>;
}

export class Renewal {
  readonly #options: RenewalOptions;
  readonly #sessions = new Map<string, Changes>();
  #nextEndToEnd: number;

  constructor(options: RenewalOptions) {
    this.#options = options;
    // RFC 6733 3: the time in the upper 12 bits, 20 random bits below.
    const seconds = Math.floor(options.clock.wallClock() / 1000);
    this.#nextEndToEnd = (seconds % 0x1000) * 2 ** 20 + Math.floor(Math.random() * 2 ** 20);
  }

  /** The request as it is to be sent to this server. */
  renew(
    entry: TraceEntry,
    repetition: number,
    server: { originHost: string; originRealm: string },
  ): Buffer {
    const { originHost, originRealm, identities, renumber } = this.#options;
    const changes = this.#changes(entry, repetition);
    const identity = identities?.replacements(entry.request);
    const number = renumber ? renumbered(entry.request, changes) : undefined;
    return rewrite(entry.request, {
      sessionId: (original) => this.#sessionId(original, repetition),
      shiftSeconds: changes.shiftSeconds,
      endToEnd: this.#endToEnd(entry.request, changes),
      destinationHost: server.originHost,
      destinationRealm: server.originRealm,
      ...(originHost === undefined ? {} : { originHost }),
      ...(originRealm === undefined ? {} : { originRealm }),
      ...(identity === undefined ? {} : { identity }),
      ...(number === undefined ? {} : { requestNumber: number }),
    });
  }

  /** RFC 6733 8.8: a Session-Id begins with the sender's name and may end in anything. */
  #sessionId(original: string, repetition: number): string {
    const { originHost, run } = this.#options;
    const rest = original.indexOf(';');
    const named =
      originHost === undefined || rest < 0 ? original : originHost + original.slice(rest);
    return `${named};${run}.${repetition}`;
  }

  /** The session's first request happens now; the distances between its times stay. */
  #changes(entry: TraceEntry, repetition: number): Changes {
    const key = `${repetition}/${entry.session}`;
    const known = this.#sessions.get(key);
    const changes = known ?? {
      shiftSeconds: Math.round(this.#options.clock.wallClock() / 1000 - entry.atUs / 1_000_000),
      endToEnd: new Map(),
      numbers: new Map(),
    };
    this.#sessions.delete(key);
    this.#sessions.set(key, changes);
    if (this.#sessions.size > maxSessions) forgetOldest(this.#sessions);
    return changes;
  }

  /** RFC 6733 3: a copy of a request has its End-to-End Identifier, any other a new one. */
  #endToEnd(request: Buffer, changes: Changes): number {
    const original = readHeader(request).endToEnd;
    const known = changes.endToEnd.get(original);
    if (known !== undefined) return known;
    this.#nextEndToEnd = (this.#nextEndToEnd + 1) % 2 ** 32;
    changes.endToEnd.set(original, this.#nextEndToEnd);
    if (changes.endToEnd.size > maxRequests) forgetOldest(changes.endToEnd);
    return this.#nextEndToEnd;
  }
}

function renumbered(request: Buffer, changes: Changes): number | undefined {
  const avp = messageAvps(request)?.find((each) => avpKey(each) === keyOf.requestNumber);
  const original = avp === undefined ? undefined : unsigned32(request, avp);
  if (original === undefined) return undefined;
  const number = changes.numbers.get(original) ?? changes.numbers.size;
  changes.numbers.set(original, number);
  return number;
}

function forgetOldest<Key>(map: Map<Key, unknown>): void {
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}

/** RFC 6733 3: a request that is sent again after a failure of the connection says so. */
export function markRetransmitted(request: Buffer): void {
  request[4] = request[4]! | headerFlags.retransmitted;
}
