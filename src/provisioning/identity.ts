/**
 * Identities of subscribers as they may be written, by kind: one that clients cannot send would be
 * found by nobody. The schema holds files and rows against the same definitions.
 */
import type { SubscriberId, SubscriberKind } from '../charging/request.ts';
import { type Finding, show } from './problem.ts';
import { valueDefs } from './schema-values.ts';

interface Written {
  title: string;
  pattern: RegExp;
}

const written = ({ title, pattern }: { title: string; pattern: string }): Written => ({
  title,
  pattern: new RegExp(pattern, 'u'),
});

const WRITTEN: Readonly<Record<SubscriberKind, Written>> = {
  e164: written(valueDefs.e164),
  imsi: written(valueDefs.imsi),
  sip: written(valueDefs.identity),
  nai: written(valueDefs.identity),
  private: written(valueDefs.identity),
};

/** Reads `kind:id`. */
export function subscriberId(name: string): SubscriberId {
  const colon = name.indexOf(':');
  return { kind: name.slice(0, colon) as SubscriberKind, id: name.slice(colon + 1) };
}

/** What is wrong with an identity; undefined: nothing. */
export function identityFinding({ kind, id }: SubscriberId): Finding | undefined {
  const { title, pattern } = WRITTEN[kind];
  if (pattern.test(id)) return undefined;
  return { path: [kind], found: show(id), expected: title };
}
