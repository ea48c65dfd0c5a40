// What goes into Failed-AVP, cut out of the frame that it was found in. RFC 6733 7.1.5 and 7.5.

import { avpBytes } from './failure.ts';
import { headerBytes } from './header.ts';
import { avpFlags, type Definition, findDefinition } from './schema.ts';

/** An AVP filled up to a multiple of 4 octets. */
export function padded(avp: Buffer): Buffer {
  return avp.length % 4 === 0 ? avp : Buffer.concat([avp], (avp.length + 3) & ~3);
}

/**
 * RFC 6733 7.5: the groups around an AVP, with nothing else in them. `path` has where the headers
 * of these groups start, the outermost first.
 */
export function inItsGroups(frame: Buffer, path: readonly number[], offending: Buffer): Buffer {
  let inner = offending;
  for (const at of path.toReversed()) {
    const flags = frame[at + 4]!;
    const vendor = (flags & avpFlags.vendor) === 0 ? 0 : frame.readUInt32BE(at + 8);
    inner = avpBytes({ code: frame.readUInt32BE(at), flags, vendor }, inner);
  }
  return inner;
}

/**
 * RFC 6733 7.1.5: the header of an AVP whose length cannot be, with a zero-filled payload of the
 * shortest length. What is missing of the header before `end` is filled with zeros.
 */
export function exampleOfLength(frame: Buffer, at: number, end: number): Buffer {
  const header = Buffer.alloc(12);
  frame.copy(header, 0, at, Math.min(end, at + 12));
  const code = header.readUInt32BE(0);
  const flags = header[4]!;
  const vendor = (flags & avpFlags.vendor) === 0 ? 0 : header.readUInt32BE(8);
  const bytes = findDefinition(vendor, code)?.exampleBytes ?? 0;
  return avpBytes({ code, flags, vendor }, Buffer.alloc(bytes));
}

/** Where the members of the innermost group of `path` start, or of the message. */
export function startOfLevel(frame: Buffer, path: readonly number[]): number {
  const around = path.at(-1);
  if (around === undefined) return headerBytes;
  return around + ((frame[around + 4]! & avpFlags.vendor) === 0 ? 8 : 12);
}

/** The first AVP of a kind in a level that is known to be well-formed, without padding. */
export function firstOf(
  frame: Buffer,
  definition: Definition,
  start: number,
  end: number,
): Buffer | undefined {
  for (let at = start; at + 8 <= end; ) {
    const word = frame.readUInt32BE(at + 4);
    const length = word & 0xffffff;
    const vendor = word >>> 31 === 0 ? 0 : frame.readUInt32BE(at + 8);
    if (vendor === definition.vendor && frame.readUInt32BE(at) === definition.code) {
      return frame.subarray(at, at + length);
    }
    at += Math.max((length + 3) & ~3, 8);
  }
  return undefined;
}
