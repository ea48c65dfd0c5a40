// The message header. RFC 6733 3.

export const headerBytes = 20;

export const headerFlags = {
  request: 0x80,
  proxiable: 0x40,
  error: 0x20,
  retransmitted: 0x10,
  reserved: 0x0f,
} as const;

export type Header = {
  readonly version: number;
  /** What the Message Length field says, in octets. */
  readonly length: number;
  /** The flags octet as it stood on the wire; the next four are its bits R, P, E and T. */
  readonly flags: number;
  readonly request: boolean;
  readonly proxiable: boolean;
  readonly error: boolean;
  readonly retransmitted: boolean;
  readonly code: number;
  readonly applicationId: number;
  readonly hopByHop: number;
  readonly endToEnd: number;
};

/** Reads a header. Octets that a short frame lacks read as 0. */
export function readHeader(frame: Buffer): Header {
  const bytes = frame.length < headerBytes ? Buffer.concat([frame, zeros], headerBytes) : frame;
  const flags = bytes[4]!;
  return {
    version: bytes[0]!,
    length: bytes.readUIntBE(1, 3),
    flags,
    request: (flags & headerFlags.request) !== 0,
    proxiable: (flags & headerFlags.proxiable) !== 0,
    error: (flags & headerFlags.error) !== 0,
    retransmitted: (flags & headerFlags.retransmitted) !== 0,
    code: bytes.readUIntBE(5, 3),
    applicationId: bytes.readUInt32BE(8),
    hopByHop: bytes.readUInt32BE(12),
    endToEnd: bytes.readUInt32BE(16),
  };
}

const zeros = Buffer.alloc(headerBytes);

/** What the sender of a message chooses; version, length, code, R and E follow from the command. */
export type OutgoingHeader = {
  readonly applicationId: number;
  readonly hopByHop: number;
  readonly endToEnd: number;
  readonly proxiable?: boolean;
  /** T: only in a request that is sent again after a failure. */
  readonly retransmitted?: boolean;
};

/** The header of the answer to a request: same identifiers, same P, never T. RFC 6733 6.2. */
export function answerHeader(request: Header): OutgoingHeader {
  return {
    applicationId: request.applicationId,
    hopByHop: request.hopByHop,
    endToEnd: request.endToEnd,
    proxiable: request.proxiable,
  };
}
