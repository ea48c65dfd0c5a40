/**
 * What a rejected call means for whoever made it: not applied, or unknown. Error objects of the
 * client carry the arguments of the command (subscribers, amounts), so none is passed on.
 */
import { StoreUnavailable } from '../store.ts';

/** Replies that say that nothing was executed. */
const refusals = new Set([
  'READONLY',
  'LOADING',
  'BUSY',
  'NOSCRIPT',
  'OOM',
  'NOAUTH',
  'NOPERM',
  'WRONGPASS',
  'MOVED',
  'ASK',
  'TRYAGAIN',
  'CLUSTERDOWN',
  'MASTERDOWN',
  'MISCONF',
  'NOREPLICAS',
]);

/** The client's words for a command that it never wrote to a socket. */
const NOT_SENT = "Stream isn't writeable";

/** The first word of an error reply, such as `READONLY`; empty for errors of the client. */
export function errorWord(error: unknown): string {
  const text = error instanceof Error ? error.message : '';
  return /^[A-Z]{2,}(?=\s|$)/.exec(text)?.[0] ?? '';
}

/** Unknown unless it is certain that nothing was executed. */
export function classify(error: unknown): StoreUnavailable {
  if (error instanceof StoreUnavailable) return error;
  const text = error instanceof Error ? error.message : '';
  const word = errorWord(error);
  if (text.startsWith(NOT_SENT)) return new StoreUnavailable('no', 'no connection to Redis');
  if (refusals.has(word)) return new StoreUnavailable('no', `Redis refused: ${word}`);
  return new StoreUnavailable('unknown', `no answer from Redis: ${withoutArguments(text)}`);
}

/** An error's text without what could be a command's arguments. */
export function withoutArguments(text: string): string {
  return text.replace(/,? with args beginning with.*$/s, '').slice(0, 200);
}
