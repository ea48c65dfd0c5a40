/**
 * Exactly once, whatever the store does to a call: refused, lost on its way, or applied with the
 * reply lost; at every call of a session, and at any two of them. The session's buckets are renewed
 * in the middle of it.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Renewal } from '../../src/charging/account.ts';
import type { Answer } from '../../src/charging/answer.ts';
import type { Request } from '../../src/charging/request.ts';
import { type Fault, withFaults } from '../../src/store/memory/faulty-store.ts';
import { asks, bundle, main, requestOf, START } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import { anna, charge, Rig } from './rig.ts';

const FAULTS: readonly Fault[] = ['refuse', 'lose-request', 'lose-reply'];
const ask = (ratingGroup: number) => asks({ ratingGroup, asked: {} });
const uses = (ratingGroup: number, octets: number) =>
  asks({ ratingGroup, asked: {}, used: { octets } });

const session: readonly Request[] = [
  requestOf('initial', 0, [ask(1), ask(2)], { subscriber: anna }),
  requestOf('update', 1, [uses(1, 120)]),
  requestOf('update', 3, [uses(2, 30), uses(1, 90)]),
  requestOf('update', 2, [uses(2, 7)]),
  requestOf('termination', 4, [asks({ used: { octets: 55 } })]),
  requestOf('update', 5, [asks({ used: { octets: 9 } })]),
];

/** A period ends half an hour after the start. */
const hourly: Renewal = {
  every: 'hour',
  from: START - 1_800_000,
  timeZone: 'UTC',
  amount: 200,
  rollover: 20,
};

interface Outcome {
  answers: readonly (Answer | 'busy')[];
  counters: Readonly<Record<string, number>>;
  kinds: readonly string[];
  calls: number;
}

/** Runs the session on two workers in turn; `fault` is asked for each call to the store. */
async function run(
  fault: (call: number) => Fault,
  { forget = () => false }: { forget?: (request: number) => boolean } = {},
): Promise<Outcome> {
  const rig = new Rig();
  await rig.account(
    'anna',
    { cap: 400, b: 250, main: 300 },
    {
      buckets: [
        bundle('cap', { priority: 1, limits: ['e164:49170'], renewal: hourly }),
        bundle('b', { renewal: hourly }),
        main,
      ],
      subscribers: ['e164:49170'],
    },
  );
  let calls = 0;
  const store = withFaults(rig.store, () => fault(calls++));
  const workers = [rig.worker(store), rig.worker(store)];
  const answers: (Answer | 'busy')[] = [];
  for (const [i, request] of session.entries()) {
    const worker = workers[i % 3 === 2 ? 1 : 0]!;
    if (forget(i)) worker.knowledge.clear();
    if (i === 2) rig.now += 3_600_000;
    answers.push(await charge(rig, worker, request));
    checkBooks(rig);
  }
  return { answers, counters: await rig.counters(), kinds: rig.kinds(), calls };
}

describe('one fault', () => {
  test('at any call changes neither the answers nor the ledger', async () => {
    const { calls, ...expected } = await run(() => 'none');
    expect(calls).toBeGreaterThan(12);
    for (let at = 0; at < calls; at++)
      for (const fault of FAULTS) {
        const { calls: _more, ...got } = await run((call) => (call === at ? fault : 'none'));
        expect({ at, fault, ...got }).toEqual({ at, fault, ...expected });
      }
  });
});

describe('any faults', () => {
  test('as long as the deadline leaves time', async () => {
    const { calls: _few, ...expected } = await run(() => 'none');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom<Fault>('none', 'none', ...FAULTS), { maxLength: 60 }),
        async (faults) => {
          const { calls: _more, ...got } = await run((call) => faults[call] ?? 'none');
          expect(got).toEqual(expected);
        },
      ),
      { numRuns: 200 },
    );
  });

  test('a store that is away is busy, and what was unknown is found out by the copy', async () => {
    for (const fault of FAULTS) {
      const rig = new Rig();
      await rig.anna();
      let away = true;
      const store = withFaults(rig.store, (call) => (away && call === 'commit' ? fault : 'none'));
      const worker = rig.worker(store);
      expect(await charge(rig, worker, session[0]!)).toBe('busy');
      away = false;
      expect(await charge(rig, rig.worker(), session[0]!)).toMatchObject({ outcome: 'success' });
      expect(await rig.balance()).toEqual([800, 200]);
      expect(rig.kinds()).toEqual(['initial']);
    }
  });
});

describe('hints', () => {
  test('may be dropped at any time: only round trips change', async () => {
    const { calls: _few, ...expected } = await run(() => 'none');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { minLength: 6, maxLength: 6 }), async (drops) => {
        const { calls: _more, ...got } = await run(() => 'none', { forget: (i) => drops[i]! });
        expect(got).toEqual(expected);
      }),
      { numRuns: 64 },
    );
  });
});
