/** Which records of a session keep what its requests say of their use at length. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Request } from '../../src/charging/request.ts';
import { asks, requestOf, Till } from './till.ts';

const octets = (text: string) => Buffer.from(text);
const kept = (till: Till) =>
  till.records.map(({ information }) =>
    information === undefined ? undefined : Buffer.from(information).toString(),
  );

function asked(...requests: [Request['kind'], Partial<Request>][]): Till {
  const till = new Till({ openings: { main: 1000 } });
  for (const [number, [kind, part]] of requests.entries()) {
    const used = kind === 'initial' ? {} : { used: { octets: 1 } };
    till.ask(requestOf(kind, number, [asks({ asked: {}, ...used })], part));
  }
  return till;
}

describe('Service-Information', () => {
  test('is kept with the first record, and with those at which it changed', () => {
    const till = asked(
      ['initial', { information: octets('a') }],
      ['update', { information: octets('a') }],
      ['update', {}],
      ['update', { information: octets('a') }],
      ['update', { information: octets('b') }],
      ['update', { information: octets('b') }],
      ['update', { information: octets('a') }],
      ['termination', { information: octets('c') }],
      ['update', { information: octets('c') }],
      ['update', { information: octets('d') }],
    );
    const none = undefined;
    expect(till.records.map(({ kind }) => kind).slice(-3)).toEqual([
      'termination',
      'late-usage',
      'late-usage',
    ]);
    expect(kept(till)).toEqual(['a', none, none, none, 'b', none, 'a', 'c', none, 'd']);
  });

  test('is kept as soon as it is there', () => {
    const till = asked(['initial', {}], ['update', { information: octets('a') }]);
    expect(kept(till)).toEqual([undefined, 'a']);
  });

  test('shares no memory with what was received', () => {
    const received = octets('abcd');
    const till = asked(['initial', { information: received }]);
    received.fill(0);
    expect(kept(till)).toEqual(['abcd']);
  });

  test('any octet that changes is a change', () => {
    const some = fc.uint8Array({ minLength: 1, maxLength: 300 });
    fc.assert(
      fc.property(some, fc.nat(), fc.integer({ min: 1, max: 255 }), (before, place, change) => {
        const after = Uint8Array.from(before);
        const at = place % after.length;
        after[at] = (after[at] ?? 0) ^ change;
        const till = asked(
          ['initial', { information: before }],
          ['update', { information: after }],
        );
        expect(till.records[1]?.information).toEqual(after);
      }),
      { numRuns: 300 },
    );
  });
});

test('the context as it was sent and the equipment stand in the first record', () => {
  const part = { sentContext: '8.32251@3gpp.org', equipment: 'imei:35' };
  const till = asked(['initial', part], ['update', part]);
  expect(till.records[0]).toMatchObject(part);
  expect(till.records[1]).not.toHaveProperty('sentContext');
  expect(till.records[1]).not.toHaveProperty('equipment');
});

test('C-216 CC-Correlation-Id stands in every record of a request that had it', () => {
  const till = asked(
    ['initial', { correlation: '01' }],
    ['update', {}],
    ['update', { correlation: '01' }],
  );
  expect(till.records.map(({ correlation }) => correlation)).toEqual(['01', undefined, '01']);
});
