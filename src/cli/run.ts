/**
 * How a command line becomes a call of a command. Results go to stdout, everything else to stderr;
 * 0: done, 1: failed, 2: called wrongly.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import {
  flagName,
  parseSettings,
  type SettingName,
  type Settings,
  settingNames,
  table,
} from '../config.ts';
import { TollkeeperError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import type { Kind } from '../values.ts';
import type { Call, Command } from './command.ts';
import { commandHelp, overview } from './help.ts';

export interface CommandLine {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** Where the commands are; this folder unless a test says otherwise. */
  readonly folder?: URL;
}

/** Runs one command line; returns the exit code and never throws. */
export async function runCommandLine(line: CommandLine): Promise<number> {
  const flagsEnd = line.argv.indexOf('--');
  const words = flagsEnd < 0 ? line.argv : line.argv.slice(0, flagsEnd);
  const json = words.includes('--json');
  try {
    return await dispatch(line);
  } catch (error) {
    line.stderr(`${json ? JSON.stringify(errorJson(error)) : errorText(error)}\n`);
    return error instanceof TollkeeperError ? error.exitCode : 1;
  }
}

async function dispatch(line: CommandLine): Promise<number> {
  const { argv } = line;
  const folder = line.folder ?? new URL('./', import.meta.url);
  const [first = '--help'] = argv;
  if (first === '--version') {
    line.stdout(`${version()}\n`);
    return 0;
  }
  const names = commandNames(folder);
  if (first === 'help' || isHelp(first)) {
    line.stdout(overview(await loadAll(folder, names)));
    return 0;
  }
  for (const length of [2, 1]) {
    const name = argv.slice(0, length).join(' ');
    const command = names.includes(name) ? await load(folder, name) : undefined;
    if (command !== undefined) return await call(command, argv.slice(length), line);
  }

  const group = names.filter((name) => name.startsWith(`${first} `));
  if (group.length > 0 && argv.slice(1).some(isHelp)) {
    line.stdout(overview(await loadAll(folder, group)));
    return 0;
  }
  if (group.length > 0) throw wrong(`${first} is followed by one of: ${lastWords(group)}`);
  const near = nearest(argv.slice(0, 2).join(' '), names) ?? nearest(first, names);
  throw wrong(`${first} is not a command${near === undefined ? '' : `; did you mean ${near}?`}`);
}

async function call(command: Command, argv: readonly string[], line: CommandLine): Promise<number> {
  const words = readWords(command, argv);
  if (words.help) {
    line.stdout(commandHelp(command, settingsOf(command)));
    return 0;
  }
  return (await command.run(makeCall(command, words, line))) ?? 0;
}

/** `session-list.ts` may be `session list`; whether it is a command, its exports say. */
function commandNames(folder: URL): string[] {
  const own = new Set(['command', 'help', 'run']);
  return readdirSync(folder)
    .filter((file) => extname(file) === extname(import.meta.url))
    .map((file) => file.slice(0, -extname(file).length))
    .filter((name) => /^[a-z]+(-[a-z]+)?$/.test(name) && !own.has(name))
    .map((name) => name.replace('-', ' '))
    .sort();
}

async function load(folder: URL, name: string): Promise<Command | undefined> {
  const file = new URL(`${name.replace(' ', '-')}${extname(import.meta.url)}`, folder);
  const loaded = (await import(file.href)) as { command?: Command };
  return loaded.command;
}

async function loadAll(folder: URL, names: readonly string[]): Promise<Command[]> {
  const commands = await Promise.all(names.map((name) => load(folder, name)));
  return commands.filter((command) => command !== undefined).filter(({ internal }) => !internal);
}

function lastWords(group: readonly string[]): string {
  return group.map((name) => name.split(' ').at(-1)).join(', ');
}

interface Words {
  readonly help: boolean;
  readonly json: boolean;
  readonly operands: readonly string[];
  readonly flags: ReadonlyMap<string, string>;
  /** Flags of the settings table, as `--name=value`. */
  readonly settings: readonly string[];
}

/** Sorts the words into operands and flags; every word that fits nowhere is named at once. */
function readWords(command: Command, argv: readonly string[]): Words {
  const problems: string[] = [];
  const operands: string[] = [];
  const flags = new Map<string, string>();
  const settings: string[] = [];
  const known = knownFlags(command);
  const taken = new Set(settingsOf(command).map(flagName));
  let [help, json] = [false, false];

  for (let at = 0; at < argv.length; at++) {
    const word = argv[at]!;
    if (word === '--') {
      operands.push(...argv.slice(at + 1));
      break;
    }
    // "-" is a file name to many tools, "-5" an amount.
    if (!word.startsWith('-') || /^-(\d|$)/.test(word)) {
      operands.push(word);
      continue;
    }
    if (isHelp(word)) {
      help = true;
      continue;
    }
    if (word === '--json') {
      json = true;
      continue;
    }
    const equals = word.indexOf('=');
    const flag = equals < 0 ? word : word.slice(0, equals);
    const kind = known.get(flag);
    if (kind === undefined) {
      const near = nearest(flag, [...known.keys(), '--json', '--help']);
      problems.push(
        `${flag} is not a flag of it${near === undefined ? '' : `; did you mean ${near}?`}`,
      );
      continue;
    }
    let text = equals < 0 ? undefined : word.slice(equals + 1);
    if (text === undefined && kind.placeholder === undefined) text = 'true';
    if (text === undefined && argv[at + 1]?.startsWith('--') === false) text = argv[++at];
    if (text === undefined) problems.push(`${flag} needs a value: ${kind.expects}`);
    else if (taken.has(flag)) settings.push(`${flag}=${text}`);
    else if (flags.has(flag)) problems.push(`${flag} is given more than once`);
    else flags.set(flag, text);
  }

  if (!help) problems.push(...operandProblems(command.usage, operands));
  if (problems.length > 0) throw wrong(`tollkeeper ${command.name}: ${problems.join('; ')}`);
  return { help, json, operands, flags, settings };
}

function makeCall(command: Command, words: Words, line: CommandLine): Call {
  const values: Record<string, unknown> = {};
  const problems: string[] = [];
  for (const [name, flag] of Object.entries(command.flags)) {
    const text = words.flags.get(flagName(name));
    values[name] = text === undefined ? flag.default : flag.kind.parse(text);
    if (text !== undefined && values[name] === undefined) {
      problems.push(`${flagName(name)} must be ${flag.kind.expects}, not "${text}"`);
    }
  }
  if (problems.length > 0) throw wrong(`tollkeeper ${command.name}: ${problems.join('; ')}`);

  const settings =
    command.settings === undefined
      ? undefined
      : checkedSettings({ env: line.env, flags: words.settings });
  return {
    operands: words.operands,
    flags: values,
    json: words.json,
    get settings() {
      if (settings === undefined) throw new Error(`${command.name} declares no settings`);
      return settings;
    },
    result: (value, text) => line.stdout(`${words.json ? JSON.stringify(value) : text(value)}\n`),
    note: (text) => line.stderr(`${text}\n`),
  };
}

function checkedSettings(from: Parameters<typeof parseSettings>[0]): Settings {
  const parsed = parseSettings(from);
  if (parsed.settings !== undefined) return parsed.settings;
  const problems = parsed.problems.map(({ where, problem }) => `  ${where}: ${problem}`);
  throw new TollkeeperError('SETTINGS_INVALID', { problems: problems.join('\n') });
}

/** The settings that a command takes as flags. */
function settingsOf(command: Command): readonly SettingName[] {
  return command.settings === 'all' ? settingNames : (command.settings ?? []);
}

function knownFlags(command: Command): Map<string, Kind<unknown>> {
  const own = Object.entries(command.flags).map(([name, { kind }]) => [name, kind] as const);
  const settings = settingsOf(command).map((name) => [name, table[name].kind] as const);
  return new Map([...own, ...settings].map(([name, kind]) => [flagName(name), kind]));
}

const isHelp = (word: string) => word === '--help' || word === '-h';

function operandProblems(usage: string, operands: readonly string[]): string[] {
  const names = usage.split(' ').filter((name) => name !== '');
  const required = names.filter((name) => !name.startsWith('['));
  const missing = required.slice(operands.length).map((name) => `${name} is missing`);
  const endless = names.some((name) => name.includes('...'));
  const extra = endless ? [] : operands.slice(names.length).map((word) => `"${word}" is too much`);
  return [...missing, ...extra];
}

function wrong(problem: string): TollkeeperError {
  return new TollkeeperError('COMMAND_LINE_INVALID', { problem });
}

function errorText(error: unknown): string {
  if (error instanceof TollkeeperError) return `${error.message}\n${error.todo} (${error.code})`;
  const defect = new TollkeeperError('DEFECT', { reason: String(error) });
  const stack = error instanceof Error ? `\n${error.stack}` : '';
  return `${defect.message}\n${defect.todo} (${defect.code})${stack}`;
}

function errorJson(error: unknown): object {
  const { code, message, todo } =
    error instanceof TollkeeperError
      ? error
      : new TollkeeperError('DEFECT', { reason: String(error) });
  return { code, message, todo };
}

/** The version of this package. */
export function version(): string {
  const file = new URL('../../package.json', import.meta.url);
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}
