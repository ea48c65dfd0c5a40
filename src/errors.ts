/**
 * Every error that a person or a program may meet, in one table: a stable code, what happened, the
 * HTTP status where one can carry it, and what to do. What a Diameter peer is told is not here: those
 * are outcomes and failures (values), not errors that are thrown.
 */

interface ErrorRow {
  /** `{name}` stands for a value that is known only when it happens. */
  readonly text: string;
  /** HTTP status; absent where no HTTP reply can be the messenger. */
  readonly status?: number;
  /** The command line exits with 2 (the caller's mistake) and not with 1 (it failed). */
  readonly usage?: true;
  readonly todo: string;
}

export const errors = {
  COMMAND_LINE_INVALID: {
    text: '{problem}',
    usage: true,
    todo: 'See what the command takes with --help.',
  },
  SETTINGS_INVALID: {
    text: 'The settings do not fit:\n{problems}',
    usage: true,
    todo: 'Correct all of them; `tollkeeper start --help` lists every setting.',
  },
  FILE_UNREADABLE: {
    text: '{file} cannot be read: {reason}',
    usage: true,
    todo: 'Check the path and its permissions.',
  },
  FILE_UNWRITABLE: {
    text: '{file} cannot be written: {reason}',
    todo: 'Check the path, its permissions and the free space.',
  },
  PROVISIONING_INVALID: {
    text: 'The provisioning in {file} does not fit:\n{problems}',
    usage: true,
    todo: 'Correct the lines named; nothing of the file was applied.',
  },
  CONFIGURATION_INVALID: {
    text: 'This version cannot use the configuration in the store: {problems}',
    todo: 'Use the version that wrote it, or a newer one.',
  },
  PEERS_UNFIT: {
    text: 'The peers of the configuration in the store cannot be served: {problems}',
    usage: true,
    todo: 'Start with a corrected provisioning file, or with another --diameter-host.',
  },
  CHANGE_REFUSED: {
    text: 'The change does not fit:\n{problems}',
    status: 422,
    usage: true,
    todo: 'Correct what is named; nothing was changed.',
  },
  CONFIGURATION_MISSING: {
    text: 'This store has no configuration yet',
    status: 409,
    usage: true,
    todo: 'Apply a provisioning file with `tollkeeper provisioning apply`, or start with one.',
  },
  HTTP_TOKENS_INVALID: {
    text: 'The tokens in {file} do not fit:\n{problems}',
    usage: true,
    todo: 'Correct the lines named.',
  },
  IMPORT_INVALID: {
    text: '{file} cannot be imported: {reason}',
    usage: true,
    todo: 'Give CSV with a header; `tollkeeper import --help` names the columns.',
  },
  TRACE_INVALID: {
    text: '{file} is not a trace that can be read: {reason}',
    usage: true,
    todo: 'Give a pcap, a pcapng or a trace that `tollkeeper trace import` wrote.',
  },
  REQUESTS_INVALID: {
    text: 'The requests in {file} do not fit:\n{problems}',
    usage: true,
    todo: 'Correct the lines named; `tollkeeper plan test --help` shows the form.',
  },
  RECORD_UNKNOWN: {
    text: 'There is no record {record} in {where}',
    todo: 'Name the file that has it, or the folder of the files with --record-dir.',
  },
  PORT_UNAVAILABLE: {
    text: '{what} cannot listen on {host}:{port}: {reason}',
    todo: 'Stop what uses the port, or choose another.',
  },
  PEER_UNREACHABLE: {
    text: 'No Diameter connection to {host}:{port}: {reason}',
    todo: 'Check that the server runs and accepts this Origin-Host.',
  },
  WORKER_FAILED: {
    text: 'Worker {worker} ended: {reason}',
    todo: 'Its log lines above say why; the other workers carry on.',
  },
  REDIS_SERVER_MISSING: {
    text: 'No redis-server or valkey-server of version {version} or newer: {reason}',
    todo: 'Install one (Debian: apt-get install redis-server), or name it with --redis-server.',
  },
  REDIS_START_FAILED: {
    text: 'The private Redis did not start: {reason}',
    todo: 'Its last lines stand above; check space, memory and permissions.',
  },
  REDIS_DATA_DAMAGED: {
    text: 'The private Redis cannot read its files in {folder}: {reason}',
    todo: 'Copy the folder away, then let redis-check-aof --fix cut off the incomplete last write.',
  },
  DATA_FOLDER_IN_USE: {
    text: '{folder} is used by another Tollkeeper (process {pid})',
    todo: 'Stop that one, or give this one its own --data-dir.',
  },
  DATA_FOLDER_DURABLE: {
    text: '{folder} holds data that was stored durably; durability "memory" would ignore it',
    usage: true,
    todo: 'Give another --data-dir, or keep --durability=fsync.',
  },
  STORE_UNAVAILABLE: {
    text: 'Redis cannot be used now: {reason}',
    status: 503,
    todo: 'Check that Redis runs and can be reached; the workers go on by themselves when it is back.',
  },
  STORE_OUTCOME_UNKNOWN: {
    text: 'Redis did not say whether it applied the change: {reason}',
    status: 503,
    todo: 'Send the same again, a booking under the same key: it takes effect once.',
  },
  STORE_NOT_DURABLE: {
    text: 'This Redis breaks the durability that is promised:\n{problems}',
    usage: true,
    todo: 'Correct its configuration, or say --lab where losing data is acceptable.',
  },
  STORE_INCOMPATIBLE: {
    text: 'This Redis holds {found}, and not {wanted}',
    usage: true,
    todo: 'Use the partitions and the version that the store was made with, or another Redis.',
  },
  SESSION_UNKNOWN: {
    text: 'There is no session {session}',
    status: 404,
    todo: 'List the open ones with `tollkeeper session list`.',
  },
  SUB_SESSION_NOT_NAMED: {
    text: 'Session {session} has only sub-sessions: {subSessions}',
    status: 409,
    todo: 'Name one of them, such as `?subSessionId=1`.',
  },
  ACCOUNT_UNKNOWN: {
    text: 'There is no account {account}',
    status: 404,
    todo: 'List them with `tollkeeper account list`.',
  },
  TENANT_UNKNOWN: {
    text: 'There is no tenant {tenant}',
    status: 404,
    todo: 'Name one that the provisioning has.',
  },
  TENANT_IN_USE: {
    text: 'Tenant {tenant} has accounts',
    status: 409,
    todo: 'A tenant is taken out when it has none, and when no peer or route names it.',
  },
  PLAN_UNKNOWN: {
    text: 'Tenant {tenant} has no plan {plan}',
    status: 404,
    todo: 'List them with `tollkeeper plan list`.',
  },
  PLAN_VERSION_UNKNOWN: {
    text: 'Version {version} of plan {plan} of tenant {tenant} is not kept',
    status: 404,
    todo: 'See which versions are kept with `tollkeeper plan list`.',
  },
  SUBSCRIBER_UNKNOWN: {
    text: 'No account of the tenant has the subscriber {subscriber}',
    status: 404,
    todo: 'Check kind and number, such as e164:491700000001.',
  },
  BUCKET_IN_USE: {
    text: 'Bucket {bucket} of {account} cannot be taken out: {reason}',
    status: 409,
    todo: 'Empty it by an adjustment, and wait until nothing is reserved.',
  },
  STALE_CHANGE: {
    text: '{what} has been changed by others: it is at {tag} now',
    status: 412,
    todo: 'Read it again, and make the change from what it is now.',
  },
  BUCKET_UNKNOWN: {
    text: 'Account {account} has no bucket {bucket}',
    status: 404,
    todo: 'See its buckets with `tollkeeper account show`.',
  },
  AMOUNT_INVALID: {
    text: 'The amount {amount} cannot be booked: {reason}',
    status: 422,
    usage: true,
    todo: 'Give what the bucket counts, such as 5.00 or 500 MB, within the limits of a balance.',
  },
  KEY_REUSED: {
    text: 'The idempotency key {key} was used for something else',
    status: 409,
    usage: true,
    todo: 'Take a new key for a new change; the old one stands as it was booked.',
  },
  TOO_LATE: {
    text: 'The time for this change ran out before it was stored; nothing was changed',
    status: 503,
    todo: 'Send the same again with the same key.',
  },
  REQUEST_INVALID: {
    text: 'The request does not fit: {problem}',
    status: 400,
    todo: 'The OpenAPI document says what is expected.',
  },
  TOKEN_REQUIRED: {
    text: 'This needs a token',
    status: 401,
    todo: 'Send the header Authorization: Bearer TOKEN.',
  },
  FORBIDDEN: {
    text: 'The token does not allow this',
    status: 403,
    todo: 'Use a token that names the tenant.',
  },
  WRITING_FORBIDDEN: {
    text: 'This changes something, and the caller may only read',
    status: 403,
    todo: 'Use a token with `scope: write`; without a tokens file the HTTP API is read-only.',
  },
  ROUTE_UNKNOWN: {
    text: 'There is nothing at {method} {path}',
    status: 404,
    todo: 'The OpenAPI document lists what there is.',
  },
  NOT_READY: {
    text: 'Not ready: {reason}',
    status: 503,
    todo: 'Wait, or see /readyz.',
  },
  DEFECT: {
    text: 'Something went wrong that should not have: {reason}',
    status: 500,
    todo: 'Report it with the log lines around it.',
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof errors;

/** The names in braces in an error's text. */
type Names<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | Names<Rest>
  : never;

type NamesOf<C extends ErrorCode> = Names<(typeof errors)[C]['text']>;

/** What an error of this code must be told; nothing where its text has no braces. */
export type ErrorDetails<C extends ErrorCode> = [NamesOf<C>] extends [never]
  ? [details?: Record<string, never>, options?: ErrorOptions]
  : [details: Readonly<Record<NamesOf<C>, string | number>>, options?: ErrorOptions];

/** An error from the table. `message` is the text with the details filled in. */
export class TollkeeperError<C extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'TollkeeperError';
  readonly code: C;
  readonly details: Readonly<Record<string, string | number>>;

  constructor(code: C, ...[details, options]: ErrorDetails<C>) {
    const filled: Readonly<Record<string, string | number>> = details ?? {};
    super(
      errors[code].text.replaceAll(/\{(\w+)\}/g, (_, name: string) => String(filled[name] ?? '')),
      options,
    );
    this.code = code;
    this.details = filled;
  }

  /** What the reader can do about it. */
  get todo(): string {
    return errors[this.code].todo;
  }

  /** HTTP status; 500 for an error that no HTTP request should have met. */
  get status(): number {
    const row: ErrorRow = errors[this.code];
    return row.status ?? 500;
  }

  /** What a command that ends with this error exits with. */
  get exitCode(): 1 | 2 {
    const row: ErrorRow = errors[this.code];
    return row.usage === true ? 2 : 1;
  }
}

/** The table as Markdown, as the README shows it. */
export function errorsTable(): string {
  const rows = Object.entries<ErrorRow>(errors).map(([code, { text, status, usage, todo }]) => {
    const line = text.replaceAll('\n', ' ').replaceAll('|', '\\|');
    return `| \`${code}\` | ${line} | ${status ?? ''} | ${usage ? 2 : 1} | ${todo} |`;
  });
  const head = [
    '| code | what happened | HTTP | exit | what to do |',
    '| --- | --- | --- | --- | --- |',
  ];
  return [...head, ...rows].join('\n');
}
