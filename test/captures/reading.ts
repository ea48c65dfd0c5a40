/**
 * What a Credit-Control-Request asks and what its answer grants, read from the octets by a walk of
 * its own (RFC 6733 4.1, RFC 8506 8): the engine's decoder is under test, so none of it is used.
 */

export type Unit = 'octets' | 'seconds' | 'units' | 'money';
export type Units = Partial<Record<Unit, bigint>>;

export interface AskedService {
  group: number | 'none';
  /** Tells it from the session's other services: rating group and service identifiers. */
  key: string;
  asked?: Units;
  used?: Units;
}

export interface Asked {
  kind: 'initial' | 'update' | 'termination' | 'event';
  /** Session-Id and CC-Sub-Session-Id. */
  session: string;
  number: number;
  context: string;
  /** `kind:value`, as they are provisioned. */
  identities: string[];
  /** Whether units stand in services or in the request itself. */
  level: 'services' | 'command';
  services: AskedService[];
  /** What is asked, as octets: copies of a request have the same. */
  content: string;
}

export interface GrantedService {
  code: number;
  /** In whatever unit it was granted; -1: nothing was. */
  granted: number;
  /** Validity-Time; -1: none. */
  validity: number;
  final: boolean;
}

export interface Granted {
  code: number;
  services: Record<string, GrantedService>;
}

interface Avp {
  code: number;
  data: Buffer;
}

const KINDS = ['event', 'initial', 'update', 'termination', 'event'] as const;
const IDENTITIES = ['e164', 'imsi', 'sip', 'nai', 'private'] as const;
const SERVICE_INFORMATION = 873;
const SERVICES = 456;
const ASKED = 437;
const USED = 446;
const GRANTED = 431;
const VALIDITY = 448;

function walk(bytes: Buffer): Avp[] {
  const found: Avp[] = [];
  for (let at = 0; at + 8 <= bytes.length; ) {
    const length = Math.max(8, bytes.readUIntBE(at + 5, 3));
    const header = (bytes[at + 4]! & 0x80) === 0 ? 8 : 12;
    found.push({ code: bytes.readUInt32BE(at), data: bytes.subarray(at + header, at + length) });
    at += Math.ceil(length / 4) * 4;
  }
  return found;
}

const all = (avps: Avp[], code: number) =>
  avps.filter((avp) => avp.code === code).map(({ data }) => data);
const numberIn = (avps: Avp[], code: number) => all(avps, code)[0]?.readUInt32BE(0);
const longIn = (avps: Avp[], code: number) => all(avps, code)[0]?.readBigUInt64BE(0);
const textIn = (avps: Avp[], code: number) => all(avps, code)[0]?.toString();

/** `digits`: decimal places of the tenant's smallest unit of money. */
export function readAsked(message: Buffer, digits: number): Asked {
  const avps = walk(message.subarray(20));
  const parts = all(avps, SERVICES).map(walk);
  const own = avps.filter(({ code }) => code === ASKED || code === USED);
  const level = parts.length === 0 && own.length > 0 ? 'command' : 'services';
  const services = level === 'command' ? [[...own, ...avps.filter(isIdentifier)]] : parts;
  const kind = numberIn(avps, 416) ?? 0;
  return {
    kind: KINDS[kind] ?? 'event',
    session: [textIn(avps, 263), longIn(avps, 419)].join('\n'),
    number: numberIn(avps, 415) ?? -1,
    context: textIn(avps, 461) ?? '',
    identities: identitiesOf([...avps, ...all(avps, SERVICE_INFORMATION).flatMap(walk)]),
    level,
    services: merged(services.map((one) => readService(one, digits))),
    content: [kind, ...all(avps, SERVICES), ...own.map(({ data }) => data)]
      .map((part) => (typeof part === 'number' ? part : part.toString('hex')))
      .join(),
  };
}

const isIdentifier = ({ code }: Avp) => code === 439;

function identitiesOf(avps: Avp[]): string[] {
  return all(avps, 443).flatMap((data) => {
    const members = walk(data);
    const kind = IDENTITIES[numberIn(members, 450) ?? -1];
    const value = textIn(members, 444) ?? '';
    return kind === undefined ? [] : `${kind}:${kind === 'e164' ? value.replace('+', '') : value}`;
  });
}

function keyOf(avps: Avp[]): string {
  const ids = all(avps, 439).map((data) => data.readUInt32BE(0));
  const sorted = [...new Set(ids)].sort((a, b) => a - b);
  return [numberIn(avps, 432) ?? 'none', ...sorted].join();
}

function readService(avps: Avp[], digits: number): AskedService {
  const [asked] = all(avps, ASKED);
  const used = all(avps, USED).map((data) => unitsOf(walk(data), digits));
  return {
    group: numberIn(avps, 432) ?? 'none',
    key: keyOf(avps),
    ...(asked === undefined ? {} : { asked: unitsOf(walk(asked), digits) }),
    ...(used.length === 0 ? {} : { used: used.reduce(sum) }),
  };
}

/** CC-Total-Octets or, without it, input and output; RFC 8506 8.22 for money. */
function unitsOf(avps: Avp[], digits: number): Units {
  const [input, output] = [longIn(avps, 412), longIn(avps, 414)];
  const both =
    input === undefined && output === undefined ? undefined : (input ?? 0n) + (output ?? 0n);
  const octets = longIn(avps, 421) ?? both;
  const seconds = numberIn(avps, 420);
  const units = longIn(avps, 417);
  const money = all(avps, 413).flatMap(walk);
  return {
    ...(octets === undefined ? {} : { octets }),
    ...(seconds === undefined ? {} : { seconds: BigInt(seconds) }),
    ...(units === undefined ? {} : { units }),
    ...(money.length === 0 ? {} : { money: moneyOf(money, digits) }),
  };
}

/** In the smallest unit, fractions of it counted as a whole one. */
function moneyOf(money: Avp[], digits: number): bigint {
  const value = all(money, 445).flatMap(walk);
  const exponent = (all(value, 429)[0]?.readInt32BE(0) ?? 0) + digits;
  const amount = longIn(value, 447) ?? 0n;
  return exponent >= 0 ? amount * 10n ** BigInt(exponent) : -(-amount / 10n ** BigInt(-exponent));
}

/** A service that stands in a request more than once is one (RFC 8506 8.16). */
function merged(services: AskedService[]): AskedService[] {
  const byKey = new Map<string, AskedService>();
  for (const one of services) {
    const before = byKey.get(one.key) ?? { group: one.group, key: one.key };
    const asked = [before.asked, one.asked].filter((units) => units !== undefined);
    const used = [before.used, one.used].filter((units) => units !== undefined);
    byKey.set(one.key, {
      ...before,
      ...(asked.length === 0 ? {} : { asked: asked.reduce(sum) }),
      ...(used.length === 0 ? {} : { used: used.reduce(sum) }),
    });
  }
  return [...byKey.values()];
}

function sum(a: Units, b: Units): Units {
  const total: Units = { ...a };
  for (const [unit, value] of Object.entries(b) as [Unit, bigint][])
    total[unit] = (total[unit] ?? 0n) + value;
  return total;
}

export function readGranted(message: Buffer, digits: number): Granted {
  const avps = walk(message.subarray(20));
  const parts = all(avps, SERVICES).map(walk);
  const services: Granted['services'] = {};
  for (const part of parts) services[keyOf(part)] = grantedIn(part, digits);
  if (parts.length === 0 && avps.some(({ code }) => code === GRANTED || code === VALIDITY))
    services.none = grantedIn(avps, digits);
  return { code: numberIn(avps, 268) ?? 0, services };
}

function grantedIn(avps: Avp[], digits: number): GrantedService {
  const units = all(avps, GRANTED).map((data) => unitsOf(walk(data), digits));
  const [granted] = units.flatMap((one) => Object.values(one));
  return {
    code: numberIn(avps, 268) ?? 0,
    granted: granted === undefined ? -1 : Number(granted),
    validity: numberIn(avps, VALIDITY) ?? -1,
    final: all(avps, 430).length > 0,
  };
}
