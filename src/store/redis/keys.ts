/**
 * The keys of the store in Redis: the only place where one is built. A partition's keys share its
 * hash tag, so that a script that names several of them stays within one slot.
 *
 * | key                      | type       | holds                                             | ends           |
 * | ------------------------ | ---------- | ------------------------------------------------- | -------------- |
 * | `tk:{017}:a:<account>`   | hash       | definition, version, subscribers, counters, kinds | never          |
 * | `tk:{017}:as:<account>`  | set        | members of the account's open sessions            | with the last  |
 * | `tk:{017}:s:<member>`    | string     | `<version> <last record> ` and the session        | closed: TTL    |
 * | `tk:{017}:e:<digest>`    | string     | what a one-time event did, and its answer         | TTL            |
 * | `tk:{017}:k:<digest>`    | string     | the outcome of a booking                          | TTL            |
 * | `tk:{017}:c:<account>`   | hash       | sums of its records, up to the checkpoint         | never          |
 * | `tk:{017}:r`             | hash       | positions and leases of the outbox's readers      | never          |
 * | `tk:{017}:t`             | sorted set | timer wheel: members by earliest timer            | with the last  |
 * | `tk:{017}:o`             | stream     | outbox: field `r` of each entry is a record       | trimmed        |
 * | `tk:{017}:m`             | hash       | epoch, and the server that it was stamped on      | never          |
 * | `tk:{017}:i:<tenant>`    | sorted set | members of a tenant's open sessions by start time | with the last  |
 * | `tk:{017}:n:<tenant>`    | sorted set | names of a tenant's accounts                      | never          |
 * | `tk:sid:<digest>`        | string     | a Session-Id's binding: `b` or `o`, account       | TTL            |
 * | `tk:subs:<digest>`       | sorted set | a Session-Id's sub-sessions, by end of binding    | TTL            |
 * | `tk:sub:<tenant>/<sub>`  | string     | a subscriber's account                            | provisioning   |
 * | `tk:move:<tenant>/<sub>` | hash       | who moves a subscriber, and where it may be       | with the move  |
 * | `tk:meta`                | hash       | format and number of partitions                   | never          |
 * | `tk:config`              | hash       | the configuration, past plans, file and listener  | never          |
 * | `tk:workers`             | sorted set | live workers by the end of their lease            | with the lease |
 * | `tk:peer:<host>`         | sorted set | its holders by the end of their lease             | with the lease |
 * | `tk:inbox:<worker>`      | list       | messages to a worker                              | TTL            |
 *
 * `<account>` is the account's name (`accountName`), `<member>` a digest of it and the session's
 * key, `<digest>` one of what callers name: fixed length, however long a Session-Id is.
 */
import { accountName, digest } from '../placement.ts';

export const META = 'tk:meta';
export const CONFIGURATION = 'tk:config';
export const WORKERS = 'tk:workers';

/** The binding of a Session-Id (plus CC-Sub-Session-Id). */
export const bindingKey = (sessionKey: string): string => `tk:sid:${digest(sessionKey)}`;

/** The sub-sessions that a Session-Id has, or had a while ago. */
export const subSessionsKey = (sessionId: string): string => `tk:subs:${digest(sessionId)}`;

/** The pointer of a subscriber, given as `kind:id`. */
export const pointerKey = (tenant: string, subscriber: string): string =>
  `tk:sub:${accountName({ tenant, account: subscriber })}`;

/** The moves of a subscriber, given as `kind:id`. */
export const moveKey = (tenant: string, subscriber: string): string =>
  `tk:move:${accountName({ tenant, account: subscriber })}`;

/** Who has a connection to a peer, by its Diameter identity in lower case. */
export const peerKey = (host: string): string => `tk:peer:${host}`;

/** What other workers left for a worker. */
export const inboxKey = (worker: string): string => `tk:inbox:${worker}`;

/** The keys of one partition; `name` is an account's name. */
export interface PartitionKeys {
  /** `tk:{017}:`, for what else lives in the partition. */
  prefix: string;
  outbox: string;
  timers: string;
  partition: string;
  readers: string;
  checkpoint(name: string): string;
  account(name: string): string;
  sessionsOf(name: string): string;
  session(member: string): string;
  event(name: string, key: string): string;
  booking(name: string, key: string): string;
  index(tenant: string): string;
  accounts(tenant: string): string;
}

export function partitionKeys(partition: number): PartitionKeys {
  const prefix = `tk:{${String(partition).padStart(3, '0')}}:`;
  return {
    prefix,
    outbox: `${prefix}o`,
    timers: `${prefix}t`,
    partition: `${prefix}m`,
    readers: `${prefix}r`,
    checkpoint: (name) => `${prefix}c:${name}`,
    account: (name) => `${prefix}a:${name}`,
    sessionsOf: (name) => `${prefix}as:${name}`,
    session: (member) => `${prefix}s:${member}`,
    event: (name, key) => `${prefix}e:${digest(`${name}\n${key}`)}`,
    booking: (name, key) => `${prefix}k:${digest(`${name}\n${key}`)}`,
    index: (tenant) => `${prefix}i:${tenant}`,
    accounts: (tenant) => `${prefix}n:${tenant}`,
  };
}
