/** The store in one Redis server. Its promises are those of `Store`; its keys are in `keys.ts`. */
import type { Account, AccountDefinition, AccountRef } from '../../charging/account.ts';
import type { SubscriberId } from '../../charging/request.ts';
import { checkCommit } from '../commit-check.ts';
import type { ConfigurationChange, StoredConfiguration } from '../configuration.ts';
import { accountName, byBytes, partitionOfName, sessionMember } from '../placement.ts';
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
import { bind, bindingOf, keepBinding, moveBinding, subSessionsOf } from './bindings.ts';
import { commitCall, commitReply } from './commit-call.ts';
import * as configuration from './configuration.ts';
import { Connection, type ConnectionOptions } from './connection.ts';
import { Definitions } from './definitions.ts';
import { type PartitionKeys, pointerKey, WORKERS } from './keys.ts';
import { changeAccount, createAccount, keptOf } from './provisioning.ts';
import { callOf, type Reply } from './script-call.ts';
import { scripts } from './scripts.ts';
import { listSessionMembers } from './session-list.ts';
import { decodeStored } from './session-value.ts';
import { holderOf, moveSubscriber, removeSubscriber } from './subscribers.ts';
import * as mail from './worker-mail.ts';

/** The most members claimed at once. */
const MAX_CLAIM = 1_000;

type LoadReply = [
  epoch: Buffer | null,
  session: Buffer | null,
  account: readonly Reply[],
  counters: readonly Reply[],
];

export type RedisStoreOptions = ConnectionOptions;

/**
 * Connects and checks the server. Throws StoreMisconfigured with every problem of its settings,
 * StoreIncompatible when what it holds is of another make, or StoreUnavailable when it cannot be
 * reached.
 */
export async function openRedisStore(options: RedisStoreOptions): Promise<RedisStore> {
  return new RedisStore(await Connection.open(options));
}

export class RedisStore implements Store {
  /** For what else is kept beside the store: records, leases. */
  readonly connection: Connection;
  readonly partitions: number;
  readonly #definitions = new Definitions();
  readonly #keysOf = (account: AccountRef): PartitionKeys => this.#keys(account);

  constructor(connection: Connection) {
    this.connection = connection;
    this.partitions = connection.partitions.length;
  }

  partitionOf(account: AccountRef): number {
    return partitionOfName(accountName(account), this.partitions);
  }

  /** The keys of a partition. */
  keysOf(partition: number): PartitionKeys {
    const keys = this.connection.partitions[partition];
    if (keys === undefined) throw new RangeError(`no partition ${partition}`);
    return keys;
  }

  now(): number {
    return this.connection.clock.now();
  }

  /** By how much the store's clock is ahead of this machine's, in ms. */
  clockAheadMs(): number {
    return this.connection.clock.aheadMs();
  }

  async accountOf(tenant: string, { kind, id }: SubscriberId): Promise<string | undefined> {
    const pointer = pointerKey(tenant, `${kind}:${id}`);
    return (await this.connection.run((redis) => redis.get(pointer))) ?? undefined;
  }

  async bind(sessionKey: string, account: AccountRef, ttlMs: number): Promise<Binding> {
    return bind(this.connection, { sessionKey, account, ttlMs });
  }

  async bindingOf(sessionKey: string): Promise<Binding | undefined> {
    return bindingOf(this.connection, sessionKey);
  }

  async keepBinding(sessionKey: string, account: AccountRef, ttlMs: number): Promise<void> {
    await keepBinding(this.connection, { sessionKey, account, ttlMs });
  }

  async moveBinding(
    sessionKey: string,
    from: AccountRef,
    to: AccountRef,
    ttlMs: number,
  ): Promise<Binding> {
    const old = this.#keys(from);
    return moveBinding(this.connection, { sessionKey, from, to, ttlMs, old, now: this.now() });
  }

  async subSessionsOf(
    sessionId: string,
    page: { after?: string; limit: number },
  ): Promise<{ subSessionIds: string[]; next?: string }> {
    return subSessionsOf(this.connection, sessionId, page);
  }

  async load(account: AccountRef, sessionKey?: string): Promise<Snapshot> {
    const name = accountName(account);
    const keys = this.#keys(account);
    const session =
      sessionKey === undefined ? {} : { session: keys.session(sessionMember(name, sessionKey)) };
    const known = this.#definitions.versionOf(name);
    const call = callOf(
      scripts.load,
      { account: keys.account(name), partition: keys.partition, ...session },
      { known },
    );
    const reply = (await this.connection.call(scripts.load, call)) as LoadReply;
    const [stamp, value, whole, counters] = reply;
    if (stamp === null) throw this.connection.distrust('a partition has no epoch');
    const epoch = Number(stamp.toString('latin1'));
    const found = this.#definitions.read(name, epoch, { whole, counters });
    // Known no more, so that it is not left out a second time.
    if (found === 'unknown') return this.load(account, sessionKey);
    return {
      epoch,
      account: found,
      session: value === null ? undefined : decodeStored(value),
    };
  }

  async commit(commit: Commit): Promise<CommitReply> {
    checkCommit(commit);
    const call = commitCall(this.#keys(commit.account), commit);
    const reply = await this.connection.call(scripts.commit, call);
    const read = commitReply(commit, reply as readonly Reply[], this.#definitions);
    if (read !== 'unknown') return read;
    const snapshot = await this.load(commit.account, commit.session?.key);
    return { kind: 'conflict', snapshot };
  }

  async claimDue(
    partition: number,
    { limit, leaseMs }: { limit: number; leaseMs: number },
  ): Promise<{ now: number; due: DueSession[] }> {
    const keys = this.keysOf(partition);
    const call = callOf(
      scripts.claim,
      { timers: keys.timers },
      { leaseMs, limit: Math.min(limit, MAX_CLAIM) },
    );
    const reply = (await this.connection.call(scripts.claim, call)) as Buffer[];
    const [now, ...members] = reply.map(String);
    const values = await this.#sessions(keys, members);
    const due = members.map((member, i) => ({ member, stored: values[i] }));
    return { now: Number(now), due };
  }

  async rearm(account: AccountRef, member: string, version: number, at: number): Promise<void> {
    const keys = this.#keys(account);
    await this.connection.call(
      scripts.rearm,
      callOf(
        scripts.rearm,
        { session: keys.session(member), timers: keys.timers },
        { version, at, member },
      ),
    );
  }

  async dropTimer(partition: number, member: string): Promise<void> {
    const keys = this.keysOf(partition);
    await this.connection.call(
      scripts.dropTimer,
      callOf(scripts.dropTimer, { session: keys.session(member), timers: keys.timers }, { member }),
    );
  }

  async createAccount(
    definition: AccountDefinition,
    openings: Readonly<Record<string, number>>,
  ): Promise<'created' | 'exists'> {
    return createAccount(this.connection, this.#keysOf, definition, openings);
  }

  async changeAccount(
    definition: AccountDefinition,
    expected: number,
  ): Promise<'changed' | 'conflict'> {
    return changeAccount(this.connection, this.#keysOf, definition, expected);
  }

  async moveSubscriber(
    tenant: string,
    subscriber: SubscriberId,
    to: string,
    leaving: Leaving = async () => undefined,
  ): Promise<void> {
    const keysOf = this.#keysOf;
    await moveSubscriber(this.connection, { tenant, subscriber, to, leaving, keysOf });
  }

  async removeSubscriber(
    tenant: string,
    subscriber: SubscriberId,
    leaving: Leaving = async () => undefined,
  ): Promise<void> {
    await removeSubscriber(this.connection, { tenant, subscriber, leaving, keysOf: this.#keysOf });
  }

  async holderOf(tenant: string, subscriber: SubscriberId): Promise<string | undefined> {
    return holderOf(this.connection, { tenant, subscriber, keysOf: this.#keysOf });
  }

  async keptOf(account: AccountRef): Promise<Kept | undefined> {
    return keptOf(this.connection, this.#keys(account), account);
  }

  async listAccounts(
    tenant: string,
    { after, limit, partition }: { after?: string; limit: number; partition?: number },
  ): Promise<{ accounts: Account[]; next?: string }> {
    const from = after === undefined ? '-' : `(${after}`;
    const asked = partition === undefined ? this.connection.partitions : [this.keysOf(partition)];
    const pages = await this.connection.run((redis) =>
      Promise.all(
        asked.map((keys) =>
          redis.zrangebylex(keys.accounts(tenant), from, '+', 'LIMIT', 0, limit + 1),
        ),
      ),
    );
    const names = pages.flat().sort(byBytes);
    const page = names.slice(0, limit);
    const snapshots = await Promise.all(page.map((account) => this.load({ tenant, account })));
    const accounts = snapshots.flatMap(({ account }) => account ?? []);
    const last = page.at(-1);
    return last === undefined || names.length <= limit ? { accounts } : { accounts, next: last };
  }

  async listSessions(
    tenant: string,
    page: { after?: string; limit: number },
  ): Promise<{ sessions: StoredSession[]; next?: string }> {
    const { members, next } = await listSessionMembers(this.connection, tenant, page);
    const read = members.map(({ keys, member }) => this.#sessions(keys, [member]));
    const sessions = (await Promise.all(read)).flatMap(([session]) => session ?? []);
    return next === undefined ? { sessions } : { sessions, next };
  }

  configurationStamp(): Promise<string> {
    return configuration.configurationStamp(this.connection);
  }

  readConfiguration(): Promise<StoredConfiguration | undefined> {
    return configuration.readConfiguration(this.connection);
  }

  writeConfiguration(change: ConfigurationChange): Promise<'written' | 'conflict'> {
    return configuration.writeConfiguration(this.connection, change);
  }

  planVersions(tenant: string, plan: string): Promise<number[]> {
    return configuration.planVersions(this.connection, tenant, plan);
  }

  planText(tenant: string, plan: string, version: number): Promise<string | undefined> {
    return configuration.planText(this.connection, { tenant, plan, version });
  }

  rememberedFile(): Promise<string | undefined> {
    return configuration.rememberedFile(this.connection);
  }

  rememberFile(text: string): Promise<void> {
    return configuration.rememberFile(this.connection, text);
  }

  rememberedListener(): Promise<string> {
    return configuration.rememberedListener(this.connection);
  }

  rememberListener(host: string): Promise<void> {
    return configuration.rememberListener(this.connection, host);
  }

  async sessionsOf(
    account: AccountRef,
    { after = '0', limit }: { after?: string; limit: number },
  ): Promise<{ sessions: StoredSession[]; next?: string }> {
    const keys = this.#keys(account);
    const open = keys.sessionsOf(accountName(account));
    const [cursor, members] = await this.connection.run((redis) =>
      redis.sscan(open, after, 'COUNT', limit),
    );
    const sessions = (await this.#sessions(keys, members.map(String))).filter(
      (session) => session !== undefined,
    );
    const next = String(cursor);
    return next === '0' ? { sessions } : { sessions, next };
  }

  async announce(worker: string, ttlMs: number): Promise<string[]> {
    const call = callOf(scripts.announce, { workers: WORKERS }, { worker, leaseMs: ttlMs });
    const workers = (await this.connection.call(scripts.announce, call)) as Buffer[];
    return workers.map(String).sort();
  }

  async holdPeer(host: string, worker: string, ttlMs: number): Promise<void> {
    await mail.holdPeer(this.connection, { host, worker, ttlMs });
  }

  async holdersOf(host: string): Promise<string[]> {
    return mail.holdersOf(this.connection, host);
  }

  async post(worker: string, message: string): Promise<'posted' | 'full'> {
    return mail.post(this.connection, worker, message);
  }

  async take(worker: string, limit: number): Promise<string[]> {
    return mail.take(this.connection, worker, limit);
  }

  async ready(): Promise<string | undefined> {
    if (this.connection.refusal !== undefined) return this.connection.refusal;
    return this.connection
      .run((redis) => redis.ping())
      .then(
        () => undefined,
        (error: Error) => error.message,
      );
  }

  async close(): Promise<void> {
    await this.connection.close();
  }

  #keys(account: AccountRef): PartitionKeys {
    return this.keysOf(this.partitionOf(account));
  }

  async #sessions(
    keys: PartitionKeys,
    members: readonly string[],
  ): Promise<(StoredSession | undefined)[]> {
    if (members.length === 0) return [];
    const names = members.map((member) => keys.session(member));
    const values = await this.connection.run((redis) => redis.mgetBuffer(names));
    return values.map((value) => (value === null ? undefined : decodeStored(value)));
  }
}
