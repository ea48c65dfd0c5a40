/** Buckets as written, and the limits of subscribers, which are buckets that pay for nothing. */
import type { AccountDefinition, Bucket, Renewal } from '../charging/account.ts';
import { instantOf } from '../charging/calendar.ts';
import type { Unit } from '../charging/request.ts';
import { each, known } from './findings.ts';
import { timeZoneOf } from './plans.ts';
import { type Finding, show } from './problem.ts';
import { parseTime } from './quantity.ts';
import type { RuleNames } from './rule-names.ts';
import type { WrittenBucket, WrittenLimit, WrittenRenewal } from './schema.ts';
import {
  type Context,
  durationAt,
  excluded,
  moneyAt,
  optional,
  parsedAt,
  quantityAt,
  within,
} from './written.ts';

/** A bucket with what it starts with on a new account. */
export interface FundedBucket {
  bucket: Bucket;
  opening: number;
}

interface BucketContext extends Context {
  plan: { id: string; rules: RuleNames | undefined };
  /** In which its periods are counted, unless it names another. */
  timeZone: string;
}

/** The bucket that is implied where an account has none that can take what no other takes. */
export const MAIN = 'main';
/** Limits are never drawn: they stand before everything that is. */
const PRIORITY = { money: 1000, units: 100, limit: 0 } as const;
const WEEKDAYS = [
  'monday',
  'tuesday',
  'wednesday',
  'thursday',
  'friday',
  'saturday',
  'sunday',
] as const;

/** An empty one, drawn after a bucket of priority `last`. */
export function mainBucket(last: number): Bucket {
  return { id: MAIN, unit: 'money', priority: Math.max(PRIORITY.money, last + 1), floor: 0 };
}

export function compileBucket(written: WrittenBucket, context: BucketContext): FundedBucket {
  const { path, report } = context;
  const { id, unit, priority = unit === 'money' ? PRIORITY.money : PRIORITY.units } = written;
  const opening = quantityAt(written.opening, { ...within(context, 'opening'), unit, least: 0 });
  const renewal = renewalOf(written, { ...context, opening });
  const lasts = durationAt(written.lasts, within(context, 'lasts'));
  if (written.lasts !== undefined)
    excluded(written, ['renewal'], { path, report, because: 'lasts' });
  if (written.paysFor !== undefined)
    checkRules(written.paysFor, { ...within(context, 'paysFor'), unit });
  const bucket: Bucket = {
    id,
    unit,
    priority,
    ...lifeOf(written, context),
    ...optional('renewal', renewal),
    ...(lasts === undefined ? {} : { lastsMs: lasts * 1000 }),
    floor: floorOf(written, context),
    ...optional('paysFor', written.paysFor),
  };
  return { bucket, opening: opening ?? renewal?.amount ?? 0 };
}

/** A limit: in each period its subscriber may use what this bucket has. */
export function compileLimit(
  written: WrittenLimit,
  names: readonly string[],
  context: BucketContext,
): FundedBucket {
  const { id, unit, every, rules } = written;
  const { path, report } = context;
  const amount = quantityAt(written.amount, { ...within(context, 'amount'), unit, least: 0 }) ?? 0;
  if (every === undefined) {
    for (const member of ['on', 'from', 'timeZone'] as const) {
      if (written[member] === undefined) continue;
      const expected = 'a period: hour, day, week or month';
      report({ path: [...path, member], at: 'key', found: `${member} without every`, expected });
    }
  }
  if (rules !== undefined) checkRules(rules, { ...within(context, 'rules'), unit });
  const bucket: Bucket = {
    id,
    unit,
    priority: PRIORITY.limit,
    ...(every === undefined
      ? { amount }
      : { renewal: { ...periodOf({ ...written, every }, context), amount, rollover: 0 } }),
    limits: names,
    floor: 0,
    ...optional('paysFor', rules),
  };
  return { bucket, opening: amount };
}

/** From when to when a bucket is drawn. */
function lifeOf(
  { starts, expires }: WrittenBucket,
  context: Context,
): Pick<Bucket, 'startsAt' | 'expiresAt'> {
  const time = (member: 'starts' | 'expires', written: string | undefined) =>
    written === undefined
      ? undefined
      : parsedAt(parseTime(written), { written, ...within(context, member) });
  const startsAt = time('starts', starts);
  const expiresAt = time('expires', expires);
  if (startsAt !== undefined && expiresAt !== undefined && expiresAt <= startsAt) {
    const expected = `a time after it starts, ${show(starts)}`;
    context.report({ path: [...context.path, 'expires'], found: show(expires), expected });
  }
  return { ...optional('startsAt', startsAt), ...optional('expiresAt', expiresAt) };
}

function floorOf({ unit, creditLimit }: WrittenBucket, context: Context): number {
  if (creditLimit === undefined) return 0;
  const place = within(context, 'creditLimit');
  if (unit === 'money') return 0 - (moneyAt(creditLimit, { ...place, least: 0 }) ?? 0);
  const expected = 'no credit limit: only money may go below zero';
  place.report({ path: place.path, at: 'key', found: `a bucket of ${unit}`, expected });
  return 0;
}

function renewalOf(
  { unit, renewal, opening: writtenOpening }: WrittenBucket,
  { opening, ...context }: BucketContext & { opening: number | undefined },
): Renewal | undefined {
  if (renewal === undefined) return undefined;
  const place = within(context, 'renewal');
  const written = quantityAt(renewal.amount, { ...within(place, 'amount'), unit });
  if (renewal.amount === undefined && (writtenOpening === undefined || opening === 0)) {
    const expected = 'the amount of each period, or an opening that says it';
    place.report({ path: [...place.path, 'amount'], found: 'nothing', expected });
  }
  const { rollover } = renewal;
  return {
    ...periodOf(renewal, place),
    amount: written ?? opening ?? 0,
    rollover:
      rollover === 'all'
        ? Number.MAX_SAFE_INTEGER
        : (quantityAt(rollover, { ...within(place, 'rollover'), unit, least: 0 }) ?? 0),
  };
}

/** Where periods begin: at a time that is written, or at local midnight of the day that is. */
function periodOf(
  { every, on, from, timeZone: zone }: Pick<WrittenRenewal, 'every' | 'on' | 'from' | 'timeZone'>,
  context: Omit<BucketContext, 'plan'>,
): Pick<Renewal, 'every' | 'from' | 'timeZone'> {
  const { path, report } = context;
  const timeZone = timeZoneOf(zone, within(context, 'timeZone')) ?? context.timeZone;
  const refuse = (found: string, expected: string) =>
    report({ path: [...path, 'on'], found, expected });
  if (on !== undefined && from !== undefined)
    excluded({ on }, ['on'], { path, report, because: 'from' });
  else if (on !== undefined && every === 'month' && typeof on === 'string')
    refuse(show(on), 'a day of the month from 1 to 31');
  else if (on !== undefined && every === 'week' && typeof on === 'number')
    refuse(show(on), `a day of the week: ${WEEKDAYS.join(', ')}`);
  else if (on !== undefined && (every === 'hour' || every === 'day'))
    refuse(`on with every: ${every}`, 'a day with month or week only');
  const day = typeof on === 'string' ? WEEKDAYS.indexOf(on) + 1 : (on ?? 1);
  // The first of January 2024 is a Monday, and the month has 31 days.
  const midnight = instantOf(timeZone, Date.UTC(2024, 0, day));
  if (from === undefined) return { every, from: midnight, timeZone };
  const at = parsedAt(parseTime(from), { written: from, ...within(context, 'from') });
  return { every, from: at ?? midnight, timeZone };
}

/**
 * What the buckets and limits of an account name that a plan has not, or that does not count what
 * they hold; each with its path within the account. Of a plan without `rules` nothing is known.
 */
export function misfits(
  { buckets }: Pick<AccountDefinition, 'buckets'>,
  plan: BucketContext['plan'],
): Finding[] {
  const findings: Finding[] = [];
  const report = (finding: Finding) => findings.push(finding);
  for (const { id, unit, paysFor = [] } of buckets)
    checkRules(paysFor, { unit, plan, path: ['buckets', id], report });
  return findings;
}

/** Rules that a bucket or limit names exist, and count what it holds. */
function checkRules(
  names: readonly string[],
  { unit, plan, path, report }: Pick<BucketContext, 'plan' | 'path' | 'report'> & { unit: Unit },
): void {
  const { id, rules } = plan;
  if (rules === undefined) return;
  for (const [name, at] of each(names, path)) {
    known(name, { among: rules, what: `a rule of plan ${show(id)}`, path: at, report });
    const counts = rules.get(name);
    if (counts === undefined || counts === unit || unit === 'money') continue;
    const found = `${show(name)}, which counts ${counts}`;
    report({ path: at, found, expected: `a rule that counts ${unit}` });
  }
}
