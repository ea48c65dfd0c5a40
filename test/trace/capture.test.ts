/** Requests out of captures: links, fragments, damage. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CapturedMessage, readCapture } from '../../src/trace/capture.ts';
import { ProblemLog } from '../../src/trace/problem.ts';
import {
  block,
  chunked,
  diameter,
  ethernet,
  ipv4,
  ipv6,
  pcap,
  pcapng,
  sctp,
  tcp,
  u16,
  u32,
} from './packets.ts';

const ccr = diameter({ command: 272, hopByHop: 1 });
const next = diameter({ command: 272, hopByHop: 2, fill: 61 });

async function read(file: Buffer, chunkBytes = file.length) {
  const problems = new ProblemLog();
  const messages: CapturedMessage[] = [];
  for await (const message of readCapture(chunked(file, chunkBytes), problems)) {
    messages.push(message);
  }
  return { messages, problems: problems.first.map(({ text }) => text), log: problems };
}

function hex(messages: CapturedMessage[]): string[] {
  return messages.map(({ bytes }) => bytes.toString('hex'));
}

const inOneSegment = [ethernet(ipv4(tcp({ sequence: 100, payload: Buffer.concat([ccr, next]) })))];
const both = [ccr.toString('hex'), next.toString('hex')];

describe('capture files', () => {
  for (const littleEndian of [true, false]) {
    for (const nanoseconds of [true, false]) {
      test(`pcap, little endian ${littleEndian}, nanoseconds ${nanoseconds}`, async () => {
        const packets = [ethernet(ipv4(tcp({ sequence: 99, flags: 2 }))), ...inOneSegment];
        const { messages, problems } = await read(pcap(packets, { littleEndian, nanoseconds }));
        expect(hex(messages)).toEqual(both);
        expect(messages[0]).toMatchObject({
          atUs: 1_700_000_000_000_500,
          offset: 24 + 16 + packets[0]!.length,
          connection: 0,
          transport: 'tcp',
          source: '10.0.0.1:40000',
          destination: '10.0.0.2:3868',
        });
        expect(problems).toEqual([]);
      });
    }

    test(`pcapng, little endian ${littleEndian}`, async () => {
      const { messages, problems } = await read(pcapng(inOneSegment, { littleEndian }));
      expect(hex(messages)).toEqual(both);
      expect(messages[0]!.atUs).toBe(1_700_000_000_000_000);
      expect(problems).toEqual([]);
    });
  }

  test.each([
    ['nanoseconds', 9, 1_700_000_000_000_000_999n, 1_700_000_000_000_000],
    ['milliseconds', 3, 1_700_000_000_123n, 1_700_000_000_123_000],
    ['units of 1/1024 s', 0x8a, 1_700_000_000n * 1024n + 512n, 1_700_000_000_500_000],
  ])('pcapng in %s', async (_name, resolution, tick, atUs) => {
    const { messages } = await read(pcapng(inOneSegment, { resolution, ticks: [tick] }));
    expect(messages.map((message) => message.atUs)).toEqual([atUs, atUs]);
  });

  test('a second section in the other byte order', async () => {
    const other = [ethernet(ipv4(tcp({ sequence: 7, payload: ccr, ports: [5, 6] })))];
    const file = Buffer.concat([pcapng(inOneSegment), pcapng(other, { littleEndian: false })]);
    const { messages } = await read(file);
    expect(hex(messages)).toEqual([...both, both[0]]);
    expect(messages.map(({ connection }) => connection)).toEqual([0, 0, 1]);
  });

  test('simple packet blocks have the time of the packet before them', async () => {
    const packet = ethernet(ipv4(tcp({ sequence: 7, payload: ccr, ports: [5, 6] })));
    const simple = block(3, Buffer.concat([u32(packet.length, true), packet]), true);
    const { messages } = await read(Buffer.concat([pcapng(inOneSegment), simple]));
    expect(messages.at(-1)!.atUs).toBe(1_700_000_000_000_000);
    expect(messages).toHaveLength(3);
  });

  test('every split of the file into two chunks gives the same', async () => {
    for (const file of [pcap(inOneSegment), pcapng(inOneSegment)]) {
      for (let size = 1; size < file.length; size += 1) {
        expect(hex((await read(file, size)).messages)).toEqual(both);
      }
    }
  });

  test('a file that ends early gives what is whole and says so', async () => {
    for (const file of [pcap, pcapng]) {
      const whole = file([...inOneSegment, ethernet(ipv4(tcp({ sequence: 900, payload: ccr })))]);
      for (let cut = 1; cut < 60; cut += 1) {
        const { messages, problems } = await read(whole.subarray(0, whole.length - cut));
        expect(hex(messages)).toEqual(both);
        expect(problems).toContainEqual(expect.stringMatching(/the file ends inside/));
      }
    }
  });

  test('an empty file and one of another kind', async () => {
    expect((await read(Buffer.alloc(0))).problems).toEqual(['not a capture file']);
    expect((await read(Buffer.from('a text, long enough for a header'))).problems).toEqual([
      'not a capture file',
    ]);
  });

  test('lengths that cannot be end the reading with a problem at their offset', async () => {
    const file = pcap(inOneSegment);
    file.writeUInt32LE(0x7fffffff, 24 + 8);
    expect((await read(file)).log.first).toEqual([
      { offset: 24, text: 'a packet of 2147483647 bytes; the rest of the file is not read' },
    ]);
    const blocks = pcapng(inOneSegment);
    blocks.writeUInt32LE(13, 4);
    expect((await read(blocks)).log.first).toEqual([
      { offset: 0, text: 'a block of 13 bytes; the rest of the file is not read' },
    ]);
  });

  test('a packet of an interface that nobody described', async () => {
    const file = pcapng(inOneSegment);
    const packetBlock = file.indexOf(u32(6, true), 60);
    file.writeUInt32LE(3, packetBlock + 8);
    expect((await read(file)).problems).toEqual([
      'a packet of interface 3, which is not described',
    ]);
  });

  test('garbage never throws', async () => {
    const starts = [pcap([]), pcapng([]), pcap(inOneSegment), pcapng(inOneSegment)];
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...starts),
        fc.uint8Array({ maxLength: 400 }),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
        async (start, tail, edits) => {
          const file = Buffer.concat([start, tail]);
          for (const [at, byte] of edits) file[at % file.length] = byte;
          await read(file, 97);
        },
      ),
    );
  });
});

describe('link layers', () => {
  const segment = tcp({ sequence: 1, payload: ccr });
  const cooked = (type: number) => Buffer.concat([Buffer.alloc(14), u16(type, false)]);
  const cooked2 = Buffer.concat([u16(0x0800, false), Buffer.alloc(18)]);
  test.each<[string, number, Buffer]>([
    ['VLAN', 1, ethernet(ipv4(segment), 0x0800, [7])],
    ['two VLAN tags', 1, ethernet(ipv4(segment), 0x0800, [7, 8])],
    ['IPv6 with an extension header', 1, ethernet(ipv6(segment), 0x86dd)],
    ['Ethernet padding', 1, Buffer.concat([ethernet(ipv4(segment)), Buffer.alloc(9, 0xee)])],
    ['Linux cooked', 113, Buffer.concat([cooked(0x0800), ipv4(segment)])],
    ['Linux cooked, version 2', 276, Buffer.concat([cooked2, ipv4(segment)])],
    ['raw IPv4', 101, ipv4(segment)],
    ['raw IPv6', 101, ipv6(segment)],
    ['loopback, little endian', 0, Buffer.concat([u32(2, true), ipv4(segment)])],
    ['loopback, big endian', 0, Buffer.concat([u32(2, false), ipv4(segment)])],
    ['OpenBSD loopback, IPv6', 108, Buffer.concat([u32(24, false), ipv6(segment)])],
  ])('%s', async (_name, linkType, packet) => {
    const { messages, problems } = await read(pcap([packet], { linkType }));
    expect(hex(messages)).toEqual([both[0]]);
    expect(problems).toEqual([]);
  });

  test('IPv6 addresses are written as RFC 5952 asks', async () => {
    const { messages } = await read(pcap([ethernet(ipv6(segment), 0x86dd)]));
    expect(messages[0]!.source).toBe('[2001:db8::1]:40000');
  });

  test('a link type that is not supported is a problem', async () => {
    const { problems } = await read(pcap([Buffer.alloc(60)], { linkType: 195 }));
    expect(problems).toEqual(['link type 195 is not supported']);
  });

  test('fragments are reported', async () => {
    const packet = ethernet(ipv4(segment));
    packet.writeUInt16BE(0x2000, 14 + 6);
    expect((await read(pcap([packet]))).problems).toEqual(['a fragmented IPv4 datagram']);
  });
});

describe('TCP streams', () => {
  const stream = Buffer.concat([ccr, next, ccr, next]);
  const four = [...both, ...both];
  const part = (from: number, to: number, shift = 1000) =>
    ethernet(ipv4(tcp({ sequence: shift + from, payload: stream.subarray(from, to) })));
  const end = stream.length;

  test.each<[string, Buffer[]]>([
    ['split', [part(0, 7), part(7, 99), part(99, 100), part(100, end)]],
    ['out of order', [part(0, 10), part(90, end), part(50, 90), part(10, 50)]],
    ['sent again', [part(0, 90), part(0, 90), part(90, end), part(90, end), part(0, 90)]],
    ['overlapping', [part(0, 90), part(60, 120), part(30, end)]],
    [
      'overlapping behind a hole',
      [part(0, 9), part(40, 80), part(30, 99), part(60, end), part(9, 41)],
    ],
    [
      'over the end of the numbers',
      [0, 40, 80, 120]
        .map((at) => part(at, at + 40, 0xffffffc0))
        .concat(part(160, end, 0xffffffc0)),
    ],
  ])('%s', async (_name, packets) => {
    const { messages, problems } = await read(pcap(packets));
    expect(hex(messages)).toEqual(four);
    expect(problems).toEqual([]);
  });

  test('a message has the time of the packet that completed it', async () => {
    const { messages } = await read(pcap([part(0, 7), part(7, ccr.length)]));
    expect(messages[0]!.atUs).toBe(1_700_000_000_000_500);
  });

  test('both directions are one connection', async () => {
    const answer = diameter({ command: 272, hopByHop: 1, request: false });
    const back = ipv4(tcp({ sequence: 5, payload: answer, ports: [3868, 40000] }), {
      reverse: true,
    });
    const { messages } = await read(pcap([part(0, end), ethernet(back)]));
    expect(new Set(messages.map(({ connection }) => connection))).toEqual(new Set([0]));
    expect(messages.at(-1)!.source).toBe('10.0.0.2:3868');
  });

  test('bytes that the capture missed are a gap, and the next message is found', async () => {
    const { messages, problems } = await read(
      pcap([part(0, ccr.length + 20), part(ccr.length + 24, end)]),
    );
    expect(hex(messages)).toEqual([both[0], both[0], both[1]]);
    expect(problems).toEqual([
      '10.0.0.1:40000 to 10.0.0.2:3868: 4 bytes are not in the capture',
      '10.0.0.1:40000 to 10.0.0.2:3868: 20 bytes not understood',
      `10.0.0.1:40000 to 10.0.0.2:3868: ${next.length - 24} bytes not understood`,
    ]);
  });

  test('an acknowledgement of missed bytes closes the gap at once', async () => {
    const ack = tcp({ sequence: 5, acknowledged: 1000 + end, ports: [3868, 40000] });
    const packets = [
      part(0, ccr.length),
      part(ccr.length + next.length, end),
      ethernet(ipv4(ack, { reverse: true })),
      ethernet(ipv4(tcp({ sequence: 1000 + end, payload: ccr }))),
    ];
    const { messages } = await read(pcap(packets));
    expect(messages.map(({ atUs }) => atUs % 1_000_000)).toEqual([0, 500, 500, 1500]);
  });

  test('a capture that begins inside a message', async () => {
    expect(hex((await read(pcap([part(13, end)]))).messages)).toEqual([both[1], ...both]);
  });

  test('new connections on the same ports, with and without a reset', async () => {
    const syn = (sequence: number) => ethernet(ipv4(tcp({ sequence, flags: 2 })));
    const reset = ethernet(ipv4(tcp({ sequence: 1000 + ccr.length, flags: 4 })));
    const packets = [
      syn(999),
      part(0, ccr.length),
      syn(0x90000000),
      part(0, 30, 0x90000001),
      reset,
    ];
    const { messages } = await read(pcap([...packets, syn(7), part(0, end, 8)]));
    expect(hex(messages)).toEqual([both[0], ...four]);
  });

  test('other protocols give nothing and no problems', async () => {
    const text = Buffer.from('GET / HTTP/1.1\r\nHost: example\r\n\r\n'.repeat(40));
    const { messages, problems } = await read(
      pcap([
        ethernet(ipv4(tcp({ sequence: 1, payload: text }))),
        ethernet(Buffer.alloc(30), 0x0806),
      ]),
    );
    expect(messages).toEqual([]);
    expect(problems).toEqual([]);
  });

  test('any cutting, shuffling and repeating of segments gives the same messages', async () => {
    const long = Buffer.concat(
      Array.from({ length: 9 }, (_, n) =>
        diameter({ command: 272, hopByHop: n, fill: 20 + n * 7 }),
      ),
    );
    const order = fc.array(fc.tuple(fc.nat(long.length - 1), fc.integer({ min: 1, max: 90 })), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(order, fc.nat(0xffffffff), async (extra, start) => {
        const at = (from: number, to: number) =>
          ethernet(ipv4(tcp({ sequence: (start + from) >>> 0, payload: long.subarray(from, to) })));
        const syn = ethernet(ipv4(tcp({ sequence: (start - 1) >>> 0, flags: 2 })));
        const shuffled = extra.map(([from, length]) => at(from, from + length));
        const { messages } = await read(pcap([syn, ...shuffled, at(0, long.length)]));
        expect(Buffer.concat(messages.map(({ bytes }) => bytes))).toEqual(long);
      }),
    );
  });
});

describe('SCTP', () => {
  const packet = (...args: Parameters<typeof sctp>) =>
    ethernet(ipv4(sctp(...args), { protocol: 132 }));

  test('whole messages, two in a packet, one sent again', async () => {
    const two = packet([
      { sequence: 5, payload: ccr },
      { sequence: 6, payload: next },
    ]);
    const again = packet([{ sequence: 6, payload: next }]);
    const { messages, problems } = await read(pcap([two, again]));
    expect(hex(messages)).toEqual(both);
    expect(messages[0]).toMatchObject({ transport: 'sctp', source: '10.0.0.1:40000' });
    expect(problems).toEqual([]);
  });

  test('a message in fragments that arrive in any order', async () => {
    const first = { sequence: 0xffffffff, payload: next.subarray(0, 30), flags: 2 };
    const middle = { sequence: 0, payload: next.subarray(30, 41), flags: 0 };
    const last = { sequence: 1, payload: next.subarray(41), flags: 1 };
    for (const order of [
      [first, middle, last],
      [last, first, middle],
      [middle, last, first],
    ]) {
      const { messages } = await read(pcap(order.map((chunk) => packet([chunk]))));
      expect(hex(messages)).toEqual([both[1]]);
    }
  });

  test('a fragment that never gets its others is a problem', async () => {
    const { problems } = await read(pcap([packet([{ sequence: 1, payload: ccr, flags: 2 }])]));
    expect(problems).toEqual(['an SCTP message without all of its chunks']);
  });
});
