/**
 * What a session has said of its use: each request's facts over those that came before. Only what
 * some rule of its plan matches on is kept, so that most sessions keep nothing. What a request says
 * that others overtook is so of its own use, and of nothing that comes later.
 */
import type { Plan } from './plan.ts';
import type { Facts, Request } from './request.ts';
import type { Session } from './session.ts';

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

/**
 * What the session knows of later use than the request's, where that says otherwise; undefined: the
 * request is the last word.
 */
export function newerFacts(
  plan: Plan,
  { facts: known, factsAt }: Pick<Session, 'facts' | 'factsAt'>,
  { facts: said, occurredAt }: Pick<Request, 'facts' | 'occurredAt'>,
): Facts | undefined {
  if (factsAt === undefined || occurredAt === undefined || occurredAt >= factsAt) return undefined;
  const older = mergeFacts(plan, known, said);
  const newer = mergeFacts(plan, said, known);
  return ALL.every((fact) => older?.[fact] === newer?.[fact]) ? undefined : newer;
}

/** Store time in ms of the use that the newest facts are of, with those of a request. */
export function factsAtOf(
  { facts, occurredAt }: Pick<Request, 'facts' | 'occurredAt'>,
  { factsAt, now }: { factsAt: number | undefined; now: number },
): number | undefined {
  if (facts === undefined) return factsAt;
  return Math.max(Math.min(occurredAt ?? now, now), factsAt ?? 0);
}
