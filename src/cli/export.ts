/** `tollkeeper export`: a tenant's subscribers as the CSV that `import` takes. */
import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import type { Account, AccountDefinition } from '../charging/account.ts';
import { misfits } from '../provisioning/buckets.ts';
import type { Configuration } from '../provisioning/configuration.ts';
import { csvLine } from '../provisioning/csv.ts';
import { identityFinding, subscriberId } from '../provisioning/identity.ts';
import { rulesOfTenant } from '../provisioning/rule-names.ts';
import { COLUMNS, rowsOf } from '../provisioning/subscriber-rows.ts';
import type { Store } from '../store/store.ts';
import { word } from '../values.ts';
import { defineCommand } from './command.ts';
import { storeSettings, withStore } from './open-store.ts';
import { replaceFile } from './replaced-file.ts';
import { storedConfiguration } from './stored.ts';

/** Accounts read at once. */
const PAGE = 200;
/** The most accounts that are named. */
const MAX_NAMED = 20;

interface Exported {
  accounts: number;
  rows: number;
  /** The first MAX_NAMED accounts whose rows an import refuses as the configuration is now. */
  refusable: string[];
}

export const command = defineCommand({
  name: 'export',
  summary: "Write a tenant's subscribers as the CSV that import takes",
  usage: 'FILE',
  details:
    'Buckets are written as `account show` shows them: those whose period is over are full again, and ' +
    'expired ones empty. What is reserved for open sessions counts as available. Each account is read at one moment, ' +
    'but not all of them at the same one. Bundles that last from their first use, and periods, ' +
    'begin anew where the file is imported. FILE is replaced when all is written, and not before.',
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
    const { refusable } = written;
    const more = refusable.length < MAX_NAMED ? '' : ' ...';
    if (refusable.length > 0)
      call.note(
        'Import refuses the rows of accounts whose plan is not there, or has not the rules that ' +
          'their buckets name, and those with an identity that no client can send: ' +
          `${refusable.join(', ')}${more}`,
      );
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
  const written: Exported = { accounts: 0, rows: 0, refusable: [] };
  const ended = finished(out);
  // Whoever waits for room is told of it as well.
  ended.catch(() => undefined);
  const write = async (text: string) => {
    if (!out.write(text)) await Promise.race([once(out, 'drain'), ended]);
  };
  await write(csvLine(COLUMNS));
  for (let partition = 0; partition < store.partitions; partition++) {
    let after: string | undefined;
    do {
      const more = after === undefined ? {} : { after };
      const page = await store.listAccounts(tenant, { limit: PAGE, partition, ...more });
      const now = store.now();
      const rows = page.accounts.flatMap((account) =>
        rowsOf(account, { digits, timeZone: timeZoneOf(account), now }),
      );
      await write(rows.map(csvLine).join(''));
      for (const { definition } of page.accounts)
        if (written.refusable.length < MAX_NAMED && !isImportable(definition, configuration))
          written.refusable.push(definition.account);
      written.accounts += page.accounts.length;
      written.rows += rows.length;
      after = page.next;
    } while (after !== undefined);
  }
  out.end();
  await ended;
  return written;
}

/**
 * A plan may be taken out that accounts have: they keep its name, and buckets its rules'. Identities
 * may be older than what is asked of them.
 */
function isImportable(definition: AccountDefinition, configuration: Configuration): boolean {
  if (definition.subscribers.some((name) => identityFinding(subscriberId(name)) !== undefined))
    return false;
  const rules = rulesOfTenant(configuration, definition.tenant)(definition.plan);
  return rules !== undefined && misfits(definition, { id: definition.plan, rules }).length === 0;
}
