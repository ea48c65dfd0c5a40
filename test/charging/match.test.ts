/**
 * Which rule holds. The fast way is compared with one that is written out below, condition by
 * condition and minute by minute; that it is fast is shown by counting the rules it looks at.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  examined,
  knowsContext,
  nextChange,
  ruleFor,
  type ServiceFacts,
} from '../../src/charging/match.ts';
import type { Plan, Rule, Window } from '../../src/charging/plan.ts';
import { Prefixes } from '../../src/charging/prefixes.ts';

const DATA = '32251@3gpp.org';
const VOICE = '32260@3gpp.org';
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const at = (text: string): number => Date.parse(`${text.replace(' ', 'T')}Z`);
const NOON = at('2026-06-10 12:00'); // a Wednesday

function rule(name: string, match: Rule['match'] = {}): Rule {
  return {
    name,
    match,
    unit: 'octets',
    quota: { size: 1, minimum: 1, maximum: 1 },
    atEnd: 'deny',
    restrictedSeconds: 60,
  };
}

function planOf(rules: readonly Rule[], of: Partial<Plan> = {}): Plan {
  return {
    id: 'plan',
    version: 1,
    rules,
    supervisionSeconds: 60,
    validityGraceSeconds: 60,
    timeZone: 'UTC',
    holidays: [],
    indeterminate: 'after',
    ...of,
  };
}

const asked = (of: Partial<ServiceFacts> = {}): ServiceFacts => ({
  context: DATA,
  serviceIds: [],
  ...of,
});

const chosen = (plan: Plan, service: ServiceFacts, when = NOON): string | undefined =>
  ruleFor(plan, service, when)?.name;

describe('a condition', () => {
  const facts = (facts: ServiceFacts['facts']) => asked({ facts });
  test.each<[string, Rule['match'], ServiceFacts, ServiceFacts]>([
    ['context', { context: [DATA] }, asked(), asked({ context: VOICE })],
    ['rating group', { ratingGroup: [1, 2] }, asked({ ratingGroup: 2 }), asked({ ratingGroup: 3 })],
    [
      'a rating group, where there is none',
      { ratingGroup: [1] },
      asked({ ratingGroup: 1 }),
      asked(),
    ],
    ['no rating group', { ratingGroup: [null] }, asked(), asked({ ratingGroup: 0 })],
    [
      'service identifiers, all of them',
      { serviceIdentifier: [1, 2] },
      asked({ serviceIds: [1, 2] }),
      asked({ serviceIds: [1, 3] }),
    ],
    [
      'service identifiers, where there is none',
      { serviceIdentifier: [1] },
      asked({ serviceIds: [1] }),
      asked(),
    ],
    ['APN', { apn: ['internet'] }, facts({ apn: 'internet' }), facts({ apn: 'ims' })],
    ['APN, where there is none', { apn: ['internet'] }, facts({ apn: 'internet' }), asked()],
    ['RAT', { rat: [6] }, facts({ rat: 6 }), facts({ rat: 1 })],
    [
      'visited network',
      { visited: ['2620', '310'] },
      facts({ visited: '26201' }),
      facts({ visited: '26301' }),
    ],
    ['called prefix', { called: ['49'] }, facts({ called: '4917' }), facts({ called: '4' })],
    ['calling prefix', { calling: ['49'] }, facts({ calling: '49' }), facts({ called: '49' })],
    [
      'role',
      { role: ['originating'] },
      facts({ role: 'originating' }),
      facts({ role: 'terminating' }),
    ],
    ['nothing at all', { ratingGroup: [] }, asked(), asked({ ratingGroup: 1 })],
  ])('%s', (name, match, holds, fails) => {
    const plan = planOf([rule('it', match)]);
    expect(chosen(plan, holds)).toBe(name === 'nothing at all' ? undefined : 'it');
    expect(chosen(plan, fails)).toBeUndefined();
  });

  test('all that are written have to hold', () => {
    const plan = planOf([rule('it', { context: [DATA], ratingGroup: [1], rat: [6] })]);
    const all = asked({ ratingGroup: 1, facts: { rat: 6 } });
    expect(chosen(plan, all)).toBe('it');
    expect(chosen(plan, { ...all, context: VOICE })).toBeUndefined();
    expect(chosen(plan, { ...all, ratingGroup: 2 })).toBeUndefined();
    expect(chosen(plan, { ...all, facts: {} })).toBeUndefined();
  });
});

describe('of several rules', () => {
  const call = (called: string, calling = '491') =>
    asked({ context: VOICE, facts: { called, calling } });

  test('the longest called prefix decides, wherever it stands', () => {
    const plan = planOf([
      rule('any'),
      rule('germany', { called: ['49'] }),
      rule('mobile', { called: ['4915', '4917'] }),
      rule('premium', { called: ['49900', '4'] }),
    ]);
    expect(chosen(plan, call('4917123'))).toBe('mobile');
    expect(chosen(plan, call('4930'))).toBe('germany');
    expect(chosen(plan, call('49900'))).toBe('premium');
    expect(chosen(plan, call('44'))).toBe('premium');
    expect(chosen(plan, call('1'))).toBe('any');
    expect(chosen(plan, asked())).toBe('any');
  });

  test('then the longest calling prefix, then the order', () => {
    const plan = planOf([
      rule('first', { called: ['49'] }),
      rule('second', { called: ['49'] }),
      rule('ours', { called: ['49'], calling: ['491'] }),
      rule('theirs', { calling: ['4912'] }),
    ]);
    expect(chosen(plan, call('49', '4912'))).toBe('ours');
    expect(chosen(plan, call('49', '48'))).toBe('first');
    expect(chosen(plan, call('1', '4912'))).toBe('theirs');
  });

  test('a visited network gives no precedence', () => {
    const plan = planOf([rule('europe', { visited: ['2'] }), rule('here', { visited: ['26201'] })]);
    expect(chosen(plan, asked({ facts: { visited: '26201' } }))).toBe('europe');
  });

  test('the one whose time it is', () => {
    const night = { from: 22 * 60, until: 1440 };
    const plan = planOf([rule('night', { when: [night], called: ['49'] }), rule('day')]);
    expect(chosen(plan, call('49'))).toBe('day');
    expect(chosen(plan, call('49'), at('2026-06-10 22:00'))).toBe('night');
  });
});

describe('times of use', () => {
  const openAt = (when: readonly Window[], of: Partial<Plan> = {}) => {
    const plan = planOf([rule('open', { when })], of);
    return (utc: string) => chosen(plan, asked(), at(utc)) === 'open';
  };

  test('from a minute until another, in local time', () => {
    const open = openAt([{ from: 8 * 60, until: 9 * 60 }], { timeZone: 'America/New_York' });
    expect(['11:59', '12:00', '12:59', '13:00'].map((time) => open(`2026-06-10 ${time}`))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  test('the local day counts, not that of UTC', () => {
    const open = openAt([{ days: [4], from: 0, until: 1440 }], { timeZone: 'Asia/Kolkata' });
    expect(open('2026-06-10 18:29')).toBe(false);
    expect(open('2026-06-10 18:30')).toBe(true);
    expect(open('2026-06-11 18:29')).toBe(true);
    expect(open('2026-06-11 18:30')).toBe(false);
  });

  test('a holiday is no weekday, and part of every day', () => {
    const of = { holidays: ['2026-06-10'] };
    expect(openAt([{ days: [3], from: 0, until: 1440 }], of)('2026-06-10 12:00')).toBe(false);
    expect(openAt([{ days: [8], from: 0, until: 1440 }], of)('2026-06-10 12:00')).toBe(true);
    expect(openAt([{ from: 0, until: 1440 }], of)('2026-06-10 12:00')).toBe(true);
    expect(openAt([{ days: [8], from: 0, until: 1440 }], of)('2026-06-11 12:00')).toBe(false);
    expect(openAt([{ days: [3], from: 0, until: 1440 }])('2026-06-10 12:00')).toBe(true);
  });

  describe('beyond midnight belongs to the day before', () => {
    const nights = (days: readonly number[], holidays: readonly string[]) => {
      const plan = planOf([rule('night', { when: [{ days, from: 22 * 60, until: 30 * 60 }] })], {
        holidays,
      });
      return (utc: string) => chosen(plan, asked(), at(utc)) === 'night';
    };
    const workdays = [1, 2, 3, 4, 5];

    test('its last minute is not in it', () => {
      const open = nights(workdays, []);
      // A Monday, after a Sunday's night, and a Saturday, after a Friday's.
      expect(['21:59', '22:00', '23:59'].map((time) => open(`2026-12-21 ${time}`))).toEqual([
        false,
        true,
        true,
      ]);
      expect(['2026-12-21 00:00', '2026-12-21 05:59'].map(open)).toEqual([false, false]);
      expect(['2026-12-26 00:00', '2026-12-26 05:59', '2026-12-26 06:00'].map(open)).toEqual([
        true,
        true,
        false,
      ]);
    });

    test('so it goes on into a holiday', () => {
      const open = nights(workdays, ['2026-12-25']);
      expect(open('2026-12-25 00:30')).toBe(true);
      expect(open('2026-12-25 22:30')).toBe(false);
    });

    test('and a holiday has no more of it on the day after', () => {
      const open = nights(workdays, ['2026-12-24']);
      expect(open('2026-12-24 05:59')).toBe(true);
      expect(open('2026-12-24 23:59')).toBe(false);
      expect(open('2026-12-25 00:30')).toBe(false);
      expect(open('2026-12-25 22:30')).toBe(true);
    });

    test('the night that begins on a holiday is a night of its own', () => {
      const open = nights([8], ['2026-12-25', '2026-12-26']);
      expect(['2026-12-25 05:59', '2026-12-25 22:00', '2026-12-26 05:59'].map(open)).toEqual([
        false,
        true,
        true,
      ]);
      expect(['2026-12-26 22:00', '2026-12-27 05:59', '2026-12-27 22:00'].map(open)).toEqual([
        true,
        true,
        false,
      ]);
    });

    test('where no day is named, it is every night', () => {
      const open = openAt([{ from: 22 * 60, until: 30 * 60 }], { holidays: ['2026-06-10'] });
      expect(['2026-06-10 05:59', '2026-06-10 06:00', '2026-06-10 22:00'].map(open)).toEqual([
        true,
        false,
        true,
      ]);
    });

    test('and ends as the next change says', () => {
      const night = { days: workdays, from: 22 * 60, until: 30 * 60 };
      const plan = planOf([rule('night', { when: [night] }), rule('day')], {
        holidays: ['2026-12-24'],
      });
      const next = (utc: string) => {
        const change = nextChange(plan, asked(), at(utc), at(utc) + 3 * 24 * HOUR_MS);
        return [change?.rule?.name, change && new Date(change.at).toISOString().slice(0, 16)];
      };
      expect(next('2026-12-23 23:00')).toEqual(['day', '2026-12-24T06:00']);
      expect(next('2026-12-24 06:00')).toEqual(['night', '2026-12-25T22:00']);
      expect(next('2026-12-25 23:00')).toEqual(['day', '2026-12-26T06:00']);
    });
  });

  test('an hour that is skipped is not open, one that comes twice is open twice', () => {
    const open = openAt([{ from: 2 * 60, until: 3 * 60 }], { timeZone: 'Europe/Berlin' });
    const hours = (date: string) =>
      ['00:00', '00:59', '01:00', '01:59'].map((t) => open(`${date} ${t}`));
    expect(hours('2026-03-29')).toEqual([false, false, false, false]);
    expect(hours('2026-10-25')).toEqual([true, true, true, true]);
  });
});

describe('the next change', () => {
  const night = rule('night', {
    when: [
      { from: 22 * 60, until: 1440 },
      { from: 0, until: 6 * 60 },
    ],
  });
  const plan = planOf([rule('free', { ratingGroup: [9] }), night, rule('day')]);
  const change = (service: ServiceFacts, from: number, until: number, of = plan) => {
    const next = nextChange(of, service, from, until);
    return next && [new Date(next.at).toISOString().slice(0, 16), next.rule?.name];
  };
  const DAY = 24 * HOUR_MS;

  test('is the first instant at which another rule holds, and which one', () => {
    expect(change(asked(), NOON, NOON + DAY)).toEqual(['2026-06-10T22:00', 'night']);
    // Midnight divides two windows of the same rule: it is no change.
    const evening = at('2026-06-10 22:00');
    expect(change(asked(), evening, evening + DAY)).toEqual(['2026-06-11T06:00', 'day']);
  });

  test('lies before the end that was asked for', () => {
    const ten = at('2026-06-10 22:00');
    expect(change(asked(), NOON, ten)).toBeUndefined();
    expect(change(asked(), NOON, ten + 1)).toEqual(['2026-06-10T22:00', 'night']);
    expect(change(asked(), ten - 1, ten + 1)).toEqual(['2026-06-10T22:00', 'night']);
  });

  test('is none for a service that other rules rate, or in a plan without windows', () => {
    expect(change(asked({ ratingGroup: 9 }), NOON, NOON + DAY)).toBeUndefined();
    expect(change(asked(), NOON, NOON + DAY, planOf([rule('day')]))).toBeUndefined();
  });

  test('may be to no rule, and from none', () => {
    const only = planOf([night]);
    expect(change(asked(), NOON, NOON + DAY, only)).toEqual(['2026-06-10T22:00', 'night']);
    const evening = at('2026-06-10 23:00');
    expect(change(asked(), evening, evening + DAY, only)).toEqual(['2026-06-11T06:00', undefined]);
  });

  test('is a rule of lower rank only where those above it are shut', () => {
    const called = rule('called', { called: ['49'], when: [{ from: 0, until: 720 }] });
    const of = planOf([night, called, rule('day')]);
    const call = asked({ facts: { called: '4917' } });
    const morning = at('2026-06-10 05:00');
    expect(change(call, morning, morning + DAY, of)).toEqual(['2026-06-10T12:00', 'day']);
  });
});

describe('a Service-Context-Id', () => {
  test('is known if a rule names it, or any does for all', () => {
    const plan = planOf([rule('data', { context: [DATA] })]);
    expect([knowsContext(plan, DATA), knowsContext(plan, VOICE)]).toEqual([true, false]);
    expect(knowsContext(planOf([rule('data', { context: [DATA] }), rule('any')]), VOICE)).toBe(
      true,
    );
    expect(knowsContext(planOf([]), DATA)).toBe(false);
  });
});

// What the rules and services below are made of: few values, so that they meet.
const contexts = [DATA, VOICE];
const numbers = ['4', '49', '491', '4917', '49170', '44', '1', ''];
const full = ['4917012', '4916', '442', '1800', '49', '7', '', '4é'];
const listOf = <T>(values: readonly T[], maxLength = 3) =>
  fc.option(fc.uniqueArray(fc.constantFrom(...values), { maxLength }), { nil: undefined });
const maybe = <T>(values: readonly T[]) => fc.constantFrom(undefined, ...values);
const windows: fc.Arbitrary<Window> = fc
  .record({
    days: fc.option(fc.uniqueArray(fc.integer({ min: 1, max: 8 }), { minLength: 1 }), {
      nil: undefined,
    }),
    from: fc.integer({ min: 0, max: 1439 }),
    length: fc.integer({ min: 1, max: 1440 }),
  })
  .map(({ days, from, length }) => ({
    ...(days === undefined ? {} : { days }),
    from,
    until: from + length,
  }));
const match: fc.Arbitrary<Rule['match']> = fc
  .record({
    context: listOf(contexts),
    ratingGroup: listOf([null, 1, 2, 3]),
    serviceIdentifier: listOf([1, 2, 3]),
    apn: listOf(['internet', 'ims']),
    rat: listOf([1, 6]),
    visited: listOf(['262', '26201', '310']),
    called: fc.oneof(listOf(numbers), fc.constant(undefined)),
    calling: fc.oneof(listOf(numbers, 8), fc.constant(undefined)),
    role: listOf(['originating', 'terminating'] as const),
    when: fc.option(fc.array(windows, { minLength: 1, maxLength: 3 }), { nil: undefined, freq: 2 }),
  })
  .chain((all) =>
    // Most conditions are left out, so that there are rules which match.
    fc
      .subarray(Object.keys(all) as (keyof typeof all)[], { maxLength: 3 })
      .map((kept) =>
        Object.fromEntries(
          kept.flatMap((key) => (all[key] === undefined ? [] : [[key, all[key]]])),
        ),
      ),
  );
const plan: fc.Arbitrary<Plan> = fc
  .record({
    matches: fc.array(match, { maxLength: 40 }),
    timeZone: fc.constantFrom('UTC', 'Europe/Berlin', 'Australia/Lord_Howe', 'Pacific/Apia'),
    holidays: fc.uniqueArray(
      fc.constantFrom('2026-03-28', '2026-03-29', '2026-10-25', '2011-12-29', '2011-12-31'),
    ),
  })
  .map(({ matches, timeZone, holidays }) =>
    planOf(
      matches.map((match, order) => rule(`r${order}`, match)),
      { timeZone, holidays },
    ),
  );
const service: fc.Arbitrary<ServiceFacts> = fc.record({
  context: fc.constantFrom(...contexts, 'other'),
  ratingGroup: maybe([1, 2, 3, 4]),
  serviceIds: fc.uniqueArray(fc.constantFrom(1, 2, 3, 4), { maxLength: 2 }),
  facts: fc.option(
    fc
      .record({
        apn: maybe(['internet', 'ims', 'other']),
        rat: maybe([1, 6, 8]),
        visited: maybe(['26201', '26202', '310410']),
        called: maybe(full),
        calling: maybe(full),
        role: maybe(['originating', 'terminating', 'forwarding'] as const),
      })
      .map(
        (facts) =>
          Object.fromEntries(
            Object.entries(facts).filter(([, value]) => value !== undefined),
          ) as NonNullable<ServiceFacts['facts']>,
      ),
    { nil: undefined },
  ),
});
/** Around the leaps of those zones. */
const instant = fc
  .tuple(
    fc.constantFrom(at('2026-03-29 00:00'), at('2026-10-25 00:00'), at('2011-12-30 09:00')),
    fc.integer({ min: -2 * 24 * HOUR_MS, max: 2 * 24 * HOUR_MS }),
  )
  .map(([base, offset]) => base + offset);

/** The rule by the definition: all conditions, then the ranks one after the other. */
function model(plan: Plan, service: ServiceFacts, at: number): Rule | undefined {
  const { facts = {} } = service;
  const longest = (prefixes: readonly string[] | undefined, number: string | undefined) =>
    Math.max(
      -1,
      ...(prefixes ?? [])
        .filter((prefix) => number !== undefined && number.slice(0, prefix.length) === prefix)
        .map((prefix) => prefix.length),
    );
  const among = (values: readonly unknown[] | undefined, value: unknown) =>
    values === undefined || values.some((one) => one === value);
  const local = new Intl.DateTimeFormat('en-CA', {
    timeZone: plan.timeZone,
    hourCycle: 'h23',
    dateStyle: 'short',
    timeStyle: 'short',
  })
    .format(at)
    .split(', ') as [string, string];
  const dayOf = (date: Date): number =>
    plan.holidays.includes(date.toISOString().slice(0, 10)) ? 8 : date.getUTCDay() || 7;
  const midnight = Date.parse(`${local[0]}T00:00Z`);
  const day = dayOf(new Date(midnight));
  const dayBefore = dayOf(new Date(midnight - 24 * HOUR_MS));
  const minute = Number(local[1].slice(0, 2)) * 60 + Number(local[1].slice(3, 5));
  const left = plan.rules.filter(
    ({ match }) =>
      among(match.context, service.context) &&
      among(match.ratingGroup, service.ratingGroup ?? null) &&
      (match.serviceIdentifier === undefined ||
        (service.serviceIds.length > 0 &&
          service.serviceIds.every((id) => among(match.serviceIdentifier, id)))) &&
      among(match.apn, facts.apn) &&
      among(match.rat, facts.rat) &&
      among(match.role, facts.role) &&
      (match.visited === undefined || longest(match.visited, facts.visited) >= 0) &&
      (match.called === undefined || longest(match.called, facts.called) >= 0) &&
      (match.calling === undefined || longest(match.calling, facts.calling) >= 0) &&
      (match.when === undefined ||
        match.when.some(
          ({ days, from, until }) =>
            (among(days, day) && minute >= from && minute < until) ||
            (among(days, dayBefore) && minute + 1440 >= from && minute + 1440 < until),
        )),
  );
  const top = (rules: readonly Rule[], length: (rule: Rule) => number) => {
    const most = Math.max(...rules.map(length));
    return rules.filter((rule) => length(rule) === most);
  };
  const byCalled = top(left, ({ match }) => longest(match.called, facts.called));
  return top(byCalled, ({ match }) => longest(match.calling, facts.calling))[0];
}

describe('for any plan', () => {
  test('the rule is the one that the definition gives', () => {
    const found = { rule: 0, none: 0 };
    fc.assert(
      fc.property(plan, fc.array(fc.tuple(service, instant), { maxLength: 10 }), (plan, asks) => {
        for (const [service, at] of asks) {
          const rule = ruleFor(plan, service, at);
          found[rule === undefined ? 'none' : 'rule']++;
          expect(rule).toBe(model(plan, service, at));
        }
      }),
      { numRuns: 400 },
    );
    expect(Math.min(found.rule, found.none)).toBeGreaterThan(100);
  });

  test('the next change is the first minute at which the rule is another', () => {
    fc.assert(
      fc.property(plan, service, instant, fc.nat(20 * 60), (plan, service, from, minutes) => {
        const until = from + minutes * MINUTE_MS;
        const present = model(plan, service, from);
        let expected: { at: number; rule: Rule | undefined } | undefined;
        const first = Math.floor(from / MINUTE_MS) * MINUTE_MS + MINUTE_MS;
        for (let at = first; at < until && expected === undefined; at += MINUTE_MS) {
          const rule = model(plan, service, at);
          if (rule !== present) expected = { at, rule };
        }
        expect(nextChange(plan, service, from, until)).toEqual(expected);
      }),
      { numRuns: 40 },
    );
  });
});

describe('the work to find a rule', () => {
  const many = (count: number, match: (at: number) => Rule['match']) =>
    planOf(Array.from({ length: count }, (_, at) => rule(`r${at}`, match(at))));
  /** Prefixes of five digits that all begin otherwise. */
  const prefix = (at: number): string => String(10_000 + at * 9);
  const call = asked({
    context: VOICE,
    ratingGroup: 7,
    serviceIds: [7],
    facts: { apn: 'apn7', called: `${prefix(7)}55`, calling: `${prefix(7)}55`, visited: '26201' },
  });

  test.each<[string, (at: number) => Rule['match']]>([
    ['a called prefix', (at) => ({ context: [VOICE], called: [prefix(at)] })],
    ['a calling prefix', (at) => ({ calling: [prefix(at)], visited: ['2'] })],
    ['a rating group', (at) => ({ ratingGroup: [at], called: ['1'] })],
    ['a service identifier', (at) => ({ serviceIdentifier: [at] })],
    ['an APN', (at) => ({ apn: [`apn${at}`] })],
  ])('does not grow with the rules that each have %s', (_, match) => {
    const [few, lots] = [many(10, match), many(10_000, match)];
    expect(ruleFor(lots, call, NOON)?.name).toBe('r7');
    expect(examined(lots, call)).toBe(1);
    expect(examined(few, call)).toBe(1);
  });

  test('nor with the prefixes that a rule has', () => {
    const called = Array.from({ length: 10_000 }, (_, at) => prefix(at));
    const plan = planOf([rule('all', { called }), rule('other', { called: ['2'] })]);
    expect(ruleFor(plan, call, NOON)?.name).toBe('all');
    expect(examined(plan, call)).toBeLessThanOrEqual(2);
  });

  test('nor where rules share each of their conditions with many others', () => {
    // A hundred zones with a hundred rating groups each.
    const plan = many(10_000, (at) => ({
      ratingGroup: [at % 100],
      visited: [String(26_200 + Math.floor(at / 100))],
    }));
    expect(ruleFor(plan, call, NOON)?.name).toBe('r107');
    expect(examined(plan, call)).toBe(1);
  });

  test('an unknown service meets but the rules for all', () => {
    const plan = planOf([
      ...many(10_000, (at) => ({ called: [prefix(at)] })).rules,
      rule('rest', { context: [VOICE] }),
    ]);
    expect(examined(plan, asked({ context: VOICE, facts: { called: '9' } }))).toBe(1);
    expect(examined(plan, asked({ context: 'unheard of' }))).toBe(0);
  });
});

test('prefixes: any text has those that it begins with', () => {
  const text = fc.string({ unit: fc.constantFrom('0', '1', '*', 'é', '號'), maxLength: 6 });
  fc.assert(
    fc.property(fc.uniqueArray(text), text, (texts, number) => {
      const prefixes = new Prefixes(new Map(texts.map((text) => [text, text])));
      const expected = texts
        .filter((text) => number.startsWith(text))
        .sort((a, b) => a.length - b.length);
      const found: string[] = [];
      prefixes.collect(number, found);
      expect(found).toEqual(expected);
      expect(prefixes.longest(number)).toBe(expected.at(-1)?.length ?? -1);
    }),
    { numRuns: 500 },
  );
});
