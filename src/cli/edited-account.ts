/** What the commands have in common that change an account. */
import type { Account } from '../charging/account.ts';
import { accountView } from '../http/accounts.ts';
import type { AskClients } from '../provisioning/apply.ts';
import type { AccountEditing } from '../provisioning/edit-account.ts';
import { withOutcome } from '../provisioning/outcome.ts';
import type { RedisStore } from '../store/redis/store.ts';
import { word } from '../values.ts';
import { askingForPlan, askingSettings } from './asking.ts';
import type { Call } from './command.ts';
import { storeSettings, withStore } from './open-store.ts';
import { storedConfiguration } from './stored.ts';

export const accountFlags = {
  tenant: { kind: word('TENANT'), description: 'Whose account; needed where there are several.' },
} as const;

export const accountSettings = [...storeSettings, ...askingSettings] as const;

/** Makes a change with the tenant that is meant, and shows the account as it is then. */
export async function editAccount(
  call: Pick<Call<typeof accountFlags>, 'flags' | 'settings' | 'result' | 'note'>,
  command: string,
  edit: (editing: AccountEditing & { store: RedisStore }, tenant: string) => Promise<Account>,
): Promise<void> {
  const { account, currency, now } = await withStore(call.settings, async (store) => {
    const { configuration, tenant } = await storedConfiguration(store, {
      command,
      tenant: call.flags.tenant,
    });
    const { code, digits } = configuration.currencyOf(tenant)!;
    const ask = askingForPlan(store, call.settings);
    const askClients: AskClients = async (ref) => {
      const done = await ask(ref);
      if (done.asked > 0)
        call.note(`Sessions whose clients are asked to re-authorise: ${done.asked}.`);
      if (done.kind === 'busy') call.note('Not all clients could be asked to re-authorise.');
      return done;
    };
    return {
      account: await withOutcome(store, (watched) =>
        edit({ store: watched, configuration, askClients }, tenant),
      ),
      currency: { currency: code, digits },
      now: store.now(),
    };
  });
  call.result(accountView(account, { currency, now }), (view) =>
    [
      `${view.account} of ${view.tenant} is ${view.status}, with plan ${view.plan}, ` +
        `${view.subscribers.length} subscribers and ${view.buckets.length} buckets`,
    ].join('\n'),
  );
}
