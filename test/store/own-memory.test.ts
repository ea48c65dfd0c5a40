/** What is remembered for long must not keep the large buffers alive that it was a part of. */
import { expect, test } from 'vitest';
import type { Answered } from '../../src/charging/session.ts';
import { decodeStored } from '../../src/store/redis/session-value.ts';
import { sessionCodec } from '../../src/store/session-codec.ts';
import { sessionOf } from './samples.ts';

const answered: Answered = {
  number: 1,
  digest: 2,
  at: 3,
  answer: {
    outcome: 'success',
    level: 'services',
    services: Array.from({ length: 9 }, (_, i) => ({
      ...{ ratingGroup: i, serviceIds: [], outcome: 'success' as const },
      granted: { unit: 'octets' as const, units: 1_000_000 + i },
    })),
  },
};

/** The bytes that an answer keeps of itself. */
function keptBytes(of: Answered): Uint8Array {
  const [symbol] = Object.getOwnPropertySymbols(of);
  return (of as unknown as Record<symbol, Uint8Array>)[symbol as symbol] as Uint8Array;
}

test('the bytes of an answer that was encoded', () => {
  sessionCodec.encode(sessionOf({ tenant: 'blue', account: 'anna' }, { answers: [answered] }));
  const bytes = keptBytes(answered);
  expect(bytes.length).toBeGreaterThan(64);
  expect(bytes.buffer.byteLength).toBe(bytes.length);
});

test('the bytes of a session that was read', () => {
  const session = sessionOf({ tenant: 'blue', account: 'anna' }, { answers: [answered] });
  const value = Buffer.concat([Buffer.from('1 2-3 '), sessionCodec.encode(session)]);
  const reply = Buffer.concat([value, Buffer.alloc(65_536)]).subarray(0, value.length);
  const [read] = decodeStored(reply).session.answers;
  const bytes = keptBytes(read as Answered);
  expect(read?.answer).toEqual(answered.answer);
  expect(bytes.buffer.byteLength).toBeLessThanOrEqual(value.length);
});
