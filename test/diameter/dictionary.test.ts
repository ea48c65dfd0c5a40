/** The dictionary against itself and against the flag rules of the RFCs. */
import { expect, test } from 'vitest';
import type { Avp } from '../../src/diameter/avp.ts';
import { commands } from '../../src/diameter/commands.ts';
import { type AvpName, avps } from '../../src/diameter/dictionary.ts';
import { encodeAvp } from '../../src/diameter/encode.ts';
import { findDefinition } from '../../src/diameter/schema.ts';

const entries = Object.entries<Avp>(avps);

function flagsOf(name: AvpName): Avp['flags'] {
  return avps[name].flags;
}

test('every AVP is found by its vendor and code, and no two share them', () => {
  expect(entries.length).toBeGreaterThanOrEqual(888);
  for (const [name, { vendor = 0, code }] of entries) {
    expect(findDefinition(vendor, code)?.name).toBe(name);
  }
  expect(findDefinition(0, 99999)).toBeUndefined();
  expect(findDefinition(0, 0xffffffff)).toBeUndefined();
  expect(findDefinition(10415, 0xffffffff)).toBeUndefined();
  expect(findDefinition(4711, 1)).toBeUndefined();
});

const line = /^(?:|\*|1\*|\*0|0\*1)(?:< ([\w-]+) >|\{ ([\w-]+) \}|\[ ([\w-]+) \])$/;

test('every line of every grammar names an AVP, once', () => {
  const groups = entries.filter(([, { members }]) => members !== undefined);
  expect(groups.every(([, { format }]) => format === 'Grouped')).toBe(true);
  expect(groups).toHaveLength(entries.filter(([, { format }]) => format === 'Grouped').length);
  const grammars = [
    ...groups.map(([name, { members }]) => [name, members!] as const),
    ...Object.entries(commands).map(([name, lines]) => [name, lines.slice(1)] as const),
  ];
  for (const [name, lines] of grammars) {
    const names = lines.map((one) => line.exec(one)?.slice(1).find(Boolean) ?? `?${one}`);
    expect(new Set(names).size, name).toBe(names.length);
    expect(names.filter((one) => one !== 'AVP' && !(one in avps))).toEqual([]);
  }
});

test('numbers of an enumeration differ and fit its format', () => {
  for (const [name, { values, format }] of entries) {
    if (values === undefined) continue;
    const numbers = Object.values(values);
    expect(new Set(numbers).size, name).toBe(numbers.length);
    const least = format === 'Unsigned32' ? 0 : -(2 ** 31);
    expect(numbers.every((number) => Number.isInteger(number) && number >= least)).toBe(true);
  }
});

test('B-056 M must not be set on these', () => {
  const clear = ['Error-Message', 'Error-Reporting-Host', 'Product-Name', 'Firmware-Revision'];
  for (const name of clear as AvpName[]) expect(flagsOf(name)).toBe('');
  expect(encodeAvp('Product-Name', 'x')[4]).toBe(0);
  expect(encodeAvp('Firmware-Revision', 1)[4]).toBe(0);
});

test('B-056 the AVPs that RFC 8506 added go out without M', () => {
  const added = entries.filter(
    ([, { code, vendor }]) => vendor === undefined && code >= 653 && code <= 669,
  );
  expect(added).toHaveLength(17);
  expect(added.filter(([, { flags }]) => flags !== '[M]')).toEqual([]);
  expect(encodeAvp('Subscription-Id-E164', '49')[4]).toBe(0);
});

test('B-056 V is set on the AVPs of vendors, and on no others', () => {
  expect(encodeAvp('CC-Time', 1)[4]).toBe(0x40);
  expect(encodeAvp('Quota-Holding-Time', 1)[4]).toBe(0xc0);
  expect(encodeAvp('3GPP-SGSN-Address', Buffer.alloc(4))[4]).toBe(0x80);
});

test('B-056 the base AVPs of RFC 6733 4.5 have M, but for four', () => {
  const base: AvpName[] = [
    'Acct-Application-Id',
    'Auth-Application-Id',
    'Class',
    'Destination-Host',
    'Destination-Realm',
    'Disconnect-Cause',
    'Event-Timestamp',
    'Experimental-Result',
    'Failed-AVP',
    'Host-IP-Address',
    'Inband-Security-Id',
    'Origin-Host',
    'Origin-Realm',
    'Origin-State-Id',
    'Proxy-Info',
    'Re-Auth-Request-Type',
    'Redirect-Host',
    'Result-Code',
    'Route-Record',
    'Session-Id',
    'Supported-Vendor-Id',
    'Termination-Cause',
    'User-Name',
    'Vendor-Id',
    'Vendor-Specific-Application-Id',
  ];
  expect(base.filter((name) => flagsOf(name) !== 'M')).toEqual([]);
});

test('B-190 nothing of overload and load is mandatory', () => {
  const names: AvpName[] = ['OC-Supported-Features', 'OC-OLR', 'OC-Feature-Vector', 'Load'];
  expect(names.filter((name) => flagsOf(name) === 'M')).toEqual([]);
});

test('G-062 triggers have the numbers of TS 32.299 7.2.236', () => {
  const { values } = avps['Trigger-Type'];
  const ranges = [
    [1, 5],
    [10, 24],
    [30, 36],
    [40, 40],
    [50, 52],
    [60, 62],
    [70, 76],
  ] as const;
  const numbers = ranges.flatMap(([first, last]) =>
    Array.from({ length: last - first + 1 }, (_, at) => first + at),
  );
  expect(Object.values(values).sort((a, b) => a - b)).toEqual(numbers);
  const { CHANGE_IN_QOS, CHANGE_IN_LOCATION, CHANGE_IN_RAT, CHANGE_IN_SERVING_NODE } = values;
  expect([CHANGE_IN_QOS, CHANGE_IN_LOCATION, CHANGE_IN_RAT]).toEqual([2, 3, 4]);
  const { CHANGEINLOCATION_MCC, CHANGEINLOCATION_ECGI, CHANGE_IN_3GPP_PS_DATA_OFF } = values;
  expect([CHANGEINLOCATION_MCC, CHANGEINLOCATION_ECGI, CHANGE_IN_SERVING_NODE]).toEqual([
    30, 36, 61,
  ]);
  expect(CHANGE_IN_3GPP_PS_DATA_OFF).toBe(76);
});
