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
  const name = accountName(commit.account);
  const { session, event, idempotency, subscriber, notAfter } = commit;
  const shared = {
    epoch: commit.epoch,
    version: commit.accountVersion,
    subscriber:
      subscriber === undefined ? '' : subscriberField(`${subscriber.kind}:${subscriber.id}`),
    notAfter: notAfter ?? '',
    record: encodeRecord(commit.record),
  };
  const account = keys.account(name);
  const { outbox } = keys;
  const movements = movementArgs(commit);
  if (session === undefined) {
    const once = (event ?? idempotency)!;
    const subject = event === undefined ? keys.booking(name, once.key) : keys.event(name, once.key);
    const value = event === undefined ? idempotency!.outcome : event.answer;
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
      { account, outbox, subject, ...spends },
      { ...shared, expected: '', value, ttl: once.ttlMs, timer: '', place: '', member: '' },
      movements,
    );
  }
  const member = sessionMember(name, session.key);
  const subject = keys.session(member);
  const { timers } = keys;
  return callOf(
    scripts.commit,
    session.index !== 'keep'
      ? {
          ...{ account, outbox, subject, timers },
          sessions: keys.sessionsOf(name),
          index: keys.index(commit.account.tenant),
        }
      : session.timer === 'keep'
        ? { account, outbox, subject }
        : { account, outbox, subject, timers },
    {
      ...shared,
      expected: session.expected,
      value: sessionCodec.encode(session.value),
      ttl: session.keepTtl ? 'keep' : (session.ttlMs ?? ''),
      timer: session.timer === 'keep' ? '' : session.timer,
      place:
        session.index === 'keep'
          ? ''
          : session.index === 'close'
            ? 'close'
            : session.value.openedAt,
      member,
    },
    movements,
  );
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
