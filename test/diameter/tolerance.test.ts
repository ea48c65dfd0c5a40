/** What real peers send that is not by the book: accepted, unless a peer is set to strict. */
import { expect, test } from 'vitest';
import { decode } from '../../src/diameter/decode.ts';
import { avp, type CcrAvps, ccr, ccrAvps, group, hex, message, u32, u64 } from './bytes.ts';

function codes(request: Buffer) {
  const code = (strict: boolean) => decode(request, { strict }).failure?.resultCode;
  return { tolerant: code(false), strict: code(true) };
}

test('B-058 the same AVP again, octet for octet, counts once; in strict mode it is 5009', () => {
  for (const one of Object.values(ccrAvps)) {
    expect(codes(ccr({ more: [one] }))).toEqual({ tolerant: undefined, strict: 5009 });
  }
  const twice = ccr({ more: [ccrAvps.originHost, ccrAvps.originRealm] });
  expect(decode(twice).message).toEqual(decode(ccr()).message);
});

test('B-058 a differing second one is 5009 in both modes', () => {
  for (const other of [avp(264, 'gw2.example'), avp(264, 'gw.example', { flags: 0x60 })]) {
    expect(codes(ccr({ more: [other] }))).toEqual({ tolerant: 5009, strict: 5009 });
  }
});

test('B-058 in a group too', () => {
  const twice = group(456, [group(437, []), avp(432, 1), group(437, []), avp(432, 1)]);
  expect(codes(ccr({ more: [twice] }))).toEqual({ tolerant: undefined, strict: 5009 });
  const vendor = avp(21, hex('06'), { vendor: 10415 });
  const info = group(873, [group(874, [vendor, vendor], { vendor: 10415 })], { vendor: 10415 });
  expect(codes(ccr({ more: [info] }))).toEqual({ tolerant: undefined, strict: 5009 });
});

test('usage that is reported twice in the same octets counts twice', () => {
  const used = group(446, [avp(420, 60)]);
  const { message } = decode(ccr({ more: [group(456, [used, used])] }));
  expect(message).toMatchObject({
    'Multiple-Services-Credit-Control': [
      { 'Used-Service-Unit': [{ 'CC-Time': 60 }, { 'CC-Time': 60 }] },
    ],
  });
});

test('the application is known from the header; in strict mode its AVP is required', () => {
  const vsai = group(260, [avp(266, 10415), avp(258, 4)]);
  const without: CcrAvps = { authApplicationId: undefined };
  for (const more of [[], [vsai]]) {
    const request = ccr({ replace: without, more });
    expect(codes(request)).toEqual({ tolerant: undefined, strict: 5005 });
    expect(decode(request).message).toMatchObject({ 'Auth-Application-Id': 4 });
  }
});

test('an IMS proxy: everything that it does at once', () => {
  const id = group(443, [avp(450, 2), avp(444, 'sip:alice@ims.example')]);
  const ims = group(876, [avp(862, 0, { vendor: 10415 })], { vendor: 10415 });
  const request = ccr({
    replace: { authApplicationId: undefined },
    more: [
      ccrAvps.originHost,
      ccrAvps.originRealm,
      avp(480, 2),
      avp(485, 0),
      avp(55, 0xeeac0640, { flags: 0 }),
      group(260, [avp(266, 10415), avp(258, 4)]),
      id,
      group(873, [id, ims], { vendor: 10415 }),
    ],
  });
  const subscription = {
    'Subscription-Id-Type': 2,
    'Subscription-Id-Data': 'sip:alice@ims.example',
  };
  expect(decode(request)).toMatchObject({
    failure: undefined,
    message: {
      'Accounting-Record-Type': [2],
      'Accounting-Record-Number': [0],
      'Subscription-Id': [subscription],
      'Service-Information': {
        'Subscription-Id': [subscription],
        'IMS-Information': { 'Node-Functionality': 0 },
      },
    },
  });
});

test('a packet gateway: services first, Reporting-Reason in the usage and after it', () => {
  const reason = avp(872, 2, { vendor: 10415 });
  const service = group(456, [avp(432, 1), group(446, [avp(421, u64(5n)), reason]), reason]);
  const { sessionId, ...others } = ccrAvps;
  const request = message([sessionId, service, ...Object.values(others)]);
  expect(decode(request)).toMatchObject({
    failure: undefined,
    message: {
      'Multiple-Services-Credit-Control': [
        {
          'Rating-Group': 1,
          'Used-Service-Unit': [{ 'CC-Total-Octets': 5n, 'Reporting-Reason': 2 }],
          'Reporting-Reason': [2],
        },
      ],
    },
  });
});

test('services without Rating-Group, and Service-Context-Id without @', () => {
  const request = ccr({
    replace: { serviceContextId: avp(461, 'gprs') },
    more: [
      group(456, [group(446, [avp(412, u64(1n)), avp(414, u64(2n)), avp(420, 0xdeadbeef)])]),
      group(456, [group(437, [])]),
    ],
  });
  expect(codes(request)).toEqual({ tolerant: undefined, strict: undefined });
});

test('a known AVP in a group that does not list it: accepted, 5008 in strict mode', () => {
  const id = group(443, [avp(450, 0), avp(444, '49'), avp(432, 1)]);
  expect(codes(ccr({ more: [id] }))).toEqual({ tolerant: undefined, strict: 5008 });
});

test('B-054 M and no M on AVPs of a vendor', () => {
  for (const flags of [0x80, 0xc0]) {
    const rat = avp(21, hex('06'), { vendor: 10415, flags });
    const info = group(873, [group(874, [rat], { vendor: 10415 })], { vendor: 10415 });
    expect(decode(ccr({ more: [info] }))).toMatchObject({
      failure: undefined,
      message: { 'Service-Information': { 'PS-Information': { '3GPP-RAT-Type': hex('06') } } },
    });
  }
});

test('kilobytes of Proxy-Info', () => {
  const proxies = Array.from({ length: 14 }, (_, i) =>
    group(284, [avp(280, `agent${i}`), avp(33, Buffer.concat([u32(i), Buffer.alloc(90, i)]))]),
  );
  const { failure, raw } = decode(ccr({ more: proxies }));
  expect(failure).toBeUndefined();
  expect(
    Buffer.concat(raw.proxyInfo.map((one) => Buffer.concat([one], (one.length + 3) & ~3))),
  ).toEqual(Buffer.concat(proxies));
});
