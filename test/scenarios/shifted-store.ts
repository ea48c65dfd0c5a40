/**
 * Real Redis under a clock that moves only when told. Redis' own clock cannot be set, so time
 * passes the other way round: when the scenario lets an hour pass, every timer and every time to
 * live in Redis comes an hour nearer.
 */
import type { Redis } from 'ioredis';
import type { AccountDefinition, AccountRef } from '../../src/charging/account.ts';
import { periodsFor } from '../../src/charging/periods.ts';
import { accountName, partitionOfName } from '../../src/store/placement.ts';
import type { RedisStore } from '../../src/store/redis/store.ts';
import type { Commit, CommitReply, DueSession, Store } from '../../src/store/store.ts';
import type { MovableClock } from './world.ts';

export function shifted(
  store: RedisStore,
  startAt: number,
): { store: Store; clock: MovableClock; pass(): Promise<void> } {
  const { redis } = store.connection;
  let at = startAt;
  let owed = 0;
  /** What Redis' clock must be given for a point in virtual time. */
  const real = (virtual: number) => virtual - at + store.now();
  const clock: MovableClock = {
    now: () => at,
    advance(ms) {
      at += ms;
      owed += ms;
    },
  };
  const moved = {
    now: () => at,
    commit(commit: Commit): Promise<CommitReply> {
      const { notAfter, session } = commit;
      return store.commit({
        ...commit,
        ...(notAfter === undefined ? {} : { notAfter: real(notAfter) }),
        ...(session === undefined || typeof session.timer !== 'number'
          ? {}
          : { session: { ...session, timer: real(session.timer) } }),
      });
    },
    rearm: (account: AccountRef, member: string, version: number, due: number) =>
      store.rearm(account, member, version, real(due)),
    /** The periods that an account begins with are those of virtual time. */
    async createAccount(
      definition: AccountDefinition,
      openings: Readonly<Record<string, number>>,
    ): Promise<'created' | 'exists'> {
      const reply = await store.createAccount(definition, openings);
      const name = accountName(definition);
      const key = store.keysOf(partitionOfName(name, store.partitions)).account(name);
      if (reply === 'created')
        for (const [field, end] of Object.entries(periodsFor(definition.buckets, at)))
          await redis.hset(key, field, String(end));
      return reply;
    },
    async claimDue(
      partition: number,
      options: { limit: number; leaseMs: number },
    ): Promise<{ now: number; due: DueSession[] }> {
      const { due } = await store.claimDue(partition, options);
      return { now: at, due };
    },
  };
  return {
    store: new Proxy<Store>(store, {
      get(target, name) {
        if (name in moved) return moved[name as keyof typeof moved];
        const member = Reflect.get(target, name, target) as unknown;
        return typeof member === 'function' ? member.bind(target) : member;
      },
    }),
    clock,
    async pass() {
      const ms = owed;
      owed = 0;
      if (ms > 0) await bringNearer(redis, ms, store);
    },
  };
}

async function bringNearer(redis: Redis, ms: number, store: RedisStore): Promise<void> {
  for (let partition = 0; partition < store.partitions; partition++) {
    const { timers } = store.keysOf(partition);
    for (const member of await redis.zrange(timers, '0', '-1'))
      await redis.zincrby(timers, -ms, String(member));
  }
  for (const key of await redis.keys('*')) {
    const left = await redis.pttl(key);
    if (left > ms) await redis.pexpire(key, left - ms);
    else if (left >= 0) await redis.del(key);
  }
}
