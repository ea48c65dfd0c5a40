/** Timers of a session: when it is woken, what then happens, and that no wake-up comes too late. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FIRST_WAKE_MS } from '../../src/charging/step.ts';
import { dueAt } from '../../src/charging/timer.ts';
import { asks, planOf, requestOf, ruleOf, START, Till } from './till.ts';

const MINUTE = 60_000;
const withValidity = (seconds: number) =>
  planOf([
    ruleOf({ name: 'short', match: { ratingGroup: [1] }, validitySeconds: seconds }),
    ruleOf({ name: 'long', match: { ratingGroup: [2] }, validitySeconds: seconds * 10 }),
    ruleOf({ name: 'endless' }),
  ]);
const ask = (ratingGroup: number) => asks({ ratingGroup, asked: {} });

describe('supervision', () => {
  test('C-132 is twice the longest validity granted, the plan’s own where there is none', () => {
    for (const [groups, seconds] of [
      [[1], 120],
      [[1, 2], 1200],
      [[3], 3600],
      [[], 3600],
    ] as const) {
      const till = new Till({ plan: withValidity(60), openings: { main: 1000 } });
      till.ask(requestOf('initial', 0, groups.map(ask)));
      expect(till.session()!.superviseAt).toBe(START + seconds * 1000);
    }
  });

  test('starts again in full, however little is left of a validity that was granted before', () => {
    const till = new Till({ plan: withValidity(60), openings: { main: 1000 } });
    till.ask(requestOf('initial', 0, [ask(1), ask(3)]));
    till.now += 59_990;
    till.ask(requestOf('update', 1, [asks({ ratingGroup: 3, used: { octets: 1 }, asked: {} })]));
    expect(till.session()!.superviseAt).toBe(till.now + 120_000);
  });

  test('of a grant whose rule the plan has no more is the plan’s own', () => {
    const till = new Till({ plan: withValidity(60), openings: { main: 1000 } });
    till.ask(requestOf('initial', 0, [ask(1), ask(3)]));
    till.now += 59_990;
    till.plan = planOf([ruleOf({ name: 'endless' })], { version: 2 });
    till.ask(requestOf('update', 1, [asks({ ratingGroup: 3, used: { octets: 1 }, asked: {} })]));
    expect(till.session()!.superviseAt).toBe(till.now + 3_600_000);
  });

  test('fires once', () => {
    const till = new Till({ openings: { main: 1000 } });
    till.ask(requestOf('initial', 0, [ask(3)]));
    till.now += 60 * MINUTE;
    expect(till.wake()).toBe('change');
    expect(till.wake()).toBe('asleep');
    expect(till.records.map(({ kind }) => kind)).toEqual(['initial', 'supervision']);
  });
});

describe('validity', () => {
  test('what its client should have reported and did not is free again after the grace', () => {
    const till = new Till({ plan: withValidity(600), openings: { main: 1000 } });
    till.ask(requestOf('initial', 0, [ask(1), ask(2)]));
    till.now = START + 660_000 - 1;
    till.wake();
    expect(till.reserved('main')).toBe(200);
    till.now += 1;
    expect(till.wake()).toBe('change');
    expect([till.available('main'), till.reserved('main')]).toEqual([900, 100]);
    expect(till.records.at(-1)).toMatchObject({
      kind: 'validity',
      services: [{ ratingGroup: 1, rule: 'short', used: 0 }],
    });
    expect(till.session()).toMatchObject({ state: 'open' });
  });

  test('usage reported after that is still debited', () => {
    const till = new Till({ plan: withValidity(600), openings: { main: 1000 } });
    till.ask(requestOf('initial', 0, [ask(1), ask(2)]));
    till.now = START + 660_000;
    till.wake();
    till.ask(requestOf('update', 1, [asks({ used: { octets: 80 } })]));
    expect([till.available('main'), till.reserved('main')]).toEqual([820, 100]);
  });
});

describe('the wheel', () => {
  test('wakes a new session early, to keep its binding alive', () => {
    const till = new Till({ openings: { main: 1000 } });
    till.ask(requestOf('initial', 0, [ask(3)]));
    expect(till.wheel.get('s')).toBe(START + FIRST_WAKE_MS);
    till.now += FIRST_WAKE_MS;
    expect(till.wake()).toBe('rearm');
    expect(till.wheel.get('s')).toBe(START + 60 * MINUTE);
  });

  test('is left alone while its wake-up is ahead and not late', () => {
    const till = new Till({ openings: { main: 1000 } });
    till.ask(requestOf('initial', 0, [ask(3)]));
    till.now += FIRST_WAKE_MS - 1_001;
    expect(till.decide(requestOf('update', 1))).toMatchObject({ timer: 'keep' });
    till.now += 1;
    expect(till.decide(requestOf('update', 1))).toMatchObject({ timer: till.now + 60 * MINUTE });
  });

  test('is set earlier when something falls due earlier', () => {
    const till = new Till({ plan: withValidity(30), openings: { main: 1000 } });
    till.ask(requestOf('initial', 0, [ask(3)]));
    till.ask(requestOf('update', 1, [ask(1)]));
    expect(till.wheel.get('s')).toBe(START + 60_000);
  });

  test('a session that is open always has a wake-up, and never a late one', () => {
    const act = fc.oneof(
      fc.record({ kind: fc.constant('ask' as const), group: fc.constantFrom(1, 2, 3) }),
      fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(900_000) }),
      fc.record({ kind: fc.constant('sleepy' as const), ms: fc.nat(30_000) }),
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 400 }),
        fc.array(act, { maxLength: 40 }),
        (seconds, acts) => {
          const till = new Till({ plan: withValidity(seconds), openings: { main: 100_000 } });
          till.ask(requestOf('initial', 0, [ask(1)]));
          acts.forEach((one, i) => {
            if (one.kind === 'ask') till.ask(requestOf('update', i + 1, [ask(one.group)]));
            else till.now += one.ms;
            if (one.kind === 'wait') while (till.wake() === 'change');
            const session = till.session()!;
            const score = till.wheel.get('s');
            if (session.state !== 'open') expect(score).toBeUndefined();
            else expect(score).toBeLessThanOrEqual(dueAt(session, till.plan));
          });
        },
      ),
    );
  });
});
