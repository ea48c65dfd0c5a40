/** Reads what a partition has recorded, oldest first. */
import type { ChargingRecord } from '../../src/charging/record.ts';
import { decodeRecord } from '../../src/store/record-codec.ts';
import type { RedisStore } from '../../src/store/redis/store.ts';

export async function recordsOfPartition(
  store: RedisStore,
  partition: number,
): Promise<ChargingRecord[]> {
  const { outbox } = store.keysOf(partition);
  const entries = await store.connection.redis.xrangeBuffer(outbox, '-', '+');
  return entries.map(([, fields]) => decodeRecord(fields[1] as Buffer));
}
