/** The capabilities exchange, RFC 6733 5.3, through a socket. */
import { describe, expect, test } from 'vitest';
import { all, avp, CER, E, group, only, P, type Parsed, parseAVPs, R, resultCode } from './raw.ts';
import { ccr, cer, cerParts, dwr, origin, serve } from './server.ts';

/** What every CEA must say, whatever its result. */
function expectCEA(cea: Parsed, result: number): void {
  expect(cea.command).toBe(CER);
  expect(cea.application).toBe(0);
  expect(cea.flags & R).toBe(0);
  expect(resultCode(cea)).toBe(result);
  expect(only(cea, 264).toString()).toBe(origin.host);
  expect(only(cea, 296).toString()).toBe(origin.realm);
  expect(all(cea, 257).map((address) => address.toString('hex'))).toEqual(['00017f000001']);
  expect(only(cea, 266).length).toBe(4);
  expect(only(cea, 269).toString()).toBe('Tollkeeper');
  expect(only(cea, 265).readUInt32BE()).toBe(10415);
  expect(only(cea, 258).readUInt32BE()).toBe(4);
  const vendorSpecific = parseAVPs(only(cea, 260));
  expect(only(vendorSpecific, 266).readUInt32BE()).toBe(10415);
  expect(only(vendorSpecific, 258).readUInt32BE()).toBe(4);
}

describe('the CER', () => {
  test('B-082 B-083 C-001 G-001 the CEA says who we are and lists our applications', async () => {
    const { connect } = await serve();
    const peer = await connect();
    const cea = await peer.exchange(cer({}, { hopByHop: 0xffffffff, endToEnd: 0 }));
    expectCEA(cea, 2001);
    expect(cea).toMatchObject({ hopByHop: 0xffffffff, endToEnd: 0, flags: 0 });
  });

  test('B-056 Product-Name and Firmware-Revision go out without M', async () => {
    const { connect } = await serve();
    const cea = await (await connect()).exchange(cer());
    const flags = (code: number) => cea.avps.find((found) => found.code === code)!.flags;
    expect([flags(269), flags(267), flags(264), flags(268)]).toEqual([0, 0, 0x40, 0x40]);
  });

  test('B-166 Origin-State-Id is sent as set, and not at all otherwise', async () => {
    const identity = { originHost: origin.host, originRealm: origin.realm };
    const silent = await (await (await serve()).connect()).exchange(cer());
    expect(all(silent, 278)).toEqual([]);
    const { connect } = await serve({ identity: { ...identity, originStateId: 7 } });
    const peer = await connect();
    expect(only(await peer.exchange(cer()), 278).readUInt32BE()).toBe(7);
    expect(only(await peer.exchange(dwr()), 278).readUInt32BE()).toBe(7);
  });

  test('B-082 Host-IP-Address can be set, B-065 in both families', async () => {
    const identity = { originHost: origin.host, originRealm: origin.realm };
    const hostIpAddresses = ['192.0.2.1', '2001:db8::1'];
    const { connect } = await serve({ identity: { ...identity, hostIpAddresses } });
    const cea = await (await connect()).exchange(cer());
    expect(all(cea, 257).map((address) => address.toString('hex'))).toEqual([
      '0001c0000201',
      '000220010db8000000000000000000000001',
    ]);
  });

  test.each([
    ['Origin-Host', 'originHost', 264, 0],
    ['Origin-Realm', 'originRealm', 296, 0],
    ['Host-IP-Address', 'hostIPAddress', 257, 6],
    ['Vendor-Id', 'vendorId', 266, 4],
    ['Product-Name', 'productName', 269, 0],
  ])('B-081 without %s: 5005 with an example of it, then closed', async (_, part, code, octets) => {
    const { connect } = await serve();
    const peer = await connect();
    const cea = await peer.exchange(cer({ [part]: undefined }));
    expectCEA(cea, 5005);
    expect(cea.flags & E).toBe(0);
    expect(only(parseAVPs(only(cea, 279)), code)).toEqual(Buffer.alloc(octets));
    expect(await peer.next()).toBeUndefined();
  });

  test('B-084 G-001 the application counts wherever it stands, beside any Vendor-Id', async () => {
    const { connect } = await serve();
    for (const vendor of [10415, 0, 99]) {
      const application = group(260, [avp(266, vendor), avp(258, 4)]);
      expectCEA(await (await connect()).exchange(cer({ application })), 2001);
    }
    expectCEA(await (await connect()).exchange(cer({ application: avp(259, 4) })), 2001);
  });

  test('B-085 nothing in common: 5010 with E clear, then closed', async () => {
    const { connect, listener } = await serve();
    const peer = await connect();
    const cea = await peer.exchange(cer({ application: avp(258, 16777251) }));
    expectCEA(cea, 5010);
    expect(cea.flags & E).toBe(0);
    expect(await peer.next()).toBeUndefined();
    const none = await (await connect()).exchange(cer({ application: undefined }));
    expectCEA(none, 5010);
    expect(listener.statistics()).toMatchObject({ peersRefused: 2, peersOpened: 0 });
  });

  test('B-086 a relay has everything in common', async () => {
    const { connect, seen } = await serve();
    const peer = await connect();
    expectCEA(await peer.exchange(cer({ application: avp(258, 0xffffffff) })), 2001);
    expect(resultCode(await peer.exchange(ccr()))).toBe(2001);
    expect(seen.opened[0]!.peer!.applications).toEqual([0xffffffff]);
  });

  test('B-087 all applications of the peer are remembered', async () => {
    const { open, seen } = await serve();
    const application = Buffer.concat([
      avp(258, 4),
      avp(259, 3),
      group(260, [avp(266, 10415), avp(258, 16777238)]),
    ]);
    await open(cer({ application }));
    expect(seen.opened[0]!.peer!.applications).toEqual([4, 3, 16777238]);
  });

  test('B-089 only in-band TLS: 5017, then closed; with none among them: accepted', async () => {
    const { connect } = await serve();
    const peer = await connect();
    expectCEA(await peer.exchange(cer({ security: avp(299, 1) })), 5017);
    expect(await peer.next()).toBeUndefined();
    const both = Buffer.concat([avp(299, 0), avp(299, 1)]);
    expectCEA(await (await connect()).exchange(cer({ security: both })), 2001);
  });

  test('B-090 Inband-Security-Id is accepted in a CER', async () => {
    const { connect } = await serve();
    expectCEA(await (await connect()).exchange(cer({ security: avp(299, 0) })), 2001);
  });

  test('B-091 Vendor-Specific-Application-Id without an application: 5005, with two: 5009', async () => {
    const { connect } = await serve();
    const none = group(260, [avp(266, 10415)]);
    const missing = await (await connect()).exchange(cer({ group: none }));
    expectCEA(missing, 5005);
    const examples = parseAVPs(only(parseAVPs(only(missing, 279)), 260));
    expect(examples.map(({ code }) => code)).toEqual([258, 259]);
    const both = group(260, [avp(266, 10415), avp(258, 4), avp(259, 3)]);
    const many = await (await connect()).exchange(cer({ group: both }));
    expectCEA(many, 5009);
    const received = parseAVPs(only(parseAVPs(only(many, 279)), 260));
    expect(received.map(({ code, data }) => [code, data.readUInt32BE()])).toEqual([
      [258, 4],
      [259, 3],
    ]);
  });

  test('B-092 Vendor-Id 0 says nothing; we name 3GPP once as supported', async () => {
    const { connect } = await serve();
    const cea = await (await connect()).exchange(cer({ vendorId: avp(266, 0) }));
    expectCEA(cea, 2001);
    expect(all(cea, 265)).toHaveLength(1);
  });

  test('B-093 a CER is answered here and never given to the application', async () => {
    const { open, listener } = await serve();
    await open();
    expect(listener.statistics().requests).toBe(0);
  });

  test('B-097 Host-IP-Address need not be where the connection comes from', async () => {
    const { connect } = await serve();
    const hostIPAddress = avp(257, Buffer.from('0001cb007101', 'hex'));
    expectCEA(await (await connect()).exchange(cer({ hostIPAddress })), 2001);
  });

  test('B-096 a second CER on an open connection gets 5012 and changes nothing', async () => {
    const { open, listener } = await serve();
    const peer = await open();
    expect(resultCode(await peer.exchange(cer()))).toBe(5012);
    expect(resultCode(await peer.exchange(ccr()))).toBe(2001);
    expect(listener.statistics()).toMatchObject({ peersOpened: 1, states: { open: 1 } });
  });

  test('B-054 Product-Name with M is accepted', async () => {
    const { connect } = await serve();
    expectCEA(await (await connect()).exchange(cer({ productName: avp(269, 'x') })), 2001);
  });

  test('B-007 a CER with the P flag is accepted', async () => {
    const { connect } = await serve();
    const cea = await (await connect()).exchange(cer({}, { flags: R | P }));
    expectCEA(cea, 2001);
    expect(cea.flags).toBe(P);
  });

  test('B-035 the order of AVPs in a CER is free', async () => {
    const { connect } = await serve();
    const { originHost, ...others } = cerParts();
    const reversed = cer({ originHost: undefined, ...others, last: originHost });
    expectCEA(await (await connect()).exchange(reversed), 2001);
  });
});

describe('who may connect', () => {
  const policy = {
    peers: [{ host: 'PGW1.visited.example', options: { tag: 'known' } }],
    realms: [{ realm: 'friends.example', options: { tag: 'friend' } }],
  };

  test('B-088 an unknown peer gets 3010 with E set, and is closed', async () => {
    const { connect, listener } = await serve({ policy });
    const peer = await connect();
    const cea = await peer.exchange(cer({ originHost: avp(264, 'stranger.visited.example') }));
    expectCEA(cea, 3010);
    expect(cea.flags & E).toBe(E);
    expect(await peer.next()).toBeUndefined();
    expect(listener.statistics().peersRefused).toBe(1);
  });

  test('B-088 B-066 known peers and realms are recognised in any case', async () => {
    const { open, seen } = await serve({ policy });
    await open(cer());
    const fromRealm = {
      originHost: avp(264, 'x.friends.example'),
      originRealm: avp(296, 'FRIENDS.example'),
    };
    await open(cer(fromRealm));
    expect(seen.opened.map(({ peer }) => peer!.options.tag)).toEqual(['known', 'friend']);
  });

  test('B-094 several connections of one peer are normal', async () => {
    const { open, listener } = await serve();
    const peers = [await open(), await open(), await open()];
    for (const peer of peers) expect(resultCode(await peer.exchange(ccr()))).toBe(2001);
    expect(listener.statistics().states).toEqual({ open: 3 });
  });

  test('B-094 a peer that may connect once: the new connection is rejected', async () => {
    const { open, connect, listener } = await serve({
      policy: { anybody: { single: true, options: { tag: 'once' } } },
    });
    const first = await open();
    const second = await connect();
    second.send(cer());
    // The open one is asked whether it lives.
    expect((await first.receive()).command).toBe(280);
    expect(await second.next()).toBeUndefined();
    expect(resultCode(await first.exchange(ccr()))).toBe(2001);
    expect(listener.statistics().states.open).toBe(1);
  });
});
