/** `tollkeeper plan put`: puts one plan in place on a running service. */
import { putPart } from '../provisioning/edit-configuration.ts';
import { whenInEffect } from '../provisioning/in-effect.ts';
import { withOutcome } from '../provisioning/outcome.ts';
import { word } from '../values.ts';
import { defineCommand } from './command.ts';
import { inEffectShown, noteIfPartly, whereText } from './in-effect.ts';
import { storeSettings, withStore } from './open-store.ts';
import { storedConfiguration } from './stored.ts';
import { readWritten } from './written-file.ts';

export const command = defineCommand({
  name: 'plan put',
  summary: 'Put a plan in place; in effect within a second',
  usage: 'FILE',
  details:
    'FILE is one plan, as it stands in a provisioning file. One that rates otherwise than before ' +
    'gets the next version; open sessions keep what their grants were decided on. Refused where ' +
    'buckets of accounts name a rule that it has no more. Waits up to 2 s for all workers to ' +
    'have it.',
  examples: ['plan put prepaid-data.yaml --tenant mvno-blue'],
  flags: {
    tenant: { kind: word('TENANT'), description: 'Whose plan; needed where there are several.' },
  },
  settings: [...storeSettings],
  async run(call) {
    const { id: plan, value } = readWritten(call.operands[0]!);
    const put = await withStore(call.settings, async (store) => {
      const { tenant } = await storedConfiguration(store, {
        command: 'plan put',
        tenant: call.flags.tenant,
      });
      const { configuration, created } = await withOutcome(store, (watched) =>
        putPart(watched, { part: 'plan', tenant, plan }, value),
      );
      const version = configuration.plan(tenant, plan)?.version;
      return { tenant, plan, version, created, inEffect: await whenInEffect(store) };
    });
    const { inEffect, ...done } = put;
    noteIfPartly(call, inEffect);
    call.result(
      { ...done, ...inEffectShown(inEffect) },
      ({ tenant, version }) =>
        `${plan} of ${tenant} is at version ${version}${whereText(inEffect)}`,
    );
  },
});
