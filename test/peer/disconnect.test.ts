/** RFC 6733 5.4 and 5.5, RFC 3539 3.4: watchdogs and the end of a connection, through a socket. */
import { describe, expect, test } from 'vitest';
import { FakeClock } from './fake-clock.ts';
import { all, CCR, DPR, DWR, E, only, type Parsed, parseAVPs, R, resultCode } from './raw.ts';
import { answerSimply, answerTo, ccr, cer, dpr, dwr, origin, serve } from './server.ts';

/** Twinit of 30 s without jitter, on a clock that the test moves. */
function watched() {
  const clock = new FakeClock();
  return { clock, random: () => 0.5 };
}

function expectBase(message: Parsed, command: number): void {
  expect([message.command, message.flags, message.application]).toEqual([command, R, 0]);
  expect(only(message, 264).toString()).toBe(origin.host);
  expect(only(message, 296).toString()).toBe(origin.realm);
}

describe('before the CER', () => {
  test('B-080 nothing at all: closed when the time is over, not before', async () => {
    const clock = new FakeClock();
    const { connect, listener, seen } = await serve({ clock, timeouts: { cerMs: 10_000 } });
    const peer = await connect();
    await expect.poll(() => listener.connections.size).toBe(1);
    clock.advance(9_999);
    expect(listener.statistics().states).toEqual({ 'wait-cer': 1 });
    clock.advance(1);
    expect(await peer.next()).toBeUndefined();
    expect(seen.logged.at(-1)!.fields.reason).toBe('no capabilities exchange');
  });

  test.each([
    ['a CCR', ccr()],
    ['a DWR', dwr()],
    ['a DPR', dpr()],
    ['an answer', answerTo({ command: DWR, flags: 0 } as Parsed)],
  ])('B-080 %s first: closed without an answer', async (_, bytes) => {
    const { connect, listener } = await serve();
    const peer = await connect();
    peer.send(bytes, cer());
    expect(await peer.next()).toBeUndefined();
    expect(listener.statistics()).toMatchObject({ peersOpened: 0, requests: 0 });
  });
});

describe('the watchdog', () => {
  test('B-100 a DWR is answered with 2001 at once, however busy the application is', async () => {
    const { open } = await serve({}, { onRequest: () => {} });
    const peer = await open();
    peer.send(...Array.from({ length: 500 }, () => ccr()), dwr({ hopByHop: 7 }));
    const dwa = await peer.receive();
    expect(dwa).toMatchObject({ command: DWR, flags: 0, hopByHop: 7 });
    expect(resultCode(dwa)).toBe(2001);
    expect(only(dwa, 264).toString()).toBe(origin.host);
    expect(only(dwa, 296).toString()).toBe(origin.realm);
  });

  test('B-101 a silent peer is asked after Twinit', async () => {
    const { clock, random } = watched();
    const { open, listener } = await serve({ clock, random });
    const peer = await open();
    clock.advance(29_999);
    expect(listener.statistics().watchdogsSent).toBe(0);
    clock.advance(1);
    expectBase(await peer.receive(), DWR);
  });

  test('B-101 the interval is jittered by two seconds at most', async () => {
    const clock = new FakeClock();
    const { open, listener } = await serve({ clock, random: () => 0, twinitMs: 6_000 });
    await open();
    clock.advance(3_999);
    expect(listener.statistics().watchdogsSent).toBe(0);
    clock.advance(1);
    expect(listener.statistics().watchdogsSent).toBe(1);
  });

  test('B-102 traffic resets the timer, and there is never a second DWR', async () => {
    const { clock, random } = watched();
    const { open, listener } = await serve({ clock, random });
    const peer = await open();
    for (let count = 0; count < 20; count += 1) {
      clock.advance(5_000);
      await peer.exchange(ccr());
    }
    expect(listener.statistics().watchdogsSent).toBe(0);
    clock.advance(30_000);
    expectBase(await peer.receive(), DWR);
    await peer.exchange(ccr());
    clock.advance(29_999);
    expect(listener.statistics().watchdogsSent).toBe(1);
  });

  test('B-102 an answered DWR may be followed by the next', async () => {
    const { clock, random } = watched();
    const { open, listener } = await serve({ clock, random });
    const peer = await open();
    const identifiers = new Set<number>();
    for (let count = 1; count <= 5; count += 1) {
      clock.advance(30_000);
      const asked = await peer.receive();
      identifiers.add(asked.hopByHop);
      peer.send(answerTo(asked));
      await peer.exchange(ccr());
      expect(listener.statistics().watchdogsSent).toBe(count);
    }
    expect(identifiers.size).toBe(5);
  });

  test('B-103 B-104 an ignored DWR: suspect after one interval, closed after two', async () => {
    const { clock, random } = watched();
    const { open, listener, seen } = await serve({ clock, random });
    const peer = await open();
    clock.advance(30_000);
    expectBase(await peer.receive(), DWR);
    clock.advance(30_000);
    expect(seen.opened[0]!.usable).toBe(false);
    expect(listener.usable('pgw1.visited.example')).toEqual([]);
    clock.advance(29_999);
    expect(seen.opened[0]!.state).toBe('open');
    clock.advance(1);
    expect(await peer.next()).toBeUndefined();
    expect(seen.closed).toMatchObject([{ reason: 'watchdog' }]);
    expect(listener.statistics()).toMatchObject({ failovers: 1, givenUp: 1, watchdogsSent: 1 });
  });

  test.each([
    ['a late DWA', (asked: Parsed) => answerTo(asked), 2],
    ['a request', () => ccr(), 1],
  ])('B-106 %s brings a suspect peer back', async (_, make, sent) => {
    const { clock, random } = watched();
    const { open, listener, seen } = await serve({ clock, random });
    const peer = await open();
    clock.advance(30_000);
    const asked = await peer.receive();
    clock.advance(30_000);
    expect(seen.opened[0]!.usable).toBe(false);
    peer.send(make(asked));
    await expect.poll(() => seen.opened[0]!.usable).toBe(true);
    clock.advance(30_000);
    expect(seen.opened[0]!.state).toBe('open');
    expect(listener.statistics().watchdogsSent).toBe(sent);
  });

  test('B-105 a connection that was just accepted is usable at once', async () => {
    const { open, listener } = await serve();
    await open();
    expect(listener.usable('PGW1.visited.example')).toMatchObject([{ usable: true }]);
  });

  test('B-094 a dead connection makes room for the peer that may connect once', async () => {
    const { clock, random } = watched();
    const policy = { anybody: { single: true, options: { tag: 'once' } } };
    const { open, listener, seen } = await serve({ clock, random, policy });
    const dead = await open();
    clock.advance(60_000);
    expect(seen.opened[0]!.usable).toBe(false);
    const alive = await open();
    expect(resultCode(await alive.exchange(ccr()))).toBe(2001);
    expect((await dead.next())?.command).toBe(DWR);
    expect(await dead.next()).toBeUndefined();
    expect(listener.statistics().states).toEqual({ open: 1 });
  });
});

describe('the peer leaves', () => {
  test('B-110 DPR gets DPA 2001, and the peer is left to close', async () => {
    const { open, listener, seen } = await serve();
    const peer = await open();
    const dpa = await peer.exchange(dpr(2, { hopByHop: 5, endToEnd: 6 }));
    expect(dpa).toMatchObject({ command: DPR, flags: 0, hopByHop: 5, endToEnd: 6 });
    expect(resultCode(dpa)).toBe(2001);
    expect(listener.statistics().states).toEqual({ 'wait-disconnect': 1 });
    peer.end();
    await expect.poll(() => seen.closed).toMatchObject([{ reason: 'peer left' }]);
  });

  test('B-110 a peer that does not close after our DPA is closed, bounded in time', async () => {
    const clock = new FakeClock();
    const { open, listener } = await serve({ clock, timeouts: { disconnectMs: 2_000 } });
    const peer = await open();
    await peer.exchange(dpr());
    clock.advance(1_999);
    expect(listener.statistics().states).toEqual({ 'wait-disconnect': 1 });
    clock.advance(1);
    expect(await peer.next()).toBeUndefined();
  });

  test('B-111 a DPR without a cause: DPA 5005, and the connection stays', async () => {
    const { open } = await serve();
    const peer = await open();
    const dpa = await peer.exchange(dpr('none'));
    expect([resultCode(dpa), dpa.flags & E]).toEqual([5005, 0]);
    expect(only(parseAVPs(only(dpa, 279)), 273)).toEqual(Buffer.alloc(4));
    expect(resultCode(await peer.exchange(ccr()))).toBe(2001);
  });

  test('B-114 requests in flight are answered before the DPA ends the connection', async () => {
    const held: (() => void)[] = [];
    const { open, seen } = await serve(
      {},
      {
        onRequest: (request) => {
          held.push(() => answerSimply(request));
        },
      },
    );
    const peer = await open();
    peer.send(ccr({}, { hopByHop: 1 }), ccr({}, { hopByHop: 2 }), dpr(0, { hopByHop: 3 }));
    await expect.poll(() => seen.opened[0]!.state).toBe('answering');
    for (const run of held) run();
    const order = [await peer.receive(), await peer.receive(), await peer.receive()];
    expect(order.map(({ command, hopByHop }) => [command, hopByHop])).toEqual([
      [CCR, 1],
      [CCR, 2],
      [DPR, 3],
    ]);
    expect(order.map(resultCode)).toEqual([2001, 2001, 2001]);
  });

  test('B-114 the DPA does not wait for ever', async () => {
    const clock = new FakeClock();
    const { open, seen } = await serve(
      { clock, timeouts: { answeringMs: 3_000 } },
      { onRequest: () => {} },
    );
    const peer = await open();
    peer.send(ccr(), dpr());
    await expect.poll(() => seen.opened[0]!.state).toBe('answering');
    clock.advance(3_000);
    expect((await peer.receive()).command).toBe(DPR);
  });

  test('B-117 an answer whose connection is gone goes nowhere else, and is counted', async () => {
    let answer = () => {};
    const { open, listener, seen } = await serve(
      {},
      {
        onRequest: (request) => {
          answer = () => answerSimply(request);
        },
      },
    );
    const other = await open();
    const peer = await open();
    peer.send(ccr({}, { hopByHop: 9 }));
    await expect.poll(() => listener.statistics().inFlight).toBe(1);
    peer.end();
    await expect.poll(() => seen.closed.length).toBe(1);
    answer();
    expect(listener.statistics()).toMatchObject({ answersDropped: 1, answers: 0, inFlight: 0 });
    expect((await other.exchange(dwr({ hopByHop: 1 }))).hopByHop).toBe(1);
  });

  test('B-116 B-073 a session goes on over another connection', async () => {
    const sessions: string[] = [];
    const { open } = await serve(
      {},
      {
        onRequest(request) {
          sessions.push(request.decoded.raw.sessionId!.toString());
          answerSimply(request);
        },
      },
    );
    const first = await open();
    expect(resultCode(await first.exchange(ccr()))).toBe(2001);
    first.end();
    expect(resultCode(await (await open()).exchange(ccr()))).toBe(2001);
    expect(sessions).toEqual(['pgw1.visited.example;1;2', 'pgw1.visited.example;1;2']);
  });
});

describe('we leave', () => {
  test('B-112 every peer gets a DPR, what is in flight is answered, then all is closed', async () => {
    const held: (() => void)[] = [];
    const { open, listener, seen, connect } = await serve(
      {},
      {
        onRequest: (request) => {
          held.push(() => answerSimply(request));
        },
      },
    );
    const idle = await open();
    const busy = await open();
    const stranger = await connect();
    busy.send(ccr({}, { hopByHop: 1 }));
    await expect.poll(() => listener.statistics().inFlight).toBe(1);
    const drained = listener.drain('rebooting');
    expect(await stranger.next()).toBeUndefined();
    for (const peer of [idle, busy]) {
      const left = await peer.receive();
      expectBase(left, DPR);
      expect(only(left, 273).readUInt32BE()).toBe(0);
      // Sent before the DPR was seen: still served.
      if (peer === busy) peer.send(ccr({}, { hopByHop: 2 }));
      peer.send(answerTo(left));
    }
    await expect.poll(() => held.length).toBe(2);
    expect(await idle.next()).toBeUndefined();
    for (const run of held) run();
    expect((await busy.receive()).hopByHop).toBe(1);
    expect((await busy.receive()).hopByHop).toBe(2);
    expect(await busy.next()).toBeUndefined();
    await drained;
    expect(seen.closed.map(({ reason }) => reason)).toEqual(['we left', 'we left']);
    await expect(connect()).rejects.toThrow('ECONNREFUSED');
  });

  test('B-112 a peer that never answers the DPR holds nothing up', async () => {
    const clock = new FakeClock();
    const { open, listener } = await serve({ clock, timeouts: { dpaMs: 2_000 } });
    const peer = await open();
    const drained = listener.drain('busy');
    const left = await peer.receive();
    expect(all(left, 273)[0]!.readUInt32BE()).toBe(1);
    clock.advance(2_000);
    expect(await peer.next()).toBeUndefined();
    await drained;
  });

  test('B-110 two DPRs that cross are both answered', async () => {
    const { open, listener } = await serve();
    const peer = await open();
    const drained = listener.drain('rebooting');
    const left = await peer.receive();
    expect(resultCode(await peer.exchange(dpr()))).toBe(2001);
    peer.send(answerTo(left));
    expect(await peer.next()).toBeUndefined();
    await drained;
  });
});
