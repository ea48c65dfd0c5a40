/**
 * What a client may use of a service, and how it is to behave meanwhile, as members of a
 * Multiple-Services-Credit-Control (RFC 8506 8.16, TS 32.299 7.1.9).
 */
import type { ServiceAnswer } from '../charging/answer.ts';
import type { Directives } from '../charging/plan.ts';
import type { Unit } from '../charging/request.ts';
import type { Value } from '../diameter/message.ts';
import { type Currency, unitValueOf } from './money.ts';

type MSCC = Value<'Multiple-Services-Credit-Control'>;
type GSU = Value<'Granted-Service-Unit'>;

const MAX_UNSIGNED32 = 0xffff_ffff;

/** Units of one kind, and others beside them, as the client is granted them. */
export function grantedOf(
  { granted, beside, tariffChange }: ServiceAnswer,
  units: number,
  currency: Currency,
): GSU | undefined {
  if (granted === undefined) return undefined;
  const gsu: GSU = {};
  for (const unit in beside) {
    const count = beside[unit as Unit];
    if (count !== undefined) grant(gsu, unit as Unit, count, currency);
  }
  grant(gsu, granted.unit, units, currency);
  // RFC 8506 8.20: in seconds, which windows of minutes always are.
  if (tariffChange !== undefined) gsu['Tariff-Time-Change'] = Math.round(tariffChange.at / 1000);
  return gsu;
}

function grant(gsu: GSU, unit: Unit, units: number, currency: Currency): void {
  switch (unit) {
    case 'octets':
      gsu['CC-Total-Octets'] = BigInt(units);
      break;
    case 'seconds':
      gsu['CC-Time'] = Math.min(units, MAX_UNSIGNED32);
      break;
    case 'units':
      gsu['CC-Service-Specific-Units'] = BigInt(units);
      break;
    case 'money':
      gsu['CC-Money'] = {
        'Unit-Value': unitValueOf(units, currency),
        'Currency-Code': currency.code,
      };
  }
}

/** CC-Unit-Type, RFC 8506 8.32. */
const unitTypes: Readonly<Record<Unit, number>> = { seconds: 0, money: 1, octets: 2, units: 5 };

/**
 * The pool that a grant counts in (RFC 8506 8.30); `second`: of the quota after a tariff change.
 * Money is told in whole units of the currency, of which the pool counts the smallest.
 */
export function poolReferenceOf(
  { granted, pool }: ServiceAnswer,
  { currency, second }: { currency: Currency; second: boolean },
): Value<'G-S-U-Pool-Reference'> | undefined {
  if (granted === undefined || pool === undefined) return undefined;
  const multiplier = second ? (pool.after ?? pool) : pool;
  const exponent = multiplier.exponent + (granted.unit === 'money' ? currency.digits : 0);
  return {
    'G-S-U-Pool-Identifier': pool.id,
    'CC-Unit-Type': unitTypes[granted.unit],
    'Unit-Value': {
      'Value-Digits': BigInt(multiplier.digits),
      ...(exponent === 0 ? {} : { Exponent: exponent }),
    },
  };
}

/** TS 32.299 7.2.229, 7.2.240, 7.2.243: a threshold is told in an AVP of its unit; money has none. */
const thresholds: Readonly<Partial<Record<Unit, Threshold>>> = {
  seconds: 'Time-Quota-Threshold',
  octets: 'Volume-Quota-Threshold',
  units: 'Unit-Quota-Threshold',
};
type Threshold = 'Time-Quota-Threshold' | 'Volume-Quota-Threshold' | 'Unit-Quota-Threshold';

/** Trigger-Type, TS 32.299 7.2.236. */
const CHANGE_IN_QOS = 2;
const CHANGE_IN_LOCATION = 3;
const CHANGE_IN_PARTICIPANTS_NMB = 50;

/** Time-Quota-Type, TS 32.299 7.2.230. */
const mechanisms = { discrete: 0, continuous: 1 } as const;

/** Adds to `mscc` what the rule says of the use of `units` granted. */
export function direct(
  mscc: MSCC,
  { granted, beside, directives }: ServiceAnswer & { directives: Directives },
  { units, initial }: { units: number; initial: boolean },
): void {
  const { threshold, consumptionSeconds, timeMechanism, envelopes, triggers } = directives;
  const told = granted === undefined ? undefined : thresholds[granted.unit];
  // Of a grant that is no larger the client could not tell when it is reached.
  if (threshold !== undefined && told !== undefined && threshold < units)
    mscc[told] = Math.min(threshold, MAX_UNSIGNED32);
  if (granted?.unit === 'seconds' || (granted && beside?.seconds !== undefined)) {
    // TS 32.299 7.2.228: the mechanism takes the place of the consumption time.
    if (timeMechanism !== undefined)
      mscc['Time-Quota-Mechanism'] = {
        'Time-Quota-Type': mechanisms[timeMechanism.type],
        'Base-Time-Interval': timeMechanism.intervalSeconds,
      };
    else if (consumptionSeconds !== undefined) mscc['Quota-Consumption-Time'] = consumptionSeconds;
  }
  // TS 32.299 7.2.61: in the first answer of a session.
  if (envelopes !== undefined && initial) mscc['Envelope-Reporting'] = envelopes;
  // TS 32.299 7.2.235: an empty group means that nothing makes the client re-authorise.
  if (triggers !== undefined)
    mscc.Trigger = triggers.length === 0 ? {} : { 'Trigger-Type': compatible(triggers) };
}

/**
 * TS 32.299 7.2.236: a general trigger is not combined with the particular ones that it covers: any
 * change of quality with one of its parameters, of the location with a part of it, of the number of
 * participants with a threshold of it.
 */
function compatible(triggers: readonly number[]): number[] {
  const covered = (type: number) =>
    (type >= 10 && type <= 23 && triggers.includes(CHANGE_IN_QOS)) ||
    (type >= 30 && type <= 36 && triggers.includes(CHANGE_IN_LOCATION)) ||
    (type === 51 && triggers.includes(CHANGE_IN_PARTICIPANTS_NMB));
  return triggers.filter((type) => !covered(type));
}
