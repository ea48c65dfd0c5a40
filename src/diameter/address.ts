// The Address format. RFC 6733 4.3.1: a 2-octet address family, then the address.

import type { Address } from './avp.ts';
import { readText } from './text.ts';

export const addressFamilies = { ipv4: 1, ipv6: 2, e164: 8 } as const;

/** The address in some octets, or undefined where its length or text does not fit its family. */
export function readAddress(bytes: Buffer, start: number, end: number): Address | undefined {
  const family = (bytes[start]! << 8) | bytes[start + 1]!;
  const at = start + 2;
  switch (family) {
    case addressFamilies.ipv4:
      if (end - at !== 4) return undefined;
      return {
        family,
        address: `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`,
      };
    case addressFamilies.ipv6:
      return end - at === 16 ? { family, address: ipv6Text(bytes, at) } : undefined;
    case addressFamilies.e164: {
      const address = readText(bytes, at, end);
      return address === undefined ? undefined : { family, address };
    }
    default:
      return { family, address: bytes.toString('hex', at, end) };
  }
}

/** An IPv4 or IPv6 address in its one text form (RFC 5952 4), or undefined where it is none. */
export function ipAddress(text: string): Address | undefined {
  const four = ipv4Octets(text);
  if (four !== undefined) return { family: addressFamilies.ipv4, address: four.join('.') };
  const six = ipv6Octets(text);
  return six && { family: addressFamilies.ipv6, address: ipv6Text(six, 0) };
}

/** The octets of an address. Throws a RangeError where the text does not fit the family. */
export function addressBytes({ family, address }: Address): Buffer {
  const bytes = addressOctets(family, address);
  if (bytes === undefined || family < 0 || family > 0xffff) {
    throw new RangeError(`not an address of family ${family}`);
  }
  return Buffer.concat([Buffer.of(family >> 8, family & 0xff), bytes]);
}

function addressOctets(family: number, address: string): Buffer | undefined {
  switch (family) {
    case addressFamilies.ipv4:
      return ipv4Octets(address);
    case addressFamilies.ipv6:
      return ipv6Octets(address);
    case addressFamilies.e164:
      return Buffer.from(address, 'utf8');
    default:
      return /^(?:[0-9a-f]{2})*$/i.test(address) ? Buffer.from(address, 'hex') : undefined;
  }
}

function ipv4Octets(text: string): Buffer | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part) && +part < 256)) {
    return undefined;
  }
  return Buffer.from(parts.map(Number));
}

/** RFC 5952: lower case, no leading zeros, the longest run of two or more zero groups as `::`. */
function ipv6Text(bytes: Buffer, start: number): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(start + 2 * i));
  let best = { from: 8, length: 1 };
  for (let from = 0; from < 8; from += 1) {
    let length = 0;
    while (from + length < 8 && groups[from + length] === 0) length += 1;
    if (length > best.length) best = { from, length };
  }
  const text = (part: number[]) => part.map((group) => group.toString(16)).join(':');
  if (best.from === 8) return text(groups);
  return `${text(groups.slice(0, best.from))}::${text(groups.slice(best.from + best.length))}`;
}

function ipv6Octets(text: string): Buffer | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const [head, tail] = halves.map(ipv6Groups);
  if (head === undefined || (halves.length === 2 && tail === undefined)) return undefined;
  const missing = 8 - head.length - (tail?.length ?? 0);
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined;
  const bytes = Buffer.alloc(16);
  [...head, ...new Array<number>(missing).fill(0), ...(tail ?? [])].forEach((group, i) => {
    bytes.writeUInt16BE(group, 2 * i);
  });
  return bytes;
}

/** The 16-bit groups of one side of `::`; the last may be dotted IPv4. */
function ipv6Groups(text: string): number[] | undefined {
  if (text === '') return [];
  const groups: number[] = [];
  const parts = text.split(':');
  for (const [i, part] of parts.entries()) {
    if (i === parts.length - 1 && part.includes('.')) {
      const octets = ipv4Octets(part);
      if (octets === undefined) return undefined;
      groups.push(octets.readUInt16BE(0), octets.readUInt16BE(2));
    } else {
      if (!/^[0-9a-f]{1,4}$/i.test(part)) return undefined;
      groups.push(Number.parseInt(part, 16));
    }
  }
  return groups;
}
