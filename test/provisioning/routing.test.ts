/** Which tenant a request is for. */
import { expect, test } from 'vitest';
import { type Routed, type RouteMatch, tenantOf } from '../../src/provisioning/routing.ts';

const request: Routed = {
  originHost: 'PGW1.epc.example',
  originRealm: 'epc.example',
  destinationRealm: 'ocs.example',
  serviceContextId: '32251@3gpp.org',
  apn: 'internet.mnc001.mcc262.gprs',
  imsi: '262010000000001',
  e164: '491700000001',
};

const routes = (match: RouteMatch): boolean =>
  tenantOf({ rules: [{ match, tenant: 't' }] }, request) === 't';

test.each<[RouteMatch, boolean]>([
  [{ originHost: ['pgw1.EPC.example'] }, true],
  [{ originHost: ['pgw2.epc.example', 'pgw1.epc.example'] }, true],
  [{ originHost: ['epc.example'] }, false],
  [{ originRealm: ['EPC.example'] }, true],
  [{ originRealm: ['example'] }, false],
  [{ destinationRealm: ['ocs.example'] }, true],
  [{ destinationRealm: ['other.example'] }, false],
  [{ serviceContextId: ['32251@3gpp.org'] }, true],
  [{ serviceContextId: ['32260@3gpp.org', '8.32251@3GPP.org'] }, true],
  [{ serviceContextId: ['32260@3gpp.org'] }, false],
  [{ serviceContextId: ['32251@example.org'] }, false],
  [{ apn: ['Internet'] }, true],
  [{ apn: ['internet.mnc001.mcc262.gprs'] }, true],
  [{ apn: ['internet.mnc002.mcc262.gprs'] }, false],
  [{ apn: ['inter'] }, false],
  [{ imsiPrefix: ['24001', '26201'] }, true],
  [{ imsiPrefix: ['26202'] }, false],
  [{ e164Prefix: ['4917'] }, true],
  [{ e164Prefix: ['17'] }, false],
  [{ e164Prefix: ['4917'], imsiPrefix: ['26202'] }, false],
  [{ e164Prefix: ['4917'], imsiPrefix: ['26201'] }, true],
  [{}, true],
])('%j: %s', (match, matches) => {
  expect(routes(match)).toBe(matches);
});

test('what a request does not say matches nothing that is written', () => {
  const bare: Routed = { originHost: 'a.example', originRealm: 'example' };
  for (const match of [
    { destinationRealm: ['ocs.example'] },
    { serviceContextId: ['32251@3gpp.org'] },
    { apn: ['internet'] },
    { imsiPrefix: ['2'] },
    { e164Prefix: ['4'] },
  ]) {
    expect(tenantOf({ rules: [{ match, tenant: 't' }] }, bare)).toBeUndefined();
  }
});

test('the first rule that matches decides, else the default', () => {
  const rules = [
    { match: { e164Prefix: ['49171'] }, tenant: 'red' },
    { match: { e164Prefix: ['4917'] }, tenant: 'blue' },
    { match: { e164Prefix: ['4'] }, tenant: 'green' },
  ];
  expect(tenantOf({ rules }, request)).toBe('blue');
  expect(tenantOf({ rules, default: 'grey' }, { ...request, e164: '1' })).toBe('grey');
  expect(tenantOf({ rules }, { ...request, e164: undefined })).toBeUndefined();
});
