// Builds messages octet by octet from the layouts of RFC 6733 3 and 4.1, well-formed or not. It
// shares nothing with the encoder, so that what the tests expect does not come from it.

export const M = 0x40;
export const V = 0x80;

export function u32(value: number): Buffer {
  return Buffer.of((value >>> 24) & 255, (value >>> 16) & 255, (value >>> 8) & 255, value & 255);
}

export function u64(value: bigint): Buffer {
  return Buffer.concat([u32(Number(value >> 32n)), u32(Number(value & 0xffffffffn))]);
}

export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(/\s/g, ''), 'hex');
}

type Parts = { flags?: number; vendor?: number; length?: number; padding?: number };

/** An AVP; text and numbers stand for UTF8String and Unsigned32. `length` overrides the true one. */
export function avp(code: number, data: Buffer | string | number, parts: Parts = {}): Buffer {
  const { vendor, padding = 0 } = parts;
  const flags = parts.flags ?? (vendor === undefined ? M : M | V);
  const payload =
    typeof data === 'number' ? u32(data) : typeof data === 'string' ? Buffer.from(data) : data;
  const header = (flags & V) === 0 ? 8 : 12;
  const length = parts.length ?? header + payload.length;
  return Buffer.concat([
    u32(code),
    Buffer.of(flags, (length >>> 16) & 255, (length >>> 8) & 255, length & 255),
    (flags & V) === 0 ? Buffer.alloc(0) : u32(vendor ?? 0),
    payload,
    Buffer.alloc((4 - (payload.length % 4)) % 4, padding),
  ]);
}

export function group(code: number, members: Buffer[], parts: Parts = {}): Buffer {
  return avp(code, Buffer.concat(members), parts);
}

type HeaderParts = {
  version?: number;
  length?: number;
  flags?: number;
  code?: number;
  applicationId?: number;
  hopByHop?: number;
  endToEnd?: number;
};

/** A message; a proxiable CCR unless told otherwise. */
export function message(avps: Buffer[], parts: HeaderParts = {}): Buffer {
  const body = Buffer.concat(avps);
  const length = parts.length ?? 20 + body.length;
  const code = parts.code ?? 272;
  return Buffer.concat([
    Buffer.of(parts.version ?? 1, (length >>> 16) & 255, (length >>> 8) & 255, length & 255),
    Buffer.of(parts.flags ?? 0xc0, (code >>> 16) & 255, (code >>> 8) & 255, code & 255),
    u32(parts.applicationId ?? 4),
    u32(parts.hopByHop ?? 0x11111111),
    u32(parts.endToEnd ?? 0x22222222),
    body,
  ]);
}

/** The AVPs of a plain CCR, by name, so that a test replaces or leaves out one of them. */
export const ccrAvps = {
  sessionId: avp(263, 'gw.example;1;2'),
  originHost: avp(264, 'gw.example'),
  originRealm: avp(296, 'example'),
  destinationRealm: avp(283, 'ocs.example'),
  authApplicationId: avp(258, 4),
  serviceContextId: avp(461, '32251@3gpp.org'),
  requestType: avp(416, 2),
  requestNumber: avp(415, 7),
};

export type CcrAvps = Partial<Record<keyof typeof ccrAvps, Buffer | undefined>>;

/** A plain CCR with some AVPs replaced (or left out, by undefined) and others after them. */
export function ccr(
  { replace = {}, more = [] }: { replace?: CcrAvps; more?: Buffer[] } = {},
  parts: HeaderParts = {},
): Buffer {
  const all = Object.values({ ...ccrAvps, ...replace }).filter((one) => one !== undefined);
  return message([...all, ...more], parts);
}

export const cerAvps = [
  avp(264, 'gw.example'),
  avp(296, 'example'),
  avp(257, hex('0001 0a000001')),
  avp(266, 10415),
  avp(269, 'gateway', { flags: 0 }),
];
