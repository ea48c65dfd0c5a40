/** RFC 6733 5.6: the rows of the responder, as far as they need no socket. */
import { describe, expect, test } from 'vitest';
import {
  accepted,
  deadlineOf,
  type PeerEvent,
  type PeerState,
  type PeerTimeouts,
  step,
} from '../../src/peer/machine.ts';

const timeouts: PeerTimeouts = {
  cerMs: 10_000,
  dpaMs: 2_000,
  answeringMs: 3_000,
  disconnectMs: 1_000,
};

/** Runs events at time 0 through the machine, and says what it did and where it ended. */
function run(events: PeerEvent[], from: PeerState = accepted(0, timeouts)) {
  const actions: string[] = [];
  let state = from;
  for (const event of events) {
    const transition = step(state, event, 0, timeouts);
    state = transition.state;
    actions.push(...transition.actions);
  }
  return { actions, state: state.name, deadlineAt: deadlineOf(state) };
}

const cer: PeerEvent = { kind: 'cer', verdict: 'accept' };
const dpr: PeerEvent = { kind: 'dpr', flawed: false, inFlight: 0 };
const busyDPR: PeerEvent = { kind: 'dpr', flawed: false, inFlight: 2 };
const dpa: PeerEvent = { kind: 'dpa', inFlight: 0 };

describe('before the CER', () => {
  test('B-080 the CER has a deadline, after which the connection is discarded', () => {
    expect(deadlineOf(accepted(5, timeouts))).toBe(10_005);
    expect(run([{ kind: 'timeout' }])).toMatchObject({ actions: ['abort'], state: 'closed' });
  });

  test.each<PeerEvent>([{ kind: 'message' }, { kind: 'dwr' }, dpr, dpa])(
    'B-080 $kind before the CER closes the connection',
    (event) => {
      expect(run([event])).toMatchObject({ actions: ['abort'], state: 'closed' });
    },
  );

  test('R-Conn-CER is accepted, answered and opens', () => {
    expect(run([cer])).toMatchObject({ actions: ['send-cea', 'open'], state: 'open' });
  });

  test('a refused CER gets its CEA before the connection ends', () => {
    expect(run([{ kind: 'cer', verdict: 'refuse' }])).toEqual({
      actions: ['send-cea', 'disconnect'],
      state: 'disconnecting',
      deadlineAt: 1_000,
    });
  });

  test('B-094 R-Reject disconnects the new transport without a CEA', () => {
    expect(run([{ kind: 'cer', verdict: 'reject' }])).toMatchObject({
      actions: ['disconnect'],
      state: 'disconnecting',
    });
  });
});

describe('R-Open', () => {
  test('messages are processed and DWRs answered', () => {
    expect(run([cer, { kind: 'message' }, { kind: 'dwr' }])).toMatchObject({
      actions: ['send-cea', 'open', 'process', 'send-dwa'],
      state: 'open',
    });
  });

  test('B-096 a second CER is refused and changes nothing', () => {
    expect(run([cer, cer])).toMatchObject({
      actions: ['send-cea', 'open', 'refuse-cer'],
      state: 'open',
    });
  });

  test('R-Rcv-DPR is answered at once when nothing is in flight', () => {
    expect(run([cer, dpr])).toMatchObject({
      actions: ['send-cea', 'open', 'send-dpa'],
      state: 'wait-disconnect',
      deadlineAt: 1_000,
    });
  });

  test('R-Rcv-DPR waits for the requests in flight, because the DPA makes the peer close', () => {
    const waiting = run([cer, busyDPR]);
    expect(waiting).toMatchObject({ state: 'answering', deadlineAt: 3_000 });
    expect(waiting.actions).not.toContain('send-dpa');
    expect(run([cer, busyDPR, { kind: 'idle' }])).toMatchObject({ state: 'wait-disconnect' });
    expect(run([cer, busyDPR, { kind: 'timeout' }]).actions).toContain('send-dpa');
  });

  test('B-111 a flawed DPR is answered and the connection stays open', () => {
    expect(run([cer, { kind: 'dpr', flawed: true, inFlight: 0 }])).toMatchObject({
      actions: ['send-cea', 'open', 'send-dpa'],
      state: 'open',
    });
  });

  test('a DPA that nobody asked for is discarded', () => {
    expect(run([cer, dpa])).toMatchObject({ actions: ['send-cea', 'open'], state: 'open' });
  });

  test('B-002 a request that breaks the stream is answered before the end', () => {
    expect(run([cer, { kind: 'violation', answerable: true }])).toMatchObject({
      actions: ['send-cea', 'open', 'send-failure', 'disconnect'],
      state: 'disconnecting',
    });
    expect(run([{ kind: 'violation', answerable: true }]).actions).toEqual(['abort']);
  });

  test.each<PeerEvent>([{ kind: 'violation', answerable: false }, { kind: 'give-up' }])(
    'B-012 %o resets',
    (event) => {
      expect(run([cer, event])).toMatchObject({ state: 'closed' });
      expect(run([cer, event]).actions.at(-1)).toBe('abort');
    },
  );

  test('R-Peer-Disc closes', () => {
    expect(run([cer, { kind: 'peer-disc' }])).toMatchObject({
      actions: ['send-cea', 'open', 'disconnect'],
      state: 'disconnecting',
    });
    expect(run([cer, { kind: 'gone' }])).toMatchObject({ state: 'closed' });
  });
});

describe('Closing', () => {
  const stop: PeerEvent = { kind: 'stop' };

  test('B-112 Stop sends a DPR and the DPA ends the connection', () => {
    expect(run([cer, stop])).toMatchObject({ state: 'wait-dpa', deadlineAt: 2_000 });
    expect(run([cer, stop, dpa]).actions).toEqual(['send-cea', 'open', 'send-dpr', 'disconnect']);
  });

  test('B-112 requests that arrive after our DPR are still processed', () => {
    expect(run([cer, stop, { kind: 'message' }]).actions.at(-1)).toBe('process');
  });

  test('B-112 the DPA does not end the connection before the last answer', () => {
    const finishing = run([cer, stop, { kind: 'dpa', inFlight: 1 }]);
    expect(finishing).toMatchObject({ state: 'finishing', deadlineAt: 3_000 });
    expect(run([cer, stop, { kind: 'dpa', inFlight: 1 }, { kind: 'idle' }]).actions.at(-1)).toBe(
      'disconnect',
    );
    expect(run([cer, stop, { kind: 'dpa', inFlight: 1 }, { kind: 'timeout' }])).toMatchObject({
      state: 'disconnecting',
    });
  });

  test('Timeout without a DPA disconnects, and resets a peer that does not follow', () => {
    expect(run([cer, stop, { kind: 'timeout' }])).toMatchObject({ state: 'disconnecting' });
    expect(run([cer, stop, { kind: 'timeout' }, { kind: 'timeout' }])).toMatchObject({
      state: 'closed',
      actions: ['send-cea', 'open', 'send-dpr', 'disconnect', 'abort'],
    });
  });

  test('two DPRs that cross have each their DPA', () => {
    expect(run([cer, stop, dpr, dpa]).actions).toEqual([
      'send-cea',
      'open',
      'send-dpr',
      'send-dpa',
      'disconnect',
    ]);
  });

  test('B-110 a peer that does not close after our DPA is reset', () => {
    expect(run([cer, dpr, { kind: 'timeout' }])).toMatchObject({ state: 'closed' });
  });

  test('watchdogs are answered until the end', () => {
    expect(run([cer, stop, { kind: 'dwr' }]).actions.at(-1)).toBe('send-dwa');
  });

  test('nothing happens to a closed connection any more', () => {
    expect(run([{ kind: 'timeout' }, cer, dpr, stop]).actions).toEqual(['abort']);
  });
});
