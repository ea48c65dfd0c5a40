/** The promises about money, checked on what a memory store holds. */
import { availableField, reservedField } from '../../src/charging/account.ts';
import type { Grant, Part } from '../../src/charging/session.ts';
import { sessionCodec } from '../../src/store/session-codec.ts';
import type { Rig } from './rig.ts';

/** Throws unless every bucket's records, counters and open grants agree to the unit. */
export function checkBooks(rig: Rig): void {
  const held = new Map<string, number>();
  const open = new Map<string, number>();
  const add = (map: Map<string, number>, key: string, by: number): void => {
    map.set(key, (map.get(key) ?? 0) + by);
  };
  for (let i = 0; i < rig.store.partitions; i++) {
    const { sessions, timers } = rig.store.partition(i);
    for (const [member, { value, expiresAt }] of sessions) {
      if (expiresAt <= rig.now) continue;
      const session = sessionCodec.decode(value.bytes);
      const { account } = session.account;
      if (session.state === 'open') {
        add(open, account, 1);
        if (!timers.has(member)) throw new Error(`${session.sessionId} is open and never woken`);
      } else if (timers.has(member))
        throw new Error(`${session.sessionId} is closed, with a timer`);
      for (const { grant } of session.services)
        for (const { bucket, amount } of partsOf(grant)) {
          if (session.state !== 'open')
            throw new Error(`${session.sessionId} is closed, and holds`);
          add(held, `${account}/${bucket}`, amount);
        }
    }
  }
  const available = new Map<string, number>();
  const reserved = new Map<string, number>();
  const applied = new Set<string>();
  for (const record of rig.records()) {
    const { account, changes, sessionId, subSessionId = '', requestNumber, kind } = record;
    if (sessionId !== undefined && requestNumber !== undefined) {
      const request = `${sessionId}/${subSessionId}/${requestNumber}`;
      if (applied.has(request)) throw new Error(`${request} took effect twice (${kind})`);
      applied.add(request);
    }
    for (const change of changes) {
      add(available, `${account.account}/${change.bucket}`, change.available);
      add(reserved, `${account.account}/${change.bucket}`, change.reserved);
    }
  }
  for (let i = 0; i < rig.store.partitions; i++)
    for (const { definition, counters } of rig.store.partition(i).accounts.values()) {
      const { account } = definition;
      expectEqual(`${account} sessions`, counters['n:open'], open.get(account) ?? 0);
      for (const { id } of definition.buckets) {
        const key = `${account}/${id}`;
        expectEqual(`${key} available`, counters[availableField(id)], available.get(key) ?? 0);
        expectEqual(`${key} reserved`, counters[reservedField(id)], reserved.get(key) ?? 0);
        expectEqual(`${key} in open grants`, counters[reservedField(id)], held.get(key) ?? 0);
      }
    }
}

function partsOf(grant: Grant | undefined): readonly Part[] {
  if (grant === undefined) return [];
  return [...grant.parts, ...(grant.limits ?? []), ...(grant.switch?.after?.parts ?? [])];
}

function expectEqual(what: string, found: number | undefined, expected: number): void {
  if (found !== expected) throw new Error(`${what}: ${found}, not ${expected}`);
}
