/** Accounts and ranges of accounts as written to definitions and opening amounts. */
import { type AccountDefinition, type Bucket, drawOrder } from '../charging/account.ts';
import { compileBucket, compileLimit, type FundedBucket, MAIN, mainBucket } from './buckets.ts';
import { Claims, counted } from './claims.ts';
import { each, known, once, type Report } from './findings.ts';
import { LIMITS } from './limits.ts';
import type { PlanNames } from './names.ts';
import { fieldOf, type Path, show } from './problem.ts';
import type { Accounts, ProvisionedAccount, WrittenMember } from './provisioning.ts';
import type {
  WrittenAccount,
  WrittenLimit,
  WrittenRange,
  WrittenSubscriber,
  WrittenTenant,
} from './schema.ts';
import type { Context, Place } from './written.ts';

interface AccountsContext extends Context {
  tenant: string;
  plans: PlanNames;
  /** Of each plan. */
  timeZones: ReadonlyMap<string, string>;
}

const MAX_SESSIONS = 100;
const KINDS = ['e164', 'imsi', 'sip', 'nai', 'private'] as const;

export function compileAccounts(
  written: WrittenTenant,
  context: Omit<AccountsContext, 'tenant'>,
): Accounts {
  const { path, report } = context;
  const inTenant: AccountsContext = { ...context, tenant: written.id };
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
    const none = { names: [], limits: [], areWritten: true };
    const template = compileAccount({ ...range, id: range.prefix }, none, {
      ...inTenant,
      path: at,
    });
    ranges.push({ written: range, template });
  }
  let byId: Map<string, ProvisionedAccount> | undefined;
  return {
    count: ranges.reduce((sum, { written: { count } }) => sum + count, single.length),
    has: (account) => ids.holder(account) !== undefined,
    find(account) {
      byId ??= new Map(single.map((one) => [one.definition.account, one]));
      const found = byId.get(account);
      if (found !== undefined) return found;
      for (const range of ranges) {
        const offset = offsetOf(range.written, account);
        if (offset !== undefined) return accountAt(range, offset);
      }
      return undefined;
    },
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

function* accountsOf(range: Range): Generator<ProvisionedAccount> {
  for (let offset = 0; offset < range.written.count; offset++) yield accountAt(range, offset);
}

function accountAt({ written, template }: Range, offset: number): ProvisionedAccount {
  const { prefix, first } = written;
  return {
    definition: {
      ...template.definition,
      account: prefix + counted(startOf(first), offset),
      subscribers: numbersOf(first, offset),
    },
    openings: template.openings,
    written: template.written,
  };
}

/** How far after the first of a range an account is; undefined: it is none of the range. */
function offsetOf({ prefix, count, first }: WrittenRange, account: string): number | undefined {
  const start = startOf(first);
  const number = account.slice(prefix.length);
  if (!account.startsWith(prefix) || number.length !== start.length || !/^\d+$/.test(number))
    return undefined;
  const offset = Number(number) - Number(start);
  return offset >= 0 && offset < count ? offset : undefined;
}

/** What the ids of a range are counted by. */
const startOf = ({ e164, imsi }: WrittenRange['first']): string => e164 ?? imsi ?? '';

function checkRange(
  range: WrittenRange,
  { path, ids, ...context }: Place & { ids: Claims; subscribers: Claims },
): void {
  const { prefix, count, first } = range;
  if (!claimNumbers(range, { path, ...context })) return;
  const start = startOf(first);
  const at = [...path, 'prefix'];
  const holder = ids.claimRun({ prefix, first: start, count }, at);
  const found = `${count} accounts from ${show(prefix + start)}`;
  reportTaken(holder, { path: at, found, report: context.report });
}

/** Claims the numbers of a range; false: they do not fit, which was reported. */
function claimNumbers(
  { count, first }: Pick<WrittenRange, 'count' | 'first'>,
  { path, subscribers, report }: Place & { subscribers: Claims },
): boolean {
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
  return fits;
}

function reportTaken(
  holder: Path | undefined,
  { path, found, report }: { path: Path; found: string; report: Report },
): void {
  if (holder === undefined) return;
  report({ path, found, expected: `none of what ${fieldOf(holder)} has already` });
}

/** The subscribers of an account, and the limits that each of them has. */
interface Subscribers {
  areWritten: boolean;
  /** As `kind:id`. */
  names: readonly string[];
  limits: readonly { limit: WrittenLimit; path: Path; names: readonly string[] }[];
}

function subscribersOf(
  { subscribers, subscriberRanges }: WrittenAccount,
  { path, claims, report }: Place & { claims: Claims },
): Subscribers {
  const all: string[] = [];
  const limits: Subscribers['limits'][number][] = [];
  let count = subscribers?.length ?? 0;
  for (const [subscriber, at] of each(subscribers, [...path, 'subscribers'])) {
    const names = namesOf(subscriber, { path: at, claims, report });
    all.push(...names);
    for (const [limit, limitPath] of each(subscriber.limits, [...at, 'limits']))
      limits.push({ limit, path: limitPath, names });
  }
  for (const [range, at] of each(subscriberRanges, [...path, 'subscriberRanges'])) {
    count += range.count;
    if (count > LIMITS.subscribers) {
      const found = `${count} subscribers with this range`;
      report({ path: [...at, 'count'], found, expected: `at most ${LIMITS.subscribers}` });
    } else if (claimNumbers(range, { path: at, subscribers: claims, report }))
      for (let offset = 0; offset < range.count; offset++)
        all.push(...numbersOf(range.first, offset));
  }
  const areWritten = subscribers !== undefined || subscriberRanges !== undefined;
  return { names: all, limits, areWritten };
}

function namesOf(
  subscriber: WrittenSubscriber,
  { path, claims, report }: Place & { claims: Claims },
): string[] {
  const names: string[] = [];
  let written = 0;
  for (const kind of KINDS) {
    const id = subscriber[kind];
    if (id === undefined) continue;
    written++;
    const idPath = [...path, kind];
    const name = `${kind}:${id}`;
    const holder = claims.claim(name, idPath);
    reportTaken(holder, { path: idPath, found: show(id), report });
    if (holder === undefined) names.push(name);
  }
  if (written === 0)
    report({ path, found: 'no identity', expected: `at least one of ${KINDS.join(', ')}` });
  return names;
}

/** The identities of the subscriber that is `offset` after the first of a range. */
function numbersOf(first: WrittenRange['first'], offset: number): string[] {
  const names: string[] = [];
  for (const kind of ['e164', 'imsi'] as const) {
    const start = first[kind];
    if (start !== undefined) names.push(`${kind}:${counted(start, offset)}`);
  }
  return names;
}

function compileAccount(
  written: WrittenAccount,
  subscribers: Subscribers,
  context: AccountsContext,
): ProvisionedAccount {
  const { tenant, plans, timeZones, path, report } = context;
  known(written.plan, { among: plans, what: 'the id of a plan', path: [...path, 'plan'], report });
  const plan = { id: written.plan, rules: plans.get(written.plan) };
  const timeZone = timeZones.get(written.plan) ?? 'UTC';
  const ids = new Set<string>();
  const openings: Record<string, number> = {};
  const buckets: Bucket[] = [];
  const limits: Bucket[] = [];
  const places = new Map<string, Path>();
  const add = (to: Bucket[], { bucket, opening }: FundedBucket, at: Path) => {
    once(ids, bucket.id, { path: [...at, 'id'], report });
    places.set(bucket.id, at);
    to.push(bucket);
    openings[bucket.id] = opening;
  };
  for (const [bucket, at] of each(written.buckets, [...path, 'buckets']))
    add(buckets, compileBucket(bucket, { ...context, path: at, plan, timeZone }), at);
  for (const { limit, path: at, names } of subscribers.limits)
    add(limits, compileLimit(limit, names, { ...context, path: at, plan, timeZone }), at);
  buckets.sort(drawOrder);
  const isMainWritten = buckets.some(takesAnything);
  if (!isMainWritten) {
    if (places.has(MAIN)) {
      report({
        path: places.get(MAIN) ?? path,
        found: `a bucket ${show(MAIN)} that cannot take everything`,
        expected: 'money that never expires and pays for every rule, or another id',
      });
    }
    const last = buckets.at(-1);
    const main = mainBucket(last?.priority ?? 0);
    if (last !== undefined && main.priority > LIMITS.priority)
      reportLate(last, { main: { ...main, priority: LIMITS.priority }, places, path, report });
    buckets.push(main);
    openings[MAIN] = 0;
  } else checkLast(buckets, { places, path, report });
  if (buckets.length + limits.length > LIMITS.buckets) {
    const found = `${buckets.length + limits.length} buckets and limits`;
    report({ path, found, expected: `at most ${LIMITS.buckets} in all` });
  }
  const definition: AccountDefinition = {
    tenant,
    account: written.id,
    plan: written.plan,
    status: written.status ?? 'active',
    buckets: [...limits, ...buckets].sort(drawOrder),
    subscribers: subscribers.names,
    maxSessions: written.maxSessions ?? MAX_SESSIONS,
  };
  const members = new Set<WrittenMember>();
  for (const member of ['status', 'maxSessions'] as const)
    if (written[member] !== undefined) members.add(member);
  if (subscribers.areWritten) members.add('subscribers');
  if (isMainWritten) members.add('main');
  return { definition, openings, written: members };
}

/** Whether a bucket can be the last one, which takes what no other can. */
export function takesAnything(bucket: Bucket): boolean {
  return (
    bucket.unit === 'money' &&
    bucket.startsAt === undefined &&
    bucket.expiresAt === undefined &&
    bucket.lastsMs === undefined &&
    bucket.limits === undefined &&
    bucket.paysFor === undefined
  );
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
    reportLate(bucket, { main, places, path, report });
  }
}

function reportLate(
  { id, priority }: Bucket,
  {
    main,
    places,
    path,
    report,
  }: { main: Bucket; places: ReadonlyMap<string, Path>; path: Path; report: Report },
): void {
  report({
    path: [...(places.get(id) ?? path), 'priority'],
    found: `${priority} with ${show(id)}`,
    expected: `less than ${main.priority}: ${show(main.id)} is drawn last`,
  });
}
