/**
 * The store in the memory of this process: for a laboratory, and the model that simulations and
 * the Redis store are checked against. It keeps the same promises, except that nothing outlives
 * the process.
 */
import { randomUUID } from 'node:crypto';
import type { Account, AccountDefinition, AccountRef } from '../../charging/account.ts';
import {
  availableField,
  OPEN_SESSIONS,
  periodField,
  reservedField,
} from '../../charging/account.ts';
import { periodsFor } from '../../charging/periods.ts';
import { type SubscriberId, subSessionOf } from '../../charging/request.ts';
import { kindsAfter } from '../bucket-kinds.ts';
import { checkCommit } from '../commit-check.ts';
import {
  type ConfigurationChange,
  planField,
  type StoredConfiguration,
  superfluous,
  versionsAmong,
} from '../configuration.ts';
import { changeRecord, counterChanges } from '../counter-changes.ts';
import { INBOX_LIMIT, INBOX_TTL_MS } from '../inbox-limits.ts';
import { MARKER_RECORD, movedMarker } from '../marker.ts';
import { openingRecord } from '../opening.ts';
import {
  accountName,
  accountOfName,
  byBytes,
  DEFAULT_PARTITIONS,
  partitionOfName,
  sessionMember,
} from '../placement.ts';
import { encodeRecord } from '../record-codec.ts';
import { sessionCodec } from '../session-codec.ts';
import type {
  Binding,
  Commit,
  CommitReply,
  DueSession,
  Kept,
  Leaving,
  Snapshot,
  Store,
  StoredSession,
} from '../store.ts';
import { applyCommit } from './commit.ts';
import {
  append,
  current,
  emptyState,
  type KeptAccount,
  type KeptSession,
  type MemoryState,
  type Partition,
  raiseEpoch,
} from './state.ts';

export interface MemoryStoreOptions {
  partitions?: number;
  /** Store time in ms; the system's clock if absent. */
  clock?: () => number;
}

export class MemoryStore implements Store {
  readonly partitions: number;
  readonly now: () => number;
  #state: MemoryState;

  constructor({ partitions = DEFAULT_PARTITIONS, clock = Date.now }: MemoryStoreOptions = {}) {
    this.partitions = partitions;
    this.now = clock;
    this.#state = emptyState(partitions, clock());
  }

  partitionOf(account: AccountRef): number {
    return partitionOfName(accountName(account), this.partitions);
  }

  /** A partition as it is, for whoever reads its records or checks its promises. */
  partition(number: number): Partition {
    const partition = this.#state.partitions[number];
    if (partition === undefined) throw new RangeError(`no partition ${number}`);
    return partition;
  }

  /** All that is stored, to go back to with `failOver`. */
  copy(): MemoryState {
    return structuredClone(this.#state);
  }

  /** Loses what was written since `copy`, as a failover may; every partition's epoch is raised. */
  failOver(copy: MemoryState): void {
    const before = this.#state.partitions;
    this.#state = structuredClone(copy);
    this.#state.partitions.forEach((partition, i) => {
      partition.epoch = Math.max(partition.epoch, before[i]!.epoch);
      raiseEpoch(partition, this.now());
    });
  }

  async accountOf(tenant: string, subscriber: SubscriberId): Promise<string | undefined> {
    return this.#state.pointers.get(pointer(tenant, subscriberText(subscriber)));
  }

  async bind(sessionKey: string, account: AccountRef, ttlMs: number): Promise<Binding> {
    const bound = current(this.#state.bindings, sessionKey, this.now());
    if (bound !== undefined) return binding(bound);
    return this.#setBinding(sessionKey, account, false, ttlMs);
  }

  async bindingOf(sessionKey: string): Promise<Binding | undefined> {
    const bound = current(this.#state.bindings, sessionKey, this.now());
    return bound && binding(bound);
  }

  async keepBinding(sessionKey: string, account: AccountRef, ttlMs: number): Promise<void> {
    const bound = current(this.#state.bindings, sessionKey, this.now());
    if (bound === undefined || accountName(bound.account) === accountName(account))
      this.#setBinding(sessionKey, account, true, ttlMs);
  }

  async moveBinding(
    sessionKey: string,
    from: AccountRef,
    to: AccountRef,
    ttlMs: number,
  ): Promise<Binding> {
    const now = this.now();
    const old = this.#partitionOf(from);
    const member = sessionMember(accountName(from), sessionKey);
    const there = current(old.sessions, member, now);
    const bound = current(this.#state.bindings, sessionKey, now);
    if (there !== undefined && there.lastRecord !== MARKER_RECORD)
      return bound === undefined ? this.#setBinding(sessionKey, from, true, ttlMs) : binding(bound);
    if (there === undefined)
      old.sessions.set(member, {
        value: {
          version: 1,
          lastRecord: MARKER_RECORD,
          bytes: sessionCodec.encode(movedMarker({ sessionKey, to, at: now })).slice(),
        },
        expiresAt: now + ttlMs,
      });
    if (bound !== undefined && accountName(bound.account) !== accountName(from))
      return binding(bound);
    return this.#setBinding(sessionKey, to, false, ttlMs);
  }

  async subSessionsOf(
    sessionId: string,
    { after, limit }: { after?: string; limit: number },
  ): Promise<{ subSessionIds: string[]; next?: string }> {
    const named = [...this.#state.bindings.keys()]
      .filter((key) => key.startsWith(sessionId))
      .map(subSessionOf)
      .filter((one) => one?.sessionId === sessionId)
      .map((one) => one?.subSessionId ?? '')
      .sort();
    const rest = named.filter((id) => after === undefined || id > after);
    const subSessionIds = rest.slice(0, limit);
    const last = subSessionIds.at(-1);
    return last === undefined || rest.length <= limit
      ? { subSessionIds }
      : { subSessionIds, next: last };
  }

  async load(account: AccountRef, sessionKey?: string): Promise<Snapshot> {
    return this.#snapshot(account, sessionKey);
  }

  async commit(commit: Commit): Promise<CommitReply> {
    checkCommit(commit);
    const reply = applyCommit(this.#partitionOf(commit.account), commit, this.now());
    if (reply.kind !== 'conflict') return reply;
    return { kind: 'conflict', snapshot: this.#snapshot(commit.account, commit.session?.key) };
  }

  async claimDue(
    partition: number,
    { limit, leaseMs }: { limit: number; leaseMs: number },
  ): Promise<{ now: number; due: DueSession[] }> {
    const { timers, sessions } = this.partition(partition);
    const now = this.now();
    const members = [...timers]
      .filter(([, score]) => score <= now)
      .sort(byScore)
      .slice(0, limit)
      .map(([member]) => member);
    for (const member of members) timers.set(member, now + leaseMs);
    const due = members.map((member) => {
      const kept = current(sessions, member, now);
      return { member, stored: kept && stored(kept) };
    });
    return { now, due };
  }

  async rearm(account: AccountRef, member: string, version: number, at: number): Promise<void> {
    const { sessions, timers } = this.#partitionOf(account);
    const kept = current(sessions, member, this.now());
    if (kept?.version === version && timers.has(member)) timers.set(member, at);
  }

  async dropTimer(partition: number, member: string): Promise<void> {
    const { sessions, timers } = this.partition(partition);
    if (current(sessions, member, this.now()) === undefined) timers.delete(member);
  }

  async createAccount(
    definition: AccountDefinition,
    openings: Readonly<Record<string, number>>,
  ): Promise<'created' | 'exists'> {
    const record = openingRecord(definition, openings, this.now());
    const partition = this.#partitionOf(definition);
    const name = accountName(definition);
    const existing = partition.accounts.get(name);
    if (existing === undefined) {
      const { subscribers: _, ...rest } = definition;
      const subscribers = this.#claim(definition, definition.subscribers);
      const counters: Record<string, number> = { [OPEN_SESSIONS]: 0 };
      for (const { id } of definition.buckets) {
        counters[availableField(id)] = openings[id] ?? 0;
        counters[reservedField(id)] = 0;
      }
      Object.assign(counters, periodsFor(definition.buckets, this.now()));
      append(partition, encodeRecord(record));
      partition.accounts.set(name, {
        version: 1,
        definition: structuredClone(rest),
        counters,
        subscribers: new Map(subscribers.map((text) => [text, ''])),
        openSessions: new Set(),
        kinds: kindsAfter(definition, { kinds: new Map() }),
      });
    } else this.#point(definition, definition.subscribers);
    return existing === undefined ? 'created' : 'exists';
  }

  async changeAccount(
    definition: AccountDefinition,
    expected: number,
  ): Promise<'changed' | 'conflict'> {
    const partition = this.#partitionOf(definition);
    const kept = partition.accounts.get(accountName(definition));
    if (kept?.version !== expected) return 'conflict';
    const kinds = kindsAfter(definition, { before: toAccount(kept).definition, kinds: kept.kinds });
    const { subscribers: wanted, ...rest } = definition;
    const { counters } = kept;
    const now = this.now();
    const counted = counterChanges(toAccount(kept), definition, now);
    if (counted === 'conflict') return counted;
    const { changes, added, periods, gone } = counted;
    if (changes.length > 0) append(partition, encodeRecord(changeRecord(definition, changes, now)));
    for (const { id } of kept.definition.buckets) delete counters[periodField(id)];
    Object.assign(counters, periods);
    for (const { id } of definition.buckets) {
      counters[availableField(id)] ??= 0;
      counters[reservedField(id)] ??= 0;
    }
    for (const [field, sum] of Object.entries(added)) counters[field]! += sum;
    for (const field of gone) delete counters[field];
    const before = kept.subscribers;
    const claimed = this.#claim(
      definition,
      wanted.filter((text) => !before.has(text)),
    );
    const subscribers = wanted.filter((text) => before.has(text) || claimed.includes(text));
    kept.subscribers = new Map(subscribers.map((text) => [text, before.get(text) ?? '']));
    kept.definition = structuredClone(rest);
    kept.kinds = kinds;
    kept.version++;
    for (const text of before.keys()) {
      const key = pointer(definition.tenant, text);
      if (!kept.subscribers.has(text) && this.#state.pointers.get(key) === definition.account)
        this.#state.pointers.delete(key);
    }
    return 'changed';
  }

  async moveSubscriber(
    tenant: string,
    subscriber: SubscriberId,
    to: string,
    leaving?: Leaving,
  ): Promise<void> {
    const text = subscriberText(subscriber);
    const key = pointer(tenant, text);
    const leave = (account: string) => this.#leave({ tenant, account }, text, leaving);
    const target = this.#kept({ tenant, account: to });
    if (target === undefined) throw new RangeError(`no account ${to}`);
    const holder = this.#state.pointers.get(key) ?? '';
    const earlier = holder === to ? '' : this.#comingFrom({ tenant, account: holder }, text);
    if (earlier !== '' && earlier !== to) await leave(earlier);
    const at = this.#state.pointers.get(key) ?? '';
    // Where the pointer is set already, the new account knows what is left to be done.
    const from = at === to ? (target.subscribers.get(text) ?? '') : at;
    if (!target.subscribers.has(text)) target.version++;
    target.subscribers.set(text, from);
    this.#state.pointers.set(key, to);
    if (from === '') return;
    await leave(from);
    if (target.subscribers.get(text) === from) target.subscribers.set(text, '');
  }

  async removeSubscriber(
    tenant: string,
    subscriber: SubscriberId,
    leaving?: Leaving,
  ): Promise<void> {
    const text = subscriberText(subscriber);
    const key = pointer(tenant, text);
    const holder = this.#state.pointers.get(key);
    if (holder === undefined) return;
    const earlier = this.#comingFrom({ tenant, account: holder }, text);
    for (const account of earlier === '' ? [holder] : [earlier, holder])
      await this.#leave({ tenant, account }, text, leaving);
    if (this.#state.pointers.get(key) === holder) this.#state.pointers.delete(key);
  }

  async holderOf(tenant: string, subscriber: SubscriberId): Promise<string | undefined> {
    const account = await this.accountOf(tenant, subscriber);
    if (account === undefined) return undefined;
    const has = this.#kept({ tenant, account })?.subscribers.has(subscriberText(subscriber));
    return has ? account : undefined;
  }

  async keptOf(account: AccountRef): Promise<Kept | undefined> {
    const kept = this.#kept(account);
    if (kept === undefined) return undefined;
    const arriving = [...kept.subscribers].filter(([, from]) => from !== '');
    return { kinds: kept.kinds, arriving: Object.fromEntries(arriving) };
  }

  async listAccounts(
    tenant: string,
    { after, limit, partition }: { after?: string; limit: number; partition?: number },
  ): Promise<{ accounts: Account[]; next?: string }> {
    const asked = partition === undefined ? this.#state.partitions : [this.partition(partition)];
    const found = asked
      .flatMap(({ accounts }) => [...accounts.values()])
      .filter(({ definition }) => definition.tenant === tenant)
      .filter(({ definition }) => after === undefined || byBytes(definition.account, after) > 0)
      .sort((a, b) => byBytes(a.definition.account, b.definition.account));
    const accounts = found.slice(0, limit).map(toAccount);
    const last = accounts.at(-1);
    if (last === undefined || found.length <= limit) return { accounts };
    return { accounts, next: last.definition.account };
  }

  async listSessions(
    tenant: string,
    { after, limit }: { after?: string; limit: number },
  ): Promise<{ sessions: StoredSession[]; next?: string }> {
    const colon = after?.indexOf(':') ?? 0;
    const from: [string, number] = [after?.slice(colon + 1) ?? '', Number(after?.slice(0, colon))];
    const found = this.#state.partitions
      .flatMap(({ index, sessions }) =>
        [...(index.get(tenant) ?? [])].map((entry) => ({ entry, sessions })),
      )
      .filter(({ entry }) => after === undefined || byScore(entry, from) > 0)
      .sort((a, b) => byScore(a.entry, b.entry));
    const page = found.slice(0, limit);
    const sessions = page.flatMap(({ entry: [member], sessions }) => {
      const kept = current(sessions, member, this.now());
      return kept === undefined ? [] : [stored(kept)];
    });
    const last = page.at(-1)?.entry;
    if (last === undefined || found.length <= limit) return { sessions };
    return { sessions, next: `${last[1]}:${last[0]}` };
  }

  async configurationStamp(): Promise<string> {
    return this.#state.configuration.stored?.stamp ?? '';
  }

  async readConfiguration(): Promise<StoredConfiguration | undefined> {
    const { stored } = this.#state.configuration;
    return stored && { ...stored };
  }

  async writeConfiguration(change: ConfigurationChange): Promise<'written' | 'conflict'> {
    const { configuration } = this.#state;
    const { expected, document, plans } = change;
    const gone = superfluous([...configuration.plans.keys()], change);
    if ((configuration.stored?.version ?? 0) !== expected) return 'conflict';
    for (const plan of plans) configuration.plans.set(planField(plan), plan.text);
    for (const field of gone) configuration.plans.delete(field);
    const version = expected + 1;
    const stamp = `${version}@${randomUUID()}`;
    configuration.stored = { version, stamp, document };
    return 'written';
  }

  async planVersions(tenant: string, plan: string): Promise<number[]> {
    return versionsAmong([...this.#state.configuration.plans.keys()], tenant, plan);
  }

  async planText(tenant: string, plan: string, version: number): Promise<string | undefined> {
    return this.#state.configuration.plans.get(planField({ tenant, plan, version }));
  }

  async rememberedFile(): Promise<string | undefined> {
    return this.#state.configuration.file;
  }

  async rememberFile(text: string): Promise<void> {
    this.#state.configuration.file = text;
  }

  async rememberedListener(): Promise<string> {
    return this.#state.configuration.listener ?? '';
  }

  async rememberListener(host: string): Promise<void> {
    this.#state.configuration.listener = host;
  }

  async sessionsOf(
    account: AccountRef,
    { after, limit }: { after?: string; limit: number },
  ): Promise<{ sessions: StoredSession[]; next?: string }> {
    const { accounts, sessions } = this.#partitionOf(account);
    const open = [...(accounts.get(accountName(account))?.openSessions ?? [])].sort();
    const rest = open.filter((member) => after === undefined || member > after);
    const page = rest.slice(0, limit);
    const found = page.flatMap((member) => {
      const kept = current(sessions, member, this.now());
      return kept === undefined ? [] : [stored(kept)];
    });
    const last = page.at(-1);
    if (last === undefined || rest.length <= limit) return { sessions: found };
    return { sessions: found, next: last };
  }

  async announce(worker: string, ttlMs: number): Promise<string[]> {
    const now = this.now();
    const { workers } = this.#state;
    if (ttlMs === 0) workers.delete(worker);
    else workers.set(worker, now + ttlMs);
    for (const [name, until] of workers) if (until <= now) workers.delete(name);
    return [...workers.keys()].sort();
  }

  async holdPeer(host: string, worker: string, ttlMs: number): Promise<void> {
    const { peers } = this.#state;
    const holders = peers.get(host) ?? new Map<string, number>();
    if (ttlMs === 0) holders.delete(worker);
    else holders.set(worker, this.now() + ttlMs);
    peers.set(host, holders);
  }

  async holdersOf(host: string): Promise<string[]> {
    const holders = [...(this.#state.peers.get(host) ?? [])];
    return holders
      .filter(([, until]) => until > this.now())
      .map(([worker]) => worker)
      .sort();
  }

  async post(worker: string, message: string): Promise<'posted' | 'full'> {
    const { inboxes } = this.#state;
    const messages = current(inboxes, worker, this.now()) ?? [];
    if (messages.length >= INBOX_LIMIT) return 'full';
    inboxes.set(worker, {
      value: [...messages, message],
      expiresAt: this.now() + INBOX_TTL_MS,
    });
    return 'posted';
  }

  async take(worker: string, limit: number): Promise<string[]> {
    return current(this.#state.inboxes, worker, this.now())?.splice(0, limit) ?? [];
  }

  async ready(): Promise<undefined> {
    return undefined;
  }

  async close(): Promise<void> {}

  #partitionOf(account: AccountRef): Partition {
    return this.partition(this.partitionOf(account));
  }

  #snapshot(ref: AccountRef, sessionKey: string | undefined): Snapshot {
    const partition = this.#partitionOf(ref);
    const name = accountName(ref);
    const account = partition.accounts.get(name);
    const kept =
      sessionKey === undefined
        ? undefined
        : current(partition.sessions, sessionMember(name, sessionKey), this.now());
    return {
      epoch: partition.epoch,
      account: account && toAccount(account),
      session: kept && stored(kept),
    };
  }

  #setBinding(sessionKey: string, account: AccountRef, opened: boolean, ttlMs: number): Binding {
    // Through its name, as the other store does: nothing but tenant and account is kept.
    const value = { account: accountOfName(accountName(account)), opened };
    this.#state.bindings.set(sessionKey, { value, expiresAt: this.now() + ttlMs });
    return binding(value);
  }

  /** Points subscribers that the account has to it, unless they point somewhere. */
  #kept(account: AccountRef): KeptAccount | undefined {
    return this.#partitionOf(account).accounts.get(accountName(account));
  }

  /** Where an account's subscriber is still to be taken from; empty: it has arrived, or is not there. */
  #comingFrom(account: AccountRef, subscriber: string): string {
    return this.#kept(account)?.subscribers.get(subscriber) ?? '';
  }

  async #leave(account: AccountRef, subscriber: string, leaving?: Leaving): Promise<void> {
    const kept = this.#kept(account);
    if (kept?.subscribers.delete(subscriber)) kept.version++;
    const isLimited = kept?.definition.buckets.some(({ limits }) => limits !== undefined) ?? false;
    await leaving?.(account.account, isLimited);
  }

  /** Points those to an account that no other has, and returns them. */
  #claim({ tenant, account }: AccountRef, subscribers: readonly string[]): string[] {
    return subscribers.filter((text) => {
      const key = pointer(tenant, text);
      const holder = this.#state.pointers.get(key) ?? account;
      const isHeld = this.#kept({ tenant, account: holder })?.subscribers.has(text) ?? false;
      if (holder !== account && isHeld) return false;
      this.#state.pointers.set(key, account);
      return true;
    });
  }

  #point(account: AccountRef, subscribers: readonly string[]): void {
    const kept = this.#kept(account);
    for (const text of subscribers) {
      const key = pointer(account.tenant, text);
      if (kept?.subscribers.has(text) && !this.#state.pointers.has(key))
        this.#state.pointers.set(key, account.account);
    }
  }
}

const subscriberText = ({ kind, id }: SubscriberId): string => `${kind}:${id}`;
const pointer = (tenant: string, subscriber: string): string =>
  accountName({ tenant, account: subscriber });

const binding = (bound: { account: AccountRef; opened: boolean }): Binding => ({
  ...bound.account,
  state: bound.opened ? 'opened' : 'bound',
});

const byScore = (a: [string, number], b: [string, number]): number =>
  a[1] - b[1] || (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0);

const stored = ({ version, lastRecord, bytes }: KeptSession): StoredSession => ({
  version,
  lastRecord,
  session: sessionCodec.decode(bytes),
});

function toAccount({ version, definition, counters, subscribers }: KeptAccount): Account {
  return {
    definition: { ...structuredClone(definition), subscribers: [...subscribers.keys()].sort() },
    version,
    counters: { ...counters },
  };
}
