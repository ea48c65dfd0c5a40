/**
 * What real clients were seen to ask, octet by octet, from its first octet to the ledger: every
 * client must be charged right although none of them goes by the book.
 */
import { describe, expect, test } from 'vitest';
import { planOf, ruleOf } from '../charging/till.ts';
import {
  all,
  avp,
  CCR,
  group,
  message,
  only,
  P,
  type Parsed,
  parseAVPs,
  R,
  resultCode,
  T,
  u32,
} from '../peer/raw.ts';
import { checkBooks } from './books.ts';
import { Gate } from './gate.ts';
import { Rig } from './rig.ts';

const SIP = 'sip:alice@ims.example';
const octets = (value: number) => Buffer.concat([u32(0), u32(value)]);
const vendor = 10415;

async function rigOf(...rules: Parameters<typeof ruleOf>[0][]): Promise<{ rig: Rig; gate: Gate }> {
  const rig = new Rig(planOf(rules.map((rule, i) => ruleOf({ name: `r${i}`, ...rule }))));
  await rig.account(
    'anna',
    { main: 1000 },
    { subscribers: ['e164:49170', `sip:${SIP}`, 'imsi:90170'] },
  );
  return { rig, gate: new Gate(rig) };
}

const services = (answer: Parsed) => all(answer, 456).map((data) => parseAVPs(data));

/** The parts of a CCR that every client sends. */
function request(
  of: { type: number; number: number; session?: string; context?: string },
  more: readonly Buffer[] = [],
): Buffer[] {
  return [
    avp(263, of.session ?? 'client.example;1;2'),
    avp(264, 'client.example'),
    avp(296, 'example'),
    avp(283, 'example'),
    avp(258, 4),
    avp(461, of.context ?? '32251@3gpp.org'),
    avp(416, of.type),
    avp(415, of.number),
    ...more,
  ];
}

describe('Kamailio', () => {
  const seconds = ruleOf({ unit: 'seconds', quota: { size: 30, minimum: 1, maximum: 60 } });

  /** Origin twice, the application in a group only, accounting AVPs, the subscriber in two places. */
  function ccr(type: number, number: number, more: readonly Buffer[] = []): Buffer {
    const subscription = group(443, [avp(450, 2), avp(444, SIP)]);
    return message({ command: CCR, application: 4, flags: R | P }, [
      avp(263, 'scscf.ims.example;1664283891;27'),
      avp(264, 'scscf.ims.example'),
      avp(296, 'ims.example'),
      avp(283, 'charging.example'),
      avp(480, 2),
      avp(485, number),
      avp(461, 'ext.02.001.8.32260@3gpp.org'),
      avp(416, type),
      avp(415, number),
      avp(55, 0xe6d8a5c0, { flags: 0 }),
      subscription,
      group(873, [subscription], vendor),
      avp(455, 1),
      ...more,
      avp(264, 'scscf.ims.example'),
      avp(296, 'ims.example'),
      group(260, [avp(266, vendor), avp(258, 4)]),
    ]);
  }

  const service = (...members: Buffer[]) => group(456, [...members, avp(439, 1000), avp(432, 100)]);
  const asks = (time: number) => group(437, [avp(420, time)]);
  const used = (time: number) => group(446, [avp(420, time)]);

  test('is granted seconds, and a second more than granted is debited', async () => {
    const { rig, gate } = await rigOf(seconds);
    const answer = await gate.frame(ccr(1, 0, [service(asks(30))]));
    expect(resultCode(answer)).toBe(2001);
    const [granted] = services(answer);
    expect(only(parseAVPs(only(granted!, 431)), 420)).toEqual(u32(30));
    expect([only(granted!, 432), only(granted!, 439)]).toEqual([u32(100), u32(1000)]);
    expect(resultCode(await gate.frame(ccr(3, 1, [service(used(31))])))).toBe(2001);
    expect(await rig.balance()).toEqual([969, 0]);
    checkBooks(rig);
  });

  test('ends a session that it never had: answered, nothing charged', async () => {
    const { rig, gate } = await rigOf({ ...seconds, match: { context: ['other'] } });
    expect(resultCode(await gate.frame(ccr(1, 0, [service(asks(30))])))).toBe(5031);
    expect(resultCode(await gate.frame(ccr(3, 1, [service(used(0))])))).toBe(5002);
    expect(await rig.balance()).toEqual([1000, 0]);
  });
});

describe('Open5GS', () => {
  const subscribers = [
    group(443, [avp(450, 1), avp(444, '90170')]),
    group(443, [avp(450, 0), avp(444, '49170')]),
  ];
  /** Octets without their total, and a time that is none. */
  const used = (input: number, output: number) =>
    group(446, [avp(420, 0xdeadbeef), avp(412, octets(input)), avp(414, octets(output))]);

  test('two services without Rating-Group, no total, a garbage time, indicator 0', async () => {
    const { rig, gate } = await rigOf({});
    const asking = [group(456, [group(437, [])]), group(456, [group(437, [])])];
    const more = [...subscribers, avp(455, 0), avp(436, 0)];
    const first = await gate.ccr(request({ type: 1, number: 0 }, [...more, ...asking]));
    expect(resultCode(first)).toBe(2001);
    // They are one service, whose one answer has the quota of both.
    expect(services(first).map((one) => only(one, 268))).toEqual([u32(2001)]);
    expect(services(first).map((one) => only(parseAVPs(only(one, 431)), 421))).toEqual([
      octets(200),
    ]);
    expect(await rig.balance()).toEqual([800, 200]);
    const reports = [group(456, [used(10, 20)]), group(456, [used(3, 4), group(437, [])])];
    await gate.ccr(request({ type: 2, number: 1 }, [avp(455, 0), ...reports]));
    expect(await rig.balance()).toEqual([863, 100]);
    await gate.ccr(request({ type: 3, number: 2 }, [group(456, [used(1, 0)])]));
    expect(await rig.balance()).toEqual([962, 0]);
    checkBooks(rig);
  });
});

describe('Magma', () => {
  test('services before Origin-Host; Reporting-Reason in the usage, then in the service', async () => {
    const { rig, gate } = await rigOf({});
    const order = (type: number, number: number, service: Buffer) => [
      avp(263, 'magma;1;2'),
      service,
      group(443, [avp(450, 1), avp(444, '90170')]),
      avp(415, number),
      avp(416, type),
      avp(461, '32251@3gpp.org'),
      avp(258, 4),
      avp(283, 'example'),
      avp(296, 'example'),
      avp(264, 'string'),
    ];
    const reason = (value: number) => avp(872, value, { vendor });
    await gate.ccr(order(1, 0, group(456, [avp(432, 1), group(437, [])])));
    const usage = group(446, [avp(421, octets(60)), reason(3)]);
    await gate.ccr(order(2, 1, group(456, [avp(432, 1), group(437, []), usage])));
    expect(await rig.balance()).toEqual([840, 100]);
    const rest = group(456, [avp(432, 1), group(446, [avp(421, octets(5))]), reason(2)]);
    expect(resultCode(await gate.ccr(order(3, 2, rest)))).toBe(2001);
    expect(await rig.balance()).toEqual([935, 0]);
    expect(rig.records().map(({ services: of }) => of[0]?.reasons)).toEqual([
      undefined,
      undefined,
      [3],
      [2],
    ]);
  });
});

describe('Comverse’s peer', () => {
  test('money at command level, no services, a context without @, no P bit', async () => {
    const { rig, gate } = await rigOf({
      unit: 'money',
      quota: { size: 100, minimum: 1, maximum: 5000 },
    });
    const money = (digits: number, exponent: number) =>
      group(413, [group(445, [avp(447, octets(digits)), avp(429, exponent >>> 0)]), avp(425, 978)]);
    const subscriber = group(443, [avp(450, 0), avp(444, '+49170')]);
    const send = (avps: Buffer[]) =>
      gate.frame(message({ command: CCR, application: 4, flags: R }, avps));
    const of = (type: number, number: number) => ({ type, number, context: 'voice' });
    const answer = await send(request(of(1, 0), [subscriber, group(437, [money(25, -1)])]));
    expect(answer.flags & P).toBe(0);
    expect(all(answer, 456)).toEqual([]);
    const granted = parseAVPs(only(parseAVPs(only(answer, 431)), 413));
    expect(only(parseAVPs(only(granted, 445)), 447)).toEqual(octets(250));
    expect(only(parseAVPs(only(granted, 445)), 429)).toEqual(u32(-2 >>> 0));
    expect(only(granted, 425)).toEqual(u32(978));
    expect(await rig.balance()).toEqual([750, 250]);
    await send(request(of(3, 1), [group(446, [money(1999, -3)])]));
    expect(await rig.balance()).toEqual([800, 0]);
  });
});

describe('Seagull', () => {
  test('Session-Ids that are just words, numbers that jump, no P bit', async () => {
    const { rig, gate } = await rigOf({});
    const send = (type: number, number: number, more: Buffer[]) =>
      gate.frame(
        message(
          { command: CCR, application: 4, flags: R },
          request({ type, number, session: 'session 12' }, more),
        ),
      );
    const subscriber = group(443, [avp(450, 0), avp(444, '49170')]);
    const usage = (value: number) =>
      group(456, [avp(432, 1), group(446, [avp(421, octets(value))])]);
    await send(1, 0, [subscriber, group(456, [avp(432, 1), group(437, [])])]);
    const answer = await send(2, 5, [usage(30)]);
    expect(only(answer, 263).toString()).toBe('session 12');
    expect(only(answer, 415)).toEqual(u32(5));
    await send(3, 9, [usage(1)]);
    expect(await rig.balance()).toEqual([969, 0]);
  });
});

describe('a load client', () => {
  test('1.2 kB of Proxy-Info comes back octet by octet and in order, also with the T flag', async () => {
    const { rig, gate } = await rigOf({});
    const proxies = Array.from({ length: 6 }, (_, i) =>
      group(284, [avp(280, `proxy${i}.example`), avp(33, Buffer.alloc(180, i))]),
    );
    const avps = request({ type: 1, number: 0 }, [
      group(443, [avp(450, 0), avp(444, '49170')]),
      group(456, [avp(432, 1), group(437, [])]),
      ...proxies,
    ]);
    for (const flags of [R | P, R | P | T]) {
      const answer = await gate.frame(message({ command: CCR, application: 4, flags }, avps));
      const echoed = answer.avps.filter(({ code }) => code === 284).map(({ bytes }) => bytes);
      expect(Buffer.concat(echoed)).toEqual(Buffer.concat(proxies));
      expect(answer.flags).toBe(P);
    }
    expect(await rig.balance()).toEqual([900, 100]);
  });
});
