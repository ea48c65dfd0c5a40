/**
 * Messages to several recipients in a session (ECUR: TS 32.270 5.3, TS 32.274 5.3). Each recipient is
 * charged by the rule for its own number, as in a one-time event. Where the rules differ, the service
 * is divided into one for each rule; the client, which knows nothing of that, gets one answer: all of
 * the message is granted, or none.
 */
import type { ServiceAnswer } from './answer.ts';
import { restored } from './final-units.ts';
import { ruleFor } from './match.ts';
import { add } from './money.ts';
import type { Rule } from './plan.ts';
import { release } from './quota.ts';
import type { RecordedService } from './record.ts';
import { type Asked, type AskedService, recipientsOf, type Share, serviceKey } from './request.ts';
import { type Served, serveAll } from './service.ts';
import { factsFor, type Serving } from './serving.ts';
import type { Service } from './session.ts';

type Recipients = NonNullable<AskedService['recipients']>;
type Shared = Service & { share: NonNullable<Service['share']> };

/** What is asked under one rule. */
interface Group {
  rule: Rule | undefined;
  recipients: Recipients;
  asked: Asked;
}

/** The rule for one recipient; of a number that is not known, none that asks for it. */
type RuleOf = (called: string | undefined) => Rule | undefined;

/** The recipients of one rule, and what a request says of them. */
interface Portion {
  share: Share;
  recipients: Recipients;
  group?: Group;
  used?: AskedService['used'];
  /** It holds a grant, which this request settles. */
  holds: boolean;
}

/** A service of a request as it is served: for each rule by itself. */
interface Divided {
  parts: readonly { one: AskedService; group?: Group | undefined }[];
  /** So many units are not to be divided among so many recipients. */
  odd: boolean;
}

/** Serves every service that a request names, those for several recipients by the rule for each. */
export function serveEach(
  serving: Serving,
  asked: readonly AskedService[],
  known: readonly Service[],
): Served {
  if (!asked.some(({ recipients }) => recipients !== undefined) && !known.some(isShared))
    return serveAll(serving, asked, known);
  const divided = asked.map((one) => divide(serving, one, known));
  if (divided.every((each) => each === undefined)) return serveAll(serving, asked, known);
  const all = divided.flatMap(
    (each, at) => each?.parts.map(({ one }) => one) ?? [asked[at] as AskedService],
  );
  // One answer can tell of one tariff change: here grants end with it instead.
  const served = serveAll({ ...serving, tariffChange: undefined }, all, known);
  const services = new Map(served.services.map((service) => [serviceKey(service), service]));
  const recorded = [...served.recorded];
  const before = new Set(known.map(serviceKey));
  let { refuses } = served;
  let from = 0;
  const answers = divided.map((each): ServiceAnswer => {
    const start = from;
    const own = served.answers.slice(start, start + (each?.parts.length ?? 1));
    from += own.length;
    const [first] = own as [ServiceAnswer];
    if (each === undefined) return first;
    const answer = joined(each, own);
    const isRefused = answer.outcome !== 'success' && answer.outcome !== 'uncontrolled';
    refuses ||= isRefused;
    const isAsked = each.parts.some(({ group }) => group !== undefined);
    for (const [at, { one, group }] of each.parts.entries())
      if (group !== undefined && isRefused) {
        takeBack(serving, one, { services, before });
        const { granted: _, ...kept } = recorded[start + at] as RecordedService;
        recorded[start + at] = { ...kept, outcome: answer.outcome };
      } else if (isAsked) keepShare(one, { services, group, granted: own[at]?.granted?.units });
    return answer;
  });
  return { services: [...services.values()], answers, recorded, refuses };
}

function isShared(service: Service): service is Shared {
  return service.share !== undefined;
}

/** Undefined: all of it is under one rule. */
function divide(
  serving: Serving,
  sent: AskedService,
  known: readonly Service[],
): Divided | undefined {
  const before = sharedBy(serving, sent, known);
  const one = { ...sent, serviceIds: before[0]?.serviceIds ?? sent.serviceIds };
  const ruleOf = rulesFor(serving, one);
  const groups = groupsOf(one, { ruleOf, first: factsFor(serving, one).facts?.called });
  if (before.length === 0 && groups.length < 2) return undefined;
  const odd = groups.length > 1 && !groups.every(({ asked }) => Number.isInteger(asked.units));
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
  const { asked: _asked, used: _used, recipients: _recipients, ...said } = one;
  const concerned = portions.filter(
    ({ holds, group, used }) => holds || group !== undefined || used !== undefined,
  );
  const served = concerned.length > 0 ? concerned : portions.slice(0, 1);
  const parts: Divided['parts'] = served.map(({ share, recipients, group, used }) => ({
    one: {
      ...{ ...said, share, recipients, facts: { ...one.facts, called: share.called } },
      ...(group === undefined ? {} : { asked: group.asked }),
      ...(used === undefined ? {} : { used }),
    },
    group,
  }));
  // What it was granted as a whole, and used of that.
  const isIt = (service: Service) =>
    serving.level === 'command' || serviceKey(service) === serviceKey(one);
  const isWhole =
    before.length === 0 && known.some((service) => service.grant !== undefined && isIt(service));
  if (rest === undefined && !isWhole && parts.length > 0) return { parts, odd };
  return { parts: [{ one: rest === undefined ? said : { ...said, used: rest } }, ...parts], odd };
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

/** The recipients of what is asked by the rule for each; none: nothing is asked. */
function groupsOf(
  { asked, recipients }: AskedService,
  { ruleOf, first: called }: { ruleOf: RuleOf; first: string | undefined },
): readonly Group[] {
  if (asked === undefined) return [];
  const { units } = asked;
  if (recipients === undefined || units === undefined)
    return [{ rule: ruleOf(called), recipients: recipients ?? [called], asked }];
  const groups = [...Map.groupBy(recipients, ruleOf)];
  const [first, ...others] = groups;
  // Deviation: a pool's multiplier takes one price to another, so what is pooled has but one.
  const isPooled = groups.some(([rule]) => rule?.pool !== undefined);
  if (first !== undefined && (others.length === 0 || isPooled))
    return [{ rule: first[0], recipients, asked }];
  const each = units / recipients.length;
  return groups.map(([rule, members]) => ({
    ...{ rule, recipients: members },
    asked: { units: Number.isInteger(each) ? each * members.length : Number.NaN },
  }));
}

/** Finds the rule for each number once. */
function rulesFor(serving: Serving, one: AskedService): RuleOf {
  const rules = new Map<string, Rule | undefined>();
  return (called = '') => {
    if (!rules.has(called)) {
      const facts = { ...one.facts, called };
      rules.set(called, ruleFor(serving.plan, factsFor(serving, { ...one, facts }), serving.at));
    }
    return rules.get(called);
  };
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
  const live = before.flatMap(({ share }, at) => {
    const portion = portions[at];
    return portion === undefined || (holding && share.units === 0) ? [] : { portion, share };
  });
  const units = used.units ?? 0;
  const total = live.reduce((sum, { share }) => add(sum, share.units), 0);
  const each = units / recipients.length;
  const isNamed = asked === undefined && units < total && Number.isInteger(each);
  const byRule = isNamed ? Map.groupBy(recipients, ruleOf) : undefined;
  let rest = units;
  for (const [at, { portion, share }] of live.entries()) {
    let most = share.units;
    if (byRule !== undefined) {
      const own = byRule.get(ruleOf(share.called)) ?? [];
      if (own.length > 0) portion.recipients = own;
      most = each * own.length;
    }
    const taken = at === live.length - 1 ? rest : Math.min(rest, most);
    rest -= taken;
    // Units of other kinds are not divided.
    const { units: _, ...others } = at === 0 ? used : {};
    portion.used = used.units === undefined ? others : { ...others, units: taken };
  }
  return undefined;
}

/** One answer of those for each rule. */
function joined({ parts, odd }: Divided, own: readonly ServiceAnswer[]): ServiceAnswer {
  const [first] = own as [ServiceAnswer];
  const { ratingGroup, serviceIds } = first;
  const name = ratingGroup === undefined ? { serviceIds } : { ratingGroup, serviceIds };
  if (odd) return { ...name, outcome: 'rating-failed' };
  const failed = own.find(({ outcome }) => outcome !== 'success' && outcome !== 'uncontrolled');
  if (failed !== undefined) return { ...name, outcome: failed.outcome };
  const controlled = own.filter(({ outcome }) => outcome === 'success');
  const [some] = controlled;
  if (some === undefined) return { ...name, outcome: 'uncontrolled' };
  let units = 0;
  for (const [at, { group }] of parts.entries()) {
    const { outcome, granted } = own[at] ?? first;
    const got = outcome === 'success' ? granted?.units : group?.asked.units;
    if ((got ?? 0) < leastOf(group)) return { ...name, outcome: 'credit-limit-reached' };
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
  const { asked, rule } = group ?? {};
  return Math.min(asked?.units ?? 0, rule?.quota.maximum ?? 0);
}

/** Gives back what was granted of a message of which not all was. */
function takeBack(
  { draft, now }: Serving,
  one: AskedService,
  { services, before }: { services: Map<string, Service>; before: ReadonlySet<string> },
): void {
  const key = serviceKey(one);
  const service = services.get(key);
  if (service === undefined) return;
  const kept = restored(release(draft, service, now));
  if (before.has(key)) services.set(key, withUnits(kept, one, 0));
  else services.delete(key);
}

/** Remembers for how many units of the message a service stands. */
function keepShare(
  one: AskedService,
  of: {
    services: Map<string, Service>;
    group: Group | undefined;
    granted: number | undefined;
  },
): void {
  const { services, group, granted = group?.asked.units ?? 0 } = of;
  const key = serviceKey(one);
  const service = services.get(key);
  if (service !== undefined) services.set(key, withUnits(service, one, granted));
}

function withUnits(service: Service, { share }: AskedService, units: number): Service {
  return share === undefined ? service : { ...service, share: { ...share, units } };
}
