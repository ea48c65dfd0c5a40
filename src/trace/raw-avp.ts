// AVPs as bytes with places (RFC 6733 4.1), for work on messages that must change nothing but what
// it names: what is not understood, or contradicts itself, is left exactly as it is. A list of places
// and not of slices, because whoever replaces an AVP must know what lies before and after it.
import { avps } from '../diameter/dictionary.ts';
import { headerBytes, headerFlags } from '../diameter/header.ts';
import { avpFlags } from '../diameter/schema.ts';

export interface RawAvp {
  readonly code: number;
  /** 0 without the V flag. */
  readonly vendor: number;
  /** Where the AVP's header begins, in the message. */
  readonly start: number;
  readonly dataStart: number;
  /** Where the data ends; padding to a multiple of 4 follows. */
  readonly dataEnd: number;
  /** Where the next AVP begins. */
  readonly end: number;
}

/** One number for vendor and code, to look AVPs up by. */
export function avpKey(avp: { code: number; vendor?: number }): number {
  return (avp.vendor ?? 0) * 2 ** 32 + avp.code;
}

export const keyOf = {
  sessionId: avpKey(avps['Session-Id']),
  userName: avpKey(avps['User-Name']),
  subscriptionId: avpKey(avps['Subscription-Id']),
  subscriptionIdType: avpKey(avps['Subscription-Id-Type']),
  subscriptionIdData: avpKey(avps['Subscription-Id-Data']),
  originHost: avpKey(avps['Origin-Host']),
  originRealm: avpKey(avps['Origin-Realm']),
  destinationHost: avpKey(avps['Destination-Host']),
  destinationRealm: avpKey(avps['Destination-Realm']),
  requestNumber: avpKey(avps['CC-Request-Number']),
  requestType: avpKey(avps['CC-Request-Type']),
  resultCode: avpKey(avps['Result-Code']),
  services: avpKey(avps['Multiple-Services-Credit-Control']),
  proxyInfo: avpKey(avps['Proxy-Info']),
  failedAvp: avpKey(avps['Failed-AVP']),
  experimentalResult: avpKey(avps['Experimental-Result']),
  experimentalResultCode: avpKey(avps['Experimental-Result-Code']),
} as const;

const groups = new Set<number>();
for (const avp of Object.values(avps)) if (avp.format === 'Grouped') groups.add(avpKey(avp));
// What these two hold belongs to others: it is passed on as it is.
groups.delete(keyOf.proxyInfo);
groups.delete(keyOf.failedAvp);

/** Whether the dictionary knows this AVP as a group that may be looked into. */
export function isGroup(key: number): boolean {
  return groups.has(key);
}

/** Undefined if the lengths from `from` to `to` do not work out. */
export function rawAvps(message: Buffer, from: number, to: number): RawAvp[] | undefined {
  const found: RawAvp[] = [];
  let start = from;
  while (start < to) {
    if (to - start < 8) return undefined;
    const hasVendor = (message[start + 4]! & avpFlags.vendor) !== 0;
    const length = message.readUIntBE(start + 5, 3);
    const dataStart = start + (hasVendor ? 12 : 8);
    const dataEnd = start + length;
    if (dataEnd > to || dataStart > dataEnd) return undefined;
    const end = Math.min(to, dataEnd + ((4 - (length % 4)) % 4));
    const code = message.readUInt32BE(start);
    const vendor = hasVendor ? message.readUInt32BE(start + 8) : 0;
    found.push({ code, vendor, start, dataStart, dataEnd, end });
    start = end;
  }
  return found;
}

/** The AVPs of a whole message. */
export function messageAvps(message: Buffer): RawAvp[] | undefined {
  return rawAvps(message, headerBytes, message.length);
}

export function text(message: Buffer, avp: RawAvp): string {
  return message.toString('utf8', avp.dataStart, avp.dataEnd);
}

/** Undefined if the data is not 4 bytes. */
export function unsigned32(message: Buffer, avp: RawAvp): number | undefined {
  return avp.dataEnd - avp.dataStart === 4 ? message.readUInt32BE(avp.dataStart) : undefined;
}

/** Whether this is a credit-control request (RFC 8506 3.1): command 272 of application 4. */
export function isCreditControlRequest(message: Buffer): boolean {
  return isCreditControl(message) && (message[4]! & headerFlags.request) !== 0;
}

export function isCreditControlAnswer(message: Buffer): boolean {
  return isCreditControl(message) && (message[4]! & headerFlags.request) === 0;
}

function isCreditControl(message: Buffer): boolean {
  return (
    message.length >= headerBytes &&
    message.readUIntBE(5, 3) === 272 &&
    message.readUInt32BE(8) === 4
  );
}

/** Undefined if the message has none. */
export function sessionIdOf(message: Buffer): string | undefined {
  const avp = messageAvps(message)?.find((each) => avpKey(each) === keyOf.sessionId);
  return avp === undefined ? undefined : text(message, avp);
}
