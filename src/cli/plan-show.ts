/** `tollkeeper plan show`: a plan as it is, or as it was when a record named it. */
import { TollkeeperError } from '../errors.ts';
import { partOf } from '../provisioning/edit-configuration.ts';
import { writePart } from '../provisioning/write.ts';
import { integer, word } from '../values.ts';
import { defineCommand } from './command.ts';
import { storeSettings, withStore } from './open-store.ts';
import { storedConfiguration } from './stored.ts';

export const command = defineCommand({
  name: 'plan show',
  summary: 'Show a plan as it is, or one of its last versions',
  usage: 'PLAN',
  examples: [
    'plan show prepaid-data --tenant mvno-blue',
    'plan show prepaid-data --tenant mvno-blue --version 3',
  ],
  flags: {
    tenant: { kind: word('TENANT'), description: 'Whose plan; needed where there are several.' },
    version: {
      kind: integer({ min: 1, max: 2_147_483_647 }),
      description: 'The version, as records name it; the present one if not named.',
    },
  },
  settings: [...storeSettings],
  async run(call) {
    const plan = call.operands[0]!;
    const { version } = call.flags;
    const found = await withStore(call.settings, async (store) => {
      const { configuration, tenant } = await storedConfiguration(store, {
        command: 'plan show',
        tenant: call.flags.tenant,
      });
      const unknown = new TollkeeperError('PLAN_UNKNOWN', { tenant, plan });
      if (version === undefined) {
        const part = partOf(configuration.written, { part: 'plan', tenant, plan });
        if (part === undefined) throw unknown;
        return part;
      }
      const text = await store.planText(tenant, plan, version);
      if (text !== undefined) return (JSON.parse(text) as { plans: object[] }).plans[0];
      if ((await store.planVersions(tenant, plan)).length === 0) throw unknown;
      throw new TollkeeperError('PLAN_VERSION_UNKNOWN', { tenant, plan, version });
    });
    call.result(found, (value) => writePart(value).trimEnd());
  },
});
