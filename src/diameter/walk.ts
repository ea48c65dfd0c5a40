// Walks the AVPs of a message or a group as they lie on the wire, known or not. RFC 6733 4.1.

import { headerBytes } from './header.ts';
import { avpFlags } from './schema.ts';

export type RawAvp = {
  readonly code: number;
  /** 0 in the IETF space. */
  readonly vendor: number;
  readonly flags: number;
  /** Header and data without the padding: a slice of the frame. */
  readonly bytes: Buffer;
  /** A slice of the frame. */
  readonly data: Buffer;
};

/** The top-level AVPs of a whole message, in order. Stops before one whose length is wrong. */
export function walkAvps(frame: Buffer): Generator<RawAvp> {
  return walkMembers(frame.subarray(headerBytes));
}

/** The members of a group, from its data. Stops before one whose length is wrong. */
export function* walkMembers(data: Buffer): Generator<RawAvp> {
  let at = 0;
  while (at + 8 <= data.length) {
    const code = data.readUInt32BE(at);
    const flags = data[at + 4]!;
    const length = data.readUIntBE(at + 5, 3);
    const header = (flags & avpFlags.vendor) === 0 ? 8 : 12;
    if (length < header || at + length > data.length) return;
    yield {
      code,
      vendor: header === 12 ? data.readUInt32BE(at + 8) : 0,
      flags,
      bytes: data.subarray(at, at + length),
      data: data.subarray(at + header, at + length),
    };
    at += (length + 3) & ~3;
  }
}
