/**
 * The file that was applied last, as it is kept in the store: what the next one is held against. Of an
 * account that could not become what it says, what counts is the file that the account was settled by
 * last, so the part of that file is kept as well: at the next start it is new what differs from there,
 * and nothing else. A subscriber counts as being where it was settled last, with its account or another.
 *
 * A file is remembered as begun before anything of it is written. Until one is applied to its end, those
 * begun since the last that was may be in effect in part, so the next one is held against all of them.
 */
import { isDeepStrictEqual } from 'node:util';
import type { AccountRef, Bucket } from '../charging/account.ts';
import { withoutSubscribers } from './leave.ts';
import { type LoadedFile, loadWritten } from './load.ts';
import type { Accounts, ProvisionedAccount } from './provisioning.ts';
import type { WrittenFile, WrittenTenant } from './schema.ts';

export interface Remembered {
  /** The file applied last, undefined where there is none, and those begun since, the last one last. */
  bases: readonly [WrittenFile | undefined, ...WrittenFile[]];
  /** The same without accounts that were not settled, and without ranges that have such accounts. */
  settled: readonly (WrittenFile | undefined)[];
  before: Before;
  leftAlone: readonly LeftAlone[];
  adrift: readonly Adrift[];
}

/**
 * What files said of an account: the one that it was settled by last, and those begun since, each
 * undefined where it has it not.
 */
export type Before = (account: AccountRef) => Said;
export type Said = readonly (ProvisionedAccount | undefined)[];

/** Accounts of a tenant that were left as they are, all settled by the same file before. */
interface LeftAlone {
  tenant: string;
  accounts: readonly string[];
  /**
   * The tenant in that file, and in those begun after it, with these accounts and their ranges alone;
   * absent: one has none of them.
   */
  bases?: readonly WrittenTenant[];
}

/** Subscribers of an account, as `kind:id`, who are not where the file that it was settled by has them. */
interface Adrift extends AccountRef, Partial<Staying> {
  /** Of an account that was left alone: whom files have given to others. */
  gone?: readonly string[];
}

/** Who could not leave an account, and what limits them there. */
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

/** Without a file that was applied to its end there are only those begun. */
type Text = Partial<WrittenFile> & {
  leftAlone?: readonly LeftAlone[];
  adrift?: readonly Adrift[];
  begun?: readonly WrittenFile[];
};

/** The most files begun, and stopped, that are kept; of older ones what they did stays. */
const MAX_BEGUN = 4;

/** An older version may have remembered what this one does not take: then everything is new. */
export function readRemembered(text: string | undefined): Remembered | undefined {
  if (text === undefined) return undefined;
  const { leftAlone = [], adrift = [], begun = [], ...rest }: Text = JSON.parse(text);
  const files = [...('tenants' in rest ? [rest] : []), ...begun].map(loadWritten);
  const loaded = files.filter((file) => file.ok);
  if (loaded.length < files.length || files.length === 0) return undefined;
  const applied = 'tenants' in rest ? loaded.shift() : undefined;
  const begunSince = loaded.map(({ written }) => written);
  const apart = { leftAlone, adrift };
  return {
    bases: [applied?.written, ...begunSince],
    settled: [applied && settledOf(applied.written, apart), ...begunSince],
    before: beforeOf(applied, { begun: loaded, ...apart }),
    ...apart,
  };
}

/** Whether of all files this one alone was applied or begun. */
export function isRemembered(text: string | undefined, file: WrittenFile): boolean {
  if (text === undefined) return false;
  const { begun = [], ...rest }: Text = JSON.parse(text);
  const files: Text[] = [...(Object.keys(rest).length > 0 ? [rest] : []), ...begun];
  return files.every((one) => isDeepStrictEqual(one, file));
}

type Apart = Pick<Remembered, 'adrift' | 'leftAlone'>;

function settledOf(written: WrittenFile, { leftAlone, adrift }: Apart): WrittenFile {
  const tenants = written.tenants.map((tenant) => {
    const own = leftAlone.filter((one) => one.tenant === tenant.id);
    const stay = adrift.filter((one) => one.tenant === tenant.id && one.staying !== undefined);
    const ids = [...own.flatMap(({ accounts }) => accounts), ...stay.map((one) => one.account)];
    return split(tenant, new Set(ids)).others;
  });
  return { ...written, tenants };
}

function beforeOf(
  applied: LoadedFile | undefined,
  { begun, leftAlone, adrift }: Apart & { begun: readonly LoadedFile[] },
): Before {
  const [tenants, ...tenantsBegun] = [applied, ...begun].map(
    (file) => new Map(file?.provisioning.tenants.map(({ id, accounts }) => [id, accounts])),
  );
  const apart = byAccount<readonly (Accounts | undefined)[]>();
  for (const { tenant, accounts, bases } of leftAlone) {
    const said = bases?.map((base) => {
      const loaded = loadWritten({ tenants: [base] });
      return loaded.ok ? loaded.provisioning.tenants[0]?.accounts : undefined;
    });
    for (const account of accounts) apart.set({ tenant, account }, said ?? [undefined]);
  }
  const corrections = byAccount<Adrift>();
  for (const one of adrift) corrections.set(one, one);
  return (ref) => {
    const settled = apart.get(ref) ?? [tenants?.get(ref.tenant)];
    const correction = corrections.get(ref);
    return [
      ...settled.map((accounts) => {
        const said = accounts?.find(ref.account);
        return said && correction ? corrected(said, correction) : said;
      }),
      ...tenantsBegun.map((of) => of.get(ref.tenant)?.find(ref.account)),
    ];
  };
}

function corrected(
  account: ProvisionedAccount,
  { staying = [], limits = [], gone = [] }: Adrift,
): ProvisionedAccount {
  const { definition } = account;
  const subscribers = [...new Set([...definition.subscribers, ...staying])];
  const has = new Set(definition.buckets.map(({ id }) => id));
  const buckets = [...limits.filter(({ id }) => !has.has(id)), ...definition.buckets];
  const all = { ...definition, subscribers, buckets };
  return { ...account, definition: withoutSubscribers(all, gone) };
}

/**
 * The text by which a file is remembered as begun; undefined: it is already, or, unless `all` that it
 * says is put in place, there is nothing to be done by it.
 */
export function begunText(
  file: WrittenFile,
  { last, all }: { last: Remembered | undefined; all: boolean },
): string | undefined {
  const [applied, ...begun] = last?.bases ?? [undefined];
  if (begun.some((one) => isDeepStrictEqual(one, file))) return undefined;
  const { leftAlone = [], adrift = [] } = last ?? {};
  const isSettled = begun.length === 0 && leftAlone.length === 0 && adrift.length === 0;
  if (!all && isSettled && isDeepStrictEqual(applied, file)) return undefined;
  return textOf(applied, { leftAlone, adrift, begun: [...begun, file].slice(-MAX_BEGUN) });
}

/** The text of a file that was applied to its end. */
export function rememberedText(
  file: LoadedFile,
  { refused, staying, last }: Settled & { last: Remembered | undefined },
): string {
  return textOf(file.written, {
    leftAlone: leftAloneOf(file.written, { refused, last }),
    adrift: [...adriftOf(file, { refused, last }), ...staying],
    begun: [],
  });
}

function textOf(
  applied: WrittenFile | undefined,
  { leftAlone, adrift, begun }: Apart & { begun: readonly WrittenFile[] },
): string {
  const text: Text = {
    ...applied,
    ...(leftAlone.length > 0 && { leftAlone }),
    ...(adrift.length > 0 && { adrift }),
    ...(begun.length > 0 && { begun }),
  };
  return JSON.stringify(text);
}

function leftAloneOf(
  file: WrittenFile,
  { refused, last }: { refused: readonly AccountRef[]; last: Remembered | undefined },
): LeftAlone[] {
  const leftAlone: LeftAlone[] = [];
  const add = (
    tenant: string,
    accounts: Set<string>,
    before: readonly (WrittenTenant | undefined)[],
  ) => {
    const bases = before.flatMap((one) => (one && split(one, accounts).own) ?? []);
    const isKnown = bases.length === before.length;
    leftAlone.push({ tenant, accounts: [...accounts], ...(isKnown && { bases }) });
  };
  const [applied, ...begun] = last?.bases ?? [undefined];
  // This one was begun before perhaps, and has left them alone then, too.
  const others = begun.filter((one) => !isDeepStrictEqual(one, file));
  for (const [tenant, refs] of Map.groupBy(refused, (one) => one.tenant)) {
    const inFile = (one: WrittenFile | undefined) => one?.tenants.find(({ id }) => id === tenant);
    const since = others.map(inFile);
    const rest = new Set(refs.map(({ account }) => account));
    for (const earlier of last?.leftAlone ?? []) {
      if (earlier.tenant !== tenant) continue;
      const again = new Set(earlier.accounts.filter((account) => rest.delete(account)));
      if (again.size > 0) add(tenant, again, [...(earlier.bases ?? [undefined]), ...since]);
    }
    if (rest.size > 0) add(tenant, rest, [inFile(applied), ...since]);
  }
  return leftAlone;
}

/** Of accounts that were left as they are: whom they had before that this file, or one since, took. */
function adriftOf(
  { provisioning }: LoadedFile,
  { refused, last }: { refused: readonly AccountRef[]; last: Remembered | undefined },
): Adrift[] {
  const all: Adrift[] = [];
  if (last === undefined) return all;
  const earlier = byAccount<Adrift>();
  for (const one of last.adrift) earlier.set(one, one);
  for (const [tenant, refs] of Map.groupBy(refused, (one) => one.tenant)) {
    const had = refs.map((ref) => ({
      ref,
      names: last.before(ref).flatMap((said) => said?.definition.subscribers ?? []),
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
      const before = earlier.get(ref);
      const taken = names.filter((name) => given.has(name));
      const gone = [...new Set([...(before?.gone ?? []), ...taken])];
      if (before !== undefined || gone.length > 0)
        all.push({ ...before, tenant, account: ref.account, gone });
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
