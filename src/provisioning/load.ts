/** From the text of a provisioning file to what it says, or to everything that is wrong with it. */
import { checkSchema } from './check.ts';
import { compiling } from './compile.ts';
import { type Names, namesOf } from './names.ts';
import type { Finding, Problem } from './problem.ts';
import type { Provisioning } from './provisioning.ts';
import type { WrittenFile } from './schema.ts';
import { readSource } from './source.ts';
import { atOnce } from './work.ts';

export interface LoadedFile {
  ok: true;
  /** As it was written. */
  written: WrittenFile;
  names: Names;
  provisioning: Provisioning;
}

export type Loaded = LoadedFile | { ok: false; problems: Problem[] };

/**
 * All problems at once, in the order of the file. `fileName` is only named in problems, never
 * opened. Nothing is thrown for anything that a file can say.
 */
export function loadProvisioning(text: string, fileName: string): Loaded {
  const read = readSource(text, fileName);
  if ('problems' in read) return { ok: false, problems: read.problems };
  const { source } = read;
  const loaded = loadWritten(source.value);
  if (loaded.ok) return loaded;
  const problems = loaded.findings.map(source.place);
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, problems };
}

/** The same from plain values, such as JSON: what is wrong has a path and no line. */
export function loadWritten(value: unknown): LoadedFile | { ok: false; findings: Finding[] } {
  const { findings, rest } = checkSchema(value);
  const all: Finding[] = [...findings];
  if (rest !== undefined) {
    const names = namesOf(value);
    const report = (finding: Finding) => all.push(finding);
    const provisioning = atOnce(compiling(rest, { names, report }));
    if (all.length === 0) return { ok: true, written: rest, names, provisioning };
  }
  return { ok: false, findings: all };
}
