/** RFC 6733 3 and 2.1 through a socket: the header, framing, commands. */
import { describe, expect, test } from 'vitest';
import {
  ACR,
  ASR,
  all,
  avp,
  CCR,
  E,
  message,
  only,
  P,
  parseAVPs,
  R,
  RAR,
  resultCode,
  STR,
  T,
} from './raw.ts';
import { answerSimply, ccr, ccrParts, cer, dpr, dwr, origin, serve } from './server.ts';

describe('the header', () => {
  test('B-001 a request of another version gets 5011', async () => {
    const { connect, open } = await serve();
    const stranger = await connect();
    expect(resultCode(await stranger.exchange(cer({}, { version: 2 })))).toBe(5011);
    expect(await stranger.next()).toBeUndefined();
    const peer = await open();
    expect(resultCode(await peer.exchange(ccr({}, { version: 2 })))).toBe(5011);
    expect(resultCode(await peer.exchange(ccr()))).toBe(2001);
  });

  test.each([21, 22, 23])('B-002 a length of %d: 5015, then the end', async (length) => {
    const { open } = await serve();
    const peer = await open();
    const bytes = Buffer.concat([message({ command: CCR, application: 4 }, []), Buffer.alloc(3)]);
    bytes.writeUIntBE(length, 1, 3);
    expect(resultCode(await peer.exchange(bytes))).toBe(5015);
    expect(await peer.next()).toBeUndefined();
  });

  test.each([0, 16, 19])('B-002 a length of %d cannot be delimited: reset', async (length) => {
    const { open } = await serve();
    const peer = await open();
    const bytes = ccr();
    bytes.writeUIntBE(length, 1, 3);
    peer.send(bytes);
    expect(await peer.closed).toEqual({ reset: true });
  });

  test('B-003 fields are big-endian, by octets written out', async () => {
    const { open } = await serve();
    const peer = await open();
    const request = Buffer.from('0100000080000118000000000102030405060708', 'hex');
    const identity = Buffer.from('000001084000000978000000000001284000000979000000', 'hex');
    request.writeUIntBE(request.length + identity.length, 1, 3);
    const dwa = await peer.exchange(request, identity);
    expect(dwa.bytes.subarray(4, 20).toString('hex')).toBe('00000118000000000102030405060708');
    expect(only(dwa, 268).toString('hex')).toBe('000007d1');
  });

  test('B-004 answers have R clear and the command of the request', async () => {
    const { open } = await serve();
    const peer = await open();
    for (const [request, command] of [
      [ccr(), 272],
      [dwr(), 280],
      [message({ command: 999 }, []), 999],
      [dpr(), 282],
    ] as const) {
      const answer = await peer.exchange(request);
      expect([answer.flags & R, answer.command]).toEqual([0, command]);
    }
  });

  test('B-005 P is mirrored, in error answers too', async () => {
    const { open } = await serve();
    const peer = await open();
    for (const flags of [R, R | P]) {
      for (const parts of [{}, { destinationRealm: avp(283, 'elsewhere') }]) {
        expect((await peer.exchange(ccr(parts, { flags }))).flags & P).toBe(flags & P);
      }
    }
  });

  test('B-006 E in a request: 3008 with E', async () => {
    const { open, listener } = await serve();
    const peer = await open();
    const answer = await peer.exchange(ccr({}, { flags: R | E }));
    expect(resultCode(answer)).toBe(3008);
    expect(answer.flags).toBe(E);
    expect(resultCode(await peer.exchange(dwr({ flags: R | E })))).toBe(3008);
    expect(listener.statistics()).toMatchObject({ requests: 0, refused: { 3008: 2 } });
  });

  test('B-007 a CCR without P is served', async () => {
    const { open } = await serve();
    expect(resultCode(await (await open()).exchange(ccr({}, { flags: R })))).toBe(2001);
  });

  test('B-008 T in a request is not in its answer', async () => {
    const { open } = await serve();
    const answer = await (await open()).exchange(ccr({}, { flags: R | P | T }));
    expect(answer.flags).toBe(P);
  });

  test('B-009 reserved bits are ignored, and 5013 from a peer that is judged strictly', async () => {
    const tolerant = await serve();
    const flags = R | P | 0x01;
    const lenient = await tolerant.open();
    expect(resultCode(await lenient.exchange(ccr({}, { flags })))).toBe(2001);
    const policy = { anybody: { strict: true, options: { tag: 'strict' } } };
    const strict = await (await serve({ policy })).open();
    expect(resultCode(await strict.exchange(ccr({}, { flags })))).toBe(5013);
  });

  test.each([
    [0, 0],
    [0xffffffff, 0xffffffff],
    [0x80000000, 1],
  ])('B-010 B-011 identifiers %d and %d come back', async (hopByHop, endToEnd) => {
    const { open } = await serve();
    const peer = await open();
    const head = { hopByHop, endToEnd };
    for (const request of [ccr({}, head), dwr(head), message({ command: 999, ...head }, [])]) {
      expect(await peer.exchange(request)).toMatchObject(head);
    }
  });

  test('B-013 base messages carry application 0', async () => {
    const { open, connect } = await serve();
    const peer = await open();
    const other = await connect();
    expect((await other.exchange(cer())).application).toBe(0);
    other.end();
    expect((await peer.exchange(dwr())).application).toBe(0);
    expect((await peer.exchange(dpr())).application).toBe(0);
  });

  test('B-013 so do those that we start', async () => {
    const { open, seen } = await serve();
    const peer = await open();
    seen.opened[0]!.probe();
    expect(await peer.receive()).toMatchObject({ command: 280, flags: R, application: 0 });
    seen.opened[0]!.leave('busy');
    expect(await peer.receive()).toMatchObject({ command: 282, flags: R, application: 0 });
  });

  test('B-015 an application in the message that is not the header’s: 5004 with it', async () => {
    const { open, seen } = await serve();
    const answer = await (await open()).exchange(ccr({ application: avp(258, 16777238) }));
    expect(resultCode(answer)).toBe(5004);
    expect(only(parseAVPs(only(answer, 279)), 258).readUInt32BE()).toBe(16777238);
    expect(seen.closed).toEqual([]);
  });
});

describe('the stream', () => {
  test('B-012 what is no Diameter is reset without an answer, and others go on', async () => {
    const { open, seen, listener } = await serve();
    const bystander = await open();
    const peer = await open();
    peer.send(Buffer.from('GET / HTTP/1.1\r\nHost: ocs\r\n\r\n'));
    expect(await peer.closed).toEqual({ reset: true });
    expect(await peer.next()).toBeUndefined();
    expect(resultCode(await bystander.exchange(ccr()))).toBe(2001);
    expect(seen.violations).toHaveLength(1);
    expect(listener.statistics().violations).toBe(1);
  });

  test('B-019 an announced length beyond the limit is reset at once', async () => {
    const { open } = await serve();
    const peer = await open();
    const bytes = ccr();
    bytes.writeUIntBE(0xfffffc, 1, 3);
    peer.send(bytes.subarray(0, 4));
    expect(await peer.closed).toEqual({ reset: true });
  });

  test('B-020 octet by octet, and two hundred messages in one write', async () => {
    const { connect } = await serve();
    const peer = await connect();
    const sent = Buffer.concat([cer(), ccr()]);
    for (let at = 0; at < sent.length; at += 1) {
      const written = new Promise((resolve) => {
        peer.socket.write(sent.subarray(at, at + 1), resolve);
      });
      await written;
    }
    expect(resultCode(await peer.receive())).toBe(2001);
    expect((await peer.receive()).command).toBe(CCR);
    peer.send(...Array.from({ length: 200 }, (_, hopByHop) => ccr({}, { hopByHop })));
    const answered: number[] = [];
    for (let count = 0; count < 200; count += 1) answered.push((await peer.receive()).hopByHop);
    expect(answered.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 200 }, (_, id) => id));
  });

  test('B-021 a thousand pipelined requests are each answered once, in any order', async () => {
    const waiting: (() => void)[] = [];
    const { open } = await serve(
      {},
      {
        onRequest(request) {
          waiting.push(() => answerSimply(request));
          if (waiting.length === 1_000) for (const run of waiting.toReversed()) run();
        },
      },
    );
    const peer = await open();
    peer.send(...Array.from({ length: 1_000 }, (_, hopByHop) => ccr({}, { hopByHop })));
    for (let id = 999; id >= 0; id -= 1) expect((await peer.receive()).hopByHop).toBe(id);
  });

  test('B-107 answers of one turn leave together, without Nagle', async () => {
    const { open } = await serve();
    const peer = await open();
    let chunks = 0;
    peer.socket.on('data', () => {
      chunks += 1;
    });
    peer.send(...Array.from({ length: 50 }, () => ccr()));
    for (let count = 0; count < 50; count += 1) await peer.receive();
    expect(chunks).toBe(1);
  });

  test('B-018 an answer that nobody asked for is dropped in silence', async () => {
    const { open, listener } = await serve();
    const peer = await open();
    peer.send(message({ command: 280, flags: 0 }, [avp(268, 2001)]));
    peer.send(message({ command: RAR, flags: P, application: 4 }, [avp(268, 2001)]));
    peer.send(message({ command: 999, flags: E }, []));
    expect((await peer.exchange(dwr())).command).toBe(280);
    expect(listener.statistics().answersDiscarded).toBe(3);
  });

  test('B-149 a broken answer gets no answer', async () => {
    const { open } = await serve();
    const peer = await open();
    peer.send(message({ command: RAR, flags: 0, application: 4 }, [avp(99999, 'x')]));
    expect((await peer.exchange(dwr({ hopByHop: 77 }))).hopByHop).toBe(77);
  });
});

describe('commands', () => {
  test('B-031 an unknown command: 3001 with E, its code and its application', async () => {
    const { open } = await serve();
    const peer = await open();
    const answer = await peer.exchange(message({ command: 999, application: 4 }, [avp(263, 's')]));
    expect(answer).toMatchObject({ command: 999, application: 4, flags: E });
    expect(resultCode(answer)).toBe(3001);
    expect(only(answer, 263).toString()).toBe('s');
  });

  test('B-032 a CCR of another application: 3007 with E', async () => {
    const { open, listener } = await serve();
    const peer = await open();
    const answer = await peer.exchange(ccr({}, { application: 16777238 }));
    expect(answer).toMatchObject({ command: CCR, application: 16777238, flags: P | E });
    expect(resultCode(answer)).toBe(3007);
    expect(listener.statistics()).toMatchObject({ requests: 0, refused: { 3007: 1 } });
  });

  test('B-033 base accounting is not served: 3007', async () => {
    const { open } = await serve();
    const answer = await (await open()).exchange(message({ command: ACR, application: 3 }, []));
    expect(resultCode(answer)).toBe(3007);
  });

  test.each([
    ['RAR', RAR],
    ['ASR', ASR],
  ])('B-175 %s to a server: 3001', async (_, command) => {
    const { open, listener } = await serve();
    const { sessionId } = ccrParts();
    const request = message({ command, application: 4, flags: R | P }, [sessionId!]);
    const answer = await (await open()).exchange(request);
    expect(answer.flags).toBe(P | E);
    expect(resultCode(answer)).toBe(3001);
    expect(listener.statistics().requests).toBe(0);
  });

  test('a STR of credit control goes to the application', async () => {
    const { open, listener } = await serve();
    const { sessionId, originHost, originRealm, destinationRealm, application } = ccrParts();
    const parts = [sessionId!, originHost!, originRealm!, destinationRealm!, application!];
    const str = message({ command: STR, application: 4, flags: R | P }, [...parts, avp(295, 1)]);
    expect(resultCode(await (await open()).exchange(str))).toBe(2001);
    expect(listener.statistics().requests).toBe(1);
  });

  test('B-035 Session-Id may stand anywhere in a CCR and is first in the CCA', async () => {
    const { open } = await serve();
    const { sessionId, ...others } = ccrParts();
    const answer = await (await open()).exchange(
      ccr({ sessionId: undefined, ...others, last: sessionId }),
    );
    expect(resultCode(answer)).toBe(2001);
    expect(answer.avps[0]!.code).toBe(263);
  });

  test('B-070 B-140 error answers carry the Session-Id first and E with every 3xxx', async () => {
    const { open } = await serve();
    const answer = await (await open()).exchange(ccr({ destinationRealm: avp(283, 'elsewhere') }));
    expect(answer.avps[0]!.data.toString()).toBe('pgw1.visited.example;1;2');
    expect([resultCode(answer), answer.flags & E]).toEqual([3003, E]);
    expect(all(answer, 264).map(String)).toEqual([origin.host]);
  });
});
