/**
 * Who we are on the wire, and whose names we answer to. Identities compare as ASCII without case,
 * RFC 6733 4.3.1.
 */

export interface Identity {
  /** Origin-Host of everything sent here; constant over restarts. */
  originHost: string;
  originRealm: string;
  /** Further names accepted in Destination-Host: those of all workers of the service. */
  acceptedHosts?: readonly string[];
  /** Realms served besides `originRealm`. */
  servedRealms?: readonly string[];
  /** Host-IP-Address of the CEA; by default the local address of the connection. */
  hostIpAddresses?: readonly string[];
  /**
   * Origin-State-Id. Sessions live in the store, so it may change only when the store lost them
   * (RFC 6733 8.16); leave it out where nobody keeps such a number.
   */
  originStateId?: number;
  /** Our own number, 0 where there is none. */
  vendorId?: number;
  firmwareRevision?: number;
}

/** The form in which identities are compared. */
export function canonical(identity: string): string {
  return identity.toLowerCase();
}

/** The names of an identity, ready for look-up by canonical form. */
export interface OwnNames {
  hosts: ReadonlySet<string>;
  realms: ReadonlySet<string>;
}

export function ownNames(identity: Identity): OwnNames {
  return {
    hosts: new Set([identity.originHost, ...(identity.acceptedHosts ?? [])].map(canonical)),
    realms: new Set([identity.originRealm, ...(identity.servedRealms ?? [])].map(canonical)),
  };
}
