/** One step of a set-up: a program that may take a while, seen only if it does. */
import { spawn } from 'node:child_process';

const QUIET_MS = 2000;
/** Between two lines where there is no terminal to rewrite a line on. */
const PLAIN_EVERY_MS = 10_000;
/** What went wrong stands at one end of the output or the other. */
const FIRST_LINES = 8;
const LAST_LINES = 8;

/** Something that only a person can do; the message says what. */
export class Needed extends Error {}

/**
 * Runs a program to its end. Its own output is kept back; if it fails, both ends of it and the advice
 * are thrown as `Needed`.
 *
 * @param {{ what: string, file: string, args: string[], advice: string, cwd?: string,
 *   env?: Record<string, string> }} step
 */
export async function runStep({ what, file, args, advice, cwd = process.cwd(), env = {} }) {
  const stopProgress = showProgress(what);
  const child = spawn(file, args, {
    cwd,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output = (output + text).slice(-20_000);
    });
  }
  const failure = await new Promise((done) => {
    child.on('error', (error) => done(error.message));
    child.on('close', (code, signal) => done(code === 0 ? undefined : `exit ${code ?? signal}`));
  });
  stopProgress();
  if (failure === undefined) return;
  const lines = output.trimEnd().split('\n');
  if (lines.length > FIRST_LINES + LAST_LINES) {
    lines.splice(FIRST_LINES, lines.length - FIRST_LINES - LAST_LINES, '...');
  }
  const said = lines.map((line) => `    ${line}`.trimEnd()).join('\n');
  throw new Needed(`${what} failed (${failure}):\n\n${said}\n\n${advice}`);
}

/**
 * Nothing for two seconds; then the seconds that it takes, on a terminal in one line.
 *
 * @param {string} what
 * @returns {() => void} to be called at the end
 */
function showProgress(what) {
  const { stderr } = process;
  const rewrite = stderr.isTTY ? '\r\x1b[K' : '';
  const startedAt = Date.now();
  const elapsed = () => `${what}: ${Math.round((Date.now() - startedAt) / 1000)} s`;
  const show = () => stderr.write(`${rewrite}${elapsed()}${rewrite === '' ? ' ...\n' : ' ...'}`);
  /** @type {NodeJS.Timeout | undefined} */
  let ticking;
  const begin = setTimeout(() => {
    show();
    ticking = setInterval(show, rewrite === '' ? PLAIN_EVERY_MS : 1000);
  }, QUIET_MS);
  return () => {
    clearTimeout(begin);
    if (ticking === undefined) return;
    clearInterval(ticking);
    stderr.write(`${rewrite}${elapsed()}\n`);
  };
}
