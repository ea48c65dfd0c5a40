/**
 * What buckets hold: top-ups and adjustments by `/v1/accounts/:account/buckets/:bucket`, each
 * booked once under its Idempotency-Key.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';
import type { AccountRef } from '../charging/account.ts';
import type { BookingRefusal } from '../charging/booking.ts';
import type { Unit } from '../charging/request.ts';
import { type Booked, book } from '../engine/booking.ts';
import { askClientsOf } from '../engine/reauthorise.ts';
import { TollkeeperError } from '../errors.ts';
import { parseSigned } from '../provisioning/quantity.ts';
import { kindOf } from '../store/bucket-kinds.ts';
import type { Store } from '../store/store.ts';
import { quantity, unitSchema } from './quantity.ts';
import { byTenant, type OfTenant, type Tenants, tenantOf } from './tenant.ts';
import { BODY_BYTES, type Writing } from './writing.ts';

/** How long a booking is tried, and how long clients are asked then. */
const BOOKING_MS = 5_000;

interface OfBucket {
  account: string;
  bucket: string;
}

const id = { type: 'string', minLength: 1, maxLength: 1000 } as const;
const bucketParams = {
  type: 'object',
  required: ['account', 'bucket'],
  properties: { account: id, bucket: id },
} as const;

const bookingHeaders = {
  type: 'object',
  required: ['idempotency-key'],
  properties: {
    'idempotency-key': {
      type: 'string',
      pattern: '^[\\x21-\\x7e]{1,200}$',
      description: 'Names this booking within its account: sent again, it is booked once.',
    },
  },
} as const;

export const bookedSchema = {
  $id: 'Booked',
  description: 'What was booked, and what the bucket holds.',
  type: 'object',
  required: ['repeated', 'bookedAt', 'amount', 'available', 'reserved'],
  additionalProperties: false,
  properties: {
    repeated: { type: 'boolean', description: 'It was booked before; this changed nothing.' },
    bookedAt: { type: 'string', format: 'date-time' },
    amount: { $ref: 'Quantity#' },
    available: { $ref: 'Quantity#' },
    reserved: { $ref: 'Quantity#' },
    sessionsAsked: {
      type: 'integer',
      description: 'Of a top-up: sessions without credit whose clients are asked to try again.',
    },
  },
} as const;

export function bookingRoutes(
  app: FastifyInstance,
  { writing, tenants }: { writing: Writing; tenants: Tenants },
): void {
  const { store } = writing;
  const askAgain = async (ref: AccountRef): Promise<number> => {
    const deadline = performance.now() + BOOKING_MS;
    return (await askClientsOf(writing.asking, ref, { reason: 'top-up', deadline })).asked;
  };
  for (const [kind, path, summary] of [
    ['topup', 'topups', 'Add to a bucket, once a key'],
    ['adjustment', 'adjustments', 'Add to a bucket or take from it, once a key'],
  ] as const)
    app.post<{
      Params: OfBucket;
      Querystring: OfTenant;
      Headers: { 'idempotency-key': string };
      Body: { amount: string | number };
    }>(
      `/v1/accounts/:account/buckets/:bucket/${path}`,
      {
        config: {
          access: 'tenant',
          problems: [
            ...(['TENANT_UNKNOWN', 'ACCOUNT_UNKNOWN', 'BUCKET_UNKNOWN', 'AMOUNT_INVALID'] as const),
            ...(['KEY_REUSED', 'TOO_LATE', 'STORE_OUTCOME_UNKNOWN'] as const),
          ],
        },
        bodyLimit: BODY_BYTES.small,
        schema: {
          summary,
          params: bucketParams,
          querystring: byTenant,
          headers: bookingHeaders,
          body: {
            type: 'object',
            required: ['amount'],
            additionalProperties: false,
            properties: {
              amount: {
                description:
                  "As a bucket's opening is written: money as a decimal in a text, '500 MB', " +
                  "'10 min' or a whole number; an adjustment may have a minus sign.",
                type: 'string',
                minLength: 1,
                maxLength: 40,
              },
            },
          },
          response: { 200: { description: 'Booked.', $ref: 'Booked#' } },
        },
      },
      async (request) => {
        const { tenant, currency } = tenantOf(request.query.tenant, {
          caller: request.caller,
          tenants,
        });
        const { account: id, bucket } = request.params;
        const ref = { tenant, account: id };
        const unit = await bookedUnit(store, ref, bucket);
        const text = String(request.body.amount);
        const amount = amountOf(text, { unit, digits: currency.digits });
        const key = request.headers['idempotency-key'];
        const booked = await book(
          {
            store,
            keyTtlMs: writing.keyTtlMs,
            clock: () => performance.now(),
            pause: (ms) => pause(ms),
          },
          ref,
          { booking: { kind, bucket, amount, key }, deadline: performance.now() + BOOKING_MS },
        );
        if (booked.kind !== 'booked')
          throw bookingFailure(booked, { account: id, bucket, amount: text, key });
        return {
          repeated: booked.repeated,
          bookedAt: new Date(booked.at).toISOString(),
          amount: quantity(amount, unit, currency),
          available: quantity(booked.available, unit, currency),
          reserved: quantity(booked.reserved, unit, currency),
          // Also of a repetition: whoever booked it may not have come to it.
          ...(kind === 'topup' ? { sessionsAsked: await askAgain(ref) } : {}),
        };
      },
    );
}

/**
 * What a bucket of the account holds, or held: one that is gone takes no booking, but what was booked
 * on it is asked for again under its key. Throws ACCOUNT_UNKNOWN and BUCKET_UNKNOWN.
 */
export async function bookedUnit(
  store: Pick<Store, 'load' | 'keptOf'>,
  ref: AccountRef,
  bucket: string,
): Promise<Unit> {
  const { account } = await store.load(ref);
  if (account === undefined) throw new TollkeeperError('ACCOUNT_UNKNOWN', { account: ref.account });
  const present = account.definition.buckets.find(({ id }) => id === bucket);
  if (present !== undefined) return present.unit;
  const kind = (await store.keptOf(ref))?.kinds.get(bucket);
  const unit = unitSchema.enum.find((unit) =>
    [{ unit }, { unit, limits: [] }].some((bucket) => kindOf(bucket) === kind),
  );
  if (unit === undefined)
    throw new TollkeeperError('BUCKET_UNKNOWN', { account: ref.account, bucket });
  return unit;
}

/** In the bucket's smallest unit. Throws AMOUNT_INVALID. */
function amountOf(
  text: string,
  of: { unit: Parameters<typeof parseSigned>[1]['unit']; digits: number },
): number {
  const parsed = parseSigned(text, of);
  if ('expected' in parsed)
    throw new TollkeeperError('AMOUNT_INVALID', {
      amount: text,
      reason: `expected ${parsed.expected}`,
    });
  return parsed.value;
}

const REASONS: Readonly<Record<Exclude<BookingRefusal, 'bucket-unknown'>, string>> = {
  'amount-invalid':
    'a top-up adds more than 0, an adjustment is not 0, and both stay within 2^53 - 1 smallest ' +
    'units',
  'bucket-expired': 'the bucket has expired',
  'beyond-limit': 'the bucket would hold more than 2^53 - 1 smallest units',
  'below-floor': 'there is not so much in the bucket',
};

/** Why nothing was booked, or may not have been, as its maker is told. */
export function bookingFailure(
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
