/** `tollkeeper provisioning apply`: brings a running service to what a file says. */
import { applyFile, planGoneText } from '../provisioning/apply-file.ts';
import { IN_EFFECT_MS } from '../provisioning/in-effect.ts';
import { withOutcome } from '../provisioning/outcome.ts';
import { askingForPlan, askingSettings } from './asking.ts';
import { defineCommand } from './command.ts';
import { inEffectShown, noteIfPartly, whereText } from './in-effect.ts';
import { storeSettings, withStore } from './open-store.ts';
import { readProvisioning } from './provisioned.ts';
import { unservable } from './serve.ts';

export const command = defineCommand({
  name: 'provisioning apply',
  summary: 'Bring a running service to what a provisioning file says',
  usage: 'FILE',
  details:
    'Tenants, plans, peers and routing change as a whole, or not at all, and are in effect on ' +
    'all workers within a second, which is waited for; then accounts are created and changed. ' +
    'Everything that the file says is put in place, also where it was changed by other means; ' +
    'what it does not say of an account, and balances, are left alone. Clients whose account gets ' +
    'another plan are asked to re-authorise. Peers that the running service cannot serve on its ' +
    'address are refused, and so are plans without a rule that buckets of accounts name; nothing ' +
    'is changed then.',
  examples: ['provisioning apply mvne.yaml'],
  flags: {},
  settings: [...storeSettings, ...askingSettings, 'diameterHost'],
  async run(call) {
    const file = readProvisioning(call.operands[0]!);
    const applied = await withStore(call.settings, async (store) => {
      const hosts = new Set([call.settings.diameterHost, await store.rememberedListener()]);
      hosts.delete('');
      return withOutcome(store, (watched) =>
        applyFile(watched, file, {
          all: true,
          waitMs: IN_EFFECT_MS,
          askClients: askingForPlan(store, call.settings),
          problems: ({ peers }) => [
            ...new Set([...hosts].flatMap((diameterHost) => unservable({ diameterHost }, peers))),
          ],
        }),
      );
    });
    const { accounts, changed, configuration, plansGone, inEffect } = applied;
    noteIfPartly(call, inEffect);
    for (const gone of plansGone) call.note(planGoneText(gone));
    for (const { tenant, account, text } of accounts.notes)
      call.note(`${tenant} ${account}: ${text}`);
    const { version } = configuration;
    const result = { changed, version, ...inEffectShown(inEffect), plansGone, accounts };
    call.result(result, () =>
      [
        `configuration  ${changed ? 'changed' : 'as it was'}, version ${version}` +
          whereText(inEffect),
        `accounts       ${accounts.created} created, ${accounts.changed} changed, ` +
          `${accounts.unchanged} as they were, ${accounts.refused} left alone`,
        ...(accounts.sessionsAsked === 0
          ? []
          : [`re-authorised  clients of ${accounts.sessionsAsked} sessions are asked to`]),
      ].join('\n'),
    );
    return accounts.refused > 0 ? 1 : 0;
  },
});
