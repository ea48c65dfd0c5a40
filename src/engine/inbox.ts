/**
 * How a worker without a connection to a client has another one send a request: a message in that
 * worker's inbox, which it looks into several times a second. An inbox is bounded, messages are
 * taken at most once and may be lost: the session's own timer then asks again.
 */
import type { AccountRef } from '../charging/account.ts';
import type { Store } from '../store/store.ts';

/** Asks the receiver to send what a session has pending, if that is still the same attempt. */
export interface Errand {
  account: AccountRef;
  session: string;
  attempt: number;
  endToEnd: number;
}

/** Errands taken at once. */
const BATCH = 64;

export async function postErrand(store: Store, worker: string, errand: Errand): Promise<void> {
  const { account, session, attempt, endToEnd } = errand;
  const { tenant, account: name } = account;
  await store.post(worker, JSON.stringify([1, tenant, name, session, attempt, endToEnd]));
}

/** Takes what others left for `worker`, in order, until its inbox is empty. */
export async function takeErrands(
  store: Store,
  worker: string,
  carryOut: (errand: Errand) => Promise<void>,
): Promise<number> {
  let taken = 0;
  for (;;) {
    const messages = await store.take(worker, BATCH);
    const errands = messages.map(errandOf).filter((errand) => errand !== undefined);
    await Promise.all(errands.map(carryOut));
    taken += messages.length;
    if (messages.length < BATCH) return taken;
  }
}

/** Undefined: only another version knows what it says. */
function errandOf(message: string): Errand | undefined {
  const [form, tenant, name, session, attempt, endToEnd] = JSON.parse(message) as [
    ...[form: number, tenant: string, name: string, session: string],
    ...[attempt: number, endToEnd: number],
  ];
  if (form !== 1) return undefined;
  return { account: { tenant, account: name }, session, attempt, endToEnd };
}
