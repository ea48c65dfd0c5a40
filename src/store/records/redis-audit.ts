/** What an audit reads of Redis. */
import type { AccountRef } from '../../charging/account.ts';
import { accountName, accountOfName } from '../placement.ts';
import { accountFromHash, kindsFromHash } from '../redis/account-hash.ts';
import { partitionKeys } from '../redis/keys.ts';
import { callOf, type Reply } from '../redis/script-call.ts';
import { decodeStored } from '../redis/session-value.ts';
import type { AuditView, ExaminedAccount, ExaminedMember, MemberPage } from './audit-view.ts';
import { CHECKPOINT } from './log.ts';
import { callScript, command, listOf, recordScripts, textOf } from './redis-access.ts';
import { type RedisLogOptions, redisRecordLog, sumsOf } from './redis-log.ts';

const SCAN_COUNT = 1_000;
const PAGE = 128;

export function redisAuditView(options: RedisLogOptions): AuditView {
  const { redis } = options;
  return {
    log: redisRecordLog(options),

    async accounts() {
      const names = new Map<number, Set<string>>();
      let cursor = '0';
      do {
        // Of the keys themselves, not of an index: what an index forgot is audited all the same. An
        // account that is lost has left its checkpoint behind.
        const [next, keys] = await command(
          redis.scan(cursor, 'MATCH', 'tk:{*}:[ac]:*', 'COUNT', SCAN_COUNT),
        );
        for (const key of keys) {
          const match = /^tk:\{(\d+)\}:[ac]:(.+)$/s.exec(key);
          if (match === null) continue;
          const partition = Number(match[1]);
          const present = names.get(partition) ?? new Set();
          names.set(partition, present.add(match[2] as string));
        }
        cursor = next;
      } while (cursor !== '0');
      const all = new Map<number, AccountRef[]>();
      for (const [partition, found] of names)
        all.set(partition, [...found].sort().map(accountOfName));
      return all;
    },

    async examine(partition, accounts) {
      const { examineAccounts } = recordScripts;
      const keys = partitionKeys(partition);
      const { outbox, readers } = keys;
      const call = callOf(examineAccounts, { outbox, readers }, { reader: CHECKPOINT });
      const more = accounts.flatMap((account) => {
        const name = accountName(account);
        return [keys.account(name), keys.sessionsOf(name), keys.checkpoint(name)];
      });
      const all = { ...call, keys: [...call.keys, ...more] };
      const reply = listOf(await callScript(redis, examineAccounts, all));
      return {
        last: textOf(reply[0]),
        position: textOf(reply[1]),
        gap: textOf(reply[2]),
        accounts: accounts.map((account, i) => examined(account, reply.slice(3 + 3 * i))),
      };
    },

    async openSessions(partition, account, cursor = '0') {
      const key = partitionKeys(partition).sessionsOf(accountName(account));
      return pageOf(await command(redis.sscan(key, cursor, 'COUNT', PAGE)), 1);
    },

    async timers(partition, cursor = '0') {
      const { timers } = partitionKeys(partition);
      return pageOf(await command(redis.zscan(timers, cursor, 'COUNT', PAGE)), 2);
    },

    async index(partition, tenant, cursor = '0') {
      const key = partitionKeys(partition).index(tenant);
      return pageOf(await command(redis.zscan(key, cursor, 'COUNT', PAGE)), 2);
    },

    async members(partition, { tenant, account }, members) {
      const { examineMembers } = recordScripts;
      const keys = partitionKeys(partition);
      // No tenant and no account has an empty name, so nobody stands in their set and index.
      const sessions = keys.sessionsOf(
        tenant === undefined || account === undefined ? '' : accountName({ tenant, account }),
      );
      const index = keys.index(tenant ?? '');
      const call = callOf(examineMembers, { timers: keys.timers, sessions, index }, {}, members);
      const all = { ...call, keys: [...call.keys, ...members.map(keys.session)] };
      const reply = listOf(await callScript(redis, examineMembers, all));
      return members.map((member, i) => examinedMember(member, reply.slice(4 * i, 4 * i + 4)));
    },
  };
}

function examined(account: AccountRef, reply: readonly Reply[]): ExaminedAccount {
  const hash = listOf(reply[0]);
  const found = accountFromHash(hash);
  return {
    account,
    buckets: found?.definition.buckets,
    kinds: kindsFromHash(hash),
    counters: found?.counters ?? {},
    listed: Number(textOf(reply[1])),
    sums: sumsOf(reply[2]),
  };
}

function examinedMember(member: string, reply: readonly Reply[]): ExaminedMember {
  const [listed, indexed, armed] = reply.slice(1).map((flag) => textOf(flag) === '1');
  return {
    member,
    stored: storedOf(reply[0]),
    listed: listed === true,
    indexed: indexed === true,
    armed: armed === true,
  };
}

function storedOf(value: Reply | undefined): ExaminedMember['stored'] {
  if (!(value instanceof Buffer) || value.length === 0) return undefined;
  try {
    return decodeStored(value);
  } catch {
    return 'unreadable';
  }
}

/** `step`: how many texts each member has in a page; a member's score follows it. */
function pageOf([next, flat]: [string, string[]], step: number): MemberPage {
  const members = flat.filter((_, i) => i % step === 0);
  return next === '0' ? { members } : { members, next };
}
