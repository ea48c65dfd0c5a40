/** Replay: order, pace, latencies from the intended send time, and the report. */
import { afterEach, describe, expect, test } from 'vitest';
import { ConnectFailed, DiameterClient } from '../../src/trace/client.ts';
import type { Clock } from '../../src/trace/clock.ts';
import { dataSessions, defaultProfile, type Profile } from '../../src/trace/generate.ts';
import { subscriberRange } from '../../src/trace/identities.ts';
import { type Exchange, type ReplayOptions, replay } from '../../src/trace/replay.ts';
import { sampleTrace } from '../../src/trace/sample.ts';
import { memoryTrace } from '../../src/trace/trace.ts';
import type { TraceEntry } from '../../src/trace/trace-file.ts';
import {
  answerTo,
  avp,
  find,
  message,
  origin,
  parse,
  startToy,
  success,
  type Toy,
  type ToyOptions,
} from './toy-server.ts';

/** Time moves when the test says so. */
class TestClock implements Clock {
  #now = 0;
  #timers = new Map<() => void, number>();

  now(): number {
    return this.#now;
  }

  wallClock(): number {
    return 1_767_225_600_000 + this.#now;
  }

  after(delayMs: number, run: () => void): () => void {
    this.#timers.set(run, this.#now + delayMs);
    return () => this.#timers.delete(run);
  }

  advance(ms: number): void {
    this.#now += ms;
    for (const [run, at] of this.#timers) {
      if (at > this.#now) continue;
      this.#timers.delete(run);
      run();
    }
  }
}

const toys: Toy[] = [];
const clients: DiameterClient[] = [];

async function toyServer(options?: ToyOptions): Promise<Toy> {
  const toy = await startToy(options);
  toys.push(toy);
  return toy;
}

afterEach(async () => {
  for (const client of clients.splice(0)) client.destroy();
  await Promise.all(toys.splice(0).map((toy) => toy.close()));
});

function sessions(profile: Partial<Profile> = {}): TraceEntry[] {
  const few = { sessions: 3, updates: 2, startIntervalUs: 100, requestIntervalUs: 1000 };
  return [...dataSessions({ ...defaultProfile, ...few, ...profile })];
}

async function run(toy: Toy, entries: TraceEntry[], options: Partial<ReplayOptions> = {}) {
  const exchanges: Exchange[] = [];
  const report = await replay(memoryTrace('test', entries), {
    host: '127.0.0.1',
    port: toy.port,
    pace: { kind: 'max', outstanding: 10 },
    onExchange: (exchange) => exchanges.push(exchange),
    ...options,
  });
  return { report, exchanges };
}

const sessionId = (request: Buffer) => find(request, 263)!.toString();
const requestNumber = (request: Buffer) => find(request, 415)!.readUInt32BE(0);
const endToEnd = (request: Buffer) => request.readUInt32BE(16);
const isRetransmitted = (request: Buffer) => (request[4]! & 0x10) !== 0;

describe('replay', () => {
  test('sends every request once, each session in order, and counts the answers', async () => {
    const toy = await toyServer({ answer: (request) => success(request, 2001, [2001, 4012]) });
    const { report, exchanges } = await run(toy, sessions());
    expect(report).toMatchObject({
      success: true,
      requests: 12,
      answered: 12,
      unanswered: 0,
      dropped: 0,
      connections: 1,
      resultCodes: { 2001: 12 },
      serviceResultCodes: { 2001: 12, 4012: 12 },
      closedLoop: true,
    });
    expect(report.latencyMs.max).toBeGreaterThanOrEqual(report.latencyMs.p50);
    const numbers = Map.groupBy(toy.requests, sessionId).values();
    expect([...numbers].map((each) => each.map(requestNumber))).toEqual([
      [0, 1, 2, 3],
      [0, 1, 2, 3],
      [0, 1, 2, 3],
    ]);
    expect(exchanges).toHaveLength(12);
    expect(exchanges[0]!.request!.equals(toy.requests[0]!)).toBe(true);
    expect(find(exchanges[0]!.answer!, 268)!.readUInt32BE(0)).toBe(2001);
  });

  test('names the server as it named itself, and itself as asked', async () => {
    const toy = await toyServer();
    await run(toy, sessions(), { originHost: 'other.gw', originRealm: 'gw' });
    const text = (code: number) => toy.requests.map((each) => find(each, code)!.toString());
    expect(new Set(text(283))).toEqual(new Set(['toy.example']));
    expect(new Set(text(264))).toEqual(new Set(['other.gw']));
    expect(text(263).every((id) => id.startsWith('other.gw;'))).toBe(true);
    expect(find(toy.connections[0]!.received[0]!, 264)!.toString()).toBe('other.gw');
  });

  test('Session-Ids and End-to-End Identifiers are new in each repetition and each run', async () => {
    const toy = await toyServer();
    const entries = sessions();
    await run(toy, entries, { repeat: 3, run: 'a' });
    await run(toy, entries, { run: 'b' });
    expect(new Set(toy.requests.map(sessionId)).size).toBe(12);
    expect(new Set(toy.requests.slice(0, 36).map(endToEnd)).size).toBe(36);
    expect(sessionId(toy.requests[0]!)).toBe(`${entries[0]!.session};a.0`);
  });

  test('a recorded copy stays a copy: same Session-Id, number and End-to-End Identifier', async () => {
    const toy = await toyServer();
    const entries = sampleTrace();
    const { report } = await run(toy, entries, { pace: { kind: 'original', speed: 50 } });
    expect(report).toMatchObject({ success: true, requests: 198, connections: 2 });
    const copies = toy.requests.filter(isRetransmitted);
    expect(copies).toHaveLength(entries.filter(({ request }) => isRetransmitted(request)).length);
    for (const copy of copies) {
      const original = toy.requests.find((each) => endToEnd(each) === endToEnd(copy))!;
      expect(isRetransmitted(original)).toBe(false);
      expect(original.subarray(20).equals(copy.subarray(20))).toBe(true);
      expect(original.readUInt32BE(12)).not.toBe(copy.readUInt32BE(12));
    }
  });

  test('each recorded connection is one of its own, named as its gateway', async () => {
    const toy = await toyServer();
    await run(toy, sampleTrace(), { connections: 2 });
    const names = toy.connections.map(({ received }) => find(received[0]!, 264)!.toString());
    expect(names.sort()).toEqual(
      ['pgw.mvno-blue.example', 'pgw.mvno-red.example'].flatMap((each) => [each, each]),
    );
  });

  test('sessions stay on one connection, or requests go round all of them', async () => {
    for (const spread of ['session', 'request'] as const) {
      const toy = await toyServer();
      await run(toy, sessions({ sessions: 6 }), { connections: 3, spread });
      const bySession = new Map<string, Set<number>>();
      toy.connections.forEach(({ received }, index) => {
        for (const request of received.filter((each) => find(each, 263) !== undefined)) {
          const id = sessionId(request);
          bySession.set(id, (bySession.get(id) ?? new Set()).add(index));
        }
      });
      const spreads = [...bySession.values()].map(({ size }) => size);
      if (spread === 'session') expect(spreads).toEqual([1, 1, 1, 1, 1, 1]);
      else expect(Math.max(...spreads)).toBeGreaterThan(1);
    }
  });

  test('times move to now by the same shift within a session', async () => {
    const toy = await toyServer();
    const entries = sessions({ sessions: 1, requestIntervalUs: 60_000_000 });
    const before = Math.floor(Date.now() / 1000);
    await run(toy, entries);
    const stamps = toy.requests.map((each) => find(each, 55)!.readUInt32BE(0) - 2_208_988_800);
    expect(stamps[0]! - before).toBeLessThan(30);
    expect(stamps[0]! - before).toBeGreaterThanOrEqual(0);
    expect(stamps.map((each) => each - stamps[0]!)).toEqual([0, 60, 120, 180]);
  });

  test('subscribers are put onto others, each always onto the same', async () => {
    const toy = await toyServer();
    const { report } = await run(toy, sessions({ sessions: 6, subscribers: 3 }), {
      subscribers: subscriberRange('491520000010+2')!,
    });
    const ids = toy.requests.map((request) => {
      const groups = parse(request).filter(({ code }) => code === 443);
      return groups.map(({ data }) => parse(data, 0)[1]!.data.toString()).join(' ');
    });
    expect(new Set(ids)).toEqual(
      new Set(['491520000010 000491520000010', '491520000011 000491520000011']),
    );
    expect(report.subscribers).toEqual({ seen: 3, targets: 2 });
  });

  test('a request waits for the answer that its gateway waited for', async () => {
    const held: (() => void)[] = [];
    const toy = await toyServer({
      answer: (request, send) => {
        held.push(() => send(success(request)));
        // Both sessions have sent their first request; nothing else may come before the answers.
        if (held.length === 2) for (const release of held.splice(0)) release();
        return undefined;
      },
    });
    const { report } = await run(toy, sessions({ sessions: 2 }), {
      pace: { kind: 'rate', perSecond: 1e6 },
    });
    expect(report.answered).toBe(8);
    expect(toy.requests.map(requestNumber)).toEqual([0, 0, 1, 1, 2, 2, 3, 3]);
  });

  test('with wait off everything goes out without an answer', async () => {
    const held: (() => void)[] = [];
    const toy = await toyServer({
      answer: (request, send) => {
        held.push(() => send(success(request)));
        // Answered backwards, and only when all are there.
        if (held.length === 12) for (const release of held.reverse()) release();
        return undefined;
      },
    });
    const { report } = await run(toy, sessions(), {
      wait: false,
      pace: { kind: 'max', outstanding: 12 },
    });
    expect(report).toMatchObject({ success: true, answered: 12 });
  });

  test('a closed loop never has more outstanding than asked', async () => {
    let most = 0;
    let open = 0;
    const toy = await toyServer({
      answer: (request, send) => {
        open += 1;
        most = Math.max(most, open);
        setImmediate(() => {
          open -= 1;
          send(success(request));
        });
        return undefined;
      },
    });
    const { report } = await run(toy, sessions({ sessions: 50 }), {
      pace: { kind: 'max', outstanding: 7 },
      connections: 3,
    });
    expect(report.answered).toBe(200);
    expect(most).toBeLessThanOrEqual(7);
    expect(most).toBeGreaterThan(1);
  });

  test('a session numbered from 0 on request, copies alike', async () => {
    const toy = await toyServer();
    const odd = sessions({ sessions: 1 }).map((entry, index) => {
      const request = Buffer.from(entry.request);
      const at = request.indexOf(Buffer.from([0, 0, 1, 0x9f])) + 8;
      request.writeUInt32BE([5, 5, 9, 70][index]!, at);
      return { ...entry, request };
    });
    await run(toy, odd, { renumber: true });
    expect(toy.requests.map(requestNumber)).toEqual([0, 0, 1, 2]);
  });

  test('a lost connection is made again and what was open is sent again with T', async () => {
    const toy = await toyServer({
      answer: (request, _send, { requests, connections }) => {
        if (requests.length !== 3) return success(request);
        connections[0]!.socket.destroy();
        return undefined;
      },
    });
    const { report } = await run(toy, sessions());
    expect(report).toMatchObject({ success: true, answered: 12, reconnects: 1 });
    expect(report.resent).toBeGreaterThan(0);
    const again = toy.requests.filter(isRetransmitted);
    expect(again).toHaveLength(report.resent);
    const lost = toy.requests[2]!;
    const copy = again.find((each) => endToEnd(each) === endToEnd(lost))!;
    expect(copy.subarray(20).equals(lost.subarray(20))).toBe(true);
  });

  test('what is never answered times out, and the session goes on', async () => {
    const toy = await toyServer({
      answer: (request) => (requestNumber(request) === 1 ? undefined : success(request)),
    });
    const { report, exchanges } = await run(toy, sessions(), { timeoutMs: 40 });
    expect(report).toMatchObject({ success: false, requests: 12, answered: 9, unanswered: 3 });
    expect(exchanges.filter(({ outcome }) => outcome === 'unanswered')).toHaveLength(3);
  });

  test('what is due but finds no room in time is dropped, and late sends cost latency', async () => {
    const toy = await toyServer({ answer: () => undefined });
    const { report, exchanges } = await run(toy, sessions({ sessions: 9 }), {
      pace: { kind: 'rate', perSecond: 1e6 },
      wait: false,
      maxOutstanding: 4,
      timeoutMs: 50,
    });
    expect(report.requests).toBe(36);
    expect(report.answered).toBe(0);
    expect(report.unanswered + report.dropped).toBe(36);
    expect(report.dropped).toBeGreaterThan(0);
    expect(toy.requests).toHaveLength(report.unanswered);
    expect(exchanges.find(({ outcome }) => outcome === 'dropped')!.request).toBeUndefined();
  });

  test('latency counts from the intended time although the request waited to be sent', async () => {
    const clock = new TestClock();
    const toy = await toyServer({
      answer: (request) => {
        clock.advance(30);
        return success(request);
      },
    });
    const { report, exchanges } = await run(toy, sessions({ sessions: 1 }), {
      pace: { kind: 'rate', perSecond: 1000 },
      clock,
    });
    // One after the other, each answered after 30 ms, but due at 0, 1, 2 and 3 ms.
    expect(exchanges.map(({ latencyMs }) => latencyMs)).toEqual([30, 59, 88, 117]);
    expect(report.latencyMs.max).toBe(117);
    expect(report.seconds).toBe(0.12);
  });

  test('a generator that is late says so', async () => {
    const clock = new TestClock();
    const toy = await toyServer({
      answer: (request, _send, { requests }) => {
        // As if the process had stood still between the first request and the others.
        if (requests.length === 1) clock.advance(30);
        return success(request);
      },
    });
    const { report } = await run(toy, sessions({ sessions: 1 }), {
      pace: { kind: 'rate', perSecond: 1000 },
      wait: false,
      clock,
    });
    expect(report.generator).toMatchObject({ lagMs: { max: 29 }, bottleneck: true });
    expect(report.latencyMs.max).toBe(30);
  });

  test('an answer that refuses is no success, a charging outcome is', async () => {
    for (const [code, ok] of [
      [4012, true],
      [5030, true],
      [5012, false],
      [3004, false],
    ] as const) {
      const toy = await toyServer({ answer: (request) => success(request, code) });
      const { report } = await run(toy, sessions());
      expect([code, report.success]).toEqual([code, ok]);
      expect(report.resultCodes).toEqual({ [code]: 12 });
    }
  });

  test('an empty trace is no success', async () => {
    const toy = await toyServer();
    expect((await run(toy, [])).report).toMatchObject({ success: false, requests: 0 });
  });

  test('a stop reads no more and waits for what is under way', async () => {
    const stop = new AbortController();
    const toy = await toyServer({
      answer: (request) => {
        stop.abort();
        return success(request);
      },
    });
    const entries = sessions({ requestIntervalUs: 3_600_000_000 });
    const { report } = await run(toy, entries, {
      signal: stop.signal,
      pace: { kind: 'original', speed: 1 },
    });
    expect(report.answered).toBe(report.requests);
    expect(report.requests).toBeLessThanOrEqual(3);
  });
});

describe('client', () => {
  const options = { host: '127.0.0.1', originHost: 'gw.example', originRealm: 'example' };
  const connect = async (toy: Toy, more = {}) => {
    const client = await DiameterClient.connect({ ...options, port: toy.port, ...more });
    clients.push(client);
    return client;
  };
  const ccr = (number: number) =>
    message({ command: 272, flags: 0xc0, application: 4, hopByHop: 0, endToEnd: number }, [
      avp(263, `gw.example;1;${number}`),
    ]);
  const fromServer = (command: number, avps: Buffer[]) =>
    message({ command, flags: 0x80, application: 0, hopByHop: 77, endToEnd: 78 }, avps);

  test('announces credit control in both ways and learns who the server is', async () => {
    const toy = await toyServer();
    const client = await connect(toy);
    expect(client.server).toMatchObject({
      originHost: 'ocs.toy.example',
      originRealm: 'toy.example',
    });
    const cer = toy.connections[0]!.received[0]!;
    expect(find(cer, 258)!.readUInt32BE(0)).toBe(4);
    expect(parse(find(cer, 260)!, 0).map(({ data }) => data.readUInt32BE(0))).toEqual([10415, 4]);
    expect(find(cer, 257)!.toString('hex')).toBe('00017f000001');
  });

  test('answers out of order find their requests', async () => {
    const held: Buffer[] = [];
    const toy = await toyServer({
      answer: (request, send) => {
        held.push(request);
        if (held.length === 3) for (const each of held.reverse()) send(success(each));
        return undefined;
      },
    });
    const client = await connect(toy);
    const answers = await Promise.all([1, 2, 3].map((number) => client.send(ccr(number))));
    expect(answers.map(endToEnd)).toEqual([1, 2, 3]);
    expect(client.outstanding).toBe(0);
  });

  test('answers watchdogs, re-authorisations, aborts and what it does not know', async () => {
    const replies: Buffer[] = [];
    const toy = await toyServer({
      answer: (_request, send) => {
        send(fromServer(280, origin));
        send(fromServer(258, [avp(263, 'gw.example;1;1'), ...origin, avp(285, 0)]));
        send(fromServer(274, [avp(263, 'gw.example;1;1'), ...origin]));
        send(fromServer(999, origin));
        return undefined;
      },
    });
    const client = await connect(toy);
    const lost = client.send(ccr(1)).catch((error: Error) => error.name);
    await expect
      .poll(() => {
        replies.splice(0, 9, ...toy.connections[0]!.received.slice(2));
        return replies.length;
      })
      .toBe(4);
    expect(replies.map((each) => find(each, 268)!.readUInt32BE(0))).toEqual([
      2001, 2001, 2001, 3001,
    ]);
    expect(replies.map((each) => each[4]! & 0xa0)).toEqual([0, 0, 0, 0x20]);
    expect(replies.map((each) => each.readUInt32BE(12))).toEqual([77, 77, 77, 77]);
    client.destroy();
    expect(await lost).toBe('Disconnected');
  });

  test('a good-bye of the server is answered and what was open is rejected', async () => {
    const toy = await toyServer({ answer: () => fromServer(282, [...origin, avp(273, 0)]) });
    const client = await connect(toy);
    await expect(client.send(ccr(1))).rejects.toThrow('the server disconnected');
    expect(await client.closed).toBe('the server disconnected');
    await expect.poll(() => toy.connections[0]!.received.at(-1)!.readUIntBE(4, 4)).toBe(282);
  });

  test('says good-bye and closes', async () => {
    const toy = await toyServer();
    const client = await connect(toy);
    await client.disconnect();
    expect(toy.connections[0]!.received.at(-1)!.readUIntBE(4, 4)).toBe(0x80000000 + 282);
    expect(client.open).toBe(false);
  });

  test('more requests without an answer than allowed are refused', async () => {
    const toy = await toyServer({ answer: () => undefined });
    const client = await connect(toy, { maxOutstanding: 2 });
    const open = [client.send(ccr(1)), client.send(ccr(2))].map((each) => each.catch(() => 'gone'));
    await expect(client.send(ccr(3))).rejects.toThrow(RangeError);
    client.destroy();
    expect(await Promise.all(open)).toEqual(['gone', 'gone']);
  });

  test.each([
    ['a refusal', (request: Buffer) => answerTo(request, [avp(268, 5010), ...origin]), /5010/],
    [
      'an error answer',
      (request: Buffer) => answerTo(request, [avp(268, 3010), ...origin], true),
      /3010/,
    ],
    ['silence', () => undefined, /no connection after 60 ms/],
    ['garbage', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /the server sent/],
  ])('%s in place of capabilities is a failure to connect', async (_name, reply, reason) => {
    const toy = await toyServer({ capabilities: reply });
    const connecting = DiameterClient.connect({ ...options, port: toy.port, connectTimeoutMs: 60 });
    await expect(connecting).rejects.toThrow(ConnectFailed);
    await expect(connecting).rejects.toThrow(reason);
  });

  test('nobody listening is a failure to connect', async () => {
    const toy = await startToy();
    await toy.close();
    await expect(run(toy, sessions())).rejects.toThrow(ConnectFailed);
  });
});
