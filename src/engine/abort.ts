/**
 * Ends a session from outside its client, at once: an operator's word, or an STR. What it held is
 * released and recorded; usage that its client reports later is still debited while its tombstone lives.
 */
import { abandon } from '../charging/timer.ts';
import { type ChangeCalls, changeSession, type SessionChangeOptions } from './session-change.ts';
import { onEach } from './sub-sessions.ts';

export type AbortOptions = SessionChangeOptions & ChangeCalls;

/**
 * Ends the session of a Session-Id and all sub-sessions under it: an STR names no sub-session, so it
 * ends what its client has (RFC 6733 8.4, RFC 8506 8.5). See `abortSession`.
 */
export function abortAll(
  options: AbortOptions,
  sessionId: string,
  on: { mayServe(tenant: string): boolean; deadline: number },
): Promise<'ended' | 'unknown' | 'busy'> {
  const act = (key: string) => abortSession(options, key, on);
  return onEach(options, { sessionId }, { deadline: on.deadline, act });
}

/**
 * `ended`: by this or before, as long as its tombstone tells; so a repeated STR is answered as the
 * first one was. `busy`: not agreed with the store before the deadline; it may or may not have ended.
 */
export async function abortSession(
  options: AbortOptions,
  sessionKey: string,
  { mayServe, deadline }: { mayServe(tenant: string): boolean; deadline: number },
): Promise<'ended' | 'unknown' | 'busy'> {
  const outcome = await changeSession(options, sessionKey, {
    ...{ mayServe, deadline },
    decide: ({ session, known }) => abandon(session, known, 'abort'),
  });
  return outcome === 'unknown' || outcome === 'busy' ? outcome : 'ended';
}
