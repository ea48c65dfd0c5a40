/**
 * Prices as written to the price function of the core: free units, tiers and steps all become
 * bands (RFC 8506 knows no tariffs; the rounding rule is `charging/rating.ts`'s).
 */
import { MAX_BANDS, type Price, type Rate } from '../charging/plan.ts';
import type { Unit } from '../charging/request.ts';
import { each } from './findings.ts';
import { show } from './problem.ts';
import type { WrittenPrice, WrittenQuantity } from './schema.ts';
import { type Context, excluded, moneyAt, optional, quantityAt, within } from './written.ts';

interface PriceContext extends Context {
  unit: Unit;
  /** The quota's size with its text; undefined: none that is right. */
  size: { value: number; written: WrittenQuantity } | undefined;
}

type Band = Rate & { from: number };

/** Units that cost nothing. */
const FREE: Rate = { amount: 0, per: 1, increment: 1 };

export function compilePrice(written: WrittenPrice, context: PriceContext): Price {
  const { path, report } = context;
  let right = true;
  const watched: PriceContext = {
    ...context,
    report(finding) {
      right = false;
      report(finding);
    },
  };
  const price =
    written.steps === undefined ? ratePrice(written, watched) : stepPrice(written, watched);
  const { bands = [] } = price;
  if (bands.length > MAX_BANDS) {
    const found = `${bands.length} tiers beyond the first, free units included`;
    report({ path: [...path, 'tiers'], found, expected: `at most ${MAX_BANDS}` });
  }
  if (right && [price, ...bands].every(({ amount, fee = 0 }) => amount === 0 && fee === 0))
    report({ path, found: 'a price of nothing', expected: "'free: true' in place of the price" });
  return { ...price, ...(written.increments === 'report' ? { eachReport: true } : {}) };
}

function ratePrice(written: WrittenPrice, context: PriceContext): Price {
  const { path, report } = context;
  const base = baseRate(written, context);
  const free = quantityAt(written.free, within(context, 'free'));
  const minimum = quantityAt(written.minimum, within(context, 'minimum'));
  if (written.free !== undefined && written.fee !== undefined) {
    const expected = 'no fee with free units: a tier may have one';
    report({ path: [...path, 'fee'], at: 'key', found: 'fee beside free', expected });
  }
  if (minimum !== undefined && free !== undefined && minimum <= free) {
    const expected = `more than the free units, ${show(written.free)}`;
    report({ path: [...path, 'minimum'], found: show(written.minimum), expected });
  }
  const bands = tiersOf(written, base, { ...context, free });
  if (free === undefined)
    return { ...base, ...optional('minimum', minimum), ...(bands.length > 0 ? { bands } : {}) };
  const all = [{ ...base, from: free }, ...bands];
  return { ...FREE, ...optional('minimum', minimum), bands: all };
}

/** The rate that holds from the first unit on, or from the first that is not free. */
function baseRate(written: WrittenPrice, context: PriceContext): Rate {
  const { path, report } = context;
  const { amount, per } = written;
  if (isOnlyFee(written))
    excluded(written, ['increment', 'minimum', 'free'], { ...context, because: 'fee' });
  else {
    const expected = 'an amount of money for each `per`';
    if (amount === undefined) report({ path: [...path, 'amount'], found: 'nothing', expected });
    if (per === undefined) reportPer(context);
  }
  // A price may begin with nothing where something follows.
  const least = written.fee !== undefined || written.tiers !== undefined ? 0 : 1;
  return rateOf(written, FREE, { ...context, least });
}

function isOnlyFee({ amount, per, fee }: WrittenPrice): boolean {
  return fee !== undefined && amount === undefined && per === undefined;
}

function reportPer({ path, report }: Context): void {
  const expected = 'the units that `amount` is for';
  report({ path: [...path, 'per'], found: 'nothing', expected });
}

function rateOf(
  written: Pick<WrittenPrice, 'amount' | 'per' | 'increment' | 'fee'>,
  otherwise: Rate,
  { size, least, ...context }: PriceContext & { least: 0 | 1 },
): Rate {
  const { path, report } = context;
  const amount = moneyAt(written.amount, { ...within(context, 'amount'), least });
  const per = quantityAt(written.per, within(context, 'per'));
  const increment = quantityAt(written.increment, within(context, 'increment'));
  const fee = moneyAt(written.fee, within(context, 'fee'));
  const step = increment ?? per ?? otherwise.increment;
  const member = increment === undefined ? 'per' : 'increment';
  if (size !== undefined && step > size.value && written[member] !== undefined) {
    const found = `steps of ${show(written[member])}`;
    const expected = `at most the quota's size, ${show(size.written)}`;
    report({ path: [...path, member], found, expected });
  }
  return {
    amount: amount ?? 0,
    per: per ?? otherwise.per,
    increment: step,
    ...optional('fee', fee),
  };
}

function tiersOf(
  price: WrittenPrice,
  base: Rate,
  { free = 0, ...context }: PriceContext & { free: number | undefined },
): Band[] {
  const bands: Band[] = [];
  let last = { from: free, written: price.free };
  for (const [tier, path] of each(price.tiers, [...context.path, 'tiers'])) {
    const place = { ...context, path };
    const from = quantityAt(tier.from, within(place, 'from'));
    const rate = rateOf(tier, base, { ...place, least: 0 });
    if (tier.per === undefined && isOnlyFee(price)) reportPer(place);
    if (from === undefined) continue;
    ascending({ from, written: tier.from }, last, place);
    last = { from, written: tier.from };
    bands.push({ ...rate, from });
  }
  return bands;
}

interface From {
  from: number;
  written: WrittenQuantity | undefined;
}

function ascending(next: From, last: From, { path, report }: Context): void {
  if (next.from > last.from) return;
  const found = show(next.written);
  report({ path: [...path, 'from'], found, expected: `more than ${show(last.written ?? 0)}` });
}

/** A stair: reaching a step costs what it is more than the step before. */
function stepPrice(written: WrittenPrice, context: PriceContext): Price {
  excluded(written, ['amount', 'per', 'increment', 'fee', 'minimum', 'free', 'tiers'], {
    ...context,
    because: 'steps',
  });
  const bands: Band[] = [];
  let last: From = { from: 0, written: undefined };
  let total = 0;
  for (const [step, path] of each(written.steps, [...context.path, 'steps'])) {
    const place = { ...context, path };
    const { report } = context;
    const isFirst = path.at(-1) === 0;
    const from = quantityAt(step.from, { ...within(place, 'from'), least: isFirst ? 0 : 1 }) ?? 0;
    const amount = moneyAt(step.amount, { ...within(place, 'amount'), least: isFirst ? 0 : 1 });
    if (isFirst && from > 0)
      report({ path: [...path, 'from'], found: show(step.from), expected: '0 in the first step' });
    else if (!isFirst) ascending({ from, written: step.from }, last, place);
    if (!isFirst && amount !== undefined && amount <= total) {
      const found = show(step.amount);
      report({ path: [...path, 'amount'], found, expected: 'more than the step before it costs' });
    }
    last = { from, written: step.from };
    bands.push({ ...FREE, ...(amount === total ? {} : { fee: (amount ?? total) - total }), from });
    total = amount ?? total;
  }
  const [first = { ...FREE, from: 0 }, ...others] = bands;
  const { from: _, ...rate } = first;
  return { ...rate, ...(others.length > 0 ? { bands: others } : {}) };
}
