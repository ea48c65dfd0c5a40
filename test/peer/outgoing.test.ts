/** Requests that the server sends: RFC 6733 3, 5.3, 5.5.4, 8.3 and 8.5, through a socket. */
import { describe, expect, test } from 'vitest';
import type { Connection } from '../../src/peer/connection.ts';
import { PendingRequests } from '../../src/peer/pending.ts';
import { FakeClock } from './fake-clock.ts';
import { ASR, avp, DWR, E, message, only, P, R, RAR, T } from './raw.ts';
import { answerTo, ccr, cer, dwr, origin, serve, type Tag } from './server.ts';

const session = 'pgw1.visited.example;1;2';

const addressed = {
  'Session-Id': session,
  'Origin-Host': origin.host,
  'Origin-Realm': origin.realm,
  'Destination-Realm': 'visited.example',
  'Destination-Host': 'pgw1.visited.example',
  'Auth-Application-Id': 4,
};

function rar(connection: Connection<Tag>, endToEnd?: number) {
  return connection.request(
    'RAR',
    { ...addressed, 'Re-Auth-Request-Type': 0 },
    { timeoutMs: 10_000, ...(endToEnd !== undefined && { endToEnd, retransmitted: true }) },
  );
}

describe('what is sent', () => {
  test('B-014 B-008 B-170 a RAR carries application 4 and P, and no T the first time', async () => {
    const { open, seen } = await serve();
    const peer = await open();
    const result = rar(seen.opened[0]!);
    const request = await peer.receive();
    expect(request).toMatchObject({ command: RAR, flags: R | P, application: 4 });
    expect(request.avps[0]!.code).toBe(263);
    peer.send(answerTo(request, [avp(263, session)]));
    expect(await result).toMatchObject({
      answer: { name: 'RAA', message: { 'Result-Code': 2001 } },
      endToEnd: request.endToEnd,
    });
  });

  test('B-172 B-014 an ASR likewise', async () => {
    const { open, seen } = await serve();
    const peer = await open();
    const result = seen.opened[0]!.request('ASR', addressed, { timeoutMs: 10_000 });
    const request = await peer.receive();
    expect(request).toMatchObject({ command: ASR, flags: R | P, application: 4 });
    peer.send(answerTo(request, [avp(263, session)]));
    expect(await result).toMatchObject({ answer: { name: 'ASA' } });
  });

  test('B-130 a peer is found by its identity, and the destination is the caller’s', async () => {
    const { open, listener } = await serve();
    const relay = await open(cer({ originHost: avp(264, 'dra.visited.example') }));
    expect(listener.usable('pgw1.visited.example')).toEqual([]);
    void rar(listener.usable('DRA.visited.example')[0]!);
    const request = await relay.receive();
    expect(only(request, 293).toString()).toBe('pgw1.visited.example');
    expect(only(request, 283).toString()).toBe('visited.example');
  });

  test('B-016 requests outstanding together differ in their Hop-by-Hop Identifiers', async () => {
    const { open, seen } = await serve();
    const peer = await open();
    for (let count = 0; count < 100; count += 1) void rar(seen.opened[0]!);
    seen.opened[0]!.probe();
    const hopByHop = new Set<number>();
    const endToEnd = new Set<number>();
    for (let count = 0; count <= 100; count += 1) {
      const request = await peer.receive();
      hopByHop.add(request.hopByHop);
      endToEnd.add(request.endToEnd);
    }
    expect([hopByHop.size, endToEnd.size]).toEqual([101, 101]);
  });

  test('B-017 a restart does not repeat End-to-End Identifiers', async () => {
    const seenEndToEnd = new Set<number>();
    for (const second of [1_700_000_000, 1_700_000_001]) {
      const { open, seen } = await serve({ random: () => 0.5, wallClock: () => second * 1_000 });
      const peer = await open();
      for (let count = 0; count < 10; count += 1) void rar(seen.opened[0]!);
      for (let count = 0; count < 10; count += 1) seenEndToEnd.add((await peer.receive()).endToEnd);
    }
    expect(seenEndToEnd.size).toBe(20);
  });

  test('B-087 nothing is sent to a peer that never advertised the application', async () => {
    const { open, seen } = await serve({ applications: [4, 16777238] });
    await open(cer({ application: avp(258, 16777238) }));
    expect(await rar(seen.opened[0]!)).toMatchObject({ noAnswer: 'unsupported' });
  });
});

describe('what comes back', () => {
  test('B-147 B-150 an answer with an error, or a broken one, is the caller’s to judge', async () => {
    const { open, seen } = await serve();
    const peer = await open();
    const refused = rar(seen.opened[0]!);
    const request = await peer.receive();
    const { command, application, hopByHop, endToEnd } = request;
    const parts = [avp(264, 'x'), avp(296, 'y'), avp(268, 3002)];
    const head = { command, application, hopByHop, endToEnd };
    peer.send(message({ ...head, flags: P | E }, parts));
    expect(await refused).toMatchObject({
      answer: { name: 'answer-message', message: { 'Result-Code': 3002 } },
    });
    const broken = rar(seen.opened[0]!);
    const { hopByHop: second } = await peer.receive();
    peer.send(message({ ...head, hopByHop: second, flags: P }, []));
    expect(await broken).toMatchObject({ answer: { failure: { resultCode: 5005 } } });
    expect((await peer.exchange(dwr())).command).toBe(DWR);
  });

  test('B-018 an answer of another command does not belong to the request', async () => {
    const { open, seen, listener } = await serve();
    const peer = await open();
    const result = rar(seen.opened[0]!);
    const request = await peer.receive();
    peer.send(answerTo({ ...request, command: ASR }, [avp(263, session)]));
    await expect.poll(() => listener.statistics().answersDiscarded).toBe(1);
    peer.send(answerTo(request, [avp(263, session)]));
    expect(await result).toMatchObject({ answer: { name: 'RAA' } });
  });

  test('no answer in time', async () => {
    const clock = new FakeClock();
    const { open, seen } = await serve({ clock });
    await open();
    const result = rar(seen.opened[0]!);
    clock.advance(10_000);
    expect(await result).toMatchObject({ noAnswer: 'timeout' });
  });

  test('more than the limit outstanding: refused without sending', async () => {
    const { open, seen } = await serve({ limits: { pending: 1 } });
    const peer = await open();
    const first = rar(seen.opened[0]!);
    expect(await rar(seen.opened[0]!)).toMatchObject({ noAnswer: 'full' });
    const request = await peer.receive();
    peer.send(answerTo(request, [avp(263, session)]));
    expect(await first).toHaveProperty('answer');
  });

  test('B-014 an End-to-End Identifier that its sender chose is sent as it is, with T only if told', async () => {
    const { open, seen } = await serve();
    const peer = await open();
    const options = { timeoutMs: 10_000, endToEnd: 0xfedcba98 };
    void seen.opened[0]!.request('ASR', addressed, options);
    void seen.opened[0]!.request('ASR', addressed, { ...options, retransmitted: true });
    const [first, copy] = [await peer.receive(), await peer.receive()];
    expect(first).toMatchObject({ flags: R | P, endToEnd: 0xfedcba98 });
    expect(copy).toMatchObject({ flags: R | P | T, endToEnd: 0xfedcba98 });
    expect(copy.hopByHop).not.toBe(first.hopByHop);
  });
});

describe('failover', () => {
  test('B-103 B-116 a suspect peer: pending requests come back, to be sent elsewhere with T', async () => {
    const clock = new FakeClock();
    const { open, seen } = await serve({ clock, random: () => 0.5 });
    const silent = await open();
    clock.advance(29_000);
    const result = seen.opened[0]!.request('ASR', addressed, { timeoutMs: 600_000 });
    const first = await silent.receive();
    clock.advance(1_000);
    expect((await silent.receive()).command).toBe(DWR);
    clock.advance(30_000);
    expect(await result).toEqual({ noAnswer: 'suspect', endToEnd: first.endToEnd });
    expect(await rar(seen.opened[0]!)).toMatchObject({ noAnswer: 'suspect' });

    const alternate = await open();
    void seen.opened[1]!.request('ASR', addressed, {
      timeoutMs: 10_000,
      ...{ endToEnd: first.endToEnd, retransmitted: true },
    });
    expect(await alternate.receive()).toMatchObject({
      command: ASR,
      flags: R | P | T,
      endToEnd: first.endToEnd,
    });
  });

  test('B-116 a connection that is lost gives its pending requests back', async () => {
    const { open, seen } = await serve();
    const peer = await open();
    const result = rar(seen.opened[0]!);
    await peer.receive();
    peer.end();
    expect(await result).toMatchObject({ noAnswer: 'closed' });
    expect(await rar(seen.opened[0]!)).toMatchObject({ noAnswer: 'closed' });
  });

  test('B-115 DWR and DPR are never given back to be sent elsewhere', () => {
    const pending = new PendingRequests(10);
    const failed: string[] = [];
    const add = (hopByHop: number, deadlineAt: number | undefined, name: string) =>
      pending.add(hopByHop, {
        command: hopByHop,
        deadlineAt,
        answered: () => {},
        failed: (why) => failed.push(`${name} ${why}`),
      });
    add(280, undefined, 'DWR');
    add(282, undefined, 'DPR');
    add(258, 5_000, 'RAR');
    pending.failOver('suspect');
    expect(failed).toEqual(['RAR suspect']);
    expect(pending.take(280, 280)).toBeDefined();
  });

  test('B-115 a DWR unanswered on one connection does not appear on another', async () => {
    const { open, seen } = await serve();
    const first = await open();
    const second = await open();
    seen.opened[0]!.probe();
    await first.receive();
    first.end();
    await expect.poll(() => seen.closed.length).toBe(1);
    expect((await second.exchange(ccr())).command).toBe(272);
  });
});
