/** A rule as written to a rule as the charging core rates by it. */
import { serviceContext } from '../charging/context.ts';
import type { Directives, Final, Rule } from '../charging/plan.ts';
import type { Unit } from '../charging/request.ts';
import { parseAddressKind } from './final-units.ts';
import { given } from './findings.ts';
import { compilePrice } from './prices.ts';
import { show } from './problem.ts';
import type { WrittenAtEnd, WrittenMatch, WrittenQuantity, WrittenRule } from './schema.ts';
import { windowsOf } from './windows.ts';
import { ENVELOPE_REPORTING, RAT_TYPES, TRIGGER_TYPES } from './wire-names.ts';
import { type Context, durationAt, excluded, optional, quantityAt, within } from './written.ts';
import { type Budget, prefixesOf, type Zones } from './zones.ts';

const RESTRICTED_SECONDS = 300;
/** Of a rule that grants nothing: its sizes are never looked at. */
const NO_QUOTA: Rule['quota'] = { size: 1, minimum: 1, maximum: 1 };

export interface RuleContext extends Context {
  zones: Zones;
  holidays: readonly string[];
  budget: Budget;
}

export function compileRule(written: WrittenRule, context: RuleContext): Rule {
  const { path, report } = context;
  const { name, denied = false, uncontrolled = false } = written;
  checkTariff(written, context);
  const missing = (member: string, expected: string): void => {
    if (!denied && !uncontrolled) report({ path: [...path, member], found: 'nothing', expected });
  };
  if (written.unit === undefined) missing('unit', 'octets, seconds, units or money');
  if (written.quota === undefined) missing('quota', 'quota sizes');
  const unit = written.unit ?? 'octets';
  const quota = quotaOf(written, unit, context);
  const directives = directivesOf(written, { ...context, unit, size: quota?.size });
  const beside = besideOf(written, unit, context);
  const { again, otherwise } = typeof written.atEnd === 'object' ? written.atEnd : {};
  return {
    name,
    match: compileMatch(written.match ?? {}, within(context, 'match')),
    unit,
    ...priceOf(written, { ...context, unit, size: quota?.size }),
    quota: quota ?? NO_QUOTA,
    ...optional('validitySeconds', durationAt(written.validity, within(context, 'validity'))),
    ...optional(
      'holdingSeconds',
      durationAt(written.holdingTime, { ...within(context, 'holdingTime'), least: 0 }),
    ),
    ...(Object.keys(directives).length > 0 ? { directives } : {}),
    ...optional('beside', beside),
    ...optional('pool', written.pool),
    atEnd: atEndOf(written.atEnd ?? 'terminate', within(context, 'atEnd')),
    restrictedSeconds: durationAt(again, within(context, 'atEnd', 'again')) ?? RESTRICTED_SECONDS,
    ...(otherwise === 'stay' ? { staysRestricted: true } : {}),
    ...(denied ? { denied } : {}),
    ...(uncontrolled ? { uncontrolled } : {}),
  };
}

function compileMatch(
  { context, ratingGroup, apn, rat, visited, called, calling, when, ...others }: WrittenMatch,
  { zones, holidays, budget, ...place }: RuleContext,
): Rule['match'] {
  const prefixes = (list: 'visited' | 'called' | 'calling', written?: readonly string[]) => {
    const kind = list === 'visited' ? 'networks' : 'numbers';
    const at = within(place, list);
    return optional(list, prefixesOf(written, { kind, zones, budget, ...at }));
  };
  return {
    ...others,
    ...optional('context', context && given(context).map(serviceContext)),
    ...optional(
      'ratingGroup',
      ratingGroup && given(ratingGroup).map((group) => (group === 'none' ? null : group)),
    ),
    ...optional('apn', apn && given(apn).map((name) => name.toLowerCase())),
    ...optional(
      'rat',
      rat && given(rat).map((type) => (typeof type === 'number' ? type : RAT_TYPES[type])),
    ),
    ...prefixes('visited', visited),
    ...prefixes('called', called),
    ...prefixes('calling', calling),
    ...optional('when', windowsOf(when, { holidays, ...within(place, 'when') })),
  };
}

/** A rule says in one way what its service costs; money costs what it is (RFC 8506 8.22). */
function checkTariff(written: WrittenRule, { path, report }: Context): void {
  const ways = (['price', 'free', 'denied', 'uncontrolled'] as const).filter(
    (way) => written[way] !== undefined,
  );
  const [first, second] = ways;
  if (written.unit === 'money' && (first === 'price' || first === 'free')) {
    const expected = 'neither price nor free: money is not rated again';
    report({ path: [...path, first], at: 'key', found: first, expected });
  } else if (first === undefined && written.unit !== 'money') {
    const expected = "one of 'price', 'free: true', 'denied: true', 'uncontrolled: true'";
    report({ path, found: 'no price', expected });
  } else if (second !== undefined) {
    const found = `${second} beside ${first}`;
    report({ path: [...path, second], at: 'key', found, expected: 'one of them only' });
  }
}

function quotaOf({ quota }: WrittenRule, unit: Unit, context: Context): Rule['quota'] | undefined {
  if (quota === undefined) return undefined;
  const at = (member: keyof typeof quota) => within(context, 'quota', member);
  const parse = (member: 'size' | 'minimum' | 'maximum') =>
    quantityAt(quota[member], { ...at(member), unit });
  const size = parse('size');
  const minimum = parse('minimum');
  const maximum = parse('maximum');
  const { report } = context;
  if (size !== undefined && minimum !== undefined && minimum > size) {
    const expected = `at most the size, ${show(quota.size)}`;
    report({ path: at('minimum').path, found: show(quota.minimum), expected });
  }
  if (size !== undefined && maximum !== undefined && maximum < size) {
    const expected = `at least the size, ${show(quota.size)}`;
    report({ path: at('maximum').path, found: show(quota.maximum), expected });
  }
  return size === undefined ? undefined : { size, minimum: minimum ?? 1, maximum: maximum ?? size };
}

type Counted = RuleContext & { unit: Unit; size: number | undefined };

function priceOf(
  { price, quota }: WrittenRule,
  { unit, size, ...context }: Counted,
): Pick<Rule, 'price'> {
  if (price === undefined || unit === 'money') return {};
  const written = quota?.size ?? 0;
  const sizeOf = size === undefined ? undefined : { value: size, written };
  return { price: compilePrice(price, { ...within(context, 'price'), unit, size: sizeOf }) };
}

/** What a grant tells its client beside the units (TS 32.299 7.1.9). */
function directivesOf(written: WrittenRule, context: Counted): Directives {
  const { unit, path, report } = context;
  const { consumptionTime, timeMechanism, envelopes, triggers } = written;
  for (const member of ['consumptionTime', 'timeMechanism'] as const) {
    if (written[member] === undefined || unit === 'seconds') continue;
    const found = `${member} of ${unit}`;
    report({ path: [...path, member], at: 'key', found, expected: 'a rule that counts seconds' });
  }
  if (consumptionTime !== undefined)
    excluded(written, ['timeMechanism'], { path, report, because: 'consumptionTime' });
  const at = within(context, 'timeMechanism', 'interval');
  const intervalSeconds = durationAt(timeMechanism?.interval, at);
  return {
    ...optional('threshold', thresholdOf(written, context)),
    ...optional(
      'consumptionSeconds',
      durationAt(consumptionTime, within(context, 'consumptionTime')),
    ),
    ...(timeMechanism === undefined || intervalSeconds === undefined
      ? {}
      : { timeMechanism: { type: timeMechanism.type, intervalSeconds } }),
    ...(envelopes === undefined ? {} : { envelopes: ENVELOPE_REPORTING[envelopes] }),
    ...optional(
      'triggers',
      triggers &&
        given(triggers).map((type) => (typeof type === 'number' ? type : TRIGGER_TYPES[type])),
    ),
  };
}

function thresholdOf({ quota }: WrittenRule, context: Counted): number | undefined {
  const written = quota?.threshold;
  if (written === undefined) return undefined;
  const { unit, size, ...place } = within(context, 'quota', 'threshold');
  const refuse = (expected: string): undefined =>
    place.report({ path: place.path, found: show(written), expected }) as undefined;
  if (unit === 'money') return refuse('no threshold: money has none (TS 32.299 7.1.9)');
  const threshold = parseThreshold(written, { unit, size, ...place });
  if (threshold === undefined || size === undefined) return undefined;
  if (threshold >= size) return refuse(`less than the size, ${show(quota?.size)}`);
  return threshold;
}

/** Units, or a part of `size` in percent, rounded down. */
function parseThreshold(
  written: WrittenQuantity,
  { size, ...context }: Omit<Counted, 'zones' | 'holidays' | 'budget'>,
): number | undefined {
  const percent = /^(\d+)(?:\.(\d+))? ?%$/.exec(String(written));
  if (percent === null) return quantityAt(written, context);
  if (size === undefined) return undefined;
  const [, whole = '', fraction = ''] = percent;
  const scale = 100n * 10n ** BigInt(fraction.length);
  const units = (BigInt(size) * BigInt(whole + fraction)) / scale;
  if (units > 0n) return units < BigInt(size) ? Number(units) : size;
  const expected = 'at least one unit';
  context.report({ path: context.path, found: show(written), expected });
  return undefined;
}

/** Units of other kinds, which are granted beside the rule's own. */
function besideOf(
  { beside }: WrittenRule,
  unit: Unit,
  context: Context,
): Rule['beside'] | undefined {
  if (beside === undefined) return undefined;
  const { path, report } = context;
  const sizes: Partial<Record<Unit, number>> = {};
  for (const kind of ['octets', 'seconds', 'units'] as const) {
    const size = quantityAt(beside[kind], { ...within(context, 'beside', kind), unit: kind });
    if (size === undefined) continue;
    sizes[kind] = size;
    if (kind !== unit) continue;
    const expected = `units of another kind: the quota is of ${unit}`;
    report({ path: [...path, 'beside', kind], at: 'key', found: kind, expected });
  }
  return sizes;
}

function atEndOf(written: WrittenAtEnd, context: Context): Rule['atEnd'] {
  if (written === 'deny') return 'deny';
  if (written === 'terminate') return { action: 'terminate' };
  const { path, report } = context;
  const { redirect, restrict, filters, filterIds } = written;
  if (redirect !== undefined)
    excluded(written, ['restrict'], { path, report, because: 'redirect' });
  else if (restrict === undefined)
    report({ path, found: 'members without redirect or restrict', expected: 'one of them' });
  const open: Pick<Final, 'filters' | 'filterIds'> = {
    ...optional('filters', filters),
    ...optional('filterIds', filterIds),
  };
  if (redirect === undefined) return { action: 'restrict', ...open };
  return {
    action: 'redirect',
    redirect: { type: parseAddressKind(redirect, within(context, 'redirect')), address: redirect },
    ...open,
  };
}
