/**
 * Every setting, in one table: what it is called, what it may be, what it is if nobody says, and why
 * one would change it. The environment (`TOLLKEEPER_REDIS_URL`) and the command line (`--redis-url`)
 * are two spellings of the same name; a flag wins over the environment.
 */
import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { nearest } from './nearest.ts';
import {
  diameterIdentity,
  host,
  integer,
  ipAddresses,
  type Kind,
  oneOf,
  onOff,
  path,
  redisUrl,
  type ValueOf,
} from './values.ts';

interface Setting {
  readonly kind: Kind<unknown>;
  /** Absent: the setting is `undefined` unless given, and the description says what that means. */
  readonly default?: unknown;
  readonly unit?: string;
  readonly description: string;
}

const port = integer({ min: 0, max: 65_535 });
const days = 86_400;

/** Names end in their unit. A description is one sentence of what changes when the value does. */
export const table = {
  redisUrl: {
    kind: redisUrl(),
    description: 'The Redis that holds sessions, money and timers; unset: a private one is run.',
  },
  dataDir: {
    kind: path('FOLDER'),
    default: 'data',
    description: 'Where the private Redis and the records keep their files.',
  },
  redisServer: {
    kind: path('FILE'),
    description: 'The redis-server or valkey-server to run privately; unset: found on the PATH.',
  },
  redisMemoryMegabytes: {
    kind: integer({ min: 16, max: 16_777_216 }),
    unit: 'MiB',
    description: 'Memory that the private Redis may fill; unset: two fifths of what there is.',
  },
  durability: {
    kind: oneOf('fsync', 'memory'),
    default: 'fsync',
    description:
      'What stored means before an answer leaves: on disk, or (to try things) in memory.',
  },
  lab: {
    kind: onOff(),
    default: false,
    description: 'Accept a Redis whose configuration breaks the durability that is promised.',
  },
  partitions: {
    kind: integer({ min: 1, max: 4096 }),
    default: 256,
    description: 'Parts that accounts are spread over; fixed when a store is first used.',
  },
  workers: {
    kind: integer({ min: 1, max: 64 }),
    default: 2,
    description: 'Processes that serve Diameter; about one a processor core, less one for Redis.',
  },
  diameterHost: {
    kind: host(),
    default: '127.0.0.1',
    description: 'The address that Diameter listens on.',
  },
  diameterPort: {
    kind: port,
    default: 3868,
    description: 'The port that Diameter listens on; 0: any free one.',
  },
  diameterPorts: {
    kind: oneOf('shared', 'each'),
    default: 'shared',
    description: 'One port shared by all workers, or each: worker n listens on the port plus n.',
  },
  originHost: {
    kind: diameterIdentity({ worker: true }),
    default: 'ocs.tollkeeper.example',
    description: 'Our Origin-Host; with {worker} in it every worker is a Diameter peer of its own.',
  },
  originRealm: {
    kind: diameterIdentity({ worker: false }),
    default: 'tollkeeper.example',
    description: 'Our Origin-Realm.',
  },
  hostIpAddresses: {
    kind: ipAddresses(),
    description:
      'Host-IP-Address in capabilities answers; unset: the address that was connected to.',
  },
  httpHost: {
    kind: host(),
    default: '127.0.0.1',
    description: 'The address that the HTTP API listens on; beyond loopback it needs tokens.',
  },
  httpPort: {
    kind: port,
    default: 8080,
    description: 'The port that the HTTP API listens on; 0: any free one.',
  },
  httpTokensFile: {
    kind: path('FILE'),
    description: 'Who may use the HTTP API, and which tenants each token may see.',
  },
  provisioningFile: {
    kind: path('FILE'),
    description: 'Tenants, plans, accounts and peers (YAML), applied at the start.',
  },
  logLevel: {
    kind: oneOf('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'),
    default: 'warn',
    description: 'The least important log line that is still written.',
  },
  deadlineMs: {
    kind: integer({ min: 50, max: 60_000 }),
    default: 2000,
    unit: 'ms',
    description: 'Time to answer a request, counted from its arrival; past it the answer is 3004.',
  },
  leaseMs: {
    kind: integer({ min: 100, max: 600_000 }),
    default: 10_000,
    unit: 'ms',
    description: 'How long a worker keeps what it claimed; a dead one is replaced after this time.',
  },
  clientAnswerMs: {
    kind: integer({ min: 100, max: 60_000 }),
    default: 2_000,
    unit: 'ms',
    description:
      'How long a client has to answer a request of ours; it is asked again after two, four ... times that.',
  },
  duplicateHorizonSeconds: {
    kind: integer({ min: 60, max: 30 * days }),
    default: 3600,
    unit: 's',
    description: 'How long after a session ended its repeated requests are still recognised.',
  },
  eventHorizonSeconds: {
    kind: integer({ min: 60, max: 30 * days }),
    default: days,
    unit: 's',
    description:
      'How long a one-time event, or a top-up under a key of its own, takes effect only once.',
  },
  tombstoneSeconds: {
    kind: integer({ min: 10, max: 30 * days }),
    default: 600,
    unit: 's',
    description: 'How long late usage still counts for a session that its client ended.',
  },
  abandonedTombstoneSeconds: {
    kind: integer({ min: 10, max: 30 * days }),
    default: days,
    unit: 's',
    description: 'The same for a session that supervision, an abort or an error ended.',
  },
  answerWindow: {
    kind: integer({ min: 1, max: 16 }),
    default: 16,
    description: 'Answers that a session keeps for repeated requests; each costs memory in Redis.',
  },
  maxFrameBytes: {
    kind: integer({ min: 4096, max: 16_777_212 }),
    default: 65_536,
    unit: 'bytes',
    description: 'The longest Diameter message that is read; a longer one ends its connection.',
  },
  maxInFlightPerWorker: {
    kind: integer({ min: 1, max: 1_000_000 }),
    default: 4000,
    description: 'Requests that a worker handles at once; beyond it the answer is 3004.',
  },
  maxInFlightPerConnection: {
    kind: integer({ min: 1, max: 1_000_000 }),
    default: 2000,
    description:
      'Requests of one connection that are handled at once; beyond it the answer is 3004.',
  },
  watchdogSeconds: {
    // RFC 3539 3.4.1: not below 6 s.
    kind: integer({ min: 6, max: 3600 }),
    default: 30,
    unit: 's',
    description: 'Silence after which a connection is probed by a Device-Watchdog-Request.',
  },
  capabilitiesTimeoutMs: {
    kind: integer({ min: 100, max: 600_000 }),
    default: 10_000,
    unit: 'ms',
    description: 'Time for a new connection to send its Capabilities-Exchange-Request.',
  },
  drainMs: {
    kind: integer({ min: 0, max: 600_000 }),
    default: 5000,
    unit: 'ms',
    description: 'Time at a stop to answer what was accepted and to take leave of the peers.',
  },
  sessionCacheSize: {
    kind: integer({ min: 0, max: 100_000_000 }),
    default: 50_000,
    description: 'Sessions that a worker remembers as a hint; 0 costs a round trip a request.',
  },
  accountCacheSize: {
    kind: integer({ min: 0, max: 100_000_000 }),
    default: 50_000,
    description: 'Accounts that a worker remembers as a hint.',
  },
  recordDir: {
    kind: path('FOLDER'),
    default: 'records',
    description: 'Where charging records are written; a relative path starts at the data folder.',
  },
  recordFileBytes: {
    kind: integer({ min: 4096, max: 1_099_511_627_776 }),
    default: 67_108_864,
    unit: 'bytes',
    description: 'Size at which a record file is closed and the next begun.',
  },
  recordFileSeconds: {
    kind: integer({ min: 1, max: 366 * days }),
    default: days,
    unit: 's',
    description: 'Age at which a record file is closed and the next begun.',
  },
  recordFilesKept: {
    kind: integer({ min: 0, max: 1_000_000 }),
    default: 0,
    description: 'Closed record files that are kept, the oldest deleted first; 0: all of them.',
  },
} as const satisfies Record<string, Setting>;

export type SettingName = keyof typeof table;

/** All settings, checked; paths are absolute. */
export type Settings = {
  readonly [N in SettingName]:
    | ValueOf<(typeof table)[N]['kind']>
    | ((typeof table)[N] extends { readonly default: unknown } ? never : undefined);
};

/** One thing that is wrong, and where: the variable or flag as it was written. */
export interface Problem {
  readonly where: string;
  readonly problem: string;
}

export type ParsedSettings =
  | { readonly settings: Settings; readonly problems?: never }
  | { readonly problems: readonly Problem[]; readonly settings?: never };

export const settingNames = Object.keys(table) as SettingName[];

/** `redisUrl` -> `TOLLKEEPER_REDIS_URL` */
export function envName(name: SettingName): string {
  return `TOLLKEEPER_${words(name).join('_').toUpperCase()}`;
}

/** `redisUrl` -> `--redis-url` */
export function flagName(name: string): string {
  return `--${words(name).join('-').toLowerCase()}`;
}

/**
 * Reads all settings. `flags` are words of the form `--name=value` (a switch may stand alone);
 * relative paths start at `folder`. Either every setting is good, or all problems come back.
 */
export function parseSettings(from: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags?: readonly string[];
  readonly folder?: string;
}): ParsedSettings {
  const problems: Problem[] = [];
  const given = new Map<SettingName, Given>();
  for (const source of [fromEnv(from.env, problems), fromFlags(from.flags ?? [], problems)]) {
    for (const one of source) given.set(one.name, one);
  }

  const values: Record<string, unknown> = {};
  for (const name of settingNames) {
    const setting: Setting = table[name];
    const { where, text } = given.get(name) ?? {};
    values[name] = text === undefined ? setting.default : setting.kind.parse(text);
    if (where !== undefined && text !== undefined && values[name] === undefined) {
      problems.push({ where, problem: mustBe(name, text) });
    }
  }
  // Relations between settings would only repeat what is already said of one of them.
  if (problems.length > 0) return { problems };

  const settings = withAbsolutePaths(values as Settings, from.folder ?? process.cwd());
  problems.push(...impossibleCombinations(settings));
  return problems.length > 0 ? { problems } : { settings };
}

/** The Origin-Host of one worker, counted from 0. The same in every run: peers are configured by it. */
export function originHostOf(settings: Pick<Settings, 'originHost'>, worker: number): string {
  return settings.originHost.replaceAll('{worker}', String(worker));
}

/** Every Origin-Host that our workers have; each accepts all of them as Destination-Host. */
export function originHosts(settings: Pick<Settings, 'originHost' | 'workers'>): string[] {
  const all = Array.from({ length: settings.workers }, (_, worker) =>
    originHostOf(settings, worker),
  );
  return [...new Set(all)];
}

/** Fit for a log or a screen: `redis://user:secret@host:1/2` -> `redis://***@host:1/2`; a socket path stays as it is. */
export function urlWithoutSecrets(url: string): string {
  return url.replace(/^(rediss?:\/\/)[^/]*@/, '$1***@');
}

/** The table as Markdown, as the README shows it. */
export function settingsTable(): string {
  const rows = settingNames.map((name) => {
    const setting: Setting = table[name];
    const unset = setting.default === undefined ? '' : `\`${String(setting.default)}\``;
    const unit = setting.unit === undefined ? '' : ` ${setting.unit}`;
    return `| \`${envName(name)}\` | \`${flagName(name)}\` | ${unset}${unit} | ${setting.description} |`;
  });
  return ['| variable | flag | default | what it is |', '| --- | --- | --- | --- |', ...rows].join(
    '\n',
  );
}

interface Given {
  readonly name: SettingName;
  readonly where: string;
  readonly text: string;
}

function fromEnv(env: Readonly<Record<string, string | undefined>>, problems: Problem[]): Given[] {
  const byVariable = new Map(settingNames.map((name) => [envName(name), name]));
  const given: Given[] = [];
  for (const [where, text] of Object.entries(env)) {
    if (!where.startsWith('TOLLKEEPER_')) continue;
    const name = byVariable.get(where);
    if (name === undefined) problems.push(unknown(where, byVariable.keys()));
    // Compose files and unit files write `NAME=` for "not set".
    else if (text !== undefined && text !== '') given.push({ name, where, text });
  }
  return given;
}

function fromFlags(flags: readonly string[], problems: Problem[]): Given[] {
  const byFlag = new Map(settingNames.map((name) => [flagName(name), name]));
  const given = new Map<SettingName, Given>();
  for (const word of flags) {
    const equals = word.indexOf('=');
    const where = equals < 0 ? word : word.slice(0, equals);
    const name = byFlag.get(where);
    if (name === undefined) {
      problems.push(unknown(where, byFlag.keys()));
      continue;
    }
    const setting: Setting = table[name];
    const isSwitch = setting.kind.placeholder === undefined;
    const text = equals < 0 ? (isSwitch ? 'true' : '') : word.slice(equals + 1);
    if (given.has(name)) problems.push({ where, problem: 'is given more than once' });
    given.set(name, { name, where, text });
  }
  return [...given.values()];
}

function unknown(where: string, known: Iterable<string>): Problem {
  const near = nearest(where, known);
  const hint = near === undefined ? '' : `; did you mean ${near}?`;
  return { where, problem: `is not a setting${hint}` };
}

function mustBe(name: SettingName, text: string): string {
  const { expects } = table[name].kind;
  // A URL that does not parse may still hold a password.
  return name === 'redisUrl' ? `must be ${expects}` : `must be ${expects}, not "${text}"`;
}

function withAbsolutePaths(settings: Settings, folder: string): Settings {
  const dataDir = resolve(folder, settings.dataDir);
  const absolute = (file: string | undefined) =>
    file === undefined ? undefined : resolve(folder, file);
  return {
    ...settings,
    dataDir,
    recordDir: resolve(dataDir, settings.recordDir),
    redisServer: absolute(settings.redisServer),
    httpTokensFile: absolute(settings.httpTokensFile),
    provisioningFile: absolute(settings.provisioningFile),
  };
}

/** Each rule says what breaks, so that the reader can choose which of the two to change. */
function impossibleCombinations(s: Settings): Problem[] {
  const problems: Problem[] = [];
  const refuse = (names: readonly SettingName[], problem: string) =>
    problems.push({ where: names.map(flagName).join(', '), problem });

  if (s.leaseMs <= s.deadlineMs) {
    refuse(
      ['leaseMs', 'deadlineMs'],
      'a lease must outlast the deadline, or two workers do the same timer while the first still may',
    );
  }
  if (s.duplicateHorizonSeconds < s.tombstoneSeconds) {
    refuse(
      ['duplicateHorizonSeconds', 'tombstoneSeconds'],
      'a tombstone is found through its binding, so the duplicate horizon must not be shorter',
    );
  }
  if (s.abandonedTombstoneSeconds < s.tombstoneSeconds) {
    refuse(
      ['abandonedTombstoneSeconds', 'tombstoneSeconds'],
      'a session that was abandoned must be remembered at least as long as one that ended well',
    );
  }
  if (s.maxInFlightPerConnection > s.maxInFlightPerWorker) {
    refuse(
      ['maxInFlightPerConnection', 'maxInFlightPerWorker'],
      'one connection cannot have more requests in flight than its worker',
    );
  }
  if (s.redisUrl !== undefined && s.redisServer !== undefined) {
    refuse(['redisUrl', 'redisServer'], 'either a Redis is named or one is run, not both');
  }
  if (s.redisUrl !== undefined && s.redisMemoryMegabytes !== undefined) {
    refuse(
      ['redisUrl', 'redisMemoryMegabytes'],
      'the limit is for the private Redis; set maxmemory in the one that is named',
    );
  }
  if (s.workers > 1 && s.originHost.includes('{worker}') && s.diameterPorts === 'shared') {
    refuse(
      ['originHost', 'diameterPorts'],
      'a peer of its own needs a port of its own: say --diameter-ports=each, or drop {worker}',
    );
  }
  if (s.httpTokensFile === undefined && !isLoopback(s.httpHost)) {
    refuse(['httpHost', 'httpTokensFile'], 'beyond loopback the HTTP API needs tokens');
  }

  const lastPort = s.diameterPort + (s.diameterPorts === 'each' ? s.workers - 1 : 0);
  if (s.diameterPort !== 0 && lastPort > 65_535) {
    refuse(['diameterPort', 'workers'], `worker ${s.workers - 1} would need port ${lastPort}`);
  }
  if (s.diameterPort !== 0 && s.httpPort >= s.diameterPort && s.httpPort <= lastPort) {
    refuse(['httpPort', 'diameterPort'], `port ${s.httpPort} is one of Diameter's`);
  }
  return problems;
}

/** 127.0.0.0/8, ::1 and `localhost`: what only this machine can reach. */
export function isLoopback(address: string): boolean {
  if (isIP(address) === 4) return address.startsWith('127.');
  return address === '::1' || address.toLowerCase() === 'localhost';
}

function words(name: string): string[] {
  return name.split(/(?=[A-Z])/);
}
