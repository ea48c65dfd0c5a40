/**
 * Workers around one memory store, on a clock that moves only when told: each has its own charging
 * loop and hints, and may be given a store of its own that fails.
 */
import type { AccountDefinition, Bucket } from '../../src/charging/account.ts';
import type { Answer } from '../../src/charging/answer.ts';
import type { EventRequest } from '../../src/charging/event.ts';
import { type Plan, planWithoutRules } from '../../src/charging/plan.ts';
import type { ChargingRecord } from '../../src/charging/record.ts';
import type { Request, SubscriberId } from '../../src/charging/request.ts';
import {
  type ChargeSettings,
  Charging,
  type Incoming,
  type IncomingEvent,
  type Plans,
} from '../../src/engine/charge.ts';
import { HeldPeers } from '../../src/engine/held-peers.ts';
import { Initiator } from '../../src/engine/initiator.ts';
import { Knowledge } from '../../src/engine/knowledge.ts';
import { Timers } from '../../src/engine/timers.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { decodeRecord } from '../../src/store/record-codec.ts';
import type { Store } from '../../src/store/store.ts';
import { main, planOf, requestOf, ruleOf, START } from '../charging/till.ts';
import { Clients } from './clients.ts';

export const settings: ChargeSettings = {
  answerWindow: 16,
  endedMs: 600_000,
  abandonedMs: 86_400_000,
  duplicateHorizonMs: 3_600_000,
  eventHorizonMs: 86_400_000,
};

export const DEADLINE_MS = 5_000;
/** What every Refund-Information here begins with. */
export const NONCE = Uint8Array.of(8, 7, 6, 5, 4, 3, 2, 1);
/** How long clients have to answer. */
export const ANSWER_MS = 2_000;
export const anna: SubscriberId = { kind: 'e164', id: '49170' };

export interface Worker {
  charging: Charging;
  knowledge: Knowledge;
  timers: Timers;
  name: string;
  held: HeldPeers;
  initiator: Initiator;
  /** Round trips of the last request. */
  trips: number;
}

export class Rig {
  now = START;
  readonly store = new MemoryStore({ partitions: 2, clock: () => this.now });
  readonly plans = new Map<string, Plan>();
  readonly configuration: Plans = {
    planOf: (_tenant, id) => this.plans.get(id) ?? planWithoutRules(id),
  };
  readonly alarms: string[] = [];
  readonly fired: string[] = [];
  readonly clients = new Clients();
  conflicts = 0;
  /** Time passes instead. */
  readonly pause = async (ms: number): Promise<void> => {
    this.now += ms;
  };
  #workers = 0;
  #endToEnd = 0;

  constructor(plan: Plan = planOf([ruleOf()])) {
    this.plans.set('p', plan);
  }

  worker(store: Store = this.store): Worker {
    const knowledge = new Knowledge({ sessions: 100, accounts: 100 });
    const plan = this.configuration.planOf;
    const name = `w${++this.#workers}`;
    const failed = (error: unknown): void => void this.fired.push(`failed: ${error}`);
    const held = new HeldPeers(store, { worker: name, ttlMs: 10_000, failed });
    const initiator = new Initiator({
      ...{ store, plan, settings, worker: name, held, answerMs: ANSWER_MS },
      asker: { host: `${name}.ocs.example`, realm: 'ocs.example', stateId: 7 },
      waysTo: (host) => this.clients.waysTo(name, host),
      nextEndToEnd: () => ++this.#endToEnd,
      clock: () => this.now,
      events: {
        initiated: () => undefined,
        alarm: (event) => this.alarms.push(event),
        failed,
      },
    });
    const worker: Worker = {
      ...{ name, held, initiator },
      knowledge,
      trips: 0,
      charging: new Charging({
        store,
        knowledge,
        settings,
        // The same every time, so that the answers of two runs can be compared.
        nonce: () => NONCE,
        clock: () => this.now,
        pause: this.pause,
        events: {
          alarm: (event) => this.alarms.push(event),
          conflict: () => {
            this.conflicts++;
          },
          trips: (_kind, count) => {
            worker.trips = count;
          },
        },
      }),
      timers: new Timers({
        store,
        plan,
        settings,
        leaseMs: 10_000,
        mine: () => true,
        initiate: (open) => initiator.attempt(open),
        events: { fired: (kind) => this.fired.push(kind), failed },
      }),
    };
    return worker;
  }

  async account(
    account: string,
    openings: Readonly<Record<string, number>>,
    part: Partial<AccountDefinition> & { buckets?: readonly Bucket[] } = {},
  ): Promise<void> {
    const definition: AccountDefinition = {
      tenant: 'blue',
      account,
      plan: 'p',
      status: 'active',
      buckets: [main],
      subscribers: [],
      maxSessions: 100,
      ...part,
    };
    await this.store.createAccount(definition, openings);
  }

  /** An account with a subscriber and 1000 of money. */
  async anna(openings: Readonly<Record<string, number>> = { main: 1000 }): Promise<void> {
    await this.account('anna', openings, { subscribers: ['e164:49170'] });
  }

  async counters(account = 'anna', tenant = 'blue'): Promise<Readonly<Record<string, number>>> {
    const { account: found } = await this.store.load({ tenant, account });
    if (found === undefined) throw new Error(`no account ${account}`);
    return found.counters;
  }

  /** Available and reserved money. */
  async balance(account = 'anna', tenant = 'blue'): Promise<[number, number]> {
    const counters = await this.counters(account, tenant);
    return [counters['a:main'] ?? Number.NaN, counters['r:main'] ?? Number.NaN];
  }

  records(): ChargingRecord[] {
    const found: ChargingRecord[] = [];
    for (let i = 0; i < this.store.partitions; i++)
      for (const { bytes } of this.store.partition(i).outbox) found.push(decodeRecord(bytes));
    return found.filter(({ kind }) => kind !== 'epoch');
  }

  /** Kinds of the records that sessions left, in order. */
  kinds(): string[] {
    return this.records()
      .map(({ kind }) => kind as string)
      .filter((kind) => kind !== 'opening');
  }
}

type Asked = {
  tenant?: string | undefined;
  tenants?: readonly string[];
  subscribers?: readonly SubscriberId[];
};

/** A request as a client sent it: to all whom it names, with a time stamp where it has a time. */
function sent<T extends Request | EventRequest>(
  request: T,
  { subscribers }: Asked,
): T & { subscribers: readonly SubscriberId[] } {
  const { subscriber, occurredAt } = request;
  return {
    ...request,
    subscribers: subscribers ?? (subscriber === undefined ? [] : [subscriber]),
    ...(occurredAt === undefined ? {} : { stampedAt: occurredAt }),
  };
}

function incomingOf(request: Request, { tenants, ...part }: Asked & { plans: Plans }): Incoming {
  const { kind, sessionId, subSessionId } = request;
  const whole = sent(request, part);
  return {
    kind,
    sessionId,
    ...(subSessionId === undefined ? {} : { subSessionId }),
    tenant: 'blue',
    mayServe: (tenant) => tenants?.includes(tenant) ?? true,
    translate: () => ({ ...whole }),
    ...part,
    subscribers: whole.subscribers,
  };
}

/** The answer, or `busy`. */
export async function charge(
  rig: Rig,
  worker: Worker,
  request: Request,
  part: Asked = {},
): Promise<Answer | 'busy'> {
  const charged = await worker.charging.charge(
    incomingOf(request, { plans: rig.configuration, ...part }),
    rig.now + DEADLINE_MS,
  );
  return charged.kind === 'busy' ? 'busy' : charged.answer;
}

export function eventIncomingOf(
  request: EventRequest,
  { tenants, ...part }: Asked & { plans: Plans },
): IncomingEvent {
  const { sessionId } = request;
  const whole = sent(request, part);
  return {
    kind: 'event',
    sessionId,
    tenant: 'blue',
    mayServe: (tenant) => tenants?.includes(tenant) ?? true,
    translate: () => ({ ...whole }),
    ...part,
    subscribers: whole.subscribers,
  };
}

/** The answer to a one-time event, or `busy`. */
export async function ask(
  rig: Rig,
  worker: Worker,
  request: EventRequest,
  part: Asked = {},
): Promise<Answer | 'busy'> {
  const incoming = eventIncomingOf(request, { plans: rig.configuration, ...part });
  const charged = await worker.charging.charge(incoming, rig.now + DEADLINE_MS);
  return charged.kind === 'busy' ? 'busy' : charged.answer;
}

/** The outcome alone. */
export async function outcome(...of: Parameters<typeof charge>): Promise<string> {
  const answer = await charge(...of);
  return answer === 'busy' ? 'busy' : answer.outcome;
}

export { requestOf };
