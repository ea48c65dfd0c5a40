/** Request numbers, answers and digests: how a session knows what it has answered already. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Answer } from '../../src/charging/answer.ts';
import { ANSWER_AGE_MS, precedentOf, remember } from '../../src/charging/duplicates.ts';
import { digestOf, type Request, serviceKey, sessionKey } from '../../src/charging/request.ts';
import {
  type Answered,
  hasSeen,
  MAX_SEEN_RANGES,
  type Session,
  withSeen,
} from '../../src/charging/session.ts';
import { asks, requestOf, Till } from './till.ts';

const answerOf = (units: number): Answer => ({
  outcome: 'success',
  level: 'services',
  services: [
    { ratingGroup: 1, serviceIds: [], outcome: 'success', granted: { unit: 'octets', units } },
  ],
});

/** A session that has answered updates with these numbers, one second apart. */
function answered(numbers: readonly number[], window = 16, from = 0): Session {
  const till = new Till({ openings: { main: 1000 } });
  till.ask(requestOf('initial', 4_000_000_000));
  let session: Session = { ...till.session()!, answers: [], seen: [] };
  numbers.forEach((number, i) => {
    const request = requestOf('update', number, [asks({ used: { octets: number } })]);
    const answer = answerOf(number);
    session = { ...session, ...remember(session, request, { answer, now: from + i, window }) };
  });
  return session;
}

describe('request numbers that were applied', () => {
  const number = fc.oneof(fc.nat(200), fc.integer({ min: 2 ** 32 - 40, max: 2 ** 32 - 1 }));

  test('as long as 32 ranges hold them, exactly those that were added', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(45), { maxLength: 60 }), fc.nat(50), (numbers, probe) => {
        const seen = numbers.reduce<Session['seen']>(withSeen, []);
        expect(hasSeen(seen, probe)).toBe(numbers.includes(probe));
      }),
    );
  });

  test('ranges are ascending, apart, and 32 at most; none that was added is forgotten', () => {
    fc.assert(
      fc.property(fc.array(number, { maxLength: 120 }), (numbers) => {
        const seen = numbers.reduce<Session['seen']>(withSeen, []);
        expect(seen.length).toBeLessThanOrEqual(MAX_SEEN_RANGES);
        seen.forEach(([first, last], i) => {
          expect(first).toBeLessThanOrEqual(last);
          if (i > 0) expect(first).toBeGreaterThan(seen[i - 1]![1] + 1);
        });
        for (const one of numbers) expect(hasSeen(seen, one)).toBe(true);
      }),
    );
  });

  test('beyond 32 ranges the lowest gap counts as seen', () => {
    const even = Array.from({ length: 33 }, (_, i) => i * 2);
    const seen = even.reduce<Session['seen']>(withSeen, []);
    expect(seen).toHaveLength(32);
    expect(seen[0]).toEqual([0, 2]);
    expect(hasSeen(seen, 1)).toBe(true);
    expect(hasSeen(seen, 3)).toBe(false);
  });
});

describe('the answer window', () => {
  test('holds the last 16 answers', () => {
    const session = answered(Array.from({ length: 40 }, (_, i) => i));
    expect(session.answers.map((one) => one.number)).toEqual(
      Array.from({ length: 16 }, (_, i) => 24 + i),
    );
  });

  test('drops what is older than 10 minutes when it takes another in', () => {
    const session = answered([1, 2], 16, 0);
    const third = requestOf('update', 3);
    const at = (now: number) => remember(session, third, { answer: answerOf(3), now, window: 16 });
    expect(at(ANSWER_AGE_MS - 1).answers.map((one) => one.number)).toEqual([1, 2, 3]);
    expect(at(ANSWER_AGE_MS).answers.map((one) => one.number)).toEqual([2, 3]);
    expect(at(ANSWER_AGE_MS + 1).answers.map((one) => one.number)).toEqual([3]);
    expect(at(ANSWER_AGE_MS + 1).seen).toEqual([[1, 3]]);
  });

  test('a duplicate gets its answer; past the window 2001 without a grant', () => {
    const session = answered(Array.from({ length: 20 }, (_, i) => i));
    const request = (number: number) =>
      requestOf('update', number, [asks({ used: { octets: number } })]);
    expect(precedentOf(session, request(19))).toEqual({ kind: 'duplicate', answer: answerOf(19) });
    expect(precedentOf(session, request(4))).toEqual({ kind: 'duplicate', answer: answerOf(4) });
    expect(precedentOf(session, request(3))).toEqual({
      kind: 'duplicate',
      answer: {
        outcome: 'success',
        level: 'services',
        services: [{ ratingGroup: 1, serviceIds: [], outcome: 'success' }],
      },
    });
    expect(precedentOf(session, request(20))).toEqual({ kind: 'new' });
  });

  test('the same number with another content contradicts, or is new where numbers are loose', () => {
    const session = answered([7]);
    const other = requestOf('update', 7, [asks({ used: { octets: 8 } })]);
    expect(precedentOf(session, other).kind).toBe('contradiction');
    expect(precedentOf(session, { ...other, looseNumbering: true }).kind).toBe('new');
    const termination = requestOf('termination', 7, [asks({ used: { octets: 7 } })]);
    expect(precedentOf(session, termination).kind).toBe('contradiction');
  });

  test('with loose numbers both requests of one number are found again', () => {
    let session = answered([7]);
    const other = requestOf('update', 7, [asks({ used: { octets: 8 } })], { looseNumbering: true });
    session = {
      ...session,
      ...remember(session, other, { answer: answerOf(8), now: 1, window: 16 }),
    };
    const answers = [7, 8].map((octets) =>
      precedentOf(
        session,
        requestOf('update', 7, [asks({ used: { octets } })], { looseNumbering: true }),
      ),
    );
    expect(answers).toEqual([
      { kind: 'duplicate', answer: answerOf(7) },
      { kind: 'duplicate', answer: answerOf(8) },
    ]);
  });

  test('with loose numbers a number whose answer is gone stands for something new', () => {
    const session = answered(Array.from({ length: 20 }, (_, i) => i));
    const other = requestOf('update', 3, [asks({ used: { octets: 3 } })]);
    expect(precedentOf(session, { ...other, looseNumbering: true }).kind).toBe('new');
    expect(precedentOf(session, other).kind).toBe('duplicate');
  });

  test('one Session-Id used by two subscribers contradicts', () => {
    const till = new Till({ openings: { main: 1000 } });
    const names = (id: string) => ({ subscribers: [{ kind: 'e164' as const, id }] });
    const initial = requestOf('initial', 0, [asks({ asked: {} })]);
    till.ask({ ...initial, ...names('49170') });
    const other = { ...initial, ...names('49171') };
    expect(till.decide(other)).toMatchObject({
      answer: { outcome: 'contradiction' },
      alarm: 'number-reused',
    });
  });

  test('a window of one keeps the last answer', () => {
    const kept: readonly Answered[] = answered([1, 2, 3], 1).answers;
    expect(kept.map((one) => one.number)).toEqual([3]);
  });
});

describe('digests', () => {
  const amounts = fc.record(
    { octets: fc.nat(20), seconds: fc.nat(20), units: fc.nat(20), money: fc.nat(20) },
    { requiredKeys: [] },
  );
  const service = fc.record(
    {
      ratingGroup: fc.nat(12),
      serviceIds: fc
        .uniqueArray(fc.nat(12), { maxLength: 3 })
        .map((ids) => ids.sort((a, b) => a - b)),
      asked: amounts,
      used: amounts,
    },
    { requiredKeys: ['serviceIds'] },
  );
  const content = fc.record({
    kind: fc.constantFrom<Request['kind']>('initial', 'update', 'termination'),
    level: fc.constantFrom<Request['level']>('services', 'command'),
    services: fc.array(service, { maxLength: 3 }),
  });

  test('are equal for the same content and differ for any other', () => {
    fc.assert(
      fc.property(content, content, (a, b) => {
        const digests = [a, b].map((part) =>
          digestOf({ ...requestOf(part.kind, 1), ...(part as Partial<Request>) }),
        );
        expect(digests[0]! === digests[1]!).toBe(
          JSON.stringify(ordered(a)) === JSON.stringify(ordered(b)),
        );
        for (const digest of digests) expect(Number.isSafeInteger(digest)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  test('know an empty request for units from none at all', () => {
    const [empty, absent] = [[asks({ asked: {} })], [asks({})]].map((services) =>
      digestOf(requestOf('update', 1, services)),
    );
    expect(empty).not.toBe(absent);
  });

  test('leave routing, flags and time stamps out', () => {
    const services = [asks({ asked: {}, used: { octets: 5 } })];
    const elsewhere = { client: { host: 'other.example', realm: 'other' }, context: 'x@y' };
    expect(digestOf(requestOf('update', 1, services, elsewhere))).toBe(
      digestOf(requestOf('update', 1, services)),
    );
  });

  test('know whose request it is, and what came after a tariff change', () => {
    const anna = { subscribers: [{ kind: 'e164' as const, id: '49170' }] };
    const ben = { subscribers: [{ kind: 'e164' as const, id: '49171' }] };
    const [before, after] = [
      { used: { octets: 9 } },
      { used: { octets: 9 }, usedAfter: { octets: 4 } },
    ];
    const digests = [anna, ben, {}].flatMap((part) =>
      [before, after].map((service) => digestOf(requestOf('update', 1, [asks(service)], part))),
    );
    expect(new Set(digests).size).toBe(6);
  });

  test('know both parties, and each recipient of a message', () => {
    const one = asks({ asked: {} });
    const to = (...recipients: (string | undefined)[]) => ({ ...one, recipients });
    const requests: Partial<Request>[] = [
      {},
      ...['49170', '49171'].map((called) => ({ facts: { called } })),
      { facts: { calling: '49170' } },
      { facts: { called: '49170', calling: '49171' } },
      ...[to('1', '2'), to('1', '3'), to('1,2'), to('1', undefined), to('1', '2', '3')].map(
        (service) => ({ services: [service] }),
      ),
      ...[2, 4].map((messages) => ({ services: [{ ...to('1', '2'), messages }] })),
    ];
    const digests = requests.map((part) => digestOf(requestOf('update', 1, [one], part)));
    expect(new Set(digests).size).toBe(requests.length);
  });

  test('know nothing of where it was used, which a copy may tell otherwise', () => {
    const one = asks({ asked: {}, facts: { rat: 6 } });
    const facts = { apn: 'internet', rat: 1, visited: '26201', role: 'forwarding' as const };
    expect(digestOf(requestOf('update', 1, [one], { facts }))).toBe(
      digestOf(requestOf('update', 1, [asks({ asked: {} })])),
    );
  });

  test('know nothing that was found out: whose account it is, or whether its time is believed', () => {
    const found = { subscriber: { kind: 'e164' as const, id: '49170' }, occurredAt: 5 };
    const request = requestOf('initial', 0, [asks({ asked: {} })], { looseNumbering: true });
    const { subscriber: _, ...unknown } = request;
    expect(digestOf({ ...request, ...found })).toBe(digestOf(unknown));
  });

  test('of a client that repeats numbers know when it was', () => {
    const at = (stampedAt: number, part = {}) =>
      digestOf(requestOf('update', 1, [asks({ used: { octets: 5 } })], { stampedAt, ...part }));
    expect(at(1)).toBe(at(2));
    expect(at(1, { looseNumbering: true })).not.toBe(at(2, { looseNumbering: true }));
  });

  function ordered(of: unknown): unknown {
    if (Array.isArray(of)) return of.map(ordered);
    if (typeof of !== 'object' || of === null) return of;
    return Object.entries(of)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => [key, ordered(value)]);
  }
});

describe('keys', () => {
  test('of services: rating group, identifiers, both, neither are four different things', () => {
    const keys = [
      serviceKey({ serviceIds: [] }),
      serviceKey({ ratingGroup: 1, serviceIds: [] }),
      serviceKey({ serviceIds: [1] }),
      serviceKey({ ratingGroup: 1, serviceIds: [1] }),
      serviceKey({ ratingGroup: 1, serviceIds: [1, 2] }),
      serviceKey({ ratingGroup: 11, serviceIds: [2] }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  test('of sub-sessions (RFC 8506 8.5)', () => {
    const keys = [
      sessionKey({ sessionId: 's' }),
      sessionKey({ sessionId: 's', subSessionId: '1' }),
      sessionKey({ sessionId: 's', subSessionId: '18446744073709551615' }),
    ];
    expect(new Set(keys).size).toBe(3);
  });
});
