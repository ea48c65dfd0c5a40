/** What `docs/plans.md` shows of `plan test` is what the command says. `UPDATE=1` writes it anew. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runCommandLine } from '../../src/cli/run.ts';

const page = join(import.meta.dirname, '..', '..', 'docs', 'plans.md');

test('a call over the happy hour is explained', async () => {
  const text = readFileSync(page, 'utf8');
  const [, happyHour = ''] = text.split('### Happy hour\n');
  const folder = mkdtempSync(join(tmpdir(), 'tk-plan-test-'));
  try {
    const plan = join(folder, 'happy-hour.yaml');
    const requests = join(folder, 'requests.yaml');
    writeFileSync(plan, blockOf(happyHour, 'yaml'));
    writeFileSync(requests, blockOf(text, 'yaml requests'));
    let explained = '';
    const code = await runCommandLine({
      argv: ['plan', 'test', plan, requests],
      env: {},
      stdout: (part) => {
        explained += part;
      },
      stderr: (part) => {
        explained += part;
      },
    });
    expect(code).toBe(0);
    // Other tests rewrite other parts of the page: it is read again.
    const present = readFileSync(page, 'utf8');
    const shown = /(```explained\n).*?(```)/s;
    const right = present.replace(shown, (_all, open, close) => `${open}${explained}${close}`);
    if (process.env.UPDATE === '1') writeFileSync(page, right);
    else expect(present).toBe(right);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function blockOf(section: string, language: string): string {
  const block = new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(section)?.[1];
  if (block === undefined) throw new Error(`no block of ${language}`);
  return block;
}
