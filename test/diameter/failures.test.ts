/** RFC 6733 7.1, 7.5 and 4.1: what is wrong with a request, and its Failed-AVP. */
import { expect, test } from 'vitest';
import { answerFailure } from '../../src/diameter/answer.ts';
import { type DecodeOptions, decode } from '../../src/diameter/decode.ts';
import { encodeAvp } from '../../src/diameter/encode.ts';
import { failure } from '../../src/diameter/failure.ts';
import { avp, ccr, cerAvps, group, hex, message, u32, u64 } from './bytes.ts';
import { strictErrorAnswer } from './strict-parser.ts';

const services = 456;
const used = 446;

/** The failure of a request, and what a strict peer reads in the Failed-AVP of its answer. */
function refused(request: Buffer, options?: DecodeOptions) {
  const decoded = decode(request, options);
  const answer = strictErrorAnswer(answerFailure(decoded, { host: 'ocs', realm: 'r' })!, request);
  const resultCode = answer.number(268);
  expect(decoded.failure!.resultCode).toBe(resultCode);
  return {
    resultCode,
    error: answer.error,
    failed: answer.failed.map(({ bytes }) => bytes),
    decoded,
  };
}

test('B-048 an unknown AVP with M is 5001, with a whole copy of it', () => {
  const unknown = avp(99999, hex('c0ffee'));
  const { resultCode, error, failed } = refused(ccr({ more: [unknown] }));
  expect({ resultCode, error }).toEqual({ resultCode: 5001, error: false });
  expect(failed).toEqual([hex('0001869f 40 00000b c0ffee 00')]);
});

test('B-048 an unknown AVP of a vendor, with its flags', () => {
  const unknown = avp(7, hex('01020304'), { vendor: 4711, flags: 0xe0 });
  expect(refused(ccr({ more: [unknown] })).failed).toEqual([unknown]);
});

test('B-049 an unknown AVP without M is ignored', () => {
  const decoded = decode(ccr({ more: [avp(99999, 'x', { flags: 0 })] }));
  expect(decoded).toMatchObject({ failure: undefined });
  expect(decoded.message).toEqual(decode(ccr()).message);
});

test('B-050 a known AVP without M whose value is not supported is ignored', () => {
  const request = ccr({ more: [avp(455, 7, { flags: 0 })] });
  const { failure, message } = decode(request);
  expect(failure).toBeUndefined();
  expect(message).not.toHaveProperty('Multiple-Services-Indicator');
  expect(refused(ccr({ more: [avp(455, 7)] })).resultCode).toBe(5004);
});

test('B-051 an unknown group without M is skipped, whatever is in it', () => {
  const inner = group(99998, [avp(99997, 1)]);
  const unknown = group(99999, [inner, avp(99996, 1, { length: 0xffff })], { flags: 0 });
  expect(decode(ccr({ more: [unknown] })).failure).toBeUndefined();
  const inService = group(services, [unknown]);
  expect(decode(ccr({ more: [inService] })).failure).toBeUndefined();
});

test('B-052 an unknown member with M: the chain of groups with only the member in it', () => {
  const unknown = avp(99999, 'secret');
  const service = group(services, [
    avp(432, 1),
    group(used, [avp(420, 60), unknown, avp(452, 0)]),
    avp(448, 3600),
  ]);
  const { resultCode, failed, decoded } = refused(ccr({ more: [service, avp(1, 'after')] }));
  expect(resultCode).toBe(5001);
  expect(failed).toEqual([group(services, [group(used, [unknown])])]);
  expect(decoded.message).toMatchObject({
    'User-Name': 'after',
    'Multiple-Services-Credit-Control': [
      { 'Rating-Group': 1, 'Used-Service-Unit': [{ 'CC-Time': 60 }], 'Validity-Time': 3600 },
    ],
  });
});

test('B-052 the chain keeps vendors', () => {
  const unknown = avp(99999, 1);
  const info = group(873, [group(874, [unknown], { vendor: 10415 })], { vendor: 10415 });
  expect(refused(ccr({ more: [info] })).failed).toEqual([info]);
});

test.each([
  ['sessionId', '00000107 40 000008'],
  ['originHost', '00000108 40 000008'],
  ['originRealm', '00000128 40 000008'],
  ['destinationRealm', '0000011b 40 000008'],
  ['serviceContextId', '000001cd 40 000008'],
  ['requestType', '000001a0 40 00000c 00000000'],
  ['requestNumber', '0000019f 40 00000c 00000000'],
])('B-057 a CCR without its %s is 5005 with an example', (name, example) => {
  const { resultCode, failed } = refused(ccr({ replace: { [name]: undefined } }));
  expect(resultCode).toBe(5005);
  expect(failed).toEqual([hex(example)]);
});

test('B-057 an example Address has six octets', () => {
  const cer = message(cerAvps.toSpliced(2, 1), { code: 257, flags: 0x80, applicationId: 0 });
  expect(refused(cer)).toMatchObject({
    resultCode: 5005,
    failed: [hex('00000101 40 00000e 000000000000 0000')],
  });
});

test('B-057 a missing member: the chain of groups with an example in it', () => {
  const { resultCode, failed } = refused(ccr({ more: [group(443, [avp(450, 0)])] }));
  expect(resultCode).toBe(5005);
  expect(failed).toEqual([group(443, [avp(444, '')])]);
  const cost = group(services, [group(used, [group(413, [])])]);
  expect(refused(ccr({ more: [cost] })).failed).toEqual([
    group(services, [group(used, [group(413, [group(445, [])])])]),
  ]);
});

test('B-057 at least one of a required group', () => {
  const { resultCode, failed } = refused(
    ccr({ more: [group(services, [group(669, [avp(449, 2), group(665, [])]), group(508, [])])] }),
  );
  expect(resultCode).toBe(5005);
  expect(failed).toEqual([group(services, [group(508, [group(509, [], { flags: 0 })])])]);
});

test('B-058 B-072 more than one is 5009, with the first that is too many', () => {
  const second = avp(415, 8);
  const { resultCode, failed, decoded } = refused(ccr({ more: [second, avp(415, 9)] }));
  expect(resultCode).toBe(5009);
  expect(failed).toEqual([second]);
  expect(decoded.message).toMatchObject({ 'CC-Request-Number': 7 });
});

test('B-058 more than one in a group: the chain with the second', () => {
  const service = group(services, [avp(432, 1), avp(432, 2)]);
  expect(refused(ccr({ more: [service] }))).toMatchObject({
    resultCode: 5009,
    failed: [group(services, [avp(432, 2)])],
  });
});

test.each([
  ['Result-Code', avp(268, 2001)],
  ['CC-Session-Failover', avp(418, 1)],
  ['Granted-Service-Unit', group(431, [])],
  ['Validity-Time', avp(448, 60)],
  ['Failed-AVP', group(279, [avp(1, 'x')])],
])('B-059 %s in a CCR is 5008 with a copy', (_, forbidden) => {
  const { resultCode, failed } = refused(ccr({ more: [forbidden] }));
  expect(resultCode).toBe(5008);
  expect(failed).toEqual([forbidden]);
});

test('B-059 what no table excludes is admitted by *[ AVP ], under its own name', () => {
  const { failure, message } = decode(ccr({ more: [avp(480, 2), avp(485, 1), avp(485, 2)] }));
  expect(failure).toBeUndefined();
  expect(message).toMatchObject({
    'Accounting-Record-Type': [2],
    'Accounting-Record-Number': [1, 2],
  });
});

test.each([0, 5, 9, 0xffffffff])('B-060 CC-Request-Type %d is 5004 with a copy', (type) => {
  const offending = avp(416, type);
  const { resultCode, failed } = refused(ccr({ replace: { requestType: offending } }));
  expect(resultCode).toBe(5004);
  expect(failed).toEqual([offending]);
});

test('B-060 a value in a group: the chain with the member', () => {
  const id = group(443, [avp(450, 17), avp(444, '49170')]);
  expect(refused(ccr({ more: [id] }))).toMatchObject({
    resultCode: 5004,
    failed: [group(443, [avp(450, 17)])],
  });
});

test('B-060 numbers that a vendor may have added since are accepted, and 5004 in strict mode', () => {
  const reason = group(services, [avp(872, 77, { vendor: 10415 })]);
  expect(decode(ccr({ more: [reason] }))).toMatchObject({
    failure: undefined,
    message: { 'Multiple-Services-Credit-Control': [{ 'Reporting-Reason': [77] }] },
  });
  expect(refused(ccr({ more: [reason] }), { strict: true }).failed).toEqual([reason]);
});

test.each([
  ['IPv4 with 5 octets', '0001 0a00000100'],
  ['IPv6 with 4 octets', '0002 0a000001'],
  ['E.164 that is no text', '0008 ff'],
])('B-060 an Address of %s is 5004', (_, octets) => {
  const offending = avp(257, hex(octets));
  const cer = message(cerAvps.with(2, offending), { code: 257, flags: 0x80, applicationId: 0 });
  expect(refused(cer)).toMatchObject({ resultCode: 5004, failed: [offending] });
});

test('B-061 contradictions are for the reader to find, with their AVPs', () => {
  const request = ccr({ more: [avp(436, 0)] });
  const both = [encodeAvp('CC-Request-Type', 2), encodeAvp('Requested-Action', 0)];
  const answer = answerFailure(
    decode(request),
    { host: 'ocs', realm: 'r' },
    failure('DIAMETER_CONTRADICTING_AVPS', 'Requested-Action in an update', both),
  )!;
  const parsed = strictErrorAnswer(answer, request);
  expect(parsed.number(268)).toBe(5007);
  expect(parsed.failed.map(({ bytes }) => bytes)).toEqual([avp(416, 2), avp(436, 0)]);
});

test('B-062 of several faults the first gives the one Result-Code and Failed-AVP', () => {
  const request = ccr({
    replace: { serviceContextId: undefined, requestType: avp(416, 9) },
    more: [avp(99999, 'x'), avp(415, 8), avp(1, hex('ff'))],
  });
  const { resultCode, failed, decoded } = refused(request);
  expect(resultCode).toBe(5004);
  expect(failed).toEqual([avp(416, 9)]);
  expect(decoded.message).toMatchObject({ 'CC-Request-Number': 7, 'Origin-Host': 'gw.example' });
});

test('B-031 an unknown command is 3001 with E; its Session-Id and Proxy-Info are known', () => {
  const proxy = group(284, [avp(280, 'agent'), avp(33, hex('00ff'))]);
  const request = message([avp(263, 'a;1;2'), proxy, avp(99999, 'x')], { code: 999 });
  const { resultCode, error, failed, decoded } = refused(request);
  expect({ resultCode, error, failed }).toEqual({ resultCode: 3001, error: true, failed: [] });
  expect(decoded).toMatchObject({
    name: undefined,
    message: { 'Session-Id': ['a;1;2'] },
    raw: { sessionId: Buffer.from('a;1;2'), proxyInfo: [proxy] },
  });
});

test('B-091 a Vendor-Specific-Application-Id with no application, or with two', () => {
  const cer = (...members: Buffer[]) =>
    message([...cerAvps, group(260, [avp(266, 10415), ...members])], {
      code: 257,
      flags: 0x80,
      applicationId: 0,
    });
  expect(decode(cer(avp(258, 4))).failure).toBeUndefined();
  expect(refused(cer())).toMatchObject({
    resultCode: 5005,
    failed: [group(260, [avp(258, 0), avp(259, 0)])],
  });
  expect(refused(cer(avp(259, 3), avp(258, 4)))).toMatchObject({
    resultCode: 5009,
    failed: [group(260, [avp(258, 4), avp(259, 3)])],
  });
});

test('a refused request still carries its usage', () => {
  const service = (rating: number, octets: bigint, ...more: Buffer[]) =>
    group(services, [avp(432, rating), group(used, [...more, avp(421, u64(octets))])]);
  const request = ccr({
    replace: { serviceContextId: undefined },
    more: [service(1, 100n), service(2, 2n ** 64n - 1n, avp(420, u32(7), { length: 0xffff }))],
  });
  const { decoded, resultCode } = refused(request);
  expect(resultCode).toBe(5014);
  expect(decoded.message).toMatchObject({
    'Multiple-Services-Credit-Control': [
      { 'Rating-Group': 1, 'Used-Service-Unit': [{ 'CC-Total-Octets': 100n }] },
      { 'Rating-Group': 2, 'Used-Service-Unit': [{}] },
    ],
  });
});

test('nothing inside a received Failed-AVP is a failure', () => {
  const failedAvp = group(279, [avp(99999, 'x'), avp(416, 77), avp(443, ''), avp(415, 'abc')]);
  const raa = message(
    [avp(263, 'a;1;2'), avp(268, 5001), avp(264, 'gw'), avp(296, 'r'), failedAvp],
    { code: 258, flags: 0x40 },
  );
  expect(decode(raa, { strict: true })).toMatchObject({ name: 'RAA', failure: undefined });
});

test('a copy of a refused AVP is whole, although it names vendor 0 where none was needed', () => {
  const zero = hex('00000006 c0000010 00000000 00000014');
  const { failure } = decode(ccr({ more: [zero] }));
  expect(failure?.resultCode).toBe(5004);
  expect(failure?.failedAvp?.map((one) => one.toString('hex'))).toEqual([zero.toString('hex')]);
});
