/**
 * What an answer says beside its services, where the plan wants it said: what the session has cost
 * so far, what money is left, and how the client is to go on when it reaches no server.
 */
import { lastToPay } from './account.ts';
import type { Answer } from './answer.ts';
import { isOver } from './buckets.ts';
import type { Draft } from './draft.ts';
import { add } from './money.ts';
import type { Plan } from './plan.ts';
import type { Service } from './session.ts';

/**
 * Adds the notices of `plan` to the answer of a request after whose moves `services` stand.
 * Undefined: it would say that money is low on a hint, which only freshly read data may say.
 */
export function withNotices(
  answer: Answer,
  {
    plan,
    draft,
    services,
    now,
    fresh,
    ending,
  }: {
    plan: Plan;
    draft: Draft;
    services: readonly Service[];
    now: number;
    fresh: boolean;
    /** The session ends: nothing is to be told of how it could go on. */
    ending: boolean;
  },
): Answer | undefined {
  const { tellsCost, failureHandling, debitFailureHandling } = plan;
  if (tellsCost) answer.cost = costOf(services);
  tellBalance(answer, { plan, draft, now });
  if (answer.lowBalance && !fresh) return undefined;
  if (ending) return answer;
  if (failureHandling !== undefined) answer.failureHandling = failureHandling;
  if (debitFailureHandling !== undefined) answer.debitFailureHandling = debitFailureHandling;
  return answer;
}

/** Adds what is left of the account after the moves of `draft`, where the plan wants it said. */
export function tellBalance(
  answer: Answer,
  { plan, draft, now }: { plan: Plan; draft: Draft; now: number },
): void {
  const { tellsBalance, lowBalance } = plan;
  if (!tellsBalance && lowBalance === undefined) return;
  const remaining = moneyLeft(draft, now);
  if (tellsBalance) answer.remaining = remaining;
  if (lowBalance !== undefined) answer.lowBalance = remaining < lowBalance;
}

/** RFC 8506 8.7: what was debited for the services that the session remembers; nothing reserved. */
function costOf(services: readonly Service[]): number {
  let cost = 0;
  for (const service of services) cost = add(cost, service.cost);
  return cost;
}

/**
 * The money of all buckets that pay at `now`, as far as nothing is reserved of it and whatever it
 * may be spent on; a credit line is not money, so below zero it is what is owed. It is what the
 * decision knew: what other sessions of the account moved since it was read is not in it.
 */
export function moneyLeft(draft: Draft, now: number): number {
  const { buckets } = draft.account.definition;
  const last = lastToPay(buckets);
  let left = 0;
  for (const bucket of buckets) {
    if (bucket.unit !== 'money' || bucket.limits !== undefined) continue;
    const isOpen = bucket.startsAt === undefined || bucket.startsAt <= now;
    const pays = isOpen && !isOver(bucket, draft.period(bucket.id), now);
    // The last takes what no other does, and so owes it, whether or not it may be drawn on.
    if (pays || bucket === last) left = add(left, draft.available(bucket.id));
  }
  return left;
}
