/**
 * Explains records of the past by the plans that rated them: which rule matched and how the amount
 * came about. A record says what was used and what it cost; what its session had been charged for before, and
 * what it had said of its use, is known from the records before it, which therefore have to come
 * first. Not a command itself.
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
import { affordable, basisOf, costOfMore } from '../charging/rating.ts';
import type { RecordedService, RecordKind } from '../charging/record.ts';
import { type Facts, serviceKey } from '../charging/request.ts';
import { recordedFacts } from '../ro/recorded-facts.ts';
import type { PastPlans } from './past-plans.ts';

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
  /** Of `units`, those that money paid for. */
  paidFor: number;
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
    const { id, partition, at, tenant, account, requestNumber, outcome } = record;
    const services: ExplainedService[] = [];
    for (const service of record.services) {
      const { planVersion, after } = service;
      const id = service.plan ?? (await this.#plans.idFor(record));
      const plan = await this.#plans.version({ tenant, plan: id }, planVersion);
      if (plan === undefined) {
        const version = planVersion === undefined ? '' : `version ${planVersion} of `;
        const remarks = [`${version}plan ${id}, which rated it, is not known`];
        forget(service, past);
        services.push({ ...service, plan: id, amounts: [], remarks });
        continue;
      }
      const facts = factsOf(service, past);
      const choice = explain(plan, { ...service, context, facts }, at);
      const remarks = remarksOn(service, { plan, choice });
      const later =
        after?.plan === undefined
          ? plan
          : await this.#plans.version({ tenant, plan: after.plan }, after.planVersion);
      const amounts = amountsOf(service, { plan, later, past, remarks });
      services.push({ ...service, plan: id, choice, timeZone: plan.timeZone, amounts, remarks });
    }
    const [plan, ...others] = new Set(services.map((service) => service.plan));
    return {
      ...{ id, partition, at, tenant, account },
      ...(plan === undefined || others.length > 0 ? {} : { plan }),
      ...{ session: sessionId, kind },
      ...(requestNumber === undefined ? {} : { number: requestNumber }),
      outcome,
      services,
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

function amountsOf(
  service: RecordedService,
  {
    plan,
    later,
    past,
    remarks,
  }: {
    plan: Plan;
    /** What rated the part after a tariff change; undefined: it is not known. */
    later: Plan | undefined;
    past: Past;
    remarks: string[];
  },
): ExplainedAmount[] {
  const { rule, unit, used = 0, cost = 0, after } = service;
  if (rule === undefined || unit === undefined) return [];
  const key = keyOf(service, past);
  const written = (name: string, plan: Plan): Pick<Counted, 'rule' | 'price'> => {
    const found = plan.rules.find((one) => one.name === name);
    return { rule: name, price: priceOf({ unit, price: found?.price }) ?? 'none' };
  };
  const start = past.isWhole ? 0 : undefined;
  let counted = countedOn(past.services.get(key), { ...written(rule, plan), rated: start });
  const amounts: ExplainedAmount[] = [];
  const take = (units: number, cost: number, by: Plan | undefined): void => {
    const { rule, price, rated } = counted;
    if (by?.rules.every(({ name }) => name !== rule)) remarks.push(`the plan has no rule ${rule}`);
    const of = { rule, units, cost, rated };
    const { amount, remark } = amountBy(price === 'none' ? undefined : price, of);
    if (remark !== undefined) remarks.push(remark);
    counted = { rule, price, rated: rated === undefined ? undefined : rated + amount.paidFor };
    amounts.push(amount);
  };
  const units = used - (after?.used ?? 0);
  if (units > 0) take(units, cost - (after?.cost ?? 0), plan);
  if (after !== undefined) {
    counted =
      later === undefined
        ? { rule: after.rule, price: undefined, rated: undefined }
        : { ...written(after.rule, later), rated: 0 };
    take(after.used, after.cost, later);
  }
  past.services.set(key, counted);
  return amounts;
}

/** What was counted before goes on under the same rule and price; else counting begins anew. */
function countedOn(before: Counted | undefined, now: Counted): Counted {
  if (before === undefined) return now;
  if (before.rule !== now.rule) return { ...now, rated: 0 };
  if (before.price === undefined) return { ...now, rated: undefined };
  return { ...now, rated: isDeepStrictEqual(before.price, now.price) ? before.rated : 0 };
}

/** What was charged by a plan that is not known. */
function forget(service: RecordedService, past: Past): void {
  const { rule, after } = service;
  if (rule === undefined) return;
  const counted = { rule: after?.rule ?? rule, price: undefined, rated: undefined };
  past.services.set(keyOf(service, past), counted);
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

/** How many of the units money paid for, and how their cost came about. */
function amountBy(
  price: Price | undefined,
  of: { rule: string; units: number; cost: number; rated: number | undefined },
): { amount: ExplainedAmount; remark?: string } {
  const { rule, units, cost, rated } = of;
  const paid = (paidBy: ExplainedAmount['paidBy'], paidFor = 0): ExplainedAmount => {
    const amount = { rule, units, cost, paidBy, paidFor };
    if (paidFor === 0 || price === undefined || rated === undefined) return amount;
    return { ...amount, how: explainCost(price, basisOf(price, rated), paidFor) };
  };
  if (price === undefined)
    return cost === 0
      ? { amount: paid('nobody') }
      : { amount: paid('unknown'), remark: UNEXPLAINED };
  if (rated === undefined)
    return {
      amount: paid('unknown'),
      remark: 'what the session was charged for before is not known from these records',
    };
  const basis = basisOf(price, rated);
  if (costOfMore(price, basis, units) === cost) return { amount: paid('money', units) };
  if (cost === 0) return { amount: paid('units') };
  // Money paid for a part only: for as many as the amount reaches.
  const most = affordable(price, { rated: basis, budget: cost, wanted: units });
  return costOfMore(price, basis, most) === cost
    ? { amount: paid('both', most) }
    : { amount: paid('unknown'), remark: UNEXPLAINED };
}

const UNEXPLAINED = 'the amount is none that this version of the plan has for this use';
