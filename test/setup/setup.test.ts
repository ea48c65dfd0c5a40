/** The set-up of a fresh clone: silent when all is there, and clear about what a person has to do. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Needed, runStep } from '../../scripts/step.mjs';
import { findServer } from '../../src/embedded/find-server.mjs';

const script = (name: string) => fileURLToPath(new URL(`../../scripts/${name}`, import.meta.url));
const isRoot = process.getuid?.() === 0;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tk-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function program(name: string, text: string): string {
  const file = join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

function node(args: string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, args, { encoding: 'utf8', env: { ...process.env, ...env } });
}

describe('setup.mjs', () => {
  test('says nothing and does nothing when all is there', () => {
    const { status, stdout, stderr } = node([script('setup.mjs')]);
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '', stderr: '' });
  });

  test('a server that was named and is none, or is too old, is a case for a person', () => {
    const none = node([script('setup.mjs')], { TOLLKEEPER_REDIS_SERVER: join(folder, 'none') });
    expect(none.status).toBe(2);
    expect(none.stderr).toContain(`${join(folder, 'none')} is not one.`);
    const old = program('redis-server', 'echo "Redis server v=6.0.16 sha=0"');
    const found = node([script('setup.mjs')], { TOLLKEEPER_REDIS_SERVER: old });
    expect(found.status).toBe(2);
    expect(found.stderr).toContain(`${old} is 6.0.16.`);
    expect(found.stderr).toContain('Correct or unset TOLLKEEPER_REDIS_SERVER.');
  });
});

describe('finding a server', () => {
  test('the first on the PATH that is new enough, Redis or Valkey', async () => {
    const file = program('valkey-server', 'echo "Valkey server v=8.1.0 sha=0"');
    expect(await findServer({ path: folder })).toEqual({ server: { file, version: '8.1.0' } });
    program('redis-server', 'echo "Redis server v=5.0.3 sha=0"');
    expect(await findServer({ path: folder })).toEqual({ server: { file, version: '8.1.0' } });
  });
});

describe('installing packages', () => {
  const install = (path: string) =>
    node(
      [
        '--input-type=module',
        '-e',
        `import { installPackages } from '${script('system-packages.mjs')}';
         await installPackages({ need: 'It is needed.', packages: ['redis'] })
           .catch((error) => { console.error(error.message); process.exitCode = 2; });`,
      ],
      { PATH: path },
    );

  test.runIf(isRoot)('with the manager that there is, when we may', () => {
    program('apk', `echo "$@" > ${folder}/called`);
    const { status, stderr } = install(folder);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(readFileSync(join(folder, 'called'), 'utf8')).toBe('add valkey\n');
  });

  test('when we may not, or it fails, the command to type is printed', () => {
    program('dnf', 'echo "no such mirror" >&2; exit 1');
    program('sudo', 'exit 1');
    const { status, stderr } = install(folder);
    expect(status).toBe(2);
    expect(stderr).toContain(`\n    ${isRoot ? '' : 'sudo '}dnf install -y valkey\n`);
    if (isRoot) expect(stderr).toContain('no such mirror');
  });

  test('where there is no manager that we know, that is said', () => {
    const { status, stderr } = install(folder);
    expect(status).toBe(2);
    expect(stderr).toBe('It is needed.\nInstall it, and try again.\n');
  });
});

describe('a step', () => {
  const step = (code: string) =>
    runStep({ what: 'Trying', file: process.execPath, args: ['-e', code], advice: 'Do this.' });

  test('that works is not seen', async () => {
    await expect(step('console.log(1)')).resolves.toBeUndefined();
  });

  test('that fails shows both ends of what it said, and what to do', async () => {
    const failed = step('for (let n = 1; n <= 99; n++) console.log("line " + n); process.exit(3)');
    await expect(failed).rejects.toBeInstanceOf(Needed);
    await expect(failed).rejects.toThrow(/^Trying failed \(exit 3\):\n\n {4}line 1\n/);
    await expect(failed).rejects.toThrow(/line 8\n {4}\.\.\.\n {4}line 92\n/);
    await expect(failed).rejects.toThrow(/line 99\n\nDo this\.$/);
  });

  test('whose program does not exist says so', async () => {
    const missing = { what: 'Trying', file: join(folder, 'none'), args: [], advice: 'Do this.' };
    await expect(runStep(missing)).rejects.toThrow('ENOENT');
  });
});

describe('counting tests', () => {
  const count = (report: object | undefined, exit: string) => {
    const file = join(folder, 'report.json');
    if (report !== undefined) writeFileSync(file, JSON.stringify(report));
    return node([script('count-tests.mjs'), file, exit]).stdout.trim();
  };

  test.each([
    [{ numPassedTests: 7, numFailedTests: 0 }, '0', '7 0'],
    [{ numPassedTests: 7, numFailedTests: 2 }, '1', '7 2'],
    [{ numPassedTests: 0, numFailedTests: 0 }, '0', '0 1'],
    [{ numPassedTests: 7, numFailedTests: 0 }, '1', '7 1'],
    [undefined, '1', '0 1'],
  ])('%j with exit %s counts %s', (report, exit, counted) => {
    expect(count(report, exit)).toBe(counted);
  });
});
