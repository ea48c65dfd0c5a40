/** A part of the configuration, or an account, in a file of its own: YAML, or JSON, which is YAML. */
import { readFileSync } from 'node:fs';
import { TollkeeperError } from '../errors.ts';
import { renderProblems } from '../provisioning/problem.ts';
import { readSource } from '../provisioning/source.ts';

/** What it says, with its id. Throws FILE_UNREADABLE, and PROVISIONING_INVALID where it has none. */
export function readWritten(file: string): { id: string; value: object } {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new TollkeeperError('FILE_UNREADABLE', { file, reason: (error as Error).message });
  }
  const read = readSource(text, file);
  const invalid = (problems: string) =>
    new TollkeeperError('PROVISIONING_INVALID', { file, problems });
  if ('problems' in read) throw invalid(renderProblems(read.problems));
  const { value } = read.source;
  const id =
    typeof value === 'object' && value !== null ? (value as { id?: unknown }).id : undefined;
  if (typeof id === 'string') return { id, value: value as object };
  const place = read.source.place({
    path: ['id'],
    found: 'nothing',
    expected: 'members with an id',
  });
  throw invalid(renderProblems([place]));
}
