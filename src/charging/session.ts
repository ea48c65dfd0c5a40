/**
 * A charging session as it is stored: its services with their grants, the answers it gave last,
 * and every request number it has applied.
 */
import type { AccountRef } from './account.ts';
import type { Answer } from './answer.ts';
import type { Pending } from './pending.ts';
import type { Price } from './plan.ts';
import type { Facts, Share, SubscriberId, Unit } from './request.ts';

/** Units of a grant that one bucket holds: `amount` is in the bucket's own unit. */
export interface Part {
  bucket: string;
  units: number;
  amount: number;
  /** The bucket's period that it was drawn in; absent: the bucket has none. */
  period?: number;
}

/** The rule and price that hold from a tariff change on, for a grant that goes beyond it. */
export interface Switch {
  /** Store time in ms. */
  at: number;
  rule: string;
  /** Of which plan the rule is, and its version; absent: of its service's, as in every grant. */
  of?: { plan: string; planVersion: number };
  price?: Price;
  /** Dual quota: what may be used after the change, a grant of its own (RFC 8506 5.1.2). */
  after?: { parts: readonly Part[]; units: number };
}

/** The tariff that a service was under before its present one, of the same unit. */
export interface Earlier {
  /** Store time in ms since when the present rule is known to hold. */
  until: number;
  rule: string;
  /** As in `Service`. */
  plan?: string;
  planVersion: number;
  price?: Price;
  /** Units that money paid for under it. */
  rated: number;
}

/** What a client may use until it reports: an ordered list of parts, drawn in this order. */
export interface Grant {
  parts: readonly Part[];
  /** Sum of the parts' units, plus units that cost nothing. */
  units: number;
  /** Store time in ms at which Validity-Time runs out; absent: no limit. */
  validUntil?: number;
  /** The client was told that these are the final units. */
  final: boolean;
  /** What it holds of the buckets that limit its subscriber. */
  limits?: readonly Part[];
  /** Absent: no tariff change lies within it. */
  switch?: Switch;
  /** The session's pool that it belongs to. */
  pool?: number;
  /** As in `Session`. */
  unknown?: readonly Uint8Array[];
}

/** One service of a session: what it was granted and what it has used. */
export interface Service {
  ratingGroup?: number;
  serviceIds: readonly number[];
  rule: string;
  /** The plan that the rule is of; absent: a version of this program that did not say stored it. */
  plan?: string;
  planVersion: number;
  unit: Unit;
  /** The price its grant was decided on, which rates its usage; absent: free of charge. */
  price?: Price;
  grant?: Grant | undefined;
  /** The tariff change within its last grant, which was taken back before anything was reported. */
  switch?: Switch;
  /**
   * Store time in ms up to which it is known what seconds cost, or anything that nothing was granted
   * for; what is used later is rated as the plan says. Absent: however late it is used.
   */
  ratedUntil?: number;
  /** Absent: it never was under another rule. */
  earlier?: Earlier;
  /** Units reported so far. */
  used: number;
  /** Of these, units that money paid for under the present rule: the basis of increments. */
  rated: number;
  /** Money debited for `rated`. */
  cost: number;
  /** Its credit ran out: the client holds final units, is restricted, or was refused. */
  exhausted?: 'final' | 'restricted' | 'refused';
  /** Which recipients of a message it is for, and the units granted to them that are not reported. */
  share?: Share & { units: number };
  /** As in `Session`. */
  unknown?: readonly Uint8Array[];
}

/** An answer that was given, kept to be given again (RFC 8506 5.7, RFC 6733 3). */
export interface Answered {
  number: number;
  digest: number;
  /** Store time in ms. */
  at: number;
  answer: Answer;
}

/** `open`; `ended` by its client; `abandoned`: ended by supervision, an abort or an error. */
export type SessionState = 'open' | 'ended' | 'abandoned';

export interface Session {
  sessionId: string;
  subSessionId?: string;
  account: AccountRef;
  subscriber: SubscriberId;
  client: { host: string; realm: string };
  /** The peer that its requests come through, where that is not the client itself. */
  via?: string;
  context: string;
  state: SessionState;
  /** Store times in ms. */
  openedAt: number;
  changedAt: number;
  /** When supervision (Tcc) ends the session. */
  superviseAt: number;
  /** The score that the session last wrote to its partition's timer wheel. */
  armedAt: number;
  services: readonly Service[];
  /** What its requests said that rules match on; absent: nothing. */
  facts?: Facts;
  /** Store time in ms of the use that the newest of them were said of. */
  factsAt?: number;
  answers: readonly Answered[];
  /** Request numbers applied, as inclusive ranges in ascending order. */
  seen: readonly (readonly [number, number])[];
  /** What its client is still to be asked for; absent: nothing. */
  pending?: Pending;
  /** Store time in ms until which a request to its client may be under way; absent: none is. */
  askedUntil?: number;
  /**
   * Store time in ms at which a bucket that its grants hold expires or renews, where the plan wants
   * its client asked then.
   */
  reauthoriseAt?: number;
  /** A digest of its last Service-Information; absent: it never had any. */
  described?: number;
  /** Encoded fields that a newer version wrote and this one does not know; kept as they are. */
  unknown?: readonly Uint8Array[];
}

/** The most services that a session holds quota for, and remembers at all. */
export const MAX_SERVICES = 1_000;

/** The most ranges kept; beyond them the lowest gap counts as seen. */
export const MAX_SEEN_RANGES = 32;

/** Whether `number` was applied. */
export function hasSeen(seen: Session['seen'], number: number): boolean {
  for (const [first, last] of seen) if (number >= first && number <= last) return true;
  return false;
}

/** `seen` with `number` added, merged and bounded. */
export function withSeen(seen: Session['seen'], number: number): Session['seen'] {
  const last = seen[seen.length - 1];
  if (last !== undefined && number === last[1] + 1)
    return [...seen.slice(0, -1), [last[0], number]];
  if (hasSeen(seen, number)) return seen;
  const merged: [number, number][] = [];
  const sorted = [...seen, [number, number] as const].sort((a, b) => a[0] - b[0]);
  for (const [from, to] of sorted) {
    const before = merged[merged.length - 1];
    if (before !== undefined && from <= before[1] + 1) before[1] = Math.max(before[1], to);
    else merged.push([from, to]);
  }
  while (merged.length > MAX_SEEN_RANGES) {
    const [lowest, next] = merged as [[number, number], [number, number]];
    merged.splice(0, 2, [lowest[0], next[1]]);
  }
  return merged;
}
