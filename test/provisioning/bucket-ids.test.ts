/** An id of a bucket that is gone, by the ways that many accounts are provisioned. */
import { expect, test } from 'vitest';
import { applyFile } from '../../src/provisioning/apply-file.ts';
import { removeBucket } from '../../src/provisioning/edit-account.ts';
import { importBatch } from '../../src/provisioning/import.ts';
import type { WrittenAccount } from '../../src/provisioning/schema.ts';
import { readHeader } from '../../src/provisioning/subscriber-rows.ts';
import { MemoryStore } from '../../src/store/memory/store.ts';
import { file, load, tenant } from './configurations.ts';

const NEVER = 'bucket sms is, or was, units, and an id is never used again for another bucket';

const fileOf = (account: Partial<WrittenAccount>) =>
  load(file([tenant('t', { accounts: [{ id: 'a', plan: 'p', ...account }] })]));

/** An account that had a bucket `sms` of units, which was taken out. */
async function withoutSms(): Promise<MemoryStore> {
  const store = new MemoryStore();
  await applyFile(store, fileOf({ buckets: [{ id: 'sms', unit: 'units' }] }), { all: false });
  await removeBucket({ store }, { tenant: 't', account: 'a' }, 'sms');
  return store;
}

test('a file that uses it for another unit moves nobody to the account', async () => {
  const store = await withoutSms();
  const own = [{ e164: '491' }];
  const first = file([tenant('t', { accounts: [{ id: 'b', plan: 'p', subscribers: own }] })]);
  await applyFile(store, load(first), { all: true });
  const buckets = [{ id: 'sms', unit: 'octets' }] as const;
  const { accounts } = await applyFile(store, fileOf({ buckets, subscribers: own }), { all: true });
  expect(accounts).toMatchObject({ refused: 1, movedSubscribers: 0 });
  expect(await store.accountOf('t', { kind: 'e164', id: '491' })).toBe('b');
});

test.each([false, true])('a file does not use it for another unit (whole: %s)', async (all) => {
  const store = await withoutSms();
  const again = fileOf({ buckets: [{ id: 'sms', unit: 'money', priority: 5 }] });
  const { accounts } = await applyFile(store, again, { all });
  expect(accounts).toMatchObject({
    ...{ refused: 1, changed: 0 },
    notes: [{ account: 'a', text: `left as it is: ${NEVER}` }],
  });
  expect(
    await applyFile(store, fileOf({ buckets: [{ id: 'sms', unit: 'units' }] }), { all }),
    // Said as at first, it stays out: others have taken it out since.
  ).toMatchObject({ accounts: { refused: 0, changed: all ? 1 : 0 } });
});

test('an import does not use it for a limit of another unit', async () => {
  const store = await withoutSms();
  const { configuration } = await applyFile(store, fileOf({}), { all: false });
  const header = readHeader(['account', 'plan', 'e164', 'limits']);
  if ('problem' in header) throw new Error(header.problem);
  const limits = '[{"id":"sms","unit":"money","amount":"1"}]';
  const row = { line: 2, nextLine: 3, end: 0, cells: ['a', 'p', '491', limits] };
  const imported = await importBatch(
    { store, configuration, tenant: 't', columns: header.columns, concurrency: 1 },
    [[row]],
  );
  expect(imported.refused).toEqual([{ line: 2, reason: NEVER, cells: row.cells }]);
});
