/**
 * An account as it stands in a Redis hash: what its definition says, a field per subscriber
 * (`s:<kind>:<id>`), the counters (`a:`, `r:`, `p:` and `n:`), and in `kinds` what ids of buckets
 * stand for, where an account keeps any.
 */
import {
  type Account,
  type AccountDefinition,
  availableField,
  type Bucket,
  reservedField,
} from '../../charging/account.ts';
import { type BucketKinds, kindsText, parseKinds } from '../bucket-kinds.ts';
import type { Kept } from '../store.ts';
import type { Reply } from './script-call.ts';

export const subscriberField = (subscriber: string): string => `s:${subscriber}`;

/** The fields of a definition other than its subscribers and counters, with their values. */
export function definitionFields(definition: AccountDefinition): string[] {
  const { tenant, account, plan, status, maxSessions, buckets } = definition;
  return [
    ...['tenant', tenant, 'account', account, 'plan', plan, 'status', status],
    ...['maxSessions', String(maxSessions), 'buckets', JSON.stringify(buckets)],
  ];
}

export const counterFields = (bucket: string): string[] => [
  availableField(bucket),
  reservedField(bucket),
];

/** Reads an HGETALL; undefined when there is no such account. */
export function accountFromHash(flat: readonly Reply[]): Account | undefined {
  if (flat.length === 0) return undefined;
  const { fields, counters, subscribers } = sorted(flat);
  const definition: AccountDefinition = {
    tenant: fields.tenant!,
    account: fields.account!,
    plan: fields.plan!,
    status: fields.status as AccountDefinition['status'],
    buckets: JSON.parse(fields.buckets!) as Bucket[],
    maxSessions: Number(fields.maxSessions),
    subscribers: subscribers.sort(),
  };
  return { definition, version: Number(fields.version), counters };
}

const KINDS = 'kinds';

/** The field of the kinds that an account keeps; none where there are none and were none. */
export const kindsFields = (kinds: BucketKinds, before?: BucketKinds): string[] => {
  const text = kindsText(kinds);
  return text === kindsText(before ?? new Map()) ? [] : [KINDS, text];
};

/** Of an HGETALL. */
export const kindsFromHash = (flat: readonly Reply[]): BucketKinds =>
  parseKinds(sorted(flat).fields[KINDS]);

/** Of an HGETALL; undefined when there is no such account. */
export function keptFromHash(flat: readonly Reply[]): Kept | undefined {
  if (flat.length === 0) return undefined;
  const arriving: Record<string, string> = {};
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const field = (flat[i] as Buffer).toString();
    const from = (flat[i + 1] as Buffer).toString();
    if (field.startsWith('s:') && from !== '') arriving[field.slice(2)] = from;
  }
  return { kinds: kindsFromHash(flat), arriving };
}

/** Reads the version and the counters of an account whose definition was left out. */
export function countersFromHash(flat: readonly Reply[]): Omit<Account, 'definition'> {
  const { fields, counters } = sorted(flat);
  return { version: Number(fields.version), counters };
}

/** The fields of a hash by what they are. */
function sorted(flat: readonly Reply[]): {
  fields: Record<string, string>;
  counters: Record<string, number>;
  subscribers: string[];
} {
  const fields: Record<string, string> = {};
  const counters: Record<string, number> = {};
  const subscribers: string[] = [];
  for (let i = 0; i + 1 < flat.length; i += 2) {
    const field = (flat[i] as Buffer).toString();
    if (field.startsWith('s:')) subscribers.push(field.slice(2));
    else {
      const value = (flat[i + 1] as Buffer).toString();
      if (field.charAt(1) === ':') counters[field] = Number(value);
      else fields[field] = value;
    }
  }
  return { fields, counters, subscribers };
}
