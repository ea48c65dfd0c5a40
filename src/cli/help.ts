/** The help texts: what there is, and for one command how it is called. Lines fit 100 columns. */
import { flagName, type SettingName, table } from '../config.ts';
import type { Command, Flag } from './command.ts';

const COLUMNS = 100;

/** All commands, one a line. */
export function overview(commands: readonly Command[]): string {
  const rows = commands.map(({ name, summary }) => [name, summary] as const);
  return [
    'tollkeeper - charges Diameter credit-control sessions, exactly once, whichever worker they reach',
    '',
    'Usage',
    '  tollkeeper COMMAND [operands] [flags]',
    '',
    'Commands',
    ...columns(rows),
    '',
    'Every command takes --help, and --json to write one JSON object a line. Results go to stdout,',
    'logs to stderr. It exits with 0 if done, 1 if it failed and 2 if it was called wrongly.',
    '',
  ].join('\n');
}

/** One command: its operands, flags and settings with their defaults, and calls that work. */
export function commandHelp(command: Command, settings: readonly SettingName[]): string {
  const { name, summary, usage, details, examples } = command;
  const own = Object.entries(command.flags).map(([flag, spec]) => row(flag, spec));
  const json = ['--json', 'Write results as JSON, one object a line.'] as const;
  const help = ['--help', 'Show this.'] as const;
  const shared = settings.map((setting) => row(setting, table[setting]));
  return [
    `tollkeeper ${name} - ${summary}`,
    '',
    'Usage',
    `  tollkeeper ${[name, usage, '[flags]'].filter((part) => part !== '').join(' ')}`,
    ...(details === undefined ? [] : ['', ...details.split('\n').flatMap(paragraph)]),
    '',
    'Flags',
    ...columns([...own, json, help]),
    ...(shared.length === 0
      ? []
      : ['', 'Settings (in the environment --log-level is TOLLKEEPER_LOG_LEVEL)']),
    ...columns(shared),
    '',
    examples.length === 1 ? 'Example' : 'Examples',
    ...examples.map((example) => `  tollkeeper ${example}`),
    '',
  ].join('\n');
}

function row(name: string, flag: Flag): readonly [string, string] {
  const value = flag.kind.placeholder === undefined ? '' : `=${flag.kind.placeholder}`;
  const unit = flag.unit === undefined ? '' : ` ${flag.unit}`;
  const given = flag.default === undefined ? '' : ` [${String(flag.default)}${unit}]`;
  return [`${flagName(name)}${value}`, `${flag.description}${given}`];
}

/** Two columns; a long left one has its text on the next line. */
function columns(rows: readonly (readonly [string, string])[]): string[] {
  const fits = rows.map(([left]) => left.length).filter((length) => length <= 32);
  const width = Math.max(0, ...fits) + 2;
  return rows.flatMap(([left, right]) => {
    const lines = wrap(right, COLUMNS - width - 2);
    const indented = lines.map((line) => `  ${' '.repeat(width)}${line}`);
    if (left.length + 2 > width) return [`  ${left}`, ...indented];
    return [`  ${left.padEnd(width)}${lines[0]}`, ...indented.slice(1)];
  });
}

/** A line that is too long, in several; one that fits stays as it was written. */
function paragraph(text: string): string[] {
  return text.length > COLUMNS ? wrap(text, COLUMNS) : [text];
}

function wrap(text: string, width: number): string[] {
  const lines: string[] = [''];
  for (const word of text.split(' ')) {
    const line = lines[lines.length - 1]!;
    if (line !== '' && line.length + 1 + word.length > width) lines.push(word);
    else lines[lines.length - 1] = line === '' ? word : `${line} ${word}`;
  }
  return lines;
}
