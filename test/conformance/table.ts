/**
 * Builds `docs/conformance.md` out of the rows, the deviations and the titles of the tests: a
 * title that begins with row ids proves them.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { base } from './base.ts';
import { creditControl } from './credit-control.ts';
import { deviations } from './deviations.ts';
import { gy } from './gy.ts';
import type { Row } from './row.ts';

const root = join(import.meta.dirname, '..', '..');
export const documentFile = join(root, 'docs', 'conformance.md');

export interface Chapter {
  title: string;
  rows: readonly Row[];
}

/** Rows of the base protocol that this version answers for, whatever else it has tests for. */
function isDue({ id }: Row): boolean {
  if (!id.startsWith('B')) return true;
  const number = Number(id.slice(2));
  return number <= 131 || (number >= 140 && number <= 166);
}

export const chapters: readonly Chapter[] = [
  { title: 'Diameter base protocol (RFC 6733, RFC 3539)', rows: base },
  { title: 'Credit control (RFC 8506)', rows: creditControl },
  { title: 'Gy and Ro (TS 32.299)', rows: gy },
];

/** A test that proves a row: its title without the ids, and its file. */
export interface Proof {
  title: string;
  file: string;
}

/**
 * The tests that prove each row. A title is any text that begins with ids, `B-043 B-044 a length
 * ...`, because it may also stand in the table of a `test.each`; in a scenario it is a comment at
 * the head of the file.
 */
export function provenRows(): Map<string, Proof[]> {
  const proven = new Map<string, Proof[]>();
  for (const file of testFiles(join(root, 'test'))) {
    const text = readFileSync(file, 'utf8');
    const titles = file.endsWith('.txt') ? SCENARIO_TITLE : TEST_TITLE;
    for (const [, , lead = '', rest = ''] of text.matchAll(titles)) {
      const proof = { title: rest.trim(), file: relative(root, file) };
      for (const id of lead.match(/[BCG]-\d{3}/g) ?? [])
        proven.set(id, [...(proven.get(id) ?? []), proof]);
    }
  }
  return proven;
}

const TEST_TITLE = /(['"`])((?:[BCG]-\d{3}[,:]? )+)((?:\\.|(?!\1)[^\\\n])*)\1/g;
const SCENARIO_TITLE = /^(# )((?:[BCG]-\d{3}[,:]? )+)(.*)$/gm;

function testFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') || /scenarios.*\.txt$/.test(name))
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
    'test/conformance` writes it anew. A row is proved by the tests whose titles begin with its id,',
    'or it deviates for the reason given.',
  ];
  for (const { title, rows: all } of chapters) {
    const rows = all.filter((row) => isDue(row) || proven.has(row.id) || deviations[row.id]);
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

function lineOf({ id, clause, strength, requirement }: Row, proofs: readonly Proof[] = []): string {
  const deviation = deviations[id];
  const met = deviation === undefined ? [] : [`**Deviation:** ${deviation}`];
  for (const file of new Set(proofs.map((proof) => proof.file))) {
    const titles = proofs.filter((proof) => proof.file === file).map(({ title }) => title);
    met.push(`\`${file}\`: ${[...new Set(titles)].map(inCell).join('; ')}`);
  }
  const cells = [id, clause, strength, requirement].map(inCell);
  return `| ${cells.join(' | ')} | ${met.join('<br>') || '**open**'} |`;
}

function inCell(text: string): string {
  return text.replaceAll('|', '\\|').replaceAll(/\\(['"`])/g, '$1');
}
