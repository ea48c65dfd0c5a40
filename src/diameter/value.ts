// The value of one AVP that is no group, from its payload. RFC 6733 4.2 and 4.3.

import { readAddress } from './address.ts';
import { type Definition, definitionOf } from './schema.ts';
import { readOpaqueText, readText } from './text.ts';

/** What `readValue` returns for a payload whose length its format cannot have. */
export const wrongLength = Symbol('wrong length');

/**
 * The value in `data..stop` of a frame (and of its view), `wrongLength`, or undefined for octets
 * that are none. The numbers of an enumeration are not compared with its names.
 */
export function readValue(
  frame: Buffer,
  view: DataView,
  definition: Definition,
  data: number,
  stop: number,
): unknown {
  const bytes = stop - data;
  switch (definition.format) {
    case 'Unsigned32':
      return bytes === 4 ? view.getUint32(data) : wrongLength;
    case 'Integer32':
    case 'Enumerated':
      return bytes === 4 ? view.getInt32(data) : wrongLength;
    case 'Unsigned64':
      return bytes === 8 ? view.getBigUint64(data) : wrongLength;
    case 'Integer64':
      return bytes === 8 ? view.getBigInt64(data) : wrongLength;
    case 'Float32':
      return bytes === 4 ? view.getFloat32(data) : wrongLength;
    case 'Float64':
      return bytes === 8 ? view.getFloat64(data) : wrongLength;
    case 'Time':
      return bytes === 4 ? unixSeconds(view.getUint32(data)) : wrongLength;
    case 'OctetString':
      return frame.subarray(data, stop);
    case 'Address':
      return bytes < 2 ? wrongLength : readAddress(frame, data, stop);
    default:
      return definition === sessionId
        ? readOpaqueText(frame.subarray(data, stop))
        : readText(frame, data, stop);
  }
}

const sessionId = definitionOf('Session-Id');

/** 1900-01-01 to 1970-01-01 in seconds. */
const ntpEpoch = 2_208_988_800;

/** RFC 6733 4.3.1: with the high bit clear, seconds since 2036-02-07 06:28:16 UTC. */
function unixSeconds(time: number): number {
  return time - ntpEpoch + (time < 0x80000000 ? 0x100000000 : 0);
}
