/** `tollkeeper export`: a tenant's subscribers as the CSV that `import` takes. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Account } from '../charging/account.ts';
import type { Configuration } from '../provisioning/configuration.ts';
import { csvLine } from '../provisioning/csv.ts';
import { whyRefused } from '../provisioning/importable.ts';
import { COLUMNS, rowsOf } from '../provisioning/subscriber-rows.ts';
import type { Store } from '../store/store.ts';
import { word } from '../values.ts';
import { defineCommand } from './command.ts';
import { storeSettings, withStore } from './open-store.ts';
import { replaceFile } from './replaced-file.ts';
import { storedConfiguration } from './stored.ts';

/** Accounts read at once. */
const PAGE = 200;
/** The most accounts that are named, and the longest reason that is given. */
const MAX_NAMED = 20;
const MAX_REASON = 300;

interface Exported {
  accounts: number;
  rows: number;
  /** Accounts whose rows an import refuses as the configuration is now. */
  refusable: number;
  /** The first MAX_NAMED of them, with the line that they begin on. */
  refusals: { account: string; line: number; reason: string }[];
}

export const command = defineCommand({
  name: 'export',
  summary: "Write a tenant's subscribers as the CSV that import takes",
  usage: 'FILE',
  details:
    'Buckets are written as `account show` shows them: those whose period is over are full ' +
    'again, and expired ones empty. What is reserved for open sessions counts as available. Each ' +
    'account is read at one moment, but not all of them at the same one. Bundles that last from ' +
    'their first use, and periods, begin anew where the file is imported. FILE is replaced when ' +
    'all is written, and not before. Accounts whose rows an import refuses, such as those of a ' +
    'plan that is taken out, are written all the same, and named with why.',
  examples: ['export subscribers.csv --tenant mvno-blue'],
  flags: {
    tenant: {
      kind: word('TENANT'),
      description: 'Whose subscribers; needed where there are several.',
    },
  },
  settings: [...storeSettings],
  async run(call) {
    const file = call.operands[0]!;
    const written = await withStore(call.settings, async (store) => {
      const { configuration, tenant } = await storedConfiguration(store, {
        command: 'export',
        tenant: call.flags.tenant,
      });
      return replaceFile(file, (out) => exportTo(out, store, { tenant, configuration }));
    });
    const { refusable, refusals } = written;
    if (refusable > 0)
      call.note(`Import refuses the rows of ${refusable} accounts as they are now:`);
    for (const { account, line, reason } of refusals)
      call.note(`  ${account}, line ${line}: ${reason}`);
    if (refusable > refusals.length) call.note(`  and ${refusable - refusals.length} more`);
    call.result(written, ({ accounts, rows }) => `${accounts} accounts, ${rows} rows in ${file}`);
  },
});

/** Partition by partition, a page at a time: the memory that it takes is bounded. */
export async function exportTo(
  out: Writable,
  store: Pick<Store, 'partitions' | 'listAccounts' | 'now'>,
  { tenant, configuration }: { tenant: string; configuration: Configuration },
): Promise<Exported> {
  const { digits } = configuration.currencyOf(tenant)!;
  const timeZoneOf = ({ definition: { plan } }: Account) =>
    configuration.plan(tenant, plan)?.timeZone ?? 'UTC';
  const written: Exported = { accounts: 0, rows: 0, refusable: 0, refusals: [] };
  let line = 1;
  const ended = finished(out);
  // Whoever waits for room is told of it as well.
  ended.catch(() => undefined);
  const write = async (text: string) => {
    line += text.split('\n').length - 1;
    if (!out.write(text)) await Promise.race([once(out, 'drain'), ended]);
  };
  await write(csvLine(COLUMNS));
  for (let partition = 0; partition < store.partitions; partition++) {
    let after: string | undefined;
    do {
      const more = after === undefined ? {} : { after };
      const page = await store.listAccounts(tenant, { limit: PAGE, partition, ...more });
      const now = store.now();
      for (const account of page.accounts) {
        const rows = rowsOf(account, { digits, timeZone: timeZoneOf(account), now });
        const text = rows.map(csvLine).join('');
        const reason = whyRefused(text, { line, configuration, tenant });
        if (reason !== undefined && ++written.refusable <= MAX_NAMED)
          written.refusals.push({
            ...{ account: account.definition.account, line },
            reason: reason.length > MAX_REASON ? `${reason.slice(0, MAX_REASON - 3)}...` : reason,
          });
        written.accounts += 1;
        written.rows += rows.length;
        await write(text);
      }
      after = page.next;
    } while (after !== undefined);
  }
  out.end();
  await ended;
  return written;
}
