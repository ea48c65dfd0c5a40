/** `tollkeeper trace import`: takes the credit-control requests out of a capture. */
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { TollkeeperError } from '../errors.ts';
import { writeProvisioning } from '../provisioning/write.ts';
import { Fitting } from '../trace/fitting.ts';
import { type Problem, ProblemLog } from '../trace/problem.ts';
import { type TraceEntry, writeTrace } from '../trace/trace-file.ts';
import { path } from '../values.ts';
import { defineCommand } from './command.ts';
import { reasonOf, traceOperand } from './trace-file-operand.ts';

interface Imported {
  requests: number;
  sessions: number;
  seconds: number;
  /** Accounts in the provisioning file; absent without one. */
  accounts?: number;
  /** What the provisioning file could not hold. */
  notes: readonly string[];
  problems: { total: number; first: readonly Problem[] };
}

/** Sessions are counted up to here; beyond, the count would cost more memory than it is worth. */
const maxCounted = 1_000_000;

export const command = defineCommand({
  name: 'trace import',
  summary: 'Take the credit-control requests of a capture into a trace',
  usage: 'CAPTURE TRACE',
  details:
    'CAPTURE is a pcap or pcapng with Diameter over TCP or SCTP. With --provisioning, a file is ' +
    'written that gives every subscriber in it an account and every service a price, so that ' +
    'the trace can be charged at once.',
  examples: ['trace import gateway.pcapng gateway.tktrace --provisioning gateway.yaml'],
  flags: {
    provisioning: { kind: path('FILE'), description: 'Where to write provisioning that fits.' },
  },
  async run(call) {
    const [file = '', target = ''] = call.operands;
    const trace = await traceOperand(file);
    const problems = new ProblemLog();
    const fitting = new Fitting();
    const sessions = new Set<string>();
    const provisioning = call.flags.provisioning;
    let [firstUs, lastUs] = [0, 0];

    async function* watched(): AsyncGenerator<TraceEntry> {
      for await (const entry of trace.entries(problems)) {
        firstUs ||= entry.atUs;
        lastUs = entry.atUs;
        if (sessions.size < maxCounted) sessions.add(entry.session);
        if (provisioning !== undefined) fitting.add(entry);
        yield entry;
      }
    }

    const source = basename(file);
    const requests = await written(target, writeTrace(target, source, watched()));
    if (provisioning !== undefined) {
      const comment = `Fits ${source}: every subscriber and service in it.`;
      const text = writeProvisioning(fitting.file(), comment);
      await written(provisioning, writeFile(provisioning, text));
    }
    const imported: Imported = {
      requests,
      sessions: sessions.size,
      seconds: (lastUs - firstUs) / 1_000_000,
      ...(provisioning === undefined ? {} : { accounts: fitting.accounts }),
      notes: provisioning === undefined ? [] : fitting.notes,
      problems: { total: problems.total, first: problems.first },
    };
    call.result(imported, importedText);
    return requests > 0 ? 0 : 1;
  },
});

async function written<Value>(file: string, writing: Promise<Value>): Promise<Value> {
  try {
    return await writing;
  } catch (error) {
    throw new TollkeeperError('FILE_UNWRITABLE', { file, reason: reasonOf(error) });
  }
}

function importedText(imported: Imported): string {
  const { requests, sessions, seconds, accounts, notes, problems } = imported;
  const of = `${many(requests, 'request')} of ${many(sessions, 'session')}`;
  const lines = [`${of} in ${seconds.toFixed(1)} s`];
  if (accounts !== undefined) lines.push(`${many(accounts, 'account')} provisioned`);
  for (const note of notes) lines.push(`not provisioned: ${note}`);
  if (problems.total > 0) lines.push(`${many(problems.total, 'place')} not understood:`);
  for (const { offset, text } of problems.first) lines.push(`  at ${offset}: ${text}`);
  return lines.join('\n');
}

function many(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`;
}
