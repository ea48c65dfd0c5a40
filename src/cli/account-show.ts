/** `tollkeeper account show`: an account and what its buckets hold. */
import { TollkeeperError } from '../errors.ts';
import { type AccountView, accountView, type BucketView } from '../http/accounts.ts';
import type { TenantCurrency } from '../http/tenant.ts';
import { word } from '../values.ts';
import { instant, table } from './columns.ts';
import { defineCommand } from './command.ts';
import { chooseTenant, readCurrencies, shownQuantity } from './currencies.ts';
import { storeSettings, withStore } from './open-store.ts';

export const command = defineCommand({
  name: 'account show',
  summary: 'Show an account and what its buckets hold',
  usage: 'ACCOUNT',
  examples: [
    'account show blue-family --tenant mvno-blue',
    'account show red-491710000001 --tenant mvno-red --json',
  ],
  flags: {
    tenant: { kind: word('TENANT'), description: 'Whose account; needed where there are several.' },
  },
  settings: [...storeSettings, 'provisioningFile'],
  async run(call) {
    const tenants = readCurrencies(call);
    const { tenant, currency } = chooseTenant(call.flags.tenant, {
      tenants,
      command: 'account show',
      call,
    });
    const name = call.operands[0]!;
    const { account } = await withStore(call.settings, (store) =>
      store.load({ tenant, account: name }),
    );
    if (account === undefined) throw new TollkeeperError('ACCOUNT_UNKNOWN', { account: name });
    call.result(accountView(account, currency), (view) => accountText(view, currency));
  },
});

function accountText(view: AccountView, currency: TenantCurrency | undefined): string {
  const { account, tenant, plan, status, openSessions, maxSessions, subscribers } = view;
  const quantity = (name: 'available' | 'reserved' | 'floor') => (bucket: BucketView) =>
    shownQuantity(bucket[name].smallest, bucket.unit, currency);
  const buckets = table(view.buckets, [
    { head: 'bucket', cell: ({ id }) => id },
    { head: 'available', right: true, cell: quantity('available') },
    { head: 'reserved', right: true, cell: quantity('reserved') },
    { head: 'floor', right: true, cell: quantity('floor') },
    { head: 'pays for', cell: ({ paysFor }) => paysFor?.join(', ') ?? 'anything' },
    { head: 'expires', cell: ({ expiresAt }) => (expiresAt ? instant(expiresAt) : 'never') },
  ]);
  return [
    `account      ${account} of ${tenant}, ${status}`,
    `plan         ${plan}`,
    `sessions     ${openSessions} open, ${maxSessions} at most`,
    `subscribers  ${subscribers.map(({ kind, id }) => `${kind} ${id}`).join(', ') || 'none'}`,
    '',
    buckets,
  ].join('\n');
}
