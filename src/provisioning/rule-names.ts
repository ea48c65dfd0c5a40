/** The rules that buckets and limits may name: those of the plan that their account has. */
import type { Configuration } from './configuration.ts';
import { namesOf, type PlanNames } from './names.ts';

/** Rules of one plan, with the unit that each counts where that is clear. */
export type RuleNames = NonNullable<ReturnType<PlanNames['get']>>;

/** The rules of a plan of one tenant, by the plan's id; undefined: it has no such plan. */
export type RulesOf = (plan: string) => RuleNames | undefined;

export function rulesOfTenant(
  { provisioning, names }: Pick<Configuration, 'provisioning' | 'names'>,
  tenant: string,
): RulesOf {
  const index = provisioning.tenants.findIndex(({ id }) => id === tenant);
  const plans: PlanNames | undefined = names.plans[index];
  return (plan) => plans?.get(plan);
}

/** The rules of a plan that is kept as a text (`planAlone`), also where it compiles no more. */
export function rulesOfText(text: string): RuleNames | undefined {
  const [plans] = namesOf({ tenants: [JSON.parse(text)] }).plans;
  return plans?.values().next().value;
}
