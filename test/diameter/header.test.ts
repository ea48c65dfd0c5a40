/** RFC 6733 3: the message header. */
import { expect, test } from 'vitest';
import { decode } from '../../src/diameter/decode.ts';
import { encode } from '../../src/diameter/encode.ts';
import { answerHeader, readHeader } from '../../src/diameter/header.ts';
import { ccr, cerAvps, hex, message } from './bytes.ts';

const header = { applicationId: 0, hopByHop: 0, endToEnd: 0xffffffff };
const dwa = { 'Result-Code': 2001, 'Origin-Host': 'ocs', 'Origin-Realm': 'r' } as const;

test('B-003 B-004 B-010 B-011 B-013 the octets of an answer', () => {
  const request = message([], { code: 280, flags: 0x80, applicationId: 0, hopByHop: 0 });
  const expected = hex(`
    01 000038  00 000118  00000000  00000000  22222222
    0000010c 40 00000c 000007d1
    00000108 40 00000b 6f6373 00
    00000128 40 000009 72 000000`);
  expect(encode('DWA', answerHeader(readHeader(request)), dwa)).toEqual(expected);
});

test('B-010 B-011 identifiers of all ones and of zeros come back', () => {
  const read = readHeader(message([], { hopByHop: 0xffffffff, endToEnd: 0 }));
  expect(answerHeader(read)).toMatchObject({ hopByHop: 0xffffffff, endToEnd: 0 });
});

test('B-001 another version is 5011, and nothing after the header is read', () => {
  const { failure, message: understood, header } = decode(ccr({}, { version: 2 }));
  expect(failure).toMatchObject({ resultCode: 5011, eBit: false });
  expect(understood).toEqual({});
  expect(header).toMatchObject({ version: 2, hopByHop: 0x11111111, endToEnd: 0x22222222 });
});

test.each([16, 19, 21, 22, 23])('B-002 a message length of %d is 5015', (length) => {
  const frame = ccr({}, { length }).subarray(0, Math.max(length, 20));
  expect(decode(frame).failure).toMatchObject({ resultCode: 5015 });
});

test('B-002 a length that is not that of the frame is 5015', () => {
  expect(decode(ccr({}, { length: 400 })).failure).toMatchObject({ resultCode: 5015 });
});

test.each([0, 1, 4, 19])('B-002 %d octets are a failure, not an exception', (length) => {
  expect(decode(ccr().subarray(0, length)).failure).toBeDefined();
});

test('B-004 the R flag tells a request from an answer of the same code', () => {
  expect(decode(message([], { code: 280, flags: 0x80 })).name).toBe('DWR');
  expect(decode(message([], { code: 280, flags: 0 })).name).toBe('DWA');
});

test.each([0xc0, 0x80])('B-005 the P flag of the answer is that of the request, %#x', (flags) => {
  const { proxiable } = answerHeader(readHeader(ccr({}, { flags })));
  const cca = encode('DWA', { ...header, proxiable: proxiable ?? false }, dwa);
  expect(cca[4]! & 0x40).toBe(flags & 0x40);
});

test('B-006 the E flag in a request is 3008 with E', () => {
  expect(decode(ccr({}, { flags: 0xa0 })).failure).toMatchObject({ resultCode: 3008, eBit: true });
});

test('B-007 P on a CER is accepted, and 3008 in strict mode', () => {
  const cer = message(cerAvps, { code: 257, flags: 0xc0, applicationId: 0 });
  expect(decode(cer).failure).toBeUndefined();
  expect(decode(cer, { strict: true }).failure).toMatchObject({ resultCode: 3008, eBit: true });
});

test('B-007 a clear P on a CCR is legal, in strict mode too', () => {
  expect(decode(ccr({}, { flags: 0x80 }), { strict: true }).failure).toBeUndefined();
});

test('B-008 T is read in requests, kept out of answers, and set only when asked for', () => {
  const decoded = decode(ccr({}, { flags: 0xd0 }));
  expect(decoded.failure).toBeUndefined();
  expect(decoded.header.retransmitted).toBe(true);
  expect(encode('DWA', { ...header, retransmitted: true }, dwa)[4]).toBe(0);
  const dwr = { 'Origin-Host': 'ocs', 'Origin-Realm': 'r' };
  expect(encode('DWR', header, dwr)[4]).toBe(0x80);
  expect(encode('DWR', { ...header, retransmitted: true }, dwr)[4]).toBe(0x90);
});

test('B-009 reserved header flags are ignored, and 5013 in strict mode', () => {
  const frame = ccr({}, { flags: 0xc1 });
  expect(decode(frame).failure).toBeUndefined();
  expect(decode(frame, { strict: true }).failure).toMatchObject({ resultCode: 5013, eBit: false });
});

test('B-015 an Auth-Application-Id other than the header says is 5004', () => {
  const { failure } = decode(ccr({}, { applicationId: 16777238 }));
  expect(failure).toMatchObject({ resultCode: 5004 });
  expect(failure!.failedAvp[0]).toEqual(hex('00000102 40 00000c 00000004'));
});
