/** Accounts and ranges of accounts as written to definitions and opening amounts. */
import { type AccountDefinition, type Bucket, drawOrder } from '../charging/account.ts';
import type { Unit } from '../charging/request.ts';
import { Claims, counted } from './claims.ts';
import { each, known, once, type Report } from './findings.ts';
import { parseMoney } from './money.ts';
import type { PlanNames } from './names.ts';
import { fieldOf, type Path, show } from './problem.ts';
import type { Accounts, ProvisionedAccount } from './provisioning.ts';
import { parseQuantity, parseTime } from './quantity.ts';
import type { WrittenAccount, WrittenBucket, WrittenRange, WrittenTenant } from './schema.ts';

interface Context {
  tenant: string;
  digits: number;
  plans: PlanNames;
  path: Path;
  report: Report;
}

/** The bucket that is implied where an account has none that can take what no other takes. */
const MAIN = 'main';
const PRIORITY = { money: 1000, units: 100 } as const;
const MAX_SESSIONS = 100;

export function compileAccounts(
  written: WrittenTenant,
  context: Omit<Context, 'tenant'>,
): Accounts {
  const { path, report } = context;
  const inTenant: Context = { ...context, tenant: written.id };
  const ids = new Claims();
  const subscribers = new Claims();
  const single: ProvisionedAccount[] = [];
  for (const [account, at] of each(written.accounts, [...path, 'accounts'])) {
    const idPath = [...at, 'id'];
    reportTaken(ids.claim(account.id, idPath), { path: idPath, found: show(account.id), report });
    const own = subscribersOf(account, { path: at, claims: subscribers, report });
    single.push(compileAccount(account, own, { ...inTenant, path: at }));
  }
  const ranges: Range[] = [];
  for (const [range, at] of each(written.ranges, [...path, 'ranges'])) {
    checkRange(range, { path: at, ids, subscribers, report });
    const template = compileAccount({ ...range, id: range.prefix }, [], { ...inTenant, path: at });
    ranges.push({ written: range, template });
  }
  return {
    count: ranges.reduce((sum, { written: { count } }) => sum + count, single.length),
    has: (account) => ids.holder(account) !== undefined,
    *[Symbol.iterator]() {
      yield* single;
      for (const range of ranges) yield* accountsOf(range);
    },
  };
}

interface Range {
  written: WrittenRange;
  template: ProvisionedAccount;
}

function* accountsOf({ written, template }: Range): Generator<ProvisionedAccount> {
  const { prefix, count, first } = written;
  for (let offset = 0; offset < count; offset++) {
    const e164 = first.e164 === undefined ? undefined : counted(first.e164, offset);
    const imsi = first.imsi === undefined ? undefined : counted(first.imsi, offset);
    const subscribers: string[] = [];
    if (e164 !== undefined) subscribers.push(`e164:${e164}`);
    if (imsi !== undefined) subscribers.push(`imsi:${imsi}`);
    yield {
      definition: {
        ...template.definition,
        account: `${prefix}${e164 ?? imsi ?? ''}`,
        subscribers,
      },
      openings: template.openings,
    };
  }
}

function checkRange(
  { prefix, count, first }: WrittenRange,
  {
    path,
    ids,
    subscribers,
    report,
  }: { path: Path; ids: Claims; subscribers: Claims; report: Report },
): void {
  let fits = true;
  for (const kind of ['e164', 'imsi'] as const) {
    const start = first[kind];
    if (start === undefined) continue;
    const at = [...path, 'first', kind];
    if (counted(start, count - 1).length > start.length) {
      const found = `${show(start)}, counted up by ${count}`;
      report({ path: at, found, expected: `numbers of ${start.length} digits` });
      fits = false;
      continue;
    }
    const holder = subscribers.claimRun({ prefix: `${kind}:`, first: start, count }, at);
    reportTaken(holder, { path: at, found: `${count} numbers from ${show(start)}`, report });
  }
  if (!fits) return;
  const start = first.e164 ?? first.imsi ?? '';
  const at = [...path, 'prefix'];
  const holder = ids.claimRun({ prefix, first: start, count }, at);
  reportTaken(holder, {
    path: at,
    found: `${count} accounts from ${show(prefix + start)}`,
    report,
  });
}

function reportTaken(
  holder: Path | undefined,
  { path, found, report }: { path: Path; found: string; report: Report },
): void {
  if (holder === undefined) return;
  report({ path, found, expected: `none of what ${fieldOf(holder)} has already` });
}

function subscribersOf(
  { subscribers }: WrittenAccount,
  { path, claims, report }: { path: Path; claims: Claims; report: Report },
): string[] {
  const own: string[] = [];
  for (const [subscriber, at] of each(subscribers, [...path, 'subscribers'])) {
    for (const [kind, id] of Object.entries(subscriber)) {
      const idPath = [...at, kind];
      const name = `${kind}:${id}`;
      const holder = claims.claim(name, idPath);
      reportTaken(holder, { path: idPath, found: show(id), report });
      if (holder === undefined) own.push(name);
    }
  }
  return own;
}

function compileAccount(
  written: WrittenAccount,
  subscribers: readonly string[],
  context: Context,
): ProvisionedAccount {
  const { tenant, plans, path, report } = context;
  known(written.plan, {
    among: plans,
    what: 'the id of a plan',
    path: [...path, 'plan'],
    report,
  });
  const ids = new Set<string>();
  const openings: Record<string, number> = {};
  const buckets: Bucket[] = [];
  const places = new Map<string, Path>();
  for (const [bucket, at] of each(written.buckets, [...path, 'buckets'])) {
    once(ids, bucket.id, { path: [...at, 'id'], report });
    places.set(bucket.id, at);
    buckets.push(compileBucket(bucket, written.plan, { ...context, path: at }));
    openings[bucket.id] = openingOf(bucket, { ...context, path: at });
  }
  buckets.sort(drawOrder);
  if (!buckets.some(takesAnything)) {
    if (places.has(MAIN)) {
      report({
        path: places.get(MAIN) ?? path,
        found: `a bucket ${show(MAIN)} that cannot take everything`,
        expected: 'money that never expires and pays for every rule, or another id',
      });
    }
    const last = buckets.at(-1)?.priority ?? 0;
    buckets.push({
      id: MAIN,
      unit: 'money',
      priority: Math.max(PRIORITY.money, last + 1),
      floor: 0,
    });
    openings[MAIN] = 0;
  } else checkLast(buckets, { places, path, report });
  const definition: AccountDefinition = {
    tenant,
    account: written.id,
    plan: written.plan,
    status: written.status ?? 'active',
    buckets,
    subscribers,
    maxSessions: written.maxSessions ?? MAX_SESSIONS,
  };
  return { definition, openings };
}

/** Whether a bucket can be the last one, which takes what no other can. */
export function takesAnything(bucket: Bucket): boolean {
  return bucket.unit === 'money' && bucket.expiresAt === undefined && bucket.paysFor === undefined;
}

/** The bucket drawn last must take anything, and must be last by its priority alone. */
function checkLast(
  buckets: readonly Bucket[],
  { places, path, report }: { places: ReadonlyMap<string, Path>; path: Path; report: Report },
): void {
  const main = buckets.findLast(takesAnything);
  if (main === undefined) return;
  for (const bucket of buckets) {
    if (bucket === main || bucket.priority < main.priority) continue;
    report({
      path: [...(places.get(bucket.id) ?? path), 'priority'],
      found: `${bucket.priority} with ${show(bucket.id)}`,
      expected: `less than ${main.priority}: ${show(main.id)} is drawn last`,
    });
  }
}

function compileBucket(written: WrittenBucket, plan: string, context: Context): Bucket {
  const { digits, path, report } = context;
  const { id, unit, priority = unit === 'money' ? PRIORITY.money : PRIORITY.units } = written;
  const bucket: Bucket = { id, unit, priority, floor: 0 };
  if (written.expires !== undefined) {
    const time = parseTime(written.expires);
    if ('value' in time) bucket.expiresAt = time.value;
    else {
      const at = [...path, 'expires'];
      report({ path: at, found: show(written.expires), expected: time.expected });
    }
  }
  if (written.creditLimit !== undefined) {
    const at = [...path, 'creditLimit'];
    const limit = parseMoney(written.creditLimit, { digits });
    if (unit !== 'money') {
      const expected = 'no credit limit: only money may go below zero';
      report({ path: at, at: 'key', found: `a bucket of ${unit}`, expected });
    } else if ('expected' in limit) {
      report({ path: at, found: show(written.creditLimit), expected: limit.expected });
    } else bucket.floor = 0 - limit.value;
  }
  if (written.paysFor !== undefined) {
    bucket.paysFor = written.paysFor;
    checkPaysFor(written.paysFor, { unit, plan, ...context });
  }
  return bucket;
}

function checkPaysFor(
  names: readonly string[],
  { unit, plan, plans, path, report }: Context & { unit: Unit; plan: string },
): void {
  const rules = plans.get(plan);
  if (rules === undefined) return;
  for (const [name, at] of each(names, [...path, 'paysFor'])) {
    known(name, {
      among: rules,
      what: `a rule of plan ${show(plan)}`,
      path: at,
      report,
    });
    const counts = rules.get(name);
    if (counts === undefined || counts === unit || unit === 'money') continue;
    const found = `${show(name)}, which counts ${counts}`;
    report({ path: at, found, expected: `a rule that counts ${unit}` });
  }
}

function openingOf({ unit, opening }: WrittenBucket, { digits, path, report }: Context): number {
  if (opening === undefined) return 0;
  const parsed = parseQuantity(opening, { unit, digits });
  if ('value' in parsed) return parsed.value;
  report({ path: [...path, 'opening'], found: show(opening), expected: parsed.expected });
  return 0;
}
