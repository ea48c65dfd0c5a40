/**
 * The plans that rated past records, in the versions that the records name, as their services do
 * since they have `plan`; of older ones the account's plan stands for it. The plans are those that the store
 * keeps, or, where there is no store, those of a provisioning file. Not a command itself.
 */
import type { Bucket } from '../charging/account.ts';
import type { Plan } from '../charging/plan.ts';
import { TollkeeperError } from '../errors.ts';
import type { TenantCurrency } from '../http/tenant.ts';
import { type Configuration, compilePlanAlone } from '../provisioning/configuration.ts';
import type { Currency, Tenant } from '../provisioning/provisioning.ts';
import type { Store } from '../store/store.ts';

/** Whose record it is. */
export interface Owner {
  tenant: string;
  account: string;
}

export interface PastPlans {
  /**
   * The plan of a record that names none: the one that its account has now, unless another was named
   * for it. Throws what is to be said where nobody knows it.
   */
  idFor(owner: Owner): Promise<string>;
  /** A version of a plan, or it as it is now; undefined: it is not kept. */
  version(of: { tenant: string; plan: string }, version?: number): Promise<Plan | undefined>;
  /** Those that an account has now, limits of its subscribers among them; none: it is not known. */
  bucketsOf(owner: Owner): Promise<readonly Bucket[]>;
  currencyOf(tenant: string): TenantCurrency | undefined;
}

type PastStore = Pick<Store, 'load' | 'planVersions' | 'planText'>;

/** Plans as the store keeps them: the last versions of each, those of plans that are gone too. */
export class StoredPlans implements PastPlans {
  readonly #store: PastStore;
  readonly #configuration: Configuration;
  readonly #named: string | undefined;
  readonly #ids = new Map<string, Promise<string>>();
  readonly #versions = new Map<string, Promise<Plan | undefined>>();
  readonly #buckets = new Map<string, Promise<readonly Bucket[]>>();

  constructor(
    store: PastStore,
    { configuration, named }: { configuration: Configuration; named: string | undefined },
  ) {
    this.#store = store;
    this.#configuration = configuration;
    this.#named = named;
  }

  idFor(owner: Owner): Promise<string> {
    const { tenant } = owner;
    const key = this.#named === undefined ? keyOf(owner) : tenant;
    return remembered(this.#ids, key, () => this.#find(owner));
  }

  version(
    { tenant, plan }: { tenant: string; plan: string },
    version?: number,
  ): Promise<Plan | undefined> {
    const present = this.#configuration.plan(tenant, plan);
    if (present !== undefined && (version ?? present.version) === present.version)
      return Promise.resolve(present);
    return remembered(this.#versions, `${tenant} ${plan} ${version}`, async () => {
      const wanted = version ?? (await this.#store.planVersions(tenant, plan)).at(-1);
      const text = wanted && (await this.#store.planText(tenant, plan, wanted));
      return text ? compilePlanAlone(text) : undefined;
    });
  }

  bucketsOf(owner: Owner): Promise<readonly Bucket[]> {
    return remembered(this.#buckets, keyOf(owner), async () => {
      const { account } = await this.#store.load(owner);
      return account?.definition.buckets ?? [];
    });
  }

  currencyOf(tenant: string): TenantCurrency | undefined {
    return tenantCurrency(this.#configuration.currencyOf(tenant));
  }

  async #find({ tenant, account }: Owner): Promise<string> {
    const plans = this.#configuration.tenant(tenant)?.plans ?? [];
    const stored = await this.#store.load({ tenant, account });
    const only = plans.length === 1 ? plans[0]?.id : undefined;
    const plan = this.#named ?? stored.account?.definition.plan ?? only;
    if (plan === undefined) {
      if (this.#configuration.tenant(tenant) === undefined)
        throw new TollkeeperError('TENANT_UNKNOWN', { tenant });
      throw unknown(`there is no account ${account} any more; name the plan with --plan`);
    }
    const known = await this.version({ tenant, plan });
    if (known === undefined) throw unknown(`tenant ${tenant} has no plan ${plan}`);
    return plan;
  }
}

/** The plans of a provisioning file, which has one version of each. */
export class WrittenPlans implements PastPlans {
  readonly #tenants: ReadonlyMap<string, Tenant>;
  readonly #named: string | undefined;
  readonly #ids = new Map<string, Promise<string>>();
  readonly #buckets = new Map<string, Promise<readonly Bucket[]>>();

  constructor(tenants: readonly Tenant[], named: string | undefined) {
    this.#tenants = new Map(tenants.map((tenant) => [tenant.id, tenant]));
    this.#named = named;
  }

  idFor(owner: Owner): Promise<string> {
    return remembered(this.#ids, keyOf(owner), () => this.#find(owner));
  }

  async version(
    { tenant, plan }: { tenant: string; plan: string },
    version?: number,
  ): Promise<Plan | undefined> {
    const found = this.#tenants.get(tenant)?.plans.find(({ id }) => id === plan);
    return version === undefined || found?.version === version ? found : undefined;
  }

  bucketsOf(owner: Owner): Promise<readonly Bucket[]> {
    return remembered(this.#buckets, keyOf(owner), async () => {
      const accounts = this.#tenants.get(owner.tenant)?.accounts;
      return (accounts && definitionIn(accounts, owner.account)?.buckets) ?? [];
    });
  }

  currencyOf(tenant: string): TenantCurrency | undefined {
    return tenantCurrency(this.#tenants.get(tenant)?.currency);
  }

  async #find({ tenant: id, account }: Owner): Promise<string> {
    const tenant = this.#tenants.get(id);
    if (tenant === undefined) throw new TollkeeperError('TENANT_UNKNOWN', { tenant: id });
    const only = tenant.plans.length === 1 ? tenant.plans[0]?.id : undefined;
    const plan = this.#named ?? only ?? planIn(tenant, account);
    if (plan === undefined)
      throw unknown(`the provisioning does not have account ${account}; name the plan with --plan`);
    if (tenant.plans.some((one) => one.id === plan)) return plan;
    throw unknown(`tenant ${id} has no plan ${plan}`);
  }
}

function planIn({ accounts }: Tenant, account: string): string | undefined {
  return definitionIn(accounts, account)?.plan;
}

function definitionIn(accounts: Tenant['accounts'], account: string) {
  if (!accounts.has(account)) return undefined;
  for (const { definition } of accounts) if (definition.account === account) return definition;
  return undefined;
}

const keyOf = ({ tenant, account }: Owner): string => `${tenant} ${account}`;

function tenantCurrency(currency: Currency | undefined): TenantCurrency | undefined {
  return currency && { currency: currency.code, digits: currency.digits };
}

function unknown(which: string): TollkeeperError<'COMMAND_LINE_INVALID'> {
  return new TollkeeperError('COMMAND_LINE_INVALID', {
    problem: `tollkeeper record explain: ${which}`,
  });
}

function remembered<T>(
  map: Map<string, Promise<T>>,
  key: string,
  find: () => Promise<T>,
): Promise<T> {
  let found = map.get(key);
  if (found === undefined) {
    found = find();
    map.set(key, found);
  }
  return found;
}
