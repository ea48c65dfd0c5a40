/**
 * A plan: an ordered list of rules, data and never code. The rule that matches a service decides
 * how it is counted, priced and supervised; which one it is says `match.ts`.
 */
import type { Unit } from './request.ts';

/** `amount` of money for each `per` units, counted in steps of `increment` units. */
export interface Rate {
  /** In the tenant's smallest unit of money, 0..2^53-1. */
  amount: number;
  per: number;
  increment: number;
  /** Charged once, as soon as a unit is used under this rate: a connection fee, or a stair. */
  fee?: number;
}

/** What units cost, as a function of all units of a session that money has paid for. */
export interface Price extends Rate {
  /** As soon as one unit is used, this many count as used. */
  minimum?: number;
  /** Other rates for the units beyond `from`, in ascending order; at most MAX_BANDS. */
  bands?: readonly (Rate & { from: number })[];
  /** Fee, minimum, bands and increments begin anew with each report. */
  eachReport?: boolean;
}

export const MAX_BANDS = 16;

/** A part of the week in the plan's time zone; `days` are 1 (Monday) to 7, 8 for holidays. */
export interface Window {
  /** On which it begins. Absent: every day. A holiday is matched by 8 only. */
  days?: readonly number[];
  /**
   * Minutes after the midnight that the day begins with, 0..1439, and until when: after `from`, and
   * for a day at most. Beyond 1440 it goes on into the day after, whichever day that is.
   */
  from: number;
  until: number;
}

/** What a client does when its final units are used up (RFC 8506 5.6). */
export interface Final {
  action: 'terminate' | 'redirect' | 'restrict';
  /** Redirect-Address-Type (0 IPv4, 1 IPv6, 2 URL, 3 SIP URI) and Redirect-Server-Address. */
  redirect?: { type: 0 | 1 | 2 | 3; address: string };
  /** Restriction-Filter-Rule: IPFilterRules that stay open. */
  filters?: readonly string[];
  /** Filter-Id: names of filters that the client knows. */
  filterIds?: readonly string[];
}

/** What a grant tells its client beside the units, as the rule says (TS 32.299 7.1.9). */
export interface Directives {
  /** Units left of a grant at which the client asks for more; less than the grant. */
  threshold?: number;
  /** Quota-Consumption-Time, with seconds only. */
  consumptionSeconds?: number;
  /** Time-Quota-Mechanism, with seconds only. */
  timeMechanism?: { type: 'discrete' | 'continuous'; intervalSeconds: number };
  /** Envelope-Reporting, 0..4. */
  envelopes?: number;
  /** Trigger-Types that make the client re-authorise; empty: none does. Absent: its own choice. */
  triggers?: readonly number[];
}

export interface Rule {
  name: string;
  match: {
    /** Service-Context-Id; absent: any. */
    context?: readonly string[];
    /** Rating groups; `null`: only services without one; absent: any. */
    ratingGroup?: readonly (number | null)[];
    /** Service-Identifiers; absent: any. */
    serviceIdentifier?: readonly number[];
    /** Access points, as network identifiers in lower case; absent: any. */
    apn?: readonly string[];
    /** 3GPP-RAT-Types; absent: any. */
    rat?: readonly number[];
    /** Visited networks: prefixes of MCC and MNC; absent: any. */
    visited?: readonly string[];
    /** Prefixes of the called number, as digits; the longest that any rule has decides. */
    called?: readonly string[];
    /** Prefixes of the calling number, likewise. */
    calling?: readonly string[];
    /** Sides of a call; absent: any. */
    role?: readonly Role[];
    /** Times of use, any of which is enough; absent: always. */
    when?: readonly Window[];
  };
  unit: Unit;
  /** Absent: free of charge. */
  price?: Price;
  quota: {
    /** Units granted when the client leaves the size to us. */
    size: number;
    /** The smallest grant that is worth an answer; below it credit is exhausted. */
    minimum: number;
    /** The most that is granted, however much is asked. */
    maximum: number;
  };
  /** Validity-Time of a grant; absent: no limit in time. */
  validitySeconds?: number;
  /** Quota-Holding-Time told to the client. */
  holdingSeconds?: number;
  directives?: Directives;
  /** Units of other kinds granted beside, free of charge: the client reports when any runs out. */
  beside?: Partial<Record<Unit, number>>;
  /** G-S-U-Pool-Identifier of the session's pool that its grants belong to. */
  pool?: number;
  /** What happens when credit ends: final units are announced, or (`deny`) more is just refused. */
  atEnd: 'deny' | Final;
  /** Validity-Time while a client is redirected or restricted, after which it asks again. */
  restrictedSeconds: number;
  /** A client that asked again in vain is not refused: it stays redirected or restricted. */
  staysRestricted?: boolean;
  /** A rule that refuses its service (4010) is a way to say that it is not part of the plan. */
  denied?: boolean;
  /** Its service is neither counted nor controlled (4011). */
  uncontrolled?: boolean;
}

export interface Plan {
  id: string;
  version: number;
  rules: readonly Rule[];
  /** Tcc where no grant has a validity (RFC 8506 13). */
  supervisionSeconds: number;
  /** How long after its validity an unreported grant keeps its reservation. */
  validityGraceSeconds: number;
  /** IANA name of the zone of its windows. */
  timeZone: string;
  /** Local dates that are holidays, `YYYY-MM-DD`. */
  holidays: readonly string[];
  /** How usage that straddles a tariff change is rated (UNIT_INDETERMINATE, RFC 8506 8.27). */
  indeterminate: 'before' | 'after';
  /** Credit-Control-Failure-Handling and Direct-Debiting-Failure-Handling; absent: not told. */
  failureHandling?: 'terminate' | 'continue' | 'retry-and-terminate';
  debitFailureHandling?: 'terminate-or-buffer' | 'continue';
  /** Cost-Information is told with each answer. */
  tellsCost?: boolean;
  /** Remaining-Balance is told with each answer. */
  tellsBalance?: boolean;
  /** Money left below which Low-Balance-Indication says so; absent: it is not told. */
  lowBalance?: number;
  /** Clients are asked to re-authorise when a bucket that their grants hold expires or renews. */
  reauthoriseAtExpiry?: boolean;
  /** What one-time refunds may give back; absent: only what a Refund-Information proves. */
  refunds?: { maximum: number };
}

/** The side of a call that a request is for (Role-Of-Node, TS 32.299 7.2.177). */
export type Role = 'originating' | 'terminating' | 'forwarding';

/**
 * What stands for a plan that is provisioned no more. Open sessions are settled by what they were
 * granted, and supervised; nothing new is rated.
 */
export function planWithoutRules(id: string): Plan {
  return {
    id,
    version: 0,
    rules: [],
    supervisionSeconds: 86_400,
    validityGraceSeconds: 60,
    timeZone: 'UTC',
    holidays: [],
    indeterminate: 'after',
  };
}
