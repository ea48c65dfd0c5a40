/**
 * `npm run test:captures -- FOLDER`: the suite that replays captured traffic. The captures are not
 * ours to carry along, so the folder is given; the tests find it in CAPTURES_FOLDER.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';

const [given, ...rest] = process.argv.slice(2);
// npm runs us in the project's folder, but the path was typed in another.
const folder = resolve(process.env.INIT_CWD ?? '.', given ?? '.');
const isCapture = (/** @type {string} */ name) => /\.pcap(ng)?$/.test(name);

if (given === undefined || !existsSync(folder) || !readdirSync(folder).some(isCapture)) {
  console.error(
    'Give a folder that holds pcap or pcapng files: npm run test:captures -- FOLDER' +
      (given === undefined ? '' : `\nThere is none in ${folder}.`),
  );
  process.exit(2);
}
const { status } = spawnSync('vitest', ['run', '--mode', 'captures', ...rest], {
  stdio: 'inherit',
  env: { ...process.env, CAPTURES_FOLDER: folder },
});
process.exitCode = status ?? 1;
