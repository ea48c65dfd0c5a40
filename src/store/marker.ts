/**
 * What a moved Session-Id leaves under its key at the old account: nothing can be opened there any
 * more, and whoever meets it in a conflict learns the new account from it.
 */
import type { AccountRef } from '../charging/account.ts';
import type { Session } from '../charging/session.ts';

/** A marker is the first version of its key and wrote no record. */
export const MARKER_RECORD = '0-0';

export function movedMarker(move: { sessionKey: string; to: AccountRef; at: number }): Session {
  return {
    sessionId: move.sessionKey,
    account: { tenant: move.to.tenant, account: move.to.account },
    subscriber: { kind: 'private', id: '' },
    client: { host: '', realm: '' },
    context: '',
    state: 'ended',
    openedAt: move.at,
    changedAt: move.at,
    superviseAt: move.at,
    armedAt: move.at,
    services: [],
    answers: [],
    seen: [],
  };
}
