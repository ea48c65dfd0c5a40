/**
 * One provisioning file with four tenants for a capture, told apart by the name of the gateway:
 * the file that `trace import --provisioning` writes, untouched, and the same accounts with prices
 * that every octet is felt in, with a bundle that runs out on the way, and with too little credit.
 */
import { writeProvisioning } from '../../src/provisioning/write.ts';
import { Fitting, type FittingFile } from '../../src/trace/fitting.ts';
import type { TraceEntry } from '../../src/trace/trace-file.ts';
import { readAsked } from './reading.ts';
import { type Holding, Reckoning, type Tariff } from './reckoning.ts';

type Tenant = FittingFile['tenants'][number];
type Rule = Tenant['plans'][number]['rules'][number];

/** What a bucket opens with, by account; undefined: plenty. */
type Openings = ReadonlyMap<string, bigint> | undefined;

export interface Stall {
  tenant: string;
  /** Decimal places of its smallest unit of money. */
  digits: number;
  /** The gateway's names; undefined: those of the capture. */
  origin?: { originHost: string; originRealm: string };
  /** Accounts as they open, and nothing asked yet. */
  reckoning(): Reckoning;
}

export interface Market {
  yaml: string;
  stalls: Stall[];
}

const PLENTY = 100_000n;
/** Decimal places of the smallest unit of money: what a file that fits a capture has. */
const DIGITS = 6;
const VALIDITY_SECONDS = 3600;
/** Of the tenants with prices, by what is counted. */
const PRICES = {
  octets: { price: [7, 3, 100], quota: { size: '10 MB', minimum: 64, maximum: '50 MB' } },
  seconds: { price: [11, 7, 2], quota: { size: '5 min', minimum: 2, maximum: '1 h' } },
  units: { price: [1300, 1, 1], quota: { size: 10, minimum: 1, maximum: 50 } },
  money: { price: [1, 1, 1], quota: { size: '1.00', minimum: '0.01', maximum: '5.00' } },
} as const;

/** `supervision`: how long a silent session of any tenant lives; undefined: a day. */
export function marketFor(entries: readonly TraceEntry[], supervision?: string): Market {
  const fitting = new Fitting();
  for (const entry of entries) fitting.add(entry);
  const fitted = fitting.file();
  const [tenant] = fitted.tenants;
  if (tenant === undefined) throw new Error('the fitting provisioning has no tenant');
  const usage = usageOf(tenant, entries);
  const tenants = [
    asked(tenant, supervision),
    priced(tenant, { id: 'priced', supervision }),
    priced(tenant, {
      id: 'bundled',
      supervision,
      bundle: openingsOf(usage, ({ octets }) => octets / 2n),
    }),
    priced(tenant, { id: 'poor', supervision, money: openingsOf(usage, shortOf) }),
  ];
  const file = {
    ...fitted,
    tenants: tenants.map(({ written }) => written),
    routing: {
      rules: ['priced', 'bundled', 'poor'].map((name) => ({
        match: { originHost: [`gw.${name}.example`] },
        tenant: name,
      })),
      ...fitted.routing,
    },
  };
  return {
    yaml: writeProvisioning(file, 'Fits a capture, four times.'),
    stalls: tenants.map(({ stall }) => stall),
  };
}

interface Usage {
  octets: bigint;
  money: bigint;
  /** What its first grants cost; undefined: it never had any. */
  firstHeld?: bigint;
}

/** Enough for half of what is used, and never for what is asked first. */
function shortOf({ money, firstHeld = 1n }: Usage): bigint {
  return money / 2n < firstHeld ? money / 2n : firstHeld - 1n;
}

function openingsOf(usage: ReadonlyMap<string, Usage>, opening: (of: Usage) => bigint): Openings {
  return new Map([...usage].map(([account, used]) => [account, opening(used)]));
}

/** What the accounts use when nothing is short. */
function usageOf(tenant: Tenant, entries: readonly TraceEntry[]): Map<string, Usage> {
  const reckoning = priced(tenant, { id: 'any' }).stall.reckoning();
  const usage = new Map<string, Usage>();
  for (const account of reckoning.accounts.keys()) usage.set(account, { octets: 0n, money: 0n });
  for (const { request } of entries) {
    const asked = readAsked(request, DIGITS);
    const { moves } = reckoning.apply(asked);
    const of = usage.get(reckoning.sessions.get(asked.session)?.account ?? '');
    if (of === undefined) continue;
    for (const { used } of asked.services) of.octets += used?.octets ?? 0n;
    const held = moves?.['main reserve']?.[1] ?? 0;
    if (held > 0) of.firstHeld ??= BigInt(held);
  }
  for (const [account, buckets] of reckoning.accounts) {
    const { available, reserved } = buckets.get('main')!;
    usage.get(account)!.money = PLENTY * 10n ** BigInt(DIGITS) - available - reserved;
  }
  return usage;
}

/** The tenant as it was written by the import; its figures are read here anew. */
function asked(tenant: Tenant, supervision: string | undefined) {
  const written = supervision === undefined ? tenant : supervised(tenant, supervision);
  const tariffs = tenant.plans.flatMap(({ rules }) => rules.map((rule) => tariffOf(rule, DIGITS)));
  const stall = stallOf(tenant, { digits: DIGITS, tariffs, bundle: undefined, money: undefined });
  return { written, stall };
}

const supervised = (tenant: Tenant, supervision: string): Tenant => ({
  ...tenant,
  plans: tenant.plans.map((plan) => ({ ...plan, supervision })),
});

interface Variant {
  id: string;
  supervision?: string | undefined;
  bundle?: Openings;
  money?: Openings;
}

function priced(tenant: Tenant, { id, supervision, bundle, money }: Variant) {
  const plans = tenant.plans.map((plan) => ({
    ...plan,
    ...(supervision === undefined ? {} : { supervision }),
    rules: plan.rules.map((rule) => ({ ...rule, ...pricing(rule, supervision) })),
  }));
  const accounts = tenant.accounts.map((account) => ({
    ...account,
    buckets: [
      ...(bundle === undefined
        ? []
        : [
            { id: 'bundle', unit: 'octets' as const, opening: `${bundle.get(account.id) ?? 0n} B` },
          ]),
      { id: 'main', unit: 'money' as const, opening: decimal(money?.get(account.id)) },
    ],
  }));
  const tariffs = plans.flatMap(({ rules }) => rules.map((rule) => tariffOf(rule, DIGITS)));
  const stall = stallOf(tenant, { digits: DIGITS, tariffs, bundle, money });
  const originHost = `gw.${id}.example`;
  const written: Tenant = { ...tenant, id, plans, accounts, digits: DIGITS };
  return {
    written,
    stall: { ...stall, tenant: id, origin: { originHost, originRealm: `${id}.example` } },
  };
}

/** A validity would be what a session is supervised by. */
function pricing({ unit }: Rule, supervision: string | undefined) {
  const { price, quota } = PRICES[unit];
  const [amount, per, increment] = price;
  return {
    ...(unit === 'money' ? {} : { price: { amount: decimal(BigInt(amount)), per, increment } }),
    quota,
    ...(supervision === undefined
      ? { validity: `${VALIDITY_SECONDS} s`, holdingTime: '10 min' }
      : {}),
  };
}

function decimal(smallest: bigint = PLENTY * 10n ** BigInt(DIGITS)): string {
  const digits = String(smallest).padStart(DIGITS + 1, '0');
  return `${digits.slice(0, -DIGITS)}.${digits.slice(-DIGITS)}`;
}

function stallOf(
  tenant: Tenant,
  of: { digits: number; tariffs: Tariff[]; bundle: Openings; money: Openings },
): Stall {
  const { digits, tariffs, bundle, money } = of;
  const accountOf = new Map<string, string>();
  for (const { id, subscribers } of tenant.accounts)
    for (const subscriber of subscribers)
      for (const [kind, value] of Object.entries(subscriber)) accountOf.set(`${kind}:${value}`, id);
  const holding = (unit: Holding['unit'], available: bigint): Holding => ({
    ...{ unit, available, reserved: 0n },
  });
  const opened = (id: string): [string, Holding][] => [
    ...(bundle === undefined
      ? []
      : [['bundle', holding('octets', bundle.get(id) ?? 0n)] satisfies [string, Holding]]),
    ['main', holding('money', money?.get(id) ?? PLENTY * 10n ** BigInt(digits))],
  ];
  return {
    tenant: tenant.id,
    digits,
    reckoning: () =>
      new Reckoning({
        tariffs,
        accounts: new Map(tenant.accounts.map(({ id }) => [id, new Map(opened(id))])),
        accountOf,
      }),
  };
}

const SCALES: Record<string, bigint> = { B: 1n, MB: 1_000_000n, s: 1n, min: 60n, h: 3600n };

/** A rule in figures. Only what is written above and by the import is understood. */
function tariffOf(
  rule: Rule & { validity?: string; quota: { minimum?: unknown; maximum?: unknown } },
  digits: number,
): Tariff {
  const { match, unit, price, quota, validity } = rule;
  const figure = (written: unknown): bigint => {
    const [, whole = '', fraction = '', scale = ''] =
      /^(\d+)(?:\.(\d+))? ?(\w*)$/.exec(String(written)) ?? [];
    if (unit === 'money') return BigInt(whole + fraction.padEnd(digits, '0'));
    return BigInt(whole) * (SCALES[scale] ?? 1n);
  };
  const size = figure(quota.size);
  const amount = price?.amount.split('.') ?? [];
  return {
    contexts: match?.context ?? [],
    groups: match?.ratingGroup ?? [],
    unit,
    amount: price === undefined ? 1n : BigInt(amount[0] + (amount[1] ?? '').padEnd(digits, '0')),
    per: price === undefined ? 1n : figure(price.per),
    increment: price === undefined ? 1n : figure(price.increment ?? price.per),
    size,
    validity: validity === undefined ? -1 : VALIDITY_SECONDS,
    minimum: quota.minimum === undefined ? 1n : figure(quota.minimum),
    maximum: quota.maximum === undefined ? size : figure(quota.maximum),
  };
}
