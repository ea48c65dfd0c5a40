/**
 * Ends a session from outside its client, at once: an operator's word, or an STR. What it held is
 * released and recorded; usage that its client reports later is still debited while its tombstone lives.
 */
import { abandon } from '../charging/timer.ts';
import { changeSession, type SessionChangeOptions } from './session-change.ts';

export type AbortOptions = SessionChangeOptions & { clock(): number };

/** `busy`: not agreed with the store before the deadline; the session may or may not have ended. */
export async function abortSession(
  options: AbortOptions,
  sessionKey: string,
  { mayServe, deadline }: { mayServe(tenant: string): boolean; deadline: number },
): Promise<'ended' | 'unknown' | 'busy'> {
  const outcome = await changeSession(options, sessionKey, {
    ...{ mayServe, deadline },
    decide: ({ session, known }) => abandon(session, known, 'abort'),
  });
  return outcome === 'changed' || outcome === 'unchanged' ? 'ended' : outcome;
}
