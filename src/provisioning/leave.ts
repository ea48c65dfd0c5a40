/**
 * What a subscriber leaves behind on an account that it is on no more: none of its limits. A limit is
 * of the subscribers that it names; those that stay keep it, and without any it is gone.
 */
import {
  type AccountDefinition,
  type AccountRef,
  type Bucket,
  drawOrder,
} from '../charging/account.ts';
import type { SubscriberId } from '../charging/request.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import { subscriberId } from './identity.ts';

type Moving = Pick<Store, 'load' | 'changeAccount' | 'moveSubscriber' | 'removeSubscriber'>;

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

/** The definition with those limits of `stored` that it has not, as far as they limit these. */
export function withLimits(
  definition: AccountDefinition,
  stored: AccountDefinition,
  names: readonly string[],
): AccountDefinition {
  const has = new Set(definition.buckets.map(({ id }) => id));
  const missing = stored.buckets.filter(({ id, limits }) => limits !== undefined && !has.has(id));
  const kept = missing.flatMap((bucket) => limiting(bucket, (name) => names.includes(name)));
  if (kept.length === 0) return definition;
  return { ...definition, buckets: [...definition.buckets, ...kept].sort(drawOrder) };
}

/** The bucket, as far as it limits subscribers that stay: none where it limits no other. */
export function limiting(bucket: Bucket, stays: (name: string) => boolean): [Bucket] | [] {
  const { limits } = bucket;
  const left = limits?.filter(stays);
  if (limits === undefined || left === undefined || left.length === limits.length) return [bucket];
  return left.length === 0 ? [] : [{ ...bucket, limits: left }];
}

/**
 * Moves a subscriber to an account; what it leaves has none of its limits when the move is done.
 * Returns the account that it left, also where the move had been stopped half way. Throws
 * StoreUnavailable.
 */
export async function moveTo(
  store: Moving,
  { tenant, account: to }: AccountRef,
  subscriber: SubscriberId,
): Promise<string | undefined> {
  const name = `${subscriber.kind}:${subscriber.id}`;
  let left: string | undefined;
  await store.moveSubscriber(tenant, subscriber, to, async (account, limited) => {
    if (limited) await leaveNoLimits(store, { tenant, account }, name);
    left = account;
  });
  return left;
}

/**
 * Takes a subscriber, and its limits, from whichever account has it; nobody has it: done. Throws
 * StoreUnavailable.
 */
export async function takeAway(
  store: Moving,
  tenant: string,
  subscriber: SubscriberId,
): Promise<void> {
  const name = `${subscriber.kind}:${subscriber.id}`;
  await store.removeSubscriber(tenant, subscriber, async (account, limited) => {
    if (limited) await leaveNoLimits(store, { tenant, account }, name);
  });
}

/** Finishes moves to an account that were stopped half way. Throws StoreUnavailable. */
export async function finishMoves(
  store: Moving & Pick<Store, 'accountOf' | 'keptOf'>,
  ref: AccountRef,
): Promise<void> {
  const kept = await store.keptOf(ref);
  for (const name of Object.keys(kept?.arriving ?? {})) {
    const subscriber = subscriberId(name);
    // Whom other accounts have has not left them, or has moved on.
    if ((await store.accountOf(ref.tenant, subscriber)) === ref.account)
      await moveTo(store, ref, subscriber);
  }
}

/** Takes the limits of a subscriber that was moved away, which may be repeated. */
async function leaveNoLimits(store: Moving, ref: AccountRef, name: string): Promise<void> {
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { account } = await store.load(ref);
    if (account === undefined) return;
    const { definition, version } = account;
    if (definition.subscribers.includes(name)) return;
    if (!definition.buckets.some(({ limits }) => limits?.includes(name))) return;
    const next = withoutSubscribers(definition, [name]);
    if ((await store.changeAccount(next, version)) === 'changed') return;
  }
  throw new StoreUnavailable('no', 'the account is being changed by others');
}
