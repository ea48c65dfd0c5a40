/** What is wrong with a provisioning file, each with its place: told all at once, not one by one. */

/** Members and indices from the top of the file to a value. */
export type Path = readonly (string | number)[];

export interface Problem {
  file: string;
  /** Both from 1. */
  line: number;
  column: number;
  /** The path of the value, such as `tenants[0].plans[1].id`; empty for the file as a whole. */
  field: string;
  found: string;
  expected: string;
}

/** What a check reports: `at: 'key'` points at the member's name instead of its value. */
export interface Finding {
  path: Path;
  at?: 'key';
  found: string;
  expected: string;
}

/** `tenants[0].plans[1].id` */
export function fieldOf(path: Path): string {
  let text = '';
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`;
    else if (/^[A-Za-z0-9_-]+$/.test(step)) text += text === '' ? step : `.${step}`;
    else text += `[${show(step)}]`;
  }
  return text;
}

/** A value of the file as a problem shows it: short, on one line. */
export function show(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return Object.keys(value).length === 0 ? '{}' : 'members';
  if (typeof value !== 'string') return String(value);
  const text = JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"');
  return `'${text.length > 60 ? `${text.slice(0, 57)}...` : text}'`;
}

/** One line a problem: `file:line:column: field: found ..., expected ...`. */
export function renderProblems(problems: readonly Problem[]): string {
  return problems
    .map(({ file, line, column, field, found, expected }) => {
      const place = `${file}:${line}:${column}: ${field === '' ? '' : `${field}: `}`;
      return `${place}found ${found}, expected ${expected}`;
    })
    .join('\n');
}
