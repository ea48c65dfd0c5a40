/** What is pending in a session: how wishes meet, attempts, answers, and the CCR that ends it. */
import { describe, expect, test } from 'vitest';
import { ask, attempt, conclude, type Reply } from '../../src/charging/initiate.ts';
import {
  MAX_ATTEMPTS,
  type Pending,
  PROMISE_MS,
  pendingDueAt,
  type Scope,
  scopeOf,
  stillPending,
  type Wanted,
  wantedFor,
  wayOf,
  withWanted,
} from '../../src/charging/pending.ts';
import type { Service, Session } from '../../src/charging/session.ts';
import { stepTimer } from '../../src/charging/timer.ts';
import { asks, planOf, requestOf, ruleOf, START, settings, Till } from './till.ts';

const ANSWER_MS = 2_000;
const wish = (scope: Scope = {}, part: Partial<Wanted> = {}): Wanted => ({
  ...{ kind: 'reauthorise', scope, reason: 'operator' },
  ...part,
});
const pendingOf = (scope: Scope = {}, part: Partial<Pending> = {}): Pending => ({
  ...withWanted(undefined, wish(scope), { now: START })!,
  ...part,
});

/** A session that holds a grant for rating group 1. */
function opened(plan = planOf([ruleOf()])): { till: Till; session(): Session; known(): Known } {
  const till = new Till({ openings: { main: 1000 }, plan });
  till.ask(requestOf('initial', 0, [asks({ asked: {} })]));
  return {
    till,
    session: () => till.session()!,
    known: () => ({
      ...{ now: till.now, account: till.account(), plan: till.plan, fresh: true },
      ...{ reserving: false, settings },
    }),
  };
}
type Known = Parameters<typeof attempt>[1];

describe('wishes', () => {
  test('the first is pending at once', () => {
    expect(withWanted(undefined, wish({ pool: 3 }), { now: START })).toEqual({
      ...{ kind: 'reauthorise', scope: { pool: 3 }, reason: 'operator', nextAt: START },
      ...{ attempts: 0, sends: 0, deadEnds: 0, acknowledged: false },
    });
  });

  test.each<[string, Scope, Scope, Scope | undefined]>([
    ['the same', { ratingGroup: 1 }, { ratingGroup: 1 }, undefined],
    ['one within the session', {}, { ratingGroup: 1 }, undefined],
    [
      'a service of the rating group',
      { ratingGroup: 1 },
      { ratingGroup: 1, serviceId: 7 },
      undefined,
    ],
    ['the session beside one of it', { ratingGroup: 1 }, {}, {}],
    [
      'the rating group of the service',
      { ratingGroup: 1, serviceId: 7 },
      { ratingGroup: 1 },
      { ratingGroup: 1 },
    ],
    ['another rating group', { ratingGroup: 1 }, { ratingGroup: 2 }, {}],
    ['a pool beside a rating group', { ratingGroup: 1 }, { pool: 1 }, {}],
    ['another pool', { pool: 2 }, { pool: 1 }, {}],
  ])('a second one, for %s', (_, first, second, scope) => {
    const merged = withWanted(pendingOf(first), wish(second), { now: START + 5 });
    expect(merged?.scope).toEqual(scope);
  });

  test('a wider one is another request, and waits until none can be under way', () => {
    const sent = pendingOf({ ratingGroup: 1 }, { attempts: 1, sends: 1, endToEnd: 9, nextAt: 77 });
    const until = { now: START, notBefore: START + 9 };
    const merged = withWanted(sent, wish(), until);
    expect(merged).toMatchObject({ scope: {}, attempts: 0, sends: 0, nextAt: START + 9 });
    expect(merged).not.toHaveProperty('endToEnd');
    expect(withWanted(sent, wish({}, { kind: 'abort' }), until)?.nextAt).toBe(START + 9);
    expect(withWanted(undefined, wish(), { now: START, notBefore: START - 9 })?.nextAt).toBe(START);
  });

  test('while the client has promised to re-authorise, nothing more is asked of that', () => {
    const promised = pendingOf({ ratingGroup: 1 }, { acknowledged: true });
    expect(withWanted(promised, wish({ ratingGroup: 1 }), { now: START })).toBeUndefined();
    expect(withWanted(promised, wish({ ratingGroup: 2 }), { now: START })).toMatchObject({
      scope: { ratingGroup: 2 },
      acknowledged: false,
    });
    const broken = withWanted(promised, wish({ ratingGroup: 1 }), { now: START + PROMISE_MS });
    expect(broken).toMatchObject({ scope: { ratingGroup: 1 }, acknowledged: false });
  });

  test('an abort takes the place of a re-authorisation, and nothing that of an abort', () => {
    const abort = withWanted(pendingOf({ pool: 1 }), wish({}, { kind: 'abort' }), { now: START });
    expect(abort?.kind).toBe('abort');
    expect(withWanted(abort, wish(), { now: START })).toBeUndefined();
    expect(withWanted(abort, wish({}, { kind: 'abort' }), { now: START })).toBeUndefined();
  });

  test('are recorded, and wake the session now', () => {
    const { session } = opened();
    const change = ask(session(), wish(), START + 1);
    expect(change).toMatchObject({ index: 'keep', timer: START + 1, movements: [] });
    expect(change?.record).toMatchObject({
      ...{ kind: 'reauthorisation', outcome: 'asked', sessionId: 's', client: 'gw.example' },
    });
    expect(ask(change!.session, wish(), START + 2)).toBeUndefined();
    expect(ask(change!.session, wish({}, { kind: 'abort' }), START + 2)?.record.kind).toBe(
      'abort-request',
    );
  });

  test('name one service, or the whole session where a RAR cannot say which', () => {
    const of = (part: Partial<Service>): Service => ({
      ...{ serviceIds: [], rule: 'r', planVersion: 1, unit: 'octets', used: 0, rated: 0, cost: 0 },
      ...part,
    });
    expect(scopeOf([of({ ratingGroup: 4 })])).toEqual({ ratingGroup: 4 });
    expect(scopeOf([of({ ratingGroup: 4, serviceIds: [7] })])).toEqual({
      ...{ ratingGroup: 4, serviceId: 7 },
    });
    expect(scopeOf([of({ ratingGroup: 4, serviceIds: [7, 8] })])).toEqual({ ratingGroup: 4 });
    expect(scopeOf([of({ serviceIds: [7] })])).toEqual({ serviceId: 7 });
    expect(scopeOf([of({ serviceIds: [7, 8] })])).toEqual({});
    expect(scopeOf([of({ ratingGroup: 4 }), of({ ratingGroup: 5 })])).toEqual({});
  });
});

describe('attempts', () => {
  test('come with growing pauses, carry one End-to-End Identifier, and end', () => {
    const { till, session, known } = opened();
    till.commit('s', ask(session(), wish(), till.now)!);
    const times: number[] = [];
    for (let i = 1; i <= MAX_ATTEMPTS; i++) {
      expect(stepTimer(session(), known())).toEqual({ kind: 'initiate' });
      const made = attempt(session(), known(), { endToEnd: 100 + i, answerMs: ANSWER_MS })!;
      expect(made.send).toMatchObject({ attempts: i, sends: i, endToEnd: 101 });
      times.push(made.send!.nextAt - till.now);
      till.commit('s', made.change);
      expect(till.wake()).toBe('asleep');
      till.now = made.send!.nextAt;
    }
    expect(times).toEqual([4_000, 8_000, 16_000, 32_000, 64_000]);
    const last = attempt(session(), known(), { endToEnd: 200, answerMs: ANSWER_MS })!;
    expect(last).toMatchObject({ gaveUp: true, change: { record: { outcome: 'given-up' } } });
    till.commit('s', last.change);
    expect(session()).toMatchObject({ state: 'open' });
    expect(session()).not.toHaveProperty('pending');
    // Supervision is what remains.
    expect(till.wheel.get('s')).toBe(session().superviseAt);
  });

  test('without a way to the client count, and are no send', () => {
    const { till, session, known } = opened();
    till.commit('s', ask(session(), wish(), till.now)!);
    const made = attempt(session(), known(), { endToEnd: undefined, answerMs: ANSWER_MS })!;
    expect(made).not.toHaveProperty('send');
    expect(made.change.record.outcome).toBe('unreachable');
    till.commit('s', made.change);
    expect(session().pending).toMatchObject({ attempts: 1, sends: 0 });
    till.now = session().pending!.nextAt;
    const next = attempt(session(), known(), { endToEnd: 5, answerMs: ANSWER_MS })!;
    expect(next.send).toMatchObject({ attempts: 2, sends: 1, endToEnd: 5 });
  });

  test('take each way twice, and one that leads nowhere no more', () => {
    const ways = [1, 2, 3, 4].map((sends) => wayOf(pendingOf({}, { sends })));
    expect(ways).toEqual([0, 0, 1, 1]);
    expect(wayOf(pendingOf({}, { sends: 2, deadEnds: 1 }))).toBe(1);
  });

  test('of an abort end with the end of the session', () => {
    const { till, session, known } = opened();
    till.commit('s', ask(session(), wish({}, { kind: 'abort' }), till.now)!);
    for (let i = 0; i < MAX_ATTEMPTS; i++) {
      till.commit('s', attempt(session(), known(), { endToEnd: 1, answerMs: ANSWER_MS })!.change);
      till.now = session().pending!.nextAt;
    }
    till.commit('s', attempt(session(), known(), { endToEnd: 1, answerMs: ANSWER_MS })!.change);
    expect(session().state).toBe('abandoned');
    expect(session()).not.toHaveProperty('pending');
    expect(till.available('main')).toBe(1000);
    expect(till.records.at(-1)).toMatchObject({ kind: 'abort', outcome: 'success' });
  });
});

describe('answers', () => {
  const sent = (kind: Wanted['kind'] = 'reauthorise') => {
    const { till, session, known } = opened();
    till.commit('s', ask(session(), wish({}, { kind }), till.now)!);
    till.commit('s', attempt(session(), known(), { endToEnd: 8, answerMs: ANSWER_MS })!.change);
    const reply = (reply: Reply, endToEnd = 8) => {
      const change = conclude(session(), known(), { endToEnd, reply });
      if (change !== undefined) till.commit('s', change);
      return change?.record.outcome;
    };
    return { till, session, known, reply };
  };

  test('C-201 2xxx stops the resending; supervision is what remains until the CCR', () => {
    const { till, session, reply } = sent();
    expect(reply('acknowledged')).toBe('acknowledged');
    expect(pendingDueAt(session().pending)).toBe(Number.POSITIVE_INFINITY);
    expect(till.wheel.get('s')).toBe(session().superviseAt);
    till.ask(requestOf('update', 1, [asks({ used: { octets: 10 }, asked: {} })]));
    expect(session()).not.toHaveProperty('pending');
  });

  test.each<[string, Reply]>([
    ['C-204 5002', 'unknown-session'],
    ['C-204 any other 5xxx', 'refused'],
  ])('%s ends the session, and what it held is free', (_, word) => {
    const { till, session, reply } = sent();
    expect(reply(word)).toBe(word);
    expect(session().state).toBe('abandoned');
    expect(session()).not.toHaveProperty('pending');
    expect([till.available('main'), till.reserved('main')]).toEqual([1000, 0]);
    expect(till.records.at(-1)).toMatchObject({ kind: 'reauthorisation', outcome: word });
  });

  test('3xxx makes the next attempt take another way', () => {
    const { session, reply } = sent();
    const { nextAt } = session().pending!;
    expect(reply('undeliverable')).toBe('undeliverable');
    expect(session().pending).toMatchObject({ deadEnds: 1, nextAt, acknowledged: false });
  });

  test('4xxx changes nothing: the next attempt comes in its time', () => {
    const { session, reply } = sent();
    const before = session();
    expect(reply('later')).toBeUndefined();
    expect(session()).toBe(before);
  });

  test('to what is no longer asked change nothing', () => {
    const { till, session, reply } = sent();
    expect(reply('acknowledged', 7)).toBeUndefined();
    till.ask(requestOf('update', 1, [asks({ used: { octets: 10 }, asked: {} })]));
    expect(reply('unknown-session')).toBeUndefined();
    expect(session().state).toBe('open');
  });

  test('a client that promised to end its session, and does not, loses it', () => {
    const { till, session, known, reply } = sent('abort');
    expect(reply('acknowledged')).toBe('acknowledged');
    expect(till.wheel.get('s')).toBe(till.now + PROMISE_MS);
    till.now += PROMISE_MS;
    expect(stepTimer(session(), known())).toEqual({ kind: 'initiate' });
    till.commit('s', attempt(session(), known(), { endToEnd: 1, answerMs: ANSWER_MS })!.change);
    expect(session().state).toBe('abandoned');
  });

  test.each<Reply>(['unknown-session', 'refused'])('%s to an ASR ends the session here', (word) => {
    const { till, session, reply } = sent('abort');
    reply(word);
    expect(session().state).toBe('abandoned');
    expect(till.records.at(-1)).toMatchObject({ kind: 'abort', outcome: 'success' });
  });

  test('a termination is the answer to everything', () => {
    const { till, session } = sent('abort');
    till.ask(requestOf('termination', 1, [asks({ used: { octets: 10 } })]));
    expect(session()).not.toHaveProperty('pending');
    expect(session().state).toBe('ended');
  });
});

describe('C-202 a CCR that was on its way', () => {
  const service = (ratingGroup: number, part: Partial<Service> = {}): Service => ({
    ...{ ratingGroup, serviceIds: [], rule: 'r', planVersion: 1, unit: 'octets' },
    ...{ used: 0, rated: 0, cost: 0, grant: { parts: [], units: 1, final: false } },
    ...part,
  });
  const inPool = { parts: [], units: 1, final: false, pool: 5 };
  const going = [
    service(1, { grant: inPool }),
    service(2),
    service(3, { grant: inPool }),
    service(4, { serviceIds: [7] }),
    service(4, { serviceIds: [8] }),
  ];
  const { grant: _, ...over } = service(6);
  const named = (...services: Parameters<typeof asks>[0][]) => services.map((one) => asks(one));
  const everyOne = going.map(({ ratingGroup = 0, serviceIds }) =>
    asks({ ratingGroup, serviceIds }),
  );

  test.each<[string, Scope, ReturnType<typeof named>]>([
    ['every service, for the session', {}, everyOne],
    ['its own rating group', { ratingGroup: 1 }, named({ ratingGroup: 1 })],
    ['a rating group with all that is in it', { ratingGroup: 4 }, named({ ratingGroup: 4 })],
    ['its services, each', { ratingGroup: 4 }, everyOne.slice(3)],
    [
      'its own service',
      { ratingGroup: 4, serviceId: 7 },
      named({ ratingGroup: 4, serviceIds: [7] }),
    ],
    ['every service of the pool', { pool: 5 }, named({ ratingGroup: 1 }, { ratingGroup: 3 })],
    ['a service that was not going on', { ratingGroup: 9 }, named({ ratingGroup: 9 })],
  ])('answers all of it: %s', (_, scope, asked) => {
    expect(stillPending(pendingOf(scope), asked, [...going, over])).toBeUndefined();
  });

  test.each<[string, Scope, ReturnType<typeof named>]>([
    ['another rating group', { ratingGroup: 1 }, named({ ratingGroup: 2 })],
    [
      'another service',
      { ratingGroup: 4, serviceId: 7 },
      named({ ratingGroup: 4, serviceIds: [8] }),
    ],
    ['a service outside the pool', { pool: 5 }, named({ ratingGroup: 2 })],
    ['a service that was not going on', {}, named({ ratingGroup: 6 })],
    ['nothing', {}, []],
  ])('answers nothing of it: %s', (_, scope, asked) => {
    const pending = pendingOf(scope);
    expect(stillPending(pending, asked, [...going, over])).toBe(pending);
  });

  test('answers what it names: the rest of the session, or of a pool, stays to be asked', () => {
    const three = going.slice(0, 3);
    const once = stillPending(pendingOf(), named({ ratingGroup: 3 }), three)!;
    expect(once).toMatchObject({
      ...{ scope: {}, sends: 0 },
      left: [
        { ratingGroup: 1, serviceIds: [] },
        { ratingGroup: 2, serviceIds: [] },
      ],
    });
    // What was answered stays answered; of one that is left a RAR can say that it is that one.
    const twice = stillPending(once, named({ ratingGroup: 1 }), three)!;
    expect(twice).toMatchObject({
      scope: { ratingGroup: 2 },
      left: [{ ratingGroup: 2, serviceIds: [] }],
    });
    expect(stillPending(twice, named({ ratingGroup: 3 }), three)).toBe(twice);
    expect(stillPending(twice, named({ ratingGroup: 2 }), three)).toBeUndefined();
    const pool = stillPending(pendingOf({ pool: 5 }), named({ ratingGroup: 1 }), three)!;
    expect(pool.scope).toEqual({ ratingGroup: 3 });
  });

  test('what was sent is sent again as it was, whatever is left of it', () => {
    const sent = pendingOf({}, { attempts: 1, sends: 1, endToEnd: 9 });
    const left = stillPending(sent, named({ ratingGroup: 1 }), going.slice(0, 2))!;
    expect(left).toEqual({ ...sent, left: [{ ratingGroup: 2, serviceIds: [] }] });
  });

  test('a wish for what was answered meanwhile is another one', () => {
    const left = wantedFor(going.slice(0, 2), 'top-up');
    const pending = withWanted(undefined, left, { now: START })!;
    expect(withWanted(pending, left, { now: START })).toBeUndefined();
    expect(withWanted(pending, wish({ ratingGroup: 2 }), { now: START })).toBeUndefined();
    const third = withWanted(pending, wish({ ratingGroup: 3 }), { now: START })!;
    expect(third.scope).toEqual({});
    expect(third).not.toHaveProperty('left');
    const more = withWanted(pending, wantedFor(going.slice(1, 3), 'top-up'), { now: START })!;
    expect(more.left?.map(({ ratingGroup }) => ratingGroup)).toEqual([1, 2, 3]);
  });

  test('although it is refused: it takes away the grant that belonged to the pool', () => {
    const rule = ruleOf({ pool: 1, quota: { size: 50, minimum: 1, maximum: 1000 } });
    const till = new Till({ plan: planOf([rule]), openings: { main: 50 } });
    till.ask(requestOf('initial', 0, [asks({ asked: {} })]));
    till.commit('s', ask(till.session()!, wish({ pool: 1 }), till.now)!);
    const report = asks({ used: { octets: 50 }, asked: {}, reasons: [7] });
    const { services } = till.ask(requestOf('update', 1, [report]));
    expect(services[0]?.outcome).toBe('credit-limit-reached');
    expect(till.session()).not.toHaveProperty('pending');
  });

  test('after a top-up both restricted services are asked, whatever a third one reports', () => {
    const redirect = { type: 2, address: 'http://pay.example/' } as const;
    const { price: _, ...free } = ruleOf({ name: 'chat', match: { ratingGroup: [3] } });
    const paid = ruleOf({ name: 'paid', atEnd: { action: 'redirect', redirect } });
    const till = new Till({ plan: planOf([free, paid]), openings: { main: 0 } });
    const three = [1, 2, 3].map((ratingGroup) => asks({ ratingGroup, asked: {} }));
    till.ask(requestOf('initial', 0, three));
    const exhausted = till.session()!.services.filter((one) => one.exhausted === 'restricted');
    expect(exhausted).toHaveLength(2);
    till.commit('s', ask(till.session()!, wantedFor(exhausted, 'top-up'), till.now)!);
    const update = (number: number, ratingGroup: number) =>
      till.ask(
        requestOf('update', number, [asks({ ratingGroup, used: { octets: 5 }, asked: {} })]),
      );
    update(1, 3);
    expect(till.session()!.pending).toMatchObject({ scope: {}, sends: 0 });
    expect(till.wake()).toBe('initiate');
    update(2, 2);
    expect(till.session()!.pending).toMatchObject({ scope: { ratingGroup: 1 } });
    update(3, 1);
    expect(till.session()).not.toHaveProperty('pending');
  });

  test('does not answer an ASR unless it ends the session', () => {
    const abort = pendingOf({}, { kind: 'abort' });
    expect(stillPending(abort, [asks({})], [])).toBe(abort);
  });

  test('that is a duplicate answers nothing', () => {
    const { till, session } = opened();
    till.commit('s', ask(session(), wish(), till.now)!);
    till.ask(requestOf('initial', 0, [asks({ asked: {} })]));
    expect(session().pending).toBeDefined();
  });
});

describe('the end of a bundle', () => {
  const HOUR = 3_600_000;
  function bundled(part: { reauthoriseAtExpiry?: boolean }) {
    const till = new Till({
      buckets: [
        { id: 'day', unit: 'octets', priority: 1, floor: 0, expiresAt: START + HOUR },
        { id: 'main', unit: 'money', priority: 9, floor: 0 },
      ],
      openings: { day: 500, main: 1000 },
      plan: planOf([ruleOf()], { supervisionSeconds: 86_400, ...part }),
    });
    till.ask(requestOf('initial', 0, [asks({ asked: {} })]));
    return till;
  }

  test('has the client asked, where the plan says so', () => {
    const till = bundled({ reauthoriseAtExpiry: true });
    expect(till.session()?.reauthoriseAt).toBe(START + HOUR);
    till.now = START + HOUR;
    const known = {
      ...{ now: till.now, account: till.account(), plan: till.plan, fresh: true },
      ...{ reserving: false, settings },
    };
    till.wheel.set('s', till.now);
    expect(till.wake()).toBe('initiate');
    const made = attempt(till.session()!, known, { endToEnd: 1, answerMs: ANSWER_MS })!;
    till.commit('s', made.change);
    expect(till.session()).not.toHaveProperty('reauthoriseAt');
    expect(till.session()?.pending).toMatchObject({
      ...{ reason: 'expiry', scope: { ratingGroup: 1 }, attempts: 0, nextAt: till.now },
    });
  });

  test('moves with what is granted: without a grant of it nobody is asked', () => {
    const till = bundled({ reauthoriseAtExpiry: true });
    till.ask(requestOf('update', 1, [asks({ used: { octets: 100 } })]));
    expect(till.session()).not.toHaveProperty('reauthoriseAt');
  });

  test('has nobody asked where the plan does not say so', () => {
    expect(bundled({}).session()).not.toHaveProperty('reauthoriseAt');
  });
});
