/** Whether an import takes what an export writes: its own reader is asked. */
import type { Configuration } from './configuration.ts';
import { CsvReader } from './csv.ts';
import { accountOfRows, COLUMNS } from './subscriber-rows.ts';

const columns = new Map(COLUMNS.map((name, at) => [name, at]));

/**
 * Why an import refuses the rows of an account that is not there, as the configuration is now;
 * undefined: it takes them. `line` is where the text begins in its file.
 */
export function whyRefused(
  text: string,
  { line, ...by }: { line: number; configuration: Configuration; tenant: string },
): string | undefined {
  try {
    const rows = [...new CsvReader({ line }).push(Buffer.from(text))];
    const read = accountOfRows(rows, { ...by, columns });
    return 'reason' in read ? read.reason : undefined;
  } catch (error) {
    if (error instanceof RangeError) return error.message;
    throw error;
  }
}
