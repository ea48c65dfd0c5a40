/**
 * Changes of the configuration: read, edit, compile, write if nobody was faster, else again from
 * what they wrote. What does not compile, or does not fit the accounts that there are, is never
 * written. A plan that rates otherwise than before gets a higher version, whatever is written, and
 * every version is kept beside the configuration.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { Plan } from '../charging/plan.ts';
import { TollkeeperError } from '../errors.ts';
import {
  MAX_CONFIGURATION_BYTES,
  type PlanText,
  type StoredConfiguration,
} from '../store/configuration.ts';
import { type Store, StoreUnavailable } from '../store/store.ts';
import {
  type Configuration,
  compilePlanAlone,
  compileStored,
  planAlone,
  ratesAlike,
} from './configuration.ts';
import { type LoadedFile, loadWritten } from './load.ts';
import type { Finding } from './problem.ts';
import type { Provisioning } from './provisioning.ts';
import type { WrittenFile, WrittenPlan, WrittenTenant } from './schema.ts';
import { type Becoming, bucketFindings } from './stored-buckets.ts';

/** The part of a store that a change needs. */
export type ChangeableStore = Pick<
  Store,
  | 'configurationStamp'
  | 'readConfiguration'
  | 'writeConfiguration'
  | 'planVersions'
  | 'planText'
  | 'listAccounts'
  | 'partitions'
>;

/**
 * Makes the next configuration from the present one; undefined: there is none yet. It is asked again
 * when somebody else was faster, and may throw to refuse.
 */
export type Edit = (current: Configuration | undefined) => WrittenFile;

export type Changed =
  | { kind: 'changed' | 'unchanged'; configuration: Configuration }
  | { kind: 'refused'; findings: Finding[] };

export interface ChangeOptions {
  /** Why workers cannot take a configuration that compiles, one sentence each. */
  problems?: ((provisioning: Provisioning) => readonly string[]) | undefined;
  /** What accounts are changed to right after; absent: they stay as they are. */
  becoming?: Becoming | undefined;
  /** Waited for before what is changed is written. */
  beforeWrite?: (() => Promise<void>) | undefined;
}

/** Attempts against others who change it. */
const ATTEMPTS = 20;
/** The same against a store that is away, with a pause between them. */
const FAILURES = 3;
const PAUSE_MS = 50;

/**
 * Throws StoreUnavailable, CHANGE_REFUSED for `problems`, CONFIGURATION_INVALID where this version
 * cannot read what is stored, and whatever `edit` throws.
 */
export async function changeConfiguration(
  store: ChangeableStore,
  edit: Edit,
  options: ChangeOptions = {},
): Promise<Changed> {
  /** What was sent to be written, whether or not a reply came: found in the store, it is done. */
  let sent: string | undefined;
  let failures = 0;
  for (let attempt = 1; ; attempt++) {
    try {
      const stored = await store.readConfiguration();
      if (stored !== undefined && stored.document === sent)
        return { kind: 'changed', configuration: compiled(stored) };
      const next = await prepare(store, stored, { edit, ...options });
      if (next.kind !== 'write') return next;
      const { document, plans } = next;
      await options.beforeWrite?.();
      sent = document;
      const expected = stored?.version ?? 0;
      const reply = await store.writeConfiguration({ expected, document, plans });
      if (reply === 'written') {
        const written = await store.readConfiguration();
        // Somebody may have changed it since: then this is theirs, made from ours.
        if (written !== undefined) return { kind: 'changed', configuration: compiled(written) };
      }
    } catch (error) {
      failures += 1;
      if (!(error instanceof StoreUnavailable) || failures > FAILURES) throw error;
      await pause(PAUSE_MS);
    }
    if (attempt >= ATTEMPTS)
      throw new StoreUnavailable('no', 'the configuration is being changed by others');
  }
}

/** What is stored, which was compiled before it was written. */
function compiled(stored: StoredConfiguration): Configuration {
  const result = compileStored(stored);
  if (result.ok) return result.configuration;
  throw new TollkeeperError('CONFIGURATION_INVALID', { problems: result.problems.join('; ') });
}

async function prepare(
  store: ChangeableStore,
  stored: StoredConfiguration | undefined,
  { edit, problems, becoming }: { edit: Edit } & ChangeOptions,
): Promise<
  Exclude<Changed, { kind: 'changed' }> | { kind: 'write'; document: string; plans: PlanText[] }
> {
  const current = stored && compiled(stored);
  const loaded = loadWritten(edit(current));
  if (!loaded.ok) return { kind: 'refused', findings: loaded.findings };
  const unfit = problems?.(loaded.provisioning) ?? [];
  if (unfit.length > 0)
    throw new TollkeeperError('CHANGE_REFUSED', {
      problems: unfit.map((problem) => `  ${problem}`).join('\n'),
    });
  const findings = [
    ...(await currencyFindings(store, current, loaded)),
    ...(await bucketFindings(store, current, { next: loaded, becoming })),
  ];
  if (findings.length > 0) return { kind: 'refused', findings };
  const { written, plans } = await withVersions(store, current, loaded);
  const document = JSON.stringify(written);
  if (current !== undefined && document === stored?.document)
    return { kind: 'unchanged', configuration: current };
  const bytes = Buffer.byteLength(document);
  if (bytes > MAX_CONFIGURATION_BYTES) {
    const expected = `at most ${MAX_CONFIGURATION_BYTES} octets without accounts`;
    return { kind: 'refused', findings: [{ path: [], found: `${bytes} octets`, expected }] };
  }
  return { kind: 'write', document, plans };
}

/** Balances are stored in the smallest unit: with accounts, neither it nor the currency may change. */
async function currencyFindings(
  store: ChangeableStore,
  current: Configuration | undefined,
  { provisioning }: LoadedFile,
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [index, { id, currency }] of provisioning.tenants.entries()) {
    const before = current?.currencyOf(id);
    if (before === undefined) continue;
    for (const [member, now, then] of [
      ['currency', currency.code, before.code],
      ['digits', currency.digits, before.digits],
    ] as const) {
      if (now === then || !(await hasAccounts(store, id))) continue;
      const expected = `${then}: the tenant has accounts, whose balances are stored in it`;
      findings.push({ path: ['tenants', index, member], found: String(now), expected });
    }
  }
  return findings;
}

export async function hasAccounts(
  store: Pick<Store, 'listAccounts'>,
  tenant: string,
): Promise<boolean> {
  return (await store.listAccounts(tenant, { limit: 1 })).accounts.length > 0;
}

/** The plans with the versions that they get, and those of them that are to be kept. */
async function withVersions(
  store: ChangeableStore,
  current: Configuration | undefined,
  { written, provisioning }: LoadedFile,
): Promise<{ written: WrittenFile; plans: PlanText[] }> {
  const plans: PlanText[] = [];
  const tenants: WrittenTenant[] = [];
  for (const [at, tenant] of written.tenants.entries()) {
    const versioned: WrittenPlan[] = [];
    for (const [index, plan] of tenant.plans.entries()) {
      const compiledPlan = provisioning.tenants[at]!.plans[index]!;
      const version = await versionOf(store, current, { tenant: tenant.id, plan: compiledPlan });
      const kept = { ...plan, version };
      versioned.push(kept);
      if (current?.plan(tenant.id, plan.id)?.version === version) continue;
      const text = JSON.stringify(planAlone(tenant, kept));
      plans.push({ tenant: tenant.id, plan: plan.id, version, text });
    }
    tenants.push({ ...tenant, plans: versioned });
  }
  return { written: { ...written, tenants }, plans };
}

/** Where a plan was before, in the configuration or, when it was taken out, among the kept ones. */
async function versionOf(
  store: ChangeableStore,
  current: Configuration | undefined,
  { tenant, plan }: { tenant: string; plan: Plan },
): Promise<number> {
  let before = current?.plan(tenant, plan.id);
  let highest = before?.version ?? 0;
  if (before === undefined) {
    highest = (await store.planVersions(tenant, plan.id)).at(-1) ?? 0;
    if (highest === 0) return plan.version;
    const text = await store.planText(tenant, plan.id, highest);
    before = text === undefined ? undefined : compilePlanAlone(text);
  }
  const isSame = before !== undefined && ratesAlike(before, plan);
  return Math.max(plan.version, isSame ? highest : highest + 1);
}
