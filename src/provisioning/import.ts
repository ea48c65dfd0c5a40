/**
 * Puts rows of subscribers into a store, many at once. Whatever is repeated has no effect twice: an
 * account that exists stays as it is, with its balances, and only gets subscribers that it lacks, with
 * their limits. Openings are for accounts that are created.
 */
import { isDeepStrictEqual } from 'node:util';
import { type Account, type AccountRef, drawOrder } from '../charging/account.ts';
import { BucketIdTaken } from '../store/bucket-kinds.ts';
import type { AccountStore } from './apply.ts';
import type { Configuration } from './configuration.ts';
import type { CsvRow } from './csv.ts';
import { subscriberId } from './identity.ts';
import { moveTo } from './leave.ts';
import { LIMITS } from './limits.ts';
import type { ProvisionedAccount } from './provisioning.ts';
import { accountOfRows, type Columns, countSubscribers } from './subscriber-rows.ts';
import { writtenBuckets } from './wanted.ts';

/** Attempts of a change that another writer overtook. */
const ATTEMPTS = 10;

export interface ImportCounts {
  rows: number;
  created: number;
  /** Accounts that were there, with all that their rows say. */
  unchanged: number;
  /** Subscribers that were added to accounts that were there. */
  subscribersAdded: number;
  refusedRows: number;
}

export interface RefusedRow {
  line: number;
  reason: string;
  cells: readonly string[];
}

export interface Imported extends Omit<ImportCounts, 'refusedRows'> {
  refused: RefusedRow[];
}

export interface ImportOptions {
  store: AccountStore;
  configuration: Configuration;
  tenant: string;
  columns: Columns;
  /** Accounts that are worked on at once. */
  concurrency: number;
}

/** Rows of one account that follow each other. */
export type AccountRows = readonly CsvRow[];

/** Imports a batch; to be sent again as a whole when the store was away. Throws StoreUnavailable. */
export async function importBatch(
  options: ImportOptions,
  batch: readonly AccountRows[],
): Promise<Imported> {
  const imported: Imported = {
    rows: 0,
    created: 0,
    unchanged: 0,
    subscribersAdded: 0,
    refused: [],
  };
  /** Who claims each subscriber: of two accounts, the one whose rows come first is to be first. */
  const holders = new Map<string, string>();
  /** Those with rows before: the first of them create it. */
  const accounts = new Set<string>();
  const work: { rows: AccountRows; account: ProvisionedAccount }[] = [];
  const later: typeof work = [];
  const refuse = (rows: AccountRows, reason: string) =>
    imported.refused.push(...rows.map(({ line, cells }) => ({ line, reason, cells })));
  for (const rows of batch) {
    imported.rows += rows.length;
    const read = accountOfRows(rows, options);
    if ('reason' in read) {
      refuse(rows, read.reason);
      continue;
    }
    const { account, subscribers } = read.account.definition;
    const isClaimed =
      accounts.has(account) ||
      subscribers.some((name) => (holders.get(name) ?? account) !== account);
    accounts.add(account);
    for (const name of subscribers) holders.set(name, account);
    (isClaimed ? later : work).push({ rows, account: read.account });
  }
  const lane = async (queue: Iterable<(typeof work)[number]>): Promise<void> => {
    for (const { rows, account } of queue) {
      const outcome = await settle(options.store, account);
      if ('reason' in outcome) refuse(rows, outcome.reason);
      else if (outcome.created) imported.created += 1;
      else if (outcome.added === 0) imported.unchanged += 1;
      imported.subscribersAdded += 'added' in outcome ? outcome.added : 0;
    }
  };
  const queue = work.values();
  const lanes = Array.from({ length: options.concurrency }, () => lane(queue));
  for (const result of await Promise.allSettled(lanes))
    if (result.status === 'rejected') throw result.reason;
  await lane(later);
  imported.refused.sort((a, b) => a.line - b.line);
  return imported;
}

const onAnother = (subscriber: string, account: string | undefined): string =>
  `${subscriber} is on account ${account}`;

async function settle(
  store: AccountStore,
  wanted: ProvisionedAccount,
): Promise<{ created: boolean; added: number } | { reason: string }> {
  const { definition, openings } = wanted;
  const { tenant, account, subscribers } = definition;
  const held = await Promise.all(
    subscribers.map((name) => store.holderOf(tenant, subscriberId(name))),
  );
  const other = held.findIndex((holder) => holder !== undefined && holder !== account);
  if (other >= 0) return { reason: onAnother(subscribers[other]!, held[other]) };
  if ((await store.createAccount(definition, openings)) === 'created')
    return { created: true, added: 0 };
  for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
    const { account: found } = await store.load(definition as AccountRef);
    if (found === undefined) return { reason: 'the account is gone' };
    const { buckets, subscribers: present } = found.definition;
    const missing = subscribers.filter((name) => !present.includes(name));
    const reason = difference(found, wanted, { missing, now: store.now() });
    if (reason !== undefined) return { reason: `the account exists, ${reason}` };
    const ids = new Set(buckets.map(({ id }) => id));
    const limits = definition.buckets.filter(
      (bucket) => bucket.limits !== undefined && !ids.has(bucket.id),
    );
    if (limits.length > 0) {
      const next = { ...found.definition, buckets: [...buckets, ...limits].sort(drawOrder) };
      try {
        if ((await store.changeAccount(next, found.version)) === 'conflict') continue;
      } catch (error) {
        if (error instanceof BucketIdTaken) return { reason: error.message };
        throw error;
      }
    }
    // Nobody is there without its limits.
    for (const name of missing) await moveTo(store, definition, subscriberId(name));
    return { created: false, added: missing.length };
  }
  return { reason: 'the account keeps being changed by others' };
}

/** What an account that exists has otherwise than its rows say; `missing`: subscribers it lacks. */
function difference(
  { definition: found }: Account,
  wanted: ProvisionedAccount,
  { missing, now }: { missing: readonly string[]; now: number },
): string | undefined {
  for (const name of ['plan', 'status', 'maxSessions'] as const) {
    if (name !== 'plan' && !wanted.written.has(name)) continue;
    if (found[name] !== wanted.definition[name]) return `with ${name} ${found[name]}`;
  }
  let count = found.buckets.length;
  for (const bucket of writtenBuckets(wanted)) {
    const { id, limits, expiresAt } = bucket;
    const there = found.buckets.find((one) => one.id === id);
    if (there !== undefined) {
      if (!isDeepStrictEqual(there, bucket)) return `with ${id} otherwise`;
    } else if (limits === undefined) {
      // One that has expired may have been removed.
      if (expiresAt === undefined || expiresAt > now) return `without bucket ${id}`;
    } else if (limits.every((name) => missing.includes(name))) count += 1;
    else return `without limit ${id}`;
  }
  if (count > LIMITS.buckets)
    return `with no room for more than ${LIMITS.buckets} buckets and limits`;
  const names = [...found.subscribers, ...missing];
  const buckets = [...found.buckets, ...wanted.definition.buckets];
  if (missing.length > 0 && countSubscribers(names, buckets) > LIMITS.subscribers)
    return `with no room for more than ${LIMITS.subscribers} subscribers`;
  return undefined;
}
