/**
 * Sessions that open, go on and close on a store, with the movements and records that a charging
 * session has: enough to keep a ledger busy, decided here in a few lines and not by the engine.
 */
import {
  type AccountRef,
  availableField,
  OPEN_SESSIONS,
  reservedField,
} from '../../../src/charging/account.ts';
import type { BucketChange, RecordKind } from '../../../src/charging/record.ts';
import type { Service, Session } from '../../../src/charging/session.ts';
import type { Commit, Store } from '../../../src/store/store.ts';

export const TENANT = 'north';

/** Creates accounts with a money bucket and a bundle of octets; returns where they are. */
export async function provision(store: Store, count: number): Promise<AccountRef[]> {
  const accounts: AccountRef[] = [];
  for (let i = 0; i < count; i++) {
    const ref = { tenant: TENANT, account: `acc-${i}` };
    await store.createAccount(
      {
        ...ref,
        plan: 'basic',
        status: 'active',
        buckets: [
          { id: 'bundle', unit: 'octets', priority: 1, floor: 0 },
          { id: 'money', unit: 'money', priority: 2, floor: 0 },
        ],
        subscribers: [`e164:4479000${i}`],
        maxSessions: 100_000,
      },
      { money: 1_000_000, bundle: 5_000_000 },
    );
    accounts.push(ref);
  }
  return accounts;
}

interface Ongoing {
  account: AccountRef;
  key: string;
}

/** One writer: a stream of commits of its own sessions on accounts that it shares. */
export class Workload {
  readonly #store: Store;
  readonly #accounts: readonly AccountRef[];
  readonly #name: string;
  #seed: number;
  #number = 0;
  readonly ongoing: Ongoing[] = [];
  commits = 0;

  constructor(store: Store, accounts: readonly AccountRef[], name: string, seed: number) {
    this.#store = store;
    this.#accounts = accounts;
    this.#name = name;
    this.#seed = seed;
  }

  /** The next commit, chosen by the seed. */
  async step(): Promise<void> {
    const dice = this.#random(10);
    if (this.ongoing.length === 0 || (dice < 3 && this.ongoing.length < 200)) await this.open();
    else if (dice < 8) await this.update(this.#random(this.ongoing.length));
    else if (dice < 9) await this.end(this.#random(this.ongoing.length));
    else await this.topUp(this.#account());
  }

  async open(account: AccountRef = this.#account()): Promise<string> {
    const key = `${this.#name};${++this.#number}`;
    const now = this.#store.now();
    const empty: Session = {
      sessionId: key,
      account,
      subscriber: { kind: 'e164', id: '4479' },
      client: { host: 'pgw', realm: 'test' },
      context: '32251@3gpp.org',
      state: 'open',
      openedAt: now,
      changedAt: now,
      superviseAt: now + 600_000,
      armedAt: now + 600_000,
      services: [],
      answers: [],
      seen: [[0, 0]],
    };
    await this.#commit('initial', { account, key }, empty, 1 + this.#random(500));
    this.ongoing.push({ account, key });
    return key;
  }

  async update(i: number): Promise<void> {
    await this.#onward('update', this.ongoing[i] as Ongoing, 1 + this.#random(500));
  }

  async end(i: number): Promise<void> {
    const [one] = this.ongoing.splice(i, 1);
    await this.#onward('termination', one as Ongoing, 0);
  }

  async topUp(account: AccountRef): Promise<void> {
    const { account: present, epoch } = await this.#store.load(account);
    if (present === undefined) throw new Error('no account');
    const amount = 1 + this.#random(1_000);
    const key = `${this.#name}/top-up/${++this.#number}`;
    await this.#apply({
      account,
      epoch,
      accountVersion: present.version,
      idempotency: { key, outcome: Buffer.from('done'), ttlMs: 60_000 },
      movements: [{ field: availableField('money'), delta: amount }],
      record: {
        kind: 'topup',
        at: this.#store.now(),
        account,
        outcome: 'success',
        services: [],
        changes: [{ bucket: 'money', cause: 'topup', available: amount, reserved: 0 }],
        reference: key,
      },
    });
  }

  async #onward(kind: RecordKind, ongoing: Ongoing, reserve: number): Promise<void> {
    const { session } = await this.#store.load(ongoing.account, ongoing.key);
    if (session === undefined) throw new Error(`${ongoing.key} is gone`);
    await this.#commit(kind, ongoing, session.session, reserve, session.version);
  }

  async #commit(
    kind: RecordKind,
    { account, key }: Ongoing,
    before: Session,
    reserve: number,
    expected = 0,
  ): Promise<void> {
    const { account: present, epoch } = await this.#store.load(account);
    if (present === undefined) throw new Error('no account');
    const now = this.#store.now();
    const bucket = this.#random(2) === 0 ? 'money' : 'bundle';
    const changes: BucketChange[] = [];
    for (const part of before.services.flatMap(({ grant }) => grant?.parts ?? [])) {
      const used = this.#random(part.amount + 1);
      const rest = part.amount - used;
      changes.push({ bucket: part.bucket, cause: 'debit', available: 0, reserved: -used });
      changes.push({ bucket: part.bucket, cause: 'release', available: rest, reserved: -rest });
    }
    if (reserve > 0)
      changes.push({ bucket, cause: 'reserve', available: -reserve, reserved: reserve });
    const deltas = new Map<string, number>();
    const move = (field: string, delta: number) =>
      deltas.set(field, (deltas.get(field) ?? 0) + delta);
    for (const change of changes) {
      move(availableField(change.bucket), change.available);
      move(reservedField(change.bucket), change.reserved);
    }
    if (kind === 'initial') move(OPEN_SESSIONS, 1);
    if (kind === 'termination') move(OPEN_SESSIONS, -1);
    const ends = kind === 'termination';
    const service: Service = {
      ratingGroup: 1,
      serviceIds: [],
      rule: 'data',
      planVersion: 1,
      unit: 'octets',
      used: 0,
      rated: 0,
      cost: 0,
      grant: { parts: [{ bucket, units: reserve, amount: reserve }], units: reserve, final: false },
    };
    await this.#apply({
      account,
      epoch,
      accountVersion: present.version,
      session: {
        key,
        expected,
        // What a session held last stays in its tombstone.
        value: ends
          ? { ...before, state: 'ended', changedAt: now }
          : { ...before, changedAt: now, services: [service] },
        index: kind === 'initial' ? 'open' : ends ? 'close' : 'keep',
        timer: kind === 'initial' ? now + 600_000 : ends ? 'remove' : 'keep',
        ...(ends ? { ttlMs: 600_000 } : {}),
      },
      movements: [...deltas].map(([field, delta]) => ({ field, delta })),
      record: {
        kind,
        at: now,
        account,
        sessionId: key,
        requestNumber: expected,
        outcome: 'success',
        services: [],
        changes,
      },
    });
  }

  async #apply(commit: Commit): Promise<void> {
    const reply = await this.#store.commit(commit);
    if (reply.kind !== 'committed') throw new Error(`the commit ended as ${reply.kind}`);
    this.commits++;
  }

  #account(): AccountRef {
    return this.#accounts[this.#random(this.#accounts.length)] as AccountRef;
  }

  /** An integer below `limit`. */
  #random(limit: number): number {
    this.#seed = (Math.imul(this.#seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#seed / 2 ** 32) * limit);
  }
}
