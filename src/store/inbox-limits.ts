/** How much an inbox of a worker takes, and for how long, in every store. */

/** Messages; a worker that is so far behind is no way to anybody. */
export const INBOX_LIMIT = 1_000;

/** In ms: a message that nobody took for so long has been made good for elsewhere. */
export const INBOX_TTL_MS = 10_000;
