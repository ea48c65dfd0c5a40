/**
 * Which account has a subscriber. Its pointer says so, and the account's own field, without which the
 * pointer is worth nothing; they lie in different slots, so they change one after the other, in an
 * order and with steps that may be repeated.
 *
 * Whoever moves a subscriber, or takes it away, holds it by a lease meanwhile, and no step is done
 * once that is over: what is left of a move that was stopped is cleared by the next one, which is told
 * of every account that the subscriber may be on. Whom nobody has an account may claim by the pointer
 * alone, before it has the field.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import type { AccountRef } from '../../charging/account.ts';
import type { SubscriberId } from '../../charging/request.ts';
import { accountName } from '../placement.ts';
import { type Leaving, StoreUnavailable } from '../store.ts';
import { subscriberField } from './account-hash.ts';
import type { Connection } from './connection.ts';
import { moveKey, type PartitionKeys, pointerKey } from './keys.ts';
import { callOf } from './script-call.ts';
import { scripts } from './scripts.ts';

/** How long a subscriber is held before its steps are late: they take some ms. */
const LEASE_MS = 1_000;
/** How long another one's lease is waited for, and how often it is looked at. */
const PATIENCE_MS = 5_000;
const LOOK_EVERY_MS = 20;
/** Attempts of a move that was late, or overtaken by a claim. */
const ATTEMPTS = 5;

export interface Moving {
  tenant: string;
  subscriber: SubscriberId;
  keysOf(account: AccountRef): PartitionKeys;
}

const textOf = ({ kind, id }: SubscriberId): string => `${kind}:${id}`;

/** The account that has a subscriber; undefined: none has, whatever its pointer says. */
export async function holderOf(
  connection: Connection,
  { tenant, subscriber, keysOf }: Moving,
): Promise<string | undefined> {
  const name = textOf(subscriber);
  const account = await connection.run((redis) => redis.get(pointerKey(tenant, name)));
  if (account === null) return undefined;
  const key = keysOf({ tenant, account }).account(accountName({ tenant, account }));
  const has = await connection.run((redis) => redis.hexists(key, subscriberField(name)));
  return has === 1 ? account : undefined;
}

/**
 * Points those of `subscribers` to an account that nobody has, and returns all that point there then:
 * those whom it may have.
 */
export async function claim(
  connection: Connection,
  { tenant, account }: AccountRef,
  { subscribers, keysOf }: { subscribers: readonly string[]; keysOf: Moving['keysOf'] },
): Promise<readonly string[]> {
  if (subscribers.length === 0) return [];
  const before = await connection.run((redis) =>
    Promise.all(subscribers.map((one) => redis.set(pointerKey(tenant, one), account, 'NX', 'GET'))),
  );
  const claimed: string[] = [];
  for (const [i, name] of subscribers.entries()) {
    const isClaimed = before[i] === null || before[i] === account;
    if (isClaimed || (await takesOver(connection, { tenant, account, name, keysOf })))
      claimed.push(name);
  }
  return claimed;
}

/** Points to an account whoever points to another that has not got them: a change was stopped. */
async function takesOver(
  connection: Connection,
  of: AccountRef & { name: string; keysOf: Moving['keysOf'] },
): Promise<boolean> {
  const hold = new Hold(connection, of);
  let isTaken = false;
  await hold.during([of.account], async ({ owner, others }) => {
    const isHeld = owner !== of.account && owner !== '' && (await hold.has(owner));
    if (!(await hold.clear(isHeld ? owner : of.account, others))) return 'again';
    isTaken = !isHeld && (owner === of.account || (await hold.point(owner, of.account)));
    return isTaken || isHeld ? outcomeOf(others, [of.account, owner]) : 'again';
  });
  return isTaken;
}

/** Those of `subscribers`, whom the account has, that somebody moved on since they were claimed. */
export async function movedOn(
  connection: Connection,
  { tenant, account }: AccountRef,
  subscribers: readonly string[],
): Promise<readonly string[]> {
  if (subscribers.length === 0) return [];
  const pointers = await connection.run((redis) =>
    Promise.all(subscribers.map((one) => redis.get(pointerKey(tenant, one)))),
  );
  return subscribers.filter((_, i) => pointers[i] !== account);
}

/**
 * Lets an account's fields and the pointers of these subscribers agree: whoever points elsewhere has
 * no field there, and none points there without one.
 */
export async function agree(
  connection: Connection,
  { tenant, account }: AccountRef,
  of: { subscribers: readonly string[]; keysOf: Moving['keysOf'] },
): Promise<void> {
  const each = of.subscribers.map(async (name) => {
    const hold = new Hold(connection, { tenant, name, keysOf: of.keysOf });
    await hold.during([account], async ({ owner, others }) => {
      if (!(await hold.clear(owner, others))) return 'again';
      const isRight = owner !== account || (await hold.has(account));
      if (!isRight && !(await hold.point(account, ''))) return 'again';
      return outcomeOf(others, [account, owner]);
    });
  });
  await Promise.all(each);
}

/** The new account's field, the pointer, the old accounts' fields, in this order. */
export async function moveSubscriber(
  connection: Connection,
  { to, leaving, ...move }: Moving & { to: string; leaving: Leaving },
): Promise<void> {
  const hold = new Hold(connection, { ...move, name: textOf(move.subscriber) });
  await hold.during([to], async ({ owner, others }) => {
    const behind = others.filter((account) => account !== to);
    const from = behind.at(-1) ?? '';
    const added = await hold.add(to, from);
    if (added === 'absent') throw new RangeError(`no account ${to}`);
    if (added === 'late') return 'again';
    if (owner !== to && !(await hold.point(owner, to))) return 'again';
    if (!(await hold.leave(behind, leaving))) return 'again';
    if (from !== '') await hold.arrive(to, from);
    return 'done';
  });
}

/** The fields, then the pointer. */
export async function removeSubscriber(
  connection: Connection,
  { leaving, ...move }: Moving & { leaving: Leaving },
): Promise<void> {
  const hold = new Hold(connection, { ...move, name: textOf(move.subscriber) });
  await hold.during([], async ({ owner, others }) => {
    if (!(await hold.leave(others, leaving))) return 'again';
    return owner === '' || (await hold.point(owner, '')) ? 'done' : 'again';
  });
}

/**
 * `done`: nothing is left of it to be remembered; `stopped`: a move that was stopped still is, for what
 * its accounts have beside the subscriber; `again`: a step was late, or overtaken.
 */
type Outcome = 'done' | 'stopped' | 'again';

/** Of what was done where a move of accounts other than these may have been stopped before. */
function outcomeOf(others: readonly string[], own: readonly string[]): Outcome {
  return others.every((account) => own.includes(account)) ? 'done' : 'stopped';
}

/** A subscriber as its lease finds it. */
interface Found {
  /** What its pointer names; empty: nothing. */
  owner: string;
  /** All accounts that may have it, the pointer's the last. */
  others: readonly string[];
}

/** One who holds a subscriber. */
class Hold {
  readonly #connection: Connection;
  readonly #tenant: string;
  readonly #field: string;
  readonly #pointer: string;
  readonly #move: string;
  readonly #keysOf: Moving['keysOf'];
  readonly #token = randomUUID();
  /** Store time in ms. */
  #until = '0';

  constructor(
    connection: Connection,
    { tenant, name, keysOf }: Pick<Moving, 'tenant' | 'keysOf'> & { name: string },
  ) {
    this.#connection = connection;
    this.#tenant = tenant;
    this.#field = subscriberField(name);
    this.#pointer = pointerKey(tenant, name);
    this.#move = moveKey(tenant, name);
    this.#keysOf = keysOf;
  }

  /**
   * Has `steps` done while the subscriber is held, which may be on any of `accounts` from now on.
   * Throws StoreUnavailable where others do not let go of it.
   */
  async during(
    accounts: readonly string[],
    steps: (found: Found) => Promise<Outcome>,
  ): Promise<void> {
    try {
      for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
        const outcome = await steps(await this.#hold(accounts));
        if (outcome !== 'again') return await this.#release(outcome);
      }
    } catch (error) {
      // Unless it is let go of its lease ends by itself.
      await this.#release('stopped').catch(() => undefined);
      throw error;
    }
    throw new StoreUnavailable('unknown', 'a subscriber is being moved by others');
  }

  async #release(outcome: 'done' | 'stopped'): Promise<void> {
    const names = { token: this.#token, outcome };
    const call = callOf(scripts.releaseSubscriber, { move: this.#move }, names);
    await this.#connection.call(scripts.releaseSubscriber, call);
  }

  async #hold(accounts: readonly string[]): Promise<Found> {
    const before = await this.#read();
    let others = await this.#lease([...accounts, ...before]);
    const found = await this.#read();
    if (found.some((account) => !others.includes(account))) others = await this.#lease(found);
    const [owner = ''] = found;
    const rest = others.filter((account) => account !== owner);
    return { owner, others: owner === '' ? rest : [...rest, owner] };
  }

  /** What the pointer names, if anything, and where that account says that the subscriber came from. */
  async #read(): Promise<string[]> {
    const account = await this.#connection.run((redis) => redis.get(this.#pointer));
    if (account === null) return [];
    const from = await this.#connection.run((redis) => redis.hget(this.#key(account), this.#field));
    return from === null || from === '' ? [account] : [account, from];
  }

  /** Holds the subscriber, and returns the accounts that it may be on. */
  async #lease(accounts: readonly string[]): Promise<readonly string[]> {
    const call = callOf(
      scripts.holdSubscriber,
      { move: this.#move },
      { token: this.#token, leaseMs: LEASE_MS },
      accounts,
    );
    for (let waited = 0; waited <= PATIENCE_MS; waited += LOOK_EVERY_MS) {
      const reply = (await this.#connection.call(scripts.holdSubscriber, call)) as Buffer[];
      const [word, until = '0', ...all] = reply.map(String);
      if (word === 'held') {
        this.#until = until;
        return all;
      }
      await setTimeout(LOOK_EVERY_MS);
    }
    throw new StoreUnavailable('no', 'a subscriber is being moved by others');
  }

  async add(account: string, from: string): Promise<string> {
    const names = { field: this.#field, from, notAfter: this.#until };
    const call = callOf(scripts.addSubscriber, { account: this.#key(account) }, names);
    return String(await this.#connection.call(scripts.addSubscriber, call));
  }

  async has(account: string): Promise<boolean> {
    const key = this.#key(account);
    return (await this.#connection.run((redis) => redis.hexists(key, this.#field))) === 1;
  }

  /** Takes the subscriber from all `accounts` but one; false: it was late. */
  clear(but: string, accounts: readonly string[]): Promise<boolean> {
    return this.leave(
      accounts.filter((account) => account !== but),
      async () => undefined,
    );
  }

  /** The same from all of them, each of which is told of; false: it was late. */
  async leave(accounts: readonly string[], leaving: Leaving): Promise<boolean> {
    for (const account of accounts) {
      const left = await this.#remove(account);
      if (left === 'late') return false;
      await leaving(account, left === 'limited');
    }
    return true;
  }

  async #remove(account: string): Promise<string> {
    const names = { field: this.#field, notAfter: this.#until };
    const call = callOf(scripts.removeSubscriber, { account: this.#key(account) }, names);
    return String(await this.#connection.call(scripts.removeSubscriber, call));
  }

  async arrive(account: string, from: string): Promise<void> {
    const names = { field: this.#field, from };
    const call = callOf(scripts.arriveSubscriber, { account: this.#key(account) }, names);
    await this.#connection.call(scripts.arriveSubscriber, call);
  }

  /** Empty stands for no account. */
  async point(from: string, to: string): Promise<boolean> {
    const names = { from, to, notAfter: this.#until };
    const call = callOf(scripts.point, { pointer: this.#pointer }, names);
    return String(await this.#connection.call(scripts.point, call)) === 'pointed';
  }

  #key(account: string): string {
    const ref = { tenant: this.#tenant, account };
    return this.#keysOf(ref).account(accountName(ref));
  }
}
