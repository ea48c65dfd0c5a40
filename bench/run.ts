/**
 * `npm run bench`: every figure of the README. `-- --json` prints one JSON object a line, `--tiny`
 * runs each part for a moment (to see that it works: its figures mean nothing), and names run
 * these parts only. `-- --against=<folder>` compares this version with another
 * checkout, and does nothing else.
 */
import { ACCOUNTS } from './accounts.ts';
import { against } from './against.ts';
import { codec } from './codec.ts';
import { commits } from './commits.ts';
import { asText, type Figure } from './figure.ts';
import { imported } from './import.ts';
import { matching } from './matching.ts';
import { memory } from './memory.ts';
import { coldStart } from './start.ts';
import { system } from './system.ts';
import { trips } from './trips.ts';

const words = process.argv.slice(2);
const json = words.includes('--json');
const tiny = words.includes('--tiny');
const accounts = tiny ? 100 : ACCOUNTS;
const names = words.filter((word) => !word.startsWith('--'));
const other = words.find((word) => word.startsWith('--against='))?.slice('--against='.length);

const parts: Record<string, () => AsyncGenerator<Figure>> = {
  codec: () => codec({ ms: tiny ? 20 : 1_000 }),
  matching: () => matching({ calls: tiny ? 100 : 200_000 }),
  commits: () =>
    commits(tiny ? { ms: 100, times: 1, calls: 2_000 } : { ms: 3_000, times: 5, calls: 100_000 }),
  system: () =>
    system(
      tiny
        ? { warmUpMs: 100, sliceMs: 100, slices: 1, accounts }
        : { warmUpMs: 10_000, sliceMs: 2_000, slices: 9, accounts },
    ),
  trips: () => trips({ sessions: tiny ? 50 : 5_000 }),
  memory: () => memory({ sessions: tiny ? 200 : 20_000, accounts }),
  import: () => imported({ rows: tiny ? 300 : 1_000_000, accounts, sliceMs: tiny ? 100 : 5_000 }),
  start: () => coldStart({ times: tiny ? 1 : 5 }),
};

const unknown = names.filter((name) => !(name in parts));
if (unknown.length > 0) {
  console.error(`no such part: ${unknown.join(', ')}; there are ${Object.keys(parts).join(', ')}`);
  process.exit(2);
}

const show = (figure: Figure): void => console.log(json ? JSON.stringify(figure) : asText(figure));

if (other !== undefined) {
  const extent = tiny
    ? { warmUpMs: 100, sliceMs: 100, rounds: 1, pairs: 1 }
    : { warmUpMs: 8_000, sliceMs: 1_500, rounds: 5, pairs: 4 };
  for await (const figure of against(other, { ...extent, accounts, goal: 1.2 })) show(figure);
} else {
  for (const [name, figures] of Object.entries(parts)) {
    if (names.length > 0 && !names.includes(name)) continue;
    for await (const figure of figures()) show(figure);
  }
}
