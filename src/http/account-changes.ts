/**
 * Changes of `/v1/accounts`: accounts and their buckets. Every one may be repeated: it puts
 * something in place, or takes it away. What the buckets hold is booked (`bookings.ts`).
 */
import type { FastifyInstance, FastifyReply } from 'fastify';
import type { Account, AccountDefinition, AccountRef } from '../charging/account.ts';
import { askClientsOf } from '../engine/reauthorise.ts';
import { TollkeeperError } from '../errors.ts';
import {
  type AccountEditing,
  changeAccount,
  putAccount,
  putBucket,
  removeBucket,
} from '../provisioning/edit-account.ts';
import { withOutcome } from '../provisioning/outcome.ts';
import { accountView } from './accounts.ts';
import { byTenant, type OfTenant, type TenantCurrency, type Tenants, tenantOf } from './tenant.ts';
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

/** How long clients are asked to re-authorise. */
const ASKING_MS = 5_000;

interface OfAccount {
  account: string;
}
interface OfBucket extends OfAccount {
  bucket: string;
}

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
const REFUSALS = [
  ...(['TENANT_UNKNOWN', 'ACCOUNT_UNKNOWN', 'CHANGE_REFUSED', 'STALE_CHANGE'] as const),
  'STORE_OUTCOME_UNKNOWN',
] as const;

export function accountChangeRoutes(
  app: FastifyInstance,
  { writing, tenants }: { writing: Writing; tenants: Tenants },
): void {
  const { store } = writing;
  const making = <Result>(change: (editing: AccountEditing) => Promise<Result>): Promise<Result> =>
    withOutcome(store, (watched) =>
      change({
        store: watched,
        configuration: writing.configuration(),
        askClients: (ref: AccountRef) =>
          askClientsOf(writing.asking, ref, {
            reason: 'plan',
            deadline: performance.now() + ASKING_MS,
          }),
      }),
    );
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
          'by the difference. What is not written, and balances, are left as they are. Clients are ' +
          'asked to re-authorise where it gets another plan, or sessions go on under another.',
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
      if (isForPresent(request) && (await store.load(ref)).account === undefined)
        throw new TollkeeperError('STALE_CHANGE', {
          what: `account ${ref.account}`,
          tag: 'nothing',
        });
      const put = await making((editing) =>
        putAccount(editing, ref, request.body as object, { expected }),
      );
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
      const changed = await making((editing) =>
        changeAccount(editing, ref, request.body, { expected }),
      );
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
      const changed = await making((editing) => putBucket(editing, ref, change, { expected }));
      return shown(reply, changed, currency);
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
      const changed = await making((editing) => removeBucket(editing, ref, bucket, { expected }));
      return shown(reply, changed, currency);
    },
  );
}
