/**
 * What a session has said of its use: each request's facts over those that came before. Only what
 * some rule of its plan matches on is kept, so that most sessions keep nothing.
 */
import type { Plan } from './plan.ts';
import type { Facts } from './request.ts';

type Fact = keyof Facts;

const ALL: readonly Fact[] = ['apn', 'rat', 'visited', 'called', 'calling', 'role'];

const matched = new WeakMap<Plan, readonly Fact[]>();

/** The facts that any rule of the plan matches on. */
export function factsOf(plan: Plan): readonly Fact[] {
  let facts = matched.get(plan);
  if (facts === undefined) {
    facts = ALL.filter((fact) => plan.rules.some(({ match }) => match[fact] !== undefined));
    matched.set(plan, facts);
  }
  return facts;
}

/** `said` over `before`, of what the plan matches on; undefined: nothing. */
export function mergeFacts(
  plan: Plan,
  before: Facts | undefined,
  said: Facts | undefined,
): Facts | undefined {
  const wanted = factsOf(plan);
  if (wanted.length === 0) return undefined;
  let merged: Facts | undefined;
  for (const fact of wanted) {
    const value = said?.[fact] ?? before?.[fact];
    if (value !== undefined) merged = { ...merged, [fact]: value };
  }
  return merged;
}
