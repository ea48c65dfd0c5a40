/** Sessions and records as protobuf, read by older and newer schemas. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import protobuf from 'protobufjs';
import { describe, expect, test } from 'vitest';
import type { ChargingRecord } from '../../src/charging/record.ts';
import type { Session } from '../../src/charging/session.ts';
import { decodeRecord, encodeRecord } from '../../src/store/record-codec.ts';
import { messageCodec } from '../../src/store/schema.ts';
import { createSessionCodec, sessionCodec } from '../../src/store/session-codec.ts';
import { answeredOf, serviceOf, sessionOf } from './samples.ts';

const account = { tenant: 'north', account: 'a' };
const text = readFileSync(new URL('../../proto/session.proto', import.meta.url), 'utf8');

/** The schema as another version has it. */
function schemaWith(change: (text: string) => string): protobuf.Root {
  const changed = change(text);
  expect(changed).not.toBe(text);
  return protobuf.parse(changed, new protobuf.Root()).root;
}

/** A later version: new fields wherever a session is made of messages. */
const newer = schemaWith((proto) =>
  ['Session', 'Service', 'Grant', 'Answered', 'Answer'].reduce(
    (all, name) =>
      all.replace(
        `message ${name} {`,
        `message ${name} { string note_${name.toLowerCase()} = 100; repeated uint64 more = 101;`,
      ),
    proto,
  ),
);

type Loose = Record<string, unknown>;

describe('a session', () => {
  test('is the same after it was stored', () => {
    const session = sessionOf(account, {
      subSessionId: '7',
      answers: [answeredOf(3), answeredOf(4)],
      seen: [
        [0, 4],
        [9, 9],
        [4_294_967_290, 4_294_967_295],
      ],
    });
    expect(sessionCodec.decode(sessionCodec.encode(session))).toEqual(session);
  });

  test('keeps every part of a tariff, a grant and an answer', () => {
    const rate = { amount: 0, per: 60, increment: 60 };
    const price = {
      ...{ ...rate, fee: 7, minimum: 30, eachReport: true },
      bands: [
        { ...rate, from: 60 },
        { ...rate, from: 2 ** 40, fee: 2 ** 50 },
      ],
    };
    const part = { bucket: 'b', units: 5, amount: -3, period: 1_800_000_000_000 };
    const session = sessionOf(account, {
      facts: { apn: 'internet', rat: 6, visited: '26201', called: '49', role: 'terminating' },
      factsAt: 1_763_727_880_000,
      services: [
        {
          ...{ serviceIds: [], rule: 'day', plan: 'p', planVersion: 3, unit: 'seconds', price },
          ...{ used: 1, rated: 1, cost: 1, exhausted: 'restricted' },
          share: { called: '', count: 2, of: 3, units: 2 },
          ...{ switch: { at: 8, rule: 'dawn', price }, ratedUntil: 1_800_000_000_000 },
          earlier: { until: 7, rule: 'dusk', plan: 'o', planVersion: 2, price, rated: 2 ** 50 },
          grant: {
            ...{ parts: [part], units: 5, final: true, limits: [part], pool: 0 },
            switch: { at: 9, rule: 'night', price, after: { parts: [part], units: 2 } },
          },
        },
      ],
      answers: [
        {
          ...{ number: 1, digest: 1, at: 1 },
          answer: {
            ...{ outcome: 'uncontrolled', level: 'command', cost: 0, remaining: -5 },
            ...{ lowBalance: false, failureHandling: 'retry-and-terminate', enough: false },
            ...{ debitFailureHandling: 'terminate-or-buffer' },
            refundInformation: Uint8Array.of(0, 255),
            services: [
              {
                ...{ serviceIds: [], outcome: 'success' },
                pool: { id: 0, digits: 5, exponent: -2, after: { digits: 7, exponent: 0 } },
                final: {
                  action: 'redirect',
                  redirect: { type: 0, address: '192.0.2.1' },
                  filters: ['permit in ip from any to any'],
                  filterIds: ['a'],
                },
                directives: {
                  ...{ threshold: 0, consumptionSeconds: 0, envelopes: 0, triggers: [] },
                  timeMechanism: { type: 'continuous', intervalSeconds: 60 },
                },
                beside: { seconds: 0, money: 5 },
                tariffChange: { at: 9, after: 0 },
              },
            ],
          },
        },
      ],
    });
    expect(sessionCodec.decode(sessionCodec.encode(session))).toEqual(session);
  });

  test('keeps what its client is to be asked for, and the way to it', () => {
    const counts = { attempts: 3, sends: 2, deadEnds: 1, acknowledged: true };
    const session = sessionOf(account, {
      via: 'relay.example',
      ...{ reauthoriseAt: 1_800_000_000_000, askedUntil: 1_763_727_889_000 },
      described: 4_294_967_295,
      pending: {
        ...{ kind: 'abort', reason: 'top-up', scope: { ratingGroup: 0, serviceId: 0, pool: 0 } },
        ...{ ...counts, endToEnd: 4_294_967_295, nextAt: 1_763_727_887_000 },
        left: [{ serviceIds: [0, 7] }, { ratingGroup: 0, serviceIds: [] }],
      },
    });
    expect(sessionCodec.decode(sessionCodec.encode(session))).toEqual(session);
    const bare = sessionOf(account, {
      pending: {
        ...{ kind: 'reauthorise', reason: 'operator', scope: {} },
        ...{ attempts: 0, sends: 0, deadEnds: 0, acknowledged: false, nextAt: 0 },
      },
    });
    expect(sessionCodec.decode(sessionCodec.encode(bare))).toEqual(bare);
  });

  test('keeps what is absent absent, and zero apart from it', () => {
    const bare = { serviceIds: [], rule: '', planVersion: 0, unit: 'money' as const };
    const session = sessionOf(account, {
      services: [
        { ...bare, used: 0, rated: 0, cost: 0 },
        { ...bare, ratingGroup: 0, used: 0, rated: 0, cost: -5, serviceIds: [0, 4_294_967_295] },
        {
          ...bare,
          ...{ used: 0, rated: 0, cost: 0 },
          grant: { parts: [], units: 0, validUntil: 0, final: true },
        },
      ],
      answers: [
        {
          ...{ number: 0, digest: 0, at: 0 },
          answer: {
            ...{ outcome: 'refused', resultCode: 5003, fault: 'context' },
            ...{ level: 'command', services: [] },
          },
        },
        {
          ...{ number: 1, digest: 1, at: 1 },
          answer: {
            outcome: 'success',
            level: 'services',
            services: [
              { serviceIds: [1, 2], outcome: 'rating-failed', fault: 'used' },
              {
                ...{
                  ratingGroup: 0,
                  serviceIds: [],
                  outcome: 'success',
                  final: { action: 'terminate' } as const,
                },
                granted: { unit: 'seconds', units: 0 },
              },
            ],
          },
        },
      ],
      seen: [],
    });
    expect(sessionCodec.decode(sessionCodec.encode(session))).toEqual(session);
  });

  test.each([
    ['NUL', 'a\0b'],
    ['a line feed', 'a\nb'],
    ['any script', 'äöü€😀'],
    ['nothing', ''],
    ['10,000 characters', 'x'.repeat(10_000)],
  ])('may have %s in its Session-Id', (_, id) => {
    const session = sessionOf(account, { sessionId: id });
    expect(sessionCodec.decode(sessionCodec.encode(session)).sessionId).toBe(id);
  });

  test.each([
    ['pgw.north.example', 'north.example'],
    ['pgw.north.example', 'example'],
    ['pgw', ''],
    ['', ''],
    ['other.south.example', 'south.example'],
    ['a;b', 'realm'],
  ])('knows its client %s of realm %s, wherever they are written', (host, realm) => {
    for (const sessionId of ['pgw.north.example;1;2', 'pgw;1', ';1', 'a;b;1', 'plain', '']) {
      const session = sessionOf(account, { sessionId, client: { host, realm } });
      expect(sessionCodec.decode(sessionCodec.encode(session))).toEqual(session);
    }
  });

  test('has figures exact to 2^53 - 1', () => {
    const big = Number.MAX_SAFE_INTEGER;
    fc.assert(
      fc.property(fc.nat({ max: big }), fc.integer({ min: -big, max: big }), (used, cost) => {
        const grant = {
          units: used,
          final: false,
          parts: [{ bucket: 'b', units: used, amount: cost }],
        };
        const services = [serviceOf({ used, rated: used, cost, grant })];
        const session = sessionOf(account, { services, openedAt: used });
        expect(sessionCodec.decode(sessionCodec.encode(session))).toEqual(session);
      }),
    );
  });

  test('does not encode an answer again that it has encoded or read', () => {
    const session = sessionOf(account);
    const first = sessionCodec.encode(session);
    const [answered] = session.answers;
    Object.assign(answered!, { number: 99 });
    expect(sessionCodec.encode(session)).toEqual(first);
    const read = sessionCodec.decode(first);
    expect(read.answers[0]!.answer).toBe(read.answers[0]!.answer);
    expect(sessionCodec.encode(read)).toEqual(first);
  });

  test('is compact', () => {
    expect(sessionCodec.encode(sessionOf(account)).length).toBeLessThan(345);
  });
});

describe('two versions of the schema', () => {
  /** A session as a newer version stores it, with something new at every level. */
  function fromNewer(): Uint8Array {
    const plain = (name: string): protobuf.Type => newer.lookupType(`tollkeeper.${name}`);
    const answer = plain('Answer').encode({ outcome: 4, noteAnswer: 'answer', more: [1, 2] });
    const answered = plain('Answered').encode({
      ...{ number: 5, digest: 2 ** 52, at: 17, noteAnswered: 'answered' },
      answer: answer.finish(),
    });
    return plain('Session')
      .encode({
        ...{ sessionId: 's', tenant: 't', account: 'a', noteSession: 'session', more: [2 ** 50] },
        services: [
          {
            ...{ rule: 'r', used: 5, noteService: 'service' },
            grant: { units: 9, noteGrant: 'grant', more: [7] },
          },
          { rule: 'q', more: [1] },
        ],
        answers: [answered.finish()],
      })
      .finish();
  }

  test('what a newer one wrote survives an older one that changes the session', () => {
    const read = sessionCodec.decode(fromNewer());
    const changed: Session = {
      ...read,
      changedAt: 99,
      services: read.services.map((service, i) => (i === 0 ? { ...service, used: 6 } : service)),
      answers: [...read.answers, answeredOf(6)],
    };
    const stored = sessionCodec.encode(changed);
    const back = newer.lookupType('tollkeeper.Session').decode(stored) as unknown as Loose;
    expect(back).toMatchObject({ noteSession: 'session', more: [2 ** 50], changedAt: 99 });
    const [first, second] = back.services as [Loose, Loose];
    expect(first).toMatchObject({
      ...{ noteService: 'service', used: 6 },
      grant: { noteGrant: 'grant', more: [7] },
    });
    expect(second).toMatchObject({ rule: 'q', more: [1] });
    const answered = newer
      .lookupType('tollkeeper.Answered')
      .decode((back.answers as Uint8Array[])[0]!) as unknown as Loose;
    expect(answered).toMatchObject({ number: 5, digest: 2 ** 52, noteAnswered: 'answered' });
    const answer = newer.lookupType('tollkeeper.Answer').decode(answered.answer as Uint8Array);
    expect(answer).toMatchObject({ outcome: 4, noteAnswer: 'answer', more: [1, 2] });
    expect(sessionCodec.decode(stored).answers[0]!.answer.outcome).toBe('user-unknown');
  });

  test('a newer one reads what an older one wrote, with the new fields at their defaults', () => {
    const session = sessionOf(account);
    const read = messageCodec<Loose>(newer, 'Session').decode(sessionCodec.encode(session));
    expect(read).toMatchObject({ sessionId: session.sessionId, noteSession: '', more: [] });
    expect(createSessionCodec(newer).decode(sessionCodec.encode(session))).toEqual(session);
  });

  test('what this one writes survives an older one', () => {
    const older = createSessionCodec(
      schemaWith((proto) =>
        proto
          .replace('  uint64 supervise_at = 13;\n', '')
          .replace('  Price price = 10;\n', '')
          .replace('  bool final = 4;\n', ''),
      ),
    );
    const session = sessionOf(account, {
      services: [serviceOf({ grant: { parts: [], units: 3, final: true } })],
    });
    const read = older.decode(sessionCodec.encode(session));
    expect(read.superviseAt).toBeUndefined();
    const changed = { ...read, changedAt: 5, superviseAt: 0 };
    expect(sessionCodec.decode(older.encode(changed))).toEqual({ ...session, changedAt: 5 });
  });

  test('a value that only a newer one knows is refused, not taken for another', () => {
    const bytes = messageCodec<Loose>(newer, 'Session').encode({ sessionId: 's', state: 77 });
    expect(() => sessionCodec.decode(bytes)).toThrow('SessionState 77');
  });
});

describe('a record', () => {
  const minimal: ChargingRecord = {
    kind: 'initial',
    at: 0,
    account,
    outcome: '',
    services: [],
    changes: [],
  };

  test.each<[string, ChargingRecord]>([
    ['with nothing', minimal],
    [
      'with everything',
      {
        kind: 'late-usage',
        at: 1_763_727_887_000,
        account,
        sessionId: 's\0',
        subSessionId: '1',
        requestNumber: 4_294_967_295,
        subscriber: { kind: 'private', id: '' },
        client: 'pgw',
        context: '32251@3gpp.org',
        outcome: 'success',
        services: [
          { serviceIds: [], outcome: 'success' },
          { serviceIds: [], outcome: 'success', recipients: { count: 1, called: [] } },
          {
            ...{ ratingGroup: 0, serviceIds: [3], rule: 'r', planVersion: 2, unit: 'octets' },
            ...{ used: 2 ** 53 - 1, countedFrom: 0, granted: 0, cost: -1, excess: true },
            outcome: 'success',
            unrated: { octets: 0, seconds: 1, units: 2, money: 3 },
            plan: 'gold',
            recipients: { count: 2, of: 3, called: ['49', ''] },
            after: { rule: 'o', plan: 'silver', planVersion: 0, used: 1, countedFrom: 7, cost: -1 },
            reasons: [2, 4],
          },
        ],
        changes: [
          { bucket: 'b', cause: 'overrun', available: 1 - 2 ** 53, reserved: 0 },
          { bucket: 'c', cause: 'expiry', available: 0, reserved: 2 ** 53 - 1 },
        ],
        terminationCause: 1,
        reference: 'key',
        information: Buffer.of(0, 0, 3, 0x6a),
        sentContext: '8.32251@3gpp.org',
        equipment: 'imei:35209900176148',
        correlation: '00ff',
      },
    ],
  ])('%s is the same after it was stored', (_, record) => {
    expect(decodeRecord(encodeRecord(record))).toEqual(record);
  });

  test('has every kind and every cause of the core', () => {
    const kinds = ['initial', 'update', 'termination', 'late-usage', 'validity', 'supervision'];
    const more = ['abort', 'opening', 'topup', 'adjustment', 'expiry', 'epoch'];
    for (const kind of [...kinds, ...more] as ChargingRecord['kind'][])
      expect(decodeRecord(encodeRecord({ ...minimal, kind })).kind).toBe(kind);
  });
});
