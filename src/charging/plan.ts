/**
 * A plan: an ordered list of rules, data and never code. The first rule that matches a service
 * decides how it is counted, priced and supervised.
 */
import type { Unit } from './request.ts';

/** `amount` of money for each `per` units, counted in steps of `increment` units. */
export interface Price {
  /** In the tenant's smallest unit of money, 0..2^53-1. */
  amount: number;
  per: number;
  increment: number;
}

export interface Rule {
  name: string;
  match: {
    /** Service-Context-Id; absent: any. */
    context?: readonly string[];
    /** Rating groups; `null`: only services without one; absent: any. */
    ratingGroup?: readonly (number | null)[];
    /** Service-Identifiers; absent: any. */
    serviceIdentifier?: readonly number[];
  };
  unit: Unit;
  /** Absent: free of charge. */
  price?: Price;
  quota: {
    /** Units granted when the client leaves the size to us. */
    size: number;
    /** The smallest grant that is worth an answer; below it credit is exhausted. */
    minimum: number;
    /** The most that is granted, however much is asked. */
    maximum: number;
  };
  /** Validity-Time of a grant; absent: no limit in time. */
  validitySeconds?: number;
  /** Quota-Holding-Time told to the client. */
  holdingSeconds?: number;
  /** What happens when credit ends: `terminate` announces final units, `deny` just refuses. */
  atEnd: 'terminate' | 'deny';
  /** A rule that refuses its service (4010) is a way to say that it is not part of the plan. */
  denied?: boolean;
}

export interface Plan {
  id: string;
  version: number;
  rules: readonly Rule[];
  /** Tcc where no grant has a validity (RFC 8506 13). */
  supervisionSeconds: number;
  /** How long after its validity an unreported grant keeps its reservation. */
  validityGraceSeconds: number;
}

/**
 * What stands for a plan that is provisioned no more. Open sessions are settled by what they were
 * granted, and supervised; nothing new is rated.
 */
export function planWithoutRules(id: string): Plan {
  return { id, version: 0, rules: [], supervisionSeconds: 86_400, validityGraceSeconds: 60 };
}

/** The first rule of `plan` that matches, or undefined: the service cannot be rated. */
export function ruleFor(
  plan: Plan,
  service: { context: string; ratingGroup?: number | undefined; serviceIds: readonly number[] },
): Rule | undefined {
  for (const rule of plan.rules) if (matches(rule, service)) return rule;
  return undefined;
}

/** Whether any rule of the plan knows this Service-Context-Id (RFC 8506 4.1.3). */
export function knowsContext(plan: Plan, context: string): boolean {
  return plan.rules.some((rule) => rule.match.context?.includes(context) ?? true);
}

function matches(
  { match }: Rule,
  service: { context: string; ratingGroup?: number | undefined; serviceIds: readonly number[] },
): boolean {
  if (match.context !== undefined && !match.context.includes(service.context)) return false;
  if (match.ratingGroup !== undefined && !match.ratingGroup.includes(service.ratingGroup ?? null))
    return false;
  if (match.serviceIdentifier !== undefined) {
    const wanted = match.serviceIdentifier;
    return service.serviceIds.length > 0 && service.serviceIds.every((id) => wanted.includes(id));
  }
  return true;
}
