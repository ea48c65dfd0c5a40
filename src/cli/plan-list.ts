/** `tollkeeper plan list`: a tenant's plans as they are in effect. */
import { word } from '../values.ts';
import { table } from './columns.ts';
import { defineCommand } from './command.ts';
import { storeSettings, withStore } from './open-store.ts';
import { storedConfiguration } from './stored.ts';

export const command = defineCommand({
  name: 'plan list',
  summary: "List a tenant's plans and their versions",
  usage: '',
  examples: ['plan list --tenant mvno-blue'],
  flags: {
    tenant: { kind: word('TENANT'), description: 'Whose plans; needed where there are several.' },
  },
  settings: [...storeSettings],
  async run(call) {
    const plans = await withStore(call.settings, async (store) => {
      const { configuration, tenant } = await storedConfiguration(store, {
        command: 'plan list',
        tenant: call.flags.tenant,
      });
      return Promise.all(
        configuration.tenant(tenant)!.plans.map(async ({ id, version, rules }) => ({
          ...{ tenant, plan: id, version, rules: rules.length },
          kept: await store.planVersions(tenant, id),
        })),
      );
    });
    if (call.json) for (const plan of plans) call.result(plan, () => '');
    else
      call.result(plans, () =>
        table(plans, [
          { head: 'plan', cell: ({ plan }) => plan },
          { head: 'version', right: true, cell: ({ version }) => String(version) },
          { head: 'rules', right: true, cell: ({ rules }) => String(rules) },
          { head: 'versions kept', cell: ({ kept }) => kept.join(', ') },
        ]),
      );
  },
});
