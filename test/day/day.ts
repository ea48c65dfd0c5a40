/**
 * A day of a small MVNE, played over real connections to whole workers that are killed and replaced
 * meanwhile, and then rated again from the gateways' log.
 */
import { performance } from 'node:perf_hooks';
import { audit } from '../../src/store/records/audit.ts';
import { redisAuditView } from '../../src/store/records/redis-audit.ts';
import { Site } from '../attack/site.ts';
import { Gateways } from './gateways.ts';
import { type Customer, marketOf } from './market.ts';
import { chanceOf } from './random.ts';
import { type Entry, Rater } from './rater.ts';
import { play } from './traffic.ts';

export interface DayOptions {
  seed: number;
  subscribers: number;
  requests: number;
  /** How often a worker is killed and replaced. */
  kills: number;
}

export interface DayReport {
  requests: number;
  /** How many answers, and services in them, had each Result-Code. */
  codes: Record<number, number>;
  copies: number;
  /** Sent again because their answer was lost, or the worker asked for it. */
  resent: number;
  kills: number;
  seconds: number;
  /** Copies that got another answer than their request. */
  contradictions: readonly string[];
  /** Accounts that are not what the second rating says they should be. */
  wrong: readonly { account: string; has: string; owes: string }[];
  accounts: number;
  audit: readonly unknown[];
  openSessions: number;
}

const PLAYERS_AT_ONCE = 200;
const COPIES = 0.02;

export async function playDay(options: DayOptions): Promise<DayReport> {
  const { yaml, customers } = marketOf(options.subscribers, Date.now());
  const site = await Site.start({
    ...{ provisioning: yaml, workers: 2, processes: true },
    ...{ logLevel: 'warn', settings: ['--deadline-ms=8000'] },
  });
  const dead = new Set<number>();
  const gateways = new Gateways('127.0.0.1', () =>
    site.workers.filter((_, i) => !dead.has(i)).map(({ port }) => port),
  );
  try {
    const log = new Map<string, Entry[]>(customers.map(({ account }) => [account, []]));
    const codes: Record<number, number> = {};
    let answered = 0;
    let killed = 0;
    let killing = Promise.resolve();
    const startedAt = performance.now();
    const counted = (resultCodes: readonly number[]): void => {
      for (const code of resultCodes) codes[code] = (codes[code] ?? 0) + 1;
      answered++;
      if (answered < ((killed + 1) * options.requests) / (options.kills + 1)) return;
      if (killed >= options.kills) return;
      const victim = killed++ % 2;
      killing = killing.then(() => replace(site, victim, dead));
    };
    const day = {
      ...{ gateways, copies: COPIES, counted },
      log: (entry: Entry) => void log.get(entry.account)?.push(entry),
    };
    const subscribers = customers.reduce((sum, { numbers }) => sum + numbers.length, 0);
    const perSubscriber = options.requests / subscribers;
    const waiting = customers.map(
      (customer, i) => () =>
        play(
          {
            ...{ tenant: customer.tenant, account: customer.account, numbers: customer.numbers },
            chance: chanceOf(options.seed, i),
            requests: Math.max(2, Math.round(perSubscriber * customer.numbers.length)),
            overlaps: customer.plan === 'fleet',
          },
          day,
        ),
    );
    await allOf(waiting, PLAYERS_AT_ONCE);
    await killing;
    const seconds = (performance.now() - startedAt) / 1000;
    const { partitions } = site.store;
    const { redis } = site.store.connection;
    const found = await audit(redisAuditView({ redis, partitions }), { name: 'day' });
    return {
      ...{ requests: answered, codes, kills: killed, seconds, accounts: customers.length },
      ...{ copies: gateways.copies, resent: gateways.resent },
      contradictions: gateways.contradictions,
      wrong: await wrongAccounts(site, customers, log),
      audit: found.findings,
      openSessions: found.sessions,
    };
  } finally {
    await gateways.close();
    await site.stop();
  }
}

async function replace(site: Site, victim: number, dead: Set<number>): Promise<void> {
  dead.add(victim);
  await site.workers[victim]?.kill();
  await site.startWorker(victim);
  dead.delete(victim);
}

/** Every account as the store has it, against its second rating. */
async function wrongAccounts(
  site: Site,
  customers: readonly Customer[],
  log: ReadonlyMap<string, readonly Entry[]>,
): Promise<DayReport['wrong']> {
  const wrong: DayReport['wrong'][number][] = [];
  for (const { tenant, account, plan, opening } of customers) {
    const rater = new Rater(plan, opening);
    for (const entry of log.get(account) ?? []) rater.rate(entry);
    const { money, bundles } = rater.balance;
    const owes: Record<string, string> = { 'n:open': '0', 'a:main': String(money), 'r:main': '0' };
    for (const [id, left] of bundles) {
      owes[`a:${id}`] = String(left);
      owes[`r:${id}`] = '0';
    }
    const stored = (await site.store.load({ tenant, account })).account?.counters ?? {};
    const shown = (of: Readonly<Record<string, unknown>>): string =>
      Object.keys(owes)
        .map((field) => `${field}=${of[field]}`)
        .join(' ');
    if (shown(stored) !== shown(owes))
      wrong.push({ account, has: shown(stored), owes: shown(owes) });
  }
  return wrong;
}

/** Runs all of them, so many at a time; the first failure ends it. */
async function allOf(work: readonly (() => Promise<void>)[], atOnce: number): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let one = work[next++]; one !== undefined; one = work[next++]) await one();
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, work.length) }, lane));
}
