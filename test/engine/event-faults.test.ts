/**
 * One-time events exactly once, whatever the store does to a call: refused, lost on its way, or
 * applied with the reply lost; at every call of a row of events, and at any of them.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/charging/answer.ts';
import type { EventRequest } from '../../src/charging/event.ts';
import { eventKey } from '../../src/charging/event.ts';
import { refundInformationOf } from '../../src/charging/refund.ts';
import { type Fault, withFaults } from '../../src/store/memory/faulty-store.ts';
import { atCommand, eventOf, money, sms, units } from '../charging/events.ts';
import { asks, bundle, main, planOf } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import { ask, NONCE, Rig } from './rig.ts';

const FAULTS: readonly Fault[] = ['refuse', 'lose-request', 'lose-reply'];

const debit = (sessionId: string, amount: number) =>
  eventOf('debit', [units(amount)], { sessionId });
const handBack = (sessionId: string, of: EventRequest) =>
  eventOf('refund', [asks({})], {
    sessionId,
    refundInformation: refundInformationOf(eventKey(of), NONCE),
  });
const first = debit('e1', 3);

/** What comes after another depends on it: whoever answers out of turn is found out. */
const events: readonly EventRequest[] = [
  first,
  first,
  debit('e2', 8),
  handBack('r1', first),
  handBack('r1', first),
  handBack('r2', first),
  debit('e2', 8),
  eventOf('debit', [units(9)], { sessionId: 'e3', ...atCommand }),
  eventOf('refund', [money(30)], { sessionId: 'r3' }),
  eventOf('debit', [units(2)], { sessionId: 'r3' }),
  eventOf('balance-check', [units(1)], { sessionId: 'c' }),
];

interface Outcome {
  answers: readonly (Answer | 'busy')[];
  counters: Readonly<Record<string, number>>;
  kinds: readonly string[];
  calls: number;
}

/** Runs the events on two workers in turn; `fault` is asked for each call to the store. */
async function run(fault: (call: number) => Fault, forgets = false): Promise<Outcome> {
  const rig = new Rig(planOf([sms], { refunds: { maximum: 40 } }));
  await rig.account(
    'anna',
    { b: 2, main: 90 },
    { buckets: [bundle('b', { unit: 'units' }), main], subscribers: ['e164:49170'] },
  );
  let calls = 0;
  const store = withFaults(rig.store, () => fault(calls++));
  const workers = [rig.worker(store), rig.worker(store)];
  const answers: (Answer | 'busy')[] = [];
  for (const [i, event] of events.entries()) {
    const worker = workers[i % 3 === 1 ? 1 : 0]!;
    if (forgets) worker.knowledge.clear();
    answers.push(await ask(rig, worker, event));
    checkBooks(rig);
    rig.now += 3_600_000;
  }
  return { answers, counters: await rig.counters(), kinds: rig.kinds(), calls };
}

test('without a fault each event has its effect once', async () => {
  const { answers, counters, kinds } = await run(() => 'none');
  expect(kinds).toEqual(['debit', 'debit', 'refund', 'refund']);
  expect(answers.map((answer) => (answer === 'busy' ? answer : answer.outcome))).toEqual([
    ...['success', 'success', 'success', 'success', 'success', 'service-denied', 'success'],
    ...['credit-limit-reached', 'success', 'contradiction', 'success'],
  ]);
  expect([counters['a:b'], counters['a:main']]).toEqual([2, 40]);
});

describe('one fault', () => {
  test('at any call changes neither the answers nor the ledger', async () => {
    for (const forgets of [false, true]) {
      const { calls, ...expected } = await run(() => 'none', forgets);
      expect(calls).toBeGreaterThan(25);
      for (let at = 0; at < calls; at++)
        for (const fault of FAULTS) {
          const { calls: _more, ...got } = await run((n) => (n === at ? fault : 'none'), forgets);
          expect({ at, fault, ...got }).toEqual({ at, fault, ...expected });
        }
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
      { numRuns: 100 },
    );
  });

  test('a store that is away is busy, and what was unknown is found out by the copy', async () => {
    for (const fault of FAULTS) {
      const rig = new Rig(planOf([sms]));
      await rig.anna();
      let away = true;
      const store = withFaults(rig.store, (call) => (away && call === 'commit' ? fault : 'none'));
      expect(await ask(rig, rig.worker(store), first)).toBe('busy');
      away = false;
      expect(await ask(rig, rig.worker(), first)).toMatchObject({ outcome: 'success' });
      expect(await rig.balance()).toEqual([970, 0]);
      expect(rig.kinds()).toEqual(['debit']);
    }
  });
});
