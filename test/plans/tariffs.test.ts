/**
 * The tariffs of `docs/plans.md` do what they say: each file is provisioned as it stands there, and
 * its exchange is run through the real codec. `UPDATE=1` writes what the memory store answered.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { startTemporary } from '../../src/embedded/redis.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { openRedisStore } from '../../src/store/redis/store.ts';
import { parseScenario, renderScenario } from '../scenarios/script.ts';
import { shifted } from '../scenarios/shifted-store.ts';
import { type MovableClock, World } from '../scenarios/world.ts';

const file = join(import.meta.dirname, '..', '..', 'docs', 'plans.md');
const update = process.env.UPDATE === '1';
const START_AT = Date.UTC(2026, 0, 1);

interface Tariff {
  name: string;
  yaml: string;
  exchange: string;
}

function tariffsOf(page: string): Tariff[] {
  const [, chapter = ''] = page.split('\n## Ten tariffs\n');
  return chapter
    .split(/^### /m)
    .slice(1)
    .map((section) => ({
      name: section.split('\n', 1)[0] ?? '',
      yaml: blockOf(section, 'yaml'),
      exchange: blockOf(section, 'scenario'),
    }));
}

function blockOf(section: string, language: string): string {
  const blocks = [...section.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'gms'))];
  expect(blocks, `${section.split('\n', 1)[0]}: one ${language} block`).toHaveLength(1);
  return blocks[0]?.[1] ?? '';
}

/** The exchange with what really came out. */
async function run({ name, yaml, exchange }: Tariff, world: World): Promise<string> {
  const provision = { before: [], line: 0, command: 'provision', expected: [] };
  const details = yaml.split('\n');
  expect(await world.run({ ...provision, words: ['provision'], details })).toEqual(['ok']);
  const { blocks, tail } = parseScenario(exchange);
  const outputs: string[][] = [];
  for (const block of blocks) {
    try {
      outputs.push(await world.run(block));
    } catch (error) {
      throw new Error(`${name}: ${block.command}: ${error}`, { cause: error });
    }
  }
  return renderScenario(blocks, outputs, tail);
}

function memoryWorld(): World {
  let at = START_AT;
  const clock: MovableClock = {
    now: () => at,
    advance(ms) {
      at += ms;
    },
  };
  return new World(new MemoryStore({ partitions: 4, clock: clock.now }), clock);
}

const tariffs = tariffsOf(readFileSync(file, 'utf8'));

test('there are ten', () => {
  expect(tariffs).toHaveLength(10);
});

describe.each(tariffs)('$name', (tariff) => {
  test('on the memory store', async () => {
    const got = await run(tariff, memoryWorld());
    if (!update) expect(got).toBe(tariff.exchange);
    else
      writeFileSync(
        file,
        readFileSync(file, 'utf8').replace(tariff.exchange, () => got),
      );
  });

  if (update) return;
  test('on Redis', async () => {
    const redis = await startTemporary();
    try {
      const store = await openRedisStore({
        url: redis.url,
        // Ten thousand devices take ten thousand calls, one of which may find the machine busy.
        timeoutMs: 10_000,
        partitions: 4,
        durability: 'memory',
        log: { warn: () => undefined, info: () => undefined },
      });
      const { store: moved, clock, pass } = shifted(store, START_AT);
      const got = await run(tariff, new World(moved, clock, pass));
      await store.close();
      expect(got).toBe(tariff.exchange);
    } finally {
      await redis.stop();
    }
  });
});
