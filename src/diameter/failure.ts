// What is wrong with a message, in the form in which its answer says so. RFC 6733 7.1 and 7.5.

import { isProtocolError, type ResultCodeName, resultCodes } from './result-codes.ts';
import { avpFlags, type Definition } from './schema.ts';

export type Failure = {
  readonly resultCode: number;
  /** Whether the answer must have the E flag: so for every 3xxx (RFC 6733 7.1.3). */
  readonly eBit: boolean;
  /** What goes into the answer's one Failed-AVP: whole, padded, well-formed AVPs; may be empty. */
  readonly failedAvp: readonly Buffer[];
  /** For Error-Message and the log: names AVPs, never their contents. */
  readonly errorMessage: string;
};

/** A failure found by whoever reads the message, as 5007 for `failedAvp` that contradict. */
export function failure(
  code: ResultCodeName,
  errorMessage: string,
  failedAvp: readonly Buffer[] = [],
): Failure {
  const resultCode = resultCodes[code];
  return { resultCode, eBit: isProtocolError(resultCode), failedAvp, errorMessage };
}

/** An AVP out of its parts, padded. `vendor` is written where the V flag is set. RFC 6733 4.1. */
export function avpBytes(
  avp: { code: number; flags: number; vendor: number },
  data: Buffer,
): Buffer {
  const header = (avp.flags & avpFlags.vendor) === 0 ? 8 : 12;
  const length = header + data.length;
  const bytes = Buffer.alloc((length + 3) & ~3);
  bytes.writeUInt32BE(avp.code, 0);
  bytes[4] = avp.flags;
  bytes.writeUIntBE(length, 5, 3);
  if (header === 12) bytes.writeUInt32BE(avp.vendor, 8);
  data.copy(bytes, header);
  return bytes;
}

/** RFC 6733 7.5: an AVP of the shortest length, filled with zeros. */
export function exampleOf(definition: Definition): Buffer {
  return avpBytes(definition, Buffer.alloc(definition.exampleBytes));
}
