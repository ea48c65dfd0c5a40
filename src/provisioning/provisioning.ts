/** What a provisioning file says, in the engine's own terms. */
import type { AccountDefinition } from '../charging/account.ts';
import type { Plan } from '../charging/plan.ts';
import type { Routing } from './routing.ts';

export interface Provisioning {
  tenants: readonly Tenant[];
  peers: Peers;
  routing: Routing;
}

/** An MVNO. */
export interface Tenant {
  id: string;
  name: string;
  currency: Currency;
  plans: readonly Plan[];
  accounts: Accounts;
}

export interface Currency {
  /** ISO 4217, alphabetic and numeric. */
  code: string;
  number: number;
  /** Decimal places of the smallest unit: every amount of the tenant is an integer in it. */
  digits: number;
}

/** The accounts of a tenant. Those of a range are made while they are walked, never all at once. */
export interface Accounts extends Iterable<ProvisionedAccount> {
  readonly count: number;
  has(account: string): boolean;
  find(account: string): ProvisionedAccount | undefined;
}

export interface ProvisionedAccount {
  definition: AccountDefinition;
  /** What each bucket of a new account starts with, by bucket id. */
  openings: Readonly<Record<string, number>>;
  /** What was written of it: of an account that exists, the rest is left as it is. */
  written: ReadonlySet<WrittenMember>;
}

/** `main`: the bucket that takes what no other can, which is implied where none is written. */
export type WrittenMember = 'status' | 'maxSessions' | 'subscribers' | 'main';

/** What is particular to the requests of a peer. */
export interface PeerOptions {
  /** A request number that comes again with other contents: refused, or a new request. */
  numbering: 'strict' | 'loose';
  /** How it may be told of a tariff change within a grant; absent: not at all. */
  tariffChange?: 'single' | 'dual';
  /** Whose form final units have that say more than to terminate; absent: RFC 4006's. */
  finalUnits?: 'rfc4006' | 'rfc8506';
  /** Tenants that may be served through this peer; absent: all. */
  tenants?: readonly string[];
}

export interface PeerAdmission {
  strict: boolean;
  single: boolean;
  options: PeerOptions;
}

/** Who may connect: known peers go before realms, realms before anybody. */
export interface Peers {
  peers: readonly (PeerAdmission & { host: string })[];
  realms: readonly (PeerAdmission & { realm: string })[];
  anybody?: PeerAdmission & { anywhere: boolean };
  /** Destination-Realms that are ours besides the realm of the settings. */
  servedRealms: readonly string[];
  /** Identities that no request may have come through (RFC 6733 2.9). */
  forbiddenRoutes: readonly string[];
}
