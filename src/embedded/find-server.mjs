/**
 * Finds a Redis or Valkey server on this machine. Plain JavaScript for Node 18 and later, because the
 * set-up script needs it before the runtime of the rest is installed.
 */
import { execFile } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** The oldest major version that has what the store needs: `XADD <epoch>-*` and `#!lua` scripts. */
export const OLDEST_MAJOR = 7;

const NAMES = ['redis-server', 'valkey-server'];
/** Where packages put servers although a user's PATH may not name it. */
const USUAL_FOLDERS = ['/usr/local/bin', '/usr/bin', '/usr/sbin', '/opt/homebrew/bin'];

/**
 * @typedef {{ file: string, version: string }} Server
 * @typedef {{ server: Server, reason?: undefined } | { server?: undefined, reason: string }} Found
 */

/**
 * The first server that is new enough: the one named, or else the first on the PATH. `reason` says
 * what was found instead.
 *
 * @param {{ named?: string | undefined, path?: string | undefined }} where
 * @returns {Promise<Found>}
 */
export async function findServer({ named, path = process.env.PATH ?? '' }) {
  const files = named === undefined ? candidates(path) : [named];
  const tooOld = [];
  for (const file of files) {
    const version = await versionOf(file);
    if (version === undefined) continue;
    if (Number(version.split('.')[0]) >= OLDEST_MAJOR) return { server: { file, version } };
    tooOld.push(`${file} is ${version}`);
  }
  if (tooOld.length > 0) return { reason: tooOld.join(', ') };
  return { reason: named === undefined ? 'there is none' : `${named} is not one` };
}

/**
 * @param {string} path
 * @returns {string[]}
 */
function candidates(path) {
  const folders = new Set([
    ...path.split(delimiter).filter((folder) => folder !== ''),
    ...USUAL_FOLDERS,
  ]);
  const files = [...folders].flatMap((folder) => NAMES.map((name) => join(folder, name)));
  return files.filter(isExecutable);
}

/**
 * @param {string} file
 * @returns {boolean}
 */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * What `--version` says: "Redis server v=7.0.15 sha=..." or "Valkey server v=8.0.1 ...".
 *
 * @param {string} file
 * @returns {Promise<string | undefined>}
 */
function versionOf(file) {
  return new Promise((done) => {
    execFile(file, ['--version'], { timeout: 5000 }, (error, stdout) => {
      done(error ? undefined : /\bv=(\d+(?:\.\d+)*)/.exec(stdout)?.[1]);
    });
  });
}
