/** `tollkeeper account unblock`. */
import { changeAccount } from '../provisioning/edit-account.ts';
import { defineCommand } from './command.ts';
import { accountFlags, accountSettings, editAccount } from './edited-account.ts';

export const command = defineCommand({
  name: 'account unblock',
  summary: 'Serve a blocked account again',
  usage: 'ACCOUNT',
  details: 'From the next request on.',
  examples: ['account unblock blue-family --tenant mvno-blue'],
  flags: accountFlags,
  settings: [...accountSettings],
  async run(call) {
    const account = call.operands[0]!;
    await editAccount(call, 'account unblock', (editing, tenant) =>
      changeAccount(editing, { tenant, account }, { status: 'active' }),
    );
  },
});
