/** A request is served by one configuration from start to end, whatever is changed while it is. */
import { expect, test } from 'vitest';
import { planWithoutRules } from '../../src/charging/plan.ts';
import type { RequestConfiguration } from '../../src/engine/received.ts';
import { withFaults } from '../../src/store/memory/faulty-store.ts';
import { planOf, ruleOf } from '../charging/till.ts';
import { avp, group, only, parseAVPs, resultCode, u32 } from '../peer/raw.ts';
import { checkBooks } from './books.ts';
import { configurationOf, Gate } from './gate.ts';
import { Rig } from './rig.ts';

const KINDS = { initial: 1, update: 2, event: 4 };
const PRICE_ENQUIRY = 3;
const COST_INFORMATION = 423;

/** Everything else than before: the tenant, the currency, and the plan is gone. */
const changed: RequestConfiguration = {
  tenantOf: () => 'red',
  currencyOf: () => ({ code: 392, digits: 0 }),
  planOf: (_tenant, plan) => planWithoutRules(plan),
};

/** The configuration changes with the first call of the store. */
async function changing() {
  const rig = new Rig(
    planOf([ruleOf({ unit: 'units', price: { amount: 7, per: 1, increment: 1 } })]),
  );
  await rig.anna();
  let current = configurationOf(rig);
  const store = withFaults(rig.store, () => {
    current = changed;
    return 'none';
  });
  return { rig, gate: new Gate(rig, rig.worker(store), () => current) };
}

function ccr(kind: keyof typeof KINDS, number: number, ...members: Buffer[]): Buffer[] {
  return [
    avp(263, 'gw.example;1'),
    avp(264, 'gw.example'),
    avp(296, 'example'),
    avp(283, 'example'),
    avp(258, 4),
    avp(461, '32274@3gpp.org'),
    avp(416, KINDS[kind]),
    avp(415, number),
    group(443, [avp(450, 0), avp(444, '49170')]),
    ...members,
  ];
}

const asking = group(456, [avp(432, 1), group(437, [avp(417, u64(10))])]);

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64BE(BigInt(value));
  return bytes;
}

test('a session is opened by the plan of the tenant that it was given', async () => {
  const { rig, gate } = await changing();
  const answer = await gate.ccr(ccr('initial', 0, asking));
  expect(resultCode(answer)).toBe(2001);
  expect(parseAVPs(only(parseAVPs(only(answer, 456)), 431))).toHaveLength(1);
  expect(await rig.balance()).toEqual([930, 70]);
  // What comes after the change is served by it: the plan rates no more.
  const next = await gate.ccr(ccr('update', 1, asking));
  expect(only(parseAVPs(only(next, 456)), 268)).toEqual(u32(5031));
  checkBooks(rig);
});

test('a price is told in the currency that it was worked out in', async () => {
  const { gate } = await changing();
  const enquiry = avp(436, PRICE_ENQUIRY);
  const answer = await gate.ccr(ccr('event', 0, enquiry, group(437, [avp(417, u64(10))])));
  expect(resultCode(answer)).toBe(2001);
  const cost = parseAVPs(only(answer, COST_INFORMATION));
  expect(only(cost, 425)).toEqual(u32(978));
  expect(only(parseAVPs(only(cost, 445)), 447)).toEqual(u64(70));
});
