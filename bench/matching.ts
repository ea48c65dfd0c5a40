/**
 * How long it takes to find the rule of a service in plans of different sizes: ten rules, ten
 * thousand of one called prefix each, and one with ten thousand prefixes. Each plan is asked for
 * the same numbers, in turn with the others, so that a busy moment is not held against one.
 */
import { ruleFor, type ServiceFacts } from '../src/charging/match.ts';
import type { Plan, Rule } from '../src/charging/plan.ts';
import { type Figure, median } from './figure.ts';

const CONTEXT = '32260@3gpp.org';
const PREFIXES = 10_000;
const ROUNDS = 15;

/** Prefixes of five digits, all of which begin otherwise. */
const prefixes = Array.from({ length: PREFIXES }, (_, at) => String(at * 9 + 10_000));

export const plans: readonly { name: string; plan: Plan }[] = [
  {
    name: '10 rules of a called prefix each',
    plan: planOf(prefixes.filter((_, at) => at % 1_000 === 0).map((prefix) => [prefix])),
  },
  { name: '10,000 rules of a called prefix each', plan: planOf(prefixes.map((one) => [one])) },
  { name: 'a rule of 10,000 called prefixes', plan: planOf([prefixes]) },
];

/** What each plan has a rule for. */
export const services: readonly ServiceFacts[] = prefixes
  .filter((_, at) => at % 1_000 === 0)
  .map((prefix) => ({
    context: CONTEXT,
    ratingGroup: 100,
    serviceIds: [],
    facts: { called: `${prefix}5550123`, calling: '491700000042', role: 'originating' },
  }));

function planOf(called: readonly (readonly string[])[]): Plan {
  return {
    id: 'voice',
    version: 1,
    rules: called.map((prefixes, at) => ruleOf(`destination ${at}`, prefixes)),
    supervisionSeconds: 3_600,
    validityGraceSeconds: 60,
    timeZone: 'Europe/Berlin',
    holidays: [],
    indeterminate: 'after',
  };
}

function ruleOf(name: string, called: readonly string[]): Rule {
  return {
    name,
    match: { context: [CONTEXT], called, role: ['originating'] },
    unit: 'seconds',
    price: { amount: 9, per: 60, increment: 1 },
    quota: { size: 300, minimum: 1, maximum: 3_600 },
    atEnd: { action: 'terminate' },
    restrictedSeconds: 60,
  };
}

export async function* matching({ calls }: { calls: number }): AsyncGenerator<Figure> {
  const samples = plans.map((): number[] => []);
  for (let round = -1; round < ROUNDS; round++)
    for (const [at, { plan }] of plans.entries()) {
      const ns = time(plan, calls);
      if (round >= 0) samples[at]!.push(ns);
    }
  for (const [at, { name }] of plans.entries())
    yield { bench: 'matching', name, unit: 'ns', ...median(samples[at]!) };
  const [few, many] = samples;
  const ratios = many!.map((ns, round) => ns / few![round]!);
  const name = '10,000 rules to 10 rules';
  yield { bench: 'matching', name, unit: 'times', ...median(ratios), goal: 1.1 };
}

function time(plan: Plan, calls: number): number {
  const startedAt = performance.now();
  for (let call = 0; call < calls; call++)
    if (ruleFor(plan, services[call % services.length]!, 0) === undefined)
      throw new Error(`${plan.id} has no rule for what it was made for`);
  return ((performance.now() - startedAt) * 1e6) / calls;
}
