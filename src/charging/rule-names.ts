/** The rules of a plan by name, for what a session remembers of them: worked out once for a plan. */
import type { Plan, Rule } from './plan.ts';

const plans = new WeakMap<Plan, ReadonlyMap<string, Rule>>();

/** The plan's rule of this name; undefined: it has none any more. */
export function ruleNamed(plan: Plan, name: string): Rule | undefined {
  let rules = plans.get(plan);
  if (rules === undefined) {
    rules = new Map(plan.rules.map((rule) => [rule.name, rule]));
    plans.set(plan, rules);
  }
  return rules.get(name);
}
