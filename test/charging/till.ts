/**
 * One account and its sessions, driven through `step` and `stepTimer` with nothing but a map for a
 * store. It commits movements as the store promises to, and after every commit checks what must
 * always hold: conservation per bucket, reserved = open grants, floors, exact integers.
 */
import {
  type Account,
  type AccountDefinition,
  availableField,
  type Bucket,
  periodField,
  reservedField,
} from '../../src/charging/account.ts';
import type { Answer } from '../../src/charging/answer.ts';
import type { Change, Decision, Known, StepSettings } from '../../src/charging/decision.ts';
import type { Movement } from '../../src/charging/draft.ts';
import { periodFor } from '../../src/charging/periods.ts';
import type { Plan, Rule } from '../../src/charging/plan.ts';
import type { ChargingRecord } from '../../src/charging/record.ts';
import { type AskedService, type Request, sessionKey } from '../../src/charging/request.ts';
import type { Session } from '../../src/charging/session.ts';
import { step } from '../../src/charging/step.ts';
import { abandon, stepTimer, type TimerDecision } from '../../src/charging/timer.ts';

export const START = Date.UTC(2026, 0, 1);
export const settings: StepSettings = {
  answerWindow: 16,
  endedMs: 600_000,
  abandonedMs: 86_400_000,
};

export const main: Bucket = { id: 'main', unit: 'money', priority: 1000, floor: 0 };
export const bundle = (id: string, part: Partial<Bucket> = {}): Bucket => ({
  id,
  unit: 'octets',
  priority: 100,
  floor: 0,
  ...part,
});

export function ruleOf(part: Partial<Rule> = {}): Rule {
  return {
    name: 'data',
    match: {},
    unit: 'octets',
    price: { amount: 1, per: 1, increment: 1 },
    quota: { size: 100, minimum: 1, maximum: 1000 },
    atEnd: { action: 'terminate' },
    restrictedSeconds: 300,
    ...part,
  };
}

export function planOf(rules: readonly Rule[], part: Partial<Plan> = {}): Plan {
  return {
    id: 'p',
    version: 1,
    rules,
    supervisionSeconds: 3600,
    validityGraceSeconds: 60,
    timeZone: 'UTC',
    holidays: [],
    indeterminate: 'after',
    ...part,
  };
}

type Kind = Request['kind'];

export function requestOf(
  kind: Kind,
  number: number,
  services: readonly AskedService[] = [],
  part: Partial<Request> = {},
): Request {
  return {
    kind,
    sessionId: 's',
    number,
    context: '32251@3gpp.org',
    ...(kind === 'initial' ? { subscriber: { kind: 'e164', id: '49170' } } : {}),
    client: { host: 'gw.example', realm: 'example' },
    level: 'services',
    services,
    ...part,
  };
}

/** A service of rating group 1 unless told otherwise. */
export function asks(part: Partial<AskedService> & { used?: AskedService['used'] }): AskedService {
  return { ratingGroup: 1, serviceIds: [], ...part };
}

export interface TillOptions {
  buckets?: readonly Bucket[];
  openings?: Readonly<Record<string, number>>;
  plan?: Plan;
  definition?: Partial<AccountDefinition>;
}

export class Till {
  now = START;
  plan: Plan;
  definition: AccountDefinition;
  readonly counters: Record<string, number>;
  readonly openings: Readonly<Record<string, number>>;
  readonly sessions = new Map<string, Session>();
  /** Scores of the timer wheel. */
  readonly wheel = new Map<string, number>();
  readonly records: ChargingRecord[] = [];

  constructor({ buckets = [main], openings = {}, plan, definition }: TillOptions = {}) {
    this.plan = plan ?? planOf([ruleOf()]);
    this.definition = {
      tenant: 'blue',
      account: 'anna',
      plan: 'p',
      status: 'active',
      buckets,
      subscribers: ['e164:49170'],
      maxSessions: 100,
      ...definition,
    };
    this.openings = openings;
    this.counters = { 'n:open': 0 };
    for (const bucket of buckets) {
      this.counters[availableField(bucket.id)] = openings[bucket.id] ?? 0;
      this.counters[reservedField(bucket.id)] = 0;
      const period = periodFor(bucket, this.now);
      if (period !== undefined) this.counters[periodField(bucket.id)] = period;
    }
  }

  account(): Account {
    return { definition: this.definition, version: 1, counters: { ...this.counters } };
  }

  session(sessionId = 's'): Session | undefined {
    return this.sessions.get(sessionId);
  }

  available(bucket: string): number {
    return this.counters[availableField(bucket)] ?? Number.NaN;
  }

  reserved(bucket: string): number {
    return this.counters[reservedField(bucket)] ?? Number.NaN;
  }

  decide(
    request: Request,
    part: Partial<Pick<Known, 'fresh' | 'reserving' | 'lastOnly'>> = {},
  ): Decision {
    return step(request, {
      now: this.now,
      session: this.sessions.get(sessionKey(request)),
      account: this.account(),
      plan: this.plan,
      fresh: true,
      reserving: true,
      settings,
      ...part,
    });
  }

  /** Decides, commits and answers. */
  ask(
    request: Request,
    part: Partial<Pick<Known, 'fresh' | 'reserving' | 'lastOnly'>> = {},
  ): Answer {
    const decision = this.decide(request, part);
    if (decision.kind === 'reread') throw new Error('a fresh decision asks for another read');
    if (decision.kind === 'change') this.commit(sessionKey(request), decision);
    return decision.answer;
  }

  /** Wakes the session at its score, if that has come, and returns what happened. */
  wake(key = 's'): TimerDecision['kind'] | 'asleep' {
    const session = this.sessions.get(key);
    const score = this.wheel.get(key);
    if (session === undefined || score === undefined || score > this.now) return 'asleep';
    const decision = stepTimer(session, this.#known());
    if (decision.kind === 'rearm') this.wheel.set(key, decision.at);
    else if (decision.kind === 'change') this.commit(key, decision);
    return decision.kind;
  }

  abort(key = 's'): void {
    const session = this.sessions.get(key);
    if (session?.state === 'open') this.commit(key, abandon(session, this.#known(), 'abort'));
  }

  #known() {
    return {
      now: this.now,
      account: this.account(),
      plan: this.plan,
      fresh: true,
      reserving: false,
      settings,
    };
  }

  commit(key: string, change: Omit<Change, 'answer'>): void {
    this.move(change.movements);
    this.sessions.set(key, change.session);
    if (change.timer === 'remove') this.wheel.delete(key);
    else if (change.timer !== 'keep') this.wheel.set(key, change.timer);
    this.records.push(change.record);
    this.check();
  }

  move(movements: readonly Movement[]): void {
    const fields = new Set<string>();
    for (const { field, delta, min, max } of movements) {
      const before = this.counters[field];
      if (fields.has(field)) throw new Error(`${field} is moved twice`);
      fields.add(field);
      if (before === undefined) throw new Error(`${field} does not exist`);
      if (!Number.isSafeInteger(delta)) throw new Error(`${field} by ${delta}`);
      const after = before + delta;
      if (!Number.isSafeInteger(after)) throw new Error(`${field} to ${after}`);
      if (min !== undefined && after < min) throw new Error(`${field} to ${after}, under ${min}`);
      if (max !== undefined && before > max)
        throw new Error(`${field} from ${before}, over ${max}`);
    }
    for (const { field, delta } of movements) this.counters[field]! += delta;
  }

  /** Throws unless the books are right. */
  check(): void {
    const held = new Map<string, bigint>();
    let open = 0;
    for (const [key, session] of this.sessions) {
      if (session.state === 'open') open++;
      else if (this.wheel.has(key)) throw new Error(`${key} is closed and has a timer`);
      for (const { grant } of session.services) {
        if (grant !== undefined && session.state !== 'open')
          throw new Error(`${key} is closed and holds a grant`);
        for (const { bucket, amount } of [
          ...(grant?.parts ?? []),
          ...(grant?.switch?.after?.parts ?? []),
          ...(grant?.limits ?? []),
        ])
          held.set(bucket, (held.get(bucket) ?? 0n) + BigInt(amount));
      }
    }
    if (this.counters['n:open'] !== open) throw new Error(`${open} sessions are open`);
    for (const { id } of this.definition.buckets) {
      let available = BigInt(this.openings[id] ?? 0);
      let reserved = 0n;
      for (const { changes } of this.records)
        for (const change of changes)
          if (change.bucket === id) {
            if (!Number.isSafeInteger(change.available) || !Number.isSafeInteger(change.reserved))
              throw new Error(`${id}: a record of ${change.available}, ${change.reserved}`);
            available += BigInt(change.available);
            reserved += BigInt(change.reserved);
          }
      if (available !== BigInt(this.available(id)))
        throw new Error(`${id}: the records say ${available} available, not ${this.available(id)}`);
      if (reserved !== BigInt(this.reserved(id)))
        throw new Error(`${id}: the records say ${reserved} reserved, not ${this.reserved(id)}`);
      if (reserved !== (held.get(id) ?? 0n))
        throw new Error(`${id}: ${reserved} reserved, ${held.get(id)} in open grants`);
    }
  }
}
