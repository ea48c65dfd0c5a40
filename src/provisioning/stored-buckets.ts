/**
 * Rules that buckets and limits in the store name. A plan's rule that accounts name is not taken
 * away, renamed or made to count otherwise: nobody would be told that a bundle pays for nothing any
 * more, and what `export` writes of it no `import` would take. A plan as a whole may be taken out;
 * when it comes back it has the rules again. Whatever way a configuration changes by, it passes
 * here.
 *
 * Accounts that are created or changed while a plan is being changed are held against the plan as
 * it was: one that is written in just that moment is not found here.
 */
import type { AccountDefinition } from '../charging/account.ts';
import type { Store } from '../store/store.ts';
import { misfits } from './buckets.ts';
import type { Configuration } from './configuration.ts';
import type { LoadedFile } from './load.ts';
import { type Finding, fieldOf, type Path, show } from './problem.ts';
import { type RuleNames, type RulesOf, rulesOfTenant, rulesOfText } from './rule-names.ts';

/** What an account in the store is changed to together with the configuration. */
export type Becoming = (stored: AccountDefinition, rulesOf: RulesOf) => Promise<AccountDefinition>;

type HeldAgainst = Pick<Store, 'partitions' | 'listAccounts' | 'planVersions' | 'planText'>;

/** The most accounts that are named. */
const MAX_NAMED = 20;
/** Accounts read at once. */
const PAGE = 200;

/**
 * The accounts whose buckets would be left naming what their plan has no more, the first MAX_NAMED
 * of each tenant. Accounts are read only where a plan loses rules, all of its tenant then: a
 * million take a minute or two.
 */
export async function bucketFindings(
  store: HeldAgainst,
  current: Configuration | undefined,
  { next, becoming }: { next: LoadedFile; becoming: Becoming | undefined },
): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [index, { id: tenant, plans }] of next.provisioning.tenants.entries()) {
    const losing = new Map<string, Path>();
    const rulesOf = rulesOfTenant(next, tenant);
    const rulesNow = current && rulesOfTenant(current, tenant);
    for (const [at, { id: plan }] of plans.entries()) {
      const before = rulesNow?.(plan) ?? (await rulesWhenTakenOut(store, tenant, plan));
      if (loses(before, rulesOf(plan)!)) losing.set(plan, ['tenants', index, 'plans', at, 'rules']);
    }
    if (losing.size === 0) continue;
    const left = leftBehind(store, tenant, { losing, rulesOf, becoming });
    let named = 0;
    for await (const finding of left) {
      if (named++ < MAX_NAMED) findings.push(finding);
      else break;
    }
    if (named > MAX_NAMED) findings.push(moreThan(findings.at(-1)!));
  }
  return findings;
}

const moreThan = ({ path, expected }: Finding): Finding => ({
  ...{ path, expected },
  found: `more accounts than these ${MAX_NAMED}`,
});

/** The rules that a plan had last; undefined: it is new. */
async function rulesWhenTakenOut(
  store: HeldAgainst,
  tenant: string,
  plan: string,
): Promise<RuleNames | undefined> {
  const version = (await store.planVersions(tenant, plan)).at(-1);
  const text = version && (await store.planText(tenant, plan, version));
  return text ? rulesOfText(text) : undefined;
}

function loses(before: RuleNames | undefined, now: RuleNames): boolean {
  for (const [name, unit] of before ?? [])
    if (!now.has(name) || now.get(name) !== unit) return true;
  return false;
}

/** A finding for each account that is left so, in the order of the store. */
async function* leftBehind(
  store: HeldAgainst,
  tenant: string,
  of: { losing: ReadonlyMap<string, Path>; rulesOf: RulesOf; becoming: Becoming | undefined },
): AsyncGenerator<Finding> {
  const { losing, rulesOf, becoming } = of;
  for (let partition = 0; partition < store.partitions; partition++) {
    let after: string | undefined;
    do {
      const more = after === undefined ? {} : { after };
      const page = await store.listAccounts(tenant, { limit: PAGE, partition, ...more });
      for (const { definition: stored } of page.accounts) {
        const path = losing.get(stored.plan);
        if (path === undefined) continue;
        const definition = (await becoming?.(stored, rulesOf)) ?? stored;
        const { plan: id } = definition;
        const [first] = misfits(definition, { id, rules: rulesOf(id) });
        if (first === undefined) continue;
        const found = `account ${show(stored.account)}, its ${fieldOf(first.path)}: ${first.found}`;
        yield { path, found, expected: first.expected };
      }
      after = page.next;
    } while (after !== undefined);
  }
}
