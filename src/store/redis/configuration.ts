/** The configuration in Redis: one hash, so one slot, and one script that changes it. */
import {
  type ConfigurationChange,
  type PlanText,
  planField,
  type StoredConfiguration,
  superfluous,
  versionsAmong,
} from '../configuration.ts';
import type { Connection } from './connection.ts';
import { CONFIGURATION } from './keys.ts';
import { callOf } from './script-call.ts';
import { scripts } from './scripts.ts';

const FILE = 'file';
const LISTENER = 'listener';

export async function configurationStamp(connection: Connection): Promise<string> {
  return (await connection.run((redis) => redis.hget(CONFIGURATION, 'stamp'))) ?? '';
}

export async function readConfiguration(
  connection: Connection,
): Promise<StoredConfiguration | undefined> {
  const [version, stamp, document] = await connection.run((redis) =>
    redis.hmget(CONFIGURATION, 'version', 'stamp', 'document'),
  );
  if (version == null || stamp == null || document == null) return undefined;
  return { version: Number(version), stamp, document };
}

export async function writeConfiguration(
  connection: Connection,
  change: ConfigurationChange,
): Promise<'written' | 'conflict'> {
  const { expected, document, plans } = change;
  // As of `expected`, or else the script finds another version.
  const fields = await connection.run((redis) => redis.hkeys(CONFIGURATION));
  const gone = superfluous(fields, change);
  const pairs = plans.flatMap((plan) => [planField(plan), plan.text]);
  const call = callOf(
    scripts.writeConfiguration,
    { configuration: CONFIGURATION },
    { expected, document, pairs_to_set: plans.length },
    [...pairs, ...gone],
  );
  const reply = String(await connection.call(scripts.writeConfiguration, call));
  return reply === 'written' ? 'written' : 'conflict';
}

export async function planVersions(
  connection: Connection,
  tenant: string,
  plan: string,
): Promise<number[]> {
  const fields = await connection.run((redis) => redis.hkeys(CONFIGURATION));
  return versionsAmong(fields, tenant, plan);
}

export async function planText(
  connection: Connection,
  which: Omit<PlanText, 'text'>,
): Promise<string | undefined> {
  const text = await connection.run((redis) => redis.hget(CONFIGURATION, planField(which)));
  return text ?? undefined;
}

export async function rememberedFile(connection: Connection): Promise<string | undefined> {
  return (await connection.run((redis) => redis.hget(CONFIGURATION, FILE))) ?? undefined;
}

export async function rememberFile(connection: Connection, text: string): Promise<void> {
  await connection.run((redis) => redis.hset(CONFIGURATION, FILE, text));
}

export async function rememberedListener(connection: Connection): Promise<string> {
  return (await connection.run((redis) => redis.hget(CONFIGURATION, LISTENER))) ?? '';
}

export async function rememberListener(connection: Connection, host: string): Promise<void> {
  await connection.run((redis) => redis.hset(CONFIGURATION, LISTENER, host));
}
