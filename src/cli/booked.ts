/** What the commands have in common that book an amount of a bucket, once per key. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AccountRef } from '../charging/account.ts';
import type { Booking } from '../charging/booking.ts';
import type { Unit } from '../charging/request.ts';
import { book } from '../engine/booking.ts';
import { TollkeeperError } from '../errors.ts';
import { bookedUnit, bookingFailure } from '../http/bookings.ts';
import { type Quantity, quantity } from '../http/quantity.ts';
import type { TenantCurrency } from '../http/tenant.ts';
import { parseSigned } from '../provisioning/quantity.ts';
import type { RedisStore } from '../store/redis/store.ts';
import { onOff, word } from '../values.ts';
import { instant } from './columns.ts';
import type { Call } from './command.ts';
import { chooseTenant, readCurrencies, shownQuantity } from './currencies.ts';
import { storeSettings, withStore } from './open-store.ts';

/** How long a command tries; then it says what it knows. */
const DEADLINE_MS = 10_000;

/** A key stands in the record of its booking. */
const MAX_KEY = 200;

/** What is printed with `--json`. */
export interface BookedAmount extends AccountRef {
  bucket: string;
  unit: Unit;
  key: string;
  amount: Quantity;
  /** The key had been booked before; this call changed nothing. */
  repeated: boolean;
  bookedAt: string;
  available: Quantity;
  reserved: Quantity;
}

export const bookingFlags = {
  tenant: { kind: word('TENANT'), description: 'Whose account; needed where there are several.' },
  amount: {
    kind: word('AMOUNT'),
    description: "How much: 5.00 of the tenant's currency; '500 MB', '10 min' or 20 of units.",
  },
  bucket: { kind: word('BUCKET'), default: 'main', description: 'Which bucket.' },
  key: { kind: word('KEY'), description: 'Your name for this booking, such as a voucher number.' },
  smallest: {
    kind: onOff(),
    default: false,
    description: 'The amount is a whole number of smallest units, whatever the currency.',
  },
} as const;

export const bookingSettings = [
  ...storeSettings,
  'provisioningFile',
  'eventHorizonSeconds',
] as const;

/** Said in the details of every such command. */
export const aboutKeys =
  'The key makes it safe: whatever happens, send the same again, and the amount is booked once. ' +
  'A key belongs to its account and is remembered for --event-horizon-seconds.';

/**
 * Books as the command line says, prints what was booked, and calls `after` with what it is to be
 * printed with. Throws COMMAND_LINE_INVALID, TENANT_UNKNOWN and what `bookingFailure` says.
 */
export async function bookAmount<More extends object>(
  call: Call<typeof bookingFlags>,
  { command, kind }: { command: string; kind: Booking['kind'] },
  after: (store: RedisStore, account: AccountRef) => Promise<More>,
): Promise<void> {
  const { bucket, smallest } = call.flags;
  const { amount, key } = needed(call.flags, command);
  const tenants = await readCurrencies(call);
  const { tenant, currency } = chooseTenant(call.flags.tenant, { tenants, command, call });
  const account = { tenant, account: call.operands[0]! };
  await withStore(call.settings, async (store) => {
    const unit = await bookedUnit(store, account, bucket);
    const parsed = parseAmount(amount, { unit, currency, smallest });
    const booked = await book(
      {
        store,
        keyTtlMs: call.settings.eventHorizonSeconds * 1000,
        clock: () => performance.now(),
        pause: (ms) => pause(ms),
      },
      account,
      {
        booking: { kind, bucket, amount: parsed, key },
        deadline: performance.now() + DEADLINE_MS,
      },
    );
    if (booked.kind !== 'booked')
      throw bookingFailure(booked, { account: account.account, bucket, amount, key });
    const { repeated, at, available, reserved } = booked;
    const done: BookedAmount = {
      ...account,
      bucket,
      unit,
      key,
      amount: quantity(parsed, unit, currency),
      repeated,
      bookedAt: new Date(at).toISOString(),
      available: quantity(available, unit, currency),
      reserved: quantity(reserved, unit, currency),
    };
    const more = await after(store, account);
    call.result({ ...done, ...more }, (shown) => bookedText(shown, currency));
  });
}

function needed(
  { amount, key }: { amount: string | undefined; key: string | undefined },
  command: string,
): { amount: string; key: string } {
  const refuse = (problem: string) =>
    new TollkeeperError('COMMAND_LINE_INVALID', { problem: `tollkeeper ${command}: ${problem}` });
  const missing = [
    ...(amount === undefined ? ['--amount is missing'] : []),
    ...(key === undefined ? ['--key is missing: it is what makes it safe to repeat'] : []),
  ];
  if (amount === undefined || key === undefined) throw refuse(missing.join('; '));
  if (key.length > MAX_KEY) throw refuse(`--key has at most ${MAX_KEY} characters`);
  return { amount, key };
}

/** In smallest units. Throws AMOUNT_INVALID, also where the currency's decimal places are unknown. */
function parseAmount(
  amount: string,
  of: { unit: Unit; currency: TenantCurrency | undefined; smallest: boolean },
): number {
  const refuse = (reason: string) => new TollkeeperError('AMOUNT_INVALID', { amount, reason });
  if (of.smallest) {
    if (!/^-?\d{1,16}$/.test(amount)) throw refuse('with --smallest a whole number is expected');
    return Number(amount);
  }
  if (of.unit === 'money' && of.currency === undefined)
    throw refuse(
      "the currency's decimal places are not known here; give smallest units and --smallest",
    );
  const parsed = parseSigned(amount, { unit: of.unit, digits: of.currency?.digits ?? 0 });
  if ('expected' in parsed) throw refuse(`expected ${parsed.expected}`);
  return parsed.value;
}

function bookedText(done: BookedAmount, currency: TenantCurrency | undefined): string {
  const { account, tenant, bucket, unit, key, bookedAt } = done;
  const shown = (smallest: number) => shownQuantity(smallest, unit, currency);
  const { smallest } = done.amount;
  const change = `${shown(Math.abs(smallest))} ${smallest < 0 ? 'taken from' : 'added to'}`;
  const what = done.repeated
    ? `${key} was booked at ${instant(bookedAt)} (${shown(smallest)}); nothing was changed now`
    : `${change} ${bucket} of ${account} (${tenant})`;
  const available = shown(done.available.smallest);
  return `${what}\navailable  ${available}\nreserved   ${shown(done.reserved.smallest)}`;
}
