/** `tollkeeper trace show`: the requests of a trace or capture, a line each. */

import { describeRequest, requestLineText } from '../trace/describe.ts';
import { ProblemLog } from '../trace/problem.ts';
import { defineCommand } from './command.ts';
import { traceOperand } from './trace-file-operand.ts';

export const command = defineCommand({
  name: 'trace show',
  summary: 'List the credit-control requests of a capture or trace',
  usage: 'FILE',
  details:
    'A line a request: seconds after the first one, session, type and number (T: sent again), ' +
    'and per service the rating group, what was used and what is asked for.',
  examples: ['trace show gateway.tktrace', 'trace show gateway.pcapng --json'],
  flags: {},
  async run(call) {
    const trace = await traceOperand(call.operands[0]!);
    const problems = new ProblemLog();
    let startedAtUs: number | undefined;
    for await (const entry of trace.entries(problems)) {
      startedAtUs ??= entry.atUs;
      call.result(describeRequest(entry, startedAtUs), requestLineText);
    }
    for (const { offset, text } of problems.first) call.note(`at ${offset}: ${text}`);
    if (problems.total > problems.first.length) call.note(`${problems.total} problems in all`);
    return startedAtUs === undefined ? 1 : 0;
  },
});
