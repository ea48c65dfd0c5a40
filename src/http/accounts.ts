/** `/v1/accounts`: accounts with their buckets, as the store has them at this moment. */
import type { FastifyInstance } from 'fastify';
import {
  type Account,
  availableField,
  type Bucket,
  OPEN_SESSIONS,
  reservedField,
} from '../charging/account.ts';
import type { SubscriberId, SubscriberKind } from '../charging/request.ts';
import { TollkeeperError } from '../errors.ts';
import { cursorOf, nextSchema, type PageQuery, pageOf, pageQuery } from './paging.ts';
import { type Quantity, quantity, unitSchema } from './quantity.ts';
import type { Resources } from './resources.ts';
import { type TenantCurrency, tenantOf, tenantQuery } from './tenant.ts';

export interface BucketView extends Pick<Bucket, 'id' | 'unit' | 'priority' | 'paysFor'> {
  expiresAt?: string;
  available: Quantity;
  reserved: Quantity;
  floor: Quantity;
}

export interface AccountView {
  tenant: string;
  account: string;
  plan: string;
  status: 'active' | 'blocked';
  version: number;
  subscribers: SubscriberId[];
  openSessions: number;
  maxSessions: number;
  buckets: BucketView[];
}

export const subscriberSchema = {
  $id: 'Subscriber',
  description: 'Who is charged (RFC 8506 8.46).',
  type: 'object',
  required: ['kind', 'id'],
  additionalProperties: false,
  properties: {
    kind: {
      type: 'string',
      enum: ['e164', 'imsi', 'sip', 'nai', 'private'] satisfies SubscriberKind[],
    },
    id: { type: 'string' },
  },
} as const;

export const accountSchema = {
  $id: 'Account',
  description: 'Subscribers who share buckets, and what these hold.',
  type: 'object',
  required: [
    ...['tenant', 'account', 'plan', 'status', 'version', 'subscribers', 'openSessions'],
    ...['maxSessions', 'buckets'],
  ],
  additionalProperties: false,
  properties: {
    tenant: { type: 'string' },
    account: { type: 'string' },
    plan: { type: 'string' },
    status: { type: 'string', enum: ['active', 'blocked'] },
    version: { type: 'integer', description: 'Raised by provisioning, never by a charge.' },
    subscribers: { type: 'array', items: { $ref: 'Subscriber#' } },
    openSessions: { type: 'integer' },
    maxSessions: { type: 'integer' },
    buckets: {
      type: 'array',
      description: 'In the order in which they are drawn.',
      items: {
        type: 'object',
        required: ['id', 'unit', 'priority', 'available', 'reserved', 'floor'],
        additionalProperties: false,
        properties: {
          id: { type: 'string' },
          unit: unitSchema,
          priority: { type: 'integer', description: 'Lower is drawn first.' },
          expiresAt: { type: 'string', format: 'date-time' },
          available: { $ref: 'Quantity#', description: 'May be negative: overdraft.' },
          reserved: { $ref: 'Quantity#', description: 'What open grants hold.' },
          floor: { $ref: 'Quantity#', description: '0, or minus the credit limit.' },
          paysFor: {
            type: 'array',
            items: { type: 'string' },
            description: 'Rules that it pays for; absent: every rule of its unit.',
          },
        },
      },
    },
  },
} as const;

/** An account's id. */
const ACCOUNT_PLACE = /^.{1,700}$/su;

export function accountRoutes(app: FastifyInstance, { store, tenants }: Resources): void {
  app.get<{ Querystring: PageQuery & { tenant?: string } }>(
    '/v1/accounts',
    {
      config: { access: 'tenant', problems: ['TENANT_UNKNOWN'] },
      schema: {
        summary: 'Accounts of a tenant',
        description: 'In the order of their ids.',
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: { tenant: tenantQuery, ...pageQuery },
        },
        response: {
          200: {
            description: 'A page of accounts.',
            type: 'object',
            required: ['accounts'],
            additionalProperties: false,
            properties: {
              accounts: { type: 'array', items: { $ref: 'Account#' } },
              next: nextSchema,
            },
          },
        },
      },
    },
    async ({ query, caller }) => {
      const { tenant, currency } = tenantOf(query.tenant, { caller, tenants });
      const list = { list: 'accounts', tenant, place: ACCOUNT_PLACE };
      const { accounts, next } = await store.listAccounts(tenant, pageOf(query, list));
      return {
        accounts: accounts.map((account) => accountView(account, currency)),
        ...(next === undefined ? {} : { next: cursorOf(next, list) }),
      };
    },
  );

  app.get<{ Params: { account: string }; Querystring: { tenant?: string } }>(
    '/v1/accounts/:account',
    {
      config: { access: 'tenant', problems: ['TENANT_UNKNOWN', 'ACCOUNT_UNKNOWN'] },
      schema: {
        summary: 'An account',
        params: {
          type: 'object',
          required: ['account'],
          properties: { account: { type: 'string', minLength: 1, maxLength: 1000 } },
        },
        querystring: {
          type: 'object',
          additionalProperties: false,
          properties: { tenant: tenantQuery },
        },
        response: { 200: { description: 'The account.', $ref: 'Account#' } },
      },
    },
    async ({ params, query, caller }) => {
      const { tenant, currency } = tenantOf(query.tenant, { caller, tenants });
      const { account } = await store.load({ tenant, account: params.account });
      if (account === undefined)
        throw new TollkeeperError('ACCOUNT_UNKNOWN', { account: params.account });
      return accountView(account, currency);
    },
  );
}

/** An account in the form of its schema; without a currency, money is shown as integers only. */
export function accountView(
  { definition, counters, version }: Account,
  currency: TenantCurrency | undefined,
): AccountView {
  const { tenant, account, plan, status, maxSessions } = definition;
  return {
    tenant,
    account,
    plan,
    status,
    version,
    subscribers: definition.subscribers.map(subscriberOf),
    openSessions: counters[OPEN_SESSIONS] ?? 0,
    maxSessions,
    buckets: definition.buckets.map(({ id, unit, priority, paysFor, expiresAt, floor }) => ({
      id,
      unit,
      priority,
      ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
      available: quantity(counters[availableField(id)] ?? 0, unit, currency),
      reserved: quantity(counters[reservedField(id)] ?? 0, unit, currency),
      floor: quantity(floor, unit, currency),
      ...(paysFor === undefined ? {} : { paysFor }),
    })),
  };
}

/** What `kind:id` says. */
function subscriberOf(text: string): SubscriberId {
  const colon = text.indexOf(':');
  return { kind: text.slice(0, colon) as SubscriberKind, id: text.slice(colon + 1) };
}
