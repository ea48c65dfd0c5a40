// From a captured packet to what TCP and SCTP get: the link layers that gateways are captured on
// (LINKTYPE_ numbers of the tcpdump registry), VLAN tags, IPv4 (RFC 791) and IPv6 (RFC 8200).
import type { Packet } from './pcap.ts';

export interface Datagram {
  readonly kind: 'datagram';
  readonly protocol: 'tcp' | 'sctp';
  readonly source: string;
  readonly destination: string;
  /** The segment or SCTP packet, without what the link layer pads. */
  readonly payload: Buffer;
  /** True if the capture or the packet ends before the datagram does. */
  readonly cut: boolean;
}

export type Unwrapped =
  | Datagram
  /** Well-formed traffic that cannot carry Diameter. */
  | { readonly kind: 'other' }
  | { readonly kind: 'bad'; readonly text: string };

const other: Unwrapped = { kind: 'other' };
const bad = (text: string): Unwrapped => ({ kind: 'bad', text });

const etherIpv4 = 0x0800;
const etherIpv6 = 0x86dd;
const vlanTags = new Set([0x8100, 0x88a8, 0x9100]);
/** AF_INET6 of Linux, of the BSDs and of macOS, as loopback captures carry it. */
const familiesIpv6 = new Set([10, 24, 28, 30]);

/** Takes the link and network layers off a packet. Never throws. */
export function unwrap(packet: Packet): Unwrapped {
  const { bytes, linkType } = packet;
  switch (linkType) {
    case 1:
      return ethernet(bytes, 12);
    case 0:
    case 108:
      return loopback(bytes);
    case 12:
    case 14:
    case 101:
    case 228:
    case 229:
      return rawIp(bytes);
    case 113: // Linux cooked capture, version 1
      return ethernet(bytes, 14);
    case 276: // version 2
      return bytes.length < 20
        ? bad('a cooked packet cut short')
        : network(bytes.readUInt16BE(0), bytes.subarray(20));
    default:
      return bad(`link type ${linkType} is not supported`);
  }
}

/** Both Ethernet and the first cooked layout end in the EtherType, VLAN tags coming before it. */
function ethernet(bytes: Buffer, typeAt: number): Unwrapped {
  let at = typeAt;
  while (bytes.length >= at + 2) {
    const type = bytes.readUInt16BE(at);
    if (!vlanTags.has(type)) return network(type, bytes.subarray(at + 2));
    at += 4;
  }
  return bad('a link header cut short');
}

function loopback(bytes: Buffer): Unwrapped {
  if (bytes.length < 4) return bad('a loopback header cut short');
  // The family stands in the byte order of the machine that captured; it is always a small number.
  const family = bytes.readUInt16BE(0) === 0 ? bytes.readUInt32BE(0) : bytes.readUInt32LE(0);
  if (family === 2) return network(etherIpv4, bytes.subarray(4));
  return familiesIpv6.has(family) ? network(etherIpv6, bytes.subarray(4)) : other;
}

function rawIp(bytes: Buffer): Unwrapped {
  const version = (bytes[0] ?? 0) >> 4;
  if (version === 4) return ipv4(bytes);
  return version === 6 ? ipv6(bytes) : bad(`IP version ${version}`);
}

function network(etherType: number, bytes: Buffer): Unwrapped {
  if (etherType === etherIpv4) return ipv4(bytes);
  return etherType === etherIpv6 ? ipv6(bytes) : other;
}

function ipv4(bytes: Buffer): Unwrapped {
  if (bytes.length < 20) return bad('an IPv4 header cut short');
  const headerBytes = ((bytes[0] ?? 0) & 0x0f) * 4;
  // Segmentation offload leaves the total length 0 in packets that are captured before sending.
  const totalBytes = bytes.readUInt16BE(2) || bytes.length;
  if (headerBytes < 20 || totalBytes < headerBytes)
    return bad('IPv4 lengths contradict each other');
  const protocol = transport(bytes[9] ?? 0);
  if (protocol === undefined) return other;
  if ((bytes.readUInt16BE(6) & 0x3fff) !== 0) return bad('a fragmented IPv4 datagram');
  return {
    kind: 'datagram',
    protocol,
    source: bytes.subarray(12, 16).join('.'),
    destination: bytes.subarray(16, 20).join('.'),
    payload: bytes.subarray(headerBytes, totalBytes),
    cut: bytes.length < totalBytes,
  };
}

function ipv6(bytes: Buffer): Unwrapped {
  if (bytes.length < 40) return bad('an IPv6 header cut short');
  const totalBytes = 40 + bytes.readUInt16BE(4) === 40 ? bytes.length : 40 + bytes.readUInt16BE(4);
  let next = bytes[6] ?? 0;
  let at = 40;
  while (isExtension(next)) {
    if (bytes.length < at + 8) return bad('an IPv6 extension header cut short');
    if (next === 44) return bad('a fragmented IPv6 datagram');
    const units = bytes[at + 1] ?? 0;
    // RFC 4302 2.2: an authentication header counts in 4 bytes, the others in 8.
    const length = next === 51 ? (units + 2) * 4 : (units + 1) * 8;
    next = bytes[at] ?? 0;
    at += length;
  }
  const protocol = transport(next);
  if (protocol === undefined) return other;
  return {
    kind: 'datagram',
    protocol,
    source: ipv6Text(bytes.subarray(8, 24)),
    destination: ipv6Text(bytes.subarray(24, 40)),
    payload: bytes.subarray(at, totalBytes),
    cut: bytes.length < totalBytes,
  };
}

/** Hop-by-hop, routing, fragment, authentication and destination options (RFC 8200 4). */
function isExtension(nextHeader: number): boolean {
  return [0, 43, 44, 51, 60].includes(nextHeader);
}

function transport(protocol: number): Datagram['protocol'] | undefined {
  if (protocol === 6) return 'tcp';
  return protocol === 132 ? 'sctp' : undefined;
}

function ipv6Text(address: Buffer): string {
  const groups: string[] = [];
  for (let at = 0; at < 16; at += 2) groups.push(address.readUInt16BE(at).toString(16));
  // RFC 5952 4.2: the longest run of zero groups becomes `::`.
  const text = groups.join(':');
  const runs = text.match(/\b0(?::0)+\b/g) ?? [];
  const longest = runs.reduce((best, run) => (run.length > best.length ? run : best), '');
  if (longest === '') return text;
  const without = text.replace(new RegExp(`\\b${longest}\\b`), '');
  return `${without.startsWith(':') || without === '' ? ':' : ''}${without}${without.endsWith(':') || without === '' ? ':' : ''}`;
}
