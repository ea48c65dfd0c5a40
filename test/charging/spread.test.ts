/**
 * Who pays for what a session reports of its messages, against a model that knows no shares: a
 * message is a list of prices, one for each unit and recipient, and a report takes from the list.
 */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Answer } from '../../src/charging/answer.ts';
import type { AskedService } from '../../src/charging/request.ts';
import { sms } from './events.ts';
import { asks, planOf, requestOf, Till } from './till.ts';

const PRICES = [10, 200, 35];
const rated = (name: string, amount: number, part = {}) => ({
  ...{ ...sms, name, ...part },
  price: { amount, per: 1, increment: 1 },
});
const zones = PRICES.map((amount, zone) =>
  rated(`zone${zone}`, amount, { match: { called: [`49${zone}`] }, validitySeconds: 60 }),
);
const plan = planOf(zones, { validityGraceSeconds: 0 });
const numberOf = (zone: number, at = 0) => `49${zone}0${at}`;
const OPENING = 100_000;

/** A message as the model has it: the zone of each unit that is not reported yet, in order. */
class Model {
  balance: number;
  /** The zone of the last recipient of the last message that was granted. */
  last: number | undefined;
  #open: number[] = [];

  constructor(opening: number) {
    this.balance = opening;
  }

  get open(): readonly number[] {
    return this.#open;
  }

  /** What is granted of so many parts of one message to each recipient: to several, all or none. */
  ask(recipients: readonly number[], parts: readonly number[]): number[] {
    this.#open = [];
    let left = this.balance;
    const granted = parts.map((parts) => {
      const asked = recipients.flatMap((zone) => Array.from({ length: parts }, () => zone));
      const cost = asked.reduce((sum, zone) => sum + PRICES[zone]!, 0);
      if (cost > left && recipients.length > 1) return 0;
      const paid = asked.slice(
        0,
        cost > left
          ? Math.max(0, Math.floor(left / PRICES[asked[0]!]!))
          : parts * recipients.length,
      );
      for (const zone of paid) left -= PRICES[zone]!;
      this.#open.push(...paid);
      return paid.length;
    });
    const order = [...new Set(recipients)];
    this.#open.sort((a, b) => order.indexOf(a) - order.indexOf(b));
    this.last = this.#open.at(-1) ?? this.last;
    return granted;
  }

  report(units: number, named: readonly number[] = []): void {
    const isNamed = named.length > 0 && units < this.#open.length && units % named.length === 0;
    const beyond = this.#open.at(-1) ?? this.last!;
    for (let at = 0; at < units; at++) {
      const zone = isNamed ? named[at % named.length]! : (this.#open[0] ?? beyond);
      this.balance -= PRICES[zone]!;
      const from = this.#open.indexOf(zone);
      if (from >= 0) this.#open.splice(from, 1);
    }
  }

  giveBack(): void {
    this.#open = [];
  }
}

/** A part of each figure, as several services of one request report it. */
const splitOf = (units: number, cuts: readonly number[]): number[] => {
  const ends = [...cuts.map((cut) => cut % (units + 1)), units].sort((a, b) => a - b);
  return ends.map((end, at) => end - (ends[at - 1] ?? 0));
};

const message = fc.record({
  recipients: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 4 }),
  /** Each part is asked for by a service of its own. */
  parts: fc.array(fc.integer({ min: 1, max: 2 }), { minLength: 1, maxLength: 2 }),
});
const cuts = fc.array(fc.nat({ max: 10 }), { maxLength: 2 });
const move = fc.oneof(
  fc.record({
    kind: fc.constant('ask' as const),
    message,
    /** Of what is open, in tenths, some of it beyond; absent: nothing is reported with it. */
    used: fc.option(fc.integer({ min: 0, max: 12 })),
    cuts,
    asker: fc.nat({ max: 2 }),
  }),
  fc.record({
    kind: fc.constant('report' as const),
    used: fc.integer({ min: 0, max: 12 }),
    named: fc.option(fc.nat({ max: 3 })),
    returned: fc.boolean(),
    cuts,
  }),
  fc.constant({ kind: 'lapse' as const }),
);

const unitsOf = (answer: Answer): (number | undefined)[] =>
  answer.services.map(({ granted }) => granted?.units);

test('whatever is asked, reported, returned and left, each is paid for once and by its own rule', () => {
  fc.assert(
    fc.property(
      message,
      fc.array(move, { maxLength: 8 }),
      fc.integer({ min: 0, max: 12 }),
      fc.constantFrom(OPENING, 900),
      (first, moves, last, opening) => {
        const till = new Till({ plan, openings: { main: opening } });
        const model = new Model(opening);
        let sent: readonly number[] = [];
        let number = 0;
        const ask = (of: typeof first, used: readonly number[] | undefined, asker: number) => {
          const { recipients, parts } = of;
          const named = recipients.map((zone, at) => numberOf(zone, at));
          const facts = { called: named[0]! };
          const many = named.length > 1 ? { recipients: named } : {};
          const asking = parts.map((parts) =>
            asks({ asked: { units: recipients.length * parts }, ...many }),
          );
          const reports = (used ?? []).map((units) => asks({ used: { units } }));
          const last = reports.pop();
          const at = asker % asking.length;
          if (last !== undefined) asking[at] = { ...asking[at]!, ...last };
          const services: AskedService[] = [...reports, ...asking];
          const kind = number === 0 ? 'initial' : 'update';
          const answer = till.ask(requestOf(kind, number++, services, { facts }));
          sent = recipients;
          const granted = model.ask(recipients, parts);
          expect(unitsOf(answer).slice(reports.length)).toEqual(
            granted.map((units) => (units > 0 ? units : undefined)),
          );
        };
        const tenths = (part: number) =>
          model.open.length === 0 && model.last !== undefined
            ? Math.max(0, part - 10)
            : Math.round((model.open.length * part) / 10);
        ask(first, undefined, 0);
        for (const one of moves) {
          if (one.kind === 'lapse') {
            const isHeld = till.session()!.services.some(({ grant }) => grant !== undefined);
            if (isHeld) till.now += 61_000;
            if (isHeld) expect(till.wake()).toBe('change');
            continue;
          }
          const units = tenths(one.used ?? 0);
          if (one.kind === 'ask') {
            model.report(units);
            ask(one.message, one.used === null ? undefined : splitOf(units, one.cuts), one.asker);
            continue;
          }
          const zone = one.named === null ? undefined : sent[one.named % sent.length];
          const named = zone === undefined || !model.open.includes(zone) ? [] : [zone];
          const part: Partial<AskedService> = {
            ...(one.returned ? { reasons: [9] } : {}),
            ...(named.length === 0 ? {} : { recipients: named.map((zone) => numberOf(zone)) }),
          };
          const services = splitOf(units, one.cuts).map((units) =>
            asks({ used: { units }, ...part }),
          );
          till.ask(requestOf('update', number++, services));
          model.report(units, named);
          if (one.returned) model.giveBack();
        }
        const units = tenths(last);
        till.ask(requestOf('termination', number++, [asks({ used: { units } })]));
        model.report(units);
        expect([till.available('main'), till.reserved('main')]).toEqual([model.balance, 0]);
        const services = till.records.flatMap(({ services }) => services);
        const cost = services.reduce((sum, { cost = 0 }) => sum + cost, 0);
        expect(opening - cost).toBe(model.balance);
      },
    ),
    { numRuns: 400 },
  );
});

test('what comes after a tariff change is counted once, for the last ones of each service', () => {
  const day = { when: [{ from: 60, until: 1440 }] };
  const prices = { before: PRICES, after: [1000, 5000, 3000] };
  const rules = PRICES.flatMap((_, zone) => {
    const match = { called: [`49${zone}`] };
    return [
      rated(`day${zone}`, prices.after[zone]!, { match: { ...match, ...day } }),
      rated(`night${zone}`, prices.before[zone]!, { match }),
    ];
  });
  const figure = fc.nat({ max: 4 });
  const report = fc.record({ before: figure, straddling: figure, after: figure });
  fc.assert(
    fc.property(
      message,
      fc.array(report, { minLength: 1, maxLength: 3 }),
      fc.constantFrom('before' as const, 'after' as const),
      fc.constantFrom('single' as const, undefined),
      ({ recipients, parts: [parts = 1] }, reports, indeterminate, tariffChange) => {
        const till = new Till({
          plan: planOf(rules, { indeterminate }),
          openings: { main: OPENING },
        });
        const named = recipients.map((zone, at) => numberOf(zone, at));
        const units = named.length * parts;
        const first = asks({ asked: { units }, ...(named.length > 1 && { recipients: named }) });
        const request = requestOf('initial', 0, [first], { facts: { called: named[0]! } });
        till.ask(tariffChange === undefined ? request : { ...request, tariffChange });
        till.now += 3_700_000;
        const services = reports.map(({ before, straddling, after }) =>
          asks({
            used: { units: before + straddling + after },
            usedAfter: { units: after },
            usedIndeterminate: { units: straddling },
          }),
        );
        till.ask(requestOf('termination', 1, services));
        const order = [...new Set(recipients)];
        const zones = recipients
          .flatMap((zone) => Array.from({ length: parts }, () => zone))
          .sort((a, b) => order.indexOf(a) - order.indexOf(b));
        let cost = 0;
        let sent = 0;
        for (const report of reports)
          for (const [when, count] of Object.entries(report))
            for (let at = 0; at < count; at++) {
              const zone = zones[sent++] ?? zones.at(-1)!;
              const side = when === 'straddling' ? indeterminate : (when as 'before' | 'after');
              cost += prices[side][zone]!;
            }
        expect([till.available('main'), till.reserved('main')]).toEqual([OPENING - cost, 0]);
      },
    ),
    { numRuns: 400 },
  );
});

test('seconds after a tariff change have passed once, whoever they are for', () => {
  const day = { when: [{ from: 60, until: 1440 }] };
  const rule = (name: string, amount: number, match: object) =>
    rated(name, amount, {
      match,
      unit: 'seconds',
      quota: { size: 100, minimum: 1, maximum: 9999 },
    });
  const rules = [0, 1].flatMap((zone) => [
    rule(`day${zone}`, 1000 * (zone + 1), { called: [`49${zone}`], ...day }),
    rule(`night${zone}`, zone + 1, { called: [`49${zone}`] }),
  ]);
  const till = new Till({ plan: planOf(rules), openings: { main: 1_000_000 } });
  const recipients = [numberOf(0), numberOf(1)];
  till.ask(requestOf('initial', 0, [asks({ asked: { seconds: 200 }, recipients })]));
  till.now += 3_660_000;
  till.ask(requestOf('termination', 1, [asks({ used: { seconds: 200 } })]));
  expect(1_000_000 - till.available('main')).toBe(100 + 40 * 2 + 60 * 2000);
});

test('seconds after all that was settled have passed once, whoever they are for', () => {
  const day = { when: [{ from: 60, until: 1440 }] };
  const rule = (name: string, amount: number, match: object) =>
    rated(name, amount, {
      match,
      unit: 'seconds',
      quota: { size: 600, minimum: 1, maximum: 9999 },
      validitySeconds: 300,
    });
  const rules = [0, 1].flatMap((zone) => [
    rule(`day${zone}`, 5, { called: [`49${zone}`], ...day }),
    rule(`night${zone}`, 1, { called: [`49${zone}`] }),
  ]);
  const till = new Till({ plan: planOf(rules), openings: { main: 100_000 } });
  const recipients = [numberOf(0), numberOf(1)];
  till.now += 3_000_000;
  till.ask(requestOf('initial', 0, [asks({ asked: { seconds: 1200 }, recipients })]));
  till.now += 1_200_000;
  till.ask(requestOf('termination', 1, [asks({ used: { seconds: 1200 } })]));
  expect(100_000 - till.available('main')).toBe(600 + 600 * 5);
});
