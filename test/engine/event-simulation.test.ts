/**
 * One-time events beside sessions of the same account: several workers, a store that loses requests
 * and replies, clients that send again, hours later and two at a time, refunds that several ask for,
 * subscribers that move, hints that vanish. After every step the books are right; in the end every
 * event that was answered has had its effect once, and no other. A failing seed prints itself.
 */
import { expect, test } from 'vitest';
import type { Answer } from '../../src/charging/answer.ts';
import type { EventRequest } from '../../src/charging/event.ts';
import type { Request } from '../../src/charging/request.ts';
import { type Fault, withFaults } from '../../src/store/memory/faulty-store.ts';
import { eventOf, money, sms, units } from '../charging/events.ts';
import { asks, bundle, main, planOf, requestOf, ruleOf } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import { random } from './random.ts';
import { ask, charge, Rig, settings, type Worker } from './rig.ts';

const SEEDS = 20;
const STEPS = 120;

interface Told {
  request: EventRequest;
  answer: Answer;
  at: number;
}

class EventSimulation {
  readonly rig = new Rig(
    planOf([ruleOf({ match: { context: ['32251@3gpp.org'] }, validitySeconds: 300 }), sms], {
      refunds: { maximum: 25 },
    }),
  );
  readonly #random: (below: number) => number;
  readonly #workers: Worker[];
  readonly #subscribers = ['1', '2', '3'];
  readonly #told: Told[] = [];
  /** Sent and not answered for good. */
  readonly #pending: EventRequest[] = [];
  #session: { id: number; number: number; open: boolean } = { id: 0, number: 0, open: false };
  #events = 0;
  #faulty = true;

  constructor(seed: number) {
    this.#random = random(seed);
    const faults: Fault[] = ['refuse', 'lose-request', 'lose-reply', 'lose-reply'];
    const store = withFaults(this.rig.store, () =>
      this.#faulty ? (faults[this.#random(40)] ?? 'none') : 'none',
    );
    this.#workers = [0, 1, 2].map(() => this.rig.worker(store));
  }

  async start(): Promise<void> {
    await this.rig.account(
      'shared',
      { cap: 150, texts: 20, main: 600 },
      {
        buckets: [
          bundle('cap', { unit: 'money', limits: ['e164:2'], priority: 0 }),
          bundle('texts', { unit: 'units' }),
          main,
        ],
        subscribers: this.#subscribers.map((id) => `e164:${id}`),
      },
    );
    await this.rig.account('other', { main: 300 });
  }

  async step(): Promise<void> {
    const dice = this.#random(20);
    if (dice < 8) await this.#send(this.#pick());
    else if (dice < 10) await this.#twice(this.#pick());
    else if (dice < 13) await this.#again();
    else if (dice < 16) await this.#data();
    else if (dice < 17) await this.#pass(this.#random(4_000_000));
    else if (dice < 18) this.#worker().knowledge.clear();
    else if (dice < 19) await this.#move();
    else
      await Promise.all([this.#pick(), this.#pick(), this.#pick()].map((one) => this.#send(one)));
  }

  #worker(): Worker {
    return this.#workers[this.#random(this.#workers.length)]!;
  }

  #subscriber() {
    return { kind: 'e164', id: this.#subscribers[this.#random(3)]! } as const;
  }

  /** An event that still waits for its answer, or a new one. */
  #pick(): EventRequest {
    if (this.#pending.length > 0 && this.#random(3) === 0)
      return this.#pending[this.#random(this.#pending.length)]!;
    const part = { sessionId: `e${this.#events++}`, subscriber: this.#subscriber() };
    const event = this.#new(part);
    this.#pending.push(event);
    return event;
  }

  #new(part: Pick<EventRequest, 'sessionId' | 'subscriber'>): EventRequest {
    const debits = this.#told.filter(({ answer }) => answer.refundInformation !== undefined);
    const former = debits[this.#random(2 * debits.length + 1)]?.answer.refundInformation;
    const dice = this.#random(10);
    if (dice < 3 && former !== undefined)
      return eventOf('refund', [asks({})], { ...part, refundInformation: former });
    if (dice < 4) return eventOf('refund', [money(this.#random(30))], part);
    if (dice < 5) return eventOf('balance-check', [units(this.#random(30))], part);
    const both = [units(1 + this.#random(6)), units(this.#random(20), { ratingGroup: 2 })];
    return eventOf('debit', both.slice(0, 1 + this.#random(2)), part);
  }

  async #send(event: EventRequest): Promise<void> {
    this.#take(event, await ask(this.rig, this.#worker(), event));
  }

  async #twice(event: EventRequest): Promise<void> {
    const [one, other] = await Promise.all([
      ask(this.rig, this.#workers[0]!, event),
      ask(this.rig, this.#workers[1]!, event),
    ]);
    const stored = [one, other].filter((answer) => hasEffect(event, answer));
    if (stored.length === 2) expect(one).toEqual(other);
    this.#take(event, stored[0] ?? (one === 'busy' ? other : one));
  }

  #take(request: EventRequest, answer: Answer | 'busy'): void {
    if (answer === 'busy') return;
    const waiting = this.#pending.indexOf(request);
    if (waiting >= 0) this.#pending.splice(waiting, 1);
    if (hasEffect(request, answer)) this.#told.push({ request, answer, at: this.rig.now });
  }

  /** What had an effect is sent again within the horizon: the same answer. */
  async #again(): Promise<void> {
    const old = this.#told[this.#random(this.#told.length)];
    if (old === undefined || this.rig.now - old.at >= settings.eventHorizonMs) return;
    const answer = await ask(this.rig, this.#worker(), old.request);
    if (answer !== 'busy') expect(answer).toEqual(old.answer);
  }

  /** A session that draws on the same money. */
  async #data(): Promise<void> {
    const { open } = this.#session;
    const sessionId = `s${this.#session.id}`;
    const number = open ? ++this.#session.number : 0;
    const used = asks({ asked: {}, used: { octets: this.#random(60) } });
    const request: Request = open
      ? requestOf(this.#random(4) === 0 ? 'termination' : 'update', number, [used], { sessionId })
      : requestOf('initial', 0, [asks({ asked: {} })], {
          sessionId,
          subscriber: this.#subscriber(),
        });
    const answer = await charge(this.rig, this.#worker(), request);
    const ended = request.kind === 'termination' || answer === 'busy';
    if (ended || answer.outcome !== 'success')
      this.#session = { id: this.#session.id + 1, number: 0, open: false };
    else this.#session.open = true;
  }

  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 60_000) {
      this.rig.now += Math.min(left, 60_000);
      await this.#worker().timers.pass();
    }
  }

  async #move(): Promise<void> {
    const to = this.#random(2) === 0 ? 'other' : 'shared';
    await this.rig.store.moveSubscriber('blue', this.#subscriber(), to);
  }

  /** The store recovers, and every client gets its answer. */
  async finish(): Promise<void> {
    this.#faulty = false;
    for (const event of [...this.#pending]) await this.#send(event);
    for (let i = 0; i < 10; i++) await this.#pass(1_000_000);
    checkBooks(this.rig);
    const records = this.rig.records().filter(({ kind }) => kind === 'debit' || kind === 'refund');
    const said = new Map(this.#told.map(({ request, answer }) => [request.sessionId, answer]));
    expect(records.map(({ sessionId }) => sessionId).sort()).toEqual([...said.keys()].sort());
    for (const { sessionId = '', services, kind } of records) {
      const cost = services.reduce((sum, one) => sum + (one.cost ?? 0), 0);
      expect([sessionId, kind === 'debit' ? cost : 0 - cost]).toEqual([
        sessionId,
        said.get(sessionId)?.cost,
      ]);
    }
    const handedBack = records.flatMap(({ reference }) => reference ?? []);
    expect(new Set(handedBack).size).toBe(handedBack.length);
  }
}

/** Whether something was debited or refunded, so that copies get the stored answer. */
function hasEffect({ action }: EventRequest, answer: Answer | 'busy'): boolean {
  if (answer === 'busy' || answer.outcome !== 'success') return false;
  if (action === 'debit') return answer.refundInformation !== undefined;
  return action === 'refund' && answer.services.some(({ granted }) => (granted?.units ?? 0) > 0);
}

test('events keep the promises for every seed', async () => {
  const only = Number(process.env.SIMULATION_SEED ?? Number.NaN);
  const seeds = Number.isNaN(only) ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [only];
  for (const seed of seeds) {
    const simulation = new EventSimulation(seed);
    let step = 0;
    try {
      await simulation.start();
      for (; step < STEPS; step++) {
        await simulation.step();
        checkBooks(simulation.rig);
      }
      await simulation.finish();
    } catch (error) {
      throw new Error(`SIMULATION_SEED=${seed}, step ${step}: ${error}`, { cause: error });
    }
  }
});
