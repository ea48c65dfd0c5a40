/**
 * What a subscriber leaves behind on an account that it is on no more: none of its limits. A limit is
 * of the subscribers that it names; those that stay keep it, and without any it is gone.
 */
import type { AccountDefinition, AccountRef, Bucket } from '../charging/account.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';

/** Attempts of a change that another writer overtook. */
const ATTEMPTS = 10;

/** The definition without these subscribers, as `kind:id`, and without what limits them alone. */
export function withoutSubscribers(
  definition: AccountDefinition,
  names: readonly string[],
): AccountDefinition {
  const leaving = new Set(names);
  return {
    ...definition,
    subscribers: definition.subscribers.filter((name) => !leaving.has(name)),
    buckets: definition.buckets.flatMap((bucket) => limiting(bucket, (name) => !leaving.has(name))),
  };
}

/** The bucket, as far as it limits subscribers that stay: none where it limits no other. */
export function limiting(bucket: Bucket, stays: (name: string) => boolean): [Bucket] | [] {
  const { limits } = bucket;
  const left = limits?.filter(stays);
  if (limits === undefined || left === undefined || left.length === limits.length) return [bucket];
  return left.length === 0 ? [] : [{ ...bucket, limits: left }];
}

/**
 * Takes the limits of subscribers that were moved away, which may be repeated. Throws
 * StoreUnavailable.
 */
export async function leaveNoLimits(
  store: Pick<Store, 'load' | 'changeAccount'>,
  ref: AccountRef,
  names: readonly string[],
): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { account } = await store.load(ref);
    if (account === undefined) return;
    const { definition, version } = account;
    const has = new Set(definition.subscribers);
    const gone = new Set(names.filter((name) => !has.has(name)));
    if (!definition.buckets.some(({ limits }) => limits?.some((name) => gone.has(name)))) return;
    const next = withoutSubscribers(definition, [...gone]);
    if ((await store.changeAccount(next, version)) === 'changed') return;
  }
  throw new StoreUnavailable('no', 'the account is being changed by others');
}
