/**
 * Requested- and Used-Service-Units in the core's words (RFC 8506 8.18, 8.19; TS 32.299 7.1.9):
 * exact sums, money rounded up once, cut to what a counter holds, and only in the tenant's currency.
 */
import { clampUnits, LIMIT } from '../charging/money.ts';
import type { Asked, AskedService, Unit, Used } from '../charging/request.ts';
import type { Understood, Value } from '../diameter/message.ts';
import { amountOf, type Currency, fractionsOf, rounded } from './money.ts';

type RSU = Understood<Value<'Requested-Service-Unit'>>;
type USU = Understood<Value<'Used-Service-Unit'>>;
type CCMoney = Understood<Value<'CC-Money'>>;

/** Tariff-Change-Usage, RFC 8506 8.27. */
const AFTER = 1;
const INDETERMINATE = 2;

/** Whether money is of another currency than the tenant's; without Currency-Code it is of this. */
export function isForeign(money: CCMoney | undefined, currency: Currency): boolean {
  const code = money?.['Currency-Code'];
  return code !== undefined && code !== currency.code;
}

/** Whether money that is asked for is none to be granted: it is foreign, or less than nothing. */
export function isUngrantable(money: CCMoney | undefined, currency: Currency): boolean {
  return isForeign(money, currency) || (money?.['Unit-Value']?.['Value-Digits'] ?? 0n) < 0n;
}

export function askedOf(
  rsu: RSU,
  currency: Currency,
): Pick<AskedService, 'asked' | 'foreignMoney'> {
  const asked: Asked = {};
  const octets = octetsOf(rsu);
  if (octets !== undefined) asked.octets = clampUnits(octets).units;
  if (rsu['CC-Time'] !== undefined) asked.seconds = rsu['CC-Time'];
  const units = rsu['CC-Service-Specific-Units'];
  if (units !== undefined) asked.units = clampUnits(units).units;
  const money = rsu['CC-Money'];
  if (isUngrantable(money, currency)) return { asked, foreignMoney: true };
  const value = money?.['Unit-Value'];
  if (value !== undefined) asked.money = amountOf(value, currency).amount;
  return { asked };
}

type Reported = Pick<
  AskedService,
  'used' | 'usedAfter' | 'usedIndeterminate' | 'excess' | 'foreignMoney'
>;

/**
 * The sum of several Used-Service-Units of one service (RFC 8506 8.16), and of those that came
 * after a tariff change or straddle it. `around` is what the service says of those that say
 * nothing themselves: RFC 4006 could be read so.
 */
export function usedOf(
  usus: readonly USU[],
  currency: Currency,
  around: number | undefined,
): Reported {
  const total = new Tally();
  let after: Tally | undefined;
  let indeterminate: Tally | undefined;
  let foreignMoney = false;
  for (const usu of usus) {
    const money = usu['CC-Money'];
    const foreign = isForeign(money, currency);
    foreignMoney ||= foreign;
    const value = foreign ? undefined : money?.['Unit-Value'];
    total.count(usu, value, currency);
    const change = usu['Tariff-Change-Usage'] ?? around;
    if (change === AFTER) {
      after ??= new Tally();
      after.count(usu, value, currency);
    } else if (change === INDETERMINATE) {
      indeterminate ??= new Tally();
      indeterminate.count(usu, value, currency);
    }
  }
  const reported: Reported = { used: total.used() };
  if (after !== undefined) reported.usedAfter = after.used();
  if (indeterminate !== undefined) reported.usedIndeterminate = indeterminate.used();
  if (total.excess) reported.excess = true;
  if (foreignMoney) reported.foreignMoney = true;
  return reported;
}

/** Sums of units of each kind. */
class Tally {
  readonly #totals: Partial<Record<Exclude<Unit, 'money'>, bigint>> = {};
  /** In fractions of the smallest unit; undefined: none was reported. */
  #money: bigint | undefined;
  /** Something was more than a counter holds, or less than nothing, once `used` was called. */
  excess = false;

  count(usu: USU, value: CCMoney['Unit-Value'], currency: Currency): void {
    this.#add('octets', octetsOf(usu));
    const seconds = usu['CC-Time'];
    if (seconds !== undefined) this.#add('seconds', BigInt(seconds));
    this.#add('units', usu['CC-Service-Specific-Units']);
    if (value === undefined) return;
    this.#money = (this.#money ?? 0n) + fractionsOf(value, currency);
  }

  used(): Used {
    const used: Used = {};
    for (const unit in this.#totals) {
      const counted = unit as Exclude<Unit, 'money'>;
      const clamped = clampUnits(this.#totals[counted] ?? 0n);
      used[counted] = clamped.units;
      this.excess ||= clamped.excess > 0n;
    }
    if (this.#money !== undefined) {
      const { amount, exact } = rounded(this.#money);
      used.money = amount;
      this.excess ||= !exact && (amount === 0 || amount === LIMIT);
    }
    return used;
  }

  #add(unit: Exclude<Unit, 'money'>, value: bigint | undefined): void {
    if (value === undefined) return;
    this.#totals[unit] = (this.#totals[unit] ?? 0n) + value;
  }
}

/** CC-Total-Octets or, where it is absent, input and output together; never all three. */
function octetsOf(units: RSU | USU): bigint | undefined {
  const total = units['CC-Total-Octets'];
  if (total !== undefined) return total;
  const input = units['CC-Input-Octets'];
  const output = units['CC-Output-Octets'];
  return input === undefined && output === undefined ? undefined : (input ?? 0n) + (output ?? 0n);
}
