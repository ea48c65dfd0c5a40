/** The commit of the memory store: validates all, then writes, in the order of `CommitReply`. */
import { LIMIT } from '../../charging/money.ts';
import { accountName, digest, sessionMember } from '../placement.ts';
import { encodeRecord } from '../record-codec.ts';
import { sessionCodec } from '../session-codec.ts';
import { type Commit, type CommitReply, CounterOutOfRange } from '../store.ts';
import { append, current, type KeptAccount, type Partition } from './state.ts';

/** `conflict` and `duplicate` leave it to the store to say what is there. */
export type MemoryReply =
  | Exclude<CommitReply, { kind: 'conflict' }>
  | { kind: 'conflict'; snapshot: undefined };

export function applyCommit(partition: Partition, commit: Commit, now: number): MemoryReply {
  const name = accountName(commit.account);
  const account = partition.accounts.get(name);
  const once = commit.event ?? commit.idempotency;
  const onceKeys = onceKeysOf(commit, name);
  const { session } = commit;
  const member = session && sessionMember(name, session.key);

  for (const key of onceKeys) {
    const stored = current(partition.answers, key, now);
    if (stored !== undefined) return { kind: 'duplicate', stored };
  }
  const kept = member === undefined ? undefined : current(partition.sessions, member, now);
  if (session !== undefined && (kept?.version ?? 0) !== session.expected) return conflict;
  if (account?.version !== commit.accountVersion) return conflict;
  for (const { field, max } of commit.movements) {
    const before = account.counters[field];
    if (before === undefined || (max !== undefined && before > max)) return conflict;
  }
  if (commit.epoch < partition.epoch) return { kind: 'stale-epoch' };
  if (commit.subscriber !== undefined) {
    const { kind, id } = commit.subscriber;
    if (!account.subscribers.has(`${kind}:${id}`)) return { kind: 'moved' };
  }
  if (commit.notAfter !== undefined && now > commit.notAfter) return { kind: 'late' };
  const after = sums(account, commit);
  if (after === 'insufficient') return { kind: 'insufficient', counters: before(account, commit) };

  const recordId = append(partition, encodeRecord(commit.record));
  Object.assign(account.counters, after);
  for (const key of onceKeys) {
    const value = commit.event?.answer ?? commit.idempotency!.outcome;
    partition.answers.set(key, { value: value.slice(), expiresAt: now + once!.ttlMs });
  }
  if (session !== undefined && member !== undefined) {
    const held = partition.sessions.get(member)?.expiresAt ?? Infinity;
    partition.sessions.set(member, {
      value: {
        version: session.expected + 1,
        lastRecord: recordId,
        bytes: sessionCodec.encode(session.value).slice(),
      },
      expiresAt: session.keepTtl ? held : now + (session.ttlMs ?? Infinity),
    });
    place(partition, account, commit, member);
  }
  const version = session === undefined ? 0 : session.expected + 1;
  return { kind: 'committed', recordId, version, counters: after };
}

/** The keys that a commit must be the first to have. */
function onceKeysOf({ event, idempotency }: Commit, name: string): string[] {
  const keys: string[] = [];
  if (event !== undefined) keys.push(`e:${digest(`${name}\n${event.key}`)}`);
  if (event?.spends !== undefined) keys.push(`e:${digest(`${name}\n${event.spends}`)}`);
  if (idempotency !== undefined) keys.push(`k:${digest(`${name}\n${idempotency.key}`)}`);
  return keys;
}

const conflict: MemoryReply = { kind: 'conflict', snapshot: undefined };

function sums(account: KeptAccount, commit: Commit): Record<string, number> | 'insufficient' {
  const after: Record<string, number> = {};
  for (const { field, delta, min } of commit.movements) {
    const sum = account.counters[field]! + delta;
    if (min !== undefined && sum < min) return 'insufficient';
    after[field] = sum;
  }
  for (const [field, sum] of Object.entries(after))
    if (sum > LIMIT || sum < -LIMIT) throw new CounterOutOfRange(field);
  return after;
}

function before(account: KeptAccount, commit: Commit): Record<string, number> {
  return Object.fromEntries(
    commit.movements.map(({ field }) => [field, account.counters[field] as number]),
  );
}

/** Timer and index entries. */
function place(partition: Partition, account: KeptAccount, commit: Commit, member: string): void {
  const { timer, index, value } = commit.session!;
  if (timer === 'remove') partition.timers.delete(member);
  else if (timer !== 'keep') partition.timers.set(member, timer);
  const { tenant } = commit.account;
  const open = partition.index.get(tenant) ?? new Map<string, number>();
  partition.index.set(tenant, open);
  if (index === 'open') {
    account.openSessions.add(member);
    open.set(member, value.openedAt);
  } else if (index === 'close') {
    account.openSessions.delete(member);
    open.delete(member);
  }
}
