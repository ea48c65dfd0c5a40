/** The store's format, its number of partitions and when it was made: fixed by its first user. */
import type { Redis } from 'ioredis';
import { DEFAULT_PARTITIONS, MAX_PARTITIONS } from '../placement.ts';
import { StoreMisconfigured } from './check.ts';
import { META } from './keys.ts';

/** Raised when an older version could not work with what a newer one stores. */
const FORMAT = '1';

/** Thrown at start: the store was made by another version, or with another number of partitions. */
export class StoreIncompatible extends Error {
  readonly found: string;
  readonly wanted: string;
  constructor({ found, wanted }: { found: string; wanted: string }) {
    super(`this Redis holds ${found}, and not ${wanted}`);
    this.name = 'StoreIncompatible';
    this.found = found;
    this.wanted = wanted;
  }
}

export interface Meta {
  partitions: number;
  /** Seconds since 1970 on the server's clock; a store that lost everything is made anew, later. */
  madeAt: number;
}

/** Whether the server still has the store that was made then: not another, and not nothing. */
export async function isMadeAt(redis: Redis, madeAt: number): Promise<boolean> {
  return Number(await redis.hget(META, 'madeAt')) === madeAt;
}

/** Settles what is fixed; the partitions `wanted` must agree with what the store has. */
export async function settleMeta(redis: Redis, wanted: number | undefined): Promise<Meta> {
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted > 0 && wanted <= MAX_PARTITIONS))
    throw new StoreMisconfigured([`partitions is ${wanted}, must be 1 to ${MAX_PARTITIONS}`]);
  await redis.hsetnx(META, 'partitions', wanted ?? DEFAULT_PARTITIONS);
  await redis.hsetnx(META, 'format', FORMAT);
  const [now = 0] = await redis.time();
  await redis.hsetnx(META, 'madeAt', now);
  const [format, partitions, madeAt] = await redis.hmget(META, 'format', 'partitions', 'madeAt');
  if (format !== FORMAT)
    throw new StoreIncompatible({ found: `format ${format}`, wanted: `format ${FORMAT}` });
  if (wanted !== undefined && Number(partitions) !== wanted)
    throw new StoreIncompatible({
      found: `${partitions} partitions`,
      wanted: `${wanted} partitions`,
    });
  return { partitions: Number(partitions), madeAt: Number(madeAt) };
}
