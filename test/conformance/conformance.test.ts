/** Keeps `docs/conformance.md` true: every row has a test or a reason, and the document says so. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { deviations } from './deviations.ts';
import { chapters, conformanceDocument, documentFile, openRows, provenRows } from './table.ts';

const known = new Set(chapters.flatMap(({ rows }) => rows.map(({ id }) => id)));

test('no row is open', () => {
  expect(openRows()).toEqual([]);
});

test('no deviation is of a row that does not exist', () => {
  expect(Object.keys(deviations).filter((id) => !known.has(id))).toEqual([]);
});

test('no two rows have one id', () => {
  const ids = chapters.flatMap(({ rows }) => rows.map(({ id }) => id));
  expect(new Set(ids).size).toBe(ids.length);
});

test('tests name rows that exist', () => {
  const chapterOf = new Set([...known].map((id) => id[0]));
  const unknown = [...provenRows().keys()].filter(
    (id) => chapterOf.has(id[0] ?? '') && !known.has(id),
  );
  expect(unknown).toEqual([]);
});

test('docs/conformance.md says what the tests say', () => {
  const document = conformanceDocument();
  if (process.env.UPDATE === '1') writeFileSync(documentFile, document);
  else expect(readFileSync(documentFile, 'utf8')).toBe(document);
});
