/**
 * Which peers may connect, and what is particular to each. RFC 6733 5.3 leaves unknown peers to
 * local policy: here they are refused unless a realm or `anybody` lets them in.
 *
 * `Options` is the caller's: whatever it wants to find beside each request of a peer.
 */
import { isIP } from 'node:net';
import { canonical } from './identity.ts';

export interface Admission<Options> {
  /** Judge messages by the letter instead of tolerating what real clients send. */
  strict?: boolean;
  /** Refuse a second connection while one is open here (R-Reject). Default: several are normal. */
  single?: boolean;
  options: Options;
}

export interface PeerPolicy<Options> {
  /** Peers known by Origin-Host. They go before realms. */
  peers?: readonly (Admission<Options> & { host: string })[];
  /** Everybody whose Origin-Realm this is. */
  realms?: readonly (Admission<Options> & { realm: string })[];
  /** Whoever connects. Only on loopback, unless `anywhere` says that this is meant. */
  anybody?: Admission<Options> & { anywhere?: boolean };
}

/** Finds the admission of a peer by what its CER says, or undefined: unknown. */
export type Admit<Options> = (peer: {
  originHost: string;
  originRealm: string;
}) => Admission<Options> | undefined;

export function admission<Options>(policy: PeerPolicy<Options>): Admit<Options> {
  const peers = new Map(policy.peers?.map((peer) => [canonical(peer.host), peer]));
  const realms = new Map(policy.realms?.map((realm) => [canonical(realm.realm), realm]));
  return ({ originHost, originRealm }) =>
    peers.get(canonical(originHost)) ?? realms.get(canonical(originRealm)) ?? policy.anybody;
}

/** What is wrong with a policy for a listener on `host`; one sentence each, for the operator. */
export function policyProblems<Options>(policy: PeerPolicy<Options>, host: string): string[] {
  const problems: string[] = [];
  if (!policy.peers?.length && !policy.realms?.length && !policy.anybody) {
    problems.push('peers: nobody may connect; name peers or realms, or allow anybody');
  }
  if (policy.anybody && !policy.anybody.anywhere && !isLoopback(host)) {
    problems.push(
      `peers: anybody may connect and the listener is reachable from outside (${host}); ` +
        'name peers or realms, listen on 127.0.0.1, or say that anybody is meant anywhere',
    );
  }
  problems.push(...repeated('peer', policy.peers?.map((peer) => peer.host) ?? []));
  problems.push(...repeated('realm', policy.realms?.map((realm) => realm.realm) ?? []));
  return problems;
}

function repeated(what: string, names: readonly string[]): string[] {
  const seen = new Set<string>();
  return names.flatMap((name) => {
    const form = canonical(name);
    if (!form) return [`peers: a ${what} without a name`];
    if (seen.has(form)) return [`peers: ${what} ${name} is listed twice`];
    seen.add(form);
    return [];
  });
}

function isLoopback(host: string): boolean {
  if (host === 'localhost') return true;
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1';
}
