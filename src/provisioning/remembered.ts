/**
 * The file that was applied last, as it is kept in the store: what the next one is held against. Of an
 * account that could not become what it says, what counts is the file that the account was settled by
 * last, so the part of that file is kept as well: at the next start it is new what differs from there,
 * and nothing else. A subscriber counts as being where it was settled last, with its account or another.
 */
import type { AccountRef, Bucket } from '../charging/account.ts';
import { withoutSubscribers } from './leave.ts';
import { type LoadedFile, loadWritten } from './load.ts';
import type { Accounts, ProvisionedAccount } from './provisioning.ts';
import type { WrittenFile, WrittenTenant } from './schema.ts';

export interface Remembered {
  written: WrittenFile;
  /** The same without accounts that were not settled, and without ranges that have such accounts. */
  settled: WrittenFile;
  before: Before;
  leftAlone: readonly LeftAlone[];
  adrift: readonly Adrift[];
}

/**
 * What files said of an account: the one that it was settled by last. Undefined: all of it is new.
 */
export type Before = (account: AccountRef) => ProvisionedAccount[] | undefined;

/** Accounts of a tenant that were left as they are, all settled by the same file before. */
interface LeftAlone {
  tenant: string;
  accounts: readonly string[];
  /** The tenant in that file, with these accounts and their ranges alone; absent: there was none. */
  bases?: readonly WrittenTenant[];
}

/** Subscribers of an account who are not where the file that it was settled by has them. */
type Adrift = AccountRef & (Gone | Staying);

/** Of an account that was left alone: whom files have given to others. */
interface Gone {
  gone: readonly string[];
}

/** Of any other: who could not leave it, as `kind:id`, and what limits them there. */
export interface Staying {
  staying: readonly string[];
  limits: readonly Bucket[];
}

/** What became of the accounts of a file. */
export interface Settled {
  /** Those that were left as they are, or not created. */
  refused: readonly AccountRef[];
  staying: readonly (AccountRef & Staying)[];
}

type Text = WrittenFile & { leftAlone?: readonly LeftAlone[]; adrift?: readonly Adrift[] };

/** An older version may have remembered what this one does not take: then everything is new. */
export function readRemembered(text: string | undefined): Remembered | undefined {
  if (text === undefined) return undefined;
  const { leftAlone = [], adrift = [], ...rest }: Text = JSON.parse(text);
  const loaded = loadWritten(rest);
  if (!loaded.ok) return undefined;
  const { written } = loaded;
  const settled = {
    ...written,
    tenants: written.tenants.map((tenant) => {
      const own = leftAlone.filter((one) => one.tenant === tenant.id);
      const stay = adrift.filter((one) => one.tenant === tenant.id && 'staying' in one);
      const ids = [...own.flatMap(({ accounts }) => accounts), ...stay.map((one) => one.account)];
      return split(tenant, new Set(ids)).others;
    }),
  };
  const before = beforeOf(loaded, { leftAlone, adrift });
  return { written, settled, before, leftAlone, adrift };
}

function beforeOf(
  { provisioning }: LoadedFile,
  { leftAlone, adrift }: Pick<Remembered, 'adrift' | 'leftAlone'>,
): Before {
  const tenants = new Map(provisioning.tenants.map(({ id, accounts }) => [id, accounts]));
  const apart = byAccount<readonly (Accounts | undefined)[]>();
  for (const { tenant, accounts, bases = [] } of leftAlone) {
    const said = bases.map((base) => {
      const loaded = loadWritten({ tenants: [base] });
      return loaded.ok ? loaded.provisioning.tenants[0]?.accounts : undefined;
    });
    for (const account of accounts) apart.set({ tenant, account }, said);
  }
  const corrections = byAccount<Adrift>();
  for (const one of adrift) corrections.set(one, one);
  return (ref) => {
    const files = apart.get(ref) ?? [tenants.get(ref.tenant)];
    const said = files.flatMap((accounts) => accounts?.find(ref.account) ?? []);
    if (said.length === 0 || said.length < files.length) return undefined;
    const correction = corrections.get(ref);
    return correction === undefined ? said : said.map((one) => corrected(one, correction));
  };
}

function corrected(account: ProvisionedAccount, correction: Gone | Staying): ProvisionedAccount {
  const { definition } = account;
  if ('gone' in correction)
    return { ...account, definition: withoutSubscribers(definition, correction.gone) };
  const { staying, limits } = correction;
  const subscribers = [...new Set([...definition.subscribers, ...staying])];
  const has = new Set(definition.buckets.map(({ id }) => id));
  const buckets = [...limits.filter(({ id }) => !has.has(id)), ...definition.buckets];
  return { ...account, definition: { ...definition, subscribers, buckets } };
}

/** The text of a file that was applied, to be remembered. */
export function rememberedText(
  file: LoadedFile,
  { refused, staying, last }: Settled & { last: Remembered | undefined },
): string {
  const leftAlone = leftAloneOf(refused, last);
  const adrift: Adrift[] = [...goneOf(file, { refused, last }), ...staying];
  const text: Text = {
    ...file.written,
    ...(leftAlone.length > 0 && { leftAlone }),
    ...(adrift.length > 0 && { adrift }),
  };
  return JSON.stringify(text);
}

function leftAloneOf(refused: readonly AccountRef[], last: Remembered | undefined): LeftAlone[] {
  const leftAlone: LeftAlone[] = [];
  const add = (
    tenant: string,
    accounts: Set<string>,
    before: readonly (WrittenTenant | undefined)[],
  ) => {
    const bases = before.flatMap((one) => (one && split(one, accounts).own) ?? []);
    const isKnown = bases.length === before.length && bases.length > 0;
    leftAlone.push({ tenant, accounts: [...accounts], ...(isKnown && { bases }) });
  };
  for (const [tenant, refs] of Map.groupBy(refused, (one) => one.tenant)) {
    const rest = new Set(refs.map(({ account }) => account));
    for (const earlier of last?.leftAlone ?? []) {
      if (earlier.tenant !== tenant) continue;
      const again = new Set(earlier.accounts.filter((account) => rest.delete(account)));
      if (again.size > 0) add(tenant, again, earlier.bases ?? []);
    }
    const before = last?.written.tenants.find(({ id }) => id === tenant);
    if (rest.size > 0) add(tenant, rest, [before]);
  }
  return leftAlone;
}

/** Of accounts that were left as they are: whom they had before that this file, or one since, took. */
function goneOf(
  { provisioning }: LoadedFile,
  { refused, last }: { refused: readonly AccountRef[]; last: Remembered | undefined },
): (AccountRef & Gone)[] {
  const all: (AccountRef & Gone)[] = [];
  if (last === undefined) return all;
  const earlier = byAccount<readonly string[]>();
  for (const one of last.adrift) if ('gone' in one) earlier.set(one, one.gone);
  for (const [tenant, refs] of Map.groupBy(refused, (one) => one.tenant)) {
    const had = refs.map((ref) => ({
      ref,
      names: (last.before(ref) ?? []).flatMap(({ definition }) => definition.subscribers),
    }));
    const sought = new Set(had.flatMap(({ names }) => names));
    const ids = new Set(refs.map(({ account }) => account));
    const given = new Set<string>();
    const accounts = provisioning.tenants.find(({ id }) => id === tenant)?.accounts ?? [];
    if (sought.size > 0)
      for (const { definition } of accounts) {
        if (ids.has(definition.account)) continue;
        for (const name of definition.subscribers) if (sought.has(name)) given.add(name);
      }
    for (const { ref, names } of had) {
      const taken = names.filter((name) => given.has(name));
      const gone = [...new Set([...(earlier.get(ref) ?? []), ...taken])];
      if (gone.length > 0) all.push({ tenant, account: ref.account, gone });
    }
  }
  return all;
}

/** Ids have no slash. */
function byAccount<Value>() {
  const values = new Map<string, Value>();
  const key = ({ tenant, account }: AccountRef): string => `${tenant}/${account}`;
  return {
    get: (ref: AccountRef): Value | undefined => values.get(key(ref)),
    set: (ref: AccountRef, value: Value) => values.set(key(ref), value),
  };
}

/**
 * A tenant with these accounts and the ranges that they may be of, undefined where there are none;
 * and with all others.
 */
function split(
  tenant: WrittenTenant,
  ids: ReadonlySet<string>,
): { own: WrittenTenant | undefined; others: WrittenTenant } {
  if (ids.size === 0) return { own: undefined, others: tenant };
  const { accounts = [], ranges = [] } = tenant;
  const single = new Set(accounts.map(({ id }) => id));
  const counted = [...ids].filter((id) => !single.has(id));
  const one = Map.groupBy(accounts, ({ id }) => ids.has(id));
  const many = Map.groupBy(ranges, ({ prefix }) => counted.some((id) => id.startsWith(prefix)));
  const of = (isOwn: boolean): WrittenTenant => ({
    ...tenant,
    accounts: one.get(isOwn) ?? [],
    ranges: many.get(isOwn) ?? [],
  });
  return { own: one.has(true) || many.has(true) ? of(true) : undefined, others: of(false) };
}
