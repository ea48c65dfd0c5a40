/** `tollkeeper account block`. */
import { changeAccount } from '../provisioning/edit-account.ts';
import { defineCommand } from './command.ts';
import { accountFlags, accountSettings, editAccount } from './edited-account.ts';

export const command = defineCommand({
  name: 'account block',
  summary: 'Refuse an account every service',
  usage: 'ACCOUNT',
  details: 'Open sessions get no more; what they used is still charged. Balances stay.',
  examples: ['account block blue-family --tenant mvno-blue'],
  flags: accountFlags,
  settings: [...accountSettings],
  async run(call) {
    const account = call.operands[0]!;
    await editAccount(call, 'account block', (editing, tenant) =>
      changeAccount(editing, { tenant, account }, { status: 'blocked' }),
    );
  },
});
