/**
 * Which tenant a request is for. MVNOs often share the gateways and agents of their MVNE, so the
 * tenant comes from ordered rules over what the request says; the first that matches decides.
 */
import type { SubscriberId } from '../charging/request.ts';

export interface RoutingFacts {
  originHost: string;
  originRealm: string;
  destinationRealm?: string | undefined;
  serviceContextId?: string | undefined;
  apn?: string | undefined;
  subscribers: readonly SubscriberId[];
}

/** All members that are present must match; a rule without any is the default. */
export interface RoutingRule {
  tenant: string;
  originHost?: string;
  originRealm?: string;
  destinationRealm?: string;
  serviceContextId?: string;
  apn?: string;
  imsiPrefix?: string;
  e164Prefix?: string;
}

/** The tenant of the first rule that matches; undefined: no rule can tell. */
export function tenantOf(rules: readonly RoutingRule[], facts: RoutingFacts): string | undefined {
  return rules.find((rule) => matches(rule, facts))?.tenant;
}

function matches(rule: RoutingRule, facts: RoutingFacts): boolean {
  return (
    same(rule.originHost, facts.originHost) &&
    same(rule.originRealm, facts.originRealm) &&
    same(rule.destinationRealm, facts.destinationRealm) &&
    same(rule.serviceContextId, facts.serviceContextId) &&
    same(rule.apn, networkIdentifier(facts.apn)) &&
    begins(rule.imsiPrefix, 'imsi', facts.subscribers) &&
    begins(rule.e164Prefix, 'e164', facts.subscribers)
  );
}

/** Identities, realms and APNs are compared without regard to case (RFC 6733 4.3.1). */
function same(wanted: string | undefined, found: string | undefined): boolean {
  return wanted === undefined || wanted.toLowerCase() === found?.toLowerCase();
}

function begins(
  prefix: string | undefined,
  kind: SubscriberId['kind'],
  subscribers: readonly SubscriberId[],
): boolean {
  if (prefix === undefined) return true;
  return subscribers.some((one) => one.kind === kind && one.id.startsWith(prefix));
}

/** An APN without its operator identifier (TS 23.003 9.1): `internet.mnc001.mcc001.gprs`. */
function networkIdentifier(apn: string | undefined): string | undefined {
  return apn?.replace(/\.mnc\d{2,3}\.mcc\d{3}\.gprs$/i, '');
}
