/**
 * Subscribers as rows: what `import` takes and `export` gives. A row is one subscriber with its account;
 * further subscribers of an account follow in rows of their own, which repeat its id and may leave the
 * rest of it empty.
 */
import {
  type Account,
  availableField,
  type Bucket,
  limitAmount,
  periodField,
  type Renewal,
  reservedField,
} from '../charging/account.ts';
import { accountAt, isOver } from '../charging/buckets.ts';
import type { Unit } from '../charging/request.ts';
import type { Configuration } from './configuration.ts';
import { findingText } from './configuration.ts';
import type { CsvRow } from './csv.ts';
import { compileOne } from './edit-account.ts';
import { limiting } from './leave.ts';
import { formatMoney, type Parsed } from './money.ts';
import { show } from './problem.ts';
import type { ProvisionedAccount } from './provisioning.ts';
import { parseQuantity, parseSigned } from './quantity.ts';

const KINDS = ['e164', 'imsi', 'sip', 'nai', 'private'] as const;

/** The columns of an export; an import may leave out all but the first, and add `opening:BUCKET`. */
export const COLUMNS = [
  ...['account', 'plan', 'status', 'maxSessions'],
  ...KINDS,
  ...['limits', 'buckets'],
] as const;

const OPENING = 'opening:';

/** What the header says: where each column is. */
export type Columns = ReadonlyMap<string, number>;

/** Reads the header; or what is wrong with it. */
export function readHeader(cells: readonly string[]): { columns: Columns } | { problem: string } {
  const columns = new Map<string, number>();
  // A byte order mark, as spreadsheets write it, is no part of a name.
  for (const [at, cell] of cells.entries()) {
    const name = cell.replace(/^\uFEFF/, '').trim();
    const isKnown = (COLUMNS as readonly string[]).includes(name) || /^opening:./.test(name);
    if (!isKnown) return { problem: `there is no column '${name}'; there are ${known()}` };
    if (columns.has(name)) return { problem: `column ${name} is there twice` };
    columns.set(name, at);
  }
  for (const name of ['account', 'plan'])
    if (!columns.has(name)) return { problem: `column ${name} is missing` };
  return { columns };
}

const known = () => `${COLUMNS.join(', ')} and ${OPENING}BUCKET`;

/** The cell of a column; '' where there is none. */
export const cellOf = ({ cells }: CsvRow, columns: Columns, name: string): string =>
  cells[columns.get(name) ?? -1] ?? '';

/** The account that consecutive rows with one id say, or why they are refused. */
export function accountOfRows(
  rows: readonly CsvRow[],
  {
    columns,
    configuration,
    tenant,
  }: { columns: Columns; configuration: Configuration; tenant: string },
): { account: ProvisionedAccount } | { reason: string } {
  const [first] = rows;
  if (first === undefined) throw new RangeError('no rows');
  for (const row of rows) {
    // Deviation: RFC 4180 2 lets the last row go without a line end. Here its last cell could be half a
    // number, which is somebody else's.
    if (row.isCut) return { reason: 'the file ends within this row: it has no line end' };
    if (row.cells.length !== columns.size)
      return { reason: `${row.cells.length} cells where the header has ${columns.size}` };
  }
  const own = (name: string) => cellOf(first, columns, name);
  const differing = (COLUMNS as readonly string[])
    .concat([...columns.keys()].filter((name) => name.startsWith(OPENING)))
    .filter((name) => !(KINDS as readonly string[]).includes(name) && name !== 'limits')
    .find((name) => rows.some((row) => !['', own(name)].includes(cellOf(row, columns, name))));
  if (differing !== undefined)
    return { reason: `${differing} differs from the row before, of the same account` };
  try {
    const openings = new Map<string, unknown>();
    const buckets = listOf(own('buckets'), 'buckets').map((bucket) => funded(bucket, openings));
    const subscribers = rows.flatMap((row) => subscriberOf(row, columns, openings));
    for (const name of columns.keys())
      if (name.startsWith(OPENING) && own(name) !== '')
        openings.set(name.slice(OPENING.length), own(name));
    const maxSessions = own('maxSessions');
    const compiled = compileOne(configuration, tenant, {
      id: own('account'),
      plan: own('plan'),
      ...(own('status') === '' ? {} : { status: own('status') }),
      ...(maxSessions === '' ? {} : { maxSessions: wholeNumber(maxSessions) }),
      ...(subscribers.length === 0 ? {} : { subscribers }),
      ...(buckets.length === 0 ? {} : { buckets }),
    });
    if ('findings' in compiled) return { reason: compiled.findings.map(findingText).join('; ') };
    const { account } = compiled;
    const digits = configuration.tenant(tenant)!.currency.digits;
    return {
      account: {
        ...account,
        openings: { ...account.openings, ...amountsOf(openings, account, digits) },
      },
    };
  } catch (error) {
    if (error instanceof SyntaxError) return { reason: error.message };
    throw error;
  }
}

/** Decimal digits as their number; anything else as it is, to be refused as what was found. */
const wholeNumber = (text: string): number | string =>
  /^\d{1,15}$/.test(text) ? Number(text) : text;

/** A list of a cell, as JSON. Throws SyntaxError. */
function listOf(cell: string, name: string): Record<string, unknown>[] {
  if (cell === '') return [];
  const value: unknown = JSON.parse(cell);
  if (Array.isArray(value)) return value as Record<string, unknown>[];
  throw new SyntaxError(`${name} is not a list in JSON`);
}

/** A bucket or limit without its opening, which is put aside: it may be below 0. */
function funded(written: Record<string, unknown>, openings: Map<string, unknown>): object {
  if (typeof written !== 'object' || written === null) return written;
  const { opening, ...rest } = written;
  if (opening === undefined) return written;
  openings.set(String(written.id), opening);
  return rest;
}

function subscriberOf(row: CsvRow, columns: Columns, openings: Map<string, unknown>): object[] {
  const identities = KINDS.flatMap((kind) => {
    const id = cellOf(row, columns, kind);
    return id === '' ? [] : [[kind, id]];
  });
  const limits = listOf(cellOf(row, columns, 'limits'), 'limits').map((limit) =>
    funded(limit, openings),
  );
  if (identities.length === 0 && limits.length === 0) return [];
  return [{ ...Object.fromEntries(identities), ...(limits.length === 0 ? {} : { limits }) }];
}

/** Openings in smallest units. Throws SyntaxError for one that is none, or of no bucket. */
function amountsOf(
  openings: ReadonlyMap<string, unknown>,
  { definition }: ProvisionedAccount,
  digits: number,
): Record<string, number> {
  const amounts: Record<string, number> = {};
  for (const [id, written] of openings) {
    const unit = definition.buckets.find((bucket) => bucket.id === id)?.unit;
    if (unit === undefined) throw new SyntaxError(`opening of ${id}: there is no such bucket`);
    const parsed = openingOf(written, { unit, digits });
    if ('expected' in parsed)
      throw new SyntaxError(
        `opening of ${id}: found ${show(written)}, expected ${parsed.expected}`,
      );
    amounts[id] = parsed.value;
  }
  return amounts;
}

/** As a provisioning file has it, or the same with a minus sign. */
function openingOf(written: unknown, of: { unit: Unit; digits: number }): Parsed<number> {
  if (typeof written === 'string') return parseSigned(written, of);
  if (typeof written === 'number' && (of.unit === 'money' || Number.isSafeInteger(written)))
    return parseQuantity(written, of);
  // What it should have been.
  return parseSigned('', of);
}

/** How amounts and periods of an account are written. */
interface Writing {
  digits: number;
  /** That of its plan: it need not be written. */
  timeZone: string;
  /** Store time in ms: what is due in its buckets by then counts as booked. */
  now: number;
}

/**
 * An account as rows, in the order of COLUMNS: what is reserved counts as available, except in a
 * bucket that is over, to which nothing comes back. Periods and uses that have begun begin anew where
 * the rows are imported.
 */
export function rowsOf(stored: Account, writing: Writing): string[][] {
  const { digits, now } = writing;
  const { definition, counters } = accountAt(stored, now);
  const { account, plan, status, maxSessions, subscribers, buckets } = definition;
  const opening = (bucket: Bucket) => {
    const { id, unit } = bucket;
    const available = counters[availableField(id)] ?? 0;
    const isPast = isOver(bucket, counters[periodField(id)], now);
    const amount = available + (isPast ? 0 : (counters[reservedField(id)] ?? 0));
    return unit === 'money' ? formatMoney(amount, { digits }) : amount;
  };
  const written = buckets
    .filter(({ limits }) => limits === undefined)
    .map((bucket) => ({ ...bucketAsWritten(bucket, writing), opening: opening(bucket) }));
  return subscribersAsWritten(subscribers, buckets).map(({ names, limits }, index) => {
    const head = index === 0 ? [plan, status, String(maxSessions)] : ['', '', ''];
    const own = limits.map((limit) => ({
      ...limitAsWritten(limit, writing),
      opening: opening(limit),
    }));
    return [
      ...[account, ...head],
      ...KINDS.map((kind) => names.get(kind) ?? ''),
      ...[own.length === 0 ? '' : JSON.stringify(own), index === 0 ? JSON.stringify(written) : ''],
    ];
  });
}

interface WrittenNames {
  names: Map<string, string>;
  limits: Bucket[];
}

/**
 * How many subscribers identities, as `kind:id`, are at least: those that a limit joins are one, and
 * others may be if they differ in kind.
 */
export const countSubscribers = (
  subscribers: readonly string[],
  buckets: readonly Bucket[],
): number => (subscribers.length === 0 ? 0 : subscribersAsWritten(subscribers, buckets).length);

/** Identities that a limit joins are one subscriber; the others are put beside each other. */
function subscribersAsWritten(
  subscribers: readonly string[],
  buckets: readonly Bucket[],
): WrittenNames[] {
  const rows: WrittenNames[] = [];
  const taken = new Set<string>();
  const joined = new Map<string, WrittenNames>();
  const present = new Set(subscribers);
  for (const bucket of buckets.flatMap((one) => limiting(one, (name) => present.has(name)))) {
    if (bucket.limits === undefined) continue;
    const key = bucket.limits.join();
    const row = joined.get(key) ?? { names: new Map(bucket.limits.map(named)), limits: [] };
    if (!joined.has(key)) rows.push(row);
    joined.set(key, row);
    row.limits.push(bucket);
    for (const name of bucket.limits) taken.add(name);
  }
  const loose: WrittenNames[] = [];
  /** How many rows have an identity of each kind: the first ones. */
  const filled = new Map<string, number>();
  for (const name of subscribers) {
    if (taken.has(name)) continue;
    const [kind, id] = named(name);
    const at = filled.get(kind) ?? 0;
    filled.set(kind, at + 1);
    loose[at] ??= { names: new Map(), limits: [] };
    loose[at].names.set(kind, id);
  }
  const all = [...rows, ...loose];
  return all.length > 0 ? all : [{ names: new Map(), limits: [] }];
}

function named(name: string): [string, string] {
  const colon = name.indexOf(':');
  return [name.slice(0, colon), name.slice(colon + 1)];
}

/** What `compileBucket` made of it. */
function bucketAsWritten(bucket: Bucket, writing: Writing): object {
  const { id, unit, priority, startsAt, expiresAt, lastsMs, renewal, floor, paysFor } = bucket;
  return {
    ...{ id, unit, priority },
    ...(startsAt === undefined ? {} : { starts: new Date(startsAt).toISOString() }),
    ...(expiresAt === undefined ? {} : { expires: new Date(expiresAt).toISOString() }),
    ...(lastsMs === undefined ? {} : { lasts: lastsMs / 1000 }),
    ...(renewal === undefined ? {} : { renewal: renewalAsWritten(renewal, unit, writing) }),
    ...(floor === 0 ? {} : { creditLimit: formatMoney(-floor, writing) }),
    ...(paysFor === undefined ? {} : { paysFor }),
  };
}

function renewalAsWritten(renewal: Renewal, unit: Unit, writing: Writing): object {
  const { amount, rollover } = renewal;
  const quantity = (value: number) => (unit === 'money' ? formatMoney(value, writing) : value);
  return {
    ...periodAsWritten(renewal, writing),
    amount: quantity(amount),
    ...(rollover === 0
      ? {}
      : { rollover: rollover === Number.MAX_SAFE_INTEGER ? 'all' : quantity(rollover) }),
  };
}

const periodAsWritten = (
  { every, from, timeZone }: Renewal,
  writing: Writing,
): { every: string; from: string; timeZone?: string } => ({
  ...{ every, from: new Date(from).toISOString() },
  ...(timeZone === writing.timeZone ? {} : { timeZone }),
});

function limitAsWritten(limit: Bucket, writing: Writing): object {
  const { id, unit, renewal, paysFor } = limit;
  const amount = limitAmount(limit) ?? 0;
  return {
    ...{ id, unit, amount: unit === 'money' ? formatMoney(amount, writing) : amount },
    ...(renewal === undefined ? {} : periodAsWritten(renewal, writing)),
    ...(paysFor === undefined ? {} : { rules: paysFor }),
  };
}
