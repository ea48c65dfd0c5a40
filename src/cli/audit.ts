/** `tollkeeper audit`: proves on the live store that money is conserved, or says where it is not. */
import { randomUUID } from 'node:crypto';
import { decimal } from '../http/quantity.ts';
import type { Tenants } from '../http/tenant.ts';
import {
  type AuditProgress,
  type AuditReport,
  audit,
  type Finding,
  type TenantSums,
} from '../store/records/audit.ts';
import { redisAuditView } from '../store/records/redis-audit.ts';
import { table } from './columns.ts';
import { defineCommand } from './command.ts';
import { readCurrencies } from './currencies.ts';
import { storeSettings, withStore } from './open-store.ts';

const PROGRESS_EVERY_MS = 200;

export const command = defineCommand({
  name: 'audit',
  summary: 'Prove that money is conserved; exit 1 where it is not',
  usage: '',
  details:
    'For every bucket of every account: opening + top-ups + refunds + renewals + adjustments - ' +
    'charges - expired = available + reserved, and what is reserved is what open sessions hold. The ' +
    'service goes on meanwhile.',
  examples: ['audit', 'audit --redis-url redis://10.0.0.5:6379 --json'],
  flags: {},
  settings: [...storeSettings, 'provisioningFile'],
  async run(call) {
    const tenants = await readCurrencies(call);
    const progress = call.json ? undefined : progressLine();
    const report = await withStore(call.settings, ({ connection: { redis }, partitions }) =>
      audit(redisAuditView({ redis, partitions }), {
        name: `audit-${randomUUID()}`,
        ...(progress === undefined ? {} : { progress: progress.at }),
      }),
    ).finally(() => progress?.end());
    call.result(report, (all) => reportText(all, tenants));
    return report.clean ? 0 : 1;
  },
});

/** One line on a terminal that is written anew; nothing where nobody watches. */
function progressLine(): { at(progress: AuditProgress): void; end(): void } {
  let shownAt = 0;
  return {
    at({ accounts, accountsDone, partitions, partitionsDone }) {
      const now = performance.now();
      if (!process.stderr.isTTY || now - shownAt < PROGRESS_EVERY_MS) return;
      shownAt = now;
      process.stderr.write(
        `\r\x1b[K${accountsDone} of ${accounts} accounts, ` +
          `${partitionsDone} of ${partitions} partitions`,
      );
    },
    end() {
      if (shownAt > 0) process.stderr.write('\r\x1b[K');
    },
  };
}

function reportText(report: AuditReport, tenants: Tenants): string {
  const { accounts, buckets, sessions, records, findings, moreFindings } = report;
  const read = `${accounts} accounts, ${buckets} buckets, ${sessions} open sessions, ${records} records`;
  const count = findings.length + moreFindings;
  const verdict = report.clean
    ? `Clean: every amount is accounted for (${read}).`
    : `NOT clean: ${count} ${count === 1 ? 'finding' : 'findings'} (${read}).`;
  return [
    ...(report.sums.length === 0 ? [] : [sumsText(report.sums, tenants), '']),
    ...(findings.length === 0 ? [] : [findingsText(findings), '']),
    ...(moreFindings === 0 ? [] : [`and ${moreFindings} more`, '']),
    verdict,
  ].join('\n');
}

function sumsText(sums: readonly TenantSums[], tenants: Tenants): string {
  const shown =
    (name: Exclude<keyof TenantSums, 'tenant' | 'unit' | 'limits'>) => (row: TenantSums) => {
      const currency = row.unit === 'money' ? tenants.get(row.tenant) : undefined;
      return currency === undefined ? row[name] : decimal(BigInt(row[name]), currency.digits);
    };
  const figures = [
    ['opening', 'opening'],
    ['+ top-ups', 'topups'],
    ['+ refunds', 'refunds'],
    ['+ renewed', 'renewals'],
    ['+ adjusted', 'adjustments'],
    ['- charges', 'charges'],
    ['- expired', 'expired'],
    ['= available', 'available'],
    ['+ reserved', 'reserved'],
  ] as const;
  return table(sums, [
    { head: 'tenant', cell: ({ tenant }) => tenant },
    {
      head: 'unit',
      cell: ({ tenant, unit, limits }) => {
        const name = unit === 'money' ? (tenants.get(tenant)?.currency ?? 'smallest units') : unit;
        return limits ? `${name}, limits` : name;
      },
    },
    ...figures.map(([head, name]) => ({ head, right: true as const, cell: shown(name) })),
  ]);
}

function findingsText(findings: readonly Finding[]): string {
  return table(findings, [
    { head: 'finding', cell: ({ kind }) => kind },
    { head: 'partition', right: true, cell: ({ partition }) => String(partition) },
    { head: 'tenant', cell: ({ tenant }) => tenant ?? '-' },
    { head: 'account', cell: ({ account }) => account ?? '-' },
    { head: 'bucket or session', cell: ({ bucket, session }) => bucket ?? session ?? '-' },
    { head: 'expected', right: true, cell: ({ expected }) => expected ?? '-' },
    { head: 'found', right: true, cell: ({ found, detail }) => found ?? detail ?? '-' },
  ]);
}
