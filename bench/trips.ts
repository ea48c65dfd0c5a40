/** Round trips to the store per request: sessions that stay on a worker, and that do not. */
import type { Figure } from './figure.ts';
import { Rig } from './rig.ts';

const goals = { sticky: 1.05, spread: 2 } as const;
const names = { sticky: 'on one worker each', spread: 'spread over two workers' } as const;

/**
 * Goes through `sessions` sessions either way, each of a subscriber of its own whom both workers
 * have met in an earlier session.
 */
export async function* trips({ sessions }: { sessions: number }): AsyncGenerator<Figure> {
  const rig = await Rig.start({ durability: 'memory', workers: 2, accounts: sessions });
  const lanes = Math.min(50, sessions);
  try {
    let through = sessions;
    await rig.run(0, lanes, { length: 3, workers: 'spread', sessions: through });
    for (const workers of ['sticky', 'spread'] as const) {
      const before = await rig.trips();
      through += sessions;
      await rig.run(0, lanes, { length: 10, workers, sessions: through });
      for (const [kind, after] of Object.entries(await rig.trips())) {
        const { requests, trips } = before[kind] ?? { requests: 0, trips: 0 };
        const value = (after.trips - trips) / (after.requests - requests);
        yield {
          ...{ bench: 'trips', name: `round trips per ${kind}`, unit: '', value },
          with: { sessions: names[workers] },
          ...(kind === 'update' ? { goal: goals[workers] } : {}),
        };
      }
    }
  } finally {
    await rig.stop();
  }
}
