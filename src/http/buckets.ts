/**
 * Buckets as replies show them: as a decision at this moment would find them, with what is due by
 * now booked (an ended bucket is empty, a renewed one full), whether or not anybody has decided yet.
 */
import {
  type Account,
  availableField,
  type Bucket,
  hasPeriod,
  periodField,
  type Renewal,
  reservedField,
} from '../charging/account.ts';
import type { SubscriberId } from '../charging/request.ts';
import { type Quantity, quantity, unitSchema } from './quantity.ts';
import { subscriberOf } from './subscriber.ts';
import type { TenantCurrency } from './tenant.ts';

/** `waiting`: it has not started; `unused`: it lasts from a first use that has not come. */
export type BucketState = 'waiting' | 'unused' | 'active' | 'expired';

export interface BucketView extends Pick<Bucket, 'id' | 'unit' | 'priority' | 'paysFor'> {
  state: BucketState;
  startsAt?: string;
  expiresAt?: string;
  lastsSeconds?: number;
  renewal?: Pick<Renewal, 'every' | 'timeZone'> & {
    nextAt: string;
    amount: Quantity;
    rollover: Quantity;
  };
  limits?: SubscriberId[];
  available: Quantity;
  reserved: Quantity;
  floor: Quantity;
}

const time = { type: 'string', format: 'date-time' } as const;

export const bucketSchema = {
  $id: 'Bucket',
  description:
    'An amount that pays for use, or that limits it; as a decision at this moment would find it.',
  type: 'object',
  required: ['id', 'unit', 'priority', 'state', 'available', 'reserved', 'floor'],
  additionalProperties: false,
  properties: {
    id: { type: 'string' },
    unit: unitSchema,
    priority: { type: 'integer', description: 'Lower is drawn first.' },
    state: {
      type: 'string',
      enum: ['waiting', 'unused', 'active', 'expired'] satisfies BucketState[],
      description:
        '`waiting`: it has not started. `unused`: it lasts from its first use, which has not come. ' +
        '`expired`: nothing is drawn from it any more.',
    },
    startsAt: { ...time, description: 'Nothing is drawn before.' },
    expiresAt: { ...time, description: 'Nothing is drawn any more from then on.' },
    lastsSeconds: { type: 'integer', description: 'How long it lasts from its first use.' },
    renewal: {
      type: 'object',
      description: 'It is filled again by the period.',
      required: ['every', 'timeZone', 'nextAt', 'amount', 'rollover'],
      additionalProperties: false,
      properties: {
        every: {
          type: 'string',
          enum: ['hour', 'day', 'week', 'month'] satisfies Renewal['every'][],
        },
        timeZone: { type: 'string', description: 'IANA name of the zone of its periods.' },
        nextAt: { ...time, description: 'When the present period ends.' },
        amount: { $ref: 'Quantity#', description: 'What is added then.' },
        rollover: { $ref: 'Quantity#', description: 'The most that is kept then of what is left.' },
      },
    },
    limits: {
      type: 'array',
      items: { $ref: 'Subscriber#' },
      description: 'It pays for nothing: it limits what these subscribers may use.',
    },
    available: { $ref: 'Quantity#', description: 'May be negative: overdraft.' },
    reserved: { $ref: 'Quantity#', description: 'What open grants hold.' },
    floor: { $ref: 'Quantity#', description: '0, or minus the credit limit.' },
    paysFor: {
      type: 'array',
      items: { type: 'string' },
      description: 'Rules that it pays for, or limits; absent: every rule of its unit.',
    },
  },
} as const;

/** A bucket in the form of its schema. `counters` are the account's as of `now` (`accountAt`). */
export function bucketView(
  bucket: Bucket,
  {
    counters,
    now,
    currency,
  }: { counters: Account['counters']; now: number; currency: TenantCurrency | undefined },
): BucketView {
  const { id, unit, priority, startsAt, lastsMs, renewal, limits, paysFor, floor } = bucket;
  const period = hasPeriod(bucket) ? (counters[periodField(id)] ?? 0) : undefined;
  const expiresAt = endOf(bucket, period);
  const shown = (smallest: number): Quantity => quantity(smallest, unit, currency);
  return {
    id,
    unit,
    priority,
    state: stateOf(bucket, { period, expiresAt, now }),
    ...(startsAt === undefined ? {} : { startsAt: instantText(startsAt) }),
    ...(expiresAt === undefined ? {} : { expiresAt: instantText(expiresAt) }),
    ...(lastsMs === undefined ? {} : { lastsSeconds: Math.round(lastsMs / 1000) }),
    ...(renewal === undefined
      ? {}
      : {
          renewal: {
            every: renewal.every,
            timeZone: renewal.timeZone,
            nextAt: instantText(period ?? 0),
            amount: shown(renewal.amount),
            rollover: shown(renewal.rollover),
          },
        }),
    ...(limits === undefined ? {} : { limits: limits.map(subscriberOf) }),
    available: shown(counters[availableField(id)] ?? 0),
    reserved: shown(counters[reservedField(id)] ?? 0),
    floor: shown(floor),
    ...(paysFor === undefined ? {} : { paysFor }),
  };
}

function stateOf(
  { startsAt, renewal }: Bucket,
  of: { period: number | undefined; expiresAt: number | undefined; now: number },
): BucketState {
  if (of.expiresAt !== undefined && of.expiresAt <= of.now) return 'expired';
  if (startsAt !== undefined && startsAt > of.now) return 'waiting';
  return renewal === undefined && of.period === 0 ? 'unused' : 'active';
}

/** When nothing is drawn any more, as far as it is known. */
function endOf({ expiresAt, renewal }: Bucket, period: number | undefined): number | undefined {
  if (renewal !== undefined || period === undefined || period === 0) return expiresAt;
  return expiresAt === undefined ? period : Math.min(expiresAt, period);
}

const instantText = (at: number): string => new Date(at).toISOString();
