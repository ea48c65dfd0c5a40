/** RFC 6733 8.8: the Session-Id is the peer's, octet by octet. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { answerFailure } from '../../src/diameter/answer.ts';
import { decode } from '../../src/diameter/decode.ts';
import { encode, encodeAvp } from '../../src/diameter/encode.ts';
import { answerHeader } from '../../src/diameter/header.ts';
import { opaqueTextBytes, readOpaqueText } from '../../src/diameter/text.ts';
import { avp, ccr, hex } from './bytes.ts';
import { strictErrorAnswer, strictParse } from './strict-parser.ts';

function withSessionId(octets: Buffer | string) {
  const request = ccr({ replace: { sessionId: avp(263, octets) } });
  return { request, decoded: decode(request) };
}

test.each(['gw.example;1;2', 'host;abc', 'session 12', '', 'no-semicolon', 'a;1;2;opt;more'])(
  'B-071 %j is accepted',
  (text) => {
    const { decoded } = withSessionId(text);
    expect(decoded).toMatchObject({ failure: undefined, message: { 'Session-Id': text } });
  },
);

test.each(['00', '6100ff62', 'ff', 'c328', 'eda080', 'f0908080', 'f09f9280 80', '80f09f92'])(
  'B-063 B-071 octets %s are accepted and come back',
  (octets) => {
    const { request, decoded } = withSessionId(hex(octets));
    expect(decoded.failure).toBeUndefined();
    expect(decoded.raw.sessionId).toEqual(hex(octets));
    const failed = decode(
      ccr({ replace: { sessionId: avp(263, hex(octets)), requestType: undefined } }),
    );
    const answer = answerFailure(failed, { host: 'ocs', realm: 'r' })!;
    expect(strictErrorAnswer(answer, request).all(263)).toEqual([hex(octets)]);
  },
);

test('B-071 octets that are no text become lone surrogates', () => {
  expect(withSessionId(hex('6180c3b662ff')).decoded.message).toMatchObject({
    'Session-Id': 'a\udc80öb\udcff',
  });
});

test('B-071 the octets can be had back from the string', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (octets) => {
      const bytes = Buffer.from(octets);
      const text = readOpaqueText(bytes);
      expect(opaqueTextBytes(text)).toEqual(bytes);
      expect(encodeAvp('Session-Id', text)).toEqual(avp(263, bytes));
    }),
  );
});

test('B-071 case matters, and different octets are different strings', () => {
  const octets = fc.array(fc.constantFrom(0x61, 0x41, 0x80, 0xc3, 0xb6, 0xf0, 0x9f, 0x92));
  fc.assert(
    fc.property(octets, octets, (a, b) => {
      const [one, other] = [Buffer.from(a), Buffer.from(b)];
      expect(readOpaqueText(one) === readOpaqueText(other)).toBe(one.equals(other));
    }),
  );
});

test('B-070 an answer repeats it first, from the string or from the octets', () => {
  const sessionId = hex('67 ff 00 3b');
  const { decoded } = withSessionId(sessionId);
  if (decoded.name !== 'CCR' || decoded.failure !== undefined) throw new Error('not a CCR');
  const cca = {
    'Origin-Host': 'ocs',
    'Session-Id': decoded.message['Session-Id'],
    'Origin-Realm': 'r',
    'Result-Code': 2001,
    'Auth-Application-Id': 4,
    'CC-Request-Type': 2,
    'CC-Request-Number': 7,
  };
  const header = answerHeader(decoded.header);
  const fromText = encode('CCA', header, cca);
  expect(strictParse(fromText).avps[0]).toMatchObject({ code: 263, data: sessionId });
  expect(encode('CCA', header, { ...cca, 'Session-Id': '' }, decoded.raw)).toEqual(fromText);
});

test('B-072 two different ones are 5009; the first is the message’s', () => {
  const second = avp(263, 'other');
  const { failure, raw, message } = decode(ccr({ more: [second] }));
  expect(failure).toMatchObject({ resultCode: 5009, failedAvp: [Buffer.concat([second], 16)] });
  expect(raw.sessionId?.toString()).toBe('gw.example;1;2');
  expect(message).toMatchObject({ 'Session-Id': 'gw.example;1;2' });
});
