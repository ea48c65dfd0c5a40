/**
 * Answers octet for octet, as RFC 8506 8 and TS 32.299 7.2 lay them out. What is expected is
 * written from the specifications' codes, flags and formats; the encoder has no part in it.
 */
import { describe, expect, test } from 'vitest';
import type { Answer, ServiceAnswer } from '../../src/charging/answer.ts';
import type { Final } from '../../src/charging/plan.ts';
import { avp, group, hex, M, u32, u64 } from '../diameter/bytes.ts';
import {
  type Asked,
  answerOctets,
  ccaOf,
  EVENT,
  entry,
  INITIAL,
  serviceAnswer,
} from './answering.ts';
import { avp3, group3, mscc } from './asking.ts';

/** CC-Session-Failover FAILOVER_SUPPORTED, in every answer that succeeds. */
const failover = avp(418, 1);
const octets = (total: bigint) => group(431, [avp(421, u64(total))]);
const money = (digits: bigint, exponent: number, code: number) => [
  group(445, [avp(447, u64(BigInt.asUintN(64, digits))), avp(429, u32(exponent))]),
  avp(425, code),
];
const RATING_GROUP = avp(432, 1);
const SUCCESS = avp(268, 2001);
/** Seconds since 1900 of 2025-11-21 12:25:00 UTC (RFC 6733 4.3.1). */
const SWITCH = { at: 1_763_727_900_000, octets: u32(3_972_716_700) };

/** An update whose answer has one service, and what it is expected to be. */
function expectService(part: Partial<ServiceAnswer>, members: Buffer[], asked: Asked = {}) {
  expect(answerOctets({ services: [serviceAnswer(part)] }, asked)).toEqual(
    ccaOf(2001, [failover, entry(...members)]),
  );
}
const granted = { unit: 'octets', units: 10_000_000 } as const;
const GRANTED = octets(10_000_000n);

test('C-003 C-094 C-102 a whole answer, in hexadecimal', () => {
  expect(answerOctets({ services: [serviceAnswer({ granted, validitySeconds: 3600 })] })).toEqual(
    hex(`
      010000d0 40000110 00000004 11111111 22222222
      00000107 40000016 67772e65 78616d70 6c653b31 3b320000
      0000010c 4000000c 000007d1
      00000108 40000013 6f63732e 6578616d 706c6500
      00000128 4000000f 6578616d 706c6500
      00000102 4000000c 00000004
      000001a0 4000000c 00000002
      0000019f 4000000c 00000007
      000001a2 4000000c 00000001
      000001c8 40000044
        000001af 40000018 000001a5 40000010 00000000 00989680
        000001b0 4000000c 00000001
        000001c0 4000000c 00000e10
        0000010c 4000000c 000007d1
    `),
  );
});

describe('final units', () => {
  const terminate = { action: 'terminate' } as const;

  test('C-142 TERMINATE, and nothing beside it', () => {
    const fui = group(430, [avp(449, 0)]);
    expectService({ granted, final: terminate }, [GRANTED, RATING_GROUP, SUCCESS, fui]);
    const more: Final = {
      ...terminate,
      filters: ['permit in ip from any to any'],
      filterIds: ['x'],
    };
    expectService({ granted, final: more }, [GRANTED, RATING_GROUP, SUCCESS, fui]);
  });

  test('C-143 C-150 REDIRECT, with whatever kind of server', () => {
    const redirected = (type: 0 | 1 | 2 | 3, address: string, sent = address) =>
      expectService({ granted, final: { action: 'redirect', redirect: { type, address } } }, [
        ...[GRANTED, RATING_GROUP, SUCCESS],
        group(430, [avp(449, 1), group(434, [avp(433, type), avp(435, sent)])]),
      ]);
    redirected(0, '192.0.2.1');
    redirected(1, '2001:0DB8:0:0:0:0:0:1', '2001:db8::1');
    redirected(2, 'http://topup.example/');
    redirected(3, 'sip:topup@example.com');
  });

  test('C-143 C-146 filters and names of filters', () => {
    const final: Final = {
      action: 'restrict',
      filters: ['permit in ip from any to 192.0.2.0/24', 'permit out ip from 192.0.2.0/24 to any'],
      filterIds: ['topup'],
    };
    expectService({ granted, final }, [
      ...[GRANTED, RATING_GROUP, SUCCESS],
      group(430, [
        avp(449, 2),
        avp(438, 'permit in ip from any to 192.0.2.0/24'),
        avp(438, 'permit out ip from 192.0.2.0/24 to any'),
        avp(11, 'topup'),
      ]),
    ]);
  });

  test('C-147 without any units, at once', () => {
    const final: Final = { action: 'redirect', redirect: { type: 2, address: 'http://x/' } };
    expectService({ final, validitySeconds: 60 }, [
      ...[RATING_GROUP, avp(448, 60), SUCCESS],
      group(430, [avp(449, 1), group(434, [avp(433, 2), avp(435, 'http://x/')])]),
    ]);
  });

  describe('C-151 C-154 for a client of RFC 8506 also with their quality, never mandatory', () => {
    const rfc8506 = { finalUnits: 'rfc8506' } as const;
    const may = { flags: 0 };
    const base = [GRANTED, RATING_GROUP, SUCCESS];

    test('TERMINATE', () => {
      expectService(
        { granted, final: terminate },
        [...base, group(430, [avp(449, 0)]), group(669, [avp(449, 0)], may)],
        rfc8506,
      );
    });

    test('C-152 REDIRECT has exactly one member in Redirect-Server-Extension', () => {
      const redirected = (type: 0 | 1 | 2 | 3, address: string, member: Buffer) =>
        expectService(
          { granted, final: { action: 'redirect', redirect: { type, address } } },
          [
            ...base,
            group(430, [avp(449, 1), group(434, [avp(433, type), avp(435, address)])]),
            group(669, [avp(449, 1), group(665, [member], may)], may),
          ],
          rfc8506,
        );
      redirected(0, '192.0.2.1', avp(666, hex('0001 c0000201'), may));
      redirected(1, '2001:db8::1', avp(666, hex('0002 20010db8000000000000000000000001'), may));
      redirected(2, 'http://topup.example/', avp(667, 'http://topup.example/', may));
      redirected(3, 'sip:topup@example.com', avp(668, 'sip:topup@example.com', may));
    });

    test('RESTRICT_ACCESS with rules of RFC 5777', () => {
      const filters = [
        'permit in 6 from assigned to !192.0.2.0/24 80,8000-8080',
        'deny out ip from any to any',
      ];
      expectService(
        { granted, final: { action: 'restrict', filters, filterIds: ['topup'] } },
        [
          ...base,
          group(430, [avp(449, 2), ...filters.map((rule) => avp(438, rule)), avp(11, 'topup')]),
          group(
            669,
            [
              avp(449, 2),
              group(
                509,
                [
                  avp(510, 1, may),
                  group(
                    511,
                    [
                      avp(512, '1', may),
                      avp(513, 6, may),
                      avp(514, 0, may),
                      group(515, [avp(534, 1, may)], may),
                      group(
                        516,
                        [
                          group(522, [avp(518, hex('0001 c0000200'), may), avp(523, 24, may)], may),
                          avp(530, 80, may),
                          group(531, [avp(532, 8000, may), avp(533, 8080, may)], may),
                          avp(517, 1, may),
                        ],
                        may,
                      ),
                    ],
                    may,
                  ),
                  avp(572, 3, may),
                ],
                may,
              ),
              group(
                509,
                [
                  avp(510, 2, may),
                  group(511, [avp(512, '2', may), avp(514, 1, may)], may),
                  avp(572, 0, may),
                ],
                may,
              ),
              avp(11, 'topup'),
            ],
            may,
          ),
        ],
        rfc8506,
      );
    });

    test('a rule that cannot be said so, or no address: the old indication alone', () => {
      const rule = 'permit in tcp from any to any frag';
      expectService(
        { granted, final: { action: 'restrict', filters: [rule] } },
        [...base, group(430, [avp(449, 2), avp(438, rule)])],
        rfc8506,
      );
      expectService(
        { granted, final: { action: 'redirect', redirect: { type: 0, address: 'nowhere' } } },
        [...base, group(430, [avp(449, 1), group(434, [avp(433, 0), avp(435, 'nowhere')])])],
        rfc8506,
      );
    });
  });
});

describe('a tariff change', () => {
  test('C-121 C-126 one quota for both tariffs', () => {
    expectService({ granted, tariffChange: { at: SWITCH.at } }, [
      group(431, [avp(451, SWITCH.octets), avp(421, u64(10_000_000n))]),
      ...[RATING_GROUP, SUCCESS],
    ]);
  });

  test('C-122 C-124 C-127 a quota for each, in entries of their own, both in the pool', () => {
    const change = avp(451, SWITCH.octets);
    const pool = group(457, [
      avp(453, 3),
      avp(454, 2),
      group(445, [avp(447, u64(10n)), avp(429, u32(-6))]),
    ]);
    const part = {
      ...{ granted, serviceIds: [7], tariffChange: { at: SWITCH.at, after: 4_000_000 } },
      validitySeconds: 60,
      pool: { id: 3, digits: 10, exponent: -6, after: { digits: 25, exponent: 0 } },
    };
    const later = group(457, [avp(453, 3), avp(454, 2), group(445, [avp(447, u64(25n))])]);
    const keyed = (usage: number) => [
      ...[avp(452, usage), avp(439, 7), RATING_GROUP],
      ...[usage === 0 ? pool : later, avp(448, 60), SUCCESS],
    ];
    expect(answerOctets({ services: [serviceAnswer(part)] })).toEqual(
      ccaOf(2001, [
        failover,
        entry(group(431, [change, avp(421, u64(10_000_000n))]), ...keyed(0)),
        entry(group(431, [change, avp(421, u64(4_000_000n))]), ...keyed(1)),
      ]),
    );
  });
});

describe('C-160 C-161 C-165 pools', () => {
  test.each([
    ['seconds', 0, avp(420, 5)],
    ['octets', 2, avp(421, u64(5n))],
    ['units', 5, avp(417, u64(5n))],
  ] as const)('of %s', (unit, type, units) => {
    expectService({ granted: { unit, units: 5 }, pool: { id: 9, digits: 1, exponent: 0 } }, [
      ...[group(431, [units]), RATING_GROUP],
      ...[group(457, [avp(453, 9), avp(454, type), group(445, [avp(447, u64(1n))])]), SUCCESS],
    ]);
  });

  test('of money, told in whole units of its currency: the multiplier is a hundredfold', () => {
    expectService(
      {
        granted: { unit: 'money', units: 250 },
        pool: { id: 9, digits: 2 ** 53 - 1, exponent: -9 },
      },
      [
        ...[group(431, [group(413, money(250n, -2, 978))]), RATING_GROUP],
        group(457, [
          ...[avp(453, 9), avp(454, 1)],
          group(445, [avp(447, u64(9_007_199_254_740_991n)), avp(429, u32(-7))]),
        ]),
        SUCCESS,
      ],
    );
  });

  test('only beside a grant', () => {
    expectService({ pool: { id: 9, digits: 1, exponent: 0 } }, [RATING_GROUP, SUCCESS]);
  });
});

describe('how quota is used', () => {
  const base = [GRANTED, RATING_GROUP, SUCCESS];

  test('G-040 a threshold of each unit', () => {
    const told = (unit: 'octets' | 'seconds' | 'units', units: Buffer, threshold: Buffer) =>
      expectService({ granted: { unit, units: 100 }, directives: { threshold: 20 } }, [
        ...[group(431, [units]), RATING_GROUP, SUCCESS, threshold],
      ]);
    told('seconds', avp(420, 100), avp3(868, 20));
    told('octets', avp(421, u64(100n)), avp3(869, 20));
    told('units', avp(417, u64(100n)), avp3(1226, 20));
  });

  test('G-041 a threshold has 32 bits', () => {
    const large = { unit: 'octets', units: 2 ** 40 } as const;
    expectService({ granted: large, directives: { threshold: 2 ** 33 } }, [
      ...[octets(2n ** 40n), RATING_GROUP, SUCCESS, avp3(869, 0xffffffff)],
    ]);
  });

  test('G-040 none that the grant does not reach, without a grant, or for money', () => {
    expectService({ granted, directives: { threshold: granted.units } }, base);
    expectService({ directives: { threshold: 1 } }, [RATING_GROUP, SUCCESS]);
    expectService({ granted: { unit: 'money', units: 250 }, directives: { threshold: 1 } }, [
      ...[group(431, [group(413, money(250n, -2, 978))]), RATING_GROUP, SUCCESS],
    ]);
  });

  test('G-043 Quota-Holding-Time, and 0 to switch it off', () => {
    expectService({ granted, holdingSeconds: 300 }, [...base, avp3(871, 300)]);
    expectService({ granted, holdingSeconds: 0 }, [...base, avp3(871, 0)]);
  });

  test('G-045 G-046 for seconds only, the mechanism in place of the consumption time', () => {
    const seconds = { unit: 'seconds', units: 60 } as const;
    const timed = [group(431, [avp(420, 60)]), RATING_GROUP, SUCCESS];
    const directives = { consumptionSeconds: 10 };
    const timeMechanism = { type: 'continuous', intervalSeconds: 30 } as const;
    expectService({ granted: seconds, directives }, [...timed, avp3(881, 10)]);
    expectService({ granted: seconds, directives: { ...directives, timeMechanism } }, [
      ...timed,
      group3(1270, avp3(1271, 1), avp3(1265, 30)),
    ]);
    expectService({ granted, directives: { ...directives, timeMechanism } }, base);
  });

  test('G-047 envelopes are asked for in the first answer', () => {
    const services = [serviceAnswer({ granted, directives: { envelopes: 2 } })];
    expect(answerOctets({ services }, { replace: INITIAL })).toEqual(
      ccaOf(2001, [failover, entry(...base, avp3(1268, 2))], 1, 0),
    );
    expectService({ granted, directives: { envelopes: 2 } }, base);
  });

  test('G-060 triggers, and an empty group for none', () => {
    expectService({ granted, directives: { triggers: [2, 30] } }, [
      ...base,
      group3(1264, avp3(870, 2), avp3(870, 30)),
    ]);
    expectService({ granted, directives: { triggers: [] } }, [
      ...base,
      hex('000004f0 c000000c 000028af'),
    ]);
  });

  test('G-063 a general trigger stands without the particular ones that it covers', () => {
    const told = (triggers: number[], sent: number[]) =>
      expectService({ granted, directives: { triggers } }, [
        ...base,
        group3(1264, ...sent.map((type) => avp3(870, type))),
      ]);
    told([10, 2, 23, 24], [2, 24]);
    told([30, 36, 3, 37], [3, 37]);
    told([50, 51, 52], [50, 52]);
    told([10, 23, 30, 36, 51], [10, 23, 30, 36, 51]);
  });

  test('C-072 units of other kinds beside, each kind once', () => {
    expectService({ granted, beside: { seconds: 3600, units: 2, octets: 5 } }, [
      group(431, [avp(420, 3600), avp(421, u64(10_000_000n)), avp(417, u64(2n))]),
      ...[RATING_GROUP, SUCCESS],
    ]);
    expectService({ beside: { seconds: 3600 } }, [RATING_GROUP, SUCCESS]);
  });
});

describe('the account', () => {
  const told = (answer: Partial<Answer>, middle: Buffer[], asked: Asked = {}) =>
    expect(answerOctets(answer, asked)).toEqual(ccaOf(2001, [failover, ...middle]));

  test('C-171 G-123 cost, balance and whether it is low', () => {
    told({ cost: 1234, remaining: -250, lowBalance: true }, [
      group(423, money(1234n, -2, 978)),
      avp3(2020, 1),
      group3(2021, ...money(-250n, -2, 978)),
    ]);
    told({ cost: 0, lowBalance: false }, [group(423, money(0n, -2, 978)), avp3(2020, 0)]);
  });

  test('money of a currency without decimals, and with four', () => {
    told({ cost: 7 }, [group(423, [group(445, [avp(447, u64(7n))]), avp(425, 392)])], {
      currency: { code: 392, digits: 0 },
    });
    told({ remaining: -(2 ** 53) + 1 }, [group3(2021, ...money(1n - 2n ** 53n, -4, 756))], {
      currency: { code: 756, digits: 4 },
    });
  });

  test('C-190 C-193 what the client does when nobody answers', () => {
    for (const [at, failureHandling] of (
      ['terminate', 'continue', 'retry-and-terminate'] as const
    ).entries())
      told({ failureHandling }, [avp(427, at)]);
    told({ debitFailureHandling: 'terminate-or-buffer' }, [avp(428, 0)]);
    told({ debitFailureHandling: 'continue' }, [avp(428, 1)]);
  });

  test('C-101 a refusal at command level says what the account has, and grants nothing', () => {
    const services = [serviceAnswer({ granted })];
    expect(answerOctets({ outcome: 'credit-limit-reached', services, remaining: 0 })).toEqual(
      ccaOf(4012, [group3(2021, ...money(0n, -2, 978))]),
    );
    expect(answerOctets({ outcome: 'uncontrolled', services })).toEqual(ccaOf(4011, []));
  });
});

describe('results of events', () => {
  const once = (answer: Partial<Answer>, middle: Buffer[], more: Buffer[]) =>
    expect(answerOctets(answer, { replace: EVENT, more: [avp(436, 0), ...more] })).toEqual(
      ccaOf(2001, [failover, ...middle], 4, 0),
    );
  const command = { level: 'command' } as const;
  const units = { unit: 'units', units: 3 } as const;
  const blob = Buffer.from('blob');

  test('C-183 C-186 the debited units, at the level that was asked', () => {
    const debited = group(431, [avp(417, u64(3n))]);
    const rsu = group(437, [avp(417, u64(3n))]);
    once({ ...command, services: [serviceAnswer({ granted: units })] }, [debited], [rsu]);
    once(
      { services: [serviceAnswer({ granted: units })], cost: 30 },
      [entry(debited, RATING_GROUP, SUCCESS), group(423, money(30n, -2, 978))],
      [mscc(RATING_GROUP, rsu)],
    );
  });

  test('G-005 G-026 none at command level for messages that the server counted', () => {
    once({ ...command, services: [serviceAnswer({ granted: units })] }, [], []);
  });

  test('C-182 G-005 whether there is credit', () => {
    once({ ...command, enough: true }, [avp(422, 0)], []);
    once({ ...command, enough: false }, [avp(422, 1)], []);
    once({ enough: false }, [avp(422, 1)], []);
    once(
      { enough: false, services: [serviceAnswer({})] },
      [entry(RATING_GROUP, SUCCESS, avp(422, 1))],
      [mscc(RATING_GROUP)],
    );
  });

  test('G-048 what hands the debit back', () => {
    once({ ...command, refundInformation: blob }, [avp3(2022, blob)], []);
    once(
      { services: [serviceAnswer({})], refundInformation: blob },
      [entry(RATING_GROUP, SUCCESS, avp3(2022, blob))],
      [mscc(RATING_GROUP)],
    );
  });
});

describe('C-111 what could not be rated', () => {
  const failed = (...members: Buffer[]) => group(279, members);
  const foreign = group(413, money(5n, 0, 840));
  const rsu = group(437, [foreign]);

  test('C-170 money of another currency, at either level', () => {
    const services = [serviceAnswer({ outcome: 'rating-failed' })];
    expect(answerOctets({ services }, { more: [mscc(RATING_GROUP, rsu)] })).toEqual(
      ccaOf(2001, [failover, entry(RATING_GROUP, avp(268, 5031)), failed(foreign)]),
    );
    expect(answerOctets({ outcome: 'rating-failed' }, { more: [rsu] })).toEqual(
      ccaOf(5031, [failed(foreign)]),
    );
  });

  test('a service whose money is the tenant’s is named by its key', () => {
    const own = group(437, [group(413, money(5n, 0, 978))]);
    const services = [serviceAnswer({ outcome: 'rating-failed' })];
    expect(
      answerOctets({ services }, { more: [mscc(RATING_GROUP, own), mscc(avp(432, 2), rsu)] }),
    ).toEqual(ccaOf(2001, [failover, entry(RATING_GROUP, avp(268, 5031)), failed(RATING_GROUP)]));
  });
});

test('C-100 G-005 nothing of a service is said at both levels', () => {
  const final: Final = { action: 'terminate' };
  const part = { granted, final, validitySeconds: 60, holdingSeconds: 5 };
  const directives = { threshold: 5, triggers: [2] };
  const inServices = answerOctets({ services: [serviceAnswer({ ...part, directives })] });
  const atCommand = answerOctets(
    { level: 'command', services: [serviceAnswer({ ...part, directives })] },
    { more: [group(437, [])] },
  );
  expect(atCommand).toEqual(
    ccaOf(2001, [failover, GRANTED, group(430, [avp(449, 0)]), avp(448, 60)]),
  );
  for (const code of [431, 448, 430]) {
    const header = Buffer.concat([u32(code), Buffer.of(M)]);
    expect(inServices.indexOf(header)).toBe(inServices.lastIndexOf(header));
  }
});
