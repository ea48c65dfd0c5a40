/**
 * Who of a message's recipients used what a session reports of them. Each share of a service keeps
 * the units that its recipients were granted and have not reported; a request takes from them what
 * it reports, the first ones first, whichever of its services says it. What is asked or given back
 * settles the message: whoever has not been reported by then is not charged any more.
 */
import { type Recipients, type RuleOf, type RuleShare, sharesOf } from './division.ts';
import { add } from './money.ts';
import type { Rule } from './plan.ts';
import type { AskedService, Unit, Used } from './request.ts';
import type { Service } from './session.ts';
import { hasEnded, isReturned } from './settle.ts';
import { isDivided } from './tariff-change.ts';

/** The service of those recipients of a message who come under one rule, others of it under another. */
export type Shared = Service & { share: NonNullable<Service['share']> };

export function isShared(service: Service): service is Shared {
  return service.share !== undefined;
}

/** What a service of a request says was used. */
export type Reported = Pick<
  AskedService,
  'used' | 'usedAfter' | 'usedIndeterminate' | 'behindSeconds'
>;

/** What of it falls to the recipients of one share; `of` undefined: to who has none. */
export interface Piece {
  of: Shared | undefined;
  /** Whom the report names; absent: those of the share. */
  recipients?: Recipients;
  reported: Reported;
}

/** Units that a request takes from a share. */
interface Due extends Pick<Piece, 'of' | 'recipients'> {
  units: number;
}

interface Divided {
  /** What the service is divided into, in the order of its last message. */
  before: readonly Shared[];
  ruleOf: RuleOf;
}

/**
 * Spreads what is used of one divided service, by everything in a request that names it, and tells
 * how many units each share has then left to be reported.
 */
export function spread(
  named: readonly AskedService[],
  divided: Divided,
): { pieces: readonly (readonly Piece[])[]; left: ReadonlyMap<Service, number> } {
  const { before, ruleOf } = divided;
  const unit = unitOf(before, ruleOf);
  const total = named.reduce((sum, { used }) => add(sum, used?.[unit] ?? 0), 0);
  const dues = duesOf(named, { ...divided, unit, total });
  const isSettled = named.some(
    (one) => one.asked !== undefined || hasEnded(one) || isReturned(one),
  );
  const left = new Map<Service, number>();
  for (const service of before) {
    const { units = 0 } = dues.find(({ of }) => of === service) ?? {};
    left.set(service, isSettled ? 0 : Math.max(0, service.share.units - units));
  }
  const open = dues.map((due) => ({ ...due }));
  const pieces = named.map((one) => (one.used === undefined ? [] : piecesOf(one, { open, unit })));
  return { pieces, left };
}

/** A message is granted in one unit; who is not controlled may have a rule that counts another. */
function unitOf(before: readonly Shared[], ruleOf: RuleOf): Unit {
  const live = before.filter(({ share }) => share.units > 0);
  const candidates = live.length > 0 ? live : before;
  const some = candidates.find(({ share }) => ruleOf(share.called)?.uncontrolled !== true);
  return (some ?? candidates[0])?.unit ?? 'units';
}

/**
 * All pay where all was used; else those whom a report names that asks for no other message, or the
 * first ones. What is beyond is the last one's, be it reported at once or later.
 */
function duesOf(
  named: readonly AskedService[],
  of: Divided & { unit: Unit; total: number },
): readonly [Due, ...Due[]] {
  const { before, total } = of;
  const live = before.filter(({ share }) => share.units > 0);
  const held = live.reduce((sum, { share }) => add(sum, share.units), 0);
  const isLast = named.every(({ asked }) => asked === undefined);
  const recipients = named.find(({ recipients }) => recipients !== undefined)?.recipients ?? [];
  if (isLast && recipients.length > 0 && (total < held || held === 0)) {
    const told = namedBy(recipients, of);
    if (told !== undefined) return told;
    if (held === 0) return [{ of: undefined, units: total }];
  }
  let rest = total;
  const dues = live.map((service): Due => {
    const units = Math.min(rest, service.share.units);
    rest -= units;
    return { of: service, units };
  });
  const last = dues.at(-1);
  if (last === undefined) return [{ of: before.at(-1), units: total }];
  last.units = add(last.units, rest);
  return dues as [Due, ...Due[]];
}

/** What is used by those whom a report names; undefined: it is not to be divided among them. */
function namedBy(
  recipients: Recipients,
  { before, ruleOf, unit, total }: Divided & { unit: Unit; total: number },
): readonly [Due, ...Due[]] | undefined {
  const shares = sharesOf({ serviceIds: [], asked: { [unit]: total }, recipients }, ruleOf);
  const byRule = new Map<Rule | undefined, Shared>();
  for (const service of before.toReversed()) byRule.set(ruleOf(service.share.called), service);
  const dues = shares.map(({ rule, recipients, asked }: RuleShare): Due => {
    return { of: byRule.get(rule), recipients, units: asked?.[unit] ?? 0 };
  });
  const sum = dues.reduce((sum, { units }) => add(sum, units), 0);
  if (sum !== total || dues.some(({ of }) => of === undefined)) return undefined;
  return dues as [Due, ...Due[]];
}

/** What one service of a request reports, by whom it is for; it is taken from what is `open`. */
function piecesOf(
  one: AskedService,
  { open, unit }: { open: Due[]; unit: Unit },
): readonly Piece[] {
  const { used = {} } = one;
  const pieces: Piece[] = [];
  let rest = used[unit] ?? 0;
  let from = 0;
  for (const [at, due] of open.entries()) {
    // Nothing was used of some: that is said of one of them.
    const isLast = at === open.length - 1;
    const units = isLast ? rest : Math.min(rest, due.units);
    if (units === 0 && (rest > 0 || pieces.length > 0)) continue;
    const { units: _, ...whose } = due;
    pieces.push({ ...whose, reported: sliceOf(one, unit, { from, to: from + units }) });
    due.units = Math.max(0, due.units - units);
    rest -= units;
    from += units;
    if (rest === 0) break;
  }
  return pieces;
}

/**
 * What was used from one unit up to another: those used before a tariff change come first. Units of
 * other kinds are not divided, and are said with the first. Seconds pass at the pace of time, up to the
 * report (RFC 8506 5.1.1): once for all recipients, not for each of them.
 */
function sliceOf(
  one: AskedService,
  unit: Unit,
  { from, to }: { from: number; to: number },
): Reported {
  const { used = {}, usedAfter, usedIndeterminate } = one;
  const end = used[unit] ?? 0;
  const changed = Math.max(0, end - (usedAfter?.[unit] ?? 0));
  const begun = Math.max(0, changed - (usedIndeterminate?.[unit] ?? 0));
  const within = (said: Used, first: number, last: number): Used => {
    const { [unit]: units, ...others } = said;
    const beside = from === 0 ? others : {};
    if (units === undefined) return beside;
    return { ...beside, [unit]: Math.max(0, Math.min(to, last) - Math.max(from, first)) };
  };
  return {
    used: within(used, 0, end),
    ...(usedAfter && { usedAfter: within(usedAfter, changed, end) }),
    ...(usedIndeterminate && { usedIndeterminate: within(usedIndeterminate, begun, changed) }),
    ...(unit === 'seconds' && !isDivided(one, unit) && to < end && { behindSeconds: end - to }),
  };
}
