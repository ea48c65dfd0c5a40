/**
 * Random weeks of one shared account, charged by the product and by the model beside it: several
 * sessions and services, bundles with priority, start, expiry, renewal and first use, caps per
 * subscriber, credit limits, overruns, tariff changes, pools, clients that are redirected,
 * duplicates, contradictions, refusals, requests out of order, late usage, timers. Both must agree
 * to the unit after every step.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Bucket, drawOrder, periodField, type Renewal } from '../../src/charging/account.ts';
import type { Answer } from '../../src/charging/answer.ts';
import type { Plan, Rule } from '../../src/charging/plan.ts';
import type { SubscriberId } from '../../src/charging/request.ts';
import {
  endOfPeriod,
  Ledger,
  type ModelAsk,
  type ModelBucket,
  type ModelRequest,
  type ModelRule,
  type ModelTariff,
  type ModelUnit,
  words,
} from './ledger-model.ts';
import { main, planOf, requestOf, ruleOf, START, Till } from './till.ts';

const GROUPS = [1, 2, 3];
const SUBSCRIBERS = ['e164:1', 'imsi:2'];
/** Whose a session is. */
const OWNERS: Record<string, string> = { a: 'e164:1', b: 'imsi:2', c: 'e164:1', d: 'imsi:2' };
const HOUR = 3_600_000;
const minutes = (count: number): number => count * 60_000;

const price = fc.record({
  amount: fc.integer({ min: 1, max: 9 }),
  per: fc.integer({ min: 1, max: 7 }),
  increment: fc.integer({ min: 1, max: 12 }),
});

const rule = fc
  .record({
    price: fc.option(price, { nil: undefined, freq: 6 }),
    size: fc.integer({ min: 1, max: 40 }),
    minimum: fc.integer({ min: 1, max: 40 }),
    maximum: fc.integer({ min: 1, max: 60 }),
    validitySeconds: fc.option(fc.integer({ min: 60, max: 1800 }), { nil: undefined }),
    atEnd: fc.constantFrom<Rule['atEnd']>(
      { action: 'terminate' },
      { action: 'redirect', redirect: { type: 2, address: 'http://portal' } },
      'deny',
    ),
    pool: fc.constantFrom(undefined, 1, 1, 2),
  })
  .map(({ size, minimum, maximum, price: at, validitySeconds, atEnd, pool }) => ({
    atEnd,
    ...(pool === undefined ? {} : { pool }),
    quota: { size, minimum: Math.min(minimum, size), maximum: Math.max(size, maximum) },
    ...(at === undefined ? {} : { price: at }),
    ...(validitySeconds === undefined ? {} : { validitySeconds }),
  }));

/**
 * A rule, and one that holds instead in a part of every so many minutes of the day; most begin within
 * the first hours.
 */
const tariff = fc.record({
  unit: fc.constantFrom<ModelUnit>('octets', 'seconds'),
  rule,
  window: fc.option(
    fc.record({
      rule,
      every: fc.constantFrom(1440, 1440, 60, 8),
      from: fc.oneof(fc.nat(120), fc.nat(240), fc.nat(1400)),
      length: fc.oneof(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 1, max: 300 }),
      ),
    }),
    { nil: undefined, freq: 4 },
  ),
});

const LENGTH = { hour: HOUR, day: 24 * HOUR, week: 168 * HOUR, month: 744 * HOUR };

/** The first period ends within two hours: the start is that of a month after one of 31 days. */
const renewal = fc
  .record({
    every: fc.constantFrom<Renewal['every']>('hour', 'day', 'week', 'month'),
    ends: fc.integer({ min: 1, max: 120 }),
    amount: fc.nat(120),
    rollover: fc.oneof(fc.constant(0), fc.nat(60)),
  })
  .map(
    ({ every, ends, amount, rollover }): Renewal => ({
      ...{ every, amount, rollover, timeZone: 'UTC' },
      from: START + minutes(ends) - LENGTH[every],
    }),
  );

const turns = fc.oneof(
  { weight: 3, arbitrary: fc.constant({}) },
  { weight: 2, arbitrary: fc.record({ renewal }) },
  {
    weight: 1,
    arbitrary: fc.integer({ min: 1, max: 240 }).map((lasts) => ({ lastsMs: minutes(lasts) })),
  },
);

const bucket = fc.record({
  unit: fc.constantFrom<ModelUnit | 'money'>('octets', 'octets', 'seconds', 'money'),
  opening: fc.integer({ min: 0, max: 120 }),
  limit: fc.nat(30),
  starts: fc.option(fc.integer({ min: 1, max: 240 }), { nil: undefined, freq: 1 }),
  expires: fc.option(fc.integer({ min: 1, max: 240 }), { nil: undefined }),
  turns,
  limits: fc.option(fc.subarray(SUBSCRIBERS), { nil: undefined, freq: 2 }),
  /** It has the priority of the one written before it. */
  alike: fc.boolean(),
  /** Of a limit: it is drawn after all that pay. */
  behind: fc.boolean(),
  paysFor: fc.option(fc.subarray(['r1', 'r2', 'r3', 'r1w', 'r2w', 'r3w'], { minLength: 1 }), {
    nil: undefined,
  }),
});

const service = fc
  .record(
    {
      group: fc.constantFrom(...GROUPS),
      used: fc.oneof({ weight: 3, arbitrary: fc.nat(50) }, { weight: 1, arbitrary: fc.nat(1500) }),
      after: fc.nat(40),
      straddling: fc.nat(9),
      ask: fc.nat(60),
    },
    { requiredKeys: ['group'] },
  )
  .map(({ after, straddling, ...one }): ModelAsk => {
    if (one.used === undefined) return one;
    return {
      ...one,
      ...(after === undefined ? {} : { after }),
      ...(straddling === undefined ? {} : { straddling }),
    };
  });

const request = fc.record({
  kind: fc.oneof(
    { weight: 3, arbitrary: fc.constant('initial' as const) },
    { weight: 9, arbitrary: fc.constant('update' as const) },
    { weight: 1, arbitrary: fc.constant('termination' as const) },
  ),
  session: fc.constantFrom(...Object.keys(OWNERS)),
  number: fc.oneof(fc.nat(25), fc.nat(5000), fc.nat(5000)),
  refused: fc.integer({ min: 0, max: 30 }).map((one) => one === 0),
  reserving: fc.integer({ min: 0, max: 15 }).map((one) => one !== 0),
  lastOnly: fc.integer({ min: 0, max: 15 }).map((one) => one === 0),
  late: fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.nat(900) }),
  told: fc.constantFrom(undefined, 'single' as const, 'dual' as const),
  services: fc.uniqueArray(service, { selector: (one) => one.group, maxLength: 3 }),
});

const move = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('ask' as const), request }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('again' as const), back: fc.nat(30) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      seconds: fc.oneof(fc.nat(120), fc.nat(2400)),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('windows' as const) }) },
);

const account = fc.record({
  buckets: fc.array(bucket, { maxLength: 4 }),
  main: fc.record({ opening: fc.nat(400), limit: fc.nat(60), turns, alike: fc.boolean() }),
  tariffs: fc.tuple(tariff, tariff, tariff),
  straddles: fc.constantFrom('before' as const, 'after' as const),
  /** The plan has no windows at first. */
  isPlain: fc.boolean(),
});

type Written = typeof account extends fc.Arbitrary<infer T> ? T : never;
type Limited = typeof bucket extends fc.Arbitrary<infer T> ? T : never;

function build({ buckets, main: last, tariffs, straddles, isPlain }: Written): {
  till: Till;
  ledger: Ledger;
  units: ReadonlyMap<number, ModelUnit>;
  /** Its plan from when it gets its windows on. */
  windowed: Plan;
} {
  const named = buckets.map((one, i) => ({ ...one, id: `b${i}` }));
  const isBehind = ({ limits, behind }: Limited): boolean => limits !== undefined && behind;
  const written = [
    ...named.filter((one) => !isBehind(one)),
    { ...last, id: 'main', unit: 'money' as const },
    ...named.filter(isBehind),
  ];
  let priority = 0;
  const defined = written.map((one): Bucket => {
    if (!one.alike) priority++;
    const { starts, expires, limits, paysFor } = one as Partial<Limited>;
    return {
      ...main,
      id: one.id,
      unit: one.unit,
      priority,
      floor: one.unit === 'money' ? 0 - one.limit : 0,
      ...(starts === undefined ? {} : { startsAt: START + minutes(starts) }),
      ...(expires === undefined ? {} : { expiresAt: START + minutes(expires) }),
      ...one.turns,
      ...(limits === undefined ? {} : { limits }),
      ...(paysFor === undefined ? {} : { paysFor }),
    };
  });
  const rules = tariffs.map(({ unit, rule: usual, window }, i) => {
    const group = { unit, match: { ratingGroup: [i + 1] } };
    return {
      rule: ruleWritten(usual, { ...group, name: `r${i + 1}` }),
      ...(window === undefined
        ? {}
        : { window: windowOf(window, { ...group, name: `r${i + 1}w` }) }),
    };
  });
  const part = { supervisionSeconds: 3000, validityGraceSeconds: 30, indeterminate: straddles };
  const windowed: Plan = planOf(
    rules.flatMap(({ rule: usual, window }) =>
      window === undefined ? [usual] : [window.rule, usual],
    ),
    { ...part, version: isPlain ? 2 : 1 },
  );
  const usual = rules.map((one) => one.rule);
  const plan = isPlain ? planOf(usual, part) : windowed;
  const openings = Object.fromEntries(written.map(({ id, opening }) => [id, opening]));
  const till = new Till({ buckets: defined.toSorted(drawOrder), openings, plan });
  const ledger = new Ledger({
    buckets: defined.map((one) => modelOf(one, openings[one.id] ?? 0)),
    tariffs: new Map(
      rules.map(({ rule: usual, window }, i): [number, ModelTariff] => [
        GROUPS[i]!,
        {
          rule: ruleModelOf(usual),
          ...(window === undefined
            ? {}
            : { window: { ...window, rule: ruleModelOf(window.rule) } }),
        },
      ]),
    ),
    straddles,
    supervision: 3_000_000,
    grace: 30_000,
    hasWindows: !isPlain,
  });
  return { till, ledger, windowed, units: new Map(tariffs.map(({ unit }, i) => [i + 1, unit])) };
}

type Part = typeof rule extends fc.Arbitrary<infer T> ? T : never;

type Named = Pick<Rule, 'name' | 'unit' | 'match'>;

function ruleWritten(part: Part, of: Named): Rule {
  const { price: _paid, ...free } = ruleOf(of);
  return { ...free, ...part };
}

function windowOf(
  { rule: part, every, ...of }: { rule: Part; every: number; from: number; length: number },
  named: Named,
) {
  const from = of.from % every;
  const until = Math.min(every, from + of.length);
  const times = Array.from({ length: 1440 / every }, (_, i) => i * every);
  const when = times.map((time) => ({ from: time + from, until: time + until }));
  const match = { ...named.match, when };
  return { every, from, until, rule: ruleWritten(part, { ...named, match }) };
}

function ruleModelOf(of: Rule): ModelRule {
  const { name, unit, price: at, quota, validitySeconds, atEnd, pool } = of;
  const { size, minimum, maximum } = quota;
  return {
    name,
    unit: unit === 'seconds' ? unit : 'octets',
    ...(at === undefined
      ? {}
      : {
          price: {
            amount: BigInt(at.amount),
            per: BigInt(at.per),
            increment: BigInt(at.increment),
          },
        }),
    ...{ size: BigInt(size), minimum: BigInt(minimum), maximum: BigInt(maximum) },
    ...(validitySeconds === undefined ? {} : { validity: validitySeconds * 1000 }),
    atEnd: atEnd === 'deny' ? 'deny' : atEnd.action === 'terminate' ? 'terminate' : 'redirect',
    ...(pool === undefined ? {} : { pool }),
  };
}

function modelOf(bucket: Bucket, opening: number): ModelBucket {
  const { id, unit, priority, floor, startsAt, expiresAt } = bucket;
  const { renewal: filled, lastsMs, limits, paysFor } = bucket;
  const model: ModelBucket = {
    id,
    priority,
    kind: unit === 'money' || unit === 'seconds' ? unit : 'octets',
    floor: BigInt(floor),
    available: BigInt(opening),
    reserved: 0n,
    charged: 0n,
    expired: 0n,
    renewed: 0n,
    ...(startsAt === undefined ? {} : { startsAt }),
    ...(expiresAt === undefined ? {} : { expiresAt }),
    ...(lastsMs === undefined ? {} : { lasts: lastsMs }),
    ...(limits === undefined ? {} : { limits }),
    ...(paysFor === undefined ? {} : { paysFor }),
  };
  if (filled === undefined) return model;
  const { every, from, amount, rollover } = filled;
  const own = { every, from, amount: BigInt(amount), rollover: BigInt(rollover) };
  return { ...model, renewal: own, endsAt: endOfPeriod(own, Math.max(START, startsAt ?? 0)) };
}

function askTill(till: Till, asked: ModelRequest, units: ReadonlyMap<number, ModelUnit>): string {
  const { kind, session, number, refused, reserving, lastOnly, late, told, services } = asked;
  const answer = till.ask(
    requestOf(
      kind,
      number,
      services.map((one) => serviceOf(one, units.get(one.group)!)),
      {
        sessionId: session,
        ...(kind === 'initial' ? { subscriber: subscriberOf(asked.subscriber) } : {}),
        ...(refused ? { refusal: { resultCode: 5005 } } : {}),
        ...(told === undefined ? {} : { tariffChange: told }),
        ...(late === 0 ? {} : { occurredAt: till.now - late * 1000 }),
      },
    ),
    { reserving, lastOnly },
  );
  return wordsOf(answer);
}

function subscriberOf(text: string): SubscriberId {
  const [kind, id] = text.split(':') as [SubscriberId['kind'], string];
  return { kind, id };
}

function serviceOf({ group, used, after, straddling, ask }: ModelAsk, unit: ModelUnit) {
  return {
    ratingGroup: group,
    serviceIds: [],
    ...(used === undefined ? {} : { used: { [unit]: used } }),
    ...(after === undefined ? {} : { usedAfter: { [unit]: after } }),
    ...(straddling === undefined ? {} : { usedIndeterminate: { [unit]: straddling } }),
    ...(ask === undefined ? {} : { asked: ask === 0 ? {} : { [unit]: ask } }),
  };
}

function wordsOf({ outcome, services }: Answer): string {
  const told = services.map(({ ratingGroup, tariffChange, granted, final, ...one }) => {
    const { at, after } = tariffChange ?? {};
    return words(ratingGroup, {
      ...{ outcome: one.outcome, units: granted?.units, final: final !== undefined },
      validity: one.validitySeconds,
      change: after === undefined ? `${at ?? ''}` : `${at}/${after}`,
    });
  });
  return [outcome, ...told].join(' ');
}

describe('random accounts', () => {
  test('are charged as the model charges them', () => {
    fc.assert(
      fc.property(
        account,
        fc.array(move, { minLength: 10, maxLength: 60, size: 'max' }),
        (written, moves) => {
          const { till, ledger, windowed, units } = build(written);
          const asked: ModelRequest[] = [];
          for (const one of moves) {
            if (one.kind === 'wait') {
              till.now += one.seconds * 1000;
              for (const key of [...till.wheel.keys()])
                while (['change', 'rearm'].includes(till.wake(key)));
              ledger.tick(till.now);
            } else if (one.kind === 'windows') {
              till.plan = windowed;
              ledger.openWindows();
            } else {
              const next =
                one.kind === 'ask'
                  ? { ...one.request, subscriber: OWNERS[one.request.session]! }
                  : asked[Math.max(0, asked.length - 1 - one.back)];
              // A refused initial never comes to be charged.
              if (next === undefined || (next.kind === 'initial' && next.refused)) continue;
              asked.push(next);
              expect(askTill(till, next, units)).toBe(ledger.ask(next, till.now));
            }
            for (const {
              id,
              available,
              reserved,
              renewal: filled,
              lasts,
              endsAt,
            } of ledger.buckets) {
              const period =
                filled !== undefined || lasts !== undefined ? (endsAt ?? 0) : undefined;
              expect([id, till.counters[periodField(id)]]).toEqual([id, period]);
              expect([id, till.available(id)]).toEqual([id, Number(available)]);
              expect([id, till.reserved(id)]).toEqual([id, Number(reserved)]);
            }
            expectConserved(till, ledger);
          }
        },
      ),
      { numRuns: 800 },
    );
  }, 120_000);

  function expectConserved(till: Till, ledger: Ledger): void {
    for (const { id, charged, expired, renewed } of ledger.buckets) {
      let charges = 0;
      let expiries = 0;
      let renewals = 0;
      for (const { changes } of till.records)
        for (const change of changes) {
          if (change.bucket !== id) continue;
          if (change.cause === 'debit' || change.cause === 'overrun')
            charges -= change.available + change.reserved;
          if (change.cause === 'expiry') expiries -= change.available + change.reserved;
          if (change.cause === 'renewal') renewals += change.available + change.reserved;
        }
      const model = [Number(charged), Number(expired), Number(renewed)];
      expect([id, charges, expiries, renewals]).toEqual([id, ...model]);
      expect(till.available(id) + till.reserved(id) + charges + expiries - renewals).toBe(
        till.openings[id],
      );
    }
  }
});
