/**
 * Bad input: whatever one connection sends, the server lives, memory is bounded and the other
 * connections are served meanwhile.
 */
import { createConnection } from 'node:net';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { FakeClock } from './fake-clock.ts';
import { all, avp, CCR, group, type RawPeer, resultCode } from './raw.ts';
import { answerSimply, ccr, ccrParts, cer, cerParts, dwr, type Running, serve } from './server.ts';

let running: Running;
let bystander: RawPeer;

beforeEach(async () => {
  running = await serve();
  bystander = await running.open();
});

// The point of every test here: somebody else notices nothing.
afterEach(async () => {
  expect(resultCode(await bystander.exchange(ccr()))).toBe(2001);
  expect(bystander.socket.destroyed).toBe(false);
});

/** An AVP with a length that it does not have. */
function lying(code: number, length: number, octets = 8): Buffer {
  const bytes = Buffer.alloc(octets);
  bytes.writeUInt32BE(code);
  bytes[4] = 0x40;
  bytes.writeUIntBE(length, 5, 3);
  return bytes;
}

function nested(depth: number): Buffer {
  const opening = Buffer.alloc(depth * 8);
  for (let level = 0; level < depth; level += 1) {
    // Proxy-Info and its like do not nest; Failed-AVP and unknown groups do.
    opening.writeUInt32BE(456, level * 8);
    opening[level * 8 + 4] = 0x40;
    opening.writeUIntBE((depth - level) * 8, level * 8 + 5, 3);
  }
  return opening;
}

describe('one request among healthy ones gets one error and the connection goes on', () => {
  test.each<[string, Buffer, number]>([
    ['B-043 AVP length 0', lying(415, 0), 5014],
    ['B-043 AVP length 7', lying(415, 7), 5014],
    ['B-044 AVP length beyond the message', lying(415, 0xffffff), 5014],
    ['AVP length 0 inside a group', group(456, [lying(432, 0)]), 5014],
    ['B-053 ten thousand nested groups', nested(10_000), 5012],
    ['a NUL in User-Name', avp(1, 'a\0b'), 2001],
    ['B-063 invalid UTF-8 in User-Name', avp(1, Buffer.from([0x61, 0xff])), 5004],
    ['sixty-four further Origin-Hosts', Buffer.concat(hosts(64)), 5009],
  ])('%s', async (_, part, code) => {
    const peer = await running.open();
    expect(resultCode(await peer.exchange(ccr({ last: part })))).toBe(code);
    expect(resultCode(await peer.exchange(ccr()))).toBe(2001);
  });

  test.each([
    ['NUL', Buffer.from('host;1\0;2')],
    ['invalid UTF-8', Buffer.from([0x68, 0x3b, 0xff, 0xfe, 0x80])],
    ['nothing', Buffer.alloc(0)],
  ])('B-063 B-071 a Session-Id of %s comes back as it was', async (_, sessionId) => {
    const peer = await running.open();
    for (const parts of [{}, { destinationRealm: avp(283, 'elsewhere') }]) {
      const answer = await peer.exchange(ccr({ ...parts, sessionId: avp(263, sessionId) }));
      expect(all(answer, 263)).toEqual([sessionId]);
    }
  });

  test('a CER of sixty-four Origin-Hosts: 5009 and the end', async () => {
    const peer = await running.connect();
    const originHost = Buffer.concat(hosts(64));
    expect(resultCode(await peer.exchange(cer({ originHost })))).toBe(5009);
    expect(await peer.next()).toBeUndefined();
  });
});

function hosts(count: number): Buffer[] {
  return Array.from({ length: count }, (_, at) => avp(264, `host${at}.visited.example`));
}

describe('what is no Diameter is reset without an answer', () => {
  test.each([
    ['an HTTP request', Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n')],
    ['a TLS hello', Buffer.from('16030100f8010000f40303', 'hex')],
    ['zeros', Buffer.alloc(64)],
    ['ones', Buffer.alloc(64, 0xff)],
    ['an announced 16 MB', Buffer.from('01ffffff80000110000000040000000000000000', 'hex')],
  ])('B-012 B-019 %s, before the CER and after', async (_, bytes) => {
    for (const peer of [await running.connect(), await running.open()]) {
      peer.send(bytes);
      expect(await peer.closed).toEqual({ reset: true });
      expect(await peer.next()).toBeUndefined();
    }
    expect(running.listener.statistics().violations).toBe(2);
  });

  test('two hundred requests with a few octets changed leave nothing behind', async () => {
    let state = 12_345;
    const octet = () => {
      state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
      return state >>> 24;
    };
    for (let round = 0; round < 200; round += 1) {
      const peer = await running.open();
      const bytes = ccr();
      for (let count = 0; count <= round % 8; count += 1) {
        bytes[(octet() * 256 + octet()) % bytes.length] = octet();
      }
      peer.socket.end(bytes);
      while (await peer.next());
    }
    await expect.poll(() => running.listener.statistics().states).toEqual({ open: 1 });
  });
});

test('a message that never ends costs no more than it sent', async () => {
  const peer = await running.open();
  const bytes = ccr();
  bytes.writeUIntBE(200_000, 1, 3);
  peer.send(bytes);
  await bystander.exchange(dwr());
  expect(running.listener.statistics().states).toEqual({ open: 2 });
  peer.end();
});

test('two hundred connections that say nothing hinder nobody', async () => {
  await Promise.all(Array.from({ length: 200 }, () => running.connect()));
  await expect.poll(() => running.listener.statistics().states['wait-cer']).toBe(200);
});

describe('a peer that never reads its answers', () => {
  /** Sends requests as fast as they are taken, until the connection is over. */
  function flood(port: number): Promise<void> {
    const socket = createConnection({ port, host: '127.0.0.1' });
    onTestFinished(() => void socket.destroy());
    const block = Buffer.concat(
      Array.from({ length: 100 }, () => ccr({ proxy: group(284, [avp(280, 'p'), avp(33, pad)]) })),
    );
    const more = () => {
      while (socket.writable) {
        if (!socket.write(block)) break;
      }
    };
    socket.on('drain', more);
    socket.on('error', () => {});
    socket.write(cer());
    socket.once('connect', more);
    return new Promise<void>((resolve) => {
      socket.on('close', () => resolve());
    });
  }
  const pad = Buffer.alloc(2_000, 0x61);
  /** Filling the kernel's buffers takes a while on a busy machine. */
  const patient = { timeout: 20_000 };

  test('is not read any more, its queue is bounded, and it is closed when it stalls', async () => {
    const clock = new FakeClock();
    const limits = { pauseBytes: 64 * 1024, limitBytes: 1024 * 1024, stallMs: 5_000 };
    const server = await serve({ clock, limits });
    const healthy = await server.open();
    const closed = flood(server.port);
    await expect
      .poll(() => server.listener.statistics().queuedBytes, patient)
      .toBeGreaterThan(64 * 1024);
    let before = -1;
    // It stops: everything between the two sockets is full.
    await expect
      .poll(() => {
        const { requests } = server.listener.statistics();
        const still = requests === before;
        before = requests;
        return still;
      }, patient)
      .toBe(true);
    expect(server.listener.statistics().queuedBytes).toBeLessThan(512 * 1024);
    expect(resultCode(await healthy.exchange(ccr()))).toBe(2001);
    clock.advance(4_000);
    expect(server.listener.statistics().states).toEqual({ open: 2 });
    clock.advance(1_000);
    await closed;
    await expect.poll(() => server.listener.statistics().states).toEqual({ open: 1 });
    expect(server.seen.closed).toMatchObject([{ reason: 'peer does not read' }]);
    expect(resultCode(await healthy.exchange(ccr()))).toBe(2001);
  });

  test('is closed at once when its queue exceeds the limit', async () => {
    const held: (() => void)[] = [];
    const server = await serve(
      { limits: { pauseBytes: 1_000, limitBytes: 2_000, inFlight: 1_000 } },
      {
        onRequest: (request) => {
          held.push(() => answerSimply(request));
        },
      },
    );
    const peer = await server.open();
    peer.send(...Array.from({ length: 100 }, () => ccr()));
    await expect.poll(() => held.length).toBe(100);
    for (const run of held) run();
    await peer.closed;
    const statistics = server.listener.statistics();
    expect(statistics).toMatchObject({ givenUp: 1, inFlight: 0 });
    expect(statistics.answers + statistics.answersDropped).toBe(100);
    expect(statistics.answersDropped).toBeGreaterThan(80);
  });

  test('is read again when it has read', async () => {
    const server = await serve({ limits: { pauseBytes: 10_000 } });
    const peer = await server.open();
    peer.socket.pause();
    const count = 3_000;
    const { sessionId } = ccrParts('x'.repeat(5_000));
    peer.send(...Array.from({ length: count }, () => ccr({ sessionId })));
    await expect
      .poll(() => server.listener.statistics().queuedBytes, patient)
      .toBeGreaterThan(10_000);
    peer.socket.resume();
    for (let answered = 0; answered < count; answered += 1) {
      expect((await peer.receive()).command).toBe(CCR);
    }
  });
});

test('nothing of what peers sent is in the log', async () => {
  const peer = await running.open();
  await peer.exchange(ccr({ unknown: avp(99999, 'secret-4711') }));
  peer.send(Buffer.from('secret-4711 HTTP'));
  await peer.closed;
  const refused = await running.connect();
  await refused.exchange(cer({ application: avp(258, 1), extra: avp(1, 'secret-4711') }));
  const text = JSON.stringify(running.seen.logged);
  expect(text).not.toMatch(/secret-4711|436601234567/);
  expect(text).toContain(cerParts().originHost!.subarray(8).toString());
});
