/**
 * The books of an attack: what the client has been granted and has reported, worked out from the
 * messages alone, against the records, the accounts and the audit. They must agree to the unit.
 *
 * The plans of the attacks are made so that this is simple: one octet costs one smallest unit of
 * money (or is one of a bundle), or a price by steps that `costOf` knows.
 */
import { expect } from 'vitest';
import type { ChargingRecord } from '../../src/charging/record.ts';
import { audit } from '../../src/store/records/audit.ts';
import { redisAuditView } from '../../src/store/records/redis-audit.ts';
import type { Answered, Asked, Report } from './gateway.ts';
import { recordsOfPartition } from './records.ts';
import { OPENING, type Site } from './site.ts';

/** What a total of octets costs in one session, by rating group. */
export type CostOf = (rg: number, octets: number) => number;
export const atPar: CostOf = (_rg, octets) => octets;

interface ClientService {
  used: number;
  granted: number;
}

/** A session as its client knows it. */
export class ClientSession {
  readonly name: string;
  readonly subscriber: string;
  account: string;
  state: 'new' | 'open' | 'ended' = 'new';
  readonly services = new Map<number, ClientService>();
  /** Request numbers that were answered as done. */
  readonly applied = new Set<number>();
  #next = 0;

  constructor(name: string, who: { account: string; subscriber: string }) {
    this.name = name;
    this.account = who.account;
    this.subscriber = who.subscriber;
  }

  /** The session's next request; an initial and an update say who it is for. */
  request(kind: Asked['kind'], reports: readonly Report[], number = this.#next): Asked {
    this.#next = Math.max(this.#next, number + 1);
    const { name: session, subscriber } = this;
    return { kind, session, number, subscriber, reports };
  }

  /** What was answered to a request, once; an answer that comes again says nothing new. */
  take({ kind, number, reports }: Asked, { code, services }: Answered): void {
    if (code !== 2001 || this.applied.has(number)) return;
    this.applied.add(number);
    this.report(reports);
    for (const { rg } of reports) this.#service(rg).granted = services.get(rg)?.granted ?? 0;
    if (kind === 'initial') this.state = 'open';
    if (kind === 'terminate') this.end();
  }

  /** Usage that was debited although its request was refused; its service holds nothing then. */
  debited({ number, reports }: Asked): void {
    if (this.applied.has(number)) return;
    this.applied.add(number);
    this.report(reports);
    for (const { rg } of reports) this.#service(rg).granted = 0;
  }

  report(reports: readonly Report[]): void {
    for (const { rg, used = 0 } of reports) this.#service(rg).used += used;
  }

  /** Ended, by whomever: nothing is promised any more. */
  end(): void {
    this.state = 'ended';
    for (const service of this.services.values()) service.granted = 0;
  }

  #service(rg: number): ClientService {
    const service = this.services.get(rg) ?? { used: 0, granted: 0 };
    this.services.set(rg, service);
    return service;
  }
}

export class Books {
  readonly sessions: ClientSession[] = [];
  readonly #costOf: CostOf;
  /** What expired of the accounts' buckets, and what was put into them beside their openings. */
  readonly expired = new Map<string, number>();

  constructor(costOf: CostOf = atPar) {
    this.#costOf = costOf;
  }

  session(name: string, who: { account: string; subscriber: string }): ClientSession {
    const session = new ClientSession(name, who);
    this.sessions.push(session);
    return session;
  }

  /** What an account was charged, and what of it is promised now. */
  of(account: string): { charged: number; reserved: number; open: number } {
    const sum = { charged: 0, reserved: 0, open: 0 };
    for (const session of this.sessions) {
      if (session.account !== account) continue;
      if (session.state === 'open') sum.open++;
      for (const [rg, { used, granted }] of session.services) {
        sum.charged += this.#costOf(rg, used);
        sum.reserved += this.#costOf(rg, used + granted) - this.#costOf(rg, used);
      }
    }
    return sum;
  }

  get open(): number {
    return this.sessions.filter(({ state }) => state === 'open').length;
  }

  /** The client's view, the records, the accounts and the audit agree. */
  async check(site: Site): Promise<void> {
    const { redis } = site.store.connection;
    const { partitions } = site.store;
    const records: ChargingRecord[] = [];
    let timers = 0;
    for (let partition = 0; partition < partitions; partition++) {
      records.push(...(await recordsOfPartition(site.store, partition)));
      timers += await redis.zcard(site.store.keysOf(partition).timers);
    }
    this.#checkRequests(records);
    for (const tenant of site.provisioning.tenants)
      for (const { definition, openings } of tenant.accounts)
        await this.#checkAccount(site, definition, { openings, records });
    expect(timers).toBe(this.open);
    const report = await audit(redisAuditView({ redis, partitions }), { name: 'attack' });
    expect(report.findings).toEqual([]);
    expect(report.sessions).toBe(this.open);
  }

  /** Every request that the client knows as done left one record, and no other did. */
  #checkRequests(records: readonly ChargingRecord[]): void {
    const recorded = records.flatMap(({ sessionId, requestNumber }) =>
      sessionId === undefined || requestNumber === undefined
        ? []
        : `${sessionId.replace('gw.example;', '')} ${requestNumber}`,
    );
    const applied = this.sessions.flatMap(({ name, applied }) =>
      [...applied].map((number) => `${name} ${number}`),
    );
    expect(recorded.sort()).toEqual(applied.sort());
  }

  async #checkAccount(
    site: Site,
    ref: { tenant: string; account: string },
    on: { openings: Readonly<Record<string, number>>; records: readonly ChargingRecord[] },
  ): Promise<void> {
    const { account } = await site.store.load(ref);
    const counters = account?.counters ?? {};
    const ledger: Record<string, number> = { opened: 0, charged: 0, expired: 0 };
    const byCounter: Record<string, number> = {};
    for (const { account: of, changes } of on.records) {
      if (of.account !== ref.account || of.tenant !== ref.tenant) continue;
      for (const { bucket, cause, available, reserved } of changes) {
        byCounter[`a:${bucket}`] = (byCounter[`a:${bucket}`] ?? 0) + available;
        byCounter[`r:${bucket}`] = (byCounter[`r:${bucket}`] ?? 0) + reserved;
        const net = available + reserved;
        if (cause === 'opening') ledger.opened! += net;
        else if (cause === 'debit' || cause === 'overrun') ledger.charged! -= net;
        else if (cause === 'expiry') ledger.expired! -= net;
        else expect(net).toBe(0);
      }
    }
    for (const [field, value] of Object.entries(counters))
      if (field !== 'n:open')
        expect([ref.account, field, value]).toEqual([ref.account, field, byCounter[field] ?? 0]);
    const reserved = sumOf(counters, 'r:');
    const opened = Object.values(on.openings).reduce((sum, one) => sum + one, 0);
    const expired = this.expired.get(ref.account) ?? 0;
    const mine = this.of(ref.account);
    expect({ ...ledger, reserved, open: counters['n:open'] }).toEqual({
      ...{ opened, expired, charged: mine.charged },
      ...{ reserved: mine.reserved, open: mine.open },
    });
    expect(sumOf(counters, 'a:')).toBe(opened - expired - mine.charged - mine.reserved);
  }
}

function sumOf(counters: Readonly<Record<string, number>>, prefix: string): number {
  return Object.entries(counters).reduce(
    (sum, [field, value]) => (field.startsWith(prefix) ? sum + value : sum),
    0,
  );
}

/** The plan's rating groups: 2 by steps of 1,000 octets for 3, 3 free of charge, others at par. */
export const stepped: CostOf = (rg, octets) =>
  rg === 2 ? 3 * Math.ceil(octets / 1000) : rg === 3 ? 0 : octets;

/** What `stepped` works out, and `atPar` for rating groups 1 and 4. */
const rules = `
            - name: par
              match: { context: [32251@3gpp.org], ratingGroup: [1] }
              unit: octets
              price: { amount: "0.01", per: 1 B, increment: 1 B }
              quota: { size: 1000, minimum: 1 }
            - name: steps
              match: { context: [32251@3gpp.org], ratingGroup: [2] }
              unit: octets
              price: { amount: "0.03", per: 1000 B, increment: 1000 B }
              quota: { size: 2500, minimum: 1000 }
            - name: own
              match: { context: [32251@3gpp.org], ratingGroup: [3] }
              unit: octets
              free: true
              quota: { size: 5000 }
            - name: short-lived
              match: { context: [32251@3gpp.org], ratingGroup: [4] }
              unit: octets
              price: { amount: "0.01", per: 1 B, increment: 1 B }
              quota: { size: 1000, minimum: 1 }
              validity: 2 s`;

/** One tenant, one plan, and what else is written of them. */
export function provisioningOf(parts: { plan?: string; accounts: string; plans?: string }): string {
  return `
tenants:
    - id: blue
      currency: EUR
      digits: 2
      plans:
        - id: data
          ${parts.plan ?? 'supervision: 24 h'}
          rules:${rules}
${parts.plans ?? ''}
${parts.accounts}
peers:
    anybody: {}
`;
}

/** Cents as the provisioning file writes them. */
export const money = (cents: number): string =>
  `"${Math.floor(cents / 100)}.${String(cents % 100).padStart(2, '0')}"`;

/** Accounts alike, each with one subscriber and OPENING. */
export function rangeOf(count: number, first: string): string {
  return `      ranges:
        - prefix: a-
          count: ${count}
          first: { e164: "${first}" }
          plan: data
          maxSessions: 10000
          buckets:
            - { id: main, unit: money, opening: ${money(OPENING)} }`;
}
