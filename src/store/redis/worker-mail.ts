/** Which worker holds which peer, and the inboxes of workers, in Redis. */
import { INBOX_LIMIT, INBOX_TTL_MS } from '../inbox-limits.ts';
import type { Connection } from './connection.ts';
import { inboxKey, peerKey } from './keys.ts';
import { callOf } from './script-call.ts';
import { scripts } from './scripts.ts';

export async function holdPeer(
  connection: Connection,
  { host, worker, ttlMs }: { host: string; worker: string; ttlMs: number },
): Promise<void> {
  const call = callOf(scripts.holdPeer, { peer: peerKey(host) }, { worker, leaseMs: ttlMs });
  await connection.call(scripts.holdPeer, call);
}

export async function holdersOf(connection: Connection, host: string): Promise<string[]> {
  const now = connection.clock.now();
  const holders = await connection.run((redis) =>
    redis.zrangebyscore(peerKey(host), `(${Math.floor(now)}`, '+inf'),
  );
  return holders.map(String).sort();
}

export async function post(
  connection: Connection,
  worker: string,
  message: string,
): Promise<'posted' | 'full'> {
  const bounds = { limit: INBOX_LIMIT, ttl: INBOX_TTL_MS };
  const call = callOf(scripts.post, { inbox: inboxKey(worker) }, { message, ...bounds });
  return String(await connection.call(scripts.post, call)) as 'posted' | 'full';
}

export async function take(
  connection: Connection,
  worker: string,
  limit: number,
): Promise<string[]> {
  const taken = await connection.run((redis) => redis.lpop(inboxKey(worker), limit));
  return (taken ?? []).map(String);
}
