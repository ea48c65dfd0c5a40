/** One-time events from octets, in the core's words: RFC 8506 6, TS 32.299 5.2.2.1. */
import { describe, expect, test } from 'vitest';
import { flawOf } from '../../src/ro/flaw.ts';
import { avp, group, u64 } from '../diameter/bytes.ts';
import { asked, avp3, decoded, event, group3, mscc, serviceInformation } from './asking.ts';

const units = (count: bigint) => group(437, [avp(417, u64(count))]);
const recipient = (number: string) => group3(2026, group3(1201, avp3(899, 1), avp3(897, number)));
const sms = (...members: Buffer[]) => serviceInformation(group3(2000, ...members));
const mms = (...recipients: string[]) =>
  serviceInformation(
    group3(877, ...recipients.map((number) => group3(1201, avp3(899, 1), avp3(897, number)))),
  );

describe('a one-time event', () => {
  test('C-017 says what is to be done', () => {
    expect([0, 1, 2, 3].map((action) => event(action, [])?.action)).toEqual([
      'debit',
      'refund',
      'balance-check',
      'price-enquiry',
    ]);
  });

  test('C-186 in services, or at command level', () => {
    expect(event(0, [mscc(avp(432, 5), units(2n))])).toMatchObject({
      level: 'services',
      services: [{ ratingGroup: 5, asked: { units: 2 } }],
    });
    expect(event(0, [units(2n), avp(439, 7)])).toMatchObject({
      level: 'command',
      services: [{ serviceIds: [7], asked: { units: 2 } }],
    });
    expect(event(0, [avp(439, 7)])).toMatchObject({
      level: 'command',
      services: [{ serviceIds: [7] }],
    });
    expect(event(2, [])).toMatchObject({ level: 'command', services: [] });
  });

  test('G-048 a refund hands in what the debit gave out', () => {
    const blob = Buffer.from('blob');
    expect(event(1, [mscc(avp(432, 5)), mscc(avp3(2022, blob))])?.refundInformation).toEqual(blob);
    expect(event(1, [avp3(2022, blob)])?.refundInformation).toEqual(blob);
    expect(event(1, [])?.refundInformation).toBeUndefined();
  });

  test('hands back one debit: another proof beside it is refused, and said to be wrong', () => {
    const proof = (text: string) => avp3(2022, Buffer.from(text));
    const flaw = (action: number, ...more: Buffer[]) =>
      flawOf(decoded([avp(436, action), ...more], { requestType: avp(416, 4) }).message);
    const two = [mscc(avp(432, 1), proof('a')), mscc(avp(432, 2), proof('b'))];
    expect(flaw(1, ...two)).toMatchObject({ resultCode: 5004, failedAvp: [proof('b')] });
    expect(flaw(1, mscc(proof('a')), proof('b'))).toMatchObject({ resultCode: 5004 });
    expect(flaw(1, mscc(proof('a')), mscc(proof('a')), proof('a'))).toBeUndefined();
    expect(flaw(0, ...two)).toBeUndefined();
  });
});

describe('G-026 messages that nobody counted', () => {
  const counted = (...more: Buffer[]) => event(0, more)?.services;

  test('one is one, as any event is', () => {
    expect(counted(sms(recipient('33611')))).toEqual([{ serviceIds: [] }]);
    expect(counted(sms())).toEqual([{ serviceIds: [] }]);
    expect(counted(mms('33611'))).toEqual([{ serviceIds: [] }]);
  });

  test('one unit for each recipient, and each part', () => {
    const many = [recipient('33611'), recipient('33612'), recipient('33613')];
    const recipients = ['33611', '33612', '33613'];
    expect(counted(sms(...many))).toEqual([{ serviceIds: [], messages: 3, recipients }]);
    expect(counted(sms(avp3(2019, 2), ...many))).toEqual([
      { serviceIds: [], messages: 6, recipients },
    ]);
    expect(counted(sms(avp3(2019, 4)))).toEqual([{ serviceIds: [], messages: 4 }]);
    expect(counted(mms('33611', ''))).toEqual([
      { serviceIds: [], messages: 2, recipients: ['33611', undefined] },
    ]);
  });

  test('in a service that leaves the size to the server, and in no other', () => {
    const recipients = ['33611', '33612'];
    const two = sms(recipient('33611'), recipient('33612'));
    expect(counted(two, mscc(avp(432, 1), group(437, [])), mscc(avp(432, 2), units(5n)))).toEqual([
      { ratingGroup: 1, serviceIds: [], asked: {}, messages: 2, recipients },
      { ratingGroup: 2, serviceIds: [], asked: { units: 5 }, recipients },
    ]);
    expect(counted(two, units(1n))).toEqual([{ serviceIds: [], asked: { units: 1 }, recipients }]);
  });

  test('in a session too, where quota is asked for without a size', () => {
    const recipients = ['33611', '33612'];
    const two = sms(recipient('33611'), recipient('33612'));
    const { services } = asked([two, mscc(avp(432, 1), group(437, [])), mscc(avp(432, 2))]);
    expect(services).toEqual([
      { ratingGroup: 1, serviceIds: [], asked: {}, messages: 2, recipients },
      { ratingGroup: 2, serviceIds: [], recipients },
    ]);
    expect(asked([two, group(437, [])]).services).toEqual([
      { serviceIds: [], asked: {}, messages: 2, recipients },
    ]);
    expect(asked([two]).services).toEqual([]);
  });

  test('a report of a session names even the only recipient of whom it is', () => {
    const used = group(446, [avp(417, u64(1n))]);
    const one = sms(recipient('33611'));
    const recipients = ['33611'];
    expect(asked([one, mscc(avp(432, 1), used)]).services).toMatchObject([{ recipients }]);
    const [asking] = asked([one, mscc(avp(432, 1), used, group(437, []))]).services;
    expect(asking).not.toHaveProperty('recipients');
  });

  test('so many recipients of so many services are not told apart', () => {
    const all = Array.from({ length: 400 }, (_, at) => recipient(`336${at}`));
    const told = (count: number) =>
      counted(sms(...all), ...Array.from({ length: count }, (_, at) => mscc(avp(432, at))));
    expect(told(250)?.[249]?.recipients).toHaveLength(400);
    expect(told(251)?.[250]).toEqual({ ratingGroup: 250, serviceIds: [], messages: 400 });
  });

  test('the recipient is who is called', () => {
    expect(event(0, [sms(recipient('+33611'))])?.facts).toEqual({ called: '33611' });
  });
});
