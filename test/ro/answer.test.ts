/** What goes into a Credit-Control-Answer, and what never does: RFC 8506 3.2, 8.16, 9, 10.1. */
import { describe, expect, test } from 'vitest';
import type { Answer, Outcome, ServiceAnswer } from '../../src/charging/answer.ts';
import { type AnswerableCCR, codeOf, toCCA } from '../../src/ro/answer.ts';

const currency = { code: 978, digits: 2 };
const ccr = {
  'Session-Id': 'gw;1;2',
  'CC-Request-Type': 2,
  'CC-Request-Number': 4_294_967_295,
  'Service-Context-Id': '32251@3gpp.org',
  'CC-Sub-Session-Id': 7n,
  'Subscription-Id': [{ 'Subscription-Id-Type': 0, 'Subscription-Id-Data': '49170' }],
  'CC-Correlation-Id': Buffer.from('x'),
  'Multiple-Services-Indicator': 1,
  'Destination-Host': 'ocs.example',
} as AnswerableCCR;

const ccaOf = (answer: Partial<Answer>, asked: Partial<AnswerableCCR> = {}) =>
  toCCA(
    { outcome: 'success', level: 'services', services: [], ...answer },
    { ccr: { ...ccr, ...asked }, origin: { host: 'ocs.example', realm: 'example' }, currency },
  );
const service = (part: Partial<ServiceAnswer> = {}): ServiceAnswer => ({
  ratingGroup: 1,
  serviceIds: [],
  outcome: 'success',
  ...part,
});

describe('the command level', () => {
  test('C-003 C-004 C-007 C-192 holds what it must, echoes three AVPs, and nothing of the request', () => {
    expect(ccaOf({})).toEqual({
      'Session-Id': 'gw;1;2',
      'Result-Code': 2001,
      'Origin-Host': 'ocs.example',
      'Origin-Realm': 'example',
      'Auth-Application-Id': 4,
      'CC-Request-Type': 2,
      'CC-Request-Number': 4_294_967_295,
      'CC-Sub-Session-Id': 7n,
      'CC-Session-Failover': 1,
    });
  });

  test('says why it refuses, and grants nothing then', () => {
    const expected: Record<Exclude<Outcome, 'refused'>, number> = {
      success: 2001,
      'unknown-session': 5002,
      contradiction: 5012,
      'user-unknown': 5030,
      'resources-exceeded': 5006,
      'service-denied': 4010,
      'rating-failed': 5031,
      'credit-limit-reached': 4012,
      uncontrolled: 4011,
    };
    expect(codeOf).toEqual(expected);
    for (const [outcome, code] of Object.entries(expected)) {
      const services = [service({ granted: { unit: 'octets', units: 5 } })];
      const cca = ccaOf({ outcome: outcome as Outcome, services });
      expect(cca['Result-Code']).toBe(code);
      expect('Multiple-Services-Credit-Control' in cca).toBe(code === 2001);
    }
    expect(ccaOf({ outcome: 'refused', resultCode: 5005 })['Result-Code']).toBe(5005);
  });

  test('C-111 5031 names the context', () => {
    const fault = 'context';
    expect(ccaOf({ outcome: 'rating-failed', fault })['Failed-AVP']).toEqual([
      { 'Service-Context-Id': ['32251@3gpp.org'] },
    ]);
  });

  test('units that were asked for there are granted there', () => {
    const granted = { unit: 'money', units: 250 } as const;
    expect(
      ccaOf(
        {
          level: 'command',
          services: [service({ granted, validitySeconds: 60, final: { action: 'terminate' } })],
        },
        { 'Requested-Service-Unit': {} },
      ),
    ).toMatchObject({
      'Granted-Service-Unit': {
        'CC-Money': { 'Unit-Value': { 'Value-Digits': 250n, Exponent: -2 }, 'Currency-Code': 978 },
      },
      'Validity-Time': 60,
      'Final-Unit-Indication': { 'Final-Unit-Action': 0 },
    });
  });
});

describe('a service', () => {
  const of = (part: Partial<ServiceAnswer>) =>
    ccaOf({ services: [service(part)] })['Multiple-Services-Credit-Control']?.[0];

  test('C-094 C-102 carries its key and its own Result-Code', () => {
    expect(of({ serviceIds: [3, 4] })).toEqual({
      'Rating-Group': 1,
      'Service-Identifier': [3, 4],
      'Result-Code': 2001,
    });
    const { ratingGroup: _none, ...without } = service();
    expect(ccaOf({ services: [without] })['Multiple-Services-Credit-Control']).toEqual([
      { 'Result-Code': 2001 },
    ]);
  });

  test('C-101 its refusal leaves the command level at 2001', () => {
    const cca = ccaOf({
      services: [service({ outcome: 'credit-limit-reached' }), service({ ratingGroup: 2 })],
    });
    expect(cca['Result-Code']).toBe(2001);
    expect(cca['Multiple-Services-Credit-Control']?.map((one) => one['Result-Code'])).toEqual([
      4012, 2001,
    ]);
  });

  test('C-111 5031 names what could not be rated', () => {
    expect(ccaOf({ services: [service({ outcome: 'rating-failed' })] })['Failed-AVP']).toEqual([
      { 'Rating-Group': [1] },
    ]);
    const { ratingGroup: _none, ...bare } = service({ outcome: 'rating-failed', serviceIds: [9] });
    expect(ccaOf({ services: [bare] })['Failed-AVP']).toEqual([{ 'Service-Identifier': [9] }]);
  });

  test('C-099 each unit in its AVP, once', () => {
    const granted = (unit: 'octets' | 'seconds' | 'units', units: number) =>
      of({ granted: { unit, units } })?.['Granted-Service-Unit'];
    expect(granted('octets', 5)).toEqual({ 'CC-Total-Octets': 5n });
    expect(granted('units', 5)).toEqual({ 'CC-Service-Specific-Units': 5n });
    expect(granted('seconds', 5)).toEqual({ 'CC-Time': 5 });
    expect(granted('seconds', 2 ** 40)).toEqual({ 'CC-Time': 2 ** 32 - 1 });
  });

  test('C-142 final units say nothing but TERMINATE', () => {
    expect(of({ final: { action: 'terminate' } })?.['Final-Unit-Indication']).toEqual({
      'Final-Unit-Action': 0,
    });
  });
});
