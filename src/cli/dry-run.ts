/**
 * Rates requests against a plan without a store: every request goes through `step` as it would in
 * a worker, on an account of its own whose money never ends, and what became of it is explained.
 * So all is paid with money. Of timers only that of a grant's validity fires. Not a command itself.
 */
import { type Account, availableField, OPEN_SESSIONS, reservedField } from '../charging/account.ts';
import type { ServiceAnswer } from '../charging/answer.ts';
import { type EventRequest, stepEvent } from '../charging/event.ts';
import {
  type CostExplanation,
  type Explanation,
  explain,
  explainCost,
} from '../charging/explain.ts';
import { mergeFacts } from '../charging/facts.ts';
import { add } from '../charging/money.ts';
import type { Plan } from '../charging/plan.ts';
import { priceOf } from '../charging/quota.ts';
import type { RecordedService } from '../charging/record.ts';
import {
  type AskedService,
  type Facts,
  type Request,
  serviceKey,
  sessionKey,
  type Unit,
} from '../charging/request.ts';
import { priceEvent, servicesOf } from '../charging/served-event.ts';
import { Quotas } from '../charging/serving.ts';
import type { Service, Session } from '../charging/session.ts';
import { step } from '../charging/step.ts';
import { stepTimer } from '../charging/timer.ts';

/** What became of a request, service by service. */
export interface Rated {
  at: number;
  session: string;
  kind: string;
  number: number;
  /** `duplicate`: it was answered before, and is rated once. */
  outcome: string;
  services: readonly RatedService[];
  /** Money that the request cost, in the smallest unit; below 0: refunded. */
  cost: number;
}

export interface RatedService {
  ratingGroup?: number;
  serviceIds: readonly number[];
  outcome: string;
  /** The unit of `used` and `granted`. */
  unit?: Unit;
  used?: number;
  granted?: number;
  /** Validity-Time of what was granted. */
  validitySeconds?: number;
  /** Tariff-Time-Change that was told with it, in ms. */
  tariffChangeAt?: number;
  /** What it was granted before was taken back: its validity and the plan's grace had passed. */
  lapsed?: true;
  cost: number;
  /** Which rule holds at the time of use, and why. */
  choice: Explanation;
  /** What `used` cost, in the order in which it was rated. */
  amounts: readonly Amount[];
}

/** What some units cost by one rule, which is the one that their grant was decided on. */
export interface Amount {
  rule: string;
  units: number;
  cost: number;
  /** Absent: the rule is free of charge. */
  how?: CostExplanation;
}

const SETTINGS = { answerWindow: 16, endedMs: 3_600_000, abandonedMs: 3_600_000 };
const ENDLESS = 2 ** 52;

export class DryRun {
  readonly #plan: Plan;
  readonly #sessions = new Map<string, Session>();

  constructor(plan: Plan) {
    this.#plan = plan;
  }

  /** Sessions that were rated. */
  get sessions(): number {
    return this.#sessions.size;
  }

  /**
   * Rates a session's request. One that comes without an initial request before, as in a capture
   * that begins in the middle, is taken for the first of its session.
   */
  request(request: Request, now: number): Rated {
    const key = sessionKey(request);
    if (!this.#sessions.has(key) && request.kind !== 'initial') this.#open(request, now);
    const lapsed = this.#lapse(key, now);
    const before = this.#sessions.get(key);
    const decision = this.#step(request, now);
    const rated = {
      at: now,
      session: request.sessionId,
      kind: request.kind,
      number: request.number,
    };
    if (decision.kind === 'change') {
      const { record, session, answer } = decision;
      const services = this.#services(request, {
        ...{ before, session, now, lapsed },
        record: record.services,
        answers: answer.services,
      });
      return { ...rated, outcome: record.outcome, services, cost: costOf(services) };
    }
    const repeated = decision.kind === 'answer' && decision.answer.outcome === 'success';
    const outcome = repeated ? 'duplicate' : outcomeOf(decision);
    const facts = mergeFacts(this.#plan, before?.facts, request.facts);
    const services = repeated ? [] : this.#unserved(request, { facts, outcome, now });
    return { ...rated, outcome, services, cost: 0 };
  }

  /** Rates a one-time event. */
  event(request: EventRequest, now: number): Rated {
    const account = endless(this.#plan, now);
    const known = { now, account, plan: this.#plan, fresh: true, proof: new Uint8Array() };
    const decision = stepEvent(request, known);
    const answers = decision.kind === 'reread' ? [] : decision.answer.services;
    const recorded = decision.kind === 'change' ? decision.record.services : [];
    const outcome = decision.kind === 'change' ? decision.record.outcome : outcomeOf(decision);
    const at = Math.min(request.occurredAt ?? now, now);
    let entry = 0;
    const services = servicesOf(request).map((one, index): RatedService => {
      const priced = priceEvent(request, one, { plan: this.#plan, now });
      const entries = priced.kind === 'refused' ? 1 : priced.lines.length;
      const own = recorded.slice(entry, entry + entries);
      entry += entries;
      const facts = { ...request.facts, ...one.facts };
      const service: RatedService = {
        ...named(one),
        outcome: answers[index]?.outcome ?? outcome,
        cost: own.reduce((sum, { cost = 0 }) => add(sum, cost), 0),
        choice: explain(this.#plan, { ...one, context: request.context, facts }, at),
        amounts: [],
      };
      if (priced.kind === 'refused' || service.outcome !== 'success') return service;
      service.unit = priced.unit;
      service.used = priced.units;
      if (request.action === 'price-enquiry') service.cost = priced.cost;
      service.amounts = priced.lines.map(({ rule, units, cost }) =>
        amountOf(rule.name, { unit: rule.unit, price: rule.price, units, cost }),
      );
      return service;
    });
    const { sessionId: session, action: kind, number } = request;
    return { at: now, session, kind, number, outcome, services, cost: costOf(services) };
  }

  #open(request: Request, now: number): void {
    const number = (request.number + 2 ** 32 - 1) % 2 ** 32;
    this.#step({ ...request, kind: 'initial', number, services: [], level: 'services' }, now);
  }

  #step(request: Request, now: number) {
    const key = sessionKey(request);
    const session = this.#sessions.get(key);
    const decision = step(request, { ...this.#known(now), session });
    if (decision.kind === 'change') this.#sessions.set(key, decision.session);
    return decision;
  }

  /** Takes back grants that are valid no more, and says which services had them. */
  #lapse(key: string, now: number): ReadonlySet<string> {
    const session = this.#sessions.get(key);
    if (session?.state !== 'open') return new Set();
    const { superviseAt } = session;
    const unsupervised = { ...session, superviseAt: Number.POSITIVE_INFINITY };
    const decision = stepTimer(unsupervised, this.#known(now));
    if (decision.kind !== 'change') return new Set();
    this.#sessions.set(key, { ...decision.session, superviseAt });
    return new Set(decision.record.services.map(serviceKey));
  }

  #known(now: number) {
    const account = endless(this.#plan, now);
    return { now, account, plan: this.#plan, fresh: true, reserving: true, settings: SETTINGS };
  }

  #services(
    request: Request,
    of: {
      before: Session | undefined;
      session: Session;
      now: number;
      lapsed: ReadonlySet<string>;
      record: readonly RecordedService[];
      answers: readonly ServiceAnswer[];
    },
  ): RatedService[] {
    const { before, session, now, lapsed, record, answers } = of;
    const at = Math.min(request.occurredAt ?? now, now);
    const services = new Map(
      (before?.services ?? []).map((service) => [serviceKey(service), service]),
    );
    const quotas = new Quotas(services, request.level);
    const recorded = entriesOf(request.services, record);
    return request.services.map((one, index): RatedService => {
      const entries = recorded[index] ?? [];
      const used = sumOf(entries.map((entry) => entry.used));
      const granted = sumOf(entries.map((entry) => entry.granted));
      const unit = entries.find((entry) => entry.unit !== undefined)?.unit ?? unitIn(session, one);
      const facts = { ...session.facts, ...one.facts };
      const choice = explain(this.#plan, { ...one, context: request.context, facts }, at);
      const key = quotas.keyOfUsed(one);
      const keys = entries.map((entry) => keyOfShare(entry, services) ?? key);
      return {
        ...named(one),
        outcome: answers[index]?.outcome ?? entries[0]?.outcome ?? 'success',
        ...(unit === undefined ? {} : { unit }),
        ...(used === undefined ? {} : { used }),
        ...(granted === undefined ? {} : { granted }),
        ...endOf(answers[index]),
        ...([key, ...keys].some((one) => lapsed.has(one)) && (used ?? 0) > 0
          ? { lapsed: true }
          : {}),
        cost: sumOf(entries.map(({ cost }) => cost)) ?? 0,
        choice,
        amounts: entries.flatMap((entry) => this.#amounts(entry)),
      };
    });
  }

  #amounts({ rule, unit, used = 0, countedFrom, cost = 0, after }: RecordedService): Amount[] {
    if (rule === undefined || unit === undefined || used === 0) return [];
    const of = (name: string, part: { units: number; from: number | undefined; cost: number }) => {
      const price = this.#plan.rules.find((one) => one.name === name)?.price;
      return amountOf(name, { unit, price, ...part });
    };
    const amounts: Amount[] = [];
    const units = used - (after?.used ?? 0);
    if (units > 0)
      amounts.push(of(rule, { units, from: countedFrom, cost: cost - (after?.cost ?? 0) }));
    if (after !== undefined)
      amounts.push(
        of(after.rule, { units: after.used, from: after.countedFrom, cost: after.cost }),
      );
    return amounts;
  }

  #unserved(
    request: Request,
    { facts, outcome, now }: { facts: Facts | undefined; outcome: string; now: number },
  ): RatedService[] {
    const at = Math.min(request.occurredAt ?? now, now);
    return request.services.map((one) => {
      const service = { ...one, context: request.context, facts: { ...facts, ...one.facts } };
      const choice = explain(this.#plan, service, at);
      return { ...named(one), outcome, cost: 0, choice, amounts: [] };
    });
  }
}

/**
 * What is recorded of each service: an entry, or one for each rule that its recipients have. Entries
 * of more rules, if there are any, stand behind those of all services.
 */
function entriesOf(
  services: readonly AskedService[],
  record: readonly RecordedService[],
): RecordedService[][] {
  const left = [...record];
  const entries = services.map((one) => {
    const own = left.splice(0, 1);
    while (left[0]?.recipients?.of !== undefined && serviceKey(left[0]) === serviceKey(one))
      own.push(...left.splice(0, 1));
    return own;
  });
  for (const entry of left) {
    const at = services.findIndex((one) => serviceKey(one) === serviceKey(entry));
    entries[at]?.push(entry);
  }
  return entries;
}

/** The service that stands for these recipients; undefined: it is not divided. */
function keyOfShare(
  { recipients, rule }: RecordedService,
  services: ReadonlyMap<string, Service>,
): string | undefined {
  if (recipients?.of === undefined) return undefined;
  for (const [key, service] of services)
    if (service.share !== undefined && service.rule === rule) return key;
  return undefined;
}

/** Undefined: none of them is there. */
function sumOf(figures: readonly (number | undefined)[]): number | undefined {
  return figures.reduce((sum, figure) => {
    if (figure === undefined) return sum;
    return add(sum ?? 0, figure);
  }, undefined);
}

function amountOf(
  rule: string,
  of: {
    unit: Unit;
    price: Service['price'] | undefined;
    units: number;
    /** Units that were paid for before. */
    from?: number | undefined;
    cost: number;
  },
): Amount {
  const { units, cost, from = 0 } = of;
  const price = priceOf(of);
  if (price === undefined) return { rule, units, cost };
  return { rule, units, cost, how: explainCost(price, from, units) };
}

function endOf(answer: ServiceAnswer | undefined) {
  const { validitySeconds, tariffChange } = answer ?? {};
  return {
    ...(validitySeconds === undefined ? {} : { validitySeconds }),
    ...(tariffChange === undefined ? {} : { tariffChangeAt: tariffChange.at }),
  };
}

function unitIn({ services }: Session, one: AskedService): Unit | undefined {
  return services.find((service) => serviceKey(service) === serviceKey(one))?.unit;
}

function named({ ratingGroup, serviceIds }: AskedService) {
  return ratingGroup === undefined ? { serviceIds } : { ratingGroup, serviceIds };
}

function costOf(services: readonly RatedService[]): number {
  return services.reduce((sum, { cost }) => sum + cost, 0);
}

function outcomeOf(decision: { kind: string; answer?: { outcome: string } }): string {
  return decision.answer?.outcome ?? decision.kind;
}

/** An account whose one bucket holds more money than any request costs. */
function endless({ id }: Plan, now: number): Account {
  const bucket = { id: 'main', unit: 'money', priority: 0, floor: 0 } as const;
  return {
    definition: {
      tenant: 'plan-test',
      account: 'plan-test',
      plan: id,
      status: 'active',
      buckets: [bucket],
      subscribers: ['private:plan test'],
      maxSessions: Number.MAX_SAFE_INTEGER,
    },
    version: now,
    counters: {
      [availableField(bucket.id)]: ENDLESS,
      [reservedField(bucket.id)]: ENDLESS / 2,
      [OPEN_SESSIONS]: 1,
    },
  };
}
