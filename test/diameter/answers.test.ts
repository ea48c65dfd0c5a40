/** RFC 6733 6.2, 7.1 and 7.2: the answers that say what was wrong. */
import { expect, test } from 'vitest';
import { answerFailure } from '../../src/diameter/answer.ts';
import { decode } from '../../src/diameter/decode.ts';
import { encode, encodeAnswerMessage } from '../../src/diameter/encode.ts';
import { failure } from '../../src/diameter/failure.ts';
import {
  isProtocolError,
  type ResultCodeName,
  resultClass,
  resultCodes,
} from '../../src/diameter/result-codes.ts';
import { skim } from '../../src/diameter/skim.ts';
import { avp, ccr, cerAvps, group, hex, M, message, u64 } from './bytes.ts';
import { strictErrorAnswer } from './strict-parser.ts';

const origin = { host: 'ocs', realm: 'r' };

/** The answer to a good request that its reader refuses, as a strict peer reads it. */
function answered(request: Buffer, code: ResultCodeName, failedAvp: Buffer[] = []) {
  const answer = answerFailure(decode(request), origin, failure(code, 'why', failedAvp))!;
  return strictErrorAnswer(answer, request);
}

test('B-143 B-070 B-126 the octets of an answer with E', () => {
  const proxy = group(284, [avp(280, 'a'), avp(33, hex('00'))]);
  const request = ccr({ more: [proxy] });
  const answer = answerFailure(
    decode(request),
    { ...origin, stateId: 5 },
    failure('DIAMETER_TOO_BUSY', 'busy'),
  );
  expect(answer).toEqual(
    message(
      [
        avp(263, 'gw.example;1;2'),
        avp(264, 'ocs'),
        avp(296, 'r'),
        avp(268, 3004),
        avp(278, 5),
        avp(281, 'busy', { flags: 0 }),
        proxy,
      ],
      { flags: 0x60 },
    ),
  );
});

test('B-142 B-034 the octets of an answer by the grammar of CCA', () => {
  const request = ccr({ more: [avp(419, u64(9n))] });
  const rating = avp(432, 7);
  const answer = answerFailure(
    decode(request),
    origin,
    failure('DIAMETER_RATING_FAILED', 'no tariff', [rating]),
  );
  expect(answer).toEqual(
    message(
      [
        avp(263, 'gw.example;1;2'),
        avp(268, 5031),
        avp(264, 'ocs'),
        avp(296, 'r'),
        avp(258, 4),
        avp(416, 2),
        avp(415, 7),
        avp(419, u64(9n)),
        group(279, [rating]),
        avp(281, 'no tariff', { flags: 0 }),
      ],
      { flags: 0x40 },
    ),
  );
});

test('B-140 every 3xxx has E, and keeps the code and the application', () => {
  for (const [name, code] of Object.entries(resultCodes)) {
    if (resultClass(code) !== 'protocol') continue;
    expect(failure(name as ResultCodeName, '').eBit).toBe(true);
    const { error, number } = answered(ccr(), name as ResultCodeName);
    expect({ error, code: number(268) }).toEqual({ error: true, code });
  }
});

test('B-141 every 4xxx has no E', () => {
  for (const [name, code] of Object.entries(resultCodes)) {
    if (resultClass(code) !== 'transient') continue;
    expect(answered(ccr(), name as ResultCodeName).error).toBe(false);
  }
});

test('B-141 a 4xxx that cannot keep the grammar of CCA is 5012 with E', () => {
  const request = ccr({ replace: { requestNumber: undefined } });
  const limit = failure('DIAMETER_CREDIT_LIMIT_REACHED', 'no credit');
  for (const known of [decode(request), skim(request)]) {
    const parsed = strictErrorAnswer(answerFailure(known, origin, limit)!, request);
    expect({ error: parsed.error, code: parsed.number(268) }).toEqual({ error: true, code: 5012 });
  }
});

test('B-140 the encoder sends no 3xxx without E', () => {
  const header = { applicationId: 0, hopByHop: 0, endToEnd: 0 };
  const dwa = { 'Result-Code': 3004, 'Origin-Host': 'ocs', 'Origin-Realm': 'r' };
  expect(() => encode('DWA', header, dwa)).toThrow('3004 in DWA');
  expect(encodeAnswerMessage(280, header, dwa)[4]).toBe(0x20);
});

test('B-142 a 5xxx has no E where type and number of the CCR are known', () => {
  const parsed = answered(ccr(), 'DIAMETER_UNABLE_TO_COMPLY');
  expect(parsed.error).toBe(false);
  expect([parsed.number(416), parsed.number(415), parsed.number(258)]).toEqual([2, 7, 4]);
});

test('B-142 a 5xxx has E where the grammar of CCA cannot be kept', () => {
  const request = ccr({ replace: { requestType: undefined } });
  const answer = strictErrorAnswer(answerFailure(decode(request), origin)!, request);
  expect(answer.error).toBe(true);
  expect(answer.number(268)).toBe(5005);
  expect(answer.all(263).map(String)).toEqual(['gw.example;1;2']);
});

test('B-143 B-034 commands without a session', () => {
  const dwr = message([avp(264, 'gw')], { code: 280, flags: 0x80, applicationId: 0 });
  const answer = answerFailure(decode(dwr), { ...origin, stateId: 1 })!;
  expect(strictErrorAnswer(answer, dwr)).toMatchObject({ error: false, code: 280 });
  const dpr = message([avp(264, 'gw'), avp(296, 'r')], {
    code: 282,
    flags: 0x80,
    applicationId: 0,
  });
  const dpa = strictErrorAnswer(answerFailure(decode(dpr), { ...origin, stateId: 1 })!, dpr);
  expect(dpa).toMatchObject({ error: false, code: 282 });
  expect(dpa.failed.map(({ bytes }) => bytes)).toEqual([avp(273, 0)]);
  expect(dpa.all(278)).toEqual([]);
});

test('B-034 B-082 a CEA by its own grammar where the capabilities are given', () => {
  const cer = message(cerAvps.slice(1), { code: 257, flags: 0x80, applicationId: 0 });
  const capabilities = {
    'Host-IP-Address': [{ family: 1, address: '10.0.0.2' }],
    'Vendor-Id': 0,
    'Product-Name': 'ocs',
  };
  const cea = answerFailure(decode(cer), origin, undefined, capabilities)!;
  const parsed = strictErrorAnswer(cea, cer);
  expect(parsed).toMatchObject({ error: false, code: 257 });
  expect(parsed.failed.map(({ bytes }) => bytes)).toEqual([avp(264, '')]);
  expect(parsed.all(269).map(String)).toEqual(['ocs']);
  expect(strictErrorAnswer(answerFailure(decode(cer), origin)!, cer).error).toBe(true);
});

test.each([
  ['RAR', 258, [avp(283, 'r'), avp(293, 'gw'), avp(258, 4), avp(285, 0)]],
  ['ASR', 274, [avp(283, 'r'), avp(293, 'gw'), avp(258, 4)]],
  ['STR', 275, [avp(283, 'r'), avp(258, 4), avp(295, 1)]],
] as const)('B-034 a refused %s', (name, code, own) => {
  const request = message([avp(263, 's'), avp(264, 'gw'), avp(296, 'r'), ...own], { code });
  expect(decode(request)).toMatchObject({ name, failure: undefined });
  const parsed = answered(request, 'DIAMETER_UNKNOWN_SESSION_ID');
  expect(parsed).toMatchObject({ error: false, code });
  expect(parsed.avps[0]).toMatchObject({ code: 263 });
});

test('B-126 every Proxy-Info comes back unchanged and in order, in both forms', () => {
  const proxies = [
    group(284, [avp(280, 'b'), avp(33, hex('00ff00'))]),
    group(284, [avp(33, Buffer.alloc(300, 7)), avp(280, 'a'), avp(99999, 'x', { flags: 0 })]),
    group(284, [avp(280, 'b'), avp(33, hex('00ff00'))], { flags: 0x60 }),
  ];
  const request = ccr({ more: proxies });
  expect(decode(request).failure).toBeUndefined();
  const answers = [
    answerFailure(decode(request), origin, failure('DIAMETER_TOO_BUSY', '')),
    answerFailure(decode(request), origin, failure('DIAMETER_UNABLE_TO_COMPLY', '')),
  ];
  for (const answer of answers) {
    expect(answer!.includes(Buffer.concat(proxies))).toBe(true);
  }
});

test('B-144 exactly one Result-Code', () => {
  expect(answered(ccr(), 'DIAMETER_UNABLE_TO_COMPLY').all(268)).toHaveLength(1);
});

test('B-145 B-146 B-056 Error-Message has no M, and Error-Reporting-Host is left out', () => {
  for (const code of ['DIAMETER_TOO_BUSY', 'DIAMETER_UNABLE_TO_COMPLY'] as const) {
    const { avps } = answered(ccr(), code);
    expect(avps.find((one) => one.code === 281)).toMatchObject({ flags: 0 });
    expect(avps.some((one) => one.code === 294)).toBe(false);
  }
});

test('B-147 the class of a code that no table has', () => {
  expect([7001, 0, 999, 6000].map(resultClass)).toEqual(new Array(4).fill('permanent'));
  expect([1001, 2999, 3999, 4999, 5999].map(resultClass)).toEqual([
    'informational',
    'success',
    'protocol',
    'transient',
    'permanent',
  ]);
  expect([3002, 4012, 5012].map(isProtocolError)).toEqual([true, false, false]);
});

test.each([
  ['5001', ccr({ more: [avp(99999, 1)] })],
  ['5004', ccr({ replace: { requestType: avp(416, 9) } })],
  ['5005', ccr({ replace: { serviceContextId: undefined } })],
  ['5008', ccr({ more: [avp(268, 2001)] })],
  ['5009', ccr({ more: [avp(415, 8)] })],
  ['5014', ccr({ more: [avp(1, 'x', { length: 7 })] })],
])('B-148 %s comes with a Failed-AVP', (code, request) => {
  const parsed = strictErrorAnswer(answerFailure(decode(request), origin)!, request);
  expect(parsed.number(268)).toBe(Number(code));
  expect(parsed.failed).toHaveLength(1);
});

test('B-148 5007 and 5031 take what their finder gives', () => {
  for (const code of ['DIAMETER_CONTRADICTING_AVPS', 'DIAMETER_RATING_FAILED'] as const) {
    const parsed = answered(ccr(), code, [avp(432, 0)]);
    expect(parsed.failed.map(({ bytes }) => bytes)).toEqual([avp(432, 0)]);
  }
});

test('B-149 an answer, however broken, is not answered', () => {
  const raa = message([avp(99999, 1)], { code: 258, flags: 0x40 });
  expect(decode(raa).failure).toMatchObject({ resultCode: 5001 });
  expect(answerFailure(decode(raa), origin)).toBeUndefined();
  expect(answerFailure(decode(message([], { code: 999, flags: 0 })), origin)).toBeUndefined();
});

test('B-150 an answer without Result-Code is a failure to its reader', () => {
  const raa = message([avp(263, 's'), avp(264, 'gw'), avp(296, 'r')], { code: 258, flags: 0x40 });
  expect(decode(raa)).toMatchObject({
    name: 'RAA',
    failure: { resultCode: 5005 },
    message: { 'Session-Id': 's' },
  });
});

test('B-152 answers mirror P and never carry T or a destination', () => {
  for (const flags of [0x80, 0xc0, 0xd0, 0x90]) {
    const request = ccr({ more: [avp(293, 'ocs')] }, { flags });
    strictErrorAnswer(
      answerFailure(decode(request), origin, failure('DIAMETER_TOO_BUSY', ''))!,
      request,
    );
  }
});

test.each([
  ['5011', ccr({}, { version: 2 })],
  ['5015', ccr({}, { length: 999 })],
])('B-153 %s is answered with what is known', (code, request) => {
  const parsed = strictErrorAnswer(answerFailure(decode(request), origin)!, request);
  expect(parsed.number(268)).toBe(Number(code));
});

test('B-153 5013 in strict mode', () => {
  const request = ccr({}, { flags: 0xc8 });
  const answer = answerFailure(decode(request, { strict: true }), origin)!;
  expect(strictErrorAnswer(answer, request).number(268)).toBe(5013);
});

test('a message that is only skimmed can be answered', () => {
  const proxy = group(284, [avp(280, 'b'), avp(33, hex('00ff00'))]);
  const request = ccr({ more: [avp(456, hex('ffff')), proxy] });
  const skimmed = skim(request);
  expect(skimmed.raw).toEqual({ sessionId: Buffer.from('gw.example;1;2'), proxyInfo: [proxy] });
  const answer = answerFailure(skimmed, origin, failure('DIAMETER_TOO_BUSY', 'busy'))!;
  const parsed = strictErrorAnswer(answer, request);
  expect(parsed).toMatchObject({ error: true });
  expect(parsed.all(263)).toHaveLength(1);
  expect(parsed.all(284)).toHaveLength(1);
});

test('B-143 an answer with E is read by the common grammar, whatever its command', () => {
  const error = encodeAnswerMessage(
    258,
    { applicationId: 4, hopByHop: 1, endToEnd: 2 },
    { 'Session-Id': 's', 'Origin-Host': 'gw', 'Origin-Realm': 'r', 'Result-Code': 3002 },
  );
  expect(decode(error, { strict: true })).toMatchObject({
    name: 'answer-message',
    failure: undefined,
    header: { code: 258, error: true, proxiable: false },
    message: { 'Result-Code': 3002, 'Session-Id': 's' },
  });
});

test('B-144 the encoder sends no answer without its required AVPs', () => {
  const incomplete = { 'Origin-Host': 'ocs', 'Origin-Realm': 'r' } as never;
  const header = { applicationId: 0, hopByHop: 0, endToEnd: 0 };
  expect(() => encode('DWA', header, incomplete)).toThrow('Result-Code is missing in DWA');
});

test('B-124 the encoder sends no destination in an answer', () => {
  const cca = {
    'Session-Id': 's',
    'Result-Code': 2001,
    'Origin-Host': 'ocs',
    'Origin-Realm': 'r',
    'Auth-Application-Id': 4,
    'CC-Request-Type': 2,
    'CC-Request-Number': 7,
    'Destination-Host': 'gw',
  } as never;
  const header = { applicationId: 4, hopByHop: 0, endToEnd: 0 };
  expect(() => encode('CCA', header, cca)).toThrow('Destination-Host must not be in CCA');
});

test('Error-Message fits the grammar of each answer', () => {
  const str = message([avp(263, 's')], { code: 275 });
  const parsed = strictErrorAnswer(answerFailure(decode(str), origin)!, str);
  expect(parsed.all(281).map(String)).toEqual(['Origin-Host missing in STR']);
  expect(parsed.avps.find(({ code }) => code === 281)!.flags & M).toBe(0);
});
