/**
 * Turns a written file into plans, accounts, peers and routing, and finds what the schema cannot:
 * what one value says about another. Pure.
 */
import type { Plan } from '../charging/plan.ts';
import { nearest } from '../nearest.ts';
import { compileAccounts } from './accounts.ts';
import { currencyCodes, currencyDigits, currencyNumber } from './currency.ts';
import { each, known, once, type Report } from './findings.ts';
import type { Names } from './names.ts';
import { compilePlan, holidaysOf, type TenantDefaults, timeZoneOf } from './plans.ts';
import { type Path, show } from './problem.ts';
import type { PeerAdmission, Peers, Provisioning, Tenant } from './provisioning.ts';
import type { Routing } from './routing.ts';
import type { WrittenFile, WrittenPeers, WrittenRouting, WrittenTenant } from './schema.ts';
import { compileZones } from './zones.ts';

/**
 * `written` may have `undefined` for list items that were refused before; they are passed over.
 * `names` are all that the file gives, refused ones too: they are not unknown. The result is
 * of use only if nothing was reported.
 */
export function compile(
  written: WrittenFile,
  { names, report }: { names: Names; report: Report },
): Provisioning {
  const tenants: Tenant[] = [];
  const seen = new Set<string>();
  for (const [tenant, path] of each(written.tenants, ['tenants'])) {
    once(seen, tenant.id, { path: [...path, 'id'], report });
    tenants.push(compileTenant(tenant, { path, names, report }));
  }
  const context = { tenantIds: names.tenants, report };
  return {
    tenants,
    peers: compilePeers(written.peers ?? {}, context),
    routing: compileRouting(written.routing, context),
  };
}

function compileTenant(
  written: WrittenTenant,
  { path, names, report }: { path: Path; names: Names; report: Report },
): Tenant {
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
  for (const [plan, planPath] of each(written.plans, [...path, 'plans'])) {
    once(seen, plan.id, { path: [...planPath, 'id'], report });
    plans.push(compilePlan(plan, { digits, path: planPath, report, tenant: defaults }));
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

function compilePeers(written: WrittenPeers, { tenantIds, report }: TenantContext): Peers {
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

function compileRouting(
  written: WrittenRouting | undefined,
  { tenantIds, report }: TenantContext,
): Routing {
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
