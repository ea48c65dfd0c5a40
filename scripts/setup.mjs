/**
 * Makes a fresh clone able to run: the packages of the lock file (among them the pinned Node) and a
 * Redis server. Needs nothing but Node 18 and npm; npm calls it before every script that needs it.
 * When all is there it does nothing and says nothing. Exit code 2: a person has to do something.
 * Its arguments are further programs that a suite of tests needs: tshark, freeDiameterd.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findServer, OLDEST_MAJOR } from '../src/embedded/find-server.mjs';
import { Needed, runStep } from './step.mjs';
import { installPackages, onPath } from './system-packages.mjs';

/** @typedef {{ packages: Record<string, { version?: string, optional?: boolean }> }} Lock */

const OLDEST_NODE = 24;
/** Of the packages that carry a Node, the one for this machine, if there is one. */
const nodePackage = `node-${process.platform}-${process.arch}`;
const root = fileURLToPath(new URL('..', import.meta.url));
const modules = join(root, 'node_modules');
/** A copy of the lock file that was installed; written last, so that a broken run is repeated. */
const stamp = join(modules, '.installed-lock.json');

try {
  await installModules();
  checkNode();
  await installRedis();
  await installPrograms(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Needed)) throw error;
  console.error(`\n${error.message}`);
  process.exitCode = 2;
}

async function installModules() {
  const text = readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === text) return;
  const lock = JSON.parse(text);
  if (!isInstalled(lock)) {
    rmSync(stamp, { force: true });
    await withPinnedNode(lock, (node) =>
      npmCi({ what: 'Installing the packages of package-lock.json', node, folder: root }),
    );
  }
  writeFileSync(stamp, text);
}

/**
 * npm leaves out optional packages that do not fit the Node it is run by, and the native parts of the
 * tools are such packages: so the pinned Node comes first, alone, and runs npm for the rest.
 *
 * @param {Lock} lock
 * @param {(node: string) => Promise<void>} install
 */
async function withPinnedNode(lock, install) {
  const path = `node_modules/${nodePackage}`;
  const entry = lock.packages[path];
  if (Number(process.versions.node.split('.')[0]) >= OLDEST_NODE || entry === undefined) {
    return install(process.execPath);
  }
  const folder = mkdtempSync(join(tmpdir(), 'tk-node-'));
  try {
    const alone = {
      name: 'node',
      version: '0.0.0',
      dependencies: { [nodePackage]: entry.version },
    };
    const packages = { '': alone, [path]: { ...entry, optional: false } };
    writeFileSync(join(folder, 'package.json'), JSON.stringify(alone));
    writeFileSync(
      join(folder, 'package-lock.json'),
      JSON.stringify({ ...alone, lockfileVersion: 3, requires: true, packages }),
    );
    await npmCi({ what: `Fetching Node ${entry.version}`, node: process.execPath, folder });
    await install(join(folder, path, 'bin', 'node'));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** @param {{ what: string, node: string, folder: string }} step */
function npmCi({ what, node, folder }) {
  // npm tells the scripts that it runs where its own program is; otherwise it is on the PATH.
  const npm = process.env.npm_execpath;
  return runStep({
    what,
    file: npm === undefined ? 'npm' : node,
    args: [
      ...(npm === undefined ? [] : [npm]),
      ...['ci', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'],
    ],
    cwd: folder,
    env: { PATH: `${dirname(node)}${delimiter}${process.env.PATH ?? ''}` },
    advice: 'Check the network, the proxy and the registry that npm uses, then try again.',
  });
}

/**
 * Whether `npm ci` was run by hand from this very lock file: npm leaves a list of what it installed,
 * in which packages for other machines are missing.
 *
 * @param {Lock} lock
 */
function isInstalled(lock) {
  const file = join(modules, '.package-lock.json');
  if (!existsSync(file)) return false;
  const { packages } = JSON.parse(readFileSync(file, 'utf8'));
  return Object.entries(lock.packages).every(([path, { version, optional }]) =>
    packages[path] === undefined ? path === '' || optional : packages[path].version === version,
  );
}

/** The packages bring Node for the usual machines; elsewhere the system's own has to be new enough. */
function checkNode() {
  const pinned = join(modules, nodePackage, 'bin', 'node');
  const link = join(modules, '.bin', 'node');
  // npm 9 and 10 link it and then undo that, as they leave out the one of another architecture.
  if (existsSync(pinned) && !existsSync(link)) symlinkSync(relative(dirname(link), pinned), link);
  const version = existsSync(link) ? versionOf(link) : process.versions.node;
  if (Number(version?.split('.')[0]) >= OLDEST_NODE) return;
  throw new Needed(
    `Node ${OLDEST_NODE} or newer is needed, and this is ${version ?? 'one that does not run'}: ` +
      `no package brings it for ${process.platform} on ${process.arch}.\n` +
      'Install it from https://nodejs.org/en/download and try again.',
  );
}

/** @param {string} node */
function versionOf(node) {
  // The usual case: npm found the pinned one first, and it runs this script.
  if (process.execPath.startsWith(modules)) return process.versions.node;
  try {
    return execFileSync(node, ['--version'], { encoding: 'utf8' }).trim().replace('v', '');
  } catch {
    return undefined;
  }
}

async function installRedis() {
  const { TOLLKEEPER_REDIS_SERVER: named, TOLLKEEPER_REDIS_URL: url } = process.env;
  // With a Redis of one's own, only the tests still run one here.
  if (url && process.env.npm_lifecycle_event === 'prestart') return;
  const found = await findServer({ named: named || undefined });
  if (found.server !== undefined) return;

  const need = `A redis-server or valkey-server ${OLDEST_MAJOR} or newer is needed: ${found.reason}.`;
  if (named) throw new Needed(`${need}\nCorrect or unset TOLLKEEPER_REDIS_SERVER.`);
  await installPackages({ need, packages: ['redis'] });
  const now = await findServer({});
  if (now.server === undefined) {
    throw new Needed(`${need}\nThe package that was installed did not help: ${now.reason}.`);
  }
}

/** @param {string[]} programs */
async function installPrograms(programs) {
  const missing = programs.filter((program) => !onPath(program));
  if (missing.length === 0) return;
  const need = `These tests need ${missing.join(' and ')}.`;
  await installPackages({ need, packages: missing.map((program) => program.toLowerCase()) });
}
