/**
 * Numbers at the edge, from octets to the ledger: nothing is rounded, thrown or refused for ever;
 * what cannot be held is cut, recorded and alarmed, and charging goes on.
 */
import { describe, expect, test } from 'vitest';
import { LIMIT } from '../../src/charging/money.ts';
import type { Price } from '../../src/charging/plan.ts';
import { planOf, ruleOf } from '../charging/till.ts';
import { all, avp, group, only, parseAVPs, resultCode, u32 } from '../peer/raw.ts';
import { checkBooks } from './books.ts';
import { Gate } from './gate.ts';
import { Rig } from './rig.ts';

const TYPES = { initial: 1, update: 2, termination: 3 };

function u64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(value);
  return bytes;
}

const ratingGroup = (number: number) => avp(432, number);
const asking = group(437, []);
const used = (octets: bigint) => group(446, [avp(421, u64(octets))]);
const service = (...members: Buffer[]) => group(456, members);

function ccr(kind: keyof typeof TYPES, number: number, services: readonly Buffer[]): Buffer[] {
  return [
    avp(263, 'gw.example;1'),
    avp(264, 'gw.example'),
    avp(296, 'example'),
    avp(283, 'example'),
    avp(258, 4),
    avp(461, '32251@3gpp.org'),
    avp(416, TYPES[kind]),
    avp(415, number),
    ...(kind === 'initial' ? [group(443, [avp(450, 0), avp(444, '49170')])] : []),
    ...services,
  ];
}

async function opened(openings: number, price: Price): Promise<{ rig: Rig; gate: Gate }> {
  const rig = new Rig(planOf([ruleOf({ price })]));
  await rig.anna({ main: openings });
  const gate = new Gate(rig);
  expect(resultCode(await gate.ccr(ccr('initial', 0, [])))).toBe(2001);
  return { rig, gate };
}

const report = (number: number, octets: bigint) =>
  ccr('update', number, [service(ratingGroup(1), used(octets))]);

describe('numbers at the edge', () => {
  test('Used-Service-Unit of 2^64 - 1: all that a counter can hold is debited, once', async () => {
    const { rig, gate } = await opened(1000, { amount: 1, per: 1, increment: 1 });
    const update = report(1, 2n ** 64n - 1n);
    expect(resultCode(await gate.ccr(update))).toBe(2001);
    expect(resultCode(await gate.ccr(update))).toBe(2001);
    expect(await rig.balance()).toEqual([1000 - LIMIT, 0]);
    expect(rig.records().at(-1)!.services[0]).toMatchObject({
      used: LIMIT,
      cost: LIMIT,
      excess: true,
    });
    expect(rig.alarms).toEqual(['excess']);
    // And again: what is left of the range, then nothing, for ever answered.
    for (const [number, left] of [
      [2, -LIMIT],
      [3, -LIMIT],
    ] as const) {
      expect(resultCode(await gate.ccr(report(number, 2n ** 64n - 1n)))).toBe(2001);
      expect(await rig.balance()).toEqual([left, 0]);
    }
    const asks = ccr('update', 4, [service(ratingGroup(1), asking)]);
    const answer = await gate.ccr(asks);
    expect(only(parseAVPs(only(answer, 456)), 268)).toEqual(u32(4012));
    expect(resultCode(await gate.ccr(ccr('termination', 5, [])))).toBe(2001);
    checkBooks(rig);
  });

  test('price x usage beyond 2^53 is cut and recorded as cut', async () => {
    const { rig, gate } = await opened(5, { amount: 3_000_000, per: 1, increment: 1 });
    await gate.ccr(report(1, 3_002_399_752n));
    expect(await rig.balance()).toEqual([5 - LIMIT, 0]);
    expect(rig.alarms).toEqual(['excess']);
    checkBooks(rig);
  });

  test('price x usage just below it is exact, although no double holds the product', async () => {
    const { rig, gate } = await opened(5, { amount: 3_000_001, per: 7, increment: 1 });
    const octets = 9_000_000_001n;
    const exact = (octets * 3_000_001n + 6n) / 7n;
    await gate.ccr(report(1, octets));
    expect(await rig.balance()).toEqual([5 - Number(exact), 0]);
    expect(rig.alarms).toEqual([]);
  });

  test('a balance at the limit is reserved from, debited and given back', async () => {
    const { rig, gate } = await opened(LIMIT, { amount: 1, per: 1, increment: 1 });
    const asks = ccr('update', 1, [service(ratingGroup(1), asking)]);
    const answer = await gate.ccr(asks);
    const granted = parseAVPs(only(parseAVPs(only(answer, 456)), 431));
    expect(only(granted, 421)).toEqual(u64(100n));
    expect(await rig.balance()).toEqual([LIMIT - 100, 100]);
    await gate.ccr(ccr('termination', 2, [service(ratingGroup(1), used(1n))]));
    expect(await rig.balance()).toEqual([LIMIT - 1, 0]);
    checkBooks(rig);
  });

  test('two hundred services in one request, each answered in its place', async () => {
    const rig = new Rig();
    await rig.anna({ main: 1_000_000 });
    const gate = new Gate(rig);
    const groups = Array.from({ length: 200 }, (_, i) => i + 1);
    const answer = await gate.ccr(
      ccr(
        'initial',
        0,
        groups.map((number) => service(ratingGroup(number), asking)),
      ),
    );
    const services = all(answer, 456).map((data) => parseAVPs(data));
    expect(services.map((members) => only(members, 432).readUInt32BE())).toEqual(groups);
    for (const members of services) expect(only(members, 268)).toEqual(u32(2001));
    expect(await rig.balance()).toEqual([980_000, 20_000]);
    await gate.ccr(
      ccr(
        'termination',
        1,
        groups.map((number) => service(ratingGroup(number), used(BigInt(number)))),
      ),
    );
    expect(await rig.balance()).toEqual([1_000_000 - 20_100, 0]);
    checkBooks(rig);
  });

  test('request number 2^32 - 1, and what comes after it', async () => {
    const { rig, gate } = await opened(1000, { amount: 1, per: 1, increment: 1 });
    const answer = await gate.ccr(report(2 ** 32 - 1, 10n));
    expect(only(answer, 415)).toEqual(u32(2 ** 32 - 1));
    await gate.ccr(report(2 ** 32 - 1, 10n));
    await gate.ccr(report(1, 10n));
    expect(await rig.balance()).toEqual([980, 0]);
    checkBooks(rig);
  });
});
