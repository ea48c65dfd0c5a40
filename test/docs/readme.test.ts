/** The README's tables are those of the code. `UPDATE=1` writes them anew. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
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

const sections: readonly [name: string, text: () => string | Promise<string>][] = [
  ['commands', commandsTable],
  ['settings', settingsTable],
  ['errors', errorsTable],
];

test.each(sections)('the section of %s is what the code says', async (name, make) => {
  const readme = readFileSync(file, 'utf8');
  const between = new RegExp(`(<!-- ${name} -->\n)(?:.*?\n)??(<!-- /${name} -->)`, 's');
  expect(readme).toMatch(between);
  const text = await make();
  const right = readme.replace(between, (_all, open, close) => `${open}${text}\n${close}`);
  if (process.env.UPDATE === '1') writeFileSync(file, right);
  else expect(readme).toBe(right);
});
