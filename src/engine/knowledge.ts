/**
 * What a worker remembers of the sessions, accounts and subscribers that it saw last. All of it is
 * a hint: a commit makes a stale one harmless, and its reply carries what is true.
 */
import type { Account, AccountRef } from '../charging/account.ts';
import type { SubscriberId } from '../charging/request.ts';
import type { Snapshot, StoredSession } from '../store/store.ts';
import { Cache } from './cache.ts';

interface KnownSession {
  account: AccountRef;
  stored: StoredSession;
}

interface KnownAccount {
  epoch: number;
  account: Account;
}

export class Knowledge {
  readonly #sessions: Cache<KnownSession>;
  readonly #accounts: Cache<KnownAccount>;
  readonly #pointers: Cache<string>;

  constructor({ sessions, accounts }: { sessions: number; accounts: number }) {
    this.#sessions = new Cache(sessions);
    this.#accounts = new Cache(accounts);
    this.#pointers = new Cache(accounts);
  }

  /** Where a session lives, and what it was when last seen. */
  session(key: string): KnownSession | undefined {
    return this.#sessions.get(key);
  }

  account(ref: AccountRef): KnownAccount | undefined {
    return this.#accounts.get(accountKey(ref));
  }

  pointer(tenant: string, subscriber: SubscriberId): string | undefined {
    return this.#pointers.get(pointerKey(tenant, subscriber));
  }

  learnPointer(tenant: string, subscriber: SubscriberId, account: string): void {
    this.#pointers.set(pointerKey(tenant, subscriber), account);
  }

  forgetPointer(tenant: string, subscriber: SubscriberId): void {
    this.#pointers.delete(pointerKey(tenant, subscriber));
  }

  learn(ref: AccountRef, sessionKey: string | undefined, snapshot: Snapshot): void {
    const { epoch, account, session } = snapshot;
    if (account !== undefined) this.#accounts.set(accountKey(ref), { epoch, account });
    else this.#accounts.delete(accountKey(ref));
    if (sessionKey === undefined) return;
    // What a moved Session-Id left behind tells nothing about the session itself.
    const here = session?.session.account.account === ref.account;
    this.#learnSession(ref, sessionKey, here ? session : undefined);
  }

  /** After a commit: the session as it is now, and the account's counters that moved. */
  learnCommitted(
    ref: AccountRef,
    sessionKey: string,
    after: { stored: StoredSession; counters: Readonly<Record<string, number>> },
  ): void {
    this.#learnSession(ref, sessionKey, after.stored);
    this.learnCounters(ref, after.counters);
  }

  /** The account's counters that a commit moved. */
  learnCounters(ref: AccountRef, moved: Readonly<Record<string, number>>): void {
    const known = this.#accounts.get(accountKey(ref));
    if (known === undefined) return;
    const counters = { ...known.account.counters, ...moved };
    this.#accounts.set(accountKey(ref), { ...known, account: { ...known.account, counters } });
  }

  /** Ended, a session is rarely asked for again: memory is for those that go on. */
  #learnSession(ref: AccountRef, key: string, stored: StoredSession | undefined): void {
    if (stored?.session.state === 'open') this.#sessions.set(key, { account: ref, stored });
    else this.#sessions.delete(key);
  }

  forgetSession(key: string): void {
    this.#sessions.delete(key);
  }

  forgetAccount(ref: AccountRef): void {
    this.#accounts.delete(accountKey(ref));
  }

  clear(): void {
    this.#sessions.clear();
    this.#accounts.clear();
    this.#pointers.clear();
  }
}

function accountKey({ tenant, account }: AccountRef): string {
  return `${tenant}\n${account}`;
}

function pointerKey(tenant: string, { kind, id }: SubscriberId): string {
  return `${tenant}\n${kind}\n${id}`;
}
