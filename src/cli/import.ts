/** `tollkeeper import`: subscribers by the million, from CSV. */
import type { ImportCounts } from '../provisioning/import.ts';
import { withOutcome } from '../provisioning/outcome.ts';
import { COLUMNS } from '../provisioning/subscriber-rows.ts';
import { integer, path, word } from '../values.ts';
import { defineCommand } from './command.ts';
import { runImport } from './importing.ts';
import { storeSettings, withStore } from './open-store.ts';
import { readConfiguration, storedConfiguration } from './stored.ts';

export const command = defineCommand({
  name: 'import',
  summary: 'Take subscribers from CSV, safe to repeat; a run that was killed goes on',
  usage: 'FILE',
  details:
    `The first row names the columns: ${COLUMNS.join(', ')}, and opening:BUCKET for what a bucket ` +
    'of a new account starts with. Only account and plan are needed. A row is a subscriber, ' +
    'with a cell for each column and a line end: one without was cut off, and is refused. Rows of one ' +
    'account follow each other, and may leave what the first says empty. limits and buckets are ' +
    'lists in JSON, as in a provisioning file; an opening of them may be negative.\n' +
    'An account that exists stays as it is, balances included, and gets subscribers that it lacks, ' +
    'with their limits; openings say nothing to it. A row with anything else that it has not, or has ' +
    'otherwise, or whose subscriber is on another account, is refused: refused rows ' +
    'are written to --report with line and reason. Beside FILE a checkpoint is kept while the import ' +
    'runs: killed and started again with the same --report, it goes on from there.\n' +
    'Exits with 0 if all rows are in, 1 if some were refused or the store went away, 2 if the file ' +
    'cannot be read as such.',
  examples: [
    'import subscribers.csv --tenant mvno-blue',
    'import subscribers.csv --tenant mvno-blue --report refused.csv --rate 2000',
  ],
  flags: {
    tenant: {
      kind: word('TENANT'),
      description: 'Whose subscribers; needed where there are several.',
    },
    report: {
      kind: path('FILE'),
      description: 'Where refused rows are written; FILE.refused.csv if not named.',
    },
    rate: {
      kind: integer({ min: 0, max: 1_000_000 }),
      default: 0,
      unit: 'rows/s',
      description: 'The most rows a second; 0: as many as Redis takes.',
    },
    concurrency: {
      kind: integer({ min: 1, max: 1_000 }),
      default: 64,
      description: 'Accounts that are written at once.',
    },
  },
  settings: [...storeSettings],
  async run(call) {
    const file = call.operands[0]!;
    const report = call.flags.report ?? `${file}.refused.csv`;
    const { rate, concurrency } = call.flags;
    const counts = await withStore(call.settings, async (store) => {
      const first = await storedConfiguration(store, {
        command: 'import',
        tenant: call.flags.tenant,
      });
      const { tenant } = first;
      let { configuration } = first;
      const startedAt = performance.now();
      let before: number | undefined;
      return withOutcome(store, (watched) =>
        runImport({
          ...{ file, report, rate, concurrency, store: watched, tenant },
          async configuration() {
            if ((await watched.configurationStamp()) !== configuration.stamp)
              configuration = await readConfiguration(watched);
            return configuration;
          },
          storeMadeAt: store.connection.madeAt,
          onProgress({ counts: { rows, refusedRows }, done, size }) {
            before ??= rows;
            const perSecond = ((rows - before) * 1000) / (performance.now() - startedAt);
            const percent = size === 0 ? 100 : Math.floor((100 * done) / size);
            const refused = refusedRows === 0 ? '' : `, ${refusedRows} refused`;
            call.note(`${percent} %  ${rows} rows${refused}, ${Math.round(perSecond)} rows/s`);
          },
        }),
      );
    });
    call.result({ ...counts, ...(counts.refusedRows === 0 ? {} : { report }) }, (done) =>
      summary(done, report),
    );
    return counts.refusedRows === 0 ? 0 : 1;
  },
});

function summary(counts: ImportCounts, report: string): string {
  const { rows, created, unchanged, subscribersAdded, refusedRows } = counts;
  return [
    `rows               ${rows}`,
    `accounts created   ${created}`,
    `already there      ${unchanged}`,
    `subscribers added  ${subscribersAdded}`,
    `rows refused       ${refusedRows}${refusedRows === 0 ? '' : `: see ${report}`}`,
  ].join('\n');
}
