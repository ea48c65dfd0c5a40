/**
 * Accounts and subscribers. An account's hash and a subscriber's pointer lie in different slots, so
 * they change one after the other, in an order and with steps that may be repeated.
 */
import {
  type Account,
  type AccountDefinition,
  type AccountRef,
  OPEN_SESSIONS,
  periodField,
} from '../../charging/account.ts';
import { periodsFor } from '../../charging/periods.ts';
import type { SubscriberId } from '../../charging/request.ts';
import { kindsAfter } from '../bucket-kinds.ts';
import { changeRecord, counterChanges } from '../counter-changes.ts';
import { openingRecord } from '../opening.ts';
import { accountName } from '../placement.ts';
import { encodeRecord } from '../record-codec.ts';
import type { Kept } from '../store.ts';
import {
  accountFromHash,
  counterFields,
  definitionFields,
  keptFromHash,
  kindsFields,
  kindsFromHash,
  subscriberField,
} from './account-hash.ts';
import type { Connection } from './connection.ts';
import { type PartitionKeys, pointerKey } from './keys.ts';
import { callOf } from './script-call.ts';
import { scripts } from './scripts.ts';

/** Attempts of a step that another writer overtook. */
const ATTEMPTS = 5;

export async function createAccount(
  connection: Connection,
  keys: PartitionKeys,
  definition: AccountDefinition,
  openings: Readonly<Record<string, number>>,
): Promise<'created' | 'exists'> {
  const now = connection.clock.now();
  const record = encodeRecord(openingRecord(definition, openings, now));
  const name = accountName(definition);
  const fields = ['version', '1', ...definitionFields(definition), OPEN_SESSIONS, '0'];
  for (const { id } of definition.buckets) {
    const [available, reserved] = counterFields(id) as [string, string];
    fields.push(available, String(openings[id] ?? 0), reserved, '0');
  }
  for (const [field, period] of Object.entries(periodsFor(definition.buckets, now)))
    fields.push(field, String(period));
  for (const subscriber of definition.subscribers) fields.push(subscriberField(subscriber), '');
  fields.push(...kindsFields(kindsAfter(definition, { kinds: new Map() })));
  for (let attempt = 1; ; attempt++) {
    const epoch = await epochOf(connection, keys, { afresh: attempt > 1 });
    const reply = await connection.call(
      scripts.createAccount,
      callOf(
        scripts.createAccount,
        {
          account: keys.account(name),
          outbox: keys.outbox,
          accounts: keys.accounts(definition.tenant),
        },
        { epoch, record, name: definition.account },
        fields,
      ),
    );
    const word = String(reply);
    if (word === 'stale-epoch' && attempt < ATTEMPTS) continue;
    if (word !== 'created' && word !== 'exists') throw connection.distrust('the epoch moves on');
    // A new account has them all; one that exists may have let some go.
    if (word === 'created') await pointNew(connection, definition, definition.subscribers);
    else await pointAt(connection, keys, definition, definition.subscribers);
    return word;
  }
}

/** The epochs that were read last: the script refuses one that is over, which costs another try. */
const epochs = new WeakMap<Connection, Map<string, string>>();

async function epochOf(
  connection: Connection,
  { partition }: PartitionKeys,
  { afresh }: { afresh: boolean },
): Promise<string> {
  const known = epochs.get(connection) ?? new Map<string, string>();
  epochs.set(connection, known);
  const last = afresh ? undefined : known.get(partition);
  if (last !== undefined) return last;
  const epoch = await connection.run((redis) => redis.hget(partition, 'epoch'));
  if (epoch === null) throw connection.distrust('a partition has no epoch');
  known.set(partition, epoch);
  return epoch;
}

/** Points subscribers to an account unless they point somewhere. */
async function pointNew(
  connection: Connection,
  { tenant, account }: AccountRef,
  subscribers: readonly string[],
): Promise<void> {
  if (subscribers.length === 0) return;
  await connection.run((redis) =>
    Promise.all(subscribers.map((one) => redis.set(pointerKey(tenant, one), account, 'NX'))),
  );
}

/** Points subscribers that the account has to it, unless they point somewhere. */
async function pointAt(
  connection: Connection,
  keys: PartitionKeys,
  account: AccountRef,
  subscribers: readonly string[],
): Promise<void> {
  if (subscribers.length === 0) return;
  const fields = subscribers.map(subscriberField);
  const held = await connection.run((redis) =>
    redis.hmget(keys.account(accountName(account)), ...fields),
  );
  const present = subscribers.filter((_, i) => held[i] !== null);
  await pointNew(connection, account, present);
}

export async function changeAccount(
  connection: Connection,
  keys: PartitionKeys,
  definition: AccountDefinition,
  expected: number,
): Promise<'changed' | 'conflict'> {
  const key = keys.account(accountName(definition));
  const hash = (await connection.run((redis) => redis.callBuffer('HGETALL', key))) as Buffer[];
  const before = accountFromHash(hash);
  if (before?.version !== expected) return 'conflict';
  const kinds = kindsFromHash(hash);
  const kept = kindsAfter(definition, { before: before.definition, kinds });
  const now = connection.clock.now();
  const counted = counterChanges(before, definition, now);
  if (counted === 'conflict') return counted;
  const { changes } = counted;
  const turns = periodChanges(before, counted.periods);
  const hold = { ...counted.hold, ...turns.hold };
  const add = Object.entries(counted.added);
  const known = new Set(before.definition.subscribers);
  const arriving = definition.subscribers.filter((one) => !known.has(one));
  const gone = before.definition.subscribers.filter((one) => !definition.subscribers.includes(one));
  const added = definition.buckets
    .flatMap(({ id }) => counterFields(id))
    .filter((field) => !(field in before.counters));
  const set = [
    ...definitionFields(definition),
    ...kindsFields(kept, kinds),
    ...added.flatMap((field) => [field, '0']),
    ...turns.set,
    ...arriving.flatMap((one) => [subscriberField(one), '']),
  ];
  const record = changes.length === 0 ? '' : encodeRecord(changeRecord(definition, changes, now));
  const rest = [
    ...Object.entries(hold).flatMap(([field, value]) => [field, String(value)]),
    ...set,
    ...add.flatMap(([field, sum]) => [field, String(sum)]),
    ...[...counted.gone, ...turns.gone, ...gone.map(subscriberField)],
  ];
  const counts = {
    pairs_to_hold: Object.keys(hold).length,
    pairs_to_set: set.length / 2,
    pairs_to_add: add.length,
  };
  for (let attempt = 1; ; attempt++) {
    const epoch = record === '' ? '0' : await epochOf(connection, keys, { afresh: attempt > 1 });
    const reply = await connection.call(
      scripts.changeAccount,
      callOf(
        scripts.changeAccount,
        { account: key, outbox: keys.outbox },
        { expected, epoch, record, ...counts },
        rest,
      ),
    );
    const word = String(reply);
    if (word === 'changed') break;
    // Counters are not what they were: what is there now says whether it can be done.
    if (word === 'conflict' || word === 'out-of-range') return 'conflict';
    if (attempt >= ATTEMPTS) throw connection.distrust('the epoch moves on');
  }
  await pointAt(connection, keys, definition, definition.subscribers);
  const { tenant, account } = definition;
  await Promise.all(gone.map((one) => point(connection, pointerKey(tenant, one), account, '')));
  return 'changed';
}

/** What becomes of an account's period counters; those that change must be as they were read. */
function periodChanges(
  { definition, counters }: Account,
  periods: Readonly<Record<string, number>>,
): { hold: Record<string, number>; set: string[]; gone: string[] } {
  const hold: Record<string, number> = {};
  const set: string[] = [];
  for (const [field, period] of Object.entries(periods)) {
    const had = counters[field];
    if (had === period) continue;
    if (had !== undefined) hold[field] = had;
    set.push(field, String(period));
  }
  const fields = definition.buckets.map(({ id }) => periodField(id));
  const gone = fields.filter((field) => field in counters && !(field in periods));
  return { hold, set, gone };
}

/** Changes a pointer if it is still `from`; empty stands for none. */
async function point(
  connection: Connection,
  pointer: string,
  from: string,
  to: string,
): Promise<boolean> {
  const call = callOf(scripts.point, { pointer }, { from, to });
  return String(await connection.call(scripts.point, call)) === 'pointed';
}

export interface SubscriberMove {
  tenant: string;
  subscriber: SubscriberId;
  to: string;
  leaving(from: string): Promise<void>;
  keysOf(account: AccountRef): PartitionKeys;
}

/** The new account's field, the pointer, the old account's field, in this order. */
export async function moveSubscriber(connection: Connection, move: SubscriberMove): Promise<void> {
  const { tenant, to } = move;
  const subscriber = `${move.subscriber.kind}:${move.subscriber.id}`;
  const field = subscriberField(subscriber);
  const pointer = pointerKey(tenant, subscriber);
  const keyOf = (account: string): string =>
    move.keysOf({ tenant, account }).account(accountName({ tenant, account }));
  const leave = async (from: string): Promise<void> => {
    const remove = callOf(scripts.removeSubscriber, { account: keyOf(from) }, { field });
    await connection.call(scripts.removeSubscriber, remove);
    await move.leaving(from);
  };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const at = (await connection.run((redis) => redis.get(pointer))) ?? '';
    // Where the pointer is set already, the account's field knows what is left to be done.
    const before =
      at === '' ? '' : ((await connection.run((redis) => redis.hget(keyOf(at), field))) ?? '');
    const from = at === to ? before : at;
    // It is moved on before its last move was done.
    if (at !== to && before !== '' && before !== to) await leave(before);
    const add = callOf(scripts.addSubscriber, { account: keyOf(to) }, { field, from });
    const added = String(await connection.call(scripts.addSubscriber, add));
    if (added === 'absent') throw new RangeError(`no account ${to}`);
    if (at !== to && !(await point(connection, pointer, at, to))) continue;
    if (from === '') return;
    await leave(from);
    const arrive = callOf(scripts.arriveSubscriber, { account: keyOf(to) }, { field, from });
    await connection.call(scripts.arriveSubscriber, arrive);
    return;
  }
  throw connection.distrust('a subscriber is being moved by others');
}

export async function keptOf(
  connection: Connection,
  keys: PartitionKeys,
  account: AccountRef,
): Promise<Kept | undefined> {
  const key = keys.account(accountName(account));
  const hash = await connection.run((redis) => redis.callBuffer('HGETALL', key));
  return keptFromHash(hash as Buffer[]);
}
