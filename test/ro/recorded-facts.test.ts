/** What rules match on, read back from record files: the same as was read from the request. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CCR } from '../../src/diameter/commands.ts';
import { decode } from '../../src/diameter/decode.ts';
import { encode } from '../../src/diameter/encode.ts';
import { readableGroup } from '../../src/diameter/readable.ts';
import { factsOf } from '../../src/ro/facts.ts';
import { recordedFacts } from '../../src/ro/recorded-facts.ts';

type Information = NonNullable<CCR['Service-Information']>;

const decoded = (information: Information) => {
  const ids = { applicationId: 4, hopByHop: 1, endToEnd: 1, proxiable: true };
  const found = decode(
    encode('CCR', ids, {
      'Session-Id': 's',
      'Origin-Host': 'pgw.example',
      'Origin-Realm': 'example',
      'Destination-Realm': 'example',
      'Auth-Application-Id': 4,
      'Service-Context-Id': '32251@3gpp.org',
      'CC-Request-Type': 1,
      'CC-Request-Number': 0,
      'Service-Information': information,
    }),
  );
  if (found.name !== 'CCR' || found.raw.serviceInformation === undefined)
    throw new Error('no Service-Information');
  return { ccr: found.message, octets: found.raw.serviceInformation };
};

describe('facts from a record', () => {
  test.each<[string, Information, object]>([
    [
      'of a packet gateway',
      {
        'PS-Information': {
          'Called-Station-Id': 'Internet.mnc001.mcc001.gprs',
          '3GPP-RAT-Type': Buffer.of(6),
          '3GPP-User-Location-Info': Buffer.from('8262f210000162f21000000101', 'hex'),
        },
      },
      { apn: 'internet', rat: 6, visited: '26201' },
    ],
    [
      'whose RAT type looks like text',
      { 'PS-Information': { '3GPP-RAT-Type': Buffer.of(51) } },
      { rat: 51 },
    ],
    [
      'of a call server',
      {
        'IMS-Information': {
          'Node-Functionality': 0,
          'Role-Of-Node': 0,
          'Calling-Party-Address': ['sip:alice@example.org', 'tel:+49-170-1'],
          'Called-Party-Address': 'tel:+44207',
        },
      },
      { role: 'originating', calling: 'sip:alice@example.org', called: '44207' },
    ],
    [
      'of a message centre',
      {
        'SMS-Information': {
          'Originator-Received-Address': { 'Address-Type': 1, 'Address-Data': '49170' },
          'Recipient-Info': [
            { 'Recipient-Address': [{ 'Address-Type': 1, 'Address-Data': '+44 20' }] },
          ],
        },
      },
      { calling: '49170', called: '4420' },
    ],
  ])('%s', (_, information, facts) => {
    const { ccr, octets } = decoded(information);
    expect(factsOf(ccr)).toEqual(facts);
    const shown: unknown = JSON.parse(JSON.stringify(readableGroup('Service-Information', octets)));
    expect(recordedFacts(shown)).toEqual(facts);
    expect(recordedFacts(octets.toString('hex'))).toEqual(facts);
  });

  test('nothing that a file can have makes it fail', () => {
    expect(recordedFacts(undefined)).toBeUndefined();
    const names = fc.constantFrom(
      ...['PS-Information', 'IMS-Information', 'SMS-Information', 'MMS-Information'],
      ...['3GPP-RAT-Type', '3GPP-User-Location-Info', 'Called-Station-Id', 'Role-Of-Node'],
      ...['Calling-Party-Address', 'Access-Network-Information', 'Recipient-Info'],
      ...['Recipient-Address', 'Originator-Address', 'Address-Data', 'undecoded', '0/7'],
    );
    const { value } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.constantFrom<unknown>('0x06', 'text', '0xzz', 1, -1, null, true, 'ORIGINATING_ROLE'),
        fc.dictionary(names, tie('value'), { maxKeys: 4 }),
        fc.array(tie('value'), { maxLength: 3 }),
      ),
    }));
    fc.assert(
      fc.property(value, (shown) => {
        recordedFacts(shown);
      }),
      { numRuns: 2_000 },
    );
  });
});
