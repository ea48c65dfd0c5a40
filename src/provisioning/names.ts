/**
 * The names that a file gives, whatever else is wrong with it: a name whose owner was refused is
 * not unknown as well. A name that is missing or no text is `''`.
 */
import { atOnce, type Work } from './work.ts';

export interface Names {
  tenants: ReadonlySet<string>;
  /** The plans of each tenant, by its index. */
  plans: readonly PlanNames[];
}

/** The rules of each plan, with the unit that each counts where that is clear. */
export type PlanNames = ReadonlyMap<string, ReadonlyMap<string, string | undefined>>;

/** Gathers names from a file of any shape. */
export function namesOf(value: unknown): Names {
  return atOnce(gatheringNames(value));
}

/** The same in short steps. */
export function* gatheringNames(value: unknown): Work<Names> {
  const tenants = listOf(value, 'tenants');
  const plans: PlanNames[] = [];
  for (const tenant of tenants) {
    const names = new Map<string, ReturnType<typeof rulesOf>>();
    for (const plan of listOf(tenant, 'plans')) {
      yield;
      names.set(textOf(plan, 'id') ?? '', rulesOf(plan));
    }
    plans.push(names);
  }
  return { tenants: new Set(tenants.map((tenant) => textOf(tenant, 'id') ?? '')), plans };
}

function rulesOf(plan: unknown): Map<string, string | undefined> {
  const rules = new Map<string, string | undefined>();
  for (const rule of listOf(plan, 'rules')) {
    const name = textOf(rule, 'name') ?? '';
    rules.set(name, rules.has(name) ? undefined : textOf(rule, 'unit'));
  }
  return rules;
}

function listOf(value: unknown, name: string): readonly unknown[] {
  const list = memberOf(value, name);
  return Array.isArray(list) ? list : [];
}

function textOf(value: unknown, name: string): string | undefined {
  const text = memberOf(value, name);
  return typeof text === 'string' ? text : undefined;
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Record<string, unknown>)[name]
    : undefined;
}
