/** A small file around what a test is about: what it becomes, or what is said of it. */
import type { Plan, Rule } from '../../src/charging/plan.ts';
import { loadProvisioning } from '../../src/provisioning/load.ts';
import { renderProblems } from '../../src/provisioning/problem.ts';
import type { ProvisionedAccount, Tenant } from '../../src/provisioning/provisioning.ts';

const RULES = `[
  { name: data, match: { ratingGroup: [1] }, unit: octets, free: true, quota: { size: 1 MB } },
  { name: calls, match: { ratingGroup: [2] }, unit: seconds, free: true, quota: { size: 60 } }]`;

const fileOf = (members: string): string =>
  `tenants: [{ id: t, currency: EUR, ${members} }]\npeers: { anybody: {} }\n`;
const planFile = (members: string): string => fileOf(`plans: [{ id: p, ${members} }]`);
const ruleFile = (members: string): string => planFile(`rules: [{ name: r, ${members} }]`);
const accountFile = (members: string): string =>
  fileOf(`timeZone: Europe/Berlin, plans: [{ id: p, rules: ${RULES} }],
    accounts: [{ id: a, plan: p, ${members} }]`);

/** A tenant `t` in EUR with these members; throws what is wrong with it. */
export function tenantOf(members: string): Tenant {
  return read(fileOf(members));
}

/** A plan `p` with these members. */
export function planOf(members: string): Plan {
  return only(read(planFile(members)).plans);
}

/** A rule `r` with these members. */
export function ruleOf(members: string): Rule {
  return only(read(ruleFile(members)).plans[0]?.rules);
}

/** An account `a` of a tenant in Berlin, whose plan has the rules `data` and `calls`. */
export function accountOf(members: string): ProvisionedAccount {
  return only([...read(accountFile(members)).accounts]);
}

/** Each problem without its line and without what leads to the part that the test is about. */
export const problems = {
  tenant: (members: string) => problemsIn(fileOf(members), 'tenants[0].'),
  plan: (members: string) => problemsIn(planFile(members), 'tenants[0].plans[0].'),
  rule: (members: string) => problemsIn(ruleFile(members), 'tenants[0].plans[0].rules[0].'),
  account: (members: string) => problemsIn(accountFile(members), 'tenants[0].accounts[0].'),
};

function read(text: string): Tenant {
  const loaded = loadProvisioning(text, 'f.yaml');
  if (!loaded.ok) throw new Error(renderProblems(loaded.problems));
  return only(loaded.provisioning.tenants);
}

function problemsIn(text: string, prefix: string): string[] {
  const loaded = loadProvisioning(text, 'f.yaml');
  if (loaded.ok) return [];
  return loaded.problems.map(({ field, found, expected }) => {
    const short = field.startsWith(prefix) ? field.slice(prefix.length) : field;
    return `${short}: found ${found}, expected ${expected}`;
  });
}

function only<T>(list: readonly T[] | undefined): T {
  const [one] = list ?? [];
  if (one === undefined) throw new Error('there is none');
  return one;
}
