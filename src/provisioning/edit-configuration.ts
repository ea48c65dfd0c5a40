/**
 * Single changes of the configuration, each of which puts one part of it in place: safe to repeat,
 * and made from what is there, whoever else changes another part meanwhile. HTTP and commands make
 * them by these functions, and a provisioning file by the same `changeConfiguration`.
 */
import { hash } from 'node:crypto';
import { TollkeeperError } from '../errors.ts';
import {
  type ChangeableStore,
  type ChangeOptions,
  changeConfiguration,
  hasAccounts,
} from './change.ts';
import type { Configuration } from './configuration.ts';
import { type Finding, show } from './problem.ts';
import { refusal } from './refusal.ts';
import type { WrittenFile, WrittenPlan, WrittenTenant } from './schema.ts';

/** One part of the configuration. */
export type PartName =
  | { part: 'tenant'; tenant: string }
  | { part: 'plan'; tenant: string; plan: string }
  | { part: 'peers' }
  | { part: 'routing' };

export interface EditOptions extends ChangeOptions {
  /** The tag that the part must still have: '' where it must not be there, '*' where it must be. */
  expected?: string | undefined;
}

export interface Edited {
  configuration: Configuration;
  /** Whether the part was not there before. */
  created: boolean;
}

/** A part as it is written, or undefined: it is not there. */
export function partOf(written: WrittenFile, name: PartName): unknown {
  if (name.part === 'peers' || name.part === 'routing') return written[name.part];
  const tenant = written.tenants.find(({ id }) => id === name.tenant);
  if (name.part === 'plan') return tenant?.plans.find(({ id }) => id === name.plan);
  if (tenant === undefined) return undefined;
  const { plans: _, ...own } = tenant;
  return own;
}

/** What tells two states of a part apart; '' where it is not there. */
export function tagOf(written: WrittenFile, name: PartName): string {
  const part = partOf(written, name);
  return part === undefined ? '' : hash('sha256', JSON.stringify(part), 'base64url').slice(0, 22);
}

/**
 * Puts a part in place. A tenant's part is the tenant without its plans, which stay as they are; a
 * new tenant is given its first ones in `plans`. Accounts are no part of the configuration. Throws
 * CHANGE_REFUSED where it does not fit, TENANT_UNKNOWN for a plan of nobody, and STALE_CHANGE where
 * it is not what `expected` says.
 */
export async function putPart(
  store: ChangeableStore,
  name: PartName,
  value: object,
  options: EditOptions = {},
): Promise<Edited> {
  const findings = misplaced(name, value);
  if (findings.length > 0) throw refusal(findings);
  let created = false;
  const configuration = await edit(store, name, options, (written) => {
    created = partOf(written, name) === undefined;
    return withPart(written, name, value);
  });
  return { configuration, created };
}

/**
 * Takes a plan or a tenant out; one that is not there already is done. Accounts keep the name of a
 * plan that is gone: nothing new is rated for them until they have another. Throws TENANT_IN_USE
 * where a tenant has accounts.
 */
export async function removePart(
  store: ChangeableStore,
  name: Extract<PartName, { part: 'tenant' | 'plan' }>,
  options: EditOptions = {},
): Promise<Configuration> {
  if (name.part === 'tenant' && (await hasAccounts(store, name.tenant)))
    throw new TollkeeperError('TENANT_IN_USE', { tenant: name.tenant });
  return edit(store, name, options, (written) => ({
    ...written,
    tenants:
      name.part === 'tenant'
        ? written.tenants.filter(({ id }) => id !== name.tenant)
        : written.tenants.map((tenant) =>
            tenant.id === name.tenant
              ? { ...tenant, plans: tenant.plans.filter(({ id }) => id !== name.plan) }
              : tenant,
          ),
  }));
}

async function edit(
  store: ChangeableStore,
  name: PartName,
  { expected, problems }: EditOptions,
  change: (written: WrittenFile) => WrittenFile,
): Promise<Configuration> {
  const changed = await changeConfiguration(
    store,
    (current) => {
      if (current === undefined) throw new TollkeeperError('CONFIGURATION_MISSING');
      const { written } = current;
      if (name.part === 'plan' && !written.tenants.some(({ id }) => id === name.tenant))
        throw new TollkeeperError('TENANT_UNKNOWN', { tenant: name.tenant });
      const tag = tagOf(written, name);
      const isAsExpected = expected === '*' ? tag !== '' : expected === tag;
      if (expected !== undefined && !isAsExpected)
        throw new TollkeeperError('STALE_CHANGE', { what: nameText(name), tag: tag || 'nothing' });
      return change(written);
    },
    // Whatever is wrong with the peers that are there, workers take the rest beside them.
    { problems: name.part === 'peers' ? problems : undefined },
  );
  if (changed.kind === 'refused') throw refusal(changed.findings);
  return changed.configuration;
}

function nameText(name: PartName): string {
  if (name.part === 'tenant') return `tenant ${name.tenant}`;
  if (name.part === 'plan') return `plan ${name.plan} of ${name.tenant}`;
  return name.part;
}

/** What the value says that cannot be put in place with this part. */
function misplaced(name: PartName, part: object): Finding[] {
  if (name.part === 'peers' || name.part === 'routing') return [];
  const value = part as Readonly<Record<string, unknown>>;
  const id = name.part === 'plan' ? name.plan : name.tenant;
  const findings: Finding[] = [];
  if (value.id !== undefined && value.id !== id)
    findings.push({ path: ['id'], found: show(value.id), expected: `${id}, or none` });
  for (const member of name.part === 'tenant' ? ['accounts', 'ranges'] : []) {
    if (value[member] === undefined) continue;
    const expected = 'none: accounts are put in place one by one, or imported';
    findings.push({ path: [member], found: show(value[member]), expected });
  }
  return findings;
}

/** The value may be anything: compiling the whole tells what is wrong with it. */
function withPart(written: WrittenFile, name: PartName, value: object): WrittenFile {
  if (name.part === 'peers' || name.part === 'routing')
    return { ...written, [name.part]: value } as WrittenFile;
  const tenants = written.tenants.map((tenant) => {
    if (tenant.id !== name.tenant) return tenant;
    if (name.part === 'tenant') return { ...value, plans: tenant.plans, id: tenant.id };
    const plan = { ...value, id: name.plan } as WrittenPlan;
    const others = tenant.plans.filter(({ id }) => id !== name.plan);
    const isThere = others.length < tenant.plans.length;
    return {
      ...tenant,
      plans: isThere
        ? tenant.plans.map((one) => (one.id === name.plan ? plan : one))
        : [...tenant.plans, plan],
    };
  }) as WrittenTenant[];
  if (name.part === 'tenant' && !written.tenants.some(({ id }) => id === name.tenant))
    tenants.push({ ...value, id: name.tenant } as WrittenTenant);
  return { ...written, tenants };
}
