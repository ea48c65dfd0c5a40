/** `tollkeeper record explain`: how the amounts of past records came about. */
import { readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { RecordedRecipients } from '../charging/record.ts';
import { TollkeeperError } from '../errors.ts';
import type { TenantCurrency } from '../http/tenant.ts';
import type { Configuration } from '../provisioning/configuration.ts';
import { placeOfLine } from '../store/records/line.ts';
import { compareRecordIds } from '../store/records/record-id.ts';
import { integer, word } from '../values.ts';
import { instant, printable } from './columns.ts';
import { type Call, defineCommand } from './command.ts';
import { shownQuantity } from './currencies.ts';
import {
  amountLines,
  choiceLines,
  money,
  plainFigures,
  serviceName,
  type Wording,
} from './explained.ts';
import { storeSettings, withStore } from './open-store.ts';
import { type PastPlans, StoredPlans, WrittenPlans } from './past-plans.ts';
import {
  type ExplainedAmount,
  type ExplainedRecord,
  type ExplainedService,
  PastRecords,
  type RecordLine,
} from './past-records.ts';
import type { Payment } from './payers.ts';
import { readProvisioning } from './provisioned.ts';
import { readConfiguration } from './stored.ts';
import { reasonOf } from './trace-file-operand.ts';

const flags = {
  partition: {
    kind: integer({ min: 0, max: 65_535 }),
    description: 'With an id that several partitions have: whose record is meant.',
  },
  session: { kind: word('SESSION-ID'), description: 'Only the records of this session.' },
  plan: {
    kind: word('PLAN'),
    description:
      'The plan that rated records which do not name theirs, as older ones do not; by default the ' +
      'one that their account has now.',
  },
} as const;

export const command = defineCommand({
  name: 'record explain',
  summary: 'Explain how the amounts of past records came about',
  usage: 'FILE|ID',
  details:
    'Says for each service of a record which rule of the plan matches, why the others do not, and ' +
    'how the amount came about. FILE is a record file, all of which is explained; an ID such as ' +
    '1-42 is looked for in the record files of the folder.\n' +
    'Each service is explained by the plan and the version that the record names, as the store ' +
    'keeps it: the last 20 of each plan. What was rated by an older one is not explained. Nor is ' +
    'what a session was charged where the records do not reach back to its beginning.\n' +
    'Where no store is at hand, a provisioning file can stand in for it, if its plan has the ' +
    'version that the record names and was never changed without a new one.',
  examples: [
    'record explain 1-42 --partition 17 --data-dir /var/lib/tollkeeper',
    'record explain records-worker-1.jsonl --session "pgw01;1700000000;42" --json',
  ],
  flags,
  settings: [...storeSettings, 'recordDir', 'provisioningFile'],
  async run(call) {
    const named = call.flags.plan;
    const configuration = await configurationOf(call);
    if (configuration !== undefined)
      return withStore(call.settings, (store) =>
        explainAll(call, new StoredPlans(store, { configuration, named })),
      );
    const { tenants } = readProvisioning(call.settings.provisioningFile ?? '').provisioning;
    return explainAll(call, new WrittenPlans(tenants, named));
  },
});

type Explaining = Call<typeof flags>;

/**
 * The configuration of the store; undefined: there is none to be had, and a file stands in for it,
 * of which a note is made.
 */
async function configurationOf({ settings, note }: Explaining): Promise<Configuration | undefined> {
  try {
    return await withStore(settings, readConfiguration);
  } catch (error) {
    const { provisioningFile: file } = settings;
    const isMissing = error instanceof TollkeeperError && MISSING.has(error.code);
    if (!isMissing || file === undefined) throw error;
    note(`explained by ${file}, because the store cannot say what rated the records`);
    return undefined;
  }
}

const MISSING: ReadonlySet<string> = new Set(['STORE_UNAVAILABLE', 'CONFIGURATION_MISSING']);

/** Returns the exit code. */
async function explainAll(call: Explaining, plans: PastPlans): Promise<number> {
  const [operand] = call.operands as readonly [string];
  const past = new PastRecords(plans);
  const isId = /^\d{1,16}-\d{1,16}$/.test(operand);
  const source = isId ? sessionOf(operand, call) : recordsOf(operand, call);
  let count = 0;
  for await (const record of source) {
    const explained = await past.explain(record);
    if (explained === undefined || (isId && explained.id !== operand)) continue;
    count++;
    const at = new Date(explained.at).toISOString();
    const currency = plans.currencyOf(record.tenant);
    call.result(plainFigures({ ...explained, at }), () => recordText(explained, currency));
  }
  if (count > 0) return 0;
  call.note(isId ? `record ${operand} is not about the use of a service` : 'no such record');
  return 1;
}

/** The records of a file, in its order. */
async function* recordsOf(file: string, { flags, note }: Explaining): AsyncGenerator<RecordLine> {
  const wanted = flags.session === undefined ? undefined : JSON.stringify(flags.session);
  let foreign = 0;
  for await (const line of linesOf(file)) {
    if (wanted !== undefined && !line.includes(wanted)) continue;
    const record = recordIn(line);
    if (record === undefined) foreign++;
    else if (wanted === undefined || record.sessionId === flags.session) yield record;
  }
  if (foreign > 0) note(`${foreign} lines of ${file} are no records`);
}

/** The records of the session that the record `id` is of, up to it, from all files. */
async function* sessionOf(id: string, call: Explaining): AsyncGenerator<RecordLine> {
  const { recordDir: where } = call.settings;
  const files = filesIn(where);
  const named: RecordLine[] = [];
  for (const file of files)
    for await (const line of linesOf(file))
      if (line.startsWith(`{"id":"${id}",`)) {
        const record = recordIn(line);
        if (record !== undefined) named.push(record);
      }
  const { partition } = call.flags;
  const found = named.filter((record) => partition === undefined || record.partition === partition);
  const [record, ...others] = found;
  if (record === undefined) throw new TollkeeperError('RECORD_UNKNOWN', { record: id, where });
  if (others.length > 0) {
    const partitions = found.map((one) => one.partition).join(', ');
    throw new TollkeeperError('COMMAND_LINE_INVALID', {
      problem: `tollkeeper record explain: --partition is missing: one of ${partitions}`,
    });
  }
  const session: RecordLine[] = [];
  const wanted = JSON.stringify(record.sessionId ?? '');
  for (const file of files)
    for await (const line of linesOf(file)) {
      const one = line.includes(wanted) ? recordIn(line) : undefined;
      if (one?.partition === record.partition && one.sessionId === record.sessionId)
        session.push(one);
    }
  session.sort((a, b) => compareRecordIds(a.id, b.id));
  for (const one of session) if (compareRecordIds(one.id, id) <= 0) yield one;
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => /^records-.+\.jsonl$/.test(name))
      .map((name) => join(folder, name));
  } catch (error) {
    throw new TollkeeperError('FILE_UNREADABLE', { file: folder, reason: reasonOf(error) });
  }
}

async function* linesOf(file: string): AsyncGenerator<string> {
  try {
    const handle = await open(file);
    yield* handle.readLines();
  } catch (error) {
    if (error instanceof TollkeeperError) throw error;
    throw new TollkeeperError('FILE_UNREADABLE', { file, reason: reasonOf(error) });
  }
}

/** Undefined: the line is no whole record. */
function recordIn(line: string): RecordLine | undefined {
  if (placeOfLine(line) === undefined) return undefined;
  try {
    return JSON.parse(line) as RecordLine;
  } catch {
    return undefined;
  }
}

function recordText(record: ExplainedRecord, currency: TenantCurrency | undefined): string {
  const { id, partition, at, tenant, account, session, kind, number, outcome } = record;
  const plans = [...new Set(record.services.map(({ plan }) => plan))].join(' and ');
  const plan = plans === '' ? '' : `, plan ${printable(plans)}`;
  const what = number === undefined ? kind : `${kind} ${number}`;
  const when = instant(new Date(at).toISOString());
  return [
    `${when}  ${printable(session)}  ${what}: ${outcome}`,
    `  record ${id} of partition ${partition}, account ${account} of ${tenant}${plan}`,
    ...paidLines(record.paid, { currency, timeZone: 'UTC' }),
    ...record.services.flatMap((service) =>
      serviceLines(service, { currency, timeZone: service.timeZone ?? 'UTC' }),
    ),
  ].join('\n');
}

function serviceLines(service: ExplainedService, wording: Wording): string[] {
  const { outcome, unit, used, granted, cost = 0, choice, amounts, remarks } = service;
  const parts = [serviceName(service)];
  if (service.recipients !== undefined) parts.push(recipientsText(service.recipients));
  if (outcome !== 'success') parts.push(outcome);
  const quantity = (units: number) =>
    unit === undefined ? String(units) : shownQuantity(units, unit, wording.currency);
  if (used !== undefined) parts.push(`used ${quantity(used)}`, `cost ${money(cost, wording)}`);
  if (granted !== undefined) parts.push(`granted ${quantity(granted)}`);
  return [
    `  ${parts.join(', ')}`,
    ...(choice === undefined ? [] : choiceLines(choice, wording)).map((line) => `    ${line}`),
    ...amounts.flatMap((amount) => amountText(amount, { unit, wording })),
    ...remarks.map((remark) => `    but ${printable(remark)}`),
  ];
}

/** What each bucket was charged; limits only count it. */
function paidLines(paid: readonly Payment[], wording: Wording): string[] {
  const text = ({ bucket, amount, unit }: Payment): string => {
    if (unit === undefined) return `${amount} of what ${printable(bucket)} counted`;
    const shown =
      unit === 'money' ? money(amount, wording) : shownQuantity(amount, unit, undefined);
    return `${shown} by ${printable(bucket)}`;
  };
  const lines = [
    ['paid', paid.filter(({ isLimit }) => !isLimit)],
    ['counted', paid.filter(({ isLimit }) => isLimit)],
  ] as const;
  return lines.flatMap(([head, some]) =>
    some.length === 0 ? [] : [`  ${head}: ${some.map(text).join(', ')}`],
  );
}

function recipientsText({ count, of = count, called }: RecordedRecipients): string {
  const all = of === count ? `${count} recipients` : `${count} of ${of} recipients`;
  const shown = called.slice(0, MAX_NUMBERS).map(printable).join(' ');
  return shown === '' ? all : `${all} (${shown}${called.length > MAX_NUMBERS ? ' ...' : ''})`;
}

/** Of recipients; `--json` has more of them. */
const MAX_NUMBERS = 5;

const PAID_BY: Readonly<Record<ExplainedAmount['paidBy'], string>> = {
  nobody: 'free of charge',
  units: 'paid by a bucket of their unit',
  unknown: 'it cannot be told how',
  // Where it is told, that stands in place of this.
  money: 'it cannot be told how',
  both: 'it cannot be told how',
};

function amountText(
  amount: ExplainedAmount,
  { unit, wording }: { unit: ExplainedService['unit']; wording: Wording },
): string[] {
  if (unit === undefined) return [];
  const { units, paidFor = 0, paidBy } = amount;
  const lines = amountLines(amount, { unit, wording, otherwise: PAID_BY[paidBy] });
  if (paidBy === 'both')
    lines.push(`  ${shownQuantity(units - paidFor, unit, undefined)} ${PAID_BY.units}`);
  return lines.map((line) => `    ${line}`);
}
