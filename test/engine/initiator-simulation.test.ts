/**
 * Wishes, workers that die, a store and a network that lose what they please, and clients that
 * report whenever they like: a client is never asked twice at once, every copy of a request is marked
 * as one, and in the end nothing waits for an answer. A failing seed prints itself.
 */
import { setImmediate as turn } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { askClient } from '../../src/engine/reauthorise.ts';
import { type Fault, withFaults } from '../../src/store/memory/faulty-store.ts';
import type { Store } from '../../src/store/store.ts';
import { asks, planOf, requestOf, ruleOf } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import type { AskedOf } from './clients.ts';
import { random } from './random.ts';
import { ANSWER_MS, anna, charge, Rig, settings, type Worker } from './rig.ts';

const SEEDS = 30;
const STEPS = 150;
const GW = 'gw.example';
const SESSIONS = ['s0', 's1', 's2'];
const CODES = [2001, 2002, 2002, 3002, 4002, 5012];

interface Outstanding {
  asked: AskedOf;
  until: number;
  answer(code: number | 'silent'): void;
}

class Simulation {
  readonly rig = new Rig(planOf([ruleOf({ quota: { size: 10, minimum: 1, maximum: 10 } })]));
  readonly #random: (below: number) => number;
  readonly #store: Store;
  readonly #workers: Worker[] = [];
  readonly #numbers = new Map(SESSIONS.map((id) => [id, 0]));
  readonly #seen = new Set<string>();
  #outstanding: Outstanding[] = [];
  #faulty = true;
  /** Clients answer at once, and well. */
  #willing = false;

  constructor(seed: number) {
    this.#random = random(seed);
    this.#store = withFaults(this.rig.store, () => this.#fault());
    this.rig.clients.behaviour = (asked) => this.#ask(asked);
  }

  #fault(): Fault {
    if (!this.#faulty) return 'none';
    const faults: Fault[] = ['refuse', 'lose-request', 'lose-reply'];
    return faults[this.#random(40)] ?? 'none';
  }

  #pick<Item>(items: readonly Item[]): Item {
    return items[this.#random(items.length)]!;
  }

  async start(): Promise<void> {
    await this.rig.anna({ main: 100_000 });
    for (let i = 0; i < 3; i++) await this.#hire();
    for (const sessionId of SESSIONS) {
      const first = requestOf('initial', 0, [asks({ asked: {} })], { sessionId, subscriber: anna });
      while ((await charge(this.rig, this.#workers[0]!, first)) === 'busy') this.rig.now += 1;
    }
  }

  async #hire(): Promise<void> {
    const worker = this.rig.worker(this.#store);
    this.#workers.push(worker);
    if (this.#random(3) > 0) await this.rig.clients.connect(worker.name, GW, worker.held);
  }

  /** A client is being asked: by no more than one request of a session at a time. */
  #ask(asked: AskedOf): Promise<number | 'silent'> {
    const session = asked.message['Session-Id'];
    const same = this.#outstanding.filter(
      ({ asked: one }) => one.message['Session-Id'] === session,
    );
    if (same.some(({ until }) => until > this.rig.now))
      throw new Error(`${session} is asked twice`);
    const id = `${session}/${asked.endToEnd}`;
    if (this.#seen.has(id) && !asked.retransmitted) throw new Error(`${id} is a copy without T`);
    this.#seen.add(id);
    if (this.#willing) return Promise.resolve(asked.command === 'ASR' ? 5002 : 2002);
    return new Promise((answer) => {
      this.#outstanding.push({ asked, until: this.rig.now + ANSWER_MS, answer });
    });
  }

  async step(): Promise<void> {
    const worker = this.#pick(this.#workers);
    const sessionId = this.#pick(SESSIONS);
    switch (this.#random(10)) {
      case 0:
      case 1:
        await this.#want(sessionId);
        break;
      case 2:
        await this.#report(worker, sessionId);
        break;
      case 3:
        this.#answer();
        break;
      case 4:
      case 5:
        await worker.timers.pass();
        break;
      case 6:
        await worker.initiator.passInbox();
        break;
      case 7:
        await this.#replace(worker);
        break;
      default:
        this.#pass(this.#random(3_000));
    }
    await turn();
    checkBooks(this.rig);
  }

  async #want(key: string): Promise<void> {
    const ratingGroup = this.#random(3);
    const scope = ratingGroup === 0 ? {} : { ratingGroup };
    const kind = this.#random(60) === 0 ? 'abort' : 'reauthorise';
    await askClient({ store: this.#store, settings, clock: () => this.rig.now }, key, {
      wanted: { kind, scope, reason: 'operator' },
      ...{ mayServe: () => true, deadline: this.rig.now + 1 },
    });
  }

  async #report(worker: Worker, sessionId: string): Promise<void> {
    const number = (this.#numbers.get(sessionId) ?? 0) + 1;
    this.#numbers.set(sessionId, number);
    const service = asks({ ratingGroup: 1 + this.#random(2), used: { octets: 1 }, asked: {} });
    await charge(this.rig, worker, requestOf('update', number, [service], { sessionId }));
  }

  #answer(): void {
    const at = this.#random(this.#outstanding.length || 1);
    const [one] = this.#outstanding.splice(at, 1);
    one?.answer(this.#random(60) === 0 ? 5002 : this.#pick(CODES));
  }

  /** A worker dies with its connections; whether its inbox and leases outlive it, time tells. */
  async #replace(worker: Worker): Promise<void> {
    if (this.#random(3) > 0) return;
    this.rig.clients.lose(worker.name);
    this.#workers.splice(this.#workers.indexOf(worker), 1);
    await this.#hire();
  }

  #pass(ms: number): void {
    this.rig.now += ms;
    const over = this.#outstanding.filter(({ until }) => until <= this.rig.now);
    this.#outstanding = this.#outstanding.filter(({ until }) => until > this.rig.now);
    for (const { answer } of over) answer('silent');
  }

  /** Everything works again: whatever is pending is settled within the time of all attempts. */
  async finish(): Promise<void> {
    this.#faulty = false;
    this.#willing = true;
    for (let i = 0; i < 300; i++) {
      this.#pass(1_000);
      for (const worker of this.#workers) {
        await worker.held.renew();
        await worker.timers.pass();
        await worker.initiator.passInbox();
      }
      await turn();
    }
    checkBooks(this.rig);
    for (const key of SESSIONS) {
      const found = await this.rig.store.load({ tenant: 'blue', account: 'anna' }, key);
      const { state, pending } = found.session!.session;
      if (state !== 'open') expect(pending).toBeUndefined();
      else if (pending !== undefined) expect(pending).toMatchObject({ acknowledged: true });
    }
    // A lost store is expected of this; a defect is not.
    const failures = this.rig.fired.filter((what) => what.startsWith('failed'));
    expect(failures.filter((what) => !/refused by the test|lost/.test(what))).toEqual([]);
  }

  get asked(): number {
    return this.rig.clients.asked.length;
  }
}

describe('requests to clients', () => {
  let asked = 0;
  afterAll(() => expect(asked).toBeGreaterThan(5 * SEEDS));

  test.each(Array.from({ length: SEEDS }, (_, seed) => seed))('seed %i', async (seed) => {
    const simulation = new Simulation(seed);
    await simulation.start();
    for (let i = 0; i < STEPS; i++) await simulation.step();
    await simulation.finish();
    asked += simulation.asked;
  });
});
