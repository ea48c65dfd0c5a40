/** A server for the tests of one script, with its calls by name. */
import { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import type { Script } from '../../../src/store/redis/script.ts';
import { type Arg, callOf, evalSource, type Reply } from '../../../src/store/redis/script-call.ts';
import { startRedis, type TestRedis } from '../redis-server.ts';

export type Text = string | null | Text[];

const toText = (reply: Reply): Text =>
  reply === null ? null : Buffer.isBuffer(reply) ? reply.toString('latin1') : reply.map(toText);

export interface ScriptRig {
  readonly redis: Redis;
  /** Runs the script; bytes are read as latin1. */
  run<Key extends string, Optional extends string, Name extends string>(
    script: Script<Key, Optional, Name>,
    keys: Readonly<Record<Key, string> & Partial<Record<Optional, string>>>,
    args: Readonly<Record<Name, Arg>>,
    rest?: readonly Arg[],
  ): Promise<Text>;
  /** The calls that scripts have made since the last time, by command. */
  calls(): Promise<Record<string, number>>;
}

/** Each test of the file finds an empty server. */
export function useScripts(): ScriptRig {
  let server: TestRedis;
  let redis: Redis;
  beforeAll(async () => {
    server = await startRedis();
    redis = new Redis(server.socketPath, { replyMapping: 'legacy' });
  });
  beforeEach(async () => {
    await redis.flushall();
  });
  afterAll(async () => {
    redis.disconnect();
    await server.stop();
  });
  return {
    get redis() {
      return redis;
    },
    run: async (script, keys, args, rest) =>
      toText(await evalSource(redis, script, callOf(script, keys, args, rest))),
    async calls() {
      const stats = await redis.info('commandstats');
      await redis.config('RESETSTAT');
      const found = [...stats.matchAll(/^cmdstat_(\w+):calls=(\d+)/gm)];
      const own = new Set(['eval', 'info', 'config', 'flushall', 'client']);
      return Object.fromEntries(
        found.filter(([, name]) => !own.has(name!)).map(([, name, calls]) => [name, Number(calls)]),
      );
    },
  };
}
