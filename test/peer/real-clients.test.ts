/**
 * How real clients were seen to connect and to talk, octet by octet: the hexadecimal text is what
 * such a client sends, each AVP under its name.
 */
import { expect, test } from 'vitest';
import {
  all,
  avp,
  CER,
  DPR,
  group,
  only,
  P,
  type Parsed,
  parseAVPs,
  R,
  resultCode,
} from './raw.ts';
import { answerTo, ccr, cer, origin, serve } from './server.ts';

/** The octets of lines of hexadecimal text; a line that starts with # is a comment. */
function octets(text: string): Buffer {
  return Buffer.from(text.replaceAll(/#.*$/gm, '').replaceAll(/\s/g, ''), 'hex');
}

const kamailioFirstCER = octets(`
  # header
  010000ac 80000101 00000000 2f4c1a01 6d2b0001
  # Origin-Host scscf.ims.test
  00000108 40000016 73637363 662e696d 732e7465 73740000
  # Origin-Realm ims.test
  00000128 40000010 696d732e 74657374
  # Vendor-Id 10415
  0000010a 4000000c 000028af
  # Product-Name CDiameterPeer
  0000010d 00000015 43446961 6d657465 72506565 72000000
  # Supported-Vendor-Id 10415
  00000109 4000000c 000028af
  # Vendor-Specific-Application-Id { 10415, Auth-Application-Id 4 }
  00000104 40000020 0000010a 4000000c 000028af 00000102 4000000c 00000004
  # Vendor-Specific-Application-Id { 10415, Auth-Application-Id 16777216 }
  00000104 40000020 0000010a 4000000c 000028af 00000102 4000000c 01000000
`);

const kamailioCER = octets(`
  # header
  010000bc 80000101 00000000 2f4c1a02 6d2b0002
  # Origin-Host scscf.ims.test
  00000108 40000016 73637363 662e696d 732e7465 73740000
  # Origin-Realm ims.test
  00000128 40000010 696d732e 74657374
  # Host-IP-Address 192.168.1.17
  00000101 4000000e 0001c0a8 01110000
  # Vendor-Id 10415
  0000010a 4000000c 000028af
  # Product-Name CDiameterPeer
  0000010d 00000015 43446961 6d657465 72506565 72000000
  # Supported-Vendor-Id 10415
  00000109 4000000c 000028af
  # Vendor-Specific-Application-Id { 10415, Auth-Application-Id 4 }
  00000104 40000020 0000010a 4000000c 000028af 00000102 4000000c 00000004
  # Vendor-Specific-Application-Id { 10415, Auth-Application-Id 16777216 }
  00000104 40000020 0000010a 4000000c 000028af 00000102 4000000c 01000000
`);

const kamailioCCR = octets(`
  # header
  01000150 c0000110 00000004 2f4c1a03 6d2b0003
  # Session-Id
  00000107 40000024 73637363 662e696d 732e7465 73743b31 36363432 38333931 323b3237
  # Origin-Host scscf.ims.test
  00000108 40000016 73637363 662e696d 732e7465 73740000
  # Origin-Realm ims.test
  00000128 40000010 696d732e 74657374
  # Destination-Realm
  0000011b 40000018 63686172 67696e67 2e657861 6d706c65
  # Accounting-Record-Type EVENT_RECORD
  000001e0 4000000c 00000001
  # Accounting-Record-Number 0
  000001e5 4000000c 00000000
  # Service-Context-Id
  000001cd 40000023 6578742e 30322e30 30312e38 2e333232 36304033 6770702e 6f726700
  # CC-Request-Type INITIAL_REQUEST
  000001a0 4000000c 00000001
  # CC-Request-Number 0
  0000019f 4000000c 00000000
  # Event-Timestamp without M
  00000037 0000000c e6d8a5c0
  # Subscription-Id { END_USER_SIP_URI }
  000001bb 40000030 000001c2 4000000c 00000002 000001bc 4000001a 7369703a 616c6963
  6540696d 732e7465 73740000
  # Origin-Host scscf.ims.test
  00000108 40000016 73637363 662e696d 732e7465 73740000
  # Origin-Realm ims.test
  00000128 40000010 696d732e 74657374
  # Vendor-Specific-Application-Id { 10415, Auth-Application-Id 4 }
  00000104 40000020 0000010a 4000000c 000028af 00000102 4000000c 00000004
`);

const freeDiameterCER = octets(`
  # header
  010000b0 80000101 00000000 5a10f3c1 8c200001
  # Origin-Host smf.epc.test
  00000108 40000014 736d662e 6570632e 74657374
  # Origin-Realm epc.test
  00000128 40000010 6570632e 74657374
  # Origin-State-Id
  00000116 4000000c 639af400
  # Host-IP-Address 192.168.1.17
  00000101 4000000e 0001c0a8 01110000
  # Vendor-Id 0
  0000010a 4000000c 00000000
  # Product-Name freeDiameter
  0000010d 00000014 66726565 4469616d 65746572
  # Firmware-Revision 10200
  0000010b 0000000c 000027d8
  # Inband-Security-Id NO_INBAND_SECURITY
  0000012b 4000000c 00000000
  # Auth-Application-Id: relay
  00000102 4000000c ffffffff
  # Supported-Vendor-Id 10415
  00000109 4000000c 000028af
  # Supported-Vendor-Id 5535
  00000109 4000000c 0000159f
`);

const freeDiameterCCR = octets(`
  # header
  010000b4 c0000110 00000004 5a10f3c2 8c200002
  # Session-Id smf.epc.test;1671099392;1;app_gy
  00000107 40000028 736d662e 6570632e 74657374 3b313637 31303939 3339323b 313b6170
  705f6779
  # Origin-Host smf.epc.test
  00000108 40000014 736d662e 6570632e 74657374
  # Origin-Realm epc.test
  00000128 40000010 6570632e 74657374
  # Destination-Realm
  0000011b 40000018 63686172 67696e67 2e657861 6d706c65
  # Auth-Application-Id 4
  00000102 4000000c 00000004
  # Service-Context-Id
  000001cd 40000016 33323235 31403367 70702e6f 72670000
  # CC-Request-Type
  000001a0 4000000c 00000001
  # CC-Request-Number
  0000019f 4000000c 00000000
`);

const seagullCER = octets(`
  # header
  01000098 80000101 00000000 00000001 00000001
  # Origin-Host seagull.test
  00000108 40000014 73656167 756c6c2e 74657374
  # Origin-Realm test
  00000128 4000000c 74657374
  # Host-IP-Address 127.0.0.1
  00000101 4000000e 00017f00 00010000
  # Vendor-Id 11
  0000010a 4000000c 0000000b
  # Product-Name with M
  0000010d 40000017 48502043 6320496e 74657266 61636500
  # Origin-State-Id
  00000116 4000000c 41416e00
  # Supported-Vendor-Id
  00000109 4000000c 000028af
  # Auth-Application-Id 4
  00000102 4000000c 00000004
  # Acct-Application-Id 0
  00000103 4000000c 00000000
`);

const seagullCCR = octets(`
  # header
  0100009c 80000110 00000004 00000002 00000002
  # Session-Id session 12
  00000107 40000012 73657373 696f6e20 31320000
  # Origin-Host seagull.test
  00000108 40000014 73656167 756c6c2e 74657374
  # Origin-Realm test
  00000128 4000000c 74657374
  # Destination-Realm
  0000011b 40000018 63686172 67696e67 2e657861 6d706c65
  # Auth-Application-Id 4
  00000102 4000000c 00000004
  # Service-Context-Id
  000001cd 40000016 33323235 31403367 70702e6f 72670000
  # CC-Request-Type
  000001a0 4000000c 00000001
  # CC-Request-Number
  0000019f 4000000c 00000005
`);

/** The applications in a CEA: at top level, and in Vendor-Specific-Application-Id. */
function applications(cea: Parsed): { top: number[]; vendorSpecific: number[][] } {
  return {
    top: all(cea, 258).map((id) => id.readUInt32BE()),
    vendorSpecific: all(cea, 260).map((data) =>
      parseAVPs(data).map((member) => member.data.readUInt32BE()),
    ),
  };
}

test('Kamailio: a CER without Host-IP-Address gets 5005 and a close, the next one works', async () => {
  const { connect } = await serve();
  const first = await connect();
  const refused = await first.exchange(kamailioFirstCER);
  expect(resultCode(refused)).toBe(5005);
  expect(parseAVPs(only(refused, 279)).map(({ code }) => code)).toEqual([257]);
  expect(await first.next()).toBeUndefined();
  const second = await connect();
  expect(resultCode(await second.exchange(kamailioCER))).toBe(2001);
});

test('Kamailio: the CEA has application 4 at top level and with vendor 10415', async () => {
  const { connect } = await serve();
  const cea = await (await connect()).exchange(kamailioCER);
  expect(applications(cea)).toEqual({ top: [4], vendorSpecific: [[10415, 4]] });
});

test('Kamailio: origin twice, application only with its vendor, flags amiss: served', async () => {
  const tolerant = await (await serve()).open(kamailioCER);
  expect(resultCode(await tolerant.exchange(kamailioCCR))).toBe(2001);
});

test('the same from a peer that is judged strictly: the book’s errors', async () => {
  const peers = [{ host: 'scscf.ims.test', strict: true, options: { tag: 'strict' } }];
  const strict = await (await serve({ policy: { peers } })).open(kamailioCER);
  const again = ccr({ again: avp(264, 'pgw1.visited.example') });
  expect(resultCode(await strict.exchange(again))).toBe(5009);
  expect(resultCode(await strict.exchange(kamailioCCR))).toBe(3009);
});

test('freeDiameter: CER and CCR in one segment are both answered, in order', async () => {
  const { connect } = await serve();
  const peer = await connect();
  const cea = await peer.exchange(freeDiameterCER, freeDiameterCCR);
  expect([cea.command, cea.hopByHop, resultCode(cea)]).toEqual([CER, 0x5a10f3c1, 2001]);
  const cca = await peer.receive();
  expect([cca.command, cca.hopByHop, resultCode(cca)]).toEqual([272, 0x5a10f3c2, 2001]);
  expect(cca.endToEnd).toBe(0x8c200002);
});

test('freeDiameter: a shutdown says goodbye with a DPR', async () => {
  const { open, listener } = await serve();
  const peer = await open(freeDiameterCER);
  const drained = listener.drain('rebooting');
  const left = await peer.receive();
  expect([left.command, only(left, 273).readUInt32BE()]).toEqual([DPR, 0]);
  peer.send(answerTo(left));
  expect(await peer.next()).toBeUndefined();
  await drained;
});

test('JavaDiameter: the CEA names the host that was dialled, on every connection', async () => {
  const { connect } = await serve();
  for (let count = 0; count < 3; count += 1) {
    const cea = await (await connect()).exchange(cer());
    expect(only(cea, 264).toString()).toBe(origin.host);
  }
});

test('Seagull: no P bit, a jumping request number, a Session-Id of no form', async () => {
  const { open } = await serve();
  const peer = await open(seagullCER);
  const cca = await peer.exchange(seagullCCR);
  expect([resultCode(cca), cca.flags]).toEqual([2001, 0]);
  expect(only(cca, 263).toString()).toBe('session 12');
  expect(only(cca, 415).readUInt32BE()).toBe(5);
  const proxiable = await peer.exchange(Buffer.from(seagullCCR).fill(R | P, 4, 5));
  expect(proxiable.flags).toBe(P);
});

test('a load client: 14 requests in one segment, each with 1.2 kB of Proxy-Info', async () => {
  const { open } = await serve();
  const peer = await open();
  const proxyInfo = (request: number) =>
    [0, 1, 2].map((hop) => {
      // Every octet value occurs, and each request has its own.
      const state = Buffer.from(Array.from({ length: 380 + hop }, (_, at) => at * 7 + request));
      return group(284, [avp(280, `dra${hop}.load.test`), avp(33, state)]);
    });
  const requests = Array.from({ length: 14 }, (_, hopByHop) =>
    ccr({ proxies: Buffer.concat(proxyInfo(hopByHop)) }, { hopByHop }),
  );
  peer.send(...requests);
  for (let hopByHop = 0; hopByHop < 14; hopByHop += 1) {
    const cca = await peer.receive();
    expect([cca.hopByHop, resultCode(cca)]).toEqual([hopByHop, 2001]);
    const sent = parseAVPs(Buffer.concat(proxyInfo(hopByHop))).map(({ bytes }) => bytes);
    expect(sent.reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(1_200);
    const echoed = cca.avps.filter(({ code }) => code === 284).map(({ bytes }) => bytes);
    expect(echoed).toEqual(sent);
  }
});
