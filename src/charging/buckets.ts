/** What time does to the buckets of an account. */
import type { Draft } from './draft.ts';

/** Books what expired buckets of the account still had, so that nothing more is drawn. */
export function turnPeriods(draft: Draft, now: number): void {
  for (const { id, expiresAt } of draft.account.definition.buckets)
    if (expiresAt !== undefined && expiresAt <= now) draft.expire(id);
}
