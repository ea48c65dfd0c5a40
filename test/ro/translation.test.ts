/**
 * Requests from octets, in the core's words: usage around a tariff change, money, time stamps,
 * identities and what goes into the record. RFC 8506 8.16 to 8.58, TS 32.299 7.1.9.
 */
import { describe, expect, test } from 'vitest';
import { decode } from '../../src/diameter/decode.ts';
import { flawOf } from '../../src/ro/flaw.ts';
import { identify } from '../../src/ro/identify.ts';
import { MAX_AGE_MS, MAX_AHEAD_MS } from '../../src/ro/request.ts';
import { avp, ccr, group, hex, u32, u64 } from '../diameter/bytes.ts';
import { asked, avp3, decoded, group3, mscc, NOW, psInformation } from './asking.ts';

const octets = (total: bigint) => avp(421, u64(total));
const usu = (...members: Buffer[]) => group(446, members);
const rsu = (...members: Buffer[]) => group(437, members);
const ccMoney = (digits: bigint, exponent?: number, code?: number) =>
  group(413, [
    group(445, [
      avp(447, u64(BigInt.asUintN(64, digits))),
      ...(exponent === undefined ? [] : [avp(429, u32(exponent))]),
    ]),
    ...(code === undefined ? [] : [avp(425, code)]),
  ]);
const service = (...members: Buffer[]) => asked([mscc(avp(432, 1), ...members)]).services[0];

describe('C-123 usage around a tariff change', () => {
  test('is told apart by each Used-Service-Unit, and the total is of all', () => {
    expect(
      service(
        usu(avp(452, 0), octets(100n)),
        usu(avp(452, 1), octets(20n)),
        usu(avp(452, 1), octets(1n), avp(420, 7)),
        usu(avp(452, 2), octets(3n)),
        usu(octets(1000n)),
      ),
    ).toEqual({
      ratingGroup: 1,
      serviceIds: [],
      used: { octets: 1124, seconds: 7 },
      usedAfter: { octets: 21, seconds: 7 },
      usedIndeterminate: { octets: 3 },
    });
  });

  test('nothing is said where nothing changed, or all of it came before', () => {
    expect(service(usu(octets(5n)))).toEqual({
      ratingGroup: 1,
      serviceIds: [],
      used: { octets: 5 },
    });
    expect(service(usu(avp(452, 0), octets(5n)))).toEqual({
      ratingGroup: 1,
      serviceIds: [],
      used: { octets: 5 },
    });
  });

  test('beside Used-Service-Unit it is for those that say nothing', () => {
    expect(service(avp(452, 1), usu(octets(5n)), usu(avp(452, 0), octets(2n)))).toMatchObject({
      used: { octets: 7 },
      usedAfter: { octets: 5 },
    });
  });

  test('C-094 several entries of one service stay apart, to be answered each', () => {
    const request = asked([
      mscc(avp(432, 1), avp(452, 0), usu(octets(5n))),
      mscc(avp(432, 1), avp(452, 1), usu(octets(7n)), avp3(872, 3)),
      mscc(avp(432, 1), avp(452, 1), usu(octets(1n)), rsu(), avp3(872, 99)),
    ]);
    const key = { ratingGroup: 1, serviceIds: [] };
    expect(request.services).toEqual([
      { ...key, used: { octets: 5 } },
      { ...key, used: { octets: 7 }, usedAfter: { octets: 7 }, reasons: [3] },
      { ...key, used: { octets: 1 }, usedAfter: { octets: 1 }, asked: {}, reasons: [99] },
    ]);
  });

  test('C-120 the client is told as its peer can bear', () => {
    const told = (tariffChange: 'single' | 'dual' | 'none', ...more: Buffer[]) =>
      asked(more, { tariffChange }).tariffChange;
    expect('tariffChange' in asked([])).toBe(false);
    expect(told('none', mscc())).toBeUndefined();
    expect(told('single', mscc())).toBe('single');
    expect(told('dual', mscc())).toBe('dual');
    expect(told('dual', rsu())).toBe('single');
  });
});

describe('CC-Money', () => {
  test('C-165 C-172 is a decimal, exactly', () => {
    const of = (digits: bigint, exponent?: number) =>
      service(usu(ccMoney(digits, exponent, 978)))?.used;
    expect(of(23n, -1)).toEqual({ money: 230 });
    expect(of(100n, -2)).toEqual(of(1n));
    expect(of(5n, 3)).toEqual({ money: 500_000 });
    expect(of(-5n, -2)).toEqual({ money: 0 });
    expect(of(2n ** 63n - 1n, -12)).toEqual({ money: 922_337_204 });
    expect(service(usu(ccMoney(2n ** 63n - 1n)))).toMatchObject({
      used: { money: Number.MAX_SAFE_INTEGER },
      excess: true,
    });
  });

  test('C-170 without a Currency-Code it is the tenant’s', () => {
    expect(service(rsu(ccMoney(5n)))).toMatchObject({ asked: { money: 500 } });
  });

  test('C-170 of another currency it is nobody’s', () => {
    expect(service(rsu(ccMoney(5n, 0, 840)))).toEqual({
      ratingGroup: 1,
      serviceIds: [],
      asked: {},
      foreignMoney: true,
    });
    expect(service(rsu(), usu(ccMoney(5n, 0, 840), octets(3n)), usu(ccMoney(2n, 0, 978)))).toEqual({
      ratingGroup: 1,
      serviceIds: [],
      asked: {},
      used: { octets: 3, money: 200 },
      foreignMoney: true,
    });
  });
});

describe('C-083 Event-Timestamp', () => {
  const seconds = NOW / 1000;
  /** Seconds since 1900, RFC 6733 4.3.1. */
  const at = (unix: number) => asked([avp(55, unix + 2_208_988_800)]).occurredAt;

  test('is when it took place', () => {
    expect(at(seconds)).toBe(NOW);
    expect(at(seconds - 3600)).toBe(NOW - 3_600_000);
  });

  test('is believed within its bounds only', () => {
    const [ahead, back] = [MAX_AHEAD_MS / 1000, MAX_AGE_MS / 1000];
    expect([ahead, back]).toEqual([60, 86_400]);
    expect(at(seconds + ahead)).toBe(NOW + MAX_AHEAD_MS);
    expect(at(seconds + ahead + 1)).toBeUndefined();
    expect(at(seconds - back)).toBe(NOW - MAX_AGE_MS);
    expect(at(seconds - back - 1)).toBeUndefined();
    expect(at(-2_208_988_800)).toBeUndefined();
    expect('occurredAt' in asked([])).toBe(false);
  });

  test('is kept as it was sent for copies to be told by, believed or not', () => {
    const { occurredAt, stampedAt } = asked([avp(55, seconds - 90_000 + 2_208_988_800)]);
    expect([occurredAt, stampedAt]).toEqual([undefined, NOW - 90_000_000]);
  });
});

describe('what records keep', () => {
  test('Service-Information as it was sent, octet for octet', () => {
    const information = psInformation(avp(30, 'internet'));
    const unknown = avp(999_998, 'x', { flags: 0x80, vendor: 10415 });
    const sent = group3(873, information.subarray(12), unknown);
    expect(asked([avp(1, 'user'), sent]).information).toEqual(sent.subarray(12));
    expect('information' in asked([])).toBe(false);
  });

  test('C-216 CC-Correlation-Id, whatever octets it has, as far as they are few', () => {
    expect(asked([avp(411, hex('00ff'))]).correlation).toBe('00ff');
    expect(asked([avp(411, Buffer.alloc(1000))]).correlation).toHaveLength(256);
    expect('correlation' in asked([])).toBe(false);
  });

  test('G-082 the context as it was sent, where plans know it by another name', () => {
    const of = (text: string) => {
      const identified = identify(decoded([], { serviceContextId: avp(461, text) }).message);
      return [identified?.context, identified?.sentContext];
    };
    expect(of('32251@3gpp.org')).toEqual(['32251@3gpp.org', undefined]);
    expect(of('8.32251@3gpp.org')).toEqual(['32251@3gpp.org', '8.32251@3gpp.org']);
    expect(of('nope@example.com')).toEqual(['nope@example.com', undefined]);
  });

  test.each([
    [
      'IMEISV as text',
      group(458, [avp(459, 0), avp(460, '3520990017614823')]),
      'imeisv:3520990017614823',
    ],
    [
      'IMEISV as swapped digits',
      group(458, [avp(459, 0), avp(460, hex('53029900 71164832'))]),
      'imeisv:3520990017618423',
    ],
    ['MAC', group(458, [avp(459, 1), avp(460, hex('0011223344ff'))]), 'mac:0011223344ff'],
    [
      'EUI64',
      group(458, [avp(459, 2), avp(460, hex('0011223344556677'))]),
      'eui64:0011223344556677',
    ],
    [
      'modified EUI64',
      group(458, [avp(459, 3), avp(460, hex('0211223344556677'))]),
      'modified-eui64:0211223344556677',
    ],
    [
      'in PS-Information',
      psInformation(group(458, [avp(459, 0), avp(460, '35209900176148')])),
      'imeisv:35209900176148',
    ],
    [
      'an IMEISV of the extension',
      group(653, [avp(654, '3520990017614823')]),
      'imeisv:3520990017614823',
    ],
    ['a MAC of the extension', group(653, [avp(655, hex('0011223344ff'))]), 'mac:0011223344ff'],
    [
      'an EUI64 of the extension',
      group(653, [avp(656, hex('0011223344556677'))]),
      'eui64:0011223344556677',
    ],
    ['a modified EUI64 of the extension', group(653, [avp(657, hex('02'))]), 'modified-eui64:02'],
    [
      'an IMEI of the extension',
      group(653, [avp(658, hex('53029900711684f0'))]),
      'imei:352099001761480',
    ],
  ])('C-213 G-110 %s', (_, sent, equipment) => {
    expect(asked([sent]).equipment).toBe(equipment);
  });

  test('of any length is kept to 128 octets', () => {
    const long = (size: number) => group(653, [avp(655, Buffer.alloc(size, 0xab))]);
    const kept = `mac:${'ab'.repeat(128)}`;
    expect(asked([long(128)]).equipment).toBe(kept);
    expect(asked([long(60_000)]).equipment).toBe(kept);
  });
});

describe('what a request may carry, and charging does not need', () => {
  test('G-120 Trigger, reasons that nobody knows, envelopes, correlation, QoS, AoC', () => {
    const request = asked([
      avp3(2055, 1),
      avp(411, 'correlation'),
      mscc(
        avp(432, 1),
        usu(octets(7n), avp3(872, 0)),
        avp3(872, 6),
        avp3(872, 4711),
        group3(1264, avp3(870, 2), avp3(870, 4711)),
        group3(1266, avp3(1269, u32(3_900_000_000)), octets(5n)),
        group3(1276, avp3(505, 'icid')),
        group3(1016, avp3(1028, 9)),
        group3(1249, avp3(863, 'x'), avp3(1257, 1)),
      ),
    ]);
    expect(request.services).toEqual([
      { ratingGroup: 1, serviceIds: [], used: { octets: 7 }, reasons: [6, 4711, 0] },
    ]);
  });

  test('C-219 what nobody knows and need not know', () => {
    expect(asked([avp(999_999, 'x', { flags: 0 }), mscc(avp(432, 1))]).services).toHaveLength(1);
  });
});

describe('flaws that no grammar tells', () => {
  const flaw = (more: Buffer[], type = 2) => {
    const found = decode(ccr({ more, replace: { requestType: avp(416, type) } }));
    if (found.name !== 'CCR') throw new Error('not a CCR');
    return flawOf(found.message);
  };

  test('C-215 a Service-Parameter-Info of a type that nobody knows: 5031 and a copy', () => {
    const parameters = [1, 2].map((type) =>
      group(440, [avp(441, type, { flags: 0 }), avp(442, 'abc', { flags: 0 })], { flags: 0 }),
    );
    expect(flaw(parameters)).toMatchObject({
      resultCode: 5031,
      eBit: false,
      failedAvp: parameters,
    });
    expect(flaw([])).toBeUndefined();
  });

  test('C-016 an event says what is to be done: 5005 and an example', () => {
    expect(flaw([], 4)).toMatchObject({ resultCode: 5005, failedAvp: [avp(436, 0)] });
    expect(flaw([avp(436, 3)], 4)).toBeUndefined();
  });
});
