/**
 * What a session's client is still to be asked for: to re-authorise its services (RFC 8506 5.5), or
 * to end the session (RFC 6733 8.5). It is one of the session's timers, so that any worker can ask,
 * ask again, and give up.
 */
import type { Account } from './account.ts';
import type { Plan } from './plan.ts';
import type { AskedService } from './request.ts';
import type { Service, Session } from './session.ts';

/** What is to be re-authorised; no member at all: every service of the session. */
export interface Scope {
  ratingGroup?: number;
  serviceId?: number;
  /** G-S-U-Pool-Identifier. */
  pool?: number;
}

/** How a service of a session is named: one of it at most has these members. */
export type ServiceKey = Pick<Service, 'ratingGroup' | 'serviceIds'>;

/** Who wants it: an operator, a top-up, a change of the account's plan, the end of a bundle. */
export type Reason = 'operator' | 'top-up' | 'plan' | 'expiry';

/** What a client is to be asked. */
export interface Wanted {
  kind: 'reauthorise' | 'abort';
  scope: Scope;
  /** Of what `scope` says, the services that are yet to be re-authorised; absent: all of them. */
  left?: readonly ServiceKey[];
  reason: Reason;
}

export interface Pending extends Wanted {
  /** How often it came due; at most `MAX_ATTEMPTS`. */
  attempts: number;
  /** How often it may have been sent: after the first time it carries the T flag. */
  sends: number;
  /** End-to-End Identifier, the same for every send; absent: never sent. */
  endToEnd?: number;
  /** Ways to the client that turned out to lead nowhere. */
  deadEnds: number;
  /** The client said that it will; only its CCR is missing. */
  acknowledged: boolean;
  /** Store time in ms of the next attempt, or of giving up; of the client's word once it gave it. */
  nextAt: number;
}

/** After this many attempts without an answer the client is left to supervision (Tcc). */
export const MAX_ATTEMPTS = 5;

/** How long a client has to send the CCR that it promised. */
export const PROMISE_MS = 30_000;

/** Two sends go the same way before another is taken. */
const SENDS_PER_WAY = 2;

/** The time in ms from one attempt to the next: it doubles, and always exceeds the answer's. */
export function attemptPauseMs(attempt: number, answerMs: number): number {
  return answerMs * 2 ** attempt;
}

/** Which of the ways to the client an attempt takes, as a number to be taken modulo their count. */
export function wayOf({ sends, deadEnds }: Pending): number {
  return deadEnds + Math.floor(Math.max(0, sends - 1) / SENDS_PER_WAY);
}

/**
 * Store time in ms at which something is to be done for it. A client that has promised to
 * re-authorise is left alone; one that has promised to end its session is not waited for for ever.
 */
export function pendingDueAt(pending: Pending | undefined): number {
  if (pending === undefined) return Number.POSITIVE_INFINITY;
  const { kind, acknowledged, nextAt } = pending;
  if (!acknowledged) return nextAt;
  return kind === 'abort' ? nextAt + PROMISE_MS : Number.POSITIVE_INFINITY;
}

/**
 * What is pending once `wanted` is wanted too; undefined: nothing changes, it is so already. Two
 * wishes become one request whose scope has both. It is not sent before `notBefore`, until when
 * another one may be under way.
 */
export function withWanted(
  pending: Pending | undefined,
  wanted: Wanted,
  { now, notBefore = now }: { now: number; notBefore?: number | undefined },
): Pending | undefined {
  const fresh: Pending = {
    ...wanted,
    attempts: 0,
    sends: 0,
    deadEnds: 0,
    acknowledged: false,
    nextAt: Math.max(now, notBefore),
  };
  if (pending === undefined) return fresh;
  if (pending.kind === 'abort') return undefined;
  if (wanted.kind === 'abort') return fresh;
  if (asksFor(pending, wanted))
    return pending.acknowledged && now >= pending.nextAt + PROMISE_MS ? fresh : undefined;
  if (pending.acknowledged) return fresh;
  const { left: _, ...wider } = fresh;
  const left = pending.left && wanted.left && joined(pending.left, wanted.left);
  const scope = union(pending.scope, wanted.scope);
  return { ...wider, scope, ...(left === undefined ? {} : { left }) };
}

/** Whether a wish is part of what is pending. */
function asksFor({ scope, left }: Pending, wanted: Wanted): boolean {
  if (!covers(scope, wanted.scope)) return false;
  if (left === undefined) return true;
  if (wanted.left !== undefined) return wanted.left.every((one) => has(left, one));
  return !isEverything(wanted.scope) && left.some((one) => isWithin(one, wanted.scope));
}

/**
 * What is still pending after a request that was no duplicate. A CCR is the answer for the services
 * that it names, whether or not it crossed with the RAR (RFC 8506 5.5); the others of a pool, or of
 * the session, are still to be re-authorised. `before`: the services as they were until then, for a
 * refusal takes away the grant that belonged to a pool.
 */
export function stillPending(
  pending: Pending | undefined,
  asked: readonly AskedService[],
  before: readonly Service[],
): Pending | undefined {
  if (pending?.kind !== 'reauthorise') return pending;
  const { scope } = pending;
  const awaited = before.filter((service) => isAwaited(service, pending));
  if (awaited.length === 0) {
    const none = pending.left !== undefined || isEverything(scope);
    return none || asked.some((one) => isWithin(one, scope)) ? undefined : pending;
  }
  const left = awaited.filter((service) => !asked.some((one) => isFor(one, service)));
  if (left.length === 0) return undefined;
  if (left.length === awaited.length) return pending;
  const narrower = scopeOf(left);
  // What may be under way already is sent again as it was.
  const isKept = pending.sends > 0 || isEverything(narrower);
  return { ...pending, scope: isKept ? scope : narrower, left: left.map(keyOf) };
}

/** Whether a service is to be re-authorised: one that was named for it, or that is going on. */
function isAwaited(service: Service, { scope, left }: Pending): boolean {
  if (left !== undefined) return has(left, service);
  if (service.grant === undefined && service.exhausted !== 'restricted') return false;
  if (scope.pool !== undefined) return service.grant?.pool === scope.pool;
  return isWithin(service, scope);
}

/** Whether what a CCR names is this service: a rating group alone is all that is in it (8.29). */
function isFor(named: ServiceKey, service: ServiceKey): boolean {
  if (named.ratingGroup !== service.ratingGroup) return false;
  if (named.serviceIds.length === 0 || service.serviceIds.length === 0) return true;
  return named.serviceIds.some((id) => service.serviceIds.includes(id));
}

function isWithin({ ratingGroup, serviceIds }: ServiceKey, scope: Scope): boolean {
  if (scope.pool !== undefined) return false;
  if (scope.serviceId !== undefined && !serviceIds.includes(scope.serviceId)) return false;
  return scope.ratingGroup === undefined || scope.ratingGroup === ratingGroup;
}

/** The narrowest scope that a RAR can say and that has all of these services. */
export function scopeOf(services: readonly ServiceKey[]): Scope {
  const [only, ...others] = services;
  if (only === undefined || others.length > 0) return {};
  const { ratingGroup, serviceIds } = only;
  if (ratingGroup === undefined) return serviceIds.length === 1 ? serviceScope(serviceIds) : {};
  return { ratingGroup, ...(serviceIds.length === 1 ? serviceScope(serviceIds) : {}) };
}

function serviceScope([serviceId]: readonly number[]): Scope {
  return serviceId === undefined ? {} : { serviceId };
}

/** A wish that these services be re-authorised. */
export function wantedFor(services: readonly Service[], reason: Reason): Wanted {
  const scope = scopeOf(services);
  const left = isEverything(scope) ? { left: services.map(keyOf) } : {};
  return { kind: 'reauthorise', scope, ...left, reason };
}

function keyOf({ ratingGroup, serviceIds }: ServiceKey): ServiceKey {
  return ratingGroup === undefined ? { serviceIds } : { ratingGroup, serviceIds };
}

function has(keys: readonly ServiceKey[], { ratingGroup, serviceIds }: ServiceKey): boolean {
  return keys.some(
    (one) => one.ratingGroup === ratingGroup && one.serviceIds.join() === serviceIds.join(),
  );
}

function joined(some: readonly ServiceKey[], more: readonly ServiceKey[]): readonly ServiceKey[] {
  return [...some, ...more.filter((one) => !has(some, one))];
}

/** The narrowest scope that a RAR can say and that has both. */
function union(a: Scope, b: Scope): Scope {
  if (covers(a, b)) return a;
  return covers(b, a) ? b : {};
}

function covers(wide: Scope, narrow: Scope): boolean {
  if (isEverything(wide)) return true;
  return (
    wide.pool === narrow.pool &&
    (wide.ratingGroup === undefined || wide.ratingGroup === narrow.ratingGroup) &&
    (wide.serviceId === undefined || wide.serviceId === narrow.serviceId)
  );
}

function isEverything({ ratingGroup, serviceId, pool }: Scope): boolean {
  return ratingGroup === undefined && serviceId === undefined && pool === undefined;
}

/** A session that waits for no word of its client. */
export function withoutPending(session: Session): Session {
  if (session.pending === undefined && session.reauthoriseAt === undefined) return session;
  const { pending: _, reauthoriseAt: __, ...rest } = session;
  return rest;
}

/**
 * Store time in ms at which the first bucket that open grants hold expires, or begins another
 * period; undefined: none does, or the plan does not want clients asked then.
 */
export function reauthoriseAtOf(
  services: readonly Service[],
  { account, plan, now }: { account: Account; plan: Plan; now: number },
): number | undefined {
  if (!plan.reauthoriseAtExpiry) return undefined;
  let earliest = Number.POSITIVE_INFINITY;
  for (const { grant } of services)
    for (const { bucket: id, period } of grant?.parts ?? []) {
      const bucket = account.definition.buckets.find((one) => one.id === id);
      for (const end of [bucket?.expiresAt, period])
        if (end !== undefined && end > now) earliest = Math.min(earliest, end);
    }
  return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
}
