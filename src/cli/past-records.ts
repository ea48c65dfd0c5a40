/**
 * Explains records of the past by the plans that rated them: which rule matched, who paid, and how
 * the amount came about. A record says what was used, what it cost and what each bucket was charged;
 * what its session had been charged for before, and what it had said of its use, is known from the
 * records before it, which therefore have to come first. Not a command itself.
 */
import { isDeepStrictEqual } from 'node:util';
import {
  type CostExplanation,
  type Explanation,
  explain,
  explainCost,
} from '../charging/explain.ts';
import type { Plan, Price } from '../charging/plan.ts';
import { priceOf } from '../charging/quota.ts';
import type { BucketChange, RecordedService, RecordKind } from '../charging/record.ts';
import { type Facts, serviceKey, type Unit } from '../charging/request.ts';
import { recordedFacts } from '../ro/recorded-facts.ts';
import type { PastPlans } from './past-plans.ts';
import { type Payment, paidByMoney, paymentsOf, type Use } from './payers.ts';

/** A line of a record file (`store/records/line.ts`). */
export interface RecordLine {
  id: string;
  partition: number;
  kind: RecordKind;
  at: number;
  tenant: string;
  account: string;
  sessionId?: string;
  subSessionId?: string;
  requestNumber?: number;
  context?: string;
  outcome: string;
  services: readonly RecordedService[];
  changes?: readonly BucketChange[];
  information?: unknown;
}

export interface ExplainedRecord {
  id: string;
  partition: number;
  at: number;
  tenant: string;
  account: string;
  /** Where all of its services are explained by one. */
  plan?: string;
  session: string;
  kind: RecordKind;
  number?: number;
  outcome: string;
  /** What each bucket was charged for all of its services. */
  paid: readonly Payment[];
  services: readonly ExplainedService[];
}

export interface ExplainedService extends RecordedService {
  /** By which it is explained: the one that the record names, if it does. */
  plan: string;
  /**
   * The rule that the plan, in the version that the record names, has for the time of the record;
   * absent: that version is not known, and nothing is explained.
   */
  choice?: Explanation;
  /** Of that version. */
  timeZone?: string;
  amounts: readonly ExplainedAmount[];
  /** What does not fit the plan or the records, in words. */
  remarks: readonly string[];
}

export interface ExplainedAmount {
  rule: string;
  units: number;
  cost: number;
  /** What paid: money, a bucket of their unit, both, or nobody: they are free of charge. */
  paidBy: 'money' | 'units' | 'both' | 'nobody' | 'unknown';
  /** Of `units`, those that money paid for, free units of the price among them; absent: unknown. */
  paidFor?: number;
  /** How `cost` came about; absent: free, or it cannot be told. */
  how?: CostExplanation;
}

/** Sessions that are remembered; beyond it the oldest are forgotten. */
const MAX_SESSIONS = 100_000;

interface Past {
  facts?: Facts;
  /** By service; absent: the session's beginning is not in the records. */
  services: Map<string, Counted>;
  isWhole: boolean;
}

/** What a service was counted under, and how many units money has paid for; undefined: unknown. */
interface Counted {
  rule: string;
  price: Price | 'none' | undefined;
  rated: number | undefined;
}

const OF_SESSIONS: ReadonlySet<RecordKind> = new Set([
  'initial',
  'update',
  'termination',
  'late-usage',
]);
const OF_EVENTS: ReadonlySet<RecordKind> = new Set(['debit', 'refund']);

export class PastRecords {
  readonly #plans: PastPlans;
  readonly #sessions = new Map<string, Past>();

  constructor(plans: PastPlans) {
    this.#plans = plans;
  }

  /**
   * Undefined: the record is not about the use of a service. Throws what is to be said where it names
   * no plan, and nobody knows that of its account.
   */
  async explain(record: RecordLine): Promise<ExplainedRecord | undefined> {
    const { sessionId, context, kind } = record;
    const isEvent = OF_EVENTS.has(kind);
    if (sessionId === undefined || context === undefined) return undefined;
    if (!isEvent && !OF_SESSIONS.has(kind)) return undefined;
    const past = isEvent ? newPast(true) : this.#past(record);
    const said = recordedFacts(record.information);
    if (said !== undefined) past.facts = { ...past.facts, ...said };
    const { id, partition, at, tenant, account, requestNumber, outcome, changes = [] } = record;
    const services: (ExplainedService & { amounts: ExplainedAmount[]; remarks: string[] })[] = [];
    const takes: Take[] = [];
    for (const [index, service] of record.services.entries()) {
      const { planVersion, after } = service;
      const id = service.plan ?? (await this.#plans.idFor(record));
      const plan = await this.#plans.version({ tenant, plan: id }, planVersion);
      const key = isEvent ? String(index) : keyOf(service, past);
      const later =
        after?.plan === undefined
          ? plan
          : await this.#plans.version({ tenant, plan: after.plan }, after.planVersion);
      takes.push(...takesOf(service, { index, key, plan, later }));
      if (plan === undefined) {
        const version = planVersion === undefined ? '' : `version ${planVersion} of `;
        const remarks = [`${version}plan ${id}, which rated it, is not known`];
        services.push({ ...service, plan: id, amounts: [], remarks });
        continue;
      }
      const facts = factsOf(service, past);
      const choice = explain(plan, { ...service, context, facts }, at);
      const remarks = remarksOn(service, { plan, choice });
      const { timeZone } = plan;
      services.push({ ...service, plan: id, choice, timeZone, amounts: [], remarks });
    }
    const paid = paymentsOf(changes, await this.#plans.bucketsOf(record));
    for (const { take, use, paidFor } of rate(takes, { past, paid })) {
      const service = services[take.index];
      if (service?.choice === undefined || !take.isTold) continue;
      const { amount, remarks } = amountOf(take, { use, paidFor });
      service.amounts.push(amount);
      service.remarks.push(...remarks);
    }
    const [plan, ...others] = new Set(services.map((service) => service.plan));
    return {
      ...{ id, partition, at, tenant, account },
      ...(plan === undefined || others.length > 0 ? {} : { plan }),
      ...{ session: sessionId, kind },
      ...(requestNumber === undefined ? {} : { number: requestNumber }),
      ...{ outcome, paid, services },
    };
  }

  #past({ partition, sessionId, subSessionId, kind }: RecordLine): Past {
    const key = `${partition} ${sessionId}\n${subSessionId ?? ''}`;
    const known = this.#sessions.get(key);
    if (known !== undefined) return known;
    const past = newPast(kind === 'initial');
    if (this.#sessions.size >= MAX_SESSIONS)
      this.#sessions.delete(this.#sessions.keys().next().value as string);
    this.#sessions.set(key, past);
    return past;
  }
}

function newPast(isWhole: boolean): Past {
  return { services: new Map(), isWhole };
}

/** What is known of a service's use: of several recipients it is for the first of its own. */
function factsOf({ recipients }: RecordedService, { facts }: Past): Facts | undefined {
  if (recipients === undefined) return facts;
  const { called: _, ...others } = facts ?? {};
  const [called] = recipients.called;
  return called === undefined ? others : { ...others, called };
}

function remarksOn(
  { rule, plan: named, planVersion }: RecordedService,
  { plan, choice }: { plan: Plan; choice: Explanation },
): string[] {
  const remarks: string[] = [];
  if (named === undefined) remarks.push(`the record does not name its plan; this is by ${plan.id}`);
  if (planVersion === undefined && plan.version > 1)
    remarks.push(`the record names no version of the plan; this is by ${plan.version}`);
  if (rule !== undefined && rule !== choice.chosen?.rule)
    remarks.push(
      `it was rated by rule ${rule}: that held when its quota was granted or used, or more was ` +
        'known of the use',
    );
  return remarks;
}

/** A part of what a service used, under one rule. */
interface Take {
  /** Of the service in its record. */
  index: number;
  key: string;
  rule: string;
  unit: Unit;
  price: Counted['price'];
  units: number;
  cost: number;
  excess: boolean;
  /** What its cost is counted from, as the record says; absent: an older one does not. */
  from: number | undefined;
  /** It came after a tariff change, which begins to count anew. */
  isAfter: boolean;
  /** The plan by which it was rated has no such rule. */
  isGone: boolean;
  /** Something was used, or it came after a tariff change. */
  isTold: boolean;
}

function takesOf(
  service: RecordedService,
  of: {
    index: number;
    key: string;
    /** Undefined: it is not known. */
    plan: Plan | undefined;
    /** What rated the part after a tariff change. */
    later: Plan | undefined;
  },
): Take[] {
  const { rule, unit, used = 0, countedFrom: from, cost = 0, after, excess = false } = service;
  if (rule === undefined || unit === undefined) return [];
  const { index, key, plan, later } = of;
  const written = (
    name: string,
    plan: Plan | undefined,
  ): Pick<Take, 'rule' | 'price' | 'isGone'> => {
    const found = plan?.rules.find((one) => one.name === name);
    const price = found && (priceOf({ unit, price: found.price }) ?? 'none');
    return { rule: name, price, isGone: plan !== undefined && found === undefined };
  };
  const units = used - (after?.used ?? 0);
  const common = { index, key, unit, excess };
  const first = { units, from, cost: cost - (after?.cost ?? 0), isAfter: false, isTold: units > 0 };
  const takes: Take[] = [{ ...common, ...written(rule, plan), ...first }];
  if (after !== undefined) {
    const { used: units, countedFrom: from, cost } = after;
    const second = { units, from, cost, isAfter: true, isTold: true };
    takes.push({ ...common, ...written(after.rule, later), ...second });
  }
  return takes;
}

interface Rated {
  take: Take;
  use: Use;
  paidFor: number | undefined;
}

/**
 * Finds how many units of each part money paid for, and counts them. What is found of one tells from
 * where the next one of its service is counted, which may tell more.
 */
function rate(
  takes: readonly Take[],
  { past, paid }: { past: Past; paid: readonly Payment[] },
): readonly Rated[] {
  let found: readonly (number | undefined)[] = takes.map(() => undefined);
  for (let pass = 0; ; pass++) {
    const { uses, services } = counting(takes, { past, found });
    const next = paidByMoney(uses, paid);
    const isFinal = pass === takes.length || next.every((units, at) => units === found[at]);
    found = next;
    if (!isFinal) continue;
    for (const [key, counted] of services) past.services.set(key, counted);
    return takes.map((take, at) => ({ take, use: uses[at] as Use, paidFor: found[at] }));
  }
}

/** From where each part is counted, where money paid for what is `found` of those before it. */
function counting(
  takes: readonly Take[],
  { past, found }: { past: Past; found: readonly (number | undefined)[] },
): { uses: Use[]; services: Map<string, Counted> } {
  const services = new Map<string, Counted>();
  const start = past.isWhole ? 0 : undefined;
  const uses = takes.map((take, at): Use => {
    const { key, rule, price, from, isAfter, unit, units, cost, excess } = take;
    const before = services.get(key) ?? past.services.get(key);
    const now = { rule, price, rated: isAfter ? 0 : start };
    const known = isAfter ? now : countedOn(before, now);
    const counted = from === undefined ? known : { ...known, rated: from };
    const eachReport = price !== 'none' && price?.eachReport === true;
    const basis = from ?? (eachReport ? 0 : counted.rated);
    const paidFor = units === 0 || price === 'none' ? 0 : found[at];
    const isKnown = price !== undefined && counted.rated !== undefined && paidFor !== undefined;
    const rated = isKnown ? (counted.rated ?? 0) + (paidFor ?? 0) : undefined;
    services.set(key, { rule, price, rated });
    return { unit, units, cost, price, basis, excess };
  });
  return { uses, services };
}

/** What was counted before goes on under the same rule and price; else counting begins anew. */
function countedOn(before: Counted | undefined, now: Counted): Counted {
  if (before === undefined) return now;
  if (before.rule !== now.rule) return { ...now, rated: 0 };
  if (before.price === undefined) return { ...now, rated: undefined };
  return { ...now, rated: isDeepStrictEqual(before.price, now.price) ? before.rated : 0 };
}

/**
 * The service that usage is counted against: its rating group's where that was granted. For
 * recipients under different rules each rule counts by itself.
 */
function keyOf(service: RecordedService, { services }: Past): string {
  const { ratingGroup, serviceIds, recipients, rule = '' } = service;
  if (recipients?.of !== undefined)
    return serviceKey({ ratingGroup, serviceIds, share: { called: rule } });
  const own = serviceKey({ ratingGroup, serviceIds });
  const group = serviceKey({ ratingGroup, serviceIds: [] });
  return !services.has(own) && services.has(group) ? group : own;
}

/** Who paid for the units of a part, and how their cost came about. */
function amountOf(
  { rule, units, cost, price, isGone }: Take,
  { use: { basis }, paidFor }: { use: Use; paidFor: number | undefined },
): { amount: ExplainedAmount; remarks: readonly string[] } {
  const told = { rule, units, cost };
  const unknown = { ...told, paidBy: 'unknown' } as const;
  if (isGone) return { amount: unknown, remarks: [`the plan has no rule ${rule}`] };
  if (price === undefined) return { amount: unknown, remarks: [] };
  if (price === 'none')
    return cost === 0
      ? { amount: { ...told, paidBy: 'nobody', paidFor: 0 }, remarks: [] }
      : { amount: unknown, remarks: [UNEXPLAINED] };
  if (paidFor === undefined)
    return { amount: unknown, remarks: [basis === undefined ? UNBEGUN : UNDIVIDED] };
  const paidBy = paidFor === units ? 'money' : paidFor === 0 ? 'units' : 'both';
  const amount: ExplainedAmount = { ...told, paidBy, paidFor };
  if (paidFor === 0) return { amount, remarks: cost === 0 ? [] : [UNEXPLAINED] };
  if (basis === undefined) return { amount, remarks: [UNBEGUN] };
  const how = explainCost(price, basis, paidFor);
  if (how.cost !== BigInt(cost)) return { amount, remarks: [UNEXPLAINED] };
  return { amount: { ...amount, how }, remarks: [] };
}

const UNEXPLAINED = 'the amount is none that this version of the plan has for this use';
const UNBEGUN = 'what the session was charged for before is not known from these records';
const UNDIVIDED = 'the record does not say which units money paid for, and which a bucket of units';
