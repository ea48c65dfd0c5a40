/** Both stores, each with its record log and audit view, for suites that hold for both. */
import type { Redis } from 'ioredis';
import type { AccountRef, Bucket } from '../../../src/charging/account.ts';
import { MemoryStore } from '../../../src/store/memory/store.ts';
import { accountName, sessionMember } from '../../../src/store/placement.ts';
import type { AuditView } from '../../../src/store/records/audit-view.ts';
import type { RecordLog } from '../../../src/store/records/log.ts';
import { memoryAuditView } from '../../../src/store/records/memory-audit.ts';
import { redisAuditView } from '../../../src/store/records/redis-audit.ts';
import { createClient } from '../../../src/store/redis/connect.ts';
import { partitionKeys } from '../../../src/store/redis/keys.ts';
import { openRedisStore } from '../../../src/store/redis/store.ts';
import type { Store } from '../../../src/store/store.ts';
import { startRedis, type TestRedis } from '../redis-server.ts';

/** Damage done behind the store's back. */
export interface Spoiler {
  counter(account: AccountRef, field: string, delta: number): Promise<void>;
  deleteRecord(partition: number, id: string): Promise<void>;
  /** Writes other buckets into an account's definition. */
  define(account: AccountRef, buckets: readonly Bucket[]): Promise<void>;
  /** Removes an account and leaves everything else that is its. */
  dropAccount(account: AccountRef): Promise<void>;
  /** Removes a session and leaves what points to it. */
  dropSession(account: AccountRef, key: string): Promise<void>;
  /** Takes a session out of its account's set, its tenant's index or the wheel, or puts it back. */
  place(
    account: AccountRef,
    key: string,
    where: 'set' | 'index' | 'timers',
    present: boolean,
  ): Promise<void>;
}

export interface Bench {
  store: Store;
  log: RecordLog;
  view: AuditView;
  spoil: Spoiler;
  /** The store as another worker has it. */
  openAgain(): Promise<Store>;
  close(): Promise<void>;
}

export interface RedisBench extends Bench {
  server: TestRedis;
  /** A connection to spoil things with, and for the log. */
  redis: Redis;
}

export function memoryBench(partitions: number): Bench & { store: MemoryStore } {
  const store = new MemoryStore({ partitions });
  const view = memoryAuditView(store);
  return {
    store,
    log: view.log,
    view,
    spoil: memorySpoiler(store),
    openAgain: async () => store,
    close: () => store.close(),
  };
}

/** With a server of its own. */
export async function redisBench(partitions: number): Promise<RedisBench> {
  const server = await startRedis();
  const store = await openTestStore(server, partitions);
  const redis = createClient({ socketPath: server.socketPath }, () => undefined);
  await redis.connect();
  const view = redisAuditView({ redis, partitions });
  return {
    store,
    log: view.log,
    view,
    spoil: redisSpoiler(store, redis),
    openAgain: () => openTestStore(server, partitions),
    server,
    redis,
    async close() {
      redis.disconnect();
      await store.close();
      await server.stop();
    },
  };
}

export function openTestStore(server: TestRedis, partitions: number): Promise<Store> {
  const log = { warn: () => undefined, info: () => undefined };
  const { socketPath } = server;
  return openRedisStore({ socketPath, partitions, durability: 'memory', lab: true, log });
}

function memorySpoiler(store: MemoryStore): Spoiler {
  const partitionOf = (account: AccountRef) => store.partition(store.partitionOf(account));
  return {
    async counter(account, field, delta) {
      const kept = partitionOf(account).accounts.get(accountName(account));
      if (kept !== undefined) kept.counters[field] = (kept.counters[field] ?? 0) + delta;
    },
    async deleteRecord(partition, id) {
      const { outbox } = store.partition(partition);
      outbox.splice(
        outbox.findIndex((one) => one.id === id),
        1,
      );
    },
    async define(account, buckets) {
      const kept = partitionOf(account).accounts.get(accountName(account));
      if (kept !== undefined) kept.definition = { ...kept.definition, buckets };
    },
    async dropAccount(account) {
      partitionOf(account).accounts.delete(accountName(account));
    },
    async dropSession(account, key) {
      partitionOf(account).sessions.delete(sessionMember(accountName(account), key));
    },
    async place(account, key, where, present) {
      const { accounts, index, timers } = partitionOf(account);
      const member = sessionMember(accountName(account), key);
      const set = accounts.get(accountName(account))?.openSessions;
      const map = where === 'timers' ? timers : index.get(account.tenant);
      if (where === 'set' && present) set?.add(member);
      else if (where === 'set') set?.delete(member);
      else if (present) map?.set(member, 1);
      else map?.delete(member);
    },
  };
}

function redisSpoiler(store: Store, redis: Redis): Spoiler {
  const keysOf = (account: AccountRef) => partitionKeys(store.partitionOf(account));
  return {
    async counter(account, field, delta) {
      await redis.hincrby(keysOf(account).account(accountName(account)), field, delta);
    },
    async deleteRecord(partition, id) {
      await redis.xdel(partitionKeys(partition).outbox, id);
    },
    async define(account, buckets) {
      const key = keysOf(account).account(accountName(account));
      await redis.hset(key, 'buckets', JSON.stringify(buckets));
    },
    async dropAccount(account) {
      await redis.del(keysOf(account).account(accountName(account)));
    },
    async dropSession(account, key) {
      await redis.del(keysOf(account).session(sessionMember(accountName(account), key)));
    },
    async place(account, key, where, present) {
      const keys = keysOf(account);
      const member = sessionMember(accountName(account), key);
      const set = keys.sessionsOf(accountName(account));
      const sorted = where === 'timers' ? keys.timers : keys.index(account.tenant);
      if (where === 'set') await (present ? redis.sadd(set, member) : redis.srem(set, member));
      else await (present ? redis.zadd(sorted, 1, member) : redis.zrem(sorted, member));
    },
  };
}
