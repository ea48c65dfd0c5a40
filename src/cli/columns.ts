/** Tables for people: columns as wide as what is in them. */

export interface Column<Row> {
  head: string;
  /** Figures stand to the right. */
  right?: true;
  cell(row: Row): string;
}

export function table<Row>(rows: readonly Row[], columns: readonly Column<Row>[]): string {
  const lines = [
    columns.map(({ head }) => head),
    ...rows.map((row) => columns.map(({ cell }) => printable(cell(row)))),
  ];
  const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)));
  return lines
    .map((line) =>
      line
        .map((text, at) =>
          columns[at]!.right ? text.padStart(widths[at]!) : text.padEnd(widths[at]!),
        )
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** `2026-01-02 03:04:05Z` */
export function instant(iso: string): string {
  return iso.replace('T', ' ').replace(/\.\d+/, '');
}

/** What came from a client cannot move the cursor of who looks at it. */
export function printable(text: string): string {
  return text.replaceAll(/\p{Cc}/gu, '\ufffd');
}
