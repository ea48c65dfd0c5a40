/**
 * Whether a server keeps what the engine promises at its durability. A difference stops the start,
 * unless this is a laboratory; then it is a warning.
 */
import type { Redis } from 'ioredis';

/** What an answered request survives: `fsync` a crash of the server, `memory` nothing. */
export type Durability = 'fsync' | 'memory';

export interface ServerReport {
  /** What breaks a promise. */
  problems: string[];
  /** What an operator should know. */
  warnings: string[];
}

/** Thrown at start with everything that is wrong. */
export class StoreMisconfigured extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(`this Redis cannot keep what is promised:\n${problems.join('\n')}`);
    this.name = 'StoreMisconfigured';
    this.problems = problems;
  }
}

const OLDEST_MAJOR = 7;

/** Settings that must hold, and for which durabilities. */
const required: readonly { name: string; value: string; why: string; fsyncOnly?: true }[] = [
  { name: 'maxmemory-policy', value: 'noeviction', why: 'anything else drops accounts' },
  {
    name: 'appendonly',
    value: 'yes',
    why: 'without it nothing survives a crash',
    fsyncOnly: true,
  },
  {
    name: 'appendfsync',
    value: 'always',
    why: 'anything else answers before it is on disk',
    fsyncOnly: true,
  },
  {
    name: 'aof-load-truncated',
    value: 'no',
    why: 'with yes a damaged tail is dropped silently',
    fsyncOnly: true,
  },
];

/** Compares the server's version, role and settings with what `durability` needs. */
export async function checkServer(redis: Redis, durability: Durability): Promise<ServerReport> {
  const report: ServerReport = { problems: [], warnings: [] };
  const identity = await serverIdentity(redis);
  const major = Number(identity.version.split('.')[0]);
  if (!(major >= OLDEST_MAJOR))
    report.problems.push(`version is ${identity.version}, ${OLDEST_MAJOR}.0 or later is needed`);
  if (identity.role !== 'master') report.problems.push(`role is ${identity.role}, not master`);

  const settings = await readSettings(redis, [...required.map(({ name }) => name), 'maxmemory']);
  if (settings === undefined) {
    report.problems.push('CONFIG GET is not allowed, so the durability cannot be checked');
    return report;
  }
  for (const { name, value, why, fsyncOnly } of required) {
    if (fsyncOnly && durability !== 'fsync') continue;
    const found = settings.get(name);
    if (found !== value) report.problems.push(`${name} is ${found}, must be ${value}: ${why}`);
  }
  if (settings.get('maxmemory') === '0')
    report.warnings.push('maxmemory is not set: the system may end Redis when memory runs out');
  return report;
}

async function readSettings(
  redis: Redis,
  names: readonly string[],
): Promise<Map<string, string> | undefined> {
  try {
    const flat = (await redis.config('GET', ...(names as [string]))) as string[];
    const settings = new Map<string, string>();
    for (let i = 0; i + 1 < flat.length; i += 2) settings.set(flat[i]!, flat[i + 1]!);
    return settings;
  } catch (error) {
    if (error instanceof Error && /^(NOPERM|ERR unknown command)/.test(error.message))
      return undefined;
    throw error;
  }
}

/** What tells one life of a server, or of its data, from another. */
export interface ServerIdentity {
  version: string;
  role: string;
  runId: string;
  replicationId: string;
}

export async function serverIdentity(redis: Redis): Promise<ServerIdentity> {
  const info = `${await redis.info('server')}\n${await redis.info('replication')}`;
  const read = (name: string): string =>
    new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
  return {
    version: read('redis_version'),
    role: read('role'),
    runId: read('run_id'),
    replicationId: read('master_replid'),
  };
}
