/**
 * Bytes in Redis per open session with everything it owns: its value, its binding, its timer, its
 * places in the account's and the tenant's index. Records are not its own: they are trimmed away
 * before looking, as the keeper of records does it.
 */
import type { Redis } from 'ioredis';
import type { Figure } from './figure.ts';
import { Rig } from './rig.ts';

/** How many answers a session's window holds. */
const WINDOWS = [1, 16] as const;

/** Opens `sessions` sessions of each kind, and looks at what they add. */
export async function* memory({
  sessions,
  accounts,
}: {
  sessions: number;
  accounts: number;
}): AsyncGenerator<Figure> {
  const rig = await Rig.start({ durability: 'memory', workers: 1, accounts });
  try {
    const { client } = rig.redis;
    let through = 0;
    let before = await weigh(client);
    for (const answers of WINDOWS) {
      through += sessions;
      const shape = { length: answers + 1, workers: 'sticky', leaveOpen: true } as const;
      await rig.run(0, Math.min(200, sessions), { ...shape, sessions: through });
      const after = await weigh(client);
      const figure = (name: string, value: number): Figure => ({
        ...{ bench: 'memory', name, unit: 'bytes', value: value / sessions, with: { answers } },
      });
      const all = figure('Redis per open session', after.used - before.used);
      yield { ...all, ...(answers === 1 ? { goal: 1_000 } : {}) };
      for (const [i, { name }] of KINDS.entries())
        yield figure(name, after.kinds[i]! - before.kinds[i]!);
      before = after;
    }
  } finally {
    await rig.stop();
  }
}

/** By MEMORY USAGE: without what the server's own table of keys takes up. */
const KINDS = [
  { name: 'of these, the session', pattern: 'tk:{*}:s:*' },
  { name: 'its binding', pattern: 'tk:sid:*' },
  { name: 'its timer', pattern: 'tk:{*}:t' },
  { name: "its place in the account's index", pattern: 'tk:{*}:as:*' },
  { name: "its place in the tenant's index", pattern: 'tk:{*}:i:*' },
] as const;

/** The memory in use, less records, and how much of it each kind of key has. */
async function weigh(client: Redis): Promise<{ used: number; kinds: number[] }> {
  for (const outbox of await keys(client, 'tk:{*}:o')) await client.xtrim(outbox, 'MAXLEN', 0);
  const used = Number((await client.info('memory')).match(/used_memory:(\d+)/)?.[1]);
  const kinds: number[] = [];
  for (const { pattern } of KINDS) kinds.push(await usage(client, pattern));
  return { used, kinds };
}

async function usage(client: Redis, pattern: string): Promise<number> {
  let sum = 0;
  for (const key of await keys(client, pattern))
    sum += Number(await client.call('MEMORY', 'USAGE', key, 'SAMPLES', '0'));
  return sum;
}

async function keys(client: Redis, match: string): Promise<string[]> {
  const found: string[] = [];
  for await (const page of client.scanStream({ match, count: 1_000 }))
    found.push(...(page as string[]));
  return found;
}
