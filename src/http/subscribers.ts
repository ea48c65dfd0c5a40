/** `/v1/subscribers`: which account a subscriber is on, and its moves from one to another. */
import type { FastifyInstance } from 'fastify';
import type { SubscriberId, SubscriberKind } from '../charging/request.ts';
import { TollkeeperError } from '../errors.ts';
import { putSubscriber } from '../provisioning/edit-account.ts';
import { takeAway } from '../provisioning/leave.ts';
import { withOutcome } from '../provisioning/outcome.ts';
import { subscriberSchema } from './subscriber.ts';
import { byTenant, type OfTenant, type Tenants, tenantOf } from './tenant.ts';
import { BODY_BYTES, type Writing } from './writing.ts';

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

export function subscriberRoutes(
  app: FastifyInstance,
  { writing, tenants }: { writing: Writing; tenants: Tenants },
): void {
  const { store } = writing;

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
      const found = await store.holderOf(tenant, { kind, id });
      if (found === undefined)
        throw new TollkeeperError('SUBSCRIBER_UNKNOWN', { subscriber: `${kind}:${id}` });
      return { account: found };
    },
  );

  app.put<{ Params: OfSubscriber; Querystring: OfTenant; Body: { account: string } }>(
    '/v1/subscribers/:kind/:id',
    {
      config: {
        access: 'tenant',
        problems: [
          ...(['TENANT_UNKNOWN', 'ACCOUNT_UNKNOWN', 'CHANGE_REFUSED'] as const),
          'STORE_OUTCOME_UNKNOWN',
        ],
      },
      bodyLimit: BODY_BYTES.small,
      schema: {
        summary: 'Add a subscriber to an account, or move it there',
        description:
          'Sessions that are open stay with the account that they were opened on. Limits that the ' +
          'subscriber had on the account that it leaves are gone.',
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
      const to = { tenant, account: body.account };
      const moved = await withOutcome(store, (watched) => putSubscriber(watched, to, subscriber));
      return { account: body.account, ...moved };
    },
  );

  app.delete<{ Params: OfSubscriber; Querystring: OfTenant }>(
    '/v1/subscribers/:kind/:id',
    {
      config: { access: 'tenant', problems: ['TENANT_UNKNOWN', 'STORE_OUTCOME_UNKNOWN'] },
      schema: {
        summary: 'Take a subscriber from its account',
        description: 'Limits that it had there are gone.',
        params: subscriberParams,
        querystring: byTenant,
        response: { 204: { description: 'No account has it.', type: 'null' } },
      },
    },
    async ({ params: { kind, id }, query, caller }, reply) => {
      const { tenant } = tenantOf(query.tenant, { caller, tenants });
      await withOutcome(store, (watched) => takeAway(watched, tenant, { kind, id }));
      return reply.code(204).send();
    },
  );
}
