/**
 * Changes of `/v1/accounts` and `/v1/subscribers`: accounts, their buckets and what these hold. Every
 * one may be repeated: a PUT puts something in place, money is booked under an Idempotency-Key.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Account, AccountDefinition, AccountRef } from '../charging/account.ts';
import type { BookingRefusal } from '../charging/booking.ts';
import type { SubscriberId, SubscriberKind } from '../charging/request.ts';
import { type Booked, book } from '../engine/booking.ts';
import { askClientsOf } from '../engine/reauthorise.ts';
import { TollkeeperError } from '../errors.ts';
import {
  changeAccount,
  putAccount,
  putBucket,
  putSubscriber,
  removeBucket,
  removeSubscriber,
} from '../provisioning/edit-account.ts';
import { parseSigned } from '../provisioning/quantity.ts';
import { accountView } from './accounts.ts';
import { quantity } from './quantity.ts';
import { subscriberSchema } from './subscriber.ts';
import { type TenantCurrency, type Tenants, tenantOf, tenantQuery } from './tenant.ts';
import {
  BODY_BYTES,
  conditionHeaders,
  etagHeader,
  etagOf,
  expectedVersion,
  isForPresent,
  type Writing,
  writtenBody,
} from './writing.ts';

/** How long a booking is tried. */
const BOOKING_MS = 5_000;

interface OfTenant {
  tenant?: string;
}
interface OfAccount {
  account: string;
}
interface OfBucket extends OfAccount {
  bucket: string;
}

const byTenant = {
  type: 'object',
  additionalProperties: false,
  properties: { tenant: tenantQuery },
} as const;
const params = (...names: string[]) => ({
  type: 'object',
  required: names,
  properties: Object.fromEntries(
    names.map((name) => [name, { type: 'string', minLength: 1, maxLength: 1000 }]),
  ),
});
const conditions = { type: 'object', properties: conditionHeaders } as const;
const account = {
  200: { description: 'The account now.', headers: etagHeader('the account'), $ref: 'Account#' },
} as const;
const REFUSALS = ['TENANT_UNKNOWN', 'ACCOUNT_UNKNOWN', 'CHANGE_REFUSED', 'STALE_CHANGE'] as const;

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

export function accountChangeRoutes(
  app: FastifyInstance,
  { writing, tenants }: { writing: Writing; tenants: Tenants },
): void {
  const { store } = writing;
  const askClients = async (ref: AccountRef, reason: 'top-up' | 'plan'): Promise<number> => {
    const deadline = performance.now() + BOOKING_MS;
    return (await askClientsOf(writing.asking, ref, { reason, deadline })).asked;
  };
  const editing = () => ({ store, configuration: writing.configuration() });
  const shown = (reply: FastifyReply, found: Account, currency: TenantCurrency) => {
    reply.header('etag', etagOf(found.version));
    return accountView(found, { currency, now: store.now() });
  };

  app.put<{ Params: OfAccount; Querystring: OfTenant; Body: object }>(
    '/v1/accounts/:account',
    {
      config: { access: 'tenant', problems: REFUSALS },
      bodyLimit: BODY_BYTES.account,
      schema: {
        summary: 'Put an account in place',
        description:
          'A new one is created with its openings. One that exists gets what is written: ' +
          'subscribers leave the accounts that had them, limits start with their amounts or move ' +
          'by the difference. What is not written, and balances, are left as they are.',
        params: params('account'),
        querystring: byTenant,
        headers: conditions,
        body: writtenBody('An account'),
        response: { ...account, 201: { ...account[200], description: 'It was created.' } },
      },
    },
    async (request, reply) => {
      const { tenant, currency } = tenantOf(request.query.tenant, {
        caller: request.caller,
        tenants,
      });
      const ref = { tenant, account: request.params.account };
      const expected = expectedVersion(request);
      const before = (await store.load(ref)).account?.definition.plan;
      if (before === undefined && isForPresent(request))
        throw new TollkeeperError('STALE_CHANGE', {
          what: `account ${ref.account}`,
          tag: 'nothing',
        });
      const put = await putAccount(editing(), ref, request.body as object, { expected });
      const { plan } = put.account.definition;
      if (before !== undefined && before !== plan) await askClients(ref, 'plan');
      reply.code(put.created ? 201 : 200);
      return shown(reply, put.account, currency);
    },
  );

  app.patch<{
    Params: OfAccount;
    Querystring: OfTenant;
    Body: Partial<Pick<AccountDefinition, 'plan' | 'status' | 'maxSessions'>>;
  }>(
    '/v1/accounts/:account',
    {
      config: { access: 'tenant', problems: [...REFUSALS, 'PLAN_UNKNOWN'] },
      bodyLimit: BODY_BYTES.small,
      schema: {
        summary: 'Change the plan, status or limit of an account',
        description:
          'What is not written stays (RFC 7396). A blocked account is refused service. A plan must ' +
          'have the rules that its buckets and limits name; where one is written, clients of open ' +
          'sessions are asked to re-authorise.',
        params: params('account'),
        querystring: byTenant,
        headers: conditions,
        body: {
          type: 'object',
          additionalProperties: false,
          minProperties: 1,
          properties: {
            plan: { type: 'string', minLength: 1, maxLength: 64 },
            status: { type: 'string', enum: ['active', 'blocked'] },
            maxSessions: { type: 'integer', minimum: 1, maximum: 1_000_000 },
          },
        },
        response: account,
      },
    },
    async (request, reply) => {
      const { tenant, currency } = tenantOf(request.query.tenant, {
        caller: request.caller,
        tenants,
      });
      const ref = { tenant, account: request.params.account };
      const expected = expectedVersion(request);
      const changed = await changeAccount(editing(), ref, request.body, { expected });
      // Also where it was changed before: whoever did may not have come to it.
      if (request.body.plan !== undefined) await askClients(ref, 'plan');
      return shown(reply, changed, currency);
    },
  );

  app.put<{ Params: OfBucket; Querystring: OfTenant; Body: object }>(
    '/v1/accounts/:account/buckets/:bucket',
    {
      config: { access: 'tenant', problems: REFUSALS },
      bodyLimit: BODY_BYTES.small,
      schema: {
        summary: 'Add a bucket, or change one',
        description: 'A new one starts at 0, whatever its opening says: top it up.',
        params: params('account', 'bucket'),
        querystring: byTenant,
        headers: conditions,
        body: writtenBody('A bucket'),
        response: account,
      },
    },
    async (request, reply) => {
      const { tenant, currency } = tenantOf(request.query.tenant, {
        caller: request.caller,
        tenants,
      });
      const { bucket } = request.params;
      const ref = { tenant, account: request.params.account };
      const change = { bucket, written: request.body as object };
      const expected = expectedVersion(request);
      return shown(reply, await putBucket(editing(), ref, change, { expected }), currency);
    },
  );

  app.delete<{ Params: OfBucket; Querystring: OfTenant }>(
    '/v1/accounts/:account/buckets/:bucket',
    {
      config: { access: 'tenant', problems: [...REFUSALS, 'BUCKET_IN_USE'] },
      schema: {
        summary: 'Take a bucket out that holds nothing',
        params: params('account', 'bucket'),
        querystring: byTenant,
        headers: conditions,
        response: account,
      },
    },
    async (request, reply) => {
      const { tenant, currency } = tenantOf(request.query.tenant, {
        caller: request.caller,
        tenants,
      });
      const { bucket } = request.params;
      const ref = { tenant, account: request.params.account };
      const expected = expectedVersion(request);
      return shown(reply, await removeBucket({ store }, ref, bucket, { expected }), currency);
    },
  );

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
          params: params('account', 'bucket'),
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
        const { account: found } = await store.load(ref);
        if (found === undefined) throw new TollkeeperError('ACCOUNT_UNKNOWN', { account: id });
        const unit = found.definition.buckets.find((one) => one.id === bucket)?.unit;
        if (unit === undefined)
          throw new TollkeeperError('BUCKET_UNKNOWN', { account: id, bucket });
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
        if (booked.kind !== 'booked') throw failure(booked, { account: id, bucket, text, key });
        return {
          repeated: booked.repeated,
          bookedAt: new Date(booked.at).toISOString(),
          amount: quantity(amount, unit, currency),
          available: quantity(booked.available, unit, currency),
          reserved: quantity(booked.reserved, unit, currency),
          // Also of a repetition: whoever booked it may not have come to it.
          ...(kind === 'topup' ? { sessionsAsked: await askClients(ref, 'top-up') } : {}),
        };
      },
    );

  const subscriberParams = {
    type: 'object',
    required: ['kind', 'id'],
    properties: {
      kind: subscriberSchema.properties.kind,
      id: { type: 'string', pattern: '^[^\\s\\u0000-\\u001f\\u007f]{1,255}$' },
    },
  } as const;
  interface OfSubscriber {
    kind: SubscriberKind;
    id: string;
  }
  const holder = {
    type: 'object',
    required: ['account'],
    additionalProperties: false,
    properties: { account: { type: 'string', minLength: 1, maxLength: 128 } },
  } as const;

  app.get<{ Params: OfSubscriber; Querystring: OfTenant }>(
    '/v1/subscribers/:kind/:id',
    {
      config: { access: 'tenant', problems: ['TENANT_UNKNOWN', 'SUBSCRIBER_UNKNOWN'] },
      schema: {
        summary: 'Which account a subscriber is on',
        params: subscriberParams,
        querystring: byTenant,
        response: { 200: { description: 'The account.', ...holder } },
      },
    },
    async ({ params: { kind, id }, query, caller }) => {
      const { tenant } = tenantOf(query.tenant, { caller, tenants });
      const found = await store.accountOf(tenant, { kind, id });
      if (found === undefined)
        throw new TollkeeperError('SUBSCRIBER_UNKNOWN', { subscriber: `${kind}:${id}` });
      return { account: found };
    },
  );

  app.put<{ Params: OfSubscriber; Querystring: OfTenant; Body: OfAccount }>(
    '/v1/subscribers/:kind/:id',
    {
      config: {
        access: 'tenant',
        problems: ['TENANT_UNKNOWN', 'ACCOUNT_UNKNOWN', 'CHANGE_REFUSED'],
      },
      bodyLimit: BODY_BYTES.small,
      schema: {
        summary: 'Add a subscriber to an account, or move it there',
        description: 'Sessions that are open stay with the account that they were opened on.',
        params: subscriberParams,
        querystring: byTenant,
        body: holder,
        response: {
          200: {
            description: 'It is on the account.',
            ...holder,
            properties: {
              ...holder.properties,
              movedFrom: { type: 'string', description: 'The account that had it.' },
            },
          },
        },
      },
    },
    async ({ params: { kind, id }, query, body, caller }) => {
      const { tenant } = tenantOf(query.tenant, { caller, tenants });
      const subscriber: SubscriberId = { kind, id };
      const moved = await putSubscriber(store, { tenant, account: body.account }, subscriber);
      return { account: body.account, ...moved };
    },
  );

  app.delete<{ Params: OfSubscriber; Querystring: OfTenant }>(
    '/v1/subscribers/:kind/:id',
    {
      config: { access: 'tenant', problems: ['TENANT_UNKNOWN'] },
      schema: {
        summary: 'Take a subscriber from its account',
        params: subscriberParams,
        querystring: byTenant,
        response: { 204: { description: 'No account has it.', type: 'null' } },
      },
    },
    async ({ params: { kind, id }, query, caller }, reply) => {
      const { tenant } = tenantOf(query.tenant, { caller, tenants });
      await removeSubscriber(store, tenant, { kind, id });
      return reply.code(204).send();
    },
  );
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
  'amount-invalid': 'a top-up adds more than 0, an adjustment is not 0',
  'bucket-expired': 'the bucket has expired',
  'beyond-limit': 'the bucket would hold more than 2^53 - 1 smallest units',
  'below-floor': 'there is not so much in the bucket',
};

function failure(
  booked: Exclude<Booked, { kind: 'booked' }>,
  { account: id, bucket, text, key }: Record<'account' | 'bucket' | 'text' | 'key', string>,
): TollkeeperError {
  switch (booked.kind) {
    case 'refused':
      return booked.reason === 'bucket-unknown'
        ? new TollkeeperError('BUCKET_UNKNOWN', { account: id, bucket })
        : new TollkeeperError('AMOUNT_INVALID', { amount: text, reason: REASONS[booked.reason] });
    case 'account-unknown':
      return new TollkeeperError('ACCOUNT_UNKNOWN', { account: id });
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
