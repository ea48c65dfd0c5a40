/** `tollkeeper plan test`: rates requests against a plan, and says how each amount came about. */
import { readFileSync } from 'node:fs';
import type { Plan } from '../charging/plan.ts';
import { decode } from '../diameter/decode.ts';
import { TollkeeperError } from '../errors.ts';
import { renderProblems } from '../provisioning/problem.ts';
import type { Tenant } from '../provisioning/provisioning.ts';
import { readRequests } from '../provisioning/request-file.ts';
import { identify } from '../ro/identify.ts';
import { toEvent, toRequest } from '../ro/request.ts';
import { ProblemLog } from '../trace/problem.ts';
import { openTrace, type Trace } from '../trace/trace.ts';
import type { TraceEntry } from '../trace/trace-file.ts';
import { oneOf, word } from '../values.ts';
import { instant, printable } from './columns.ts';
import { type Call, defineCommand } from './command.ts';
import { shownQuantity } from './currencies.ts';
import { DryRun, type Rated, type RatedService } from './dry-run.ts';
import {
  amountLines,
  choiceLines,
  money,
  plainFigures,
  serviceName,
  type Wording,
} from './explained.ts';
import { readProvisioning } from './provisioned.ts';
import { reasonOf } from './trace-file-operand.ts';

const flags = {
  tenant: {
    kind: word('TENANT'),
    description: 'Whose plan; needed where the file has several tenants.',
  },
  plan: {
    kind: word('PLAN'),
    description: 'The plan; needed where the tenant has several.',
  },
  tariffChange: {
    kind: oneOf('single', 'dual', 'none'),
    default: 'none',
    description: 'How clients in a capture or trace are told of tariff changes.',
  },
} as const;

export const command = defineCommand({
  name: 'plan test',
  summary: 'Rate requests against a plan, and explain every amount',
  usage: 'PROVISIONING REQUESTS',
  details:
    'Says line by line which rule of the plan matches each service, why the others do not, and ' +
    'how the amount came about. Nothing is stored or charged: an account of its own pays, whose ' +
    'money never ends and which has no bundle. No client is asked to report; a grant that its ' +
    'client did not report in its validity, and the grace of the plan, is taken back.\n' +
    'REQUESTS is a capture (pcap, pcapng), a trace, or a YAML file such as\n' +
    '  requests:\n' +
    "    - { at: 2026-06-10T21:50:00+02:00, context: 32260@3gpp.org, called: '4917012345' }\n" +
    '    - { at: 2026-06-10T22:10:00+02:00, used: { seconds: 20 min } }\n' +
    '    - { kind: termination, used: { seconds: 90 s } }\n' +
    'What is left out is as in the request before. A request has: at; session; kind (initial, ' +
    'update, termination, debit, refund, balance-check, price-enquiry); context; apn, rat, ' +
    'visited, called, calling, role; tariffChange (single, dual); and for its service, or for ' +
    'each in a list of `services`: ratingGroup, serviceIdentifier (a list), asks (any, nothing, or ' +
    'amounts by unit), used, usedAfter and usedIndeterminate (amounts by unit).',
  examples: [
    'plan test samples/mvne.yaml requests.yaml --tenant mvno-red',
    'plan test mvne.yaml gateway.pcapng --tenant mvno-blue --plan prepaid-data --json',
  ],
  flags,
  async run(call) {
    const [file, requests] = call.operands as readonly [string, string];
    const tenant = tenantOf(file, call);
    const plan = planOf(tenant, call);
    const { code: currency, digits } = tenant.currency;
    const wording: Wording = { currency: { currency, digits }, timeZone: plan.timeZone };
    const run = new DryRun(plan);
    const total = { requests: 0, cost: 0 };
    const told: Told = new Map();
    for await (const rated of ratedOf(requests, { tenant, run, call })) {
      total.requests++;
      total.cost += rated.cost;
      call.result(plainFigures({ ...rated, at: iso(rated.at) }), () =>
        ratedText(rated, { wording, told }),
      );
    }
    const summary = { ...total, sessions: run.sessions, currency, digits };
    call.result(summary, ({ requests, sessions, cost }) => {
      const of = sessions === 0 ? '' : ` of ${sessions} session${sessions === 1 ? '' : 's'}`;
      return `\n${requests} request${requests === 1 ? '' : 's'}${of}: ${money(cost, wording)}`;
    });
    return total.requests === 0 ? 1 : 0;
  },
});

type PlanTest = Call<typeof flags>;

function tenantOf(file: string, { flags }: PlanTest): Tenant {
  const { tenants } = readProvisioning(file).provisioning;
  const tenant = chosen(tenants, flags.tenant, 'tenant');
  if (tenant === undefined)
    throw new TollkeeperError('TENANT_UNKNOWN', { tenant: flags.tenant ?? '' });
  return tenant;
}

function planOf({ plans }: Tenant, { flags }: PlanTest): Plan {
  const plan = chosen(plans, flags.plan, 'plan');
  if (plan !== undefined) return plan;
  const problem = `tollkeeper plan test: there is no plan ${flags.plan}${among(plans)}`;
  throw new TollkeeperError('COMMAND_LINE_INVALID', { problem });
}

/** The one that is named, or the only one there is; undefined: none is named so. */
function chosen<T extends { id: string }>(
  all: readonly T[],
  name: string | undefined,
  what: string,
): T | undefined {
  if (name !== undefined) return all.find(({ id }) => id === name);
  const [first, ...others] = all;
  if (first !== undefined && others.length === 0) return first;
  const problem = `tollkeeper plan test: --${what} is missing${among(all)}`;
  throw new TollkeeperError('COMMAND_LINE_INVALID', { problem });
}

function among(all: readonly { id: string }[]): string {
  return all.length === 0 ? '' : `: one of ${all.map(({ id }) => id).join(', ')}`;
}

interface Rating {
  tenant: Tenant;
  run: DryRun;
  call: PlanTest;
}

async function* ratedOf(file: string, rating: Rating): AsyncGenerator<Rated> {
  let trace: Trace | undefined;
  try {
    trace = await openTrace(file);
  } catch (error) {
    throw new TollkeeperError('FILE_UNREADABLE', { file, reason: reasonOf(error) });
  }
  if (trace === undefined) yield* ratedOfFile(file, rating);
  else yield* ratedOfTrace(trace, rating);
}

function* ratedOfFile(file: string, { tenant, run }: Rating): Generator<Rated> {
  const content = readFileSync(file, 'utf8');
  const read = readRequests(file, { content, moneyDigits: tenant.currency.digits });
  if ('problems' in read)
    throw new TollkeeperError('REQUESTS_INVALID', {
      file,
      problems: renderProblems(read.problems),
    });
  for (const { at, asked } of read.requests)
    yield asked.kind === 'event' ? run.event(asked.request, at) : run.request(asked.request, at);
}

async function* ratedOfTrace(trace: Trace, rating: Rating): AsyncGenerator<Rated> {
  const problems = new ProblemLog();
  const { call } = rating;
  for await (const entry of trace.entries(problems)) {
    const rated = ratedEntry(entry, rating);
    if (typeof rated === 'string') call.note(`${printable(entry.session)}: ${rated}`);
    else yield rated;
  }
  for (const { offset, text } of problems.first) call.note(`at ${offset}: ${text}`);
  if (problems.total > problems.first.length) call.note(`${problems.total} problems in all`);
}

/** A request of a capture, or why it cannot be rated. */
function ratedEntry(entry: TraceEntry, { tenant, run, call }: Rating): Rated | string {
  const decoded = decode(entry.request);
  if (decoded.name !== 'CCR') return 'not a Credit-Control-Request';
  const identified = identify(decoded.message);
  if (identified === undefined) return 'it does not say which request of which session it is';
  const now = Math.floor(entry.atUs / 1000);
  const { number: code, digits } = tenant.currency;
  const translation = { currency: { code, digits }, now };
  const { message } = decoded;
  if (identified.kind === 'event') {
    const event = toEvent(message, identified, translation);
    return event === undefined ? 'an event without a Requested-Action' : run.event(event, now);
  }
  const { kind } = identified;
  const { tariffChange } = call.flags;
  const request = toRequest(message, { ...identified, kind }, { ...translation, tariffChange });
  // Who is asking makes no difference: the plan is given.
  return run.request({ ...request, subscriber: request.subscriber ?? SOMEBODY }, now);
}

const SOMEBODY = { kind: 'private', id: 'plan test' } as const;

function iso(at: number): string {
  return new Date(at).toISOString();
}

/** By session and service, what was said last of the choice of a rule. */
type Told = Map<string, string>;

function ratedText(rated: Rated, { wording, told }: { wording: Wording; told: Told }): string {
  const { at, session, kind, number, outcome, services, cost } = rated;
  const head = `${instant(iso(at))}  ${printable(session)}  ${kind} ${number}: ${outcome}`;
  const lines = services.flatMap((service) => [
    `  ${serviceText(service, wording)}`,
    ...choiceOf(service, { session, wording, told }).map((line) => `    ${line}`),
    ...amountsOf(service, wording).map((line) => `    ${line}`),
  ]);
  return [`${head}${cost === 0 ? '' : `, ${money(cost, wording)}`}`, ...lines].join('\n');
}

/** Why a rule was chosen, unless it was for the very reasons of the time before. */
function choiceOf(
  service: RatedService,
  { session, wording, told }: { session: string; wording: Wording; told: Told },
): readonly string[] {
  const { choice } = service;
  const key = `${session} ${serviceName(service)}`;
  const reasons = choice.rules.map(({ rule, failed }) => [rule, failed?.condition]);
  const said = JSON.stringify([choice.chosen, reasons]);
  if (told.get(key) === said) return [`rule ${choice.chosen?.rule ?? 'none'}: as before`];
  told.set(key, said);
  return choiceLines(choice, wording);
}

function serviceText(service: RatedService, wording: Wording): string {
  const { outcome, unit, used, granted, cost, validitySeconds, tariffChangeAt } = service;
  const parts = [serviceName(service)];
  if (outcome !== 'success') parts.push(outcome);
  if (used !== undefined) parts.push(`used ${shownQuantity(used, unit, wording.currency)}`);
  if (used !== undefined && used > 0) parts.push(`cost ${money(cost, wording)}`);
  if (service.lapsed) parts.push('after the validity of its grant');
  if (granted !== undefined)
    parts.push(`granted ${shownQuantity(granted, unit, wording.currency)}`);
  if (validitySeconds !== undefined) parts.push(`valid for ${validitySeconds} seconds`);
  if (tariffChangeAt !== undefined) parts.push(`tariff change at ${instant(iso(tariffChangeAt))}`);
  return parts.join(', ');
}

function amountsOf({ unit, amounts }: RatedService, wording: Wording): string[] {
  return unit === undefined
    ? []
    : amounts.flatMap((amount) =>
        amountLines(amount, { unit, wording, otherwise: 'free of charge' }),
      );
}
