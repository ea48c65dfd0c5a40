/** Provisioning files for tests: tenants with a priced plan each, small enough to be read. */
import { type LoadedFile, loadProvisioning } from '../../src/provisioning/load.ts';
import { renderProblems } from '../../src/provisioning/problem.ts';
import type { WrittenFile, WrittenPlan, WrittenTenant } from '../../src/provisioning/schema.ts';

/** A plan of one rule, `internet`, with a price for each octet. */
export const plan = (amount: string, more: Partial<WrittenPlan> = {}): WrittenPlan => ({
  id: 'p',
  rules: [
    {
      name: 'internet',
      unit: 'octets',
      price: { amount, per: 1 },
      quota: { size: 1000 },
    },
  ],
  ...more,
});

export const tenant = (id: string, more: Partial<WrittenTenant> = {}): WrittenTenant => ({
  id,
  currency: 'EUR',
  digits: 6,
  plans: [plan('0.01')],
  ...more,
});

/** Everybody may connect, and what no rule gives to another tenant is for the first one. */
export const file = (tenants: readonly WrittenTenant[]): WrittenFile => ({
  tenants,
  peers: { anybody: {} },
  routing: { rules: [], default: tenants[0]!.id },
});

export function load(written: WrittenFile): LoadedFile {
  const loaded = loadProvisioning(JSON.stringify(written), 'test.yaml');
  if (!loaded.ok) throw new Error(renderProblems(loaded.problems));
  return loaded;
}
