// Makes a recorded request fit to be sent now, by somebody else, to another server. Only the AVPs
// that are named here change; every other byte, known or not, stays as it was recorded.
import { avps } from '../diameter/dictionary.ts';
import { headerBytes } from '../diameter/header.ts';
import { type Identity, subscriptionId } from './identities.ts';
import { avpKey, isGroup, keyOf, messageAvps, type RawAvp, rawAvps, text } from './raw-avp.ts';

/** What to change. Whatever is missing stays. */
export interface Rewriting {
  sessionId?: (original: string) => string;
  /** Seconds added to every AVP of format Time, at any depth. */
  shiftSeconds?: number;
  originHost?: string;
  originRealm?: string;
  destinationHost?: string;
  destinationRealm?: string;
  requestNumber?: number;
  /** For every Subscription-Id and User-Name, at any depth. */
  identity?: (original: Identity) => string;
  endToEnd?: number;
}

const times = new Set<number>();
for (const avp of Object.values(avps)) if (avp.format === 'Time') times.add(avpKey(avp));

interface Edit {
  readonly avp: RawAvp;
  readonly data: Buffer;
}

/**
 * A new message; the original is not changed. One whose AVPs cannot be told apart is copied as it
 * is, apart from its End-to-End Identifier.
 */
export function rewrite(message: Buffer, changes: Rewriting): Buffer {
  const edits = (messageAvps(message) ?? []).flatMap((avp) => topEdit(message, avp, changes));
  const body = apply(message, { from: headerBytes, to: message.length }, edits);
  const header = Buffer.from(message.subarray(0, headerBytes));
  header.writeUIntBE(headerBytes + body.length, 1, 3);
  if (changes.endToEnd !== undefined) header.writeUInt32BE(changes.endToEnd, 16);
  return Buffer.concat([header, body]);
}

/** Identities of the route stand at the top of a message only (RFC 8506 3.1). */
function topEdit(message: Buffer, avp: RawAvp, changes: Rewriting): Edit[] {
  const to = (value: string | undefined): Edit[] =>
    value === undefined ? [] : [{ avp, data: Buffer.from(value) }];
  switch (avpKey(avp)) {
    case keyOf.sessionId:
      return to(changes.sessionId?.(text(message, avp)));
    case keyOf.originHost:
      return to(changes.originHost);
    case keyOf.originRealm:
      return to(changes.originRealm);
    case keyOf.destinationHost:
      return to(changes.destinationHost);
    case keyOf.destinationRealm:
      return to(changes.destinationRealm);
    case keyOf.requestNumber:
      return changes.requestNumber === undefined
        ? []
        : [{ avp, data: number(changes.requestNumber) }];
    default:
      return anyEdit(message, avp, changes);
  }
}

function anyEdit(message: Buffer, avp: RawAvp, changes: Rewriting): Edit[] {
  const key = avpKey(avp);
  if (key === keyOf.userName && changes.identity !== undefined) {
    const value = changes.identity({ kind: 'user-name', value: text(message, avp) });
    return [{ avp, data: Buffer.from(value) }];
  }
  if (key === keyOf.subscriptionId && changes.identity !== undefined) {
    const held = subscriptionId(message, avp);
    if (held === undefined) return [];
    const edit = { avp: held.data, data: Buffer.from(changes.identity(held.identity)) };
    return [{ avp, data: apply(message, { from: avp.dataStart, to: avp.dataEnd }, [edit]) }];
  }
  if (times.has(key) && avp.dataEnd - avp.dataStart === 4 && changes.shiftSeconds !== undefined) {
    // RFC 6733 4.3.1: seconds in the 32 bits of NTP, which wrap.
    const shifted = message.readUInt32BE(avp.dataStart) + changes.shiftSeconds;
    return [{ avp, data: number(shifted) }];
  }
  return isGroup(key) ? groupEdit(message, avp, changes) : [];
}

function groupEdit(message: Buffer, avp: RawAvp, changes: Rewriting): Edit[] {
  const members = rawAvps(message, avp.dataStart, avp.dataEnd) ?? [];
  const edits = members.flatMap((member) => anyEdit(message, member, changes));
  if (edits.length === 0) return [];
  return [{ avp, data: apply(message, { from: avp.dataStart, to: avp.dataEnd }, edits) }];
}

/** The bytes of a place with the data of some of its AVPs replaced. */
function apply(message: Buffer, place: { from: number; to: number }, edits: Edit[]): Buffer {
  const parts: Buffer[] = [];
  let at = place.from;
  for (const { avp, data } of edits) {
    const header = Buffer.from(message.subarray(avp.start, avp.dataStart));
    header.writeUIntBE(header.length + data.length, 5, 3);
    const padding = Buffer.alloc((4 - (data.length % 4)) % 4);
    parts.push(message.subarray(at, avp.start), header, data, padding);
    at = avp.end;
  }
  parts.push(message.subarray(at, place.to));
  return Buffer.concat(parts);
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}
