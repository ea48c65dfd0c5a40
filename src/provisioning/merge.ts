/**
 * What a provisioning file changes of a configuration that was also changed by other means. The file
 * that was applied last is the base, and so are those begun since: what the file says as before stays as
 * it is now, what it says otherwise is taken, and what it says no more is taken out. What never stood
 * in a file stays.
 */
import { withoutAccounts } from './configuration.ts';
import { fieldOf, type Path } from './problem.ts';
import type { WrittenAccount, WrittenFile, WrittenRange, WrittenTenant } from './schema.ts';
import { anyValue, isAsBefore, type Members, type Merger, mergedMembers } from './three-way.ts';

export interface Merge {
  file: WrittenFile;
  /** The file that was applied last, undefined where there is none, and those begun since. */
  bases: readonly (WrittenFile | undefined)[];
  /** The present configuration. */
  current: WrittenFile | undefined;
  /** Everything that the file says is taken, not only what it says otherwise than the base. */
  all: boolean;
}

export interface Merged {
  /** It may not fit together, which compiling tells. */
  file: WrittenFile;
  /** What the file has changed, and was changed otherwise by other means since: as paths. */
  overruled: string[];
}

/** The configuration that comes of it. */
export function merged({ file, bases, current, all }: Merge): Merged {
  const overruled: string[] = [];
  const versions = {
    bases: bases.map((base) => base && withoutAccounts(base)),
    file: withoutAccounts(file),
    now: current && withoutAccounts(current),
  };
  const result = configurationMerger(all)(versions, [], (path: Path) => {
    // The version of a plan is raised by whoever changes the plan.
    if (path.at(-1) !== 'version') overruled.push(fieldOf(path));
  });
  // Always in one order: what says the same is to be the same text.
  const { tenants, peers, routing } = result as WrittenFile;
  return {
    file: {
      tenants,
      ...(peers === undefined ? {} : { peers }),
      ...(routing === undefined ? {} : { routing }),
    },
    overruled,
  };
}

/** With `all`, parts that the file has are taken as they are, whatever is there. */
function configurationMerger(all: boolean): Merger {
  const part: Merger = all
    ? ({ bases, file, now }) => file ?? (isAsBefore({ bases, file }) ? now : undefined)
    : anyValue;
  /** As it is now where the file says nothing else than before. */
  const unlessSame =
    (merge: Merger): Merger =>
    (versions, ...rest) =>
      !all && isAsBefore(versions) ? versions.now : merge(versions, ...rest);
  const tenant = object({ plans: unlessSame(list('id', planMerger(part))) }, part);
  /** A tenant that leaves the file goes with all that it has. */
  const tenants = list('id', (versions, ...rest) =>
    versions.file === undefined ? part(versions, ...rest) : unlessSame(tenant)(versions, ...rest),
  );
  const peers = object({ known: list('host', part), realms: list('realm', part) }, part);
  return object({ tenants: unlessSame(tenants), peers: unlessSame(peers) }, part);
}

/** Plans: of one that leaves the file, the version that it got on the way is no change. */
function planMerger(part: Merger): Merger {
  const unversioned = (plan: unknown): unknown => {
    const { version: _, ...rest } = (plan ?? {}) as Members;
    return plan === undefined ? undefined : rest;
  };
  return (versions, ...rest) => {
    const { bases, file, now } = versions;
    if (file !== undefined || isAsBefore(versions)) return part(versions, ...rest);
    return part({ bases: bases.map(unversioned), file, now: unversioned(now) }, ...rest);
  };
}

/** An object that is merged by member: those that are named so, all others as parts. */
function object(members: Readonly<Record<string, Merger>>, part: Merger): Merger {
  return ({ bases, file, now }, path, overruled) => {
    const of = (value: unknown): Members => (value ?? {}) as Members;
    const merger = (member: string) => members[member] ?? part;
    const versions = { bases: bases.map(of), file: of(file), now: of(now) };
    const result = mergedMembers(versions, path, { merger, overruled });
    return Object.keys(result).length === 0 ? file : result;
  };
}

/** A list whose order says nothing: items are told by `key`, and come in the order of the file. */
function list(key: string, item: Merger): Merger {
  return ({ bases, file, now }, path, overruled) => {
    const before = bases.map((base) => keyed(base, key));
    const [wanted, present] = [keyed(file, key), keyed(now, key)];
    const items: unknown[] = [];
    for (const name of new Set([...wanted.keys(), ...present.keys()])) {
      const was = before.map((items) => items.get(name));
      const versions = { bases: was, file: wanted.get(name), now: present.get(name) };
      const value = item(versions, [...path, name], overruled);
      if (value !== undefined) items.push(value);
    }
    return items.length === 0 ? file : items;
  };
}

const keyed = (value: unknown, key: string): Map<string, Members> =>
  new Map(((value ?? []) as Members[]).map((item) => [String(item[key]), item]));

/** The tenants of a file with the accounts and ranges that it says otherwise than any of `bases`. */
export function changedAccounts(
  file: WrittenFile,
  bases: readonly (WrittenFile | undefined)[],
): WrittenTenant[] {
  return file.tenants.map((tenant) => {
    const before = bases.map((base) => {
      const said = base?.tenants.find(({ id }) => id === tenant.id);
      return {
        accounts: new Map(said?.accounts?.map((account) => [account.id, account])),
        ranges: new Map(said?.ranges?.map((range) => [nameOfRange(range), range])),
      };
    });
    const accountsOf = ({ id }: WrittenAccount) => before.map(({ accounts }) => accounts.get(id));
    const rangesOf = (range: WrittenRange) =>
      before.map(({ ranges }) => ranges.get(nameOfRange(range)));
    return {
      ...tenant,
      accounts: (tenant.accounts ?? []).filter(
        (file) => !isAsBefore({ bases: accountsOf(file), file }),
      ),
      ranges: (tenant.ranges ?? []).filter((file) => !isAsBefore({ bases: rangesOf(file), file })),
    };
  });
}

const nameOfRange = ({ prefix, first }: WrittenRange): string =>
  `${prefix} ${first.e164 ?? ''} ${first.imsi ?? ''}`;
