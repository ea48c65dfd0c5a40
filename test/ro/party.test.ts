/** Numbers in URIs: RFC 3966 3 and 5.1, RFC 3261 19.1. */
import { describe, expect, test } from 'vitest';
import { partyOf } from '../../src/ro/party.ts';

describe('a party', () => {
  test.each([
    ['tel:+491701234567', '491701234567'],
    ['TEL:+49-170-123.45(67)', '491701234567'],
    ['tel:+49170;isub=12;ext=3', '49170'],
    ['tel:0049170', '49170'],
    ['tel:0170;phone-context=+49', '0170'],
    ['tel:110', '110'],
    ['tel:*100#', '*100#'],
    ['sip:+49170@ims.mnc001.mcc262.3gppnetwork.org;user=phone', '49170'],
    ['sip:+49170@ims.example', '49170'],
    ['sip:0049170@ims.example;user=phone', '49170'],
    ['SIPS:+49170:secret@ims.example;transport=tls', '49170'],
    ['sip:+49170;npdi@ims.example:5060;USER=PHONE?subject=x', '49170'],
    ['+49 170 12', '4917012'],
    ['0170', '0170'],
  ])('%s is the number %s', (uri, number) => {
    expect(partyOf(uri)).toBe(number);
  });

  test.each([
    'sip:alice@example.com',
    'sip:262011234567890@ims.example',
    'sip:alice@example.com;user=phone',
    'sip:ims.example',
    'urn:service:sos',
    'tel:',
    'taxi',
  ])('%s stays as it is', (uri) => {
    expect(partyOf(uri)).toBe(uri);
  });

  test.each([undefined, '', 'unknown', 'Unknown'])('%s is nobody', (uri) => {
    expect(partyOf(uri)).toBeUndefined();
  });
});
