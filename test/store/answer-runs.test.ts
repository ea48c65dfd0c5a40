/** A session's stored answers, which are encoded once: whatever became of it, they are its own. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Answered, Session } from '../../src/charging/session.ts';
import { sessionCodec } from '../../src/store/session-codec.ts';
import { answeredOf, sessionOf } from './samples.ts';

const account = { tenant: 'north', account: 'a' };

/** What the codec makes of a session that it has never seen any part of. */
const encodedAnew = (session: Session): Uint8Array => sessionCodec.encode(structuredClone(session));

/** Answers of different sizes: from 0 to more than a length of one octet can say. */
const answerOf = (number: number, services: number): Answered => {
  const { answer, ...named } = answeredOf(number);
  const [service] = answer.services;
  return {
    ...named,
    answer: { ...answer, services: Array.from({ length: services }, () => service!) },
  };
};

/** What may happen between two commits of a session. */
const move = fc.record({
  /** Which of the sessions so far goes on. */
  from: fc.nat({ max: 20 }),
  services: fc.nat({ max: 12 }),
  /** How many of the oldest answers leave its window. */
  gone: fc.nat({ max: 3 }),
  /** It was read again by a worker that had not seen it. */
  read: fc.boolean(),
  /** It is encoded, as for a commit; or was decided on only. */
  encoded: fc.boolean(),
});

test('are what its answers are, wherever it goes on from and whoever else does', () => {
  fc.assert(
    fc.property(fc.array(move, { maxLength: 40 }), (moves) => {
      const sessions: Session[] = [sessionOf(account, { answers: [] })];
      for (const [number, { from, services, gone, read, encoded }] of moves.entries()) {
        const before = sessions[from % sessions.length] as Session;
        const last = read ? sessionCodec.decode(sessionCodec.encode(before)) : before;
        const next = {
          ...last,
          answers: [...last.answers.slice(gone), answerOf(number, services)],
        };
        sessions.push(next);
        if (encoded) expect(sessionCodec.encode(next)).toEqual(encodedAnew(next));
      }
      for (const session of sessions)
        expect(sessionCodec.encode(session)).toEqual(encodedAnew(session));
    }),
    { numRuns: 200 },
  );
});

test('are not those of another session with the same last answer', () => {
  const shared = answeredOf(5);
  const ours = sessionOf(account, { answers: [answeredOf(1), shared] });
  const theirs = sessionOf(account, { answers: [answeredOf(2), shared] });
  sessionCodec.encode(ours);
  for (const session of [theirs, ours]) {
    const next = { ...session, answers: [...session.answers, answeredOf(6)] };
    expect(sessionCodec.encode(next)).toEqual(encodedAnew(next));
    expect(sessionCodec.encode(session)).toEqual(encodedAnew(session));
  }
});
