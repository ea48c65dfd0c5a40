/**
 * What an account that exists becomes where it is written again: what is written is put in place,
 * what is not is left alone.
 */
import { isDeepStrictEqual } from 'node:util';
import { type AccountDefinition, type Bucket, drawOrder } from '../charging/account.ts';
import { takesAnything } from './accounts.ts';
import { outOfBounds } from './bounds.ts';
import { misfits } from './buckets.ts';
import { findingText } from './configuration.ts';
import { show } from './problem.ts';
import type { ProvisionedAccount } from './provisioning.ts';
import type { RulesOf } from './rule-names.ts';

/** What an account becomes, or why it is left as it is. */
export type Rewritten = { definition: AccountDefinition } | { problem: string };

/**
 * What an account that exists becomes where it is written again, at store time `now` in ms. It is
 * left as it is where a bucket would become another one under its id, where together with what stays
 * it is out of bounds, or where it does not fit the plans of its tenant (`unfit`); without `rulesOf`
 * nothing is known of these.
 */
export function rewritten(
  account: ProvisionedAccount,
  stored: AccountDefinition,
  { now, rulesOf }: { now: number; rulesOf: RulesOf | undefined },
): Rewritten {
  const contradicted = contradiction(account, stored);
  if (contradicted !== undefined) return { problem: contradicted };
  const definition = wantedDefinition(account, stored, now);
  const subscribers = account.written.has('subscribers') ? account.definition.subscribers : [];
  const beyond = outOfBounds({ ...definition, subscribers }, stored);
  if (beyond.length > 0) return { problem: beyond.map(findingText).join('; ') };
  const problem = rulesOf && unfit(definition, { stored, rulesOf });
  return problem === undefined ? { definition } : { problem };
}

/**
 * Why an account does not fit the plans that its tenant has; undefined: it fits. A plan, and what
 * buckets pay for, that it has already is not asked about. `stored` absent: it is to be created.
 */
export function unfit(
  { tenant, plan: id, buckets }: AccountDefinition,
  { stored, rulesOf }: { stored?: AccountDefinition; rulesOf: RulesOf },
): string | undefined {
  const rules = rulesOf(id);
  const had = id === stored?.plan ? stored.buckets : undefined;
  if (rules === undefined && had === undefined)
    return `tenant ${show(tenant)} has no plan ${show(id)}`;
  const paidFor = new Map(had?.map((bucket) => [bucket.id, bucket.paysFor]));
  const others = buckets.filter(
    (bucket) => !isDeepStrictEqual(paidFor.get(bucket.id), bucket.paysFor),
  );
  const findings = misfits({ buckets: others }, { id, rules });
  return findings.length === 0 ? undefined : findings.map(findingText).join('; ');
}

/**
 * The stored definition as it is wanted at store time `now` in ms, with all subscribers that it has
 * now. Buckets that are not written stay, as their balance may not be thrown away; limits go with
 * the subscribers that are written.
 */
function wantedDefinition(
  { definition, written }: ProvisionedAccount,
  stored: AccountDefinition,
  now: number,
): AccountDefinition {
  const had = new Set(stored.buckets.map(({ id }) => id));
  const own = writtenBuckets({ definition, written }).filter(
    // A bucket that has expired and is gone was removed for good.
    ({ id, expiresAt }) => expiresAt === undefined || expiresAt > now || had.has(id),
  );
  const ids = new Set(own.map(({ id }) => id));
  const kept = stored.buckets.filter(
    ({ id, limits }) => !ids.has(id) && (limits === undefined || !written.has('subscribers')),
  );
  const main = mainOf({ definition, written }, kept);
  const others = drawnBefore(
    main,
    kept.filter(({ id }) => id !== main.id),
  );
  const buckets = [...own.filter(({ id }) => id !== main.id), main, ...others].sort(drawOrder);
  return {
    ...definition,
    status: written.has('status') ? definition.status : stored.status,
    maxSessions: written.has('maxSessions') ? definition.maxSessions : stored.maxSessions,
    buckets,
    subscribers: stored.subscribers,
  };
}

/** The buckets and limits of an account without the main bucket that is implied. */
export function writtenBuckets({
  definition: { buckets },
  written,
}: Pick<ProvisionedAccount, 'definition' | 'written'>): Bucket[] {
  if (written.has('main')) return [...buckets];
  const implied = buckets.findLast(takesAnything);
  return buckets.filter((bucket) => bucket !== implied);
}

/** The bucket drawn last: the one that is written, else the one that is there, else the implied. */
function mainOf(
  account: Pick<ProvisionedAccount, 'definition' | 'written'>,
  kept: readonly Bucket[],
): Bucket {
  const main = account.definition.buckets.findLast(takesAnything)!;
  const there = account.written.has('main') ? undefined : kept.findLast(takesAnything);
  if (there === undefined) return main;
  const last = Math.max(...writtenBuckets(account).map(({ priority }) => priority + 1));
  return { ...there, priority: Math.max(there.priority, last) };
}

/** The buckets with priorities before the last one's, in the order that they have. */
function drawnBefore(last: Bucket, buckets: readonly Bucket[]): Bucket[] {
  let [had, has] = [Number.POSITIVE_INFINITY, last.priority];
  return buckets
    .toSorted(drawOrder)
    .reverse()
    .map((bucket) => {
      if (bucket.limits !== undefined) return bucket;
      if (bucket.priority < had) has = Math.min(bucket.priority, has - 1);
      had = bucket.priority;
      return { ...bucket, priority: has };
    });
}

/** Why a bucket would become another one under its id, which is never done. */
function contradiction(
  { definition }: ProvisionedAccount,
  stored: AccountDefinition,
): string | undefined {
  for (const { id, unit, limits } of stored.buckets) {
    const wanted = definition.buckets.find((bucket) => bucket.id === id);
    if (wanted === undefined) continue;
    const never = 'and an id is never used again for another bucket';
    if (wanted.unit !== unit) return `its bucket ${id} holds ${unit}, ${never}`;
    if ((wanted.limits === undefined) !== (limits === undefined))
      return `its bucket ${id} is ${limits === undefined ? 'no' : 'a'} limit, ${never}`;
  }
  return undefined;
}

/** The subscribers that the account has and that are not among those written. */
export const leavingOf = (
  { definition, written }: ProvisionedAccount,
  stored: AccountDefinition,
): string[] => {
  if (!written.has('subscribers')) return [];
  const stays = new Set(definition.subscribers);
  return stored.subscribers.filter((name) => !stays.has(name));
};
