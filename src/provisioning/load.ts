/** From the text of a provisioning file to what it says, or to everything that is wrong with it. */
import { checkSchema } from './check.ts';
import { compile } from './compile.ts';
import { namesOf } from './names.ts';
import type { Finding, Problem } from './problem.ts';
import type { Provisioning } from './provisioning.ts';
import { readSource } from './source.ts';

export type Loaded = { ok: true; provisioning: Provisioning } | { ok: false; problems: Problem[] };

/**
 * All problems at once, in the order of the file. `fileName` is only named in problems, never
 * opened. Nothing is thrown for anything that a file can say.
 */
export function loadProvisioning(text: string, fileName: string): Loaded {
  const read = readSource(text, fileName);
  if ('problems' in read) return { ok: false, problems: read.problems };
  const { source } = read;
  const { findings, rest } = checkSchema(source.value);
  const all: Finding[] = [...findings];
  if (rest !== undefined) {
    const names = namesOf(source.value);
    const provisioning = compile(rest, { names, report: (finding) => all.push(finding) });
    if (all.length === 0) return { ok: true, provisioning };
  }
  const problems = all.map(source.place);
  problems.sort((a, b) => a.line - b.line || a.column - b.column);
  return { ok: false, problems };
}
