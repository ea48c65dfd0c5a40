/** `tollkeeper account show`: an account and what its buckets hold. */
import { TollkeeperError } from '../errors.ts';
import { type AccountView, accountView } from '../http/accounts.ts';
import type { BucketView } from '../http/buckets.ts';
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
    const tenants = await readCurrencies(call);
    const { tenant, currency } = chooseTenant(call.flags.tenant, {
      tenants,
      command: 'account show',
      call,
    });
    const name = call.operands[0]!;
    const { account, now } = await withStore(call.settings, async (store) => {
      const loaded = await store.load({ tenant, account: name });
      return { account: loaded.account, now: store.now() };
    });
    if (account === undefined) throw new TollkeeperError('ACCOUNT_UNKNOWN', { account: name });
    call.result(accountView(account, { currency, now }), (view) => accountText(view, currency));
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
    { head: 'pays for', cell: paysForText },
    { head: 'state', cell: stateText },
    { head: 'expires', cell: expiryText },
    { head: 'renewed', cell: (bucket) => renewalText(bucket, currency) },
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

function paysForText({ paysFor, limits }: BucketView): string {
  const rules = paysFor?.join(', ') ?? 'anything';
  if (limits === undefined) return rules;
  return `limits ${limits.map(({ kind, id }) => `${kind} ${id}`).join(', ')}: ${rules}`;
}

function stateText({ state, startsAt }: BucketView): string {
  return state === 'waiting' && startsAt !== undefined ? `starts ${instant(startsAt)}` : state;
}

function expiryText({ expiresAt, lastsSeconds, state }: BucketView): string {
  const end = expiresAt === undefined ? 'never' : instant(expiresAt);
  if (lastsSeconds === undefined || state === 'active' || state === 'expired') return end;
  const first = `${lastsSeconds} s after first use`;
  return expiresAt === undefined ? first : `${first}, ${end} at the latest`;
}

function renewalText({ renewal, unit }: BucketView, currency: TenantCurrency | undefined): string {
  if (renewal === undefined) return 'never';
  const { nextAt, every, amount, rollover } = renewal;
  const added = shownQuantity(amount.smallest, unit, currency);
  const kept =
    rollover.smallest === 0
      ? ''
      : rollover.smallest === Number.MAX_SAFE_INTEGER
        ? ', all is kept'
        : `, ${shownQuantity(rollover.smallest, unit, currency)} kept at most`;
  return `every ${every}, next ${instant(nextAt)}: ${added}${kept}`;
}
