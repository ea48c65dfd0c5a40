/** Pages through a tenant's open sessions by start time, over all partitions. */
import type { Redis } from 'ioredis';
import type { Connection } from './connection.ts';
import type { PartitionKeys } from './keys.ts';

interface Place {
  score: number;
  member: string;
}

interface Listed extends Place {
  keys: PartitionKeys;
}

/** `after` is what a page before gave as `next`: the place of its last session. */
export async function listSessionMembers(
  connection: Connection,
  tenant: string,
  { after, limit }: { after?: string; limit: number },
): Promise<{ members: Listed[]; next?: string }> {
  const colon = after?.indexOf(':') ?? 0;
  const from: Place | undefined =
    after === undefined
      ? undefined
      : { score: Number(after.slice(0, colon)), member: after.slice(colon + 1) };
  const pages = await connection.run((redis) =>
    Promise.all(
      connection.partitions.map((keys) => membersAfter(redis, { keys, tenant, from, limit })),
    ),
  );
  const found = pages.flat().sort(byPlace);
  const members = found.slice(0, limit);
  const last = members.at(-1);
  if (last === undefined || found.length <= limit) return { members };
  return { members, next: `${last.score}:${last.member}` };
}

/** One more than `limit` of a partition's members behind `from`, where there are so many. */
async function membersAfter(
  redis: Redis,
  page: { keys: PartitionKeys; tenant: string; from: Place | undefined; limit: number },
): Promise<Listed[]> {
  const { keys, from, limit } = page;
  const wanted = limit + 1;
  const found: Listed[] = [];
  for (let offset = 0; found.length < wanted; offset += wanted) {
    const flat = await redis.zrangebyscore(
      ...([keys.index(page.tenant), from?.score ?? '-inf', '+inf'] as const),
      ...(['WITHSCORES', 'LIMIT', offset, wanted] as const),
    );
    for (let i = 0; i + 1 < flat.length; i += 2) {
      const listed = { keys, member: flat[i]!, score: Number(flat[i + 1]) };
      if (from === undefined || byPlace(listed, from) > 0) found.push(listed);
    }
    if (flat.length < 2 * wanted) break;
  }
  return found.slice(0, wanted);
}

const byPlace = (a: Place, b: Place): number =>
  a.score - b.score || (a.member < b.member ? -1 : a.member > b.member ? 1 : 0);
