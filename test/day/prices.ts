/**
 * The price lists of the three tenants once more, as a clerk would read them off a leaflet: for one
 * use of a service, what so many units of one session cost in all. `market.ts` says the same in the
 * language of plans.
 */

export interface Tariff {
  name: string;
  /** In the tenant's smallest unit of money, for all units of a session that money pays for. */
  total(units: bigint): bigint;
  /** A bundle that is used up before money. */
  bundle?: string;
}

/** What the price depends on. */
export interface Use {
  context: string;
  ratingGroup: number | undefined;
  at: number;
  called?: string;
  visited?: string;
}

export const DATA = '32251@3gpp.org';
export const VOICE = '32260@3gpp.org';
export const SMS = '32274@3gpp.org';

/** Of north: every other minute is cheap, so that the tariff changes while the day is played. */
export const isCheap = (at: number): boolean => Math.floor(at / 60_000) % 2 === 1;

/** So much for each begun `step` units. */
const perStep =
  (step: bigint, amount: bigint) =>
  (units: bigint): bigint =>
    ((units + step - 1n) / step) * amount;

const call = (amount: bigint, { fee, minimum }: { fee: bigint; minimum: bigint }) => {
  return (seconds: bigint): bigint => {
    if (seconds === 0n) return 0n;
    const counted = seconds < minimum ? minimum : seconds;
    // An amount for 60 seconds, by the second, rounded up once.
    return fee + (counted * amount + 59n) / 60n;
  };
};

const free = (): bigint => 0n;

/** Undefined: not part of the plan. */
export function tariffAt(plan: string, use: Use): Tariff | undefined {
  return plan === 'north' ? north(use) : plan === 'south' ? south(use) : fleet(use);
}

/** North, in millionths of a euro. */
function north({ context, ratingGroup, at, called = '', visited }: Use): Tariff | undefined {
  if (context === SMS) return { name: 'text', total: (units) => units * 70_000n, bundle: 'texts' };
  if (context === VOICE) {
    const local = { fee: 50_000n, minimum: 30n };
    if (called.startsWith('4917')) return { name: 'mobile', total: call(120_000n, local) };
    if (called.startsWith('49')) return { name: 'national', total: call(90_000n, local) };
    return { name: 'abroad', total: perStep(60n, 500_000n) };
  }
  if (ratingGroup === 2) return { name: 'own-app', total: free };
  if (ratingGroup === 3)
    return isCheap(at)
      ? { name: 'video-cheap', total: perStep(100_000n, 1_000n) }
      : { name: 'video', total: perStep(100_000n, 8_000n) };
  if (visited !== undefined && !visited.startsWith('26201'))
    return { name: 'internet-abroad', total: perStep(10_000n, 20_000n) };
  return { name: 'internet', total: perStep(100_000n, 5_000n), bundle: 'gigabyte' };
}

/** South, in ten-thousandths of a krona: the first 5 MB of a session are dearer than the rest. */
function south({ context }: Use): Tariff | undefined {
  if (context === SMS) return { name: 'text', total: (units) => units * 5_000n };
  if (context === VOICE) return { name: 'calls', total: perStep(30n, 3_000n) };
  const first = 5_000_000n;
  return {
    name: 'data',
    total: (octets) =>
      octets <= first
        ? perStep(1_000n, 10n)(octets)
        : perStep(1_000n, 10n)(first) + perStep(1_000n, 5n)(octets - first),
  };
}

/** Fleet, in millionths of a dollar: each octet costs two, whoever uses it and when. */
function fleet({ ratingGroup }: Use): Tariff | undefined {
  return { name: `telemetry-${ratingGroup ?? 0}`, total: (octets) => octets * 2n };
}
