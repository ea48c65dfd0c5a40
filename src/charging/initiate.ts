/**
 * Requests that start here: what a session becomes when its client is to be asked to re-authorise
 * (RFC 8506 5.5) or to end it (RFC 6733 8.5), at each attempt to ask, and by what the client says.
 *
 *   ask -> attempt -> sent --2xxx--> acknowledged -> its CCR
 *             ^         |  --5xxx--> the session ends (RFC 6733 8.1)
 *             |         |  --3xxx--> another way next time
 *             +-- nothing, 4xxx     (no more than MAX_ATTEMPTS: the wish is dropped, an abort is
 *                                    carried out)
 *
 * A CCR for what was asked is the answer, whenever it comes (`step`).
 */
import type { Change, Known } from './decision.ts';
import {
  attemptPauseMs,
  MAX_ATTEMPTS,
  type Pending,
  type Wanted,
  wantedFor,
  withWanted,
} from './pending.ts';
import type { Session } from './session.ts';
import { abandon, wakeAt } from './timer.ts';

/** Half of this time a request may take to a worker that has a way, half is the client's. */
const UNDER_WAY_ANSWERS = 2;

type Deciding = Omit<Known, 'session'>;
type SessionChange = Omit<Change, 'answer'>;

/** What a client's answer comes to. */
export type Reply =
  /** 2xxx: its CCR follows, or is on its way. */
  | 'acknowledged'
  /** 5002: it has no such session. */
  | 'unknown-session'
  /** 3xxx: the request did not reach the client. */
  | 'undeliverable'
  /** 4xxx: it may be asked again. */
  | 'later'
  /** 5xxx: it will not do it. */
  | 'refused';

/** Wants the client of an open session asked; undefined: that is pending already. */
export function ask(session: Session, wanted: Wanted, now: number): SessionChange | undefined {
  const pending = withWanted(session.pending, wanted, { now, notBefore: session.askedUntil });
  if (pending === undefined) return undefined;
  const armedAt = Math.min(session.armedAt, pending.nextAt);
  return changed({ ...session, pending, armedAt }, { pending, now, outcome: 'asked' });
}

/** What is due for a session that `stepTimer` says is to be asked. */
export interface Attempt {
  change: SessionChange;
  /** To be sent once the change is stored; absent: there is nothing to send. */
  send?: Pending & { endToEnd: number };
  /** The client did not answer any attempt. */
  gaveUp?: true;
}

/**
 * Attempts to ask, or gives up. `endToEnd` is the End-to-End Identifier if this is the first send;
 * without it there is no way to the client at present.
 */
export function attempt(
  session: Session,
  known: Deciding,
  { endToEnd, answerMs }: { endToEnd: number | undefined; answerMs: number },
): Attempt | undefined {
  const { now } = known;
  const { pending } = session;
  if (session.reauthoriseAt !== undefined && session.reauthoriseAt <= now)
    return { change: atExpiry(session, known) };
  if (pending === undefined) return undefined;
  if (pending.attempts >= MAX_ATTEMPTS || pending.acknowledged)
    return { change: giveUp(session, pending, known), gaveUp: true };
  const next: Pending = {
    ...pending,
    attempts: pending.attempts + 1,
    nextAt: now + attemptPauseMs(pending.attempts + 1, answerMs),
  };
  if (endToEnd === undefined) return { change: pend(session, next, known, 'unreachable') };
  const send = { ...next, sends: pending.sends + 1, endToEnd: pending.endToEnd ?? endToEnd };
  const askedUntil = now + UNDER_WAY_ANSWERS * answerMs;
  return { change: pend({ ...session, askedUntil }, send, known, 'sent'), send };
}

/** What the client's answer to the send with `endToEnd` changes; undefined: nothing. */
export function conclude(
  session: Session,
  known: Deciding,
  { endToEnd, reply }: { endToEnd: number; reply: Reply },
): SessionChange | undefined {
  const { pending } = session;
  // Its CCR came first, or another wish took the place of this one.
  if (pending === undefined || pending.acknowledged || pending.endToEnd !== endToEnd)
    return undefined;
  const { askedUntil: _, ...free } = session;
  switch (reply) {
    case 'acknowledged':
      return pend(free, { ...pending, acknowledged: true, nextAt: known.now }, known, reply);
    case 'unknown-session':
    case 'refused':
      // RFC 6733 8.1: a client that will not re-authorise has ended the session itself.
      return pending.kind === 'abort'
        ? abandon(session, known, 'abort')
        : abandon(session, known, 'reauthorisation', reply);
    case 'undeliverable':
      return pend(free, { ...pending, deadEnds: pending.deadEnds + 1 }, known, reply);
    case 'later':
      return undefined;
  }
}

/** A bucket that grants hold has expired, or begun another period: its client is asked. */
function atExpiry({ reauthoriseAt: _, ...session }: Session, known: Deciding): SessionChange {
  const { now, account } = known;
  const ended = session.services.filter(({ grant }) =>
    grant?.parts.some(({ bucket: id, period }) => {
      const bucket = account.definition.buckets.find((one) => one.id === id);
      return [bucket?.expiresAt, period].some((end) => end !== undefined && end <= now);
    }),
  );
  const wanted = wantedFor(ended, 'expiry');
  const pending =
    ended.length === 0
      ? session.pending
      : (withWanted(session.pending, wanted, { now, notBefore: session.askedUntil }) ??
        session.pending);
  if (pending === undefined) {
    const armedAt = wakeAt(session, known.plan, now);
    return changed({ ...session, armedAt }, { pending: wanted, now, outcome: 'none-held' });
  }
  return pend(session, pending, known, 'asked');
}

/** A client that cannot be asked to end its session loses it all the same. */
function giveUp(session: Session, pending: Pending, known: Deciding): SessionChange {
  if (pending.kind === 'abort') return abandon(session, known, 'abort');
  const { pending: _, ...rest } = session;
  const armedAt = wakeAt(rest, known.plan, known.now);
  return changed({ ...rest, armedAt }, { pending, now: known.now, outcome: 'given-up' });
}

function pend(
  session: Session,
  pending: Pending,
  { plan, now }: Deciding,
  outcome: string,
): SessionChange {
  const next = { ...session, pending };
  return changed({ ...next, armedAt: wakeAt(next, plan, now) }, { pending, now, outcome });
}

function changed(
  session: Session,
  { pending, now, outcome }: { pending: Pick<Wanted, 'kind'>; now: number; outcome: string },
): SessionChange {
  const { account, sessionId, subSessionId, subscriber, client, context } = session;
  return {
    kind: 'change',
    session: { ...session, changedAt: now },
    index: 'keep',
    timer: session.armedAt,
    movements: [],
    record: {
      ...{ kind: pending.kind === 'abort' ? 'abort-request' : 'reauthorisation', at: now },
      ...{ account, sessionId, subscriber, client: client.host, context, outcome },
      ...(subSessionId === undefined ? {} : { subSessionId }),
      ...{ services: [], changes: [] },
    },
  };
}
