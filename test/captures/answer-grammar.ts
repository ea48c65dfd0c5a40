/**
 * What may stand in an answer to credit control, and how: RFC 8506 3.2 and TS 32.299 6.4.3, as far
 * as we use them. Anything else, anywhere, is a fault, whatever a tolerant client might make of it.
 */
import assert from 'node:assert/strict';
import {
  type StrictAvp,
  strictAvps,
  strictErrorAnswer,
  strictParse,
} from '../diameter/strict-parser.ts';

/** How often, with which octets or members, by `vendor:code`. All of them are M. */
interface Place {
  name: string;
  least?: number;
  most?: number;
  octets?: number;
  members?: Grammar;
}
type Grammar = Record<string, Place>;

const one = { least: 1, most: 1 } as const;
const optional = { most: 1 } as const;

const quota: Grammar = {
  '0:431': {
    ...{ name: 'Granted-Service-Unit', ...optional },
    members: {
      '0:420': { name: 'CC-Time', ...optional, octets: 4 },
      '0:421': { name: 'CC-Total-Octets', ...optional, octets: 8 },
      '0:417': { name: 'CC-Service-Specific-Units', ...optional, octets: 8 },
      '0:413': {
        ...{ name: 'CC-Money', ...optional },
        members: {
          '0:445': {
            ...{ name: 'Unit-Value', ...one },
            members: {
              '0:447': { name: 'Value-Digits', ...one, octets: 8 },
              '0:429': { name: 'Exponent', ...optional, octets: 4 },
            },
          },
          '0:425': { name: 'Currency-Code', ...optional, octets: 4 },
        },
      },
    },
  },
  '0:448': { name: 'Validity-Time', ...optional, octets: 4 },
  '0:430': {
    ...{ name: 'Final-Unit-Indication', ...optional },
    members: { '0:449': { name: 'Final-Unit-Action', ...one, octets: 4 } },
  },
};

const answer: Grammar = {
  '0:263': { name: 'Session-Id', ...one },
  '0:268': { name: 'Result-Code', ...one, octets: 4 },
  '0:264': { name: 'Origin-Host', ...one },
  '0:296': { name: 'Origin-Realm', ...one },
  '0:258': { name: 'Auth-Application-Id', ...one, octets: 4 },
  '0:416': { name: 'CC-Request-Type', ...one, octets: 4 },
  '0:415': { name: 'CC-Request-Number', ...one, octets: 4 },
  '0:419': { name: 'CC-Sub-Session-Id', ...optional, octets: 8 },
  '0:418': { name: 'CC-Session-Failover', ...one, octets: 4 },
  ...quota,
  '0:456': {
    name: 'Multiple-Services-Credit-Control',
    members: {
      ...quota,
      '0:432': { name: 'Rating-Group', ...optional, octets: 4 },
      '0:439': { name: 'Service-Identifier', octets: 4 },
      '0:268': { name: 'Result-Code', ...one, octets: 4 },
      '10415:871': { name: 'Quota-Holding-Time', ...optional, octets: 4 },
    },
  },
  '0:279': {
    ...{ name: 'Failed-AVP', ...optional },
    members: {
      '0:432': { name: 'Rating-Group', ...optional, octets: 4 },
      '0:439': { name: 'Service-Identifier', ...optional, octets: 4 },
    },
  },
  '0:284': { name: 'Proxy-Info' },
};

/** The names of all AVPs that an answer of ours may hold, those of a refusal among them. */
export const ALLOWED: ReadonlySet<string> = new Set([
  ...namesIn(answer),
  ...['Origin-State-Id', 'Error-Message'],
  // Of the capabilities exchange, RFC 6733 5.3.2.
  ...['Host-IP-Address', 'Vendor-Id', 'Product-Name', 'Supported-Vendor-Id'],
  ...['Vendor-Specific-Application-Id', 'Firmware-Revision'],
]);

function namesIn(grammar: Grammar): string[] {
  return Object.values(grammar).flatMap(({ name, members = {} }) => [name, ...namesIn(members)]);
}

/** Throws what is wrong with an answer to a request. */
export function judgeAnswer(bytes: Buffer, request: Buffer): void {
  const parsed = strictParse(bytes);
  if (parsed.number(268) >= 3000 && parsed.all(456).length === 0) {
    strictErrorAnswer(bytes, request);
    return;
  }
  assert.equal(bytes[4]! & 0xb0, 0, 'R, E and T clear');
  assert.equal(parsed.proxiable, (request[4]! & 0x40) !== 0, 'P as in the request');
  assert.deepEqual(bytes.subarray(5, 20), request.subarray(5, 20), 'command and identifiers');
  assert.equal(parsed.avps[0]?.code, 263, 'Session-Id first');
  for (const code of [263, 415, 416])
    assert.deepEqual(parsed.all(code), strictParse(request).all(code), `AVP ${code} as asked`);
  judge(parsed.avps, answer, 'the answer');
}

function judge(avps: readonly StrictAvp[], grammar: Grammar, where: string): void {
  for (const avp of avps) {
    const place = grammar[`${avp.vendor}:${avp.code}`];
    assert.ok(place !== undefined, `AVP ${avp.vendor}:${avp.code} in ${where}`);
    const { name, octets, members } = place;
    // Comes back as it was sent.
    if (name === 'Proxy-Info') continue;
    assert.equal(avp.flags & 0x7f, 0x40, `flags of ${name}`);
    if (octets !== undefined) assert.equal(avp.data.length, octets, `octets of ${name}`);
    if (members !== undefined) judge(strictAvps(avp.data), members, name);
  }
  for (const [key, { name, least = 0, most = Number.POSITIVE_INFINITY }] of Object.entries(
    grammar,
  )) {
    const found = avps.filter(({ vendor, code }) => `${vendor}:${code}` === key).length;
    assert.ok(found >= least && found <= most, `${found} of ${name} in ${where}`);
  }
}
