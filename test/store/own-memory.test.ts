/** What is remembered for long must not keep the large buffers alive that it was a part of. */
import { expect, test } from 'vitest';
import type { Answered } from '../../src/charging/session.ts';
import { decodeStored } from '../../src/store/redis/session-value.ts';
import { sessionCodec } from '../../src/store/session-codec.ts';
import { sessionOf } from './samples.ts';

interface Kept {
  bytes: Buffer;
  start: number;
  end: number;
}

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

/** What an answer keeps of how it is stored, by the name that it is kept under. */
function keptBy(of: Answered, name: string): unknown {
  const symbol = Object.getOwnPropertySymbols(of).find(({ description }) => description === name);
  return (of as unknown as Record<symbol, unknown>)[symbol as symbol];
}

test('the bytes of answers that were encoded, however many came and went', () => {
  let answers: readonly Answered[] = [];
  for (let number = 0; number < 100; number++) {
    answers = [...answers.slice(-15), { ...answered, number }];
    sessionCodec.encode(sessionOf({ tenant: 'blue', account: 'anna' }, { answers }));
  }
  const runs = new Set(answers.map((one) => keptBy(one, 'run')));
  expect(runs.size).toBe(1);
  const { bytes, start, end } = keptBy(answers.at(-1) as Answered, 'run') as Kept;
  expect(end - start).toBeGreaterThan(1_024);
  expect(bytes.buffer.byteLength).toBe(bytes.length);
  expect(bytes.length).toBeLessThan(3 * (end - start));
});

test('the bytes of a session that was read', () => {
  const session = sessionOf({ tenant: 'blue', account: 'anna' }, { answers: [answered] });
  const value = Buffer.concat([Buffer.from('1 2-3 '), sessionCodec.encode(session)]);
  const reply = Buffer.concat([value, Buffer.alloc(65_536)]).subarray(0, value.length);
  const [read] = decodeStored(reply).session.answers;
  const bytes = keptBy(read as Answered, 'encoded') as Uint8Array;
  expect(read?.answer).toEqual(answered.answer);
  expect(bytes.buffer.byteLength).toBeLessThanOrEqual(value.length);
});
