/**
 * Holds a file against its schema: what is wrong with it, and what is left when the wrong parts
 * are taken out, so that the rest can be checked in the same run.
 */
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import { nearest } from '../nearest.ts';
import { type Finding, type Path, show } from './problem.ts';
import { provisioningSchema, type WrittenFile } from './schema.ts';

let compiled: ValidateFunction<WrittenFile> | undefined;

/**
 * `rest` is the file with `undefined` in the place of every list item that the schema refuses (of
 * the innermost one), and stand-ins for members that nothing else leans on; undefined when the file
 * as a whole is refused.
 */
export function checkSchema(value: unknown): {
  findings: Finding[];
  rest: WrittenFile | undefined;
} {
  compiled ??= new Ajv2020({ allErrors: true, verbose: true }).compile<WrittenFile>(
    provisioningSchema,
  );
  if (compiled(value)) return { findings: [], rest: value };
  const errors = compiled.errors ?? [];
  const located = withoutEchoes(errors).map((error) => ({
    error,
    path: pathOf(error.instancePath, value),
  }));
  return {
    findings: findingsOf(errors, { value, path: [] }),
    rest: pruned(
      value,
      located
        .filter(({ error }) => !isSurplus(error))
        .map(({ error, path }) => missingFrom(error, path)),
    ),
  };
}

/** What the errors of a value, or of a part that stands at `path`, come to. */
export function findingsOf(
  errors: readonly ErrorObject[],
  { value, path }: { value: unknown; path: Path },
): Finding[] {
  return withoutEchoes(errors).map((error) =>
    finding(error, [...path, ...pathOf(error.instancePath, value)]),
  );
}

/**
 * One error a value: where no choice of several fits, only that, not each choice's own reason,
 * unless it has members and one choice too, which is then meant; where a member is misspelt, only
 * that, not that the right one is missing.
 */
function withoutEchoes(errors: readonly ErrorObject[]): ErrorObject[] {
  const choices = new Map<string, 'none' | 'members'>();
  const misspelt = new Set<string>();
  for (const error of errors) {
    if (error.keyword === 'anyOf') choices.set(error.instancePath, meantChoice(error));
    if (error.keyword === 'additionalProperties') {
      misspelt.add(`${error.instancePath}\n${meantBy(error)}`);
    }
  }
  const seen = new Set<string>();
  return errors.filter((error) => {
    const choice = choices.get(error.instancePath);
    if (choice === 'none' && error.keyword !== 'anyOf') return false;
    if (choice === 'members' && !OF_MEMBERS.has(error.keyword)) return false;
    const { additionalProperty = '', missingProperty = '' } = error.params;
    if (misspelt.has(`${error.instancePath}\n${missingProperty}`)) return false;
    const key = `${error.instancePath}\n${additionalProperty}\n${missingProperty}`;
    return !seen.has(key) && seen.add(key);
  });
}

/** What can be wrong with a value that may have members. */
const OF_MEMBERS = new Set(['additionalProperties', 'required']);

function meantChoice({ data, schema }: ErrorObject): 'none' | 'members' {
  if (typeof data !== 'object' || data === null || Array.isArray(data)) return 'none';
  return (schema as readonly Described[]).some(({ properties }) => properties) ? 'members' : 'none';
}

function finding(error: ErrorObject, path: Path): Finding {
  const schema = (error.parentSchema ?? {}) as Described;
  if (error.keyword === 'additionalProperties') {
    const key = String(error.params.additionalProperty);
    const known = Object.keys(schema.properties ?? {});
    const meant = meantBy(error);
    return {
      path: [...path, key],
      at: 'key',
      found: `unknown member ${show(key)}`,
      expected: meant === undefined ? `one of ${known.join(', ')}` : `a known member: '${meant}'?`,
    };
  }
  if (error.keyword === 'required') {
    const key = String(error.params.missingProperty);
    const expected = titleOf(schema.properties?.[key]);
    return { path: [...path, key], found: 'nothing', expected };
  }
  const expected = titleOf(schema);
  // A list of the right kind, but not as it is.
  if (error.keyword === 'maxItems') {
    const { length } = error.data as unknown[];
    return {
      path,
      found: `a list of ${length}`,
      expected: `${expected}, at most ${error.params.limit}`,
    };
  }
  if (error.keyword === 'uniqueItems') {
    const twice = show((error.data as unknown[])[Number(error.params.j)]);
    return { path, found: `${twice} twice`, expected: `${expected}, each once` };
  }
  return { path, found: show(error.data), expected };
}

/** Where the value is, or would be if it were not missing. */
function missingFrom({ keyword, params }: ErrorObject, path: Path): Path {
  return keyword === 'required' ? [...path, String(params.missingProperty)] : path;
}

/** A member that is unknown and no misspelt one: what stands beside it can be checked all the same. */
function isSurplus(error: ErrorObject): boolean {
  return error.keyword === 'additionalProperties' && meantBy(error) === undefined;
}

/** The member that an unknown one may have been meant to be. */
function meantBy({ params, parentSchema }: ErrorObject): string | undefined {
  const { properties = {} } = (parentSchema ?? {}) as Described;
  return nearest(String(params.additionalProperty), Object.keys(properties));
}

interface Described {
  title?: string;
  $ref?: string;
  properties?: Readonly<Record<string, Described>>;
}

function titleOf(schema: Described | undefined): string {
  const name = schema?.$ref?.slice('#/$defs/'.length);
  const described: Described | undefined =
    name === undefined ? schema : (provisioningSchema.$defs as Record<string, Described>)[name];
  return described?.title ?? 'another value';
}

/** A JSON pointer as a path: steps into lists are numbers. */
function pathOf(pointer: string, root: unknown): Path {
  const path: (string | number)[] = [];
  let value = root;
  for (const step of pointer.split('/').slice(1)) {
    const key = step.replaceAll('~1', '/').replaceAll('~0', '~');
    path.push(Array.isArray(value) ? Number(key) : key);
    value = (value as Record<string, unknown> | undefined)?.[key];
  }
  return path;
}

/** A tenant whose name or currency is wrong has plans and accounts that can be checked. */
const STAND_INS: Readonly<Record<string, unknown>> = { name: 'a tenant', currency: 'EUR' };

function pruned(value: unknown, paths: readonly Path[]): WrittenFile | undefined {
  const rest = structuredClone(value);
  for (const path of paths) {
    const depth = path.findLastIndex((step) => typeof step === 'number');
    if (depth < 0) return undefined;
    let list: unknown = rest;
    // A part that an earlier problem took out already is no longer there to be walked.
    for (const step of path.slice(0, depth)) list = (list as Record<string, unknown>)?.[step];
    const at = Number(path[depth]);
    if (!Array.isArray(list) || list[at] === undefined) continue;
    const [of, , member = ''] = path;
    if (of === 'tenants' && depth === 1 && path.length === 3 && member in STAND_INS)
      list[at] = { ...list[at], [member]: STAND_INS[member] };
    else list[at] = undefined;
  }
  return rest as WrittenFile;
}
