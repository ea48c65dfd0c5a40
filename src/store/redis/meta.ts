/** The store's format and its number of partitions: fixed by whoever uses a store first. */
import type { Redis } from 'ioredis';
import { DEFAULT_PARTITIONS, MAX_PARTITIONS } from '../placement.ts';
import { StoreMisconfigured } from './check.ts';
import { META } from './keys.ts';

/** Raised when an older version could not work with what a newer one stores. */
const FORMAT = '1';

/** Settles the number of partitions; `wanted` must agree with what the store has. */
export async function settlePartitions(redis: Redis, wanted: number | undefined): Promise<number> {
  if (wanted !== undefined && !(Number.isInteger(wanted) && wanted > 0 && wanted <= MAX_PARTITIONS))
    throw new StoreMisconfigured([`partitions is ${wanted}, must be 1 to ${MAX_PARTITIONS}`]);
  await redis.hsetnx(META, 'partitions', wanted ?? DEFAULT_PARTITIONS);
  await redis.hsetnx(META, 'format', FORMAT);
  const [format, partitions] = await redis.hmget(META, 'format', 'partitions');
  const problems: string[] = [];
  if (format !== FORMAT)
    problems.push(`the store's format is ${format}, this version needs ${FORMAT}`);
  if (wanted !== undefined && Number(partitions) !== wanted)
    problems.push(`the store has ${partitions} partitions, not ${wanted}: they cannot be changed`);
  if (problems.length > 0) throw new StoreMisconfigured(problems);
  return Number(partitions);
}
