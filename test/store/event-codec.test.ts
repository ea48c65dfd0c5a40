/** What the keys of one-time events keep, as protobuf. */
import { expect, test } from 'vitest';
import type { EventEffect } from '../../src/charging/event.ts';
import { decodeEffect, encodeEffect } from '../../src/store/event-codec.ts';

const LIMIT = Number.MAX_SAFE_INTEGER;

const effect: EventEffect = {
  by: 'gw;1\n0\n',
  digest: LIMIT,
  at: 1_763_727_887_000,
  answer: {
    outcome: 'success',
    level: 'services',
    services: [
      { ratingGroup: 0, serviceIds: [7], outcome: 'success', granted: { unit: 'money', units: 0 } },
      { serviceIds: [], outcome: 'credit-limit-reached' },
    ],
    cost: LIMIT,
    refundInformation: Uint8Array.of(0, 255, 10),
  },
  taken: [
    { bucket: 'b', units: 3, amount: 3, period: 1_767_225_600_000, service: 0 },
    { bucket: 'main', units: LIMIT, amount: LIMIT, service: 3 },
  ],
};

test('an effect is the same after it was stored', () => {
  expect(decodeEffect(encodeEffect(effect))).toEqual(effect);
  const refund = { ...effect, taken: [] };
  expect(decodeEffect(encodeEffect(refund))).toEqual(refund);
});

test('shares no memory with what it was read from', () => {
  const bytes = encodeEffect(effect);
  const read = decodeEffect(bytes);
  bytes.fill(1);
  expect(read).toEqual(effect);
});
