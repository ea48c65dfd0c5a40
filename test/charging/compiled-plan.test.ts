/** What is worked out of a plan: once, ahead if it is wanted, and in steps that are short. */
import { describe, expect, test } from 'vitest';
import { compilingAhead } from '../../src/charging/compiled-plan.ts';
import { hasTimes, knowsContext, ruleFor } from '../../src/charging/match.ts';
import type { Plan, Rule } from '../../src/charging/plan.ts';
import { planOf, ruleOf, START } from './till.ts';

const VOICE = '32260@3gpp.org';
const RULES = 2_000;

/** A rule for each prefix, and for each its own time of use. */
const rules = Array.from({ length: RULES }, (_, at): Rule => {
  const when = [{ from: at % 1440, until: (at % 1440) + 600 }];
  return ruleOf({ name: `r${at}`, match: { context: [VOICE], called: [`${10_000 + at}`], when } });
});

/** A plan that counts how often its rules are looked at. */
function counted(): { plan: Plan; looks: () => number } {
  let looks = 0;
  const plan = planOf(rules);
  const spied = { ...plan };
  Object.defineProperty(spied, 'rules', {
    get() {
      looks += 1;
      return plan.rules;
    },
  });
  return { plan: spied, looks: () => looks };
}

const called = (number: string) => ({ context: VOICE, serviceIds: [], facts: { called: number } });

/** All steps of a work, as the ms that each took. */
function steps(work: Iterator<void, unknown>): number[] {
  const took: number[] = [];
  for (;;) {
    const { user } = process.threadCpuUsage();
    const { done } = work.next();
    took.push((process.threadCpuUsage().user - user) / 1000);
    if (done) return took;
  }
}

describe('ahead', () => {
  test('a plan has nothing left to be worked out when it is first asked for a rule', () => {
    const { plan, looks } = counted();
    steps(compilingAhead(plan));
    const before = looks();
    expect(before).toBeGreaterThan(0);
    expect(ruleFor(plan, called('10007123'), START)?.name).toBe(
      ruleFor(planOf(rules), called('10007123'), START)?.name,
    );
    expect(hasTimes(plan)).toBe(true);
    expect(knowsContext(plan, VOICE)).toBe(true);
    expect(looks()).toBe(before);
    // A second time there is nothing to do.
    expect(steps(compilingAhead(plan))).toHaveLength(1);
  });

  test('one that is asked for a rule while it is worked out answers at once', () => {
    const { plan } = counted();
    const work = compilingAhead(plan);
    for (let step = 0; step < RULES / 2; step++) expect(work.next().done).toBe(false);
    expect(ruleFor(plan, called('10600999'), 0)?.name).toBe(
      ruleFor(planOf(rules), called('10600999'), 0)?.name,
    );
    steps(work);
  });

  test('no step is more than a small part of it', () => {
    const took = steps(compilingAhead(counted().plan));
    expect(took.length).toBeGreaterThan(3 * RULES);
    const total = took.reduce((sum, ms) => sum + ms, 0);
    expect(Math.max(...took)).toBeLessThan(total / 2);
  });
});
