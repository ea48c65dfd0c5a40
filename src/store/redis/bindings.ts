/** Which account a Session-Id belongs to: one letter for the state, then the account's name. */
import type { AccountRef } from '../../charging/account.ts';
import { subSessionOf } from '../../charging/request.ts';
import { MARKER_RECORD, movedMarker } from '../marker.ts';
import { accountName, accountOfName, sessionMember } from '../placement.ts';
import { sessionCodec } from '../session-codec.ts';
import type { Binding } from '../store.ts';
import type { Connection } from './connection.ts';
import { bindingKey, type PartitionKeys, subSessionsKey } from './keys.ts';
import { callOf } from './script-call.ts';
import { scripts } from './scripts.ts';
import { decodeStored } from './session-value.ts';

function parse(value: string): Binding {
  return {
    ...accountOfName(value.slice(1)),
    state: value.startsWith('o') ? 'opened' : 'bound',
  };
}

export async function bind(
  connection: Connection,
  binding: { sessionKey: string; account: AccountRef; ttlMs: number; opened?: boolean },
): Promise<Binding> {
  const value = `${binding.opened ? 'o' : 'b'}${accountName(binding.account)}`;
  const key = bindingKey(binding.sessionKey);
  const [held] = await Promise.all([
    connection.run((redis) => redis.set(key, value, 'PX', binding.ttlMs, 'NX', 'GET')),
    // The binding that holds may be another's, which lives longer.
    note(connection, { ...binding, lengthen: 'GT' }),
  ]);
  return parse(held ?? value);
}

/** Notes a sub-session under its Session-Id; a session without any needs no note. */
async function note(
  connection: Connection,
  of: { sessionKey: string; ttlMs: number; lengthen: 'GT' | '' },
): Promise<void> {
  const named = subSessionOf(of.sessionKey);
  if (named === undefined) return;
  await connection.call(
    scripts.noteSubSession,
    callOf(
      scripts.noteSubSession,
      { subSessions: subSessionsKey(named.sessionId) },
      { subSession: named.subSessionId, ttl: of.ttlMs, lengthen: of.lengthen },
    ),
  );
}

export async function subSessionsOf(
  connection: Connection,
  sessionId: string,
  { after = '0', limit }: { after?: string; limit: number },
): Promise<{ subSessionIds: string[]; next?: string }> {
  const [cursor, members] = await connection.run((redis) =>
    redis.zscan(subSessionsKey(sessionId), after, 'COUNT', limit),
  );
  // Each member is followed by its score.
  const subSessionIds = members.filter((_, i) => i % 2 === 0).map(String);
  const next = String(cursor);
  return next === '0' ? { subSessionIds } : { subSessionIds, next };
}

export async function bindingOf(
  connection: Connection,
  sessionKey: string,
): Promise<Binding | undefined> {
  const value = await connection.run((redis) => redis.get(bindingKey(sessionKey)));
  return value === null ? undefined : parse(value);
}

export async function keepBinding(
  connection: Connection,
  { sessionKey, account, ttlMs }: { sessionKey: string; account: AccountRef; ttlMs: number },
): Promise<void> {
  await Promise.all([
    connection.call(
      scripts.keepBinding,
      callOf(
        scripts.keepBinding,
        { binding: bindingKey(sessionKey) },
        { account: accountName(account), ttl: ttlMs },
      ),
    ),
    note(connection, { sessionKey, ttlMs, lengthen: '' }),
  ]);
}

export interface BindingMove {
  sessionKey: string;
  from: AccountRef;
  to: AccountRef;
  ttlMs: number;
  /** The partition of the old account. */
  old: PartitionKeys;
  now: number;
}

export async function moveBinding(connection: Connection, move: BindingMove): Promise<Binding> {
  const { sessionKey, from, to, ttlMs } = move;
  const session = move.old.session(sessionMember(accountName(from), sessionKey));
  const body = sessionCodec.encode(movedMarker({ sessionKey, to, at: move.now }));
  const marker = Buffer.concat([Buffer.from(`1 ${MARKER_RECORD} `), body]);
  const there = await connection.run((redis) =>
    redis.setBuffer(session, marker, 'PX', ttlMs, 'NX', 'GET'),
  );
  if (there !== null && decodeStored(there).lastRecord !== MARKER_RECORD)
    return bind(connection, { sessionKey, account: from, ttlMs, opened: true });
  const held = await connection.call(
    scripts.moveBinding,
    callOf(
      scripts.moveBinding,
      { binding: bindingKey(sessionKey) },
      { from: accountName(from), to: accountName(to), ttl: ttlMs },
    ),
  );
  return parse(String(held));
}
