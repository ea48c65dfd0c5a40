/**
 * This version against another checkout: both serve at the same time, each with a Redis, a worker
 * and a generator of its own, and are asked in turn, so that whatever else the machine does meets
 * both. What is compared is neighbours in time; each round has new processes, because two of the
 * same code differ too (where their memory lies, what was compiled first).
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Figure, median } from './figure.ts';
import { Rig, type Slice } from './rig.ts';

/** As in `system`. */
const SHAPE = { length: 10, workers: 'sticky' } as const;

export interface Comparison {
  warmUpMs: number;
  sliceMs: number;
  /** New processes of both, and how often both are asked at each concurrency then. */
  rounds: number;
  pairs: number;
  accounts: number;
  /** The most that this version may take of what the other takes. */
  goal: number;
}

interface Pair {
  ours: Slice;
  theirs: Slice;
}

/**
 * CPU time per CCR of worker and Redis, and this version's part of the other's; `other` is the folder
 * of a checkout with its dependencies.
 */
export async function* against(other: string, comparison: Comparison): AsyncGenerator<Figure> {
  const { goal } = comparison;
  const file = pathToFileURL(resolve(other, 'bench', 'rig.ts')).href;
  const theirs = ((await import(file)) as { Rig: typeof Rig }).Rig;
  for (const durability of ['memory', 'fsync'] as const) {
    const found = new Map<number, Pair[]>([20, 200].map((outstanding) => [outstanding, []]));
    for (let round = 0; round < comparison.rounds; round += 1)
      await compare([Rig, theirs], durability, comparison, found);
    for (const [outstanding, pairs] of found) {
      const conditions = { durability, outstanding };
      for (const [who, cpu] of [
        ['worker', 'workerUs'],
        ['Redis', 'redisUs'],
      ] as const) {
        const figure = (name: string, unit: string, of: (pair: Pair) => number): Figure => ({
          ...{ bench: 'against', name: `${who} CPU per CCR, ${name}`, unit, with: conditions },
          ...median(pairs.map(of)),
        });
        yield figure('there', 'us', ({ theirs }) => theirs[cpu]);
        yield figure('here', 'us', ({ ours }) => ours[cpu]);
        const times = figure(
          'here to there',
          'times',
          ({ ours, theirs }) => ours[cpu] / theirs[cpu],
        );
        yield { ...times, goal };
      }
    }
  }
}

/** One round: both from their start to their end. */
async function compare(
  versions: readonly [typeof Rig, typeof Rig],
  durability: 'memory' | 'fsync',
  { warmUpMs, sliceMs, pairs, accounts }: Comparison,
  found: ReadonlyMap<number, Pair[]>,
): Promise<void> {
  const rigs: Rig[] = [];
  try {
    for (const version of versions)
      rigs.push(await version.start({ durability, workers: 1, accounts }));
    const [our, their] = rigs as [Rig, Rig];
    for (const rig of rigs) await rig.run(warmUpMs, 200, SHAPE);
    for (let pair = 0; pair < pairs; pair += 1)
      for (const [outstanding, all] of found) {
        // Neither is always the first.
        const early = pair % 2 === 0 ? await our.run(sliceMs, outstanding, SHAPE) : undefined;
        const theirs = await their.run(sliceMs, outstanding, SHAPE);
        all.push({ ours: early ?? (await our.run(sliceMs, outstanding, SHAPE)), theirs });
      }
  } finally {
    for (const rig of rigs) await rig.stop();
  }
}
