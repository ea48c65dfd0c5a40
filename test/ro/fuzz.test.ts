/**
 * No request makes its translation throw, and no answer that the core can give makes a message that
 * cannot be sent or read.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Answer, Outcome, ServiceAnswer } from '../../src/charging/answer.ts';
import { LIMIT } from '../../src/charging/money.ts';
import { decode } from '../../src/diameter/decode.ts';
import { flawOf } from '../../src/ro/flaw.ts';
import { identify } from '../../src/ro/identify.ts';
import { type SessionRequest, toEvent, toRequest } from '../../src/ro/request.ts';
import { avp, ccr, group, hex, u64 } from '../diameter/bytes.ts';
import { answerOctets } from './answering.ts';
import { avp3, euro, group3, mscc, NOW } from './asking.ts';

const address = (type: number, data: string) => [avp3(899, type), avp3(897, data)];
const usu = group(446, [
  avp(452, 1),
  group(413, [group(445, [avp(447, u64(5n)), avp(429, 1)]), avp(425, 840)]),
  avp(421, u64(7n)),
]);
const whole = ccr({
  more: [
    avp(55, 3_972_716_700),
    avp(436, 0),
    group(440, [avp(441, 1, { flags: 0 }), avp(442, 'x', { flags: 0 })], { flags: 0 }),
    group(653, [avp(654, '3520990017614823')]),
    mscc(avp(432, 1), avp(439, 2), group(437, []), usu, avp3(21, hex('06')), avp3(872, 4)),
    group3(
      873,
      group3(874, avp(30, 'internet'), avp3(18, '26201'), avp3(22, hex('8262f2100001'))),
      group3(876, avp3(862, 6), avp3(829, 0), avp3(832, 'tel:+1'), avp3(1263, 'cgi-3gpp=26201')),
      group3(2000, group3(2026, group3(1201, ...address(1, '33'))), avp3(2019, 2)),
    ),
  ],
});

test('whatever could be understood of a request is translated', () => {
  const bent = fc
    .array(fc.tuple(fc.integer({ min: 20, max: whole.length - 1 }), fc.nat(255)), { maxLength: 8 })
    .map((changes) => {
      const octets = Buffer.from(whole);
      for (const [at, octet] of changes) octets[at] = octet;
      return octets;
    });
  let translated = 0;
  fc.assert(
    fc.property(bent, fc.constantFrom('single', 'dual', 'none'), (octets, tariffChange) => {
      const found = decode(octets);
      if (found.name !== 'CCR') return;
      flawOf(found.message);
      const identified = identify(found.message);
      if (identified === undefined) return;
      const options = { currency: euro, now: NOW, information: found.raw.serviceInformation };
      toEvent(found.message, identified, options);
      const request = toRequest(found.message, identified as SessionRequest, {
        ...options,
        tariffChange,
      });
      for (const service of request.services)
        for (const units of Object.values({ ...service.asked, ...service.used }))
          expect(Number.isSafeInteger(units) && units >= 0).toBe(true);
      translated += 1;
    }),
    { numRuns: 3000 },
  );
  expect(translated).toBeGreaterThan(1000);
});

const count = fc.oneof(fc.nat(100), fc.constantFrom(0, 2 ** 32, LIMIT), fc.maxSafeNat());
const unit = fc.constantFrom('octets', 'seconds', 'units', 'money');
const seconds = fc.nat(0xffffffff);
const outcome = fc.constantFrom<Outcome>(
  ...(['success', 'unknown-session', 'refused', 'contradiction', 'user-unknown'] as const),
  ...(['resources-exceeded', 'service-denied', 'rating-failed'] as const),
  ...(['credit-limit-reached', 'uncontrolled'] as const),
);
const rules = fc.constantFrom('permit in ip from any to any', 'deny out 6 from any 80 to any', '');
const final = fc.record(
  {
    action: fc.constantFrom('terminate', 'redirect', 'restrict'),
    redirect: fc.record({
      type: fc.constantFrom(0, 1, 2, 3),
      address: fc.constantFrom('192.0.2.1', '2001:db8::1', 'http://x/', 'sip:a@b', ''),
    }),
    filters: fc.array(rules, { maxLength: 3 }),
    filterIds: fc.array(fc.string(), { maxLength: 2 }),
  },
  { requiredKeys: ['action'] },
);
const directives = fc.record(
  {
    threshold: count,
    consumptionSeconds: seconds,
    timeMechanism: fc.record({
      type: fc.constantFrom('discrete', 'continuous'),
      intervalSeconds: seconds,
    }),
    envelopes: fc.nat(4),
    triggers: fc.array(fc.constantFrom(1, 2, 30, 76), { maxLength: 3 }),
  },
  { requiredKeys: [] },
);
const service = fc.record(
  {
    ratingGroup: fc.nat(0xffffffff),
    serviceIds: fc.array(fc.nat(0xffffffff), { maxLength: 3 }),
    outcome,
    granted: fc.record({ unit, units: count }),
    validitySeconds: seconds,
    holdingSeconds: seconds,
    final,
    directives,
    beside: fc.dictionary(unit, count, { maxKeys: 3 }),
    tariffChange: fc.record(
      { at: fc.integer({ min: NOW, max: NOW + 1e9 }), after: count },
      { requiredKeys: ['at'] },
    ),
    pool: fc.record({
      id: fc.nat(0xffffffff),
      digits: count,
      exponent: fc.integer({ min: -20, max: 20 }),
    }),
  },
  { requiredKeys: ['serviceIds', 'outcome'] },
) as fc.Arbitrary<ServiceAnswer>;
const amount = fc.oneof(fc.nat(100), fc.integer({ min: -LIMIT, max: LIMIT }));
const answer = fc.record(
  {
    outcome,
    level: fc.constantFrom('services', 'command'),
    services: fc.array(service, { maxLength: 3 }),
    cost: amount,
    remaining: amount,
    lowBalance: fc.boolean(),
    failureHandling: fc.constantFrom('terminate', 'continue', 'retry-and-terminate'),
    debitFailureHandling: fc.constantFrom('terminate-or-buffer', 'continue'),
    enough: fc.boolean(),
    refundInformation: fc.uint8Array({ maxLength: 40 }),
  },
  { requiredKeys: ['outcome', 'level', 'services'] },
) as fc.Arbitrary<Answer>;

test('C-006 C-007 every answer can be sent, and is read without fault by the book', () => {
  const forms = fc.constantFrom('rfc4006', 'rfc8506');
  fc.assert(
    fc.property(answer, forms, fc.integer({ min: 1, max: 4 }), (given, finalUnits, type) => {
      const replace = { requestType: avp(416, type) };
      const more = [group(437, []), avp(436, 0)];
      const octets = answerOctets(given, { finalUnits, replace, more });
      const read = decode(octets, { strict: true });
      expect(read.failure).toBeUndefined();
      expect(read.name).toBe('CCA');
    }),
    { numRuns: 1000 },
  );
});
