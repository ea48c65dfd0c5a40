/**
 * What is explained is what was charged, however late and in whatever order it was reported: by the
 * dry run that charges it, and by the records that it leaves.
 */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Plan } from '../../src/charging/plan.ts';
import { DryRun } from '../../src/cli/dry-run.ts';
import { PastRecords, type RecordLine } from '../../src/cli/past-records.ts';
import { asks, main, planOf, requestOf, ruleOf, START, Till } from '../charging/till.ts';

const MINUTE = 60_000;

/** Three tariffs a day, of which none costs what another does, in steps that show where one began. */
const planIn = (unit: 'seconds' | 'octets', indeterminate: Plan['indeterminate']): Plan =>
  planOf(
    [
      [[{ from: 480, until: 600 }], 7],
      [[{ from: 600, until: 1200 }], 11],
      [undefined, 13],
    ].map(([when, amount], index) =>
      ruleOf({
        name: `tariff-${index}`,
        match: when === undefined ? {} : { when: when as [{ from: number; until: number }] },
        unit,
        price: { amount: amount as number, per: 60, increment: 60 },
        quota: { size: 600, minimum: 1, maximum: 9_000 },
        validitySeconds: 1_800,
      }),
    ),
    { supervisionSeconds: 10 * 86_400, indeterminate },
  );

const history = fc.record({
  unit: fc.constantFrom('seconds' as const, 'octets' as const),
  indeterminate: fc.constantFrom('before' as const, 'after' as const),
  begins: fc.integer({ min: 400, max: 1_300 }),
  reports: fc.array(
    fc.record({
      /** Minutes since the report before, and since it was made. */
      later: fc.nat({ max: 200 }),
      late: fc.oneof(fc.constant(0), fc.nat({ max: 300 })),
      used: fc.nat({ max: 9_000 }),
      asks: fc.boolean(),
    }),
    { minLength: 1, maxLength: 8 },
  ),
});

function requestsOf({
  unit,
  begins,
  reports,
}: typeof history extends fc.Arbitrary<infer H> ? H : never) {
  let now = START + begins * MINUTE;
  const requests = [{ now, request: requestOf('initial', 0, [asks({ asked: {} })]) }];
  for (const [index, report] of reports.entries()) {
    now += report.later * MINUTE;
    const service = asks({
      used: { [unit]: report.used },
      ...(report.asks ? { asked: {} } : {}),
    });
    const occurredAt = now - report.late * MINUTE;
    requests.push({ now, request: requestOf('update', index + 1, [service], { occurredAt }) });
  }
  return requests;
}

describe('for any order and any lateness of reports', () => {
  test('a dry run explains each amount', () => {
    fc.assert(
      fc.property(history, (of) => {
        const run = new DryRun(planIn(of.unit, of.indeterminate));
        for (const { now, request } of requestsOf(of))
          for (const { amounts, cost } of run.request(request, now).services) {
            for (const amount of amounts) expect(amount.how?.cost).toBe(BigInt(amount.cost));
            expect(amounts.reduce((sum, amount) => sum + amount.cost, 0)).toBe(cost);
          }
      }),
      { numRuns: 300 },
    );
  });

  test('records explain each amount', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (of) => {
        const plan = planIn(of.unit, of.indeterminate);
        const till = new Till({ plan, openings: { main: 1e12 } });
        for (const { now, request } of requestsOf(of)) {
          till.now = now;
          till.wake();
          till.ask(request);
        }
        const past = new PastRecords({
          idFor: async () => plan.id,
          version: async () => plan,
          bucketsOf: async () => [main],
          currencyOf: () => undefined,
        });
        for (const [index, { account, ...record }] of till.records.entries()) {
          const line = { ...record, ...account, id: `1-${index}`, partition: 1 } as RecordLine;
          const explained = await past.explain(line);
          for (const { amounts } of explained?.services ?? [])
            for (const { how, paidFor, cost } of amounts)
              if (paidFor !== 0) expect(how?.cost).toBe(BigInt(cost));
        }
      }),
      { numRuns: 300 },
    );
  });
});
