/** `tollkeeper record explain`: how the amounts of past records came about. */
import { readdirSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plan } from '../charging/plan.ts';
import { TollkeeperError } from '../errors.ts';
import type { Tenant } from '../provisioning/provisioning.ts';
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
import {
  type ExplainedAmount,
  type ExplainedRecord,
  type ExplainedService,
  PastRecords,
  type RecordLine,
} from './past-records.ts';
import { readProvisioning, sampleProvisioning } from './provisioned.ts';
import { reasonOf } from './trace-file-operand.ts';

const flags = {
  partition: {
    kind: integer({ min: 0, max: 65_535 }),
    description: 'With an id that several partitions have: whose record is meant.',
  },
  session: { kind: word('SESSION-ID'), description: 'Only the records of this session.' },
  plan: {
    kind: word('PLAN'),
    description: "The plan to explain by; by default that of the record's account.",
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
    'The plan is that of the provisioning file. Where it has changed since, or where the records ' +
    "do not reach back to a session's beginning, that is said.",
  examples: [
    'record explain 1-42 --partition 17 --data-dir /var/lib/tollkeeper',
    'record explain records-worker-1.jsonl --session "pgw01;1700000000;42" --json',
  ],
  flags,
  settings: ['provisioningFile', 'dataDir', 'recordDir'],
  async run(call) {
    const [operand] = call.operands as readonly [string];
    const { tenants } = readProvisioning(
      call.settings.provisioningFile ?? sampleProvisioning,
    ).provisioning;
    const plans = new Plans(tenants, call.flags.plan);
    const past = new PastRecords((record) => plans.of(record));
    const isId = /^\d{1,16}-\d{1,16}$/.test(operand);
    const source = isId ? sessionOf(operand, call) : recordsOf(operand, call);
    let count = 0;
    for await (const record of source) {
      const explained = past.explain(record);
      if (explained === undefined || (isId && explained.id !== operand)) continue;
      count++;
      const at = new Date(explained.at).toISOString();
      const wording = plans.wordingFor(record);
      call.result(plainFigures({ ...explained, at }), () => recordText(explained, wording));
    }
    if (count > 0) return 0;
    call.note(isId ? `record ${operand} is not about the use of a service` : 'no such record');
    return 1;
  },
});

type Explaining = Call<typeof flags>;

/** Which plan a record's account has, and how its tenant's money is written. */
class Plans {
  readonly #tenants: ReadonlyMap<string, Tenant>;
  readonly #named: string | undefined;
  readonly #byAccount = new Map<string, string | undefined>();

  constructor(tenants: readonly Tenant[], named: string | undefined) {
    this.#tenants = new Map(tenants.map((tenant) => [tenant.id, tenant]));
    this.#named = named;
  }

  of({ tenant: id, account }: RecordLine): Plan {
    const tenant = this.#tenants.get(id);
    if (tenant === undefined) throw new TollkeeperError('TENANT_UNKNOWN', { tenant: id });
    const name = this.#named ?? this.#planOf(tenant, account);
    const plan = tenant.plans.find((plan) => plan.id === name);
    if (plan !== undefined) return plan;
    const which =
      name === undefined
        ? `the provisioning does not have account ${account}; name the plan with --plan`
        : `tenant ${id} has no plan ${name}`;
    throw new TollkeeperError('COMMAND_LINE_INVALID', {
      problem: `tollkeeper record explain: ${which}`,
    });
  }

  wordingFor(record: RecordLine): Wording {
    const currency = this.#tenants.get(record.tenant)?.currency;
    return {
      currency: currency && { currency: currency.code, digits: currency.digits },
      timeZone: this.of(record).timeZone,
    };
  }

  #planOf(tenant: Tenant, account: string): string | undefined {
    if (tenant.plans.length === 1) return tenant.plans[0]?.id;
    const key = `${tenant.id} ${account}`;
    if (!this.#byAccount.has(key)) this.#byAccount.set(key, planIn(tenant, account));
    return this.#byAccount.get(key);
  }
}

function planIn({ accounts }: Tenant, account: string): string | undefined {
  if (!accounts.has(account)) return undefined;
  for (const { definition } of accounts) if (definition.account === account) return definition.plan;
  return undefined;
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

function recordText(record: ExplainedRecord, wording: Wording): string {
  const { id, partition, at, tenant, account, plan, session, kind, number, outcome } = record;
  const what = number === undefined ? kind : `${kind} ${number}`;
  const when = instant(new Date(at).toISOString());
  return [
    `${when}  ${printable(session)}  ${what}: ${outcome}`,
    `  record ${id} of partition ${partition}, account ${account} of ${tenant}, plan ${plan}`,
    ...record.services.flatMap((service) => serviceLines(service, wording)),
  ].join('\n');
}

function serviceLines(service: ExplainedService, wording: Wording): string[] {
  const { outcome, unit, used, granted, cost = 0, choice, amounts, remarks } = service;
  const parts = [serviceName(service)];
  if (outcome !== 'success') parts.push(outcome);
  const quantity = (units: number) =>
    unit === undefined ? String(units) : shownQuantity(units, unit, wording.currency);
  if (used !== undefined) parts.push(`used ${quantity(used)}`, `cost ${money(cost, wording)}`);
  if (granted !== undefined) parts.push(`granted ${quantity(granted)}`);
  return [
    `  ${parts.join(', ')}`,
    ...choiceLines(choice, wording).map((line) => `    ${line}`),
    ...amounts.flatMap((amount) => amountText(amount, { unit, wording })),
    ...remarks.map((remark) => `    but ${printable(remark)}`),
  ];
}

const PAID_BY: Readonly<Record<ExplainedAmount['paidBy'], string>> = {
  nobody: 'free of charge',
  units: 'paid by a bucket of their unit',
  unknown: 'it cannot be told how',
  money: '',
  both: '',
};

function amountText(
  amount: ExplainedAmount,
  { unit, wording }: { unit: ExplainedService['unit']; wording: Wording },
): string[] {
  if (unit === undefined) return [];
  const { units, paidFor, paidBy } = amount;
  const lines = amountLines(amount, { unit, wording, otherwise: PAID_BY[paidBy] });
  if (paidBy === 'both')
    lines.push(`  ${shownQuantity(units - paidFor, unit, undefined)} ${PAID_BY.units}`);
  return lines.map((line) => `    ${line}`);
}
