/** RFC 6733 3.1 and 3.2, RFC 8506 3: codes, grammars, and the types that are read out of them. */
import { expect, expectTypeOf, test } from 'vitest';
import type { Address } from '../../src/diameter/avp.ts';
import type { CCA, CCR, CER, CommandName, DWA } from '../../src/diameter/commands.ts';
import { commands } from '../../src/diameter/commands.ts';
import { decode } from '../../src/diameter/decode.ts';
import { encode } from '../../src/diameter/encode.ts';
import type { Understood, Value } from '../../src/diameter/message.ts';
import { commandNamed, findCommand } from '../../src/diameter/schema.ts';
import { avp, cerAvps, group, hex, message, u64 } from './bytes.ts';

const header = { applicationId: 4, hopByHop: 0x11111111, endToEnd: 0x22222222 };

const numbers: [CommandName, number, boolean][] = [
  ['CER', 257, true],
  ['CEA', 257, false],
  ['RAR', 258, true],
  ['RAA', 258, false],
  ['CCR', 272, true],
  ['CCA', 272, false],
  ['ASR', 274, true],
  ['ASA', 274, false],
  ['STR', 275, true],
  ['STA', 275, false],
  ['DWR', 280, true],
  ['DWA', 280, false],
  ['DPR', 282, true],
  ['DPA', 282, false],
];

test.each(numbers)('B-030 %s is command %d', (name, code, request) => {
  expect(findCommand(code, request)?.name).toBe(name);
  expect(commands[name][0]).toContain(`${code}${request ? ', REQ' : ''}`);
  const proxiable = !['CER', 'CEA', 'DWR', 'DWA', 'DPR', 'DPA'].includes(name);
  expect(commandNamed(name).proxiable).toBe(proxiable);
});

test('B-033 accounting is no command of ours', () => {
  expect(decode(message([], { code: 271, applicationId: 3 })).failure).toMatchObject({
    resultCode: 3001,
  });
});

test('B-034 a CCA goes out in the order of its grammar, whatever order it was made in', () => {
  const cca: CCA = {
    'Error-Message': ['both'],
    'Multiple-Services-Credit-Control': [
      {
        'Volume-Quota-Threshold': 1000,
        'Result-Code': 2001,
        'Validity-Time': 3600,
        'Rating-Group': 7,
        'Granted-Service-Unit': { 'CC-Total-Octets': 10_000n },
      },
    ],
    'CC-Session-Failover': 1,
    'CC-Request-Number': 0,
    'CC-Request-Type': 1,
    'Auth-Application-Id': 4,
    'Origin-Realm': 'r',
    'Origin-Host': 'ocs',
    'Result-Code': 2001,
    'Session-Id': 'a;1;2',
  };
  expect(encode('CCA', { ...header, proxiable: true }, cca)).toEqual(
    message(
      [
        avp(263, 'a;1;2'),
        avp(268, 2001),
        avp(264, 'ocs'),
        avp(296, 'r'),
        avp(258, 4),
        avp(416, 1),
        avp(415, 0),
        avp(418, 1),
        group(456, [
          group(431, [avp(421, u64(10_000n))]),
          avp(432, 7),
          avp(448, 3600),
          avp(268, 2001),
          avp(869, 1000, { vendor: 10415 }),
        ]),
        avp(281, 'both', { flags: 0 }),
      ],
      { flags: 0x40 },
    ),
  );
});

test('B-014 an RAR carries the application and is proxiable', () => {
  const rar = encode(
    'RAR',
    { ...header, proxiable: true },
    {
      'Session-Id': 'a;1;2',
      'Origin-Host': 'ocs',
      'Origin-Realm': 'r',
      'Destination-Realm': 'example',
      'Destination-Host': 'gw',
      'Auth-Application-Id': 4,
      'Re-Auth-Request-Type': 0,
      'Rating-Group': 7,
    },
  );
  expect(rar).toEqual(
    message(
      [
        avp(263, 'a;1;2'),
        avp(264, 'ocs'),
        avp(296, 'r'),
        avp(283, 'example'),
        avp(293, 'gw'),
        avp(258, 4),
        avp(285, 0),
        avp(432, 7),
      ],
      { code: 258, flags: 0xc0 },
    ),
  );
  expect(decode(rar, { strict: true })).toMatchObject({ name: 'RAR', failure: undefined });
});

test('a CER with everything that its grammar lists', () => {
  const vsai = (vendor: number, application: number) =>
    group(260, [avp(266, vendor), avp(258, application)]);
  const cer = message(
    [
      ...cerAvps,
      avp(257, hex('0002 20010db8000000000000000000000001')),
      avp(278, 1_700_000_000),
      avp(265, 10415),
      avp(258, 4),
      avp(299, 0),
      avp(299, 1),
      vsai(10415, 4),
      vsai(0, 4),
      avp(267, 3, { flags: 0 }),
    ],
    { code: 257, flags: 0x80, applicationId: 0 },
  );
  const { failure, message: decoded } = decode(cer, { strict: true });
  expect(failure).toBeUndefined();
  expect(decoded).toEqual({
    'Origin-Host': 'gw.example',
    'Origin-Realm': 'example',
    'Host-IP-Address': [
      { family: 1, address: '10.0.0.1' },
      { family: 2, address: '2001:db8::1' },
    ],
    'Vendor-Id': 10415,
    'Product-Name': 'gateway',
    'Origin-State-Id': 1_700_000_000,
    'Supported-Vendor-Id': [10415],
    'Auth-Application-Id': [4],
    'Inband-Security-Id': [0, 1],
    'Vendor-Specific-Application-Id': [
      { 'Vendor-Id': 10415, 'Auth-Application-Id': 4 },
      { 'Vendor-Id': 0, 'Auth-Application-Id': 4 },
    ],
    'Firmware-Revision': 3,
  });
});

test('types: required, optional, repeated, grouped and unlisted members', () => {
  expectTypeOf<CCR['Session-Id']>().toEqualTypeOf<string>();
  expectTypeOf<CCR['CC-Request-Number']>().toEqualTypeOf<number>();
  expectTypeOf<CCR['User-Name']>().toEqualTypeOf<string | undefined>();
  expectTypeOf<CER['Host-IP-Address']>().toEqualTypeOf<Address[]>();
  expectTypeOf<CCR['Accounting-Record-Type']>().toEqualTypeOf<number[] | undefined>();
  expectTypeOf<Value<'CC-Total-Octets'>>().toEqualTypeOf<bigint>();
  expectTypeOf<Value<'Class'>>().toEqualTypeOf<Buffer>();
  type Service = NonNullable<CCR['Multiple-Services-Credit-Control']>[number];
  expectTypeOf<Service['Rating-Group']>().toEqualTypeOf<number | undefined>();
  type Used = NonNullable<Service['Used-Service-Unit']>[number];
  expectTypeOf<Used['CC-Total-Octets']>().toEqualTypeOf<bigint | undefined>();
  type Partly = Understood<CCR>;
  expectTypeOf<Partly['CC-Request-Type']>().toEqualTypeOf<number | undefined>();
});

test('types: a failure leaves nothing certain, its absence everything', () => {
  const decoded = decode(message([]));
  if (decoded.name !== 'CCR') throw new Error('not a CCR');
  if (decoded.failure === undefined) {
    expectTypeOf(decoded.message['CC-Request-Type']).toEqualTypeOf<number>();
  } else {
    expectTypeOf(decoded.message['CC-Request-Type']).toEqualTypeOf<number | undefined>();
  }
  expect(decoded.failure).toBeDefined();
});

test('types: misspelt, missing, wrong and forbidden members do not compile', () => {
  const dwa: DWA = { 'Result-Code': 2001, 'Origin-Host': 'ocs', 'Origin-Realm': 'r' };
  // @ts-expect-error: misspelt
  const misspelt: DWA = { ...dwa, 'Origin-State-ID': 1 };
  // @ts-expect-error: missing
  const missing: DWA = { 'Result-Code': 2001, 'Origin-Host': 'ocs' };
  // @ts-expect-error: a number is no text
  const wrong: DWA = { ...dwa, 'Origin-Host': 1 };
  // @ts-expect-error: an answer has no destination
  const forbidden: Pick<CCA, 'Destination-Host'> = { 'Destination-Host': 'gw' };
  const service: CCA['Multiple-Services-Credit-Control'] = [
    // @ts-expect-error: misspelt in a group
    { 'Granted-Service-Unit': { 'CC-Total-Octet': 1n } },
  ];
  // The encoder refuses at run time what the types refuse.
  expect(() => encode('DWA', header, misspelt)).toThrow('Origin-State-ID cannot be in DWA');
  expect(() => encode('DWA', header, missing)).toThrow('Origin-Realm is missing in DWA');
  expect([wrong, forbidden, service]).toHaveLength(3);
});
