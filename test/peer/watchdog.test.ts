/** RFC 3539 3.4.1 and the table of its appendix A, without a socket. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  connectionUp,
  stepWatchdog,
  type Watchdog,
  type WatchdogEvent,
} from '../../src/peer/watchdog.ts';

const middle = { twinitMs: 30_000, random: () => 0.5 };

function run(events: [WatchdogEvent, number][], settings = middle) {
  let watchdog: Watchdog = connectionUp(0, settings);
  const actions: (string | undefined)[] = [];
  for (const [event, at] of events) {
    const transition = stepWatchdog(watchdog, event, at, settings);
    watchdog = transition.watchdog;
    actions.push(transition.action);
  }
  return { ...watchdog, actions };
}

describe('the interval', () => {
  test('B-101 is Twinit with a jitter of two seconds to either side', () => {
    expect(connectionUp(0, { twinitMs: 30_000, random: () => 0 }).expiresAt).toBe(28_000);
    expect(connectionUp(0, middle).expiresAt).toBe(30_000);
    expect(connectionUp(0, { twinitMs: 30_000, random: () => 0.999_999 }).expiresAt).toBeCloseTo(
      32_000,
      -1,
    );
  });

  test('B-101 draws the jitter anew each time', () => {
    const drawn = [0, 1, 0.25];
    const settings = { twinitMs: 6_000, random: () => drawn.shift()! };
    const up = connectionUp(0, settings);
    expect(up.expiresAt).toBe(4_000);
    expect(stepWatchdog(up, 'receive', 0, settings).watchdog.expiresAt).toBe(8_000);
  });

  test('B-102 is reset by any message', () => {
    expect(run([['receive', 20_000]]).expiresAt).toBe(50_000);
    expect(run([['receive-dwa', 20_000]]).expiresAt).toBe(50_000);
    expect(
      run([
        ['receive', 20_000],
        ['timer', 30_000],
      ]).actions,
    ).toEqual([undefined, undefined]);
  });
});

describe('the table', () => {
  test('B-101 OKAY, timer, nothing pending: a DWR is sent', () => {
    expect(run([['timer', 30_000]])).toMatchObject({
      status: 'okay',
      pending: true,
      expiresAt: 60_000,
      actions: ['send-dwr'],
    });
  });

  test('B-103 OKAY, timer, pending: failover', () => {
    expect(
      run([
        ['timer', 30_000],
        ['timer', 60_000],
      ]),
    ).toMatchObject({ status: 'suspect', actions: ['send-dwr', 'failover'] });
  });

  test('B-104 SUSPECT, timer: the connection is closed, and not before', () => {
    expect(
      run([
        ['timer', 30_000],
        ['timer', 60_000],
        ['timer', 89_999],
        ['timer', 90_000],
      ]),
    ).toMatchObject({ status: 'down', actions: ['send-dwr', 'failover', undefined, 'close'] });
  });

  test.each<WatchdogEvent>(['receive', 'receive-dwa'])('B-106 SUSPECT, %s: failback', (event) => {
    const after = run([
      ['timer', 30_000],
      ['timer', 60_000],
      [event, 61_000],
    ]);
    expect(after).toMatchObject({ status: 'okay', pending: event === 'receive' });
    expect(after.actions.at(-1)).toBe('failback');
    expect(after.expiresAt).toBe(91_000);
  });

  test('B-103 a connection that goes down while OKAY fails over, once', () => {
    expect(run([['connection-down', 1]])).toMatchObject({ status: 'down', actions: ['failover'] });
    expect(
      run([
        ['timer', 30_000],
        ['timer', 60_000],
        ['connection-down', 61_000],
      ]).actions.at(-1),
    ).toBeUndefined();
  });

  test('B-094 a probe asks at once, but never a second time', () => {
    expect(
      run([
        ['probe', 1],
        ['probe', 2],
      ]).actions,
    ).toEqual(['send-dwr', undefined]);
  });
});

test('B-102 whatever happens, no DWR is sent while one is outstanding', () => {
  const events = fc.array(
    fc.tuple(
      fc.constantFrom<WatchdogEvent>('receive', 'receive-dwa', 'timer', 'probe'),
      fc.integer({ min: 0, max: 40_000 }),
    ),
  );
  fc.assert(
    fc.property(events, (steps) => {
      let now = 0;
      let outstanding = false;
      let watchdog = connectionUp(0, middle);
      for (const [event, elapsed] of steps) {
        now += elapsed;
        const transition = stepWatchdog(watchdog, event, now, middle);
        watchdog = transition.watchdog;
        if (event === 'receive-dwa' && watchdog.status !== 'down') outstanding = false;
        if (transition.action === 'send-dwr') {
          expect(outstanding).toBe(false);
          outstanding = true;
        }
      }
    }),
  );
});
