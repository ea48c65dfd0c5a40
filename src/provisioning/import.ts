/**
 * Puts rows of subscribers into a store, many at once. Whatever is repeated has no effect twice: an
 * account that exists stays as it is, with its balances, and only gets subscribers that it lacks.
 */
import type { Account, AccountRef } from '../charging/account.ts';
import { type AccountStore, subscriberId } from './apply.ts';
import type { Configuration } from './configuration.ts';
import type { CsvRow } from './csv.ts';
import type { ProvisionedAccount } from './provisioning.ts';
import { accountOfRows, type Columns } from './subscriber-rows.ts';

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
    const isClaimed = subscribers.some((name) => (holders.get(name) ?? account) !== account);
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
  { definition, openings, written }: ProvisionedAccount,
): Promise<{ created: boolean; added: number } | { reason: string }> {
  const { tenant, account, subscribers } = definition;
  const held = await Promise.all(
    subscribers.map((name) => store.accountOf(tenant, subscriberId(name))),
  );
  const other = held.findIndex((holder) => holder !== undefined && holder !== account);
  if (other >= 0) return { reason: onAnother(subscribers[other]!, held[other]) };
  if ((await store.createAccount(definition, openings)) === 'created')
    return { created: true, added: 0 };
  const { account: found } = await store.load(definition as AccountRef);
  const reason =
    found === undefined ? 'the account is gone' : difference(found, definition, written);
  if (reason !== undefined) return { reason };
  const present = new Set(found?.definition.subscribers);
  const missing = subscribers.filter((name) => !present.has(name));
  for (const name of missing) await store.moveSubscriber(tenant, subscriberId(name), account);
  return { created: false, added: missing.length };
}

/** What an account that exists has otherwise than its rows say. */
function difference(
  { definition }: Account,
  wanted: ProvisionedAccount['definition'],
  written: ProvisionedAccount['written'],
): string | undefined {
  for (const name of ['plan', 'status', 'maxSessions'] as const) {
    if (name !== 'plan' && !written.has(name)) continue;
    if (definition[name] !== wanted[name])
      return `the account exists, with ${name} ${definition[name]}`;
  }
  return undefined;
}
