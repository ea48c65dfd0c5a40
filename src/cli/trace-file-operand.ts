/** Opens the trace that a command is given as FILE, or says why it cannot. Not a command itself. */
import { TollkeeperError } from '../errors.ts';
import { openTrace, type Trace } from '../trace/trace.ts';

/** Throws FILE_UNREADABLE or TRACE_INVALID. */
export async function traceOperand(file: string): Promise<Trace> {
  let trace: Trace | undefined;
  try {
    trace = await openTrace(file);
  } catch (error) {
    throw new TollkeeperError('FILE_UNREADABLE', { file, reason: reasonOf(error) });
  }
  if (trace !== undefined) return trace;
  const reason = 'it begins like none of the kinds known';
  throw new TollkeeperError('TRACE_INVALID', { file, reason });
}

export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
