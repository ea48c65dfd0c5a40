/**
 * The timers of a session, and what happens when one comes due: supervision (Tcc) ends a session
 * whose client vanished, validity gives back what a client should have reported and did not
 * (RFC 8506 7, 8.33, 13). The store wakes a session at its earliest timer; the session knows all.
 */
import { turnPeriods } from './buckets.ts';
import type { Change, Known } from './decision.ts';
import { Draft } from './draft.ts';
import { pendingDueAt, withoutPending } from './pending.ts';
import type { Plan } from './plan.ts';
import { type ChargingRecord, type RecordedService, recordedRecipients } from './record.ts';
import { recipientsOf } from './request.ts';
import { ruleNamed } from './rule-names.ts';
import type { Service, Session } from './session.ts';
import { lapse } from './tariff-change.ts';

/**
 * No session sleeps longer than this, however far away its timers are: each wake-up keeps its
 * binding alive, which nothing else does while no request comes.
 */
export const LONGEST_SLEEP_MS = 43_200_000;

/** `initiate`: the client is to be asked something, see `initiate.ts`. */
export type TimerDecision =
  | Omit<Change, 'answer'>
  | { kind: 'rearm'; at: number }
  | { kind: 'initiate' };

/** What tells when a session is to be woken. */
export type Timed = Pick<Session, 'superviseAt' | 'services' | 'pending' | 'reauthoriseAt'>;

/** Decides for an open session that was woken at `now`. */
export function stepTimer(session: Session, known: Omit<Known, 'session'>): TimerDecision {
  const { now, plan } = known;
  if (session.superviseAt <= now) return abandon(session, known, 'supervision');
  if (initiateAt(session) <= now) return { kind: 'initiate' };
  const expired = session.services.filter((service) => releaseAt(service, plan) <= now);
  if (expired.length === 0) return { kind: 'rearm', at: wakeAt(session, plan, now) };
  const draft = new Draft(known.account);
  turnPeriods(draft, now);
  const services = session.services.map((service) =>
    expired.includes(service) ? lapse(draft, service, { now }) : service,
  );
  const armedAt = wakeAt({ ...session, services }, plan, now);
  return {
    kind: 'change',
    session: { ...session, changedAt: now, armedAt, services },
    index: 'keep',
    timer: armedAt,
    movements: draft.movements(),
    record: recordOf(session, { kind: 'validity', now, draft, services: expired }),
  };
}

/**
 * Ends an open session whose client vanished, that an operator aborts, or that its client does not
 * know (table 6, Tcc).
 */
export function abandon(
  session: Session,
  { account, now, settings }: Omit<Known, 'session'>,
  kind: 'supervision' | 'abort' | 'reauthorisation',
  outcome = 'success',
): Omit<Change, 'answer'> {
  const draft = new Draft(account);
  turnPeriods(draft, now);
  const services = session.services.map((service) => lapse(draft, service, { now }));
  draft.countSession(-1);
  const held = session.services.filter((service) => service.grant !== undefined);
  return {
    kind: 'change',
    session: { ...withoutPending(session), state: 'abandoned', changedAt: now, services },
    index: 'close',
    timer: 'remove',
    ttlMs: settings.abandonedMs,
    movements: draft.movements(),
    record: { ...recordOf(session, { kind, now, draft, services: held }), outcome },
  };
}

/**
 * Tcc in ms: twice the longest validity that was granted, or the plan's own (RFC 8506 13). What is
 * left of a validity says nothing about it: Tcc starts again in full with every request. A client
 * that is restricted was given a validity too (5.6.2).
 */
export function supervisionMs(services: readonly Service[], now: number, plan: Plan): number {
  let longest = 0;
  for (const { grant, exhausted, rule: name } of services) {
    if (exhausted === 'restricted')
      longest = Math.max(longest, (ruleNamed(plan, name)?.restrictedSeconds ?? 0) * 1000);
    if (grant?.validUntil === undefined) continue;
    const seconds = ruleNamed(plan, name)?.validitySeconds ?? plan.supervisionSeconds / 2;
    longest = Math.max(longest, seconds * 1000, grant.validUntil - now);
  }
  return longest > 0 ? 2 * longest : plan.supervisionSeconds * 1000;
}

/** Store time in ms of a session's next wake-up. */
export function wakeAt(session: Timed, plan: Plan, now: number): number {
  return Math.min(dueAt(session, plan), now + LONGEST_SLEEP_MS);
}

/** Store time in ms of the earliest timer. */
export function dueAt(session: Timed, plan: Plan): number {
  let due = Math.min(session.superviseAt, initiateAt(session));
  for (const service of session.services) due = Math.min(due, releaseAt(service, plan));
  return due;
}

/** When the client is to be asked something. */
function initiateAt({ pending, reauthoriseAt = Number.POSITIVE_INFINITY }: Timed): number {
  return Math.min(pendingDueAt(pending), reauthoriseAt);
}

/** When a grant that its client does not report is taken back. */
function releaseAt({ grant }: Service, plan: Plan): number {
  return grant?.validUntil === undefined
    ? Number.POSITIVE_INFINITY
    : grant.validUntil + plan.validityGraceSeconds * 1000;
}

function recordOf(
  session: Session,
  of: {
    kind: 'validity' | 'supervision' | 'abort' | 'reauthorisation';
    now: number;
    draft: Draft;
    services: readonly Service[];
  },
): ChargingRecord {
  return {
    kind: of.kind,
    at: of.now,
    account: session.account,
    sessionId: session.sessionId,
    ...(session.subSessionId === undefined ? {} : { subSessionId: session.subSessionId }),
    subscriber: session.subscriber,
    client: session.client.host,
    context: session.context,
    outcome: 'success',
    services: of.services.map(asRecorded),
    changes: of.draft.changes(),
  };
}

function asRecorded(service: Service): RecordedService {
  const { ratingGroup, serviceIds, rule, plan, planVersion, unit, share } = service;
  return {
    ...(ratingGroup === undefined ? {} : { ratingGroup }),
    serviceIds,
    rule,
    ...(plan === undefined ? {} : { plan }),
    planVersion,
    ...(share === undefined
      ? {}
      : { recipients: recordedRecipients(recipientsOf(share), share.of) }),
    unit,
    used: 0,
    outcome: 'success',
  };
}
