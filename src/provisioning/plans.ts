/** Plans as written to plans as the charging core rates by them. */
import type { Plan, Price, Rule } from '../charging/plan.ts';
import type { Unit } from '../charging/request.ts';
import { each, once, type Report } from './findings.ts';
import type { Parsed } from './money.ts';
import { type Path, show } from './problem.ts';
import { parseDuration, parseQuantity } from './quantity.ts';
import type { WrittenPlan, WrittenQuantity, WrittenRule } from './schema.ts';

const DEFAULTS = {
  supervisionSeconds: 86_400,
  validityGraceSeconds: 60,
  restrictedSeconds: 300,
} as const;
/** Of a rule that refuses its service: it grants nothing, its sizes are never looked at. */
const NO_QUOTA: Rule['quota'] = { size: 1, minimum: 1, maximum: 1 };

interface Context {
  digits: number;
  path: Path;
  report: Report;
}

export function compilePlan(written: WrittenPlan, { digits, path, report }: Context): Plan {
  const duration = (member: 'supervision' | 'validityGrace', least: number) =>
    durationOf(written[member], { path: [...path, member], least, report });
  const names = new Set<string>();
  const rules: Rule[] = [];
  let catchAll: string | undefined;
  for (const [rule, rulePath] of each(written.rules, [...path, 'rules'])) {
    once(names, rule.name, { path: [...rulePath, 'name'], report });
    if (catchAll !== undefined) {
      const found = `a rule after ${show(catchAll)}, which matches everything`;
      report({ path: rulePath, found, expected: 'rules that can be reached' });
    } else if (Object.keys(rule.match ?? {}).length === 0) catchAll = rule.name;
    rules.push(compileRule(rule, { digits, path: rulePath, report }));
  }
  return {
    id: written.id,
    version: written.version ?? 1,
    rules,
    supervisionSeconds: duration('supervision', 1) ?? DEFAULTS.supervisionSeconds,
    validityGraceSeconds: duration('validityGrace', 0) ?? DEFAULTS.validityGraceSeconds,
    timeZone: 'UTC',
    holidays: [],
    indeterminate: 'after',
  };
}

function compileRule(written: WrittenRule, context: Context): Rule {
  const { path, report } = context;
  const { name, match = {}, atEnd = 'terminate', denied = false } = written;
  checkTariff(written, context);
  const missing = (member: string, expected: string): void => {
    if (!denied) report({ path: [...path, member], found: 'nothing', expected });
  };
  if (written.unit === undefined) missing('unit', 'octets, seconds, units or money');
  if (written.quota === undefined) missing('quota', 'quota sizes');
  const unit = written.unit ?? 'octets';
  const { ratingGroup, ...others } = match;
  const quota = quotaOf(written, unit, context);
  const price = priceOf(written, { unit, size: quota?.size, ...context });
  const validitySeconds = durationOf(written.validity, {
    path: [...path, 'validity'],
    least: 1,
    report,
  });
  const holdingSeconds = durationOf(written.holdingTime, {
    path: [...path, 'holdingTime'],
    least: 0,
    report,
  });
  return {
    name,
    match: {
      ...others,
      ...(ratingGroup === undefined
        ? {}
        : { ratingGroup: ratingGroup.map((group) => (group === 'none' ? null : group)) }),
    },
    unit,
    ...(price === undefined ? {} : { price }),
    quota: quota ?? NO_QUOTA,
    ...(validitySeconds === undefined ? {} : { validitySeconds }),
    ...(holdingSeconds === undefined ? {} : { holdingSeconds }),
    atEnd: atEnd === 'deny' ? 'deny' : { action: atEnd },
    restrictedSeconds: DEFAULTS.restrictedSeconds,
    ...(denied ? { denied } : {}),
  };
}

/** A rule says in one way what its service costs; money costs what it is (RFC 8506 8.22). */
function checkTariff(written: WrittenRule, { path, report }: Context): void {
  const ways = (['price', 'free', 'denied'] as const).filter((way) => written[way] !== undefined);
  const [first, second] = ways;
  if (written.unit === 'money' && (first === 'price' || first === 'free')) {
    const expected = 'neither price nor free: money is not rated again';
    report({ path: [...path, first], at: 'key', found: first, expected });
  } else if (first === undefined && written.unit !== 'money') {
    report({ path, found: 'no price', expected: "one of 'price', 'free: true', 'denied: true'" });
  } else if (second !== undefined) {
    const found = `${second} beside ${first}`;
    report({ path: [...path, second], at: 'key', found, expected: 'one of them only' });
  }
}

function quotaOf(
  { quota }: WrittenRule,
  unit: Unit,
  { digits, path, report }: Context,
): Rule['quota'] | undefined {
  if (quota === undefined) return undefined;
  const at = (member: keyof typeof quota): Path => [...path, 'quota', member];
  const parse = (member: keyof typeof quota) =>
    positive(quota[member], { unit, digits, path: at(member), report });
  const size = parse('size');
  const minimum = parse('minimum');
  const maximum = parse('maximum');
  if (size !== undefined && minimum !== undefined && minimum > size) {
    const expected = `at most the size, ${show(quota.size)}`;
    report({ path: at('minimum'), found: show(quota.minimum), expected });
  }
  if (size !== undefined && maximum !== undefined && maximum < size) {
    const expected = `at least the size, ${show(quota.size)}`;
    report({ path: at('maximum'), found: show(quota.maximum), expected });
  }
  return size === undefined ? undefined : { size, minimum: minimum ?? 1, maximum: maximum ?? size };
}

function priceOf(
  { price, quota }: WrittenRule,
  { unit, size, digits, path, report }: Context & { unit: Unit; size: number | undefined },
): Price | undefined {
  if (price === undefined || unit === 'money') return undefined;
  const at = (member: keyof typeof price): Path => [...path, 'price', member];
  const context = { unit, digits, report };
  const amount = positive(price.amount, { ...context, unit: 'money', path: at('amount') });
  const per = positive(price.per, { ...context, path: at('per') });
  const increment = positive(price.increment, { ...context, path: at('increment') });
  const step = increment ?? per ?? 1;
  if (size !== undefined && step > size) {
    const member = price.increment === undefined ? 'per' : 'increment';
    const found = `steps of ${show(price[member])}`;
    report({ path: at(member), found, expected: `at most the quota's size, ${show(quota?.size)}` });
  }
  return { amount: amount ?? 1, per: per ?? 1, increment: step };
}

/** A quantity above 0, or undefined: not written, or reported. */
function positive(
  written: WrittenQuantity | undefined,
  { unit, digits, path, report }: Context & { unit: Unit },
): number | undefined {
  if (written === undefined) return undefined;
  return accepted(parseQuantity(written, { unit, digits }), { written, least: 1, path, report });
}

function durationOf(
  written: string | number | undefined,
  { least, path, report }: { least: number; path: Path; report: Report },
): number | undefined {
  if (written === undefined) return undefined;
  return accepted(parseDuration(written), { written, least, path, report });
}

function accepted(
  parsed: Parsed<number>,
  { written, least, path, report }: { written: unknown; least: number; path: Path; report: Report },
): number | undefined {
  if ('expected' in parsed) {
    report({ path, found: show(written), expected: parsed.expected });
    return undefined;
  }
  if (parsed.value < least) {
    report({ path, found: show(written), expected: 'more than 0' });
    return undefined;
  }
  return parsed.value;
}
