/**
 * The audit: proves on the live store, without stopping it, that money is conserved. For every
 * bucket of every account
 *
 *   opening + topups + refunds + renewals + adjustments - charges - expired = available + reserved
 *
 * and `reserved` is what the open sessions' grants hold. An account's counters, its checkpoint and
 * the partition's last record N are read in one instant; the records between checkpoint and N are
 * added to the checkpointed sums, and counters and sums must agree to the unit. Sessions are read
 * later, in batches; each knows its last record, so what it did after N is taken back.
 */
import {
  type AccountRef,
  availableField,
  OPEN_SESSIONS,
  reservedField,
} from '../../charging/account.ts';
import type { ChargingRecord } from '../../charging/record.ts';
import { sessionKey, type Unit } from '../../charging/request.ts';
import type { Grant, Part } from '../../charging/session.ts';
import { kindOf } from '../bucket-kinds.ts';
import { accountName, sessionMember } from '../placement.ts';
import type { AuditView, ExaminedAccount, ExaminedMember, MemberPage } from './audit-view.ts';
import { addChanges, type Balance, balances, emptyBalance } from './ledger.ts';
import { compareRecordIds, START, succession } from './record-id.ts';

export type FindingKind =
  /** The law does not hold: `expected` by the records, `found` in available + reserved. */
  | 'conservation'
  /** One counter is not what the records say. */
  | 'available'
  | 'reserved'
  /** `reserved` is not what the grants of open sessions hold (`expected`). */
  | 'grants'
  /** A bucket is `found`, and its id has stood for another one (`expected`): a limit, another unit. */
  | 'bucket-reused'
  /** There is no such account, and records say that it has had money. */
  | 'account-missing'
  /** The account's count of open sessions is not the size of its set (`expected`). */
  | 'open-sessions'
  /** Records are missing. */
  | 'numbering'
  /** A set of open sessions names one that does not exist, or is closed. */
  | 'session-missing'
  | 'session-closed'
  /** An open session without a timer, or that its tenant's index does not have. */
  | 'timer-missing'
  | 'index-missing'
  /** A timer, or an entry of a tenant's index, of a session that is closed or does not exist. */
  | 'timer-left'
  | 'index-left'
  /** A stored session makes no sense. */
  | 'unreadable';

/** Something that should not be. Amounts are in decimal, of any size. */
export interface Finding {
  kind: FindingKind;
  partition: number;
  tenant?: string;
  account?: string;
  bucket?: string;
  /** Session-Id, or the name of the member where the session cannot be read. */
  session?: string;
  expected?: string;
  found?: string;
  /** With `numbering`: what is missing. */
  detail?: string;
}

/**
 * Sums over the buckets of one tenant that hold one unit; in decimal, of any size. Those that only
 * limit subscribers are apart: they count once more what other buckets paid.
 */
export interface TenantSums {
  tenant: string;
  /** `gone`: buckets that were removed from their accounts. */
  unit: Unit | 'gone';
  limits: boolean;
  opening: string;
  topups: string;
  refunds: string;
  renewals: string;
  adjustments: string;
  charges: string;
  expired: string;
  available: string;
  reserved: string;
}

export interface AuditReport {
  clean: boolean;
  accounts: number;
  buckets: number;
  /** Open sessions found. */
  sessions: number;
  /** Records read: added to checkpoints, checked for their numbers or taken back. */
  records: number;
  sums: TenantSums[];
  findings: Finding[];
  /** Findings beyond the first thousand, which are only counted. */
  moreFindings: number;
}

export interface AuditProgress {
  partitions: number;
  partitionsDone: number;
  accounts: number;
  accountsDone: number;
}

export interface AuditOptions {
  /** Names the audit's hold on the outboxes; unique to this run: letters, digits and `-`. */
  name: string;
  progress?(progress: AuditProgress): void;
  /** Ends the audit between two batches; it then rejects with the signal's reason. */
  signal?: AbortSignal;
}

const ACCOUNT_BATCH = 64;
const MEMBER_BATCH = 128;
const RECORD_PAGE = 512;
const MAX_FINDINGS = 1_000;
/** How long an outbox stays untrimmed if the audit dies; renewed with every batch. */
const PIN_MS = 60_000;

/** Audits every account. Rejects with StoreUnavailable when the store does not answer. */
export async function audit(view: AuditView, options: AuditOptions): Promise<AuditReport> {
  const byPartition = await view.accounts();
  const run = new Audit(view, options);
  const progress: AuditProgress = {
    partitions: view.log.partitions,
    partitionsDone: 0,
    accounts: [...byPartition.values()].reduce((sum, { length }) => sum + length, 0),
    accountsDone: 0,
  };
  for (let partition = 0; partition < view.log.partitions; partition++) {
    const accounts = byPartition.get(partition) ?? [];
    try {
      await run.partition(partition, accounts, ({ found = 0, done = 0 }) => {
        progress.accounts += found;
        progress.accountsDone += done;
        options.progress?.({ ...progress });
      });
    } finally {
      await view.log.unpin(partition, options.name);
    }
    progress.partitionsDone++;
    options.progress?.({ ...progress });
  }
  return run.report();
}

/** What the open sessions of one account hold, on the way back to record N. */
class Holdings {
  readonly buckets = new Map<string, bigint>();
  /** Sessions that were read, by member: the records up to which they were. */
  readonly readAt = new Map<string, string>();
  /** Sessions that a record after N opened, by member. */
  readonly opened = new Set<string>();

  add(bucket: string, amount: bigint): void {
    this.buckets.set(bucket, (this.buckets.get(bucket) ?? 0n) + amount);
  }
}

interface TenantBalance extends Pick<TenantSums, 'tenant' | 'unit' | 'limits'> {
  balance: Balance;
}

class Audit {
  readonly #view: AuditView;
  readonly #options: AuditOptions;
  readonly #sums = new Map<string, TenantBalance>();
  readonly #report = { accounts: 0, buckets: 0, sessions: 0, records: 0 };
  readonly #findings: Finding[] = [];
  #moreFindings = 0;

  constructor(view: AuditView, options: AuditOptions) {
    this.#view = view;
    this.#options = options;
  }

  report(): AuditReport {
    return {
      clean: this.#findings.length === 0,
      ...this.#report,
      sums: [...this.#sums.values()].map(tenantSums),
      findings: this.#findings,
      moreFindings: this.#moreFindings,
    };
  }

  async partition(
    partition: number,
    present: readonly AccountRef[],
    progress: (accounts: { found?: number; done?: number }) => void,
  ): Promise<void> {
    await this.#pin(partition);
    const named = new Map(present.map((account) => [accountName(account), account]));
    await this.#checkNumbering(partition, named);
    const accounts = [...named.values()];
    progress({ found: accounts.length - present.length });
    for (let i = 0; i < accounts.length; i += ACCOUNT_BATCH) {
      const batch = accounts.slice(i, i + ACCOUNT_BATCH);
      await this.#checkAccounts(partition, batch);
      progress({ done: batch.length });
    }
    await this.#checkTimers(partition);
    for (const tenant of new Set(accounts.map((account) => account.tenant)))
      await this.#checkIndex(partition, tenant);
  }

  /** Records stay where they are while the partition is read. */
  async #pin(partition: number): Promise<void> {
    this.#options.signal?.throwIfAborted();
    await this.#view.log.pin(partition, this.#options.name, PIN_MS);
  }

  /** Whoever a record moved money of is added to `accounts`, whether such an account is there or not. */
  async #checkNumbering(partition: number, accounts: Map<string, AccountRef>): Promise<void> {
    const { last, position, gap } = await this.#view.examine(partition, []);
    const missing = (after: string, next: string): void =>
      this.#find({ kind: 'numbering', partition, detail: `between ${after} and ${next}` });
    if (gap !== '')
      this.#find({ kind: 'numbering', partition, detail: `the checkpointer missed ${gap}` });
    let before: string | undefined;
    for await (const { id, record } of this.#records(partition, START, last)) {
      if (record.changes.length > 0) accounts.set(accountName(record.account), record.account);
      // Trimming begins at the front and never passes the checkpoint.
      const from = before ?? (compareRecordIds(id, position) > 0 ? position : undefined);
      before = id;
      if (from === undefined) continue;
      const found = succession(from, id, record);
      if (found.kind === 'gap') missing(found.after, found.next);
    }
    const end = before ?? position;
    if (compareRecordIds(end, last) < 0) missing(end, `the end, ${last}`);
  }

  async #checkAccounts(partition: number, accounts: readonly AccountRef[]): Promise<void> {
    await this.#pin(partition);
    const { last, position, accounts: examined } = await this.#view.examine(partition, accounts);
    const byName = new Map(examined.map((one) => [accountName(one.account), one]));
    for await (const { record } of this.#records(partition, position, last)) {
      const one = byName.get(accountName(record.account));
      if (one !== undefined) addChanges(one.sums, record.changes);
    }
    const holdings = new Map<string, Holdings>();
    for (const [name, one] of byName)
      holdings.set(name, await this.#readSessions(partition, one.account));
    const end = await this.#view.log.last(partition);
    for await (const { id, record } of this.#records(partition, last, end))
      takeBack(holdings, id, record);
    for (const [name, one] of byName)
      this.#judge(partition, one, (holdings.get(name) as Holdings).buckets);
  }

  /** What the account's sessions hold, each as of its own last record. */
  async #readSessions(partition: number, account: AccountRef): Promise<Holdings> {
    const holdings = new Holdings();
    const pages = (cursor?: string) => this.#view.openSessions(partition, account, cursor);
    for await (const members of this.#members(pages)) {
      await this.#pin(partition);
      const fresh = members.filter((member) => !holdings.readAt.has(member));
      for (const one of await this.#view.members(partition, account, fresh)) {
        this.#checkMember(partition, account, one);
        if (one.stored === undefined || one.stored === 'unreadable') continue;
        const { session, lastRecord } = one.stored;
        holdings.readAt.set(one.member, lastRecord);
        if (session.state !== 'open') continue;
        this.#report.sessions++;
        for (const { grant } of session.services)
          for (const part of partsOf(grant)) holdings.add(part.bucket, BigInt(part.amount));
      }
    }
    return holdings;
  }

  #checkMember(partition: number, { tenant, account }: AccountRef, one: ExaminedMember): void {
    const { stored } = one;
    const where = { partition, tenant, account, session: sessionName(one) };
    if (stored === 'unreadable') this.#find({ kind: 'unreadable', ...where });
    else if (stored === undefined) {
      if (one.listed) this.#find({ kind: 'session-missing', ...where });
    } else if (stored.session.state !== 'open') {
      if (one.listed) this.#find({ kind: 'session-closed', ...where });
    } else {
      if (!one.armed) this.#find({ kind: 'timer-missing', ...where });
      if (!one.indexed) this.#find({ kind: 'index-missing', ...where });
    }
  }

  #judge(partition: number, examined: ExaminedAccount, held: ReadonlyMap<string, bigint>): void {
    const { account, counters, listed } = examined;
    if (examined.buckets === undefined)
      this.#find({ kind: 'account-missing', partition, ...account });
    const defined = new Map(examined.buckets?.map((bucket) => [bucket.id, bucket]));
    const ledger = balances(examined.sums);
    const check = (kind: FindingKind, expected: bigint, found: bigint, bucket?: string): void => {
      if (expected === found) return;
      const where = { partition, ...account, ...(bucket === undefined ? {} : { bucket }) };
      this.#find({ kind, ...where, expected: String(expected), found: String(found) });
    };
    for (const bucket of defined.values()) {
      const [expected, found] = [examined.kinds.get(bucket.id), kindOf(bucket)];
      if (expected !== undefined && expected !== found)
        this.#find({
          ...{ kind: 'bucket-reused', partition, ...account },
          ...{ bucket: bucket.id, expected, found },
        });
    }
    for (const bucket of new Set([...defined.keys(), ...ledger.keys(), ...held.keys()])) {
      const balance = ledger.get(bucket) ?? emptyBalance();
      const available = BigInt(counters[availableField(bucket)] ?? 0);
      const reserved = BigInt(counters[reservedField(bucket)] ?? 0);
      check('conservation', balance.net, available + reserved, bucket);
      check('available', balance.available, available, bucket);
      check('reserved', balance.reserved, reserved, bucket);
      check('grants', held.get(bucket) ?? 0n, reserved, bucket);
      const { unit = 'gone', limits } = defined.get(bucket) ?? {};
      this.#add({
        tenant: account.tenant,
        unit,
        limits: limits !== undefined,
        balance: { ...balance, available, reserved },
      });
      this.#report.buckets++;
    }
    check('open-sessions', BigInt(listed), BigInt(counters[OPEN_SESSIONS] ?? 0));
    this.#report.accounts++;
  }

  async #checkTimers(partition: number): Promise<void> {
    const pages = (cursor?: string) => this.#view.timers(partition, cursor);
    for await (const members of this.#members(pages))
      for (const one of await this.#view.members(partition, {}, members))
        if (one.armed && isGone(one))
          this.#find({ kind: 'timer-left', partition, ...ownerOf(one) });
  }

  async #checkIndex(partition: number, tenant: string): Promise<void> {
    const pages = (cursor?: string) => this.#view.index(partition, tenant, cursor);
    for await (const members of this.#members(pages))
      for (const one of await this.#view.members(partition, { tenant }, members))
        if (one.indexed && isGone(one))
          this.#find({ kind: 'index-left', partition, ...ownerOf(one), tenant });
  }

  async *#members(
    page: (cursor?: string) => Promise<MemberPage>,
  ): AsyncGenerator<readonly string[]> {
    let cursor: string | undefined;
    do {
      const { members, next } = await page(cursor);
      for (let i = 0; i < members.length; i += MEMBER_BATCH)
        yield members.slice(i, i + MEMBER_BATCH);
      cursor = next;
    } while (cursor !== undefined);
  }

  /** The records after `after` up to and including `end`. */
  async *#records(
    partition: number,
    after: string,
    end: string,
  ): AsyncGenerator<{ id: string; record: ChargingRecord }> {
    let position = after;
    while (compareRecordIds(position, end) < 0) {
      this.#options.signal?.throwIfAborted();
      const page = await this.#view.log.read(partition, position, RECORD_PAGE);
      for (const one of page) {
        if (compareRecordIds(one.id, end) > 0) return;
        this.#report.records++;
        yield one;
        position = one.id;
      }
      if (page.length < RECORD_PAGE) return;
      await this.#pin(partition);
    }
  }

  #add({ tenant, unit, limits, balance }: TenantBalance): void {
    const key = `${unit}${limits ? ' limits' : ''}/${tenant}`;
    const sum = this.#sums.get(key);
    if (sum === undefined) {
      const own = { ...balance, byCause: { ...balance.byCause } };
      this.#sums.set(key, { tenant, unit, limits, balance: own });
      return;
    }
    sum.balance.available += balance.available;
    sum.balance.reserved += balance.reserved;
    for (const cause of Object.keys(balance.byCause) as (keyof Balance['byCause'])[])
      sum.balance.byCause[cause] += balance.byCause[cause];
  }

  #find(finding: Finding): void {
    if (this.#findings.length < MAX_FINDINGS) this.#findings.push(finding);
    else this.#moreFindings++;
  }
}

/** All that a grant holds of buckets. */
function partsOf(grant: Grant | undefined): readonly Part[] {
  if (grant === undefined) return [];
  const { parts, limits = [] } = grant;
  return [...parts, ...limits, ...(grant.switch?.after?.parts ?? [])];
}

/**
 * Takes back what a record after N did to `reserved`, if the session was read after it. A session
 * that was never read closed before its page came, or was opened after it: closed, it holds nothing
 * and all that it did is taken back; opened after N, it held nothing then.
 */
function takeBack(
  holdings: ReadonlyMap<string, Holdings>,
  id: string,
  record: ChargingRecord,
): void {
  const name = accountName(record.account);
  const holding = holdings.get(name);
  const member = memberOf(name, record);
  if (holding === undefined || member === undefined) return;
  const readAt = holding.readAt.get(member);
  if (readAt === undefined) {
    if (record.kind === 'initial') holding.opened.add(member);
    if (holding.opened.has(member)) return;
  } else if (compareRecordIds(id, readAt) > 0) return;
  for (const { bucket, reserved } of record.changes) holding.add(bucket, -BigInt(reserved));
}

function memberOf(
  account: string,
  { sessionId, subSessionId }: ChargingRecord,
): string | undefined {
  if (sessionId === undefined) return undefined;
  return sessionMember(account, sessionKey({ sessionId, subSessionId }));
}

const isGone = ({ stored }: ExaminedMember): boolean =>
  stored === undefined || (stored !== 'unreadable' && stored.session.state !== 'open');

const sessionName = ({ member, stored }: ExaminedMember): string =>
  stored === undefined || stored === 'unreadable' ? member : stored.session.sessionId;

function ownerOf(one: ExaminedMember): Pick<Finding, 'tenant' | 'account' | 'session'> {
  const session = sessionName(one);
  if (one.stored === undefined || one.stored === 'unreadable') return { session };
  return { ...one.stored.session.account, session };
}

function tenantSums({ tenant, unit, limits, balance }: TenantBalance): TenantSums {
  const { byCause, available, reserved } = balance;
  return {
    tenant,
    unit,
    limits,
    opening: String(byCause.opening),
    topups: String(byCause.topup),
    refunds: String(byCause.refund),
    renewals: String(byCause.renewal),
    adjustments: String(byCause.adjustment),
    charges: String(-(byCause.debit + byCause.overrun)),
    expired: String(-byCause.expiry),
    available: String(available),
    reserved: String(reserved),
  };
}
