/** Plans name service contexts as clients do, with or without what comes before the service. */
import { expect, test } from 'vitest';
import { ruleOf } from './tenant-of.ts';

test('G-080 a context of a rule is its service', () => {
  const contexts = (written: string) =>
    ruleOf(`match: { context: [${written}] }, unit: octets, free: true, quota: { size: 10 MB }`)
      .match.context;
  expect(contexts("'8.32251@3gpp.org', '32260@3gpp.org', 'ext.01.262.15.32274@3gpp.org'")).toEqual([
    '32251@3gpp.org',
    '32260@3gpp.org',
    '32274@3gpp.org',
  ]);
  expect(contexts("'8.games@example.com'")).toEqual(['8.games@example.com']);
});
