/** `tollkeeper account topup`: adds to a bucket, once per key. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AccountRef } from '../charging/account.ts';
import type { BookingRefusal } from '../charging/booking.ts';
import type { Unit } from '../charging/request.ts';
import { type Booked, book } from '../engine/booking.ts';
import { askClientsOf } from '../engine/reauthorise.ts';
import { TollkeeperError } from '../errors.ts';
import { type Quantity, quantity } from '../http/quantity.ts';
import type { TenantCurrency } from '../http/tenant.ts';
import { parseQuantity } from '../provisioning/quantity.ts';
import type { Store } from '../store/store.ts';
import { onOff, word } from '../values.ts';
import { ASKING_MS, askingOn, askingSettings } from './asking.ts';
import { instant } from './columns.ts';
import { defineCommand } from './command.ts';
import { chooseTenant, readCurrencies, shownQuantity } from './currencies.ts';
import { storeSettings, withStore } from './open-store.ts';

/** How long the command tries; then it says what it knows. */
const DEADLINE_MS = 10_000;

/** A key stands in the record of its booking. */
const MAX_KEY = 200;

/** What is printed with `--json`. */
interface TopUp extends AccountRef {
  bucket: string;
  unit: Unit;
  key: string;
  amount: Quantity;
  /** The key had been booked before; this call changed nothing. */
  repeated: boolean;
  bookedAt: string;
  available: Quantity;
  reserved: Quantity;
  /** Sessions without credit whose clients are asked to re-authorise. */
  sessionsAsked: number;
}

export const command = defineCommand({
  name: 'account topup',
  summary: 'Add to a bucket of an account; safe to repeat',
  usage: 'ACCOUNT',
  details:
    'The key makes it safe: whatever happens, send the same again, and the amount is added once. ' +
    'A key belongs to its account and is remembered for --event-horizon-seconds. Clients of open ' +
    'sessions that have run out of credit are asked to re-authorise.',
  examples: [
    'account topup blue-family --tenant mvno-blue --amount 5.00 --key voucher-4711',
    'account topup red-491710000001 --tenant mvno-red --bucket welcome --amount 10 --key g1',
  ],
  flags: {
    tenant: { kind: word('TENANT'), description: 'Whose account; needed where there are several.' },
    amount: {
      kind: word('AMOUNT'),
      description: "How much: 5.00 of the tenant's currency; '500 MB', '10 min' or 20 of units.",
    },
    bucket: { kind: word('BUCKET'), default: 'main', description: 'Which bucket.' },
    key: { kind: word('KEY'), description: 'Your name for this top-up, such as a voucher number.' },
    smallest: {
      kind: onOff(),
      default: false,
      description: 'The amount is a whole number of smallest units, whatever the currency.',
    },
  },
  settings: [...storeSettings, ...askingSettings, 'provisioningFile', 'eventHorizonSeconds'],
  async run(call) {
    const { amount, key, bucket, smallest } = call.flags;
    const missing = [
      ...(amount === undefined ? ['--amount is missing'] : []),
      ...(key === undefined ? ['--key is missing: it is what makes a top-up safe to repeat'] : []),
    ];
    if (amount === undefined || key === undefined)
      throw new TollkeeperError('COMMAND_LINE_INVALID', {
        problem: `tollkeeper account topup: ${missing.join('; ')}`,
      });
    if (key.length > MAX_KEY)
      throw new TollkeeperError('COMMAND_LINE_INVALID', {
        problem: `tollkeeper account topup: --key has at most ${MAX_KEY} characters`,
      });
    const tenants = await readCurrencies(call);
    const { tenant, currency } = chooseTenant(call.flags.tenant, {
      tenants,
      command: 'account topup',
      call,
    });
    const account = { tenant, account: call.operands[0]! };
    await withStore(call.settings, async (store) => {
      const unit = await unitOf(store, account, bucket);
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
          booking: { kind: 'topup', bucket, amount: parsed, key },
          deadline: performance.now() + DEADLINE_MS,
        },
      );
      if (booked.kind !== 'booked')
        throw failure(booked, { account: account.account, bucket, amount, key });
      // Also when it was booked before: whoever did may not have come to it.
      const asking = await askClientsOf(askingOn(store, call.settings), account, {
        reason: 'top-up',
        deadline: performance.now() + ASKING_MS,
      });
      const { repeated, at, available, reserved } = booked;
      const topUp: TopUp = {
        ...account,
        bucket,
        unit,
        key,
        amount: quantity(parsed, unit, currency),
        repeated,
        bookedAt: new Date(at).toISOString(),
        available: quantity(available, unit, currency),
        reserved: quantity(reserved, unit, currency),
        sessionsAsked: asking.asked,
      };
      if (asking.kind === 'busy')
        call.note(`Not all sessions without credit could be told; repeat it under the key ${key}.`);
      call.result(topUp, (done) => topUpText(done, currency));
    });
  },
});

async function unitOf(store: Store, account: AccountRef, bucket: string): Promise<Unit> {
  const { account: found } = await store.load(account);
  if (found === undefined)
    throw new TollkeeperError('ACCOUNT_UNKNOWN', { account: account.account });
  const unit = found.definition.buckets.find(({ id }) => id === bucket)?.unit;
  if (unit === undefined)
    throw new TollkeeperError('BUCKET_UNKNOWN', { account: account.account, bucket });
  return unit;
}

/** In smallest units. Throws AMOUNT_INVALID, also where the currency's decimal places are unknown. */
function parseAmount(
  amount: string,
  of: { unit: Unit; currency: TenantCurrency | undefined; smallest: boolean },
): number {
  const refuse = (reason: string) => new TollkeeperError('AMOUNT_INVALID', { amount, reason });
  if (of.smallest) {
    if (!/^\d{1,16}$/.test(amount)) throw refuse('with --smallest a whole number is expected');
    return Number(amount);
  }
  if (of.unit === 'money' && of.currency === undefined)
    throw refuse(
      "the currency's decimal places are not known here; give smallest units and --smallest",
    );
  const parsed = parseQuantity(amount, { unit: of.unit, digits: of.currency?.digits ?? 0 });
  if ('expected' in parsed) throw refuse(`expected ${parsed.expected}`);
  return parsed.value;
}

const REASONS: Readonly<Record<Exclude<BookingRefusal, 'bucket-unknown'>, string>> = {
  'amount-invalid': 'a top-up adds more than 0 and at most 2^53 - 1 smallest units',
  'bucket-expired': 'the bucket has expired',
  'beyond-limit': 'the bucket would hold more than 2^53 - 1 smallest units',
  'below-floor': 'there is not so much in the bucket',
};

function failure(
  booked: Exclude<Booked, { kind: 'booked' }>,
  { account, bucket, amount, key }: Record<'account' | 'bucket' | 'amount' | 'key', string>,
): TollkeeperError {
  switch (booked.kind) {
    case 'refused':
      return booked.reason === 'bucket-unknown'
        ? new TollkeeperError('BUCKET_UNKNOWN', { account, bucket })
        : new TollkeeperError('AMOUNT_INVALID', { amount, reason: REASONS[booked.reason] });
    case 'account-unknown':
      return new TollkeeperError('ACCOUNT_UNKNOWN', { account });
    case 'key-reused':
      return new TollkeeperError('KEY_REUSED', { key });
    case 'late':
      return new TollkeeperError('TOO_LATE');
    case 'unavailable':
      return booked.applied === 'unknown'
        ? new TollkeeperError('STORE_OUTCOME_UNKNOWN', { reason: booked.reason })
        : new TollkeeperError('STORE_UNAVAILABLE', { reason: booked.reason });
  }
}

function topUpText(done: TopUp, currency: TenantCurrency | undefined): string {
  const { account, tenant, bucket, unit, key, bookedAt } = done;
  const amount = shownQuantity(done.amount.smallest, unit, currency);
  const available = shownQuantity(done.available.smallest, unit, currency);
  const reserved = shownQuantity(done.reserved.smallest, unit, currency);
  const what = done.repeated
    ? `${key} was booked at ${instant(bookedAt)} (${amount}); nothing was changed now`
    : `${amount} added to ${bucket} of ${account} (${tenant})`;
  return `${what}\navailable  ${available}\nreserved   ${reserved}`;
}
