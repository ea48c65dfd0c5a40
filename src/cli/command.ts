/**
 * What a subcommand is. A file `session-list.ts` in this folder that exports a `command` is
 * `tollkeeper session list`; it is loaded when it is called, by `run.ts`.
 */
import type { SettingName, Settings } from '../config.ts';
import type { Kind, ValueOf } from '../values.ts';

export interface Flag {
  readonly kind: Kind<unknown>;
  /** Absent: `undefined` unless given. */
  readonly default?: unknown;
  readonly unit?: string;
  readonly description: string;
}

/** By name as in code: `dryRun` is `--dry-run`. */
export type Flags = Readonly<Record<string, Flag>>;

export type FlagValues<F extends Flags> = {
  readonly [N in keyof F]:
    | ValueOf<F[N]['kind']>
    | (F[N] extends { readonly default: unknown } ? never : undefined);
};

export interface Command<F extends Flags = Flags> {
  /** One word or two: `audit`, `account show`; the file is named alike. */
  readonly name: string;
  readonly summary: string;
  /** The operands: `FILE`, `[TENANT]` for one that may be left out, `FILE...` for one or more. */
  readonly usage: string;
  /** Further paragraphs for `--help`. */
  readonly details?: string;
  /** At least one call that works, without the leading `tollkeeper`. */
  readonly examples: readonly [string, ...string[]];
  readonly flags: F;
  /** The settings that it needs; without any, it runs whatever the environment says. */
  readonly settings?: readonly SettingName[] | 'all';
  /** Not for people: left out of `tollkeeper --help`. */
  readonly internal?: true;
  /** Returns the exit code, or nothing for 0; a thrown TollkeeperError knows its own. */
  run(call: Call<F>): Promise<number | void> | number | void;
}

export interface Call<F extends Flags = Flags> {
  readonly operands: readonly string[];
  readonly flags: FlagValues<F>;
  readonly settings: Settings;
  readonly json: boolean;
  /** A result: one JSON object a line with `--json`, otherwise what `text` makes of it. */
  result<T>(value: T, text: (value: T) => string): void;
  /** A line on stderr, for whoever watches. */
  note(line: string): void;
}

/** Gives a command its flags' types. */
export function defineCommand<const F extends Flags>(command: Command<F>): Command<F> {
  return command;
}
