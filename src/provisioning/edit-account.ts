/**
 * Single changes of accounts: each puts something in place, is made from what is there, and may be
 * repeated. Balances are never touched here; they are booked (`engine/booking.ts`), and what is due
 * with the change (`store/counter-changes.ts`).
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type Account,
  type AccountDefinition,
  type AccountRef,
  availableField,
  drawOrder,
  reservedField,
} from '../charging/account.ts';
import { accountAt } from '../charging/buckets.ts';
import type { SubscriberId } from '../charging/request.ts';
import { TollkeeperError } from '../errors.ts';
import { BucketIdTaken, kindOf } from '../store/bucket-kinds.ts';
import { CounterOutOfRange, type Store, StoreUnavailable } from '../store/store.ts';
import { compileAccounts, takesAnything } from './accounts.ts';
import type { AccountStore, AskClients } from './apply.ts';
import { outOfBounds } from './bounds.ts';
import { misfits } from './buckets.ts';
import { checkSchema } from './check.ts';
import type { Configuration } from './configuration.ts';
import { identityFinding, subscriberId } from './identity.ts';
import { finishMoves, moveTo } from './leave.ts';
import { LIMITS } from './limits.ts';
import type { Finding } from './problem.ts';
import type { ProvisionedAccount } from './provisioning.ts';
import { refusal } from './refusal.ts';
import { rulesOfTenant } from './rule-names.ts';
import { isUnderAnother } from './under-plan.ts';
import { leavingOf, rewritten } from './wanted.ts';

export interface AccountEditing {
  store: AccountStore & Pick<Store, 'sessionsOf'>;
  configuration: Configuration;
  /** Called for an account that got another plan. */
  askClients: AskClients;
}

/** The version that the account must still have; 0: it must not be there; absent: any. */
export interface Expected {
  expected?: number | undefined;
}

const ATTEMPTS = 10;

/** A plan that fits the schema, where only accounts are to be held against it. */
const ANY_PLAN = { id: 'any', rules: [{ name: 'any', denied: true }] };

/** An account as written in a provisioning file; what is wrong has its path within the account. */
export function compileOne(
  configuration: Configuration,
  tenant: string,
  written: object,
): { account: ProvisionedAccount } | { findings: Finding[] } {
  const index = configuration.provisioning.tenants.findIndex(({ id }) => id === tenant);
  const of = configuration.provisioning.tenants[index];
  if (of === undefined) throw new TollkeeperError('TENANT_UNKNOWN', { tenant });
  const { currency, plans } = of;
  const head = { id: tenant, currency: currency.code };
  const { findings, rest } = checkSchema({
    tenants: [{ ...head, plans: [ANY_PLAN], accounts: [written] }],
  });
  if (findings.length === 0 && rest?.tenants[0] !== undefined) {
    const accounts = compileAccounts(rest.tenants[0], {
      digits: currency.digits,
      plans: configuration.names.plans[index] ?? new Map(),
      timeZones: new Map(plans.map((plan) => [plan.id, plan.timeZone])),
      path: ['tenants', 0],
      report: (finding) => findings.push(finding),
    });
    const [account] = accounts;
    if (findings.length === 0 && account !== undefined) return { account };
  }
  // Past `tenants[0].accounts[0]`.
  return { findings: findings.map((finding) => ({ ...finding, path: finding.path.slice(4) })) };
}

/**
 * Creates an account with its openings, or brings one to what is written: plan, status, limits and
 * subscribers, which are moved here from where they were. What is not written stays. Where it gets
 * another plan, or sessions go on under another, clients are asked. Throws CHANGE_REFUSED,
 * STALE_CHANGE and TENANT_UNKNOWN.
 */
export async function putAccount(
  { store, configuration, askClients }: AccountEditing,
  ref: AccountRef,
  written: object,
  { expected }: Expected = {},
): Promise<{ account: Account; created: boolean }> {
  const compiled = compileOne(configuration, ref.tenant, { ...written, id: ref.account });
  if ('findings' in compiled) throw refusal(compiled.findings);
  const { definition, openings } = compiled.account;
  const { subscribers } = definition;
  const { account: before } = await store.load(ref);
  checkVersion(ref, before, expected);
  if (before !== undefined) await finishMoves(store, ref);
  const holders = await holdersOf(store, ref.tenant, subscribers);
  // They stay where they are until they are moved, one by one.
  const elsewhere = subscribers.filter((_, i) => (holders[i] ?? ref.account) !== ref.account);
  const arriving = subscribers.filter((_, i) => holders[i] === undefined);
  const created =
    before === undefined && (await store.createAccount(definition, openings)) === 'created';
  let planBefore = definition.plan;
  if (!created) {
    // Somebody else was faster.
    if (before === undefined && expected !== undefined) throw stale(ref, await present(store, ref));
    // Of several who expect this version only one may move subscribers.
    const always = expected !== undefined && elsewhere.length > 0;
    await revise(store, ref, { expected, always }, ({ definition: stored }) => {
      const wanted = rewritten(compiled.account, stored, {
        now: store.now(),
        rulesOf: rulesOfTenant(configuration, ref.tenant),
      });
      if ('problem' in wanted)
        throw new TollkeeperError('CHANGE_REFUSED', {
          problems: `  left as it is: ${wanted.problem}`,
        });
      planBefore = stored.plan;
      const leaving = new Set(leavingOf(compiled.account, stored));
      const stays = stored.subscribers.filter((name) => !leaving.has(name));
      const names = new Set([...stays, ...arriving]);
      return {
        ...wanted.definition,
        subscribers: names.size === stays.length ? stays : [...names].sort(),
      };
    });
  }
  // Also those whom somebody else got first, and those of a change that was stopped.
  const having = await holdersOf(store, ref.tenant, subscribers);
  for (const [i, name] of subscribers.entries())
    if (having[i] !== ref.account) await moveTo(store, ref, subscriberId(name));
  // Whoever gave it the plan before may not have come to asking.
  const { plan } = definition;
  if (planBefore !== plan || (!created && (await isUnderAnother(store, ref, plan))))
    await askClients(ref);
  return { account: await present(store, ref), created };
}

/**
 * Changes some of an account: its plan, its status, the most sessions at once. Where a plan is
 * named, clients are asked. Throws CHANGE_REFUSED also where a bucket or limit names rules that the
 * plan has not.
 */
export async function changeAccount(
  { store, configuration, askClients }: AccountEditing,
  ref: AccountRef,
  change: Partial<Pick<AccountDefinition, 'plan' | 'status' | 'maxSessions'>>,
  expected: Expected = {},
): Promise<Account> {
  const { plan } = change;
  if (plan !== undefined && configuration.plan(ref.tenant, plan) === undefined)
    throw new TollkeeperError('PLAN_UNKNOWN', { tenant: ref.tenant, plan });
  const rulesOf = rulesOfTenant(configuration, ref.tenant);
  const account = await revise(store, ref, expected, ({ definition }) => {
    const isOther = plan !== undefined && plan !== definition.plan;
    const findings = isOther ? misfits(definition, { id: plan, rules: rulesOf(plan) }) : [];
    if (findings.length > 0) throw refusal(findings);
    return { ...definition, ...change };
  });
  // Also where it was changed before: whoever did may not have come to it.
  if (plan !== undefined) await askClients(ref);
  return account;
}

/**
 * Adds a bucket, which starts at 0, or changes one. Throws CHANGE_REFUSED also where it would count
 * another unit, or would be drawn after the one that takes what is left.
 */
export async function putBucket(
  { store, configuration }: Pick<AccountEditing, 'store' | 'configuration'>,
  ref: AccountRef,
  { bucket: id, written }: { bucket: string; written: object },
  expected: Expected = {},
): Promise<Account> {
  return revise(store, ref, expected, ({ definition }) => {
    const { account, plan } = definition;
    const buckets = [{ ...written, id }];
    const compiled = compileOne(configuration, ref.tenant, { id: account, plan, buckets });
    if ('findings' in compiled) throw refusal(compiled.findings);
    const bucket = compiled.account.definition.buckets.find((one) => one.id === id)!;
    const before = definition.buckets.find((one) => one.id === id);
    if (before !== undefined && kindOf(before) !== kindOf(bucket))
      throw refusal([
        {
          path: before.unit === bucket.unit ? [] : ['unit'],
          found: kindOf(bucket),
          expected: `${kindOf(before)}: an id is never used again for another bucket`,
        },
      ]);
    const others = definition.buckets.filter((one) => one.id !== id);
    return withBuckets(definition, [...others, bucket]);
  });
}

/**
 * Takes a bucket out, with what has expired of it; one that is not there is done. Throws BUCKET_IN_USE
 * where it holds anything.
 */
export async function removeBucket(
  { store }: Pick<AccountEditing, 'store'>,
  ref: AccountRef,
  id: string,
  expected: Expected = {},
): Promise<Account> {
  return revise(store, ref, expected, (account) => {
    const { definition, counters } = accountAt(account, store.now());
    const left = counters[availableField(id)] ?? 0;
    const reserved = counters[reservedField(id)] ?? 0;
    const refuse = (reason: string) =>
      new TollkeeperError('BUCKET_IN_USE', { bucket: id, account: ref.account, reason });
    if (left !== 0 || reserved !== 0)
      throw refuse(`${left} are available and ${reserved} reserved, in its smallest unit`);
    const others = definition.buckets.filter((one) => one.id !== id);
    if (!others.some(takesAnything)) throw refuse('it takes what no other can');
    return withBuckets(definition, others);
  });
}

/**
 * Gives an account a subscriber, which leaves the account that had it, and its limits there. Throws ACCOUNT_UNKNOWN, and
 * CHANGE_REFUSED for an identity that no file could have.
 */
export async function putSubscriber(
  store: AccountStore,
  ref: AccountRef,
  subscriber: SubscriberId,
): Promise<{ movedFrom?: string }> {
  const finding = identityFinding(subscriber);
  if (finding !== undefined) throw refusal([finding]);
  const { account } = await store.load(ref);
  if (account === undefined) throw unknown(ref);
  const name = nameOf(subscriber);
  const isThere = account.definition.subscribers.includes(name);
  if (!isThere && account.definition.subscribers.length >= LIMITS.subscribers)
    throw refusal([
      {
        path: ['subscribers'],
        found: 'one more subscriber',
        expected: `at most ${LIMITS.subscribers}`,
      },
    ]);
  const movedFrom = await moveTo(store, ref, subscriber);
  return movedFrom === undefined ? {} : { movedFrom };
}

/** The account that has each of these, as `kind:id`. */
function holdersOf(
  store: AccountStore,
  tenant: string,
  names: readonly string[],
): Promise<(string | undefined)[]> {
  return Promise.all(names.map((name) => store.holderOf(tenant, subscriberId(name))));
}

const nameOf = ({ kind, id }: SubscriberId): string => `${kind}:${id}`;

const unknown = ({ account }: AccountRef) => new TollkeeperError('ACCOUNT_UNKNOWN', { account });

async function present(store: AccountStore, ref: AccountRef): Promise<Account> {
  const { account } = await store.load(ref);
  if (account === undefined) throw unknown(ref);
  return account;
}

function checkVersion(ref: AccountRef, account: Account | undefined, expected: number | undefined) {
  if (expected !== undefined && expected !== (account?.version ?? 0)) throw stale(ref, account);
}

function stale({ account: id }: AccountRef, account: Account | undefined): TollkeeperError {
  return new TollkeeperError('STALE_CHANGE', {
    what: `account ${id}`,
    tag: account?.version ?? 'nothing',
  });
}

/** In the order in which they are drawn. */
const withBuckets = (
  definition: AccountDefinition,
  buckets: AccountDefinition['buckets'],
): AccountDefinition => ({ ...definition, buckets: buckets.toSorted(drawOrder) });

/**
 * Changes a definition until it is what `next` makes of the one that is stored; `always`: it is
 * stored even where it is the same, as another version. Throws CHANGE_REFUSED where it would be out
 * of bounds.
 */
async function revise(
  store: AccountStore,
  ref: AccountRef,
  { expected, always = false }: Expected & { always?: boolean },
  next: (account: Account) => AccountDefinition,
): Promise<Account> {
  /** What was sent to be stored, whether or not a reply came. */
  let sent: AccountDefinition | undefined;
  let failures = 0;
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    try {
      const account = await present(store, ref);
      if (sent !== undefined && isDeepStrictEqual(sent, account.definition)) return account;
      checkVersion(ref, account, expected);
      const definition = next(account);
      if (!always && isDeepStrictEqual(definition, account.definition)) return account;
      const beyond = outOfBounds(definition, account.definition);
      if (beyond.length > 0) throw refusal(beyond);
      sent = definition;
      if ((await store.changeAccount(definition, account.version)) === 'changed')
        return await present(store, ref);
    } catch (error) {
      if (error instanceof BucketIdTaken || error instanceof CounterOutOfRange)
        throw new TollkeeperError('CHANGE_REFUSED', { problems: `  ${error.message}` });
      failures += 1;
      if (!(error instanceof StoreUnavailable) || failures > 1) throw error;
    }
  }
  throw new StoreUnavailable('no', 'the account is being changed by others');
}
