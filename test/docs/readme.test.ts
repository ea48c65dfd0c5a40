/** What the README shows is what the code says. `UPDATE=1` writes it anew. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/run.ts';
import { settingsTable } from '../../src/config.ts';
import { errorsTable } from '../../src/errors.ts';

const file = join(import.meta.dirname, '..', '..', 'README.md');

async function commandsTable(): Promise<string> {
  let text = '';
  await runCommandLine({
    argv: ['--help'],
    env: {},
    stdout: (part) => {
      text += part;
    },
    stderr: () => undefined,
  });
  return `\`\`\`\n${text.trim()}\n\`\`\``;
}

/** A first start in an empty folder, up to where it waits, with what differs each time made alike. */
async function firstStart(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), 'tk-readme-'));
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const argv = [main, 'start', '--diameter-port=0', '--http-port=0'];
  const child = spawn(process.execPath, argv, {
    cwd: folder,
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const closed = once(child, 'close');
  let text = '';
  for await (const part of child.stdout.setEncoding('utf8')) {
    text += part;
    if (text.includes('Ctrl-C') && !child.killed) child.kill('SIGTERM');
  }
  await closed;
  rmSync(folder, { recursive: true, force: true });
  const [shown = ''] = text.split('Stopping');
  const alike = shown
    .replaceAll(folder, '/home/you/tollkeeper')
    .replace(/private, [\d.]+/, 'private, 7.0.15')
    .replace(/latency [\d.]+ (.*), [\d.]+/, 'latency 4.2 $1, 33.4')
    .replaceAll(shown.match(/Diameter +127\.0\.0\.1:(\d+)/)?.[1] ?? 'no port', '3868')
    .replaceAll(shown.match(/HTTP +http:.*:(\d+)/)?.[1] ?? 'no port', '8080');
  return `\`\`\`\n${alike.trim()}\n\`\`\``;
}

const sections: readonly [name: string, text: () => string | Promise<string>][] = [
  ['start', firstStart],
  ['commands', commandsTable],
  ['settings', settingsTable],
  ['errors', errorsTable],
];

test.each(sections)(
  'the section of %s is what the code says',
  {
    timeout: 60_000,
  },
  async (name, make) => {
    const readme = readFileSync(file, 'utf8');
    const between = new RegExp(`(<!-- ${name} -->\n)(?:.*?\n)??(<!-- /${name} -->)`, 's');
    expect(readme).toMatch(between);
    const text = await make();
    const right = readme.replace(between, (_all, open, close) => `${open}${text}\n${close}`);
    if (process.env.UPDATE === '1') writeFileSync(file, right);
    else expect(readme).toBe(right);
  },
);
