/**
 * Loads the scripts of `lua/`. Each file's header is its contract (KEYS, ARGV, REPLY); each script
 * is declared once in TypeScript with named keys and arguments, and a header, a declaration or a
 * first line of code that differ from each other stop the start.
 */
import { hash } from 'node:crypto';
import { readFileSync } from 'node:fs';

export interface Declaration<Key extends string, Optional extends string, Arg extends string> {
  keys: readonly Key[];
  /** Keys that may be left out from some point on. */
  optional?: readonly Optional[];
  /** What is repeated after the keys. */
  restKeys?: readonly string[];
  args: readonly Arg[];
  /** What is repeated after the arguments. */
  rest?: readonly string[];
  /** Members of the reply, or its alternatives; `{name}` is repeated. */
  reply: string | readonly string[];
}

export interface Script<
  Key extends string = string,
  Optional extends string = string,
  Arg extends string = string,
> {
  name: string;
  source: string;
  /** SHA-1 of the source, by which Redis knows it. */
  sha: string;
  keys: readonly Key[];
  optional: readonly Optional[];
  args: readonly Arg[];
}

/** Reads a script and holds its header against the declaration; throws when they differ. */
export function loadScript<
  const Key extends string,
  const Arg extends string,
  const Optional extends string = never,
>(file: URL, declaration: Declaration<Key, Optional, Arg>): Script<Key, Optional, Arg> {
  const source = readFileSync(file, 'utf8');
  const name = file.pathname.replace(/^.*\/|\.lua$/g, '');
  const wrong = contractProblem(source, declaration);
  if (wrong !== undefined) throw new Error(`${name}.lua: ${wrong}`);
  const { keys, optional = [], args } = declaration;
  return { name, source, sha: hash('sha1', source), keys, optional, args };
}

function contractProblem(
  source: string,
  {
    keys,
    optional = [],
    restKeys = [],
    args,
    rest = [],
    reply,
  }: Declaration<string, string, string>,
): string | undefined {
  const lines = source.split('\n');
  if (lines[0] !== '#!lua') return 'the first line is not #!lua';
  const expected = {
    KEYS: [...keys, ...bracketed('[]', optional), ...bracketed('{}', restKeys)].join(' '),
    ARGV: [...args, ...bracketed('{}', rest)].join(' '),
    REPLY: typeof reply === 'string' ? reply : reply.join(' | '),
  };
  for (const [part, contract] of Object.entries(expected)) {
    const line = lines.find((text) => text.startsWith(`-- ${part}`));
    if (line === undefined) return `no ${part} in the header`;
    const written = line.slice(`-- ${part}`.length).trim();
    if (written !== contract) return `${part} is "${written}", declared as "${contract}"`;
  }
  const code = source.replace(/^(#|--).*\n/gm, '').replace(/\s+/g, ' ');
  const names = `local ${[...keys, ...optional].join(', ')} = unpack(KEYS)`;
  if (!code.startsWith(names)) return `its code does not start with "${names}"`;
  const figures = `local ${args.join(', ')} = unpack(ARGV`;
  if (args.length > 0 && !code.includes(figures)) return `its code has no "${figures}"`;
  return undefined;
}

const bracketed = (brackets: string, names: readonly string[]): string[] =>
  names.length === 0 ? [] : [`${brackets.charAt(0)}${names.join(' ')}${brackets.charAt(1)}`];
