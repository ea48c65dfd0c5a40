/** Which session, and whose: RFC 8506 8.3, 8.46-8.48, 8.58; RFC 6733 8.8. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sessionKey } from '../../src/charging/request.ts';
import type { CCR } from '../../src/diameter/commands.ts';
import type { Understood } from '../../src/diameter/message.ts';
import { opaqueTextBytes, readOpaqueText } from '../../src/diameter/text.ts';
import { asSent, identify, wellFormed } from '../../src/ro/identify.ts';

const ccr: Understood<CCR> = {
  'Session-Id': 's',
  'CC-Request-Type': 1,
  'CC-Request-Number': 0,
};
const idOf = (octets: Uint8Array): string => wellFormed(readOpaqueText(Buffer.from(octets)));

describe('Session-Id', () => {
  test('is text that every part can carry, and different octets never become one', () => {
    const octets = fc.array(
      fc.constantFrom(0x00, 0x0a, 0x30, 0x61, 0x66, 0x80, 0xbd, 0xbf, 0xef, 0xff, 0xc3, 0xa9),
      { maxLength: 8 },
    );
    fc.assert(
      fc.property(octets, octets, (a, b) => {
        const [one, other] = [idOf(Uint8Array.from(a)), idOf(Uint8Array.from(b))];
        expect(one.isWellFormed()).toBe(true);
        expect(Buffer.from(one, 'utf8').toString('utf8')).toBe(one);
        expect(one === other).toBe(Buffer.from(a).equals(Buffer.from(b)));
        expect(opaqueTextBytes(asSent(one))).toEqual(Buffer.from(a));
      }),
      { numRuns: 5000 },
    );
  });

  test('NUL, invalid UTF-8 and U+FFFD', () => {
    expect(idOf(Buffer.from('a\0b'))).toBe('a\0b');
    expect(idOf(Buffer.of(0x61, 0xff))).toBe('a\ufffdff');
    expect(idOf(Buffer.from('\ufffd'))).toBe('\ufffd\ufffd');
    expect(idOf(Buffer.from('grün;1;2'))).toBe('grün;1;2');
  });

  test('C-015 never stands for a sub-session of another', () => {
    const disguised = identify({ ...ccr, 'Session-Id': 's\n5' })!;
    const real = identify({ ...ccr, 'CC-Sub-Session-Id': 5n })!;
    expect(sessionKey(disguised)).not.toBe(sessionKey(real));
    expect(real.subSessionId).toBe('5');
    expect(identify({ ...ccr, 'CC-Sub-Session-Id': 2n ** 64n - 1n })!.subSessionId).toBe(
      '18446744073709551615',
    );
  });
});

describe('what must be known', () => {
  test('is the Session-Id, the type and the number', () => {
    expect(identify(ccr)).toMatchObject({ kind: 'initial', sessionId: 's', number: 0 });
    for (const without of Object.keys(ccr))
      expect(identify({ ...ccr, [without]: undefined } as Understood<CCR>)).toBeUndefined();
    for (const type of [0, 5, 9])
      expect(identify({ ...ccr, 'CC-Request-Type': type })).toBeUndefined();
  });
});

describe('subscribers', () => {
  const of = (part: Understood<CCR>) =>
    identify({ ...ccr, ...part })!.subscribers.map(({ kind, id }) => `${kind}:${id}`);

  test('C-210 every kind, in the order in which they were sent', () => {
    const ids = ['+49170', '90170', 'sip:a@b', 'a@b', 'x'].map((id, i) => ({
      'Subscription-Id-Type': i,
      'Subscription-Id-Data': id,
    }));
    expect(of({ 'Subscription-Id': ids })).toEqual([
      'e164:49170',
      'imsi:90170',
      'sip:sip:a@b',
      'nai:a@b',
      'private:x',
    ]);
  });

  test('C-212 the extension, beside or instead', () => {
    expect(
      of({
        'Subscription-Id': [{ 'Subscription-Id-Type': 0, 'Subscription-Id-Data': '1' }],
        'Subscription-Id-Extension': [
          { 'Subscription-Id-E164': '+2' },
          { 'Subscription-Id-IMSI': '3' },
          { 'Subscription-Id-SIP-URI': 'sip:4' },
          { 'Subscription-Id-NAI': '5' },
          { 'Subscription-Id-Private': '6' },
        ],
      }),
    ).toEqual(['e164:1', 'e164:2', 'imsi:3', 'sip:sip:4', 'nai:5', 'private:6']);
  });

  test('a kind that nobody knows, or half an identity, is none', () => {
    expect(
      of({
        'Subscription-Id': [
          { 'Subscription-Id-Type': 9, 'Subscription-Id-Data': '1' },
          { 'Subscription-Id-Type': 0 },
          { 'Subscription-Id-Data': '2' },
        ],
      } as Understood<CCR>),
    ).toEqual([]);
  });
});
