/** `tollkeeper account list`: the accounts of a tenant. */
import { type AccountView, accountView } from '../http/accounts.ts';
import type { TenantCurrency } from '../http/tenant.ts';
import { integer, word } from '../values.ts';
import { table } from './columns.ts';
import { defineCommand } from './command.ts';
import { chooseTenant, readCurrencies, shownQuantity } from './currencies.ts';
import { listAll } from './listing.ts';
import { storeSettings, withStore } from './open-store.ts';

export const command = defineCommand({
  name: 'account list',
  summary: "List a tenant's accounts and what they have available",
  usage: '',
  examples: ['account list --tenant mvno-blue', 'account list --tenant mvno-red --limit 5 --json'],
  flags: {
    tenant: {
      kind: word('TENANT'),
      description: 'Whose accounts; needed where there are several.',
    },
    limit: {
      kind: integer({ min: 1, max: 1_000_000 }),
      default: 1_000,
      description: 'The most accounts to list.',
    },
  },
  settings: [...storeSettings, 'provisioningFile'],
  async run(call) {
    const tenants = await readCurrencies(call);
    const { tenant, currency } = chooseTenant(call.flags.tenant, {
      tenants,
      command: 'account list',
      call,
    });
    await withStore(call.settings, (store) =>
      listAll(call, {
        limit: call.flags.limit,
        what: `accounts of ${tenant}`,
        async page(page) {
          const { accounts, next } = await store.listAccounts(tenant, page);
          const now = store.now();
          return {
            items: accounts.map((account) => accountView(account, { currency, now })),
            next,
          };
        },
        text: (views) => accountsText(views, currency),
      }),
    );
  },
});

function accountsText(views: readonly AccountView[], currency: TenantCurrency | undefined): string {
  return table(views, [
    { head: 'account', cell: ({ account }) => account },
    { head: 'plan', cell: ({ plan }) => plan },
    { head: 'status', cell: ({ status }) => status },
    { head: 'sessions', right: true, cell: ({ openSessions }) => String(openSessions) },
    {
      head: 'available',
      cell: ({ buckets }) =>
        buckets
          .filter(({ limits, state }) => limits === undefined && state !== 'expired')
          .map(
            ({ id, unit, available }) =>
              `${id} ${shownQuantity(available.smallest, unit, currency)}`,
          )
          .join(', '),
    },
  ]);
}
