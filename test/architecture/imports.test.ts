/** The shape of the product, kept by reading its import lines: who may know whom. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const src = fileURLToPath(new URL('../../src', import.meta.url));

/** What both sides must spell alike: names of counters and keys, and the limit of a number. */
const vocabulary = ['charging/account.ts', 'charging/money.ts', 'charging/request.ts'];
/** What only the core can reckon of an account: when its periods end, and what is due by now. */
const periods = 'charging/periods.ts';
const due = 'charging/buckets.ts';

/**
 * What each folder of src/ may import besides itself and Node: a folder, a file, or `folder (types)`
 * with `import type` only. `charging` and `diameter` are pure: they know nobody, nor the world.
 */
const allowed: Record<string, readonly string[]> = {
  charging: [],
  diameter: [],
  ro: ['charging', 'diameter'],
  peer: ['diameter'],
  store: ['charging (types)', ...vocabulary, periods, due, 'errors.ts'],
  provisioning: ['charging', 'diameter', 'store', 'errors.ts', 'nearest.ts'],
  engine: ['charging', 'diameter', 'ro', 'store', 'errors.ts'],
  http: [
    ...['engine', 'provisioning', 'store', 'charging (types)', ...vocabulary, due],
    ...['errors.ts', 'config.ts'],
  ],
  console: [],
  trace: ['diameter', 'errors.ts'],
  embedded: ['errors.ts'],
  cli: ['*'],
  'main.ts': ['*'],
  'config.ts': ['values.ts', 'nearest.ts'],
  'errors.ts': [],
  'log.ts': ['charging (types)'],
  'values.ts': [],
  'nearest.ts': [],
};

const packages: Record<string, readonly string[]> = {
  store: ['ioredis', 'protobufjs'],
  provisioning: ['yaml', 'ajv'],
  trace: ['protobufjs'],
  http: ['fastify', 'prom-client', 'yaml'],
  cli: ['ioredis'],
  'log.ts': ['pino'],
};

/** Pure folders may compute, and nothing else: no socket, file, clock or randomness. */
const pure = new Set(['charging', 'diameter', 'ro']);
const computing = new Set(['node:buffer', 'node:crypto', 'node:assert']);

interface Import {
  readonly from: string;
  readonly to: string;
  readonly typeOnly: boolean;
}

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(ts|mjs)$/.test(file))
  .sort();
const imports = files.flatMap(importsOf);

/** `import ... from`, `export ... from`, `import '...'` and `import('...')` of one file. */
function importsOf(file: string): Import[] {
  const text = readFileSync(join(src, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, '');
  const statements =
    /^(?:import|export)\s+(type\s)?(?:[\w*{}\s,]+?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/gm;
  return [...text.matchAll(statements)].map(([, type, named, dynamic]) => {
    const specifier = (named ?? dynamic)!;
    const to = specifier.startsWith('.')
      ? relative(src, resolve(src, dirname(file), specifier))
      : specifier;
    return { from: file, to, typeOnly: type !== undefined };
  });
}

const areaOf = (file: string) => file.split('/')[0]!;
const isOurs = ({ to }: Import) => files.includes(to);
const shown = ({ from, to }: Import) => `${from} imports ${to}`;

describe('import lines', () => {
  test('the reader sees them: every relative import is a file that exists', () => {
    const relativeOnes = imports.filter(({ to }) => /\.(ts|mjs)$/.test(to));
    expect(relativeOnes.length).toBeGreaterThan(20);
    expect(relativeOnes.filter((one) => !isOurs(one)).map(shown)).toEqual([]);
  });

  test('every folder and file at the top of src/ stands in the table', () => {
    expect([...new Set(files.map(areaOf))].filter((area) => !(area in allowed))).toEqual([]);
  });

  test('a folder imports only what the table allows it', () => {
    const wrong = imports.filter(isOurs).filter(({ from, to, typeOnly }) => {
      const may = allowed[areaOf(from)] ?? [];
      const area = areaOf(to);
      if (area === areaOf(from) || may.includes('*')) return false;
      if (may.includes(area) || may.includes(to)) return false;
      return !(typeOnly && may.includes(`${area} (types)`));
    });
    expect(wrong.map(shown)).toEqual([]);
  });

  test('nothing imports the command line', () => {
    const wrong = imports.filter(
      ({ from, to }) =>
        (areaOf(to) === 'cli' && !['cli', 'main.ts'].includes(areaOf(from))) || to === 'main.ts',
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  test('each package is used by the folders that it is for, and by no other', () => {
    const wrong = imports.filter(
      (one) =>
        !isOurs(one) &&
        !one.to.startsWith('node:') &&
        !existsSync(join(src, one.to)) &&
        !packages[areaOf(one.from)]?.includes(one.to.split('/')[0]!),
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  test('the pure folders import nothing that touches the world', () => {
    const wrong = imports.filter(
      ({ from, to }) => pure.has(areaOf(from)) && to.startsWith('node:') && !computing.has(to),
    );
    expect(wrong.map(shown)).toEqual([]);
  });

  test('no file needs itself by way of others (a type may name its user)', () => {
    const to = new Map(files.map((file) => [file, [] as string[]]));
    const needed = imports.filter((one) => isOurs(one) && !one.typeOnly);
    for (const one of needed) to.get(one.from)!.push(one.to);
    const done = new Set<string>();
    const circles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) {
        circles.push([...path.slice(path.indexOf(file)), file].join(' -> '));
        return;
      }
      if (done.has(file)) return;
      for (const next of to.get(file)!) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(circles).toEqual([]);
  });
});

describe('files', () => {
  test('each begins by saying what it is for', () => {
    const silent = files.filter((file) => {
      const text = readFileSync(join(src, file), 'utf8').replace(/^#!.*\n/, '');
      return !/^\/\*\*?[^*]|^\/\/ /.test(text);
    });
    expect(silent).toEqual([]);
  });

  test('none is a drawer: no utils, helpers, common, types, manager, and no barrel', () => {
    const drawers = files.filter((file) =>
      /(^|[/-])(utils?|helpers?|common|types|manager|index|misc|shared)\.(ts|mjs)$/.test(file),
    );
    expect(drawers).toEqual([]);
  });

  test('none says any, ignores the checker, or leaves something for later', () => {
    const forbidden = /\bas any[;,)\]]|@ts-(ignore|expect-error|nocheck)|\b(TODO|FIXME|XXX)\b/;
    const wrong = files.filter((file) => forbidden.test(readFileSync(join(src, file), 'utf8')));
    expect(wrong).toEqual([]);
  });

  test('the pure folders have no clock and no dice', () => {
    const impure =
      /\bDate\.now\(|new Date\(\)|\bMath\.random\(|\bperformance\.now\(|\bset(Timeout|Interval|Immediate)\(/;
    const wrong = files
      .filter((file) => pure.has(areaOf(file)))
      .filter((file) => impure.test(readFileSync(join(src, file), 'utf8')));
    expect(wrong).toEqual([]);
  });
});
