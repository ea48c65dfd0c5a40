/** `/v1/accounts`: accounts with their buckets, as the store has them at this moment. */
import type { FastifyInstance } from 'fastify';
import { type Account, OPEN_SESSIONS } from '../charging/account.ts';
import { accountAt } from '../charging/buckets.ts';
import type { SubscriberId } from '../charging/request.ts';
import { TollkeeperError } from '../errors.ts';
import { type BucketView, bucketView } from './buckets.ts';
import { cursorOf, nextSchema, type PageQuery, pageOf, pageQuery } from './paging.ts';
import type { Resources } from './resources.ts';
import { subscriberOf } from './subscriber.ts';
import { type TenantCurrency, tenantOf, tenantQuery } from './tenant.ts';
import { etagHeader, etagOf } from './writing.ts';

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
      items: { $ref: 'Bucket#' },
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
      const now = store.now();
      return {
        accounts: accounts.map((account) => accountView(account, { currency, now })),
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
        response: {
          200: {
            description: 'The account.',
            headers: etagHeader('the account'),
            $ref: 'Account#',
          },
        },
      },
    },
    async ({ params, query, caller }, reply) => {
      const { tenant, currency } = tenantOf(query.tenant, { caller, tenants });
      const { account } = await store.load({ tenant, account: params.account });
      if (account === undefined)
        throw new TollkeeperError('ACCOUNT_UNKNOWN', { account: params.account });
      reply.header('etag', etagOf(account.version));
      return accountView(account, { currency, now: store.now() });
    },
  );
}

/**
 * An account in the form of its schema, as a decision at store time `now` would find it. Without a
 * currency, money is shown as integers only.
 */
export function accountView(
  account: Account,
  { currency, now }: { currency: TenantCurrency | undefined; now: number },
): AccountView {
  const { definition, counters, version } = accountAt(account, now);
  const { tenant, plan, status, maxSessions } = definition;
  return {
    tenant,
    account: definition.account,
    plan,
    status,
    version,
    subscribers: definition.subscribers.map(subscriberOf),
    openSessions: counters[OPEN_SESSIONS] ?? 0,
    maxSessions,
    buckets: definition.buckets.map((bucket) => bucketView(bucket, { counters, now, currency })),
  };
}
