/**
 * What a provisioning file changes of a configuration that was also changed by other means. The file
 * that was applied last is the base: what the file says as before stays as it is now, what it says
 * otherwise is taken, and what it says no more is taken out. Parts that never stood in a file stay.
 */
import { isDeepStrictEqual } from 'node:util';
import type { WrittenAccount, WrittenFile, WrittenRange, WrittenTenant } from './schema.ts';

/** A file without its accounts, in parts that change each for itself. */
type Parts = Map<string, unknown>;

const PEERS = 'peers';
const ROUTING = 'routing';
const tenantPart = (tenant: string): string => `tenant ${tenant}`;
const planPart = (tenant: string, plan: string): string => `plan ${tenant}/${plan}`;

export interface Merge {
  file: WrittenFile;
  /** The file that was applied last. */
  base: WrittenFile | undefined;
  /** The present configuration. */
  current: WrittenFile | undefined;
  /** Everything that the file says is taken, not only what it says otherwise than the base. */
  all: boolean;
}

/** The configuration that comes of it: it may not fit together, which compiling tells. */
export function merged({ file, base, current, all }: Merge): WrittenFile {
  const parts = partsOf(current);
  const [before, now] = [partsOf(base), partsOf(file)];
  for (const [name, part] of now) {
    const isAsBefore = before.has(name) && isDeepStrictEqual(before.get(name), part);
    if (all || !isAsBefore) parts.set(name, part);
  }
  for (const name of before.keys()) if (!now.has(name)) parts.delete(name);
  return assembled(parts, file.tenants, current?.tenants ?? []);
}

/** The tenants of a file with the accounts and ranges that it says otherwise than `base`. */
export function changedAccounts(file: WrittenFile, base: WrittenFile | undefined): WrittenTenant[] {
  return file.tenants.map((tenant) => {
    const before = base?.tenants.find(({ id }) => id === tenant.id);
    const accounts = new Map<string, WrittenAccount>();
    for (const account of before?.accounts ?? []) accounts.set(account.id, account);
    const ranges = new Map<string, WrittenRange>();
    for (const range of before?.ranges ?? []) ranges.set(nameOfRange(range), range);
    return {
      ...tenant,
      accounts: (tenant.accounts ?? []).filter(
        (account) => !isDeepStrictEqual(accounts.get(account.id), account),
      ),
      ranges: (tenant.ranges ?? []).filter(
        (range) => !isDeepStrictEqual(ranges.get(nameOfRange(range)), range),
      ),
    };
  });
}

const nameOfRange = ({ prefix, first }: WrittenRange): string =>
  `${prefix} ${first.e164 ?? ''} ${first.imsi ?? ''}`;

function partsOf(file: WrittenFile | undefined): Parts {
  const parts: Parts = new Map();
  for (const tenant of file?.tenants ?? []) {
    const { accounts: _, ranges: __, plans, ...own } = tenant;
    parts.set(tenantPart(tenant.id), own);
    for (const plan of plans) parts.set(planPart(tenant.id, plan.id), plan);
  }
  if (file?.peers !== undefined) parts.set(PEERS, file.peers);
  if (file?.routing !== undefined) parts.set(ROUTING, file.routing);
  return parts;
}

/** In the order of the file, then in that of the present configuration. */
function assembled(parts: Parts, ...orders: (readonly WrittenTenant[])[]): WrittenFile {
  const tenants = new Map<string, WrittenTenant>();
  for (const { id } of orders.flat()) {
    const own = parts.get(tenantPart(id)) as Omit<WrittenTenant, 'plans'> | undefined;
    if (own === undefined || tenants.has(id)) continue;
    const plans = new Map<string, unknown>();
    for (const tenant of orders.flat().filter((one) => one.id === id)) {
      for (const plan of tenant.plans) {
        const part = parts.get(planPart(id, plan.id));
        if (part !== undefined) plans.set(plan.id, part);
      }
    }
    tenants.set(id, { ...own, plans: [...plans.values()] } as WrittenTenant);
  }
  const peers = parts.get(PEERS) as WrittenFile['peers'];
  const routing = parts.get(ROUTING) as WrittenFile['routing'];
  return {
    tenants: [...tenants.values()],
    ...(peers === undefined ? {} : { peers }),
    ...(routing === undefined ? {} : { routing }),
  };
}
