/** Work that is done again and again, until it is stopped. */
import { setTimeout as pause } from 'node:timers/promises';

/**
 * Runs `task` again `everyMs` after it ended; it must not reject. The returned function stops it
 * and waits for the run that is under way.
 */
export function repeat(everyMs: number, task: () => Promise<unknown>): () => Promise<void> {
  const stop = new AbortController();
  const running = (async () => {
    while (!stop.signal.aborted) {
      await pause(everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
      if (!stop.signal.aborted) await task();
    }
  })();
  return async () => {
    stop.abort();
    await running;
  };
}
