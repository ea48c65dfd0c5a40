/** Reads back what a sink wrote. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface WrittenLine {
  id: string;
  partition: number;
  [member: string]: unknown;
}

/** Every line of a writer's files, oldest file first; a line that is no JSON fails. */
export function writtenLines(directory: string, writer: string): WrittenLine[] {
  return sinkFiles(directory, writer).flatMap((name) => {
    const text = readFileSync(join(directory, name), 'utf8');
    if (text !== '' && !text.endsWith('\n')) throw new Error(`${name} ends in half a line`);
    return text
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as WrittenLine);
  });
}

/** Rotated files in order, then the current one. */
export function sinkFiles(directory: string, writer: string): string[] {
  const names = readdirSync(directory).filter((name) => name.endsWith('.jsonl'));
  const current = `records-${writer}.jsonl`;
  const rotated = names.filter((name) => name.startsWith(`records-${writer}.0`)).sort();
  return names.includes(current) ? [...rotated, current] : rotated;
}
