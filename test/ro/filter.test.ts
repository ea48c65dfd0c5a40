/** IPFilterRules as rules of RFC 5777: RFC 6733 4.3.1, RFC 5777 4. */
import { describe, expect, test } from 'vitest';
import { filterRuleOf } from '../../src/ro/filter.ts';

const specs = (from: string, to = 'any') => {
  const { 'From-Spec': source, 'To-Spec': target } =
    filterRuleOf(`permit in ip from ${from} to ${to}`, 1)?.Classifier ?? {};
  return [source?.[0], target?.[0]];
};

describe('a rule', () => {
  test('says what is done, which way, and of which protocol', () => {
    expect(filterRuleOf('permit  in ip from any to any', 1)).toEqual({
      'Filter-Rule-Precedence': 1,
      Classifier: { 'Classifier-ID': Buffer.from('1'), Direction: 0 },
      'Treatment-Action': 3,
    });
    expect(filterRuleOf(' deny out 17 from any to any ', 12)).toEqual({
      'Filter-Rule-Precedence': 12,
      Classifier: { 'Classifier-ID': Buffer.from('12'), Protocol: 17, Direction: 1 },
      'Treatment-Action': 0,
    });
  });

  test('says from where and to where', () => {
    const address = { family: 1, address: '192.0.2.0' };
    const mask = (width: number) => [{ 'IP-Address': address, 'IP-Mask-Bit-Mask-Width': width }];
    expect(specs('192.0.2.0')).toEqual([{ 'IP-Address': [address] }, undefined]);
    expect(specs('192.0.2.0/24')).toEqual([{ 'IP-Address-Mask': mask(24) }, undefined]);
    expect(specs('any', '!192.0.2.0/0')).toEqual([
      undefined,
      { 'IP-Address-Mask': mask(0), Negated: 1 },
    ]);
    expect(specs('assigned 1-2,65535', '2001:DB8:0::1 53')).toEqual([
      {
        'Use-Assigned-Address': 1,
        Port: [65535],
        'Port-Range': [{ 'Port-Start': 1, 'Port-End': 2 }],
      },
      { 'IP-Address': [{ family: 2, address: '2001:db8::1' }], Port: [53] },
    ]);
    expect(specs('2001:db8::/32')).toEqual([
      {
        'IP-Address-Mask': [
          {
            'IP-Address': { family: 2, address: '2001:db8::' },
            'IP-Mask-Bit-Mask-Width': 32,
          },
        ],
      },
      undefined,
    ]);
  });

  test.each([
    'allow in ip from any to any',
    'permit both ip from any to any',
    'permit in tcp from any to any',
    'permit in 256 from any to any',
    'permit in ip from any to any established',
    'permit in ip from nowhere to any',
    'permit in ip from 192.0.2.0/33 to any',
    'permit in ip from 2001:db8::/129 to any',
    'permit in ip from 192.0.2.0/24/24 to any',
    'permit in ip from 192.0.2.0/ to any',
    'permit in ip from any 65536 to any',
    'permit in ip from any 1- to any',
    'permit in ip from any',
    'permit in ip from !assigned to any',
    '',
  ])('%j cannot be said', (text) => {
    expect(filterRuleOf(text, 1)).toBeUndefined();
  });
});
