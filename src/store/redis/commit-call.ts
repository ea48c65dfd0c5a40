/** A commit as the arguments of its script, and the script's reply as the store's. */
import { accountName, sessionMember } from '../placement.ts';
import { encodeRecord } from '../record-codec.ts';
import { sessionCodec } from '../session-codec.ts';
import type { Commit, CommitReply } from '../store.ts';
import { CounterOutOfRange } from '../store.ts';
import { subscriberField } from './account-hash.ts';
import type { Definitions } from './definitions.ts';
import type { PartitionKeys } from './keys.ts';
import { type Arg, type Call, callOf, type Reply } from './script-call.ts';
import { scripts } from './scripts.ts';
import { decodeStored } from './session-value.ts';

export function commitCall(keys: PartitionKeys, commit: Commit): Call {
  const { session } = commit;
  return session === undefined ? onceCall(keys, commit) : sessionCall(keys, commit, session);
}

/** A one-time event, or a booking under its caller's key. */
function onceCall(keys: PartitionKeys, commit: Commit): Call {
  const name = accountName(commit.account);
  const { event, idempotency } = commit;
  const once = (event ?? idempotency)!;
  const subject = event === undefined ? keys.booking(name, once.key) : keys.event(name, once.key);
  const spends =
    event?.spends === undefined
      ? {}
      : {
          timers: keys.timers,
          sessions: keys.sessionsOf(name),
          index: keys.index(commit.account.tenant),
          spent: keys.event(name, event.spends),
        };
  return callOf(
    scripts.commit,
    { account: keys.account(name), outbox: keys.outbox, subject, ...spends },
    {
      epoch: commit.epoch,
      version: commit.accountVersion,
      expected: '',
      value: event === undefined ? idempotency!.outcome : event.answer,
      ttl: once.ttlMs,
      timer: '',
      place: '',
      member: '',
      subscriber: subscriberOf(commit),
      notAfter: commit.notAfter ?? '',
      record: encodeRecord(commit.record),
    },
    movementArgs(commit),
  );
}

function sessionCall(
  keys: PartitionKeys,
  commit: Commit,
  session: NonNullable<Commit['session']>,
): Call {
  const name = accountName(commit.account);
  const member = sessionMember(name, session.key);
  return callOf(
    scripts.commit,
    sessionKeys(keys, session, { name, tenant: commit.account.tenant, member }),
    {
      epoch: commit.epoch,
      version: commit.accountVersion,
      expected: session.expected,
      value: sessionCodec.encode(session.value),
      ttl: session.keepTtl ? 'keep' : (session.ttlMs ?? ''),
      timer: session.timer === 'keep' ? '' : session.timer,
      place: placeOf(session),
      member,
      subscriber: subscriberOf(commit),
      notAfter: commit.notAfter ?? '',
      record: encodeRecord(commit.record),
    },
    movementArgs(commit),
  );
}

/** As few as the commit needs: each that is left out is the last of them. */
function sessionKeys(
  keys: PartitionKeys,
  { index, timer }: NonNullable<Commit['session']>,
  { name, tenant, member }: { name: string; tenant: string; member: string },
) {
  const account = keys.account(name);
  const { outbox, timers } = keys;
  const subject = keys.session(member);
  if (index !== 'keep') {
    const sessions = keys.sessionsOf(name);
    return { account, outbox, subject, timers, sessions, index: keys.index(tenant) };
  }
  return timer === 'keep' ? { account, outbox, subject } : { account, outbox, subject, timers };
}

/** What becomes of its place in the indexes of open sessions: where it opened, it is put there. */
function placeOf({ index, value }: NonNullable<Commit['session']>): Arg {
  if (index === 'open') return value.openedAt;
  return index === 'keep' ? '' : 'close';
}

function subscriberOf({ subscriber }: Commit): string {
  return subscriber === undefined ? '' : subscriberField(`${subscriber.kind}:${subscriber.id}`);
}

function movementArgs({ movements }: Commit): Arg[] {
  const args: Arg[] = [];
  for (const { field, delta, min, max } of movements) args.push(field, delta, min ?? '', max ?? '');
  return args;
}

/**
 * What the script replied. `unknown`: a conflict that left out a definition which is not known here
 * any more; nothing was written, and what won is to be read.
 */
export function commitReply(
  commit: Commit,
  reply: readonly Reply[],
  definitions: Definitions,
): CommitReply | 'unknown' {
  const word = text(reply[0]);
  switch (word) {
    case 'committed':
      return {
        kind: 'committed',
        recordId: text(reply[1]),
        version: commit.session === undefined ? 0 : commit.session.expected + 1,
        counters: counters(commit, reply, 2),
      };
    case 'insufficient':
      return { kind: 'insufficient', counters: counters(commit, reply, 1) };
    case 'duplicate':
      return { kind: 'duplicate', stored: new Uint8Array(reply[1] as Buffer) };
    case 'conflict': {
      const session = reply[2] as Buffer | null;
      const epoch = Number.parseInt(text(reply[1]), 10);
      const [whole, counters] = reply.slice(3) as [readonly Reply[], readonly Reply[]];
      const account = definitions.read(accountName(commit.account), epoch, { whole, counters });
      if (account === 'unknown') return account;
      const stored = session === null ? undefined : decodeStored(session);
      return { kind: 'conflict', snapshot: { epoch, account, session: stored } };
    }
    case 'stale-epoch':
    case 'moved':
    case 'late':
      return { kind: word };
    case 'out-of-range':
      throw new CounterOutOfRange(commit.movements[Number(text(reply[1])) - 1]!.field);
    default:
      throw new Error(`the commit script replied ${word}`);
  }
}

const text = (reply: Reply | undefined): string => (reply as Buffer).toString('latin1');

function counters(
  { movements }: Commit,
  reply: readonly Reply[],
  first: number,
): Record<string, number> {
  const result: Record<string, number> = {};
  for (let i = 0; i < movements.length; i++)
    result[movements[i]!.field] = Number(text(reply[first + i]));
  return result;
}
