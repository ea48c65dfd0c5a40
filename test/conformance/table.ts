/**
 * Builds `docs/conformance.md` out of the rows, the deviations and the titles of the tests: a
 * title that begins with row ids proves them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { base } from './base.ts';
import { deviations } from './deviations.ts';
import type { Row } from './row.ts';

const root = join(import.meta.dirname, '..', '..');
export const documentFile = join(root, 'docs', 'conformance.md');

export interface Chapter {
  title: string;
  rows: readonly Row[];
}

/** Rows of the base protocol that this version answers for, whatever else it has tests for. */
function isDue({ id }: Row): boolean {
  const number = Number(id.slice(2));
  return number <= 131 || (number >= 140 && number <= 166);
}

export const chapters: readonly Chapter[] = [
  { title: 'Diameter base protocol (RFC 6733, RFC 3539)', rows: base },
];

/**
 * The files whose tests prove each row. A title is any text that begins with ids, `B-043 B-044 a
 * length ...`, because it may also stand in the table of a `test.each`.
 */
export function provenRows(): Map<string, Set<string>> {
  const proven = new Map<string, Set<string>>();
  for (const file of testFiles(join(root, 'test'))) {
    const text = readFileSync(file, 'utf8');
    for (const [, lead = ''] of text.matchAll(/['"`]((?:[BCG]-\d{3}[,:]? )+)/g)) {
      for (const id of lead.match(/[BCG]-\d{3}/g) ?? []) {
        const files = proven.get(id) ?? new Set();
        files.add(relative(root, file));
        proven.set(id, files);
      }
    }
  }
  return proven;
}

function testFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => join(folder, name))
    .sort();
}

/** Rows with neither a test nor a deviation. */
export function openRows(): string[] {
  const proven = provenRows();
  return chapters
    .flatMap(({ rows }) => rows)
    .filter((row) => isDue(row) && !proven.has(row.id) && deviations[row.id] === undefined)
    .map(({ id }) => id);
}

/** The document, as it should be. */
export function conformanceDocument(): string {
  const proven = provenRows();
  const lines = [
    '# Conformance',
    '',
    'Made from the rows in `test/conformance` and the titles of the tests; `UPDATE=1 npx vitest run',
    'test/conformance` writes it anew. A row is proved by the tests that begin with its id, or it',
    'deviates for the reason given.',
  ];
  for (const { title, rows: all } of chapters) {
    const rows = all.filter((row) => isDue(row) || proven.has(row.id));
    const deviating = rows.filter(({ id }) => deviations[id] !== undefined).length;
    const tested = rows.filter(({ id }) => proven.has(id)).length;
    lines.push('', `## ${title}`, '');
    lines.push(`${rows.length} rows: ${tested} with tests, ${deviating} deviating.`, '');
    lines.push('| row | clause | strength | requirement | how it is met |');
    lines.push('| --- | --- | --- | --- | --- |');
    for (const row of rows) lines.push(lineOf(row, proven.get(row.id)));
  }
  return `${lines.join('\n')}\n`;
}

function lineOf({ id, clause, strength, requirement }: Row, files?: ReadonlySet<string>): string {
  const deviation = deviations[id];
  const met = [
    ...(deviation === undefined ? [] : [`**Deviation:** ${deviation}`]),
    ...[...(files ?? [])].map((file) => `\`${file}\``),
  ];
  return `| ${id} | ${clause} | ${strength} | ${requirement} | ${met.join('<br>') || '**open**'} |`;
}
