/** `tollkeeper account put`: creates an account, or brings one to what a file says. */
import { putAccount } from '../provisioning/edit-account.ts';
import { defineCommand } from './command.ts';
import { accountFlags, accountSettings, editAccount } from './edited-account.ts';
import { readWritten } from './written-file.ts';

export const command = defineCommand({
  name: 'account put',
  summary: 'Create an account, or bring one to what a file says',
  usage: 'FILE',
  details:
    'FILE is one account, as it stands in a provisioning file. An account that exists gets what is ' +
    'written: subscribers leave the accounts that had them, limits start with their amounts or move ' +
    'by the difference. What is not written, and balances, are left as they are.',
  examples: ['account put family.yaml --tenant mvno-blue'],
  flags: accountFlags,
  settings: [...accountSettings],
  async run(call) {
    const { id: account, value } = readWritten(call.operands[0]!);
    await editAccount(call, 'account put', async (editing, tenant) => {
      const put = await putAccount(editing, { tenant, account }, value);
      return put.account;
    });
  },
});
