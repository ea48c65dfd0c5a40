/** What `plan test` and `record explain` say of a service, in words. Not a command itself. */
import type {
  BandCost,
  CostExplanation,
  Explanation,
  Failed,
  Verdict,
} from '../charging/explain.ts';
import type { Window } from '../charging/plan.ts';
import type { Unit } from '../charging/request.ts';
import type { TenantCurrency } from '../http/tenant.ts';
import { formatMoney } from '../provisioning/money.ts';
import { printable } from './columns.ts';
import { shownQuantity } from './currencies.ts';

/** More rules that do not match are only counted; `--json` has them all. */
const MAX_OTHERS = 20;
/** More values of a condition are only counted. */
const MAX_VALUES = 5;

export interface Wording {
  currency: TenantCurrency | undefined;
  /** Of the plan. */
  timeZone: string;
}

/** Figures of any size for JSON: those beyond 2^53 - 1 as text. */
export function plainFigures(value: unknown): unknown {
  if (typeof value === 'bigint') return isSafe(value) ? Number(value) : String(value);
  if (Array.isArray(value)) return value.map(plainFigures);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, member]) => [name, plainFigures(member)]),
  );
}

/** Which rule was chosen and why, then the others that match, then why the rest do not. */
export function choiceLines(
  { chosen, rules, local }: Explanation,
  { timeZone }: Wording,
): string[] {
  const matching = rules.filter(({ failed }) => failed === undefined);
  const others = rules.filter(({ failed }) => failed !== undefined);
  const [first, second, ...more] = matching;
  const lines: string[] = [];
  if (chosen === undefined || first === undefined) lines.push('no rule matches');
  else {
    lines.push(`rule ${chosen.rule}: ${reason(chosen.by, first, second)}`);
    for (const { rule } of more) lines.push(`  ${rule} matches too, and comes after these`);
  }
  const time = `${dayName(local.day)} ${local.date} ${clock(local.minute)} in ${timeZone}`;
  for (const { rule, failed } of others.slice(0, MAX_OTHERS))
    if (failed !== undefined) lines.push(`  ${rule} does not match: ${failure(failed, time)}`);
  if (others.length > MAX_OTHERS) lines.push(`  ${others.length - MAX_OTHERS} more do not match`);
  return lines.map(printable);
}

function reason(
  by: NonNullable<Explanation['chosen']>['by'],
  first: Verdict,
  second: Verdict | undefined,
): string {
  const over = second?.rule ?? '';
  if (by === 'only') return 'no other matches';
  if (by === 'order') return `${over} matches too, and stands after it`;
  const other = second?.[by];
  const than = other === undefined ? 'has none' : `has '${other}'`;
  return `it has the longer prefix of the ${by} number, '${first[by]}'; ${over} ${than}`;
}

const CONDITIONS: Readonly<Record<Failed['condition'], string>> = {
  context: 'the context',
  ratingGroup: 'the rating group',
  serviceIdentifier: 'the service identifier',
  apn: 'the APN',
  rat: 'the RAT type',
  visited: 'the visited network',
  called: 'the called number',
  calling: 'the calling number',
  role: 'the role',
  when: 'the time',
};
const PREFIXES: ReadonlySet<Failed['condition']> = new Set(['visited', 'called', 'calling']);

function failure(failed: Failed, time: string): string {
  const what = CONDITIONS[failed.condition];
  if (failed.condition === 'when') {
    const { wanted, found } = failed;
    const isNight = wanted.some(({ days, until }) => days && found.minute + DAY_MINUTES < until);
    const after = isNight ? `, on the day after a ${dayName(found.dayBefore)}` : '';
    return `${what} is ${time}${after}, not ${list(wanted.map(windowText))}`;
  }
  const { found } = failed;
  const none = found === null || (typeof found === 'object' && found.length === 0);
  const is = none ? 'not known' : `${found}`;
  const wanted = list(failed.wanted.map((value) => (value === null ? 'none' : String(value))));
  const not = PREFIXES.has(failed.condition) ? `does not begin with ${wanted}` : `not ${wanted}`;
  if (none)
    return `${what} is ${is}, and must ${PREFIXES.has(failed.condition) ? 'begin with' : 'be'} ${wanted}`;
  return PREFIXES.has(failed.condition) ? `${what} ${is} ${not}` : `${what} is ${is}, ${not}`;
}

function list(values: readonly string[]): string {
  if (values.length === 0) return 'anything';
  const shown = values.slice(0, MAX_VALUES).join(' or ');
  return values.length > MAX_VALUES ? `${shown} or ${values.length - MAX_VALUES} more` : shown;
}

const DAY_MINUTES = 1440;
const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday'];

function dayName(day: number): string {
  return DAYS[day - 1] ?? 'holiday';
}

function windowText({ days, from, until }: Window): string {
  const hours = `${clock(from)}-${clock(until > DAY_MINUTES ? until - DAY_MINUTES : until)}`;
  return days === undefined ? hours : `${days.map(dayName).join('/')} ${hours}`;
}

function clock(minute: number): string {
  const two = (value: number) => String(value).padStart(2, '0');
  return `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
}

/** `rating group 1, service 7` */
export function serviceName({
  ratingGroup,
  serviceIds,
}: {
  ratingGroup?: number;
  serviceIds: readonly number[];
}): string {
  const group = ratingGroup === undefined ? [] : [`rating group ${ratingGroup}`];
  const ids = serviceIds.length === 0 ? [] : [`service ${serviceIds.join(', ')}`];
  const names = [...group, ...ids];
  return names.length === 0 ? 'service' : names.join(', ');
}

/** What some units cost by one rule, and how that came about, or `otherwise` why it did not. */
export function amountLines(
  amount: { rule: string; units: number; cost: number; how?: CostExplanation },
  { unit, wording, otherwise }: { unit: Unit; wording: Wording; otherwise: string },
): string[] {
  const { rule, units, cost, how } = amount;
  const what = `${shownQuantity(units, unit, wording.currency)} by rule ${printable(rule)}`;
  if (how === undefined && cost === 0) return [`${what}: ${otherwise}`];
  const head = `${what}: ${money(cost, wording)}`;
  if (how === undefined) return [`${head}, ${otherwise}`];
  return [head, ...costLines(how, { unit, wording }).map((line) => `  ${line}`)];
}

/** A line each for the minimum, fees and bands. */
function costLines(
  { before, after, bands }: CostExplanation,
  { unit, wording }: { unit: Unit; wording: Wording },
): string[] {
  const lines: string[] = [];
  const paid = before.counted > 0n ? `${before.units} were paid for before` : '';
  if (after.counted > after.units) {
    const minimum = `${amount(after.counted, unit)} count as used: the minimum`;
    lines.push(paid === '' ? minimum : `${minimum}; ${paid}`);
  } else if (paid !== '') lines.push(`${amount(after.units, unit)} in all; ${paid}`);
  for (const band of bands) {
    if (band.fee > 0n) {
      const when = band.from === 0n ? 'the first unit' : `the first unit beyond ${band.from}`;
      lines.push(`fee with ${when}: ${money(band.fee, wording)}`);
    }
    if (band.after.units > band.before.units) lines.push(bandLine(band, { unit, wording }));
  }
  return lines;
}

function bandLine(band: BandCost, { unit, wording }: { unit: Unit; wording: Wording }): string {
  const { after, before, per, increment } = band;
  const from = band.from === 0n ? '' : ` beyond ${band.from}`;
  const counted =
    increment === 1n ? '' : `, counted as ${after.increments} x ${amount(increment, unit)}`;
  const rate = `${money(band.amount, wording)} per ${amount(per, unit)}`;
  const rounded =
    after.roundedUp === 0n ? '' : ` (rounded up by ${after.roundedUp}/${per} of the smallest unit)`;
  const less =
    before.amount === 0n
      ? ''
      : `, less ${money(before.amount, wording)} for ${before.units} before: ${money(band.charged, wording)}`;
  const head = `${amount(after.units, unit)}${from}${counted} at ${rate}`;
  return `${head}: ${money(after.amount, wording)}${rounded}${less}`;
}

function amount(value: bigint, unit: Unit): string {
  return isSafe(value) ? shownQuantity(Number(value), unit, undefined) : `${value} ${unit}`;
}

export function money(value: bigint | number, { currency }: Pick<Wording, 'currency'>): string {
  if (currency === undefined || !isSafe(BigInt(value))) return `${value} smallest units`;
  return formatMoney(Number(value), currency);
}

function isSafe(value: bigint): boolean {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER);
}
