/** RAR and ASR as the RFCs write them, and what their answers come to. */
import { describe, expect, test } from 'vitest';
import { commands } from '../../src/diameter/commands.ts';
import { decode } from '../../src/diameter/decode.ts';
import { encode } from '../../src/diameter/encode.ts';
import { replyOf, toASR, toRAR } from '../../src/ro/initiated.ts';
import { avp, E, message, P, parse, R } from '../peer/raw.ts';
import { sessionOf } from '../store/samples.ts';

const account = { tenant: 'north', account: 'a' };
const asker = { host: 'ocs.example', realm: 'example', stateId: 3 };
const session = sessionOf(account, {
  ...{ sessionId: 'gw.example;1', client: { host: 'gw.example', realm: 'visited.example' } },
});
const header = { applicationId: 4, hopByHop: 1, endToEnd: 2, proxiable: true };

/** AVP codes and contents of a request, read by a parser that is not the product's. */
function avps(bytes: Buffer) {
  return parse(bytes).avps.map(({ code, data }) => [code, data.toString('hex')]);
}

const hex = (value: string | number): string =>
  typeof value === 'string'
    ? Buffer.from(value).toString('hex')
    : value.toString(16).padStart(8, '0');

const common = [
  [263, hex('gw.example;1')],
  [264, hex('ocs.example')],
  [296, hex('example')],
  [283, hex('visited.example')],
  [293, hex('gw.example')],
  [258, hex(4)],
];

describe('a RAR', () => {
  test('C-200 without a scope: application 4, AUTHORIZE_ONLY, and no AVP that narrows it', () => {
    const bytes = encode('RAR', header, toRAR(session, {}, asker));
    expect(avps(bytes)).toEqual([...common, [285, hex(0)], [278, hex(3)]]);
    expect(parse(bytes)).toMatchObject({ command: 258, application: 4, flags: R | P });
  });

  test.each([
    ['a rating group', { ratingGroup: 10 }, [[432, hex(10)]]],
    ['a service', { serviceId: 7 }, [[439, hex(7)]]],
    ['a pool', { pool: 5 }, [[453, hex(5)]]],
  ] as const)('C-008 C-200 G-007 for %s', (_, scope, added) => {
    const found = avps(encode('RAR', header, toRAR(session, scope, asker)));
    expect(found.slice(common.length + 2)).toEqual(added);
  });

  test('names a session that is no text octet for octet', () => {
    const odd = { ...session, sessionId: 'a\ufffd0ab\ufffdff\ufffd\ufffd' };
    const [first] = avps(encode('RAR', header, toRAR(odd, {}, asker)));
    expect(first).toEqual([263, '610a62ffefbfbd']);
  });

  test('C-200 for a sub-session', () => {
    const sub = { ...session, subSessionId: '18446744073709551615' };
    const found = avps(encode('RAR', header, toRAR(sub, {}, asker)));
    expect(found).toContainEqual([419, 'ffffffffffffffff']);
  });
});

test('G-007 an ASR is the same without Re-Auth-Request-Type', () => {
  const bytes = encode('ASR', header, toASR(session, asker));
  expect(avps(bytes)).toEqual([...common, [278, hex(3)]]);
  expect(parse(bytes)).toMatchObject({ command: 274, application: 4 });
  expect(commands.ASR.some((line) => line.includes('Re-Auth-Request-Type'))).toBe(false);
});

describe('an answer', () => {
  test.each([
    [2001, 'acknowledged'],
    [2002, 'acknowledged'],
    [2999, 'acknowledged'],
    [4002, 'later'],
    [5002, 'unknown-session'],
    [5012, 'refused'],
    [5999, 'refused'],
  ])('of %i is %s', (code, reply) => {
    const bytes = message({ command: 258, application: 4, flags: P }, [
      ...[avp(263, 'gw.example;1'), avp(268, code)],
      ...[avp(264, 'gw.example'), avp(296, 'visited.example')],
    ]);
    expect(replyOf(decode(bytes))).toEqual({ reply, resultCode: code });
  });

  test('with the E flag did not reach the client', () => {
    const bytes = message({ command: 258, application: 4, flags: P | E }, [
      ...[avp(264, 'dra.example'), avp(296, 'example')],
      avp(268, 3002),
    ]);
    expect(replyOf(decode(bytes))).toEqual({ reply: 'undeliverable', resultCode: 3002 });
  });

  test('without a Result-Code comes to nothing', () => {
    const bytes = message({ command: 258, application: 4, flags: P }, [avp(263, 'gw.example;1')]);
    expect(replyOf(decode(bytes)).reply).toBe('later');
  });
});
