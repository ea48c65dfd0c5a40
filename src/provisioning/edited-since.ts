/**
 * What a file says of an account otherwise than the file that was applied last, put on what the account
 * has become by other means since. Buckets and limits are merged whole: parts of two might not fit.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AccountDefinition, Bucket } from '../charging/account.ts';
import { takesAnything } from './accounts.ts';
import { limiting } from './leave.ts';
import type { ProvisionedAccount } from './provisioning.ts';
import type { Said } from './remembered.ts';
import { decided, type Versions } from './three-way.ts';
import { writtenBuckets } from './wanted.ts';

export interface EditedAccount {
  /** As if the file said what others have changed since, where it does not change that itself. */
  account: ProvisionedAccount;
  /** What the file has changed, and others otherwise. */
  overruled: string[];
  /** What was otherwise and the file applied last did not say: who made it so is not known. */
  unsaid: string[];
}

type Found = Pick<EditedAccount, 'overruled' | 'unsaid'>;

/**
 * `said`: the account in the file applied last, and in those that were begun since. Where one of them
 * has it not, all that the file says is new.
 */
export function editedSince(
  account: ProvisionedAccount,
  said: Said | undefined,
  stored: AccountDefinition,
): EditedAccount {
  const found: Found = { overruled: [], unsaid: [] };
  const before = said?.filter((one) => one !== undefined);
  if (before === undefined || before.length < said!.length) return { account, ...found };
  const { definition, written } = account;
  const member = <M extends 'status' | 'maxSessions'>(name: M): AccountDefinition[M] => {
    const versions = {
      bases: before.map((one) => one.definition[name]),
      file: definition[name],
      now: stored[name],
    };
    if (!written.has(name)) return versions.file;
    return before.every((one) => one.written.has(name))
      ? picked(name, versions, found)
      : unsaid(name, versions, found);
  };
  const plans = {
    bases: before.map((one) => one.definition.plan),
    file: definition.plan,
    now: stored.plan,
  };
  const plan = picked('plan', plans, found);
  const [status, maxSessions] = [member('status'), member('maxSessions')];
  const subscribers = subscribersSince(account, { before, stored, found });
  const buckets = bucketsSince(account, { before, stored, subscribers, found });
  return {
    account: {
      ...account,
      definition: { ...definition, plan, status, maxSessions, subscribers, buckets: buckets.all },
      written: buckets.isMainGone ? new Set([...written].filter((one) => one !== 'main')) : written,
    },
    ...found,
  };
}

/** What the file says where it says it otherwise than before, else what is there now. */
function picked<T>(what: string, versions: Versions<T>, { overruled }: Found): T {
  const clear = decided(versions);
  if (clear !== undefined) return clear.value as T;
  overruled.push(what);
  return versions.file;
}

/** What the file says and did not say before: that is new, though it be what was implied. */
function unsaid<T>(what: string, { bases, file, now }: Versions<T>, found: Found): T {
  const isAsBefore = [file, ...bases].some((one) => isDeepStrictEqual(one, now));
  if (now !== undefined && !isAsBefore) found.unsaid.push(what);
  return file;
}

/** What the account is held against. */
interface Held {
  before: readonly ProvisionedAccount[];
  stored: AccountDefinition;
  found: Found;
}

const saysSubscribers = ({ written }: ProvisionedAccount): boolean => written.has('subscribers');

/** Without those that others have taken away, and with those that others have added. */
function subscribersSince(
  account: ProvisionedAccount,
  { before, stored, found }: Held,
): readonly string[] {
  const { subscribers } = account.definition;
  if (!saysSubscribers(account)) return subscribers;
  const wanted = new Set(subscribers);
  const others = stored.subscribers.filter((name) => !wanted.has(name));
  if (!before.every(saysSubscribers)) {
    if (others.length > 0) found.unsaid.push('subscribers');
    return subscribers;
  }
  const had = before.map(({ definition }) => new Set(definition.subscribers));
  const has = new Set(stored.subscribers);
  return [
    ...subscribers.filter((name) => has.has(name) || !had.every((names) => names.has(name))),
    ...others.filter((name) => !had.some((names) => names.has(name))),
  ];
}

function bucketsSince(
  account: ProvisionedAccount,
  { before, stored, subscribers, found }: Held & { subscribers: readonly string[] },
): { all: Bucket[]; isMainGone: boolean } {
  const byId = (buckets: readonly Bucket[]) => new Map(buckets.map((one) => [one.id, one]));
  const said = before.map((one) => byId(writtenBuckets(one)));
  /** With the main bucket that is implied. */
  const had = before.map((one) => byId(one.definition.buckets));
  const has = byId(stored.buckets);
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
    const what = `${limits === undefined ? 'bucket' : 'limit'} ${id}`;
    const bases = had.map((buckets) => left(buckets.get(id)));
    const of: Versions<Bucket | undefined> = { bases, file, now: left(has.get(id)) };
    const isSaid = said.every((buckets) => left(buckets.get(id)) !== undefined);
    const bucket = isSaid ? picked(what, of, found) : unsaid(what, of, found);
    if (bucket !== undefined) all.push(bucket);
  }
  const ids = new Set(own.map(({ id }) => id));
  const areLimitsSaid = saysSubscribers(account) && !before.every(saysSubscribers);
  for (const bucket of stored.buckets) {
    const { id, limits } = bucket;
    if (limits === undefined || ids.has(id) || areLimitsSaid) continue;
    const isOfOthers = !said.some((buckets) => buckets.has(id));
    if (isOfOthers && left(bucket) !== undefined) all.push(bucket);
  }
  const main = account.definition.buckets.findLast(takesAnything)!;
  const isMainGone = account.written.has('main') && !all.some(takesAnything);
  // Implied, it is the last.
  if (isMainGone || !account.written.has('main')) all.push(main);
  return { all, isMainGone };
}
