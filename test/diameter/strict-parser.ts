// A slow and obvious parser that accepts nothing but well-formed error answers. It shares no code
// with the product: it is what a strict peer would do with what we send. RFC 6733 3, 4.1, 4.5, 7.2.

import assert from 'node:assert/strict';

export type StrictAvp = {
  code: number;
  vendor: number;
  flags: number;
  data: Buffer;
  /** Header, data and padding. */
  bytes: Buffer;
};

export type StrictMessage = {
  request: boolean;
  proxiable: boolean;
  error: boolean;
  code: number;
  applicationId: number;
  hopByHop: number;
  endToEnd: number;
  avps: StrictAvp[];
  /** The data of the AVPs of an IETF code. */
  all(code: number): Buffer[];
  /** The number in the only AVP of an IETF code. */
  number(code: number): number;
  /** The AVPs in the only Failed-AVP, or none. */
  failed: StrictAvp[];
};

/** IETF AVPs of an error answer: whether M is set, and how many octets of data they have. */
const known: Record<number, { name: string; mandatory: boolean; octets?: number }> = {
  257: { name: 'Host-IP-Address', mandatory: true },
  258: { name: 'Auth-Application-Id', mandatory: true, octets: 4 },
  263: { name: 'Session-Id', mandatory: true },
  264: { name: 'Origin-Host', mandatory: true },
  266: { name: 'Vendor-Id', mandatory: true, octets: 4 },
  268: { name: 'Result-Code', mandatory: true, octets: 4 },
  269: { name: 'Product-Name', mandatory: false },
  278: { name: 'Origin-State-Id', mandatory: true, octets: 4 },
  279: { name: 'Failed-AVP', mandatory: true },
  281: { name: 'Error-Message', mandatory: false },
  296: { name: 'Origin-Realm', mandatory: true },
  415: { name: 'CC-Request-Number', mandatory: true, octets: 4 },
  416: { name: 'CC-Request-Type', mandatory: true, octets: 4 },
  419: { name: 'CC-Sub-Session-Id', mandatory: true, octets: 8 },
};

const proxyInfo = 284;

export function strictParse(frame: Buffer): StrictMessage {
  assert.ok(frame.length >= 20, 'header');
  assert.equal(frame[0], 1, 'version');
  assert.equal(frame.readUIntBE(1, 3), frame.length, 'message length');
  assert.equal(frame.length % 4, 0, 'message length is a multiple of 4');
  const flags = frame[4]!;
  assert.equal(flags & 0x0f, 0, 'reserved header flags');
  const avps = strictAvps(frame.subarray(20));
  const all = (code: number) =>
    avps.filter((one) => one.vendor === 0 && one.code === code).map(({ data }) => data);
  const only = (code: number) => {
    const found = all(code);
    assert.equal(found.length, 1, `one AVP ${code}`);
    return found[0]!;
  };
  return {
    request: (flags & 0x80) !== 0,
    proxiable: (flags & 0x40) !== 0,
    error: (flags & 0x20) !== 0,
    code: frame.readUIntBE(5, 3),
    applicationId: frame.readUInt32BE(8),
    hopByHop: frame.readUInt32BE(12),
    endToEnd: frame.readUInt32BE(16),
    avps,
    all,
    number: (code) => {
      const data = only(code);
      assert.equal(data.length, 4, `4 octets in AVP ${code}`);
      return data.readUInt32BE(0);
    },
    failed: all(279).flatMap((data) => strictAvps(data)),
  };
}

/** AVPs one after the other, each whole, padded with zeros to a multiple of 4. */
export function strictAvps(bytes: Buffer): StrictAvp[] {
  const avps: StrictAvp[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    assert.ok(rest.length >= 8, 'AVP header');
    const flags = rest[4]!;
    const length = rest.readUIntBE(5, 3);
    const header = (flags & 0x80) === 0 ? 8 : 12;
    assert.ok(length >= header, 'AVP length covers its header');
    const whole = Math.ceil(length / 4) * 4;
    assert.ok(whole <= rest.length, 'AVP lies within its level');
    assert.ok(
      rest.subarray(length, whole).every((octet) => octet === 0),
      'padding is zero',
    );
    avps.push({
      code: rest.readUInt32BE(0),
      vendor: header === 12 ? rest.readUInt32BE(8) : 0,
      flags,
      data: rest.subarray(header, length),
      bytes: rest.subarray(0, whole),
    });
    rest = rest.subarray(whole);
  }
  return avps;
}

/** Everything that RFC 6733 6.2 and 7.2 say of an answer that refuses `request`. */
export function strictErrorAnswer(answer: Buffer, request: Buffer): StrictMessage {
  const parsed = strictParse(answer);
  assert.equal(parsed.request, false, 'R clear');
  assert.equal(answer[4]! & 0x10, 0, 'T clear');
  assert.equal(parsed.proxiable, (request[4]! & 0x40) !== 0, 'P as in the request');
  assert.equal(parsed.code, request.readUIntBE(5, 3), 'command code');
  assert.equal(parsed.applicationId, request.readUInt32BE(8), 'Application-ID');
  assert.equal(parsed.hopByHop, request.readUInt32BE(12), 'Hop-by-Hop Identifier');
  assert.equal(parsed.endToEnd, request.readUInt32BE(16), 'End-to-End Identifier');
  const result = parsed.number(268);
  assert.ok(result >= 3000 && result < 6000, 'Result-Code');
  if (result < 4000) assert.ok(parsed.error, 'E with 3xxx');
  if (result >= 4000 && result < 5000) assert.ok(!parsed.error, 'no E with 4xxx');
  assert.equal(parsed.all(264).length, 1, 'one Origin-Host');
  assert.equal(parsed.all(296).length, 1, 'one Origin-Realm');
  assert.ok(parsed.all(263).length <= 1, 'at most one Session-Id');
  if (parsed.all(263).length === 1) assert.equal(parsed.avps[0]!.code, 263, 'Session-Id first');
  assert.ok(parsed.all(279).length <= 1, 'at most one Failed-AVP');
  assert.equal(parsed.all(293).length + parsed.all(283).length, 0, 'no Destination');
  if (!parsed.error && parsed.code === 272) {
    for (const code of [263, 258, 416, 415]) {
      assert.equal(parsed.all(code).length, 1, `${known[code]!.name} in a CCA`);
    }
  }
  for (const one of parsed.avps) {
    // Comes back as it was sent.
    if (one.code === proxyInfo) continue;
    assert.equal(one.flags & 0x3f, 0, 'P and reserved flags of an AVP');
    const rule = known[one.code];
    assert.ok(rule !== undefined && one.vendor === 0, `AVP ${one.vendor}:${one.code}`);
    assert.equal(one.flags, rule.mandatory ? 0x40 : 0, `flags of ${rule.name}`);
    if (rule.octets !== undefined) assert.equal(one.data.length, rule.octets, rule.name);
  }
  return parsed;
}
