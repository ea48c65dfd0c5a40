/** AVPs as JSON: by the names of the dictionary, whatever the octets are. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { readableGroup } from '../../src/diameter/readable.ts';
import { avp, group, hex, u32, u64 } from './bytes.ts';

const vendor = { vendor: 10415 };
const avp3 = (code: number, data: Buffer | string | number) => avp(code, data, vendor);
const group3 = (code: number, ...members: Buffer[]) => group(code, members, vendor);
const information = (...members: Buffer[]) =>
  readableGroup('Service-Information', Buffer.concat(members));

describe('Service-Information', () => {
  test('of a packet session', () => {
    expect(
      information(
        group3(
          874,
          avp3(2, hex('0000002a')),
          avp3(3, 0),
          avp3(1227, hex('0001 0a2d002a')),
          avp3(1227, hex('0002 20010db8000000000000000000000001')),
          avp(30, 'internet'),
          avp3(18, '26201'),
          avp3(22, hex('8262f2100001 62f21000000101')),
          avp3(21, hex('06')),
          avp3(2041, u32(3_972_716_700)),
          avp3(2037, u32(1)),
        ),
      ),
    ).toEqual({
      'PS-Information': {
        '3GPP-Charging-Id': '0x0000002a',
        '3GPP-PDP-Type': 'IPV4',
        'PDP-Address': ['10.45.0.42', '2001:db8::1'],
        'Called-Station-Id': 'internet',
        '3GPP-SGSN-MCC-MNC': '26201',
        '3GPP-User-Location-Info': '0x8262f210000162f21000000101',
        '3GPP-RAT-Type': '0x06',
        'Start-Time': '2025-11-21T12:25:00.000Z',
        'Change-Condition': 'ABNORMAL_RELEASE',
      },
    });
  });

  test('of a call', () => {
    expect(
      information(
        group3(
          876,
          avp3(862, 6),
          avp3(829, 77),
          avp3(831, 'tel:+49170'),
          avp3(1263, '3GPP-GERAN; cgi-3gpp=262'),
        ),
      ),
    ).toEqual({
      'IMS-Information': {
        'Node-Functionality': 'AS',
        'Role-Of-Node': 77,
        'Calling-Party-Address': ['tel:+49170'],
        'Access-Network-Information': ['3GPP-GERAN; cgi-3gpp=262'],
      },
    });
  });
});

describe('what is unusual', () => {
  test('AVPs that the dictionary lacks, and those that a group should not have', () => {
    expect(information(avp(999_999, 'x'), avp3(999_998, hex('00')), avp(25, hex('ff')))).toEqual({
      '0/999999': ['x'],
      '10415/999998': ['0x00'],
      Class: ['0xff'],
    });
  });

  test('more of what should be once', () => {
    const ps = group3(874, avp(30, 'a'), avp(30, 'b'), avp(30, 'c'));
    expect(information(ps)).toEqual({ 'PS-Information': { 'Called-Station-Id': ['a', 'b', 'c'] } });
  });

  test('values that their formats cannot have', () => {
    expect(
      information(group3(874, avp3(3, hex('00')), avp(30, hex('ff')), avp3(1227, hex('0001 0a')))),
    ).toEqual({
      'PS-Information': {
        '3GPP-PDP-Type': '0x00',
        'Called-Station-Id': '0xff',
        'PDP-Address': ['0x00010a'],
      },
    });
  });

  test('octets where an AVP should begin', () => {
    expect(information(avp(25, 'ab'), hex('0000001e 40'))).toEqual({
      Class: ['ab'],
      undecoded: '0x0000001e40',
    });
    expect(information(group3(874, avp(30, 'x', { length: 4096 })))).toMatchObject({
      'PS-Information': { undecoded: expect.stringMatching(/^0x0000001e/) },
    });
  });

  test('text that could be taken for hexadecimal', () => {
    expect(information(avp(25, '0x41'), avp(25, ''), avp(25, 'A'))).toEqual({
      Class: ['0x30783431', '0x', 'A'],
    });
  });

  test('numbers beyond 2^53 - 1, and of every format', () => {
    const units = (value: bigint) => readableGroup('Used-Service-Unit', avp(421, u64(value)));
    expect(units(2n ** 53n - 1n)).toEqual({ 'CC-Total-Octets': 2 ** 53 - 1 });
    expect(units(2n ** 53n)).toEqual({ 'CC-Total-Octets': '9007199254740992' });
    expect(units(2n ** 64n - 1n)).toEqual({ 'CC-Total-Octets': '18446744073709551615' });
    expect(
      readableGroup(
        'Unit-Value',
        Buffer.concat([avp(447, u64(2n ** 64n - 5n)), avp(429, u32(-2))]),
      ),
    ).toEqual({
      'Value-Digits': -5,
      Exponent: -2,
    });
  });

  test('groups in groups without end', () => {
    let deep = group(25, []);
    for (let i = 0; i < 60; i += 1) deep = group(297, [deep]);
    for (let i = 0; i < 60; i += 1) deep = group(284, [deep]);
    const text = JSON.stringify(readableGroup('Proxy-Info', deep));
    expect(text).toMatch(/^(\{"Proxy-Info":\[?){1,12}"0x/);
  });
});

test('whatever the octets are, it is JSON', () => {
  const whole = group3(
    874,
    avp3(2, hex('0000002a')),
    avp(30, 'internet'),
    avp3(1227, hex('00010a2d002a')),
  );
  const bent = fc
    .array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { maxLength: 6 })
    .map((changes) => {
      const octets = Buffer.from(whole);
      for (const [at, octet] of changes) octets[at] = octet;
      return octets;
    });
  fc.assert(
    fc.property(fc.oneof(bent, fc.uint8Array({ maxLength: 80 })), (octets) => {
      const shown = readableGroup('Service-Information', octets);
      expect(JSON.parse(JSON.stringify(shown))).toEqual(shown);
    }),
    { numRuns: 3000 },
  );
});
