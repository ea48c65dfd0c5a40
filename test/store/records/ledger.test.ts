/** Record ids, sums and lines. */
import { describe, expect, it } from 'vitest';
import type { BucketChange, ChargingRecord } from '../../../src/charging/record.ts';
import {
  addChanges,
  balances,
  parseSum,
  type Sums,
  sumText,
} from '../../../src/store/records/ledger.ts';
import { placeOfLine, recordLine } from '../../../src/store/records/line.ts';
import { compareRecordIds, START, succession } from '../../../src/store/records/record-id.ts';

describe('record ids', () => {
  it('are ordered by epoch and number, not by text', () => {
    const ids = ['10-2', '9-100', '9-99', '10-10', START];
    expect(ids.sort(compareRecordIds)).toEqual([START, '9-99', '9-100', '10-2', '10-10']);
    expect(() => compareRecordIds('9', '9-1')).toThrow('not a record id');
    expect(() => compareRecordIds('9-1', '9-1 ')).toThrow('not a record id');
  });

  const update = { kind: 'update' } as const;
  const epoch = (reference?: string) =>
    ({ kind: 'epoch', ...(reference === undefined ? {} : { reference }) }) as const;

  it.each([
    ['5-3', '5-4', update, { kind: 'next' }],
    ['5-3', '5-5', update, { kind: 'gap', after: '5-3', next: '5-5' }],
    [START, '5-0', epoch('0-0'), { kind: 'next' }],
    [START, '5-1', update, { kind: 'gap', after: START, next: '5-1' }],
    ['5-3', '6-0', epoch('5-3'), { kind: 'next' }],
    ['5-3', '6-0', update, { kind: 'gap', after: '5-3', next: '6-0' }],
    ['5-3', '6-0', epoch('5-4'), { kind: 'gap', after: '5-3', next: '6-0' }],
    ['5-9', '6-0', epoch('5-4'), { kind: 'lost', after: '5-4', through: '5-9', count: 5 }],
    ['5-9', '6-0', epoch('4-7'), { kind: 'lost', after: '4-7', through: '5-9' }],
  ])('after %s, %s %o is %o', (position, id, record, expected) => {
    expect(succession(position, id, record)).toEqual(expected);
  });
});

describe('sums', () => {
  const change = (cause: BucketChange['cause'], available: number, reserved: number) => ({
    bucket: 'main:1',
    cause,
    available,
    reserved,
  });

  it('hold the law, charges apart from moves, and are exact beyond 2^53', () => {
    const sums: Sums = new Map();
    const most = Number.MAX_SAFE_INTEGER;
    addChanges(sums, [change('opening', most, 0), change('topup', most, 0)]);
    addChanges(sums, [change('reserve', -100, 100)]);
    addChanges(sums, [change('debit', 0, -70), change('release', 30, -30)]);
    addChanges(sums, [change('overrun', -5, 0), change('expiry', -7, 0)]);
    addChanges(sums, [change('refund', 2, 0)]);
    sums.set('adjustment:other', { available: -1n, reserved: 0n });
    const balance = balances(sums).get('main:1');
    const rest = 2n * BigInt(most) - 70n - 5n - 7n + 2n;
    expect(balance).toMatchObject({ available: rest, reserved: 0n, net: rest, moved: 0n });
    expect(balance?.byCause).toMatchObject({ debit: -70n, overrun: -5n, reserve: 0n });
    expect(balances(sums).get('other')?.net).toBe(-1n);
  });

  it('are stored in decimal', () => {
    const sum = { available: -(2n ** 70n), reserved: 12n };
    expect(parseSum(sumText(sum))).toEqual(sum);
    expect(() => parseSum('1')).toThrow('not a sum');
    expect(() => parseSum('1,2,3')).toThrow('not a sum');
  });
});

describe('a line', () => {
  const record: ChargingRecord = {
    outcome: 'success',
    kind: 'update',
    at: 1_700_000_000_000,
    account: { tenant: 'north', account: 'a "1"' },
    sessionId: 'pgw;1\n2',
    requestNumber: 4_294_967_295,
    subscriber: { kind: 'e164', id: '447900' },
    changes: [{ reserved: -9_007_199_254_740_991, available: 0, cause: 'debit', bucket: 'main' }],
    services: [
      { outcome: 'success', cost: 9_007_199_254_740_991, serviceIds: [1, 2], ratingGroup: 10 },
    ],
  };

  it('has its members in one order, whatever order the record has them in', () => {
    expect(recordLine(17, '5-3', record)).toBe(
      '{"id":"5-3","partition":17,"kind":"update","at":1700000000000,"tenant":"north",' +
        '"account":"a \\"1\\"","sessionId":"pgw;1\\n2","requestNumber":4294967295,' +
        '"subscriber":"e164:447900","outcome":"success","services":[{"ratingGroup":10,' +
        '"serviceIds":[1,2],"cost":9007199254740991,"outcome":"success"}],"changes":' +
        '[{"bucket":"main","cause":"debit","available":0,"reserved":-9007199254740991}]}',
    );
  });

  it('has Service-Information last, as its reader makes it, or as hexadecimal', () => {
    const told = { ...record, equipment: 'imei:35', information: Uint8Array.of(0, 171, 255) };
    expect(recordLine(17, '5-3', told)).toMatch(/,"equipment":"imei:35","information":"00abff"\}$/);
    const reader = (octets: Uint8Array) => ({ octets: [...octets] });
    expect(JSON.parse(recordLine(17, '5-3', told, reader)).information).toEqual({
      octets: [0, 171, 255],
    });
  });

  it('says where it belongs, and what is not whole does not', () => {
    const line = recordLine(17, '5-3', record);
    expect(placeOfLine(line)).toEqual({ id: '5-3', partition: 17 });
    for (const cut of [1, 20, line.length - 1])
      expect(placeOfLine(line.slice(0, cut))).toBe(undefined);
    expect(placeOfLine(`${line}x`)).toBe(undefined);
  });
});
