/**
 * What a charging session is asked by a network element: a CCR in the core's own words, translated
 * by `ro/`.
 */

/** What quota is counted in. `money` is the amount itself (RFC 8506 8.22), not rated again. */
export type Unit = 'octets' | 'seconds' | 'units' | 'money';

/** Kinds of Subscription-Id (RFC 8506 8.47). */
export type SubscriberKind = 'e164' | 'imsi' | 'sip' | 'nai' | 'private';

export interface SubscriberId {
  kind: SubscriberKind;
  id: string;
}

/** Requested-Service-Unit; no member at all means that the server chooses (RFC 8506 8.18). */
export type Asked = Partial<Record<Unit, number>>;

/**
 * Sum of the Used-Service-Units of one service, an integer 0..2^53-1 per unit that was reported.
 * `octets` is the total, or input + output where no total was sent; never both added.
 */
export type Used = Partial<Record<Unit, number>>;

/** What a request says about its use that rules may match on. */
export interface Facts {
  /** Network identifier of the access point, in lower case. */
  apn?: string;
  /** 3GPP-RAT-Type. */
  rat?: number;
  /** MCC and MNC of the visited network, 5 or 6 digits. */
  visited?: string;
  /** Numbers in international form without a plus sign, or as they were sent. */
  called?: string;
  calling?: string;
  role?: 'originating' | 'terminating' | 'forwarding';
}

/** One Multiple-Services-Credit-Control, or the command level of a request without any. */
export interface AskedService {
  ratingGroup?: number;
  /** Sorted ascending, without repetition. */
  serviceIds: readonly number[];
  /** Absent: no quota is asked for (RFC 8506 8.18), which is not the same as an empty one. */
  asked?: Asked;
  /**
   * Of a message to several recipients: whom each stands for `called`, undefined where that is not
   * known. Each is charged by the rule for it, and its share of the units is the same.
   */
  recipients?: readonly (string | undefined)[];
  /**
   * Messages that it stands for where it names no units: one for each recipient and part; absent: of
   * one part.
   */
  messages?: number;
  /** In a session, where they come under different rules: for those of one rule alone. */
  share?: Share;
  /** Absent: nothing was reported. */
  used?: Used;
  /** The parts of `used` that were reported as after, and as straddling, a tariff change. */
  usedAfter?: Used;
  usedIndeterminate?: Used;
  /** Of a share: seconds of its report that passed after those used, for others. */
  behindSeconds?: number;
  /** A reported figure was beyond 0..2^53-1 and was cut to it; recorded and alarmed. */
  excess?: boolean;
  /** Reporting-Reason values (TS 32.299 7.2.175). */
  reasons?: readonly number[];
  /** What it says for itself alone: its members stand in place of the request's. */
  facts?: Facts;
  /**
   * It names money that is none here, and not in `asked` or `used`: of another currency than the
   * tenant's, or to be granted and less than nothing.
   */
  foreignMoney?: boolean;
}

/** Recipients of a message who come under one rule, others of it under another. */
export interface Share {
  /** The first of them whose number is known, which names the share; empty: none is. */
  called: string;
  count: number;
  /** How many recipients the message has. */
  of: number;
}

/** Whether a share is for some recipients of its message: such a message is granted whole. */
export function isPartly(share: Share | undefined): boolean {
  return share !== undefined && share.count < share.of;
}

/** The recipients of a share where a request does not name them. */
export function recipientsOf({ called, count }: Share): readonly (string | undefined)[] {
  const others: undefined[] = Array.from({ length: count - 1 });
  return [called === '' ? undefined : called, ...others];
}

/** Why a request was refused before `step` saw it: the Result-Code and what goes with it. */
export interface Refusal {
  resultCode: number;
}

/** A credit-control request of one session (or sub-session), in the core's own words. */
export interface Request {
  kind: 'initial' | 'update' | 'termination';
  /** Session-Id as well-formed text, plus CC-Sub-Session-Id in decimal where there is one. */
  sessionId: string;
  subSessionId?: string;
  /** CC-Request-Number, 0..2^32-1. */
  number: number;
  /** Service-Context-Id, without what comes before the service in those of 3GPP. */
  context: string;
  /** As it was sent, where that is another text. */
  sentContext?: string;
  /** Whom it is charged to: of those that it names, the one that the account was found by. */
  subscriber?: SubscriberId;
  /** All whom it names, as they were sent: what its copies are told by, wherever they come. */
  subscribers?: readonly SubscriberId[];
  /** Origin-Host and Origin-Realm of the client, where server-initiated requests go. */
  client: { host: string; realm: string };
  /** The peer that it came through, where that is not the client itself. */
  via?: string;
  /** Whether units travel in services (Multiple-Services-Credit-Control) or at command level. */
  level: 'services' | 'command';
  /** At command level: one entry, or none when no unit is asked or reported. */
  services: readonly AskedService[];
  /** The client is known to give one number to different requests: each is decided (8.2). */
  looseNumbering?: boolean;
  /** Set when the request is refused at command level; its usage is debited all the same. */
  refusal?: Refusal;
  /** Termination-Cause (RFC 6733 8.15), kept in the record. */
  terminationCause?: number;
  /** Absent: it says nothing that rules match on. */
  facts?: Facts;
  /** Event-Timestamp in store ms: when the use took place, if that can be believed. */
  occurredAt?: number;
  /** Event-Timestamp in ms as it was sent, believed or not: copies have the same. */
  stampedAt?: number;
  /** How the client may be told of a tariff change; absent: not at all. */
  tariffChange?: 'single' | 'dual';
  /** Service-Information as it was sent, for the record: a slice of the frame, to be copied. */
  information?: Uint8Array;
  /** User-Equipment-Info, for the record: its kind and value, as `imeisv:3520990017614823`. */
  equipment?: string;
  /** CC-Correlation-Id (RFC 8506 8.1), for the record: in hexadecimal. */
  correlation?: string;
}

/**
 * The key of a service within its session: rating group and service identifiers, and of a message to
 * recipients under different rules the share.
 */
export function serviceKey(service: {
  ratingGroup?: number | undefined;
  serviceIds: readonly number[];
  share?: Pick<Share, 'called'> | undefined;
}): string {
  const { ratingGroup, serviceIds, share } = service;
  const group = ratingGroup === undefined ? '' : String(ratingGroup);
  const name = serviceIds.length === 0 ? group : `${group}/${serviceIds.join(',')}`;
  return share === undefined ? name : `${name}=${share.called}`;
}

/** The key of a session in the store: Session-Id plus CC-Sub-Session-Id (RFC 8506 8.5). */
export function sessionKey(request: {
  sessionId: string;
  subSessionId?: string | undefined;
}): string {
  return request.subSessionId === undefined
    ? request.sessionId
    : `${request.sessionId}\n${request.subSessionId}`;
}

/**
 * The sub-session that a key of `sessionKey` names; undefined: it names a session without any. What
 * has more than one line end is the key of an event.
 */
export function subSessionOf(key: string): { sessionId: string; subSessionId: string } | undefined {
  const end = key.indexOf('\n');
  if (end < 0 || end !== key.lastIndexOf('\n')) return undefined;
  return { sessionId: key.slice(0, end), subSessionId: key.slice(end + 1) };
}

/**
 * A 53-bit digest of what a request asks, for whom and to whom: kind, subscribers, services, units,
 * both parties and the recipients of a message; never routing, flags or where the use took place,
 * which a copy may tell otherwise, and time stamps only of a client that gives one number to
 * different requests. Nothing that was found out goes into it, such as whose account it is, but only
 * what was sent: that is the same wherever and whenever a copy comes. Two requests of one session
 * with the same number and digest are duplicates.
 */
export function digestOf(
  request: Pick<Request, 'level' | 'services'> &
    Partial<Pick<Request, 'subscribers' | 'looseNumbering' | 'stampedAt' | 'facts'>> & {
      kind: string;
    },
): number {
  const { subscribers = [], looseNumbering, stampedAt, facts } = request;
  let text = `${request.kind}|${request.level}`;
  if (looseNumbering && stampedAt !== undefined) text += `@${stampedAt}`;
  if (facts?.called !== undefined) text += `/to${textOf(facts.called)}`;
  if (facts?.calling !== undefined) text += `/from${textOf(facts.calling)}`;
  for (const service of request.services) {
    text += `|${serviceKey(service)}`;
    if (service.asked !== undefined) text += `?${unitsText(service.asked)}`;
    if (service.used !== undefined) text += `!${unitsText(service.used)}`;
    if (service.usedAfter !== undefined) text += `>${unitsText(service.usedAfter)}`;
    if (service.usedIndeterminate !== undefined) text += `~${unitsText(service.usedIndeterminate)}`;
    if (service.messages !== undefined) text += `*${service.messages}`;
    for (const called of service.recipients ?? []) text += `+${textOf(called ?? '')}`;
  }
  for (const { kind, id } of subscribers) text += `#${kind}:${id}`;
  return hash53(text);
}

/** A text that what follows it cannot be taken for a part of. */
function textOf(text: string): string {
  return `${text.length}:${text}`;
}

function unitsText(units: Asked): string {
  let text = '';
  if (units.octets !== undefined) text += `o${units.octets}`;
  if (units.seconds !== undefined) text += `s${units.seconds}`;
  if (units.units !== undefined) text += `u${units.units}`;
  if (units.money !== undefined) text += `m${units.money}`;
  return text;
}

/** Two multiplicative 32-bit hashes run side by side, 53 bits of them kept. */
function hash53(text: string): number {
  let a = 0x9e3779b9;
  let b = 0x85ebca6b;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    a = Math.imul(a ^ code, 0x01000193);
    b = Math.imul(b + code, 0xcc9e2d51) ^ (b >>> 15);
  }
  a = Math.imul(a ^ (a >>> 16), 0x7feb352d);
  b = Math.imul(b ^ (b >>> 13), 0x846ca68b);
  return ((a ^ (b >>> 16)) >>> 0) * 0x200000 + ((b ^ (a >>> 11)) & 0x1fffff);
}
