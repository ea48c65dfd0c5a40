/** What a benchmark finds, and how it is shown: a line of text, or one JSON object a line. */

export interface Figure {
  /** The part of the benchmark that found it. */
  bench: string;
  name: string;
  /** The median where there are several samples. */
  value: number;
  unit: string;
  /** The least and the greatest of the samples that `value` is the median of. */
  range?: readonly [number, number];
  /** At most this much is the goal. */
  goal?: number;
  /** Under which conditions, such as `{ durability: 'fsync', outstanding: 200 }`. */
  with?: Readonly<Record<string, string | number>>;
  /** What must be known to read it right. */
  note?: string;
}

/** The median of samples with their range. */
export function median(samples: readonly number[]): Pick<Figure, 'value' | 'range'> {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const value =
    sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  return { value, range: [sorted[0]!, sorted.at(-1)!] };
}

export function asText(figure: Figure): string {
  const { bench, name, value, unit, range, goal, note } = figure;
  const conditions = Object.values(figure.with ?? {}).join(', ');
  const parts = [
    bench.padEnd(9),
    (conditions === '' ? name : `${name} (${conditions})`).padEnd(56),
    `${rounded(value).padStart(9)} ${unit}`,
  ];
  if (range !== undefined) parts.push(`${rounded(range[0])} to ${rounded(range[1])}`);
  if (goal !== undefined) parts.push(value <= goal ? `goal ${goal}: met` : `goal ${goal}: MISSED`);
  if (note !== undefined) parts.push(note);
  return parts.join('  ');
}

/** Three digits, or all of those before the decimal point. */
function rounded(value: number): string {
  const decimals = Math.max(0, 2 - Math.floor(Math.log10(Math.max(Math.abs(value), 0.01))));
  return value.toFixed(Math.min(decimals, 2));
}
