/** What an audit reads of the memory store. */
import type { AccountRef } from '../../charging/account.ts';
import type { MemoryStore } from '../memory/store.ts';
import { accountName, accountOfName } from '../placement.ts';
import { sessionCodec } from '../session-codec.ts';
import type { AuditView, ExaminedMember } from './audit-view.ts';
import { memoryCheckpoint, memoryRecordLog } from './memory-log.ts';

export function memoryAuditView(store: MemoryStore): AuditView {
  return {
    log: memoryRecordLog(store),

    async accounts() {
      const all = new Map<number, AccountRef[]>();
      for (let partition = 0; partition < store.partitions; partition++) {
        const { accounts, readers } = store.partition(partition);
        const names = new Set([...accounts.keys(), ...readers.sums.keys()]);
        if (names.size > 0) all.set(partition, [...names].map(accountOfName));
      }
      return all;
    },

    async examine(partition, accounts) {
      const { accounts: kept, readers, epoch, next } = store.partition(partition);
      return {
        last: `${epoch}-${next - 1}`,
        ...memoryCheckpoint(readers),
        accounts: accounts.map((account) => {
          const name = accountName(account);
          const one = kept.get(name);
          return {
            account,
            buckets: one && structuredClone(one.definition.buckets),
            kinds: one?.kinds ?? new Map(),
            counters: { ...one?.counters },
            listed: one?.openSessions.size ?? 0,
            sums: structuredClone(readers.sums.get(name) ?? new Map()),
          };
        }),
      };
    },

    async openSessions(partition, account) {
      const kept = store.partition(partition).accounts.get(accountName(account));
      return { members: [...(kept?.openSessions ?? [])] };
    },

    async timers(partition) {
      return { members: [...store.partition(partition).timers.keys()] };
    },

    async index(partition, tenant) {
      return { members: [...(store.partition(partition).index.get(tenant)?.keys() ?? [])] };
    },

    async members(partition, { tenant, account }, members) {
      const { accounts, sessions, timers, index } = store.partition(partition);
      const listed =
        tenant === undefined || account === undefined
          ? undefined
          : accounts.get(accountName({ tenant, account }))?.openSessions;
      const indexed = tenant === undefined ? undefined : index.get(tenant);
      return members.map((member): ExaminedMember => {
        const kept = sessions.get(member);
        const present = kept !== undefined && kept.expiresAt > store.now() ? kept.value : undefined;
        return {
          member,
          stored: present && {
            version: present.version,
            lastRecord: present.lastRecord,
            session: sessionCodec.decode(present.bytes),
          },
          listed: listed?.has(member) ?? false,
          indexed: indexed?.has(member) ?? false,
          armed: timers.has(member),
        };
      });
    },
  };
}
