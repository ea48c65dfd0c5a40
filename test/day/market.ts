/**
 * A small MVNE: three tenants with their plans and accounts, in the language of plans. What it
 * costs is written down a second time in `prices.ts`.
 */
import { isCheap, SMS } from './prices.ts';
import type { Balance } from './rater.ts';

/** An account of the market and who shares it. */
export interface Customer {
  tenant: string;
  plan: 'north' | 'south' | 'fleet';
  account: string;
  numbers: readonly string[];
  /** Money and bundles that it opens with, in smallest units. */
  opening: Balance;
}

export interface Market {
  /** The provisioning file. */
  yaml: string;
  customers: readonly Customer[];
}

const FAMILY = 3;
const DEVICES = 50;
const FIRST_NUMBERS = { north: 499_000_000_000, south: 499_100_000_000, fleet: 499_200_000_000 };
const GIGABYTE = 1_000_000_000n;
const TEXTS = 20n;

/** Six in ten subscribers are north's, three are south's, one is a device of a fleet. */
export function marketOf(subscribers: number, startsAt: number): Market {
  const customers: Customer[] = [];
  const next = { ...FIRST_NUMBERS };
  const numbers = (tenant: keyof typeof next, count = 1): string[] =>
    Array.from({ length: count }, () => String(next[tenant]++));
  const add = (customer: Omit<Customer, 'account'>): void => {
    customers.push({ ...customer, account: `${customer.plan}-${customer.numbers[0]}` });
  };
  const north = { tenant: 'north', plan: 'north' } as const;
  const south = { tenant: 'south', plan: 'south' } as const;
  const fleet = { tenant: 'fleet', plan: 'fleet' } as const;
  const bundles = (): Map<string, bigint> =>
    new Map([
      ['gigabyte', GIGABYTE],
      ['texts', TEXTS],
    ]);
  const share = Math.round(subscribers / 10);
  for (let i = 0; i < share; i++) {
    add({
      ...north,
      numbers: numbers('north'),
      opening: { money: 50_000_000n, bundles: bundles() },
    });
    add({
      ...north,
      numbers: numbers('north'),
      opening: { money: 5_000_000n, bundles: new Map() },
    });
    add({ ...north, numbers: numbers('north'), opening: { money: 400_000n, bundles: new Map() } });
    add({
      ...{ ...north, numbers: numbers('north', FAMILY) },
      opening: { money: 30_000_000n, bundles: bundles() },
    });
    add({
      ...south,
      numbers: numbers('south'),
      opening: { money: 2_000_000n, bundles: new Map() },
    });
    add({ ...south, numbers: numbers('south'), opening: { money: 200_000n, bundles: new Map() } });
    add({ ...south, numbers: numbers('south'), opening: { money: 12_000n, bundles: new Map() } });
  }
  for (let left = share; left > 0; left -= DEVICES)
    add({
      ...{ ...fleet, numbers: numbers('fleet', Math.min(left, DEVICES)) },
      opening: { money: 10_000_000_000_000n, bundles: new Map() },
    });
  return { yaml: yamlOf(customers, startsAt), customers };
}

/** Every other minute of the next hour, in UTC. */
function cheapMinutes(startsAt: number): string {
  const text = (at: number): string => new Date(at).toISOString().slice(11, 16);
  const windows: string[] = [];
  for (let at = startsAt - 60_000; at < startsAt + 3_500_000; at += 60_000)
    if (isCheap(at)) windows.push(`{ from: "${text(at)}", until: "${text(at + 60_000)}" }`);
  return windows.join(', ');
}

function yamlOf(customers: readonly Customer[], startsAt: number): string {
  const of = (tenant: string): string =>
    customers
      .filter((one) => one.tenant === tenant)
      .map(accountOf)
      .join('\n');
  return `
tenants:
  - id: north
    currency: EUR
    digits: 6
    timeZone: UTC
    plans:
      - id: north
        rules:
          - name: text
            match: { context: [${SMS}] }
            unit: units
            price: { amount: "0.07", per: 1 }
            quota: { size: 1, maximum: 10 }
          - name: mobile
            match: { context: [32260@3gpp.org], called: ["4917"] }
            unit: seconds
            price: { amount: "0.12", per: 1 min, increment: 1 s, fee: "0.05", minimum: 30 s }
            quota: { size: 3 min, minimum: 10 s }
          - name: national
            match: { context: [32260@3gpp.org], called: ["49"] }
            unit: seconds
            price: { amount: "0.09", per: 1 min, increment: 1 s, fee: "0.05", minimum: 30 s }
            quota: { size: 3 min, minimum: 10 s }
          - name: abroad
            match: { context: [32260@3gpp.org] }
            unit: seconds
            price: { amount: "0.50", per: 1 min, increment: 1 min }
            quota: { size: 2 min, minimum: 1 min }
          - name: own-app
            match: { context: [32251@3gpp.org], ratingGroup: [2] }
            unit: octets
            free: true
            quota: { size: 20 MB }
          - name: video-cheap
            match:
              context: [32251@3gpp.org]
              ratingGroup: [3]
              when: [${cheapMinutes(startsAt)}]
            unit: octets
            price: { amount: "0.01", per: 1 MB, increment: 100 kB }
            quota: { size: 20 MB, minimum: 100 kB }
          - name: video
            match: { context: [32251@3gpp.org], ratingGroup: [3] }
            unit: octets
            price: { amount: "0.08", per: 1 MB, increment: 100 kB }
            quota: { size: 20 MB, minimum: 100 kB }
          - name: internet
            match: { context: [32251@3gpp.org], visited: ["26201"] }
            unit: octets
            price: { amount: "0.05", per: 1 MB, increment: 100 kB }
            quota: { size: 30 MB, minimum: 100 kB }
          - name: internet-abroad
            match: { context: [32251@3gpp.org] }
            unit: octets
            price: { amount: "2.00", per: 1 MB, increment: 10 kB }
            quota: { size: 1 MB, minimum: 10 kB }
    accounts:
${of('north')}
  - id: south
    currency: SEK
    digits: 4
    plans:
      - id: south
        rules:
          - name: text
            match: { context: [${SMS}] }
            unit: units
            price: { amount: "0.50", per: 1 }
            quota: { size: 1, maximum: 10 }
          - name: calls
            match: { context: [32260@3gpp.org] }
            unit: seconds
            price: { amount: "0.30", per: 30 s }
            quota: { size: 90 s, minimum: 30 s }
          - name: data
            match: { context: [32251@3gpp.org] }
            unit: octets
            price:
              amount: "0.001"
              per: 1 kB
              tiers: [{ from: 5 MB, amount: "0.0005", per: 1 kB }]
            quota: { size: 4 MB, minimum: 10 kB }
            atEnd: deny
    accounts:
${of('south')}
  - id: fleet
    currency: USD
    digits: 6
    plans:
      - id: fleet
        rules:
          - name: telemetry-10
            match: { context: [32251@3gpp.org], ratingGroup: [10] }
            unit: octets
            price: { amount: "0.000002", per: 1 B }
            quota: { size: 100 kB }
          - name: telemetry-11
            match: { context: [32251@3gpp.org], ratingGroup: [11] }
            unit: octets
            price: { amount: "0.000002", per: 1 B }
            quota: { size: 50 kB }
    accounts:
${of('fleet')}
peers:
  known: [{ host: gw.example, tariffChange: single }]
routing:
  rules:
    - { match: { e164Prefix: ["4990"] }, tenant: north }
    - { match: { e164Prefix: ["4991"] }, tenant: south }
    - { match: { e164Prefix: ["4992"] }, tenant: fleet }
`;
}

const DIGITS = { north: 6, south: 4, fleet: 6 } as const;

function accountOf({ plan, account, numbers, opening }: Customer): string {
  const digits = DIGITS[plan];
  const text = opening.money.toString().padStart(digits + 1, '0');
  const money = `"${text.slice(0, -digits)}.${text.slice(-digits)}"`;
  const units = { gigabyte: 'octets', texts: 'units' } as const;
  const bundles = [...opening.bundles].map(([id, amount]) => {
    const name = id as keyof typeof units;
    const rule = name === 'texts' ? 'text' : 'internet';
    return `{ id: ${id}, unit: ${units[name]}, opening: ${amount}, paysFor: [${rule}] }`;
  });
  const buckets = [...bundles, `{ id: main, unit: money, opening: ${money} }`];
  return `      - id: ${account}
        plan: ${plan}
        maxSessions: 1000
        subscribers: [${numbers.map((number) => `{ e164: "${number}" }`).join(', ')}]
        buckets: [${buckets.join(', ')}]`;
}
