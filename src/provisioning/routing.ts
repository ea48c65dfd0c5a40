/** Which tenant a request belongs to: ordered rules, the first that matches decides. */

import { serviceContext } from '../charging/context.ts';

/** Each member that is there must match; it lists what it accepts. */
export interface RouteMatch {
  originHost?: readonly string[];
  originRealm?: readonly string[];
  destinationRealm?: readonly string[];
  serviceContextId?: readonly string[];
  apn?: readonly string[];
  imsiPrefix?: readonly string[];
  e164Prefix?: readonly string[];
}

export interface Routing {
  rules: readonly { match: RouteMatch; tenant: string }[];
  /** The tenant where no rule matches; absent: there is none. */
  default?: string;
}

/** What a request says about itself, as it was received. */
export interface Routed {
  originHost: string;
  originRealm: string;
  destinationRealm?: string | undefined;
  serviceContextId?: string | undefined;
  /** Called-Station-Id. */
  apn?: string | undefined;
  imsi?: string | undefined;
  e164?: string | undefined;
}

/** The id of the tenant that a request belongs to, or undefined: nobody's. */
export function tenantOf(routing: Routing, request: Routed): string | undefined {
  for (const { match, tenant } of routing.rules) if (matches(match, request)) return tenant;
  return routing.default;
}

function matches(match: RouteMatch, request: Routed): boolean {
  return (
    isNamed(match.originHost, request.originHost) &&
    isNamed(match.originRealm, request.originRealm) &&
    isNamed(match.destinationRealm, request.destinationRealm) &&
    isContext(match.serviceContextId, request.serviceContextId) &&
    (match.apn === undefined ||
      isNamed(match.apn, request.apn) ||
      isNamed(match.apn, networkIdentifier(request.apn))) &&
    startsWith(match.imsiPrefix, request.imsi) &&
    startsWith(match.e164Prefix, request.e164)
  );
}

/** DNS names, and so DiameterIdentities and APNs, are compared without regard to case. */
function isNamed(accepted: readonly string[] | undefined, name: string | undefined): boolean {
  if (accepted === undefined) return true;
  const lower = name?.toLowerCase();
  return accepted.some((candidate) => candidate.toLowerCase() === lower);
}

/** Service contexts are compared by their service (TS 32.299 7.1.12). */
function isContext(accepted: readonly string[] | undefined, sent: string | undefined): boolean {
  if (accepted === undefined) return true;
  if (sent === undefined) return false;
  const context = serviceContext(sent);
  return accepted.some((candidate) => serviceContext(candidate) === context);
}

function startsWith(prefixes: readonly string[] | undefined, digits: string | undefined): boolean {
  if (prefixes === undefined) return true;
  return digits !== undefined && prefixes.some((prefix) => digits.startsWith(prefix));
}

/** An APN without its operator identifier (TS 23.003 9.1.2). */
function networkIdentifier(apn: string | undefined): string | undefined {
  return apn?.replace(/\.mnc\d{3}\.mcc\d{3}\.gprs$/i, '');
}
