/** Whose account a request is for: the first of its subscribers that points to one. */
import type { Account } from '../charging/account.ts';
import type { SubscriberId } from '../charging/request.ts';
import type { Store } from '../store/store.ts';
import type { Calls } from './calls.ts';
import type { Knowledge } from './knowledge.ts';

export interface Found {
  account: string;
  subscriber: SubscriberId;
}

/** The account that one of the subscribers points to, and which of them. */
export async function accountOf(
  { store, knowledge }: { store: Store; knowledge: Knowledge },
  calls: Calls,
  { tenant, subscribers }: { tenant: string; subscribers: readonly SubscriberId[] },
): Promise<Found | undefined> {
  for (const subscriber of subscribers) {
    const known = knowledge.pointer(tenant, subscriber);
    const account = known ?? (await calls.one(() => store.accountOf(tenant, subscriber)));
    if (account === undefined) continue;
    if (known === undefined) knowledge.learnPointer(tenant, subscriber, account);
    return { account, subscriber };
  }
  return undefined;
}

/** Whether the account has the subscriber: a pointer to it is no authority. */
export function isOn({ definition }: Account, { kind, id }: SubscriberId): boolean {
  return definition.subscribers.includes(`${kind}:${id}`);
}
