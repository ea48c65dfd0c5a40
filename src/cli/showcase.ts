/**
 * What a fresh installation shows of itself: a sample trace is sent over real connections, and
 * what it cost is told account by account, with the audit's verdict.
 */
import { randomUUID } from 'node:crypto';
import type { Account } from '../charging/account.ts';
import { decimal } from '../http/quantity.ts';
import type { Provisioning, Tenant } from '../provisioning/provisioning.ts';
import { audit } from '../store/records/audit.ts';
import { redisAuditView } from '../store/records/redis-audit.ts';
import type { RedisStore } from '../store/redis/store.ts';
import { replay } from '../trace/replay.ts';
import { sampleTrace } from '../trace/sample.ts';
import { memoryTrace } from '../trace/trace.ts';
import type { Screen } from './screen.ts';

const PAGE = 500;

export async function showSample(options: {
  screen: Screen;
  store: RedisStore;
  provisioning: Provisioning;
  host: string;
  port: number;
  signal: AbortSignal;
}): Promise<void> {
  const { screen, store, provisioning, host, port, signal } = options;
  const before = await balances(store, provisioning);
  const entries = sampleTrace();
  screen.heading(`Replaying the sample trace: ${entries.length} requests over TCP`);
  const progress = screen.progress('Replaying');
  const report = await replay(memoryTrace('the sample trace', entries), {
    host,
    port,
    signal,
    onProgress: ({ answered }) => progress.at(answered, entries.length),
  });
  progress.done();
  signal.throwIfAborted();
  const { p50, p99 } = report.latencyMs;
  const codes = Object.entries(report.resultCodes).map(([code, count]) => `${count} x ${code}`);
  screen.line(`  ${report.answered} of ${report.requests} answered: ${codes.join(', ')}`);
  const services = Object.entries(report.serviceResultCodes);
  screen.line(`  services: ${services.map(([code, count]) => `${count} x ${code}`).join(', ')}`);
  screen.line(`  latency ${p50.toFixed(1)} ms in the middle, ${p99.toFixed(1)} ms for 99 of 100`);

  screen.heading('What was charged');
  const after = await balances(store, provisioning);
  for (const tenant of provisioning.tenants) showCharges(screen, tenant, { before, after });

  screen.heading('Audit');
  const { redis } = store.connection;
  const verdict = await audit(redisAuditView({ redis, partitions: store.partitions }), {
    name: `start-${randomUUID()}`,
  });
  screen.line(
    verdict.clean
      ? `  ${screen.good('clean')}: in ${verdict.accounts} accounts and ${verdict.buckets} buckets ` +
          'everything that came in, less what was charged, is there to the unit'
      : `  ${screen.bad(`${verdict.findings.length + verdict.moreFindings} findings`)}: ` +
          'see npx tollkeeper audit',
  );
}

type Balances = Map<string, Account>;

async function balances(store: RedisStore, { tenants }: Provisioning): Promise<Balances> {
  const found: Balances = new Map();
  for (const { id } of tenants) {
    let after: string | undefined;
    do {
      const page = await store.listAccounts(id, {
        ...(after === undefined ? {} : { after }),
        limit: PAGE,
      });
      for (const account of page.accounts)
        found.set(`${id}/${account.definition.account}`, account);
      after = page.next;
    } while (after !== undefined);
  }
  return found;
}

function showCharges(
  screen: Screen,
  tenant: Tenant,
  { before, after }: { before: Balances; after: Balances },
): void {
  const rows: string[][] = [];
  for (const [key, account] of after) {
    if (account.definition.tenant !== tenant.id) continue;
    for (const { id, unit } of account.definition.buckets) {
      const left = held(account, id);
      const spent = held(before.get(key), id) - left;
      if (spent === 0) continue;
      const show = (amount: number) =>
        unit === 'money' ? decimal(amount, tenant.currency.digits) : amount.toLocaleString('en');
      rows.push([account.definition.account, id, show(spent), show(left), unitName(unit, tenant)]);
    }
  }
  if (rows.length === 0) return;
  screen.line('');
  screen.line(`  ${tenant.name}`);
  screen.table(['account', 'bucket', 'charged', 'left', ''], rows);
}

function held(account: Account | undefined, bucket: string): number {
  return (account?.counters[`a:${bucket}`] ?? 0) + (account?.counters[`r:${bucket}`] ?? 0);
}

function unitName(unit: string, { currency }: Tenant): string {
  return unit === 'money' ? currency.code : unit;
}
