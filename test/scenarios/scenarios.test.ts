/**
 * Runs every scenario on every store with the same expectations. `UPDATE=1` rewrites the files
 * with what the memory store gave; read the difference before you keep it.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startTemporary } from '../../src/embedded/redis.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { openRedisStore } from '../../src/store/redis/store.ts';
import { parseScenario, renderScenario } from './script.ts';
import { shifted } from './shifted-store.ts';
import { World } from './world.ts';

const folder = import.meta.dirname;
const files = readdirSync(folder).filter((name) => name.endsWith('.txt'));
const update = process.env.UPDATE === '1';

const START_AT = Date.UTC(2026, 0, 1);

function memoryWorld(): World {
  let at = START_AT;
  const clock = {
    now: () => at,
    advance(ms: number) {
      at += ms;
    },
  };
  return new World(new MemoryStore({ partitions: 4, clock: clock.now }), clock);
}

async function runScenario(name: string, world: World): Promise<{ file: string; got: string }> {
  const file = readFileSync(join(folder, name), 'utf8');
  const { blocks, tail } = parseScenario(file);
  const outputs: string[][] = [];
  for (const block of blocks) {
    try {
      outputs.push(await world.run(block));
    } catch (error) {
      throw new Error(`${name}:${block.line}: ${block.command}: ${error}`, { cause: error });
    }
  }
  return { file, got: renderScenario(blocks, outputs, tail) };
}

describe.each(files)('%s', (name) => {
  test('on the memory store', async () => {
    const { file, got } = await runScenario(name, memoryWorld());
    if (update) writeFileSync(join(folder, name), got);
    else expect(got).toBe(file);
  });

  if (update) return;
  test('on Redis', async () => {
    const redis = await startTemporary();
    try {
      const store = await openRedisStore({
        url: redis.url,
        partitions: 4,
        durability: 'memory',
        log: { warn: () => undefined, info: () => undefined },
      });
      const { store: moved, clock, pass } = shifted(store, START_AT);
      const { file, got } = await runScenario(name, new World(moved, clock, pass));
      await store.close();
      expect(got).toBe(file);
    } finally {
      await redis.stop();
    }
  });
});
