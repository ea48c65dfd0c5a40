/**
 * The whole: requests from a generator, a worker as in production, a private Redis; what an answer
 * costs and how long it takes, in a closed loop (the next request of a session follows its answer,
 * so a pause of the worker delays what would have come in it: no open-loop latencies).
 */
import { type Figure, median } from './figure.ts';
import { measureFloor } from './floor.ts';
import { Rig, type Slice } from './rig.ts';

/** 10 % initial, 80 % update, 10 % termination. */
const SHAPE = { length: 10, workers: 'sticky' } as const;
const OUTSTANDING = [20, 200] as const;
/** The generator uses nearly a core: it may be what is measured. */
const GENERATOR_LIMIT = 0.9;

export interface Extent {
  warmUpMs: number;
  sliceMs: number;
  slices: number;
  accounts: number;
}

export async function* system(extent: Extent): AsyncGenerator<Figure> {
  for (const durability of ['memory', 'fsync'] as const) {
    const rig = await Rig.start({ durability, workers: 1, accounts: extent.accounts });
    try {
      await rig.run(extent.warmUpMs, 200, SHAPE);
      for (const outstanding of OUTSTANDING) yield* measured(rig, durability, outstanding, extent);
      const empty = { outstanding: OUTSTANDING, ms: extent.sliceMs };
      for (const { outstanding, clientUs, redisUs } of await measureFloor(rig.redis, empty)) {
        const shared = { bench: 'system', unit: 'us', with: { durability, outstanding } };
        yield { ...shared, name: 'empty script: client CPU per call', value: clientUs };
        yield { ...shared, name: 'empty script: Redis CPU per call', value: redisUs };
      }
    } finally {
      await rig.stop();
    }
  }
}

async function* measured(
  rig: Rig,
  durability: 'memory' | 'fsync',
  outstanding: number,
  extent: Extent,
): AsyncGenerator<Figure> {
  const slices: Slice[] = [];
  for (let i = 0; i < extent.slices; i += 1)
    slices.push(await rig.run(extent.sliceMs, outstanding, SHAPE));
  const conditions = { durability, outstanding };
  const figure = (name: string, unit: string, of: (slice: Slice) => number): Figure => ({
    ...{ bench: 'system', name, unit, with: conditions },
    ...median(slices.map(of)),
  });
  const goals = durability === 'memory' && outstanding === 200;
  const worker = figure('worker CPU per CCR', 'us', ({ workerUs }) => workerUs);
  const redis = figure('Redis CPU per CCR', 'us', ({ redisUs }) => redisUs);
  const generator = figure('generator CPU', 'cores', (slice) => slice.generatorCores);
  const refused = slices.reduce((sum, slice) => sum + slice.refused, 0);
  yield {
    ...figure('answers', '1/s', ({ answersPerSecond }) => answersPerSecond),
    ...(refused > 0 ? { note: `${refused} of them refusals` } : {}),
  };
  yield figure('latency p50', 'ms', ({ p50 }) => p50);
  yield figure('latency p99', 'ms', ({ p99 }) => p99);
  yield { ...worker, ...(goals ? { goal: 35 } : {}) };
  yield { ...redis, ...(goals ? { goal: 20 } : {}) };
  yield {
    ...generator,
    ...(generator.value > GENERATOR_LIMIT ? { note: 'the generator may be the bottleneck' } : {}),
  };
}
