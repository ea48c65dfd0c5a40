/**
 * What is known of a change when the store fails in its midst. Changes of what is provisioned take
 * several calls, some are sent again by themselves, and the last failure says nothing of the calls
 * before it.
 */
import { TollkeeperError } from '../errors.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';

/** Calls that change what is provisioned; the others may fail and nothing has happened. */
const CHANGES: ReadonlySet<string | symbol> = new Set<keyof Store>([
  'createAccount',
  'changeAccount',
  'moveSubscriber',
  'removeSubscriber',
  'writeConfiguration',
  'rememberFile',
]);

/**
 * Makes a change through the store that it is given. Throws STORE_OUTCOME_UNKNOWN where the store
 * failed after any of it was sent: it may be in, as a whole or in part, and may be sent again. A
 * failure before that is thrown as it is.
 */
export async function withOutcome<Of extends Partial<Store>, Result>(
  store: Of,
  change: (store: Of) => Promise<Result>,
): Promise<Result> {
  let isSent = false;
  /** Of a call, since then. */
  let failure: unknown;
  const noted = (error: unknown): never => {
    if (isSent) failure = error;
    throw error;
  };
  const watched = new Proxy({} as Of, {
    get(_, name) {
      const member: unknown = Reflect.get(store, name, store);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        if (CHANGES.has(name)) isSent = true;
        const reply: unknown = Reflect.apply(member, store, args);
        return reply instanceof Promise ? reply.catch(noted) : reply;
      };
    },
  });
  try {
    return await change(watched);
  } catch (error) {
    if (!(error instanceof StoreUnavailable) || error !== failure) throw error;
    throw new TollkeeperError('STORE_OUTCOME_UNKNOWN', { reason: error.message }, { cause: error });
  }
}
