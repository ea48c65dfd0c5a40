/**
 * Which requests a session has answered already, and with what (RFC 8506 5.7, 8.2): the window of
 * its last answers and, for its whole life, all request numbers that it applied. A client that
 * gives one number to different requests is known by its answers alone, and by its time stamps.
 */
import type { Answer } from './answer.ts';
import { digestOf, type Request } from './request.ts';
import { type Answered, hasSeen, type Session, withSeen } from './session.ts';

/** No answer is kept longer than this, however few there are. */
export const ANSWER_AGE_MS = 600_000;

export type Precedent =
  | { kind: 'new' }
  /** The same request again: this is its answer. */
  | { kind: 'duplicate'; answer: Answer }
  /** The same number with another content: the client is broken. */
  | { kind: 'contradiction' };

const NEW: Precedent = { kind: 'new' };

/** What the session knows of a request that may have come before. */
export function precedentOf(session: Session, request: Request): Precedent {
  // Whose number has not been seen was not answered: none of the answers need be looked at.
  if (!hasSeen(session.seen, request.number)) return NEW;
  let known = false;
  for (const answered of session.answers) {
    if (answered.number !== request.number) continue;
    if (answered.digest === digestOf(request))
      return { kind: 'duplicate', answer: answered.answer };
    known = true;
  }
  // A number that was seen says nothing: what would be taken for a copy was likely never charged.
  if (request.looseNumbering) return NEW;
  if (known) return { kind: 'contradiction' };
  // Seen, but its answer is gone: nothing moves, and nothing is granted.
  return { kind: 'duplicate', answer: withoutGrants(request) };
}

/** 2001 for every service that was named, without a grant. */
export function withoutGrants(request: Request): Answer {
  return {
    outcome: 'success',
    level: request.level,
    services: request.services.map(({ ratingGroup, serviceIds }) => ({
      ...(ratingGroup === undefined ? {} : { ratingGroup }),
      serviceIds,
      outcome: 'success',
    })),
  };
}

/** The session's window and seen numbers after it answered `request` with `answer`. */
export function remember(
  session: { answers: readonly Answered[]; seen: Session['seen'] },
  request: Request,
  { answer, now, window }: { answer: Answer; now: number; window: number },
): Pick<Session, 'answers' | 'seen'> {
  const { answers: before } = session;
  let from = Math.max(0, before.length - window + 1);
  // In the order in which they were given: none behind the first that is young enough is looked at.
  while ((before[from]?.at ?? now) <= now - ANSWER_AGE_MS) from++;
  const answers = before.slice(from);
  answers.push({ number: request.number, digest: digestOf(request), at: now, answer });
  return { answers, seen: withSeen(session.seen, request.number) };
}
