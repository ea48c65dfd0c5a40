/** What the tests of the Redis store share. */
import { setTimeout as after } from 'node:timers/promises';
import type { AccountRef } from '../../src/charging/account.ts';
import type { ChargingRecord } from '../../src/charging/record.ts';
import { decodeRecord } from '../../src/store/record-codec.ts';
import type { StoreLog } from '../../src/store/redis/connection.ts';
import type { RedisStore } from '../../src/store/redis/store.ts';

export const silent: StoreLog = { warn() {}, info() {} };

/** Waits until a condition holds; the test's own time limit ends it. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await after(2);
}

/** The records of an account's partition, oldest first. */
export async function recordsOf(
  store: RedisStore,
  account: AccountRef,
): Promise<{ id: string; record: ChargingRecord }[]> {
  const { outbox } = store.keysOf(store.partitionOf(account));
  const entries = await store.connection.redis.xrangeBuffer(outbox, '-', '+');
  return entries.map(([id, fields]) => ({
    id: id.toString(),
    record: decodeRecord(fields[1] as Buffer),
  }));
}
