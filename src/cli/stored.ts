/** The configuration of the store, for commands that need all of it. */
import { TollkeeperError } from '../errors.ts';
import { type Configuration, compileStored } from '../provisioning/configuration.ts';
import type { Store } from '../store/store.ts';

/** Throws CONFIGURATION_MISSING and CONFIGURATION_INVALID. */
export async function readConfiguration(
  store: Pick<Store, 'readConfiguration'>,
): Promise<Configuration> {
  const stored = await store.readConfiguration();
  if (stored === undefined) throw new TollkeeperError('CONFIGURATION_MISSING');
  const compiled = compileStored(stored);
  if (compiled.ok) return compiled.configuration;
  throw new TollkeeperError('CONFIGURATION_INVALID', { problems: compiled.problems.join('; ') });
}

/**
 * The configuration with the tenant that is meant: the one that was named, or the only one there is.
 * Throws TENANT_UNKNOWN, and COMMAND_LINE_INVALID where several could be meant.
 */
export async function storedConfiguration(
  store: Pick<Store, 'readConfiguration'>,
  { command, tenant }: { command: string; tenant: string | undefined },
): Promise<{ configuration: Configuration; tenant: string }> {
  const configuration = await readConfiguration(store);
  const all = configuration.provisioning.tenants.map(({ id }) => id);
  const [first = '', ...others] = all;
  if (tenant === undefined && others.length > 0)
    throw new TollkeeperError('COMMAND_LINE_INVALID', {
      problem: `tollkeeper ${command}: --tenant is missing: one of ${all.join(', ')}`,
    });
  const chosen = tenant ?? first;
  if (!all.includes(chosen)) throw new TollkeeperError('TENANT_UNKNOWN', { tenant: chosen });
  return { configuration, tenant: chosen };
}
