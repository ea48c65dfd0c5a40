/**
 * Folds records into their accounts' checkpoints: sums per bucket and cause that hold for every
 * record up to the checkpointer's position. A batch's sums are worked out here, with numbers of
 * any size, and written with the new position in one step that is refused unless the position is
 * still the one they were worked out from; so each record is folded exactly once.
 */
import type { AccountRef } from '../../charging/account.ts';
import { addChanges, type Sums } from './ledger.ts';
import type { CheckpointWrite, LoggedRecord, ReaderLease, RecordLog } from './log.ts';
import { type Succession, succession } from './record-id.ts';

export interface Fold {
  outcome: 'acknowledged' | 'refused';
  /** Where the records did not follow each other. */
  breaks: Exclude<Succession, { kind: 'next' }>[];
}

/** Folds `records`, read in order after `from`. Bounded by their number, which is not 0. */
export async function foldRecords(
  log: RecordLog,
  partition: number,
  lease: ReaderLease,
  { from, records }: { from: string; records: readonly LoggedRecord[] },
): Promise<Fold> {
  const breaks = findBreaks(from, records);
  const touched = new Map<string, { account: AccountRef; changes: Sums }>();
  for (const { record } of records) {
    if (record.changes.length === 0) continue;
    const key = `${record.account.tenant}\n${record.account.account}`;
    let entry = touched.get(key);
    if (entry === undefined) {
      entry = { account: record.account, changes: new Map() };
      touched.set(key, entry);
    }
    addChanges(entry.changes, record.changes);
  }
  const entries = [...touched.values()];
  const present = await log.checkpoints(
    partition,
    entries.map((entry) => entry.account),
  );
  const writes = entries.map(
    ({ account, changes }, i): CheckpointWrite => ({
      account,
      sums: added(present[i] as Sums, changes),
    }),
  );
  const to = (records[records.length - 1] as LoggedRecord).id;
  const gap = breaks.find((found) => found.kind === 'gap');
  const move = { from, to, ...(gap === undefined ? {} : { gap: `${gap.after} to ${gap.next}` }) };
  return { outcome: await log.checkpoint(partition, lease, move, writes), breaks };
}

/** Every place where `records`, read after `from`, do not follow each other. */
export function findBreaks(from: string, records: readonly LoggedRecord[]): Fold['breaks'] {
  const breaks: Fold['breaks'] = [];
  let position = from;
  for (const { id, record } of records) {
    const found = succession(position, id, record);
    if (found.kind !== 'next') breaks.push(found);
    position = id;
  }
  return breaks;
}

/** The fields of `changes` only, each with what was there before. */
function added(present: Sums, changes: Sums): Sums {
  const result: Sums = new Map();
  for (const [field, change] of changes) {
    const before = present.get(field);
    result.set(field, {
      available: (before?.available ?? 0n) + change.available,
      reserved: (before?.reserved ?? 0n) + change.reserved,
    });
  }
  return result;
}
