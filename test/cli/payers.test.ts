/** Who paid, as records tell it: what is explained adds up to what the buckets were charged. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Bucket } from '../../src/charging/account.ts';
import type { Plan, Price } from '../../src/charging/plan.ts';
import type { AskedService } from '../../src/charging/request.ts';
import { serviceKey } from '../../src/charging/request.ts';
import type { PastPlans } from '../../src/cli/past-plans.ts';
import { type ExplainedRecord, PastRecords, type RecordLine } from '../../src/cli/past-records.ts';
import { paidByMoney, paymentsOf } from '../../src/cli/payers.ts';
import { recordLine } from '../../src/store/records/line.ts';
import { bundle, main, planOf, requestOf, ruleOf, Till } from '../charging/till.ts';

const known = ({ plan, buckets }: { plan: Plan; buckets: readonly Bucket[] }): PastPlans => ({
  idFor: async () => plan.id,
  version: async () => plan,
  bucketsOf: async () => buckets,
  currencyOf: () => undefined,
});

async function explainedOf(till: Till): Promise<ExplainedRecord[]> {
  const { plan, definition } = till;
  const past = new PastRecords(known({ plan, buckets: definition.buckets }));
  const explained: ExplainedRecord[] = [];
  for (const [index, record] of till.records.entries()) {
    const line = JSON.parse(recordLine(0, `1-${index}`, record)) as RecordLine;
    const one = await past.explain(line);
    if (one !== undefined) explained.push(one);
  }
  return explained;
}

const sumOf = (figures: readonly number[]): number => figures.reduce((sum, one) => sum + one, 0);

const price: fc.Arbitrary<Price> = fc
  .record({
    ...{ amount: fc.integer({ min: 0, max: 9 }), per: fc.integer({ min: 1, max: 4 }) },
    increment: fc.constantFrom(1, 3, 10),
    free: fc.constantFrom(0, 7, 25),
    fee: fc.constantFrom(0, 5),
    eachReport: fc.boolean(),
  })
  .map(({ amount, per, increment, free, fee, eachReport }): Price => {
    const own = { amount, per, increment };
    const rate: Price = free === 0 ? own : { amount: 0, per: 1, increment: 1 };
    return {
      ...rate,
      ...(fee === 0 ? {} : { fee }),
      ...(free === 0 ? {} : { bands: [{ from: free, ...own }] }),
      ...(eachReport ? { eachReport } : {}),
    };
  });

/** What services 1 and 2 report and ask for; undefined: nothing of them. */
const report = fc.option(
  fc.record({ units: fc.integer({ min: 0, max: 60 }), asks: fc.boolean() }),
  { nil: undefined, freq: 2 },
);
const course = fc.record({
  prices: fc.tuple(price, price),
  /** What two bundles begin with, and for which rule the first one pays. */
  bundles: fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 60 })),
  paysFor: fc.constantFrom('a', 'b'),
  size: fc.integer({ min: 1, max: 40 }),
  reports: fc.array(fc.tuple(report, report), { minLength: 1, maxLength: 6 }),
});

type Course = typeof course extends fc.Arbitrary<infer T> ? T : never;

function played({ prices, bundles, paysFor, size, reports }: Course) {
  const quota = { size, minimum: 1, maximum: 1000 };
  const rules = ['a', 'b'].map((name, at) =>
    ruleOf({ name, match: { ratingGroup: [at + 1] }, price: prices[at] as Price, quota }),
  );
  const buckets = [bundle('own', { paysFor: [paysFor] }), bundle('any'), main];
  const openings = { own: bundles[0], any: bundles[1], main: 100_000 };
  const till = new Till({ plan: planOf(rules), buckets, openings });
  const all = [1, 2].map((ratingGroup) => ({ ratingGroup, serviceIds: [], asked: {} }));
  till.ask(requestOf('initial', 0, all));
  /** Units that money has paid for, by request and service. */
  const rated: ReadonlyMap<string, number>[] = [];
  const count = () =>
    rated.push(
      new Map(till.session()!.services.map((service) => [serviceKey(service), service.rated])),
    );
  count();
  for (const [index, reported] of reports.entries()) {
    const services = reported.flatMap((one, at): AskedService[] => {
      if (one === undefined) return [];
      const used = { octets: one.units };
      return [{ ratingGroup: at + 1, serviceIds: [], used, ...(one.asks ? { asked: {} } : {}) }];
    });
    const last = index === reports.length - 1;
    till.ask(requestOf(last ? 'termination' : 'update', index + 1, services));
    count();
  }
  return { till, rated, eachReport: prices.map((price) => price.eachReport === true) };
}

describe('what is explained of records', () => {
  test('adds up to what their buckets were charged, and is how it was', async () => {
    let told = 0;
    let all = 0;
    await fc.assert(
      fc.asyncProperty(course, async (of) => {
        const { till, rated, eachReport } = played(of);
        const explained = await explainedOf(till);
        expect(explained).toHaveLength(till.records.length);
        for (const [index, { services, paid }] of explained.entries()) {
          const charged = (unit: string) =>
            sumOf(paid.filter((one) => one.unit === unit).map(({ amount }) => amount));
          const amounts = services.flatMap((service) => service.amounts);
          expect(sumOf(amounts.map(({ cost }) => cost))).toBe(charged('money'));
          all += amounts.length;
          if (amounts.length === 1) expect(amounts[0]?.paidBy).not.toBe('unknown');
          for (const { ratingGroup = 0, amounts } of services)
            for (const { paidFor, units, cost, how, paidBy } of amounts) {
              if (how !== undefined) expect(Number(how.cost)).toBe(cost);
              if (paidFor === undefined) continue;
              told++;
              expect(paidBy).toBe(paidFor === units ? 'money' : paidFor === 0 ? 'units' : 'both');
              if (eachReport[ratingGroup - 1]) continue;
              const key = String(ratingGroup);
              const before = rated[index - 1]?.get(key) ?? 0;
              expect(paidFor).toBe((rated[index]?.get(key) ?? 0) - before);
              if (how !== undefined) expect(Number(how.before.units)).toBe(before);
            }
          if (amounts.every(({ paidFor }) => paidFor !== undefined))
            expect(sumOf(amounts.map(({ units, paidFor = 0 }) => units - paidFor))).toBe(
              charged('octets'),
            );
        }
      }),
      { numRuns: 500 },
    );
    // Most of it follows from the records.
    expect(told).toBeGreaterThan(all / 2);
  });

  test('is exact for every session of one service', async () => {
    const alone = course.map((of) => ({
      ...of,
      reports: of.reports.map(([one]) => [one, undefined] as [typeof one, undefined]),
    }));
    await fc.assert(
      fc.asyncProperty(alone, async (of) => {
        for (const { services } of await explainedOf(played(of).till))
          for (const { remarks, amounts } of services) {
            expect(remarks).toEqual([]);
            for (const { paidBy, how } of amounts)
              expect(how !== undefined).toBe(paidBy !== 'units');
          }
      }),
      { numRuns: 300 },
    );
  });
});

describe('what buckets were charged', () => {
  test('is debited and overrun, not what was reserved and released', () => {
    const change = (cause: 'reserve' | 'debit' | 'release' | 'overrun', by: [number, number]) => ({
      ...{ bucket: 'main', cause, available: by[0], reserved: by[1] },
    });
    const changes = [
      change('reserve', [-9, 9]),
      change('debit', [0, -5]),
      change('release', [4, -4]),
      change('overrun', [-2, 0]),
    ];
    expect(paymentsOf(changes, [main])).toEqual([{ bucket: 'main', unit: 'money', amount: 7 }]);
    expect(paymentsOf(changes, [])).toEqual([{ bucket: 'main', amount: 7 }]);
  });

  test('tells nothing of what was cut, or had a price that is not known', () => {
    const one = { unit: 'octets', units: 9, cost: 9, basis: 0, excess: false } as const;
    const flat = { amount: 1, per: 1, increment: 1 };
    const some = [{ bucket: 'b', unit: 'octets', amount: 4 }] as const;
    expect(paidByMoney([{ ...one, price: undefined }], some)).toEqual([undefined]);
    expect(
      paidByMoney(
        [
          { ...one, price: flat },
          { ...one, price: undefined },
        ],
        some,
      ),
    ).toEqual([9, undefined]);
    expect(paidByMoney([{ ...one, price: flat, excess: true }], [])).toEqual([9]);
  });
});
