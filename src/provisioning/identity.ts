/**
 * Identities of subscribers as they may be written, by kind: one that clients cannot send would be
 * found by nobody. The schema holds files and rows against the same definitions.
 */
import type { SubscriberId, SubscriberKind } from '../charging/request.ts';
import { type Finding, show } from './problem.ts';
import { valueDefs } from './schema-values.ts';

const WRITTEN: Readonly<Record<SubscriberKind, { title: string; pattern: string }>> = {
  e164: valueDefs.e164,
  imsi: valueDefs.imsi,
  sip: valueDefs.identity,
  nai: valueDefs.identity,
  private: valueDefs.identity,
};

/** What is wrong with an identity; undefined: nothing. */
export function identityFinding({ kind, id }: SubscriberId): Finding | undefined {
  const { title, pattern } = WRITTEN[kind];
  if (new RegExp(pattern, 'u').test(id)) return undefined;
  return { path: [kind], found: show(id), expected: title };
}
