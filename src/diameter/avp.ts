// What the dictionary says about one AVP, and the value that each format carries in a message.
// RFC 6733 4.2 and 4.3.

/** The data formats of RFC 6733 4.2 and 4.3.1. */
export type Format = keyof Values | 'Grouped';

/**
 * One entry of the dictionary.
 *
 * - `vendor`: absent in the IETF space. Where it is present the V flag is always sent.
 * - `flags`: `M` where the M flag MUST be set, `[M]` where it MAY be set (it is sent clear), empty
 *   where it MUST NOT be set.
 * - `values`: the names of an enumeration, or of the common values of a number.
 * - `members`: the grammar of a group, one line a member, in the brackets of RFC 6733 3.2.
 */
export type Avp = {
  readonly code: number;
  readonly vendor?: number;
  readonly flags: 'M' | '[M]' | '';
  readonly format: Format;
  readonly values?: Readonly<Record<string, number>>;
  readonly members?: readonly string[];
};

/** What each format is in a decoded message. Groups are objects keyed by their members' names. */
export type Values = {
  /** In a decoded message a slice of its frame: copy what outlives it. */
  OctetString: Buffer;
  Integer32: number;
  Integer64: bigint;
  Unsigned32: number;
  Unsigned64: bigint;
  Float32: number;
  Float64: number;
  Address: Address;
  /** Seconds since 1970-01-01 00:00 UTC, from 1968-01-20 to 2104-02-26. */
  Time: number;
  UTF8String: string;
  DiameterIdentity: string;
  DiameterURI: string;
  /** Signed; numbers that the table does not name are possible. */
  Enumerated: number;
  IPFilterRule: string;
  QoSFilterRule: string;
};

/**
 * RFC 6733 4.3.1. `family` is IANA's address family number. `address` is dotted text for IPv4 (1),
 * RFC 5952 text for IPv6 (2), the digits for E.164 (8), and hexadecimal for every other family.
 */
export type Address = { readonly family: number; readonly address: string };
