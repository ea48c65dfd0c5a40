/**
 * Turns a written file into plans, accounts, peers and routing, and finds what the schema cannot:
 * what one value says about another. Pure. It is work that yields between one rule and the next.
 */
import type { Plan } from '../charging/plan.ts';
import { nearest } from '../nearest.ts';
import { compileAccounts } from './accounts.ts';
import { currencyCodes, currencyDigits, currencyNumber } from './currency.ts';
import { each, known, once, type Report } from './findings.ts';
import type { Names } from './names.ts';
import { compilingPlan, holidaysOf, type TenantDefaults, timeZoneOf } from './plans.ts';
import { type Path, show } from './problem.ts';
import type { PeerAdmission, Peers, Provisioning, Tenant } from './provisioning.ts';
import type { Routing } from './routing.ts';
import type {
  WrittenFile,
  WrittenPeers,
  WrittenPlan,
  WrittenRouting,
  WrittenTenant,
} from './schema.ts';
import type { Work } from './work.ts';
import { compileZones } from './zones.ts';

/** Plans that were compiled without a finding, by what was written. */
export class KnownPlans {
  readonly #tenants: ReadonlyMap<string, { written: WrittenTenant; compiled: Tenant }>;

  constructor({ written, provisioning }: { written: WrittenFile; provisioning: Provisioning }) {
    this.#tenants = new Map(
      provisioning.tenants.map((compiled, index) => [
        compiled.id,
        { written: written.tenants[index] as WrittenTenant, compiled },
      ]),
    );
  }

  /**
   * The plans of a tenant by what they are written as, if it still says the same to all of them:
   * the same values, not only equal ones.
   */
  of(now: WrittenTenant, digits: number): ReadonlyMap<WrittenPlan, Plan> {
    const known = this.#tenants.get(now.id);
    if (known === undefined) return NONE;
    const { written: then, compiled } = known;
    const isAlike =
      digits === compiled.currency.digits &&
      now.timeZone === then.timeZone &&
      now.holidays === then.holidays &&
      now.zones === then.zones;
    if (!isAlike) return NONE;
    return new Map(then.plans.map((plan, index) => [plan, compiled.plans[index] as Plan]));
  }
}

const NONE: ReadonlyMap<WrittenPlan, Plan> = new Map();

/**
 * `written` may have `undefined` for list items that were refused before; they are passed over.
 * `names` are all that the file gives, refused ones too: they are not unknown. The result is
 * of use only if nothing was reported.
 */
export function* compiling(
  written: WrittenFile,
  { names, report, known }: { names: Names; report: Report; known?: KnownPlans | undefined },
): Work<Provisioning> {
  const tenants: Tenant[] = [];
  const seen = new Set<string>();
  for (const [tenant, path] of each(written.tenants, ['tenants'])) {
    once(seen, tenant.id, { path: [...path, 'id'], report });
    tenants.push(yield* compilingTenant(tenant, { path, names, report, known }));
  }
  const context = { tenantIds: names.tenants, report };
  return {
    tenants,
    peers: yield* compilingPeers(written.peers ?? {}, context),
    routing: yield* compilingRouting(written.routing, context),
  };
}

function* compilingTenant(
  written: WrittenTenant,
  {
    path,
    names,
    report,
    known,
  }: { path: Path; names: Names; report: Report; known: KnownPlans | undefined },
): Work<Tenant> {
  const { id, currency: code } = written;
  const number = currencyNumber(code);
  // What the amounts of an unknown currency may be is not known either.
  const digits = written.digits ?? (number === undefined ? 9 : currencyDigits(code));
  if (number === undefined) {
    const meant = nearest(code, currencyCodes());
    report({
      path: [...path, 'currency'],
      found: show(code),
      expected: `a currency code of ISO 4217${meant === undefined ? '' : ` such as ${meant}`}`,
    });
  }
  const defaults: TenantDefaults = {
    timeZone: timeZoneOf(written.timeZone, { path: [...path, 'timeZone'], report }) ?? 'UTC',
    holidays: holidaysOf(written.holidays, { path: [...path, 'holidays'], report }) ?? [],
    zones: compileZones(written.zones, { path: [...path, 'zones'], report }),
  };
  const plans: Plan[] = [];
  const seen = new Set<string>();
  const before = known?.of(written, digits) ?? NONE;
  for (const [plan, planPath] of each(written.plans, [...path, 'plans'])) {
    yield;
    once(seen, plan.id, { path: [...planPath, 'id'], report });
    const context = { digits, path: planPath, report, tenant: defaults };
    plans.push(before.get(plan) ?? (yield* compilingPlan(plan, context)));
  }
  return {
    id,
    name: written.name ?? id,
    currency: { code, number: number ?? 0, digits },
    plans,
    accounts: compileAccounts(written, {
      digits,
      plans: names.plans[Number(path[1])] ?? new Map(),
      timeZones: new Map(plans.map((plan) => [plan.id, plan.timeZone])),
      path,
      report,
    }),
  };
}

interface TenantContext {
  tenantIds: ReadonlySet<string>;
  report: Report;
}

function* compilingPeers(written: WrittenPeers, { tenantIds, report }: TenantContext): Work<Peers> {
  const path: Path = ['peers'];
  const admit = (peer: NonNullable<WrittenPeers['anybody']>, peerPath: Path): PeerAdmission => {
    for (const [tenant, tenantPath] of each(peer.tenants, [...peerPath, 'tenants'])) {
      known(tenant, { among: tenantIds, what: 'the id of a tenant', path: tenantPath, report });
    }
    return {
      strict: peer.strict ?? false,
      single: peer.single ?? false,
      options: {
        numbering: peer.numbering ?? 'strict',
        ...(peer.tariffChange === undefined || peer.tariffChange === 'none'
          ? {}
          : { tariffChange: peer.tariffChange }),
        ...(peer.finalUnits === undefined ? {} : { finalUnits: peer.finalUnits }),
        ...(peer.tenants === undefined ? {} : { tenants: peer.tenants }),
      },
    };
  };
  const hosts = new Set<string>();
  const peers: Peers['peers'][number][] = [];
  for (const [peer, peerPath] of each(written.known, [...path, 'known'])) {
    yield;
    once(hosts, peer.host.toLowerCase(), { path: [...peerPath, 'host'], report });
    peers.push({ host: peer.host, ...admit(peer, peerPath) });
  }
  const names = new Set<string>();
  const realms: Peers['realms'][number][] = [];
  for (const [realm, realmPath] of each(written.realms, [...path, 'realms'])) {
    once(names, realm.realm.toLowerCase(), { path: [...realmPath, 'realm'], report });
    realms.push({ realm: realm.realm, ...admit(realm, realmPath) });
  }
  const { anybody, servedRealms = [], forbiddenRoutes = [] } = written;
  return {
    peers,
    realms,
    ...(anybody === undefined
      ? {}
      : {
          anybody: {
            anywhere: anybody.anywhere ?? false,
            ...admit(anybody, [...path, 'anybody']),
          },
        }),
    servedRealms,
    forbiddenRoutes,
  };
}

function* compilingRouting(
  written: WrittenRouting | undefined,
  { tenantIds, report }: TenantContext,
): Work<Routing> {
  if (written === undefined || (written.default === undefined && !written.rules?.length)) {
    const [only] = tenantIds;
    if (tenantIds.size === 1 && only !== undefined) return { rules: [], default: only };
    report({
      path: ['routing'],
      found: written === undefined ? 'nothing' : show(written),
      expected: 'routing rules or a default: there is more than one tenant',
    });
    return { rules: [] };
  }
  const rules: Routing['rules'][number][] = [];
  for (const [rule, path] of each(written.rules, ['routing', 'rules'])) {
    yield;
    known(rule.tenant, {
      among: tenantIds,
      what: 'the id of a tenant',
      path: [...path, 'tenant'],
      report,
    });
    rules.push(rule);
  }
  if (written.default === undefined) return { rules };
  known(written.default, {
    among: tenantIds,
    what: 'the id of a tenant',
    path: ['routing', 'default'],
    report,
  });
  return { rules, default: written.default };
}
