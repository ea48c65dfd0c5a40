/**
 * What of a message to several recipients falls to those under each rule: the same in a one-time
 * event and in a session. What the client counts itself it counts for all of them. Where it leaves
 * the counting to the server there is one unit for each recipient and part or, under a rule that
 * counts octets or seconds, its quota size.
 */
import { LIMIT } from './money.ts';
import type { Rule } from './plan.ts';
import type { Asked, AskedService, Unit } from './request.ts';

export type Recipients = NonNullable<AskedService['recipients']>;

/** The rule for one recipient; undefined: its number is not known. */
export type RuleOf = (called: string | undefined) => Rule | undefined;

/** The recipients under one rule. */
export interface RuleShare {
  rule: Rule | undefined;
  recipients: Recipients;
  /** What is asked for them; undefined: it is not to be divided. */
  asked: Asked | undefined;
}

/** Finds the rule for each number once. */
export function oncePerNumber(find: RuleOf): RuleOf {
  const rules = new Map<string | undefined, Rule | undefined>();
  return (called) => {
    if (!rules.has(called)) rules.set(called, find(called));
    return rules.get(called);
  };
}

/** What is asked of one rule for all of a message, or of anything else. */
export function countedBy(rule: Rule | undefined, one: AskedService): Asked {
  const { asked = {}, recipients = [undefined], messages = recipients.length } = one;
  if (rule === undefined || messages === 1 || namesAny(asked)) return asked;
  return countOf(rule, messages);
}

/**
 * The recipients by rule, in the order of the first of each. All come under the first one's where
 * money is asked for, which the client has rated for all of them.
 */
export function sharesOf(
  one: AskedService & { recipients: Recipients },
  ruleOf: RuleOf,
): readonly [RuleShare, ...RuleShare[]] {
  const { recipients, asked = {} } = one;
  const groups = [...Map.groupBy(recipients, ruleOf)];
  const rule = groups[0]?.[0];
  const whole = { rule, recipients, asked: countedBy(rule, one) };
  if (groups.length < 2 || isOfMoney(asked, rule)) return [whole];
  const units = new Set(groups.flatMap(([rule]) => (isControlled(rule) ? [rule.unit] : [])));
  const [unit = rule?.unit ?? 'units', ...others] = units;
  const shares = groups.map(([rule, members]): RuleShare => {
    const part = others.length > 0 ? undefined : partOf(one, { rule, members, unit, ruleOf });
    return { rule, recipients: members, asked: part };
  });
  return shares as [RuleShare, ...RuleShare[]];
}

function isControlled(rule: Rule | undefined): rule is Rule {
  return rule !== undefined && !rule.denied && !rule.uncontrolled;
}

function isOfMoney(asked: Asked, rule: Rule | undefined): boolean {
  const { money, ...others } = asked;
  return rule?.unit === 'money' || (money !== undefined && !namesAny(others));
}

/** Messages are divided evenly or not at all; of what they consist of the first ones have the rest. */
function partOf(
  { recipients, asked = {}, messages = recipients.length }: Parameters<typeof sharesOf>[0],
  of: { rule: Rule | undefined; members: Recipients; unit: Unit; ruleOf: RuleOf },
): Asked | undefined {
  const { rule, members, unit, ruleOf } = of;
  if (!namesAny(asked)) {
    const count = (messages / recipients.length) * members.length;
    if (isControlled(rule)) return countOf(rule, count);
    return { [unit]: unit === 'units' ? count : 0 };
  }
  const total = asked[unit];
  if (total === undefined) return asked;
  const left = total % recipients.length;
  // Nothing for one of them would be no size, which the server chooses.
  const isTooLittle = unit === 'units' ? left > 0 : total === left && total > 0;
  if (isTooLittle) return undefined;
  const more = recipients.slice(0, left).filter((called) => ruleOf(called) === rule).length;
  return { [unit]: Math.floor(total / recipients.length) * members.length + more };
}

function countOf({ unit, quota }: Rule, messages: number): Asked {
  if (unit === 'money') return {};
  return { [unit]: unit === 'units' ? messages : Math.min(LIMIT, quota.size * messages) };
}

function namesAny(asked: Asked): boolean {
  for (const _ in asked) return true;
  return false;
}
