/** The state of the accounts when everything is over, as the commands for operators tell it. */
import assert from 'node:assert/strict';
import type { Service } from './service.ts';

interface AccountLine {
  account: string;
  openSessions: number;
  buckets: { id: string; available: { smallest: number }; reserved: { smallest: number } }[];
}

/** Each account has exactly what is left, nothing is reserved or open, and the audit is clean. */
export async function assertBooks(
  service: Service,
  left: readonly { bundle: number; main: number }[],
): Promise<void> {
  const { objects } = await service.ask('account', 'list', '--tenant', 'relayed');
  const found = (objects as AccountLine[]).map(({ account, openSessions, buckets }) => ({
    account,
    openSessions,
    available: Object.fromEntries(buckets.map(({ id, available }) => [id, available.smallest])),
    reserved: Object.fromEntries(buckets.map(({ id, reserved }) => [id, reserved.smallest])),
  }));
  const expected = left.map((available, index) => ({
    account: `relayed-${491_700_000_000 + index}`,
    openSessions: 0,
    available,
    reserved: { bundle: 0, main: 0 },
  }));
  found.sort((a, b) => (a.account < b.account ? -1 : 1));
  assert.deepEqual(found, expected);

  const audit = await service.ask('audit');
  const { findings, ...rest } = audit.objects[0] as { findings: unknown[]; clean: boolean };
  assert.deepEqual(findings, []);
  assert.equal(rest.clean, true);
  assert.equal(audit.exit, 0);
}
