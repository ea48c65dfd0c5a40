/**
 * Messages to several recipients in a session. Each recipient is charged by the rule for its own
 * number, as in a one-time event. Where the rules differ, the service is divided into one for each
 * rule; the client, which knows nothing of that, gets one answer: all of the message is granted, or
 * none.
 */
import { type Outcome, refused, type ServiceAnswer } from './answer.ts';
import {
  countedBy,
  oncePerNumber,
  type Recipients,
  type RuleOf,
  type RuleShare,
  sharesOf,
} from './division.ts';
import { ruleFor } from './match.ts';
import { add } from './money.ts';
import type { Rule } from './plan.ts';
import { release, retake } from './quota.ts';
import type { RecordedService } from './record.ts';
import {
  type Asked,
  type AskedService,
  recipientsOf,
  type Share,
  serviceKey,
  type Unit,
} from './request.ts';
import { type Served, type SoFar, serveAll } from './service.ts';
import { factsFor, type Serving } from './serving.ts';
import type { Service } from './session.ts';

type Shared = Service & { share: NonNullable<Service['share']> };

/** What is asked under one rule. */
interface Group extends RuleShare {
  asked: Asked;
}

/** The recipients of one rule, and what a request says of them. */
interface Portion {
  share: Share;
  recipients: Recipients;
  group?: Group;
  used?: AskedService['used'];
  /** It holds a grant, which this request settles. */
  holds: boolean;
}

/** A part of a service as it is served by itself. */
interface Part {
  one: AskedService;
  group?: Group | undefined;
}

/** A service of a request as it is served: for each rule by itself. */
interface Divided {
  parts: readonly Part[];
  /** So many units are not to be divided among so many recipients. */
  odd: boolean;
  /** It has one rule, as what is no message has. */
  isWhole: boolean;
}

/** Serves every service that a request names, those for several recipients by the rule for each. */
export function serveEach(
  serving: Serving,
  asked: readonly AskedService[],
  known: readonly Service[],
): Served {
  const isMessage = ({ recipients, messages }: AskedService) =>
    recipients !== undefined || messages !== undefined;
  if (!asked.some(isMessage) && !known.some(isShared)) return serveAll(serving, asked, known);
  const divided = asked.map((one) => divide(serving, one, known));
  const all = divided.flatMap(({ parts }) => parts.map(({ one }) => one));
  const isOne = divided.every(({ isWhole }) => isWhole);
  if (isOne && divided.every(({ parts }) => parts.every(({ group }) => group === undefined)))
    return serveAll(serving, all, known);
  const answers: ServiceAnswer[] = [];
  const takenBack = new Map<number, Outcome>();
  let before: (Service | undefined)[] = [];
  let refuses = false;
  const review = (soFar: SoFar): void => {
    const each = divided[answers.length] as Divided;
    if (before.push(soFar.before) < each.parts.length) return;
    const { services } = soFar;
    const from = soFar.answers.length - before.length;
    const own = soFar.answers.slice(from);
    const answer = each.isWhole ? wholly(each, own) : joined(serving, each, own);
    answers.push(answer);
    if (answer !== own[0]) {
      const isRefused = answer.outcome !== 'success' && answer.outcome !== 'uncontrolled';
      refuses ||= isRefused;
      const isAsked = each.parts.some(({ group }) => group !== undefined);
      // Backwards: two recipients' numbers may name one service.
      for (const [at, part] of [...each.parts.entries()].reverse()) {
        const of = { services, before: before[at] };
        if (isRefused && part.group !== undefined) {
          takeBack(serving, part.one, of);
          takenBack.set(from + at, answer.outcome);
        } else if (isAsked) keepShare(part, { ...of, granted: own[at]?.granted?.units });
      }
    }
    before = [];
  };
  // One answer can tell of one tariff change: where there are several, grants end with it instead.
  const with_ = isOne ? serving : { ...serving, tariffChange: undefined };
  const served = serveAll(with_, all, known, review);
  const recorded = served.recorded.map((one, at): RecordedService => {
    const outcome = takenBack.get(at);
    if (outcome === undefined) return one;
    const { granted: _, ...kept } = one;
    return { ...kept, outcome };
  });
  return { ...served, answers, recorded, refuses: served.refuses || refuses };
}

function isShared(service: Service): service is Shared {
  return service.share !== undefined;
}

function divide(serving: Serving, sent: AskedService, known: readonly Service[]): Divided {
  const before = sharedBy(serving, sent, known);
  const one = { ...sent, serviceIds: before[0]?.serviceIds ?? sent.serviceIds };
  const ruleOf = rulesFor(serving, one);
  const { called } = factsFor(serving, one).facts ?? {};
  const shares = one.asked === undefined ? [] : sharesBy(one, { ruleOf, called });
  if (before.length === 0 && shares.length < 2) {
    const [share] = shares;
    if (share?.asked === undefined) return { parts: [{ one: sent }], odd: false, isWhole: true };
    const { asked } = share;
    const group = share.recipients.length > 1 ? { ...share, asked } : undefined;
    return { parts: [{ one: { ...sent, asked }, group }], odd: false, isWhole: true };
  }
  const groups = shares.flatMap(({ asked, ...share }) => (asked ? [{ ...share, asked }] : []));
  const odd = groups.length < shares.length;
  const portions = before.map(
    ({ share, grant }): Portion => ({
      share,
      recipients: recipientsOf(share),
      holds: grant !== undefined,
    }),
  );
  const byRule = new Map<Rule | undefined, Portion>();
  for (const portion of portions) {
    const rule = ruleOf(portion.share.called);
    if (!byRule.has(rule)) byRule.set(rule, portion);
  }
  const of = groups.reduce((sum, { recipients }) => sum + recipients.length, 0);
  for (const group of odd ? [] : groups) {
    const { rule, recipients } = group;
    const count = recipients.length;
    const same = byRule.get(rule);
    const called = recipients.find((number) => number !== undefined) ?? '';
    if (same === undefined)
      portions.push({ share: { called, count, of }, recipients, group, holds: false });
    else Object.assign(same, { share: { ...same.share, count, of }, recipients, group });
  }
  const rest = spread(one, { before, portions, ruleOf });
  const { asked: _asked, used: _used, recipients: _recipients, messages: _messages, ...said } = one;
  const concerned = portions.filter(
    ({ holds, group, used }) => holds || group !== undefined || used !== undefined,
  );
  const served = concerned.length > 0 ? concerned : portions.slice(0, 1);
  const parts = served.map(
    ({ share, recipients, group, used }): Part => ({
      one: {
        ...{ ...said, share, recipients, facts: { ...one.facts, called: share.called } },
        ...(group === undefined ? {} : { asked: group.asked }),
        ...(used === undefined ? {} : { used }),
      },
      group,
    }),
  );
  // What it was granted as a whole, and used of that.
  const isIt = (service: Service) =>
    serving.level === 'command' || serviceKey(service) === serviceKey(one);
  const isHeld =
    before.length === 0 && known.some((service) => service.grant !== undefined && isIt(service));
  const divided = { odd, isWhole: false };
  if (rest === undefined && !isHeld && parts.length > 0) return { ...divided, parts };
  const undivided = { one: rest === undefined ? said : { ...said, used: rest } };
  return { ...divided, parts: [undivided, ...parts] };
}

/** What a service was divided into before. */
function sharedBy(
  { level }: Serving,
  one: AskedService,
  known: readonly Service[],
): readonly Shared[] {
  const shared = known.filter(isShared);
  const isOf = (service: Service, of: Pick<AskedService, 'ratingGroup' | 'serviceIds'>) =>
    service.ratingGroup === of.ratingGroup && service.serviceIds.join() === of.serviceIds.join();
  const own = shared.filter((service) => isOf(service, one));
  const [first] = shared;
  // RFC 8506 8.28: the identifier of the session's only service need not come again.
  const isOnly = level === 'command' && shared.length === known.length && first !== undefined;
  return isOnly && shared.every((service) => isOf(service, first)) ? shared : own;
}

/** What is asked by the rule for each recipient. */
function sharesBy(
  one: AskedService,
  { ruleOf, called }: { ruleOf: RuleOf; called: string | undefined },
): readonly RuleShare[] {
  const { recipients } = one;
  const rule = ruleOf(recipients === undefined ? called : recipients[0]);
  const whole = { rule, recipients: recipients ?? [called], asked: countedBy(rule, one) };
  if (recipients === undefined) return [whole];
  const shares = sharesOf({ ...one, recipients }, ruleOf);
  // Deviation: a pool's multiplier takes one price to another, so what is pooled has but one.
  return shares.some(({ rule }) => rule?.pool !== undefined) ? [whole] : shares;
}

function rulesFor(serving: Serving, one: AskedService): RuleOf {
  return oncePerNumber((called = '') => {
    const facts = { ...one.facts, called };
    return ruleFor(serving.plan, factsFor(serving, { ...one, facts }), serving.at);
  });
}

/**
 * Spreads what was used over those it was granted for: all where all was used; else those whom the
 * last report of a service names, or the first ones, and what is beyond is the last one's. Returns
 * what the service used before it was divided.
 */
function spread(
  { used, asked, recipients = [] }: AskedService,
  of: { before: readonly Shared[]; portions: readonly Portion[]; ruleOf: RuleOf },
): AskedService['used'] {
  const { before, portions, ruleOf } = of;
  if (used === undefined || before.length === 0) return used;
  const holding = before.some(({ share }) => share.units > 0);
  const live = before.flatMap(({ share, unit }, at) => {
    const portion = portions[at];
    return portion === undefined || (holding && share.units === 0) ? [] : { portion, share, unit };
  });
  // A message is granted in one unit.
  const unit = live[0]?.unit ?? 'units';
  const { [unit]: units = 0, ...others } = used;
  const total = live.reduce((sum, { share }) => add(sum, share.units), 0);
  const isNamed = asked === undefined && units < total;
  const named = isNamed ? namedBy(recipients, { units, unit, ruleOf }) : undefined;
  let rest = units;
  for (const [at, { portion, share }] of live.entries()) {
    const own = named?.get(ruleOf(share.called));
    if (own !== undefined) portion.recipients = own.recipients;
    const most = named === undefined ? share.units : (own?.asked?.[unit] ?? 0);
    const taken = at === live.length - 1 ? rest : Math.min(rest, most);
    rest -= taken;
    // Units of other kinds are not divided.
    const beside = at === 0 ? others : {};
    portion.used = used[unit] === undefined ? beside : { ...beside, [unit]: taken };
  }
  return undefined;
}

/** What is used by those whom a report names; undefined: it is not to be divided among them. */
function namedBy(
  recipients: Recipients,
  { units, unit, ruleOf }: { units: number; unit: Unit; ruleOf: RuleOf },
): ReadonlyMap<Rule | undefined, RuleShare> | undefined {
  if (recipients.length === 0) return undefined;
  const shares = sharesOf({ serviceIds: [], asked: { [unit]: units }, recipients }, ruleOf);
  const sum = shares.reduce((sum, { asked }) => sum + (asked?.[unit] ?? 0), 0);
  return sum === units ? new Map(shares.map((share) => [share.rule, share])) : undefined;
}

/** The answer to a message under one rule. */
function wholly({ parts: [part] }: Divided, own: readonly ServiceAnswer[]): ServiceAnswer {
  const [answer] = own as [ServiceAnswer];
  const { ratingGroup, serviceIds, granted } = answer;
  if (granted === undefined || granted.units === 0 || granted.units >= leastOf(part?.group))
    return answer;
  const name = ratingGroup === undefined ? { serviceIds } : { ratingGroup, serviceIds };
  return { ...name, outcome: 'credit-limit-reached' };
}

/** One answer of those for each rule. */
function joined(
  { reserving }: Serving,
  { parts, odd }: Divided,
  own: readonly ServiceAnswer[],
): ServiceAnswer {
  const [first] = own as [ServiceAnswer];
  const { ratingGroup, serviceIds } = first;
  const name = ratingGroup === undefined ? { serviceIds } : { ratingGroup, serviceIds };
  if (odd) return { ...name, outcome: 'rating-failed', fault: 'asked' };
  const failed = own.find(({ outcome }) => outcome !== 'success' && outcome !== 'uncontrolled');
  if (failed !== undefined) return { ...name, ...refused(failed) };
  const controlled = own.filter(({ outcome }) => outcome === 'success');
  const [some] = controlled;
  if (some === undefined) return { ...name, outcome: 'uncontrolled' };
  let units = 0;
  for (const [at, { group }] of parts.entries()) {
    const { outcome, granted } = own[at] ?? first;
    const got = outcome === 'success' ? granted?.units : unitsOf(group);
    if (reserving && (got ?? 0) < leastOf(group))
      return { ...name, outcome: 'credit-limit-reached' };
    units = add(units, got ?? 0);
  }
  const answer = { ...(own.find(({ granted }) => granted !== undefined) ?? some) };
  if (answer.granted !== undefined) answer.granted = { ...answer.granted, units };
  const validity = controlled.flatMap(({ validitySeconds = [] }) => validitySeconds);
  if (validity.length > 0) answer.validitySeconds = Math.min(...validity);
  const final = controlled.find((one) => one.final !== undefined)?.final;
  return final === undefined ? answer : { ...answer, final };
}

/** Less is of no use to the whole message. */
function leastOf(group: Group | undefined): number {
  return Math.min(unitsOf(group), group?.rule?.quota.maximum ?? 0);
}

/** Units that are asked under one rule: of one kind, for they are divided. */
function unitsOf(group: Group | undefined): number {
  const [units = 0] = Object.values(group?.asked ?? {});
  return units;
}

interface Decided {
  services: Map<string, Service>;
  /** The service before it was granted more. */
  before: Service | undefined;
}

/**
 * Gives back what was granted of a message of which not all was. What the service was granted by
 * this request before, for another message, it keeps.
 */
function takeBack({ draft, now }: Serving, one: AskedService, { services, before }: Decided): void {
  const key = serviceKey(one);
  const service = services.get(key);
  if (service === undefined) return;
  release(draft, service, now);
  if (before === undefined) services.delete(key);
  else if (before.grant === undefined) services.set(key, withUnits(before, one, 0));
  else {
    retake(draft, before.grant);
    services.set(key, before);
  }
}

/** Remembers for how many units of the message, or of several, a service stands. */
function keepShare(
  { one, group }: Part,
  { services, before, granted = unitsOf(group) }: Decided & { granted: number | undefined },
): void {
  const key = serviceKey(one);
  const service = services.get(key);
  const told = before?.grant === undefined ? 0 : (before.share?.units ?? 0);
  if (service !== undefined) services.set(key, withUnits(service, one, add(told, granted)));
}

function withUnits(service: Service, { share }: AskedService, units: number): Service {
  return share === undefined ? service : { ...service, share: { ...share, units } };
}
