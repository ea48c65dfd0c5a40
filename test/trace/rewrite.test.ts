/** What is changed in a request before it is sent again. */
import { describe, expect, test } from 'vitest';
import { avps } from '../../src/diameter/dictionary.ts';
import { IdentityMap, subscriberList, subscriberRange } from '../../src/trace/identities.ts';
import { rewrite } from '../../src/trace/rewrite.ts';
import { avp, message } from './toy-server.ts';

const header = { command: 272, flags: 0xd0, application: 4, hopByHop: 0x11223344 };
const vendor = 10415;

interface Varied {
  session: string;
  host: string;
  realm: string;
  toHost: string;
  toRealm: string;
  at: number;
  number: number;
  msisdn: string;
  imsi: string;
  sip: string;
  userName: string;
  endToEnd: number;
}

const ntp = 2_208_988_800;

/** A request in which only what `Varied` names differs; around it stand AVPs that nobody knows. */
function request(with_: Varied): Buffer {
  const time = (code: number) => avp(code, (with_.at + ntp) >>> 0, vendor);
  return message({ ...header, endToEnd: with_.endToEnd }, [
    avp(263, with_.session),
    avp(99_999, 'unknown, of odd length', 4711),
    avp(264, with_.host),
    avp(296, with_.realm),
    avp(293, with_.toHost),
    avp(283, with_.toRealm),
    avp(416, 2),
    avp(415, with_.number),
    avp(55, (with_.at + ntp) >>> 0),
    avp(443, Buffer.concat([avp(450, 0), avp(444, with_.msisdn), avp(77_777, 'kept')])),
    avp(443, Buffer.concat([avp(444, with_.imsi), avp(450, 1)])),
    avp(1, with_.userName),
    avp(284, Buffer.concat([avp(280, 'proxy'), avp(33, 'state'), avp(55, 12345)])),
    avp(456, Buffer.concat([avp(432, 1), avp(446, Buffer.concat([avp(421, 5), time(1258)]))])),
    avp(
      873,
      Buffer.concat([
        avp(443, Buffer.concat([avp(450, 2), avp(444, with_.sip)])),
        avp(874, Buffer.concat([avp(2040, 7, vendor), time(2041), avp(30, 'internet')]), vendor),
      ]),
      vendor,
    ),
  ]);
}

const original: Varied = {
  session: 'gw;1;2',
  host: 'gw.example',
  realm: 'example',
  toHost: 'old.ocs',
  toRealm: 'old',
  at: 1_600_000_000,
  number: 7,
  msisdn: '4915112345678',
  imsi: '262011234567890',
  sip: 'sip:+4915112345678@ims.example',
  userName: '262011234567890@nai.example',
  endToEnd: 1,
};

describe('rewriting', () => {
  test('the AVPs that the test takes for times are times in the dictionary', () => {
    const times = [avps['Event-Timestamp'], avps['Event-Charging-TimeStamp'], avps['Start-Time']];
    expect(times.map(({ code, format }) => [code, format])).toEqual([
      [55, 'Time'],
      [1258, 'Time'],
      [2041, 'Time'],
    ]);
  });

  test('without changes not a byte changes', () => {
    expect(rewrite(request(original), {})).toEqual(request(original));
  });

  test('exactly the named AVPs change, at any depth; Proxy-Info and unknown AVPs do not', () => {
    const wanted: Varied = {
      session: 'gw;1;2;run.0',
      host: 'a.much.longer.name.of.a.gateway',
      realm: 'r',
      toHost: 'ocs.example',
      toRealm: 'ocs',
      at: 1_600_000_000 + 500_000_123,
      number: 4_294_967_295,
      msisdn: '491700000001',
      imsi: '000491700000001',
      sip: 'sip:+491700000001@ims.example',
      userName: '000491700000001@nai.example',
      endToEnd: 0xfedcba98,
    };
    const before = request(original);
    const identity = new IdentityMap(subscriberRange('491700000001+1')!).replacements(before);
    const after = rewrite(before, {
      sessionId: (session) => `${session};run.0`,
      shiftSeconds: 500_000_123,
      originHost: wanted.host,
      originRealm: wanted.realm,
      destinationHost: wanted.toHost,
      destinationRealm: wanted.toRealm,
      requestNumber: wanted.number,
      endToEnd: wanted.endToEnd,
      identity,
    });
    expect(after.toString('hex')).toBe(request(wanted).toString('hex'));
    expect(before).toEqual(request(original));
  });

  test('each change alone touches nothing else', () => {
    const cases: [Parameters<typeof rewrite>[1], Partial<Varied>][] = [
      [{ sessionId: () => 'x' }, { session: 'x' }],
      [{ shiftSeconds: -60 }, { at: original.at - 60 }],
      [{ originHost: 'h' }, { host: 'h' }],
      [{ originRealm: 'h' }, { realm: 'h' }],
      [{ destinationHost: 'h' }, { toHost: 'h' }],
      [{ destinationRealm: 'h' }, { toRealm: 'h' }],
      [{ requestNumber: 0 }, { number: 0 }],
      [{ endToEnd: 9 }, { endToEnd: 9 }],
    ];
    for (const [changes, expected] of cases) {
      expect(rewrite(request(original), changes)).toEqual(request({ ...original, ...expected }));
    }
  });

  test('times wrap as NTP does', () => {
    const shifted = rewrite(request(original), { shiftSeconds: 2 ** 31 });
    expect(shifted).toEqual(request({ ...original, at: original.at + 2 ** 31 }));
  });

  test('what contradicts itself is passed on as it is', () => {
    const broken = request(original);
    broken.writeUIntBE(0xffff, 25, 3);
    const after = rewrite(broken, { sessionId: () => 'x', shiftSeconds: 5, endToEnd: 3 });
    const expected = Buffer.from(broken);
    expected.writeUInt32BE(3, 16);
    expect(after).toEqual(expected);

    const inGroup = request(original);
    const type = inGroup.indexOf(avp(450, 2));
    inGroup.writeUIntBE(0xffff, type + 5, 3);
    const kept = rewrite(inGroup, { identity: ({ value }) => `${value}!` });
    expect(kept.includes('sip:+4915112345678@ims.example')).toBe(true);
    expect(kept.includes('4915112345678!')).toBe(true);
  });
});

describe('subscribers', () => {
  const identified = (...ids: [number, string][]) =>
    message(
      { ...header, endToEnd: 0 },
      ids.map(([type, id]) => avp(443, Buffer.concat([avp(450, type), avp(444, id)]))),
    );

  test('ranges', () => {
    const range = subscriberRange('0491700000008-0491700000011')!;
    expect(range.length).toBe(4);
    expect([0, 3].map((index) => range.at(index))).toEqual([
      { e164: '0491700000008' },
      { e164: '0491700000011' },
    ]);
    expect(subscriberRange('491700000001+20')!.length).toBe(20);
    const wrong = ['', '1', '5-4', '1+0', 'a-b', '1+99999999', '999999999999999+2', '1-2-3'];
    expect(wrong.map(subscriberRange)).toEqual(wrong.map(() => undefined));
  });

  test('lists', () => {
    const content = '# who\n491700000001, imsi:262010000000001\n\nnai:a@b.example # third\n';
    const { subscribers, problems } = subscriberList(content);
    expect(problems).toEqual([]);
    expect([0, 1].map((index) => subscribers.at(index))).toEqual([
      { e164: '491700000001', imsi: '262010000000001' },
      { nai: 'a@b.example' },
    ]);
    expect(subscriberList('ok:1\nwhat').problems).toEqual([
      'line 1: ok:1 is neither a number nor kind:value',
      'line 2: what is neither a number nor kind:value',
    ]);
  });

  test('identities seen together are one subscriber, from then on by each of them', () => {
    const map = new IdentityMap(subscriberRange('100-199')!);
    const both = map.replacements(identified([0, '49151'], [1, '26201']));
    expect(both({ kind: 'e164', value: '49151' })).toBe('100');
    expect(both({ kind: 'imsi', value: '26201' })).toBe('000000000000100');
    expect(map.replacements(identified([0, '49152']))({ kind: 'e164', value: '49152' })).toBe(
      '101',
    );
    expect(map.replacements(identified([1, '26201']))({ kind: 'imsi', value: '26201' })).toBe(
      '000000000000100',
    );
    expect(map.count).toBe(2);
  });

  test('each kind of identity stays of its kind', () => {
    const listed = subscriberList('491701 imsi:262011 sip:sip:a@b nai:n@r private:p').subscribers;
    const all = new IdentityMap(listed).replacements(identified([0, '1']));
    const computed = new IdentityMap(subscriberRange('491701+1')!).replacements(
      identified([0, '1']),
    );
    const cases: [Parameters<typeof all>[0], string, string][] = [
      [{ kind: 'e164', value: '1' }, '491701', '491701'],
      [{ kind: 'imsi', value: '1' }, '262011', '000000000491701'],
      [{ kind: 'sip', value: 'sip:+1@x' }, 'sip:a@b', 'sip:+491701@x'],
      [{ kind: 'sip', value: 'tel:+1' }, 'sip:a@b', 'tel:+491701'],
      [{ kind: 'nai', value: 'u@x' }, 'n@r', '000000000491701@x'],
      [{ kind: 'private', value: 'u' }, 'p', '491701'],
      [{ kind: 'user-name', value: 'u@x' }, 'n@r', '000000000491701@x'],
      [{ kind: 'user-name', value: '262010000000001' }, '262011', '000000000491701'],
      [{ kind: 'user-name', value: 'somebody' }, '491701', '491701'],
    ];
    for (const [identity, fromList, fromRange] of cases) {
      expect([all(identity), computed(identity)]).toEqual([fromList, fromRange]);
    }
  });
});
