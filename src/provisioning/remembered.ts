/**
 * The file that was applied last, as it is kept in the store. Of an account that could not become what
 * it says, what counts is the file that the account was settled by last, so the part of that file is
 * kept as well: at the next start it is new what differs from there, and nothing else.
 */
import type { AccountRef } from '../charging/account.ts';
import { type LoadedFile, loadWritten } from './load.ts';
import type { Accounts, ProvisionedAccount } from './provisioning.ts';
import type { WrittenFile, WrittenTenant } from './schema.ts';

export interface Remembered {
  written: WrittenFile;
  /** The same without accounts that were left alone, and without ranges that have such accounts. */
  settled: WrittenFile;
  before: Before;
  leftAlone: readonly LeftAlone[];
}

/** What a file said of an account when it was last settled by one; undefined: all of it is new. */
export type Before = (account: AccountRef) => ProvisionedAccount[] | undefined;

/** Accounts of a tenant that were left as they are, all settled by the same file before. */
interface LeftAlone {
  tenant: string;
  accounts: readonly string[];
  /** The tenant in that file, with these accounts and their ranges alone; absent: there was none. */
  before?: WrittenTenant;
}

/** An older version may have remembered what this one does not take: then everything is new. */
export function readRemembered(text: string | undefined): Remembered | undefined {
  if (text === undefined) return undefined;
  const { leftAlone = [], ...rest }: WrittenFile & { leftAlone?: LeftAlone[] } = JSON.parse(text);
  const loaded = loadWritten(rest);
  if (!loaded.ok) return undefined;
  const { written } = loaded;
  const settled = {
    ...written,
    tenants: written.tenants.map((tenant) => {
      const own = leftAlone.filter((one) => one.tenant === tenant.id);
      return split(tenant, new Set(own.flatMap(({ accounts }) => accounts))).others;
    }),
  };
  return { written, settled, before: beforeOf(loaded, leftAlone), leftAlone };
}

function beforeOf({ provisioning }: LoadedFile, leftAlone: readonly LeftAlone[]): Before {
  const tenants = new Map(provisioning.tenants.map(({ id, accounts }) => [id, accounts]));
  const apart = new Map<string, Map<string, Accounts | undefined>>();
  for (const { tenant, accounts, before } of leftAlone) {
    const loaded = before && loadWritten({ tenants: [before] });
    const said = loaded?.ok ? loaded.provisioning.tenants[0]?.accounts : undefined;
    const ofTenant = apart.get(tenant) ?? new Map<string, Accounts | undefined>();
    apart.set(tenant, ofTenant);
    for (const account of accounts) ofTenant.set(account, said);
  }
  return ({ tenant, account }) => {
    const ofTenant = apart.get(tenant);
    const said = ofTenant?.has(account) ? ofTenant.get(account) : tenants.get(tenant);
    const found = said?.find(account);
    return found && [found];
  };
}

/** The text of a file to be remembered that left the accounts `refused` as they are. */
export function rememberedText(
  file: WrittenFile,
  { refused, last }: { refused: readonly AccountRef[]; last: Remembered | undefined },
): string {
  const leftAlone: LeftAlone[] = [];
  const add = (tenant: string, accounts: Set<string>, before: WrittenTenant | undefined) => {
    const { own } = before === undefined ? {} : split(before, accounts);
    leftAlone.push({ tenant, accounts: [...accounts], ...(own && { before: own }) });
  };
  for (const [tenant, refs] of Map.groupBy(refused, (one) => one.tenant)) {
    const rest = new Set(refs.map(({ account }) => account));
    for (const earlier of last?.leftAlone ?? []) {
      if (earlier.tenant !== tenant) continue;
      const again = new Set(earlier.accounts.filter((account) => rest.delete(account)));
      if (again.size > 0) add(tenant, again, earlier.before);
    }
    const before = last?.written.tenants.find(({ id }) => id === tenant);
    if (rest.size > 0) add(tenant, rest, before);
  }
  return JSON.stringify(leftAlone.length === 0 ? file : { ...file, leftAlone });
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
