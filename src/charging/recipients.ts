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
import { add, LIMIT } from './money.ts';
import { release, retake } from './quota.ts';
import type { RecordedService } from './record.ts';
import {
  type Asked,
  type AskedService,
  isPartly,
  recipientsOf,
  type Share,
  serviceKey,
} from './request.ts';
import { type Served, type SoFar, serveAll } from './service.ts';
import { factsFor, type Serving } from './serving.ts';
import type { Service } from './session.ts';
import { isShared, type Piece, type Reported, type Shared, spread } from './spread.ts';

/** A service as a request names it, and what the session divided it into. */
interface Named {
  sent: AskedService;
  /** By the identifiers that it is known by. */
  one: AskedService;
  before: readonly Shared[];
  ruleOf: RuleOf;
  /** What is asked by the rule for each recipient. */
  shares: readonly RuleShare[];
}

/** What is asked under one rule. */
interface Group extends RuleShare {
  asked: Asked;
}

/** The recipients of one rule, and what a request says of them. */
interface Portion {
  share: Share;
  recipients: Recipients;
  group?: Group;
  reported?: Reported;
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
  const { divided, services: present } = divideAll(serving, asked, known);
  const all = divided.flatMap(({ parts }) => parts.map(({ one }) => one));
  const isOne = divided.every(({ isWhole }) => isWhole);
  if (isOne && divided.every(({ parts }) => parts.every(({ group }) => group === undefined)))
    return serveAll(serving, all, present);
  const answers: ServiceAnswer[] = [];
  const takenBack = new Map<number, Outcome>();
  let before: (Service | undefined)[] = [];
  let begun = 0;
  let refuses = false;
  const review = (soFar: SoFar): void => {
    const each = divided[answers.length] as Divided;
    if (before.length === 0) begun = soFar.begun;
    if (before.push(soFar.before) < each.parts.length) return;
    const { services } = soFar;
    const from = soFar.answers.length - before.length;
    const own = soFar.answers.slice(from);
    const answer = each.isWhole ? wholly(each, own) : joined(serving, each, own);
    answers.push(answer);
    const isRefused = answer.outcome !== 'success' && answer.outcome !== 'uncontrolled';
    if (answer !== own[0] && isRefused) {
      refuses = true;
      // Backwards: what was granted first is as it was before all of it.
      for (const [at, part] of [...each.parts.entries()].reverse()) {
        if (part.group === undefined) continue;
        takeBack(serving, part.one, { services, before: before[at] });
        takenBack.set(from + at, answer.outcome);
      }
      serving.draft.unbegin(begun);
    } else if (!isRefused) {
      for (const [at, part] of each.parts.entries())
        keepShare(part, { services, before: before[at], answer: own[at] });
    }
    before = [];
  };
  // One answer can tell of one tariff change: where there are several, grants end with it instead.
  const with_ = isOne ? serving : { ...serving, tariffChange: undefined };
  const served = serveAll(with_, all, present, review);
  const recorded = served.recorded.map((one, at): RecordedService => {
    const outcome = takenBack.get(at);
    if (outcome === undefined) return one;
    const { granted: _, ...kept } = one;
    return { ...kept, outcome };
  });
  return { ...served, answers, recorded, refuses: served.refuses || refuses };
}

/** Divides what a request names, and what it reports; with the services as they are before it. */
function divideAll(
  serving: Serving,
  asked: readonly AskedService[],
  known: readonly Service[],
): { divided: readonly Divided[]; services: readonly Service[] } {
  const all = asked.map((sent) => nameOf(serving, sent, known));
  const divided = new Map<Named, Divided>();
  const left = new Map<Service, number>();
  for (const alike of Map.groupBy(all, ({ one }) => serviceKey(one)).values()) {
    const [{ before, ruleOf }] = alike as [Named, ...Named[]];
    const isDivided = before.length > 0 || alike.some(({ shares }) => shares.length > 1);
    const isHeld =
      before.length === 0 && known.some((service) => isHeldBy(serving, alike, service));
    const of = { before, ruleOf };
    const spreadOut =
      before.length === 0
        ? undefined
        : spread(
            alike.map(({ one }) => one),
            of,
          );
    for (const [service, units] of spreadOut?.left ?? []) left.set(service, units);
    for (const [at, named] of alike.entries())
      divided.set(
        named,
        isDivided
          ? divide(named, { isHeld, isFirst: at === 0, pieces: spreadOut?.pieces[at] })
          : wholeOf(named),
      );
  }
  const services = known.map((service) => {
    const units = left.get(service);
    if (units === undefined || service.share === undefined) return service;
    return { ...service, share: { ...service.share, units } };
  });
  return { divided: all.map((named) => divided.get(named) as Divided), services };
}

function nameOf(serving: Serving, sent: AskedService, known: readonly Service[]): Named {
  const before = sharedBy(serving, sent, known);
  const one = { ...sent, serviceIds: before[0]?.serviceIds ?? sent.serviceIds };
  const ruleOf = rulesFor(serving, one);
  const { called } = factsFor(serving, one).facts ?? {};
  const shares = one.asked === undefined ? [] : sharesBy(one, { ruleOf, called });
  return { sent, one, before, ruleOf, shares };
}

/** It was granted as a whole: what is used of it is so, too. */
function isHeldBy({ level }: Serving, alike: readonly Named[], service: Service): boolean {
  const isIt =
    level === 'command' || alike.some(({ one }) => serviceKey(service) === serviceKey(one));
  return service.grant !== undefined && isIt;
}

function wholeOf({ sent, shares: [share] }: Named): Divided {
  if (share?.asked === undefined) return { parts: [{ one: sent }], odd: false, isWhole: true };
  const { asked } = share;
  const group = share.recipients.length > 1 ? { ...share, asked } : undefined;
  return { parts: [{ one: { ...sent, asked }, group }], odd: false, isWhole: true };
}

function divide(
  { one, before, ruleOf, shares }: Named,
  {
    isHeld,
    isFirst,
    pieces = [],
  }: {
    isHeld: boolean;
    /** Of all in the request that name the service: it settles what the others do not report. */
    isFirst: boolean;
    pieces?: readonly Piece[] | undefined;
  },
): Divided {
  const groups = shares.flatMap(({ asked, ...share }) => (asked ? [{ ...share, asked }] : []));
  const odd = groups.length < shares.length;
  const portions = before.map((service): Portion => {
    const piece = pieces.find(({ of }) => of === service);
    const { share, grant } = service;
    return {
      share,
      recipients: piece?.recipients ?? recipientsOf(share),
      holds: isFirst && grant !== undefined,
      ...(piece && { reported: piece.reported }),
    };
  });
  const of = groups.reduce((sum, { recipients }) => sum + recipients.length, 0);
  for (const group of odd ? [] : groups) {
    const { rule, recipients } = group;
    const count = recipients.length;
    const same = portions.find(({ share }) => ruleOf(share.called) === rule);
    const called = recipients.find((number) => number !== undefined) ?? '';
    if (same === undefined)
      portions.push({ share: { called, count, of }, recipients, group, holds: false });
    else Object.assign(same, { share: { ...same.share, count, of }, recipients, group });
  }
  const { asked: _asked, recipients: _recipients, messages: _messages, ...saying } = one;
  const { used: _used, usedAfter: _after, usedIndeterminate: _straddling, ...said } = saying;
  const concerned = portions.filter(
    ({ holds, group, reported }) => holds || group !== undefined || reported !== undefined,
  );
  const inOrder = concerned.toSorted((a, b) => placeOf(a, groups) - placeOf(b, groups));
  const rest = before.length === 0 ? saying : pieces.find(({ of }) => of === undefined)?.reported;
  const isApart = isHeld || rest?.used !== undefined;
  const served = inOrder.length > 0 || isApart ? inOrder : portions.slice(0, 1);
  const parts = served.map(
    ({ share, recipients, group, reported }): Part => ({
      one: {
        ...{ ...said, share, recipients, facts: { ...one.facts, called: share.called } },
        ...(group === undefined ? {} : { asked: group.asked }),
        ...reported,
      },
      group,
    }),
  );
  const divided = { odd, isWhole: false };
  if (!isApart && parts.length > 0) return { ...divided, parts };
  return { ...divided, parts: [{ one: { ...said, ...rest } }, ...parts] };
}

/** What is granted next stands in the order of the message. */
const placeOf = ({ group }: Portion, groups: readonly Group[]): number =>
  group === undefined ? -1 : groups.indexOf(group);

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

/** The answer to a message under one rule. */
function wholly({ parts }: Divided, own: readonly ServiceAnswer[]): ServiceAnswer {
  const [part] = parts as [Part];
  const [answer] = own as [ServiceAnswer];
  const { ratingGroup, serviceIds, granted } = answer;
  if (granted === undefined || granted.units === 0 || granted.units >= leastOf(part)) return answer;
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
  for (const [at, part] of parts.entries()) {
    const got = gotOf(part, own[at]);
    if (reserving && got < leastOf(part)) return { ...name, outcome: 'credit-limit-reached' };
    units = add(units, got);
  }
  const answer = { ...(own.find(({ granted }) => granted !== undefined) ?? some) };
  if (answer.granted !== undefined) answer.granted = { ...answer.granted, units };
  const validity = controlled.flatMap(({ validitySeconds = [] }) => validitySeconds);
  if (validity.length > 0) answer.validitySeconds = Math.min(...validity);
  const final = controlled.find((one) => one.final !== undefined)?.final;
  return final === undefined ? answer : { ...answer, final };
}

/** Units that may be used by one answer: who is not controlled may use all that is asked. */
function gotOf({ group }: Part, answer: ServiceAnswer | undefined): number {
  return answer?.outcome === 'uncontrolled' ? unitsOf(group) : (answer?.granted?.units ?? 0);
}

/**
 * Less is of no use to a whole message; what is more than is granted at once is asked for again. To
 * one recipient some of its units may be sent.
 */
function leastOf({ one, group }: Part): number {
  if (group === undefined || (one.share?.of ?? group.recipients.length) === 1) return 0;
  const most = isPartly(one.share) ? LIMIT : (group.rule?.quota.maximum ?? 0);
  return Math.min(unitsOf(group), most);
}

/** Units that are asked under one rule. */
function unitsOf(group: Group | undefined): number {
  const { asked = {}, rule } = group ?? {};
  const [some = 0] = Object.values(asked);
  return (rule === undefined ? undefined : asked[rule.unit]) ?? some;
}

/**
 * Gives back what was granted of a message of which not all was. What the service was granted by
 * this request before, for another message, it keeps.
 */
function takeBack(
  { draft, now }: Serving,
  one: AskedService,
  { services, before }: { services: Map<string, Service>; before: Service | undefined },
): void {
  const key = serviceKey(one);
  const service = services.get(key);
  if (service === undefined) return;
  release(draft, service, now);
  if (before?.grant !== undefined) retake(draft, before.grant);
  if (before === undefined) services.delete(key);
  else services.set(key, before);
}

/**
 * Remembers what of a message, or of several in the request, the recipients of a share have then to
 * report. The shares of the last message stand in its order, behind those that are not of it.
 */
function keepShare(
  part: Part,
  of: {
    services: Map<string, Service>;
    /** The service before it was granted more. */
    before: Service | undefined;
    answer: ServiceAnswer | undefined;
  },
): void {
  const { services, before, answer } = of;
  const { share } = part.one;
  const key = serviceKey(part.one);
  const service = services.get(key);
  const got = gotOf(part, answer);
  if (share === undefined || service === undefined) return;
  if (part.group === undefined && got === 0) return;
  const told = before?.share?.units ?? 0;
  if (told === 0) services.delete(key);
  services.set(key, { ...service, share: { ...share, units: add(told, got) } });
}
