/** Accounts, with the subscribers that they are created with, get and lose (`subscribers.ts`). */
import {
  type Account,
  type AccountDefinition,
  type AccountRef,
  OPEN_SESSIONS,
  periodField,
} from '../../charging/account.ts';
import { periodsFor } from '../../charging/periods.ts';
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
import type { PartitionKeys } from './keys.ts';
import { callOf } from './script-call.ts';
import { scripts } from './scripts.ts';
import { agree, claim, type Moving, movedOn } from './subscribers.ts';

/** Attempts of a step that another writer overtook. */
const ATTEMPTS = 5;

type KeysOf = Moving['keysOf'];

export async function createAccount(
  connection: Connection,
  keysOf: KeysOf,
  definition: AccountDefinition,
  openings: Readonly<Record<string, number>>,
): Promise<'created' | 'exists'> {
  const keys = keysOf(definition);
  const key = keys.account(accountName(definition));
  const now = connection.clock.now();
  const record = encodeRecord(openingRecord(definition, openings, now));
  const fields = ['version', '1', ...definitionFields(definition), OPEN_SESSIONS, '0'];
  for (const { id } of definition.buckets) {
    const [available, reserved] = counterFields(id) as [string, string];
    fields.push(available, String(openings[id] ?? 0), reserved, '0');
  }
  for (const [field, period] of Object.entries(periodsFor(definition.buckets, now)))
    fields.push(field, String(period));
  const { subscribers } = definition;
  const claimed = await claim(connection, definition, { subscribers, keysOf });
  for (const subscriber of claimed) fields.push(subscriberField(subscriber), '');
  fields.push(...kindsFields(kindsAfter(definition, { kinds: new Map() })));
  for (let attempt = 1; ; attempt++) {
    const epoch = await epochOf(connection, keys, { afresh: attempt > 1 });
    const reply = await connection.call(
      scripts.createAccount,
      callOf(
        scripts.createAccount,
        {
          account: key,
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
    const odd = word === 'created' ? await movedOn(connection, definition, claimed) : claimed;
    await agree(connection, definition, { subscribers: odd, keysOf });
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

export async function changeAccount(
  connection: Connection,
  keysOf: KeysOf,
  definition: AccountDefinition,
  expected: number,
): Promise<'changed' | 'conflict'> {
  const keys = keysOf(definition);
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
  const unknown = definition.subscribers.filter((one) => !known.has(one));
  const claimed = await claim(connection, definition, { subscribers: unknown, keysOf });
  const gone = before.definition.subscribers.filter((one) => !definition.subscribers.includes(one));
  const added = definition.buckets
    .flatMap(({ id }) => counterFields(id))
    .filter((field) => !(field in before.counters));
  const set = [
    ...definitionFields(definition),
    ...kindsFields(kept, kinds),
    ...added.flatMap((field) => [field, '0']),
    ...turns.set,
    ...claimed.flatMap((one) => [subscriberField(one), '']),
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
    if (word === 'conflict' || word === 'out-of-range') {
      await agree(connection, definition, { subscribers: claimed, keysOf });
      return 'conflict';
    }
    if (attempt >= ATTEMPTS) throw connection.distrust('the epoch moves on');
  }
  const odd = await movedOn(connection, definition, claimed);
  await agree(connection, definition, { subscribers: [...odd, ...gone], keysOf });
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

export async function keptOf(
  connection: Connection,
  keys: PartitionKeys,
  account: AccountRef,
): Promise<Kept | undefined> {
  const key = keys.account(accountName(account));
  const hash = await connection.run((redis) => redis.callBuffer('HGETALL', key));
  return keptFromHash(hash as Buffer[]);
}
