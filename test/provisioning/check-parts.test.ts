/** A configuration held against the schema part by part: what is found is what a file is told. */
import { expect, test } from 'vitest';
import { checkSchema } from '../../src/provisioning/check.ts';
import { checkingParts } from '../../src/provisioning/check-parts.ts';
import { atOnce } from '../../src/provisioning/work.ts';
import { file, plan, tenant } from './configurations.ts';

const good = () =>
  file([
    tenant('one', { zones: [{ id: 'eu', networks: ['262'] }] }),
    tenant('two', { plans: [plan('0.01'), { ...plan('0.02'), id: 'q', zones: [] }] }),
  ]);

const check = (value: unknown, known: ReadonlySet<unknown> = new Set()) =>
  atOnce(checkingParts(value, known));

/** A file with another value at a path, or without any. */
function edited(path: readonly (string | number)[], value: unknown): unknown {
  const root = structuredClone(good()) as unknown;
  const holder = path.slice(0, -1).reduce((at, step) => (at as never)[step], root);
  if (value === undefined) delete (holder as never)[path.at(-1)!];
  else Object.assign(holder as object, { [path.at(-1)!]: value });
  return root;
}

test('nothing is found in what is right', () => {
  expect(check(good())).toEqual([]);
});

test.each<[string, (string | number)[], unknown]>([
  ['the file', ['tenants'], []],
  ['the file', ['tenants'], undefined],
  ['the file', ['later'], true],
  ['a tenant', ['tenants', 1, 'currency'], 'euro'],
  ['a tenant', ['tenants', 1, 'curency'], 'EUR'],
  ['plans that are none', ['tenants', 0, 'plans'], {}],
  ['a plan that is none', ['tenants', 0, 'plans', 0], 'p'],
  ['a plan', ['tenants', 1, 'plans', 1, 'version'], 0],
  ['a plan', ['tenants', 1, 'plans', 1, 'rules'], []],
  ['a plan', ['tenants', 1, 'plans', 1, 'later'], {}],
  ['a rule that is none', ['tenants', 1, 'plans', 1, 'rules', 0], 7],
  ['a rule', ['tenants', 1, 'plans', 1, 'rules', 0, 'unit'], 'pages'],
  ['a rule', ['tenants', 1, 'plans', 1, 'rules', 0, 'later'], 'x'],
  ['a rule', ['tenants', 1, 'plans', 1, 'rules', 0, 'quota', 'size'], []],
  ['a rule', ['tenants', 0, 'plans', 0, 'rules', 0, 'match'], { visited: [] }],
  ['a zone', ['tenants', 0, 'zones', 0, 'networks', 0], 'x'],
  ["a plan's zone", ['tenants', 1, 'plans', 1, 'zones', 0], { numbers: ['49'] }],
  ['peers', ['peers', 'known'], [{ host: '' }]],
  ['routing', ['routing', 'default'], 5],
])('%s: what is found is what the whole schema finds', (_, path, value) => {
  const broken = edited(path, value);
  const { findings } = checkSchema(broken);
  expect(findings).not.toEqual([]);
  expect(check(broken)).toEqual(findings);
});

test('all parts are told of at once, and parts that are known to be good are not looked at', () => {
  const broken = edited(['tenants', 0, 'plans', 0, 'rules', 0, 'unit'], 'pages') as ReturnType<
    typeof good
  >;
  Object.assign(broken.tenants[1]!.plans[1]!, { version: 0 });
  expect(check(broken).map(({ path }) => path)).toEqual([
    ['tenants', 0, 'plans', 0, 'rules', 0, 'unit'],
    ['tenants', 1, 'plans', 1, 'version'],
  ]);
  expect(check(broken, new Set([broken.tenants[0]!.plans[0]])).map(({ path }) => path)).toEqual([
    ['tenants', 1, 'plans', 1, 'version'],
  ]);
});
