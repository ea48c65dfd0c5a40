/** What both stores require of a commit before they touch anything; a breach is a defect. */
import type { Commit } from './store.ts';

/** Throws TypeError when a commit cannot be meant: nothing of it has been sent. */
export function checkCommit(commit: Commit): void {
  const { session, event, idempotency, movements } = commit;
  const subjects = Number(session !== undefined) + Number(event !== undefined);
  if (subjects + Number(idempotency !== undefined) !== 1)
    throw new TypeError('a commit has a session, an event or an idempotency key, and one of them');
  for (let i = 0; i < movements.length; i++) {
    const { field, delta, min, max } = movements[i]!;
    if (!/^[arpn]:/.test(field)) throw new TypeError(`a movement on ${field}, which is no counter`);
    checkFigure(delta);
    if (min !== undefined) checkFigure(min);
    if (max !== undefined) checkFigure(max);
    for (let j = 0; j < i; j++)
      if (movements[j]!.field === field) throw new TypeError(`two movements on ${field}`);
  }
}

/** Throws TypeError unless `figure` is an integer within +-(2^53 - 1). */
export function checkFigure(figure: number): void {
  if (!Number.isSafeInteger(figure)) throw new TypeError(`${figure} is not an exact integer`);
}
