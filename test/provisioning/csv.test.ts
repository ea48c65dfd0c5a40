/** CSV by RFC 4180, from chunks that end anywhere. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { CsvReader, type CsvRow, csvLine, MAX_ROW_BYTES } from '../../src/provisioning/csv.ts';

function read(text: string, sizes: readonly number[] = [Number.MAX_SAFE_INTEGER]): CsvRow[] {
  const bytes = Buffer.from(text);
  const reader = new CsvReader();
  const rows: CsvRow[] = [];
  for (let at = 0, i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length]!;
    rows.push(...reader.push(bytes.subarray(at, at + size)));
    at += size;
  }
  return [...rows, ...reader.finish()];
}

const cells = (text: string) => read(text).map((row) => row.cells);

test.each([
  [
    'a,b\nc,d\n',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  [
    'a,b\r\nc,d',
    [
      ['a', 'b'],
      ['c', 'd'],
    ],
  ],
  ['a,"b,1",\n', [['a', 'b,1', '']]],
  ['"say ""hello""",x\n', [['say "hello"', 'x']]],
  ['"two\nlines",x\n', [['two\nlines', 'x']]],
  ['ä,"ö"\n', [['ä', 'ö']]],
  ['\n', [['']]],
  ['', []],
])('%j', (text, expected) => expect(cells(text)).toEqual(expected));

test.each([
  ['a,b\nc,d\n', false],
  ['a,b\r\n', false],
  ['a,b\nc,d', true],
  ['a,b\nc,"d\n', true],
])('%j: the file ends within its last row: %j', (text, isCut) => {
  const [last, ...others] = read(text, [1]).reverse();
  expect(last?.isCut ?? false).toBe(isCut);
  expect(others.filter((row) => row.isCut)).toEqual([]);
});

test('lines and octets are those of the file', () => {
  const rows = read('h\n"two\nlines"\nlast');
  expect(rows.map(({ line, nextLine, end }) => [line, nextLine, end])).toEqual([
    [1, 2, 2],
    [2, 4, 14],
    [4, 5, 18],
  ]);
});

test('whatever is written is read back, wherever the chunks end', () => {
  const row = fc.array(fc.string({ unit: 'grapheme' }), { minLength: 1, maxLength: 5 });
  const sizes = fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(fc.array(row), sizes, (rows, split) => {
      const text = rows.map(csvLine).join('');
      const found = read(text, split);
      expect(found.map((one) => one.cells)).toEqual(rows);
      expect(found.at(-1)?.end ?? 0).toBe(Buffer.byteLength(text));
    }),
  );
});

test('a row is as long as it may be, or too long, wherever the chunks end', () => {
  const row = (length: number) => `a\n${'x'.repeat(length - 1)}\n`;
  for (const sizes of [[MAX_ROW_BYTES * 2], [100_000]]) {
    expect(read(row(MAX_ROW_BYTES), sizes)).toHaveLength(2);
    expect(() => read(row(MAX_ROW_BYTES + 1), sizes)).toThrow('the row at line 2 is longer');
  }
});

test('a quote that is never closed does not take the rest of the file', () => {
  expect(() => read(`a,"b\n${'x'.repeat(MAX_ROW_BYTES)}`)).toThrow('the row at line 1 is longer');
});
