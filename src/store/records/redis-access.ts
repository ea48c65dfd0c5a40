/**
 * How the record log and the audit reach Redis: their scripts, and calls that end as applied or as
 * StoreUnavailable. Every call made here may be repeated by its caller.
 */
import type { Redis } from 'ioredis';
import { classify, errorWord } from '../redis/failure.ts';
import { loadScript, type Script } from '../redis/script.ts';
import { type Call, evalSource, evalsha, type Reply } from '../redis/script-call.ts';

const lua = (name: string): URL => new URL(`./lua/${name}.lua`, import.meta.url);

export const recordScripts = {
  claim: loadScript(lua('claim-reader'), {
    keys: ['readers'],
    args: ['reader', 'holder', 'writer', 'leaseMs'],
    reply: ['held remainingMs', 'leased position own'],
  }),
  release: loadScript(lua('release-reader'), {
    keys: ['readers'],
    args: ['reader', 'holder'],
    reply: ['released', 'refused'],
  }),
  acknowledge: loadScript(lua('acknowledge-records'), {
    keys: ['readers'],
    args: ['reader', 'holder', 'writer', 'leaseMs', 'from', 'to'],
    reply: ['acknowledged', 'refused'],
  }),
  checkpoints: loadScript(lua('read-checkpoints'), {
    keys: ['readers'],
    restKeys: ['sums'],
    args: [],
    reply: '{sums}',
  }),
  checkpoint: loadScript(lua('write-checkpoint'), {
    keys: ['readers'],
    restKeys: ['sums'],
    args: ['reader', 'holder', 'leaseMs', 'from', 'to', 'gap'],
    rest: ['pairs', 'field', 'sum'],
    reply: ['acknowledged', 'refused'],
  }),
  trim: loadScript(lua('trim-records'), {
    keys: ['readers', 'outbox'],
    args: ['limit'],
    rest: ['reader'],
    reply: 'removed',
  }),
  forget: loadScript(lua('forget-reader'), {
    keys: ['readers'],
    args: ['reader'],
    reply: 'forgotten',
  }),
  pin: loadScript(lua('pin-records'), {
    keys: ['readers'],
    args: ['name', 'ttlMs'],
    reply: 'pinned',
  }),
  last: loadScript(lua('last-record'), { keys: ['outbox'], args: [], reply: 'id' }),
  examineAccounts: loadScript(lua('examine-accounts'), {
    keys: ['outbox', 'readers'],
    restKeys: ['account', 'sessions', 'sums'],
    args: ['reader'],
    reply: 'last position gap {account listed sums}',
  }),
  examineMembers: loadScript(lua('examine-members'), {
    keys: ['timers', 'sessions', 'index'],
    restKeys: ['session'],
    args: [],
    rest: ['member'],
    reply: '{session listed indexed armed}',
  }),
};

/** Calls a script; a server that does not know it yet has run nothing, and is sent its source. */
export async function callScript(redis: Redis, script: Script, call: Call): Promise<Reply> {
  try {
    return await evalsha(redis, script, call).catch((error) => {
      if (errorWord(error) !== 'NOSCRIPT') throw error;
      return evalSource(redis, script, call);
    });
  } catch (error) {
    throw classify(error);
  }
}

/** Any other command. */
export async function command<Value>(sent: Promise<Value>): Promise<Value> {
  try {
    return await sent;
  } catch (error) {
    throw classify(error);
  }
}

/** The members of a reply, as text; a missing one is empty. */
export function texts(reply: Reply): string[] {
  if (!isList(reply)) return [textOf(reply)];
  return reply.map(textOf);
}

export function textOf(reply: Reply | undefined): string {
  if (reply === undefined || reply === null) return '';
  if (isList(reply)) throw new TypeError('a list where a string was expected');
  return reply.toString();
}

export function listOf(reply: Reply | undefined): readonly Reply[] {
  if (reply === undefined || reply === null || !isList(reply))
    throw new TypeError('no list where one was expected');
  return reply;
}

/** Array.isArray does not narrow a readonly array away. */
function isList(reply: Reply): reply is readonly Reply[] {
  return Array.isArray(reply);
}
