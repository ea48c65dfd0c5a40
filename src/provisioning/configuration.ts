/**
 * The configuration: tenants with their plans, peers and routing, without accounts, which are too
 * many and have a life of their own. It is written as a provisioning file is, kept in the store as
 * JSON, and compiled by each process for itself: a configuration that was compiled is never changed,
 * so whoever holds one sees all of it as it was, or nothing of it.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Plan, planWithoutRules } from '../charging/plan.ts';
import type { StoredConfiguration } from '../store/configuration.ts';
import { checkingParts } from './check-parts.ts';
import { compiling, KnownPlans } from './compile.ts';
import { loadWritten } from './load.ts';
import { gatheringNames, type Names } from './names.ts';
import { type ParsedDocument, type Parts, parsing } from './parse.ts';
import { type Finding, fieldOf } from './problem.ts';
import type { Currency, Peers, Provisioning, Tenant } from './provisioning.ts';
import { type Routed, tenantOf } from './routing.ts';
import type { WrittenFile, WrittenPlan, WrittenTenant } from './schema.ts';
import { atOnce, type Work } from './work.ts';

export class Configuration {
  /** As the store has it; 0: it came from elsewhere. */
  readonly version: number;
  readonly stamp: string;
  readonly written: WrittenFile;
  readonly names: Names;
  readonly provisioning: Provisioning;
  readonly #tenants: ReadonlyMap<string, Tenant>;
  readonly #plans: ReadonlyMap<string, ReadonlyMap<string, Plan>>;
  /** What stands for plans that accounts have and the configuration has not. */
  readonly #missing = new Map<string, Plan>();

  constructor(of: {
    version: number;
    stamp: string;
    written: WrittenFile;
    names: Names;
    provisioning: Provisioning;
  }) {
    this.version = of.version;
    this.stamp = of.stamp;
    this.written = of.written;
    this.names = of.names;
    this.provisioning = of.provisioning;
    const { tenants } = of.provisioning;
    this.#tenants = new Map(tenants.map((tenant) => [tenant.id, tenant]));
    this.#plans = new Map(
      tenants.map(({ id, plans }) => [id, new Map(plans.map((plan) => [plan.id, plan]))]),
    );
  }

  /** The same with other peers: for a process that cannot serve those that are written. */
  withPeers(peers: Peers): Configuration {
    return new Configuration({ ...this, provisioning: { ...this.provisioning, peers } });
  }

  tenant(id: string): Tenant | undefined {
    return this.#tenants.get(id);
  }

  plan(tenant: string, id: string): Plan | undefined {
    return this.#plans.get(tenant)?.get(id);
  }

  /**
   * The plan of an account, which may outlive its plan: then the plan is one without rules, and
   * `missing` is told once.
   */
  planOf(
    tenant: string,
    id: string,
    missing: (tenant: string, plan: string) => void = () => undefined,
  ): Plan {
    const found = this.plan(tenant, id);
    if (found !== undefined) return found;
    const name = `${tenant}/${id}`;
    const standIn = this.#missing.get(name) ?? planWithoutRules(id);
    if (!this.#missing.has(name)) missing(tenant, id);
    this.#missing.set(name, standIn);
    return standIn;
  }

  /** The tenant that a request belongs to. */
  tenantOf(request: Routed): string | undefined {
    return tenantOf(this.provisioning.routing, request);
  }

  currencyOf(tenant: string): Currency | undefined {
    return this.#tenants.get(tenant)?.currency;
  }
}

/** What is stored, compiled; or what is wrong with it, one line each. */
export type CompiledStored =
  | { ok: true; configuration: Configuration }
  | { ok: false; problems: string[] };

export function compileStored(stored: StoredConfiguration): CompiledStored {
  return atOnce(new Compiler().compiling(stored));
}

/**
 * Compiles one configuration after the other. A plan that is written as it was, of a tenant that
 * says the same to its plans, is the plan that it was, with all that was worked out of it.
 */
export class Compiler {
  /** What the last one that was good was written as, and what it was compiled to. */
  #parts: Parts = [];
  #last: Configuration | undefined;

  *compiling({ version, stamp, document }: StoredConfiguration): Work<CompiledStored> {
    let parsed: ParsedDocument;
    try {
      parsed = yield* parsing(document, { known: this.#parts });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { ok: false, problems: [error.message] };
    }
    const checked = new Set(this.#parts.map(({ value }) => value));
    const findings = yield* checkingParts(parsed.value, checked);
    if (findings.length > 0) return { ok: false, problems: findings.map(findingText) };
    const written = parsed.value as WrittenFile;
    const names = yield* gatheringNames(written);
    const provisioning = yield* compiling(written, {
      names,
      report: (finding) => findings.push(finding),
      known: this.#last && new KnownPlans(this.#last),
    });
    if (findings.length > 0) return { ok: false, problems: findings.map(findingText) };
    this.#parts = parsed.parts;
    this.#last = new Configuration({ version, stamp, written, names, provisioning });
    return { ok: true, configuration: this.#last };
  }
}

export function findingText({ path, found, expected }: Finding): string {
  const field = fieldOf(path);
  return `${field === '' ? '' : `${field}: `}found ${found}, expected ${expected}`;
}

/** A file without its accounts. */
export function withoutAccounts({ tenants, ...rest }: WrittenFile): WrittenFile {
  return {
    ...rest,
    tenants: tenants.map(({ accounts: _, ranges: __, ...tenant }) => tenant),
  };
}

/** A plan with all of its tenant that it is compiled with: fit to be kept for later. */
export function planAlone(
  { accounts: _, ranges: __, ...tenant }: WrittenTenant,
  plan: WrittenPlan,
) {
  return { ...tenant, plans: [plan] } satisfies WrittenTenant;
}

/** What `planAlone` was made of; undefined where this version cannot compile it any more. */
export function compilePlanAlone(text: string): Plan | undefined {
  const loaded = loadWritten({ tenants: [JSON.parse(text)] });
  return loaded.ok ? loaded.provisioning.tenants[0]?.plans[0] : undefined;
}

/** Whether two plans rate alike: they may differ in their version, and in how they are written. */
export function ratesAlike(one: Plan, other: Plan): boolean {
  return isDeepStrictEqual({ ...one, version: 0 }, { ...other, version: 0 });
}
