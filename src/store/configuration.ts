/**
 * The configuration as the store keeps it: one document that is replaced as a whole, with a version
 * that every change raises by one, and beside it the plans of the last versions. What the texts say is
 * for `provisioning` to know; here they are text.
 */

export interface StoredConfiguration {
  /** 1 is the first. */
  version: number;
  /** Differs for any two configurations that the store ever had, also after a failover. */
  stamp: string;
  document: string;
}

/** A plan's version, by which a record of the past can still be explained. */
export interface PlanText {
  tenant: string;
  plan: string;
  version: number;
  text: string;
}

export interface ConfigurationChange {
  /** The version that the change was made from; 0: there was none. */
  expected: number;
  document: string;
  /** Plan versions to keep beside it; the oldest of a plan beyond KEPT_PLAN_VERSIONS are dropped. */
  plans: readonly PlanText[];
}

export interface ConfigurationStore {
  /** Changes with the configuration and is cheap to ask for; '' while there is none. */
  configurationStamp(): Promise<string>;
  readConfiguration(): Promise<StoredConfiguration | undefined>;
  /**
   * Replaces the configuration if its version is still `expected`, whole or not at all. Throws
   * RangeError for more than MAX_CONFIGURATION_BYTES.
   */
  writeConfiguration(change: ConfigurationChange): Promise<'written' | 'conflict'>;
  /** The versions of a plan that are kept, ascending; also of a plan that is provisioned no more. */
  planVersions(tenant: string, plan: string): Promise<number[]>;
  planText(tenant: string, plan: string, version: number): Promise<string | undefined>;
  /** The provisioning file that was applied last, as `rememberFile` was given it. */
  rememberedFile(): Promise<string | undefined>;
  rememberFile(text: string): Promise<void>;
  /** The address that the service started last listens on for Diameter, as it was told; '': none. */
  rememberedListener(): Promise<string>;
  rememberListener(host: string): Promise<void>;
}

/** The longest document, in octets. */
export const MAX_CONFIGURATION_BYTES = 16 * 1024 * 1024;

/** Versions of a plan that are kept, the present one included. */
export const KEPT_PLAN_VERSIONS = 20;

/** The field of a plan's version; ids have no slash. */
export const planField = ({ tenant, plan, version }: Omit<PlanText, 'text'>): string =>
  `plan:${tenant}/${plan}/${version}`;

/** The versions of a plan among the fields of a configuration, ascending. */
export function versionsAmong(fields: readonly string[], tenant: string, plan: string): number[] {
  const start = `plan:${tenant}/${plan}/`;
  return fields
    .filter((field) => field.startsWith(start))
    .map((field) => Number(field.slice(start.length)))
    .sort((a, b) => a - b);
}

/** The fields that a change makes superfluous: the oldest versions of the plans that it adds. */
export function superfluous(
  fields: readonly string[],
  { document, plans }: ConfigurationChange,
): string[] {
  if (Buffer.byteLength(document) > MAX_CONFIGURATION_BYTES)
    throw new RangeError(`a configuration has at most ${MAX_CONFIGURATION_BYTES} octets`);
  const all = [...new Set([...fields, ...plans.map(planField)])];
  const touched = new Map(plans.map(({ tenant, plan }) => [`${tenant}/${plan}`, { tenant, plan }]));
  return [...touched.values()].flatMap(({ tenant, plan }) =>
    versionsAmong(all, tenant, plan)
      .slice(0, -KEPT_PLAN_VERSIONS)
      .map((version) => planField({ tenant, plan, version })),
  );
}
