/**
 * From a request's octets to what rules see of it, what its record keeps, and the octets of its
 * answer, with all that lies between.
 */
import { describe, expect, test } from 'vitest';
import type { Rule } from '../../src/charging/plan.ts';
import { readableGroup } from '../../src/diameter/readable.ts';
import { recordLine } from '../../src/store/records/line.ts';
import { planOf, ruleOf } from '../charging/till.ts';
import { avp, ccr, group, hex, u64 } from '../diameter/bytes.ts';
import { checkBooks } from '../engine/books.ts';
import { Gate } from '../engine/gate.ts';
import { Rig } from '../engine/rig.ts';
import { all, only, type Parsed, parseAVPs, resultCode } from '../peer/raw.ts';
import { avp3, group3, imsInformation, mscc, psInformation, serviceInformation } from './asking.ts';

const subscriber = group(443, [avp(450, 0), avp(444, '49170')]);
const octets = (count: bigint) => avp(421, u64(count));
const RSU = group(437, []);
const usu = (...members: Buffer[]) => group(446, members);

async function gateFor(...rules: Partial<Rule>[]): Promise<{ rig: Rig; gate: Gate }> {
  const rig = new Rig(planOf(rules.map((rule, at) => ruleOf({ name: `r${at}`, ...rule }))));
  await rig.anna();
  return { rig, gate: new Gate(rig) };
}

/** Rules that can be told apart by what they grant: 10, 11, 12 and so on. */
const sized = (...rules: Partial<Rule>[]): Partial<Rule>[] =>
  rules.map((rule, at) => ({ quota: { size: 10 + at, minimum: 1, maximum: 100 }, ...rule }));

/** A request of the session, by CC-Request-Type and -Number. */
function asking(type: number, number: number, more: Buffer[], context = '32251@3gpp.org') {
  return ccr({
    replace: {
      requestType: avp(416, type),
      requestNumber: avp(415, number),
      serviceContextId: avp(461, context),
    },
    more: [subscriber, ...more],
  });
}

const services = (answer: Parsed) => all(answer, 456).map((data) => parseAVPs(data));
/** The places of the rules that granted, by `sized`. */
const granting = (answer: Parsed) =>
  services(answer).map((one) => {
    const [unit] = parseAVPs(only(one, 431));
    return Number(BigInt(`0x${unit?.data.toString('hex')}`)) - 10;
  });

describe('rules see', () => {
  test('G-051 G-104 G-109 the access point, the network and the access of each service', async () => {
    const { rig, gate } = await gateFor(
      ...sized(
        { match: { apn: ['internet'], visited: ['208'] } },
        { match: { apn: ['internet'], rat: [3] } },
        { match: { apn: ['internet'] } },
        {},
      ),
    );
    const at = (network: string) =>
      psInformation(
        avp(30, 'INTERNET.mnc001.mcc262.gprs'),
        avp3(22, hex(`80${network}0001`)),
        avp3(21, hex('06')),
      );
    const rated = (group: number, ...members: Buffer[]) => mscc(avp(432, group), RSU, ...members);
    const answered = async (type: number, number: number, ...more: Buffer[]) =>
      granting(await gate.frame(asking(type, number, more)));
    const wlan = rated(2, avp3(21, hex('03')));
    expect(await answered(1, 0, at('62f210'), rated(1), wlan)).toEqual([2, 1]);
    expect(await answered(2, 1, at('02f810'), rated(3))).toEqual([0]);
    expect(await answered(2, 2, rated(4))).toEqual([0]);
    expect(await answered(2, 3, psInformation(avp(30, 'ims')), rated(5))).toEqual([3]);
    checkBooks(rig);
  });

  test('the called number, by its longest prefix', async () => {
    const { gate } = await gateFor(
      ...sized(
        { match: { called: ['49'] }, unit: 'seconds' },
        { match: { called: ['49900', '4'] }, unit: 'seconds' },
        { match: { role: ['terminating'] }, unit: 'seconds' },
      ),
    );
    const call = (role: number, uri: string, session: string) =>
      ccr({
        replace: {
          sessionId: avp(263, session),
          requestType: avp(416, 1),
          serviceContextId: avp(461, '8.32260@3gpp.org'),
        },
        more: [subscriber, imsInformation(avp3(829, role), avp3(832, uri)), mscc(avp(432, 1), RSU)],
      });
    const answered = async (...of: Parameters<typeof call>) =>
      granting(await gate.frame(call(...of)));
    expect(await answered(0, 'tel:+49-900-1', 'gw.example;1')).toEqual([1]);
    expect(await answered(0, 'sip:+4930@ims.example;user=phone', 'gw.example;2')).toEqual([0]);
    expect(await answered(1, 'tel:+49-900-1', 'gw.example;3')).toEqual([2]);
  });
});

test('each recipient of a message in a session has its own rule and its own place in the record', async () => {
  const price = (amount: number) => ({ amount, per: 1, increment: 1 });
  const { rig, gate } = await gateFor(
    { match: { called: ['4990'] }, unit: 'units', price: price(20) },
    { unit: 'units', price: price(3) },
  );
  const recipient = (number: string) => group3(2026, group3(1201, avp3(899, 1), avp3(897, number)));
  const numbers = ['491701', '49901', '491702'];
  const sms = serviceInformation(group3(2000, ...numbers.map(recipient)));
  const context = '8.32274@3gpp.org';
  const one = mscc(avp(432, 1), RSU);
  const [granted, ...others] = services(await gate.frame(asking(1, 0, [sms, one], context)));
  expect(others).toEqual([]);
  expect(parseAVPs(only(granted!, 431))[0]?.data).toEqual(u64(3n));
  const sent = mscc(avp(432, 1), usu(avp(417, u64(3n))));
  await gate.frame(asking(3, 1, [sent], context));
  const last = rig.records().at(-1);
  expect(last?.services).toMatchObject([
    { rule: 'r1', used: 2, cost: 6, recipients: { count: 2, of: 3, called: ['491701'] } },
    { rule: 'r0', used: 1, cost: 20, recipients: { count: 1, of: 3, called: ['49901'] } },
  ]);
  checkBooks(rig);
});

test('G-080 C-213 records keep what was sent, and files show it by name', async () => {
  const { rig, gate } = await gateFor({ match: { context: ['32251@3gpp.org'] } });
  const information = psInformation(avp(30, 'internet'), avp3(18, '26201'), avp3(21, hex('06')));
  const imei = group(458, [avp(459, 0), avp(460, '3520990017614823')]);
  const context = '8.32251@3gpp.org';
  const rated = mscc(avp(432, 1), RSU);
  await gate.frame(asking(1, 0, [information, imei, rated], context));
  await gate.frame(asking(2, 1, [information, imei, rated], context));
  const [first, second] = rig.records().filter(({ kind }) => kind !== 'opening');
  expect(first).toMatchObject({
    context: '32251@3gpp.org',
    sentContext: context,
    equipment: 'imeisv:3520990017614823',
  });
  expect(first?.information).toEqual(information.subarray(12));
  expect(second?.information).toBeUndefined();
  const line = recordLine(0, '1-1', first!, (data) => readableGroup('Service-Information', data));
  expect(JSON.parse(line)).toMatchObject({
    sentContext: context,
    information: {
      'PS-Information': {
        'Called-Station-Id': 'internet',
        '3GPP-SGSN-MCC-MNC': '26201',
        '3GPP-RAT-Type': '0x06',
      },
    },
  });
});

describe('what is refused', () => {
  test('C-170 money of another currency: that service alone', async () => {
    const { rig, gate } = await gateFor(
      { match: { ratingGroup: [1] }, unit: 'money' },
      { match: { ratingGroup: [2] } },
    );
    const dollars = group(413, [group(445, [avp(447, u64(5n))]), avp(425, 840)]);
    const answer = await gate.frame(
      asking(1, 0, [mscc(avp(432, 1), group(437, [dollars])), mscc(avp(432, 2), RSU)]),
    );
    expect(resultCode(answer)).toBe(2001);
    expect(services(answer).map((one) => only(one, 268).readUInt32BE())).toEqual([5031, 2001]);
    expect(only(answer, 279)).toEqual(dollars);
    expect(await rig.balance()).toEqual([900, 100]);
  });

  test('C-215 C-026 a Service-Parameter-Info that nobody knows: usage is debited all the same', async () => {
    const { rig, gate } = await gateFor({});
    await gate.frame(asking(1, 0, [mscc(avp(432, 1), RSU)]));
    const parameter = group(440, [avp(441, 9, { flags: 0 }), avp(442, 'x', { flags: 0 })], {
      flags: 0,
    });
    const answer = await gate.frame(
      asking(2, 1, [parameter, mscc(avp(432, 1), usu(octets(30n)), RSU)]),
    );
    expect(resultCode(answer)).toBe(5031);
    expect(only(answer, 279)).toEqual(parameter);
    expect(await rig.balance()).toEqual([970, 0]);
    checkBooks(rig);
  });
});

describe('G-026 messages of an event that names no units', () => {
  const sms = (...numbers: string[]) =>
    serviceInformation(
      group3(2000, ...numbers.map((to) => group3(2026, group3(1201, avp3(899, 1), avp3(897, to))))),
    );
  const units = { unit: 'units', price: { amount: 7, per: 1, increment: 1 } } as const;

  test('one unit for each recipient is debited, and nothing said of it at command level', async () => {
    const { rig, gate } = await gateFor(units);
    const sent = [avp(436, 0), sms('33611', '33612', '33613')];
    const answer = await gate.frame(asking(4, 0, sent, '32274@3gpp.org'));
    expect(resultCode(answer)).toBe(2001);
    expect(all(answer, 431)).toEqual([]);
    expect(all(answer, 456)).toEqual([]);
    expect(await rig.balance()).toEqual([979, 0]);
    checkBooks(rig);
  });

  test('G-005 in a service it is said there', async () => {
    const { rig, gate } = await gateFor(units);
    const sent = [avp(436, 0), sms('33611', '33612'), mscc(avp(432, 1), RSU)];
    const answer = await gate.frame(asking(4, 0, sent, '32274@3gpp.org'));
    const [service] = services(answer);
    expect(parseAVPs(only(service!, 431)).map(({ code, data }) => [code, data])).toEqual([
      [417, u64(2n)],
    ]);
    expect(all(answer, 431)).toEqual([]);
    expect(await rig.balance()).toEqual([986, 0]);
  });
});
