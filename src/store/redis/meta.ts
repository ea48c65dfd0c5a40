/** The store's format and its number of partitions: fixed by whoever uses a store first. */
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

/** Settles the number of partitions; `wanted` must agree with what the store has. */
export async function settlePartitions(redis: Redis, wanted: number | undefined): Promise<number> {
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted > 0 && wanted <= MAX_PARTITIONS))
    throw new StoreMisconfigured([`partitions is ${wanted}, must be 1 to ${MAX_PARTITIONS}`]);
  await redis.hsetnx(META, 'partitions', wanted ?? DEFAULT_PARTITIONS);
  await redis.hsetnx(META, 'format', FORMAT);
  const [format, partitions] = await redis.hmget(META, 'format', 'partitions');
  if (format !== FORMAT)
    throw new StoreIncompatible({ found: `format ${format}`, wanted: `format ${FORMAT}` });
  if (wanted !== undefined && Number(partitions) !== wanted)
    throw new StoreIncompatible({
      found: `${partitions} partitions`,
      wanted: `${wanted} partitions`,
    });
  return Number(partitions);
}
