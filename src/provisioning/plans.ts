/** Plans as written to plans as the charging core rates by them. */
import { isTimeZone } from '../charging/calendar.ts';
import type { Plan, Rule } from '../charging/plan.ts';
import { nearest } from '../nearest.ts';
import { each, isWhole, once } from './findings.ts';
import { show } from './problem.ts';
import { parseDate } from './quantity.ts';
import { unreachable } from './reach.ts';
import { compileRule } from './rules.ts';
import type { WrittenPlan } from './schema.ts';
import type { Work } from './work.ts';
import {
  type Context,
  durationAt,
  moneyAt,
  optional,
  type Place,
  parsedAt,
  within,
} from './written.ts';
import { compileZones, prefixBudget, reportBudget, type Zones } from './zones.ts';

const SUPERVISION_SECONDS = 86_400;
const GRACE_SECONDS = 60;

/** What a tenant says for all of its plans that do not say otherwise. */
export interface TenantDefaults {
  timeZone: string;
  holidays: readonly string[];
  zones: Zones;
}

export function* compilingPlan(
  written: WrittenPlan,
  { tenant, ...context }: Context & { tenant: TenantDefaults },
): Work<Plan> {
  const { tells = [], refunds } = written;
  const holidays = holidaysOf(written.holidays, within(context, 'holidays')) ?? tenant.holidays;
  const zones = compileZones(written.zones, { ...within(context, 'zones'), outer: tenant.zones });
  const supervision = durationAt(written.supervision, within(context, 'supervision'));
  const grace = durationAt(written.validityGrace, {
    ...within(context, 'validityGrace'),
    least: 0,
  });
  const lowBalance = moneyAt(written.lowBalance, within(context, 'lowBalance'));
  const maximum = moneyAt(refunds?.maximum, within(context, 'refunds', 'maximum'));
  return {
    id: written.id,
    version: written.version ?? 1,
    rules: yield* compilingRules(written, { ...within(context, 'rules'), zones, holidays }),
    supervisionSeconds: supervision ?? SUPERVISION_SECONDS,
    validityGraceSeconds: grace ?? GRACE_SECONDS,
    timeZone: timeZoneOf(written.timeZone, within(context, 'timeZone')) ?? tenant.timeZone,
    holidays,
    indeterminate: written.indeterminate ?? 'after',
    ...optional('failureHandling', written.failureHandling),
    ...optional('debitFailureHandling', written.debitFailureHandling),
    ...(tells.includes('cost') ? { tellsCost: true } : {}),
    ...(tells.includes('balance') ? { tellsBalance: true } : {}),
    ...optional('lowBalance', lowBalance),
    ...(written.reauthorise === undefined ? {} : { reauthoriseAtExpiry: true }),
    ...(maximum === undefined ? {} : { refunds: { maximum } }),
  };
}

function* compilingRules(
  written: WrittenPlan,
  context: Context & { zones: Zones; holidays: readonly string[] },
): Work<Rule[]> {
  const { path, report } = context;
  const names = new Set<string>();
  const budget = prefixBudget();
  const rules: Rule[] = [];
  const reached: (Rule | undefined)[] = [];
  const places: Context[] = [];
  for (const [rule, at] of each(written.rules, path)) {
    yield;
    once(names, rule.name, { path: [...at, 'name'], report });
    const compiled = compileRule(rule, { ...context, path: at, budget });
    rules.push(compiled);
    reached.push(isWhole(rule.match ?? {}) ? compiled : undefined);
    places.push({ ...context, path: at });
  }
  reportBudget(budget, context);
  if (budget.prefixes < 0) return rules;
  for (const [index, taker] of yield* unreachable(reached)) {
    const all = Object.keys(taker.match).length === 0 ? 'everything' : 'all that it does';
    const found = `a rule after ${show(taker.name)}, which matches ${all}`;
    report({ path: places[index]?.path ?? path, found, expected: 'rules that can be reached' });
  }
  return rules;
}

/** An IANA name that the runtime knows, or undefined: not written, or reported. */
export function timeZoneOf(
  written: string | undefined,
  { path, report }: Place,
): string | undefined {
  if (written === undefined || isTimeZone(written)) return written;
  const meant = nearest(written, Intl.supportedValuesOf('timeZone'));
  const expected = `the name of a time zone${meant === undefined ? " such as 'Europe/Berlin'" : `: '${meant}'?`}`;
  report({ path, found: show(written), expected });
  return undefined;
}

/** Dates that exist, or undefined: not written. */
export function holidaysOf(
  written: readonly string[] | undefined,
  { path, report }: Place,
): string[] | undefined {
  if (written === undefined) return undefined;
  const dates = new Set<string>();
  for (const [date, at] of each(written, path)) {
    once(dates, date, { path: at, report });
    parsedAt(parseDate(date), { written: date, path: at, report });
  }
  return [...dates];
}
