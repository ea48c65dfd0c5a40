/**
 * What the services of a request report as used (RFC 8506 5.3, 8.19): first the usage of all within
 * their grants, then what the grants of their pool can pay, then the rest of these grants is given
 * back, and then usage beyond them. So neither the order of the services nor how many of them
 * report for one grant matters.
 */
import { type LatePart, serviceInUse, startOf, usedLate, withUsageKnown } from './late-use.ts';
import type { ServiceFacts } from './match.ts';
import { ruleFor } from './match.ts';
import { add } from './money.ts';
import { asEarly, type EarlyPart, overtakenOf, withEarly } from './overtaken.ts';
import type { Rule } from './plan.ts';
import { leave, Purses } from './pool.ts';
import { consume, overrun, release, type Taken, withoutGrant } from './quota.ts';
import type { AskedService, Unit, Used } from './request.ts';
import { factsFor, newService, Quotas, remembering, type Serving, underRule } from './serving.ts';
import type { Grant, Service, Switch } from './session.ts';
import { changeOf, isOver, keepingChange, switchedOver, usedAfter } from './tariff-change.ts';

/** Reporting-Reason values after which a quota is not used any more (TS 32.299 7.2.175). */
const QHT = 1;
const FINAL = 2;
const UNUSED_QUOTA_TIMER = 9;

/** What one service of a request reported, as far as it is settled. */
export interface Settled {
  one: AskedService;
  /** Of the service that the usage is counted against. */
  key: string;
  /** Of the service that more is granted to. */
  grantKey: string;
  /** What more is granted by. */
  facts: ServiceFacts;
  /** The rule at the time of the report. */
  rule: Rule | undefined;
  /** What rated it; undefined: nothing did. */
  by?: Pick<Service, 'rule' | 'plan' | 'planVersion' | 'unit' | 'rated'>;
  /** In the service's unit, but for what came late; absent: nothing was to be settled. */
  used?: number;
  /** Units before a tariff change, or all, that nothing has paid for yet. */
  rest: number;
  /** Money, for all of `used`. */
  cost: number;
  excess: boolean;
  /** Something was used, in no unit that the tariff counts. */
  unrated: boolean;
  /** What came after a tariff change. */
  after?: { change: Switch; used: number; countedFrom: number; rest: number; cost: number };
  /** All of `used`, which came after the time that the tariff was settled for, under another rule. */
  opening?: LatePart;
  /** What came after that time under other rules. */
  late?: readonly LatePart[];
  /** What was used before the present rule held. */
  early?: readonly EarlyPart[];
  /** It was overtaken: the grant that it finds is not the one that it reports of. */
  overtaken?: true;
  /** What it has left in its pool, until it is granted anew there. */
  left?: Grant | undefined;
}

/** Services while their usage is settled; `before`: those that a tariff change divides. */
interface Books {
  services: Map<string, Service>;
  before?: Map<string, Service>;
  /** While pools pay. */
  purses?: Purses;
}

/** Settles what is reported; `services` are then as they stand before anything is granted. */
export function settle(
  serving: Serving,
  asked: readonly AskedService[],
  services: Map<string, Service>,
): readonly Settled[] {
  const books: Books = { services };
  const quotas = new Quotas(services, serving.level);
  const settled: Settled[] = [];
  let changes = false;
  let pools = false;
  let late = false;
  let early = false;
  for (const one of asked) {
    const next = settleGranted(serving, one, { services, quotas });
    changes ||= next.after !== undefined;
    late ||= next.late !== undefined || next.opening !== undefined;
    early ||= next.early !== undefined;
    pools ||= services.get(next.key)?.grant?.pool !== undefined;
    settled.push(next);
  }
  if (changes) settleAfter(serving, settled, books);
  if (pools) takeFromPools(serving, settled, books);
  giveBack(serving, settled, services);
  for (const one of settled) takeBeyond(serving, one, books, fromBuckets);
  if (early) takeEarly(serving, settled, books);
  if (late) takeLate(serving, settled, books);
  for (const { one, key, overtaken } of settled) {
    const known = services.get(key);
    if (known === undefined) continue;
    const service = one.used === undefined || overtaken ? known : withUsageKnown(serving, known);
    if (service !== known) services.set(key, service);
    // The next report is counted from nothing.
    if (service.price?.eachReport === true) services.set(key, { ...service, rated: 0 });
  }
  return settled;
}

/** Debits what was reported, as far as the service's grant goes, and a tariff change comes after. */
function settleGranted(
  serving: Serving,
  one: AskedService,
  { services, quotas }: { services: Map<string, Service>; quotas: Quotas },
): Settled {
  const { draft, plan } = serving;
  const named = quotas.named(one);
  const facts = factsFor(serving, named);
  const present = ruleFor(plan, facts, serving.at);
  const key = quotas.keyOfUsed(one);
  const current = services.get(key);
  const settled: Settled = {
    one,
    key,
    grantKey: quotas.keyToGrant(one),
    facts:
      serving.newer === undefined ? facts : factsFor({ ...serving, facts: serving.newer }, named),
    rule: present,
    rest: 0,
    cost: 0,
    excess: one.excess ?? false,
    unrated: one.foreignMoney ?? false,
  };
  const use = one.behindSeconds === undefined ? serving : upTo(serving, one.behindSeconds);
  const rule = use === serving ? present : ruleFor(plan, facts, use.at);
  const before = current && overtakenOf(use, { one, service: current, rule, facts });
  if (before?.isAll) settled.overtaken = true;
  if (one.used === undefined && current?.grant === undefined) {
    if (current !== undefined) settled.by = current;
    return settled;
  }
  const counted = serviceInUse(use, { one, current, rule, facts });
  if (counted === undefined) {
    settled.unrated = one.used !== undefined && isAny(one.used);
    return settled;
  }
  const { service, opening } = counted;
  settled.by = service;
  const used = one.used?.[service.unit] ?? 0;
  settled.used = used;
  settled.unrated ||= isForeign(one.used, service, rule);
  if (before !== undefined) settled.early = before.parts;
  for (const part of before?.parts ?? []) settled.used -= part.used;
  const left = settled.used;
  const change = before?.isAll
    ? undefined
    : changeOf(use, { one, service: current ?? service, rule });
  let after = change === undefined ? 0 : usedAfter(use, { one, service, change, used: left });
  const late = before?.isAll ? undefined : usedLate(use, { one, service, facts, used: left });
  if (late !== undefined) {
    settled.late = late;
    for (const part of late) settled.used -= part.used;
    // What came late came after the change within the grant, too.
    after = Math.max(0, after - (left - settled.used));
  }
  if (opening !== undefined) after = 0;
  if (change !== undefined && (after > 0 || isOver(use, { one, service, change })))
    settled.after = { change, used: after, countedFrom: 0, rest: after, cost: 0 };
  if (opening !== undefined) {
    settled.opening = opening;
    opening.used = settled.used;
    return settled;
  }
  const taken = consume(draft, service, settled.used - after);
  settled.rest = taken.rest;
  settled.cost = taken.cost;
  services.set(key, taken.service);
  return settled;
}

/** What is decided by the time of use, where others of the same report used the last seconds of it. */
function upTo(serving: Serving, behindSeconds: number): Serving {
  return { ...serving, at: startOf(behindSeconds, serving.at) };
}

/** Debits what came after a tariff change: from now on these services are under the new tariff. */
function settleAfter({ draft }: Serving, settled: readonly Settled[], books: Books): void {
  const before = new Map<string, Service>();
  books.before = before;
  for (const one of settled) {
    const service = books.services.get(one.key);
    if (one.after === undefined || service === undefined) continue;
    const divided = before.has(one.key);
    if (!divided) before.set(one.key, service);
    const { change, used } = one.after;
    const switched = divided
      ? service
      : remembering({ service, next: switchedOver(service, change), at: change.at });
    const taken = consume(draft, switched, used, service.grant?.switch?.after !== undefined);
    one.after.countedFrom = switched.rated;
    one.after.rest = taken.rest;
    one.after.cost = taken.cost;
    one.cost = add(one.cost, taken.cost);
    books.services.set(one.key, taken.service);
  }
}

type Source = (
  serving: Serving,
  books: Books,
  of: { one: Settled; service: Service; rest: number },
) => Taken;

/** Takes what a grant did not pay for from elsewhere, each unit by the tariff of its time. */
function takeBeyond(serving: Serving, one: Settled, books: Books, from: Source): void {
  const { services, before } = books;
  if (one.rest > 0) {
    const divided = before?.get(one.key);
    const service = divided ?? services.get(one.key);
    if (service === undefined) return;
    const taken = from(serving, books, { one, service, rest: one.rest });
    one.rest = taken.rest;
    count(one, taken);
    if (divided === undefined) keep(services, one.key, taken.service);
    else {
      before?.set(one.key, taken.service);
      const present = services.get(one.key);
      if (present !== undefined) services.set(one.key, counted(present, taken));
    }
  }
  if (one.after !== undefined && one.after.rest > 0) {
    const service = services.get(one.key);
    if (service === undefined) return;
    const taken = from(serving, books, { one, service, rest: one.after.rest });
    one.after.rest = taken.rest;
    one.after.cost = add(one.after.cost, taken.cost);
    count(one, taken);
    keep(services, one.key, taken.service);
  }
}

function count(one: Settled, taken: Taken): void {
  one.cost = add(one.cost, taken.cost);
  one.excess ||= taken.excess;
}

/** The service with what was paid for before a tariff change. */
function counted(service: Service, { cost, service: { rule, rated } }: Taken): Service {
  const { earlier } = service;
  const all: Service = { ...service, cost: add(service.cost, cost) };
  return earlier?.rule === rule ? { ...all, earlier: { ...earlier, rated } } : all;
}

/** What was rated and paid of a service; its grant is what `services` says. */
function keep(services: Map<string, Service>, key: string, { rated, cost }: Service): void {
  const service = services.get(key);
  if (service !== undefined) services.set(key, { ...service, rated, cost });
}

/** Lets pools pay for usage beyond the grants of their services. */
function takeFromPools(serving: Serving, settled: readonly Settled[], books: Books): void {
  const isBeyond = ({ rest, after }: Settled) =>
    rest > 0 || (after !== undefined && after.rest > 0);
  if (!settled.some(isBeyond)) return;
  const purses = new Purses(serving.draft, books.services);
  for (const one of settled) takeBeyond(serving, one, { ...books, purses }, fromPool);
  purses.putBack();
}

/** Parts of what is reported, in the order of use: several may report for one service. */
function byTime<Part extends { at: number }>(
  settled: readonly Settled[],
  partsOf: (one: Settled) => readonly Part[] | undefined,
): { one: Settled; part: Part }[] {
  const parts = settled.flatMap((one) => (partsOf(one) ?? []).map((part) => ({ one, part })));
  return parts.sort((a, b) => a.part.at - b.part.at);
}

/** Takes what was used before services came under their present rules, each by its own. */
function takeEarly(serving: Serving, settled: readonly Settled[], books: Books): void {
  for (const { one, part } of byTime(settled, ({ early }) => early)) {
    const service = books.services.get(one.key);
    if (service === undefined) continue;
    const early = asEarly(service, part);
    const taken = fromBuckets(serving, books, { one, service: early, rest: part.used });
    part.countedFrom = early.rated;
    part.cost = taken.cost;
    one.excess ||= taken.excess;
    books.services.set(one.key, withEarly(service, part, taken.service));
  }
}

/** Takes what came after grants had ended, under other rules: nothing was reserved for that. */
function takeLate(serving: Serving, settled: readonly Settled[], books: Books): void {
  const partsOf = ({ opening, late = [] }: Settled) =>
    opening === undefined ? late : [opening, ...late];
  for (const { one, part } of byTime(settled, partsOf)) {
    const present = underLate(serving, books.services.get(one.key), { one, part });
    const used = add(present.used, part.used);
    const taken = fromBuckets(serving, books, {
      ...{ one, rest: part.used },
      service: { ...present, used },
    });
    part.countedFrom = present.rated;
    part.cost = taken.cost;
    one.excess ||= taken.excess;
    if (part === one.opening) Object.assign(one, { by: present, cost: taken.cost });
    books.services.set(one.key, taken.service);
  }
}

/** The service under the rule of what came late; it begins with the first of that if it is a new one. */
function underLate(
  { plan }: Serving,
  service: Service | undefined,
  { one, part: { rule, at } }: { one: Settled; part: LatePart },
): Service {
  if (service === undefined) return { ...newService(one.one, rule, plan), ratedUntil: at };
  return remembering({ service, next: underRule(service, rule, plan), at });
}

function fromPool(
  { now }: Serving,
  { services, purses }: Books,
  { one, service, rest }: { one: Settled; service: Service; rest: number },
): Taken {
  const pool = services.get(one.key)?.grant?.pool;
  if (pool === undefined || purses === undefined) return { service, rest, cost: 0, excess: false };
  return purses.borrow({ pool, service, rest, now });
}

function fromBuckets(
  { draft, now, reserving, lastOnly }: Serving,
  _books: Books,
  { one, service, rest }: { one: Settled; service: Service; rest: number },
): Taken {
  const useful = Math.min(rest, one.rule?.quota.minimum ?? 1);
  return overrun(draft, service, { rest, useful, now, leaning: reserving, lastOnly });
}

/**
 * Releases what is left of the grants. In a pool it is put aside for the grant that follows, or goes
 * to another grant of the pool where none does.
 */
function giveBack(
  serving: Serving,
  settled: readonly Settled[],
  services: Map<string, Service>,
): void {
  const { draft, now, sharing } = serving;
  const pooled: Settled[] = [];
  for (const one of settled) {
    const service = services.get(one.key);
    if (service?.grant === undefined) continue;
    const kept = one.one.used === undefined || one.overtaken ? keepingChange(service) : service;
    if (service.grant.pool === undefined) services.set(one.key, release(draft, kept, now));
    else {
      services.set(one.key, kept);
      pooled.push(one);
    }
  }
  if (pooled.length === 0) return;
  const asking = new Map<string, Settled>();
  for (const one of pooled)
    if (asksAnew(serving, one) && !asking.has(one.key)) asking.set(one.key, one);
  for (const { key } of pooled) if (!asking.has(key)) leave(draft, services, { key, now, sharing });
  for (const [key, one] of asking) {
    const service = services.get(key);
    if (service?.grant === undefined) continue;
    one.left = service.grant;
    services.set(key, withoutGrant(service));
  }
}

function asksAnew({ ending }: Serving, { one }: Settled): boolean {
  return !ending && one.asked !== undefined && !hasEnded(one);
}

/** The client reports that the service is over. */
export function hasEnded({ reasons }: AskedService): boolean {
  return reasons?.includes(FINAL) ?? false;
}

/** The client returns its quota, which it did not need. */
export function isReturned({ reasons }: AskedService): boolean {
  return reasons?.some((reason) => reason === QHT || reason === UNUSED_QUOTA_TIMER) ?? false;
}

/** Something was used, and the tariff counts none of the units that it was reported in. */
function isForeign(used: Used | undefined, { unit, price }: Service, rule?: Rule): boolean {
  if (used === undefined || used[unit] !== undefined) return false;
  if (price === undefined && unit !== 'money') return false;
  for (const other in used)
    if ((used[other as Unit] ?? 0) > 0 && rule?.beside?.[other as Unit] === undefined) return true;
  return false;
}

function isAny(used: Used): boolean {
  return Object.values(used).some((units) => units > 0);
}
