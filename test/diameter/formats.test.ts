/** RFC 6733 4.2 and 4.3.1: every data format, there and back. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Avp, Format } from '../../src/diameter/avp.ts';
import { decode } from '../../src/diameter/decode.ts';
import { type AvpName, avps } from '../../src/diameter/dictionary.ts';
import { encodeAvp } from '../../src/diameter/encode.ts';
import type { Value } from '../../src/diameter/message.ts';
import { avp, ccr, group, hex, M, u64 } from './bytes.ts';

/** The value of one AVP of any name, decoded at the top of a CCR. */
function decoded(name: AvpName, bytes: Buffer): unknown {
  const { message, failure } = decode(ccr({ more: [bytes] }));
  if (failure !== undefined) throw new Error(failure.errorMessage);
  const value = (message as Record<string, unknown>)[name];
  return Array.isArray(value) ? value[0] : value;
}

function there<Name extends AvpName>(name: Name, value: Value<Name>, octets: Buffer): void {
  const { code, flags } = avps[name] as Avp;
  const expected = avp(code, octets, { flags: flags === 'M' ? M : 0 });
  expect(encodeAvp(name, value)).toEqual(expected);
  expect(decoded(name, expected)).toEqual(value);
}

test('B-063 text is UTF-8', () => {
  there('User-Name', 'Zoë 😀 \u0000', Buffer.from('Zoë 😀 \u0000'));
  there('User-Name', '\ufeffmark', hex('efbbbf 6d61726b'));
});

test.each(['ff', '61c3', 'c080', 'eda080', 'f5808080', '61 80 62'])(
  'B-063 text of octets %s is 5004',
  (octets) => {
    const offending = avp(1, hex(octets));
    const { failure, message } = decode(ccr({ more: [offending] }));
    expect(failure).toMatchObject({ resultCode: 5004, failedAvp: [offending] });
    expect(message).not.toHaveProperty('User-Name');
  },
);

test('B-063 a name of a host is text too', () => {
  const { failure } = decode(ccr({ replace: { originHost: avp(264, hex('67ff')) } }));
  expect(failure).toMatchObject({ resultCode: 5004 });
});

test.each([
  ['1968-01-20T03:14:08Z', '80000000'],
  ['1970-01-01T00:00:00Z', '83aa7e80'],
  ['2000-01-01T00:00:00Z', 'bc17c200'],
  ['2036-02-07T06:28:15Z', 'ffffffff'],
  ['2036-02-07T06:28:16Z', '00000000'],
  ['2104-02-26T09:42:23Z', '7fffffff'],
])('B-064 %s is the Time %s', (date, octets) => {
  there('Event-Timestamp', Date.parse(date) / 1000, hex(octets));
});

test('B-064 a Time outside of both eras cannot be sent', () => {
  for (const date of ['1968-01-20T03:14:07Z', '2104-02-26T09:42:24Z']) {
    expect(() => encodeAvp('Event-Timestamp', Date.parse(date) / 1000)).toThrow(RangeError);
  }
});

test.each([
  [1, '10.0.0.1', '0001 0a000001'],
  [1, '255.255.255.255', '0001 ffffffff'],
  [2, '2001:db8::1', '0002 20010db8000000000000000000000001'],
  [2, '::', '0002 00000000000000000000000000000000'],
  [2, '::1', '0002 00000000000000000000000000000001'],
  [2, 'fe80::', '0002 fe800000000000000000000000000000'],
  [2, '1:0:0:2::3', '0002 00010000000000020000000000000003'],
  [2, '1:0:2:3:4:5:6:7', '0002 00010000000200030004000500060007'],
  [8, '491700000042', '0008 343931373030303030303432'],
  [16, '00ff', '0010 00ff'],
  [3, '', '0003'],
])('B-065 an Address of family %d, %s', (family, address, octets) => {
  there('Host-IP-Address', { family, address }, hex(octets));
});

test('B-065 other spellings of an IPv6 address', () => {
  const spelt = (address: string) => encodeAvp('Host-IP-Address', { family: 2, address });
  expect(spelt('2001:DB8:0:0:0:0:0:1')).toEqual(spelt('2001:db8::1'));
  expect(spelt('::ffff:192.0.2.1')).toEqual(spelt('::ffff:c000:201'));
});

test.each([
  [1, '10.0.0'],
  [1, '10.0.0.256'],
  [1, '10.0.0.1.2'],
  [2, '1:2:3'],
  [2, '1::2::3'],
  [2, '1:2:3:4:5:6:7:8:9'],
  [2, '12345::'],
  [2, '::g'],
  [2, '1:2:3:4:5:6:7::8:9'],
  [99, 'xyz'],
  [70_000, '00'],
])('B-065 an address of family %d that is none, %s', (family, address) => {
  expect(() => encodeAvp('Host-IP-Address', { family, address })).toThrow(RangeError);
});

test('B-065 an Address shorter than its family is 5014', () => {
  const { failure } = decode(ccr({ more: [avp(257, hex('01'))] }));
  expect(failure).toMatchObject({ resultCode: 5014, failedAvp: [avp(257, Buffer.alloc(6))] });
});

test('B-067 Integer32 and Enumerated are signed', () => {
  there('Exponent', -2, hex('fffffffe'));
  there('Exponent', 0x7fffffff, hex('7fffffff'));
  // An enumeration whose numbers no table limits.
  there('Protocol', -1, hex('ffffffff'));
});

test('B-068 64-bit numbers are exact', () => {
  for (const octets of [0n, 2n ** 53n + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
    there('CC-Total-Octets', octets, u64(octets));
  }
  there('Value-Digits', -1n, hex('ffffffffffffffff'));
  there('Value-Digits', -(2n ** 63n), hex('8000000000000000'));
});

test('what a format cannot hold is refused by the encoder', () => {
  expect(() => encodeAvp('CC-Time', -1)).toThrow(RangeError);
  expect(() => encodeAvp('CC-Time', 2 ** 32)).toThrow(RangeError);
  expect(() => encodeAvp('CC-Time', 1.5)).toThrow(RangeError);
  expect(() => encodeAvp('CC-Time', Number.NaN)).toThrow(RangeError);
  expect(() => encodeAvp('Exponent', 2 ** 31)).toThrow(RangeError);
  expect(() => encodeAvp('CC-Total-Octets', -1n)).toThrow(RangeError);
  expect(() => encodeAvp('CC-Total-Octets', 2n ** 64n)).toThrow(RangeError);
  expect(() => encodeAvp('Value-Digits', 2n ** 63n)).toThrow(RangeError);
  expect(() => encodeAvp('Class', Buffer.alloc(2 ** 24))).toThrow(RangeError);
});

/** Values of each format; groups have a test of their own. */
const anyOf: Record<Exclude<Format, 'Grouped'>, fc.Arbitrary<unknown>> = {
  OctetString: fc.uint8Array().map((bytes) => Buffer.from(bytes)),
  Integer32: fc.integer(),
  Integer64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  Unsigned32: fc.nat({ max: 0xffffffff }),
  Unsigned64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  Float32: fc.float(),
  Float64: fc.double(),
  Address: fc.oneof(
    fc.ipV4().map((address) => ({ family: 1, address })),
    fc
      .uint8Array({ minLength: 16, maxLength: 16 })
      .map((octets) => ({ family: 2, address: new URL(`http://[${ipv6(octets)}]`).hostname }))
      .map(({ family, address }) => ({ family, address: address.slice(1, -1) })),
    fc.stringMatching(/^\d{0,15}$/).map((address) => ({ family: 8, address })),
  ),
  Time: fc.integer({ min: -61_505_152, max: 4_233_462_143 }),
  UTF8String: fc.string({ unit: 'binary' }),
  DiameterIdentity: fc.domain(),
  DiameterURI: fc.domain().map((host) => `aaa://${host}:3868;transport=tcp`),
  Enumerated: fc.integer(),
  IPFilterRule: fc.string(),
  QoSFilterRule: fc.string(),
};

function ipv6(octets: Uint8Array): string {
  return Buffer.from(octets)
    .toString('hex')
    .replaceAll(/(.{4})(?=.)/g, '$1:');
}

describe('every AVP of the dictionary that is no group goes there and back', () => {
  const byFormat = Object.groupBy(Object.entries<Avp>(avps), ([, { format }]) => format);
  for (const [format, entries] of Object.entries(byFormat)) {
    if (format === 'Grouped') continue;
    test(`B-040 B-045 ${format}: ${entries.length} AVPs`, () => {
      fc.assert(
        fc.property(
          fc.constantFrom(...entries),
          anyOf[format as Exclude<Format, 'Grouped'>],
          ([name, { values, vendor, code }], value) => {
            // What credit control excludes at the top of a CCR is put into a service.
            const own =
              values === undefined || format !== 'Enumerated' ? value : Object.values(values)[0];
            const bytes = encodeAvp(name as AvpName, own as Value<AvpName>);
            expect(bytes.readUInt32BE(0)).toBe(code);
            expect(bytes.length % 4).toBe(0);
            const { message, failure } = decode(ccr({ more: [group(456, [bytes])] }));
            expect(failure).toBeUndefined();
            const service = (message as { 'Multiple-Services-Credit-Control': object[] })[
              'Multiple-Services-Credit-Control'
            ][0] as Record<string, unknown>;
            expect([service[name]].flat()).toEqual([own]);
            expect(vendor === undefined ? 0 : bytes.readUInt32BE(8)).toBe(vendor ?? 0);
          },
        ),
        { numRuns: Math.max(100, 2 * entries.length) },
      );
    });
  }
});
