/** RFC 6733 4.1, 4.2 and 4.4: the AVP header, padding, lengths and groups. */
import { expect, test } from 'vitest';
import { answerFailure } from '../../src/diameter/answer.ts';
import { type DecodeOptions, decode } from '../../src/diameter/decode.ts';
import { encodeAvp } from '../../src/diameter/encode.ts';
import { avp, ccr, ccrAvps, group, hex, M, message, u32, V } from './bytes.ts';
import { strictErrorAnswer } from './strict-parser.ts';

/** Decodes a CCR with more AVPs. */
function withAvps(more: Buffer[], options?: DecodeOptions) {
  return decode(ccr({ more }), options);
}

/** The failure of a request whose answer a strict peer can read, with the AVPs in Failed-AVP. */
function refused(request: Buffer, options?: DecodeOptions) {
  const decoded = decode(request, options);
  const answer = answerFailure(decoded, { host: 'ocs', realm: 'r' })!;
  const { failed } = strictErrorAnswer(answer, request);
  return { resultCode: decoded.failure!.resultCode, failed, decoded };
}

const services = 456;
const used = 446;

test('B-040 B-041 the octets of AVPs with and without a vendor', () => {
  expect(encodeAvp('User-Name', 'abc')).toEqual(hex('00000001 40 00000b 61626300'));
  expect(encodeAvp('CC-Request-Number', 1)).toEqual(hex('0000019f 40 00000c 00000001'));
  expect(encodeAvp('3GPP-IMSI', '001')).toEqual(hex('00000001 c0 00000f 000028af 30303100'));
  expect(encodeAvp('CC-Money', { 'Unit-Value': { 'Value-Digits': 5n, Exponent: -2 } })).toEqual(
    hex(`0000019d 40 00002c
           000001bd 40 000024
             000001bf 40 000010 0000000000000005
             000001ad 40 00000c fffffffe`),
  );
});

test.each([1, 2, 3, 4, 5, 6, 7, 8])('B-041 a text of %d octets is padded to 4', (length) => {
  const text = 'abcdefgh'.slice(0, length);
  const encoded = encodeAvp('User-Name', text);
  expect(encoded).toEqual(avp(1, text));
  expect(encoded.length % 4).toBe(0);
  expect(withAvps([encoded]).message).toMatchObject({ 'User-Name': text });
});

test('B-041 padding counts in the length of the group around it', () => {
  const id = encodeAvp('Subscription-Id', {
    'Subscription-Id-Type': 0,
    'Subscription-Id-Data': '49170',
  });
  expect(id).toEqual(group(443, [avp(450, 0), avp(444, '49170')]));
  expect(id.readUIntBE(5, 3)).toBe(8 + 12 + 16);
  const last = avp(444, '49170').subarray(0, -3);
  const unpadded = group(443, [avp(450, 0), last]);
  const expected = [{ 'Subscription-Id-Type': 0, 'Subscription-Id-Data': '49170' }];
  expect(withAvps([unpadded]).message).toMatchObject({ 'Subscription-Id': expected });
  expect(withAvps([unpadded], { strict: true }).failure).toMatchObject({ resultCode: 5014 });
});

test('B-042 padding that is not zero is accepted', () => {
  const { failure, message } = withAvps([avp(1, 'abcde', { padding: 0xff })]);
  expect(failure).toBeUndefined();
  expect(message).toMatchObject({ 'User-Name': 'abcde' });
});

test.each([0, 4, 7])('B-043 an AVP length of %d is 5014 with a zero-filled example', (length) => {
  const { resultCode, failed } = refused(ccr({ more: [avp(415, 9, { length })] }));
  expect(resultCode).toBe(5014);
  expect(failed.map(({ bytes }) => bytes)).toEqual([hex('0000019f 40 00000c 00000000')]);
});

test.each([8, 9, 10, 11])('B-043 a length of %d with V is 5014', (length) => {
  const iCharging = avp(1009, 7, { vendor: 10415, length });
  const { resultCode, failed } = refused(ccr({ more: [iCharging] }));
  expect(resultCode).toBe(5014);
  expect(failed[0]).toMatchObject({ code: 1009, vendor: 10415, flags: M | V });
});

test('B-043 a header cut off by the end of the message is filled up with zeros', () => {
  const { resultCode, failed } = refused(ccr({ more: [hex('0000019f')] }));
  expect(resultCode).toBe(5014);
  expect(failed.map(({ bytes }) => bytes)).toEqual([hex('0000019f 00 00000c 00000000')]);
  const vendor = refused(ccr({ more: [hex('00000001 c0 00000c')] }));
  expect(vendor.failed.map(({ bytes }) => bytes)).toEqual([hex('00000001 c0 00000c 00000000')]);
});

test.each([
  ['Unsigned32', avp(415, 9, { length: 0xffffff }), hex('0000019f 40 00000c 00000000')],
  ['text', avp(1, 'x', { length: 0xffffff }), hex('00000001 40 000008')],
  ['a group', group(services, [avp(432, 1)], { length: 24 }), hex('000001c8 40 000008')],
  ['unknown', avp(99999, 1, { flags: 0, length: 200 }), hex('0001869f 00 000008')],
])('B-044 a length past the end, %s, is 5014 and not copied', (_, offending, expected) => {
  const { resultCode, failed } = refused(ccr({ more: [offending] }));
  expect(resultCode).toBe(5014);
  expect(failed.map(({ bytes }) => bytes)).toEqual([expected]);
});

test('B-044 past the end of its group: 5014 in the chain of groups, and the rest is read', () => {
  const bad = group(services, [group(used, [avp(420, 1), avp(420, 1, { length: 16 })])]);
  const { resultCode, failed, decoded } = refused(ccr({ more: [bad, avp(1, 'after')] }));
  expect(resultCode).toBe(5014);
  expect(failed.map(({ bytes }) => bytes)).toEqual([group(services, [group(used, [avp(420, 0)])])]);
  expect(decoded.message).toMatchObject({
    'User-Name': 'after',
    'Multiple-Services-Credit-Control': [{ 'Used-Service-Unit': [{ 'CC-Time': 1 }] }],
  });
});

test.each([
  ['Unsigned32', 415, 4],
  ['Enumerated', 416, 4],
  ['Time', 55, 4],
  ['Unsigned64', 419, 8],
])('B-045 %s of any other length is 5014', (_, code, octets) => {
  for (const wrong of [0, 3, 5, 8, 12].filter((length) => length !== octets)) {
    const own = { requestNumber: undefined, requestType: undefined };
    const request = ccr({ replace: own, more: [avp(code, Buffer.alloc(wrong, 1))] });
    const { resultCode, failed } = refused(request);
    expect(resultCode).toBe(5014);
    expect(failed.map(({ bytes }) => bytes)).toEqual([avp(code, Buffer.alloc(octets))]);
  }
});

test('B-045 Integer32, Integer64 and Float have fixed lengths too', () => {
  const value = (digits: number, exponent: number) =>
    group(413, [group(445, [avp(447, Buffer.alloc(digits)), avp(429, Buffer.alloc(exponent))])]);
  const inService = (money: Buffer) => [group(services, [group(used, [money])])];
  expect(withAvps(inService(value(8, 4))).failure).toBeUndefined();
  expect(withAvps(inService(value(4, 4))).failure).toMatchObject({ resultCode: 5014 });
  expect(withAvps(inService(value(8, 8))).failure).toMatchObject({ resultCode: 5014 });
});

test('B-046 text and octets of length 0 are legal', () => {
  const { failure, message } = withAvps([avp(1, ''), avp(411, '')]);
  expect(failure).toBeUndefined();
  expect(message).toMatchObject({ 'User-Name': '', 'CC-Correlation-Id': Buffer.alloc(0) });
});

test('B-047 vendor and code together identify an AVP', () => {
  const time = avp(420, 5, { vendor: 10415, flags: V });
  expect(withAvps([time]).message).not.toHaveProperty('CC-Time');
  expect(withAvps([avp(420, 5, { vendor: 10415 })]).failure).toMatchObject({ resultCode: 5001 });
});

test('B-047 V with vendor 0 is the IETF space', () => {
  for (const strict of [false, true]) {
    const { failure, message } = withAvps([avp(1, 'x', { vendor: 0 })], { strict });
    expect(failure).toBeUndefined();
    expect(message).toMatchObject({ 'User-Name': 'x' });
  }
});

test('B-053 three levels of groups, each with its own length and padding', () => {
  const money = group(413, [group(445, [avp(447, Buffer.alloc(8))])]);
  const { failure, message } = withAvps([group(services, [group(used, [money])])]);
  expect(failure).toBeUndefined();
  expect(message).toMatchObject({
    'Multiple-Services-Credit-Control': [
      { 'Used-Service-Unit': [{ 'CC-Money': { 'Unit-Value': { 'Value-Digits': 0n } } }] },
    ],
  });
});

function nested(levels: number): Buffer {
  // The lengths are written from the inside: 10,000 levels are 80,000 octets.
  const bytes = Buffer.concat(new Array<Buffer>(levels).fill(avp(services, '')));
  for (let level = 0; level < levels; level += 1) {
    bytes.writeUIntBE(8 * (levels - level), 8 * level + 5, 3);
  }
  return bytes;
}

test('B-053 ten thousand levels are 5012, and what follows them is read', () => {
  const request = ccr({ more: [nested(10_000), avp(1, 'after')] });
  const { resultCode, decoded } = refused(request);
  expect(resultCode).toBe(5012);
  expect(decoded.message).toMatchObject({ 'User-Name': 'after' });
});

test('B-053 the depth is a setting, ten by default', () => {
  expect(withAvps([nested(10)]).failure).toBeUndefined();
  expect(withAvps([nested(11)]).failure).toMatchObject({ resultCode: 5012 });
  expect(withAvps([nested(3)], { maxDepth: 2 }).failure).toMatchObject({ resultCode: 5012 });
});

test('B-053 the number of AVPs is bounded, eight thousand by default', () => {
  const empty = (count: number) => new Array<Buffer>(count).fill(avp(99999, '', { flags: 0 }));
  expect(withAvps(empty(8192 - 8)).failure).toBeUndefined();
  const { resultCode, decoded } = refused(ccr({ more: empty(8192 - 7) }));
  expect(resultCode).toBe(5012);
  expect(decoded.message).toMatchObject({ 'CC-Request-Number': 7 });
  expect(decode(ccr(), { maxAvps: 4 }).failure).toMatchObject({ resultCode: 5012 });
});

test('a flood of repetitions is compared, not searched for, however late the first came', () => {
  // Searching the level for each of them would be 10,000 million steps, far beyond the timeout.
  const filler = new Array<Buffer>(100_000).fill(avp(99999, '', { flags: 0 }));
  const repeated = new Array<Buffer>(100_000).fill(avp(1, 'x'));
  const { failure, message } = withAvps([...filler, ...repeated], { maxAvps: 300_000 });
  expect(failure).toBeUndefined();
  expect(message).toMatchObject({ 'User-Name': 'x' });
}, 5000);

test('two hundred services in one request pass', () => {
  const one = (rating: number) =>
    group(services, [group(437, []), group(used, [avp(420, 60), avp(452, 0)]), avp(432, rating)]);
  const { failure, message } = withAvps(Array.from({ length: 200 }, (_, i) => one(i)));
  expect(failure).toBeUndefined();
  const decoded = message as { 'Multiple-Services-Credit-Control': object[] };
  expect(decoded['Multiple-Services-Credit-Control']).toHaveLength(200);
  expect(decoded['Multiple-Services-Credit-Control'][199]).toEqual({
    'Requested-Service-Unit': {},
    'Used-Service-Unit': [{ 'CC-Time': 60, 'Tariff-Change-Usage': 0 }],
    'Rating-Group': 199,
  });
});

test.each([0x60, 0x41, 0x5f])('B-055 the P flag and reserved flags of an AVP, %#x', (flags) => {
  for (const strict of [false, true]) {
    const { failure, message } = withAvps([avp(1, 'x', { flags })], { strict });
    expect(failure).toBeUndefined();
    expect(message).toMatchObject({ 'User-Name': 'x' });
  }
});

test('B-054 M against the dictionary is accepted, and 3009 in strict mode', () => {
  const cer = message(
    [
      avp(264, 'gw'),
      avp(296, 'r'),
      avp(257, hex('0001 0a000001')),
      avp(266, u32(0)),
      avp(269, 'gateway', { flags: M }),
    ],
    { code: 257, flags: 0x80, applicationId: 0 },
  );
  expect(decode(cer)).toMatchObject({ failure: undefined, message: { 'Product-Name': 'gateway' } });
  expect(decode(cer, { strict: true }).failure).toMatchObject({ resultCode: 3009, eBit: true });
  const clear = withAvps([avp(1, 'x', { flags: 0 })], { strict: true });
  expect(clear.failure).toMatchObject({ resultCode: 3009, failedAvp: [avp(1, 'x', { flags: 0 })] });
});

test('B-035 the order of AVPs is free, that of Session-Id too', () => {
  const { sessionId, ...others } = ccrAvps;
  const turned = [...Object.values(others).toReversed(), sessionId];
  for (const strict of [false, true]) {
    const decoded = decode(message(turned), { strict });
    expect(decoded.failure).toBeUndefined();
    expect(decoded.message).toEqual(decode(ccr()).message);
  }
});
