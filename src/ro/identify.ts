/**
 * Which session a Credit-Control-Request belongs to and who it is for: all that is needed to find
 * its account, before its tenant is known. Works on whatever could be understood of a request, so
 * that usage in a request that is refused is still found its session (RFC 8506 7, table 6).
 */
import { serviceContext } from '../charging/context.ts';
import type { Request, SubscriberId, SubscriberKind } from '../charging/request.ts';
import type { CCR } from '../diameter/commands.ts';
import type { Understood } from '../diameter/message.ts';

export interface Identified {
  kind: Request['kind'] | 'event';
  sessionId: string;
  subSessionId?: string;
  number: number;
  subscribers: readonly SubscriberId[];
  client: { host: string; realm: string };
  destinationRealm?: string;
  /** Service-Context-Id as plans know it. */
  context?: string;
  /** As it was sent, where that is another text. */
  sentContext?: string;
  /** Called-Station-Id: the access point name. */
  apn?: string;
}

/** CC-Request-Type, RFC 8506 8.3. */
const kinds = new Map<number, Identified['kind']>([
  [1, 'initial'],
  [2, 'update'],
  [3, 'termination'],
  [4, 'event'],
]);

/** Subscription-Id-Type, RFC 8506 8.47. */
const subscriberKinds = new Map<number, SubscriberKind>([
  [0, 'e164'],
  [1, 'imsi'],
  [2, 'sip'],
  [3, 'nai'],
  [4, 'private'],
]);

/** Undefined: the request does not say which session it is for, or which of its requests it is. */
export function identify(ccr: Understood<CCR>): Identified | undefined {
  const kind = kinds.get(ccr['CC-Request-Type'] ?? 0);
  const number = ccr['CC-Request-Number'];
  const sessionId = ccr['Session-Id'];
  if (kind === undefined || number === undefined || sessionId === undefined) return undefined;
  const subSessionId = ccr['CC-Sub-Session-Id'];
  const destinationRealm = ccr['Destination-Realm'];
  const sentContext = ccr['Service-Context-Id'];
  const context = sentContext === undefined ? undefined : serviceContext(sentContext);
  const apn =
    ccr['Service-Information']?.['PS-Information']?.['Called-Station-Id'] ??
    ccr['Called-Station-Id']?.[0];
  const identified: Identified = {
    kind,
    sessionId: wellFormed(sessionId),
    number,
    subscribers: subscribersOf(ccr),
    client: { host: ccr['Origin-Host'] ?? '', realm: ccr['Origin-Realm'] ?? '' },
  };
  if (subSessionId !== undefined) identified.subSessionId = subSessionId.toString();
  if (destinationRealm !== undefined) identified.destinationRealm = destinationRealm;
  if (context !== undefined) identified.context = context;
  if (sentContext !== undefined && sentContext !== context) identified.sentContext = sentContext;
  if (apn !== undefined) identified.apn = apn;
  return identified;
}

/**
 * A Session-Id as text that every part of the system can carry. Octets that are not UTF-8 arrive
 * as lone surrogates; they and line feeds, which end a Session-Id in a session's key, become U+FFFD
 * and two hexadecimal digits, and U+FFFD itself is doubled, so that two different Session-Ids never
 * become one.
 */
export function wellFormed(sessionId: string): string {
  if (sessionId.isWellFormed() && !/[\n\ufffd]/.test(sessionId)) return sessionId;
  return sessionId.replace(/[\n\ufffd\ud800-\udfff]/gu, (char) => {
    if (char === '\ufffd') return '\ufffd\ufffd';
    return `\ufffd${(char.charCodeAt(0) & 0xff).toString(16).padStart(2, '0')}`;
  });
}

/** The Session-Id that `wellFormed` made, as the encoder turns it into the octets that were sent. */
export function asSent(sessionId: string): string {
  if (!sessionId.includes('\ufffd')) return sessionId;
  return sessionId.replace(/\ufffd(\ufffd|[0-9a-f]{2})/g, (_, escaped: string) => {
    if (escaped === '\ufffd') return escaped;
    const octet = Number.parseInt(escaped, 16);
    return String.fromCharCode(octet < 0x80 ? octet : 0xdc00 + octet);
  });
}

/** In the order in which accounts are looked up: as sent, the command level before the service's. */
function subscribersOf(ccr: Understood<CCR>): SubscriberId[] {
  const found: SubscriberId[] = [];
  const listed = [
    ...(ccr['Subscription-Id'] ?? []),
    ...(ccr['Service-Information']?.['Subscription-Id'] ?? []),
  ];
  for (const one of listed) {
    const kind = subscriberKinds.get(one['Subscription-Id-Type'] ?? -1);
    const data = one['Subscription-Id-Data'];
    if (kind !== undefined && data !== undefined) found.push(subscriber(kind, data));
  }
  for (const one of ccr['Subscription-Id-Extension'] ?? []) {
    const members: [SubscriberKind, string | undefined][] = [
      ['e164', one['Subscription-Id-E164']],
      ['imsi', one['Subscription-Id-IMSI']],
      ['sip', one['Subscription-Id-SIP-URI']],
      ['nai', one['Subscription-Id-NAI']],
      ['private', one['Subscription-Id-Private']],
    ];
    for (const [kind, data] of members) if (data !== undefined) found.push(subscriber(kind, data));
  }
  return found;
}

/** E.164 numbers are written with and without their plus sign (RFC 8506 8.48: international form). */
function subscriber(kind: SubscriberKind, data: string): SubscriberId {
  return { kind, id: kind === 'e164' && data.startsWith('+') ? data.slice(1) : data };
}
