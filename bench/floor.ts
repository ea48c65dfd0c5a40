/**
 * What nothing at all costs on this machine at this moment: a process whose every request is one
 * script in Redis that returns a word, without Diameter and without charging. What the whole
 * system takes is to be read as a multiple of it, for it grows with the machine's other work, too.
 */
import { fileURLToPath } from 'node:url';
import { createClient } from '../src/store/redis/connect.ts';
import { answerParent, Child, cpuUs } from './child.ts';
import type { PrivateRedis } from './rig.ts';

interface FloorQuestion {
  socketPath: string;
  outstanding: number;
  ms: number;
}

interface FloorReply {
  calls: number;
  cpuUs: number;
}

export interface Floor {
  outstanding: number;
  clientUs: number;
  redisUs: number;
}

/** CPU time per call of an empty script on both sides of the connection, by calls outstanding. */
export async function measureFloor(
  redis: PrivateRedis,
  { outstanding, ms }: { outstanding: readonly number[]; ms: number },
): Promise<Floor[]> {
  const child = new Child<FloorQuestion, FloorReply>('floor.ts');
  try {
    const question = { socketPath: redis.server.socketPath, ms };
    await child.ask({ ...question, outstanding: outstanding[0]! });
    const floors: Floor[] = [];
    for (const calls of outstanding) {
      const before = await redis.cpuUs();
      const reply = await child.ask({ ...question, outstanding: calls });
      const after = await redis.cpuUs();
      const redisUs = (after - before) / reply.calls;
      floors.push({ outstanding: calls, clientUs: reply.cpuUs / reply.calls, redisUs });
    }
    return floors;
  } finally {
    await child.stop();
  }
}

async function call({ socketPath, outstanding, ms }: FloorQuestion): Promise<FloorReply> {
  const redis = createClient({ socketPath }, () => undefined);
  await redis.connect();
  const sha = String(await redis.script('LOAD', "return 'word'"));
  const cpu = cpuUs();
  const until = performance.now() + ms;
  let calls = 0;
  await Promise.all(
    Array.from({ length: outstanding }, async () => {
      while (performance.now() < until) {
        await redis.evalsha(sha, 0);
        calls += 1;
      }
    }),
  );
  const used = cpuUs() - cpu;
  redis.disconnect();
  return { calls, cpuUs: used };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) answerParent(call);
