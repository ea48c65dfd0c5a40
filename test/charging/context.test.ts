/** Service contexts as plans know them: RFC 8506 8.42, TS 32.299 7.1.12. */
import { describe, expect, test } from 'vitest';
import { serviceContext } from '../../src/charging/context.ts';

describe('G-080 G-082 a Service-Context-Id is read from the right', () => {
  test.each([
    ['32251@3gpp.org', '32251@3gpp.org'],
    ['8.32251@3gpp.org', '32251@3gpp.org'],
    ['001.01.15.32251@3gpp.org', '32251@3gpp.org'],
    ['volte.x.01.001.8.32260@3gpp.org', '32260@3gpp.org'],
    ['8.32274@3GPP.ORG', '32274@3gpp.org'],
    ['8.32251.3gpp.org', '32251@3gpp.org'],
  ])('%s is %s', (sent, context) => {
    expect(serviceContext(sent)).toBe(context);
  });

  test.each([
    '',
    '@3gpp.org',
    '8.@3gpp.org',
    '3gpp.org',
    'nope@example.com',
    '8.32251@example.com',
  ])('%j stays as it is', (sent) => {
    expect(serviceContext(sent)).toBe(sent);
  });
});
