/**
 * Brings a store to what a provisioning file says: accounts that are missing are created, those
 * that differ are changed, subscribers are moved to where the file has them. May be stopped at any
 * point and run again, also by several processes at once; the end is the same.
 *
 * What the store has and the file has not is kept: accounts, what is not written of them, and their
 * buckets, whose balance an edit may not throw away. Balances are never touched; what limits leave
 * moves with their amounts.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Account, AccountDefinition, AccountRef } from '../charging/account.ts';
import { BucketIdTaken } from '../store/bucket-kinds.ts';
import { CounterOutOfRange, type Store } from '../store/store.ts';
import type { Configuration } from './configuration.ts';
import { type EditedAccount, editedSince } from './edited-since.ts';
import { subscriberId } from './identity.ts';
import { finishMoves, limiting, moveTo, withLimits, withoutSubscribers } from './leave.ts';
import { show } from './problem.ts';
import type { ProvisionedAccount, Provisioning, Tenant } from './provisioning.ts';
import type { Before, Staying } from './remembered.ts';
import { type RulesOf, rulesOfTenant } from './rule-names.ts';
import { leavingOf, type Rewritten, rewritten, unfit } from './wanted.ts';

/** The part of a store that provisioning needs. */
export type AccountStore = Pick<
  Store,
  | 'now'
  | 'accountOf'
  | 'holderOf'
  | 'load'
  | 'createAccount'
  | 'changeAccount'
  | 'moveSubscriber'
  | 'removeSubscriber'
  | 'keptOf'
>;

/**
 * Has the clients of an account's open sessions asked to re-authorise, because it has another plan
 * (RFC 8506 5.5); how many are. `busy`: some could not be told.
 */
export type AskClients = (account: AccountRef) => Promise<{ kind: 'done' | 'busy'; asked: number }>;

export interface ApplyReport {
  /** Accounts of the file. */
  created: number;
  changed: number;
  unchanged: number;
  /** Left as they are, or not created: see `notes`. */
  refused: number;
  /** Subscribers that another account had. */
  movedSubscribers: number;
  /** Subscribers of the file that no account had; not counting those of created accounts. */
  addedSubscribers: number;
  /** Buckets of the file's accounts that only the store has. */
  bucketsNotInFile: number;
  /** Buckets, not limits, added to accounts that existed: they start at 0, whatever they open with. */
  unfundedBuckets: number;
  /** Sessions whose clients are asked to re-authorise, because their account has another plan. */
  sessionsAsked: number;
  /** The first hundred accounts that somebody should look at, with the reason. */
  notes: { tenant: string; account: string; text: string }[];
}

export interface ApplyOptions {
  /** How many accounts are worked on at once. Default: 64. */
  concurrency?: number;
  /** Called after each account. */
  onProgress?: (progress: { done: number; total: number }) => void;
  /** Absent: nobody is asked. */
  askClients?: AskClients;
  /** Whose tenants and plans accounts are held against; absent: those of the file. */
  configuration?: Configuration;
  /** Whether an account got this plan, and who gave it was stopped before clients were asked. */
  isUnasked?: (account: AccountRef, plan: string) => Promise<boolean>;
  /** The files applied before: what is said as there stays as others have made it since. */
  since?: Before | undefined;
  /** Called for each account that cannot become what is written: it is left as it is. */
  onRefused?: (account: AccountRef) => void;
  /** Called for each account that is as it is written, but for subscribers that could not leave it. */
  onStaying?: (account: AccountRef, staying: Staying) => void;
}

const MAX_NOTES = 100;
const MAX_ATTEMPTS = 10;
/** Subscribers looked up at once for one account. */
const LOOK_UPS = 16;

/** Throws StoreUnavailable as the store does; running it again goes on where it stopped. */
export async function applyProvisioning(
  store: AccountStore,
  provisioning: Provisioning,
  { concurrency = 64, onProgress, since, ...options }: ApplyOptions = {},
): Promise<ApplyReport> {
  const report: ApplyReport = {
    created: 0,
    changed: 0,
    unchanged: 0,
    refused: 0,
    movedSubscribers: 0,
    addedSubscribers: 0,
    bucketsNotInFile: 0,
    unfundedBuckets: 0,
    sessionsAsked: 0,
    notes: [],
  };
  const total = provisioning.tenants.reduce((sum, { accounts }) => sum + accounts.count, 0);
  let done = 0;
  for (const tenant of provisioning.tenants) {
    const run = new TenantRun(store, { tenant, since, report, ...options });
    await forEach(tenant.accounts, concurrency, async (account) => {
      await run.settle(account);
      done += 1;
      onProgress?.({ done, total });
    });
    await forEach(run.deferred, concurrency, (account) => run.release(account));
  }
  return report;
}

/** What became of an account so far. */
type Progress = 'changed' | 'unchanged';

class TenantRun {
  /** Accounts that lose subscribers: not before these have arrived where they go. */
  readonly deferred: { account: ProvisionedAccount; leaving: string[]; soFar: Progress }[] = [];
  /** Subscribers that the file has on accounts that were left as they are. */
  readonly #stranded = new Set<string>();
  readonly #store: AccountStore;
  readonly #report: ApplyReport;
  readonly #since: Before | undefined;
  readonly #onRefused: ApplyOptions['onRefused'];
  readonly #onStaying: ApplyOptions['onStaying'];
  readonly #askClients: AskClients | undefined;
  readonly #isUnasked: ApplyOptions['isUnasked'];
  readonly #rulesOf: RulesOf | undefined;
  readonly #isKnown: boolean;

  constructor(
    store: AccountStore,
    {
      tenant,
      since,
      report,
      onRefused,
      onStaying,
      askClients,
      isUnasked,
      configuration,
    }: Omit<ApplyOptions, 'concurrency' | 'onProgress'> & { tenant: Tenant; report: ApplyReport },
  ) {
    this.#store = store;
    this.#report = report;
    this.#since = since;
    this.#onRefused = onRefused;
    this.#onStaying = onStaying;
    this.#askClients = askClients;
    this.#isUnasked = isUnasked;
    this.#rulesOf = configuration && rulesOfTenant(configuration, tenant.id);
    this.#isKnown = configuration === undefined || configuration.tenant(tenant.id) !== undefined;
  }

  /** Creates or changes an account and fetches its subscribers; none leaves it yet. */
  async settle(account: ProvisionedAccount): Promise<void> {
    const { definition, openings } = account;
    const { tenant, account: id } = definition;
    const { account: stored } = await this.#store.load(definition);
    if (this.#refuses(account, stored?.definition)) return;
    if (stored !== undefined) await finishMoves(this.#store, definition);
    const { subscribers } = (stored ? this.#edited(account, stored.definition).account : account)
      .definition;
    const holders = await this.#holdersOf({ tenant, subscribers });
    const held = subscribers.filter((_, i) => holders[i] !== undefined && holders[i] !== id);
    const unheld = subscribers.filter((_, i) => holders[i] === undefined);
    if (stored === undefined) {
      // Subscribers that another account has stay there until they are moved, step by step.
      const own = { ...definition, subscribers: without(subscribers, held) };
      const reply = await this.#store.createAccount(own, openings);
      // Another process was faster.
      if (reply === 'exists') return this.settle(account);
      this.#report.created += 1;
    } else if (!(await this.#change(account, stored))) return;
    // Where an account exists, a subscriber that nobody has is new, or was left half way.
    const arriving = stored === undefined ? held : [...held, ...unheld];
    for (const [i, name] of subscribers.entries()) {
      const holder = holders[i];
      if (holder !== undefined && holder !== id) this.#noteMove(account, { name, holder });
    }
    for (const name of arriving) await moveTo(this.#store, definition, subscriberId(name));
    this.#report.movedSubscribers += held.length;
    if (stored !== undefined) this.#report.addedSubscribers += unheld.length;
  }

  /** Lets go of the subscribers that the file has elsewhere or not at all. */
  async release({ account, leaving, soFar }: TenantRun['deferred'][number]): Promise<void> {
    const { definition } = account;
    const stored = (await this.#store.load(definition)).account?.definition;
    const staying = new Set<string>();
    for (const name of leaving.filter((one) => stored?.subscribers.includes(one))) {
      const holder = await this.#store.holderOf(definition.tenant, subscriberId(name));
      if (holder === definition.account && this.#stranded.has(name)) {
        staying.add(name);
        this.#note(account, stayingText(name));
      }
      // A move that was stopped half way is completed; it may be somebody else's.
      if (holder !== undefined && holder !== definition.account)
        await moveTo(this.#store, { ...definition, account: holder }, subscriberId(name));
    }
    const result = await this.#converge(account, undefined, (current) => ({
      definition: withoutSubscribers(current, without(leaving, [...staying])),
    }));
    if (typeof result === 'string') this.#report[result === 'unchanged' ? soFar : result] += 1;
    else this.#refuse(account, result.problem);
    // Whom it could not let go is tried again, like whom it had to keep.
    this.#stay(account, stored, typeof result === 'string' ? [...staying] : leaving);
  }

  #stay(
    account: ProvisionedAccount,
    stored: AccountDefinition | undefined,
    names: readonly string[],
  ): void {
    if (stored === undefined || names.length === 0) return;
    const limits = stored.buckets.flatMap((bucket) =>
      bucket.limits === undefined ? [] : limiting(bucket, (name) => names.includes(name)),
    );
    this.#onStaying?.(account.definition, { staying: names, limits });
  }

  /** The account that has each of the file's subscribers, a batch of look-ups at a time. */
  async #holdersOf({
    tenant,
    subscribers,
  }: Pick<AccountDefinition, 'tenant' | 'subscribers'>): Promise<(string | undefined)[]> {
    const holders: (string | undefined)[] = [];
    for (let from = 0; from < subscribers.length; from += LOOK_UPS) {
      const batch = subscribers.slice(from, from + LOOK_UPS);
      const found = batch.map((name) => this.#store.holderOf(tenant, subscriberId(name)));
      holders.push(...(await Promise.all(found)));
    }
    return holders;
  }

  #edited(account: ProvisionedAccount, stored: AccountDefinition): EditedAccount {
    return editedSince(account, this.#since?.(account.definition), stored);
  }

  #rewritten(account: ProvisionedAccount, stored: AccountDefinition): Rewritten {
    const edited = this.#edited(account, stored).account;
    return rewritten(edited, stored, { now: this.#store.now(), rulesOf: this.#rulesOf });
  }

  /** Refuses an account that cannot become what is written, before anything of it is changed. */
  #refuses(account: ProvisionedAccount, stored: AccountDefinition | undefined): boolean {
    const problem = this.#problemOf(account, stored);
    if (problem === undefined) return false;
    this.#leaveAlone(account, problem, { isNew: stored === undefined });
    return true;
  }

  #problemOf(
    account: ProvisionedAccount,
    stored: AccountDefinition | undefined,
  ): string | undefined {
    const { definition } = account;
    if (!this.#isKnown) return `there is no tenant ${show(definition.tenant)}`;
    if (stored === undefined) return this.#rulesOf && unfit(definition, { rulesOf: this.#rulesOf });
    const next = this.#rewritten(account, stored);
    return 'problem' in next ? next.problem : undefined;
  }

  /** Everything but subscribers, who find plan and limits when they come; false: it is refused. */
  async #change(account: ProvisionedAccount, loaded: Account): Promise<boolean> {
    const { definition: stored } = loaded;
    const { account: edited, overruled, unsaid } = this.#edited(account, stored);
    const leaving = leavingOf(edited, stored);
    const soFar = await this.#converge(account, loaded, (current) => {
      const next = this.#rewritten(account, current);
      if ('problem' in next) return next;
      // Whoever leaves keeps its limits until it does, unless they name rules that are gone.
      const definition = withLimits(next.definition, current, leaving);
      const misfit = this.#rulesOf && unfit(definition, { rulesOf: this.#rulesOf });
      return misfit === undefined ? { definition } : next;
    });
    if (typeof soFar !== 'string') {
      this.#leaveAlone(account, soFar.problem);
      return false;
    }
    const { plan } = edited.definition;
    const isAnother = soFar === 'changed' && stored.plan !== plan;
    if (isAnother || (await this.#isUnasked?.(stored, plan))) await this.#ask(account);
    this.#compareBuckets(account, stored);
    for (const what of overruled) this.#note(account, overruledText(what));
    for (const what of unsaid) this.#note(account, unsaidText(what));
    if (leaving.length > 0) this.deferred.push({ account, leaving, soFar });
    else this.#report[soFar] += 1;
    return true;
  }

  /** Changes the definition until it is what `wanted` makes of the one that is stored. */
  async #converge(
    account: ProvisionedAccount,
    loaded: Account | undefined,
    wanted: (stored: AccountDefinition) => Rewritten,
  ): Promise<Progress | { problem: string }> {
    let current = loaded;
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      current ??= (await this.#store.load(account.definition)).account;
      if (current === undefined) break;
      const next = wanted(current.definition);
      if ('problem' in next) return next;
      const { definition } = next;
      if (isDeepStrictEqual(definition, current.definition)) return 'unchanged';
      try {
        const reply = await this.#store.changeAccount(definition, current.version);
        if (reply === 'changed') return 'changed';
      } catch (error) {
        if (!(error instanceof BucketIdTaken || error instanceof CounterOutOfRange)) throw error;
        return { problem: error.message };
      }
      current = undefined;
    }
    return { problem: 'it is gone or keeps being changed by others' };
  }

  /** Refuses an account of which nothing was changed. */
  #leaveAlone(account: ProvisionedAccount, problem: string, { isNew = false } = {}): void {
    for (const name of account.definition.subscribers) this.#stranded.add(name);
    this.#onRefused?.(account.definition);
    this.#refuse(account, problem, { isNew });
  }

  #refuse(account: ProvisionedAccount, problem: string, { isNew = false } = {}): void {
    this.#report.refused += 1;
    this.#note(account, `${isNew ? 'not created' : 'left as it is'}: ${problem}`);
  }

  /** Tells of a subscriber that another account has which the file applied last did not give it. */
  #noteMove(account: ProvisionedAccount, { name, holder }: { name: string; holder: string }): void {
    if (this.#since === undefined) return;
    const { tenant } = account.definition;
    const before = this.#since({ tenant, account: holder });
    if (before.some((said) => said?.definition.subscribers.includes(name))) return;
    const isSaid = before.every((said) => said?.written.has('subscribers'));
    const what = `${name}, on account ${holder}`;
    this.#note(account, isSaid ? overruledText(what) : cameFromText({ name, holder }));
  }

  async #ask(account: ProvisionedAccount): Promise<void> {
    const asked = await this.#askClients?.(account.definition);
    this.#report.sessionsAsked += asked?.asked ?? 0;
    if (asked?.kind === 'busy')
      this.#note(account, 'it has another plan, but not all clients could be asked to ask again');
  }

  #compareBuckets(account: ProvisionedAccount, stored: AccountDefinition): void {
    const { buckets } = account.definition;
    for (const { id, limits } of stored.buckets) {
      const isInFile = buckets.some((bucket) => bucket.id === id);
      if (!isInFile && limits === undefined) this.#report.bucketsNotInFile += 1;
    }
    for (const { id, expiresAt, limits } of buckets) {
      if (limits !== undefined) continue;
      const isNew = !stored.buckets.some((bucket) => bucket.id === id);
      if (!isNew || (expiresAt !== undefined && expiresAt <= this.#store.now())) continue;
      if ((account.openings[id] ?? 0) === 0) continue;
      this.#report.unfundedBuckets += 1;
      this.#note(account, `its new bucket ${id} starts at 0: openings are for new accounts only`);
    }
  }

  #note({ definition: { tenant, account } }: ProvisionedAccount, text: string): void {
    if (this.#report.notes.length < MAX_NOTES) this.#report.notes.push({ tenant, account, text });
  }
}

/** What whoever applied a file is told of a change by other means that the file took back. */
export const overruledText = (what: string): string =>
  `${what}: was changed by other means since, and by the file: it is as in the file`;

/** The same of what the file applied last did not say. */
export const unsaidText = (what: string): string =>
  `${what}: was otherwise, and the file applied last did not say it: it is as in the file`;

/** The same of a subscriber. */
export const cameFromText = ({ name, holder }: { name: string; holder: string }): string =>
  `${name} came from account ${holder}, of whose subscribers the file applied last said nothing`;

const stayingText = (name: string): string =>
  `${name} stays on it: the account that the file has it on cannot take it`;

function without(names: readonly string[], others: readonly string[]): string[] {
  const left = new Set(names);
  for (const name of others) left.delete(name);
  return [...left];
}

/** Works on up to `concurrency` items at once; after a failure no new one is begun. */
async function forEach<T>(
  items: Iterable<T>,
  concurrency: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const iterator = items[Symbol.iterator]();
  let failed = false;
  const lane = async (): Promise<void> => {
    while (!failed) {
      const { done, value } = iterator.next();
      if (done) return;
      try {
        await work(value);
      } catch (error) {
        failed = true;
        throw error;
      }
    }
  };
  const lanes = await Promise.allSettled(Array.from({ length: concurrency }, lane));
  for (const result of lanes) if (result.status === 'rejected') throw result.reason;
}
