/**
 * Several workers, one store that loses requests and replies, clients that send again, devices that
 * share buckets that are renewed, limited and expire, subscribers that move, timers that pass, hints that vanish: after every step the
 * books are right, and in the end every client's view is that of the ledger. A failing seed prints
 * itself.
 */
import { isDeepStrictEqual } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { Renewal } from '../../src/charging/account.ts';
import type { Answer } from '../../src/charging/answer.ts';
import type { Request } from '../../src/charging/request.ts';
import { type Fault, withFaults } from '../../src/store/memory/faulty-store.ts';
import { asks, bundle, main, planOf, requestOf, ruleOf, START } from '../charging/till.ts';
import { checkBooks } from './books.ts';
import { random } from './random.ts';
import { charge, Rig, settings, type Worker } from './rig.ts';

const SEEDS = 40;
const STEPS = 120;
const HOUR_MS = 3_600_000;

/** A device: one session after another, each request sent until it is answered. */
interface Device {
  id: string;
  session: number;
  number: number;
  /** Sent and not answered for good. */
  pending: Request | undefined;
  answered: { request: Request; answer: Answer; at: number }[];
  open: boolean;
  /** Usage that the ledger must hold: octets that were answered. */
  used: number;
}

class Simulation {
  readonly rig: Rig;
  readonly #random: (below: number) => number;
  readonly #workers: Worker[];
  readonly devices: Device[];
  readonly renewals: Readonly<Record<string, Renewal>>;
  #faulty = true;

  constructor(seed: number) {
    this.#random = random(seed);
    const validity = this.#random(2) === 0 ? { validitySeconds: 120 + this.#random(900) } : {};
    const price = { amount: 1 + this.#random(4), per: 1 + this.#random(3), increment: 1 };
    this.rig = new Rig(
      planOf([ruleOf({ price, quota: { size: 40, minimum: 5, maximum: 80 }, ...validity })]),
    );
    const store = withFaults(this.rig.store, () => this.#fault());
    this.#workers = [0, 1, 2].map(() => this.rig.worker(store));
    this.renewals = { cap: this.#renewal(), hourly: this.#renewal() };
    this.devices = ['1', '2', '3', '4'].map((id) => ({
      id,
      session: 0,
      number: 0,
      pending: undefined,
      answered: [],
      open: false,
      used: 0,
    }));
  }

  #fault(): Fault {
    if (!this.#faulty) return 'none';
    const faults: Fault[] = ['refuse', 'lose-request', 'lose-reply', 'lose-reply'];
    return faults[this.#random(40)] ?? 'none';
  }

  async start(): Promise<void> {
    const expiresAt = START + 1_000_000 + this.#random(3_000_000);
    const lastsMs = 100_000 + this.#random(1_000_000);
    const { cap, hourly } = this.renewals;
    await this.rig.account(
      'shared',
      { cap: 200, early: 300, pass: 150, hourly: 90, b: 500, main: 400 },
      {
        buckets: [
          bundle('cap', { priority: 0, limits: ['e164:1', 'e164:3'], renewal: cap! }),
          bundle('early', { priority: 1, expiresAt }),
          bundle('pass', { priority: 2, lastsMs }),
          bundle('hourly', { priority: 3, renewal: hourly! }),
          bundle('b'),
          main,
        ],
        subscribers: this.devices.map(({ id }) => `e164:${id}`),
      },
    );
    await this.rig.account('other', { main: 5000 });
  }

  #renewal(): Renewal {
    const from = START - 1 - this.#random(HOUR_MS);
    const rollover = this.#random(2) * 50;
    return { every: 'hour', from, timeZone: 'UTC', amount: 40 + this.#random(100), rollover };
  }

  /** Throws if a bucket was renewed twice in a period. */
  checkRenewals(): void {
    const seen = new Set<string>();
    for (const { at, changes } of this.rig.records())
      for (const { bucket, cause, available } of changes) {
        if (cause !== 'renewal') continue;
        const { from, amount } = this.renewals[bucket]!;
        const period = `${bucket} in period ${Math.floor((at - from) / HOUR_MS)}`;
        // Several at once where nobody was there for the others.
        if (seen.has(period) || available % amount !== 0)
          throw new Error(`${period}: ${available}`);
        seen.add(period);
      }
  }

  #worker(): Worker {
    return this.#workers[this.#random(this.#workers.length)]!;
  }

  async step(): Promise<void> {
    const device = this.devices[this.#random(this.devices.length)]!;
    const dice = this.#random(20);
    if (dice < 10) await this.#next(device);
    else if (dice < 13) await this.#again(device);
    else if (dice < 14) await this.#twice(device);
    else if (dice < 16) await this.#pass(this.#random(400_000));
    else if (dice < 17) this.#worker().knowledge.clear();
    else if (dice < 18 && this.#random(4) === 0) await this.#move(device);
    else await this.#crowd();
  }

  #requestOf(device: Device): Request {
    if (device.pending !== undefined) return device.pending;
    const sessionId = `${device.id}-${device.session}`;
    const part = { sessionId };
    const used = this.#random(70);
    const ask = asks({ asked: {} });
    if (!device.open)
      device.pending = requestOf('initial', 0, [ask], {
        ...part,
        subscriber: { kind: 'e164', id: device.id },
      });
    else if (this.#random(5) === 0)
      device.pending = requestOf(
        'termination',
        ++device.number,
        [asks({ used: { octets: used } })],
        part,
      );
    else
      device.pending = requestOf(
        'update',
        ++device.number,
        [asks({ asked: {}, used: { octets: used } })],
        part,
      );
    return device.pending;
  }

  async #next(device: Device): Promise<void> {
    const request = this.#requestOf(device);
    const answer = await charge(this.rig, this.#worker(), request);
    this.#take(device, request, answer);
  }

  /** Two workers get the same request at the same time. */
  async #twice(device: Device): Promise<void> {
    const request = this.#requestOf(device);
    const [one, other] = await Promise.all([
      charge(this.rig, this.#workers[0]!, request),
      charge(this.rig, this.#workers[1]!, request),
    ]);
    if (one !== 'busy' && other !== 'busy') expect(one).toEqual(other);
    this.#take(device, request, one === 'busy' ? other : one);
  }

  /** Requests of several devices at the same time. */
  async #crowd(): Promise<void> {
    await Promise.all(this.devices.map((device) => this.#next(device)));
  }

  #take(device: Device, request: Request, answer: Answer | 'busy'): void {
    if (answer === 'busy' || device.pending !== request) return;
    device.pending = undefined;
    const { outcome } = answer;
    const used = request.services.reduce((sum, one) => sum + (one.used?.octets ?? 0), 0);
    if (outcome === 'success') {
      device.used += used;
      device.answered.push({ request, answer, at: this.rig.now });
      device.open = request.kind !== 'termination';
    } else {
      expect([outcome, request.kind]).toEqual(['unknown-session', request.kind]);
      // Supervision ended it: the usage is on the tombstone.
      device.used += used;
      device.open = false;
    }
    if (!device.open) {
      device.session++;
      device.number = 0;
    }
  }

  /** An old request is sent again within the horizon: the same answer, or one without a grant. */
  async #again(device: Device): Promise<void> {
    const old = device.answered[Math.max(0, device.answered.length - 1 - this.#random(20))];
    if (old === undefined || this.rig.now - old.at > settings.duplicateHorizonMs) return;
    const answer = await charge(this.rig, this.#worker(), old.request);
    if (answer === 'busy') return;
    if (isDeepStrictEqual(answer, old.answer)) return;
    expect(['success', 'unknown-session', 'contradiction']).toContain(answer.outcome);
    for (const service of answer.services) expect(service.granted).toBeUndefined();
  }

  /** Time passes; some worker looks for what is due every half minute, as far as the store lets it. */
  async #pass(ms: number): Promise<void> {
    for (let left = ms; left > 0; left -= 30_000) {
      this.rig.now += Math.min(left, 30_000);
      await this.#worker().timers.pass();
    }
  }

  async #move(device: Device): Promise<void> {
    const to = this.#random(2) === 0 ? 'other' : 'shared';
    await this.rig.store.moveSubscriber('blue', { kind: 'e164', id: device.id }, to);
  }

  /** The store recovers, every client gets its answer, time ends what is still open. */
  async finish(): Promise<void> {
    this.#faulty = false;
    for (const device of this.devices) if (device.pending !== undefined) await this.#next(device);
    for (let i = 0; i < 20; i++) await this.#pass(1_000_000);
    checkBooks(this.rig);
    this.checkRenewals();
    const { store } = this.rig;
    for (const account of ['shared', 'other']) {
      const counters = await this.rig.counters(account);
      for (const [field, value] of Object.entries(counters))
        if (field.startsWith('r:') || field === 'n:open')
          expect([field, value]).toEqual([field, 0]);
    }
    for (let i = 0; i < store.partitions; i++) expect(store.partition(i).timers.size).toBe(0);
    const recorded = this.rig
      .records()
      .reduce(
        (sum, { services }) => sum + services.reduce((all, one) => all + (one.used ?? 0), 0),
        0,
      );
    expect(recorded).toBe(this.devices.reduce((sum, { used }) => sum + used, 0));
    expect(this.rig.fired.filter((what) => !what.startsWith('failed: StoreUnavailable'))).toEqual(
      this.rig.fired.filter((what) => what === 'supervision' || what === 'validity'),
    );
  }
}

describe('simulation', () => {
  test('keeps its promises for every seed', async () => {
    const only = Number(process.env.SIMULATION_SEED ?? Number.NaN);
    const seeds = Number.isNaN(only) ? Array.from({ length: SEEDS }, (_, i) => i + 1) : [only];
    for (const seed of seeds) {
      const simulation = new Simulation(seed);
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
});
