/** `tollkeeper provisioning show`: the configuration of a service, as a file to go on from. */
import { writeProvisioning } from '../provisioning/write.ts';
import { defineCommand } from './command.ts';
import { storeSettings, withStore } from './open-store.ts';
import { readConfiguration } from './stored.ts';

export const command = defineCommand({
  name: 'provisioning show',
  summary: 'Show tenants, plans, peers and routing as they are in effect',
  usage: '',
  details: 'As a provisioning file without accounts; see `tollkeeper export` for these.',
  examples: ['provisioning show > now.yaml'],
  flags: {},
  settings: [...storeSettings],
  async run(call) {
    const { written, version } = await withStore(call.settings, readConfiguration);
    call.result(written, () =>
      writeProvisioning(written, `Version ${version} of the configuration`).trimEnd(),
    );
  },
});
