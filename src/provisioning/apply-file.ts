/**
 * Brings a store to what a provisioning file says: first the configuration, whole or not at all, then
 * the accounts. The file is remembered when all is done, so that the next start knows what is new
 * in it, and whoever is interrupted begins again. It is also remembered that it was begun, so that
 * what was done of it is taken back where another file follows.
 */
import type { AccountDefinition, AccountRef } from '../charging/account.ts';
import { kindOf } from '../store/bucket-kinds.ts';
import type { Store } from '../store/store.ts';
import {
  type AccountStore,
  type ApplyOptions,
  type ApplyReport,
  applyProvisioning,
} from './apply.ts';
import {
  type ChangeableStore,
  type ChangeOptions,
  changeConfiguration,
  hasAccounts,
} from './change.ts';
import { type Configuration, findingText } from './configuration.ts';
import { editedSince } from './edited-since.ts';
import { type InEffect, whenInEffect } from './in-effect.ts';
import { type LoadedFile, loadWritten } from './load.ts';
import { changedAccounts, merged } from './merge.ts';
import type { Provisioning } from './provisioning.ts';
import { refusal } from './refusal.ts';
import {
  type Before,
  begunText,
  readRemembered,
  rememberedText,
  type Staying,
} from './remembered.ts';
import type { WrittenFile } from './schema.ts';
import type { Becoming } from './stored-buckets.ts';
import { isUnderAnother } from './under-plan.ts';
import { rewritten } from './wanted.ts';

export interface PlanGone {
  tenant: string;
  plan: string;
}

export interface FileReport {
  /** Whether the file changed tenants, plans, peers or routing. */
  changed: boolean;
  configuration: Configuration;
  /** What the file changed that was changed otherwise by other means since, as paths of the file. */
  overruled: string[];
  /** Plans that were taken out, of tenants with accounts: some of these may still have them. */
  plansGone: PlanGone[];
  accounts: ApplyReport;
  /** Where workers were waited for, how far the configuration was in effect before the accounts. */
  inEffect: InEffect | undefined;
}

/**
 * With `all`, everything that the file says is put in place; otherwise only what it says otherwise
 * than the file applied last, so that what was changed by other means meanwhile stays. A tenant that
 * the file has no more stays while it has accounts. Throws CHANGE_REFUSED where the file and
 * what is there do not fit together, and StoreUnavailable.
 */
export async function applyFile(
  store: AccountStore &
    ChangeableStore &
    Pick<Store, 'rememberedFile' | 'rememberFile' | 'announce' | 'sessionsOf'>,
  file: LoadedFile,
  {
    all,
    problems,
    waitMs,
    ...options
  }: Omit<ApplyOptions, 'configuration'> &
    Pick<ChangeOptions, 'problems'> & {
      all: boolean;
      /** How long workers are waited for before accounts are changed; absent: they are not. */
      waitMs?: number;
    },
): Promise<FileReport> {
  const last = readRemembered(await store.rememberedFile());
  const bases = last?.bases ?? [undefined];
  const since = all ? undefined : last?.before;
  const kept = await tenantsToKeep(store, file.written, bases);
  const settledBefore = all ? [undefined] : (last?.settled ?? [undefined]);
  const next = accountsOf(file, changedAccounts(file.written, settledBefore));
  let begun = begunText(file.written, { last, all });
  const begin = async () => {
    if (begun !== undefined) await store.rememberFile(begun);
    begun = undefined;
  };
  let before: Configuration | undefined;
  let overruled: string[] = [];
  const changed = await changeConfiguration(
    store,
    (current) => {
      before = current;
      const result = merged({
        file: file.written,
        bases: bases.map((base) => base && withoutTenants(base, kept)),
        current: current?.written,
        all,
      });
      overruled = result.overruled;
      return result.file;
    },
    { problems, becoming: becomingOf(next, { store, since }), beforeWrite: begin },
  );
  if (changed.kind === 'refused') throw refusal(changed.findings);
  const { configuration } = changed;
  // A client that is asked again is to meet the plan that its account has now.
  const inEffect = waitMs === undefined ? undefined : await whenInEffect(store, { waitMs });
  if (next.tenants.some(({ accounts }) => accounts.count > 0)) await begin();
  const settled = { refused: [] as AccountRef[], staying: [] as (AccountRef & Staying)[] };
  const accounts = await applyProvisioning(store, next, {
    ...options,
    ...{ configuration, since },
    // A file that was stopped may have changed the plan of any account.
    ...(bases.length > 1 && { isUnasked: (...of) => isUnderAnother(store, ...of) }),
    onRefused: ({ tenant, account }) => settled.refused.push({ tenant, account }),
    onStaying: ({ tenant, account }, staying) =>
      settled.staying.push({ tenant, account, ...staying }),
  });
  await store.rememberFile(rememberedText(file, { ...settled, last }));
  const plansGone = await goneWithAccounts(store, before, configuration);
  return {
    ...{ changed: changed.kind === 'changed', configuration, overruled, plansGone },
    ...{ accounts, inEffect },
  };
}

/** What whoever applied a file is told of a plan that it took out. */
export const planGoneText = ({ tenant, plan }: PlanGone): string =>
  `${tenant}: plan ${plan} was taken out; nothing new is rated for accounts that still have it`;

async function goneWithAccounts(
  store: Pick<Store, 'listAccounts'>,
  before: Configuration | undefined,
  now: Configuration,
): Promise<PlanGone[]> {
  const gone: PlanGone[] = [];
  for (const { id: tenant, plans } of before?.provisioning.tenants ?? []) {
    const missing = plans.filter(({ id }) => now.plan(tenant, id) === undefined);
    if (missing.length > 0 && (await hasAccounts(store, tenant)))
      gone.push(...missing.map(({ id }) => ({ tenant, plan: id })));
  }
  return gone;
}

const withoutTenants = (file: WrittenFile, ids: ReadonlySet<string>): WrittenFile => ({
  ...file,
  tenants: file.tenants.filter(({ id }) => !ids.has(id)),
});

/** Tenants that left the file and have accounts: without them these could not be charged. */
async function tenantsToKeep(
  store: Pick<Store, 'listAccounts'>,
  file: WrittenFile,
  bases: readonly (WrittenFile | undefined)[],
): Promise<Set<string>> {
  const kept = new Set<string>();
  for (const { id } of bases.flatMap((base) => base?.tenants ?? [])) {
    if (kept.has(id) || file.tenants.some((tenant) => tenant.id === id)) continue;
    if (await hasAccounts(store, id)) kept.add(id);
  }
  return kept;
}

/** What the accounts of a file become by it, those included that are left as they are. */
function becomingOf(
  { tenants }: Provisioning,
  { store, since }: { store: Pick<Store, 'now' | 'keptOf'>; since: Before | undefined },
): Becoming {
  const accounts = new Map(tenants.map((tenant) => [tenant.id, tenant.accounts]));
  return async (stored, rulesOf) => {
    const account = accounts.get(stored.tenant)?.find(stored.account);
    if (account === undefined) return stored;
    const edited = editedSince(account, since?.(stored), stored).account;
    const next = rewritten(edited, stored, { now: store.now(), rulesOf });
    if ('problem' in next || (await takesIdAgain(store, next.definition, stored))) return stored;
    return next.definition;
  };
}

/** Whether a bucket is new under an id that another bucket of the account had, which is refused. */
async function takesIdAgain(
  store: Pick<Store, 'keptOf'>,
  next: AccountDefinition,
  stored: AccountDefinition,
): Promise<boolean> {
  const has = new Set(stored.buckets.map(({ id }) => id));
  const added = next.buckets.filter(({ id }) => !has.has(id));
  if (added.length === 0) return false;
  const kept = await store.keptOf(stored);
  return added.some((bucket) => (kept?.kinds.get(bucket.id) ?? kindOf(bucket)) !== kindOf(bucket));
}

/** What the file says of these accounts: part of a good file is good. */
function accountsOf(file: LoadedFile, tenants: WrittenFile['tenants']): Provisioning {
  const loaded = loadWritten({ ...file.written, tenants });
  if (loaded.ok) return loaded.provisioning;
  throw new Error(
    `part of a good file does not fit: ${loaded.findings.map(findingText).join('; ')}`,
  );
}
