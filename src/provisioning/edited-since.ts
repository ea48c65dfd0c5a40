/**
 * What a file says of an account otherwise than the file that was applied last, put on what the account
 * has become by other means since. Buckets and limits are merged whole: parts of two might not fit.
 */
import type { AccountDefinition, Bucket } from '../charging/account.ts';
import { takesAnything } from './accounts.ts';
import { limiting } from './leave.ts';
import type { ProvisionedAccount } from './provisioning.ts';
import { decided, type Versions } from './three-way.ts';
import { writtenBuckets } from './wanted.ts';

export interface EditedAccount {
  /** As if the file said what others have changed since, where it does not change that itself. */
  account: ProvisionedAccount;
  /** What the file has changed, and others otherwise. */
  overruled: string[];
}

/** `before`: the account in the file applied last; absent: all that the file says is new. */
export function editedSince(
  account: ProvisionedAccount,
  before: ProvisionedAccount | undefined,
  stored: AccountDefinition,
): EditedAccount {
  if (before === undefined) return { account, overruled: [] };
  const overruled: string[] = [];
  const pick = <T>(what: string, versions: Versions<T>): T => {
    const clear = decided(versions);
    if (clear !== undefined) return clear.value as T;
    overruled.push(what);
    return versions.file;
  };
  const { definition, written } = account;
  const member = <M extends 'status' | 'maxSessions'>(name: M): AccountDefinition[M] => {
    const versions = {
      base: before.definition[name],
      file: definition[name],
      now: stored[name],
    };
    if (before.written.has(name)) return pick(name, versions);
    // It is written for the first time: that is new, though it be what was implied.
    if (written.has(name) && versions.now !== versions.base && versions.now !== versions.file)
      overruled.push(name);
    return versions.file;
  };
  const plans = { base: before.definition.plan, file: definition.plan, now: stored.plan };
  const plan = pick('plan', plans);
  const [status, maxSessions] = [member('status'), member('maxSessions')];
  const subscribers = subscribersSince(account, before, stored);
  const buckets = bucketsSince(account, { before, stored, subscribers, pick });
  return {
    account: {
      ...account,
      definition: { ...definition, plan, status, maxSessions, subscribers, buckets: buckets.all },
      written: buckets.isMainGone ? new Set([...written].filter((one) => one !== 'main')) : written,
    },
    overruled,
  };
}

/** Without those that others have taken away, and with those that others have added. */
function subscribersSince(
  { definition: { subscribers }, written }: ProvisionedAccount,
  before: ProvisionedAccount,
  stored: AccountDefinition,
): readonly string[] {
  if (!written.has('subscribers')) return subscribers;
  const [had, has] = [new Set(before.definition.subscribers), new Set(stored.subscribers)];
  const wanted = new Set(subscribers);
  return [
    ...subscribers.filter((name) => !had.has(name) || has.has(name)),
    ...stored.subscribers.filter((name) => !had.has(name) && !wanted.has(name)),
  ];
}

function bucketsSince(
  account: ProvisionedAccount,
  {
    before,
    stored,
    subscribers,
    pick,
  }: {
    before: ProvisionedAccount;
    stored: AccountDefinition;
    subscribers: readonly string[];
    pick(what: string, versions: Versions<Bucket | undefined>): Bucket | undefined;
  },
): { all: Bucket[]; isMainGone: boolean } {
  const byId = (buckets: readonly Bucket[]) => new Map(buckets.map((one) => [one.id, one]));
  const [had, has] = [byId(writtenBuckets(before)), byId(stored.buckets)];
  const own = writtenBuckets(account);
  const present = new Set(subscribers);
  const all: Bucket[] = [];
  /** Whom it limits may have been moved away: of these nothing is said any more. */
  const left = (bucket: Bucket | undefined): Bucket | undefined =>
    bucket && limiting(bucket, (name) => present.has(name))[0];
  for (const written of own) {
    const file = left(written);
    if (file === undefined) continue;
    const { id, limits } = file;
    const of = { base: left(had.get(id)), file, now: left(has.get(id)) };
    const bucket = pick(`${limits === undefined ? 'bucket' : 'limit'} ${id}`, of);
    if (bucket !== undefined) all.push(bucket);
  }
  const ids = new Set(own.map(({ id }) => id));
  for (const bucket of stored.buckets)
    if (bucket.limits !== undefined && !had.has(bucket.id) && !ids.has(bucket.id)) all.push(bucket);
  const main = account.definition.buckets.findLast(takesAnything)!;
  const isMainGone = account.written.has('main') && !all.some(takesAnything);
  // Implied, it is the last.
  if (isMainGone || !account.written.has('main')) all.push(main);
  return { all, isMainGone };
}
