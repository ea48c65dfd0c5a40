/**
 * The world of one scenario: the real codec, gateway and core on a store, and a clock that moves
 * only when told.
 */
import type { AccountRef } from '../../src/charging/account.ts';
import { accountAt } from '../../src/charging/buckets.ts';
import type { Scope, Wanted } from '../../src/charging/pending.ts';
import { chargeSettingsOf } from '../../src/cli/serve.ts';
import { parseSettings } from '../../src/config.ts';
import { decode } from '../../src/diameter/decode.ts';
import { encode } from '../../src/diameter/encode.ts';
import { abortAll } from '../../src/engine/abort.ts';
import { book } from '../../src/engine/booking.ts';
import { Charging } from '../../src/engine/charge.ts';
import { Gateway } from '../../src/engine/gateway.ts';
import { HeldPeers } from '../../src/engine/held-peers.ts';
import { Initiator } from '../../src/engine/initiator.ts';
import { Knowledge } from '../../src/engine/knowledge.ts';
import { type AskOptions, askClient, askClientsOf } from '../../src/engine/reauthorise.ts';
import type { PeerOptions } from '../../src/engine/received.ts';
import { Timers } from '../../src/engine/timers.ts';
import { applyProvisioning } from '../../src/provisioning/apply.ts';
import { fixedConfiguration } from '../../src/provisioning/live.ts';
import { loadProvisioning } from '../../src/provisioning/load.ts';
import { formatMoney } from '../../src/provisioning/money.ts';
import type { Provisioning, Tenant } from '../../src/provisioning/provisioning.ts';
import { tenantOf } from '../../src/provisioning/routing.ts';
import type { Store } from '../../src/store/store.ts';
import { askedText, Clients } from '../engine/clients.ts';
import { asEvent, keepProof, type Proofs } from './event.ts';
import { type Block, durationMs, wordsOf } from './script.ts';
import { answerLines, requestOf, withUnknownAVP } from './wire.ts';

/** Virtual time is the store's time plus what the scenario let pass. */
export interface MovableClock {
  now(): number;
  advance(ms: number): void;
}

/** What it takes until a worker finds a session that was woken. */
const MOMENT_MS = 100;

export class World {
  readonly #store: Store;
  readonly #clock: MovableClock;
  #provisioning: Provisioning | undefined;
  /** Two workers that share nothing but the store; requests alternate when told so. */
  #workers: Gateway[] = [];
  #timers: Timers | undefined;
  /** Asks the gateways, all of which are connected to it. */
  #initiator: Initiator | undefined;
  readonly #clients = new Clients();
  #fired: string[] = [];
  #endToEnd = 0;
  readonly #proofs: Proofs = new Map();

  /** `settle` makes the store feel the time that passed. */
  readonly #settle: () => Promise<void>;

  constructor(store: Store, clock: MovableClock, settle = () => Promise.resolve()) {
    this.#store = store;
    this.#clock = clock;
    this.#settle = settle;
  }

  /** Runs one block and returns what came out. */
  async run({ words, details }: Block): Promise<string[]> {
    switch (words[0]) {
      case 'provision':
        return this.#provision(details.join('\n'));
      case 'initial':
      case 'update':
      case 'terminate':
        return this.#request(words, details);
      case 'event':
        return this.#request(words.slice(1), details, words);
      case 'wait':
        return this.#wait(durationMs(words.slice(1)));
      case 'account':
        return this.#account(words.slice(1));
      case 'sessions':
        return this.#sessions();
      case 'abort':
        return words[2] === 'now' ? [await this.#abort(words[1] ?? '')] : this.#ask('abort', words);
      case 'reauthorise':
        return this.#ask('reauthorise', words);
      case 'client':
        return this.#client(words[1] ?? '');
      case 'topup':
        return this.#topUp(words.slice(1));
      case 'move':
        return this.#move(words.slice(1));
      default:
        throw new Error(`no such command: ${words[0]}`);
    }
  }

  async #provision(yaml: string): Promise<string[]> {
    const loaded = loadProvisioning(yaml, 'scenario.yaml');
    if (!loaded.ok) return loaded.problems.map((problem) => JSON.stringify(problem));
    const provisioning = loaded.provisioning;
    this.#provisioning = provisioning;
    await applyProvisioning(this.#store, provisioning);
    const parsed = parseSettings({ env: {} });
    if (parsed.settings === undefined) throw new Error('the default settings do not fit');
    const settings = chargeSettingsOf(parsed.settings);
    const plan = planOf(provisioning);
    this.#workers = [0, 1].map(() => this.#worker(provisioning, settings, plan));
    await this.#initiate(plan, settings);
    this.#timers = new Timers({
      store: this.#store,
      plan,
      settings,
      leaseMs: parsed.settings.leaseMs,
      mine: () => true,
      initiate: (open) => this.#initiator?.attempt(open) ?? Promise.resolve(true),
      events: {
        fired: (kind) => kind === 'initiated' || this.#fired.push(kind),
        failed: (error) => this.#fired.push(String(error)),
      },
    });
    return ['ok'];
  }

  async #initiate(
    plan: ReturnType<typeof planOf>,
    settings: ReturnType<typeof chargeSettingsOf>,
  ): Promise<void> {
    const store = this.#store;
    const held = new HeldPeers(store, {
      ...{ worker: 'one', ttlMs: 1_000_000_000 },
      failed: (error) => this.#fired.push(String(error)),
    });
    await this.#clients.connect('one', 'gw.example', held);
    this.#initiator = new Initiator({
      ...{ store, plan, settings, worker: 'one', held, answerMs: 2_000 },
      asker: { host: 'ocs.tollkeeper.example', realm: 'tollkeeper.example' },
      waysTo: (host) => this.#clients.waysTo('one', host),
      nextEndToEnd: () => ++this.#endToEnd,
      clock: () => performance.now(),
      events: {
        initiated: () => undefined,
        alarm: (event) => this.#fired.push(`alarm ${event}`),
        failed: (error) => this.#fired.push(String(error)),
      },
    });
  }

  #worker(
    provisioning: Provisioning,
    settings: ReturnType<typeof chargeSettingsOf>,
    plan: ReturnType<typeof planOf>,
  ): Gateway {
    const store = this.#store;
    const clock = () => performance.now();
    const currencies = new Map(provisioning.tenants.map(({ id, currency }) => [id, currency]));
    return new Gateway({
      charging: new Charging({
        store,
        knowledge: new Knowledge({ sessions: 1000, accounts: 1000 }),
        settings,
        events: {
          alarm: (event) => this.#fired.push(`alarm ${event}`),
          trips: () => undefined,
          conflict: () => undefined,
        },
        clock,
        pause: () => Promise.resolve(),
      }),
      origin: { host: 'ocs.tollkeeper.example', realm: 'tollkeeper.example' },
      configuration: () => ({
        planOf: plan,
        tenantOf: (facts) => tenantOf(provisioning.routing, facts),
        currencyOf(tenant) {
          const currency = currencies.get(tenant);
          return currency && { code: currency.number, digits: currency.digits };
        },
      }),
      abort: (sessionId, on) => abortAll({ store, plan, settings, clock }, sessionId, on),
      maxInFlight: 100,
      deadlineMs: 10_000,
      clock,
      events: {
        answered: () => undefined,
        defect: (error) => {
          throw error;
        },
      },
    });
  }

  /** What a worker answers to a request, octets for octets. */
  async exchange(
    bytes: Buffer,
    from: { worker?: 0 | 1; strict?: boolean; options?: PeerOptions } = {},
  ): Promise<Buffer> {
    const worker = this.#workers[from.worker ?? 0];
    if (worker === undefined) throw new Error('nothing is provisioned');
    const decoded = decode(bytes, { strict: from.strict ?? false });
    let answer: Buffer | undefined;
    await worker.handle({
      decoded,
      failure: decoded.failure,
      peer: { originHost: 'gw.example', options: from.options ?? { numbering: 'strict' } },
      receivedAt: performance.now(),
      answer: (bytes) => {
        answer = Buffer.from(bytes);
      },
    });
    if (answer === undefined) throw new Error('no answer');
    return answer;
  }

  async #request(
    words: readonly string[],
    details: readonly string[],
    event?: readonly string[],
  ): Promise<string[]> {
    const request = requestOf(words, details);
    const ccr = event === undefined ? request : asEvent(request, event, this.#proofs);
    const bytes = encode(
      'CCR',
      { applicationId: 4, hopByHop: 1, endToEnd: ++this.#endToEnd, proxiable: true },
      ccr,
    );
    const answer = await this.exchange(
      words.includes('unknown-avp') ? withUnknownAVP(bytes) : bytes,
      {
        worker: words.includes('worker=2') ? 1 : 0,
        options: optionsOf(words),
      },
    );
    const answered = decode(answer);
    const alarms = this.#fired.splice(0);
    if (answered.name === 'answer-message') return [`${answered.message['Result-Code']} E`];
    if (answered.name !== 'CCA' || answered.failure !== undefined)
      throw new Error(`not a CCA: ${answered.failure?.errorMessage}`);
    keepProof(answered.message, this.#proofs);
    return [...answerLines(answered.message), ...alarms];
  }

  async #wait(ms: number): Promise<string[]> {
    this.#clock.advance(ms);
    await this.#settle();
    return this.#passTimers();
  }

  /** What happens by itself now: timers, and what clients are asked and answer. */
  async #passTimers(): Promise<string[]> {
    while (((await this.#timers?.pass()) ?? 0) > 0) await this.#initiator?.settled();
    const { behaviour } = this.#clients;
    const asked = this.#clients.asked
      .splice(0)
      .map((one) => `${askedText(one)} -> ${String(behaviour)}`);
    return [...asked, ...this.#fired.splice(0)];
  }

  /** `reauthorise SESSION [rg=N] [si=N] [pool=N]`, `abort SESSION`: asks the client, at once. */
  async #ask(
    kind: Wanted['kind'],
    [, session = '', ...words]: readonly string[],
  ): Promise<string[]> {
    const scope: Scope = {};
    for (const [name, value] of words.flatMap((word) => wordsOf(word))) {
      if (name === 'rg') scope.ratingGroup = Number(value);
      else if (name === 'si') scope.serviceId = Number(value);
      else if (name === 'pool') scope.pool = Number(value);
      else throw new Error(`no such word: ${name}`);
    }
    const outcome = await askClient(this.#asking(), `gw.example;${session}`, {
      wanted: { kind, scope, reason: 'operator' },
      mayServe: () => true,
      deadline: performance.now() + 10_000,
    });
    return [outcome, ...(await this.#wait(MOMENT_MS))];
  }

  /** `client CODE` or `client silent`: what clients answer from now on. */
  #client(behaviour: string): string[] {
    this.#clients.behaviour = behaviour === 'silent' ? 'silent' : Number(behaviour);
    return ['ok'];
  }

  /** `topup ACCOUNT BUCKET SMALLEST-UNITS KEY`, and what its sessions' clients are asked for it. */
  async #topUp([name = '', bucket = '', amount = '', key = '']: readonly string[]): Promise<
    string[]
  > {
    const account = { tenant: this.#tenant(undefined).id, account: name };
    const deadline = performance.now() + 10_000;
    const booked = await book(
      {
        ...{ store: this.#store, keyTtlMs: 86_400_000 },
        ...{ clock: () => performance.now(), pause: () => Promise.resolve() },
      },
      account,
      { booking: { kind: 'topup', bucket, amount: Number(amount), key }, deadline },
    );
    if (booked.kind !== 'booked') return [booked.kind];
    const { asked } = await askClientsOf(this.#asking(), account, { reason: 'top-up', deadline });
    return [`booked, sessions to ask: ${asked}`, ...(await this.#wait(MOMENT_MS))];
  }

  #asking(): AskOptions {
    const parsed = parseSettings({ env: {} });
    if (parsed.settings === undefined) throw new Error('the default settings do not fit');
    const settings = chargeSettingsOf(parsed.settings);
    return { store: this.#store, settings, clock: () => performance.now() };
  }

  /** `account NAME [TENANT]`: as a decision at this moment would find it. */
  async #account([name = '', tenantId]: readonly string[]): Promise<string[]> {
    const tenant = this.#tenant(tenantId);
    const { account } = await this.#store.load({ tenant: tenant.id, account: name });
    if (account === undefined) return ['no such account'];
    const { definition, counters } = accountAt(account, this.#clock.now());
    const lines = definition.buckets.map(({ id, unit }) => {
      const shown = (field: string) => {
        const amount = counters[field] ?? Number.NaN;
        return unit === 'money' ? formatMoney(amount, tenant.currency) : `${amount} ${unit}`;
      };
      return `${id}: ${shown(`a:${id}`)} available, ${shown(`r:${id}`)} reserved`;
    });
    return [...lines, `sessions: ${counters['n:open']}`];
  }

  async #sessions(): Promise<string[]> {
    const lines: string[] = [];
    for (const { id } of this.#provisioning?.tenants ?? []) {
      const { sessions } = await this.#store.listSessions(id, { limit: 100 });
      for (const { session } of sessions)
        lines.push(
          `${id} ${session.account.account} ${session.sessionId.replace('gw.example;', '')}`,
        );
    }
    return lines.length === 0 ? ['none'] : lines;
  }

  async #abort(session: string): Promise<string> {
    const parsed = parseSettings({ env: {} });
    if (parsed.settings === undefined || this.#provisioning === undefined)
      throw new Error('nothing is provisioned');
    return abortAll(
      {
        store: this.#store,
        plan: planOf(this.#provisioning),
        settings: chargeSettingsOf(parsed.settings),
        clock: () => performance.now(),
      },
      `gw.example;${session}`,
      { mayServe: () => true, deadline: performance.now() + 10_000 },
    );
  }

  /** `move TENANT kind:id ACCOUNT` */
  async #move([tenant = '', subscriber = '', to = '']: readonly string[]): Promise<string[]> {
    const [kind, ...id] = subscriber.split(':');
    await this.#store.moveSubscriber(tenant, { kind: kind as 'e164', id: id.join(':') }, to);
    return ['ok'];
  }

  #tenant(id: string | undefined): Tenant {
    const tenants = this.#provisioning?.tenants ?? [];
    const tenant = id === undefined ? tenants[0] : tenants.find((one) => one.id === id);
    if (tenant === undefined) throw new Error(`no tenant ${id}`);
    return tenant;
  }

  /** Every account's name, for checks over all of them. */
  accounts(): AccountRef[] {
    return (this.#provisioning?.tenants ?? []).flatMap(({ id, accounts }) =>
      [...accounts].map(({ definition }) => ({ tenant: id, account: definition.account })),
    );
  }
}

function planOf(provisioning: Provisioning) {
  const { current } = fixedConfiguration(provisioning);
  return (tenant: string, plan: string) => current.planOf(tenant, plan);
}

/** What is known of the gateway: `loose` numbering, and how it may be told of a tariff change. */
function optionsOf(words: readonly string[]): PeerOptions {
  const told = words.find((word) => word.startsWith('tariff-change='))?.split('=')[1];
  return {
    numbering: words.includes('loose') ? 'loose' : 'strict',
    ...(told === 'single' || told === 'dual' ? { tariffChange: told } : {}),
  };
}
