/**
 * Where things live: the partition of an account and the short names that keys are made of. What
 * these functions return is stored, so it never changes for a store that exists.
 */
import { hash } from 'node:crypto';
import type { AccountRef } from '../charging/account.ts';

/** Partitions of a new store; fixed when a store is first used. */
export const DEFAULT_PARTITIONS = 256;
export const MAX_PARTITIONS = 16_384;

/** Tenant and account as one text, unique for the pair: `/` ends the tenant. */
export function accountName({ tenant, account }: AccountRef): string {
  return `${/[%/]/.test(tenant) ? encodeURIComponent(tenant) : tenant}/${account}`;
}

/** What `accountName` was made of. */
export function accountOfName(name: string): AccountRef {
  const slash = name.indexOf('/');
  return { tenant: decodeURIComponent(name.slice(0, slash)), account: name.slice(slash + 1) };
}

/** FNV-1a over the name's UTF-16 code units, mixed so that its low bits depend on all of them. */
export function partitionOfName(name: string, partitions: number): number {
  let sum = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) sum = Math.imul(sum ^ name.charCodeAt(i), 0x01000193);
  sum = Math.imul(sum ^ (sum >>> 16), 0x7feb352d);
  sum = Math.imul(sum ^ (sum >>> 15), 0x846ca68b);
  return ((sum ^ (sum >>> 16)) >>> 0) % partitions;
}

/** 132 bits of the SHA-256 of a text, as 22 characters: names what callers name, in equal length. */
export function digest(text: string): string {
  return hash('sha256', text, 'base64url').slice(0, 22);
}

/**
 * The name of a session within its partition. The account is part of it: a session that moved
 * between two accounts of one partition leaves a marker under the old account's name.
 */
export function sessionMember(account: string, sessionKey: string): string {
  return digest(`${account}\n${sessionKey}`);
}

/** The order in which names are listed: by their UTF-8 bytes. */
export function byBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}
